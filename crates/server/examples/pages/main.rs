//! How long pages take: `cargo run --release -p server --example pages -- DIRECTORY IMAGES TIMES`.
//!
//! On the store and with the almanac that the example `evaluate` left in DIRECTORY, every page that the
//! dashboard has is asked for at up to `ADDRESSES` addresses, so many times each, in this process: as
//! browsers ask, compressed. Addresses are what pages link to, so that a new page is asked for as soon
//! as another one leads there. A row is told of each page.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use dashboard::{ALL, Page};
use engine::Engine;
use model::Moment;
use server::{Access, App, Limits, Reach, World, front};
use store::Store;
use tower::ServiceExt as _;

type Failure = Box<dyn std::error::Error>;

/// Of one page.
const ADDRESSES: usize = 12;
/// What nobody links to: forms lead there.
const FORMS: [&str; 4] = [
    "/o/acme/compare?from=environment-0&to=environment-1",
    "/o/acme/compare?from=environment-2&to=environment-3",
    "/o/acme/vulnerabilities?q=openssl",
    "/o/acme/search?q=environment",
];

/// What one page took.
#[derive(Default)]
struct Figures {
    first: Duration,
    times: Vec<(Duration, usize)>,
    addresses: Vec<String>,
    plain: usize,
    packed: usize,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [directory, images, times] = &words[..] else {
        return Err("say DIRECTORY IMAGES TIMES".into());
    };
    let (directory, times) = (Path::new(directory), times.parse::<usize>()?);
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_writer(std::io::stderr)
        .init();
    let path = directory.join(format!("store-{images}.db"));
    let store = Store::open(&format!("sqlite://{}", path.display())).await?;
    let app = app(&store, directory);
    let acme = store.organisation("acme").await?.id;
    let began = Instant::now();
    app.keep_up().await?;
    note(&format!("known what runs after {:.1?}", began.elapsed()));
    let began = Instant::now();
    let counted = app.count(&acme).await?;
    note(&format!("counted after {:.1?}: {counted}", began.elapsed()));
    let router = front(app, Limits { rate: None, ..Limits::default() });
    let mut all = look_around(&router).await?;
    note(&format!("load before: {}", load_average()));
    for _ in 0..times {
        for figures in all.values_mut() {
            for (at, address) in figures.addresses.iter().enumerate() {
                let asked = ask(&router, address, true).await?;
                figures.times.push((asked.took, at));
                figures.packed = figures.packed.max(asked.bytes);
            }
        }
    }
    note(&format!("load after: {}", load_average()));
    tell("| page | addresses | first | median | 99 of 100 | slowest | bytes | on the wire |");
    tell("|---|---|---|---|---|---|---|---|");
    for page in ALL {
        match all.get_mut(page.id) {
            Some(figures) => tell(&row(page, figures)),
            None => tell(&format!("| {} | nobody leads there | | | | | | |", page.id)),
        }
    }
    store.close().await;
    Ok(())
}

/// Follows the links of pages until each has enough addresses.
async fn look_around(router: &Router) -> Result<BTreeMap<&'static str, Figures>, Failure> {
    let mut all: BTreeMap<&'static str, Figures> = BTreeMap::new();
    let plain = ALL.iter().map(|it| it.path.replace("{org}", "acme"));
    let plain = plain.filter(|it| !it.contains('{') && it != "/logout");
    let mut waiting: VecDeque<String> = plain.chain(FORMS.map(str::to_owned)).collect();
    let mut seen: BTreeSet<String> = waiting.iter().cloned().collect();
    while let Some(address) = waiting.pop_front() {
        let Some(page) = page_of(&address) else { continue };
        let figures = all.entry(page.id).or_default();
        if figures.addresses.len() == ADDRESSES {
            continue;
        }
        let asked = ask(router, &address, false).await?;
        if asked.status != 200 {
            if asked.status >= 400 {
                note(&format!("{address}: {}", asked.status));
            }
            continue;
        }
        figures.first = figures.first.max(asked.took);
        figures.plain = figures.plain.max(asked.bytes);
        figures.addresses.push(address);
        for link in links(&asked.text) {
            if seen.len() < 10_000 && seen.insert(link.clone()) {
                waiting.push_back(link);
            }
        }
    }
    Ok(all)
}

/// The page that is at an address of the organisation.
fn page_of(address: &str) -> Option<&'static Page> {
    let path = address.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').collect();
    ALL.iter().copied().filter(|it| it.id != "log_out").find(|page| {
        let wanted: Vec<&str> = page.path.split('/').collect();
        let fits = |(part, wanted): (&&str, &&str)| match *wanted {
            "{org}" => *part == "acme",
            named if named.starts_with('{') => !part.is_empty(),
            plain => *part == plain,
        };
        parts.len() == wanted.len() && parts.iter().zip(&wanted).all(fits)
    })
}

/// Where a page leads within the server.
fn links(html: &str) -> Vec<String> {
    let links = html.split("href=\"").skip(1).filter_map(|it| it.split('"').next());
    let links = links.filter(|it| it.starts_with('/') && !it.starts_with("/assets/"));
    links.map(|it| it.replace("&amp;", "&").replace("&#38;", "&")).collect()
}

/// What came back.
struct Asked {
    status: u16,
    took: Duration,
    bytes: usize,
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

fn row(page: &Page, figures: &mut Figures) -> String {
    figures.times.sort();
    let at = |of: usize| {
        let place = (figures.times.len() * of / 100).min(figures.times.len().saturating_sub(1));
        figures.times.get(place).map(|it| it.0).unwrap_or_default()
    };
    let slowest = figures.times.last().copied().unwrap_or_default();
    let address = figures.addresses.get(slowest.1).map_or("", String::as_str);
    note(&format!("{}: slowest {:.1?} at {address}", page.id, slowest.0));
    let text = |it: Duration| format!("{:.1} ms", it.as_secs_f64() * 1000.0);
    format!(
        "| {} | {} | {} | {} | {} | {} | {} KB | {} KB |",
        page.id,
        figures.addresses.len(),
        text(figures.first),
        text(at(50)),
        text(at(99)),
        text(slowest.0),
        figures.plain.div_ceil(1000),
        figures.packed.div_ceil(1000),
    )
}

fn app(store: &Store, directory: &Path) -> App {
    let access = Access::Local { name: "bench".to_owned() };
    let world = World::new(Some(directory.join("new"))).keeping(directory.join("kept"));
    let reach =
        Reach { engine: Engine::default(), settings: Arc::default(), jobs: false, offline: true };
    let clock = Arc::new(|| Moment::from_micros(jiff::Timestamp::now().as_microsecond()));
    App::new(store.clone(), world, access, reach, clock)
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
