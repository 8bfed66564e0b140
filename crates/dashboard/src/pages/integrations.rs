//! Integrations: the parties around us, whether they work, and why not.

use api::{Integration, IntegrationCheck, IntegrationState, Tried};
use askama::Template;
use axum::response::Response;

use crate::contract::{Found, Page};
use crate::html::Html;
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::severity::mark;
use crate::table::{Cell, Table, column};
use crate::visit::{Form, Visit};

pub(super) const PAGE: Page = Page {
    id: "integrations",
    path: "/o/{org}/integrations",
    title: "Integrations",
    about: "The registries, runtimes and channels that are spoken with, whether that works, and why \
            not; owners try them.",
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
    tried: Option<(String, Vec<(Html, IntegrationCheck)>)>,
    action: String,
}

type Checked = (String, Vec<IntegrationCheck>);

async fn show(visit: Visit, tried: Option<Checked>) -> Result<Response, Refused> {
    let all = visit.client.integrations(visit.organisation()).await?;
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
    let text = Html::text("Nobody is spoken with yet. To begin with a registry: ");
    let command = "foretop integration configure artifactory --help";
    let command = Html::tag("code", &[], Html::text(command));
    let nothing = Html::tag("p", &[], text.and(&command));
    let mut table = Table::new("integrations", "Integrations", columns).or_else(nothing);
    for it in &all.items {
        table.push(row(&visit, it));
    }
    table.cut(&visit, 50);
    if let Some(file) = table.file(&visit) {
        return Ok(file);
    }
    let tried = tried.map(|(name, checks)| {
        (name, checks.into_iter().map(|it| (outcome(it.outcome), it)).collect())
    });
    Ok(html(&Shown {
        layout: visit.layout(),
        owns: visit.owns(),
        table: table.html(&visit),
        names: all.items.iter().map(|it| format!("{}/{}", it.kind, it.name)).collect(),
        tried,
        action: visit.path.clone(),
    }))
}

fn row(visit: &Visit, it: &Integration) -> Vec<Cell> {
    let state = match it.state {
        IntegrationState::Connected => Cell::text("connected"),
        IntegrationState::Pending => {
            Cell::new(mark("unknown", "pending", "Nobody has tried yet."), "pending")
        }
        IntegrationState::Error => Cell::new(mark("danger", "error", "It does not work."), "error"),
    };
    let told = it.parameters.iter().map(|(key, value)| format!("{key}={value}"));
    let told: Vec<String> =
        told.chain(it.secrets.iter().map(|it| format!("{it} (secret)"))).collect();
    let refused = it.refused.as_ref();
    vec![
        Cell::text(&it.kind),
        Cell::text(&it.name),
        state,
        Cell::text_if(it.why.as_deref()),
        Cell::when(&it.since, visit.now),
        Cell::text(&told.join("; ")),
        Cell::number(it.waiting),
        Cell::number(it.aside),
        refused.map_or_else(Cell::none, |it| Cell::text(&format!("{}: {}", it.count, it.why))),
    ]
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
