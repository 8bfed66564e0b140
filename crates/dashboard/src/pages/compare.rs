//! A comparison: what is different between two environments, or two images.

use api::{Comparing, End, Judging, Only, PageQuery, Pair, PairOutcome, Running};
use askama::Template;
use axum::response::Response;
use model::{Comparison, Fate, Way};

use crate::contract::{Found, Page};
use crate::html::Html;
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::severity::{badge, mark};
use crate::table::{Cell, Table, column, short};
use crate::told::{holes, image_page, is_digest};
use crate::typed;
use crate::visit::{MOST, Visit, too_many};

pub(super) const PAGE: Page = Page {
    id: "compare",
    path: "/o/{org}/compare",
    title: "Compare",
    about: "What is different between two environments or two images: what one would bring to the \
            other, package by package and flaw by flaw.",
    found: Found::InMenu,
    show: |visit| Box::pin(show(visit)),
    take: None,
};

/// Applications of one page.
const PAIRS: u32 = 5;
/// Of those that go into a file, so many are asked for at once.
const TAKEN: u32 = 200;
/// Findings and packages of an application that are told; all are counted.
const TOLD: usize = 30;
/// Environments that are offered.
const OFFERED: u32 = 100;

#[derive(Template)]
#[template(path = "compare.html")]
struct Shown {
    layout: Layout,
    from: String,
    to: String,
    offered: Vec<String>,
    summary: Option<Vec<(&'static str, u64)>>,
    more: bool,
    pairs: Vec<Told>,
    next: Option<String>,
    files: Html,
    command: String,
}

struct Told {
    title: String,
    outcome: &'static str,
    is_unknown: bool,
    /// There is something to count: the two are not the same, and both are known.
    is_counted: bool,
    from: Option<Html>,
    to: Option<Html>,
    gaps: Html,
    introduced: u64,
    fixed: u64,
    unclear: u64,
    packages: u64,
    findings: Html,
    changes: Html,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let organisation = visit.organisation();
    let page = PageQuery { after: None, limit: Some(OFFERED) };
    let offered = visit.client.environments(organisation, &page).await?;
    let offered: Vec<String> = offered.items.into_iter().map(|it| it.name).collect();
    let (from, to) = (visit.asks("from"), visit.asks("to"));
    let layout = visit.layout();
    let (Some(from), Some(to)) = (from.clone(), to.clone()) else {
        let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
        let (summary, pairs, next) = (None, Vec::new(), None);
        let command = "foretop compare --env staging --to-env production".to_owned();
        return Ok(html(&Shown {
            layout,
            from,
            to,
            offered,
            summary,
            more: false,
            pairs,
            next,
            files: Html::default(),
            command,
        }));
    };
    let comparing = Comparing {
        from: end(&from),
        to: end(&to),
        judging: Judging { brief: true, ..Judging::default() },
        only: Only { unsuppressed: true, changed: true, ..Only::default() },
        after: visit.asks("after"),
        limit: Some(PAIRS),
        ..Comparing::default()
    };
    for id in ["differences", "packages"] {
        if visit.takes_away(id) {
            return taken(&visit, id, comparing).await;
        }
    }
    let answer = visit.client.compare(organisation, &comparing).await?;
    let it = &answer.summary;
    let summary = vec![
        ("vulnerabilities introduced", it.introduced),
        ("vulnerabilities fixed", it.fixed),
        ("vulnerabilities that cannot be told", it.unclear),
        ("packages that differ", it.packages),
        ("applications", it.applications),
        ("with the same image", it.unchanged),
        ("only in what is looked at", it.added),
        ("only in what it is held against", it.removed),
        ("applications that cannot be told", it.unknown),
    ];
    let shown = Shown {
        layout: layout.titled(format!("{from} and {to}")),
        command: command(&from, &to),
        summary: Some(summary),
        more: answer.next.is_some() || visit.asked("after").is_some(),
        pairs: answer.pairs.iter().map(|it| told(&visit, it)).collect(),
        next: answer.next.as_deref().map(|it| visit.with(&[("after", Some(it))])),
        files: differences().ways(&visit).and(&changes().ways(&visit)),
        from,
        to,
        offered,
    };
    Ok(html(&shown))
}

/// What is different about flaws, as a file has it.
fn differences() -> Table {
    let columns = vec![
        column("application", "Application"),
        column("platform", "Platform"),
        column("outcome", "Outcome"),
        column("fate", "What became of it"),
        column("vulnerability", "Vulnerability"),
        column("severity", "Severity"),
        column("package", "Package"),
        column("before", "Held against"),
        column("after", "Looked at"),
        column("doubt", "What nobody can tell"),
    ];
    Table::new("differences", "", columns)
}

/// The same about packages.
fn changes() -> Table {
    let columns = vec![
        column("application", "Application"),
        column("platform", "Platform"),
        column("package", "Package"),
        column("before", "Held against"),
        column("after", "Looked at"),
        column("doubt", "What nobody can tell"),
    ];
    Table::new("packages", "", columns)
}

/// All of it, however many applications there are. Those that are not compared have a line that says why.
async fn taken(
    visit: &Visit,
    id: &'static str,
    mut comparing: Comparing,
) -> Result<Response, Refused> {
    let mut table = if id == "packages" { changes() } else { differences() };
    let mut count = 0;
    (comparing.after, comparing.limit) = (None, Some(TAKEN));
    loop {
        let part = visit.client.compare(visit.organisation(), &comparing).await?;
        for it in &part.pairs {
            let rows = if id == "packages" { package_rows(it) } else { rows(it) };
            count += rows.len();
            for it in rows {
                table.push(it);
            }
        }
        if count > MOST {
            return Err(too_many(id));
        }
        match part.next {
            Some(next) => comparing.after = Some(next),
            None => break,
        }
    }
    table.file(visit).ok_or_else(|| Refused::nowhere("table", id))
}

fn outcome(it: PairOutcome) -> &'static str {
    match it {
        PairOutcome::Unchanged => "the same image on both sides",
        PairOutcome::Compared => "other images, compared",
        PairOutcome::Added => "only in what is looked at",
        PairOutcome::Removed => "only in what it is held against",
        PairOutcome::Unknown => "cannot tell: an image is not analysed",
    }
}

