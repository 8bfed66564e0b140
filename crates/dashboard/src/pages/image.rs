//! An image: its findings, its packages, its layers, and where it runs and ran.

use api::{Deployment, DeploymentQuery, Image, ImageState, Judging, Sort, StandsOn, TagsQuery};
use askama::Template;
use axum::response::Response;
use model::{Analysis, Finding, Fix, Level, Outlook, Package};

use super::{explanation, images};
use crate::contract::{Found, Page};
use crate::html::{Html, path_with};
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::severity::{Severities, mark, unknown};
use crate::standing::said_of;
use crate::table::{Cell, Table, column, sorting};
use crate::told;
use crate::visit::{MOST, PART, ROWS, Visit, too_many};
use crate::when::{when, when_if};

pub(super) const PAGE: Page = Page {
    id: "image",
    path: "/o/{org}/images/{digest}",
    title: "Image",
    about: "What is wrong with an image now, what is inside, the layers it is made of with what each \
            brings, what policies say of it, and where it runs and ran.",
    found: Found::ByLink,
    show: |visit| Box::pin(show(visit)),
    take: None,
};

/// What can be looked at.
const VIEWS: [(&str, &str); 5] = [
    ("findings", "Findings"),
    ("packages", "Packages"),
    ("layers", "Layers"),
    ("policies", "Policies"),
    ("where", "Where it runs"),
];

