//! Base images: what an organisation's images stand on, and how many of them.

use api::{BaseQuery, Footing, Footings, FootingsQuery, LearningImage};
use askama::Template;
use axum::response::Response;
use model::{Digest, LayerDescription, Right, Role, whole_chain};

use super::environment::findings;
use super::vulnerabilities::places;
use crate::contract::{Found, Page};
use crate::html::Html;
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::severity::mark;
use crate::table::{Cell, Table, column, filed};
use crate::visit::{Form, MOST, PART, ROWS, Visit, go, too_many};

pub(super) const PAGE: Page = Page {
    id: "bases",
    path: "/o/{org}/bases",
    title: "Base images",
    about: "What the images stand on and how that is known, how many images of which environments stand on \
            each base, what it brings, and of which images nobody can tell; who may push images teaches.",
    found: Found::InMenu,
    show: |visit| Box::pin(show(visit)),
    take: Some(|visit, form| Box::pin(take(visit, form))),
};

#[derive(Template)]
#[template(path = "bases.html")]
struct Shown {
    layout: Layout,
    basis: Html,
    table: Html,
    taught: Html,
    teaches: bool,
    image: String,
    name: String,
    action: String,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let bases = asked(&visit).await?;
    let words = model::Level::ALL.map(|it| filed(it.as_str()));
    let columns = [column("base", "Base image"), column("platform", "Platform")]
        .into_iter()
        .chain([column("brings", "What it brings, worst first")])
        .chain(words)
        .chain([filed("exploited"), filed("fixable"), filed("in_use")])
        .chain([
            column("images", "Images on it"),
            column("environments", "Where they run"),
            column("found", "How it was found"),
            column("layers", "Layers"),
            filed("key"),
        ]);
    let mut table = Table::new("bases", format!("Base images: {}", bases.total), columns.collect())
        .or_else(nothing(&bases));
    for it in &bases.items {
        table.push(row(&visit, it));
    }
    table.goes_on(&visit, bases.next.as_deref());
    if let Some(file) = table.file(&visit) {
        return Ok(file);
    }
    let taught = taught(&visit).await?;
    if let Some(file) = taught.file(&visit) {
        return Ok(file);
    }
    Ok(html(&Shown {
        layout: visit.layout(),
        basis: basis(&visit, &bases),
        table: table.html(&visit),
        taught: taught.html(&visit),
        teaches: teaches(&visit),
        image: visit.asks("image").unwrap_or_default(),
        name: visit.asks("name").unwrap_or_default(),
        action: visit.path.clone(),
    }))
}

/// A part of them; all of them, where they are taken away.
async fn asked(visit: &Visit) -> Result<Footings, Refused> {
    let organisation = visit.organisation();
    let mut query = FootingsQuery { after: visit.asks("after"), limit: Some(ROWS) };
    if !visit.takes_away("bases") {
        return Ok(visit.client.footings(organisation, &query).await?);
    }
    query = FootingsQuery { after: None, limit: Some(PART) };
    let mut all = visit.client.footings(organisation, &query).await?;
    while let Some(next) = all.next.take() {
        if all.items.len() >= MOST {
            return Err(too_many("bases"));
        }
        query.after = Some(next);
        let part = visit.client.footings(organisation, &query).await?;
        all.items.extend(part.items);
        all.next = part.next;
    }
    Ok(all)
}

fn nothing(bases: &Footings) -> Html {
    let text = match (bases.looked, bases.images) {
        (false, _) => "Nobody can tell yet: the images are looked at for the first time.",
        (true, 0) => "No image is analysed yet, so nothing is known to stand on anything.",
        _ => {
            "No base image is known yet. They are known by themselves once they are pushed or watched; or \
             somebody teaches them."
        }
    };
    let command = if bases.images == 0 { "foretop push IMAGE" } else { "foretop base learn NAME" };
    let command = Html::tag("code", &[], Html::text(command));
    Html::tag("p", &[], Html::text(text).and(&Html::text(" ")).and(&command))
}

/// What the list rests on, and what nobody can tell.
fn basis(visit: &Visit, bases: &Footings) -> Html {
    if !bases.looked {
        let mark = mark("unknown", "cannot tell", "The images are looked at for the first time.");
        let text = " What images stand on is looked at for the first time: look again in a moment.";
        return Html::tag("p", &[("class", "note")], mark.and(&Html::text(text)));
    }
    let mut notes = Html::default();
    let images = |count: u64| if count == 1 { "image" } else { "images" };
    if bases.unknown > 0 {
        let text = format!("Of {} {}", bases.unknown, images(bases.unknown));
        let link = Html::link(&visit.to(&["bases", "unknown"]), Html::text(&text));
        let grounds = match bases.grounds {
            0 => String::new(),
            count if count == bases.unknown => " Others stand on them: they are bases.".to_owned(),
            1 => " Others stand on 1 of them: it is a base.".to_owned(),
            many => format!(" Others stand on {many} of them: they are bases."),
        };
        let asked = match bases.unasked {
            0 => String::new(),
            many => format!(
                " {many} of them were analysed before it was kept what images say of themselves; reading \
                 them again asks them."
            ),
        };
        let rest = " nobody can tell what they stand on: no known image has their first layers, and neither \
                    their builders nor they themselves say it.";
        let rest = format!("{rest}{grounds}{asked}");
        notes = Html::tag("p", &[("class", "note")], link.and(&Html::text(&rest)));
    }
    if bases.unread > 0 {
        let text = match bases.unread {
            1 => "1 image that runs is not analysed: what it stands on is not known.".to_owned(),
            many => {
                format!("{many} images that run are not analysed: what they stand on is not known.")
            }
        };
        notes = notes.and(&Html::tag("p", &[("class", "note")], Html::text(&text)));
    }
    let text = format!(
        "Of {} analysed {}, by provenance, by their layers, by what was taught, and by their own labels. \
         Provenance is what was beside an image when it was read; to ask its registry now: ",
        bases.images,
        images(bases.images)
    );
    let command = Html::tag("code", &[], Html::text("foretop quickview IMAGE"));
    let text = Html::text(&text).and(&command).and(&Html::text("."));
    notes.and(&Html::tag("p", &[("class", "quiet")], text))
}

