//! How fast findings come: whole processes over SBOMs of three sizes, and what each tool rests on.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{Run, median, time};
use crate::run::{has, output, target};

/// Packages that every one of the three knows the type of: purl type, name, a version that some
/// advisory is about, and one that is newer than all of them.
const PACKAGES: &[(&str, &str, &str, &str)] = &[
    ("npm", "lodash", "4.17.4", "4.17.21"),
    ("npm", "express", "4.15.2", "5.1.0"),
    ("npm", "minimist", "1.2.0", "1.2.8"),
    ("npm", "ws", "7.4.5", "8.18.3"),
    ("npm", "chalk", "4.1.0", "5.4.1"),
    ("npm", "debug", "2.6.8", "4.3.7"),
    ("npm", "semver", "7.3.5", "7.7.2"),
    ("npm", "commander", "2.20.3", "14.0.0"),
    ("npm", "uuid", "8.3.2", "11.1.0"),
    ("npm", "%40babel/core", "7.12.3", "7.28.0"),
    ("pypi", "django", "3.2.1", "5.2.99"),
    ("pypi", "requests", "2.19.0", "2.99.0"),
    ("pypi", "urllib3", "1.24.1", "2.99.0"),
    ("pypi", "jinja2", "2.10", "3.1.99"),
    ("pypi", "six", "1.16.0", "1.17.0"),
    ("pypi", "idna", "3.6", "3.10"),
    ("pypi", "certifi", "2021.5.30", "2025.8.3"),
    ("pypi", "python-dateutil", "2.8.2", "2.9.0"),
    ("pypi", "pyyaml", "5.3", "6.0.2"),
    ("pypi", "packaging", "21.3", "25.0"),
    ("golang", "golang.org/x/net", "v0.16.0", "v0.99.0"),
    ("golang", "golang.org/x/crypto", "v0.14.0", "v0.99.0"),
    ("golang", "golang.org/x/text", "v0.3.5", "v0.99.0"),
    ("golang", "github.com/gin-gonic/gin", "v1.6.3", "v1.10.1"),
    ("golang", "github.com/spf13/cobra", "v1.8.0", "v1.9.1"),
    ("golang", "github.com/google/uuid", "v1.3.0", "v1.6.0"),
    ("cargo", "tokio", "1.18.0", "1.47.1"),
    ("cargo", "hyper", "0.14.5", "1.7.0"),
    ("cargo", "serde", "1.0.150", "1.0.219"),
    ("cargo", "libc", "0.2.100", "0.2.175"),
    ("gem", "rack", "2.2.3", "3.99.0"),
    ("gem", "nokogiri", "1.11.0", "1.99.0"),
    ("gem", "rake", "12.3.2", "13.3.0"),
    ("gem", "concurrent-ruby", "1.1.9", "1.3.5"),
    ("composer", "symfony/http-kernel", "4.4.40", "7.99.0"),
    ("composer", "twig/twig", "2.14.0", "3.99.0"),
    ("composer", "psr/log", "1.1.4", "3.0.2"),
    ("nuget", "Newtonsoft.Json", "12.0.3", "13.0.3"),
    ("maven", "org.apache.logging.log4j/log4j-core", "2.14.1", "2.99.0"),
    ("maven", "org.slf4j/slf4j-api", "1.7.30", "2.0.17"),
    ("deb/debian", "openssl", "1.1.1k-1", "1.1.1w-99+deb11u9"),
    ("deb/debian", "curl", "7.74.0-1.3", "7.74.0-1.3+deb11u99"),
    ("deb/debian", "zlib", "1:1.2.11.dfsg-2", "1:1.2.11.dfsg-2+deb11u99"),
    ("deb/debian", "dash", "0.5.11+git20200708+dd9ef66-5", "0.5.12-2"),
    ("deb/debian", "sed", "4.7-1", "4.9-1"),
    ("deb/debian", "grep", "3.6-1", "3.8-5"),
    ("deb/debian", "tar", "1.34+dfsg-1", "1.35+dfsg-3"),
    ("deb/debian", "coreutils", "8.32-4", "9.1-1"),
    ("deb/debian", "bash", "5.1-2", "5.2.15-2"),
    ("deb/debian", "expat", "2.2.10-2", "2.2.10-2+deb11u99"),
];

