//! What a party told is looked into, several tags at a time: none waits for the slowest.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use integration::Notice;
use integration::watch::{Report, Watch};
use serde::Deserialize as _;
use store::{IntegrationRecord, WaitingNotice};
use tokio::sync::watch;

use super::shelf::Attending;
use super::witness::Turn;
use super::{OVER, WORKERS};
use crate::app::App;

/// Tags that are looked into at once.
const AT_ONCE: usize = WORKERS * 2;
/// Notices that are fetched at once.
const BATCH: u32 = 500;
/// While something is under way, notices are asked for so often.
const PAUSE: Duration = Duration::from_millis(500);
/// So often it is asked whether the integration is still what it was.
const CHECK: Duration = Duration::from_secs(2);

/// Looks into what was told, until nothing waits by now and nobody looks any more, or others have their
/// turn.
pub(super) async fn deal(
    app: &App,
    record: &IntegrationRecord,
    watch: &Watch<'_>,
    attending: &Attending<'_>,
    turn: &Turn,
    mut look: watch::Receiver<bool>,
) -> Result<(), String> {
    let mut queue = Queue::default();
    let mut busy = Busy::new();
    let mut dealt = Vec::new();
    let mut outcome = Ok(());
    let mut checked = Instant::now();
    loop {
        // Asked before: what comes after the last look has a job of its own.
        let has_looked = *look.borrow_and_update();
        if checked.elapsed() >= CHECK {
            checked = Instant::now();
            let asking = app.store.integration_by_id(&record.id);
            let now = beside(&mut busy, &mut dealt, asking).await;
            let now = now.map_err(|error| error.to_string())?;
            if now.is_none_or(|it| it.revision != record.revision) {
                turn.end();
            }
        }
        if !turn.is_over() {
            beside(&mut busy, &mut dealt, queue.fill(app, record)).await?;
        }
        for (told, one) in dealt.drain(..) {
            queue.done(&told);
            outcome = outcome.and(one);
        }
        if !turn.is_over() {
            while busy.len() < AT_ONCE
                && let Some(told) = queue.next()
            {
                busy.push(look_into(app, watch, attending, told).boxed());
            }
        }
        if busy.is_empty() && (turn.is_over() || has_looked && queue.is_at_end) {
            return outcome;
        }
        tokio::select! {
            Some(one) = busy.next() => dealt.push(one),
            _ = look.changed(), if !has_looked => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// What is looked into right now. In boxes: of closures that borrow the compiler cannot tell whether
/// threads may share them.
type Busy<'a> = FuturesUnordered<BoxFuture<'a, Dealt>>;
type Dealt = (Told, Result<(), String>);

/// Does something while all of those go on: whoever is in the middle of a change must not wait for us,
/// for we may wait for them.
async fn beside<T>(
    busy: &mut Busy<'_>,
    dealt: &mut Vec<Dealt>,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            Some(one) = busy.next() => dealt.push(one),
        }
    }
}

/// Registry, repository, tag or digest, and what is said to have happened there.
type About = (String, String, String, &'static str);

/// All that waits and tells the same: however many speak of a tag, the registry is asked once.
struct Told {
    about: About,
    notice: Notice,
    waiting: Vec<WaitingNotice>,
}

/// What waits, and was fetched.
#[derive(Default)]
struct Queue {
    told: BTreeMap<About, Told>,
    /// What is looked into right now. What is told of it meanwhile is looked into afterwards.
    busy: BTreeSet<About>,
    /// All that was fetched and is not dealt with.
    held: HashSet<String>,
    /// Behind which notice it goes on; none is from the first, where what is tried again is.
    after: Option<String>,
    /// Nothing at all waited when it was asked for last.
    is_at_end: bool,
}

impl Queue {
    /// Fetches more, unless there is enough to do.
    async fn fill(&mut self, app: &App, record: &IntegrationRecord) -> Result<(), String> {
        let told = |error: store::Error| error.to_string();
        self.is_at_end = false;
        // Behind the last, and then from the first.
        for _ in 0..2 {
            if self.told.len() > AT_ONCE {
                return Ok(());
            }
            let from_first = self.after.is_none();
            let after = self.after.as_deref();
            let waiting = app.store.waiting_notices(&record.id, app.now(), after, BATCH).await;
            let waiting = waiting.map_err(told)?;
            self.is_at_end = from_first && waiting.is_empty();
            self.after = waiting.last().map(|it| it.id.clone());
            let mut is_news = false;
            for one in waiting {
                if self.held.contains(&one.id) {
                    continue;
                }
                is_news = true;
                if let Err((one, why)) = self.add(one) {
                    app.store.notice_failed(&one, app.now(), &why).await.map_err(told)?;
                }
            }
            if is_news || self.is_at_end {
                return Ok(());
            }
        }
        Ok(())
    }

    fn add(&mut self, one: WaitingNotice) -> Result<(), (WaitingNotice, String)> {
        let notice = match Notice::deserialize(&one.payload) {
            Ok(notice) => notice,
            Err(error) => return Err((one, format!("it cannot be read: {error}"))),
        };
        let (registry, repository, what) = notice.about();
        let action = notice.action.as_str();
        let about = (registry.to_owned(), repository.to_owned(), what.to_owned(), action);
        self.held.insert(one.id.clone());
        let new = || Told { about: about.clone(), notice, waiting: Vec::new() };
        self.told.entry(about.clone()).or_insert_with(new).waiting.push(one);
        Ok(())
    }

    /// One that nobody looks into.
    fn next(&mut self) -> Option<Told> {
        let about = self.told.keys().find(|it| !self.busy.contains(*it))?.clone();
        self.busy.insert(about.clone());
        self.told.remove(&about)
    }

    fn done(&mut self, told: &Told) {
        self.busy.remove(&told.about);
        for one in &told.waiting {
            self.held.remove(&one.id);
        }
    }
}

/// Asks the registry about what was told, and notes what came of that.
async fn look_into(app: &App, watch: &Watch<'_>, attending: &Attending<'_>, told: Told) -> Dealt {
    let outcome = match attending.watches(&told.notice.registry, &told.notice.repository).await {
        Ok(true) => {
            // The last of those who tell the same is who may have come before the registry knew.
            let heard = told.waiting.iter().map(|it| it.heard).max().unwrap_or_else(|| app.now());
            let ago = app.now().micros().saturating_sub(heard.micros());
            let ago = Duration::from_micros(u64::try_from(ago).unwrap_or(0));
            let looked = watch.told_before(&told.notice, ago).await;
            looked.map_err(|error| error.to_string())
        }
        Ok(false) => Ok(Report::default()),
        Err(why) => Err(why),
    };
    let noted = noted(app, &told.waiting, outcome).await;
    (told, noted.map_err(|error| error.to_string()))
}

async fn noted(
    app: &App,
    waiting: &[WaitingNotice],
    outcome: Result<Report, String>,
) -> Result<(), store::Error> {
    let why = match outcome {
        Ok(report) if report.is_whole() => {
            let ids: Vec<String> = waiting.iter().map(|it| it.id.clone()).collect();
            return app.store.notices_done(&ids, app.now()).await;
        }
        // It was not tried.
        Ok(report) if report.gaps.iter().any(|it| it.why == OVER) => return Ok(()),
        Ok(report) => {
            let gap = report.gaps.first().map(ToString::to_string);
            gap.unwrap_or_else(|| "the registry asks to be left alone".to_owned())
        }
        Err(why) => why,
    };
    for it in waiting {
        app.store.notice_failed(it, app.now(), &why).await?;
    }
    Ok(())
}
