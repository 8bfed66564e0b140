//! Whether an environment is in trouble, why, since when, and what to do: the first lines of its card.

use api::{Counted, CountsQuery, Deployment, Environment, FlawsQuery, RunningFlaw};
use model::Level;

use crate::html::{Html, path_with};
use crate::severity::{Severities, badge, mark};
use crate::table::Cell;
use crate::visit::Visit;
use crate::when::when;

/// How far back it is looked since when.
const WINDOW: i64 = 7 * 86_400;
/// Changes of the numbers in that time; of more it is not told since when.
const CHANGES: u32 = 500;
/// Reasons that are told.
const REASONS: u32 = 3;

/// How it stands, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Bad,
    Serious,
    Unclear,
    Good,
}

impl Standing {
    fn of(counts: &Counted) -> Self {
        match counts {
            it if it.critical > 0 => Self::Bad,
            it if it.high > 0 => Self::Serious,
            it if it.pending > 0 || it.gaps > 0 => Self::Unclear,
            _ => Self::Good,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Bad => "state bad",
            Self::Serious => "state serious",
            Self::Unclear => "state unclear",
            Self::Good => "state good",
        }
    }

    fn told(self, counts: &Counted) -> String {
        let findings = |count: u64| if count == 1 { "finding" } else { "findings" };
        match self {
            Self::Bad => {
                let count = counts.critical;
                format!("In trouble: {count} critical {}", findings(count))
            }
            Self::Serious => {
                let count = counts.high;
                format!("Nothing critical is known, {count} high {}", findings(count))
            }
            Self::Unclear => {
                "Nothing critical or high is known, and not all can be told".to_owned()
            }
            Self::Good => "Nothing critical or high is known".to_owned(),
        }
    }

    /// The severity that it is about.
    fn level(self) -> Option<Level> {
        match self {
            Self::Bad => Some(Level::Critical),
            Self::Serious => Some(Level::High),
            Self::Unclear | Self::Good => None,
        }
    }
}

/// How an environment stands. `running` is some of what runs there, and `others` are the environments
/// beside it.
pub(crate) async fn of(
    visit: &Visit,
    environment: &Environment,
    running: &[Deployment],
    others: &[Environment],
) -> Html {
    let none = Html::default();
    let Some(counts) = &environment.counts else {
        let text = "Nobody can tell. Its findings are not counted yet.";
        return state("state unclear", text, &none, &none);
    };
    let standing = Standing::of(counts);
    let told = standing.told(counts);
    let Some(level) = standing.level() else {
        return state(standing.class(), &told, &none, &none);
    };
    let since = since(visit, environment, level).await;
    let reasons = reasons(visit, environment, running, level).await;
    let ways = [all_of(visit, environment, level), better(visit, environment, others, level)];
    let ways = Html::joined(ways.into_iter().filter(|it| !it.is_empty()), " · ");
    let ways = Html::tag("p", &[], ways);
    state(standing.class(), &told, &since, &reasons.and(&ways))
}

fn state(class: &str, told: &str, since: &Html, more: &Html) -> Html {
    let told = Html::tag("strong", &[], Html::text(told));
    let told = Html::tag("p", &[], told.and(&Html::text(" ")).and(since));
    Html::tag("div", &[("class", class)], told.and(more))
}

/// Since when there are findings of that level, and when the last of them came.
async fn since(visit: &Visit, environment: &Environment, level: Level) -> Html {
    let begin = visit.now.plus_seconds(-WINDOW);
    let query = CountsQuery {
        since: Some(begin.to_string()),
        limit: Some(CHANGES),
        ..CountsQuery::default()
    };
    let counts = visit.client.counts(visit.organisation(), &environment.name, &query).await;
    let Some(counts) = counts.ok().filter(|it| it.next.is_none()) else { return Html::default() };
    let (began, last) = rises(&counts.items, level);
    let (Some(began), Some(last)) = (began, last) else { return Html::default() };
    if began == last {
        return Html::text("Since ").and(&when(began, visit.now));
    }
    let first = Html::text("The first came ").and(&when(began, visit.now));
    first.and(&Html::text(", the last ")).and(&when(last, visit.now))
}

/// Since when there is one without a break, and when there was one more, of counts each of which held
/// until the next.
fn rises(counts: &[Counted], level: Level) -> (Option<&str>, Option<&str>) {
    let of = |it: &Counted| {
        let at = Level::ALL.iter().position(|it| *it == level);
        at.map_or(0, |at| Severities::from(it).0[at])
    };
    let (mut began, mut last, mut before) = (None, None, 0);
    for it in counts {
        let count = of(it);
        if count == 0 {
            began = None;
        } else if before == 0 {
            began = Some(&*it.at);
        }
        if count > before {
            last = Some(&*it.at);
        }
        before = count;
    }
    (began, last)
}

/// The worst flaws of that level in what runs there, as they were counted last: where each is, since when
/// that runs, and what mends it.
async fn reasons(
    visit: &Visit,
    environment: &Environment,
    running: &[Deployment],
    level: Level,
) -> Html {
    let query = FlawsQuery {
        environment: Some(environment.name.clone()),
        severity: Some(level.as_str().to_owned()),
        images: true,
        limit: Some(REASONS),
        ..FlawsQuery::default()
    };
    let none = Html::default();
    let Ok(flaws) = visit.client.flaws(visit.organisation(), &query).await else { return none };
    if flaws.basis.counted.is_none() {
        // The numbers were kept; which flaws they are of is found out anew by a server that begins.
        let text = "Which they are is being counted: look again in a moment.";
        return Html::tag("p", &[("class", "quiet")], Html::text(text));
    }
    let lines = flaws.items.iter();
    let lines = lines.map(|it| Html::tag("li", &[], reason(visit, environment, it, running)));
    let lines = Html::all(lines);
    if lines.is_empty() { lines } else { Html::tag("ul", &[("class", "reasons")], lines) }
}

