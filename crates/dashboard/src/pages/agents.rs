//! Clusters and hosts that say by themselves what runs in them, and how one more is let.

use askama::Template;
use axum::response::Response;

use super::settings::runtimes;
use crate::contract::{Found, Page};
use crate::html::Html;
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::visit::Visit;

pub(super) const PAGE: Page = Page {
    id: "agents",
    path: "/o/{org}/agents",
    title: "Clusters and hosts",
    about: "Clusters and hosts that say what runs in them, when they were heard of last and what cannot be \
            told of them; and how an agent is put into one more.",
    found: Found::ByLink,
    show: |visit| Box::pin(show(visit)),
    take: None,
};

#[derive(Template)]
#[template(path = "agents.html")]
struct Shown<'a> {
    layout: Layout,
    owns: bool,
    organisation: &'a str,
    /// What their own hosts and clusters are called here; a name that a shell takes as it is.
    word: &'a str,
    runtimes: Html,
    integrations: String,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let table = runtimes(&visit).await?;
    if let Some(file) = table.file(&visit) {
        return Ok(file);
    }
    let organisation = visit.organisation();
    let is_plain =
        |it: &&str| it.chars().all(|it| it.is_ascii_alphanumeric() || "-_.".contains(it));
    let shown = Shown {
        layout: visit.layout().live(),
        owns: visit.owns(),
        organisation,
        word: Some(organisation).filter(is_plain).unwrap_or("ORGANIZATION"),
        runtimes: table.html(&visit),
        integrations: visit.to(&["integrations"]),
    };
    Ok(html(&shown))
}
