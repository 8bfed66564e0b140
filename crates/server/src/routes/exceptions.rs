//! Exceptions: flaws are taken out of the way, listed, and let back.

use std::collections::BTreeSet;

use api::{Excepting, Exception, ExceptionKept, Page, Problem};
use axum::extract::State;
use axum::http::StatusCode;
use model::{ExceptionKind, Moment, OrganisationId, Purl, Reference, Right};
use store::{ExceptionRecord, NewException};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::jobs;
use crate::refusal::Refusal;

/// Flaws, images, environments and packages of one.
const MOST: usize = 100;
/// Letters in a name of one of these,
const NAME: usize = 1_000;
/// and in what its author says.
const NOTE: usize = 10_000;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(one, put, delete))
}

/// The exceptions of an organisation, by name; those whose time is over, too.
#[utoipa::path(get, path = "/orgs/{org}/exceptions", tag = "exceptions",
    params(("org" = String, Path, description = "The organisation")),
    responses(
        (status = 200, body = Page<Exception>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
) -> Result<Json<Page<Exception>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let all = app.store.exceptions(&organisation).await?;
    let there = there(&app, &organisation).await?;
    let items = all.into_iter().map(|it| word(&app, it, &there)).collect::<Result<_, _>>()?;
    Ok(Json(Page { items, next: None }))
}

/// One of them.
#[utoipa::path(get, path = "/orgs/{org}/exceptions/{exception}", tag = "exceptions",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("exception" = String, Path, description = "Its name"),
    ),
    responses(
        (status = 200, body = Exception),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn one(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, exception)): Path<(String, String)>,
) -> Result<Json<Exception>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let found = app.store.exception(&organisation, &exception).await?;
    let found = found.ok_or_else(|| Refusal::no_such("exception", &exception))?;
    Ok(Json(word(&app, found, &there(&app, &organisation).await?)?))
}

/// Takes flaws out of the way, instead of those that were under that name. Only owners do.
#[utoipa::path(put, path = "/orgs/{org}/exceptions/{exception}", tag = "exceptions",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("exception" = String, Path, description = "Its name"),
    ),
    request_body = Excepting,
    responses(
        (status = 200, body = ExceptionKept),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn put(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, exception)): Path<(String, String)>,
    Json(sent): Json<Excepting>,
) -> Result<Json<ExceptionKept>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageOrganisation).await?;
    let (said, expires) = understood(sent, app.now())?;
    let definition = serde_json::to_value(&said)
        .map_err(|error| Refusal::from(api::Sort::Failed.because(error.to_string())))?;
    let new = NewException { name: &exception, definition: &definition, expires };
    let (record, new) = app.store.put_exception(&organisation, &app.act(&caller), &new).await?;
    jobs::count_soon(&app, &organisation).await?;
    let there = there(&app, &organisation).await?;
    Ok(Json(ExceptionKept { exception: word(&app, record, &there)?, new }))
}

/// Lets flaws back. Only owners do.
#[utoipa::path(delete, path = "/orgs/{org}/exceptions/{exception}", tag = "exceptions",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("exception" = String, Path, description = "Its name"),
    ),
    responses(
        (status = 204, description = "They are not out of the way any more"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, exception)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageOrganisation).await?;
    if app.store.delete_exception(&organisation, &app.act(&caller), &exception).await? {
        jobs::count_soon(&app, &organisation).await?;
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Refusal::no_such("exception", &exception))
    }
}

/// What was said, as it is kept, and when it ends; or why nobody can understand it.
fn understood(sent: Excepting, now: Moment) -> Result<(Excepting, Option<Moment>), Refusal> {
    let lists = [
        ("flaws", &sent.flaws),
        ("images", &sent.images),
        ("environments", &sent.environments),
        ("packages", &sent.packages),
    ];
    for (field, list) in lists {
        if list.len() > MOST {
            return Err(Refusal::malformed(field, format!("there are more than {MOST}")));
        }
        if list.iter().any(|it| it.trim().is_empty() || it.len() > NAME) {
            let why = format!("each has one letter at least and {NAME} at most");
            return Err(Refusal::malformed(field, why));
        }
    }
    if sent.flaws.is_empty() {
        return Err(Refusal::malformed("flaws", "it is about none"));
    }
    if sent.flaws.iter().any(|it| it == "*") {
        return Err(Refusal::malformed("flaws", "`*`: nobody decides about what nobody knows yet"));
    }
    let Some(kind) = ExceptionKind::parse(&sent.kind) else {
        let known = ExceptionKind::ALL.map(ExceptionKind::as_str).join(", ");
        return Err(Refusal::malformed("kind", format!("`{}` is none of {known}", sent.kind)));
    };
    let known = model::Exception::JUSTIFICATIONS;
    match (kind, sent.justification.as_deref()) {
        (ExceptionKind::FalsePositive, None) => {
            let why = format!("a false positive has one of {}", known.join(", "));
            return Err(Refusal::malformed("justification", why));
        }
        (_, Some(it)) if !known.contains(&it) => {
            let why = format!("`{it}` is none of {}", known.join(", "));
            return Err(Refusal::malformed("justification", why));
        }
        _ => {}
    }
    if sent.note.as_ref().is_some_and(|it| it.len() > NOTE) {
        return Err(Refusal::malformed("note", format!("it is longer than {NOTE} letters")));
    }
    for image in &sent.images {
        if image.parse::<model::Digest>().is_err() {
            image
                .parse::<Reference>()
                .map_err(|error| Refusal::malformed("images", format!("{image}: {error}")))?;
        }
    }
    for package in &sent.packages {
        package
            .parse::<Purl>()
            .map_err(|error| Refusal::malformed("packages", format!("{package}: {error}")))?;
    }
    let expires = sent.expires.as_deref().map(str::parse::<Moment>).transpose();
    let expires = expires.map_err(|error| Refusal::malformed("expires", error))?;
    if expires.is_some_and(|it| it <= now) {
        return Err(Refusal::malformed("expires", "that is over already"));
    }
    let said = Excepting { expires: expires.map(|it| it.to_string()), ..sent };
    Ok((said, expires))
}

/// The environments that are there.
async fn there(app: &App, organisation: &OrganisationId) -> Result<BTreeSet<String>, Refusal> {
    let names = app.store.environment_names(organisation).await?;
    Ok(names.into_values().collect())
}

fn word(
    app: &App,
    record: ExceptionRecord,
    there: &BTreeSet<String>,
) -> Result<Exception, Refusal> {
    let definition: Excepting = serde_json::from_value(record.definition).map_err(|error| {
        let why = format!("exception {}: it is of another version: {error}", record.name);
        Refusal::from(api::Sort::Failed.because(why))
    })?;
    let missing = definition.environments.iter().filter(|it| !there.contains(*it));
    Ok(Exception {
        missing: missing.cloned().collect(),
        definition,
        expired: record.expires.is_some_and(|it| it <= app.now()),
        name: record.name,
        created: record.created.to_string(),
        created_by: record.created_by,
        changed: record.changed.to_string(),
        changed_by: record.changed_by,
    })
}
