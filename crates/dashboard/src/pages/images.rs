//! Images: all that are remembered, by repository and state.

use api::{Image, ImageQuery, ImageState};
use askama::Template;
use axum::response::Response;
use serde_json::Value;

use crate::contract::{Found, Page};
use crate::html::Html;
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::severity::mark;
use crate::table::{Cell, Table, column};
use crate::visit::Visit;

pub(super) const PAGE: Page = Page {
    id: "images",
    path: "/o/{org}/images",
    title: "Images",
    about: "Every image that is remembered, of one repository or of all, and whether what is inside is \
            known.",
    found: Found::InMenu,
    show: |visit| Box::pin(show(visit)),
    take: None,
};

#[derive(Template)]
#[template(path = "images.html")]
struct Shown {
    layout: Layout,
    repository: String,
    state: String,
    table: Html,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let organisation = visit.organisation();
    let repository = visit.asks("repository");
    let state = visit.asked("state").and_then(state);
    let listed = visit.list("images", async |after, limit| {
        let repository = repository.clone();
        let query = ImageQuery { repository, state, after, limit: Some(limit) };
        visit.client.images(organisation, &query).await
    });
    let listed = listed.await?;
    let mut table = table("Images, as they were first seen").or_else(empty(repository.as_deref()));
    for it in &listed.items {
        table.push(row(&visit, it));
    }
    table.goes_on(&visit, listed.next.as_deref());
    if let Some(file) = table.file(&visit) {
        return Ok(file);
    }
    Ok(html(&Shown {
        layout: visit.layout(),
        repository: repository.unwrap_or_default(),
        state: visit.asks("state").unwrap_or_default(),
        table: table.html(&visit),
    }))
}

fn state(word: &str) -> Option<ImageState> {
    serde_json::from_value(Value::from(word)).ok()
}

fn empty(repository: Option<&str>) -> Html {
    let text = "There is no such image. Send what is inside one: ";
    let command = format!("foretop push {}", repository.unwrap_or("IMAGE"));
    let command = Html::tag("code", &[], Html::text(&command));
    Html::tag("p", &[], Html::text(text).and(&command))
}

/// The columns of images.
pub(super) fn table(caption: &str) -> Table {
    let columns = vec![
        column("digest", "Image"),
        column("repositories", "Repositories"),
        column("platform", "Platform"),
        column("state", "State"),
        column("packages", "Packages"),
        column("first_seen", "First seen"),
        column("analysed", "Analysed"),
    ];
    Table::new("images", caption, columns)
}

/// One of them.
pub(super) fn row(visit: &Visit, it: &Image) -> Vec<Cell> {
    let names = it.repositories.iter();
    let links = names.map(|it| Html::link(&visit.to(&["repositories", it]), Html::name(it)));
    let repositories = Cell::new(Html::joined(links, ", "), it.repositories.join(" ")).named();
    vec![
        Cell::digest(&visit.to(&["images", &it.digest]), &it.digest),
        if it.repositories.is_empty() { Cell::none() } else { repositories },
        Cell::text(&it.platform),
        told(it),
        it.packages.map_or_else(|| Cell::unknown("What is inside is not known."), Cell::number),
        Cell::when(&it.first_seen, visit.now),
        Cell::when_if(it.analysed.as_deref(), visit.now),
    ]
}

/// Whether what is inside is known.
pub(super) fn told(it: &Image) -> Cell {
    let (word, html) = match it.state {
        ImageState::Analysed => ("analysed", Html::text("analysed")),
        ImageState::Pending => {
            ("pending", mark("unknown", "pending", "It is not read yet: nobody can tell."))
        }
        ImageState::Failed => {
            let why = it.why.as_deref().unwrap_or("Nobody says why.");
            ("failed", mark("danger", "failed", why).and(&Html::text(" ")).and(&Html::text(why)))
        }
    };
    Cell::new(html, word)
}
