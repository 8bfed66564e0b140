//! What was seen of a registry, in a file: whoever is stopped in the middle goes on where it stopped.
//!
//! A line is one thing that became true; the last line about something counts. It lies beside the
//! database, or where that would lie, and is no cache: without it, what was pushed while nobody
//! watched would be taken for what was there before.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
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

/// What is watched, as far as it changes what was seen. Whoever asks for something else begins anew
/// with what nobody asked for before.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// Repositories and tags.
    pub(super) all: String,
    /// Tags alone.
    pub(super) tags: String,
    /// What is read of an image; nothing stands for all of it.
    pub(super) part: String,
}

/// What became true.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    /// Somebody began to watch that much of the registry.
    Begun(String),
    /// Registry, repository, and which of its tags: nobody looked at them yet, and they were there
    /// before anybody watched.
    Awaited(String, String, String),
    /// They were looked at.
    Met(String, String, String),
    /// Registry, repository, tag: it leads there.
    Seen(String, String, String, Digest),
    /// It is gone.
    Gone(String, String, String),
    /// An image was worked on.
    Done(Digest),
    /// That part of it was.
    DoneInPart(Digest, String),
    /// Somebody told us.
    Told(Box<Notice>),
    /// What they told is dealt with.
    Dealt(String),
}

#[derive(Default)]
struct State {
    begun: BTreeSet<String>,
    /// Registry, repository, and which of its tags; whether they were looked at.
    met: BTreeMap<(String, String, String), bool>,
    tags: BTreeMap<(String, String), BTreeMap<String, Digest>>,
    done: HashSet<Digest>,
    done_in_part: HashSet<(Digest, String)>,
    /// By number, in the order in which they came.
    waiting: BTreeMap<u64, Notice>,
    /// The number of each, by its id.
    numbers: HashMap<String, u64>,
    next: u64,
    /// Where it is written; nowhere when nothing is to be kept.
    log: Option<Log>,
}

/// The file.
struct Log {
    file: File,
    path: PathBuf,
    lines: usize,
    /// With more lines than these it is written anew.
    most: usize,
    /// What was written last may end in the middle of a line.
    is_torn: bool,
}

/// What was seen of one registry.
pub(super) struct Journal {
    scope: Scope,
    state: Mutex<State>,
    news: Notify,
    /// The number of the first notice that this process hears.
    new: u64,
    /// Held as long as this is.
    _lock: Option<std::fs::File>,
}

