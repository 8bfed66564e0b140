//! How a server grows with what runs: `cargo run --release -p server --example evaluate -- DIRECTORY
//! IMAGES sqlite|postgres|ADDRESS`.
//!
//! Almanacs and images are made up as those of the portfolio's bench are, with their inventories in a
//! database. What is made is used again. Measured are a server that begins, another almanac, flaws
//! that are asked for, and the same by a process that begins only then; and a row is written of it.

#[path = "../../../portfolio/examples/grow/almanacs.rs"]
mod almanacs;
#[path = "../../../portfolio/examples/grow/applications.rs"]
mod applications;
#[path = "../../../portfolio/examples/grow/catalogue.rs"]
mod catalogue;
mod images;
mod made;
mod right;
mod used;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use almanac::Almanac;
use api::{Client, WhereQuery};
use engine::Engine;
use model::{Moment, OrganisationId};
use server::{Access, App, Reach, World, evaluate, here, router};
use store::{EventSelection, Page, Store};

use used::Used;

type Failure = Box<dyn std::error::Error>;

/// Flaws that are asked for.
const ASKED: usize = 200;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [directory, images, address] = &words[..] else {
        return Err("say DIRECTORY IMAGES sqlite|postgres|ADDRESS".into());
    };
    let (directory, images) = (Path::new(directory), images.parse::<u64>()?);
    // What takes how long is told by the server itself.
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    if !directory.join("new").is_dir() {
        almanacs::write(directory, 1);
    }
    // A server of our own, which does not wait for disks, and ends with us.
    let server = if address == "postgres" { testkit::Postgres::start() } else { None };
    let address = match (address.as_str(), &server) {
        ("sqlite", _) => {
            format!("sqlite://{}", directory.join(format!("store-{images}.db")).display())
        }
        ("postgres", None) => return Err("PostgreSQL is not installed".into()),
        (_, Some(server)) => server.database(),
        (address, None) => address.to_owned(),
    };
    let store = Store::open(&address).await?;
    let used = Used::now();
    if store.organisations().await?.is_empty() {
        images::make(&store, images).await?;
    }
    let filled = used.since();
    let row = measure(&store, directory, images).await?;
    tell(&format!("| {images} | {} | {} |", filled.told(), row));
    Ok(())
}

async fn measure(store: &Store, directory: &Path, images: u64) -> Result<String, Failure> {
    let current = directory.join(format!("current-{images}"));
    put(&directory.join("old"), &current)?;
    let app = app(store, &current, directory);
    // What a server that begins does first.
    let resident = used::resident();
    let used = Used::now();
    let acme = store.organisation("acme").await?.id;
    app.keep_up().await?;
    let loaded = used.since();
    let held = used::resident() - resident;
    // Judged by the old one, whatever was before.
    evaluate(&app, true).await?;
    let mut rows = Vec::new();
    let mut events = 0;
    for name in ["new", "old", "new", "old", "new"] {
        put(&directory.join(name), &current)?;
        // The almanac is looked at once a second.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let used = Used::now();
        let evaluated = evaluate(&app, true).await?;
        let cpu = used.since();
        events = evaluated.iter().map(|it| it.events).sum();
        let took = evaluated.iter().map(|it| it.took).max_by_key(|it| it.written);
        let took = took.unwrap_or_default();
        tracing::info!(known = ?took.known, told = ?took.told, written = ?took.written, %cpu, "judged");
        rows.push((took.known, took.told, took.written));
    }
    rows.sort();
    let (known, told, written) = rows[rows.len() / 2];
    let flaws = flaws(store, &acme).await?;
    right::check(store, &acme, directory, images).await?;
    let mut asked = Vec::new();
    for flaw in &flaws {
        asked.push(best(3, async || ask(&app, flaw, 1).await).await?);
    }
    let mut hundred = Vec::new();
    for flaw in &flaws {
        hundred.push(best(3, async || ask(&app, flaw, 100).await).await?);
    }
    let mut alone = Vec::new();
    for flaw in flaws.iter().step_by(flaws.len() / 20 + 1) {
        // As a command without a server does.
        let once = self::app(store, &current, directory);
        alone.push(best(1, async || ask(&once, flaw, 100).await).await?);
    }
    Ok(format!(
        "{} | {held:.0} MiB | {events} | {} | {} | {} | {} | {} | {}",
        loaded.told(),
        seconds(known),
        seconds(told),
        seconds(written),
        spread(asked),
        spread(hundred),
        spread(alone),
    ))
}

/// The flaws that events were made of last.
async fn flaws(store: &Store, acme: &OrganisationId) -> Result<Vec<String>, Failure> {
    let mut flaws = std::collections::BTreeSet::new();
    let mut page = Page::first(1000);
    let kinds = vec![model::EventKind::FindingNew, model::EventKind::FindingFixAvailable];
    let selection = EventSelection { kinds, ..EventSelection::default() };
    for _ in 0..20 {
        let part = store.events(acme, &selection, &page).await?;
        flaws.extend(part.rows.into_iter().map(|it| it.about));
        page.after = part.next;
        if page.after.is_none() {
            break;
        }
    }
    let flaws: Vec<String> = flaws.into_iter().collect();
    Ok(flaws.iter().step_by(flaws.len() / ASKED + 1).cloned().collect())
}

/// Asks over the API, in this process.
async fn ask(app: &App, flaw: &str, limit: u32) -> Result<(), Failure> {
    let client = Client::new(here(router(app.clone())), None);
    let query =
        WhereQuery { flaw: Some(flaw.to_owned()), limit: Some(limit), ..WhereQuery::default() };
    client.whereabouts("acme", &query).await.map_err(|error| error.to_string())?;
    Ok(())
}

/// The best of so many times: others may work on the same machine.
async fn best(
    times: usize,
    act: impl AsyncFn() -> Result<(), Failure>,
) -> Result<Duration, Failure> {
    let mut best = Duration::MAX;
    for _ in 0..times {
        let began = Instant::now();
        act().await?;
        best = best.min(began.elapsed());
    }
    Ok(best)
}

/// The median and the slowest.
fn spread(mut times: Vec<Duration>) -> String {
    times.sort();
    let text = |it: Option<&Duration>| {
        it.map_or("-".to_owned(), |it| format!("{:.1}", it.as_secs_f64() * 1000.0))
    };
    format!("{} / {} ms", text(times.get(times.len() / 2)), text(times.last()))
}

fn seconds(it: Duration) -> String {
    format!("{:.2} s", it.as_secs_f64())
}

/// Puts an almanac into place.
fn put(from: &Path, to: &Path) -> Result<(), almanac::Error> {
    Almanac::open(from)?.copy_to(to)
}

fn app(store: &Store, almanac: &Path, directory: &Path) -> App {
    let access = Access::Local { name: "bench".to_owned() };
    let world = World::new(Some(almanac.to_owned())).keeping(directory.join("kept"));
    let reach =
        Reach { engine: Engine::default(), settings: Arc::default(), jobs: false, offline: true };
    let clock = Arc::new(|| Moment::from_micros(jiff::Timestamp::now().as_microsecond()));
    App::new(store.clone(), world, access, reach, clock)
}

#[expect(clippy::print_stdout, reason = "figures are what this is for")]
fn tell(what: &str) {
    println!("{what}");
}
