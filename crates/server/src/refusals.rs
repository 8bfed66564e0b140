//! Webhooks that are not taken: counted per integration, and written down now and then, for whoever
//! knows the address may send as many as they like.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use model::Moment;
use store::{IntegrationRecord, Refused};

use crate::app::App;

/// Seconds between two times that something is written down of one integration.
const PAUSE: i64 = 5;
/// Integrations of which something is remembered.
const MOST: usize = 10_000;

/// What is counted and not yet written down, by the id of its integration.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<HashMap<String, Counted>>);

struct Counted {
    revision: i64,
    /// When something was written down of it last.
    written: Option<Moment>,
    refused: Refused,
}

impl Refusals {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Counted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be written down of it.
    fn taken(&self, record: &IntegrationRecord, now: Moment) -> Option<Refused> {
        let mut all = self.all();
        let counted = all.get_mut(&record.id).filter(|it| it.revision == record.revision)?;
        let taken = Refused { count: 0, ..counted.refused.clone() };
        let taken = std::mem::replace(&mut counted.refused, taken);
        (taken.count > 0).then(|| counted.written = Some(now)).map(|()| taken)
    }
}

/// Takes note of a webhook that was not taken, and writes it down if nothing was a moment ago.
pub(crate) async fn count(app: &App, record: &IntegrationRecord, status: StatusCode) {
    let now = app.now();
    let is_due = {
        let mut all = app.refusals.all();
        if all.len() >= MOST {
            all.clear();
        }
        let fresh = || Counted {
            revision: record.revision,
            written: None,
            refused: Refused { count: 0, last: now, why: String::new() },
        };
        let counted = all.entry(record.id.clone()).or_insert_with(fresh);
        if counted.revision != record.revision {
            *counted = fresh();
        }
        counted.refused.count = counted.refused.count.saturating_add(1);
        counted.refused.last = now;
        counted.refused.why = why(status);
        // A clock may have been set back.
        counted.written.is_none_or(|it| now < it || it.plus_seconds(PAUSE) <= now)
    };
    if is_due {
        write_down(app, record).await;
    }
}

/// Writes down what was counted of an integration.
pub(crate) async fn write_down(app: &App, record: &IntegrationRecord) {
    let Some(refused) = app.refusals.taken(record, app.now()) else { return };
    if let Err(error) = app.store.webhooks_refused(&record.id, record.revision, &refused).await {
        tracing::warn!(%error, integration = record.id, "refused webhooks cannot be written down");
    }
}

fn why(status: StatusCode) -> String {
    match status {
        StatusCode::UNAUTHORIZED => "its proof is missing, wrong or too old".to_owned(),
        StatusCode::METHOD_NOT_ALLOWED => "it was no POST".to_owned(),
        StatusCode::PAYLOAD_TOO_LARGE => "it was too long".to_owned(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "it was compressed".to_owned(),
        StatusCode::REQUEST_TIMEOUT => "it came too slowly".to_owned(),
        other => format!("it was answered {}", other.as_u16()),
    }
}
