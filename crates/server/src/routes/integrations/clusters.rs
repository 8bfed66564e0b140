//! Which clusters a party knows of, to choose one.

use api::{Cluster, Page, Problem, Sort};
use axum::extract::State;
use integration::Role;
use model::Right;
use store::IntegrationRecord;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Which, found, known};
use crate::app::App;
use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::parties::{PATIENCE, connected};
use crate::refusal::Refusal;

/// Clusters that are told.
const MOST: usize = 1_000;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(clusters))
}

/// The clusters that an integration's party knows of, asked for now; those that are another integration's
/// already say whose. Only owners ask.
#[utoipa::path(get, path = "/orgs/{org}/integrations/{kind}/{name}/clusters", tag = "integrations",
    params(Which),
    responses(
        (status = 200, body = Page<Cluster>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn clusters(
    State(app): State<App>,
    caller: Caller,
    Path(Which { org: organisation, kind, name }): Path<Which>,
) -> Result<Json<Page<Cluster>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageIntegrations).await?;
    let record = found(&app, &organisation, &kind, &name).await?;
    let kind = known(&kind)?;
    let refused = |why: String| Refusal::from(Sort::Refused.because(format!("clusters: {why}")));
    if kind.role != Role::Runtime {
        return Err(refused(format!("{} knows of none", kind.title)));
    }
    if app.reach.offline {
        return Err(refused("nobody outside is asked here".to_owned()));
    }
    let party = connected(&app, &record).await.map_err(refused)?;
    let Some(runtime) = party.integration.runtime() else {
        return Err(refused(format!("{} knows of none", kind.title)));
    };
    let asked = tokio::time::timeout(PATIENCE, runtime.clusters()).await;
    let late = || refused(format!("it does not answer within {} s", PATIENCE.as_secs()));
    let mut names = asked.map_err(|_| late())?.map_err(|it| refused(it.error.to_string()))?;
    names.truncate(MOST);
    let others = app.store.integrations(&organisation).await?;
    let is_there = |it: &&IntegrationRecord| {
        it.kind == kind.id
            && it.id != record.id
            && ["region", "url"].iter().all(|key| said(it, key) == said(&record, key))
    };
    let there: Vec<&IntegrationRecord> = others.iter().filter(is_there).collect();
    let theirs = |cluster: &str| {
        let other = there.iter().find(|it| said(it, "cluster") == Some(cluster));
        other.map(|it| it.name.clone())
    };
    let cluster = |name: String| Cluster { integration: theirs(&name), name };
    Ok(Json(Page { items: names.into_iter().map(cluster).collect(), next: None }))
}

/// What an integration is told under that key.
fn said<'a>(record: &'a IntegrationRecord, key: &str) -> Option<&'a str> {
    let told = record.settings.iter().find(|it| it.0 == key);
    told.map(|it| it.1.trim().trim_end_matches('/'))
}
