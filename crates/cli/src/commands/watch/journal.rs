//! What was seen of a registry, in a file: whoever is stopped in the middle goes on where it stopped.
//!
//! A line is one thing that became true; the last line about something counts. It lies beside the
//! database, or where that would lie, and is no cache: without it, what was pushed while nobody
//! watched would be taken for what was there before.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use fs_err::File;
use integration::watch::{Lost, Memory};
use integration::{Heard, Notice, Repository, Sender};
use model::Digest;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::failure::Failure;

/// Notices that wait; whoever brings more is told to come again.
const WAITING_LIMIT: usize = 100_000;
/// Bytes of one line.
const LINE_LIMIT: u64 = 64 << 10;
/// A file is written anew when it has so many lines more than there is to say, and twice as many.
const SLACK: usize = 1_000;

/// What became true.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    /// All of the registry was looked at.
    Begun(String),
    /// Registry, repository, tag: it leads there.
    Seen(String, String, String, Digest),
    /// It is gone.
    Gone(String, String, String),
    /// An image was worked on.
    Done(Digest),
    /// Somebody told us.
    Told(Box<Notice>),
    /// What they told is dealt with.
    Dealt(String),
}

#[derive(Default)]
struct State {
    begun: BTreeSet<String>,
    tags: BTreeMap<(String, String), BTreeMap<String, Digest>>,
    done: HashSet<Digest>,
    /// By number, in the order in which they came.
    waiting: BTreeMap<u64, Notice>,
    /// The number of each, by its id.
    numbers: HashMap<String, u64>,
    next: u64,
    /// Where it is written; nowhere when nothing is to be kept.
    file: Option<File>,
}

/// What was seen of one registry.
pub(super) struct Journal {
    state: Mutex<State>,
    news: Notify,
    /// Held as long as this is.
    _lock: Option<std::fs::File>,
}

impl Journal {
    /// Opens the journal of that name; `aside`: what is seen now is kept nowhere.
    pub(super) fn open(folder: &Path, name: &str, aside: bool) -> anyhow::Result<Self> {
        let path = folder.join(format!("{name}.jsonl"));
        let mut state = State::default();
        let mut lock = None;
        if aside {
            if path.exists() {
                state.read(&path)?;
            }
        } else {
            crate::asking::made_place(&folder.to_owned())?;
            lock = Some(locked(&folder.join(format!("{name}.lock")))?);
            // A line that was cut off would swallow the next one.
            let lines = if path.exists() { state.read(&path)? } else { None };
            if lines.is_none_or(|it| it > state.size() * 2 + SLACK) {
                state.write_anew(&path)?;
            }
            let file = fs_err::OpenOptions::new().append(true).open(&path)?;
            state.file = Some(file);
        }
        Ok(Self { state: Mutex::new(state), news: Notify::new(), _lock: lock })
    }

    /// The image was worked on.
    pub(super) fn done(&self, digest: &Digest) -> Result<(), Lost> {
        let mut state = self.state();
        state.add(&[Line::Done(digest.clone())], false)?;
        state.done.insert(digest.clone());
        Ok(())
    }

    /// Keeps what somebody told, for good.
    pub(super) fn told(&self, notices: Vec<Notice>) -> Result<(), Lost> {
        let mut state = self.state();
        let new = notices.into_iter().filter(|it| !state.numbers.contains_key(&it.id));
        let lines: Vec<Line> = new.map(|it| Line::Told(Box::new(it))).collect();
        if state.waiting.len().saturating_add(lines.len()) > WAITING_LIMIT {
            return Err(Lost("too much waits to be looked at".to_owned()));
        }
        state.add(&lines, true)?;
        for line in lines {
            state.take(line);
        }
        drop(state);
        self.news.notify_one();
        Ok(())
    }

    /// Up to so many of those that wait, the oldest first.
    pub(super) fn waiting(&self, most: usize) -> Vec<Notice> {
        self.state().waiting.values().take(most).cloned().collect()
    }

    /// These are dealt with.
    pub(super) fn dealt(&self, ids: &HashSet<String>) -> Result<(), Lost> {
        let mut state = self.state();
        let lines: Vec<Line> = ids.iter().cloned().map(Line::Dealt).collect();
        state.add(&lines, false)?;
        for line in lines {
            state.take(line);
        }
        Ok(())
    }

    /// Comes to pass when somebody told something.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One process at a time follows a registry.
fn locked(path: &Path) -> anyhow::Result<std::fs::File> {
    let file = fs_err::OpenOptions::new().create(true).append(true).open(path)?;
    let (file, _) = file.into_parts();
    file.try_lock().map_err(|error| match error {
        std::fs::TryLockError::WouldBlock => Failure::error(
            "another `foretop watch` watches this registry already",
            "let one process watch all of it; --workers says how much it does at once",
        ),
        std::fs::TryLockError::Error(error) => {
            anyhow::anyhow!("cannot lock {}: {error}", path.display())
        }
    })?;
    Ok(file)
}

impl State {
    /// Reads a file, and says how many lines it has; `None`: its last one was cut off. What cannot be read was being written when
    /// somebody pulled the plug, and is looked at again.
    fn read(&mut self, path: &Path) -> anyhow::Result<Option<usize>> {
        use std::io::Read as _;
        let mut reader = std::io::BufReader::new(File::open(path)?);
        let (mut lines, mut is_whole) = (0, true);
        let mut line = Vec::new();
        loop {
            line.clear();
            if reader.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut line)? == 0 {
                return Ok(is_whole.then_some(lines));
            }
            lines += 1;
            is_whole = line.ends_with(b"\n");
            if let Ok(line) = serde_json::from_slice(&line) {
                self.take(line);
            }
        }
    }

