//! A base image: what stands on it and where that runs, what it brings, and what would be better.

use api::{FootedImage, FootingMove, FootingTold, FootingsQuery};
use askama::Template;
use axum::response::Response;

use super::bases::{called, familiar, teaches, ways};
use super::vulnerabilities::places;
use crate::contract::{Found, Page};
use crate::html::{Html, path_with};
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::severity::{Severities, mark};
use crate::table::{Cell, Table, column, filed};
use crate::visit::{Form, MOST, PART, ROWS, Visit, go, too_many};

pub(super) const PAGE: Page = Page {
    id: "base",
    path: "/o/{org}/bases/{base}",
    title: "Base image",
    about: "The images that stand on a base and where they run, what it brings, and which other bases of its \
            repository are known here, with what each removes and adds; owners forget what was taught.",
    found: Found::ByLink,
    show: |visit| Box::pin(show(visit)),
    take: Some(|visit, form| Box::pin(take(visit, form))),
};

/// What images go by of which nobody can tell.
const UNKNOWN: &str = "unknown";

#[derive(Template)]
#[template(path = "base.html")]
struct Shown {
    layout: Layout,
    title: String,
    is_known: bool,
    facts: Vec<(&'static str, Html)>,
    untold: Vec<String>,
    moves: Html,
    /// What to type to hear of all there is.
    asks: String,
    images: Html,
    taught: Vec<String>,
    forgets: bool,
    teach: Option<String>,
    action: String,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let (organisation, key) = (visit.organisation(), visit.name("base"));
    let told = match key {
        UNKNOWN => None,
        key => Some(visit.client.footing(organisation, key).await?),
    };
    let images = images(&visit, key, told.is_some()).await?;
    if let Some(file) = images.file(&visit) {
        return Ok(file);
    }
    let moves = told.as_ref().map(|it| moves(&visit, it));
    if let Some(file) = moves.as_ref().and_then(|it| it.file(&visit)) {
        return Ok(file);
    }
    let title = match &told {
        Some(it) => called(&it.footing).to_owned(),
        None => "Images whose base is not known".to_owned(),
    };
    let mut taught: Vec<String> =
        told.iter().flat_map(|it| &it.taught).map(|it| it.name.clone()).collect();
    taught.dedup();
    let example = told.as_ref().and_then(|it| it.example.as_deref());
    let teach = told.as_ref().filter(|_| teaches(&visit)).and_then(|it| {
        let digest = it.footing.digests.first().filter(|_| it.taught.is_empty())?;
        let name = it.footing.names.first().map_or("", |it| it.split('@').next().unwrap_or(it));
        Some(path_with(organisation, &["bases"], &[("image", digest), ("name", name)]))
    });
    Ok(html(&Shown {
        layout: visit.layout().titled(&title),
        is_known: told.is_some(),
        facts: told.as_ref().map(|it| facts(&visit, it)).unwrap_or_default(),
        untold: told.as_ref().map(|it| it.untold.clone()).unwrap_or_default(),
        moves: moves.map(|it| it.html(&visit)).unwrap_or_default(),
        asks: format!("foretop recommendations {}", example.map_or("IMAGE", |it| it)),
        images: images.html(&visit),
        forgets: visit.owns() && !taught.is_empty(),
        taught,
        teach,
        action: visit.path.clone(),
        title,
    }))
}

fn facts(visit: &Visit, told: &FootingTold) -> Vec<(&'static str, Html)> {
    let it = &told.footing;
    let mut facts = Vec::new();
    if it.names.len() > 1 {
        let names = it.names.iter().skip(1).map(|it| Html::text(familiar(it)));
        facts.push(("Also called", Html::joined(names, ", ")));
    }
    facts.push(("Made for", Html::text(&it.platform)));
    facts.push(("How it was found", ways(it).into_html()));
    let brings = match (&it.brings, &told.told_by) {
        (Some(counts), by) => {
            let mut all = vec![Severities::from(counts).line()];
            if counts.exploited > 0 {
                let text = format!("{} exploited", counts.exploited);
                all.push(mark("danger", &text, "Known to be used in attacks."));
            }
            if counts.gaps > 0 {
                let gaps = if counts.gaps == 1 { "gap" } else { "gaps" };
                let text = format!("{} {gaps}", counts.gaps);
                all.push(mark("unknown", &text, "Of these nobody can tell."));
            }
            let itself = by.as_ref().is_none_or(|by| it.digests.contains(by));
            if let Some(by) = by.as_ref().filter(|_| !itself) {
                let link = Cell::digest(&visit.to(&["images", by]), by).into_html();
                let text = Html::text("as it is in the lowest layers of ");
                all.push(text.and(&link));
            }
            Html::joined(all, " ")
        }
        (None, _) => mark("unknown", "cannot tell", "Nothing here has its layers."),
    };
    facts.push(("What it brings", brings));
    if let Some(packages) = told.packages {
        facts.push(("Packages", Html::text(&packages.to_string())));
    }
    if let Some(layers) = it.layers {
        facts.push(("Layers", Html::text(&layers.to_string())));
    }
    let digests = it.digests.iter();
    let digests: Vec<Html> =
        digests.map(|it| Cell::digest(&visit.to(&["images", it]), it).into_html()).collect();
    if !told.footing.digests.is_empty() && told.taught.is_empty() {
        facts.push(("Image", Html::joined(digests, ", ")));
    }
    facts.push(("Where it runs, below others", places(visit, &it.environments).into_html()));
    for it in told.taught.iter().take(5) {
        let text = format!("{} by {}, ", it.name, it.learned_by);
        let when = Cell::when(&it.learned, visit.now).into_html();
        facts.push(("Taught", Html::text(&text).and(&when)));
    }
    facts
}

fn moves(visit: &Visit, told: &FootingTold) -> Table {
    let columns = vec![
        column("name", "Stand on"),
        column("recommended", "Recommended"),
        column("brings", "What it brings, worst first"),
        column("removes", "Removes"),
        column("adds", "Adds"),
        column("why", "Why, or why not"),
        column("change", "What to do"),
        filed("digest"),
    ];
    let nothing =
        "No other tag of its repository is known here that would be a step from this one.";
    let nothing = Html::tag("p", &[], Html::text(nothing));
    let caption = "Other bases of its repository that are known here";
    let mut table = Table::new("moves", caption, columns).or_else(nothing);
    for it in &told.moves {
        table.push(step(visit, it));
    }
    table
}

fn step(visit: &Visit, it: &FootingMove) -> Vec<Cell> {
    let name = familiar(&it.name);
    let link = Html::link(&visit.to(&["images", &it.digest]), Html::name(name));
    let what = if it.refresh { "the same tag, built anew".to_owned() } else { it.steps.join(", ") };
    let what = Html::tag("span", &[("class", "quiet line")], Html::text(&what));
    let recommended = if it.better {
        Cell::new(
            mark("good", "recommended", "It has fewer vulnerabilities, or less in it."),
            "yes",
        )
    } else {
        Cell::new(Html::text("no"), "no")
    };
    let severities = Severities::from(&it.brings);
    let change = if it.refresh { "docker build --pull".to_owned() } else { format!("FROM {name}") };
    vec![
        Cell::new(link.and(&what), &*it.name).named(),
        recommended,
        Cell::new(severities.line(), severities.told()),
        Cell::number(it.removes),
        Cell::number(it.adds),
        Cell::text(&it.benefits.join("; ")).worded(),
        Cell::code(&change),
        Cell::text(&it.digest),
    ]
}

async fn images(visit: &Visit, key: &str, is_known: bool) -> Result<Table, Refused> {
    let organisation = visit.organisation();
    let mut query = FootingsQuery { after: visit.asks("after"), limit: Some(ROWS) };
    if visit.takes_away("images") {
        query = FootingsQuery { after: None, limit: Some(PART) };
    }
    let mut all = visit.client.footed_images(organisation, key, &query).await?;
    while visit.takes_away("images")
        && let Some(next) = all.next.take()
    {
        if all.items.len() >= MOST {
            return Err(too_many("images"));
        }
        query.after = Some(next);
        let part = visit.client.footed_images(organisation, key, &query).await?;
        all.items.extend(part.items);
        all.next = part.next;
    }
    let columns = vec![
        column("image", "Image"),
        column("digest", "Digest"),
        column("platform", "Platform"),
        column("found", "How its base was found"),
        column("layers", "Layers"),
        column("environments", "Where it runs"),
    ];
    let (caption, nothing) = if is_known {
        (format!("Images on it: {}", all.total), "No image stands on it any more.")
    } else {
        let nothing = "There is none: of every analysed image it is known what it stands on.";
        (format!("Images whose base is not known: {}", all.total), nothing)
    };
    let nothing = Html::tag("p", &[], Html::text(nothing));
    let mut table = Table::new("images", caption, columns).or_else(nothing);
    for it in &all.items {
        table.push(image(visit, it));
    }
    table.goes_on(visit, all.next.as_deref());
    Ok(table)
}

fn image(visit: &Visit, it: &FootedImage) -> Vec<Cell> {
    let to = visit.to(&["images", &it.digest]);
    let name = it.names.first().map(|it| familiar(it.split('@').next().unwrap_or(it)));
    let links = it.environments.iter();
    let links = links.map(|it| Html::link(&visit.to(&["environments", it]), Html::text(it)));
    let environments = Cell::new(Html::joined(links, ", "), it.environments.join(" "));
    let way = match it.way.as_deref() {
        Some("provenance") => Cell::text("provenance says so"),
        Some("label") => Cell::text("it says so itself"),
        Some("taught") => Cell::text("it was taught"),
        Some(_) => Cell::text("by its layers"),
        None => Cell::unknown(
            "No known image has its first layers, and neither its builder nor itself says it.",
        ),
    };
    vec![
        name.map_or_else(Cell::none, |name| Cell::link(&to, name)),
        Cell::digest(&to, &it.digest),
        Cell::text(&it.platform),
        way,
        Cell::number(it.layers.into()),
        if it.environments.is_empty() { Cell::none() } else { environments },
    ]
}

async fn take(visit: Visit, form: Form) -> Result<Response, Refused> {
    let name = form.need("name")?;
    visit.client.forget_base(visit.organisation(), name).await?;
    Ok(go(&visit.to(&["bases"])))
}