fn rows(pair: &Pair) -> Vec<Vec<Cell>> {
    let head = || {
        let application = Cell::text_if(pair.application.as_deref());
        vec![application, Cell::text(&pair.platform), Cell::text(outcome(pair.outcome))]
    };
    let findings = pair.comparison.iter().flat_map(|it| &it.findings);
    let changed = findings.filter(|it| it.fate != Fate::Unchanged);
    let mut rows: Vec<Vec<Cell>> = changed
        .map(|it| {
            let seen = it.after.as_ref().or(it.before.as_ref());
            let version =
                |it: &Option<model::Seen>| Cell::text_if(it.as_ref().map(|it| it.version.as_str()));
            let mut row = head();
            row.extend([
                Cell::text(it.fate.as_str()),
                Cell::text(&it.id),
                seen.map_or_else(Cell::none, |it| Cell::level(it.level)),
                Cell::text(&it.name),
                version(&it.before),
                version(&it.after),
                Cell::text_if(it.doubt.as_ref().map(ToString::to_string).as_deref()),
            ]);
            row
        })
        .collect();
    if rows.is_empty() {
        let mut row = head();
        row.extend(std::iter::repeat_with(Cell::none).take(6));
        let why: Vec<&str> = pair.gaps.iter().map(|it| &*it.why).collect();
        row.push(if why.is_empty() { Cell::none() } else { Cell::text(&why.join("; ")) });
        rows.push(row);
    }
    rows
}

fn package_rows(pair: &Pair) -> Vec<Vec<Cell>> {
    let packages = pair.comparison.iter().flat_map(|it| &it.packages);
    let changed = packages.filter(|it| it.way != Way::Unchanged);
    let row = |it: &model::PackageChange| {
        let name = it.after.as_ref().or(it.before.as_ref());
        let version = |it: &Option<model::Purl>| {
            Cell::text_if(it.as_ref().map(|it| it.version().unwrap_or("?")))
        };
        vec![
            Cell::text_if(pair.application.as_deref()),
            Cell::text(&pair.platform),
            Cell::text(&name.map(model::Purl::full_name).unwrap_or_default()),
            version(&it.before),
            version(&it.after),
            Cell::text_if(it.doubt.as_ref().map(ToString::to_string).as_deref()),
        ]
    };
    changed.map(row).collect()
}

/// An image where it is a digest, else an environment.
fn end(text: &str) -> End {
    if is_digest(text) {
        End { digest: Some(text.to_owned()), environment: None }
    } else {
        End { environment: Some(text.to_owned()), digest: None }
    }
}

fn command(from: &str, to: &str) -> String {
    let from = if is_digest(from) {
        format!("NAME@{from}")
    } else {
        format!("--env {}", typed::word(from))
    };
    let to = if is_digest(to) {
        format!("--to NAME@{to}")
    } else {
        format!("--to-env {}", typed::word(to))
    };
    format!("foretop compare {from} {to}")
}

