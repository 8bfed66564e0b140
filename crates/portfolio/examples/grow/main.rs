//! How a portfolio grows: of so many images, what it takes to build, to hold and to ask.
//!
//! `grow almanacs DIR` writes two almanacs, of one day and the next; `grow IMAGES DIR` measures with
//! them, and prints a row of a table.

mod almanacs;
mod applications;
mod catalogue;
mod images;

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use almanac::Almanac;
use model::OrganisationId;
use portfolio::{Rematch, Terms};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [first, dir] = &words[..] else { panic!("usage: grow almanacs|IMAGES DIR") };
    let dir = Path::new(dir);
    if first == "almanacs" {
        almanacs::write(dir, 1);
        return;
    }
    let row = measure(first.parse().expect("a number of images"), dir);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{row}").expect("somebody reads it");
}

fn measure(images: usize, dir: &Path) -> String {
    let terms = Terms::default();
    let before = resident();
    let (portfolio, build) = images::build(images);
    let held = resident() - before;
    let size = portfolio.size();

    let open = |name: &str| Almanac::open(&dir.join(name)).expect("it was written");
    let (old, new) = (open("old"), open("new"));
    let start = Instant::now();
    let rematch = portfolio.rematch(&old, &new, terms);
    let first = start.elapsed().as_secs_f64();
    let again = best(5, || portfolio.rematch(&old, &new, terms));

    let mut flaws: Vec<&str> = rematch.changes.iter().map(|it| &*it.flaw).collect();
    flaws.dedup();
    let flaws: Vec<String> =
        flaws.iter().step_by(flaws.len() / 200 + 1).map(|it| (*it).to_owned()).collect();
    let acme = OrganisationId("acme".to_owned());
    let where_is = |flaw: &String| best(3, || portfolio.find_flaw(&acme, flaw, &new, terms));
    let mut asked: Vec<f64> = flaws.iter().map(where_is).collect();
    format!(
        "| {images} | {} | {} | {} | {build:.2} s | {:.0} MiB | {held:.0} MiB | {} | {} | {} | {first:.2} s | {:.2} s | {:.1} ms | {:.1} ms |",
        size.packages,
        size.sets,
        size.members,
        mebibytes(size.bytes),
        rematch.judged,
        rematch.changes.len(),
        reached(&rematch),
        again,
        median(&mut asked) * 1000.0,
        asked.last().copied().unwrap_or_default() * 1000.0,
    )
}

/// How many times a change reached an environment.
fn reached(rematch: &Rematch) -> usize {
    rematch.changes.iter().map(|it| it.spread.environments.len()).sum()
}

/// Seconds of the best of so many times: others may work on the same machine.
fn best<T>(times: usize, act: impl Fn() -> T) -> f64 {
    let time = |_| {
        let start = Instant::now();
        std::hint::black_box(act());
        start.elapsed().as_secs_f64()
    };
    (0..times).map(time).fold(f64::INFINITY, f64::min)
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "a size to read, not to count with")]
fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// What the process holds, in MiB; nothing where nobody tells.
fn resident() -> f64 {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|it| it.split_whitespace().next()?.parse().ok());
    kibibytes.map_or(0.0, |it: f64| it / 1024.0)
}
