//! Packages: which there are in an organisation's images, where, and what is wrong with them.

mod leafed;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use api::{
    InEnvironment, PackageFlaw, PackageSpread, PackageVersion, PackageVersions,
    PackageVersionsQuery, Packages, PackagesQuery, Problem,
};
use axum::extract::State;
use model::{Level, OrganisationId, Purl, Right};
use portfolio::Spread;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::flaws::{basis, broke_off, rank};
use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::named;
use crate::refusal::Refusal;
use crate::tally::Ledger;

use self::leafed::Meant;

/// Versions of a package that a list names; all are counted.
const VERSIONS: usize = 5;
/// Flaws of a version that are told; all are counted.
const FLAWS: usize = 100;
/// Images of a version that are named.
const IMAGES: usize = 5;
/// Versions whose licences are looked up in an image that has them: each is a document to be read.
const LICENSED: usize = 10;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(versions))
}

/// The packages in an organisation's images, whether they run or not, with the flaws they have where they
/// run.
#[utoipa::path(get, path = "/orgs/{org}/packages", tag = "packages",
    params(("org" = String, Path, description = "The organisation"), PackagesQuery),
    responses(
        (status = 200, body = Packages),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<PackagesQuery>,
) -> Result<Json<Packages>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let limit = named::page(None, query.limit)?.limit as usize;
    let meant = Meant::read(query, limit)?;
    let ledger = app.tally.ledger(&app, &organisation).await?;
    let basis = basis(ledger.as_ref());
    let names = app.store.environment_names(&organisation).await?;
    let held = app.fleet.now(&app.store).await?;
    let told = tokio::task::spawn_blocking(move || {
        let portfolio = &held.ships().portfolio;
        let (leaves, next) = meant.of(portfolio, &organisation, ledger.as_deref());
        let items = leaves.into_iter().map(|it| {
            let trouble =
                |ledger: &Arc<Ledger>| ledger.trouble((&it.name.to_lowercase(), &it.kind));
            let trouble = ledger.as_ref().map(trouble);
            PackageSpread {
                versions: it.versions.len() as u64,
                some_versions: it.versions.into_iter().take(VERSIONS).collect(),
                images: it.spread.images.len(),
                environments: environments(&it.spread, &names),
                flaws: trouble.map(|it| it.map_or(0, |it| it.flaws)),
                worst: trouble.flatten().map(|it| it.worst.as_str().to_owned()),
                kind: it.kind,
                name: it.name,
            }
        });
        Packages { items: items.collect(), next, basis }
    });
    let told = told.await.map_err(broke_off)?;
    Ok(Json(told))
}

/// The versions of a package in an organisation's images, each with where it is and what is wrong with it.
#[utoipa::path(get, path = "/orgs/{org}/packages/versions", tag = "packages",
    params(("org" = String, Path, description = "The organisation"), PackageVersionsQuery),
    responses(
        (status = 200, body = PackageVersions),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn versions(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<PackageVersionsQuery>,
) -> Result<Json<PackageVersions>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let limit = named::page(None, query.limit)?.limit as usize;
    let from = rank(query.after.as_deref())?;
    let ledger = app.tally.ledger(&app, &organisation).await?;
    let basis = basis(ledger.as_ref());
    let names = app.store.environment_names(&organisation).await?;
    let held = app.fleet.now(&app.store).await?;
    let (kind, name, whose) = (query.kind.clone(), query.name.clone(), organisation.clone());
    let told = tokio::task::spawn_blocking(move || {
        let ships = held.ships();
        let all = ships.portfolio.versions(&whose, &kind, &name);
        let total = all.len();
        let items = all.into_iter().skip(from).take(limit).map(|it| {
            let found = ledger.as_ref().map(|ledger| found(ledger, &kind, &name, &it.purl));
            let some = ships.portfolio.some_image_numbers(&it.spread.images, IMAGES);
            let digests = some.into_iter().filter_map(|it| ships.digest(it));
            PackageVersion {
                purl: it.purl.to_string(),
                version: it.purl.version().map(str::to_owned),
                source: None,
                licenses: None,
                images: it.spread.images.len(),
                environments: environments(&it.spread, &names),
                some_images: digests.map(ToString::to_string).collect(),
                flaws_total: found.as_ref().map_or(0, |it| it.len() as u64),
                flaws: found.map(|it| it.into_iter().take(FLAWS).collect()),
            }
        });
        (items.collect::<Vec<_>>(), total)
    });
    let told = told.await.map_err(broke_off)?;
    let (mut items, total) = told;
    if total == 0 {
        return Err(Refusal::no_such("package", &format!("{} {}", query.kind, query.name)));
    }
    put_licenses(&app, &organisation, &mut items).await?;
    let end = from.saturating_add(limit);
    let next = (end < total).then(|| end.to_string());
    Ok(Json(PackageVersions { items, next, total: total as u64, basis }))
}

fn environments(spread: &Spread, names: &HashMap<String, String>) -> Vec<InEnvironment> {
    let named = spread.environments.iter().filter_map(|it| {
        Some(InEnvironment { name: names.get(&it.environment)?.clone(), images: it.images })
    });
    let mut all: Vec<InEnvironment> = named.collect();
    all.sort_by(|left, right| left.name.cmp(&right.name));
    all
}

/// Flaws of a version, each once, worst first.
fn found(ledger: &Ledger, kind: &str, name: &str, purl: &Purl) -> Vec<PackageFlaw> {
    let mut flaws: BTreeMap<&str, (Level, Option<&str>, bool)> = BTreeMap::new();
    for number in ledger.found_in(kind, name, purl) {
        let Some((found, _, flaw)) = ledger.found(number) else { continue };
        let exploited = flaw.exploited || flaw.malicious;
        let known = flaws.entry(&flaw.id).or_insert((found.level, None, exploited));
        known.0 = known.0.max(found.level);
        known.1 = known.1.or(found.fixed.as_deref());
    }
    let mut flaws: Vec<_> = flaws.into_iter().collect();
    flaws.sort_by(|(one, left), (other, right)| {
        (right.0, right.2, one).cmp(&(left.0, left.2, other))
    });
    let told = flaws.into_iter().map(|(id, (level, fixed, exploited))| PackageFlaw {
        id: id.to_owned(),
        severity: level.as_str().to_owned(),
        fixed: fixed.map(str::to_owned),
        exploited,
    });
    told.collect()
}

/// What is not needed to judge packages stands in the inventories of images that have them.
async fn put_licenses(
    app: &App,
    organisation: &OrganisationId,
    items: &mut [PackageVersion],
) -> Result<(), Refusal> {
    let mut read: HashMap<String, model::Inventory> = HashMap::new();
    let mut left = LICENSED;
    for item in items {
        let known = item.some_images.iter().find(|it| read.contains_key(*it));
        let Some(digest) = known.or(item.some_images.first()).cloned() else { continue };
        if !read.contains_key(&digest) {
            let Some(rest) = left.checked_sub(1) else { continue };
            left = rest;
            let named = named::digest(&digest)?;
            // One that was deleted this moment has nothing to say.
            let Some(it) = app.store.inventory(organisation, &named).await? else { continue };
            read.insert(digest.clone(), it);
        }
        let packages = read.get(&digest).into_iter().flat_map(|it| &it.packages);
        let mut packages = packages.filter(|it| it.purl.to_string() == item.purl);
        if let Some(package) = packages.next() {
            item.licenses = Some(package.licenses.clone());
            let source = package.source.as_ref().map(|it| it.name.clone());
            item.source = source.filter(|it| it != package.purl.name());
        }
    }
    Ok(())
}
