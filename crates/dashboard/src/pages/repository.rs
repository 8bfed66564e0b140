//! A repository: where its tags lead and led, its images, and where they run.

use api::{DeploymentQuery, ImageQuery, TagSpan, TagsQuery};
use askama::Template;
use axum::response::Response;
use serde_json::Value;

use super::images;
use crate::contract::{Found, Page};
use crate::html::{Html, path_with};
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::table::{Cell, Table, column};
use crate::told;
use crate::visit::Visit;

pub(super) const PAGE: Page = Page {
    id: "repository",
    path: "/o/{org}/repositories/{repository}",
    title: "Repository",
    about: "Where the tags of a repository lead and led, its images, and where they run.",
    found: Found::ByLink,
    show: |visit| Box::pin(show(visit)),
    take: None,
};

#[derive(Template)]
#[template(path = "repository.html")]
struct Shown<'a> {
    layout: Layout,
    name: &'a str,
    tags: Html,
    images: Html,
    all_images: String,
    deployments: Html,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let (organisation, name) = (visit.organisation(), visit.name("repository"));
    let listed = visit.list_by("tags", "at", async |after, limit| {
        let query = TagsQuery { image: name.to_owned(), digest: None, after, limit: Some(limit) };
        visit.client.tags(organisation, &query).await
    });
    let spans = listed.await?;
    let columns = vec![
        column("tag", "Tag"),
        column("platform", "Platform"),
        column("digest", "Leads to"),
        column("from", "Since"),
        column("until", "Until"),
    ];
    let nothing = Html::tag("p", &[], Html::text("No tag of it was seen."));
    let mut tags = Table::new("tags", "Tags, and where they led before", columns).or_else(nothing);
    for it in &spans.items {
        tags.push(span(&visit, it));
    }
    tags.goes_on_by(&visit, "at", spans.next.as_deref());
    if let Some(file) = tags.file(&visit) {
        return Ok(file);
    }
    let query = DeploymentQuery { image: Some(name.to_owned()), ..DeploymentQuery::default() };
    let listed = visit.list("deployments", async |after, limit| {
        let query = DeploymentQuery { after, limit: Some(limit), ..query.clone() };
        visit.client.deployments(organisation, &query).await
    });
    let listed = listed.await?;
    let nothing = Html::tag("p", &[], Html::text("No image of it runs in any environment."));
    let mut runs = told::deployments("What runs of it", true).or_else(nothing);
    for it in &listed.items {
        runs.push(told::deployment(&visit, it, true));
    }
    runs.goes_on(&visit, listed.next.as_deref());
    if let Some(file) = runs.file(&visit) {
        return Ok(file);
    }
    let query =
        ImageQuery { repository: Some(name.to_owned()), limit: Some(10), ..ImageQuery::default() };
    let some = visit.client.images(organisation, &query).await?;
    let nothing = Html::tag("p", &[], Html::text("No image of it is remembered."));
    let mut seen = images::table("Some of its images").or_else(nothing);
    for it in &some.items {
        seen.push(images::row(&visit, it));
    }
    if let Some(file) = seen.file(&visit) {
        return Ok(file);
    }
    Ok(html(&Shown {
        layout: visit.layout().titled(name),
        name,
        tags: tags.html(&visit),
        images: seen.html(&visit),
        all_images: path_with(organisation, &["images"], &[("repository", name)]),
        deployments: runs.html(&visit),
    }))
}

fn span(visit: &Visit, it: &TagSpan) -> Vec<Cell> {
    let now = || Cell::new(Html::text("now"), Value::Null);
    vec![
        Cell::text(&it.tag),
        Cell::text(&it.platform),
        Cell::digest(&told::image_page(visit, &it.repository, &it.digest), &it.digest),
        Cell::when(&it.from, visit.now),
        it.until.as_deref().map_or_else(now, |it| Cell::when(it, visit.now)),
    ]
}
