//! Rules: who is told of what, what a rule would have told, and what was told.

mod notifications;
mod preview;

use std::collections::BTreeSet;

use api::{
    Channel, Definition, Page, Preview, PreviewQuery, Problem, Rule, Ruling, Sort, Tested, Topic,
};
use axum::extract::State;
use axum::http::StatusCode;
use integration::Role;
use model::{OrganisationId, Right};
use store::{NewRule, RuleRecord};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::telling::Terms;

/// Days of which it is told what a rule would have told.
const DAYS: u32 = 7;
const MOST_DAYS: u32 = 90;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(topics))
        .routes(routes!(list))
        .routes(routes!(one, put, delete))
        .routes(routes!(previewed))
        .routes(routes!(tested))
        .merge(notifications::paths())
}

/// What one may be told of.
#[utoipa::path(get, path = "/topics", tag = "rules",
    responses(
        (status = 200, body = Page<Topic>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn topics(_: Caller) -> Result<Json<Page<Topic>>, Refusal> {
    let topic = |it: &model::Topic| Topic {
        id: it.id.to_owned(),
        about: it.about.to_owned(),
        events: it.kinds.iter().map(|it| it.as_str().to_owned()).collect(),
    };
    Ok(Json(Page { items: model::Topic::ALL.iter().map(topic).collect(), next: None }))
}

/// The rules of an organisation, by name.
#[utoipa::path(get, path = "/orgs/{org}/rules", tag = "rules",
    params(("org" = String, Path, description = "The organisation")),
    responses(
        (status = 200, body = Page<Rule>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
) -> Result<Json<Page<Rule>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let records = app.store.rules(&organisation).await?;
    let items = words(&app, &organisation, records).await?;
    Ok(Json(Page { items, next: None }))
}

/// One rule.
#[utoipa::path(get, path = "/orgs/{org}/rules/{rule}", tag = "rules",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("rule" = String, Path, description = "Its name"),
    ),
    responses(
        (status = 200, body = Rule),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn one(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, rule)): Path<(String, String)>,
) -> Result<Json<Rule>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let record = found(&app, &organisation, &rule).await?;
    word(&app, &organisation, record).await.map(Json)
}

/// Keeps a rule, instead of the one of that name. It tells of what happens from then on. Only owners
/// do.
#[utoipa::path(put, path = "/orgs/{org}/rules/{rule}", tag = "rules",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("rule" = String, Path, description = "Its name"),
    ),
    request_body = Ruling,
    responses(
        (status = 200, body = Rule),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn put(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, rule)): Path<(String, String)>,
    Json(sent): Json<Ruling>,
) -> Result<Json<Rule>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageIntegrations).await?;
    if app.people("rule").is_err() {
        let why = "rule: nobody is here all the time to tell anything";
        let hint = "foretop serve is, and tells by rules what happens in it";
        return Err(Sort::Refused.because(why).with_hint(hint).into());
    }
    Terms::of(&sent.definition).map_err(|bad| {
        let problem = Sort::Refused.because(format!("rule: {}", bad.why));
        Refusal::from(bad.hint.into_iter().fold(problem, api::Problem::with_hint))
    })?;
    let kind = integration::find(&sent.channel.kind);
    // Tests have channels of their own.
    let kind = match kind {
        Some(it) if it.role == Role::Notifier => it.id,
        None if cfg!(test) => sent.channel.kind.as_str(),
        Some(it) => {
            let why = format!("rule: {} tells nobody anything", it.title);
            return Err(Sort::Refused.because(why).with_hint(channels()).into());
        }
        None => {
            let mut refusal = Refusal::no_such("kind of integration", &sent.channel.kind);
            refusal.0.hint = Some(channels());
            return Err(refusal);
        }
    };
    let definition = serde_json::to_value(&sent.definition)
        .map_err(|error| Refusal::from(Sort::Failed.because(error.to_string())))?;
    let new = NewRule { name: &rule, kind, channel: &sent.channel.name, definition: &definition };
    let (record, _) = app.store.put_rule(&organisation, &app.act(&caller), &new).await?;
    word(&app, &organisation, record).await.map(Json)
}

