//! Explanations: why there is a finding in an image, and why there is none.

use std::collections::BTreeMap;

use api::{Explanation, ExplanationQuery, Judged, Judging, Problem, Sort};
use axum::extract::State;
use axum::response::Response;
use engine::Lookout;
use model::{Gap, Inventory, Judgement, Right};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::images::kept;
use crate::app::App;
use crate::body::{self, Path, Query};
use crate::caller::Caller;
use crate::exceptions::Lookouts;
use crate::judge::on_a_core;
use crate::refusal::Refusal;

/// Letters of what is asked for.
const LONGEST: usize = 1_000;
/// So many judgements are told one by one: a kernel has thousands.
const MOST: usize = 1_000;
/// So many that are neither findings nor gaps are told without being asked for.
const FEW: usize = 5;
/// So many packages are named that are not in the image.
const OTHERS: usize = 5;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(explanation))
}

/// Why there is a finding in an image, and why there is none: every step from the file to the verdict, by
/// the almanac of the server.
#[utoipa::path(get, path = "/orgs/{org}/images/{digest}/explanation", tag = "images",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("digest" = String, Path, description = "`sha256:…`"),
        ExplanationQuery,
    ),
    responses(
        (status = 200, body = Explanation),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn explanation(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, digest)): Path<(String, String)>,
    Query(query): Query<ExplanationQuery>,
) -> Result<Response, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let about = query.about.trim().to_owned();
    if about.is_empty() || about.chars().count() > LONGEST {
        let why = format!("it is the name of a flaw or of a package, of {LONGEST} letters at most");
        return Err(Refusal::malformed("about", why));
    }
    let inventory = kept(&app, &organisation, &digest).await?;
    let mut lookouts = Lookouts::of(&app, &organisation, Judging::default()).await?;
    let lookout = lookouts.there(query.environment.as_deref());
    let explained = on_a_core(&app, &lookout, move |lookout| {
        explain(lookout, &inventory, &about, query.details).ok_or(about)
    });
    match explained.await? {
        Ok(explanation) => body::long(explanation).await,
        Err(about) => {
            let why = format!("{about}: there is no such package in it, and no such advisory");
            Err(Sort::NotFound.because(why).into())
        }
    }
}

/// None: nobody has heard of it.
fn explain(
    lookout: &Lookout,
    inventory: &Inventory,
    about: &str,
    details: bool,
) -> Option<Explanation> {
    let (packages, mut judgements) = lookout.explain_called(inventory, about);
    let is_nothing = judgements.is_empty() && packages.is_empty();
    let mut others = if is_nothing { lookout.speaks_of(about) } else { Vec::new() };
    if is_nothing && others.is_empty() {
        return None;
    }
    let others_total = others.len() as u64;
    others.truncate(OTHERS);
    // In their order but for that.
    judgements.sort_by_key(|it| it.verdict.is_quiet());
    let telling = judgements.partition_point(|it| !it.verdict.is_quiet());
    let is_much = judgements.len() - telling > FEW && !details;
    let rest =
        judgements.split_off(if is_much { telling.min(MOST) } else { judgements.len().min(MOST) });
    let mut folded: BTreeMap<String, u64> = BTreeMap::new();
    for it in rest {
        *folded.entry(it.verdict.as_str().to_owned()).or_default() += 1;
    }
    let purl = |number: usize| inventory.packages.get(number).map(|it| it.purl.to_string());
    Some(Explanation {
        packages: packages.into_iter().filter_map(purl).collect(),
        judgements: judgements.into_iter().map(|it| judged(it, purl)).collect(),
        folded,
        others,
        others_total,
        gaps: gaps(inventory),
        basis: lookout.basis(inventory),
    })
}

fn judged(it: Judgement, purl: impl Fn(usize) -> Option<String>) -> Judged {
    let mut names = it.flaw.into_iter();
    Judged {
        flaw: names.next(),
        aliases: names.collect(),
        purl: purl(it.package),
        says: it.verdict.as_str().to_owned(),
        verdict: it.verdict,
        chain: it.chain,
    }
}

/// What could not be read.
fn gaps(inventory: &Inventory) -> Vec<Gap> {
    let image = inventory.subject.image().map_or(&[][..], |it| &it.gaps);
    let mut all: Vec<Gap> = image.iter().chain(&inventory.gaps).cloned().collect();
    all.sort();
    all.dedup();
    all
}
