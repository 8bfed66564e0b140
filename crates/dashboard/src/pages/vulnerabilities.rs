//! Vulnerabilities: where a flaw or a package runs, and what became known lately.

use api::{EventQuery, Sighted, WhereQuery};
use askama::Template;
use axum::response::Response;

use crate::contract::{Found, Page};
use crate::html::Html;
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::severity::{badge, mark};
use crate::table::{Cell, Table, column};
use crate::told;
use crate::visit::Visit;

pub(super) const PAGE: Page = Page {
    id: "vulnerabilities",
    path: "/o/{org}/vulnerabilities",
    title: "Vulnerabilities",
    about: "Where a vulnerability or a package runs; and what became known of what runs in the last 30 \
            days.",
    found: Found::InMenu,
    show: |visit| Box::pin(show(visit)),
    take: None,
};

const MONTH: i64 = 30 * 86_400;
const KINDS: &str = "finding-new,finding-exploited,finding-fix-available,finding-severity-changed,\
                     finding-gone";

#[derive(Template)]
#[template(path = "vulnerabilities.html")]
struct Shown {
    layout: Layout,
    text: String,
    environment: String,
    /// What was looked for is not understood: why.
    trouble: Option<String>,
    doubt: Html,
    found: Html,
    events: Html,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let organisation = visit.organisation();
    let environment = visit.asks("environment");
    let (mut found, mut doubt, mut trouble) = (Html::default(), Html::default(), None);
    if let Some(what) = visit.asked("q") {
        let query = WhereQuery {
            what: Some(what.to_owned()),
            environment: environment.clone(),
            limit: Some(20),
            ..WhereQuery::default()
        };
        match visit.client.whereabouts(organisation, &query).await {
            Ok(it) => {
                doubt = doubts(it.unread, &it.gaps);
                let table = sighted(&visit, &it.found, it.unread == 0 && it.gaps.is_empty());
                if let Some(file) = table.file(&visit) {
                    return Ok(file);
                }
                found = table.html(&visit);
            }
            Err(api::Error::Problem(it)) if matches!(it.status, 400 | 404 | 422) => {
                let hint = it.hint.as_deref().map(|it| format!(" ({it})")).unwrap_or_default();
                trouble = Some(format!("{}{hint}", it.detail));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let listed = visit.list("events", async |after, limit| {
        let query = EventQuery {
            environment: environment.clone(),
            kinds: Some(KINDS.to_owned()),
            since: Some(visit.now.plus_seconds(-MONTH).to_string()),
            after,
            limit: Some(limit),
            ..EventQuery::default()
        };
        visit.client.events(organisation, &query).await
    });
    let listed = listed.await?;
    let nothing = "Nothing became known of what runs in the last 30 days, as far as the almanac was \
                   refreshed.";
    let nothing = Html::tag("p", &[], Html::text(nothing));
    let mut events = told::events("What became known in the last 30 days").or_else(nothing);
    for it in &listed.items {
        events.push(told::event(&visit, it));
    }
    events.goes_on(&visit, listed.next.as_deref());
    if let Some(file) = events.file(&visit) {
        return Ok(file);
    }
    Ok(html(&Shown {
        layout: visit.layout(),
        text: visit.asks("q").unwrap_or_default(),
        environment: environment.unwrap_or_default(),
        trouble,
        doubt,
        found,
        events: events.html(&visit),
    }))
}

/// Of what nobody can tell whether it is there.
pub(super) fn doubts(unread: u64, gaps: &[api::Hole]) -> Html {
    let unread = if unread > 0 {
        let text = format!("{unread} images that run are not analysed: it may be in any of them.");
        Html::tag("p", &[("class", "note")], Html::text(&text))
    } else {
        Html::default()
    };
    unread.and(&told::holes("and it may be there", gaps))
}

/// Each package that has it.
pub(super) fn sighted(visit: &Visit, found: &[Sighted], is_all: bool) -> Table {
    let columns = vec![
        column("package", "Package"),
        column("vulnerability", "Vulnerability"),
        column("severity", "Severity"),
        column("fixed", "Fixed in"),
        column("images", "Images"),
        column("environments", "Environments"),
        column("runs", "Runs as"),
    ];
    let nothing = if is_all {
        "It is in no image that is remembered."
    } else {
        "It is in no image of which that can be told."
    };
    let nothing = Html::tag("p", &[], Html::text(nothing));
    let mut table =
        Table::new("found", format!("Found in {} packages", found.len()), columns).or_else(nothing);
    for it in found {
        table.push(row(visit, it));
    }
    table.cut(visit, 50);
    table
}

fn row(visit: &Visit, it: &Sighted) -> Vec<Cell> {
    let purls = Html::joined(it.purls.iter().take(5).map(|it| Html::text(it)), ", ");
    let rest = it.purls.len().saturating_sub(5);
    let rest = if rest > 0 { Html::text(&format!(" and {rest} more")) } else { Html::default() };
    let flaw = it.flaw.as_ref();
    let environments = it.environments.iter();
    let places = environments.clone().map(|it| {
        let link = Html::link(&visit.to(&["environments", &it.name]), Html::text(&it.name));
        link.and(&Html::text(&format!(" ({})", it.images)))
    });
    let names: Vec<&str> = environments.map(|it| &*it.name).collect();
    let runs = it.deployments.iter().take(5).map(|it| {
        let deployment = &it.deployment;
        let link = told::image_page(visit, &deployment.repository, &deployment.digest);
        let away = it.statement.as_ref().filter(|it| it.status.suppresses());
        let away = away.map(|_| mark("good", "out of the way", "A statement says so."));
        let text = format!("{} in {}", deployment.application, deployment.environment);
        Html::link(&link, Html::text(&text)).and(&Html::text(" ")).and(&away.unwrap_or_default())
    });
    let more =
        if it.more || it.deployments.len() > 5 { Html::text(" …") } else { Html::default() };
    let plain = it.deployments.iter().map(|it| &*it.deployment.image);
    let plain: Vec<&str> = plain.collect();
    vec![
        Cell::new(purls.and(&rest), it.purls.join(" ")),
        flaw.map_or_else(Cell::none, |it| {
            let cell = Cell::link(&visit.to(&["vulnerabilities", &it.id]), &it.id);
            let why = "It is known to be used in attacks.";
            if it.exploited { cell.marked(&mark("danger", "exploited", why)) } else { cell }
        }),
        flaw.map_or_else(Cell::none, |it| Cell::new(badge(&it.severity), &*it.severity)),
        Cell::text_if(flaw.and_then(|it| it.fixed.as_deref())),
        Cell::number(it.images),
        if names.is_empty() {
            Cell::none()
        } else {
            Cell::new(Html::joined(places, ", "), names.join(" "))
        },
        if plain.is_empty() {
            Cell::none()
        } else {
            Cell::new(Html::joined(runs, ", ").and(&more), plain.join(" "))
        },
    ]
}
