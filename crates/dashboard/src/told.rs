//! What several pages tell in the same words: deployments, events, how old the almanac is, and what
//! nobody can tell.

use api::{AlmanacState, Deployment, Event, Hole};
use model::Moment;

use crate::html::{Html, path_with};
use crate::places::Places;
use crate::severity::{badge, mark};
use crate::table::{Cell, Table, column};
use crate::visit::Visit;
use crate::when::{ago, when};

/// Gaps that are told one by one; all are counted.
const TOLD: usize = 20;
/// An almanac that is older than this is not what is known today.
const OLD: i64 = 3 * 86_400;

/// The page of an image that was seen under that name. It may run and not be remembered: then the name
/// says what its page tells of.
pub(crate) fn image_page(visit: &Visit, name: &str, digest: &str) -> String {
    path_with(visit.organisation(), &["images", digest], &[("of", repository(name))])
}

/// `acme/web`, of `acme/web:v1@sha256:…`.
fn repository(name: &str) -> &str {
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    match name.rsplit_once(':') {
        // The port of a registry is no tag.
        Some((before, tag)) if !tag.contains('/') => before,
        _ => name,
    }
}

/// The columns of deployments.
pub(crate) fn deployments(caption: impl Into<String>, with_environment: bool) -> Table {
    let mut columns = vec![
        column("application", "Application"),
        column("image", "Image"),
        column("digest", "Digest"),
        column("platform", "Platform"),
        column("since", "Since"),
        column("until", "Until"),
        column("recorded_by", "Recorded by"),
        column("state", "State"),
    ];
    if with_environment {
        columns.insert(0, column("environment", "Environment"));
    }
    Table::new("deployments", caption, columns)
}

/// One of them.
pub(crate) fn deployment(visit: &Visit, it: &Deployment, with_environment: bool) -> Vec<Cell> {
    let name = it.image.split_once('@').map_or(&*it.image, |(name, _)| name);
    let recorded = if it.recorded_from.is_empty() {
        it.recorded_by.clone()
    } else {
        format!("{} from {}", it.recorded_by, it.recorded_from)
    };
    let mut row = vec![
        Cell::text(&it.application),
        Cell::link(&image_page(visit, &it.repository, &it.digest), name),
        Cell::digest(&image_page(visit, &it.repository, &it.digest), &it.digest),
        Cell::text(&it.platform),
        Cell::when(&it.from, visit.now),
        it.until.as_deref().map_or_else(
            || Cell::new(Html::text("runs"), serde_json::Value::Null),
            |until| Cell::when(until, visit.now),
        ),
        Cell::text(&format!("{recorded} ({})", it.source)),
        state(visit, it),
    ];
    if with_environment {
        row.insert(0, Cell::link(&visit.to(&["environments", &it.environment]), &it.environment));
    }
    row
}

/// What is to be said of a deployment beside that it is there.
fn state(visit: &Visit, it: &Deployment) -> Cell {
    let (mut marks, mut plain) = (Vec::new(), Vec::new());
    if it.pending {
        marks.push(mark(
            "unknown",
            "not analysed",
            "What is inside is not known, so nobody can tell.",
        ));
        plain.push("not analysed".to_owned());
    }
    if let Some(stale) = &it.stale {
        let why = format!("The tag leads to {} by now.", stale.leads_to);
        let link = image_page(visit, &it.repository, &stale.leads_to);
        marks.push(Html::link(&link, mark("danger", "tag moved", &why)));
        plain.push(format!("tag leads to {} since {}", stale.leads_to, stale.since));
    }
    if let Some(unheard) = &it.unheard {
        let why = "Whoever told of it is silent: something else may run by now.";
        marks.push(mark("unknown", "runtime silent", why));
        plain.push(format!("runtime not heard of since {unheard}"));
    }
    if marks.is_empty() {
        return Cell::none();
    }
    Cell::new(Html::joined(marks, " "), plain.join("; "))
}

/// The columns of events.
pub(crate) fn events(caption: impl Into<String>) -> Table {
    let columns = vec![
        column("at", "When"),
        column("kind", "What"),
        column("environment", "Environment"),
        column("about", "About"),
        column("image", "Image"),
        column("who", "Who"),
        column("origin", "From where"),
    ];
    Table::new("events", caption, columns)
}

