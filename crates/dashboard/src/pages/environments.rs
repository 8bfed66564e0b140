//! Environments: all of them, with how many findings there are in each.

use api::{Environment, PageQuery};
use askama::Template;
use axum::response::Response;

use crate::contract::{Found, Page};
use crate::html::Html;
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::severity::{Severities, mark};
use crate::table::{Cell, Table, column};
use crate::visit::Visit;

pub(super) const PAGE: Page = Page {
    id: "environments",
    path: "/o/{org}/environments",
    title: "Environments",
    about: "Every environment, with how many findings of which severity there are in it.",
    found: Found::InMenu,
    show: |visit| Box::pin(show(visit)),
    take: None,
};

#[derive(Template)]
#[template(path = "environments.html")]
struct Shown {
    layout: Layout,
    table: Html,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let organisation = visit.organisation();
    let listed = visit.list("environments", async |after, limit| {
        let page = PageQuery { after, limit: Some(limit) };
        visit.client.environments(organisation, &page).await
    });
    let listed = listed.await?;
    let columns = vec![
        column("environment", "Environment"),
        column("running", "Running"),
        column("critical", "Critical"),
        column("high", "High"),
        column("medium", "Medium"),
        column("low", "Low"),
        column("unspecified", "Unspecified"),
        column("not_analysed", "Not analysed"),
        column("gaps", "Gaps"),
        column("counted", "Counted"),
    ];
    let empty = Html::text("There is no environment yet. Make one: ");
    let command = Html::tag("code", &[], Html::text("foretop env create production"));
    let empty = Html::tag("p", &[], empty.and(&command));
    let mut table = Table::new("environments", "Environments", columns).or_else(empty);
    for it in &listed.items {
        table.push(row(&visit, it));
    }
    table.goes_on(&visit, listed.next.as_deref());
    if let Some(file) = table.file(&visit) {
        return Ok(file);
    }
    Ok(html(&Shown { layout: visit.layout().live(), table: table.html(&visit) }))
}

fn row(visit: &Visit, it: &Environment) -> Vec<Cell> {
    let name = Cell::link(&visit.to(&["environments", &it.name]), &it.name);
    let mut row = vec![name, Cell::number(it.running)];
    let Some(counts) = &it.counts else {
        let unknown = || Cell::unknown("Its findings are not counted yet.");
        row.extend(std::iter::repeat_with(unknown).take(5));
        row.extend([pending(it.pending), unknown(), Cell::none()]);
        return row;
    };
    row.extend(Severities::from(counts).0.map(Cell::number));
    row.extend([pending(counts.pending), Cell::number(counts.gaps)]);
    row.push(Cell::when(&counts.at, visit.now));
    row
}

/// What is not analysed is not counted.
fn pending(count: u64) -> Cell {
    let cell = Cell::number(count);
    let why = "What is in them is not counted: nobody can tell.";
    if count > 0 { cell.marked(&mark("unknown", "cannot tell", why)) } else { cell }
}
