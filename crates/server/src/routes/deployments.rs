//! Deployments: what runs where, what ran, and what is recorded to run now.

use std::collections::BTreeMap;

use api::{
    Change, Deployment, DeploymentQuery, EndQuery, Ended, Page, Problem, Promotion, Recorded,
    RecordedAll, Recordings, Report, Reported, Sort, StaleTag,
};
use axum::extract::State;
use axum::response::Response;
use futures_util::future::join_all;
use model::{Moment, OrganisationId, Recording, Right, Source};
use store::When;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::kept::Asked;
use crate::refusal::Refusal;
use crate::{named, resolve, runtimes};

/// Most things recorded at once.
const MOST: usize = 1_000;
/// Most things that a runtime reports.
const MOST_REPORTED: usize = 10_000;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(record, end))
        .routes(routes!(promote))
        .routes(routes!(report))
}

/// What runs, what ran then, or all that ever ran.
#[utoipa::path(get, path = "/orgs/{org}/deployments", tag = "deployments",
    params(("org" = String, Path, description = "The organisation"), DeploymentQuery),
    responses(
        (status = 200, body = Page<Deployment>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<DeploymentQuery>,
    asked: Asked,
) -> Result<Response, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    // Nobody writes down that time goes by.
    let silent = runtimes::silent(&app, &organisation).await?;
    let asked = asked.beside(silent.keys());
    asked.answer(&app, &organisation, listed(&app, &organisation, query, &silent)).await
}

async fn listed(
    app: &App,
    organisation: &OrganisationId,
    query: DeploymentQuery,
    silent: &BTreeMap<String, Moment>,
) -> Result<Page<Deployment>, Refusal> {
    let selection = named::selection(
        query.environment.as_deref(),
        query.application.as_deref(),
        query.image.as_deref(),
        query.platform.as_deref(),
    )?;
    let when = match (&query.at, query.history) {
        (Some(_), true) => {
            return Err(Refusal::malformed("query", "either `at` or `history`, not both"));
        }
        (Some(at), false) => When::At(named::moment("at", at)?),
        (None, true) => When::Ever,
        (None, false) => When::Now,
    };
    let page = named::page(query.after, query.limit)?;
    if query.stale && when != When::Now {
        return Err(Refusal::malformed("query", "`stale` is about what runs now"));
    }
    // Where a tag of the past leads now is nobody's trouble.
    if when != When::Now {
        let paged = app.store.deployments(organisation, &selection, when, &page).await?;
        return Ok(named::paged(paged, Deployment::from));
    }
    let paged = app.store.running(organisation, &selection, &page).await?;
    let mut page = named::paged(paged, |it| marked(it, silent));
    if query.stale {
        page.items.retain(|it| it.stale.is_some());
    }
    Ok(page)
}

/// Records what runs now in an environment. What ran under the same application and platform is
/// superseded, and stays in the history.
#[utoipa::path(post, path = "/orgs/{org}/environments/{environment}/deployments", tag = "deployments",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("environment" = String, Path, description = "The environment"),
    ),
    request_body = Recordings,
    responses(
        (status = 200, body = RecordedAll),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn record(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, environment)): Path<(String, String)>,
    Json(sent): Json<Recordings>,
) -> Result<Json<RecordedAll>, Refusal> {
    let name = organisation;
    let organisation = caller.within(&app, &name, Right::RecordDeployments).await?;
    let source = source(sent.source.as_deref())?;
    let recordings = resolved(&app, &organisation, sent.recordings, 1..=MOST).await?;
    let act = app.act(&caller);
    let making = Making::of(&app, &caller, &name, sent.create).await?;
    let (store, recordings) = (&app.store, &recordings);
    let (recorded, made) = if making == Making::Allowed {
        store.record_all_anywhere(&organisation, &act, &environment, &source, recordings).await?
    } else {
        let recorded = store.record_all(&organisation, &act, &environment, &source, recordings);
        (recorded.await.map_err(|it| making.refusal(it, &environment, &name))?, false)
    };
    resolve::analyse_later(&app, &organisation, recorded.iter().map(|it| &it.deployment)).await?;
    Ok(Json(RecordedAll { recorded: recorded.into_iter().map(told).collect(), made }))
}

/// Takes something out of an environment. That it ran stays in the history.
#[utoipa::path(delete, path = "/orgs/{org}/environments/{environment}/deployments", tag = "deployments",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("environment" = String, Path, description = "The environment"),
        EndQuery,
    ),
    responses(
        (status = 200, body = Ended),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn end(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, environment)): Path<(String, String)>,
    Query(query): Query<EndQuery>,
) -> Result<Json<Ended>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::RecordDeployments).await?;
    if query == EndQuery::default() {
        let why = "say which: `application`, `image` or `platform`";
        return Err(Refusal::malformed("query", why));
    }
    let selection = named::selection(
        None,
        query.application.as_deref(),
        query.image.as_deref(),
        query.platform.as_deref(),
    )?;
    let act = app.act(&caller);
    let ended = app.store.remove(&organisation, &act, &environment, &selection).await?;
    Ok(Json(Ended { ended: ended.into_iter().map(Deployment::from).collect() }))
}

