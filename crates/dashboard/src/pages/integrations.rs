//! Integrations: the parties around us, whether they work, and why not.

use api::{Integration, IntegrationCheck, IntegrationKind, IntegrationState, Tried};
use askama::Template;
use axum::response::Response;

use crate::contract::{Found, Page};
use crate::html::Html;
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::severity::mark;
use crate::table::{Cell, Table, column};
use crate::visit::{Form, Visit};
use crate::wizard::{GROUPS, brief, group};

pub(super) const PAGE: Page = Page {
    id: "integrations",
    path: "/o/{org}/integrations",
    title: "Integrations",
    about: "The registries, runtimes and channels that are spoken with, whether that works, and why \
            not; owners try them, and connect others.",
    found: Found::InMenu,
    show: |visit| Box::pin(show(visit, None)),
    take: Some(|visit, form| Box::pin(take(visit, form))),
};

#[derive(Template)]
#[template(path = "integrations.html")]
struct Shown {
    layout: Layout,
    owns: bool,
    table: Html,
    names: Vec<String>,
    groups: Vec<(&'static str, Vec<Offered>)>,
    tried: Option<(String, Vec<(Html, IntegrationCheck)>)>,
    action: String,
    agents: String,
}

/// A kind that can be connected.
struct Offered {
    title: String,
    brief: &'static str,
    href: String,
    count: usize,
}

type Checked = (String, Vec<IntegrationCheck>);

async fn show(visit: Visit, tried: Option<Checked>) -> Result<Response, Refused> {
    let all = visit.client.integrations(visit.organisation()).await?;
    let text = "Nobody is spoken with yet: begin with the registry that your images are pushed to.";
    let table = table(&visit, &all.items, Html::tag("p", &[], Html::text(text)));
    if let Some(file) = table.file(&visit) {
        return Ok(file);
    }
    let kinds = visit.client.integration_kinds().await?.items;
    let offered = |it: &IntegrationKind| Offered {
        title: it.title.clone(),
        brief: brief(&it.id),
        href: visit.to(&["integrations", &it.id]),
        count: all.items.iter().filter(|one| one.kind == it.id).count(),
    };
    let of = |number: usize| kinds.iter().filter(move |it| group(&it.id) == number).map(offered);
    let groups = GROUPS.iter().enumerate().map(|(at, title)| (*title, of(at).collect()));
    Ok(html(&Shown {
        layout: visit.layout(),
        owns: visit.owns(),
        table: table.html(&visit),
        names: all.items.iter().map(|it| format!("{}/{}", it.kind, it.name)).collect(),
        groups: groups.collect(),
        tried: tried.map(|(name, checks)| (name, checked(checks))),
        action: visit.path.clone(),
        agents: visit.to(&["agents"]),
    }))
}

/// Integrations, each with a way to its page.
pub(super) fn table(visit: &Visit, all: &[Integration], nothing: Html) -> Table {
    let columns = vec![
        column("kind", "Kind"),
        column("name", "Name"),
        column("state", "State"),
        column("why", "Why"),
        column("since", "Since"),
        column("told", "Is told"),
        column("waiting", "Waiting"),
        column("aside", "Set aside"),
        column("refused", "Webhooks not taken"),
    ];
    let mut table = Table::new("integrations", "Integrations", columns).or_else(nothing);
    for it in all {
        table.push(row(visit, it));
    }
    table.cut(visit, 50);
    table
}

/// Does it work?
pub(super) fn state(it: &Integration) -> Cell {
    match it.state {
        IntegrationState::Connected => Cell::text("connected"),
        IntegrationState::Pending => {
            let why = "It is not all told yet, or nobody has tried.";
            Cell::new(mark("unknown", "pending", why), "pending")
        }
        IntegrationState::Error => Cell::new(mark("danger", "error", "It does not work."), "error"),
    }
}

fn row(visit: &Visit, it: &Integration) -> Vec<Cell> {
    let told = it.parameters.iter().map(|(key, value)| format!("{key}={value}"));
    let told: Vec<String> =
        told.chain(it.secrets.iter().map(|it| format!("{it} (secret)"))).collect();
    let refused = it.refused.as_ref();
    vec![
        Cell::link(&visit.to(&["integrations", &it.kind]), &it.kind),
        Cell::link(&visit.to(&["integrations", &it.kind, &it.name]), &it.name),
        state(it),
        Cell::text_if(it.why.as_deref()),
        Cell::when(&it.since, visit.now),
        Cell::text(&told.join("; ")),
        Cell::number(it.waiting),
        Cell::number(it.aside),
        refused.map_or_else(Cell::none, |it| Cell::text(&format!("{}: {}", it.count, it.why))),
    ]
}

/// What came of trying, each with its mark.
pub(super) fn checked(checks: Vec<IntegrationCheck>) -> Vec<(Html, IntegrationCheck)> {
    checks.into_iter().map(|it| (outcome(it.outcome), it)).collect()
}

fn outcome(it: Tried) -> Html {
    match it {
        Tried::Ok => mark("good", "good", "It is there."),
        Tried::Failed => mark("danger", "missing", "It is not there."),
        Tried::Warned => mark("unknown", "but", "It is there, but."),
    }
}

async fn take(visit: Visit, form: Form) -> Result<Response, Refused> {
    let which = form.need("which")?.to_owned();
    let (kind, name) = which.split_once('/').unwrap_or((&which, ""));
    let done = visit.client.try_integration(visit.organisation(), kind, name).await?;
    show(visit, Some((which, done.checks))).await
}
