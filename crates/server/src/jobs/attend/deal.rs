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
use store::{IntegrationRecord, Setback, WaitingNotice};
use tokio::sync::watch;

use super::shelf::Attending;
use super::turn::Turn;
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

/// Looks into what was told, until nobody looks any more, and nothing waits by now or others have their
/// turn.
pub(super) async fn deal(
    app: &App,
    record: &IntegrationRecord,
    watch: &Watch<'_>,
    attending: &Attending<'_>,
    turn: &Turn,
    look: watch::Receiver<bool>,
) -> Result<(), String> {
    let dealt = go_on(app, record, watch, attending, turn, look).await;
    if dealt.is_err() {
        turn.stop();
    }
    dealt
}

async fn go_on(
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
            if !beside(&mut busy, &mut dealt, attending.is_current()).await? {
                turn.stop();
            }
        }
        // While somebody looks, nobody else can take what is told.
        let may_begin = || !(turn.is_stopped() || has_looked && turn.is_over());
        if may_begin() {
            let is_idle = busy.is_empty();
            beside(&mut busy, &mut dealt, queue.fill(app, record, is_idle)).await?;
        }
        for (told, one) in dealt.drain(..) {
            queue.done(&told);
            if one.is_err() {
                // What cannot be noted would be done again and again.
                turn.stop();
            }
            outcome = outcome.and(one);
        }
        if may_begin() {
            while busy.len() < AT_ONCE
                && let Some(told) = queue.next()
            {
                busy.push(look_into(app, record, watch, attending, told).boxed());
            }
        }
        if busy.is_empty() && has_looked && (turn.is_over() || queue.is_at_end) {
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
    after: Option<WaitingNotice>,
    /// When it was asked last, and nothing new waited.
    in_vain: Option<Instant>,
    /// Nothing at all waited when it was asked for last.
    is_at_end: bool,
}

impl Queue {
    /// Fetches more, unless there is enough to do, or nothing new was there a moment ago.
    async fn fill(
        &mut self,
        app: &App,
        record: &IntegrationRecord,
        is_idle: bool,
    ) -> Result<(), String> {
        let told = |error: store::Error| error.to_string();
        self.is_at_end = false;
        if !is_idle && self.in_vain.is_some_and(|it| it.elapsed() < PAUSE) {
            return Ok(());
        }
        self.in_vain = None;
        // Behind the last, and then from the first.
        for _ in 0..2 {
            if self.told.len() > AT_ONCE {
                return Ok(());
            }
            let from_first = self.after.is_none();
            let after = self.after.as_ref();
            let waiting = app.store.waiting_notices(record, app.now(), after, BATCH).await;
            let waiting = waiting.map_err(told)?;
            self.is_at_end = from_first && waiting.is_empty();
            self.after = waiting.last().cloned();
            let mut is_news = false;
            for one in waiting {
                if self.held.contains(&one.id) {
                    continue;
                }
                is_news = true;
                if let Err((one, why)) = self.add(one) {
                    let setback = Setback { why: &why, is_away: false, wait: 0 };
                    app.store
                        .notice_failed(record, &one, app.now(), setback)
                        .await
                        .map_err(told)?;
                }
            }
            if is_news {
                return Ok(());
            }
        }
        self.in_vain = Some(Instant::now());
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

    /// One that nobody looks into: the one that waits longest, whatever it is called.
    fn next(&mut self) -> Option<Told> {
        let free = self.told.values().filter(|it| !self.busy.contains(&it.about));
        let first = free.min_by_key(|it| it.waiting.first().map(|one| (one.ready, &one.id)))?;
        let about = first.about.clone();
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
async fn look_into(
    app: &App,
    record: &IntegrationRecord,
    watch: &Watch<'_>,
    attending: &Attending<'_>,
    told: Told,
) -> Dealt {
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
    if attending.is_stopped() {
        // It was not tried as it is told by now.
        return (told, Ok(()));
    }
    let noted = noted(app, record, &told.waiting, outcome).await;
    (told, noted.map_err(|error| error.to_string()))
}

async fn noted(
    app: &App,
    record: &IntegrationRecord,
    waiting: &[WaitingNotice],
    outcome: Result<Report, String>,
) -> Result<(), store::Error> {
    let (why, is_away, wait) = match outcome {
        Ok(report) if report.is_whole() => {
            let ids: Vec<String> = waiting.iter().map(|it| it.id.clone()).collect();
            return app.store.notices_done(record, &ids, app.now()).await;
        }
        // It was not tried.
        Ok(report) if report.gaps.iter().any(|it| it.why == OVER) => return Ok(()),
        Ok(report) => {
            let gap = report.gaps.first().map(ToString::to_string);
            let why = gap.unwrap_or_else(|| "the registry asks to be left alone".to_owned());
            let wait = report.wait.map_or(0, |it| i64::try_from(it.as_secs()).unwrap_or(i64::MAX));
            (why, report.wait.is_some() || report.away > 0, wait)
        }
        // It is ours.
        Err(why) => (why, true, 0),
    };
    for it in waiting {
        let setback = Setback { why: &why, is_away, wait };
        app.store.notice_failed(record, it, app.now(), setback).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use model::Moment;
    use serde_json::json;

    use super::*;

    fn waiting(number: i64, repository: &str) -> WaitingNotice {
        let digest = model::Digest::from_sha256(&[1; 32]);
        let payload = json!({
            "id": number.to_string(), "is_unique": true, "is_signed": true, "action": "pushed",
            "registry": "r.example", "repository": repository, "tag": "1", "digest": digest,
        });
        let ready = Moment::from_micros(number);
        WaitingNotice { id: number.to_string(), payload, attempts: 0, heard: ready, ready }
    }

    #[test]
    fn whoever_waits_longest_is_next() {
        let mut queue = Queue::default();
        for (number, repository) in [(1, "zzz/app"), (2, "aaa/one"), (3, "bbb/one"), (4, "zzz/app")]
        {
            queue.add(waiting(number, repository)).unwrap();
        }
        let mut order = Vec::new();
        while let Some(told) = queue.next() {
            let about = (told.about.1.clone(), told.waiting.len());
            if order.is_empty() {
                queue.add(waiting(5, "aaa/two")).unwrap();
                queue.add(waiting(6, "zzz/app")).unwrap();
            }
            order.push(about);
        }
        let order: Vec<String> = order.iter().map(|it| format!("{} {}", it.0, it.1)).collect();
        // What is told of one that is looked into right now waits until that is done.
        assert_eq!(order, ["zzz/app 2", "aaa/one 1", "bbb/one 1", "aaa/two 1"]);
    }
}
