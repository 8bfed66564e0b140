//! Comparisons: what a promotion from here to there would bring.

mod pairs;
mod tell;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use api::{Comparing, Comparisons, Difference, End, Hole, Pair, PairOutcome, Problem, Sort};
use axum::extract::State;
use engine::Filter;
use futures_util::StreamExt as _;
use model::{Gap, Level, OrganisationId, Right};
use tokio::try_join;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::pairs::{Met, Place, Stands, pair};
use crate::app::App;
use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::named::{self, Named};
use crate::refusal::Refusal;
use crate::runtimes::Doubts;

/// So many packages and findings are told at once, and the rest of the application that is over it:
/// of some there are thousands, and an answer is held as a whole.
const MOST: usize = 20_000;
/// After so long no more is begun: whoever asked is not to think that nobody answers.
const LONG: Duration = Duration::from_secs(20);

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(compare))
}

/// What is different between what runs here and what runs there: application by application, what a
/// promotion would introduce and fix. An image that is not analysed is told as that. Where there are many
/// applications they are told in parts.
#[utoipa::path(post, path = "/orgs/{org}/comparisons", tag = "deployments",
    params(("org" = String, Path, description = "The organisation")),
    request_body = Comparing,
    responses(
        (status = 200, body = Comparisons),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn compare(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Json(asked): Json<Comparing>,
) -> Result<Json<Comparisons>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let filter = filter(&asked)?;
    let limit = named::page(None, asked.limit)?.limit as usize;
    let after = asked.after.as_deref().map(Place::read).transpose()?;
    let doubts = try_join!(
        doubts(&app, &organisation, &asked.from),
        doubts(&app, &organisation, &asked.to)
    )?;
    let met = meet(&app, &organisation, &asked, &doubts).await?;
    // Whoever goes on has been told those before, even if some of them are gone by now.
    let mut left = met
        .into_iter()
        .skip_while(|it| after.as_ref().is_some_and(|after| it.place() <= *after))
        .peekable();
    let mut told = Comparisons { summary: Difference::default(), pairs: Vec::new(), next: None };
    if after.is_none() {
        for pair in unseen(&doubts.0, &doubts.1) {
            told.summary.add(&pair.difference);
            told.pairs.push(pair);
        }
    }
    let mut weight = 0;
    let began = Instant::now();
    let next: Vec<Met<Stands>> = left.by_ref().take(limit).collect();
    let places: Vec<Place> = next.iter().map(Met::place).collect();
    let next = pairs::whole(&app, &organisation, next).await?;
    let mut teller = tell::Teller::new(app, organisation, &asked, filter).await?;
    let begun: Vec<_> = next.into_iter().map(|it| teller.begin(it)).collect();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    // While one is compared, the next is read.
    let mut pairs = futures_util::stream::iter(begun)
        .map(|it| teller.pair(it))
        .buffered(cores.saturating_add(1));
    for (at, place) in places.iter().enumerate() {
        if weight >= MOST || began.elapsed() >= LONG {
            break;
        }
        let Some(pair) = pairs.next().await else { break };
        let mut pair = pair?;
        for (doubts, half) in [(&doubts.0, &pair.from), (&doubts.1, &pair.to)] {
            let deployment = half.as_ref().and_then(|it| it.deployment.as_ref());
            let gaps = deployment.into_iter().flat_map(|it| doubts.by(&it.source));
            pair.gaps.extend(gaps.cloned().map(Hole::from));
        }
        told.summary.add(&pair.difference);
        weight += pair.comparison.as_ref().map_or(0, |it| it.packages.len() + it.findings.len());
        told.pairs.push(pair);
        let more = at + 1 < places.len() || left.peek().is_some();
        told.next = more.then(|| place.written());
    }
    drop(pairs);
    Ok(Json(told))
}

/// What may run on either side, and nobody sees it: each runtime is told once, as something of which
/// nobody can tell, before all others.
fn unseen(from: &Doubts, to: &Doubts) -> Vec<Pair> {
    let mut all: BTreeMap<&str, BTreeSet<&Gap>> = BTreeMap::new();
    for (name, holes) in from.of_runtimes().chain(to.of_runtimes()) {
        all.entry(name).or_default().extend(holes);
    }
    let pair = |(name, holes): (&str, BTreeSet<&Gap>)| Pair {
        application: Some(format!("runtime {name}")),
        platform: String::new(),
        from: None,
        to: None,
        outcome: PairOutcome::Unknown,
        gaps: holes.into_iter().cloned().map(Hole::from).collect(),
        difference: Difference { applications: 1, unknown: 1, ..Difference::default() },
        comparison: None,
    };
    all.into_iter().map(pair).collect()
}

/// What nobody can tell of one side because of its runtimes.
async fn doubts(app: &App, organisation: &OrganisationId, side: &End) -> Result<Doubts, Refusal> {
    match &side.environment {
        Some(name) => Doubts::of(app, organisation, name).await,
        None => Ok(Doubts::default()),
    }
}

fn filter(asked: &Comparing) -> Result<Filter, Refusal> {
    let levels = asked.only.severities.iter().map(|it| {
        Level::parse(&it.trim().to_ascii_lowercase()).ok_or_else(|| {
            let known = Level::ALL.map(Level::as_str).join(", ");
            Refusal::malformed("severities", format!("there are {known}"))
        })
    });
    let types = asked.only.package_types.iter().map(|it| it.trim().to_ascii_lowercase());
    Ok(Filter {
        levels: levels.collect::<Result<_, _>>()?,
        types: types.collect(),
        fixed: asked.only.fixed,
        unsuppressed: asked.only.unsuppressed,
        ..Filter::default()
    })
}

