//! One environment: what runs in it or ran, how its findings changed, what happened, and what is
//! different from another one.

use std::collections::{HashMap, HashSet};

use api::{
    CountsQuery, Deployment, DeploymentQuery, EventQuery, FlawCounts, PageQuery, RunningImagesQuery,
};
use askama::Template;
use axum::response::Response;
use model::Moment;

use crate::chart::{self, trend};
use crate::contract::{Found, Page};
use crate::html::{Html, path_with};
use crate::layout::{Layout, html};
use crate::places::Places;
use crate::refused::Refused;
use crate::severity::{Severities, mark};
use crate::standing::Standing;
use crate::table::{Cell, column, filed};
use crate::told;
use crate::trouble;
use crate::typed;
use crate::visit::Visit;
use crate::when::when;

pub(super) const PAGE: Page = Page {
    id: "environment",
    path: "/o/{org}/environments/{env}",
    title: "Environment",
    about: "Whether an environment is in trouble, and why; what runs in it, or ever ran; its findings and its \
            policies over the last 30 days; what happened there; and what is different from another \
            environment.",
    found: Found::ByLink,
    show: |visit| Box::pin(show(visit)),
    take: None,
};

const MONTH: i64 = 30 * 86_400;
/// So many seconds are told as one where much changed; of a month there are fewer than a chart has points.
const HOURS: u32 = 4 * 3_600;
/// Deployments that are marked.
const MARKS: u32 = 100;
/// Columns that stand before what is wrong: what runs.
const BEFORE: usize = 2;
/// Environments that are offered for a comparison.
const OTHERS: u32 = 100;

#[derive(Template)]
#[template(path = "environment.html")]
struct Shown<'a> {
    layout: Layout,
    name: &'a str,
    history: bool,
    stale: bool,
    trouble: Html,
    running: u64,
    counts: Option<(Html, Html)>,
    counted: Html,
    pending: u64,
    images: u64,
    gaps: u64,
    trend: Html,
    thinned: bool,
    marked: Option<String>,
    policies: Html,
    deployments: Html,
    events: Html,
    application: String,
    others: Vec<String>,
    compare: String,
    flaws: String,
    now: String,
    ever: String,
    moved: String,
    all_events: String,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let (organisation, name) = (visit.organisation(), visit.name("env"));
    let environment = visit.client.environment(organisation, name).await?;
    let (history, stale) = (visit.asked("history").is_some(), visit.asked("stale").is_some());
    let listed = visit.list("deployments", async |after, limit| {
        let query = DeploymentQuery {
            environment: Some(name.to_owned()),
            application: visit.asks("application"),
            history,
            stale,
            after,
            limit: Some(limit),
            ..DeploymentQuery::default()
        };
        visit.client.deployments(organisation, &query).await
    });
    let listed = listed.await?;
    let caption = if history { "What ever ran here" } else { "What runs here" };
    let empty = if stale {
        Html::text(
            "No tag that something was deployed by leads elsewhere, as far as registries were asked.",
        )
    } else {
        let command = format!("foretop env {} IMAGE", typed::word(name));
        let command = Html::tag("code", &[], Html::text(&command));
        Html::text("Nothing runs here yet. Say what does: ").and(&command)
    };
    // What ran is not counted any more.
    let found = if history { None } else { Some(found(&visit, name, &listed.items).await?) };
    let counts = found.iter().flat_map(|_| {
        let words = model::Level::ALL.map(|it| filed(it.as_str()));
        [column("findings", "Findings, worst first")].into_iter().chain(words).chain([
            filed("exploited"),
            filed("fixable"),
            filed("in_use"),
        ])
    });
    let table = told::deployments(caption, false).with_columns(BEFORE, counts);
    let mut table = table.or_else(Html::tag("p", &[], empty));
    for it in &listed.items {
        let mut row = told::deployment(&visit, it, false);
        if let Some(found) = &found {
            let counts = found.get(&it.digest).and_then(Option::as_ref);
            let why = "It is not analysed, or not counted yet.";
            row.splice(BEFORE..BEFORE, findings(counts, why));
        }
        table.push(row);
    }
    table.goes_on(&visit, listed.next.as_deref());
    if let Some(file) = table.file(&visit) {
        return Ok(file);
    }
    let from = visit.now.plus_seconds(-MONTH);
    let (counted, thinned) = counted(&visit, name, from).await?;
    let (marks, marked) = deployed(&visit, name, from).await?;
    let query =
        EventQuery { environment: Some(name.to_owned()), limit: Some(15), ..EventQuery::default() };
    let happened = visit.client.events(organisation, &query).await?;
    let page = PageQuery { after: None, limit: Some(OTHERS) };
    let all = visit.client.environments(organisation, &page).await?;
    let running: Vec<Deployment> =
        listed.items.iter().filter(|it| it.until.is_none()).cloned().collect();
    let trouble = trouble::of(&visit, &environment, &running, &all.items).await;
    let others = all.items.into_iter().map(|it| it.name).filter(|it| it != name).collect();
    let standing = Standing::of(&visit, name).await?;
    let policies = [standing.line(&visit, name), standing.bar(), standing.policies()];
    let there = Places::of(&visit, std::slice::from_ref(&environment), &[&happened.items]).await?;
    let counts = environment.counts.as_ref();
    let shown = Shown {
        layout: visit.layout().titled(name).live(),
        name,
        history,
        stale,
        trouble,
        running: environment.running,
        counts: counts.map(Severities::from).map(|it| (it.bar(), it.numbers())),
        counted: counts.map(|it| when(&it.at, visit.now)).unwrap_or_default(),
        pending: counts.map_or(environment.pending, |it| it.pending),
        images: counts.map_or(environment.running, |it| it.images),
        gaps: counts.map_or(0, |it| it.gaps),
        trend: trend(&counted, &marks, from, visit.now),
        thinned,
        marked,
        policies: Html::all(policies),
        deployments: table.html(&visit),
        events: told::listed(&visit, &there, &happened.items, "Nothing happened here yet."),
        others,
        application: visit.asks("application").unwrap_or_default(),
        compare: visit.to(&["compare"]),
        flaws: path_with(organisation, &["vulnerabilities"], &[("environment", name)]),
        now: visit.with(&[("history", None), ("stale", None)]),
        ever: visit.with(&[("history", Some("1")), ("stale", None)]),
        moved: visit.with(&[("stale", Some("1")), ("history", None)]),
        all_events: path_with(organisation, &["events"], &[("environment", name)]),
    };
    Ok(html(&shown))
}