#[derive(Template)]
#[template(path = "image.html")]
struct Shown {
    layout: Layout,
    name: String,
    facts: Vec<(&'static str, Html)>,
    counts: Option<(Html, Html)>,
    suppressed: usize,
    unread: Html,
    gaps: Html,
    basis: Html,
    views: Vec<View>,
    view: &'static str,
    filter: Filter,
    table: Html,
    compare: String,
    digest: String,
}

struct View {
    title: &'static str,
    href: String,
    here: bool,
}

/// Which findings are shown.
#[derive(Default)]
struct Filter {
    severity: String,
    text: String,
    fixable: bool,
    exploited: bool,
    in_use: bool,
    suppressed: bool,
    epss: String,
    environment: String,
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let (organisation, digest) = (visit.organisation(), visit.name("digest"));
    let image = match visit.client.image(organisation, digest).await {
        Ok(image) => image,
        Err(error) => match unremembered(&visit, digest, &error).await? {
            Some(image) => image,
            None => return Err(error.into()),
        },
    };
    let view = VIEWS.iter().find(|(id, _)| visit.asked("view") == Some(id)).unwrap_or(&VIEWS[0]).0;
    let filter = Filter {
        severity: visit.asks("severity").unwrap_or_default(),
        text: visit.asks("q").unwrap_or_default(),
        fixable: visit.asked("fixable").is_some(),
        exploited: visit.asked("exploited").is_some(),
        in_use: visit.asked("in_use").is_some(),
        suppressed: visit.asked("suppressed").is_some(),
        epss: visit.asks("epss").unwrap_or_default(),
        environment: visit.asks("environment").unwrap_or_default(),
    };
    let analysis = match image.state {
        ImageState::Analysed => {
            let environment = visit.asks("environment");
            let judging = Judging { brief: true, environment, ..Judging::default() };
            Some(visit.client.analysis(organisation, digest, &judging).await?)
        }
        ImageState::Pending | ImageState::Failed => None,
    };
    let table = match (view, &analysis) {
        ("where", _) => runs(&visit, &image).await?,
        ("policies", _) => said_of(&visit, digest).await?,
        ("layers", _) => layers(&visit, &image, analysis.as_ref()),
        ("packages", Some(it)) => packages(&visit, it),
        ("findings", Some(it)) => findings(&visit, &filter, it),
        _ => Table::new("nothing", "Nothing", vec![column("nothing", "Nothing")]),
    };
    if let Some(file) = table.file(&visit) {
        return Ok(file);
    }
    let severities = analysis.as_ref().map(|it| {
        let mut severities = Severities::default();
        for it in it.findings.iter().filter(|it| !it.suppressed()) {
            severities.add(it.level);
        }
        severities
    });
    let gaps: Vec<&model::Gap> = analysis.iter().flat_map(Analysis::all_gaps).collect();
    let name = image.repositories.first().cloned().unwrap_or_else(|| "Image".to_owned());
    let views = VIEWS.iter().map(|(id, title)| View {
        title,
        href: view_of(&visit, id),
        here: *id == view,
    });
    let stands = match image.state {
        ImageState::Analysed => Some(visit.client.stands_on(organisation, digest).await?),
        ImageState::Pending | ImageState::Failed => None,
    };
    let mut facts = facts(&visit, &image, analysis.as_ref());
    facts.extend(stands.map(|it| ("Base image", base(&visit, &it))));
    let shown = Shown {
        layout: visit.layout().titled(format!("{name} {}", crate::table::short(digest))),
        facts,
        counts: severities.map(|it| (it.bar(), it.numbers())),
        suppressed: analysis
            .iter()
            .flat_map(|it| &it.findings)
            .filter(|it| it.suppressed())
            .count(),
        unread: unread(&image),
        gaps: told::gaps(
            "and what is there may have flaws",
            gaps.iter().map(|it| (&*it.at, &*it.why)),
        ),
        basis: analysis.as_ref().map(|it| told::basis(&it.basis, visit.now)).unwrap_or_default(),
        views: views.collect(),
        view,
        filter,
        table: if table_is_there(view, analysis.is_some()) {
            table.html(&visit)
        } else {
            Html::default()
        },
        compare: visit.to(&["compare"]),
        digest: digest.to_owned(),
        name,
    };
    Ok(html(&shown))
}

/// An image that is not remembered, and that was told to run, or that a tag led to: more than that nobody
/// knows of it.
async fn unremembered(
    visit: &Visit,
    digest: &str,
    error: &api::Error,
) -> Result<Option<Image>, Refused> {
    let is_nothing = error.problem().is_some_and(|it| it.sort == Sort::NotFound);
    let Some(of) = visit.asked("of").filter(|_| is_nothing && told::is_digest(digest)) else {
        return Ok(None);
    };
    let query = DeploymentQuery {
        image: Some(format!("{of}@{digest}")),
        history: true,
        limit: Some(1),
        ..DeploymentQuery::default()
    };
    let ran = visit.client.deployments(visit.organisation(), &query).await?.items;
    let known = |platform: String, repository: String, first_seen: String| Image {
        digest: digest.to_owned(),
        platform,
        repositories: vec![repository],
        state: ImageState::Pending,
        why: None,
        first_seen,
        analysed: None,
        packages: None,
        config: None,
        created: None,
        size: None,
        layers: Vec::new(),
    };
    if let Some(it) = ran.into_iter().next() {
        return Ok(Some(known(it.platform, it.repository, it.from)));
    }
    let query = TagsQuery {
        image: of.to_owned(),
        digest: Some(digest.to_owned()),
        limit: Some(1),
        ..TagsQuery::default()
    };
    let spans = visit.client.tags(visit.organisation(), &query).await?;
    let span = spans.items.into_iter().next();
    Ok(span.map(|it| known(it.platform, it.repository, it.from)))
}

fn table_is_there(view: &str, is_read: bool) -> bool {
    is_read || matches!(view, "where" | "layers" | "policies")
}

/// Another view of the same image.
fn view_of(visit: &Visit, id: &str) -> String {
    let mut query = vec![("view", id)];
    query.extend(["environment", "of"].into_iter().filter_map(|it| Some((it, visit.asked(it)?))));
    path_with(visit.organisation(), &["images", visit.name("digest")], &query)
}

/// Why what is inside is not known.
fn unread(image: &Image) -> Html {
    let text = match image.state {
        ImageState::Analysed => return Html::default(),
        ImageState::Pending => {
            "This image is not analysed yet: nobody can tell what is in it, or what is \
                                wrong with it."
                .to_owned()
        }
        ImageState::Failed => format!(
            "Reading this image failed, so nobody can tell what is wrong with it: {}",
            image.why.as_deref().unwrap_or("nobody says why")
        ),
    };
    let name = image.repositories.first().map_or("IMAGE", |it| it);
    let command =
        Html::tag("code", &[], Html::text(&format!("foretop push {name}@{}", image.digest)));
    let what = Html::text(" To send what is inside: ").and(&command);
    Html::tag("p", &[("class", "note")], Html::text(&text).and(&what))
}

/// What it stands on, and how that was found.
fn base(visit: &Visit, it: &StandsOn) -> Html {
    let Some(footing) = &it.footing else {
        let why =
            "No known image has its first layers, and neither its builder nor itself says it.";
        let link = Html::link(&visit.to(&["bases", "unknown"]), Html::text("not known"));
        return mark("unknown", "cannot tell", why).and(&Html::text(" ")).and(&link);
    };
    let text = Html::text(super::bases::called(footing));
    let link = Html::link(&visit.to(&["bases", &footing.base]), text);
    let how = match it.way.as_deref() {
        Some("provenance") => " (provenance says so)",
        Some("label") => " (the image says so itself)",
        Some("taught") => " (its layers are those of a base that was taught)",
        _ => " (its layers begin as those of a known image do)",
    };
    link.and(&Html::text(how))
}

fn facts(visit: &Visit, image: &Image, analysis: Option<&Analysis>) -> Vec<(&'static str, Html)> {
    let links = image.repositories.iter();
    let links = links.map(|it| Html::link(&visit.to(&["repositories", it]), Html::text(it)));
    let mut facts = vec![
        ("Digest", Html::tag("code", &[], Html::text(&image.digest))),
        ("Repositories", Html::joined(links, ", ")),
        ("Platform", Html::text(&image.platform)),
        ("State", images::told(image).into_html()),
        ("First seen", when(&image.first_seen, visit.now)),
    ];
    if let Some(distro) = analysis.and_then(|it| it.inventory.distro.as_ref()) {
        facts.push(("Distribution", Html::text(&distro_name(distro))));
    }
    if let Some(created) = &image.created {
        facts.push(("Made", when_if(Some(created), visit.now)));
    }
    if let Some(size) = image.size {
        facts.push(("Size", Html::text(&format!("{} as stored", size_told(size)))));
    }
    if let Some(packages) = image.packages {
        facts.push(("Packages", Html::text(&packages.to_string())));
    }
    facts
}

fn distro_name(it: &model::Distro) -> String {
    let plain = || format!("{} {}", it.id, it.version.as_deref().unwrap_or_default());
    it.name.clone().unwrap_or_else(plain)
}

/// `12.3 MB`; what is small in a smaller unit.
#[expect(clippy::cast_precision_loss, reason = "it is shown with one digit")]
fn size_told(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

impl Filter {
    fn lets(&self, analysis: &Analysis, it: &Finding) -> bool {
        let text = self.text.to_lowercase();
        let has = |word: &str| word.to_lowercase().contains(&text);
        let named = || {
            has(&it.id)
                || has(&it.name)
                || it.aliases.iter().any(|it| has(it))
                || purls(analysis, it).any(|it| has(&it))
        };
        (self.severity.is_empty() || it.level.as_str() == self.severity)
            && (!self.fixable || it.fixed().is_some())
            && (!self.exploited || it.exploited.is_some() || it.malicious)
            // Of what nobody can tell it is not said that it is idle.
            && (!self.in_use || it.in_use != Some(false))
            && (self.suppressed || !it.suppressed())
            && self.epss.parse::<f32>().map_or(true, |least| epss(it) >= least)
            && (text.is_empty() || named())
    }
}

fn purls(analysis: &Analysis, it: &Finding) -> impl Iterator<Item = String> {
    let packages = it.packages.iter().filter_map(|it| analysis.inventory.packages.get(*it));
    packages.map(|it| it.purl.to_string())
}

fn findings(visit: &Visit, filter: &Filter, analysis: &Analysis) -> Table {
    let mut found: Vec<&Finding> =
        analysis.findings.iter().filter(|it| filter.lets(analysis, it)).collect();
    let by = visit.asked("sort").unwrap_or_default();
    let (key, down) = by.strip_prefix('-').map_or((by, false), |it| (it, true));
    match key {
        "vulnerability" => found.sort_by(|a, b| a.id.cmp(&b.id)),
        "severity" => found.sort_by_key(|it| it.level),
        "package" => found.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version))),
        "score" => found.sort_by(|a, b| number(a.score()).total_cmp(&number(b.score()))),
        "epss" => found.sort_by(|a, b| epss(a).total_cmp(&epss(b))),
        "fixed" => found.sort_by(|a, b| a.fixed().cmp(&b.fixed())),
        // Worst first, as it is told.
        _ => {}
    }
    if down {
        found.reverse();
    }
    let columns = vec![
        sorting("vulnerability", "Vulnerability"),
        sorting("severity", "Severity"),
        sorting("score", "CVSS"),
        sorting("epss", "EPSS"),
        sorting("package", "Package"),
        column("version", "Version"),
        sorting("fixed", "What to do"),
        column("layer", "Layer"),
        column("marks", "Marks"),
    ];
    let caption = format!("Findings: {} of {}", found.len(), analysis.findings.len());
    let mut table = Table::new("findings", caption, columns).or_else(none_found(analysis));
    for it in found {
        table.push(finding(visit, analysis, it));
    }
    table.cut(visit, ROWS as usize);
    table
}

