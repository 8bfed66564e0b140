//! Every page, at several addresses, and tables that are taken away as files.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use axum::Router;
use dashboard::{ALL, Page};

use super::{Failure, ask, in_ms, load_average, note, tell, wide};

/// Of one page, besides those that nobody links to.
const ADDRESSES: usize = 12;
/// Links that are looked at.
const LINKS: usize = 10_000;
/// What nobody links to, because forms lead there.
const FORMS: [&str; 22] = [
    "/o/acme/compare?from=environment-0&to=environment-1",
    "/o/acme/compare?from=environment-2&to=environment-3",
    "/o/acme/vulnerabilities?q=openssl",
    "/o/acme/vulnerabilities?q=a",
    "/o/acme/vulnerabilities?sort=flaw",
    "/o/acme/vulnerabilities?sort=-score",
    "/o/acme/vulnerabilities?sort=-epss",
    "/o/acme/vulnerabilities?sort=-packages",
    "/o/acme/vulnerabilities?sort=-images",
    "/o/acme/vulnerabilities?sort=-published",
    "/o/acme/vulnerabilities?severity=high",
    "/o/acme/vulnerabilities?epss=0.1&fixable=1&in_use=1&exploited=1",
    "/o/acme/vulnerabilities?environment=environment-0&sort=-images",
    "/o/acme/packages?q=a",
    "/o/acme/packages?q=openssl",
    "/o/acme/packages?kind=npm",
    "/o/acme/images?repository=docker.io%2Fcompany%2Fapp7",
    "/o/acme/events?kinds=finding-new",
    "/o/acme/events?environment=environment-0",
    "/o/acme/search?q=environment",
    "/o/acme/search?q=a",
    "/o/acme/environments/environment-0?history=1",
];
/// Tables that can be long, with all their rows.
const FILES: [&str; 7] = [
    "/o/acme/vulnerabilities?table=vulnerabilities",
    "/o/acme/packages?kind=npm&table=packages",
    "/o/acme/images?table=images",
    "/o/acme/events?table=events",
    "/o/acme/environments/large-a?table=deployments",
    "/o/acme/compare?from=large-a&to=large-b&table=differences",
    "/o/acme/repositories/docker.io%2Fcompany%2Fmany-tags?table=tags",
];

/// Bars: of every page, half and 99 of 100 of the answers, and the bytes.
const HALF: Duration = Duration::from_millis(50);
const MOST: Duration = Duration::from_millis(200);
const WIRE: usize = 200_000;

/// What one page took.
#[derive(Default)]
struct Figures {
    first: Duration,
    times: Vec<(Duration, usize)>,
    addresses: Vec<String>,
    plain: usize,
    packed: usize,
}

/// Asks for all pages so many times, and tells of each. Says whether all are within the bars.
pub(crate) async fn all(router: &Router, times: usize) -> Result<bool, Failure> {
    let mut all = look_around(router).await?;
    note(&format!("load before pages: {}", load_average()));
    for _ in 0..times {
        for figures in all.values_mut() {
            for (at, address) in figures.addresses.iter().enumerate() {
                let asked = ask(router, address, true).await?;
                figures.times.push((asked.took, at));
                figures.packed = figures.packed.max(asked.bytes);
            }
        }
    }
    note(&format!("load after pages: {}", load_average()));
    tell(
        "| page | addresses | first | median | of the slowest address | 99 of 100 | bytes | on the wire |",
    );
    tell("|---|---|---|---|---|---|---|---|");
    let mut is_well = true;
    for page in ALL {
        match all.get_mut(page.id) {
            Some(figures) => is_well &= row(page, figures),
            None => tell(&format!("| {} | nobody leads there | | | | | | |", page.id)),
        }
    }
    Ok(is_well)
}

/// Asks for these addresses so many times, and tells how long half of the answers took, and the slowest.
pub(crate) async fn alone(
    router: &Router,
    addresses: &[&String],
    times: usize,
) -> Result<(), Failure> {
    tell("| address | answer | first | median | slowest | bytes |");
    tell("|---|---|---|---|---|---|");
    for address in addresses {
        let first = ask(router, address, false).await?;
        let mut took = Vec::new();
        for _ in 0..times {
            took.push(ask(router, address, true).await?.took);
        }
        took.sort_unstable();
        let [half, most] = [50, 100].map(|of| in_ms(at(&took, of)));
        let (status, began, bytes) = (first.status, in_ms(first.took), first.bytes);
        tell(&format!("| {address} | {status} | {began} | {half} | {most} | {bytes} |"));
    }
    Ok(())
}

