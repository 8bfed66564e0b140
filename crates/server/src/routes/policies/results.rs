//! What policies say of what runs, and how that was day after day.

use std::collections::{BTreeMap, BTreeSet};

use api::{
    Page, PolicyBasis, PolicyImage, PolicyResult, PolicyResults, PolicySample, PolicyState,
    PolicyTrendQuery, Problem,
};
use axum::extract::State;
use model::{Digest, Environment, OrganisationId, Right};
use serde::Deserialize as _;
use store::{JudgedRunning, PolicyVerdicts};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::{Access, Caller};
use crate::policies::{self, Said, Sample, States, Stood};
use crate::refusal::Refusal;
use crate::runtimes::Doubts;

/// Images that are told of each policy, and of all; where there are many policies, a few of each.
const IMAGES: usize = 100;
const ALL_IMAGES: usize = 2_000;
const FEW: usize = 5;
/// Names that one of them runs by.
const NAMES: usize = 20;
/// Rows that are read together.
const PART: u32 = 5_000;
/// Images whose words are read together.
const WORDS: usize = 200;
/// Days of a trend, and how many they are where nobody says.
const DAYS: std::ops::RangeInclusive<u32> = 1..=366;
const USUAL: u32 = 30;
const DAY: i64 = 86_400;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(results)).routes(routes!(trend))
}

/// What policies say of what runs in an environment, as it was judged last.
#[utoipa::path(get, path = "/orgs/{org}/environments/{environment}/policies/results",
    tag = "policies",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("environment" = String, Path, description = "Its name"),
    ),
    responses(
        (status = 200, body = PolicyResults),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn results(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, environment)): Path<(String, String)>,
) -> Result<Json<PolicyResults>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let (there, _) = app.store.counted_environment(&organisation, &environment).await?;
    judged(&app, &organisation).await?;
    Ok(Json(of(&app, &organisation, there).await?))
}

/// How many images met which policies in an environment, and how many findings there were, by day.
#[utoipa::path(get, path = "/orgs/{org}/environments/{environment}/trend", tag = "policies",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("environment" = String, Path, description = "Its name"),
        PolicyTrendQuery,
    ),
    responses(
        (status = 200, body = Page<PolicySample>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn trend(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, environment)): Path<(String, String)>,
    Query(query): Query<PolicyTrendQuery>,
) -> Result<Json<Page<PolicySample>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let days = query.days.unwrap_or(USUAL);
    if !DAYS.contains(&days) {
        return Err(Refusal::malformed("days", format!("it is 1 to {}", DAYS.end())));
    }
    app.store.counted_environment(&organisation, &environment).await?;
    judged(&app, &organisation).await?;
    let since = policies::day(app.now()).plus_seconds(-DAY * i64::from(days - 1));
    let all = app.store.policy_samples(&organisation, &environment, since).await?;
    let sample = |it: store::PolicySample| {
        let sample = Sample::deserialize(&it.sample).ok()?;
        Some(sample.on(it.day.to_string().chars().take(10).collect()))
    };
    // One that another version wrote is none that can be told.
    Ok(Json(Page { items: all.into_iter().filter_map(sample).collect(), next: None }))
}

/// Nobody judges in the background of somebody who is alone: it is done when they ask.
pub(super) async fn judged(app: &App, organisation: &OrganisationId) -> Result<(), Refusal> {
    if !matches!(app.access, Access::Local { .. }) || app.reach.jobs {
        return Ok(());
    }
    let done = policies::judge(app, organisation).await;
    done.map(|_| ()).map_err(|why| api::Sort::Failed.because(why).into())
}

/// An image that runs.
#[derive(Default)]
struct Runs {
    name: String,
    applications: BTreeSet<String>,
    states: Option<States>,
}

