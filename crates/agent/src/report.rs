//! Telling a server what runs: all of it when something is different, else that it still holds.
//!
//! There is no queue: what is told is what is seen at that moment, however long nobody could be told.
//! Whoever does not see what runs says nothing, and is heard of no more.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use api::{Client, Heartbeat, RunsIn, Snapped, Snapshot, Sort};
use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::again::Again;
use crate::contract::{Look, Runtime, Sight, Trouble, Voice};
use crate::health::Health;

/// How often something is told.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// That something holds is told again after that.
    pub every: Duration,
    /// A change is told once nothing else changed for that long,
    pub quiet: Duration,
    /// or after that long at most.
    pub longest: Duration,
    /// What is told is told no sooner after what was told before.
    pub apart: Duration,
    /// A server that does not answer for that long is away.
    pub answer: Duration,
    /// The first wait after something was not taken; the longest is sixty times that.
    pub again: Duration,
    /// Whoever waits until something is to be told says that often that they are alive.
    pub breath: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(30),
            quiet: Duration::from_millis(500),
            longest: Duration::from_secs(2),
            apart: Duration::from_secs(3),
            answer: Duration::from_mins(1),
            again: Duration::from_secs(1),
            breath: Duration::from_mins(1),
        }
    }
}

/// The way to a server. It is opened anew when the server does not know any more who asks, for tokens
/// are replaced.
#[async_trait]
pub trait Door: Send + Sync {
    /// The server, and the organisation to tell it for.
    async fn open(&self) -> Result<(Client, String), Trouble>;
}

/// Who tells what runs.
pub struct Reporter<'a> {
    /// Whom.
    pub door: &'a dyn Door,
    /// The runtime's name.
    pub name: &'a str,
    /// What those are called that see this and map it so; of others the server takes no word meanwhile.
    pub agent: &'a str,
    /// How often.
    pub pace: Pace,
    /// Environments that there are none of are to be made.
    pub create: bool,
    /// Who says what is done.
    pub voice: &'a dyn Voice,
    /// Who is asked whether all is well here.
    pub health: &'a Health,
}

/// Most that a server takes at once.
const ENVIRONMENTS: usize = 1_000;
const CONTAINERS: usize = 20_000;
const GAPS: usize = 100;
/// Most lines that are said of what is of no consequence.
const ASIDES: usize = 20;
/// Longest text of a gap.
const LONGEST: usize = 500;

/// What a server was told last.
struct Told {
    sight: Arc<Sight>,
    mark: String,
}

