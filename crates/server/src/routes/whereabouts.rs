//! Where a flaw or a package runs: one look-up, and a few operations on bitmaps.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use api::{
    Flaw, Hole, InEnvironment, Place, Problem, Sighted, Sighting, Sort, WhereQuery, Whereabouts,
};
use axum::extract::State;
use model::{Digest, Fix, Gap, Inventory, OrganisationId, Purl, Right};
use portfolio::{Answer, Sought, Spread, Terms};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::fleet::{Held, Ships};
use crate::named;
use crate::refusal::Refusal;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(whereabouts))
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
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let limit = named::page(None, query.limit)?.limit as usize;
    let asked = Asked::read(&query)?;
    let (spots, gaps) = spots(&app, &organisation, asked).await?;
    let names: HashMap<String, String> = app
        .store
        .environments(&organisation)
        .await?
        .into_iter()
        .map(|it| (it.id, it.name))
        .collect();
    let mut inventories = HashMap::new();
    let mut found = Vec::with_capacity(spots.len());
    for spot in spots {
        let mut running = app.store.running_of(&organisation, &spot.running).await?;
        let more = running.len() > limit;
        running.truncate(limit);
        let mut deployments = Vec::with_capacity(running.len());
        for deployment in running {
            let places = if query.places {
                let inventory =
                    inventory(&app, &organisation, &deployment.digest, &mut inventories).await?;
                inventory.map(|it| places(&it, &spot.purls)).unwrap_or_default()
            } else {
                Vec::new()
            };
            deployments.push(Sighting { deployment: deployment.into(), places });
        }
        let mut environments: Vec<InEnvironment> = spot
            .environments
            .into_iter()
            .filter_map(|(id, images)| {
                Some(InEnvironment { name: names.get(&id)?.clone(), images })
            })
            .collect();
        environments.sort_by(|left, right| left.name.cmp(&right.name));
        found.push(Sighted {
            flaw: spot.flaw,
            purls: spot.purls.iter().map(Purl::to_string).collect(),
            images: spot.images,
            environments,
            deployments,
            more,
        });
    }
    let gaps = gaps.into_iter().map(Hole::from).collect();
    Ok(Json(Whereabouts { found, gaps }))
}

/// What is looked for.
enum Asked {
    Flaw(String),
    Named(String, Option<String>),
    Purl(Purl, Option<String>),
}

impl Asked {
    fn read(query: &WhereQuery) -> Result<Self, Refusal> {
        match (&query.flaw, &query.package) {
            (Some(flaw), None) if query.range.is_none() => Ok(Self::Flaw(flaw.trim().to_owned())),
            (None, Some(package)) => match package.trim() {
                purl if purl.starts_with("pkg:") => {
                    let purl = purl.parse().map_err(|it| Refusal::malformed("package", it))?;
                    Ok(Self::Purl(purl, query.range.clone()))
                }
                name => Ok(Self::Named(name.to_owned(), query.range.clone())),
            },
            _ => {
                let why = "say `flaw`, or `package` with or without `range`";
                Err(Refusal::malformed("query", why))
            }
        }
    }
}

/// Something that was found, in the store's own names.
struct Spot {
    flaw: Option<Flaw>,
    purls: Vec<Purl>,
    images: u64,
    /// How many images by environment.
    environments: Vec<(String, u64)>,
    /// Those images that run.
    running: Vec<i64>,
}

async fn spots(
    app: &App,
    organisation: &OrganisationId,
    asked: Asked,
) -> Result<(Vec<Spot>, Vec<Gap>), Refusal> {
    let now = app.now();
    let lookout = app.world.lookout(now)?;
    let held = app.fleet.now(&app.store).await?;
    let organisation = organisation.clone();
    let looked = tokio::task::spawn_blocking(move || {
        look(&held, &organisation, &asked, &lookout, &now.to_string())
    });
    looked.await.map_err(|_| Sort::Failed.because("the search broke off").into())
}

fn look(
    held: &Held,
    organisation: &OrganisationId,
    asked: &Asked,
    lookout: &engine::Lookout,
    today: &str,
) -> (Vec<Spot>, Vec<Gap>) {
    let ships = held.ships();
    let sought = match asked {
        Asked::Flaw(flaw) => {
            let terms = Terms { declared: false, today: Some(today) };
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
                spot(ships, organisation, Some(flaw), it.purls, &it.spread)
            });
            return (spots.collect(), answer.gaps);
        }
        Asked::Named(name, range) => Sought::Named { name, range: range.as_deref() },
        Asked::Purl(purl, range) => Sought::Purl { purl, range: range.as_deref() },
    };
    let Answer { found, gaps } = ships.portfolio.find(organisation, &sought);
    // The same purl may be several packages to matching; whoever asks by name means all of them.
    let spots =
        found.into_iter().map(|it| spot(ships, organisation, None, vec![it.purl], &it.spread));
    (spots.collect(), gaps)
}

fn spot(
    ships: &Ships,
    organisation: &OrganisationId,
    flaw: Option<Flaw>,
    purls: Vec<Purl>,
    spread: &Spread,
) -> Spot {
    let mut running = BTreeSet::new();
    for it in &spread.environments {
        let there = ships.portfolio.running_in(organisation, &it.environment, &spread.images);
        running.extend(ships.portfolio.image_numbers(&there));
    }
    Spot {
        flaw,
        purls,
        images: spread.images.len(),
        environments: spread
            .environments
            .iter()
            .map(|it| (it.environment.clone(), it.images))
            .collect(),
        running: running.into_iter().collect(),
    }
}

/// What is inside an image, read once for each.
async fn inventory(
    app: &App,
    organisation: &OrganisationId,
    digest: &Digest,
    known: &mut HashMap<Digest, Option<Arc<Inventory>>>,
) -> Result<Option<Arc<Inventory>>, Refusal> {
    if let Some(known) = known.get(digest) {
        return Ok(known.clone());
    }
    let inventory = app.store.inventory(organisation, digest).await?.map(Arc::new);
    known.insert(digest.clone(), inventory.clone());
    Ok(inventory)
}

/// The files that the packages are in, by layer.
fn places(inventory: &Inventory, purls: &[Purl]) -> Vec<Place> {
    let layers = inventory.subject.image().map(|it| it.layers.as_slice()).unwrap_or_default();
    let mut places: BTreeMap<(Option<u32>, String), Place> = BTreeMap::new();
    for place in
        inventory.packages.iter().filter(|it| purls.contains(&it.purl)).flat_map(|it| &it.places)
    {
        let layer = place.first_layer.or(place.layer);
        let made = layer.and_then(|it| layers.get(it as usize));
        places.entry((layer, place.path.clone())).or_insert_with(|| Place {
            layer,
            path: place.path.clone(),
            created_by: made.and_then(|it| it.created_by.clone()),
        });
    }
    places.into_values().collect()
}
