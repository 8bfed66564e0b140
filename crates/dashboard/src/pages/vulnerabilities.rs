//! Vulnerabilities: all that is wrong with what runs, and where a vulnerability or a package is.

use api::{
    CountedBasis, Flaws, FlawsQuery, InEnvironment, PageQuery, RunningFlaw, Sighted, WhereQuery,
};
use askama::Template;
use axum::response::Response;

use crate::contract::{Found, Page};
use crate::html::{Html, path_with};
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::severity::{badge, mark};
use crate::table::{Cell, Table, column, falling, sorting};
use crate::told;
use crate::visit::{MOST, PART, ROWS, Visit};
use crate::when::when;

pub(super) const PAGE: Page = Page {
    id: "vulnerabilities",
    path: "/o/{org}/vulnerabilities",
    title: "Vulnerabilities",
    about: "All that is wrong with what runs, the worst of it first, by severity, EPSS, attacks, fix, \
            use and environment; and where a vulnerability or a package is.",
    found: Found::InMenu,
    show: |visit| Box::pin(show(visit)),
    take: None,
};

const MONTH: i64 = 30 * 86_400;
const KINDS: &str = "finding-new,finding-exploited,finding-fix-available,finding-severity-changed,\
                     finding-gone";
/// Environments that are offered.
const OFFERED: u32 = 1_000;
/// EPSS scores that are offered.
const EPSS: [&str; 5] = ["0.9", "0.5", "0.1", "0.05", "0.01"];

