//! Footings: the bases that an organisation's images stand on, and where they would stand better.

mod moves;

use std::collections::{BTreeSet, HashMap};

use api::{
    FootedImage, FootedImages, FootingTold, FootingWays, Footings, FootingsQuery, InEnvironment,
    Problem, StandsOn,
};
use axum::extract::State;
use model::{Digest, OrganisationId, Right};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::bases::word;
use super::flaws::{broke_off, rank};
use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::footings::{Footing, Ground, Image, Way, brought};
use crate::named;
use crate::refusal::Refusal;

/// Images that are just one base, of which it is asked what they are called.
const ITSELF: usize = 3;
/// Names of a base that are told.
const NAMES: usize = 10;
/// Versions of what was taught that are told.
const TAUGHT: usize = 100;
/// Letters of a base's key.
const LONGEST: usize = 1_200;
/// What images go by of which nobody can tell what they stand on. No base is called that: names are in
/// full.
const UNKNOWN: &str = "unknown";

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(images))
        .routes(routes!(of_image))
}

/// The bases that the analysed images of an organisation stand on.
#[utoipa::path(get, path = "/orgs/{org}/footings", tag = "bases",
    params(("org" = String, Path, description = "The organisation"), FootingsQuery),
    responses(
        (status = 200, body = Footings),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<FootingsQuery>,
) -> Result<Json<Footings>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let limit = named::page(None, query.limit)?.limit as usize;
    let from = rank(query.after.as_deref())?;
    let Some(ground) = app.footings.ground(&app, &organisation).await? else {
        return Ok(Json(Footings::default()));
    };
    let (running, unread) = running(&app, &organisation, &ground).await?;
    let all = ground.footings();
    let part = all.get(from..).unwrap_or_default();
    let part = part.get(..limit.min(part.len())).unwrap_or_default();
    let names = names(&app, &organisation, part).await?;
    brought::ahead(&app, &organisation, &ground, from..from.saturating_add(part.len())).await?;
    let mut items = Vec::with_capacity(part.len());
    for (at, it) in (from..).zip(part) {
        let mut footing = told(it, &names, running.get(&at));
        let brings = brought::known(&app, &organisation, it)?;
        footing.brings = brings.map(|it| it.counts.clone());
        items.push(footing);
    }
    let end = from.saturating_add(limit);
    Ok(Json(Footings {
        items,
        next: (end < all.len()).then(|| end.to_string()),
        total: all.len() as u64,
        looked: true,
        images: ground.images,
        unknown: ground.unknown.len() as u64,
        grounds: ground.grounds,
        unasked: ground.unasked,
        unread,
    }))
}

/// One of them: what it brings, and which others of its repository are known here.
#[utoipa::path(get, path = "/orgs/{org}/footings/{base}", tag = "bases",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("base" = String, Path, description = "What it goes by in the list", max_length = 1200),
    ),
    responses(
        (status = 200, body = FootingTold),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn one(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, base)): Path<(String, String)>,
) -> Result<Json<FootingTold>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let key = key(&base)?;
    let ground = app.footings.ground(&app, &organisation).await?;
    let ground = ground.ok_or_else(|| Refusal::no_such("base", key))?;
    let it = ground.footing(key).ok_or_else(|| Refusal::no_such("base", key))?;
    let (running, _) = running(&app, &organisation, &ground).await?;
    let at = ground.footings().iter().position(|other| other.key == it.key);
    let names = names(&app, &organisation, std::slice::from_ref(it)).await?;
    let mut footing = told(it, &names, at.and_then(|it| running.get(&it)));
    let mut untold = Vec::new();
    let source = brought::source(it).map(|(image, layers)| (image.clone(), layers));
    let brings = match &source {
        Some((image, layers)) => {
            let asked = (&image.digest, image.analysed);
            brought::of(&app, &organisation, asked, *layers).await?
        }
        None => None,
    };
    match (&brings, &source) {
        (Some(_), _) => {}
        (None, Some(_)) => untold.push("what it brings: the image is gone by now".to_owned()),
        (None, None) => untold.push(format!(
            "what it brings: it is only named, and nothing here has its layers; to have them known: foretop \
             base learn {}",
            footing.names.first().unwrap_or(&footing.base)
        )),
    }
    if let Some(it) = &brings {
        footing.brings = Some(it.counts.clone());
    }
    let moves = match &brings {
        Some(now) => moves::of(&app, &organisation, it, &footing, now, &mut untold).await?,
        None => Vec::new(),
    };
    let some: Vec<Digest> = it.on.iter().take(ITSELF).map(|it| it.digest.clone()).collect();
    let called = app.store.names_of_images(&organisation, &some).await?;
    Ok(Json(FootingTold {
        told_by: brings.as_ref().and(source).map(|(it, _)| it.digest.to_string()),
        packages: brings.map(|it| it.weight.packages),
        taught: it.taught.iter().take(TAUGHT).cloned().map(word).collect(),
        example: called.into_values().flatten().next(),
        footing,
        moves,
        untold,
    }))
}

