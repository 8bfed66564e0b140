//! Policies: put into force, told, and put out of force.

mod of_image;
mod results;
mod trials;

use std::collections::BTreeMap;

use api::{
    Page, PoliciesKept, PolicyPlace, PolicySet, PolicySetQuery, PolicyVersion, Problem,
    SettingPolicies, Sort,
};
use axum::extract::State;
use axum::http::StatusCode;
use model::Right;
use serde_json::json;
use store::{NewPolicySet, PolicySetHead, PolicySetRecord};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::{jobs, policies};

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(of_all, set_for_all, unset_for_all))
        .routes(routes!(versions_of_all))
        .routes(routes!(places))
        .routes(routes!(of_one, set_for_one, unset_for_one))
        .routes(routes!(versions_of_one))
        .merge(results::paths())
        .merge(of_image::paths())
        .merge(trials::paths())
}

/// The policies that are in force wherever no environment has its own, or were as that version.
#[utoipa::path(get, path = "/orgs/{org}/policies", tag = "policies",
    params(("org" = String, Path, description = "The organisation"), PolicySetQuery),
    responses(
        (status = 200, body = PolicySet),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn of_all(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<PolicySetQuery>,
) -> Result<Json<PolicySet>, Refusal> {
    told(&app, &caller, (&organisation, None), &query).await
}

/// The policies that are in force in an environment: its own, or else the organisation's; or those that
/// were its own as that version.
#[utoipa::path(get, path = "/orgs/{org}/environments/{environment}/policies", tag = "policies",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("environment" = String, Path, description = "Its name"),
        PolicySetQuery,
    ),
    responses(
        (status = 200, body = PolicySet),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn of_one(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, environment)): Path<(String, String)>,
    Query(query): Query<PolicySetQuery>,
) -> Result<Json<PolicySet>, Refusal> {
    told(&app, &caller, (&organisation, Some(&environment)), &query).await
}

/// Puts policies into force wherever no environment has its own. Only owners do.
#[utoipa::path(put, path = "/orgs/{org}/policies", tag = "policies",
    params(("org" = String, Path, description = "The organisation")),
    request_body = SettingPolicies,
    responses(
        (status = 200, body = PoliciesKept),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn set_for_all(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Json(sent): Json<SettingPolicies>,
) -> Result<Json<PoliciesKept>, Refusal> {
    set(&app, &caller, (&organisation, None), sent).await
}

/// Puts policies into force in an environment, instead of the organisation's. Only owners do.
#[utoipa::path(put, path = "/orgs/{org}/environments/{environment}/policies", tag = "policies",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("environment" = String, Path, description = "Its name"),
    ),
    request_body = SettingPolicies,
    responses(
        (status = 200, body = PoliciesKept),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn set_for_one(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, environment)): Path<(String, String)>,
    Json(sent): Json<SettingPolicies>,
) -> Result<Json<PoliciesKept>, Refusal> {
    set(&app, &caller, (&organisation, Some(&environment)), sent).await
}

