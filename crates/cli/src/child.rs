//! This program as a child of itself: work that takes much memory, or long, beside somebody who must go on.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

/// What it says last is kept, to be told where it fails.
const LINES: usize = 20;

/// This program, to be given words. It needs none of our secrets, and draws nothing.
pub(crate) fn command() -> Result<Command, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.env_remove("FORETOP_KEY").env("NO_COLOR", "1");
    Ok(command)
}

/// Runs it to its end, others first; who is not done in time is ended, and so it is when nobody waits for
/// it any more. Why it failed is its own word.
pub(crate) async fn done(
    command: &mut Command,
    patience: Duration,
    heard: impl Fn(&str),
) -> Result<(), String> {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().map_err(|error| error.to_string())?;
    make_way(child.id());
    // Held for as long as we are there: who listens for its end ends when we do.
    let held = child.stdin.take();
    let said = child.stderr.take().ok_or("it cannot be heard")?;
    let mut lines = BufReader::new(said).lines();
    let mut last: Vec<String> = Vec::new();
    let hear = async {
        while let Ok(Some(line)) = lines.next_line().await {
            heard(&line);
            if last.len() == LINES {
                last.remove(0);
            }
            last.push(line);
        }
        child.wait().await
    };
    let ended = tokio::time::timeout(patience, hear).await;
    drop(held);
    match ended {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => {
            let error = last.iter().rev().find_map(|it| it.strip_prefix("error: "));
            Err(error.map_or_else(|| status.to_string(), str::to_owned))
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it was not done within {} minutes", patience.as_secs() / 60)),
    }
}

/// Others go first.
#[cfg(unix)]
fn make_way(child: Option<u32>) {
    use rustix::process::{Pid, setpriority_process};
    let pid = child.and_then(|it| i32::try_from(it).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid
        && let Err(error) = setpriority_process(Some(pid), 10)
    {
        tracing::debug!(%error, "a child goes on as if it were urgent");
    }
}

#[cfg(not(unix))]
fn make_way(_: Option<u32>) {}

/// Ends this process when whoever holds its stdin does.
pub(crate) fn end_with_whoever_started_us() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        std::process::exit(1);
    });
}
