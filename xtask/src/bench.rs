//! `cargo xtask bench`: whole processes, beside the peers that are on PATH.
//!
//! Everything is a ratio within one run on one machine; `bench/README.md` keeps the table.

mod findings;
mod load;
mod portfolio;

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use crate::pack::Packing;
use crate::run::{has, output, root, run, target};

/// An image to measure with, made once.
struct Case {
    name: &'static str,
    what: &'static str,
    make: fn(&mut Packing) -> anyhow::Result<()>,
}

const CASES: &[Case] = &[
    Case {
        name: "system",
        what: "this machine's /usr and package database, four gzip layers",
        make: system,
    },
    Case { name: "files", what: "one layer with three million empty files", make: files },
    Case { name: "giant", what: "one layer with one file of 4 GB", make: giant },
];

fn system(packing: &mut Packing) -> anyhow::Result<()> {
    packing.add_paths(&["etc/os-release", "var/lib/dpkg", "usr/bin", "usr/sbin"])?;
    packing.add_paths(&["usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu"])?;
    packing.add_paths(&["usr/lib/python3", "usr/lib/jvm", "usr/lib/gcc", "usr/lib/os-release"])?;
    packing.add_paths(&["usr/share"])
}

fn files(packing: &mut Packing) -> anyhow::Result<()> {
    let mut archive = std::io::BufWriter::new(fs_err::File::create(packing.scratch())?);
    for number in 0..3_000_000 {
        let path = format!("data/{:03}/{:03}/{number}", number % 1000, number / 1000 % 1000);
        archive.write_all(&header(&path, 0))?;
    }
    archive.write_all(&[0; 1024])?;
    archive.flush()?;
    packing.add()
}

fn giant(packing: &mut Packing) -> anyhow::Result<()> {
    const SIZE: u64 = 4 << 30;
    let mut archive = fs_err::File::create(packing.scratch())?;
    archive.write_all(&header("data/giant", SIZE))?;
    archive.set_len(512 + SIZE + 1024)?;
    packing.add()
}

