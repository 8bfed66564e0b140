//! One integration: whether it works, what it is told, what it told, and how it is let go of.

use api::{
    Integration, IntegrationCheck, IntegrationKind, IntegrationNotice, NoticeQuery, NoticeState,
    RemovedAt, Retrying,
};
use askama::Template;
use axum::response::Response;

use super::integrations::{checked, state};
use crate::contract::{Found, Page};
use crate::html::{Html, path_with};
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::severity::mark;
use crate::table::{Cell, Table, column};
use crate::visit::{Form, Visit, go};
use crate::when::when;

pub(super) const PAGE: Page = Page {
    id: "integration",
    path: "/o/{org}/integrations/{kind}/{name}",
    title: "Integration",
    about: "Whether an integration works and why not, what it is told but for secrets, and what it told; \
            owners try it, change it, and let go of it.",
    found: Found::ByLink,
    show: |visit| Box::pin(show(visit, Came::default())),
    take: Some(|visit, form| Box::pin(take(visit, form))),
};

#[derive(Template)]
#[template(path = "integration.html")]
struct Shown {
    layout: Layout,
    owns: bool,
    kind: IntegrationKind,
    name: String,
    facts: Vec<(&'static str, Html)>,
    why: Option<String>,
    is_broken: bool,
    tried: Option<Vec<(Html, IntegrationCheck)>>,
    address: Option<String>,
    hears: bool,
    templates: Vec<(String, String)>,
    removing: bool,
    notices: Html,
    is_aside: bool,
    all: String,
    change: String,
    remove: String,
    action: String,
}

/// What stays at the other side of one that is no more.
#[derive(Template)]
#[template(path = "integration_removed.html")]
struct Gone {
    layout: Layout,
    title: String,
    name: String,
    leftovers: Vec<RemovedAt>,
    all: String,
}

/// What came of what was done.
#[derive(Default)]
struct Came {
    checks: Option<Vec<IntegrationCheck>>,
    shows_address: bool,
}

async fn found(visit: &Visit) -> Result<(IntegrationKind, Integration), Refused> {
    let (kind, name) = (visit.name("kind"), visit.name("name"));
    let all = visit.client.integrations(visit.organisation()).await?.items;
    let found = all.into_iter().find(|it| it.kind == kind && it.name == name);
    let found = found.ok_or_else(|| Refused::nowhere("integration", &format!("{kind} {name}")))?;
    let kinds = visit.client.integration_kinds().await?.items;
    let kind = kinds.into_iter().find(|it| it.id == kind);
    Ok((kind.ok_or_else(|| Refused::nowhere("kind of integration", visit.name("kind")))?, found))
}

async fn show(visit: Visit, came: Came) -> Result<Response, Refused> {
    let (kind, it) = found(&visit).await?;
    let organisation = visit.organisation();
    let query = NoticeQuery { limit: Some(20), ..NoticeQuery::default() };
    let told = visit.client.notices(organisation, &kind.id, &it.name, &query).await?.items;
    let notices = notices(&visit, &told);
    if let Some(file) = notices.file(&visit) {
        return Ok(file);
    }
    let hears = kind
        .settings
        .iter()
        .any(|it| it["key"].as_str().is_some_and(|key| key.starts_with("webhook-")));
    // It is as good as a password: it is told to whoever asks for it, and on no page that is looked at.
    let address = if came.shows_address {
        visit.client.integration(organisation, &kind.id, &it.name).await?.hook
    } else {
        None
    };
    let template = |format: &String| {
        let parts = ["orgs", organisation, "integrations", &kind.id, &it.name, "template"];
        let path: Vec<String> = parts.iter().map(|it| api::segment(it)).collect();
        (
            format.clone(),
            format!("{}/{}?format={}", api::ROOT, path.join("/"), api::segment(format)),
        )
    };
    let query = [("name", &*it.name), ("step", "0")];
    let shown = Shown {
        layout: visit.layout().titled(format!("{} {}", kind.title, it.name)),
        owns: visit.owns(),
        name: it.name.clone(),
        facts: facts(&visit, &it),
        why: it.why.clone(),
        is_broken: it.state == api::IntegrationState::Error,
        tried: came.checks.map(checked),
        address,
        hears,
        templates: kind.templates.iter().map(template).collect(),
        removing: visit.asked("remove").is_some(),
        notices: notices.html(&visit),
        is_aside: told.iter().any(|it| it.state == NoticeState::Aside),
        all: visit.to(&["integrations", &kind.id]),
        change: path_with(organisation, &["integrations", &kind.id], &query),
        remove: visit.with(&[("remove", Some("1"))]),
        action: visit.path.clone(),
        kind,
    };
    Ok(html(&shown))
}

fn facts(visit: &Visit, it: &Integration) -> Vec<(&'static str, Html)> {
    let since = when(&it.since, visit.now);
    let told = it.parameters.iter().map(|(key, value)| {
        let key = Html::tag("code", &[], Html::text(key));
        key.and(&Html::text(&format!(" {value}")))
    });
    let secrets = it.secrets.iter().map(|it| {
        let key = Html::tag("code", &[], Html::text(it));
        key.and(&Html::text(" is told, and shown to nobody"))
    });
    let line = |it: Html| Html::tag("li", &[], it);
    let told = Html::all(told.chain(secrets).map(line));
    let mut facts = vec![
        ("State", state(it).into_html().and(&Html::text(", since ")).and(&since)),
        ("Told", Html::tag("ul", &[("class", "short")], told)),
        (
            "Connected",
            when(&it.created, visit.now).and(&Html::text(&format!(" by {}", it.created_by))),
        ),
        (
            "Waiting",
            Html::text(&format!("{} to be looked into, {} set aside", it.waiting, it.aside)),
        ),
    ];
    if let Some(refused) = &it.refused {
        let text = format!("{} webhooks were not taken: {}; the last ", refused.count, refused.why);
        facts.push(("Not taken", Html::text(&text).and(&when(&refused.last, visit.now))));
    }
    facts
}

fn notices(visit: &Visit, all: &[IntegrationNotice]) -> Table {
    let columns = vec![
        column("heard", "Heard"),
        column("state", "State"),
        column("about", "About"),
        column("attempts", "Tried"),
        column("why", "Why"),
    ];
    let nothing = Html::tag("p", &[], Html::text("It told nothing by itself yet."));
    let mut table = Table::new("notices", "What it told, latest first", columns).or_else(nothing);
    for it in all {
        let state = match it.state {
            NoticeState::Waiting => Cell::text("waiting"),
            NoticeState::Done => Cell::text("done"),
            NoticeState::Aside => {
                Cell::new(mark("danger", "set aside", "It could not be dealt with."), "aside")
            }
        };
        table.push(vec![
            Cell::when(&it.heard, visit.now),
            state,
            Cell::text(&it.about),
            Cell::number(u64::from(it.attempts)),
            Cell::text_if(it.why.as_deref()),
        ]);
    }
    table
}

async fn take(visit: Visit, form: Form) -> Result<Response, Refused> {
    let (organisation, client) = (visit.organisation(), &visit.client);
    let (kind, name) = (visit.name("kind"), visit.name("name"));
    match form.need("do")? {
        "try" => {
            let checks = client.try_integration(organisation, kind, name).await?.checks;
            show(visit, Came { checks: Some(checks), ..Came::default() }).await
        }
        "address" => show(visit, Came { shows_address: true, ..Came::default() }).await,
        "renew" => {
            client.renew_integration_address(organisation, kind, name).await?;
            show(visit, Came { shows_address: true, ..Came::default() }).await
        }
        "retry" => {
            client.retry_notices(organisation, kind, name, &Retrying::default()).await?;
            Ok(go(&visit.path))
        }
        "remove" if form.text("sure").is_some() => {
            let removed = client.delete_integration(organisation, kind, name).await?;
            let layout = visit.layout().titled(format!("{kind} {name} is let go of"));
            let all = visit.to(&["integrations"]);
            let (title, name) = (kind.to_owned(), name.to_owned());
            Ok(html(&Gone { layout, title, name, leftovers: removed.leftovers, all }))
        }
        // Nothing is removed that nobody was asked about.
        _ => Ok(go(&visit.with(&[("remove", Some("1"))]))),
    }
}
