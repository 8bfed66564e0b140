//! A runner of GitHub's: the files that it reads, the lines that it obeys, and what it tells of the run.
//!
//! <https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::Value;

use crate::environment::Environment;
use crate::messages::Messages;

/// Letters of one output, counted as UTF-16, which GitHub does; a job's outputs hold a mebibyte.
pub(super) const LONGEST_OUTPUT: usize = 400_000;
/// Bytes of a step's summary: a mebibyte, and room for what is said about the end.
const LONGEST_SUMMARY: u64 = (1 << 20) - 4096;
/// Bytes of what is kept of a job's steps.
const MOST_ASKED: u64 = 1 << 20;
/// Bytes of the largest event: GitHub sends none above 25 MB.
const LARGEST_EVENT: u64 = 32 << 20;

pub(super) struct Runner<'a> {
    environment: &'a Environment,
    messages: &'a Messages,
}

impl<'a> Runner<'a> {
    pub(super) fn of(environment: &'a Environment, messages: &'a Messages) -> Self {
        Self { environment, messages }
    }

    /// A variable that the runner sets.
    pub(super) fn told(&self, name: &str) -> Option<String> {
        self.environment.named(name).filter(|it| !it.is_empty())
    }

    /// Does somebody obey our lines? Elsewhere, a line that hides a secret would show it.
    fn obeys(&self) -> bool {
        self.told("GITHUB_ACTIONS").is_some_and(|it| it == "true")
    }

    /// Keeps it out of the log.
    pub(super) fn hide(&self, secret: &model::Secret) {
        for line in secret.expose().lines().map(str::trim).filter(|it| !it.is_empty()) {
            if self.obeys() {
                self.messages.command(&format!("::add-mask::{}", data(line)));
            }
        }
    }

    /// What follows folds under this title.
    pub(super) fn begin(&self, title: &str) {
        if self.obeys() {
            self.messages.command(&format!("::group::{}", data(title)));
        } else {
            self.messages.inform(title);
        }
    }

    pub(super) fn end(&self) {
        if self.obeys() {
            self.messages.command("::endgroup::");
        }
    }

    /// What is shown above the log.
    pub(super) fn annotate(&self, level: Annotation, text: &str) {
        if self.obeys() {
            let level = match level {
                Annotation::Error => "error",
                Annotation::Warning => "warning",
            };
            self.messages.command(&format!("::{level} title=Foretop::{}", data(text)));
        } else if level == Annotation::Warning {
            self.messages.warn(text);
        }
    }

    /// Gives the step an output.
    pub(super) fn output(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let Some(file) = self.told("GITHUB_OUTPUT") else {
            self.messages.inform(&format!("No output {name}: GITHUB_OUTPUT is not set"));
            return Ok(());
        };
        let mark = loop {
            let mark = format!("foretop_{}", by_chance()?);
            if !text.contains(&mark) {
                break mark;
            }
        };
        let text = format!("{name}<<{mark}\n{}\n{mark}\n", text.trim_end_matches('\n'));
        append(&file, &text).with_context(|| format!("cannot write the output {name}"))
    }

    /// How much the summary still takes; nothing where there is none.
    pub(super) fn room_for_summary(&self) -> Option<usize> {
        let file = self.told("GITHUB_STEP_SUMMARY")?;
        let there = fs_err::metadata(file).map_or(0, |it| it.len());
        usize::try_from(LONGEST_SUMMARY.saturating_sub(there)).ok()
    }

    /// Adds to the summary of the job.
    pub(super) fn summary(&self, text: &str) -> anyhow::Result<()> {
        match self.told("GITHUB_STEP_SUMMARY") {
            Some(file) => append(&file, text).context("cannot write the job summary"),
            None => Ok(()),
        }
    }

    /// The pull request that this run is about.
    pub(super) fn pull_request(&self) -> anyhow::Result<Option<u64>> {
        let event = self.told("GITHUB_EVENT_NAME").unwrap_or_default();
        if !["pull_request", "pull_request_target"].contains(&event.as_str()) {
            return Ok(None);
        }
        if let Some(event) = self.event()? {
            let number = event.get("pull_request").and_then(|it| it.get("number"));
            if let Some(number) = number.or_else(|| event.get("number")).and_then(Value::as_u64) {
                return Ok(Some(number));
            }
        }
        let of_ref = self
            .told("GITHUB_REF")
            .and_then(|it| it.strip_prefix("refs/pull/")?.split('/').next()?.parse::<u64>().ok());
        of_ref.map(Some).context("the event says not which pull request it is about")
    }

    /// Is it about a fork, for which the token may only read?
    pub(super) fn is_from_a_fork(&self) -> anyhow::Result<bool> {
        let Some(event) = self.event()? else { return Ok(false) };
        let name = |end: &str| {
            let repository = event.get("pull_request")?.get(end)?.get("repo")?;
            Some(repository.get("full_name")?.as_str()?.to_owned())
        };
        // A fork that was deleted meanwhile has no name.
        Ok(name("base").is_some_and(|base| name("head") != Some(base)))
    }

    fn event(&self) -> anyhow::Result<Option<Value>> {
        let Some(path) = self.told("GITHUB_EVENT_PATH").map(PathBuf::from) else {
            return Ok(None);
        };
        let length = fs_err::metadata(&path)?.len();
        anyhow::ensure!(length <= LARGEST_EVENT, "{} is too large", path.display());
        let event = serde_json::from_slice(&fs_err::read(&path)?);
        event.map(Some).with_context(|| format!("{} makes no sense", path.display()))
    }

    /// How often this was asked in this job before: steps of one action are not told apart by the runner.
    pub(super) fn times(&self, line: &str) -> usize {
        let Some(folder) = self.told("RUNNER_TEMP") else { return 0 };
        // The runner empties it before each job.
        let path = PathBuf::from(folder).join("foretop-asked");
        let known = fs_err::metadata(&path).is_ok_and(|it| it.len() <= MOST_ASKED);
        let known = if known { fs_err::read_to_string(&path).ok() } else { None };
        let times = known.unwrap_or_default().lines().filter(|it| *it == line).count();
        let file = fs_err::OpenOptions::new().create(true).append(true).open(&path);
        if let Err(error) = file.and_then(|mut it| it.write_all(format!("{line}\n").as_bytes())) {
            self.messages.debug(&format!("what this job asked is not kept: {error}"));
        }
        times
    }

    /// The page of this run.
    pub(super) fn page(&self) -> Option<String> {
        self.environment.ci_job()
    }
}

/// How much it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Annotation {
    Error,
    Warning,
}

/// Letters that nobody can guess.
fn by_chance() -> anyhow::Result<String> {
    let mut bytes = [0; 18];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.ok().context("the system gives no random numbers")?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The file is the runner's, which makes it; one that is not there is not ours to make.
fn append(path: &str, text: &str) -> anyhow::Result<()> {
    let mut file = fs_err::OpenOptions::new().append(true).open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(())
}

/// What stands behind a command, in one line.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}