/// How many packages; none tells what starting and opening cost.
const SIZES: &[usize] = &[0, 50, 500, 5000];

/// One package in so many is of the version that advisories are about.
const FLAWED: usize = 5;

/// CycloneDX, in the little that all three read.
fn document(size: usize) -> anyhow::Result<String> {
    let mut text = String::from(
        r#"{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"components":[
{"type":"operating-system","bom-ref":"os","name":"debian","version":"11"}"#,
    );
    for number in 0..size {
        let (kind, name, old, new) = PACKAGES[number % PACKAGES.len()];
        // Which packages are old turns with each round, so that 5 000 are no hundred times the same.
        let round = number / PACKAGES.len();
        let version = if (number + round).is_multiple_of(FLAWED) { old } else { new };
        let (group, short) = name.rsplit_once('/').unwrap_or(("", name));
        let group = group.replace("%40", "@");
        let os = if kind == "deb/debian" { "arch=amd64&distro=debian-11&" } else { "" };
        let encoded = version.replace('+', "%2B").replace(':', "%3A");
        // The qualifier keeps packages of one name and version apart, as different files would.
        write!(
            text,
            ",\n{{\"type\":\"library\",\"bom-ref\":\"{number}\",\"group\":\"{group}\",\"name\":\"{short}\",\"version\":\"{version}\",\"purl\":\"pkg:{kind}/{name}@{encoded}?{os}n={number}\"}}"
        )?;
    }
    text.push_str("\n]}\n");
    Ok(text)
}

/// A tool beside us: how it is asked, and where its database lies.
struct Peer {
    name: &'static str,
    words: fn(&str) -> Vec<String>,
    database: fn() -> anyhow::Result<PathBuf>,
}

const PEERS: &[Peer] = &[
    Peer {
        name: "grype",
        words: |sbom| words(&["-q", "-o", "json", &format!("sbom:{sbom}")]),
        database: grype_database,
    },
    Peer {
        name: "trivy",
        words: |sbom| {
            words(&[
                "sbom",
                "-q",
                "--skip-db-update",
                "--skip-java-db-update",
                "--offline-scan",
                "--skip-version-check",
                "--format",
                "json",
                sbom,
            ])
        },
        database: trivy_database,
    },
];

fn words(of: &[&str]) -> Vec<String> {
    of.iter().map(|&it| it.to_owned()).collect()
}