/// What stands on a base; of `unknown`, the images of which nobody can tell what they stand on.
#[utoipa::path(get, path = "/orgs/{org}/footings/{base}/images", tag = "bases",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("base" = String, Path, description = "What it goes by in the list, or `unknown`",
            max_length = 1200),
        FootingsQuery,
    ),
    responses(
        (status = 200, body = FootedImages),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn images(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, base)): Path<(String, String)>,
    Query(query): Query<FootingsQuery>,
) -> Result<Json<FootedImages>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let key = key(&base)?;
    let limit = named::page(None, query.limit)?.limit as usize;
    let from = rank(query.after.as_deref())?;
    let ground = app.footings.ground(&app, &organisation).await?;
    let found = match (&ground, key) {
        (Some(ground), UNKNOWN) => Some(&*ground.unknown),
        // Nobody has looked yet, so there may be some.
        (None, UNKNOWN) => Some(&[][..]),
        (Some(ground), key) => ground.footing(key).map(|it| &*it.on),
        (None, _) => None,
    };
    let found = found.ok_or_else(|| Refusal::no_such("base", key))?;
    let part = found.get(from..).unwrap_or_default();
    let part = part.get(..limit.min(part.len())).unwrap_or_default();
    let digests: Vec<Digest> = part.iter().map(|it| it.digest.clone()).collect();
    let mut names = app.store.names_of_images(&organisation, &digests).await?;
    let environments = environments(&app, &organisation, &digests).await?;
    let image = |it: &Image| FootedImage {
        digest: it.digest.to_string(),
        names: names.remove(&it.digest).unwrap_or_default(),
        platform: it.platform.to_string(),
        way: it.way.map(|it| it.as_str().to_owned()),
        layers: u32::try_from(it.layers).unwrap_or(u32::MAX),
        environments: environments.get(&it.digest).into_iter().flatten().cloned().collect(),
    };
    let end = from.saturating_add(limit);
    Ok(Json(FootedImages {
        items: part.iter().map(image).collect(),
        next: (end < found.len()).then(|| end.to_string()),
        total: found.len() as u64,
    }))
}

/// What an image stands on, as far as layers, what was taught, and the image itself tell.
#[utoipa::path(get, path = "/orgs/{org}/images/{digest}/footing", tag = "bases",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("digest" = String, Path, description = "`sha256:…`"),
    ),
    responses(
        (status = 200, body = StandsOn),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn of_image(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, digest)): Path<(String, String)>,
) -> Result<Json<StandsOn>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let named = named::digest(&digest)?;
    let ground = app.footings.at_hand(&app, &organisation).await?;
    let Some((it, way)) = ground.as_ref().and_then(|it| it.below(&named)) else {
        // Of one that is there nobody can tell, or not yet.
        let there = app.store.image(&organisation, &named).await?;
        there.ok_or_else(|| Refusal::no_such("image", &digest))?;
        return Ok(Json(StandsOn::default()));
    };
    let names = names(&app, &organisation, std::slice::from_ref(it)).await?;
    Ok(Json(StandsOn { footing: Some(told(it, &names, None)), way: Some(way.as_str().to_owned()) }))
}

