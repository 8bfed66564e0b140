//! An environment by its policies: what deviates, by policy and by image; how that was; whose policies
//! they are, and were.

use std::collections::BTreeMap;

use api::{PolicyImage, PolicyResult, PolicyResults, PolicyState};
use askama::Template;
use axum::response::Response;

use crate::contract::{Found, Page};
use crate::html::{Html, path_with};
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::standing::{Standing, bar, state_cell, versions as history, words};
use crate::table::{Cell, Table, column};
use crate::told;
use crate::visit::{Form, ROWS, Visit, go};
use crate::when::when;

pub(super) const PAGE: Page = Page {
    id: "environment_policies",
    path: "/o/{org}/environments/{env}/policies",
    title: "Policies of an environment",
    about: "Which policies what runs there meets and does not, image by image with what stands against it; \
            how that was; and whose policies they are and were.",
    found: Found::ByLink,
    show: |visit| Box::pin(show(visit)),
    take: Some(|visit, form| Box::pin(take(visit, form))),
};

#[derive(Template)]
#[template(path = "environment_policies.html")]
struct Shown<'a> {
    layout: Layout,
    owns: bool,
    name: &'a str,
    images: u64,
    pending: u64,
    judged: Option<Html>,
    basis: String,
    health: String,
    unseen: Html,
    bar: Html,
    policies: Html,
    by_image: bool,
    views: [(String, &'static str); 2],
    chosen: Option<(String, String)>,
    failing: Html,
    chart: Html,
    versions: Html,
    has_own: bool,
    edit: String,
    environment: String,
    action: String,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let (organisation, name) = (visit.organisation(), visit.name("env"));
    let results = visit.client.policy_results(organisation, name).await?;
    let versions = visit.client.policy_versions(organisation, Some(name)).await?.items;
    let policies = policies(&visit, &results);
    let by_image = visit.asked("by") == Some("image");
    let chosen = visit.asked("policy");
    let failing =
        if by_image { by_images(&visit, &results) } else { deviations(&visit, &results, chosen) };
    let nothing = "It never had policies of its own: the organization's count here.";
    let history = history(&visit, Some(name), &versions, nothing);
    for table in [&policies, &failing, &history] {
        if let Some(file) = table.file(&visit) {
            return Ok(file);
        }
    }
    let standing = Standing::of(&visit, name).await?;
    let sums = results.policies.iter().fold([0_u64; 3], |[a, b, c], it| {
        [a.saturating_add(it.not_met), b.saturating_add(it.unknown), c.saturating_add(it.met)]
    });
    let shown = Shown {
        layout: visit.layout().titled(format!("Policies of {name}")).live(),
        owns: visit.owns(),
        name,
        images: results.images,
        pending: results.pending,
        judged: results.judged.as_deref().map(|it| when(it, visit.now)),
        basis: basis(&results),
        health: health(&results.health),
        unseen: told::gaps(
            "what runs there is not seen whole",
            results.unseen.iter().map(|it| ("runs", &**it)),
        ),
        bar: bar(sums),
        policies: policies.html(&visit),
        by_image,
        views: [
            (visit.with(&[("by", None)]), "by policy"),
            (visit.with(&[("by", Some("image")), ("policy", None)]), "by image"),
        ],
        chosen: chosen.map(|it| (it.to_owned(), visit.with(&[("policy", None)]))),
        failing: failing.html(&visit),
        chart: standing.policies(),
        versions: history.html(&visit),
        has_own: versions.iter().any(|it| it.in_force),
        edit: path_with(organisation, &["policies", "set"], &[("environment", name)]),
        environment: visit.to(&["environments", name]),
        action: visit.path.clone(),
    };
    Ok(html(&shown))
}

/// Whose policies they were, and what else counted.
fn basis(results: &PolicyResults) -> String {
    let Some(basis) = &results.basis else { return String::new() };
    let whose = match (&basis.environment, basis.version) {
        (Some(_), Some(version)) => format!("by its own policies, version {version}"),
        (None, Some(version)) => format!("by the organization's policies, version {version}"),
        _ => "by the policies that come with Foretop".to_owned(),
    };
    match basis.exceptions.len() {
        0 => whose,
        1 => format!("{whose}, with the exception {}", basis.exceptions[0]),
        count => format!("{whose}, with {count} exceptions"),
    }
}

fn health(all: &BTreeMap<String, u64>) -> String {
    all.iter().map(|(grade, count)| format!("{grade}: {count}")).collect::<Vec<_>>().join(", ")
}

fn policies(visit: &Visit, results: &PolicyResults) -> Table {
    let columns = vec![
        column("policy", "Policy"),
        column("points", "Points"),
        column("met", "Met"),
        column("not_met", "Not met"),
        column("unknown", "Cannot tell"),
        column("bar", "Images"),
    ];
    let nothing = Html::tag("p", &[], Html::text("It was not judged by any policy yet."));
    let mut table =
        Table::new("policies", "What policies say of what runs", columns).or_else(nothing);
    for it in &results.policies {
        let href = visit.with(&[("policy", Some(&it.id)), ("by", None)]);
        let total = it.met.saturating_add(it.not_met).saturating_add(it.unknown);
        table.push(vec![
            Cell::link(&href, &it.title),
            Cell::number(u64::from(it.points)),
            Cell::number(it.met),
            Cell::number(it.not_met),
            Cell::number(it.unknown),
            Cell::new(bar([it.not_met, it.unknown, it.met]), total),
        ]);
    }
    table
}

/// Each that a policy is not met by, or of which nobody can tell.
fn deviations(visit: &Visit, results: &PolicyResults, chosen: Option<&str>) -> Table {
    let columns = vec![
        column("policy", "Policy"),
        column("state", "State"),
        column("image", "Image"),
        column("applications", "Runs as"),
        column("count", "Against it"),
        column("first", "What stands against it, or why nobody can tell"),
        column("judged", "Judged"),
    ];
    let nothing = if results.judged.is_none() {
        "Nothing was judged yet, so nobody can tell."
    } else if results.pending > 0 {
        "What is judged meets all of it; of what is not judged yet nobody can tell."
    } else {
        "All that runs meets it."
    };
    let nothing = Html::tag("p", &[], Html::text(nothing));
    let caption = "What deviates, by policy";
    let mut table = Table::new("deviations", caption, columns).or_else(nothing);
    let meant = results.policies.iter().filter(|it| chosen.is_none_or(|id| it.id == id));
    for (policy, image) in meant.flat_map(|policy| policy.images.iter().map(move |it| (policy, it)))
    {
        table.push(deviation(visit, policy, image));
    }
    table.cut(visit, ROWS as usize);
    table
}

fn deviation(visit: &Visit, policy: &PolicyResult, it: &PolicyImage) -> Vec<Cell> {
    vec![
        Cell::text(&policy.title),
        state_cell(Some(it.state)),
        Cell::link(&told::image_page(visit, &it.image, &it.digest), &it.image),
        Cell::text(&it.applications.join(", ")),
        Cell::number(it.count),
        words(it.why.as_deref(), it.count, &it.messages),
        Cell::when(&it.judged, visit.now),
    ]
}

/// Of each image how far it is from meeting all.
#[derive(Default)]
struct Far<'a> {
    applications: Vec<String>,
    missed: Vec<&'a str>,
    unclear: Vec<&'a str>,
    count: u64,
}