/// One of them.
pub(crate) fn event(visit: &Visit, there: &Places, it: &Event) -> Vec<Cell> {
    let environment = it.environment.as_deref();
    vec![
        Cell::when(&it.at, visit.now),
        Cell::text(&it.kind.replace('-', " ")).marked(&of_finding(it)),
        environment.map_or_else(Cell::none, |it| Cell::new(there.link(visit, it), it)),
        about(visit, it),
        image(visit, it),
        Cell::text(&it.who),
        Cell::text(&it.origin),
    ]
}

fn about(visit: &Visit, it: &Event) -> Cell {
    if it.kind.starts_with("finding-") {
        let name = it.detail["name"].as_str().unwrap_or_default();
        let link = visit.to(&["vulnerabilities", &it.about]);
        return Cell::link(&link, &it.about).marked(&Html::text(name));
    }
    if is_digest(&it.about) {
        return Cell::digest(&visit.to(&["images", &it.about]), &it.about);
    }
    Cell::text(&it.about)
}

fn image(visit: &Visit, it: &Event) -> Cell {
    let Some(image) = &it.image else { return Cell::none() };
    match image.rsplit_once('@') {
        Some((name, digest)) => {
            let shown = format!("{name}@{}", crate::table::short(digest));
            let mut cell = Cell::link(&image_page(visit, name, digest), &shown);
            if let Some((_, before)) = it.replaced.as_ref().and_then(|it| it.rsplit_once('@'))
                && before != digest
            {
                let to = [("from", digest), ("to", before)];
                let link = path_with(visit.organisation(), &["compare"], &to);
                cell = cell.marked(&Html::link(&link, Html::text("what changed?")));
            }
            cell
        }
        None => Cell::text(image),
    }
}

/// How bad what an event tells is, as far as it says.
pub(crate) fn of_finding(it: &Event) -> Html {
    let after = &it.detail["after"];
    let mut marks = Vec::new();
    if let Some(severity) = after["severity"].as_str() {
        marks.push(badge(severity));
    }
    if after["exploited"].as_bool() == Some(true) {
        marks.push(mark("danger", "exploited", "It is known to be used in attacks."));
    }
    if let Some(fixed) = after["fixed"].as_str() {
        marks.push(mark("good", "fixable", &format!("Fixed in {fixed}.")));
    }
    match it.detail["in_use"].as_bool() {
        Some(true) => marks.push(mark("danger", "in use", "A package that has it is loaded.")),
        Some(false) => marks.push(mark("quiet", "not in use", "No package that has it is loaded.")),
        None => {}
    }
    Html::joined(marks, " ")
}

/// Is it the digest of an image?
pub(crate) fn is_digest(text: &str) -> bool {
    text.parse::<model::Digest>().is_ok()
}

/// Gaps: an answer with holes says so.
pub(crate) fn gaps<'a>(
    what: &str,
    gaps: impl ExactSizeIterator<Item = (&'a str, &'a str)>,
) -> Html {
    let count = gaps.len();
    if count == 0 {
        return Html::default();
    }
    let told = |(at, why): (&str, &str)| {
        let at = Html::tag("code", &[], Html::text(at));
        Html::tag("li", &[], at.and(&Html::text(": ")).and(&Html::text(why)))
    };
    let some = Html::all(gaps.take(TOLD).map(told));
    let plural = if count == 1 { "gap" } else { "gaps" };
    let head = format!("{count} {plural}: of this nobody can tell, {what}");
    let rest = count.saturating_sub(TOLD);
    let rest = if rest > 0 { format!("… and {rest} more.") } else { String::new() };
    let list = Html::tag("ul", &[], some).and(&Html::tag("p", &[], Html::text(&rest)));
    let inside = Html::tag("summary", &[], Html::text(&head)).and(&list);
    Html::tag("details", &[("class", "note")], inside)
}

/// The same, of the API's words for them.
pub(crate) fn holes(what: &str, holes: &[Hole]) -> Html {
    gaps(what, holes.iter().map(|it| (&*it.at, &*it.why)))
}