fn key(base: &str) -> Result<&str, Refusal> {
    if base.chars().count() > LONGEST {
        return Err(Refusal::malformed("base", format!("it is longer than {LONGEST} letters")));
    }
    Ok(base)
}

/// In which environments something runs on which base, by the base's place in the list; and how many
/// images run that are not analysed.
async fn running(
    app: &App,
    organisation: &OrganisationId,
    ground: &std::sync::Arc<Ground>,
) -> Result<(HashMap<usize, Vec<InEnvironment>>, u64), Refusal> {
    let names = app.store.environment_names(organisation).await?;
    let held = app.fleet.now(&app.store).await?;
    let (ground, whose) = (std::sync::Arc::clone(ground), organisation.clone());
    let counted = tokio::task::spawn_blocking(move || {
        let ships = held.ships();
        let mut counts: HashMap<(usize, &str), u64> = HashMap::new();
        for (image, environments) in ships.running() {
            let Some(base) = ground.of(image) else { continue };
            let environments: BTreeSet<&str> = environments.collect();
            for it in environments {
                *counts.entry((base, it)).or_default() += 1;
            }
        }
        let mut found: HashMap<usize, Vec<InEnvironment>> = HashMap::new();
        for ((base, environment), images) in counts {
            if let Some(name) = names.get(environment) {
                let it = InEnvironment { name: name.clone(), images };
                found.entry(base).or_default().push(it);
            }
        }
        for it in found.values_mut() {
            it.sort_by(|left, right| left.name.cmp(&right.name));
        }
        (found, ships.unread(&whose).count() as u64)
    });
    counted.await.map_err(broke_off)
}

/// Where these images run, by name.
async fn environments(
    app: &App,
    organisation: &OrganisationId,
    digests: &[Digest],
) -> Result<HashMap<Digest, BTreeSet<String>>, Refusal> {
    let names = app.store.environment_names(organisation).await?;
    let held = app.fleet.now(&app.store).await?;
    let ships = held.ships();
    let ran = |digest: &Digest| {
        let ids = ships.environments_of(organisation, digest);
        let named = ids.filter_map(|it| names.get(it).cloned()).collect();
        (digest.clone(), named)
    };
    Ok(digests.iter().map(ran).collect())
}

/// What bases are called: the images that are just these.
async fn names(
    app: &App,
    organisation: &OrganisationId,
    part: &[Footing],
) -> Result<std::collections::BTreeMap<Digest, Vec<String>>, Refusal> {
    let some = part.iter().flat_map(|it| it.itself.iter().take(ITSELF));
    let some: Vec<Digest> = some.map(|it| it.digest.clone()).collect();
    Ok(app.store.names_of_images(organisation, &some).await?)
}

fn told(
    it: &Footing,
    called: &std::collections::BTreeMap<Digest, Vec<String>>,
    running: Option<&Vec<InEnvironment>>,
) -> api::Footing {
    // What people taught is what they call it.
    let taught = it.taught.iter().map(|it| &it.name);
    let own = it.itself.iter().filter_map(|it| called.get(&it.digest)).flatten();
    let mut names: Vec<String> = Vec::new();
    for name in taught.chain(own).chain(&it.said) {
        if names.len() < NAMES && !names.contains(name) {
            names.push(name.clone());
        }
    }
    let [provenance, label, taught, layers] = it.ways;
    let own = it.itself.iter().map(|it| &it.digest);
    let own = own.chain(it.taught.iter().map(|it| &it.digest));
    let digests: BTreeSet<String> = own.take(ITSELF).map(ToString::to_string).collect();
    api::Footing {
        base: it.key.clone(),
        names,
        digests: digests.into_iter().collect(),
        platform: it.platform.to_string(),
        layers: it.layers.map(|it| u32::try_from(it).unwrap_or(u32::MAX)),
        ways: FootingWays { provenance, label, taught, layers },
        images: it.on.len() as u64,
        environments: running.cloned().unwrap_or_default(),
        brings: None,
    }
}

impl Way {
    fn as_str(self) -> &'static str {
        match self {
            Self::Provenance => "provenance",
            Self::Label => "label",
            Self::Taught => "taught",
            Self::Layers => "layers",
        }
    }
}
