//! Measures judging: one image of 500 packages and 300 findings by all of our policies, and 1 000.

#![expect(clippy::print_stdout, reason = "it is there to tell")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use policy::{Alone, Config, Facts, Judge, Limits, Score, Set};
use serde_json::{Value, json};

const PACKAGES: usize = 500;
const FINDINGS: usize = 300;
const IMAGES: usize = 1_000;
const ROUNDS: usize = 50;

fn main() {
    let begun = Instant::now();
    let set = Set::built_in();
    println!("{:>10.1?}  to read {} policies", begun.elapsed(), set.policies().len());
    let all: Vec<&str> = set.policies().iter().map(|it| it.id.as_str()).collect();
    let set = set.only(&all).expect("they are its own");
    let begun = Instant::now();
    let judge =
        Judge::new(&set, &Config::default(), &Limits::default()).expect("nothing is configured");
    println!("{:>10.1?}  to make them ready", begun.elapsed());
    let facts =
        Facts { input: image(0).into(), now: 1_795_000_000_000_000_000, ..Facts::default() };
    judge.judge(&facts, &Alone);
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            judge.judge(&facts, &Alone);
            begun.elapsed()
        })
        .collect();
    times.sort();
    println!(
        "{:>10.1?}  for one image, {:.1?} at worst of {ROUNDS}",
        times[ROUNDS / 2],
        times[ROUNDS - 1]
    );
    for verdict in judge.judge(&facts, &Alone) {
        println!("{:>10.1?}  {} ({} violations)", verdict.took, verdict.id, verdict.count);
    }
    // To look at what one image takes, and at nothing else.
    if std::env::args().nth(1).as_deref() == Some("one") {
        return;
    }
    let images: Vec<Facts> =
        (0..IMAGES).map(|it| Facts { input: image(it).into(), ..facts.clone() }).collect();
    for threads in [1, 2] {
        let (begun, before) = (Instant::now(), of_cores());
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(facts) = images.get(next.fetch_add(1, Ordering::Relaxed)) {
                        Score::of(&judge.judge(facts, &Alone));
                    }
                });
            }
        });
        let (took, of_cores) = (begun.elapsed(), of_cores().saturating_sub(before));
        println!(
            "{took:>10.1?}  for {IMAGES} images on {threads} threads, {of_cores:.1?} of cores"
        );
    }
}

/// What the cores have worked for this process so far.
fn of_cores() -> Duration {
    let told = fs_err::read_to_string("/proc/self/stat").unwrap_or_default();
    let words = told.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ');
    // Of user and system, in hundredths.
    let ticks: u64 = words.skip(11).take(2).filter_map(|it| it.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn image(number: usize) -> Value {
    let purl = |it: usize| {
        format!("pkg:deb/debian/package-{it}@1.{number}.{it}-1?arch=amd64&distro=debian-12")
    };
    let packages: Vec<Value> = (0..PACKAGES)
        .map(|it| {
            json!({
                "type": "deb", "namespace": "debian", "name": format!("package-{it}"),
                "version": format!("1.{number}.{it}-1"), "purl": purl(it),
                "licenses": [if it % 3 == 0 { "GPL-2.0-or-later" } else { "MIT" }],
                "locations": [{ "path": "/var/lib/dpkg/status", "ordinal": 0, "diff_id": "sha256:0" }],
            })
        })
        .collect();
    let flaws: Vec<Value> = (0..FINDINGS)
        .map(|it| {
            let severity = ["LOW", "MEDIUM", "HIGH", "CRITICAL"][it % 4];
            let flaw = json!({
                "source": "debian", "source_id": format!("CVE-2026-{it}"), "id": format!("CVE-2026-{it}"),
                "description": "A heap overflow in the parser of something, which a crafted file can reach.",
                "vulnerable_range": "<1.2", "fixed_by": "1.2", "published_at": "2026-01-01T00:00:00Z",
                "cvss": { "severity": severity, "score": 7.5, "vector": "CVSS:3.1/AV:N" },
                "cwes": [{ "cwe_id": "CWE-787" }], "cisa_exploited": it % 50 == 0,
                "epss": { "id": "x", "score": f64::from(u32::try_from(it).unwrap_or(0)) / 1000.0, "percentile": 0.5 },
            });
            json!({ "purl": purl(it), "vulnerabilities": [flaw] })
        })
        .collect();
    json!({
        "source": { "type": "image", "image": {
            "name": "example.org/app", "digest": format!("sha256:{number:064x}"),
            "created": "2026-10-01T00:00:00Z",
            "distro": { "os_name": "debian", "os_version": "12" },
            "config": { "config": { "User": "app" } },
        }},
        "artifacts": packages,
        "vulnerabilities": flaws,
        "analysis": { "basis": { "almanac": "sha256:1", "starter": false }, "gaps": [],
            "support": { "until": "2028-06-30" } },
    })
}