/// How long whole tables take.
pub(crate) async fn files(router: &Router) -> Result<(), Failure> {
    tell("| file | answer | took | bytes |");
    tell("|---|---|---|---|");
    for address in FILES {
        let asked = ask(router, &format!("{address}&format=csv"), false).await?;
        let (status, took) = (asked.status, in_ms(asked.took));
        tell(&format!("| {address} | {status} | {took} | {} KB |", asked.bytes.div_ceil(1000)));
    }
    Ok(())
}

/// Follows the links of pages until each has enough addresses.
async fn look_around(router: &Router) -> Result<BTreeMap<&'static str, Figures>, Failure> {
    let mut all: BTreeMap<&'static str, Figures> = BTreeMap::new();
    let plain = ALL.iter().map(|it| it.path.replace("{org}", "acme"));
    let plain = plain.filter(|it| !it.contains('{') && it != "/logout");
    let own = FORMS.iter().chain(&wide::ADDRESSES).map(|it| (*it).to_owned());
    let mut waiting: VecDeque<String> = plain.chain(own).collect();
    let mut seen: BTreeSet<String> = waiting.iter().cloned().collect();
    let mut asked_for = waiting.len();
    while let Some(address) = waiting.pop_front() {
        let is_linked = asked_for == 0;
        asked_for = asked_for.saturating_sub(1);
        let Some(page) = page_of(&address) else { continue };
        let figures = all.entry(page.id).or_default();
        if is_linked && figures.addresses.len() >= ADDRESSES {
            continue;
        }
        let asked = ask(router, &address, false).await?;
        if asked.status != 200 {
            if asked.status >= 400 {
                note(&format!("{address}: {}", asked.status));
            }
            // What leads elsewhere takes its time as well.
            if asked.status >= 400 || page.id != "search" {
                continue;
            }
        }
        figures.first = figures.first.max(asked.took);
        figures.plain = figures.plain.max(asked.bytes);
        figures.addresses.push(address);
        for link in links(&asked.text) {
            if seen.len() < LINKS && seen.insert(link.clone()) {
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

/// Where a page leads within the server; not to files.
fn links(html: &str) -> Vec<String> {
    let links = html.split("href=\"").skip(1).filter_map(|it| it.split('"').next());
    let links = links.filter(|it| it.starts_with('/') && !it.starts_with("/assets/"));
    let links = links.filter(|it| !it.contains("format="));
    links.map(|it| it.replace("&amp;", "&").replace("&#38;", "&")).collect()
}

/// That which is not exceeded by so many of a hundred.
fn at(times: &[Duration], of: usize) -> Duration {
    let place = (times.len() * of / 100).min(times.len().saturating_sub(1));
    times.get(place).copied().unwrap_or_default()
}

/// Tells of a page. Says whether it is within the bars, each of its addresses by itself.
fn row(page: &Page, figures: &mut Figures) -> bool {
    let Figures { first, times, addresses, plain, packed } = figures;
    times.sort();
    let all: Vec<Duration> = times.iter().map(|it| it.0).collect();
    let (half, most) = (at(&all, 50), at(&all, 99));
    let halves = addresses.iter().enumerate().map(|(number, address)| {
        let own = times.iter().filter(|it| it.1 == number).map(|it| it.0);
        (at(&own.collect::<Vec<_>>(), 50), &**address)
    });
    let (slowest, address) = halves.max().unwrap_or((Duration::ZERO, page.path));
    tell(&format!(
        "| {} | {} | {} | {} | {} | {} | {} KB | {} KB |",
        page.id,
        addresses.len(),
        in_ms(*first),
        in_ms(half),
        in_ms(slowest),
        in_ms(most),
        plain.div_ceil(1000),
        packed.div_ceil(1000),
    ));
    let is_well = slowest <= HALF && most <= MOST && *packed <= WIRE;
    let word = if is_well { "slowest" } else { "OVER A BAR" };
    note(&format!("{}: {word}: {} at {address}", page.id, in_ms(slowest)));
    is_well
}