fn number(score: Option<f32>) -> f32 {
    score.unwrap_or(-1.0)
}

fn epss(it: &Finding) -> f32 {
    number(it.forecast.as_ref().map(|it| it.score))
}

/// That nothing is found is not that nothing is there.
fn none_found(analysis: &Analysis) -> Html {
    let holes = analysis.all_gaps().count();
    let text = match (analysis.findings.len(), holes) {
        (0, 0) => "No known flaw, and no gap: all that is inside was looked up.".to_owned(),
        (0, holes) => {
            let gaps = if holes == 1 { "gap" } else { "gaps" };
            format!("No known flaw in what could be looked up; of {holes} {gaps} nobody can tell.")
        }
        (found, _) => format!("None of its {found} findings is such a one."),
    };
    Html::tag("p", &[], Html::text(&text))
}

fn finding(visit: &Visit, analysis: &Analysis, it: &Finding) -> Vec<Cell> {
    let why = explanation::link(visit, visit.name("digest"), &it.id, visit.asked("environment"));
    let name = Cell::link(&visit.to(&["vulnerabilities", &it.id]), &it.id).marked(&why);
    let score = it.score().map_or_else(Cell::none, |it| Cell::text(&format!("{it:.1}")));
    let forecast = it.forecast.as_ref();
    let forecast = forecast.map_or_else(Cell::none, |it| Cell::text(&format!("{:.3}", it.score)));
    let query = [("q", &*it.name)];
    let package = path_with(visit.organisation(), &["vulnerabilities"], &query);
    let layers = it.packages.iter().filter_map(|it| analysis.inventory.packages.get(*it));
    let layers =
        layers.flat_map(|it| it.places.iter().filter_map(|it| it.first_layer.or(it.layer)));
    let layer = layers.min().map_or_else(Cell::none, |it| Cell::number(u64::from(it)));
    vec![
        name,
        Cell::level(it.level),
        score,
        forecast,
        Cell::link(&package, &it.name),
        Cell::text(&it.version),
        fix(it),
        layer,
        marks(it),
    ]
}