/// Who meets whom.
async fn meet(
    app: &App,
    organisation: &OrganisationId,
    asked: &Comparing,
    (from_doubts, to_doubts): &(Doubts, Doubts),
) -> Result<Vec<Met<Stands>>, Refusal> {
    let from = Side::read("from", &asked.from)?;
    let to = Side::read("to", &asked.to)?;
    let platform = asked.platform.as_deref();
    let named = asked.repository.as_deref();
    // A tag says which image is looked at, not what it is held against.
    let repository = named.map(Named::read).transpose()?.map(|it| it.repository);
    let repository = repository.as_deref();
    match (from, to) {
        (Side::Environment(from), Side::Environment(to)) => {
            let (left, right) = try_join!(
                running(app, organisation, from, named, platform, from_doubts),
                running(app, organisation, to, repository, platform, to_doubts)
            )?;
            if left.is_empty() && right.is_empty() {
                let what = named.map_or("nothing".to_owned(), |it| format!("no image of {it}"));
                let why = format!("{what} is recorded to environment {from} or {to}");
                return Err(nothing(app, organisation, &[from, to], why).await?);
            }
            Ok(pair(left, right))
        }
        (Side::Image(digest), Side::Environment(environment)) => {
            let image = image(app, organisation, digest, repository).await?;
            let other = newest(app, organisation, environment, &image, platform, to_doubts).await?;
            Ok(vec![Met::Image(Box::new(image), Some(other), true)])
        }
        (Side::Environment(environment), Side::Image(digest)) => {
            let image = image(app, organisation, digest, repository).await?;
            let other =
                newest(app, organisation, environment, &image, platform, from_doubts).await?;
            Ok(vec![Met::Image(Box::new(image), Some(other), false)])
        }
        (Side::Image(one), Side::Image(other)) => {
            let one = image(app, organisation, one, repository).await?;
            let other = image(app, organisation, other, None).await?;
            Ok(vec![Met::Images(Box::new([one, other]))])
        }
    }
}

/// What stands on one side.
enum Side<'a> {
    Environment(&'a str),
    Image(&'a str),
}

impl<'a> Side<'a> {
    fn read(what: &str, end: &'a End) -> Result<Self, Refusal> {
        match (&end.environment, &end.digest) {
            (Some(name), None) => Ok(Self::Environment(name)),
            (None, Some(digest)) => Ok(Self::Image(digest)),
            _ => Err(Refusal::malformed(what, "say either `environment` or `digest`")),
        }
    }
}

/// An image that is known here.
pub(super) struct Known {
    pub(super) record: model::ImageRecord,
    /// The repositories that may be meant, with their registries.
    pub(super) repositories: Vec<String>,
}

async fn image(
    app: &App,
    organisation: &OrganisationId,
    digest: &str,
    repository: Option<&str>,
) -> Result<Known, Refusal> {
    let parsed = named::digest(digest)?;
    let record = app.store.image(organisation, &parsed).await?;
    let record = record.ok_or_else(|| Refusal::no_such("image", digest))?;
    let repositories = match repository {
        Some(it) => vec![it.to_owned()],
        None => record.repositories.clone(),
    };
    Ok(Known { record, repositories })
}

/// All that runs there and is meant.
async fn running(
    app: &App,
    organisation: &OrganisationId,
    environment: &str,
    image: Option<&str>,
    platform: Option<&str>,
    doubts: &Doubts,
) -> Result<Vec<Stands>, Refusal> {
    let selection = named::selection(None, None, image, platform)?;
    let all = app.store.runs_as(organisation, environment, &selection).await?;
    let mut all: Vec<Stands> = all.into_iter().map(Stands::from).collect();
    if image.is_none() {
        // Nobody can tell what is in it, nor whether it is what runs elsewhere.
        all.extend(doubts.lost.iter().cloned().map(Stands::lost));
    }
    Ok(all)
}

/// The newest there of the same repository, for the same platform.
async fn newest(
    app: &App,
    organisation: &OrganisationId,
    environment: &str,
    image: &Known,
    platform: Option<&str>,
    doubts: &Doubts,
) -> Result<Stands, Refusal> {
    let all = running(app, organisation, environment, None, platform, doubts).await?;
    let same = all.into_iter().filter(|Stands { by, .. }| {
        image.repositories.contains(&by.repository) && by.platform == image.record.platform
    });
    if let Some(newest) = same.max_by_key(|it| it.by.from) {
        return Ok(newest);
    }
    let what = match image.repositories.as_slice() {
        [] => "no image of the same repository".to_owned(),
        some => format!("no image of {} for {}", some.join(", "), image.record.platform),
    };
    let why = format!("{what} is recorded to environment {environment}");
    Err(nothing(app, organisation, &[environment], why).await?)
}

/// That there is nothing to be compared, with what there is.
async fn nothing(
    app: &App,
    organisation: &OrganisationId,
    environments: &[&str],
    why: String,
) -> Result<Refusal, Refusal> {
    let mut there = BTreeSet::new();
    for environment in environments {
        let doubts = Doubts::of(app, organisation, environment).await?;
        for Stands { by, .. } in
            running(app, organisation, environment, None, None, &doubts).await?
        {
            let short = by.repository.strip_prefix("docker.io/").unwrap_or(&by.repository);
            let platform = &by.platform;
            there.insert(format!("{short} ({platform})"));
        }
    }
    let names: Vec<String> = there.into_iter().take(20).collect();
    let hint = match names.as_slice() {
        [] => "nothing runs there".to_owned(),
        some => format!("there runs: {}", some.join(", ")),
    };
    Ok(Sort::NotFound.because(why).with_hint(hint).into())
}