async fn of(
    app: &App,
    organisation: &OrganisationId,
    there: Environment,
) -> Result<PolicyResults, Refusal> {
    let store = &app.store;
    let mut running: BTreeMap<String, Runs> = BTreeMap::new();
    let mut after = String::new();
    loop {
        let part = store.running_to_judge(organisation, Some(&there.id), &after, PART).await?;
        let Some(last) = part.last() else { break };
        last.deployment.clone_into(&mut after);
        for it in part {
            let one = running.entry(it.digest.to_string()).or_default();
            one.name = name(&it);
            if one.applications.len() < NAMES {
                one.applications.insert(it.application);
            }
        }
    }
    let doubts = Doubts::of(app, organisation, &there.name).await?;
    let mut unseen: Vec<String> =
        doubts.of_runtimes().flat_map(|(_, holes)| holes).map(ToString::to_string).collect();
    let lost: BTreeSet<&Digest> = doubts.lost.iter().map(|it| &it.digest).collect();
    unseen.extend(lost.into_iter().map(|it| format!("{it}: no image that is known here")));

    let judging = store.policy_judgings(organisation).await?.remove(&there.id);
    let stood = judging.as_ref().and_then(|it| Stood::deserialize(&it.basis).ok());
    let stance = judging.as_ref().map_or("", |it| it.stance.as_str()).to_owned();
    for it in store.judged_images(organisation, &stance, Some(&there.id)).await? {
        if let Some(runs) = running.get_mut(&it.digest) {
            runs.states = States::read(&it.states);
        }
    }
    let titles = stood.as_ref().map(|it| it.policies.clone()).unwrap_or_default();
    let mut sample = Sample::of(&titles);
    for it in running.values() {
        sample.add(it.states.as_ref());
    }
    let most = (ALL_IMAGES / titles.len().max(1)).clamp(FEW, IMAGES);
    let mut results: Vec<PolicyResult> = Vec::new();
    let mut wanted: BTreeSet<&str> = BTreeSet::new();
    let mut chosen: Vec<Vec<&str>> = Vec::new();
    for (tally, title) in sample.policies.iter().zip(&titles) {
        let in_state = |state: PolicyState| {
            let some = running.iter().filter(move |(_, it)| {
                let states = it.states.as_ref();
                states.and_then(|it| it.policies.get(&title.id)) == Some(&state)
            });
            some.map(|(digest, _)| digest.as_str())
        };
        let failing = in_state(PolicyState::NotMet).chain(in_state(PolicyState::Unknown));
        let failing: Vec<&str> = failing.take(most).collect();
        wanted.extend(&failing);
        chosen.push(failing);
        results.push(PolicyResult {
            id: title.id.clone(),
            title: title.title.clone(),
            points: title.points,
            met: tally.met,
            not_met: tally.not_met,
            unknown: tally.unknown,
            images: Vec::new(),
        });
    }
    let wanted: Vec<&str> = wanted.into_iter().collect();
    for part in wanted.chunks(WORDS) {
        for it in store.policy_verdicts(organisation, &stance, part).await? {
            let said = Vec::<Said>::deserialize(&it.verdicts).unwrap_or_default();
            let digest = it.image.digest.as_str();
            let Some(runs) = running.get(digest) else { continue };
            for (result, failing) in results.iter_mut().zip(&chosen) {
                if failing.contains(&digest) {
                    let said = said.iter().find(|one| one.id == result.id);
                    result.images.extend(said.and_then(|said| image(&it, runs, said)));
                }
            }
        }
    }
    for it in &mut results {
        it.images.sort_by(|left, right| {
            (right.state, &left.image, &left.digest).cmp(&(left.state, &right.image, &right.digest))
        });
    }
    Ok(PolicyResults {
        environment: there.name,
        judged: judging.as_ref().map(|it| it.at.to_string()),
        basis: stood.map(basis),
        images: sample.images,
        pending: sample.pending,
        unseen,
        policies: results,
        health: sample.health,
    })
}

pub(super) fn basis(stood: Stood) -> PolicyBasis {
    let Stood { almanac, environment, version, exceptions, policies: _ } = stood;
    PolicyBasis { almanac, environment, version, exceptions }
}

fn image(it: &PolicyVerdicts, runs: &Runs, said: &Said) -> Option<PolicyImage> {
    Some(PolicyImage {
        image: runs.name.clone(),
        digest: it.image.digest.clone(),
        applications: runs.applications.iter().cloned().collect(),
        state: said.state?,
        why: said.why.clone(),
        count: said.count,
        messages: said.messages.clone(),
        judged: it.judged.to_string(),
    })
}

fn name(it: &JudgedRunning) -> String {
    match &it.tag {
        Some(tag) => format!("{}:{tag}", it.repository),
        None => format!("{}@{}", it.repository, it.digest),
    }
}
