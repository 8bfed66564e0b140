//! Jobs about one integration: how they are asked for, and what they take note of.

use integration::Role;
use model::{Moment, OrganisationId};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use store::{IntegrationRecord, IntegrationState, NewJob};

use super::itself;
use crate::app::App;

/// One that cannot even be connected is tried again after so many seconds.
const AGAIN: i64 = 5 * 60;

/// The job of that kind about an integration. There is one of it at a time.
pub(super) fn job(
    kind: &str,
    (integration, organisation): (&str, &OrganisationId),
    now: Moment,
    ready: Moment,
) -> NewJob {
    NewJob {
        kind: kind.to_owned(),
        payload: json!({ "organisation": organisation, "integration": integration }),
        key: Some(integration.to_owned()),
        asked: now,
        ready,
        attempts: 5,
    }
}

/// The id of the integration that such a job is about.
pub(super) fn named(payload: &Json) -> Result<String, String> {
    #[derive(Deserialize)]
    struct Payload {
        integration: String,
    }
    let payload = Payload::deserialize(payload).map_err(|error| error.to_string())?;
    Ok(payload.integration)
}

/// That integration, if it is still there, for a job that asks its party.
pub(super) async fn asked(app: &App, payload: &Json) -> Result<Option<IntegrationRecord>, String> {
    let id = named(payload)?;
    if app.reach.offline {
        return Err("nobody is asked here".to_owned());
    }
    app.store.integration_by_id(&id).await.map_err(|error| error.to_string())
}

/// Takes note of whether it works.
pub(super) async fn became(
    app: &App,
    kind: &str,
    record: &IntegrationRecord,
    state: IntegrationState,
) -> Result<(), store::Error> {
    app.store.integration_is(record, &itself(app, kind), &state).await.map(|_| ())
}

/// It could not be connected. That is no failure of the job: one that waits to be tried again would be
/// in the way of what is told meanwhile.
pub(super) async fn is_away(
    app: &App,
    kind: &str,
    record: &IntegrationRecord,
    (began, why): (Moment, String),
) -> Result<(), String> {
    let noted = async {
        app.store.look_again(record, began, app.now().plus_seconds(AGAIN)).await?;
        became(app, kind, record, IntegrationState::Failed { why }).await
    };
    noted.await.map_err(|error| error.to_string())
}

/// Has those asked that are due, of one role, each by its job.
pub(super) async fn ask_due(
    app: &App,
    role: Role,
    job: impl Fn(&str, &OrganisationId, Moment) -> NewJob,
) -> Result<(), String> {
    if app.reach.offline {
        return Ok(());
    }
    let now = app.now();
    let due = app.store.due_looks(now).await.map_err(|error| error.to_string())?;
    let due = due.iter().filter(|it| super::is_of(&it.kind, role));
    let jobs: Vec<NewJob> = due.map(|it| job(&it.id, &it.organisation, now)).collect();
    app.store.enqueue_all(&jobs).await.map(|_| ()).map_err(|error| error.to_string())
}