/// What the findings rest on, and how old that is.
pub(crate) async fn almanac(visit: &Visit) -> Html {
    match visit.client.almanac().await {
        Ok(it) => basis(&known(&it), visit.now),
        Err(error) => {
            let text = format!("How old the almanac is cannot be told: {error}");
            Html::tag("p", &[("class", "note")], Html::text(&text))
        }
    }
}

/// The same, as analyses say it.
pub(crate) fn known(it: &AlmanacState) -> model::Basis {
    model::Basis {
        almanac: it.digest.clone(),
        starter: it.starter,
        current: it.current.clone(),
        warnings: it.warnings.clone(),
        untold: it.untold.clone(),
        ..model::Basis::default()
    }
}

/// The same, of an analysis.
pub(crate) fn basis(it: &model::Basis, now: Moment) -> Html {
    let mut notes: Vec<Html> = Vec::new();
    if it.starter {
        let text = "Findings rest on the starter sheet that is built in, which knows little. \
                    To fetch all advisories: ";
        let command = Html::tag("code", &[], Html::text("foretop almanac update"));
        notes.push(Html::tag("p", &[], Html::text(text).and(&command)));
    }
    for threat in &it.untold {
        let what = threat.untold();
        let text = format!("That nothing is marked says nothing: {what}. To fetch all: ");
        let command = Html::tag("code", &[], Html::text("foretop almanac update"));
        notes.push(Html::tag("p", &[], Html::text(&text).and(&command)));
    }
    let current = it.current.as_deref();
    let at = current.and_then(|it| Moment::nearest(it).ok());
    let age = at.map(|at| now.micros().saturating_sub(at.micros()) / 1_000_000);
    match (current, age) {
        (Some(_), Some(age)) if age > OLD && !it.starter => {
            let ago = at.map(|at| ago(at, now)).unwrap_or_default();
            let text = format!(
                "The almanac is old: what it knows was current {ago}. What became known since is not \
                 in these numbers."
            );
            notes.push(Html::tag("p", &[], Html::text(&text)));
        }
        (None, _) | (_, None) if !it.starter => {
            let text = "Nobody can tell how old the almanac is.";
            notes.push(Html::tag("p", &[], Html::text(text)));
        }
        _ => {}
    }
    notes.extend(it.warnings.iter().map(|it| Html::tag("p", &[], Html::text(it))));
    if !notes.is_empty() {
        return Html::tag("div", &[("class", "note"), ("role", "note")], Html::all(notes));
    }
    let text = Html::text("Almanac current ");
    let when = current.map(|it| when(it, now)).unwrap_or_default();
    Html::tag("p", &[("class", "quiet")], text.and(&when))
}

/// Events as a list, each a line.
pub(crate) fn listed(visit: &Visit, there: &Places, events: &[Event], nothing: &str) -> Html {
    if events.is_empty() {
        return Html::tag("p", &[], Html::text(nothing));
    }
    let line = |it: &Event| {
        let place = it.environment.as_deref();
        let place = place.map(|name| Html::text(" in ").and(&there.link(visit, name)));
        let image = it.image.as_ref().map(|_| Html::text(": ").and(&image(visit, it).into_html()));
        let marks = of_finding(it);
        let marks = if marks.is_empty() { marks } else { Html::text(" ").and(&marks) };
        let pieces = [
            Html::text(&it.kind.replace('-', " ")),
            Html::text(" "),
            about(visit, it).into_html(),
            marks,
            place.unwrap_or_default(),
            image.unwrap_or_default(),
            Html::text(", "),
            when(&it.at, visit.now),
        ];
        Html::tag("li", &[], Html::all(pieces))
    };
    Html::tag("ul", &[], Html::all(events.iter().map(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_told_from_tags() {
        for name in ["acme/web", "acme/web:v1", "acme/web:v1@sha256:0", "acme/web@sha256:0"] {
            assert_eq!(repository(name), "acme/web");
        }
        assert_eq!(repository("localhost:5000/web"), "localhost:5000/web");
        assert_eq!(repository("localhost:5000/web:v1"), "localhost:5000/web");
    }
}