/// Lets run in another environment what runs in this one. What else runs there stays.
#[utoipa::path(post, path = "/orgs/{org}/environments/{environment}/promotions", tag = "deployments",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("environment" = String, Path, description = "The environment that it runs in"),
    ),
    request_body = Promotion,
    responses(
        (status = 200, body = RecordedAll),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn promote(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, environment)): Path<(String, String)>,
    Json(sent): Json<Promotion>,
) -> Result<Json<RecordedAll>, Refusal> {
    let name = organisation;
    let organisation = caller.within(&app, &name, Right::RecordDeployments).await?;
    let source = source(sent.source.as_deref())?;
    let selection =
        named::selection(None, sent.application.as_deref(), sent.image.as_deref(), None)?;
    let act = app.act(&caller);
    let making = Making::of(&app, &caller, &name, sent.create).await?;
    let (store, from, to) = (&app.store, &environment, &sent.to);
    let (recorded, made) = if making == Making::Allowed {
        store.promote_anywhere(&organisation, &act, from, to, &source, &selection).await?
    } else {
        let recorded = store.promote(&organisation, &act, from, to, &source, &selection).await;
        (recorded.map_err(|it| making.refusal(it, to, &name))?, false)
    };
    Ok(Json(RecordedAll { recorded: recorded.into_iter().map(told).collect(), made }))
}

/// Whether an environment is made that is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Making {
    /// Nobody asks for it.
    Unasked,
    /// It is asked for by somebody who may.
    Allowed,
    /// It is asked for by somebody who may not.
    Forbidden,
}

impl Making {
    pub(super) async fn of(
        app: &App,
        caller: &Caller,
        organisation: &str,
        asked: bool,
    ) -> Result<Self, Refusal> {
        if !asked {
            return Ok(Self::Unasked);
        }
        match caller.within(app, organisation, Right::ManageEnvironments).await {
            Ok(_) => Ok(Self::Allowed),
            Err(refusal) if refusal.0.sort == Sort::Forbidden => Ok(Self::Forbidden),
            Err(refusal) => Err(refusal),
        }
    }

    /// Why nothing was recorded; that an environment is missing is no slip of whoever wants it made.
    pub(crate) fn refusal(self, error: store::Error, wanted: &str, organisation: &str) -> Refusal {
        let store::Error::NotFound { what: "environment", name, among } = &error else {
            return error.into();
        };
        if self != Self::Forbidden || *name != store::normal_name(wanted) {
            return error.into();
        }
        let there = if among.is_empty() { "none".to_owned() } else { among.join(", ") };
        let why = format!("{error}, and only owners make environments");
        let hint = format!("ask an owner of {organisation}; there are: {there}");
        Sort::NotFound.because(why).with_hint(hint).into()
    }
}

/// Takes a runtime's word for all that it runs in an environment: what it reported before and no
/// more has ended, and what others recorded stays.
#[utoipa::path(put, path = "/orgs/{org}/environments/{environment}/runtimes/{runtime}", tag = "deployments",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("environment" = String, Path, description = "The environment"),
        ("runtime" = String, Path, description = "The runtime's name: `cluster-1`"),
    ),
    request_body = Report,
    responses(
        (status = 200, body = Reported),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn report(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, environment, runtime)): Path<(String, String, String)>,
    Json(sent): Json<Report>,
) -> Result<Json<Reported>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::RecordDeployments).await?;
    let recordings = resolved(&app, &organisation, sent.recordings, 0..=MOST_REPORTED).await?;
    let act = app.act(&caller);
    let reported =
        app.store.report(&organisation, &act, &environment, &runtime, &recordings).await?;
    let running = reported.running.iter().map(|it| &it.deployment);
    resolve::analyse_later(&app, &organisation, running).await?;
    Ok(Json(Reported {
        running: reported.running.into_iter().map(told).collect(),
        ended: reported.ended.into_iter().map(Deployment::from).collect(),
    }))
}

/// By which way it is told.
fn source(said: Option<&str>) -> Result<Source, Refusal> {
    let source: Source =
        said.unwrap_or("api").parse().map_err(|error| Refusal::malformed("source", error))?;
    if source.runtime().is_some() {
        let why = "a runtime reports all it runs, at `runtimes/NAME`";
        return Err(Refusal::malformed("source", why));
    }
    Ok(source)
}

/// What was sent, with the digest of each image.
async fn resolved(
    app: &App,
    organisation: &OrganisationId,
    sent: Vec<api::Recording>,
    count: std::ops::RangeInclusive<usize>,
) -> Result<Vec<Recording>, Refusal> {
    if !count.contains(&sent.len()) {
        let why = format!("from {} to {} at once, not {}", count.start(), count.end(), sent.len());
        return Err(Sort::Refused.because(format!("recordings: {why}")).into());
    }
    let registries = resolve::Registries::default();
    let mut resolved = Vec::with_capacity(sent.len());
    let mut left = sent.into_iter().peekable();
    while left.peek().is_some() {
        let part = left.by_ref().take(resolve::AT_ONCE as usize);
        let part = part.map(|it| resolve::recording(app, organisation, it, &registries));
        for it in join_all(part).await {
            resolved.push(it?);
        }
    }
    Ok(resolved)
}

/// With where its tag leads by now, and whether whoever told of it is silent.
fn marked(it: store::Listed, silent: &BTreeMap<String, Moment>) -> Deployment {
    let tag = |it: store::Elsewhere| StaleTag {
        leads_to: it.leads_to.to_string(),
        since: it.since.to_string(),
    };
    let heard = it.deployment.source.runtime().and_then(|it| silent.get(it));
    let unheard = heard.map(ToString::to_string);
    Deployment { stale: it.elsewhere.map(tag), unheard, ..it.deployment.into() }
}

pub(crate) fn told(it: store::Recorded) -> Recorded {
    let (change, replaced) = match it.change {
        store::Change::Started => (Change::Started, None),
        store::Change::Replaced(former) => (Change::Replaced, Some((*former).into())),
        store::Change::Unchanged => (Change::Unchanged, None),
    };
    Recorded { deployment: it.deployment.into(), change, replaced }
}
