//! From a feed to a channel: `cargo run --release -p server --example tell -- DIRECTORY IMAGES FORETOP`,
//! where the example `evaluate` has filled DIRECTORY with so many images.
//!
//! The program FORETOP serves a copy of that store and refreshes its almanac from a mirror. The mirror
//! publishes advisories, once about something that runs in one place and then about something that
//! every eighth image has; and stand-ins for Slack hear of it, each of its own environment alone.

mod place;

use std::path::Path;
use std::time::{Duration, Instant};

use testkit::{Mirror, ReceiverStandIn, Receives};

use place::{Place, Serving};

type Failure = Box<dyn std::error::Error>;

/// How often each kind of advisory is published.
const TIMES: usize = 7;
/// How long we wait for a message.
const PATIENCE: Duration = Duration::from_mins(5);

/// Who is told, of which organisation and environment: the first has the teapot.
const CHANNELS: [(&str, &str); 4] = [
    ("acme", "environment-3"),
    ("acme", "environment-7"),
    ("acme", "nowhere-*"),
    ("third", "environment-3"),
];
/// Whom an advisory about the teapot is for.
const OF_THE_TEAPOT: [usize; 4] = [1, 0, 0, 0];
/// Whom one about what every eighth image has is for.
const OF_ALL: [usize; 4] = [1, 1, 0, 1];

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [directory, images, foretop] = &words[..] else {
        return Err("say DIRECTORY IMAGES FORETOP".into());
    };
    let mirror = Mirror::start();
    publish(&mirror, 1, 1);
    let place = Place::new(Path::new(directory), images, Path::new(foretop), &mirror.url())?;
    place.foretop("almanac update --feed alpine,wolfi")?;
    let serving = Serving::start(&place)?;
    place.settle(&serving)?;
    place.foretop("enroll third")?;
    place.foretop("env create environment-3 --org third")?;
    place.deploy(CHANNELS[0], ("ID=wolfi\nVERSION_ID=20260101\n", "teapot"))?;
    place.deploy(CHANNELS[3], ("ID=alpine\nVERSION_ID=3.20.3\n", "source0"))?;
    let receivers = CHANNELS.map(|_| ReceiverStandIn::start(Receives::Slack));
    for (number, ((organisation, environment), receiver)) in
        CHANNELS.iter().zip(&receivers).enumerate()
    {
        place.tells(&format!("channel-{number}"), organisation, environment, &receiver.url())?;
    }
    let mut expect = [0; CHANNELS.len()];
    let mut times = [Vec::new(), Vec::new()];
    // With the first, the server may still be reading what runs; it is told, and not timed.
    for number in 0..=TIMES {
        for (kind, whom) in [OF_THE_TEAPOT, OF_ALL].into_iter().enumerate() {
            publish(&mirror, number + 2, number + 1 + kind);
            let began = Instant::now();
            for (count, more) in expect.iter_mut().zip(whom) {
                *count += more;
            }
            let took = heard(&receivers, expect, began)?;
            if number > 0 {
                times[kind].push(took);
            }
        }
    }
    // What is told late would be told by now.
    std::thread::sleep(Duration::from_secs(10));
    heard(&receivers, expect, Instant::now())?;
    right(&receivers)?;
    let [one, all] = times.map(told);
    let memory = serving.resident();
    tell(&format!("| {images} | {one} | {all} | {memory:.0} MiB |"));
    Ok(())
}

/// The mirror has so many flaws of the teapot, and of what every eighth image has.
fn publish(mirror: &Mirror, teapot: usize, everywhere: usize) {
    let flaws = |from: usize, count: usize| {
        let ids = (1..=count).map(|it| format!("\"CVE-2026-{}\"", from + it));
        ids.collect::<Vec<_>>().join(", ")
    };
    let secdb = |about: &str, packages: &str| {
        format!(
            r#"{{"apkurl": "{{{{urlprefix}}}}/{{{{reponame}}}}/{{{{arch}}}}/{{{{pkg.name}}}}-{{{{pkg.ver}}}}.apk",
"archs": ["x86_64"], {about}, "packages": [{packages}]}}"#
        )
    };
    let package = |name: &str, flaws: &str| {
        format!(r#"{{"pkg": {{"name": "{name}", "secfixes": {{"9.0-r0": [{flaws}]}}}}}}"#)
    };
    let teapot = package("teapot", &flaws(910_000, teapot));
    mirror.says(
        "/packages.wolfi.dev/os/security.json",
        &secdb(r#""reponame": "os", "urlprefix": "https://packages.wolfi.dev""#, &teapot),
    );
    let common = package("source0", &flaws(920_000, everywhere));
    for release in (3..=24).map(|it| format!("v3.{it}")).chain(["edge".to_owned()]) {
        for repository in ["main", "community"] {
            let is_it = (release.as_str(), repository) == ("v3.20", "main");
            let packages = if is_it { common.as_str() } else { "" };
            let about = format!(
                r#""distroversion": "{release}", "reponame": "{repository}",
                    "urlprefix": "https://dl-cdn.alpinelinux.org/alpine""#
            );
            let path = format!("/secdb.alpinelinux.org/{release}/{repository}.json");
            mirror.says(&path, &secdb(&about, packages));
        }
    }
}

/// Waits until each has heard so much, and no more: how long after `began` the last was told.
fn heard(
    receivers: &[ReceiverStandIn; 4],
    expect: [usize; 4],
    began: Instant,
) -> Result<Duration, Failure> {
    loop {
        let heard = receivers.each_ref().map(|it| it.heard().len());
        if heard == expect {
            return Ok(began.elapsed());
        }
        if heard.iter().zip(expect).any(|(heard, expect)| *heard > expect) {
            return Err(format!("told {heard:?}, where it is {expect:?}").into());
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("told {heard:?} after {PATIENCE:?}, not {expect:?}").into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Is each told of its own environment alone, in the order in which it was published?
fn right(receivers: &[ReceiverStandIn; 4]) -> Result<(), Failure> {
    for ((_, environment), receiver) in CHANNELS.iter().zip(receivers) {
        if let Some(complaint) = receiver.complaints().first() {
            return Err(complaint.clone().into());
        }
        for hook in receiver.heard() {
            let text = String::from_utf8_lossy(&hook.body).into_owned();
            let words: Vec<&str> =
                text.split(|it: char| !it.is_ascii_alphanumeric() && it != '-').collect();
            let places = words.iter().filter(|it| it.starts_with("environment-"));
            if places.clone().any(|it| it != environment) || places.count() == 0 {
                return Err(format!("{environment} is told {text}").into());
            }
        }
    }
    Ok(())
}

/// The median and the slowest.
fn told(mut times: Vec<Duration>) -> String {
    times.sort();
    let seconds = |it: Option<&Duration>| it.map_or(0.0, Duration::as_secs_f64);
    format!("{:.1} / {:.1} s", seconds(times.get(times.len() / 2)), seconds(times.last()))
}

#[expect(clippy::print_stdout, reason = "figures are what this is for")]
fn tell(what: &str) {
    println!("{what}");
}
