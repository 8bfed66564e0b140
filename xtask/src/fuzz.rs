//! `cargo xtask fuzz`: every fuzz target for a while, one after the other.

use anyhow::Context as _;

use crate::run::{output, root, run};

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
        run(
            "cargo",
            &[
                "+nightly",
                "fuzz",
                "run",
                "--fuzz-dir",
                fuzz,
                target,
                "--",
                &bound,
                "-rss_limit_mb=2048",
                // A thread that is just ending still holds its own handle, which looks like a leak.
                "-detect_leaks=0",
                "-timeout=20",
                "-max_len=65536",
            ],
        )?;
    }
    Ok(())
}
