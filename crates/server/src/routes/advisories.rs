//! Advisories: what each publisher says of a flaw, and how old the almanac is that knows it.

use std::collections::BTreeSet;
use std::sync::Arc;

use almanac::{Advice, Almanac, Book as _, End, Stretch};
use api::{
    Advisories, Advisory, AlmanacState, ConcernedPackage, Exploitation, FeedAge, Forecast, Hole,
    Problem, RatedBy,
};
use axum::extract::State;
use model::{Outlook, Rating, Status};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::judge::on_a_core;
use crate::refusal::Refusal;

/// Letters of the longest name of a flaw.
const LONGEST: usize = 200;
/// Publishers' words that are told, and packages of each: a flaw of a kernel is in hundreds.
const SAID: usize = 200;
const PACKAGES: usize = 200;
/// Versions and spans of a package that are told.
const VERSIONS: usize = 50;
/// Letters of a story.
const STORY: usize = 64 << 10;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show)).routes(routes!(almanac))
}

/// What every publisher says of a flaw, by any of its names.
#[utoipa::path(get, path = "/advisories/{flaw}", tag = "advisories",
    params(("flaw" = String, Path, description = "A name of it: `CVE-2021-44228`", max_length = 200)),
    responses(
        (status = 200, body = Advisories),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn show(
    State(app): State<App>,
    _: Caller,
    Path(flaw): Path<String>,
) -> Result<Json<Advisories>, Refusal> {
    let name = named(&flaw)?.to_owned();
    let lookout = Arc::new(app.world.lookout(app.now())?);
    let asked = name.clone();
    let told = on_a_core(&app, &lookout, move |lookout| of(lookout.almanac(), &asked)).await?;
    told.map(Json).ok_or_else(|| Refusal::no_such("flaw", &name))
}

/// A flaw, as somebody called it.
pub(super) fn named(flaw: &str) -> Result<&str, Refusal> {
    let is_one = !flaw.trim().is_empty() && flaw.chars().count() <= LONGEST;
    if is_one { Ok(flaw.trim()) } else { Err(Refusal::no_such("flaw", flaw)) }
}

/// How old the almanac is, feed by feed.
#[utoipa::path(get, path = "/almanac", tag = "advisories", responses(
    (status = 200, body = AlmanacState),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
async fn almanac(State(app): State<App>, _: Caller) -> Result<Json<AlmanacState>, Refusal> {
    let lookout = app.world.lookout(app.now())?;
    let basis = lookout.whole_basis();
    let feeds = lookout.feeds().into_iter().map(|it| FeedAge {
        feed: it.feed,
        state: it.verdict.as_str().to_owned(),
        current: it.current,
        age_days: it.age,
        parts: it.parts as u64,
        advisories: it.advisories,
        gaps: it.gaps,
        errors: it.errors,
    });
    Ok(Json(AlmanacState {
        digest: lookout.almanac().digest().to_string(),
        created: lookout.almanac().manifest().created.clone(),
        starter: basis.starter,
        current: basis.current,
        warnings: basis.warnings,
        untold: basis.untold,
        feeds: feeds.collect(),
    }))
}

fn of(almanac: &Almanac, name: &str) -> Option<Advisories> {
    let said = almanac.find(name);
    let concerned = almanac.concerned_by(name);
    let mut names: BTreeSet<String> = concerned.flaws.into_iter().collect();
    for it in &said {
        names.insert(it.known.id.clone());
        names.extend(it.known.aliases.iter().cloned());
    }
    names.insert(name.to_owned());
    // Attacks and forecasts are told by the name that everybody uses.
    let about: Vec<_> = names.iter().map(|it| almanac.about(it)).collect();
    let exploited = about.iter().find_map(|it| it.exploited.clone());
    let forecast = about.iter().find_map(|it| it.forecast.clone());
    if said.is_empty() && exploited.is_none() && forecast.is_none() {
        return None;
    }
    let id = names.iter().find(|it| it.eq_ignore_ascii_case(name) && *it != name);
    let id = id.cloned().unwrap_or_else(|| name.to_owned());
    names.retain(|it| !it.eq_ignore_ascii_case(name));
    let mut said: Vec<Advisory> = said.iter().take(SAID).map(advisory).collect();
    said.sort_by(|left, right| {
        let key = |it: &Advisory| (it.withdrawn.is_some(), it.feed.clone(), it.space.clone());
        let newest = || right.modified.cmp(&left.modified);
        let is_taken_back = |it: &Advisory| it.withdrawn.is_some();
        is_taken_back(left)
            .cmp(&is_taken_back(right))
            .then_with(newest)
            .then_with(|| key(left).cmp(&key(right)))
    });
    let why = "a sheet of the almanac about this space cannot be read";
    let gaps = concerned.torn.into_iter();
    Some(Advisories {
        id,
        aliases: names.into_iter().collect(),
        exploited: exploited.map(|it| Exploitation {
            added: it.added,
            due: it.due,
            ransomware: it.ransomware,
            title: it.title,
            action: it.action,
        }),
        forecast: forecast.map(|it| Forecast { score: it.score, percentile: it.percentile }),
        said,
        gaps: gaps.map(|it| Hole { at: it.to_string(), why: why.to_owned() }).collect(),
    })
}

fn advisory(it: &Advice<'_>) -> Advisory {
    let known = &it.known;
    let mut details = it.text.details.clone();
    if details.len() > STORY {
        let end = (0..=STORY).rev().find(|at| details.is_char_boundary(*at)).unwrap_or_default();
        details.truncate(end);
        details.push('…');
    }
    Advisory {
        feed: it.entry.feed.clone(),
        space: it.entry.space.to_string(),
        id: known.id.clone(),
        aliases: known.aliases.clone(),
        related: known.related.clone(),
        published: known.published.clone(),
        modified: known.modified.clone(),
        withdrawn: known.withdrawn.clone(),
        title: it.text.title.clone(),
        details,
        references: it.text.references.clone(),
        weaknesses: known.weaknesses.clone(),
        ratings: known.ratings.iter().map(rated).collect(),
        packages: it.rows.iter().take(PACKAGES).map(|(name, row)| concerned(name, row)).collect(),
        packages_total: it.rows.len() as u64,
    }
}

fn rated(it: &Rating) -> RatedBy {
    RatedBy {
        source: it.source.clone(),
        severity: it.level.as_str().to_owned(),
        word: it.word.clone(),
        score: it.score,
        vector: it.vector.clone(),
    }
}

fn concerned(name: &str, row: &almanac::Row<'_>) -> ConcernedPackage {
    let status = match row.status {
        Status::Affected => "affected",
        Status::NotAffected => "not-affected",
        Status::UnderInvestigation => "under-investigation",
    };
    let spans = row.stretches.iter().map(span);
    let listed = row.versions.iter().map(|it| it.version.to_owned());
    // Where a span ends before a version, that one has it no more.
    let fixed = row.stretches.iter().filter_map(|it| it.to.as_ref()).filter(|it| !it.included);
    let fixed = fixed.map(|it| it.version.to_owned());
    let only = row.channel.into_iter().chain(row.module).chain(row.arch.iter().copied());
    let outlook = row.outlook.map(|it| match it {
        Outlook::Open => "open",
        Outlook::Minor => "minor",
        Outlook::Deferred => "deferred",
        Outlook::WillNotFix => "will-not-fix",
        Outlook::EndOfLife => "end-of-life",
    });
    ConcernedPackage {
        name: name.to_owned(),
        status: status.to_owned(),
        versions: spans.chain(listed).take(VERSIONS).collect(),
        fixed: if row.status == Status::Affected { fixed.take(VERSIONS).collect() } else { vec![] },
        severity: row.rating.as_ref().map(|it| it.level.as_str().to_owned()),
        reason: row.reason.or(row.torn).map(str::to_owned),
        outlook: outlook.map(str::to_owned),
        bulletins: row.bulletins.iter().map(|it| (*it).to_owned()).collect(),
        only: only.map(str::to_owned).collect(),
    }
}

/// `>=1.0 <1.2.3`
fn span(it: &Stretch<'_>) -> String {
    let from = it.from.as_ref().filter(|it| it.version != "0" || !it.included);
    let word = |it: &End<'_>, sign: &str| {
        format!("{sign}{}{}", if it.included { "=" } else { "" }, it.version)
    };
    let from = from.map(|it| word(it, ">"));
    let to = it.to.as_ref().map(|it| word(it, "<"));
    let both: Vec<String> = from.into_iter().chain(to).collect();
    if both.is_empty() { "all versions".to_owned() } else { both.join(" ") }
}
