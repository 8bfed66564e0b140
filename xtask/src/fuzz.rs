//! `cargo xtask fuzz`: every fuzz target for a while, one after the other.

use std::path::Path;

use anyhow::Context as _;

use crate::run::{output, root, run};

/// zstd's C is built with `-fmerge-all-constants`. There GCC 12 keeps a table of constants out of the stack and
/// marks it as gone with its scope all the same, so that the next call, of the same thread too, looks like a
/// use after scope: the C of zstd alone shows it. Without that option, or with clang, there is nothing to see.
const C_FLAGS: &str = "CFLAGS=-fno-merge-all-constants";

pub(crate) fn fuzz(arguments: &[String]) -> anyhow::Result<()> {
    let seconds: u32 = match arguments {
        [] => 60,
        [flag, seconds] if flag == "--seconds" => {
            seconds.parse().with_context(|| format!("`{seconds}` is no number of seconds"))?
        }
        _ => anyhow::bail!("usage: cargo xtask fuzz [--seconds N]"),
    };
    let fuzz = root().join("fuzz");
    let fuzz = fuzz.to_str().context("the workspace's name is not UTF-8")?;
    let targets = output("cargo", &["+nightly", "fuzz", "list", "--fuzz-dir", fuzz])?;
    for target in targets.lines() {
        let bound = format!("-max_total_time={seconds}");
        // What it finds goes into the first folder; the others are where it begins.
        let corpus = format!("{fuzz}/corpus/{target}");
        fs_err::create_dir_all(&corpus)?;
        let seeds = [format!("{fuzz}/seeds/{target}"), fixtures_of(target)];
        let seeds = seeds.iter().filter(|it| Path::new(it).is_dir()).map(String::as_str);
        let mut arguments = vec![C_FLAGS, "cargo", "+nightly", "fuzz", "run"];
        arguments.extend(["--fuzz-dir", fuzz, target, &corpus]);
        arguments.extend(seeds);
        arguments.extend([
            "--",
            &bound,
            "-rss_limit_mb=1024",
            // A thread that is just ending still holds its own handle, which looks like a leak.
            "-detect_leaks=0",
            "-timeout=5",
            "-max_len=65536",
        ]);
        run("env", &arguments)?;
    }
    Ok(())
}

/// The fixtures of the crate whose documents the target reads as they are.
fn fixtures_of(target: &str) -> String {
    match target {
        "feeds" => root().join("crates/feed/fixtures").display().to_string(),
        _ => String::new(),
    }
}
