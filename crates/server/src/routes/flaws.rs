//! Flaws: all that is wrong with what runs, flaw by flaw and image by image, as it was counted last.

mod free;

use std::sync::Arc;

use almanac::Book as _;
use api::{
    CountedBasis, FlawedPackage, Flaws, FlawsQuery, InEnvironment, Problem, RunningFlaw,
    RunningImage, RunningImages, RunningImagesQuery, Sort,
};
use axum::extract::State;
use model::{Digest, Right};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::environments;
use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::named;
use crate::refusal::Refusal;
use crate::tally::{Ledger, Line, Meant, Part};

/// Packages of a flaw that are named; all are counted.
const NAMED: usize = 5;
/// Images of a flaw that are named where they are asked for.
const NAMED_IMAGES: usize = 3;
/// Images that are asked for by digest.
const DIGESTS: usize = 100;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(images)).merge(free::paths())
}

/// All that is wrong with what runs in an organisation, or in one of its environments, each flaw once.
/// What statements and exceptions take out of the way is not among it.
#[utoipa::path(get, path = "/orgs/{org}/flaws", tag = "flaws",
    params(("org" = String, Path, description = "The organisation"), FlawsQuery),
    responses(
        (status = 200, body = Flaws),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<FlawsQuery>,
) -> Result<Json<Flaws>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let limit = named::page(None, query.limit)?.limit as usize;
    let meant = Meant::read(&query)?;
    let from = rank(query.after.as_deref())?;
    let environment = match &query.environment {
        Some(name) => Some(environments::find(&app, &organisation, name).await?.name),
        None => None,
    };
    let Some(ledger) = app.tally.ledger(&app, &organisation).await? else {
        return Ok(Json(Flaws::default()));
    };
    let lookout = app.world.lookout(app.now())?;
    // Cores are for those who judge: whoever only reads what they found waits for none.
    let flaws = tokio::task::spawn_blocking(move || {
        let part = match &environment {
            Some(name) => Some(ledger.part(name)?),
            None => None,
        };
        let part: &Part = part.as_deref().unwrap_or_else(|| ledger.whole());
        let (lines, total) = meant.of(&ledger, part, from.saturating_add(limit));
        let lines = lines.get(from..).unwrap_or_default();
        let told = |line: &&Line| {
            let mut item = told(&ledger, line)?;
            if let Some(name) = environment.as_deref().filter(|_| query.images) {
                let some = ledger.images_with(name, line).take(NAMED_IMAGES);
                item.some_images = some.map(ToString::to_string).collect();
            }
            Some(item)
        };
        let mut items: Vec<RunningFlaw> = lines.iter().filter_map(told).collect();
        put_titles(lookout.almanac(), &mut items);
        let end = from.saturating_add(limit);
        let next = (end < total).then(|| end.to_string());
        Some(Flaws { items, next, total: total as u64, basis: part.basis.clone() })
    });
    let flaws = flaws.await.map_err(broke_off)?;
    // An environment that was made this very moment is not counted yet.
    Ok(Json(flaws.unwrap_or_default()))
}

