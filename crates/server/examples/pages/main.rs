//! How long pages take: `cargo run --release -p server --example pages -- DIRECTORY IMAGES TIMES`.
//!
//! On a copy of the store and with the almanac that the example `evaluate` left in DIRECTORY, every page
//! that the dashboard has is asked for at several addresses, so many times each, in this process: as
//! browsers ask, compressed. Addresses are what pages link to, so that a new page is asked for as soon as
//! another one leads there, and those of what is larger than companies have it, which is added to the
//! copy. A row is told of each page; where one is over a bar, that is told, and the process fails.
//!
//! By that almanac there are hundreds of millions of findings. One is made of which every so many flaws
//! are told, and there are as many findings as the design's bar has; `many` behind that asks for all.
//! With `policies` what runs is judged by policies first, which takes minutes where much runs; what came
//! of it is kept in the copy. Whoever looks for why a page is slow names its address: `/o/acme/…` behind
//! that asks for these alone, and for nothing else.
//!
//! Told as well: how long what is behind pages takes to be counted, when somebody begins, and after each
//! thing that changes it; what pages say meanwhile; and the memory of the process.

#[path = "../../../portfolio/examples/grow/almanacs.rs"]
mod almanacs;
#[path = "../../../portfolio/examples/grow/catalogue.rs"]
#[expect(dead_code, reason = "what is installed was made before")]
mod catalogue;
mod counted;
mod walk;
mod wide;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use engine::Engine;
use model::Moment;
use server::{Access, App, Limits, Reach, World, front};
use store::Store;
use tower::ServiceExt as _;

/// Of so many flaws one is told where there are to be few.
const FEW: u64 = 29;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let wrong = "say DIRECTORY IMAGES TIMES, and perhaps `many`, `policies` or addresses";
    let [directory, images, times, more @ ..] = &words[..] else { return Err(wrong.into()) };
    let (alone, more): (Vec<&String>, Vec<&String>) =
        more.iter().partition(|it| it.starts_with('/'));
    if more.iter().any(|it| *it != "many" && *it != "policies") {
        return Err(wrong.into());
    }
    let says = |word: &str| more.iter().any(|it| *it == word);
    let (directory, times) = (Path::new(directory), times.parse::<usize>()?);
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_writer(std::io::stderr)
        .init();
    let path = copied(directory, images)?;
    let almanac = directory.join(format!("pages-{images}-almanac"));
    let almanacs =
        if says("many") { directory.to_owned() } else { directory.join(format!("one-of-{FEW}")) };
    if !almanacs.join("new").is_dir() {
        almanacs::write(&almanacs, FEW);
    }
    counted::put(&almanacs.join("new"), &almanac)?;
    let store = Store::open(&format!("sqlite://{}", path.display())).await?;
    let acme = store.organisation("acme").await?.id;
    wide::make(&store, &acme).await?;
    let app = app(&store, &almanac, directory);
    let router = front(app.clone(), Limits { rate: None, ..Limits::default() });
    note(&format!("load before: {}; memory: {:.0} MiB", load_average(), resident()));
    counted::at_first(&app, &router, &acme).await?;
    if says("policies") {
        let began = Instant::now();
        app.settle(&acme).await?;
        note(&format!("judged by policies after {:.1?}", began.elapsed()));
    }
    if !alone.is_empty() {
        note(&format!("process {}", std::process::id()));
        walk::alone(&router, &alone, times).await?;
        store.close().await;
        return Ok(());
    }
    let is_well = walk::all(&router, times).await?;
    walk::files(&router).await?;
    counted::again(&app, &router, &acme, &almanacs, &almanac).await?;
    note(&format!("load after: {}; memory: {:.0} MiB", load_average(), resident()));
    store.close().await;
    if is_well { Ok(()) } else { Err("a page is over a bar".into()) }
}

/// A copy of the store, which is made once: others measure the store itself.
fn copied(directory: &Path, images: &str) -> Result<PathBuf, Failure> {
    let (from, to) = (format!("store-{images}.db"), format!("pages-{images}.db"));
    let path = directory.join(&to);
    if !path.exists() {
        // What was written last may not be in the first of them yet.
        for end in ["-wal", ""] {
            let from = directory.join(format!("{from}{end}"));
            if from.exists() {
                fs_err::copy(from, directory.join(format!("{to}{end}")))?;
            }
        }
    }
    Ok(path)
}

fn app(store: &Store, almanac: &Path, directory: &Path) -> App {
    let access = Access::Local { name: "bench".to_owned() };
    let world = World::new(Some(almanac.to_owned())).keeping(directory.join("kept"));
    // As a server has it, where policies are asked beside those who look.
    let reach =
        Reach { engine: Engine::default(), settings: Arc::default(), jobs: true, offline: true };
    let clock = Arc::new(|| Moment::from_micros(jiff::Timestamp::now().as_microsecond()));
    App::new(store.clone(), world, access, reach, clock)
}

/// What came back.
struct Asked {
    status: u16,
    took: Duration,
    bytes: usize,
    /// Nothing where it came compressed.
    text: String,
}

async fn ask(router: &Router, address: &str, packed: bool) -> Result<Asked, Failure> {
    let mut request = Request::get(address)
        .header(header::HOST, "foretop.example")
        .header("sec-fetch-site", "none");
    if packed {
        request = request.header(header::ACCEPT_ENCODING, "gzip");
    }
    let request = request.body(Body::empty())?;
    let began = Instant::now();
    let response = router.clone().oneshot(request).await?;
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await?;
    let took = began.elapsed();
    let text = if packed { String::new() } else { String::from_utf8_lossy(&body).into_owned() };
    Ok(Asked { status, took, bytes: body.len(), text })
}

fn in_ms(it: Duration) -> String {
    format!("{:.1} ms", it.as_secs_f64() * 1000.0)
}

/// What the process holds, in MiB; nothing where nobody tells.
fn resident() -> f64 {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|it| it.split_whitespace().next()?.parse().ok());
    kibibytes.map_or(0.0, |it: f64| it / 1024.0)
}

/// How many want a core, on average over the last minute, ourselves included.
fn load_average() -> String {
    let text = fs_err::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}

#[expect(clippy::print_stderr, reason = "what is not a figure does not belong among them")]
fn note(what: &str) {
    eprintln!("{what}");
}

#[expect(clippy::print_stdout, reason = "figures are what this is for")]
fn tell(what: &str) {
    println!("{what}");
}
