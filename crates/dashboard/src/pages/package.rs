//! A package: its versions, where each runs, what is wrong with it, and under which licences it is.

use api::{PackageVersion, PackageVersions, PackageVersionsQuery};
use askama::Template;
use axum::response::Response;

use super::vulnerabilities::{counted, places};
use crate::contract::{Found, Page};
use crate::html::{Html, path_with};
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::severity::{badge, mark};
use crate::table::{Cell, Table, column, filed};
use crate::visit::{MOST, PART, ROWS, Visit, too_many};

pub(super) const PAGE: Page = Page {
    id: "package",
    path: "/o/{org}/packages/{kind}/{package}",
    title: "Package",
    about: "The versions of a package that are in images, where each runs, what is wrong with it and which \
            version is without that, and its licences.",
    found: Found::ByLink,
    show: |visit| Box::pin(show(visit)),
    take: None,
};

/// Flaws of a version that stand in its row.
const FLAWS: usize = 5;

#[derive(Template)]
#[template(path = "package.html")]
struct Shown<'a> {
    layout: Layout,
    name: &'a str,
    kind: &'a str,
    basis: Html,
    table: Html,
    anywhere: String,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let (kind, name) = (visit.name("kind"), visit.name("package"));
    let versions = asked(&visit, kind, name).await?;
    let columns = vec![
        column("version", "Version"),
        column("images", "Images"),
        column("environments", "Environments"),
        column("flaws", "Flaws where it runs"),
        column("licenses", "Licenses"),
        column("source", "Built from"),
        column("some_images", "Some of the images"),
        filed("purl"),
    ];
    let caption = format!("Versions in images: {}", versions.total);
    let mut table = Table::new("versions", caption, columns);
    for it in &versions.items {
        table.push(row(&visit, it));
    }
    table.goes_on(&visit, versions.next.as_deref());
    if let Some(file) = table.file(&visit) {
        return Ok(file);
    }
    let organisation = visit.organisation();
    Ok(html(&Shown {
        layout: visit.layout().titled(name),
        name,
        kind,
        basis: counted(&visit, &versions.basis),
        table: table.html(&visit),
        anywhere: path_with(organisation, &["packages"], &[("q", name)]),
    }))
}

/// A part of them; all of them, where they are taken away.
async fn asked(visit: &Visit, kind: &str, name: &str) -> Result<PackageVersions, Refused> {
    let mut query = PackageVersionsQuery {
        kind: kind.to_owned(),
        name: name.to_owned(),
        after: visit.asks("after"),
        limit: Some(ROWS),
    };
    let organisation = visit.organisation();
    if !visit.takes_away("versions") {
        return Ok(visit.client.package_versions(organisation, &query).await?);
    }
    query.limit = Some(PART);
    query.after = None;
    let mut all = visit.client.package_versions(organisation, &query).await?;
    while let Some(next) = all.next.take() {
        if all.items.len() >= MOST {
            return Err(too_many("versions"));
        }
        query.after = Some(next);
        let part = visit.client.package_versions(organisation, &query).await?;
        all.items.extend(part.items);
        all.next = part.next;
    }
    Ok(all)
}

fn row(visit: &Visit, it: &PackageVersion) -> Vec<Cell> {
    let images =
        it.some_images.iter().map(|it| Cell::digest(&visit.to(&["images", it]), it).into_html());
    let more = if it.images > it.some_images.len() as u64 { " …" } else { "" };
    let images = Html::joined(images, ", ").and(&Html::text(more));
    let licenses = match &it.licenses {
        Some(all) if all.is_empty() => Cell::text("none declared"),
        Some(all) => Cell::text(&all.join(", ")),
        None => Cell::unknown("They are looked up of the first versions alone: see an image."),
    };
    vec![
        it.version.as_deref().map_or_else(|| Cell::unknown("Nobody says."), Cell::text),
        Cell::number(it.images),
        places(visit, &it.environments),
        flaws(visit, it),
        licenses,
        Cell::text_if(it.source.as_deref()),
        Cell::new(images, it.some_images.join(" ")),
        Cell::code(&it.purl),
    ]
}

fn flaws(visit: &Visit, it: &PackageVersion) -> Cell {
    if it.environments.is_empty() {
        let why = "It runs nowhere: what is wrong with it is told on its images' pages.";
        return Cell::new(mark("quiet", "runs nowhere", why), "runs nowhere");
    }
    let Some(flaws) = &it.flaws else {
        return Cell::unknown("What runs is being counted for the first time.");
    };
    if flaws.is_empty() {
        return Cell::text("none that is known and counts");
    }
    let told = flaws.iter().take(FLAWS).map(|it| {
        let link = Html::link(&visit.to(&["vulnerabilities", &it.id]), Html::text(&it.id));
        let fixed = match &it.fixed {
            Some(fixed) => format!(" fixed in {fixed}"),
            None => " no fix".to_owned(),
        };
        let mut pieces = vec![badge(&it.severity), Html::text(" "), link, Html::text(&fixed)];
        if it.exploited {
            pieces.push(Html::text(" "));
            pieces.push(mark("danger", "exploited", "It is known to be used in attacks."));
        }
        Html::tag("span", &[("class", "line")], Html::all(pieces))
    });
    let rest = it.flaws_total.saturating_sub(FLAWS as u64);
    let rest = if rest > 0 { format!("and {rest} more") } else { String::new() };
    let names: Vec<&str> = flaws.iter().map(|it| &*it.id).collect();
    Cell::new(Html::all(told).and(&Html::text(&rest)), names.join(" "))
}
