//! Events: what changed, when, by whom and from where.

use api::EventQuery;
use askama::Template;
use axum::response::Response;
use model::EventKind;

use crate::contract::{Found, Page};
use crate::html::Html;
use crate::layout::{Layout, html};
use crate::places::Places;
use crate::refused::Refused;
use crate::told;
use crate::visit::Visit;

pub(super) const PAGE: Page = Page {
    id: "events",
    path: "/o/{org}/events",
    title: "Events",
    about: "What changed, when, by whom and from where: the audit log.",
    found: Found::InMenu,
    show: |visit| Box::pin(show(visit)),
    take: None,
};

#[derive(Template)]
#[template(path = "events.html")]
struct Shown {
    layout: Layout,
    environment: String,
    kind: String,
    kinds: Vec<&'static str>,
    since: String,
    table: Html,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let organisation = visit.organisation();
    let listed = visit.list("events", async |after, limit| {
        let query = EventQuery {
            environment: visit.asks("environment"),
            kinds: visit.asks("kinds"),
            since: visit.asks("since"),
            before: visit.asks("before"),
            after,
            limit: Some(limit),
        };
        visit.client.events(organisation, &query).await
    });
    let listed = listed.await?;
    let nothing = Html::tag("p", &[], Html::text("Nothing of the sort happened."));
    let mut table = told::events("Events, latest first").or_else(nothing);
    let there = Places::of(&visit, &[], &[&listed.items]).await?;
    for it in &listed.items {
        table.push(told::event(&visit, &there, it));
    }
    table.goes_on(&visit, listed.next.as_deref());
    if let Some(file) = table.file(&visit) {
        return Ok(file);
    }
    Ok(html(&Shown {
        layout: visit.layout().live(),
        environment: visit.asks("environment").unwrap_or_default(),
        kind: visit.asks("kinds").unwrap_or_default(),
        kinds: EventKind::ALL.iter().map(|it| it.as_str()).collect(),
        since: visit.asks("since").unwrap_or_default(),
        table: table.html(&visit),
    }))
}