    fn take(&mut self, line: Line) {
        match line {
            Line::Begun(registry) => {
                self.begun.insert(registry);
            }
            Line::Seen(registry, repository, tag, digest) => {
                self.tags.entry((registry, repository)).or_default().insert(tag, digest);
            }
            Line::Gone(registry, repository, tag) => {
                let key = (registry, repository);
                if let Some(tags) = self.tags.get_mut(&key) {
                    tags.remove(&tag);
                    if tags.is_empty() {
                        self.tags.remove(&key);
                    }
                }
            }
            Line::Done(digest) => {
                self.done.insert(digest);
            }
            Line::Told(notice) => {
                if self.waiting.len() < WAITING_LIMIT && !self.numbers.contains_key(&notice.id) {
                    self.numbers.insert(notice.id.clone(), self.next);
                    self.waiting.insert(self.next, *notice);
                    self.next += 1;
                }
            }
            Line::Dealt(id) => {
                if let Some(number) = self.numbers.remove(&id) {
                    self.waiting.remove(&number);
                }
            }
        }
    }

    /// How many lines say all of it.
    fn size(&self) -> usize {
        let tags: usize = self.tags.values().map(BTreeMap::len).sum();
        self.begun.len() + tags + self.done.len() + self.waiting.len()
    }

    /// Writes a file that says all of it, and puts it into place in one step.
    fn write_anew(&self, path: &Path) -> anyhow::Result<()> {
        let beside = path.with_extension("new");
        let mut writer = std::io::BufWriter::new(File::create(&beside)?);
        let mut put = |line: &Line| -> anyhow::Result<()> {
            serde_json::to_writer(&mut writer, line)?;
            Ok(writer.write_all(b"\n")?)
        };
        for registry in &self.begun {
            put(&Line::Begun(registry.clone()))?;
        }
        for ((registry, repository), tags) in &self.tags {
            for (tag, digest) in tags {
                let name = (registry.clone(), repository.clone());
                put(&Line::Seen(name.0, name.1, tag.clone(), digest.clone()))?;
            }
        }
        for digest in &self.done {
            put(&Line::Done(digest.clone()))?;
        }
        for notice in self.waiting.values() {
            put(&Line::Told(Box::new(notice.clone())))?;
        }
        let file = writer.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(fs_err::rename(beside, path)?)
    }

    /// Adds lines to the file; `firmly`: a power cut does not take them away.
    fn add(&mut self, lines: &[Line], firmly: bool) -> Result<(), Lost> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let lost = |error: std::io::Error| Lost(error.to_string());
        let mut text = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut text, line).map_err(|error| lost(error.into()))?;
            text.push(b'\n');
        }
        file.write_all(&text).map_err(lost)?;
        if firmly { file.sync_data().map_err(lost) } else { Ok(()) }
    }
}

fn key(repository: &Repository) -> (String, String) {
    (repository.registry.clone(), repository.name.clone())
}

#[async_trait]
impl Memory for Journal {
    async fn has_begun(&self, registry: &str) -> Result<bool, Lost> {
        Ok(self.state().begun.contains(registry))
    }

    async fn begun(&self, registry: &str) -> Result<(), Lost> {
        let mut state = self.state();
        state.add(&[Line::Begun(registry.to_owned())], true)?;
        state.begun.insert(registry.to_owned());
        Ok(())
    }

    async fn repositories(&self, _: &str) -> Result<Vec<(String, String)>, Lost> {
        Ok(self.state().tags.keys().cloned().collect())
    }

    async fn tags(&self, repository: &Repository) -> Result<BTreeMap<String, Digest>, Lost> {
        Ok(self.state().tags.get(&key(repository)).cloned().unwrap_or_default())
    }

    async fn tag(&self, repository: &Repository, tag: &str) -> Result<Option<Digest>, Lost> {
        let state = self.state();
        Ok(state.tags.get(&key(repository)).and_then(|it| it.get(tag)).cloned())
    }

    async fn keep(&self, repository: &Repository, tag: &str, digest: &Digest) -> Result<(), Lost> {
        let (registry, name) = key(repository);
        let line = Line::Seen(registry, name, tag.to_owned(), digest.clone());
        let mut state = self.state();
        state.add(std::slice::from_ref(&line), false)?;
        state.take(line);
        Ok(())
    }

    async fn forget(&self, repository: &Repository, tag: &str) -> Result<(), Lost> {
        let (registry, name) = key(repository);
        let line = Line::Gone(registry, name, tag.to_owned());
        let mut state = self.state();
        state.add(std::slice::from_ref(&line), false)?;
        state.take(line);
        Ok(())
    }

    async fn is_done(&self, digest: &Digest) -> Result<bool, Lost> {
        Ok(self.state().done.contains(digest))
    }
}

#[async_trait]
impl server::Keeper for Journal {
    async fn keep(&self, heard: Heard, _: Sender) -> Result<(), String> {
        self.told(heard.notices).map_err(|lost| lost.to_string())
    }
}

#[cfg(test)]
mod tests;
