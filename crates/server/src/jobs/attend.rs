//! A registry is attended to: what it told is looked into, and it is looked at when that is due.

mod shelf;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use integration::filter::Filter;
use integration::watch::{Backfill, Options, Report, Rhythm, Watch, WatchError};
use integration::{Directory, Notice};
use model::{Moment, OrganisationId};
use serde::Deserialize;
use serde_json::json;
use store::{IntegrationRecord, IntegrationState, NewJob, WaitingNotice};
use tokio::sync::{Semaphore, watch};

use super::Work;
use crate::app::App;
use crate::parties::{Party, connected};
use crate::reading::Reading;
use shelf::Attending;

/// Attends to one integration's registry.
pub(super) struct Attend;

const KIND: &str = "attend";
/// Images that are read at once, of one registry.
const WORKERS: usize = 3;
/// Notices that are looked at as one.
const BATCH: u32 = 500;
/// How often a registry is looked at that tells what happens in it, and one that does not.
const SELDOM: Duration = Duration::from_hours(1);
const OFTEN: Duration = Duration::from_mins(5);
/// While a look lasts, notices are asked for so often.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
struct Payload {
    integration: String,
}

/// The job that attends to an integration. There is one of it at a time.
pub(super) fn job(
    integration: &str,
    organisation: &OrganisationId,
    now: Moment,
    ready: Moment,
) -> NewJob {
    NewJob {
        kind: KIND.to_owned(),
        payload: json!({ "organisation": organisation, "integration": integration }),
        key: Some(integration.to_owned()),
        asked: now,
        ready,
        attempts: 5,
    }
}

#[async_trait]
impl Work for Attend {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, app: &App, payload: &serde_json::Value) -> Result<(), String> {
        let told = |error: store::Error| error.to_string();
        let it = Payload::deserialize(payload).map_err(|error| error.to_string())?;
        if app.reach.offline {
            return Err("no registry is asked here".to_owned());
        }
        let Some(record) = app.store.integration_by_id(&it.integration).await.map_err(told)? else {
            return Ok(());
        };
        let party = match connected(app, &record).await {
            Ok(party) => party,
            Err(why) => {
                became(app, &record, IntegrationState::Failed { why: why.clone() }).await?;
                return Err(why);
            }
        };
        let Some(directory) = party.integration.directory() else { return Ok(()) };
        attend(app, &record, &party, directory).await
    }
}

async fn attend(
    app: &App,
    record: &IntegrationRecord,
    party: &Party,
    directory: &dyn Directory,
) -> Result<(), String> {
    let places = Semaphore::new(WORKERS);
    let attending = Attending::new(app, record).await?;
    let reading = Reading {
        engine: &app.reach.engine,
        settings: Arc::clone(&party.ways),
        progress: Arc::new(image::Silent),
        platforms: &[],
        contents: true,
        places: &places,
        shelf: &attending,
    };
    let hands = attending.hands(&reading);
    let options = Options {
        filter: Filter::of(&party.settings),
        // What is there when somebody begins to watch: the newest of each repository is read.
        backfill: Backfill::Newest,
        workers: WORKERS,
    };
    let watch = Watch::new(directory, &attending, &hands, options);
    let (looked, look) = watch::channel(false);
    let looking = async {
        let outcome = look_if_due(app, record, party, &watch, &attending).await;
        looked.send_replace(true);
        outcome
    };
    let hearing = deal(app, record, &watch, &attending, look);
    let (looked, heard) = tokio::join!(looking, hearing);
    looked.and(heard)
}

/// Looks at all of it, when that is due, and says when it is again.
async fn look_if_due(
    app: &App,
    record: &IntegrationRecord,
    party: &Party,
    watch: &Watch<'_>,
    attending: &Attending<'_>,
) -> Result<(), String> {
    let told = |error: store::Error| error.to_string();
    let began = app.now();
    if !app.store.is_look_due(&record.id, began).await.map_err(told)? {
        return Ok(());
    }
    let outcome = look(watch, attending).await;
    let tells = party.integration.inbox().is_some() && !party.secrets.is_empty();
    let rest = Rhythm::new(if tells { SELDOM } else { OFTEN }).rest(&outcome);
    let rest = i64::try_from(rest.as_secs()).unwrap_or(i64::MAX);
    app.store.look_again(&record.id, began, app.now().plus_seconds(rest)).await.map_err(told)?;
    let state = match &outcome {
        Ok(report) => {
            for gap in report.gaps.iter().take(20) {
                tracing::warn!(integration = record.id, %gap, "not looked at");
            }
            let (analyzed, gone) = (report.analyzed, report.gone);
            tracing::info!(integration = record.id, tags = report.tags, analyzed, gone, "looked");
            IntegrationState::Connected
        }
        Err(WatchError::Failed(failure)) => {
            IntegrationState::Failed { why: failure.error.to_string() }
        }
        Err(WatchError::Lost(lost)) => return Err(lost.to_string()),
    };
    became(app, record, state).await
}

