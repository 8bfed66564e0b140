//! Comparisons: what a promotion from here to there would bring.

mod pairs;
mod tell;

use api::{Comparing, Comparisons, Difference, End, Problem, Sort};
use axum::extract::State;
use engine::Filter;
use model::{Deployment, Level, OrganisationId, Right};
use store::{Page, When};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::pairs::{Met, pair};
use super::environments;
use crate::app::App;
use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::named::{self, Named};
use crate::refusal::Refusal;

/// Most applications that are compared at once.
const MOST: usize = 1_000;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(compare))
}

/// What is different between what runs here and what runs there: application by application, what a
/// promotion would introduce and fix. An image that is not analysed is told as that.
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
    let met = meet(&app, &organisation, &asked).await?;
    if met.len() > MOST {
        let why = format!("{} applications at once, and {MOST} are the most", met.len());
        let problem = Sort::Refused.because(format!("comparisons: {why}"));
        return Err(problem.with_hint("name a repository").into());
    }
    let mut teller = tell::Teller::new(app, organisation, &asked, filter)?;
    let mut summary = Difference::default();
    let mut pairs = Vec::with_capacity(met.len());
    for met in met {
        let pair = teller.pair(met).await?;
        let it = &pair.difference;
        summary.applications += it.applications;
        summary.unchanged += it.unchanged;
        summary.added += it.added;
        summary.removed += it.removed;
        summary.unknown += it.unknown;
        summary.introduced += it.introduced;
        summary.fixed += it.fixed;
        summary.unclear += it.unclear;
        summary.packages += it.packages;
        pairs.push(pair);
    }
    Ok(Json(Comparisons { summary, pairs }))
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
) -> Result<Vec<Met>, Refusal> {
    let from = Side::read("from", &asked.from)?;
    let to = Side::read("to", &asked.to)?;
    let platform = asked.platform.as_deref();
    let named = asked.repository.as_deref();
    // A tag says which image is looked at, not what it is held against.
    let repository = named.map(Named::read).transpose()?.map(|it| it.repository);
    let repository = repository.as_deref();
    match (from, to) {
        (Side::Environment(from), Side::Environment(to)) => {
            let left = running(app, organisation, from, named, platform).await?;
            let right = running(app, organisation, to, repository, platform).await?;
            if left.is_empty() && right.is_empty() {
                let what = named.map_or("nothing".to_owned(), |it| format!("no image of {it}"));
                let why = format!("{what} is recorded to environment {from} or {to}");
                return Err(nothing(app, organisation, &[from, to], why).await?);
            }
            Ok(pair(left, right))
        }
        (Side::Image(digest), Side::Environment(environment)) => {
            let image = image(app, organisation, digest, repository).await?;
            let other = newest(app, organisation, environment, &image, platform).await?;
            Ok(vec![Met::Image(image, Some(other), true)])
        }
        (Side::Environment(environment), Side::Image(digest)) => {
            let image = image(app, organisation, digest, repository).await?;
            let other = newest(app, organisation, environment, &image, platform).await?;
            Ok(vec![Met::Image(image, Some(other), false)])
        }
        (Side::Image(one), Side::Image(other)) => {
            let one = image(app, organisation, one, repository).await?;
            let other = image(app, organisation, other, None).await?;
            Ok(vec![Met::Images(one, other)])
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
) -> Result<Vec<Deployment>, Refusal> {
    // An environment that nobody has heard of is not an empty one.
    environments::find(app, organisation, environment).await?;
    let selection = named::selection(Some(environment), None, image, platform)?;
    let mut all = Vec::new();
    let mut page = Page { after: None, limit: 1_000 };
    loop {
        let part = app.store.deployments(organisation, &selection, When::Now, &page).await?;
        all.extend(part.rows);
        match part.next {
            Some(next) => page.after = Some(next),
            None => return Ok(all),
        }
    }
}

/// The newest there of the same repository, for the same platform.
async fn newest(
    app: &App,
    organisation: &OrganisationId,
    environment: &str,
    image: &Known,
    platform: Option<&str>,
) -> Result<Deployment, Refusal> {
    let all = running(app, organisation, environment, None, platform).await?;
    let same = all.into_iter().filter(|it| {
        image.repositories.contains(&it.repository) && it.platform == image.record.platform
    });
    if let Some(newest) = same.max_by(|left, right| left.from.cmp(&right.from)) {
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
    let mut there = std::collections::BTreeSet::new();
    for environment in environments {
        for it in running(app, organisation, environment, None, None).await? {
            let short = it.repository.strip_prefix("docker.io/").unwrap_or(&it.repository);
            let platform = &it.platform;
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
