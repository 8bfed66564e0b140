//! Looking at a registry again and again, and hearing what it tells in between.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use integration::watch::{Backfill, Options, Report, Rhythm, Rounds, WatchError};
use integration::{Directory, Integration, Repository, Secrets};
use model::Gap;
use server::{Bound, Ear, Listening};
use tokio::time::Instant;

use super::checks::Tried;
use super::hands::Reader;
use super::notices::{Asked, Backlog, Fate};
use super::parties::Party;
use super::{Watch, now};
use crate::asking::Asking;
use crate::failure::Failure;
use crate::messages::{Messages, count};

/// One registry that is watched.
pub(super) struct Round<'a> {
    pub(super) watch: &'a Watch,
    pub(super) party: &'a Party,
    pub(super) connected: Arc<dyn Integration>,
    pub(super) reader: Reader<'a>,
    pub(super) messages: &'a Messages,
}

/// Of so many looks one is at everything, also where the registry tells what changed.
const WHOLE: u32 = 10;
/// Notices that are asked about at once. Most of them wait for something; how much is done at once is
/// the workers' number.
const AT_ONCE: usize = 64;
/// Gaps of one look that are told.
const TOLD: usize = 10;

impl Round<'_> {
    /// Tries what is needed, and takes the port for webhooks where one is wanted.
    pub(super) async fn begin(&self, asking: &Asking) -> anyhow::Result<Option<Bound>> {
        let Party { kind, settings } = self.party;
        let mut tried = Tried::new(self.messages);
        tried.memory(asking, self.watch.dry_run).await;
        tried.credentials(self.party, self.reader.reading.settings.credentials.as_ref());
        for check in self.directory()?.checks().await {
            tried.add(&check);
        }
        let mut bound = None;
        if let Some(port) = settings.text("port").and_then(|it| it.parse().ok()) {
            if let Some(check) = kind.check_webhooks(settings) {
                tried.add(&check);
            }
            let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
            match Bound::to(&Listening { address, tls: None, workers: 0 }).await {
                Ok(it) => {
                    tried.ok("webhook port", &format!("listening on {}", it.address()));
                    bound = Some(it);
                }
                Err(error) => {
                    let hint = "another port will do, if the registry is told of it: port=9001";
                    tried.failed("webhook port", &error.to_string(), Some(hint));
                }
            }
        }
        if tried.failed > 0 {
            let what = format!(
                "cannot watch {}: {} of {} things that it needs are not there",
                self.party.host(),
                tried.failed,
                tried.all
            );
            return Err(Failure::error(what, "see above; nothing was read"));
        }
        Ok(bound)
    }

    /// Watches until somebody wants no more of it; or once.
    pub(super) async fn go_on(&self, bound: Option<Bound>) -> anyhow::Result<()> {
        let watch = self.engine()?;
        if self.watch.once {
            let report = self.look(&watch, &mut Seen::new()).await?;
            let gaps = count(report.gaps.len() as u64, "thing", "things");
            let is_whole = report.gaps.is_empty();
            self.tell(&Ok(report));
            return if is_whole {
                Ok(())
            } else {
                Err(Failure::error(
                    format!("{}: {gaps} could not be looked at", self.party.host()),
                    "look again: what was read is not read again",
                ))
            };
        }
        let hearing = async {
            let Some(bound) = bound else { return std::future::pending().await };
            let secret = self.party.kind.webhook_secret;
            let new = secret.and_then(|it| self.party.settings.secret(it)).cloned();
            let ear = Ear {
                party: Arc::clone(&self.connected),
                secrets: Secrets::new(new, None),
                clock: Arc::new(now),
                keeper: Arc::clone(&self.reader.journal) as Arc<dyn server::Keeper>,
            };
            Ok(bound.answer(server::ear(ear), std::future::pending()).await?)
        };
        tokio::select! {
            ended = self.look_again_and_again(&watch) => ended,
            ended = self.deal_with_notices(&watch) => ended,
            ended = hearing => ended,
        }
    }

    fn engine(&self) -> anyhow::Result<integration::watch::Watch<'_>> {
        let backfill = if self.watch.all_images { Backfill::All } else { Backfill::None };
        let filter = self.party.filter(&self.watch.tag)?;
        let options = Options { filter, backfill, workers: usize::from(self.watch.workers) };
        let directory = self.directory()?;
        let memory = self.reader.journal.as_ref();
        Ok(integration::watch::Watch::new(directory, memory, &self.reader, options))
    }

    fn directory(&self) -> anyhow::Result<&dyn Directory> {
        self.connected.directory().ok_or_else(|| {
            anyhow::anyhow!("{}: it does not tell what it holds", self.party.kind.title)
        })
    }

    async fn look_again_and_again(
        &self,
        watch: &integration::watch::Watch<'_>,
    ) -> anyhow::Result<()> {
        let mut rhythm = Rhythm::new(self.watch.interval());
        let mut seen = Seen::new();
        loop {
            let outcome = self.look(watch, &mut seen).await;
            self.tell(&outcome);
            tokio::time::sleep(rhythm.rest(&outcome)).await;
        }
    }

    /// Looks once.
    async fn look(
        &self,
        watch: &integration::watch::Watch<'_>,
        seen: &mut Seen,
    ) -> Result<Report, WatchError> {
        let began = now();
        let since = seen.rounds.since().filter(|_| self.watch.refresh_registry);
        if let Some(since) = since
            && let Some(report) = watch.look_since(since).await?
        {
            seen.rounds.looked(began, report.is_whole());
            return Ok(report);
        }
        let mut listed = match seen.repositories.take() {
            Some(known) if !self.watch.refresh_registry => watch.and_seen(known.into()).await?,
            _ => watch.repositories().await?,
        };
        // While the list has holes, it is asked for again.
        let is_whole = listed.gaps.is_empty();
        if !listed.is_torn {
            self.tell_what_stays(std::mem::take(&mut listed.gaps), seen);
        }
        let report = watch.look(&listed).await?.or_failure()?;
        seen.repositories = is_whole.then_some(listed.all);
        seen.rounds.looked(began, report.is_whole());
        Ok(report)
    }

    /// What is missing from the list and stays missing is said once, and is no fault of a look.
    fn tell_what_stays(&self, gaps: Vec<Gap>, seen: &mut Seen) {
        for gap in gaps.into_iter().take(TOLD) {
            let text = gap.to_string();
            if !seen.told.contains(&text) {
                self.messages.warn(&text);
                seen.told.insert(text);
            }
        }
    }

    /// What to do about what was just said.
    fn advise(&self, hint: Option<&str>, wait: Option<Duration>) {
        if let Some(hint) = hint {
            self.messages.advise(hint);
        }
        if let Some(wait) = wait {
            let (host, seconds) = (self.party.host(), wait.as_secs());
            self.messages.warn(&format!("{host} asks to be left alone for {seconds} s"));
        }
    }

    fn tell(&self, outcome: &Result<Report, WatchError>) {
        let host = self.party.host();
        let report = match outcome {
            Ok(report) => report,
            Err(error) => {
                self.messages.warn(&format!("{host}: {error}"));
                return match error {
                    WatchError::Failed(it) => self.advise(it.error.hint(), it.wait),
                    WatchError::Lost(_) => {}
                };
            }
        };
        let mut parts = vec![
            count(report.repositories as u64, "repository", "repositories"),
            count(report.tags as u64, "tag", "tags"),
        ];
        let mut add = |number: usize, what: &str| {
            if number > 0 {
                parts.push(format!("{number} {what}"));
            }
        };
        add(report.analyzed, "read");
        add(report.moved, "of what was read before");
        add(report.left, "there before and left alone");
        add(report.gone, "gone");
        add(report.gaps.len(), "not looked at");
        let line = format!("{host}: {}", parts.join(", "));
        let is_news =
            report.analyzed + report.moved + report.left + report.gone + report.gaps.len() > 0;
        if is_news || self.watch.once {
            self.messages.inform(&line);
        } else {
            self.messages.debug(&line);
        }
        for gap in report.gaps.iter().take(TOLD) {
            self.messages.warn(&gap.to_string());
        }
        if report.gaps.len() > TOLD {
            self.messages.warn(&format!("{} more", report.gaps.len() - TOLD));
        }
        self.advise(report.hint.as_deref(), report.wait);
    }

    /// Looks at what was told, as it comes.
    async fn deal_with_notices(&self, watch: &integration::watch::Watch<'_>) -> anyhow::Result<()> {
        let journal = &self.reader.journal;
        let mut backlog = Backlog::default();
        let mut under_way = FuturesUnordered::new();
        let mut next = 0;
        loop {
            for (number, notice, is_new) in journal.since(next) {
                next = number.saturating_add(1);
                backlog.add(notice, is_new.then(Instant::now));
            }
            while under_way.len() < AT_ONCE
                && let Some(asked) = backlog.next(Instant::now())
            {
                under_way.push(async move {
                    let outcome = self.look_into(watch, &asked).await;
                    (asked, outcome)
                });
            }
            let has_room = under_way.len() < AT_ONCE;
            let rest = backlog.rest(Instant::now()).filter(|_| has_room);
            tokio::select! {
                Some((asked, outcome)) = under_way.next() => {
                    let fate = backlog.answered(&asked, &outcome, Instant::now());
                    self.settle(&asked, &outcome, fate);
                }
                () = journal.news() => {}
                () = until(rest) => {}
            }
        }
    }

    /// What comes of asking about it.
    async fn look_into(
        &self,
        watch: &integration::watch::Watch<'_>,
        asked: &Asked,
    ) -> Result<Report, WatchError> {
        watch.told_before(&asked.notice, asked.ago).await
    }

    /// Notes what came of it, and says what went wrong.
    fn settle(&self, asked: &Asked, outcome: &Result<Report, WatchError>, fate: Fate) {
        let (registry, repository, what) = asked.notice.about();
        let sign = if asked.notice.tag.is_some() { ':' } else { '@' };
        let what = format!("what was told of {registry}/{repository}{sign}{what}");
        let (why, hint) = match outcome {
            Ok(Report { wait: Some(wait), .. }) => {
                (format!("the registry asks to be left alone for {} s", wait.as_secs()), None)
            }
            Ok(report) => {
                let why = report.gaps.first().map(ToString::to_string).unwrap_or_default();
                (why, report.hint.as_deref())
            }
            Err(error @ WatchError::Failed(it)) => (error.to_string(), it.error.hint()),
            Err(error @ WatchError::Lost(_)) => (error.to_string(), None),
        };
        match fate {
            Fate::Dealt => return self.dealt(asked),
            Fate::PutOff(true) => {
                let host = self.party.host();
                self.messages.warn(&format!("{host}: what was told is looked at later: {why}"));
            }
            Fate::PutOff(false) => self.messages.debug(&format!("{what}: {why}")),
            // Once will do: it is tried for as long as it takes.
            Fate::Again(1) => {
                self.messages.warn(&format!("{what} is looked at later: {why}"));
            }
            Fate::Again(tries) => self.messages.debug(&format!("{what}, {tries} tries: {why}")),
            Fate::Aside(tries) => {
                self.messages.warn(&format!("{what} is set aside after {tries} tries: {why}"));
                self.dealt(asked);
            }
        }
        if !matches!(fate, Fate::Again(2..) | Fate::PutOff(false)) {
            self.advise(hint, None);
        }
    }

    fn dealt(&self, asked: &Asked) {
        if let Err(lost) = self.reader.journal.dealt(&asked.ids) {
            // It is asked about once more by whoever comes after us.
            self.messages.warn(&lost.to_string());
        }
    }
}

/// Comes to pass then; never, where nobody says when.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// What the looks before this one found.
struct Seen {
    repositories: Option<Vec<Repository>>,
    rounds: Rounds,
    /// What is missing from the list, and was said.
    told: BTreeSet<String>,
}

impl Seen {
    fn new() -> Self {
        Self { repositories: None, rounds: Rounds::new(WHOLE), told: BTreeSet::new() }
    }
}
