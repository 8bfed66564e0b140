//! The overview: how each environment stands, what changed since yesterday, and what is new and
//! dangerous.

use api::{Counted, CountsQuery, Deployment, DeploymentQuery, Environment, EventQuery, PageQuery};
use askama::Template;
use axum::response::Response;
use futures_util::future::join_all;

use crate::contract::{Found, Page};
use crate::html::Html;
use crate::layout::{Layout, html};
use crate::places::Places;
use crate::refused::Refused;
use crate::severity::Severities;
use crate::standing::Standing;
use crate::table::{Cell, Table, column};
use crate::told;
use crate::trouble;
use crate::visit::Visit;
use crate::when::when;

pub(super) const PAGE: Page = Page {
    id: "overview",
    path: "/o/{org}",
    title: "Overview",
    about: "How each environment stands: what runs, how many findings of which severity, now and over the \
            last 30 days, which policies are met, what cannot be told, what changed since yesterday, and \
            what is new and dangerous.",
    found: Found::InMenu,
    show: |visit| Box::pin(show(visit)),
    take: None,
};

/// Environments of one page.
const CARDS: u32 = 12;
/// Applications that a card names.
const NAMED: usize = 8;
/// Those among which whatever has a reason for trouble is looked for, to be called by its name.
const LOOKED: u32 = 50;
const DAY: i64 = 86_400;
/// What is dangerous is new for so long.
const NEW: i64 = 7 * DAY;
const CHANGES: &str = "deployment-started,deployment-replaced,deployment-ended,tag-moved";
const DANGERS: &str =
    "finding-new,finding-exploited,finding-fix-available,finding-severity-changed";

#[derive(Template)]
#[template(path = "overview.html")]
struct Shown {
    layout: Layout,
    cards: Vec<Card>,
    next: Option<String>,
    files: Html,
    almanac: Html,
    changes: Html,
    dangers: Html,
    is_empty: bool,
}

struct Card {
    name: String,
    href: String,
    running: u64,
    pending: u64,
    counts: Option<Counts>,
    /// How it stands, why, since when, and what to do.
    trouble: Html,
    /// What runs there, some of it: in short, in full, and where it is shown.
    named: Vec<(String, String, String)>,
    more: bool,
    /// Compared with a day ago.
    change: Option<String>,
    /// How it stands by policies, and findings day by day.
    policies: Html,
    trend: Html,
}

struct Counts {
    bar: Html,
    numbers: Html,
    pending: u64,
    images: u64,
    gaps: u64,
    at: Html,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let organisation = visit.organisation();
    let page = PageQuery { after: visit.asks("after"), limit: Some(CARDS) };
    let environments = visit.client.environments(organisation, &page).await?;
    if visit.takes_away("environments") {
        return taken(&visit).await;
    }
    for (id, kinds, seconds) in [("changes", CHANGES, DAY), ("dangers", DANGERS, NEW)] {
        if visit.takes_away(id) {
            return told_all(&visit, id, kinds, seconds).await;
        }
    }
    let all = &environments.items;
    let cards = join_all(all.iter().map(|it| card(&visit, it, all))).await;
    let cards = cards.into_iter().collect::<Result<Vec<_>, _>>()?;
    let since = |seconds: i64| Some(visit.now.plus_seconds(-seconds).to_string());
    let events = |kinds: &str, seconds: i64| EventQuery {
        kinds: Some(kinds.to_owned()),
        since: since(seconds),
        limit: Some(10),
        ..EventQuery::default()
    };
    let asked = events(CHANGES, DAY);
    let happened = visit.client.events(organisation, &asked).await?;
    let asked = events(DANGERS, NEW);
    let dangerous = visit.client.events(organisation, &asked).await?;
    let there = Places::of(&visit, all, &[&happened.items, &dangerous.items]).await?;
    let more = |kinds: &str, seconds: i64, is_more: bool| {
        let since = since(seconds).unwrap_or_default();
        let query = [("kinds", kinds), ("since", &*since)];
        let href = crate::html::path_with(organisation, &["events"], &query);
        let text = if is_more { "There is more of it" } else { "The same as events" };
        Html::tag("p", &[], Html::link(&href, Html::text(text)))
    };
    let changes = told::listed(
        &visit,
        &there,
        &happened.items,
        "Nothing was deployed or ended since yesterday.",
    )
    .and(&more(CHANGES, DAY, happened.next.is_some()));
    let nothing = "No flaw became known or exploited in what runs within a week.";
    let dangers = told::listed(&visit, &there, &dangerous.items, nothing).and(&more(
        DANGERS,
        NEW,
        dangerous.next.is_some(),
    ));
    let next = environments.next.as_deref().map(|it| visit.with(&[("after", Some(it))]));
    let almanac = told::almanac(&visit).await;
    let ways = |id: &'static str| told::events("").called(id).ways(&visit);
    let (changes, dangers) = (changes.and(&ways("changes")), dangers.and(&ways("dangers")));
    let files = Table::new("environments", "", Vec::new()).ways(&visit);
    let is_empty = cards.is_empty() && visit.asked("after").is_none();
    let layout = visit.layout().live();
    Ok(html(&Shown { layout, cards, next, files, almanac, changes, dangers, is_empty }))
}