/// A ustar header of a regular file.
fn header(path: &str, size: u64) -> [u8; 512] {
    let mut block = [0; 512];
    let mut put =
        |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, path);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{size:011o} "));
    put(136, "00000000000 ");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = block.iter().map(|&it| u32::from(it)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// One run: seconds on the clock, and the most memory it held, in MiB.
#[derive(Clone, Copy)]
struct Run {
    seconds: f64,
    memory: f64,
}

/// What was asked: `--runs N`, `--only images|findings|portfolio|api`, `--from DIR` with advisories.
struct Asked {
    runs: usize,
    only: Option<String>,
    from: Option<PathBuf>,
}

impl Asked {
    fn read(arguments: &[String]) -> anyhow::Result<Self> {
        let mut asked = Self { runs: 5, only: None, from: None };
        let mut words = arguments.iter();
        while let Some(flag) = words.next() {
            match (flag.as_str(), words.next()) {
                ("--runs", Some(runs)) => {
                    asked.runs = runs.parse().context("--runs takes a number")?;
                }
                ("--only", Some(only))
                    if [IMAGES, FINDINGS, PORTFOLIO, API].contains(&only.as_str()) =>
                {
                    asked.only = Some(only.clone());
                }
                ("--from", Some(from)) => asked.from = Some(fs_err::canonicalize(from)?),
                _ => bail!(
                    "usage: cargo xtask bench [--runs N] [--only images|findings|portfolio|api] [--from DIR]"
                ),
            }
        }
        if asked.runs == 0 {
            bail!("--runs 0 measures nothing");
        }
        Ok(asked)
    }

    fn wants(&self, section: &str) -> bool {
        self.only.as_ref().is_none_or(|it| it == section)
    }
}

const IMAGES: &str = "images";
const FINDINGS: &str = "findings";
const PORTFOLIO: &str = "portfolio";
const API: &str = "api";

pub(crate) fn bench(arguments: &[String]) -> anyhow::Result<()> {
    let asked = Asked::read(arguments)?;
    if asked.wants(IMAGES) || asked.wants(FINDINGS) || asked.wants(API) {
        // As it is handed out.
        run("cargo", &["build", "--profile", "dist", "--locked", "--package", "cli"])?;
    }
    let page = root().join("bench/README.md");
    let former = if page.exists() { fs_err::read_to_string(&page)? } else { String::new() };
    let images = if asked.wants(IMAGES) { images(asked.runs)? } else { kept(&former, WHAT) };
    let findings = if asked.wants(FINDINGS) {
        wrong(asked.runs, asked.from.as_deref())?
    } else {
        kept(&former, WRONG)
    };
    let growth = if asked.wants(PORTFOLIO) { portfolio::section()? } else { kept(&former, WHERE) };
    let load = if asked.wants(API) { load::section(&foretop())? } else { kept(&former, ASKED) };
    // The tests measure it, and say how.
    let watched = kept(&former, WATCHED);
    fs_err::create_dir_all(root().join("bench"))?;
    let (findings, growth) = (findings.trim_end(), growth.trim_end());
    let load = load.trim_end();
    let text = format!(
        "{HEAD}{WHAT}\n{images}{WRONG}\n{findings}\n\n{WHERE}\n{growth}\n\n{ASKED}\n{load}\n\n\
         {WATCHED}\n{watched}"
    );
    fs_err::write(page, format!("{}\n", text.trim_end()))?;
    run("cat", &["bench/README.md"])
}

const HEAD: &str = "# How fast it is

Whole processes, medians of one run of `cargo xtask bench` on one machine, the tools in turn.
Read the ratios: seconds belong to the machine.

";
const WHAT: &str = "## What is inside an image\n";
const WRONG: &str = "## What is wrong with it\n";
const WHERE: &str = "## Where it runs\n";
const ASKED: &str = "## Asked by many at once\n";
const WATCHED: &str = "## Registries\n";

/// A section of the former page, from below its heading to the next one.
fn kept(page: &str, heading: &str) -> String {
    let below = page.split_once(heading).map_or("", |(_, below)| below);
    let text = below.split("\n## ").next().unwrap_or_default().trim();
    if text.is_empty() { "Not measured yet.\n\n".to_owned() } else { format!("{text}\n\n") }
}

fn foretop() -> String {
    target().join("dist/foretop").display().to_string()
}

/// What findings cost, beside others who look for them.
fn wrong(runs: usize, from: Option<&Path>) -> anyhow::Result<String> {
    let cores = output("nproc", &[] as &[&str])?;
    let table = findings::section(&foretop(), runs, from, &target().join("bench/nowhere"))?;
    Ok(format!(
        "{cores} cores; beside us {}, each with the database at hand.

SBOMs in CycloneDX of real names from nine ecosystems; every fifth package is of a version that advisories are about.
The report is JSON, ours with all texts.

{table}
Bars (from the design): 500 packages ≤ 20 ms and ≥ 50 × faster than grype; almanac ≤ 60 s; opening ≤ 2 ms (no packages, less starting alone); size ≤ 1/8 of grype's.
",
        findings::peers()?
    ))
}

/// What reading images costs, beside others who read them.
fn images(runs: usize) -> anyhow::Result<String> {
    run(
        "cargo",
        &["build", "--release", "--locked", "--package", "tarball", "--example", "inflate"],
    )?;
    let foretop = foretop();
    let inflate = target().join("release/examples/inflate").display().to_string();
    let syft = has("syft");

    let mut table = String::new();
    for case in CASES {
        let folder = target().join("bench").join(case.name);
        let image = folder.with_extension("tar");
        if !image.exists() {
            let mut packing = Packing::new(&folder)?;
            (case.make)(&mut packing)?;
            packing.finish(&format!("bench:{}", case.name), &image)?;
        }
        let subject = format!("archive://{}", image.display());
        let cache = folder.join("cache");
        let ours = ["sbom", "--format", "json", "-o", "/dev/null", &subject];
        let forget = || if cache.exists() { fs_err::remove_dir_all(&cache) } else { Ok(()) };

        let (mut cold, mut warm, mut floor, mut theirs) = (vec![], vec![], vec![], vec![]);
        for _ in 0..runs {
            forget()?;
            cold.push(time(&foretop, &ours, &cache)?);
            warm.push(time(&foretop, &ours, &cache)?);
            floor.push(time(&inflate, &blobs(&folder)?, &cache)?);
        }
        if syft {
            let archive = format!("oci-archive:{}", image.display());
            let words = ["-q", "-o", "syft-json", &archive];
            theirs.push(time("syft", &words, &cache)?);
            // It takes many minutes for some of these: once is enough then.
            while theirs.len() < runs && theirs[0].seconds < 60.0 {
                theirs.push(time("syft", &words, &cache)?);
            }
        }
        let (cold, warm, floor) = (median(cold), median(warm), median(floor));
        let beside = if theirs.is_empty() {
            "| – | – ".to_owned()
        } else {
            let syft = median(theirs);
            format!("| {:.1} × | {:.0} MiB ", syft.seconds / cold.seconds, syft.memory)
        };
        writeln!(
            table,
            "| {} | {:.2} s | {:.2} × | {:.0} MiB | {:.0} ms | {:.0} MiB {beside}|",
            case.what,
            cold.seconds,
            cold.seconds / floor.seconds,
            cold.memory,
            warm.seconds * 1000.0,
            warm.memory,
        )?;
    }
    let cores = output("nproc", &[] as &[&str])?;
    let syft =
        if has("syft") { output("syft", &["--version"])? } else { "syft was not there".to_owned() };
    Ok(format!(
        "{cores} cores; {syft} beside us.

*Cold* is an empty cache; *inflate* is the time to do nothing but decompress the same layers on the same cores with the same library; *again* is the same image with the cache.

| image | cold | cold ÷ inflate | peak memory | again | peak memory | syft ÷ cold | syft's peak memory |
|---|---|---|---|---|---|---|---|
{table}
Bars (from the design): cold ≤ 1.3 × inflate and ≥ 10 × faster than syft; again ≤ 50 ms; peak memory ≤ 100 MiB.

"
    ))
}

/// Every blob that is a layer (the configuration and the manifest are small).
fn blobs(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut blobs = Vec::new();
    for it in fs_err::read_dir(folder.join("layout/blobs/sha256"))? {
        let it: PathBuf = it?.path();
        let mut magic = [0; 2];
        std::io::Read::read_exact(&mut fs_err::File::open(&it)?, &mut magic)?;
        if magic == [0x1f, 0x8b] {
            blobs.push(it.display().to_string());
        }
    }
    Ok(blobs)
}

fn time<S: AsRef<str>>(program: &str, arguments: &[S], cache: &Path) -> anyhow::Result<Run> {
    let start = std::time::Instant::now();
    let mut child = Command::new(program)
        .args(arguments.iter().map(AsRef::as_ref))
        .env("FORETOP_CACHE_DIR", cache)
        .env("SYFT_CHECK_FOR_APP_UPDATE", "false")
        .env("GRYPE_CHECK_FOR_APP_UPDATE", "false")
        .env("GRYPE_DB_AUTO_UPDATE", "false")
        .env("GRYPE_DB_VALIDATE_AGE", "false")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {program}"))?;
    let mut told = Vec::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_end(&mut told)?;
    }
    let (is_good, memory) = end_of(&child)?;
    let seconds = start.elapsed().as_secs_f64();
    if !is_good {
        bail!("{program}: {}", String::from_utf8_lossy(&told));
    }
    Ok(Run { seconds, memory })
}