/// The section of the page. Without `from` we rest on what is built in.
pub(super) fn section(
    foretop: &str,
    runs: usize,
    from: Option<&Path>,
    nowhere: &Path,
) -> anyhow::Result<String> {
    let folder = target().join("bench/findings");
    fs_err::create_dir_all(&folder)?;
    let almanac = folder.join("almanac");
    if almanac.exists() {
        fs_err::remove_dir_all(&almanac)?;
    }
    let at = almanac.display().to_string();
    let built = match from {
        None => None,
        Some(from) => {
            let from = from.display().to_string();
            let words = ["almanac", "--directory", &at, "build", "--from", &from];
            Some(time(foretop, &words, nowhere)?)
        }
    };
    let peers: Vec<&Peer> = PEERS.iter().filter(|it| has(it.name)).collect();

    let mut table = String::from("| packages | findings | foretop | peak memory |");
    let mut line = String::from("|---|---|---|---|");
    for peer in &peers {
        write!(table, " {0} ÷ foretop | {0}'s peak memory |", peer.name)?;
        line.push_str("---|---|");
    }
    writeln!(table, "\n{line}")?;
    let mut first = None;
    for &size in SIZES {
        let sbom = folder.join(format!("{size}.cdx.json")).display().to_string();
        fs_err::write(&sbom, document(size)?)?;
        let report = folder.join("report.json").display().to_string();
        let subject = format!("sbom://{sbom}");
        // Everybody writes to nowhere; what was found is counted in a run of its own.
        let mut asked = vec!["cves", "--format", "json", &subject];
        if built.is_some() {
            asked.extend(["--almanac", &at]);
        }
        let mut ours: Vec<Run> = Vec::new();
        let mut theirs: Vec<Vec<Run>> = peers.iter().map(|_| Vec::new()).collect();
        // In turn, so that a slow minute of the machine is everybody's.
        for _ in 0..runs {
            ours.push(time(foretop, &asked, nowhere)?);
            first = first.or(ours.last().copied());
            for (peer, runs) in peers.iter().zip(&mut theirs) {
                runs.push(time(peer.name, &(peer.words)(&sbom), nowhere)?);
            }
        }
        let ours = median(ours);
        time(foretop, &[&asked[..], &["-o", &report]].concat(), nowhere)?;
        let findings = count(&report)?;
        write!(
            table,
            "| {size} | {findings} | {:.1} ms | {:.0} MiB |",
            ours.seconds * 1000.0,
            ours.memory
        )?;
        for runs in theirs {
            let runs = median(runs);
            write!(table, " {:.1} × | {:.0} MiB |", runs.seconds / ours.seconds, runs.memory)?;
        }
        table.push('\n');
    }
    let starting = median(
        (0..runs).map(|_| time(foretop, &["version"], nowhere)).collect::<Result<Vec<_>, _>>()?,
    );
    let mut facts =
        format!("Starting alone (`foretop version`): {:.1} ms.\n", starting.seconds * 1e3);
    match (built, first) {
        (Some(built), Some(first)) => {
            let ours = size_of(&almanac.join("sheets"))?;
            writeln!(
                facts,
                "Building the almanac: {:.1} s, {:.0} MiB of memory; with the first answer, from nothing: {:.1} s.\nThe almanac: {:.1} MiB.",
                built.seconds,
                built.memory,
                built.seconds + first.seconds,
                mebibytes(ours)
            )?;
            for peer in &peers {
                let path = (peer.database)()?;
                let theirs = size_of(&path)?;
                writeln!(
                    facts,
                    "{}'s database: {:.1} MiB, {:.1} × the almanac.",
                    peer.name,
                    mebibytes(theirs),
                    mebibytes(theirs) / mebibytes(ours)
                )?;
            }
        }
        _ => facts.push_str("Without `--from` we rested on what is built in.\n"),
    }
    Ok(format!("{table}\n{facts}"))
}

/// What the report's summary says.
fn count(report: &str) -> anyhow::Result<u64> {
    let text = fs_err::read_to_string(report)?;
    let after = text.split("\"vulnerabilities\":").nth(1).context("the report has no summary")?;
    let number = after.split(',').next().unwrap_or_default().trim();
    number.parse().with_context(|| format!("the summary says `{number}`"))
}

/// Their versions, in a few words.
pub(super) fn peers() -> anyhow::Result<String> {
    let mut said = Vec::new();
    for peer in PEERS {
        said.push(if has(peer.name) {
            let version = output(peer.name, &["--version"])?;
            format!("{} {}", peer.name, version.split_whitespace().nth(1).unwrap_or_default())
        } else {
            format!("{} was not there", peer.name)
        });
    }
    Ok(said.join(", "))
}

fn grype_database() -> anyhow::Result<PathBuf> {
    let status = output("grype", &["db", "status", "-o", "json"])?;
    let at = status.split("\"path\":").nth(1).and_then(|it| it.split('"').nth(1));
    Ok(at.context("grype db status names no path")?.into())
}

#[expect(clippy::disallowed_methods, reason = "trivy says where its database lies only there")]
fn trivy_database() -> anyhow::Result<PathBuf> {
    let cache = std::env::var_os("TRIVY_CACHE_DIR").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|it| PathBuf::from(it).join(".cache/trivy"));
    Ok(cache.or_else(home).context("there is no home directory")?.join("db/trivy.db"))
}

/// The bytes of a file, or of all the files of a folder.
fn size_of(path: &Path) -> anyhow::Result<u64> {
    let metadata = fs_err::metadata(path)?;
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    let mut sum = 0;
    for it in fs_err::read_dir(path)? {
        sum += size_of(&it?.path())?;
    }
    Ok(sum)
}

#[expect(clippy::cast_precision_loss, reason = "a size to read, not to count with")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
