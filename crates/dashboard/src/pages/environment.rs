//! One environment: what runs in it or ran, how its findings changed, what happened, and what is
//! different from another one.

use api::{CountsQuery, DeploymentQuery, EventQuery, PageQuery};
use askama::Template;
use axum::response::Response;

use crate::chart::trend;
use crate::contract::{Found, Page};
use crate::html::{Html, path_with};
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::severity::Severities;
use crate::standing::Standing;
use crate::told;
use crate::visit::Visit;
use crate::when::when;

pub(super) const PAGE: Page = Page {
    id: "environment",
    path: "/o/{org}/environments/{env}",
    title: "Environment",
    about: "What runs in an environment, or ever ran; its findings and its policies over the last 30 days; \
            what happened there; and what is different from another environment.",
    found: Found::ByLink,
    show: |visit| Box::pin(show(visit)),
    take: None,
};

const MONTH: i64 = 30 * 86_400;
/// Environments that are offered for a comparison.
const OTHERS: u32 = 100;

#[derive(Template)]
#[template(path = "environment.html")]
struct Shown<'a> {
    layout: Layout,
    name: &'a str,
    history: bool,
    stale: bool,
    running: u64,
    counts: Option<(Html, Html)>,
    counted: Html,
    pending: u64,
    images: u64,
    gaps: u64,
    trend: Html,
    policies: Html,
    deployments: Html,
    events: Html,
    others: Vec<String>,
    compare: String,
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
        let command = format!("foretop env {name} IMAGE");
        let command = Html::tag("code", &[], Html::text(&command));
        Html::text("Nothing runs here yet. Say what does: ").and(&command)
    };
    let mut table = told::deployments(caption, false).or_else(Html::tag("p", &[], empty));
    for it in &listed.items {
        table.push(told::deployment(&visit, it, false));
    }
    table.goes_on(&visit, listed.next.as_deref());
    if let Some(file) = table.file(&visit) {
        return Ok(file);
    }
    let from = visit.now.plus_seconds(-MONTH);
    let query =
        CountsQuery { since: Some(from.to_string()), limit: Some(1000), ..CountsQuery::default() };
    let counted = visit.client.counts(organisation, name, &query).await?;
    let query =
        EventQuery { environment: Some(name.to_owned()), limit: Some(15), ..EventQuery::default() };
    let happened = visit.client.events(organisation, &query).await?;
    let page = PageQuery { after: None, limit: Some(OTHERS) };
    let all = visit.client.environments(organisation, &page).await?;
    let others = all.items.into_iter().map(|it| it.name).filter(|it| it != name).collect();
    let standing = Standing::of(&visit, name).await?;
    let policies = [standing.bar(), standing.line(&visit, name), standing.policies()];
    let counts = environment.counts.as_ref();
    let shown = Shown {
        layout: visit.layout().titled(name).live(),
        name,
        history,
        stale,
        running: environment.running,
        counts: counts.map(Severities::from).map(|it| (it.bar(), it.numbers())),
        counted: counts.map(|it| when(&it.at, visit.now)).unwrap_or_default(),
        pending: counts.map_or(environment.pending, |it| it.pending),
        images: counts.map_or(environment.running, |it| it.images),
        gaps: counts.map_or(0, |it| it.gaps),
        trend: trend(&counted.items, from, visit.now),
        policies: Html::all(policies),
        deployments: table.html(&visit),
        events: told::listed(&visit, &happened.items, "Nothing happened here yet."),
        others,
        compare: visit.to(&["compare"]),
        now: visit.with(&[("history", None), ("stale", None)]),
        ever: visit.with(&[("history", Some("1")), ("stale", None)]),
        moved: visit.with(&[("stale", Some("1")), ("history", None)]),
        all_events: path_with(organisation, &["events"], &[("environment", name)]),
    };
    Ok(html(&shown))
}
