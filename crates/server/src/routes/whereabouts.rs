//! Where a flaw or a package runs: one look-up, and a few operations on bitmaps.

mod asked;
mod inside;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use api::{
    Flaw, Hole, InEnvironment, Judging, Problem, Sighted, Sighting, Sort, WhereQuery, Whereabouts,
};
use axum::extract::State;
use model::{Deployment, Fix, Gap, OrganisationId, Purl, Right};
use portfolio::{Answer, Sought, Spread, Terms};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::asked::Asked;
use super::environments;
use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::exceptions::Lookouts;
use crate::fleet::{Held, Ships};
use crate::refusal::Refusal;
use crate::{named, runtimes};

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(whereabouts, whereabouts_judged))
}

/// Where a flaw or a package runs, since when, and who recorded it.
#[utoipa::path(get, path = "/orgs/{org}/where", tag = "deployments",
    params(("org" = String, Path, description = "The organisation"), WhereQuery),
    responses(
        (status = 200, body = Whereabouts),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn whereabouts(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<WhereQuery>,
) -> Result<Json<Whereabouts>, Refusal> {
    answer(app, caller, organisation, query, Judging::default()).await
}

/// The same, judged with statements that count beside those of the server: what they take out of the way
/// is told with the statement. Of each that is found as many deployments are looked into as are told.
#[utoipa::path(post, path = "/orgs/{org}/where", tag = "deployments",
    params(("org" = String, Path, description = "The organisation"), WhereQuery),
    request_body = Option<Judging>,
    responses(
        (status = 200, body = Whereabouts),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn whereabouts_judged(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<WhereQuery>,
    judging: Option<Json<Judging>>,
) -> Result<Json<Whereabouts>, Refusal> {
    let judging = judging.map(|Json(it)| it).unwrap_or_default();
    answer(app, caller, organisation, query, judging).await
}

async fn answer(
    app: App,
    caller: Caller,
    organisation: String,
    query: WhereQuery,
    judging: Judging,
) -> Result<Json<Whereabouts>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let limit = named::page(None, query.limit)?.limit as usize;
    let only = match &query.environment {
        Some(name) => Some(environments::find(&app, &organisation, name).await?),
        None => None,
    };
    let declared = judging.declared;
    let mut lookouts = Lookouts::of(&app, &organisation, judging).await?;
    let asked = Asked::read(&query, lookouts.there(None).almanac())?;
    let mut names = app.store.environment_names(&organisation).await?;
    if let Some(only) = &only {
        names.retain(|id, _| *id == only.id);
    }
    let Seen { spots, mut gaps, unread } =
        spots(&app, &organisation, asked, names.clone(), (limit, declared)).await?;
    gaps.extend(unread_gaps(&unread, &names));
    let meant = names.values().map(String::as_str).collect();
    let (unseen, lost) = runtimes::unseen(&app, &organisation, &meant).await?;
    gaps.extend(unseen);
    // Of all that is found at once, so that there are few questions.
    let ids: BTreeSet<&String> = spots.iter().flat_map(|it| &it.deployments).collect();
    let ids: Vec<String> = ids.into_iter().cloned().collect();
    let running = app.store.still_running(&organisation, &ids).await?;
    let running: HashMap<&str, &Deployment> =
        running.iter().map(|it| (it.id.as_str(), it)).collect();
    let mut found = Vec::with_capacity(spots.len());
    for spot in spots {
        if only.is_some() && spot.environments.is_empty() {
            continue;
        }
        // One that ended this moment is not told.
        let running = spot.deployments.iter().filter_map(|it| running.get(it.as_str()));
        let deployments = running
            .map(|it| Sighting {
                deployment: (*it).clone().into(),
                places: Vec::new(),
                statement: None,
            })
            .collect();
        let mut environments: Vec<InEnvironment> = spot
            .environments
            .into_iter()
            .filter_map(|(id, images)| {
                Some(InEnvironment { name: names.get(&id)?.clone(), images })
            })
            .collect();
        environments.sort_by(|left, right| left.name.cmp(&right.name));
        let told = Sighted {
            flaw: spot.flaw,
            purls: spot.purls.iter().map(Purl::to_string).collect(),
            images: spot.images,
            environments,
            deployments,
            more: spot.more,
        };
        found.push((told, spot.purls));
    }
    let mut inside = inside::Inside { places: query.places, lookouts };
    let refused = inside.look(&app, &organisation, &mut found, &mut gaps).await?;
    let refused = refused.into_iter().map(Hole::from).collect();
    let found = found.into_iter().map(|(told, _)| told).collect();
    let gaps = gaps.into_iter().map(Hole::from).collect();
    Ok(Json(Whereabouts { found, unread: unread.len() as u64 + lost, gaps, refused }))
}

/// What runs and is not analysed may have it, or not: a gap of each environment.
fn unread_gaps(unread: &[BTreeSet<String>], names: &HashMap<String, String>) -> Vec<Gap> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for id in unread.iter().flatten() {
        // One that was deleted this moment has nothing that runs any more.
        let Some(name) = names.get(id) else { continue };
        *counts.entry(name).or_default() += 1;
    }
    let gap = |(name, count): (&str, u64)| {
        let what = if count == 1 { "image that runs is" } else { "images that run are" };
        let at = format!("environment {name}");
        Gap::new(at, format!("{count} {what} not analysed: cannot tell"))
    };
    counts.into_iter().map(gap).collect()
}