/// Deletes a rule, with what waits to be told by it. Only owners do.
#[utoipa::path(delete, path = "/orgs/{org}/rules/{rule}", tag = "rules",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("rule" = String, Path, description = "Its name"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, rule)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageIntegrations).await?;
    if app.store.delete_rule(&organisation, &app.act(&caller), &rule).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Refusal::no_such("rule", &rule))
    }
}

/// What a rule would have told of the last days, had it been there. Nothing is told.
#[utoipa::path(get, path = "/orgs/{org}/rules/{rule}/preview", tag = "rules",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("rule" = String, Path, description = "Its name"),
        PreviewQuery,
    ),
    responses(
        (status = 200, body = Preview),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn previewed(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, rule)): Path<(String, String)>,
    Query(query): Query<PreviewQuery>,
) -> Result<Json<Preview>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let days = query.days.unwrap_or(DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        let why = format!("it is a number from 1 to {MOST_DAYS}");
        return Err(Refusal::malformed("days", why));
    }
    let record = found(&app, &organisation, &rule).await?;
    let told = preview::told(&app, record, days).await?;
    Ok(Json(Preview {
        messages: told.messages.iter().map(|(at, it)| preview::shown(*at, it)).collect(),
        events: told.events,
        is_all: told.is_all,
    }))
}

/// Tells the last that a rule would have told of the last days, or else that it is tried. Only owners
/// do.
#[utoipa::path(post, path = "/orgs/{org}/rules/{rule}/tests", tag = "rules",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("rule" = String, Path, description = "Its name"),
    ),
    responses(
        (status = 200, body = Tested),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn tested(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, rule)): Path<(String, String)>,
) -> Result<Json<Tested>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageIntegrations).await?;
    let record = found(&app, &organisation, &rule).await?;
    let sent = preview::send(&app, record, DAYS).await?;
    Ok(Json(Tested { sent }))
}

async fn found(
    app: &App,
    organisation: &OrganisationId,
    rule: &str,
) -> Result<RuleRecord, Refusal> {
    let found = app.store.rule(organisation, rule).await?;
    found.ok_or_else(|| Refusal::no_such("rule", rule))
}

async fn word(
    app: &App,
    organisation: &OrganisationId,
    record: RuleRecord,
) -> Result<Rule, Refusal> {
    let name = record.name.clone();
    let words = words(app, organisation, vec![record]).await?;
    words.into_iter().next().ok_or_else(|| Refusal::no_such("rule", &name))
}

async fn words(
    app: &App,
    organisation: &OrganisationId,
    records: Vec<RuleRecord>,
) -> Result<Vec<Rule>, Refusal> {
    let names = app.store.environment_names(organisation).await?;
    let names: BTreeSet<&str> = names.values().map(String::as_str).collect();
    let waiting = app.store.count_waiting(organisation).await?;
    let mut rules = Vec::with_capacity(records.len());
    for it in records {
        let definition: Definition = serde_json::from_value(it.definition)
            .map_err(|error| Refusal::from(Sort::Failed.because(format!("rule: {error}"))))?;
        // A glob stands for whatever there will be.
        let is_plain = |it: &&String| !it.contains(['*', '?', '[', '{', '\\']);
        let missing = definition.environments.iter().filter(is_plain);
        let missing = missing.filter(|it| !names.contains(it.as_str())).cloned().collect();
        rules.push(Rule {
            name: it.name,
            channel: Channel { kind: it.kind, name: it.channel },
            definition,
            missing,
            waiting: waiting.get(&it.id).copied().unwrap_or_default(),
            created: it.created.to_string(),
            created_by: it.created_by,
            changed: it.changed.to_string(),
            changed_by: it.changed_by,
        });
    }
    Ok(rules)
}

/// Who tells.
fn channels() -> String {
    let kinds = integration::ALL.iter().filter(|it| it.role == Role::Notifier).map(|it| it.id);
    format!("there are: {}", kinds.collect::<Vec<_>>().join(", "))
}
