//! Settings: members, tokens, repositories, runtimes, and how long things are kept.

use api::{
    AlmanacState, Member, PageQuery, Repository, RepositoryQuery, Role, RuntimeQuery, Token,
    TokenQuery,
};
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
    about: "Members, tokens, enrolled repositories, runtimes, how old the almanac is, and how long \
            things are kept.",
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
    /// Owners see them.
    tokens: Option<Html>,
    kept: Html,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let repositories = repositories(&visit).await?;
    let runtimes = runtimes(&visit).await?;
    let members = members(&visit).await?;
    let tokens =
        if visit.owns() && has_people(&visit) { Some(tokens(&visit).await?) } else { None };
    let kept = kept(&visit).await?;
    let state = visit.client.almanac().await?;
    let feeds = feeds(&visit, &state);
    let all = [
        Some(&feeds),
        Some(&repositories),
        Some(&runtimes),
        Some(&members),
        tokens.as_ref(),
        Some(&kept),
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
        members: members.html(&visit),
        tokens: tokens.map(|it| it.html(&visit)),
        kept: kept.html(&visit),
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
    let listed = visit.list("repositories", async |after, limit| {
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
    table.goes_on(visit, listed.next.as_deref());
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

async fn members(visit: &Visit) -> Result<Table, Refused> {
    let listed = visit.list("members", async |after, limit| {
        let page = PageQuery { after, limit: Some(limit) };
        visit.client.members(visit.organisation(), &page).await
    });
    let listed = listed.await?;
    let columns = vec![
        column("name", "Name"),
        column("role", "Role"),
        column("since", "Since"),
        column("state", "State"),
    ];
    let text = "Nobody is a member: whoever runs this server owns everything.";
    let nothing = Html::tag("p", &[], Html::text(text));
    let mut table = Table::new("members", "Members", columns).or_else(nothing);
    for it in &listed.items {
        table.push(member(visit, it));
    }
    table.goes_on(visit, listed.next.as_deref());
    Ok(table)
}

fn member(visit: &Visit, it: &Member) -> Vec<Cell> {
    let state = if it.disabled { Cell::text("may not log in") } else { Cell::text("may log in") };
    vec![
        Cell::text(&it.name),
        Cell::text(it.role.as_str()),
        Cell::when(&it.since, visit.now),
        state,
    ]
}

async fn tokens(visit: &Visit) -> Result<Table, Refused> {
    let listed = visit.list("tokens", async |after, limit| {
        let query = TokenQuery { after, limit: Some(limit), ..TokenQuery::default() };
        visit.client.tokens(Some(visit.organisation()), &query).await
    });
    let listed = listed.await?;
    let columns = vec![
        column("name", "Name"),
        column("prefix", "Begins with"),
        column("scope", "May"),
        column("created", "Since"),
        column("created_by", "Made by"),
        column("last_used", "Last used"),
        column("expires", "Good until"),
    ];
    let text = Html::text("The organization has no token of its own. To make one for a CI: ");
    let command = format!("foretop token create ci --org {} --scope write", visit.organisation());
    let command = Html::tag("code", &[], Html::text(&command));
    let nothing = Html::tag("p", &[], text.and(&command));
    let mut table = Table::new("tokens", "Tokens of the organization", columns).or_else(nothing);
    for it in &listed.items {
        table.push(token(visit, it));
    }
    Ok(table)
}

fn token(visit: &Visit, it: &Token) -> Vec<Cell> {
    let until = match (&it.revoked, &it.expires) {
        (Some(at), _) => {
            Cell::when(at, visit.now).marked(&mark("quiet", "revoked", "It is good no more."))
        }
        (None, Some(at)) => Cell::when(at, visit.now),
        (None, None) => Cell::text("it is revoked"),
    };
    let scope = match it.scope {
        api::Scope::Read => "read",
        api::Scope::Write => "write",
        api::Scope::Admin => "admin",
    };
    vec![
        Cell::text(&it.name),
        Cell::code(&it.prefix),
        Cell::text(scope),
        Cell::when(&it.created, visit.now),
        Cell::text(&it.created_by),
        Cell::when_if(it.last_used.as_deref(), visit.now),
        until,
    ]
}

async fn kept(visit: &Visit) -> Result<Table, Refused> {
    let all = visit.client.retention(visit.organisation()).await?;
    let columns =
        vec![column("what", "What"), column("means", "That is"), column("days", "Kept for")];
    let mut table = Table::new("kept", "How long things are kept", columns);
    for it in &all.items {
        let kept = match it.days {
            Some(days) => Cell::text(&format!("{days} days")),
            None => Cell::text("ever"),
        };
        table.push(vec![Cell::text(&it.what), Cell::text(&it.means), kept]);
    }
    table.cut(visit, ROWS as usize);
    Ok(table)
}

async fn take(visit: Visit, form: Form) -> Result<Response, Refused> {
    let enabled = form.text("enabled") == Some("yes");
    let repository = form.need("repository")?;
    visit.client.enable_repository(visit.organisation(), repository, enabled).await?;
    Ok(go(&visit.path))
}
