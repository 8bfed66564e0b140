//! Why a flaw is found in an image, and why it is not.

use api::{Explanation, ExplanationQuery, Judged};
use askama::Template;
use axum::response::Response;
use model::Verdict;

use crate::contract::{Found, Page};
use crate::html::{Html, path_with};
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::severity::mark;
use crate::table::{Cell, Table, column, filed};
use crate::told;
use crate::typed;
use crate::visit::{ROWS, Visit};

pub(super) const PAGE: Page = Page {
    id: "explanation",
    path: "/o/{org}/images/{digest}/why/{about}",
    title: "Explanation",
    about: "Why a flaw is found in an image or is not, and what was judged of a package: every step from the \
            file to the verdict.",
    found: Found::ByLink,
    show: |visit| Box::pin(show(visit)),
    take: None,
};

#[derive(Template)]
#[template(path = "explanation.html")]
struct Shown {
    layout: Layout,
    title: String,
    image: Html,
    environment: Option<Html>,
    others: Option<String>,
    table: Html,
    folded: Vec<(String, u64)>,
    unfolded: String,
    gaps: Html,
    basis: Html,
    command: Option<String>,
}

/// Its address: about a flaw or a package in an image, as that environment sees it.
pub(super) fn address(
    visit: &Visit,
    digest: &str,
    about: &str,
    environment: Option<&str>,
) -> String {
    let query: Vec<_> = environment.map(|it| ("environment", it)).into_iter().collect();
    path_with(visit.organisation(), &["images", digest, "why", about], &query)
}

/// A link to it.
pub(super) fn link(visit: &Visit, digest: &str, about: &str, environment: Option<&str>) -> Html {
    Html::link(&address(visit, digest, about, environment), Html::text("why?"))
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let organisation = visit.organisation();
    let (digest, about) = (visit.name("digest"), visit.name("about"));
    let environment = visit.asks("environment");
    let query = ExplanationQuery {
        about: about.to_owned(),
        environment: environment.clone(),
        details: visit.asked("details").is_some(),
    };
    let told = visit.client.explanation(organisation, digest, &query).await?;
    let table = judgements(&visit, &told);
    if let Some(file) = table.file(&visit) {
        return Ok(file);
    }
    let image = visit.client.image(organisation, digest).await?;
    let repository = image.repositories.first();
    let called = format!("{} {}", repository.map_or("Image", |it| it), crate::table::short(digest));
    let here: Vec<_> = environment.iter().map(|it| ("environment", &**it)).collect();
    let back = path_with(organisation, &["images", digest], &here);
    let title = match &*told.packages {
        [] => format!("Why {about}?"),
        _ => format!("What was judged of {about}"),
    };
    Ok(html(&Shown {
        layout: visit.layout().titled(&title),
        title,
        image: Html::link(&back, Html::text(&called)),
        environment: environment
            .as_ref()
            .map(|it| Html::link(&visit.to(&["environments", it]), Html::text(it))),
        others: others(about, &told),
        table: table.html(&visit),
        folded: told.folded.clone().into_iter().collect(),
        unfolded: visit.with(&[("details", Some("1"))]),
        gaps: told::gaps("and it may be there", told.gaps.iter().map(|it| (&*it.at, &*it.why))),
        basis: told::basis(&told.basis, visit.now),
        command: repository.map(|it| command(it, digest, about, environment.as_deref())),
    }))
}

/// The same in a terminal.
fn command(repository: &str, digest: &str, about: &str, environment: Option<&str>) -> String {
    let there = environment.map(|it| format!(" --env {}", typed::word(it))).unwrap_or_default();
    format!("foretop explain {repository}@{digest} {}{there}", typed::word(about))
}

/// What it is about, where nothing of that is in the image.
fn others(about: &str, told: &Explanation) -> Option<String> {
    if told.others.is_empty() {
        return None;
    }
    let more = match told.others_total.saturating_sub(told.others.len() as u64) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let others = told.others.join(", ");
    Some(format!("{about} is about {others}{more}, and nothing of that is in this image."))
}

fn judgements(visit: &Visit, told: &Explanation) -> Table {
    let columns = vec![
        column("verdict", "Verdict"),
        filed("says"),
        column("vulnerability", "Vulnerability"),
        column("package", "Package"),
        column("why", "Why, step by step"),
    ];
    let text = "Nothing was judged: no package and no advisory of that name met.";
    let nothing = Html::tag("p", &[], Html::text(text));
    let caption = format!("Judgements: {}", told.judgements.len());
    let mut table = Table::new("judgements", caption, columns).or_else(nothing);
    for it in &told.judgements {
        table.push(judgement(visit, it));
    }
    table.cut(visit, ROWS as usize);
    table
}

fn judgement(visit: &Visit, it: &Judged) -> Vec<Cell> {
    let (class, word) = shown(it.verdict);
    let flaw = it.flaw.as_deref();
    let flaw = flaw.map(|it| Cell::link(&visit.to(&["vulnerabilities", it]), it));
    let others = it.aliases.join(", ");
    let steps = it.chain.iter().flat_map(|it| {
        let about = Html::tag("dt", &[], Html::text(&it.about));
        [about, Html::tag("dd", &[], Html::name(&it.says))]
    });
    let plain: Vec<String> =
        it.chain.iter().map(|it| format!("{}: {}", it.about, it.says)).collect();
    vec![
        Cell::new(mark(class, word, &it.says), word),
        Cell::text(&it.says),
        match flaw {
            Some(cell) if others.is_empty() => cell,
            Some(cell) => cell.marked(&Html::tag("small", &[], Html::text(&others))),
            None => Cell::none(),
        },
        Cell::text_if(it.purl.as_deref()),
        Cell::new(Html::tag("dl", &[("class", "facts")], Html::all(steps)), plain.join("; ")),
    ]
}

/// How a verdict looks, in a word or two.
fn shown(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Affected => ("danger", "affected"),
        Verdict::Suppressed => ("quiet", "out of the way"),
        Verdict::CannotTell => ("unknown", "cannot tell"),
        Verdict::UnderInvestigation => ("unknown", "under investigation"),
        Verdict::NoSource => ("unknown", "no source"),
        Verdict::NotInRange => ("good", "not in range"),
        Verdict::NotAffected => ("good", "not affected"),
        Verdict::Withdrawn => ("good", "withdrawn"),
        Verdict::Owned => ("good", "its owner answers"),
        Verdict::Harmless => ("good", "harmless"),
        Verdict::NotAsked => ("quiet", "only declared"),
        Verdict::Elsewhere => ("good", "about another"),
        Verdict::Overruled => ("good", "overruled"),
        Verdict::Unheard => ("good", "unheard of"),
    }
}