fn reason(
    visit: &Visit,
    environment: &Environment,
    it: &RunningFlaw,
    running: &[Deployment],
) -> Html {
    let flaw = Html::link(&visit.to(&["vulnerabilities", &it.id]), Html::text(&it.id));
    let mut line = vec![badge(&it.severity), Html::text(" "), flaw];
    if it.exploited {
        let mark = mark("danger", "exploited", "It is known to be used in attacks.");
        line.extend([Html::text(" "), mark]);
    }
    let package = it.packages.first();
    if let Some(package) = package {
        let text = format!(" in {} {}", short(&package.name), package.version);
        line.push(Html::text(&text));
    }
    let has_it = |deployment: &&Deployment| it.some_images.contains(&deployment.digest);
    let deployment = running.iter().find(has_it);
    let digest = deployment.map(|it| &it.digest).or(it.some_images.first());
    if let Some(digest) = digest {
        let query = [("environment", &*environment.name)];
        let page = path_with(visit.organisation(), &["images", digest], &query);
        line.push(Html::text(", in "));
        match deployment {
            Some(it) => {
                line.push(Html::link(&page, Html::text(&it.application)));
                line.push(Html::text(", deployed "));
                line.push(when(&it.from, visit.now));
            }
            None => line.push(Cell::digest(&page, digest).into_html()),
        }
        let more = it.images.saturating_sub(1);
        if more > 0 {
            let images = if more == 1 { "image" } else { "images" };
            line.push(Html::text(&format!(" and {more} more {images}")));
        }
    }
    line.push(match package.and_then(|it| it.fixed.as_deref()) {
        Some(version) => {
            let told = format!("update to {version}");
            Html::text(": ").and(&Html::tag("strong", &[], Html::text(&told)))
        }
        None => Html::text(": no fix yet"),
    });
    Html::all(line)
}

/// `log4j-core`, of `org.apache.logging.log4j/log4j-core`.
fn short(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Where all of them are told.
fn all_of(visit: &Visit, environment: &Environment, level: Level) -> Html {
    let query = [("environment", &*environment.name), ("severity", level.as_str())];
    let link = path_with(visit.organisation(), &["vulnerabilities"], &query);
    Html::link(&link, Html::text(&format!("All that is {} there", level.as_str())))
}

/// What another environment would bring that has fewer of them.
fn better(visit: &Visit, environment: &Environment, others: &[Environment], level: Level) -> Html {
    let of = |it: &Environment| {
        let at = Level::ALL.iter().position(|it| *it == level)?;
        it.counts.as_ref().map(|it| Severities::from(it).0[at])
    };
    let here = of(environment);
    let runs = others.iter().filter(|it| it.name != environment.name && it.running > 0);
    let fewer = runs.filter(|it| of(it) < here && of(it).is_some()).min_by_key(|it| of(it));
    let Some(other) = fewer else { return Html::default() };
    let query = [("from", &*other.name), ("to", &*environment.name)];
    let link = path_with(visit.organisation(), &["compare"], &query);
    let text = format!("What would {} bring?", other.name);
    let text = Html::link(&link, Html::text(&text));
    let count = of(other).unwrap_or_default();
    let why = format!(" It has {count} {}.", level.as_str());
    text.and(&Html::text(&why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(at: &str, critical: u64, gaps: u64) -> Counted {
        Counted {
            at: at.to_owned(),
            almanac: String::new(),
            critical,
            high: 0,
            medium: 3,
            low: 0,
            unspecified: 0,
            images: 1,
            pending: 0,
            gaps,
        }
    }

    #[test]
    fn what_cannot_be_told_is_not_good() {
        let check = |critical, gaps, expect| {
            let counts = counted("", critical, gaps);
            assert_eq!(Standing::of(&counts).told(&counts), expect);
        };
        check(1, 0, "In trouble: 1 critical finding");
        check(2, 5, "In trouble: 2 critical findings");
        check(0, 1, "Nothing critical or high is known, and not all can be told");
        check(0, 0, "Nothing critical or high is known");
    }

    #[test]
    fn since_when() {
        let check = |counts: &[u64], expect: (Option<&str>, Option<&str>)| {
            let names: Vec<String> = (0..counts.len()).map(|it| it.to_string()).collect();
            let counts: Vec<Counted> =
                counts.iter().zip(&names).map(|(it, at)| counted(at, *it, 0)).collect();
            assert_eq!(rises(&counts, Level::Critical), expect);
        };
        check(&[], (None, None));
        check(&[2, 2], (Some("0"), Some("0")));
        check(&[0, 1, 1, 3, 2], (Some("1"), Some("3")));
        check(&[4, 0, 1], (Some("2"), Some("2")));
    }

    #[test]
    fn names_are_short() {
        assert_eq!(short("org.apache.logging.log4j/log4j-core"), "log4j-core");
        assert_eq!(short("openssl"), "openssl");
    }
}