/// What the cards say, of all environments.
async fn taken(visit: &Visit) -> Result<Response, Refused> {
    let listed = visit.list("environments", async |after, limit| {
        let page = PageQuery { after, limit: Some(limit) };
        visit.client.environments(visit.organisation(), &page).await
    });
    let listed = listed.await?;
    let levels = model::Level::ALL.map(|it| column(it.as_str(), it.as_str()));
    let mut columns = vec![column("environment", "Environment"), column("running", "Running")];
    columns.extend(levels);
    columns.extend([column("not_analysed", "Not analysed"), column("gaps", "Gaps")]);
    columns.push(column("counted", "Counted"));
    let mut table = Table::new("environments", "Environments", columns);
    for it in &listed.items {
        let mut row = vec![Cell::text(&it.name), Cell::number(it.running)];
        let unknown = || Cell::unknown("Its findings are not counted yet.");
        if let Some(counts) = &it.counts {
            row.extend(Severities::from(counts).0.map(Cell::number));
            row.extend([Cell::number(counts.pending), Cell::number(counts.gaps)]);
            row.push(Cell::text(&counts.at));
        } else {
            row.extend(std::iter::repeat_with(unknown).take(5));
            row.extend([Cell::number(it.pending), unknown(), Cell::none()]);
        }
        table.push(row);
    }
    table.file(visit).ok_or_else(|| Refused::nowhere("table", "environments"))
}

/// All that happened of these kinds, of which the page names the latest.
async fn told_all(
    visit: &Visit,
    id: &'static str,
    kinds: &str,
    seconds: i64,
) -> Result<Response, Refused> {
    let listed = visit.list(id, async |after, limit| {
        let query = EventQuery {
            kinds: Some(kinds.to_owned()),
            since: Some(visit.now.plus_seconds(-seconds).to_string()),
            after,
            limit: Some(limit),
            ..EventQuery::default()
        };
        visit.client.events(visit.organisation(), &query).await
    });
    let mut table = told::events("").called(id);
    for it in &listed.await?.items {
        // A file has no links.
        table.push(told::event(visit, &Places::default(), it));
    }
    table.file(visit).ok_or_else(|| Refused::nowhere("table", id))
}

async fn card(visit: &Visit, it: &Environment, all: &[Environment]) -> Result<Card, Refused> {
    let running = DeploymentQuery {
        environment: Some(it.name.clone()),
        limit: Some(LOOKED),
        ..DeploymentQuery::default()
    };
    let deployments = visit.client.deployments(visit.organisation(), &running).await?;
    let before = CountsQuery {
        since: Some(visit.now.plus_seconds(-DAY).to_string()),
        limit: Some(1),
        ..CountsQuery::default()
    };
    let before = visit.client.counts(visit.organisation(), &it.name, &before).await?;
    let standing = Standing::of(visit, &it.name).await?;
    let named = |it: &Deployment| {
        let name = it.image.split_once('@').map_or(&*it.image, |(name, _)| name);
        let page = told::image_page(visit, &it.repository, &it.digest);
        (name.rsplit('/').next().unwrap_or(name).to_owned(), name.to_owned(), page)
    };
    Ok(Card {
        trouble: trouble::of(visit, it, &deployments.items, all).await,
        name: it.name.clone(),
        href: visit.to(&["environments", &it.name]),
        running: it.running,
        pending: it.pending,
        counts: it.counts.as_ref().map(|it| counts(visit, it)),
        named: deployments.items.iter().take(NAMED).map(named).collect(),
        more: deployments.items.len() > NAMED || deployments.next.is_some(),
        change: it.counts.as_ref().and_then(|now| change(before.items.first(), now)),
        policies: standing.line(visit, &it.name).and(&standing.bar()),
        trend: standing.findings(),
    })
}

fn counts(visit: &Visit, it: &Counted) -> Counts {
    let severities = Severities::from(it);
    Counts {
        bar: severities.bar(),
        numbers: severities.numbers(),
        pending: it.pending,
        images: it.images,
        gaps: it.gaps,
        at: when(&it.at, visit.now),
    }
}

/// What is different from a day ago, in words.
fn change(before: Option<&Counted>, now: &Counted) -> Option<String> {
    let before = Severities::from(before?);
    let now = Severities::from(now);
    let pairs = model::Level::ALL.iter().zip(before.0.into_iter().zip(now.0));
    let told = pairs.filter(|(_, (before, now))| before != now).map(|(level, (before, now))| {
        let (sign, size) = if now > before { ("+", now - before) } else { ("−", before - now) };
        format!("{sign}{size} {}", level.as_str())
    });
    let told: Vec<String> = told.collect();
    Some(if told.is_empty() { "the same numbers".to_owned() } else { told.join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_told_in_words() {
        let counted = |critical, low| Counted {
            at: String::new(),
            almanac: String::new(),
            critical,
            high: 1,
            medium: 0,
            low,
            unspecified: 0,
            images: 0,
            pending: 0,
            gaps: 0,
        };
        assert_eq!(change(None, &counted(1, 1)), None);
        let told = change(Some(&counted(1, 5)), &counted(3, 1));
        assert_eq!(told.as_deref(), Some("+2 critical, −4 low"));
        let told = change(Some(&counted(1, 5)), &counted(1, 5));
        assert_eq!(told.as_deref(), Some("the same numbers"));
    }
}
