//! Which images have a flaw no more: where tags lead by now, in the repositories of what runs with it.

use std::collections::BTreeMap;

use api::{FreeImage, FreeOfFlaw, Problem};
use axum::extract::State;
use model::{Digest, Right};
use portfolio::{Images, Terms};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::advisories;
use super::broke_off;
use crate::app::App;
use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::refusal::Refusal;

/// Deployments whose repositories are looked at, and of those so many.
const DEPLOYMENTS: usize = 1_000;
const REPOSITORIES: usize = 20;
/// Tags that are told, of each repository.
const TAGS: usize = 10;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(free))
}

/// What of an image is known of a flaw.
enum Has {
    It,
    Not,
    /// Nobody knows what is inside.
    Untold,
}

/// Which tags lead to images without that flaw, as publishers tell it, in the repositories of what runs with
/// it: what could be deployed instead.
#[utoipa::path(get, path = "/orgs/{org}/flaws/{flaw}/free", tag = "flaws",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("flaw" = String, Path, description = "A name of it: `CVE-2021-44228`", max_length = 200),
    ),
    responses(
        (status = 200, body = FreeOfFlaw),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn free(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, flaw)): Path<(String, String)>,
) -> Result<Json<FreeOfFlaw>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let flaw = advisories::named(&flaw)?.to_owned();
    let now = app.now();
    let lookout = app.world.lookout(now)?;
    let held = app.fleet.now(&app.store).await?;
    let environments = app.store.environment_names(&organisation).await?;
    let whose = organisation.clone();
    let looked = tokio::task::spawn_blocking(move || {
        let ships = held.ships();
        let today = now.to_string();
        let terms = Terms { declared: false, today: Some(&today) };
        let found = ships.portfolio.find_flaw(&whose, &flaw, lookout.almanac(), terms).found;
        let mut affected = Images::default();
        for it in &found {
            affected.add(&it.spread.images);
        }
        let ids = environments.keys().map(String::as_str);
        let running = ships.deployments(&whose, &affected, ids, DEPLOYMENTS);
        (running, affected, held)
    });
    let (running, affected, held) = looked.await.map_err(broke_off)?;
    let ships = held.ships();
    let repositories = app.store.running_repositories(&organisation, &running).await?;
    let mut answer = FreeOfFlaw::default();
    for repository in repositories.into_iter().take(REPOSITORIES) {
        let spans = app.store.current_tags(&organisation, &repository).await?;
        let has = |digest: &Digest| match ships.number(&organisation, digest) {
            Some(it) if ships.portfolio.is_among(it, &affected) => Has::It,
            Some(_) => Has::Not,
            None => Has::Untold,
        };
        let mut free = BTreeMap::new();
        for span in spans {
            match has(&span.digest) {
                Has::It => answer.affected += 1,
                Has::Untold => answer.unread += 1,
                Has::Not => {
                    // The latest first.
                    let place = (std::cmp::Reverse(span.from), span.tag.clone());
                    free.insert((place, span.platform.to_string()), span);
                }
            }
        }
        answer.items.extend(free.into_values().take(TAGS).map(|it| FreeImage {
            repository: it.repository,
            tag: it.tag,
            platform: it.platform.to_string(),
            digest: it.digest.to_string(),
            since: it.from.to_string(),
        }));
    }
    Ok(Json(answer))
}
