//! A registry is attended to: what it told is looked into, and it is looked at when that is due.

mod deal;
mod look;
mod shelf;
mod turn;
mod witness;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use integration::filter::Filter;
use integration::watch::{Backfill, Options, Watch};
use integration::{Directory, Failure, Role};
use model::{Moment, OrganisationId};
use store::{IntegrationRecord, IntegrationState, NewJob};
use tokio::sync::{Semaphore, watch};

use super::{Work, party};
use crate::app::App;
use crate::parties::{Party, connected};
use crate::reading::Reading;
use shelf::Attending;
use turn::Turn;
use witness::Witness;

pub(crate) use witness::Looking;

/// Attends to one integration's registry.
pub(super) struct Attend;

const KIND: &str = "attend";
/// Images that are read at once, of one registry.
const WORKERS: usize = 3;
/// For so long it is this one's turn; then others have theirs.
const TURN: Duration = Duration::from_mins(3);
/// What is never looked at is due in a hundred years.
const NEVER: i64 = 100 * 365 * 24 * 60 * 60;

/// The job that attends to an integration. There is one of it at a time.
pub(super) fn job(
    integration: &str,
    organisation: &OrganisationId,
    now: Moment,
    ready: Moment,
) -> NewJob {
    party::job(KIND, (integration, organisation), now, ready)
}

/// Looks at integrations of an organisation as soon as somebody has time for it.
pub(crate) async fn soon(
    app: &App,
    organisation: &OrganisationId,
    integrations: &[&str],
) -> Result<(), store::Error> {
    if integrations.is_empty() || app.reach.offline {
        return Ok(());
    }
    let now = app.now();
    app.store.look_now(organisation, integrations, now).await?;
    let jobs: Vec<NewJob> = integrations.iter().map(|it| job(it, organisation, now, now)).collect();
    app.store.enqueue_all(&jobs).await.map(|_| ())
}

#[async_trait]
impl Work for Attend {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn takes_long(&self) -> bool {
        true
    }

    async fn run(&self, app: &App, payload: &serde_json::Value) -> Result<(), String> {
        let told = |error: store::Error| error.to_string();
        let Some(record) = party::asked(app, payload).await? else { return Ok(()) };
        if integration::find(&record.kind).is_some_and(|it| it.role == Role::Notifier) {
            // There is nothing to look at where somebody is told something.
            let (now, never) = (app.now(), app.now().plus_seconds(NEVER));
            return app.store.look_again(&record, now, never).await.map_err(told);
        }
        let began = app.now();
        let party = match connected(app, &record).await {
            Ok(party) => party,
            Err(why) => return party::is_away(app, KIND, &record, (began, why)).await,
        };
        let Some(directory) = party.integration.directory() else { return Ok(()) };
        attend(app, &record, &party, directory, &Turn::new(TURN)).await
    }
}

#[cfg(test)]
pub(super) async fn attend_for(
    app: &App,
    record: &IntegrationRecord,
    time: Duration,
) -> Result<(), String> {
    let party = connected(app, record).await?;
    let directory = party.integration.directory().ok_or("it has no directory")?;
    attend(app, record, &party, directory, &Turn::new(time)).await
}

async fn attend(
    app: &App,
    record: &IntegrationRecord,
    party: &Party,
    directory: &dyn Directory,
    turn: &Turn,
) -> Result<(), String> {
    let places = Semaphore::new(WORKERS);
    let witness = Witness { app, record, directory, turn, party };
    let attending = Attending::new(app, record, &witness);
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
        filter: Filter::of(party.kind, &party.settings),
        // What is there when somebody begins to watch: the newest of each repository is read.
        backfill: Backfill::Newest,
        workers: WORKERS,
    };
    let watch = Watch::new(&witness, &attending, &hands, options);
    let (looked, look) = watch::channel(false);
    let looking = async {
        let outcome = look::look_if_due(app, record, &watch, &witness, &attending).await;
        turn.begin();
        looked.send_replace(true);
        outcome
    };
    let looking = Box::pin(looking);
    let hearing = Box::pin(deal::deal(app, record, &watch, &attending, turn, look));
    let (looked, heard) = tokio::join!(looking, hearing);
    let outcome = looked.and(heard);
    let is_former = turn.is_stopped() && !attending.is_current().await?;
    if is_former || turn.is_over() && outcome.is_ok() {
        // What is left is done when others had their turn, with what is said of it by then.
        let now = app.now();
        let job = job(&record.id, &record.organisation, now, now);
        app.store.enqueue(&job).await.map_err(|error| error.to_string())?;
    }
    if is_former { Ok(()) } else { outcome }
}

/// Takes note of whether it works.
async fn became(
    app: &App,
    record: &IntegrationRecord,
    state: IntegrationState,
) -> Result<(), String> {
    party::became(app, KIND, record, state).await.map_err(|error| error.to_string())
}

/// Nothing is wrong but that others have their turn now.
const OVER: &str = "it is the turn of others";

/// It is to be left alone for now, which says nothing of what is there.
fn over(what: &str) -> Failure {
    Failure { error: image::Error::unavailable(what, OVER), wait: Some(Duration::ZERO) }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn away(error: store::Error) -> Failure {
    image::Error::unavailable("the database", error.to_string()).into()
}
