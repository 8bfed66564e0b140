//! Exceptions: what a team decided about flaws, and for how long.

use api::{Excepting, Exception};
use askama::Template;
use axum::response::Response;
use model::ExceptionKind;

use crate::contract::{Found, Page};
use crate::html::Html;
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::severity::mark;
use crate::table::{Cell, Table, column};
use crate::visit::{Form, Visit, go};

pub(super) const PAGE: Page = Page {
    id: "exceptions",
    path: "/o/{org}/exceptions",
    title: "Exceptions",
    about: "What was decided about flaws, by whom, why and until when; owners add and remove.",
    found: Found::InMenu,
    show: |visit| Box::pin(show(visit)),
    take: Some(|visit, form| Box::pin(take(visit, form))),
};

#[derive(Template)]
#[template(path = "exceptions.html")]
struct Shown {
    layout: Layout,
    owns: bool,
    table: Html,
    names: Vec<String>,
    kinds: [&'static str; 2],
    justifications: [&'static str; 5],
    flaw: String,
    action: String,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let all = visit.client.exceptions(visit.organisation()).await?;
    let columns = vec![
        column("name", "Name"),
        column("flaws", "Vulnerabilities"),
        column("kind", "What was decided"),
        column("why", "Why"),
        column("images", "Only in images"),
        column("environments", "Only in environments"),
        column("packages", "Only in packages"),
        column("expires", "Until"),
        column("changed_by", "By"),
        column("changed", "Said"),
    ];
    let nothing = "Nothing is taken out of the way: every finding counts.";
    let nothing = Html::tag("p", &[], Html::text(nothing));
    let mut table = Table::new("exceptions", "Exceptions", columns).or_else(nothing);
    for it in &all.items {
        table.push(row(&visit, it));
    }
    table.cut(&visit, 50);
    if let Some(file) = table.file(&visit) {
        return Ok(file);
    }
    Ok(html(&Shown {
        layout: visit.layout(),
        owns: visit.owns(),
        table: table.html(&visit),
        names: all.items.iter().map(|it| it.name.clone()).collect(),
        kinds: ExceptionKind::ALL.map(ExceptionKind::as_str),
        justifications: model::Exception::JUSTIFICATIONS,
        flaw: visit.asks("flaw").unwrap_or_default(),
        action: visit.path.clone(),
    }))
}

fn row(visit: &Visit, it: &Exception) -> Vec<Cell> {
    let definition = &it.definition;
    let flaws = definition.flaws.iter();
    let flaws = flaws.map(|it| Html::link(&visit.to(&["vulnerabilities", it]), Html::text(it)));
    let several = |list: &[String]| {
        if list.is_empty() { Cell::text("any") } else { Cell::text(&list.join(", ")) }
    };
    let why = [definition.justification.as_deref(), definition.note.as_deref()];
    let why: Vec<&str> = why.into_iter().flatten().collect();
    let mut environments = several(&definition.environments);
    for missing in &it.missing {
        let why = format!("There is no environment {missing} any more.");
        environments = environments.marked(&mark("unknown", "missing", &why));
    }
    let expires = match definition.expires.as_deref() {
        Some(at) if it.expired => {
            let why = "Its flaws count again.";
            Cell::when(at, visit.now).marked(&mark("danger", "over", why))
        }
        Some(at) => Cell::when(at, visit.now),
        None => Cell::text("for ever"),
    };
    vec![
        Cell::text(&it.name),
        Cell::new(Html::joined(flaws, ", "), definition.flaws.join(" ")).named(),
        Cell::text(&definition.kind),
        Cell::text(&why.join(": ")).worded(),
        several(&definition.images),
        environments,
        several(&definition.packages),
        expires,
        Cell::text(&it.changed_by),
        Cell::when(&it.changed, visit.now),
    ]
}

async fn take(visit: Visit, form: Form) -> Result<Response, Refused> {
    let organisation = visit.organisation();
    let name = form.need("name")?;
    if form.text("do") == Some("remove") {
        visit.client.delete_exception(organisation, name).await?;
        return Ok(go(&visit.path));
    }
    let excepting = Excepting {
        flaws: form.list("flaws"),
        kind: form.need("kind")?.to_owned(),
        justification: form.text("justification").map(str::to_owned),
        note: form.text("note").map(str::to_owned),
        images: form.list("images"),
        environments: form.list("environments"),
        packages: form.list("packages"),
        expires: form.text("expires").map(str::to_owned),
    };
    visit.client.put_exception(organisation, name, &excepting).await?;
    Ok(go(&visit.path))
}