/// What to do about it.
fn fix(it: &Finding) -> Cell {
    match &it.fix {
        Fix::Version { version, channel: None } => Cell::text(&format!("update to {version}")),
        Fix::Version { version, channel: Some(channel) } => {
            Cell::text(&format!("update to {version} ({channel})"))
        }
        Fix::None(outlook) => Cell::text(&format!("no fix: {}", meant(*outlook))),
    }
}

/// What the publisher means to do.
pub(super) fn meant(outlook: Outlook) -> &'static str {
    match outlook {
        Outlook::Open => "one may come",
        Outlook::Minor => "perhaps with a later update",
        Outlook::Deferred => "later",
        Outlook::WillNotFix => "there will be none",
        Outlook::EndOfLife => "nobody looks after it any more",
    }
}

fn marks(it: &Finding) -> Cell {
    let (mut html, mut plain): (Vec<Html>, Vec<&str>) = (Vec::new(), Vec::new());
    let mut put = |class: &'static str, word: &'static str, why: &str| {
        html.push(mark(class, word, why));
        plain.push(word);
    };
    if let Some(exploited) = &it.exploited {
        put("danger", "exploited", &format!("Listed {} as used in attacks.", exploited.added));
    }
    if it.malicious {
        put("danger", "malicious", "The package itself is the attack.");
    }
    match it.in_use {
        Some(true) => {
            put("danger", "in use", "A package that has it is loaded where the image runs.");
        }
        Some(false) => {
            put("quiet", "not in use", "No package that has it is loaded where the image runs.");
        }
        None => {}
    }
    if let Some(statement) = it.statement.as_ref().filter(|_| it.suppressed()) {
        let why = statement.note.clone().or_else(|| statement.justification.clone());
        let author = statement.author.clone().unwrap_or_else(|| "nobody who is named".to_owned());
        let why =
            format!("Says {author}: {}", why.unwrap_or_else(|| "no reason is given".to_owned()));
        put("good", "out of the way", &why);
    }
    if html.is_empty() { Cell::none() } else { Cell::new(Html::joined(html, " "), plain.join(" ")) }
}

