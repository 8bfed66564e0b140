//! Settings: members, tokens, repositories, runtimes, how long things are kept, and backups.

mod kept;
mod keys;
mod people;

use api::{AlmanacState, Repository, RepositoryQuery, Role, RuntimeQuery};
use askama::Template;
use axum::response::Response;

use crate::contract::{Found, Page};
use crate::html::Html;
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::severity::mark;
use crate::table::{Cell, Table, column};
use crate::told;
use crate::visit::{Form, ROWS, Visit, go};

pub(super) const PAGE: Page = Page {
    id: "settings",
    path: "/o/{org}/settings",
    title: "Settings",
    about: "How old each feed of the almanac is, enrolled repositories, runtimes, members, invitations, \
            tokens, how long things are kept, and the last backup; owners change what is theirs to say.",
    found: Found::InMenu,
    show: |visit| Box::pin(show(visit)),
    take: Some(|visit, form| Box::pin(take(visit, form))),
};

#[derive(Template)]
#[template(path = "settings.html")]
struct Shown {
    layout: Layout,
    almanac: Html,
    feeds: Html,
    repositories: Html,
    can_enable: bool,
    action: String,
    runtimes: Html,
    members: Html,
    owns: bool,
    /// Owners see them, where people log in.
    doors: Option<Doors>,
    kept: Html,
    keeps: Vec<String>,
    backup: Html,
    events: String,
}

