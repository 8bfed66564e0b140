//! Packages: all that are in an organisation's images, with how many images have each and what is wrong
//! with it where it runs.

use api::{PackageSpread, Packages, PackagesQuery};
use askama::Template;
use axum::response::Response;

use super::vulnerabilities::{counted, places};
use crate::contract::{Found, Page};
use crate::html::Html;
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::severity::badge;
use crate::table::{Cell, Table, column, falling, sorting};
use crate::visit::{MOST, PART, ROWS, Visit, too_many};

pub(super) const PAGE: Page = Page {
    id: "packages",
    path: "/o/{org}/packages",
    title: "Packages",
    about: "Every package that is in an image, in how many images and environments, in which versions, and \
            how many flaws it has where it runs.",
    found: Found::InMenu,
    show: |visit| Box::pin(show(visit)),
    take: None,
};

/// Types that are offered; others can be typed into the address.
const KINDS: [&str; 14] = [
    "apk", "cargo", "composer", "conan", "deb", "gem", "golang", "hex", "maven", "npm", "nuget",
    "pub", "pypi", "rpm",
];

#[derive(Template)]
#[template(path = "packages.html")]
struct Shown {
    layout: Layout,
    text: String,
    kind: String,
    kinds: Vec<String>,
    sort: Option<String>,
    basis: Html,
    table: Html,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let mut query = PackagesQuery {
        text: visit.asks("q"),
        kind: visit.asks("kind"),
        sort: visit.asks("sort"),
        after: visit.asks("after"),
        limit: Some(ROWS),
    };
    let packages = asked(&visit, &mut query).await?;
    let columns = vec![
        sorting("package", "Package"),
        column("type", "Type"),
        column("versions", "Versions"),
        column("images", "Images"),
        column("environments", "Environments"),
        falling("flaws", "Flaws where it runs"),
        falling("worst", "Worst"),
    ];
    let nothing = if query.text.is_some() || query.kind.is_some() {
        Html::text("No image that is remembered has such a package.")
    } else {
        let command = Html::tag("code", &[], Html::text("foretop push IMAGE"));
        Html::text("No image is analysed yet. To send what is inside one: ").and(&command)
    };
    let mut table =
        Table::new("packages", "Packages", columns).or_else(Html::tag("p", &[], nothing));
    for it in &packages.items {
        table.push(row(&visit, it));
    }
    table.goes_on(&visit, packages.next.as_deref());
    if let Some(file) = table.file(&visit) {
        return Ok(file);
    }
    let kind = query.kind.unwrap_or_default();
    let mut kinds: Vec<String> = KINDS.map(str::to_owned).to_vec();
    if !kind.is_empty() && !kinds.contains(&kind) {
        kinds.push(kind.clone());
    }
    Ok(html(&Shown {
        layout: visit.layout(),
        text: query.text.unwrap_or_default(),
        kind,
        kinds,
        sort: query.sort,
        basis: counted(&visit, &packages.basis),
        table: table.html(&visit),
    }))
}

/// A part of them; all of them, where they are taken away.
async fn asked(visit: &Visit, query: &mut PackagesQuery) -> Result<Packages, Refused> {
    let organisation = visit.organisation();
    if !visit.takes_away("packages") {
        return Ok(visit.client.packages(organisation, query).await?);
    }
    query.limit = Some(PART);
    query.after = None;
    let mut all = visit.client.packages(organisation, query).await?;
    while let Some(next) = all.next.take() {
        if all.items.len() >= MOST {
            return Err(too_many("packages"));
        }
        query.after = Some(next);
        let part = visit.client.packages(organisation, query).await?;
        all.items.extend(part.items);
        all.next = part.next;
    }
    Ok(all)
}

fn row(visit: &Visit, it: &PackageSpread) -> Vec<Cell> {
    let runs = !it.environments.is_empty();
    let why = "What runs is being counted for the first time.";
    let flaws = match it.flaws {
        // Of what runs nowhere nobody has counted anything.
        _ if !runs => Cell::none(),
        Some(count) => Cell::number(count),
        None => Cell::unknown(why),
    };
    let some = it.some_versions.iter().filter(|it| !it.is_empty()).take(3);
    let some: Vec<&str> = some.map(String::as_str).collect();
    let more = if it.versions > some.len() as u64 { ", …" } else { "" };
    let versions = match (it.versions, some.is_empty()) {
        (1, true) => "not known".to_owned(),
        (1, false) => some.join(", "),
        (count, _) => format!("{count}: {}{more}", some.join(", ")),
    };
    vec![
        Cell::link(&visit.to(&["packages", &it.kind, &it.name]), &it.name),
        Cell::text(&it.kind),
        Cell::text(&versions),
        Cell::number(it.images),
        places(visit, &it.environments),
        flaws,
        it.worst.as_deref().map_or_else(Cell::none, |it| Cell::new(badge(it), it)),
    ]
}