fn packages(visit: &Visit, analysis: &Analysis) -> Table {
    let mut worst: Vec<(Severities, Option<Level>)> =
        vec![(Severities::default(), None); analysis.inventory.packages.len()];
    for finding in analysis.findings.iter().filter(|it| !it.suppressed()) {
        for at in &finding.packages {
            if let Some((severities, level)) = worst.get_mut(*at) {
                severities.add(finding.level);
                *level = (*level).max(Some(finding.level));
            }
        }
    }
    let text = visit.asked("q").unwrap_or_default().to_lowercase();
    let all = analysis.inventory.packages.iter().zip(worst);
    let mut all: Vec<_> = all
        .filter(|(it, _)| text.is_empty() || it.purl.to_string().to_lowercase().contains(&text))
        .collect();
    let by = visit.asked("sort").unwrap_or_default();
    let (key, down) = by.strip_prefix('-').map_or((by, false), |it| (it, true));
    match key {
        "package" => all.sort_by_key(|(it, _)| it.purl.full_name()),
        "type" => all.sort_by(|a, b| a.0.purl.kind().cmp(b.0.purl.kind())),
        "findings" => all.sort_by_key(|(_, (it, level))| (*level, it.total())),
        _ => {}
    }
    if down {
        all.reverse();
    }
    let columns = vec![
        sorting("package", "Package"),
        column("version", "Version"),
        sorting("type", "Type"),
        column("known_by", "Known by"),
        column("licenses", "Licenses"),
        column("path", "Where"),
        sorting("findings", "Findings"),
        column("worst", "Worst"),
    ];
    let nothing = Html::tag("p", &[], Html::text("There is no such package in it."));
    let mut table =
        Table::new("packages", format!("Packages: {}", all.len()), columns).or_else(nothing);
    for (it, (severities, level)) in all {
        table.push(package(visit, it, severities, level));
    }
    table.cut(visit, ROWS as usize);
    table
}