/// Who may come in, and how.
struct Doors {
    members: Vec<String>,
    roles: [&'static str; 3],
    invitations: Html,
    open: Vec<(String, String)>,
    tokens: Html,
    good: Vec<(String, String)>,
    scopes: [&'static str; 3],
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let repositories = repositories(&visit).await?;
    let runtimes = runtimes(&visit).await?;
    let members = people::members(&visit).await?;
    let doors = if visit.owns() && has_people(&visit) {
        Some((people::invitations(&visit).await?, keys::tokens(&visit).await?))
    } else {
        None
    };
    let kept = kept::kept(&visit).await?;
    let state = visit.client.almanac().await?;
    let feeds = feeds(&visit, &state);
    let all = [
        Some(&feeds),
        Some(&repositories),
        Some(&runtimes),
        Some(&members.table),
        doors.as_ref().map(|(it, _)| &it.table),
        doors.as_ref().map(|(_, it)| &it.table),
        Some(&kept.table),
    ];
    if let Some(file) = all.into_iter().flatten().find_map(|it| it.file(&visit)) {
        return Ok(file);
    }
    let role = visit.layout().role;
    Ok(html(&Shown {
        layout: visit.layout(),
        almanac: told::basis(&told::known(&state), visit.now),
        feeds: if state.starter { Html::default() } else { feeds.html(&visit) },
        repositories: repositories.html(&visit),
        can_enable: role.is_some_and(|it| it >= Role::Editor),
        action: visit.path.clone(),
        runtimes: runtimes.html(&visit),
        members: members.table.html(&visit),
        owns: visit.owns(),
        doors: doors.map(|(invitations, tokens)| Doors {
            members: members.names,
            roles: people::ROLES.map(Role::as_str),
            invitations: invitations.table.html(&visit),
            open: invitations.open,
            tokens: tokens.table.html(&visit),
            good: tokens.good,
            scopes: keys::SCOPES.map(keys::word),
        }),
        kept: kept.table.html(&visit),
        keeps: kept.names,
        backup: kept::backup(&visit).await?,
        events: visit.to(&["events"]),
    }))
}

/// How old each feed is.
fn feeds(visit: &Visit, state: &AlmanacState) -> Table {
    let columns = vec![
        column("feed", "Feed"),
        column("state", "State"),
        column("current", "Current"),
        column("advisories", "Advisories"),
        column("gaps", "Gaps"),
        column("errors", "What went wrong"),
    ];
    let nothing = Html::tag("p", &[], Html::text("The almanac has no feed."));
    let mut table = Table::new("feeds", "Feeds of the almanac", columns).or_else(nothing);
    for it in &state.feeds {
        let class = match &*it.state {
            "fresh" => "good",
            "age unknown" => "unknown",
            _ => "danger",
        };
        let days =
            it.age_days.map_or("nobody can tell how old".to_owned(), |it| format!("{it} days old"));
        table.push(vec![
            Cell::text(&it.feed),
            Cell::new(mark(class, &it.state, &days), &*it.state),
            it.current.as_deref().map_or_else(
                || Cell::unknown("Its documents do not say when they were current."),
                |it| Cell::when(it, visit.now),
            ),
            Cell::number(it.advisories),
            Cell::number(it.gaps),
            if it.errors.is_empty() { Cell::none() } else { Cell::text(&it.errors.join("; ")) },
        ]);
    }
    table.cut(visit, ROWS as usize);
    table
}

/// Where nobody logs in, there are no tokens either.
fn has_people(visit: &Visit) -> bool {
    visit.me.as_ref().is_some_and(|it| it.by != "local")
}

async fn repositories(visit: &Visit) -> Result<Table, Refused> {
    let listed = visit.list_by("repositories", "repositories", async |after, limit| {
        let query = RepositoryQuery { after, limit: Some(limit), ..RepositoryQuery::default() };
        visit.client.repositories(visit.organisation(), &query).await
    });
    let listed = listed.await?;
    let columns = vec![
        column("repository", "Repository"),
        column("enabled", "Images are analysed as they are pushed"),
        column("created", "Since"),
    ];
    let text = Html::text("No repository is enrolled. To enrol one: ");
    let command = Html::tag("code", &[], Html::text("foretop repo enable REPOSITORY"));
    let nothing = Html::tag("p", &[], text.and(&command));
    let mut table = Table::new("repositories", "Enrolled repositories", columns).or_else(nothing);
    for it in &listed.items {
        table.push(repository(visit, it));
    }
    table.goes_on_by(visit, "repositories", listed.next.as_deref());
    Ok(table)
}

fn repository(visit: &Visit, it: &Repository) -> Vec<Cell> {
    vec![
        Cell::link(&visit.to(&["repositories", &it.name]), &it.name),
        Cell::new(Html::text(if it.enabled { "yes" } else { "no" }), it.enabled),
        Cell::when(&it.created, visit.now),
    ]
}

/// Clusters and hosts that say what runs in them.
pub(super) async fn runtimes(visit: &Visit) -> Result<Table, Refused> {
    let listed = visit.list("runtimes", async |after, limit| {
        let query = RuntimeQuery { after, limit: Some(limit), ..RuntimeQuery::default() };
        visit.client.runtimes(visit.organisation(), &query).await
    });
    let listed = listed.await?;
    let columns = vec![
        column("runtime", "Runtime"),
        column("kind", "Kind"),
        column("environments", "Environments"),
        column("running", "Containers"),
        column("heard", "Last heard of"),
        column("gaps", "Cannot be told"),
    ];
    let text = Html::text("No cluster and no host says what runs in it. ");
    let way = match visit.page.id {
        "agents" => Html::text("How one is let to is told below."),
        _ => Html::link(&visit.to(&["agents"]), Html::text("How to let one")),
    };
    let nothing = Html::tag("p", &[], text.and(&way));
    let mut table = Table::new("runtimes", "Clusters and hosts", columns).or_else(nothing);
    for it in &listed.items {
        table.push(runtime(visit, it));
    }
    Ok(table)
}

fn runtime(visit: &Visit, it: &api::Runtime) -> Vec<Cell> {
    let heard = Cell::when(&it.heard, visit.now);
    let why = "It is silent: something else may run there by now.";
    let heard = if it.stale { heard.marked(&mark("unknown", "silent", why)) } else { heard };
    let environments = it.environments.iter();
    let environments =
        environments.map(|it| Html::link(&visit.to(&["environments", it]), Html::text(it)));
    let unplaced = it.unplaced.len();
    let mut gaps = it.gaps.clone();
    if unplaced > 0 {
        gaps.push(format!("{unplaced} images that run there are not known"));
    }
    vec![
        Cell::text(&it.name),
        Cell::text(&it.kind),
        Cell::new(Html::joined(environments, ", "), it.environments.join(" ")),
        Cell::number(it.running),
        heard,
        if gaps.is_empty() {
            Cell::none()
        } else {
            Cell::unknown(&gaps.join("; ")).marked(&Html::text(&gaps.join("; ")))
        },
    ]
}

async fn take(visit: Visit, form: Form) -> Result<Response, Refused> {
    if let Some(response) = people::take(&visit, &form).await? {
        return Ok(response);
    }
    if let Some(response) = keys::take(&visit, &form).await? {
        return Ok(response);
    }
    if let Some(response) = kept::take(&visit, &form).await? {
        return Ok(response);
    }
    let enabled = form.text("enabled") == Some("yes");
    let repository = form.need("repository")?;
    visit.client.enable_repository(visit.organisation(), repository, enabled).await?;
    Ok(done(&visit))
}

fn done(visit: &Visit) -> Response {
    go(&visit.path)
}

/// What is told once, to who made it, and to nobody after that.
enum Made {
    /// Where to go.
    Link(String),
    Word(String),
}

#[derive(Template)]
#[template(path = "settings_made.html")]
struct Told<'a> {
    layout: Layout,
    title: &'static str,
    what: &'static str,
    made: &'a Made,
    settings: &'a str,
}

impl Made {
    fn shown(&self, visit: &Visit, title: &'static str, what: &'static str) -> Response {
        let layout = visit.layout().titled(title);
        html(&Told { layout, title, what, made: self, settings: &visit.path })
    }
}