/// `registry.example/shop/api:2.2@sha256:0123456789ab`: all of the digest is on the image's page.
fn brief(image: &str) -> String {
    match image.split_once('@') {
        Some((name, digest)) => format!("{name}@{}", short(digest)),
        None => image.to_owned(),
    }
}

fn told(visit: &Visit, it: &Pair) -> Told {
    let side = |it: &Option<Running>| {
        it.as_ref().map(|it| {
            let link = image_page(visit, &it.image, &it.digest);
            let image = Html::link(&link, Html::name(&brief(&it.image)));
            let Some(deployment) = &it.deployment else { return image };
            let by = Html::text(&format!(", by {}, ", deployment.recorded_by));
            image.and(&by).and(&crate::when::when(&deployment.from, visit.now))
        })
    };
    let application = it.application.clone().unwrap_or_else(|| "Two images".to_owned());
    Told {
        title: format!("{application} ({})", it.platform),
        outcome: outcome(it.outcome),
        is_unknown: it.outcome == PairOutcome::Unknown,
        is_counted: !matches!(it.outcome, PairOutcome::Unknown | PairOutcome::Unchanged),
        from: side(&it.from),
        to: side(&it.to),
        gaps: holes("and a difference may hide there", &it.gaps),
        introduced: it.difference.introduced,
        fixed: it.difference.fixed,
        unclear: it.difference.unclear,
        packages: it.difference.packages,
        findings: it.comparison.as_ref().map(|it| findings(visit, it)).unwrap_or_default(),
        changes: it.comparison.as_ref().map(packages).unwrap_or_default(),
    }
}

/// What is different about flaws, the worst of it first.
fn findings(visit: &Visit, it: &Comparison) -> Html {
    let changed = it.findings.iter().filter(|it| it.fate != Fate::Unchanged);
    let all: Vec<_> = changed.collect();
    let line = |it: &&model::FindingChange| {
        let class = match it.fate {
            Fate::Introduced => "danger",
            Fate::Unclear => "unknown",
            Fate::Fixed => "good",
            Fate::Changed | Fate::Unchanged => "quiet",
        };
        let seen = it.after.as_ref().or(it.before.as_ref());
        let level = seen.map(|it| badge(it.level.as_str())).unwrap_or_default();
        let version =
            |it: Option<&model::Seen>| it.map_or("–".to_owned(), |it| it.version.clone());
        let versions = format!("{} → {}", version(it.before.as_ref()), version(it.after.as_ref()));
        let link = visit.to(&["vulnerabilities", &it.id]);
        let doubt = it.doubt.as_ref().map(|it| Html::text(&format!(" ({it})"))).unwrap_or_default();
        let pieces = [
            mark(class, it.fate.as_str(), ""),
            Html::text(" "),
            level,
            Html::text(" "),
            Html::link(&link, Html::text(&it.id)),
            Html::text(&format!(" {} {versions}", it.name)),
            doubt,
        ];
        Html::tag("li", &[], Html::all(pieces))
    };
    list("Vulnerabilities", all.len(), all.iter().take(TOLD).map(line))
}

fn packages(it: &Comparison) -> Html {
    let all: Vec<_> = it.packages.iter().filter(|it| it.way != Way::Unchanged).collect();
    let line = |it: &&model::PackageChange| {
        let name = it.after.as_ref().or(it.before.as_ref());
        let name = name.map(model::Purl::full_name).unwrap_or_default();
        let version = |it: &Option<model::Purl>| {
            it.as_ref().map_or("–".to_owned(), |it| it.version().unwrap_or("?").to_owned())
        };
        let text = format!("{name} {} → {}", version(&it.before), version(&it.after));
        let doubt = it.doubt.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
        Html::tag("li", &[], Html::text(&format!("{text}{doubt}")))
    };
    list("Packages", all.len(), all.iter().take(TOLD).map(line))
}

fn list(what: &str, count: usize, lines: impl Iterator<Item = Html>) -> Html {
    if count == 0 {
        return Html::default();
    }
    let summary = Html::tag("summary", &[], Html::text(&format!("{what} that differ: {count}")));
    let lines = Html::tag("ul", &[], Html::all(lines));
    let rest = count.saturating_sub(TOLD);
    let rest = if rest > 0 {
        Html::tag("p", &[], Html::text(&format!("… and {rest} more; the command below tells all.")))
    } else {
        Html::default()
    };
    Html::tag("details", &[], Html::all([summary, lines, rest]))
}