fn package(visit: &Visit, it: &Package, severities: Severities, level: Option<Level>) -> Vec<Cell> {
    let place = it.places.first();
    let link = visit.to(&["packages", it.purl.kind(), &it.purl.full_name()]);
    let about = it.purl.to_string();
    let why = explanation::link(visit, visit.name("digest"), &about, visit.asked("environment"));
    vec![
        Cell::link(&link, &it.purl.full_name()).marked(&why),
        Cell::text_if(it.purl.version()),
        Cell::text(it.purl.kind()),
        Cell::text(it.kind.as_str()),
        Cell::text(&it.licenses.join(", ")),
        place.map_or_else(Cell::none, |it| Cell::code(&it.path)),
        Cell::number(severities.total()),
        level.map_or_else(Cell::none, Cell::level),
    ]
}

fn layers(visit: &Visit, image: &Image, analysis: Option<&Analysis>) -> Table {
    let columns = vec![
        column("layer", "Layer"),
        column("instruction", "Made by"),
        column("packages", "Packages it brings"),
        column("findings", "Findings it brings"),
        column("digest", "Digest"),
    ];
    let nothing = Html::tag("p", &[], Html::text("Nobody has told of its layers."));
    let mut table = Table::new("layers", "Layers, bottom first", columns).or_else(nothing);
    let first = |it: &Package| it.places.iter().filter_map(|it| it.first_layer.or(it.layer)).min();
    let brought: Option<Vec<Option<u32>>> =
        analysis.map(|it| it.inventory.packages.iter().map(first).collect());
    for (at, layer) in image.layers.iter().enumerate() {
        let number = u32::try_from(at).ok();
        let counts = analysis.zip(brought.as_ref()).map(|(it, brought)| {
            let mine =
                |at: &usize| brought.get(*at).is_some_and(|it| it.is_some() && *it == number);
            let packages = (0..brought.len()).filter(mine).count();
            let found = it.findings.iter().filter(|it| !it.suppressed());
            let found = found.filter(|it| it.packages.iter().any(mine)).count();
            (packages as u64, found as u64)
        });
        let unknown = || Cell::new(unknown("What is inside is not known."), "cannot tell");
        let instruction = layer.created_by.as_deref();
        table.push(vec![
            Cell::number(at as u64),
            instruction.map_or_else(|| Cell::unknown("Nobody says."), Cell::code),
            counts.map_or_else(unknown, |(it, _)| Cell::number(it)),
            counts.map_or_else(unknown, |(_, it)| Cell::number(it)),
            layer
                .digest
                .as_deref()
                .or(layer.diff_id.as_deref())
                .map_or_else(Cell::none, Cell::code),
        ]);
    }
    table.cut(visit, ROWS as usize);
    table
}

/// Where it runs and ran.
async fn runs(visit: &Visit, image: &Image) -> Result<Table, Refused> {
    let nothing = "It is not known to run anywhere, or to have run.";
    let nothing = Html::tag("p", &[], Html::text(nothing));
    let mut table = told::deployments("Where it runs and ran, latest first", true).or_else(nothing);
    // One more than is shown, so that it is known whether there are more.
    let at: usize = visit.asked("at").and_then(|it| it.parse().ok()).unwrap_or(0);
    let is_all = visit.takes_away("deployments");
    let wanted = if is_all { MOST } else { at.saturating_add(ROWS as usize).min(MOST) };
    let mut all: Vec<Deployment> = Vec::new();
    for repository in &image.repositories {
        let mut after = None;
        while all.len() <= wanted {
            let query = DeploymentQuery {
                image: Some(format!("{repository}@{}", image.digest)),
                history: true,
                after: after.take(),
                limit: Some(PART),
                ..DeploymentQuery::default()
            };
            let part = visit.client.deployments(visit.organisation(), &query).await?;
            all.extend(part.items);
            match part.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    if is_all && all.len() > MOST {
        return Err(too_many("deployments"));
    }
    for it in &all {
        table.push(told::deployment(visit, it, true));
    }
    table.cut(visit, ROWS as usize);
    Ok(table)
}
