//! How long it takes from another almanac to events: `cargo run --release -p server --example evaluate
//! -- DIRECTORY IMAGES`.
//!
//! Almanacs and images are made up as those of the portfolio's bench are, with their inventories in a
//! `SQLite` database. What is made is used again.

#[path = "../../../portfolio/examples/grow/almanacs.rs"]
mod almanacs;
#[path = "../../../portfolio/examples/grow/applications.rs"]
mod applications;
#[path = "../../../portfolio/examples/grow/catalogue.rs"]
mod catalogue;
mod images;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use almanac::Almanac;
use engine::Engine;
use model::Moment;
use server::{Access, App, Evaluated, Reach, World, evaluate, work};
use store::Store;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [directory, images] = &words[..] else { return Err("say DIRECTORY IMAGES".into()) };
    let (directory, images) = (Path::new(directory), images.parse::<u64>()?);
    // What takes how long is told by the server itself.
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    if !directory.join("new").is_dir() {
        almanacs::write(directory);
    }
    let database = directory.join(format!("store-{images}.db"));
    let store = Store::open(&format!("sqlite://{}", database.display())).await?;
    if store.organisations().await?.is_empty() {
        let began = Instant::now();
        images::make(&store, images).await?;
        tell(&format!("{images} images kept and recorded"), began);
    }
    // From a process that has seen nothing yet, and in one that has.
    for round in ["first", "then", "then again"] {
        let current = directory.join("current");
        put(&directory.join("old"), &current)?;
        let app = app(&store, &current, directory);
        evaluate(&app, true).await?;
        for name in ["new", "old", "new"] {
            put(&directory.join(name), &current)?;
            // The almanac is looked at once a second.
            tokio::time::sleep(Duration::from_millis(1100)).await;
            let began = Instant::now();
            let evaluated = evaluate(&app, true).await?;
            let events: usize = evaluated.iter().map(changes).sum();
            tell(&format!("{round}: to the {name} one, {events} changes"), began);
        }
    }
    let app = app(&store, &directory.join("current"), directory);
    work(app, 2, tokio::time::sleep(Duration::from_secs(20 + images / 50))).await;
    Ok(())
}

fn changes(evaluated: &Evaluated) -> usize {
    evaluated.changed.values().map(|it| it.changes).sum()
}

/// Puts an almanac into place.
fn put(from: &Path, to: &Path) -> Result<(), almanac::Error> {
    Almanac::open(from)?.copy_to(to)
}

fn app(store: &Store, almanac: &Path, directory: &Path) -> App {
    let world = World::new(Some(almanac.to_owned())).keeping(directory.join("kept"));
    let reach =
        Reach { engine: Engine::default(), settings: Arc::default(), jobs: false, offline: true };
    let clock = Arc::new(|| Moment::from_micros(jiff::Timestamp::now().as_microsecond()));
    App::new(store.clone(), world, Access::Local { name: "bench".to_owned() }, reach, clock)
}

#[expect(clippy::print_stdout, reason = "figures are what this is for")]
fn tell(what: &str, began: Instant) {
    println!("{what}: {:?}", began.elapsed());
}