impl Reporter<'_> {
    /// Follows a runtime and tells what it runs, for as long as it is polled.
    pub async fn run(&self, runtime: &dyn Runtime) {
        let (news, heard) = watch::channel(0);
        tokio::join!(runtime.follow(&news, self.voice), self.tell(runtime, heard));
    }

    /// Tells once what runs. Whoever cannot see it all within `patience` says why.
    pub async fn once(&self, runtime: &dyn Runtime, patience: Duration) -> Result<(), Trouble> {
        let (news, mut heard) = watch::channel(0);
        let seen = async {
            loop {
                heard.borrow_and_update();
                match runtime.look() {
                    Look::Clear(sight) => return Ok(sight),
                    Look::Dark(Some(it)) | Look::Past(it) if it.lasting => return Err(it),
                    Look::Dark(_) | Look::Past(_) => {}
                }
                if heard.changed().await.is_err() {
                    return Err(Trouble::passing("look at what runs", "nobody looks any more"));
                }
            }
        };
        let quiet = Quiet(self.voice);
        let sight = tokio::select! {
            () = runtime.follow(&news, &quiet) => {
                return Err(Trouble::passing("look at what runs", "nobody looks any more"));
            }
            seen = timeout(patience, seen) => match seen {
                Ok(seen) => seen?,
                Err(_) => return Err(match runtime.look() {
                    Look::Dark(Some(trouble)) | Look::Past(trouble) => trouble,
                    _ => Trouble::passing("look at what runs", "it takes too long"),
                }),
            },
        };
        let (client, organisation) = self.door.open().await?;
        let told = self.snapshot(&client, &organisation, runtime.kind(), &sight).await;
        told.map(|_| ()).map_err(|it| it.trouble)
    }

    async fn tell(&self, runtime: &dyn Runtime, mut heard: watch::Receiver<u64>) {
        let pace = &self.pace;
        let mut again = Again::new(pace.again, pace.again.saturating_mul(60));
        let mut way = None;
        let mut told: Option<Told> = None;
        let mut complaint: Option<Trouble> = None;
        let (mut not_before, mut due) = (Instant::now(), Instant::now());
        loop {
            self.health.is_alive();
            self.settle(&mut heard).await;
            sleep_until(not_before).await;
            heard.borrow_and_update();
            let sight = match runtime.look() {
                Look::Clear(sight) => sight,
                Look::Dark(trouble) => {
                    let why =
                        trouble.map_or("not all of it was seen yet".into(), |it| it.to_string());
                    self.health.is_not_well(why);
                    let _ = heard.changed().await;
                    continue;
                }
                Look::Past(trouble) => {
                    self.health.is_not_well(trouble.to_string());
                    let _ = heard.changed().await;
                    continue;
                }
            };
            let mark = told.as_ref().filter(|it| it.sight == sight).map(|it| it.mark.clone());
            if mark.is_some() && Instant::now() < due {
                tokio::select! {
                    _ = heard.changed() => {}
                    () = sleep_until(due.min(Instant::now() + pace.breath)) => {}
                }
                continue;
            }
            let outcome = self.word(&mut way, runtime.kind(), &sight, mark).await;
            match outcome {
                Ok(mark) => {
                    told = Some(Told { sight, mark });
                    complaint = None;
                    again.reset();
                    self.health.is_well();
                    (not_before, due) = (Instant::now() + pace.apart, Instant::now() + pace.every);
                }
                Err(failed) if failed.is_lost => {
                    // The server holds something else by now, so all is told.
                    self.voice.debug(&format!("all is told again: {}", failed.trouble));
                    told = None;
                    not_before = Instant::now() + pace.apart;
                }
                Err(failed) => {
                    if failed.is_unknown {
                        way = None;
                    }
                    self.health.is_not_well(failed.trouble.to_string());
                    if complaint.as_ref() == Some(&failed.trouble) {
                        self.voice.debug(&failed.trouble.to_string());
                    } else {
                        self.voice.complain(&failed.trouble);
                    }
                    complaint = Some(failed.trouble);
                    not_before = Instant::now() + again.wait();
                }
            }
        }
    }

    /// Waits until what changes has changed, if anything does.
    async fn settle(&self, heard: &mut watch::Receiver<u64>) {
        let end = Instant::now() + self.pace.longest;
        while heard.has_changed().unwrap_or(false) {
            heard.borrow_and_update();
            let quiet = (Instant::now() + self.pace.quiet).min(end);
            tokio::select! {
                _ = heard.changed() => heard.mark_changed(),
                () = sleep_until(quiet) => return,
            }
            if Instant::now() >= end {
                return;
            }
        }
    }

    /// Tells that what `mark` is for holds; without one, all that runs. Answers the mark of it.
    async fn word(
        &self,
        way: &mut Option<(Client, String)>,
        kind: &str,
        sight: &Arc<Sight>,
        mark: Option<String>,
    ) -> Result<String, Failed> {
        let (client, organisation) = match way {
            Some(way) => way,
            None => way.insert(self.door.open().await?),
        };
        match mark {
            Some(mark) => self.heartbeat(client, organisation, mark).await,
            None => self.snapshot(client, organisation, kind, sight).await,
        }
    }

    async fn heartbeat(
        &self,
        client: &Client,
        organisation: &str,
        mark: String,
    ) -> Result<String, Failed> {
        let beat = Heartbeat { agent: self.agent.to_owned(), mark, seen: now() };
        let sent = client.beat(organisation, self.name, &beat);
        let what = || format!("tell that {} runs on", self.name);
        match timeout(self.pace.answer, sent).await {
            Ok(Ok(())) => {
                self.voice.debug(&format!("{}: nothing is different", self.name));
                Ok(beat.mark)
            }
            Ok(Err(error)) => {
                let sort = error.problem().map(|it| it.sort);
                let is_lost = matches!(sort, Some(Sort::Conflict | Sort::Changed | Sort::NotFound));
                Err(Failed { is_lost, ..Failed::of(what(), &error) })
            }
            Err(_) => Err(self.silent(what())),
        }
    }

    async fn snapshot(
        &self,
        client: &Client,
        organisation: &str,
        kind: &str,
        sight: &Sight,
    ) -> Result<String, Failed> {
        let snapshot = self.written(kind, sight);
        let sent = client.snap(organisation, self.name, &snapshot);
        let what = || format!("tell what runs in {}", self.name);
        match timeout(self.pace.answer, sent).await {
            Ok(Ok(snapped)) => {
                self.say(sight, &snapshot, &snapped);
                Ok(snapped.mark)
            }
            Ok(Err(error)) => Err(Failed::of(what(), &error)),
            Err(_) => Err(self.silent(what())),
        }
    }

    fn silent(&self, what: String) -> Failed {
        let seconds = self.pace.answer.as_secs();
        Trouble::passing(what, format!("the server said nothing for {seconds} s")).into()
    }

    /// All that runs, as it is told. What is too much for the server is a gap.
    fn written(&self, kind: &str, sight: &Sight) -> Snapshot {
        let mut gaps: BTreeSet<String> = sight.gaps.clone();
        if sight.running.len() > ENVIRONMENTS {
            gaps.insert(format!(
                "{} environments are named; {ENVIRONMENTS} are told",
                sight.running.len()
            ));
        }
        let environments = sight.running.iter().take(ENVIRONMENTS).map(|(environment, running)| {
            if running.len() > CONTAINERS {
                let many = running.len();
                gaps.insert(format!("{environment}: {many} run; {CONTAINERS} are told"));
            }
            let running = running.iter().take(CONTAINERS).map(Into::into).collect();
            RunsIn { environment: environment.clone(), running }
        });
        let environments = environments.collect();
        let (all, most) = (gaps.len(), GAPS - 1);
        let mut gaps: Vec<String> =
            gaps.into_iter().map(|it| it.chars().take(LONGEST).collect()).take(GAPS).collect();
        if all > GAPS {
            gaps.truncate(most);
            gaps.push(format!("{} more", all - most));
        }
        let every = u32::try_from(self.pace.every.as_secs()).unwrap_or(u32::MAX);
        Snapshot {
            kind: kind.to_owned(),
            agent: self.agent.to_owned(),
            seen: now(),
            every: every.clamp(1, 86_400),
            environments,
            create: self.create,
            gaps,
        }
    }

    fn say(&self, sight: &Sight, snapshot: &Snapshot, snapped: &Snapped) {
        let mut parts: Vec<String> = snapshot
            .environments
            .iter()
            .map(|it| format!("{} in {}", containers(it.running.len()), it.environment))
            .collect();
        if parts.is_empty() {
            parts.push("nothing runs".to_owned());
        }
        let (started, ended) = (snapped.started.len(), snapped.ended.len());
        self.voice.inform(&format!(
            "{}: {}; {started} began, {ended} ended",
            self.name,
            parts.join(", ")
        ));
        if snapped.unplaced > 0 {
            self.voice.warn(&format!(
                "{} told by the digest of their configuration alone, of images that nobody analyzed",
                are(usize::try_from(snapped.unplaced).unwrap_or(usize::MAX))
            ));
        }
        if !sight.left_out.is_empty() {
            let (many, names) = (sight.left_out.values().sum(), listed(sight.left_out.keys()));
            self.voice.inform(&format!(
                "left out, for no environment is theirs: {names} ({})",
                containers(many)
            ));
        }
        for line in sight.asides.iter().take(ASIDES) {
            self.voice.warn(line);
        }
        if sight.asides.len() > ASIDES {
            self.voice.warn(&format!("{} more of the kind", sight.asides.len() - ASIDES));
        }
        for gap in snapshot.gaps.iter().take(ASIDES) {
            self.voice.warn(gap);
        }
    }
}