fn by_images(visit: &Visit, results: &PolicyResults) -> Table {
    let mut all: BTreeMap<(&str, &str), Far<'_>> = BTreeMap::new();
    for policy in &results.policies {
        for it in &policy.images {
            let far = all.entry((it.image.as_str(), it.digest.as_str())).or_default();
            far.applications.clone_from(&it.applications);
            match it.state {
                PolicyState::NotMet => far.missed.push(&policy.title),
                PolicyState::Unknown => far.unclear.push(&policy.title),
                PolicyState::Met => {}
            }
            far.count = far.count.saturating_add(it.count);
        }
    }
    let mut all: Vec<_> = all.into_iter().collect();
    // Those that are farthest from passing come first.
    all.sort_by_key(|(name, it)| {
        (std::cmp::Reverse((it.missed.len(), it.count, it.unclear.len())), *name)
    });
    let columns = vec![
        column("image", "Image"),
        column("applications", "Runs as"),
        column("not_met", "Policies not met"),
        column("unknown", "Nobody can tell of"),
        column("count", "Stands against it"),
    ];
    let nothing = Html::tag("p", &[], Html::text("No image is known to deviate."));
    let caption = "Images that deviate, the farthest from passing first";
    let mut table = Table::new("images", caption, columns).or_else(nothing);
    for ((image, digest), it) in all {
        let list = |all: &[&str]| {
            if all.is_empty() {
                return Cell::none();
            }
            let text = format!("{}: {}", all.len(), all.join(", "));
            Cell::text(&text)
        };
        table.push(vec![
            Cell::link(&told::image_page(visit, image, digest), image),
            Cell::text(&it.applications.join(", ")),
            list(&it.missed),
            list(&it.unclear),
            Cell::number(it.count),
        ]);
    }
    table.cut(visit, ROWS as usize);
    table
}

async fn take(visit: Visit, form: Form) -> Result<Response, Refused> {
    if form.need("do")? == "unset" {
        visit.client.unset_policies(visit.organisation(), Some(visit.name("env"))).await?;
    }
    Ok(go(&visit.path))
}
