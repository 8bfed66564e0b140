//! A whole environment to ask about: `cargo run --release -p server --example whole -- DIRECTORY IMAGES
//! [sqlite|ADDRESS]`.
//!
//! In the organisation of whoever works without a server, so many applications run in production, and a
//! later build of each in staging. What is asked is asked by the program itself, of the database and the
//! almanac that are told; how long counting takes is told here.

#[path = "../../../portfolio/examples/grow/almanacs.rs"]
mod almanacs;
#[path = "../../../portfolio/examples/grow/applications.rs"]
mod applications;
#[path = "../../../portfolio/examples/grow/catalogue.rs"]
mod catalogue;
#[path = "../evaluate/made.rs"]
mod made;
#[path = "../evaluate/used.rs"]
mod used;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use almanac::Almanac;

use applications::{Application, BUILDS, ENVIRONMENTS};
use catalogue::mixed;
use engine::{Engine, Filter, Lookout};
use made::{act, digest, inventory, platform};
use model::{Moment, OrganisationId, Recording, Source};
use server::{Access, App, Reach, World};
use store::{Error, Page, Selection, Store, When};
use used::Used;

type Failure = Box<dyn std::error::Error>;

/// Images that are kept together.
const TOGETHER: u64 = 20;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (directory, images) = match &words[..] {
        [directory, images] | [directory, images, _] => (Path::new(directory), images.parse()?),
        _ => return Err("say DIRECTORY IMAGES [sqlite|ADDRESS]".into()),
    };
    let address = match words.get(2).map(String::as_str) {
        None | Some("sqlite") => {
            format!("sqlite://{}", directory.join(format!("whole-{images}.db")).display())
        }
        Some(address) => address.to_owned(),
    };
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    if !directory.join("new").is_dir() {
        almanacs::write(directory, 1);
    }
    let store = Store::open(&address).await?;
    if store.organisation("local").await.is_err() {
        fill(&store, images).await?;
    }
    let local = store.organisation("local").await?.id;
    let access = Access::Local { name: "bench".to_owned() };
    let reach =
        Reach { engine: Engine::default(), settings: Arc::default(), jobs: false, offline: true };
    let clock = Arc::new(|| Moment::from_micros(jiff::Timestamp::now().as_microsecond()));
    let app =
        App::new(store.clone(), World::new(Some(directory.join("new"))), access, reach, clock);
    let used = Used::now();
    app.count(&local).await?;
    let (counted, resident) = (used.since().told(), used::resident());
    tell(&format!("{address}: {images} applications in two environments"));
    tell(&format!("counted in {counted}, {resident:.0} MiB held"));
    let used = Used::now();
    let (read, judged, findings) = anew(&store, &local, directory).await?;
    let anew = used.since().told();
    tell(&format!(
        "{read} images of production, each judged anew: {anew}, of which {judged:.1} s judging; \
         {findings} findings"
    ));
    Ok(())
}

/// Judges each image by itself. Says how many, how long that took beside reading them, and what came of
/// it.
async fn anew(
    store: &Store,
    local: &OrganisationId,
    directory: &Path,
) -> Result<(usize, f64, usize), Failure> {
    let today = "2026-11-21T00:00:00Z";
    let lookout = Lookout::new(Almanac::open(&directory.join("new"))?, today);
    let environment = Some("production".to_owned());
    let selection = Selection { environment, ..Selection::default() };
    let mut page = Page::first(1000);
    let (mut read, mut judged, mut findings) = (0, 0.0, 0);
    loop {
        let part = store.deployments(local, &selection, When::Now, &page).await?;
        for it in part.rows {
            let inventory = store.inventory(local, &it.digest).await?.ok_or("no inventory")?;
            let began = Instant::now();
            findings += lookout.analyze_in_brief(inventory, &Filter::default()).findings.len();
            judged += began.elapsed().as_secs_f64();
            read += 1;
        }
        page.after = part.next;
        if page.after.is_none() {
            return Ok((read, judged, findings));
        }
    }
}

/// Remembers so many applications, and where they run.
async fn fill(store: &Store, images: u64) -> Result<(), Error> {
    let local = store.create_organisation(&act(), "local").await?.id;
    for name in ["production", "staging"] {
        store.create_environment(&local, &act(), name).await?;
    }
    let mut first = 0;
    while first < images {
        let last = (first + TOGETHER).min(images);
        some(store, &local, first..last).await?;
        first = last;
    }
    Ok(())
}

async fn some(
    store: &Store,
    local: &OrganisationId,
    applications: std::ops::Range<u64>,
) -> Result<(), Error> {
    let mut inventories = Vec::new();
    let mut running = [Vec::new(), Vec::new()];
    for number in applications {
        let mut application = Application::new(number);
        let last = 1 + mixed(&[number, ENVIRONMENTS]) % (BUILDS - 1);
        for build in 0..=last {
            let layers = application.build(build);
            let Some(running) = running.get_mut(usize::from(build == last)) else { continue };
            if build + 1 < last {
                continue;
            }
            let image = digest(&[number, build]);
            inventories.push((image.clone(), inventory(application.system, &layers)));
            running.push(Recording {
                application: Some(format!("app{number}")),
                platform: platform(),
                repository: format!("docker.io/company/app{number}"),
                tag: Some(format!("v{build}")),
                digest: image,
            });
        }
    }
    made::keep(store, local, &inventories).await?;
    for (name, running) in ["production", "staging"].into_iter().zip(running) {
        store.record_all(local, &act(), name, &Source::Cli, &running).await?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "figures are what this is for")]
fn tell(what: &str) {
    println!("{what}");
}
