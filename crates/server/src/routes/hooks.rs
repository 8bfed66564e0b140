//! Where the webhooks of integrations come in: at a path that nobody guesses, each of its own.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use integration::{Age, Heard, Notice, Sender};
use sha2::{Digest as _, Sha256};
use store::{IntegrationRecord, NewNotice};

use crate::app::App;
use crate::body::{self, Path};
use crate::hooks::{later, received, taken};
use crate::identity::{Kind, hash};
use crate::jobs::attending;
use crate::parties::{Party, connected};
use crate::rate::Shown;
use crate::refusal::Refusal;
use crate::refusals;

pub(super) fn paths() -> Router<App> {
    Router::new().route("/hooks/{kind}/{secret}", any(heard))
}

/// A request is checked, read, and kept; then it is answered. Whatever it says is looked into by a
/// job, which asks the registry.
async fn heard(
    State(app): State<App>,
    Path((kind, secret)): Path<(String, String)>,
    request: Request,
) -> Response {
    let record = match found(&app, &kind, &secret).await {
        Ok(Some(record)) => {
            if let Some(shown) = request.extensions().get::<Shown>() {
                shown.good();
            }
            record
        }
        Ok(None) => return Refusal::no_such("path", "/hooks").into_response(),
        Err(error) => return Refusal::from(error).into_response(),
    };
    let party = match connected(&app, &record).await {
        Ok(party) => party,
        Err(why) => {
            tracing::warn!(why, integration = record.id, "a webhook cannot be taken");
            return later("the integration does not work");
        }
    };
    let Some(inbox) = party.integration.inbox() else {
        return Refusal::no_such("path", "/hooks").into_response();
    };
    let (parts, sent) = request.into_parts();
    let come = match taken(&parts, sent, inbox.limit()).await {
        Ok(come) => come,
        Err(response) => return refused(&app, &record, *response).await,
    };
    let answer = body::in_time(&parts, answered(&app, &record, &party, &parts, &come.bytes)).await;
    answer.unwrap_or_else(IntoResponse::into_response)
}

async fn answered(
    app: &App,
    record: &IntegrationRecord,
    party: &Party,
    parts: &Parts,
    sent: &Bytes,
) -> Response {
    let heard = received(&party.integration, parts, sent, &party.secrets, app.now()).await;
    let (heard, sender) = match heard {
        Ok(it) => it,
        Err(response) => {
            let status = response.status().as_u16();
            tracing::info!(integration = record.id, status, "a webhook was answered at once");
            return refused(app, record, *response).await;
        }
    };
    if matches!(sender, Sender::Verified { age: Age::Old, .. }) {
        tracing::warn!(integration = record.id, "a webhook still comes with the former secret");
    }
    let notices = match kept(heard, sent).await {
        Ok(notices) => notices,
        Err(refusal) => return refusal.into_response(),
    };
    if notices.is_empty() {
        return StatusCode::OK.into_response();
    }
    let now = app.now();
    match app.store.hear(record, now, &notices, &attending(record, now)).await {
        Ok(kept) => {
            tracing::info!(integration = record.id, new = kept.new, known = kept.known, "heard");
            StatusCode::OK.into_response()
        }
        Err(store::Error::Gone(_)) => Refusal::no_such("path", "/hooks").into_response(),
        Err(error) => {
            tracing::warn!(%error, integration = record.id, "a webhook cannot be kept");
            later("it cannot be kept")
        }
    }
}

/// An answer to what is not taken: a sender who is to come again is not refused.
async fn refused(app: &App, record: &IntegrationRecord, response: Response) -> Response {
    if response.status().is_client_error() {
        refusals::count(app, record, response.status()).await;
    }
    response
}

/// The integration of that path. What cannot be the end of one is not looked up.
async fn found(
    app: &App,
    kind: &str,
    secret: &str,
) -> Result<Option<IntegrationRecord>, store::Error> {
    if Kind::of(secret) != Some(Kind::Hook) {
        return Ok(None);
    }
    let record = app.store.integration_by_hook(&hash(secret)).await?;
    Ok(record.filter(|it| it.kind == kind))
}

/// What is to be dealt with, and what cannot be read: that is kept too, and seen.
async fn kept(heard: Heard, sent: &Bytes) -> Result<Vec<NewNotice>, Refusal> {
    let Heard { notices, gaps, .. } = heard;
    let mut all: Vec<NewNotice> = notices.iter().map(waiting).collect();
    if gaps.is_empty() {
        return Ok(all);
    }
    let whole = if body::is_lengthy(sent) {
        let sent = sent.clone();
        body::on_the_side(move || Sha256::digest(&sent)).await?
    } else {
        Sha256::digest(sent)
    };
    for gap in gaps {
        let sum =
            Sha256::new().chain_update(whole.as_slice()).chain_update(gap.to_string()).finalize();
        all.push(NewNotice {
            id: model::Digest::from_sha256(&sum.into()).to_string(),
            is_unique: true,
            about: format!("what cannot be read at {}", gap.at),
            repository: None,
            payload: serde_json::Value::Null,
            trouble: Some(gap.to_string()),
        });
    }
    Ok(all)
}

fn waiting(notice: &Notice) -> NewNotice {
    let (_, repository, what) = notice.about();
    let separator = if notice.tag.is_some() { ":" } else { "@" };
    NewNotice {
        id: notice.id.clone(),
        is_unique: notice.is_unique,
        about: format!("{} {repository}{separator}{what}", notice.action.as_str()),
        repository: Some(format!("{}/{repository}", notice.registry)),
        payload: serde_json::to_value(notice).unwrap_or_default(),
        trouble: None,
    }
}