#[derive(Template)]
#[template(path = "vulnerabilities.html")]
struct Shown {
    layout: Layout,
    text: String,
    environment: String,
    offered: Vec<String>,
    severity: String,
    epss: String,
    likelihoods: [&'static str; 5],
    exploited: bool,
    fixable: bool,
    in_use: bool,
    is_filtered: bool,
    sort: Option<String>,
    all: String,
    /// What was looked for is not understood: why.
    trouble: Option<String>,
    basis: Html,
    table: Html,
    doubt: Html,
    /// Where what was looked for is, if something was.
    found: Option<Html>,
    lately: String,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let organisation = visit.organisation();
    let environment = visit.asks("environment");
    let page = PageQuery { after: None, limit: Some(OFFERED) };
    let offered = visit.client.environments(organisation, &page).await?;
    let mut offered: Vec<String> = offered.items.into_iter().map(|it| it.name).collect();
    offered
        .extend(environment.iter().filter(|it| !offered.contains(it)).cloned().collect::<Vec<_>>());
    let mut query = FlawsQuery {
        environment: environment.clone(),
        severity: visit.asks("severity"),
        epss: visit.asked("epss").and_then(|it| it.parse().ok()),
        exploited: visit.asked("exploited").is_some(),
        fixable: visit.asked("fixable").is_some(),
        in_use: visit.asked("in_use").is_some(),
        // With a version or a type it is no part of a name.
        text: visit.asks("q").filter(|it| !is_package(it)),
        images: false,
        sort: visit.asks("sort"),
        after: visit.asks("after"),
        limit: Some(ROWS),
    };
    let flaws = asked(&visit, &mut query).await?;
    let mut table = table(&visit, &flaws);
    table.goes_on(&visit, flaws.next.as_deref());
    if let Some(file) = table.file(&visit) {
        return Ok(file);
    }
    let (mut found, mut doubt, mut trouble) = (None, Html::default(), None);
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
                found = Some(table.html(&visit));
            }
            Err(api::Error::Problem(it)) if matches!(it.status, 400 | 404 | 422) => {
                let hint = it.hint.as_deref().map(|it| format!(" ({it})")).unwrap_or_default();
                trouble = Some(format!("{}{hint}", it.detail));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let since = visit.now.plus_seconds(-MONTH).to_string();
    let lately = path_with(organisation, &["events"], &[("kinds", KINDS), ("since", &since)]);
    let filters = ["q", "environment", "severity", "epss", "exploited", "fixable", "in_use"];
    Ok(html(&Shown {
        layout: visit.layout().live(),
        text: visit.asks("q").unwrap_or_default(),
        environment: environment.unwrap_or_default(),
        offered,
        severity: query.severity.unwrap_or_default(),
        epss: visit.asks("epss").unwrap_or_default(),
        likelihoods: EPSS,
        exploited: query.exploited,
        fixable: query.fixable,
        in_use: query.in_use,
        is_filtered: filters.into_iter().any(|it| visit.asked(it).is_some()),
        sort: query.sort,
        all: visit.path.clone(),
        trouble,
        basis: counted(&visit, &flaws.basis),
        table: table.html(&visit),
        doubt,
        found,
        lately,
    }))
}

/// Is it a purl, or a package with versions?
fn is_package(text: &str) -> bool {
    text.starts_with("pkg:") || text.char_indices().any(|(at, it)| at > 0 && it == '@')
}

/// A part of them; all of them, where they are taken away.
async fn asked(visit: &Visit, query: &mut FlawsQuery) -> Result<Flaws, Refused> {
    let organisation = visit.organisation();
    if !visit.takes_away("vulnerabilities") {
        return Ok(visit.client.flaws(organisation, query).await?);
    }
    query.limit = Some(PART);
    query.after = None;
    let mut all = visit.client.flaws(organisation, query).await?;
    while let Some(next) = all.next.take().filter(|_| all.items.len() < MOST) {
        query.after = Some(next);
        let part = visit.client.flaws(organisation, query).await?;
        all.items.extend(part.items);
        all.next = part.next;
    }
    if all.items.len() < usize::try_from(all.total).unwrap_or(usize::MAX) {
        return Err(crate::visit::too_many("vulnerabilities"));
    }
    Ok(all)
}

/// What the numbers rest on, and what they leave out.
pub(super) fn counted(visit: &Visit, it: &CountedBasis) -> Html {
    let Some(at) = &it.counted else {
        let why = "What runs is being counted for the first time.";
        let text =
            Html::text(" What runs is being counted for the first time: look again in a moment.");
        let mark = mark("unknown", "cannot tell", why);
        return Html::tag("p", &[("class", "note")], mark.and(&text));
    };
    let mut text = Html::default();
    if it.pending > 0 || it.gaps > 0 {
        let mut words = Vec::new();
        if it.pending > 0 {
            let (are, them) = if it.pending == 1 { ("is", "it") } else { ("are", "them") };
            words.push(format!(
                "{} of {} images that run {are} not analysed: what is in {them} is not counted.",
                it.pending, it.images
            ));
        }
        if it.gaps > 0 {
            let gaps = if it.gaps == 1 { "gap" } else { "gaps" };
            words.push(format!("The others have {} {gaps}, of which nobody can tell.", it.gaps));
        }
        text = Html::tag("p", &[("class", "note")], Html::text(&words.join(" ")));
    }
    let images = if it.images == 1 { "image that runs" } else { "images that run" };
    let quiet = Html::text(&format!("Of {} different {images}, counted ", it.images));
    let quiet = quiet.and(&when(at, visit.now)).and(&Html::text("."));
    text.and(&Html::tag("p", &[("class", "quiet")], quiet))
}

fn table(visit: &Visit, flaws: &Flaws) -> Table {
    let columns = vec![
        sorting("flaw", "Vulnerability"),
        falling("severity", "Severity"),
        falling("score", "CVSS"),
        falling("epss", "EPSS"),
        falling("packages", "Packages, and what to do"),
        falling("images", "Images"),
        column("environments", "Environments"),
        column("marks", "Marks"),
        falling("published", "Published"),
    ];
    let nothing = match (&flaws.basis.counted, flaws.basis.images) {
        (None, _) => "Nobody can tell yet.",
        (Some(_), 0) => {
            "Nothing runs, as far as anybody told. Say what does: foretop env production IMAGE"
        }
        _ => "No flaw that is known and counts is such a one.",
    };
    let nothing = Html::tag("p", &[], Html::text(nothing));
    let caption = format!("Vulnerabilities in what runs: {}", flaws.total);
    let mut table = Table::new("vulnerabilities", caption, columns).or_else(nothing);
    for it in &flaws.items {
        table.push(line(visit, it));
    }
    table
}

fn line(visit: &Visit, it: &RunningFlaw) -> Vec<Cell> {
    let mut name = Cell::link(&visit.to(&["vulnerabilities", &it.id]), &it.id);
    if let Some(title) = &it.title {
        let title = Html::tag("span", &[("class", "quiet line")], Html::text(title));
        name = name.marked(&title);
    }
    let packages = it.packages.iter().map(|it| {
        let what = match &it.fixed {
            Some(fixed) => format!("{} {} → {fixed}", it.name, it.version),
            None => format!("{} {}, no fix", it.name, it.version),
        };
        Html::tag("span", &[("class", "line"), ("title", &*it.space)], Html::name(&what))
    });
    let plain = it.packages.iter().map(|it| match &it.fixed {
        Some(fixed) => format!("{} {} (fixed in {fixed})", it.name, it.version),
        None => format!("{} {}", it.name, it.version),
    });
    let plain: Vec<String> = plain.collect();
    let rest = it.packages_total.saturating_sub(it.packages.len() as u64);
    let rest = if rest > 0 { format!("and {rest} more") } else { String::new() };
    let number = |it: Option<f32>, digits: usize| {
        it.map_or_else(Cell::none, |it| Cell::text(&format!("{it:.digits$}")))
    };
    vec![
        name,
        Cell::new(badge(&it.severity), &*it.severity),
        number(it.score, 1),
        number(it.epss, 3),
        Cell::new(
            Html::all(packages).and(&Html::text(&rest)),
            format!("{} {rest}", plain.join("; ")).trim(),
        )
        .named(),
        Cell::number(it.images),
        places(visit, &it.environments),
        marks(it),
        Cell::when_if(it.published.as_deref(), visit.now),
    ]
}

/// Environments, and in how many images of each.
pub(super) fn places(visit: &Visit, all: &[InEnvironment]) -> Cell {
    /// Those that are named; beyond that they are counted.
    const NAMED: usize = 4;
    /// What is as short as that stays in one line.
    const SHORT: usize = 24;
    if all.is_empty() {
        return Cell::none();
    }
    let links = all.iter().take(NAMED).map(|it| {
        let link = Html::link(&visit.to(&["environments", &it.name]), Html::text(&it.name));
        let counted = link.and(&Html::text(&format!(" ({})", it.images)));
        let is_short = it.name.chars().count() <= SHORT;
        if is_short { Html::tag("span", &[("class", "short")], counted) } else { counted }
    });
    let rest = all.len().saturating_sub(NAMED);
    let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    let names: Vec<&str> = all.iter().map(|it| &*it.name).collect();
    Cell::new(Html::joined(links, ", ").and(&Html::text(&rest)), names.join(" "))
}

fn marks(it: &RunningFlaw) -> Cell {
    let (mut html, mut plain): (Vec<Html>, Vec<&str>) = (Vec::new(), Vec::new());
    let mut put = |class: &'static str, word: &'static str, why: &str| {
        html.push(mark(class, word, why));
        plain.push(word);
    };
    if it.exploited {
        put("danger", "exploited", "It is known to be used in attacks.");
    }
    if it.malicious {
        put("danger", "malicious", "The package itself is the attack.");
    }
    match it.in_use {
        Some(true) => put("danger", "in use", "A package that has it is loaded where it runs."),
        Some(false) => put("quiet", "not in use", "No package that has it is loaded anywhere."),
        None => {}
    }
    if it.fixable {
        put("good", "fixable", "A package that has it can be updated.");
    }
    if html.is_empty() { Cell::none() } else { Cell::new(Html::joined(html, " "), plain.join(" ")) }
}

/// Of what nobody can tell whether it is there.
pub(super) fn doubts(unread: u64, gaps: &[api::Hole]) -> Html {
    let unread = if unread > 0 {
        let text = match unread {
            1 => "1 image that runs is not analysed: it may be in it.".to_owned(),
            many => format!("{many} images that run are not analysed: it may be in any of them."),
        };
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
    let mut table = Table::new("found", format!("Found in packages: {}", found.len()), columns)
        .or_else(nothing);
    for it in found {
        table.push(row(visit, it));
    }
    table.cut(visit, 50);
    table
}

fn row(visit: &Visit, it: &Sighted) -> Vec<Cell> {
    let purls = Html::joined(it.purls.iter().take(5).map(|it| Html::name(it)), ", ");
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
    let plain: Vec<&str> = plain.chain(it.more.then_some("…")).collect();
    vec![
        Cell::new(purls.and(&rest), it.purls.join(" ")).named(),
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