/// Waits for it: did all go well, and how many MiB were in its memory at most?
#[expect(unsafe_code, reason = "the standard library does not tell what a process used")]
fn end_of(child: &Child) -> anyhow::Result<(bool, f64)> {
    let number = libc::pid_t::try_from(child.id())?;
    let mut status = 0;
    // SAFETY: a `rusage` is numbers, for which zero is a value.
    let mut used: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both places are ours to write to, and nobody else waits for this child.
    let ended = unsafe { libc::wait4(number, &raw mut status, 0, &raw mut used) };
    if ended != number {
        return Err(std::io::Error::last_os_error().into());
    }
    #[expect(clippy::cast_precision_loss, reason = "a size to read, not to count with")]
    let memory = used.ru_maxrss as f64 / 1024.0;
    Ok((libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, memory))
}

/// The middle run by time, with the most memory of any.
fn median(mut runs: Vec<Run>) -> Run {
    runs.sort_by(|left, right| left.seconds.total_cmp(&right.seconds));
    let memory = runs.iter().map(|it| it.memory).fold(0.0, f64::max);
    Run { seconds: runs[runs.len() / 2].seconds, memory }
}

/// Is there a PostgreSQL to be measured?
fn has_postgres() -> bool {
    std::path::Path::new("/usr/lib/postgresql").is_dir() || has("initdb")
}
