//! What policies say of an image, wherever it runs.

use std::collections::{BTreeMap, BTreeSet};

use api::{ImagePolicies, ImagePolicy, Page, Problem};
use axum::extract::State;
use model::Right;
use serde::Deserialize as _;
use store::{PolicyVerdicts, Selection, When};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::results::basis;
use crate::app::App;
use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::named;
use crate::policies::{Said, States, Stood};
use crate::refusal::Refusal;

/// Deployments that are looked through: an image may run in many environments.
const RUNS: u32 = 1_000;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(of_image))
}

/// What the policies of each environment say of an image that runs there, as it was judged last; of one
/// that runs nowhere nobody is asked.
#[utoipa::path(get, path = "/orgs/{org}/images/{digest}/policies", tag = "policies",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("digest" = String, Path, description = "The image's digest"),
    ),
    responses(
        (status = 200, body = Page<ImagePolicies>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn of_image(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, digest)): Path<(String, String)>,
) -> Result<Json<Page<ImagePolicies>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let digest = named::digest(&digest)?;
    let store = &app.store;
    let selection = Selection { digest: Some(digest.clone()), ..Selection::default() };
    let page = named::page(None, Some(RUNS))?;
    let running = store.deployments(&organisation, &selection, When::Now, &page).await?.rows;
    let names: BTreeSet<String> = running.into_iter().map(|it| it.environment).collect();
    if names.is_empty() && store.image(&organisation, &digest).await?.is_none() {
        return Err(Refusal::no_such("image", digest.as_str()));
    }
    super::results::judged(&app, &organisation).await?;
    let ids: BTreeMap<String, String> = store
        .environments(&organisation)
        .await?
        .into_iter()
        .filter(|it| names.contains(&it.name))
        .map(|it| (it.name, it.id))
        .collect();
    let mut judgings = store.policy_judgings(&organisation).await?;
    let mut said: BTreeMap<String, Option<PolicyVerdicts>> = BTreeMap::new();
    let mut items = Vec::new();
    for (environment, id) in ids {
        let nothing = ImagePolicies {
            environment,
            judged: None,
            basis: None,
            health: None,
            policies: Vec::new(),
        };
        let Some(judging) = judgings.remove(&id) else {
            items.push(nothing);
            continue;
        };
        if !said.contains_key(&judging.stance) {
            let wanted = [digest.as_str()];
            let found = store.policy_verdicts(&organisation, &judging.stance, &wanted).await?.pop();
            said.insert(judging.stance.clone(), found);
        }
        let stood = Stood::deserialize(&judging.basis).ok();
        let verdicts = said.get(&judging.stance).and_then(Option::as_ref);
        items.push(match (verdicts, stood) {
            (Some(verdicts), Some(stood)) => told(nothing, verdicts, stood),
            _ => nothing,
        });
    }
    Ok(Json(Page { items, next: None }))
}

fn told(nothing: ImagePolicies, verdicts: &PolicyVerdicts, stood: Stood) -> ImagePolicies {
    let said = Vec::<Said>::deserialize(&verdicts.verdicts).unwrap_or_default();
    let policy = |title: &api::PolicyTitle| {
        let said = said.iter().find(|it| it.id == title.id)?;
        Some(ImagePolicy {
            id: title.id.clone(),
            title: title.title.clone(),
            points: title.points,
            state: said.state?,
            why: said.why.clone(),
            count: said.count,
            messages: said.messages.clone(),
        })
    };
    ImagePolicies {
        judged: Some(verdicts.judged.to_string()),
        health: States::read(&verdicts.image.states).and_then(|it| it.health),
        policies: stood.policies.iter().filter_map(policy).collect(),
        basis: Some(basis(stood)),
        ..nothing
    }
}
