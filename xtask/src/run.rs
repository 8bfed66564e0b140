//! Running other programs, from the root of the workspace, with what they do shown first.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_owned()
}

/// Where cargo builds.
#[expect(clippy::disallowed_methods, reason = "cargo says it through the environment")]
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |it| root().join(it))
}

/// Runs `program`, its output going where ours goes.
#[expect(clippy::print_stderr, reason = "a chore says what it runs")]
pub(crate) fn run<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> anyhow::Result<()> {
    let shown: Vec<_> = arguments.iter().map(|it| it.as_ref().to_string_lossy()).collect();
    eprintln!("$ {program} {}", shown.join(" "));
    let status = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    if !status.success() {
        bail!("{program} {}: {status}", shown.join(" "));
    }
    Ok(())
}

/// Runs `program` and returns what it prints.
pub(crate) fn output<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> anyhow::Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        bail!("{program}: {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Is `program` on PATH?
#[expect(clippy::disallowed_methods, reason = "PATH is where programs are")]
pub(crate) fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
        || ["/usr/sbin", "/sbin"].iter().any(|it| Path::new(it).join(program).is_file())
}