async fn look(watch: &Watch<'_>, attending: &Attending<'_>) -> Result<Report, WatchError> {
    let (mut repositories, gaps) = watch.repositories().await?;
    repositories.retain(|it| attending.watches(&it.registry, &it.name));
    let mut report = watch.look(&repositories).await?;
    report.gaps.extend(gaps);
    Ok(report)
}

/// Looks into what was told, until nothing waits by now and nobody looks any more.
async fn deal(
    app: &App,
    record: &IntegrationRecord,
    watch: &Watch<'_>,
    attending: &Attending<'_>,
    mut look: watch::Receiver<bool>,
) -> Result<(), String> {
    let told = |error: store::Error| error.to_string();
    loop {
        // Asked before: what comes after the last look has a job of its own.
        let is_last = *look.borrow_and_update();
        let waiting =
            app.store.waiting_notices(&record.id, app.now(), BATCH).await.map_err(told)?;
        if waiting.is_empty() {
            if is_last {
                break;
            }
            tokio::select! {
                _ = look.changed() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
            continue;
        }
        deal_with(app, watch, attending, &waiting).await?;
    }
    // What is to be tried again later is not forgotten.
    if let Some(next) = app.store.next_notice(&record.id).await.map_err(told)? {
        let job = job(&record.id, &record.organisation, app.now(), next);
        app.store.enqueue(&job).await.map_err(told)?;
    }
    Ok(())
}

/// Registry, repository, tag or digest, and what is said to have happened there.
type About = (String, String, String, &'static str);

async fn deal_with(
    app: &App,
    watch: &Watch<'_>,
    attending: &Attending<'_>,
    waiting: &[WaitingNotice],
) -> Result<(), String> {
    let told = |error: store::Error| error.to_string();
    // However many speak of a tag, the registry is asked once.
    let mut about: BTreeMap<About, (Notice, Vec<&WaitingNotice>)> = BTreeMap::new();
    for it in waiting {
        match Notice::deserialize(&it.payload) {
            Ok(notice) => {
                let (registry, repository, what) = notice.about();
                let key = (registry.to_owned(), repository.to_owned(), what.to_owned());
                let key = (key.0, key.1, key.2, notice.action.as_str());
                about.entry(key).or_insert_with(|| (notice, Vec::new())).1.push(it);
            }
            Err(error) => {
                let why = format!("it cannot be read: {error}");
                app.store.notice_failed(it, app.now(), &why).await.map_err(told)?;
            }
        }
    }
    // In boxes: of closures that borrow the compiler cannot tell whether threads may share them.
    // Each notes itself what came of it: whoever is in the middle of something must not wait for us.
    let looks: Vec<BoxFuture<'_, Result<(), String>>> = about
        .into_values()
        .map(|(notice, waiting)| look_into(app, watch, attending, notice, waiting).boxed())
        .collect();
    let mut answers = stream::iter(looks).buffer_unordered(WORKERS * 2);
    let mut outcome = Ok(());
    while let Some(one) = answers.next().await {
        outcome = outcome.and(one);
    }
    outcome
}

/// Asks the registry about what was told, and notes what came of that.
async fn look_into(
    app: &App,
    watch: &Watch<'_>,
    attending: &Attending<'_>,
    notice: Notice,
    waiting: Vec<&WaitingNotice>,
) -> Result<(), String> {
    let told = |error: store::Error| error.to_string();
    let outcome = if attending.watches(&notice.registry, &notice.repository) {
        watch.told(&notice).await
    } else {
        Ok(Report::default())
    };
    let why = match outcome {
        Ok(report) if report.is_whole() => {
            let ids: Vec<String> = waiting.iter().map(|it| it.id.clone()).collect();
            return app.store.notices_done(&ids, app.now()).await.map_err(told);
        }
        Ok(report) => {
            let gap = report.gaps.first().map(ToString::to_string);
            gap.unwrap_or_else(|| "the registry asks to be left alone".to_owned())
        }
        Err(error) => error.to_string(),
    };
    for it in waiting {
        app.store.notice_failed(it, app.now(), &why).await.map_err(told)?;
    }
    Ok(())
}

/// Takes note of whether it works.
async fn became(
    app: &App,
    record: &IntegrationRecord,
    state: IntegrationState,
) -> Result<(), String> {
    let act = super::itself(app, KIND);
    let news = app.store.integration_is(record, &act, &state).await;
    news.map(|_| ()).map_err(|error| error.to_string())
}
