//! `cargo xtask test`: everything that CI runs, in one command.

use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use crate::failures::Failures;
use crate::run::{has, root, run, run_heard};
use crate::{codegen, needs, quality};

#[expect(clippy::print_stderr, reason = "a chore says what it leaves out")]
pub(crate) fn test(_: &[String]) -> anyhow::Result<()> {
    needs::install()?;
    run("cargo", &["fmt", "--all", "--check"])?;
    run("cargo", &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
    every_test()?;
    codegen::codegen(&["--check".to_owned()])?;
    quality::quality(&["--cases".to_owned()])?;
    if has("cargo-deny") {
        run("cargo", &["deny", "check", "bans", "licenses", "sources"])?;
        advisories()?;
    } else {
        eprintln!("left out: cargo-deny is not installed (`cargo install cargo-deny`)");
    }
    Ok(())
}

/// Every test, and when some failed which ones and why: thousands of lines may follow the first.
fn every_test() -> anyhow::Result<()> {
    let failures = Arc::new(Mutex::new(Failures::default()));
    let heard = Arc::clone(&failures);
    let arguments = ["test", "--workspace", "--locked", "--no-fail-fast"];
    let ran = run_heard("cargo", &arguments, move |line| {
        heard.lock().unwrap_or_else(PoisonError::into_inner).line(line);
    });
    let failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
    ran.map_err(|error| anyhow::anyhow!("{error:#}\n{failures}"))
}

/// What is published about our own dependencies; its database lies elsewhere.
#[expect(clippy::print_stderr, reason = "a chore says what it leaves out")]
fn advisories() -> anyhow::Result<()> {
    let mut check = Command::new("cargo");
    let check = check.args(["deny", "check", "advisories"]).current_dir(root()).output()?;
    let said = String::from_utf8_lossy(&check.stderr);
    if said.contains("failed to fetch advisory database") {
        eprintln!("left out: `cargo deny check advisories`, whose database cannot be fetched here");
    } else if !check.status.success() {
        anyhow::bail!("cargo deny check advisories: {}\n{said}", check.status);
    }
    Ok(())
}