fn row(visit: &Visit, it: &Footing) -> Vec<Cell> {
    let name = called(it);
    let link = Html::link(&visit.to(&["bases", &it.base]), Html::name(name));
    let more = it.names.len().saturating_sub(1);
    let also = format!("and {more} more {}", if more == 1 { "name" } else { "names" });
    let also = Html::tag("span", &[("class", "quiet line")], Html::text(&also));
    let names = if more > 0 { link.and(&also) } else { link };
    let plain = if it.names.is_empty() { name.to_owned() } else { it.names.join(" ") };
    let mut row = vec![Cell::new(names, plain).named(), Cell::text(&it.platform)];
    let why = match it.layers {
        Some(_) => "It is being looked into: look again in a moment.",
        None => "It is only named, and nothing here has its layers.",
    };
    row.extend(findings(it.brings.as_ref(), why));
    row.extend([
        Cell::number(it.images),
        places(visit, &it.environments),
        ways(it),
        it.layers.map_or_else(|| Cell::unknown("It is only named."), |it| Cell::number(it.into())),
        Cell::text(&it.base),
    ]);
    row
}

/// What a base is called.
pub(super) fn called(it: &Footing) -> &str {
    it.names.first().map_or(&*it.base, |name| familiar(name))
}

/// `debian:12`, as people call it.
pub(super) fn familiar(name: &str) -> &str {
    let short = name.strip_prefix("docker.io/").unwrap_or(name);
    short.strip_prefix("library/").unwrap_or(short)
}

/// How it was found, in words.
pub(super) fn ways(it: &Footing) -> Cell {
    let all = [
        (it.ways.provenance, "named by provenance"),
        (it.ways.label, "named by the images"),
        (it.ways.taught, "taught"),
        (it.ways.layers, "by its layers"),
    ];
    let there = all.iter().filter(|(count, _)| *count > 0).map(|(_, word)| *word);
    Cell::text(&there.collect::<Vec<_>>().join(", "))
}

/// The bases that were taught, also those that nothing stands on.
async fn taught(visit: &Visit) -> Result<Table, Refused> {
    let listed = visit.list("taught", async |after, limit| {
        let after = if visit.asked("table").is_some() { after } else { None };
        let query = BaseQuery { after, limit: Some(limit) };
        visit.client.bases(visit.organisation(), &query).await
    });
    let listed = listed.await?;
    let columns = vec![
        column("name", "Name"),
        column("platform", "Platform"),
        column("digest", "Digest"),
        column("layers", "Layers"),
        column("learned_by", "By"),
        column("learned", "Taught"),
    ];
    let command = Html::tag("code", &[], Html::text("foretop base learn NAME"));
    let nothing =
        "Nothing was taught. Images that are pushed or watched are known by themselves; others: ";
    let nothing = Html::tag("p", &[], Html::text(nothing).and(&command));
    let caption = match listed.next {
        Some(_) => format!("Taught: the first {} by name", listed.items.len()),
        None => format!("Taught: {}", listed.items.len()),
    };
    let mut table = Table::new("taught", caption, columns).or_else(nothing);
    for it in &listed.items {
        table.push(vec![
            Cell::text(&it.name),
            Cell::text(&it.platform),
            Cell::digest_alone(&it.digest),
            Cell::number(it.layers.into()),
            Cell::text(&it.learned_by),
            Cell::when(&it.learned, visit.now),
        ]);
    }
    Ok(table)
}

/// May they teach?
pub(super) fn teaches(visit: &Visit) -> bool {
    let all = visit.me.iter().flat_map(|it| &it.organisations);
    let mut own = all.filter(|it| it.organisation == visit.organisation());
    own.any(|it| Role::from(it.role).may(Right::PushImages))
}

async fn take(visit: Visit, form: Form) -> Result<Response, Refused> {
    let (name, digest) = (form.need("name")?, form.need("image")?);
    learn(&visit, name, digest).await?;
    Ok(go(&visit.path))
}

/// Teaches that a known image is a base.
async fn learn(visit: &Visit, name: &str, digest: &str) -> Result<(), Refused> {
    let organisation = visit.organisation();
    let image = visit.client.image(organisation, digest).await?;
    let layer = |it: &api::Layer| LayerDescription {
        diff_id: it.diff_id.as_deref().and_then(|it| it.parse::<Digest>().ok()),
        ..LayerDescription::default()
    };
    let layers: Vec<LayerDescription> = image.layers.iter().map(layer).collect();
    let chain = whole_chain(&layers).ok_or_else(|| {
        let why =
            format!("image {digest}: not all of its layers are known, so none can be found on it");
        let hint = "read it first: foretop push IMAGE";
        Refused::from(api::Sort::Conflict.because(why).with_hint(hint))
    })?;
    let new = LearningImage {
        platform: image.platform,
        digest: image.digest,
        config: image.config,
        chain: chain.to_string(),
        layers: u32::try_from(layers.len()).unwrap_or(u32::MAX),
    };
    let learning = api::Learning { name: name.to_owned(), images: vec![new] };
    visit.client.learn_bases(organisation, &learning).await?;
    Ok(())
}