/// How its findings changed from then on; where that was often, as it was at the end of each few hours.
async fn counted(
    visit: &Visit,
    name: &str,
    from: Moment,
) -> Result<(Vec<api::Counted>, bool), Refused> {
    let query = CountsQuery {
        since: Some(from.to_string()),
        limit: u32::try_from(chart::POINTS).ok(),
        ..CountsQuery::default()
    };
    let all = visit.client.counts(visit.organisation(), name, &query).await?;
    if all.next.is_none() {
        return Ok((all.items, false));
    }
    let query = CountsQuery { every: Some(HOURS), limit: Some(1_000), ..query };
    let some = visit.client.counts(visit.organisation(), name, &query).await?;
    Ok((some.items, true))
}

/// What was deployed there from then on and taken out, and which of it is told, if any is.
async fn deployed(
    visit: &Visit,
    name: &str,
    from: Moment,
) -> Result<(Vec<chart::Mark>, Option<String>), Refused> {
    let query = DeploymentQuery {
        environment: Some(name.to_owned()),
        history: true,
        limit: Some(MARKS),
        ..DeploymentQuery::default()
    };
    let all = visit.client.deployments(visit.organisation(), &query).await?;
    let begun: HashSet<_> =
        all.items.iter().map(|it| (&*it.application, &*it.platform, &*it.from)).collect();
    let mark = |at: &str, told: String| Some(chart::Mark { at: at.parse().ok()?, told });
    let began = all.items.iter().filter_map(|it| mark(&it.from, format!("{} runs", brief(it))));
    // What was replaced is told by what runs in its place.
    let is_out =
        |at: &&str, it: &Deployment| !begun.contains(&(&*it.application, &*it.platform, *at));
    let ended = all.items.iter().filter_map(|it| {
        let at = it.until.as_deref().filter(|at| is_out(at, it))?;
        mark(at, format!("{} was taken out", brief(it)))
    });
    let mut marks: Vec<chart::Mark> = began.chain(ended).collect();
    let is_cut = all.next.is_some() && marks.iter().all(|it| it.at >= from);
    marks.retain(|it| it.at >= from);
    let which = match (marks.is_empty(), is_cut) {
        (true, _) => None,
        (false, false) => Some("Deployments are marked".to_owned()),
        (false, true) => Some(format!("The last {MARKS} deployments are marked")),
    };
    Ok((marks, which))
}

/// `api: registry.example/shop/api:2.2`
fn brief(it: &Deployment) -> String {
    let name = it.image.split_once('@').map_or(&*it.image, |(name, _)| name);
    format!("{}: {name}", it.application)
}

/// What is wrong with each of these images, as it was counted last. What is missing is not counted yet.
type ByImage = HashMap<String, Option<FlawCounts>>;

async fn found(
    visit: &Visit,
    environment: &str,
    deployments: &[Deployment],
) -> Result<ByImage, Refused> {
    /// Digests that are asked for at once.
    const PART: usize = 100;
    let mut digests: Vec<&str> = deployments.iter().map(|it| &*it.digest).collect();
    digests.sort_unstable();
    digests.dedup();
    let mut counted = ByImage::new();
    for part in digests.chunks(PART) {
        let query = RunningImagesQuery {
            digests: Some(part.join(",")),
            limit: Some(1_000),
            ..RunningImagesQuery::default()
        };
        let told = visit.client.running_images(visit.organisation(), environment, &query).await?;
        counted.extend(told.items.into_iter().map(|it| (it.digest, it.found)));
    }
    Ok(counted)
}

/// As people see it, and apart for files.
pub(super) fn findings(counts: Option<&FlawCounts>, why: &str) -> Vec<Cell> {
    let Some(it) = counts else {
        return std::iter::repeat_with(|| Cell::unknown(why)).take(9).collect();
    };
    let severities = Severities::from(it);
    let mut marks = vec![severities.line()];
    if it.exploited > 0 {
        let text = format!("{} exploited", it.exploited);
        marks.push(mark("danger", &text, "Known to be used in attacks."));
    }
    match it.in_use {
        Some(0) => marks.push(mark("quiet", "none in use", "None is in a package that is loaded.")),
        Some(count) => {
            marks.push(mark("danger", &format!("{count} in use"), "In packages that are loaded."));
        }
        None => {}
    }
    if it.gaps > 0 {
        let gaps = if it.gaps == 1 { "gap" } else { "gaps" };
        marks.push(mark("unknown", &format!("{} {gaps}", it.gaps), "Of these nobody can tell."));
    }
    let mut row = vec![Cell::new(Html::joined(marks, " "), severities.told())];
    row.extend(severities.0.map(Cell::number));
    row.extend([Cell::number(it.exploited), Cell::number(it.fixable)]);
    row.push(it.in_use.map_or_else(|| Cell::unknown("Nobody looked."), Cell::number));
    row
}
