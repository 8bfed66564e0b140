//! The beginning: the only organisation one belongs to, or which of them.

use askama::Template;
use axum::response::Response;

use crate::contract::{Found, Page};
use crate::html::{Html, path};
use crate::layout::{Layout, html};
use crate::table::{Cell, Table, column};
use crate::visit::{Visit, go};

pub(super) const PAGE: Page = Page {
    id: "organisations",
    path: "/",
    title: "Organizations",
    about: "Which organization to look at; who is in one alone goes on to its overview.",
    found: Found::ByLink,
    show: |visit| Box::pin(async move { Ok(show(&visit)) }),
    take: None,
};

#[derive(Template)]
#[template(path = "organisations.html")]
struct Shown {
    layout: Layout,
    table: Html,
}

fn show(visit: &Visit) -> Response {
    let mine = visit.me.as_ref().map(|it| &*it.organisations).unwrap_or_default();
    if let [only] = mine
        && visit.asked("all").is_none()
        && !visit.takes_away("organizations")
    {
        return go(&path(&only.organisation, &[]));
    }
    let columns = vec![column("organization", "Organization"), column("role", "You are")];
    let empty = "You are in no organization yet. Its owner invites you: ";
    let command = Html::tag("code", &[], Html::text("foretop member invite --role member"));
    let empty = Html::tag("p", &[], Html::text(empty).and(&command));
    let mut table =
        Table::new("organizations", "Organizations you belong to", columns).or_else(empty);
    for it in mine {
        let name = Cell::link(&path(&it.organisation, &[]), &it.organisation);
        table.push(vec![name, Cell::text(it.role.as_str())]);
    }
    if let Some(file) = table.file(visit) {
        return file;
    }
    html(&Shown { layout: visit.layout(), table: table.html(visit) })
}
