//! Running other programs, from the root of the workspace, with what they do shown first.

use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

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

/// Runs `program`, its output going to our standard error as it comes; `hear` hears each line too.
#[expect(clippy::print_stderr, reason = "a chore says what it runs")]
pub(crate) fn run_heard(
    program: &str,
    arguments: &[&str],
    hear: impl FnMut(&str) + Send + 'static,
) -> anyhow::Result<()> {
    let shown = arguments.join(" ");
    eprintln!("$ {program} {shown}");
    // One pipe for both, so that what is heard is in the order in which it was said.
    let (reader, writer) = std::io::pipe()?;
    let mut child = Command::new(program)
        .args(arguments)
        .env("CARGO_TERM_COLOR", "never")
        .current_dir(root())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .spawn()
        .with_context(|| format!("cannot run {program}"))?;
    let (ended, end) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        pass_on(reader, std::io::stderr(), hear);
        let _ = ended.send(());
    });
    let status = child.wait()?;
    // What a failed test left running holds the pipe open, maybe for ever.
    let _ = end.recv_timeout(Duration::from_secs(5));
    if !status.success() {
        bail!("{program} {shown}: {status}");
    }
    Ok(())
}

/// Passes on what is read, at once, and tells `hear` of each line as far as `LINE`.
fn pass_on(mut from: impl Read, mut to: impl Write, mut hear: impl FnMut(&str)) {
    const LINE: usize = 16 * 1024;
    let (mut part, mut line) = (vec![0; 64 * 1024], Vec::new());
    loop {
        let read = match from.read(&mut part) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        // Nobody reading along is no reason to stop the tests.
        let _ = to.write_all(&part[..read]);
        for it in part[..read].split_inclusive(|it| *it == b'\n') {
            let room = LINE.saturating_sub(line.len());
            line.extend_from_slice(&it[..it.len().min(room)]);
            if it.ends_with(b"\n") {
                hear(&String::from_utf8_lossy(&line));
                line.clear();
            }
        }
    }
    if !line.is_empty() {
        hear(&String::from_utf8_lossy(&line));
    }
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

#[cfg(test)]
mod tests {
    use super::{pass_on, run_heard};

    #[test]
    fn what_is_said_is_passed_on_and_heard() {
        let long = vec![b'x'; 100_000];
        let said = [&b"one\ntw"[..], b"o \xff\n", &long, b"\nlast"].concat();
        let (mut passed, mut heard) = (Vec::new(), Vec::new());
        pass_on(&said[..], &mut passed, |it| heard.push(it.to_owned()));
        assert_eq!(passed, said);
        let lengths: Vec<usize> = heard.iter().map(String::len).collect();
        assert_eq!((heard[0].as_str(), heard[1].as_str()), ("one\n", "two \u{fffd}\n"));
        assert_eq!((lengths[2], heard[3].as_str()), (16 * 1024, "last"));
    }

    #[test]
    fn what_is_left_running_keeps_nobody_waiting() {
        let (said, heard) = std::sync::mpsc::channel();
        let script = "echo out; echo err >&2; sleep 600 & echo $!; exit 7";
        let hear = move |it: &str| said.send(it.to_owned()).unwrap();
        let error = run_heard("sh", &["-c", script], hear).unwrap_err();
        assert!(error.to_string().ends_with("exit status: 7"), "{error}");
        let lines: Vec<String> = heard.try_iter().collect();
        assert_eq!(lines[..2], ["out\n", "err\n"]);
        super::run("kill", &[lines[2].trim()]).unwrap();
    }
}