impl Journal {
    /// Opens the journal of that name; `aside`: what is seen now is kept nowhere.
    pub(super) fn open(
        folder: &Path,
        name: &str,
        scope: Scope,
        aside: bool,
    ) -> anyhow::Result<Self> {
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
            let lines = if path.exists() { state.read(&path)? } else { None };
            state.log = Some(match lines {
                Some(lines) if lines <= state.most() => {
                    let file = fs_err::OpenOptions::new().append(true).open(&path)?;
                    Log { file, path, lines, most: state.most(), is_torn: false }
                }
                // A line that was cut off would swallow the next one.
                _ => state.written_anew(&path)?,
            });
        }
        let new = state.next;
        Ok(Self { scope, state: Mutex::new(state), news: Notify::new(), new, _lock: lock })
    }

    /// The image was worked on.
    pub(super) fn done(&self, digest: &Digest) -> Result<(), Lost> {
        let digest = digest.clone();
        self.note(match self.scope.part.as_str() {
            "" => Line::Done(digest),
            part => Line::DoneInPart(digest, part.to_owned()),
        })
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

    /// Those that wait from this number on, in the order in which they came. True of those that came
    /// since this was opened.
    pub(super) fn since(&self, number: u64) -> Vec<(u64, Notice, bool)> {
        let state = self.state();
        let waiting = state.waiting.range(number..);
        waiting.map(|(number, notice)| (*number, notice.clone(), *number >= self.new)).collect()
    }

    /// These are dealt with.
    pub(super) fn dealt(&self, ids: &[String]) -> Result<(), Lost> {
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

    fn note(&self, line: Line) -> Result<(), Lost> {
        let mut state = self.state();
        state.add(std::slice::from_ref(&line), false)?;
        state.take(line);
        Ok(())
    }

    /// The repository, and which of its tags.
    fn part(&self, repository: &Repository) -> (String, String, String) {
        let (registry, name) = key(repository);
        (registry, name, self.scope.tags.clone())
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
    /// Reads a file, and says how many lines it has; `None`: its last one was cut off. What cannot be
    /// read was being written when somebody pulled the plug, and is looked at again.
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
            Line::Awaited(registry, repository, tags) => {
                self.met.insert((registry, repository, tags), false);
            }
            Line::Met(registry, repository, tags) => {
                self.met.insert((registry, repository, tags), true);
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
            Line::DoneInPart(digest, part) => {
                self.done_in_part.insert((digest, part));
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
        let done = self.done.len() + self.done_in_part.len();
        self.begun.len() + self.met.len() + tags + done + self.waiting.len()
    }

    /// With how many lines a file is worth keeping as it is.
    fn most(&self) -> usize {
        self.size() * 2 + SLACK
    }

    /// Writes a file that says all of it, and puts it into place in one step.
    fn written_anew(&self, path: &Path) -> std::io::Result<Log> {
        let beside = path.with_extension("new");
        let mut writer = std::io::BufWriter::new(File::create(&beside)?);
        let mut lines = 0;
        let mut put = |line: &Line| -> std::io::Result<()> {
            lines += 1;
            serde_json::to_writer(&mut writer, line)?;
            writer.write_all(b"\n")
        };
        for scope in &self.begun {
            put(&Line::Begun(scope.clone()))?;
        }
        for ((registry, repository, tags), is_met) in &self.met {
            let make = if *is_met { Line::Met } else { Line::Awaited };
            put(&make(registry.clone(), repository.clone(), tags.clone()))?;
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
        for (digest, part) in &self.done_in_part {
            put(&Line::DoneInPart(digest.clone(), part.clone()))?;
        }
        for notice in self.waiting.values() {
            put(&Line::Told(Box::new(notice.clone())))?;
        }
        let file = writer.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.sync_all()?;
        // What is added later goes to the same file, by its new name.
        fs_err::rename(beside, path)?;
        // Where a folder cannot be made to last, there is no going back either.
        #[cfg(unix)]
        let _ = path.parent().map(|it| File::open(it).and_then(|it| it.sync_all()));
        Ok(Log { file, path: path.to_owned(), lines, most: self.most(), is_torn: false })
    }

    /// Adds lines to the file; `firmly`: a power cut does not take them away.
    fn add(&mut self, lines: &[Line], firmly: bool) -> Result<(), Lost> {
        self.shorten();
        let Some(log) = &mut self.log else { return Ok(()) };
        let lost = |error: std::io::Error| Lost(error.to_string());
        let mut text = Vec::new();
        if log.is_torn {
            text.push(b'\n');
        }
        for line in lines {
            serde_json::to_writer(&mut text, line).map_err(|error| lost(error.into()))?;
            text.push(b'\n');
        }
        log.is_torn = true;
        log.file.write_all(&text).map_err(lost)?;
        log.is_torn = false;
        log.lines += lines.len();
        if firmly { log.file.sync_data().map_err(lost) } else { Ok(()) }
    }

    /// Keeps the file from growing for ever. Where it cannot be written anew, it is good as it is.
    fn shorten(&mut self) {
        let path = match &self.log {
            Some(log) if log.lines > log.most => log.path.clone(),
            _ => return,
        };
        let anew = self.written_anew(&path);
        let most = self.most();
        match (anew, &mut self.log) {
            (Ok(anew), log) => *log = Some(anew),
            (Err(_), Some(log)) => log.most = log.lines + most,
            (Err(_), None) => {}
        }
    }
}

fn key(repository: &Repository) -> (String, String) {
    (repository.registry.clone(), repository.name.clone())
}

#[async_trait]
impl Memory for Journal {
    async fn has_begun(&self, _: &str) -> Result<bool, Lost> {
        Ok(self.state().begun.contains(&self.scope.all))
    }

    async fn begun(&self, _: &str) -> Result<(), Lost> {
        self.note(Line::Begun(self.scope.all.clone()))
    }

    async fn begin(&self, _: &str, repositories: &[Repository]) -> Result<(), Lost> {
        let mut state = self.state();
        let mut lines: Vec<Line> = Vec::new();
        for part in repositories.iter().map(|it| self.part(it)) {
            if !state.met.contains_key(&part) {
                lines.push(Line::Awaited(part.0, part.1, part.2));
            }
        }
        state.add(&lines, true)?;
        for line in lines {
            state.take(line);
        }
        Ok(())
    }

    async fn is_awaited(&self, _: &str, repository: &Repository) -> Result<bool, Lost> {
        let state = self.state();
        let is_met = state.met.get(&self.part(repository));
        Ok(!is_met.copied().unwrap_or_else(|| state.begun.contains(&self.scope.all)))
    }

    async fn met(&self, repository: &Repository) -> Result<(), Lost> {
        let part = self.part(repository);
        if self.state().met.get(&part) == Some(&true) {
            return Ok(());
        }
        self.note(Line::Met(part.0, part.1, part.2))
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
        self.note(Line::Seen(registry, name, tag.to_owned(), digest.clone()))
    }

    async fn forget(&self, repository: &Repository, tag: &str) -> Result<(), Lost> {
        let (registry, name) = key(repository);
        self.note(Line::Gone(registry, name, tag.to_owned()))
    }

    async fn is_done(&self, digest: &Digest) -> Result<bool, Lost> {
        let state = self.state();
        let part = (digest.clone(), self.scope.part.clone());
        Ok(state.done.contains(digest) || state.done_in_part.contains(&part))
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
