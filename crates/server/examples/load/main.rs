//! How the API bears load: `cargo run --release -p server --example load -- FORETOP sqlite|postgres
//! DIRECTORY SECONDS DEPLOYMENTS…`.
//!
//! Starts that binary as a server on a database in DIRECTORY (used again if it is there), or on a
//! PostgreSQL of its own; makes up companies with so many deployments; asks for each list over 16
//! connections, and prints a row of a table for each.

mod drive;
mod fill;
mod pages;
mod served;

use std::path::Path;
use std::time::Duration;

use drive::{Connection, Figures, drive};
use fill::Company;
use served::{Cpu, Served, load_average};
use store::Store;

/// Who asks at once.
const CONNECTIONS: usize = 16;

type Trouble = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Trouble> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [foretop, kind, directory, seconds, sizes @ ..] = &words[..] else {
        return Err("say FORETOP sqlite|postgres DIRECTORY SECONDS DEPLOYMENTS…".into());
    };
    let directory = Path::new(directory);
    let postgres = match kind.as_str() {
        "sqlite" => None,
        "postgres" => Some(testkit::Postgres::start().ok_or("PostgreSQL is not installed")?),
        _ => return Err("say sqlite or postgres".into()),
    };
    let database = match &postgres {
        Some(it) => it.database(),
        None => format!("sqlite://{}/load.db", directory.display()),
    };
    let served = Served::start(foretop, &database, directory)?;
    let cpu = Cpu::of(served.id(), postgres.as_ref().and_then(testkit::Postgres::id));
    let store = Store::open(&database).await?;
    let span = Duration::from_secs_f64(seconds.parse()?);
    for size in sizes {
        let size: usize = size.parse()?;
        let name = format!("company-{size}");
        let company = Company::of(size);
        let mut connection = Connection::to(served.address(), served.token())?;
        let made = connection.ask("POST", "/orgs", "", &format!("{{\"name\":\"{name}\"}}"))?;
        if made.status == 201 {
            company.make(&store, &store.organisation(&name).await?.id).await?;
        }
        // Whoever says nothing for long is hung up on.
        let mut connection = Connection::to(served.address(), served.token())?;
        for page in pages::all(&mut connection, &name, &company)? {
            // What is asked for the first time is read from the disk and prepared.
            let ask = |span| {
                drive(served.address(), served.token(), &page.asked, page.status, CONNECTIONS, span)
            };
            ask(Duration::from_millis(300))?;
            let (load, before) = (load_average(), cpu.spent());
            let figures = ask(span)?;
            tell(kind, size, page.name, &figures, &cpu.spent().since(&before), &load);
        }
    }
    store.close().await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "figures are what this is for")]
fn tell(kind: &str, size: usize, name: &str, it: &Figures, cpu: &Cpu, load: &str) {
    let each = |seconds: f64| {
        #[expect(clippy::cast_precision_loss, reason = "nobody asks so often")]
        let each = seconds * 1000.0 / it.requests as f64;
        format!("{each:.2}")
    };
    println!(
        "{kind}\t{size}\t{name}\t{:.0}\t{:.1}\t{:.1}\t{}\t{}\t{}\t{load}\t{:.1}",
        it.rate,
        f64::from(it.median) / 1000.0,
        f64::from(it.slow) / 1000.0,
        each(cpu.server),
        each(cpu.database),
        each(cpu.us),
        f64::from(u32::try_from(it.bytes).unwrap_or(u32::MAX)) / 1024.0,
    );
}