/// What is wrong with each image that runs in an environment, in numbers.
#[utoipa::path(get, path = "/orgs/{org}/environments/{environment}/images", tag = "flaws",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("environment" = String, Path, description = "The environment"),
        RunningImagesQuery,
    ),
    responses(
        (status = 200, body = RunningImages),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn images(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, environment)): Path<(String, String)>,
    Query(query): Query<RunningImagesQuery>,
) -> Result<Json<RunningImages>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let limit = named::page(None, query.limit)?.limit as usize;
    let environment = environments::find(&app, &organisation, &environment).await?.name;
    let digest = |what: &str, text: &str| {
        text.parse::<Digest>().map_err(|error| Refusal::malformed(what, error))
    };
    let after = query.after.as_deref().map(|it| digest("after", it)).transpose()?;
    let digests = query.digests.iter().flat_map(|it| it.split(','));
    let mut digests = digests.map(|it| digest("digests", it)).collect::<Result<Vec<_>, _>>()?;
    if digests.len() > DIGESTS {
        let why = format!("there are more than {DIGESTS}");
        return Err(Refusal::malformed("digests", why));
    }
    digests.sort_unstable();
    let Some(ledger) = app.tally.ledger(&app, &organisation).await? else {
        return Ok(Json(RunningImages::default()));
    };
    let told = tokio::task::spawn_blocking(move || {
        let (Some(images), Some(part)) = (ledger.images(&environment), ledger.part(&environment))
        else {
            return RunningImages::default();
        };
        let is_meant = |it: &Digest| {
            (query.digests.is_none() || digests.binary_search(it).is_ok())
                && after.as_ref().is_none_or(|after| it > after)
        };
        let images = images.filter(|it| is_meant(it)).take(limit + 1);
        let mut images: Vec<&Digest> = images.collect();
        let more = images.len() > limit;
        images.truncate(limit);
        let next = images.last().filter(|_| more).map(ToString::to_string);
        let items = images.into_iter().map(|it| RunningImage {
            digest: it.to_string(),
            found: ledger.counts_of(&environment, it),
        });
        RunningImages { items: items.collect(), next, basis: part.basis.clone() }
    });
    Ok(Json(told.await.map_err(broke_off)?))
}

pub(super) fn broke_off(_: tokio::task::JoinError) -> Refusal {
    Sort::Failed.because("the search broke off").into()
}

/// How many of a list came before.
pub(super) fn rank(after: Option<&str>) -> Result<usize, Refusal> {
    let Some(after) = after else { return Ok(0) };
    let digits = after.len() <= 9 && after.bytes().all(|it| it.is_ascii_digit());
    let rank = after.parse().ok().filter(|_| digits);
    rank.ok_or_else(|| Refusal::malformed("after", "it is `next` of the part before"))
}

/// What counts rest on; nothing where nobody has counted.
pub(super) fn basis(ledger: Option<&Arc<Ledger>>) -> CountedBasis {
    ledger.map(|it| it.whole().basis.clone()).unwrap_or_default()
}

fn told(ledger: &Ledger, line: &Line) -> Option<RunningFlaw> {
    let flaw = ledger.flaw(line)?;
    let mut packages: Vec<FlawedPackage> = Vec::new();
    let mut all: Vec<_> = line.found.iter().filter_map(|it| ledger.found(*it)).collect();
    all.sort_by_key(|(_, pack, _)| (&pack.name, &pack.version, &pack.space));
    for (found, pack, _) in all.into_iter().take(NAMED) {
        packages.push(FlawedPackage {
            name: pack.name.clone(),
            version: pack.version.clone(),
            space: pack.space.to_string(),
            fixed: found.fixed.as_deref().map(str::to_owned),
        });
    }
    let environments = ledger.places(line).into_iter();
    Some(RunningFlaw {
        id: flaw.id.clone(),
        aliases: flaw.aliases.clone(),
        title: None,
        severity: line.level.as_str().to_owned(),
        score: line.score,
        epss: flaw.epss,
        exploited: flaw.exploited,
        malicious: flaw.malicious,
        published: flaw.published.clone(),
        fixable: line.fixable,
        in_use: line.in_use,
        packages,
        packages_total: line.found.len() as u64,
        images: line.images,
        environments: environments
            .map(|(name, images)| InEnvironment { name: name.to_owned(), images })
            .collect(),
        some_images: Vec::new(),
    })
}

/// Says in one line what each is, where some publisher does. Texts are compressed, so all are asked for
/// at once.
fn put_titles(almanac: &almanac::Almanac, items: &mut [RunningFlaw]) {
    let (mut handles, mut whose) = (Vec::new(), Vec::new());
    for (at, it) in items.iter().enumerate() {
        let names = std::iter::once(&it.id).chain(&it.aliases);
        for handle in names.flat_map(|it| almanac.about(it).advisories).take(4) {
            handles.push(handle);
            whose.push(at);
        }
    }
    for (at, text) in whose.into_iter().zip(almanac.texts(&handles)) {
        let title = text.map(|it| it.title).filter(|it| !it.trim().is_empty());
        if let Some(item) = items.get_mut(at)
            && item.title.is_none()
        {
            item.title = title;
        }
    }
}