/// The first few of some names.
fn listed<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    const SHOWN: usize = 10;
    let more = names.len().saturating_sub(SHOWN);
    let shown: Vec<&str> = names.take(SHOWN).map(String::as_str).collect();
    let shown = shown.join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

fn containers(many: usize) -> String {
    if many == 1 { "1 container".to_owned() } else { format!("{many} containers") }
}

fn are(many: usize) -> String {
    if many == 1 { "1 is".to_owned() } else { format!("{many} are") }
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}

/// Why something was not told.
struct Failed {
    trouble: Trouble,
    /// The server does not hold what was told before.
    is_lost: bool,
    /// It does not know who asks.
    is_unknown: bool,
}

impl Failed {
    fn of(what: String, error: &api::Error) -> Self {
        let sort = error.problem().map(|it| it.sort);
        let lasting = matches!(
            sort,
            Some(
                Sort::Malformed
                    | Sort::Unauthenticated
                    | Sort::Forbidden
                    | Sort::NotFound
                    | Sort::Refused
                    | Sort::TooLarge
            )
        );
        let hint = error.hint().map(str::to_owned);
        Self {
            trouble: Trouble { what, why: error.to_string(), hint, lasting },
            is_lost: false,
            is_unknown: sort == Some(Sort::Unauthenticated),
        }
    }
}

impl From<Trouble> for Failed {
    fn from(trouble: Trouble) -> Self {
        Self { trouble, is_lost: false, is_unknown: false }
    }
}

/// Says only to those who look for faults what went wrong: it is an error at the end, or it passed.
struct Quiet<'a>(&'a dyn Voice);

impl Voice for Quiet<'_> {
    fn inform(&self, line: &str) {
        self.0.inform(line);
    }

    fn warn(&self, line: &str) {
        self.0.debug(line);
    }

    fn advise(&self, line: &str) {
        self.0.debug(line);
    }

    fn debug(&self, line: &str) {
        self.0.debug(line);
    }
}

#[cfg(test)]
mod tests;
