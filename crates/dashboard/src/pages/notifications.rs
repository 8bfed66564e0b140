//! Notifications: who is told of what, by whom, and what was told.

use api::{
    Channel, Definition, Notification, NotificationQuery, NotificationState, Resending, Rule,
    Ruling,
};
use askama::Template;
use axum::response::Response;

use crate::contract::{Found, Page};
use crate::html::Html;
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::severity::mark;
use crate::table::{Cell, Table, column};
use crate::visit::{Form, Visit, go};

pub(super) const PAGE: Page = Page {
    id: "notifications",
    path: "/o/{org}/notifications",
    title: "Notifications",
    about: "Who is told of what by which channel, and what was told; owners add, try and remove rules.",
    found: Found::InMenu,
    show: |visit| Box::pin(show(visit)),
    take: Some(|visit, form| Box::pin(take(visit, form))),
};

#[derive(Template)]
#[template(path = "notifications.html")]
struct Shown {
    layout: Layout,
    owns: bool,
    rules: Html,
    names: Vec<String>,
    topics: Vec<(String, String)>,
    channels: Vec<String>,
    told: Html,
    failed: bool,
    integrations: String,
    action: String,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let organisation = visit.organisation();
    let rules = visit.client.rules(organisation).await?;
    let columns = vec![
        column("name", "Rule"),
        column("topics", "Tells of"),
        column("channel", "By"),
        column("only", "Only"),
        column("waiting", "Waiting"),
        column("changed", "Said"),
        column("changed_by", "By whom"),
    ];
    let nothing = Html::tag("p", &[], Html::text("No rule tells anybody anything yet."));
    let mut table = Table::new("rules", "Rules", columns).or_else(nothing);
    for it in &rules.items {
        table.push(rule(&visit, it));
    }
    if let Some(file) = table.file(&visit) {
        return Ok(file);
    }
    let listed = visit.list("notifications", async |after, limit| {
        let query = NotificationQuery { state: None, after, limit: Some(limit) };
        visit.client.notifications(organisation, &query).await
    });
    let listed = listed.await?;
    let columns = vec![
        column("created", "When"),
        column("about", "What"),
        column("rule", "Rule"),
        column("channel", "By"),
        column("state", "State"),
        column("attempts", "Tried"),
    ];
    let nothing = Html::tag("p", &[], Html::text("Nothing was told yet."));
    let mut told =
        Table::new("notifications", "What was told, latest first", columns).or_else(nothing);
    for it in &listed.items {
        told.push(notification(&visit, it));
    }
    told.goes_on(&visit, listed.next.as_deref());
    if let Some(file) = told.file(&visit) {
        return Ok(file);
    }
    let topics =
        visit.client.topics().await?.items.into_iter().map(|it| (it.id, it.about)).collect();
    let channels = visit.client.integrations(organisation).await?;
    let channels = channels.items.iter().map(|it| format!("{}/{}", it.kind, it.name)).collect();
    Ok(html(&Shown {
        layout: visit.layout(),
        owns: visit.owns(),
        rules: table.html(&visit),
        names: rules.items.iter().map(|it| it.name.clone()).collect(),
        topics,
        channels,
        told: told.html(&visit),
        failed: listed.items.iter().any(|it| it.state == NotificationState::Failed),
        integrations: visit.to(&["integrations"]),
        action: visit.path.clone(),
    }))
}

fn rule(visit: &Visit, it: &Rule) -> Vec<Cell> {
    let definition = &it.definition;
    let mut only = Vec::new();
    for (what, list) in [
        ("environments", &definition.environments),
        ("repositories", &definition.repositories),
        ("severities", &definition.severities),
    ] {
        if !list.is_empty() {
            only.push(format!("{what} {}", list.join(", ")));
        }
    }
    if definition.in_use_only {
        only.push("what is in use, or may be".to_owned());
    }
    let mut only = if only.is_empty() { Cell::text("all") } else { Cell::text(&only.join("; ")) };
    for missing in &it.missing {
        let why = format!("There is no environment {missing}.");
        only = only.marked(&mark("unknown", "missing", &why));
    }
    vec![
        Cell::text(&it.name),
        Cell::text(&definition.on.join(", ")),
        Cell::text(&format!("{}/{}", it.channel.kind, it.channel.name)),
        only,
        Cell::number(it.waiting),
        Cell::when(&it.changed, visit.now),
        Cell::text(&it.changed_by),
    ]
}

fn notification(visit: &Visit, it: &Notification) -> Vec<Cell> {
    let trouble = it.trouble.as_deref().unwrap_or("nobody says why");
    let state =
        match it.state {
            NotificationState::Waiting => {
                let waits = it.trouble.as_deref().map(|it| format!(": {it}"));
                Cell::text(&format!("waiting{}", waits.unwrap_or_default()))
            }
            NotificationState::Sent => Cell::text("sent"),
            NotificationState::Failed => Cell::text(&format!("failed: {trouble}"))
                .marked(&mark("danger", "not told", trouble)),
            NotificationState::Dropped => Cell::text(&format!("dropped: {trouble}"))
                .marked(&mark("danger", "not told", trouble)),
        };
    vec![
        Cell::when(&it.created, visit.now),
        Cell::text(&it.about),
        Cell::text_if(it.rule.as_deref()),
        Cell::text(&format!("{}/{}", it.channel.kind, it.channel.name)),
        state,
        Cell::number(u64::from(it.attempts)),
    ]
}

async fn take(visit: Visit, form: Form) -> Result<Response, Refused> {
    let organisation = visit.organisation();
    match form.text("do") {
        Some("remove") => visit.client.delete_rule(organisation, form.need("name")?).await?,
        Some("retry") => {
            visit.client.retry_notifications(organisation, &Resending::default()).await?;
        }
        Some("test") => {
            visit.client.test_rule(organisation, form.need("name")?).await?;
        }
        _ => {
            let (kind, name) = form.need("channel")?.split_once('/').unwrap_or_default();
            let channel = Channel { kind: kind.to_owned(), name: name.to_owned() };
            let definition = Definition {
                on: form.list("on"),
                environments: form.list("environments"),
                repositories: form.list("repositories"),
                severities: form.list("severities"),
                in_use_only: form.text("in_use_only").is_some(),
                digest: None,
                quiet: None,
            };
            let ruling = Ruling { channel, definition };
            visit.client.put_rule(organisation, form.need("name")?, &ruling).await?;
        }
    }
    Ok(go(&visit.path))
}