/// Something that was found, in the store's own names.
struct Spot {
    flaw: Option<Flaw>,
    purls: Vec<Purl>,
    images: u64,
    /// How many images by environment, of those that are meant.
    environments: Vec<(String, u64)>,
    /// The first deployments of those images, by id.
    deployments: Vec<String>,
    /// There are more of them.
    more: bool,
}

/// All that was seen.
struct Seen {
    spots: Vec<Spot>,
    gaps: Vec<Gap>,
    /// Of each image that runs where it is meant and is not analysed, the environments.
    unread: Vec<BTreeSet<String>>,
}

/// Where is meant.
struct Meant {
    organisation: OrganisationId,
    /// Environments' ids, by name.
    environments: Vec<String>,
    /// So many deployments of each are told.
    limit: usize,
    /// Also packages that are only declared.
    declared: bool,
}

async fn spots(
    app: &App,
    organisation: &OrganisationId,
    asked: Asked,
    names: HashMap<String, String>,
    (limit, declared): (usize, bool),
) -> Result<Seen, Refusal> {
    let now = app.now();
    let lookout = app.world.lookout(now)?;
    let held = app.fleet.about(&app.store, organisation, &asked.names(lookout.almanac())).await?;
    let mut environments: Vec<(String, String)> =
        names.into_iter().map(|(id, name)| (name, id)).collect();
    environments.sort_unstable();
    let environments = environments.into_iter().map(|it| it.1).collect();
    let meant = Meant { organisation: organisation.clone(), environments, limit, declared };
    let looked = tokio::task::spawn_blocking(move || {
        let (spots, gaps) = look(&held, &meant, &asked, &lookout, &now.to_string());
        let environments: HashSet<&str> = meant.environments.iter().map(String::as_str).collect();
        let is_meant = |id: &&str| environments.contains(id);
        let unread = held.ships().unread(&meant.organisation);
        let unread = unread
            .map(|it| it.filter(is_meant).map(str::to_owned).collect::<BTreeSet<_>>())
            .filter(|it| !it.is_empty());
        Seen { spots, gaps, unread: unread.collect() }
    });
    looked.await.map_err(|_| Sort::Failed.because("the search broke off").into())
}

fn look(
    held: &Held,
    meant: &Meant,
    asked: &Asked,
    lookout: &engine::Lookout,
    today: &str,
) -> (Vec<Spot>, Vec<Gap>) {
    let ships = held.ships();
    let organisation = &meant.organisation;
    let sought = match asked {
        Asked::Flaw(flaw) => {
            let terms = Terms { declared: meant.declared, today: Some(today) };
            let answer = ships.portfolio.find_flaw(organisation, flaw, lookout.almanac(), terms);
            let spots = answer.found.into_iter().map(|it| {
                let flaw = Flaw {
                    id: it.flaw,
                    aliases: it.aliases,
                    severity: it.state.level.as_str().to_owned(),
                    fixed: match it.state.fix {
                        Fix::Version { version, .. } => Some(version),
                        Fix::None(_) => None,
                    },
                    exploited: it.state.exploited,
                };
                spot(ships, meant, Some(flaw), it.purls, &it.spread)
            });
            return (spots.collect(), answer.gaps);
        }
        Asked::Named(name, range) => Sought::Named { name, range: range.as_deref() },
        Asked::Purl(purl, range) => Sought::Purl { purl, range: range.as_deref() },
    };
    let Answer { found, gaps } = ships.portfolio.find(organisation, &sought);
    // The same purl may be several packages to matching; whoever asks by name means all of them.
    let spots = found.into_iter().map(|it| spot(ships, meant, None, vec![it.purl], &it.spread));
    (spots.collect(), gaps)
}

fn spot(
    ships: &Ships,
    meant: &Meant,
    flaw: Option<Flaw>,
    purls: Vec<Purl>,
    spread: &Spread,
) -> Spot {
    let counts: HashMap<&str, u64> =
        spread.environments.iter().map(|it| (it.environment.as_str(), it.images)).collect();
    let there = meant.environments.iter().filter(|it| counts.contains_key(it.as_str()));
    let there: Vec<&str> = there.map(String::as_str).collect();
    let ids = there.iter().copied();
    let most = meant.limit.saturating_add(1);
    let mut deployments = ships.deployments(&meant.organisation, &spread.images, ids, most);
    let more = deployments.len() > meant.limit;
    deployments.truncate(meant.limit);
    Spot {
        flaw,
        purls,
        images: spread.images.len(),
        environments: there.iter().map(|it| ((*it).to_owned(), counts[it])).collect(),
        deployments,
        more,
    }
}
