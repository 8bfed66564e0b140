//! Policies: which are in force where, and how each environment stands by them.

use api::{PolicyPlace, PolicyTally};
use askama::Template;
use axum::response::Response;
use futures_util::future::join_all;

use crate::contract::{Found, Page};
use crate::html::{Html, path_with};
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::standing::Standing;
use crate::table::{Cell, Table, column};
use crate::visit::Visit;
use crate::when::when;

pub(super) const PAGE: Page = Page {
    id: "policies",
    path: "/o/{org}/policies",
    title: "Policies",
    about: "Which policies are in force where, since when and by whom, and how what runs stands by them, \
            now and over the last 30 days.",
    found: Found::InMenu,
    show: |visit| Box::pin(show(visit)),
    take: None,
};

/// Environments of one page.
const CARDS: usize = 12;

#[derive(Template)]
#[template(path = "policies.html")]
struct Shown {
    layout: Layout,
    owns: bool,
    cards: Vec<Card>,
    next: Option<String>,
    standing: Html,
    sets: Html,
    edit: String,
}

struct Card {
    name: String,
    href: String,
    line: Html,
    bar: Html,
    chart: Html,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let places = visit.client.policy_places(visit.organisation()).await?.items;
    let sets = sets(&visit, &places);
    if let Some(file) = sets.file(&visit) {
        return Ok(file);
    }
    let names: Vec<&str> = places.iter().filter_map(|it| it.environment.as_deref()).collect();
    let at = visit.asked("at").and_then(|it| it.parse().ok()).unwrap_or(0).min(names.len());
    let end = at.saturating_add(CARDS).min(names.len());
    let shown = names.get(at..end).unwrap_or_default();
    let asked = join_all(shown.iter().map(|it| Standing::of(&visit, it))).await;
    let asked = asked.into_iter().collect::<Result<Vec<_>, _>>()?;
    let columns = vec![
        column("environment", "Environment"),
        column("policy", "Policy"),
        column("met", "Met"),
        column("not_met", "Not met"),
        column("unknown", "Cannot tell"),
    ];
    let nothing = Html::tag("p", &[], Html::text("Nothing was judged by policies yet."));
    let caption = "What policies say, by environment";
    let mut standing = Table::new("standing", caption, columns).or_else(nothing);
    for (name, it) in shown.iter().zip(&asked) {
        for tally in it.last().iter().flat_map(|it| &it.policies) {
            standing.push(row(&visit, name, tally));
        }
    }
    if let Some(file) = standing.file(&visit) {
        return Ok(file);
    }
    let card = |(name, it): (&&str, &Standing)| Card {
        name: (*name).to_owned(),
        href: visit.to(&["environments", name, "policies"]),
        line: it.line(&visit, name),
        bar: it.bar(),
        chart: it.policies(),
    };
    let next = (end < names.len()).then(|| visit.with(&[("at", Some(&end.to_string()))]));
    Ok(html(&Shown {
        layout: visit.layout().live(),
        owns: visit.owns(),
        cards: shown.iter().zip(&asked).map(card).collect(),
        next,
        standing: standing.html(&visit),
        sets: sets.html(&visit),
        edit: visit.to(&["policies", "set"]),
    }))
}

fn row(visit: &Visit, environment: &str, it: &PolicyTally) -> Vec<Cell> {
    let href = path_with(
        visit.organisation(),
        &["environments", environment, "policies"],
        &[("policy", &*it.id)],
    );
    vec![
        Cell::link(&visit.to(&["environments", environment]), environment),
        Cell::link(&href, &it.title),
        Cell::number(it.met),
        Cell::number(it.not_met),
        Cell::number(it.unknown),
    ]
}

/// Which set counts where.
fn sets(visit: &Visit, places: &[PolicyPlace]) -> Table {
    let columns = vec![
        column("place", "Where"),
        column("whose", "Which"),
        column("version", "Version"),
        column("modules", "Modules"),
        column("counts", "Policies that count"),
        column("set", "Since"),
        column("set_by", "By whom"),
    ];
    let mut table = Table::new("sets", "Policies in force", columns);
    for it in places {
        let set = it.in_force.as_ref();
        let own = set.filter(|set| set.environment == it.environment);
        let whose = match (&it.environment, own.is_some(), set.is_some()) {
            (_, true, _) if it.environment.is_some() => "its own",
            (Some(_), _, true) => "the organization's",
            (None, true, _) => "set by the organization",
            _ => "those that come with Foretop",
        };
        let place = match &it.environment {
            Some(name) => Cell::link(&visit.to(&["environments", name, "policies"]), name),
            None => Cell::text("wherever no environment has its own"),
        };
        let counts = set.map_or_else(Cell::none, |it| {
            let titles: Vec<&str> = it.policies.iter().map(|it| it.title.as_str()).collect();
            let count = Html::tag(
                "span",
                &[("title", &*titles.join(", "))],
                Html::text(&titles.len().to_string()),
            );
            Cell::new(count, titles.join("; "))
        });
        let modules = set.map(|it| if it.built_in { "Foretop's" } else { "own Rego" });
        table.push(vec![
            place,
            Cell::text(whose),
            set.map_or_else(Cell::none, |it| Cell::number(u64::from(it.version))),
            Cell::text(modules.unwrap_or("Foretop's")),
            counts,
            set.map_or_else(Cell::none, |it| Cell::new(when(&it.set, visit.now), it.set.clone())),
            Cell::text_if(set.map(|it| it.set_by.as_str())),
        ]);
    }
    table.cut(visit, CARDS.max(50));
    table
}