/// Those that come with the server count wherever no environment has its own. Only owners do that.
#[utoipa::path(delete, path = "/orgs/{org}/policies", tag = "policies",
    params(("org" = String, Path, description = "The organisation")),
    responses(
        (status = 204, description = "They are not in force any more"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn unset_for_all(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
) -> Result<StatusCode, Refusal> {
    unset(&app, &caller, (&organisation, None)).await
}

/// The organisation's policies count in an environment that had its own. Only owners do that.
#[utoipa::path(delete, path = "/orgs/{org}/environments/{environment}/policies", tag = "policies",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("environment" = String, Path, description = "Its name"),
    ),
    responses(
        (status = 204, description = "They are not in force any more"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn unset_for_one(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, environment)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    unset(&app, &caller, (&organisation, Some(&environment))).await
}

/// The versions of the organisation's policies, the latest first.
#[utoipa::path(get, path = "/orgs/{org}/policies/versions", tag = "policies",
    params(("org" = String, Path, description = "The organisation")),
    responses(
        (status = 200, body = Page<PolicyVersion>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn versions_of_all(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
) -> Result<Json<Page<PolicyVersion>>, Refusal> {
    versions(&app, &caller, (&organisation, None)).await
}

/// The versions of an environment's own policies, the latest first.
#[utoipa::path(get, path = "/orgs/{org}/environments/{environment}/policies/versions",
    tag = "policies",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("environment" = String, Path, description = "Its name"),
    ),
    responses(
        (status = 200, body = Page<PolicyVersion>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn versions_of_one(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, environment)): Path<(String, String)>,
) -> Result<Json<Page<PolicyVersion>>, Refusal> {
    versions(&app, &caller, (&organisation, Some(&environment))).await
}

/// Which policies are in force where: the organisation's first, then in each environment.
#[utoipa::path(get, path = "/orgs/{org}/policies/places", tag = "policies",
    params(("org" = String, Path, description = "The organisation")),
    responses(
        (status = 200, body = Page<PolicyPlace>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn places(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
) -> Result<Json<Page<PolicyPlace>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let all = app.store.all_policies_in_force(&organisation).await?;
    let mut by_place: BTreeMap<Option<String>, PolicySetHead> =
        all.into_iter().map(|it| (it.environment.clone(), it)).collect();
    let general = by_place.remove(&None).map(policies::version);
    let mut items = vec![PolicyPlace { environment: None, in_force: general.clone() }];
    for it in app.store.environments(&organisation).await? {
        let own = by_place.remove(&Some(it.name.clone())).map(policies::version);
        let in_force = own.or_else(|| general.clone());
        items.push(PolicyPlace { environment: Some(it.name), in_force });
    }
    Ok(Json(Page { items, next: None }))
}

/// An organisation as it was named, and an environment of it, if one was.
type Place<'a> = (&'a str, Option<&'a str>);

async fn told(
    app: &App,
    caller: &Caller,
    (organisation, environment): Place<'_>,
    query: &PolicySetQuery,
) -> Result<Json<PolicySet>, Refusal> {
    let organisation = caller.within(app, organisation, Right::Read).await?;
    let Some(version) = query.version else {
        let found = app.store.policies_in_force(&organisation, environment).await?;
        return Ok(Json(match found {
            Some(record) => word(record)?,
            None => PolicySet { version: None, modules: Vec::new(), config: json!({}) },
        }));
    };
    let found = app.store.policies_of_version(&organisation, environment, version.into()).await?;
    let found = found.ok_or_else(|| Refusal::no_such("version", &version.to_string()))?;
    Ok(Json(word(found)?))
}

async fn set(
    app: &App,
    caller: &Caller,
    (organisation, environment): Place<'_>,
    sent: SettingPolicies,
) -> Result<Json<PoliciesKept>, Refusal> {
    let organisation = caller.within(app, organisation, Right::ManageOrganisation).await?;
    let sent = if let Some(version) = sent.version {
        if sent != (SettingPolicies { version: sent.version, ..SettingPolicies::default() }) {
            let why = "these are as they were: nothing else can be said of them";
            return Err(Refusal::malformed("version", why));
        }
        let found = app.store.policies_of_version(&organisation, environment, version.into()).await;
        let found = found?.ok_or_else(|| Refusal::no_such("version", &version.to_string()))?;
        let PolicySet { version: head, modules, config } = word(found)?;
        let sources = head.map(|it| it.sources).unwrap_or_default();
        SettingPolicies { modules, config: Some(config), sources, version: None }
    } else {
        sent
    };
    // Where there is no such environment, nothing has to be read.
    app.store.policies_in_force(&organisation, environment).await?;
    let understood = policies::understood(sent).await?;
    let new = NewPolicySet {
        environment,
        digest: &understood.digest,
        summary: &understood.summary,
        modules: &understood.modules,
        config: &understood.config,
    };
    let (head, new) = app.store.set_policies(&organisation, &app.act(caller), &new).await?;
    jobs::judge_soon(app, &organisation).await?;
    Ok(Json(PoliciesKept { version: policies::version(head), new }))
}

async fn unset(
    app: &App,
    caller: &Caller,
    (organisation, environment): Place<'_>,
) -> Result<StatusCode, Refusal> {
    let organisation = caller.within(app, organisation, Right::ManageOrganisation).await?;
    if app.store.unset_policies(&organisation, &app.act(caller), environment).await? {
        jobs::judge_soon(app, &organisation).await?;
        return Ok(StatusCode::NO_CONTENT);
    }
    let why = match environment {
        Some(name) => format!("policies: environment `{name}` has none of its own"),
        None => "policies: the organization has set none".to_owned(),
    };
    Err(Sort::NotFound.because(why).into())
}

async fn versions(
    app: &App,
    caller: &Caller,
    (organisation, environment): Place<'_>,
) -> Result<Json<Page<PolicyVersion>>, Refusal> {
    let organisation = caller.within(app, organisation, Right::Read).await?;
    let all = app.store.policy_versions(&organisation, environment).await?;
    let items = all.into_iter().map(policies::version).collect();
    Ok(Json(Page { items, next: None }))
}

fn word(record: PolicySetRecord) -> Result<PolicySet, Refusal> {
    let modules = policies::modules_of(&record.modules);
    let modules = modules.map_err(|why| Refusal::from(Sort::Failed.because(why)))?;
    let version = Some(policies::version(record.head));
    Ok(PolicySet { version, modules, config: record.config })
}
