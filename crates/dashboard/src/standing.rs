//! How what runs stands by policies: in words, as a bar, and day by day.

use api::{PolicySample, PolicyState, PolicyTally, PolicyVersion, Sort};
use model::Level;

use crate::columns::{Day, columns};
use crate::html::{Html, path_with};
use crate::refused::Refused;
use crate::severity::{mark, unknown};
use crate::table::{Cell, Table, column};
use crate::visit::{ROWS, Visit};

/// Days that are looked back at.
pub(crate) const DAYS: u32 = 30;
/// The bar's width, in its own units, and what there is at all is seen.
const WIDTH: u64 = 1_000;
const LEAST: u64 = 12;
/// The words of a state, and the colours.
const STATES: [(&str, &str); 3] = [("against", "not met"), ("unclear", "unknown"), ("met", "met")];

/// What came of a policy.
pub(crate) fn state(state: PolicyState) -> Html {
    match state {
        PolicyState::Met => mark("good", "met", "Nothing stands against it."),
        PolicyState::NotMet => mark("danger", "not met", "Something stands against it."),
        PolicyState::Unknown => unknown("Nobody can tell."),
    }
}

/// The same in a table; none: it does not count.
pub(crate) fn state_cell(it: Option<PolicyState>) -> Cell {
    it.map_or_else(
        || Cell::new(Html::text("does not count"), "does not count"),
        |it| Cell::new(state(it), it.words()),
    )
}

/// The first that stands against an image, and how much more there is.
pub(crate) fn words(why: Option<&str>, count: u64, messages: &[String]) -> Cell {
    if let Some(why) = why {
        return Cell::text(why);
    }
    let mut lines: Vec<String> = messages.to_vec();
    let more = count.saturating_sub(messages.len() as u64);
    if more > 0 {
        lines.push(format!("… and {more} more"));
    }
    let html = match lines.as_slice() {
        [] => return Cell::none(),
        [one] => Html::tag("span", &[("title", one)], brief(one)),
        many => {
            let items = many.iter().map(|it| Html::tag("li", &[("title", it)], brief(it)));
            Html::tag("ul", &[("class", "short")], Html::all(items))
        }
    };
    Cell::new(html, lines.join("; ")).worded()
}

/// The same with packages as people call them: purls in full are in the file, and where one points.
fn brief(message: &str) -> Html {
    let words = message.split(' ').map(|word| {
        let purl = Some(word).filter(|it| it.starts_with("pkg:"));
        match purl.and_then(|it| it.parse::<model::Purl>().ok()) {
            Some(it) => {
                let name = Html::name(&it.full_name());
                it.version().map_or(name.clone(), |it| name.and(&Html::text(&format!(" {it}"))))
            }
            None => Html::text(word),
        }
    });
    Html::joined(words, " ")
}

/// How an environment stood on its last days, the first first.
pub(crate) struct Standing {
    days: Vec<PolicySample>,
    /// It was not judged at all yet.
    is_new: bool,
}

impl Standing {
    /// Of an environment.
    pub(crate) async fn of(visit: &Visit, environment: &str) -> Result<Self, Refused> {
        let asked = visit.client.policy_trend(visit.organisation(), environment, Some(DAYS)).await;
        match asked {
            Ok(it) => Ok(Self { is_new: it.items.is_empty(), days: it.items }),
            // That nobody could judge hides nothing else of the page.
            Err(api::Error::Problem(it)) if it.sort == Sort::Failed => {
                Ok(Self { is_new: true, days: Vec::new() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The last day that is known.
    pub(crate) fn last(&self) -> Option<&PolicySample> {
        self.days.last()
    }

    /// In one line: how many policies all images meet, and which they do not.
    pub(crate) fn line(&self, visit: &Visit, environment: &str) -> Html {
        let href = visit.to(&["environments", environment, "policies"]);
        let link = |text: &str| Html::link(&href, Html::text(text));
        let Some(last) = self.last() else {
            let why = "What policies say is not worked out yet.";
            return Html::tag("p", &[], unknown(why).and(&Html::text(" ")).and(&link("Policies")));
        };
        let sums = sums(&last.policies);
        let met = last.policies.iter().filter(|it| it.not_met == 0 && it.unknown == 0).count();
        let missed = last.policies.iter().filter(|it| it.not_met > 0).count();
        let all = last.policies.len();
        let words = if last.images == 0 {
            "nothing runs that could meet them".to_owned()
        } else {
            // Of what is not judged nobody knows.
            let whom = if last.pending > 0 { "is judged" } else { "runs" };
            format!("{missed} of {all} not met by some image, {met} met by all that {whom}")
        };
        let mut pieces = vec![link("Policies"), Html::text(&format!(": {words}"))];
        if sums[1] > 0 || last.pending > 0 {
            let unclear = all - met - missed;
            let why =
                format!("Of {unclear} policies nobody can tell, or of {} images.", last.pending);
            let of = if unclear > 0 { format!(" of {unclear}") } else { String::new() };
            pieces.extend([Html::text(", "), unknown(&why), Html::text(&of)]);
        }
        Html::tag("p", &[], Html::all(pieces))
    }

    /// As a bar; it says nothing that the words do not.
    pub(crate) fn bar(&self) -> Html {
        self.last().map(|it| bar(sums(&it.policies))).unwrap_or_default()
    }

    /// What is not there yet.
    fn too_few(&self, what: &str) -> Html {
        let text = match self.days.first() {
            None if self.is_new => format!("{what}: kept from the day on that it is judged first."),
            None => format!("{what}: nothing is kept of the last {DAYS} days."),
            Some(it) => format!("{what}: kept since {}, which is too short to tell.", it.day),
        };
        Html::tag("p", &[("class", "quiet")], Html::text(&text))
    }

    /// How many images met policies, day by day.
    pub(crate) fn policies(&self) -> Html {
        let what = "Policies over time";
        if self.days.len() < 2 {
            return self.too_few(what);
        }
        let day = |it: &PolicySample| Day {
            name: it.day.clone(),
            values: sums(&it.policies).to_vec(),
            more: vec![it.images, it.pending],
        };
        let days: Vec<Day> = self.days.iter().map(day).collect();
        let more = ["Images", "Not judged"];
        let label = format!("{what}: each image and policy, by what came of it");
        columns(&label, &STATES, &more, &days)
    }

    /// How many findings there were, day by day.
    pub(crate) fn findings(&self) -> Html {
        let what = "Findings over time";
        let counted: Vec<&PolicySample> =
            self.days.iter().filter(|it| !it.findings.is_empty()).collect();
        if counted.len() < 2 {
            return self.too_few(what);
        }
        let day = |it: &&PolicySample| Day {
            name: it.day.clone(),
            values: Level::ALL
                .iter()
                .map(|level| it.findings.get(level.as_str()).copied().unwrap_or(0))
                .collect(),
            more: vec![it.images, it.pending],
        };
        let days: Vec<Day> = counted.iter().map(day).collect();
        let series = Level::ALL.map(|it| (it.as_str(), it.as_str()));
        columns(what, &series, &["Images", "Not judged"], &days)
    }
}

/// Not met, unknown and met, of all policies together.
fn sums(all: &[PolicyTally]) -> [u64; 3] {
    all.iter().fold([0_u64; 3], |[against, unclear, met], it| {
        [
            against.saturating_add(it.not_met),
            unclear.saturating_add(it.unknown),
            met.saturating_add(it.met),
        ]
    })
}

/// Not met, unknown and met, as a bar with its words.
pub(crate) fn bar(sums: [u64; 3]) -> Html {
    let total = sums.iter().fold(0_u64, |sum, it| sum.saturating_add(*it));
    if total == 0 {
        return Html::default();
    }
    let shown = sums.iter().filter(|it| **it > 0).count() as u64;
    let room = u128::from(WIDTH.saturating_sub(shown * LEAST));
    let (mut at, mut parts, mut words) = (0, Vec::new(), Vec::new());
    for ((class, word), count) in STATES.iter().zip(sums).filter(|(_, count)| *count > 0) {
        let share = u128::from(count) * room / u128::from(total);
        let width = LEAST + u64::try_from(share).unwrap_or(WIDTH);
        let (x, w) = (at.to_string(), width.to_string());
        let class = format!("fill {class}");
        let attributes =
            [("class", &*class), ("x", &x), ("y", "0"), ("width", &w), ("height", "12")];
        parts.push(Html::tag("rect", &attributes, Html::default()));
        words.push(format!("{count} {word}"));
        at += width;
    }
    let label = format!("Policies: {}", words.join(", "));
    let attributes = [
        ("class", "bar"),
        ("viewBox", "0 0 1000 12"),
        ("preserveAspectRatio", "none"),
        ("role", "img"),
        ("aria-label", &*label),
    ];
    Html::tag("svg", &attributes, Html::all(parts))
}

/// What policies say of an image, in each environment that it runs in.
pub(crate) async fn said_of(visit: &Visit, digest: &str) -> Result<Table, Refused> {
    let said = match visit.client.image_policies(visit.organisation(), digest).await {
        Ok(it) => it.items,
        // One that nobody remembers ran, and does not any more.
        Err(api::Error::Problem(it)) if it.sort == Sort::NotFound => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let columns = vec![
        column("environment", "Environment"),
        column("policy", "Policy"),
        column("state", "State"),
        column("count", "Against it"),
        column("first", "What stands against it, or why nobody can tell"),
        column("judged", "Judged"),
    ];
    let text = Html::text("Policies judge what runs, and this is not known to run. By hand: ");
    let command = Html::tag("code", &[], Html::text("foretop policy IMAGE"));
    let nothing = Html::tag("p", &[], text.and(&command));
    let mut table = Table::new("policies", "What policies say", columns).or_else(nothing);
    for place in &said {
        let name = &place.environment;
        let href = visit.to(&["environments", name, "policies"]);
        if place.policies.is_empty() {
            let mut row = vec![Cell::link(&href, name)];
            row.push(Cell::unknown("It is not judged there yet."));
            row.extend((0..4).map(|_| Cell::none()));
            table.push(row);
        }
        for it in &place.policies {
            table.push(vec![
                Cell::link(&href, name),
                Cell::text(&it.title),
                state_cell(Some(it.state)),
                Cell::number(it.count),
                words(it.why.as_deref(), it.count, &it.messages),
                Cell::when_if(place.judged.as_deref(), visit.now),
            ]);
        }
    }
    table.cut(visit, ROWS as usize);
    Ok(table)
}

/// The versions of a place's policies, each with a way to look at it and to put it into force again.
pub(crate) fn versions(
    visit: &Visit,
    environment: Option<&str>,
    all: &[PolicyVersion],
    nothing: &str,
) -> Table {
    let columns = vec![
        column("version", "Version"),
        column("state", "State"),
        column("modules", "Modules"),
        column("sources", "From"),
        column("counts", "Policies that count"),
        column("set", "Set"),
        column("set_by", "By whom"),
    ];
    let nothing = Html::tag("p", &[], Html::text(nothing));
    let mut table = Table::new("versions", "Versions", columns).or_else(nothing);
    for it in all {
        let titles: Vec<&str> = it.policies.iter().map(|it| it.title.as_str()).collect();
        let version = it.version.to_string();
        let place = environment.map(|it| ("environment", it));
        let query: Vec<_> = place.into_iter().chain([("version", &*version)]).collect();
        let href = path_with(visit.organisation(), &["policies", "set"], &query);
        table.push(vec![
            Cell::new(Html::link(&href, Html::text(&version)), it.version),
            Cell::text(if it.in_force { "in force" } else { "former" }),
            Cell::text(if it.built_in { "Foretop's" } else { "own Rego" }),
            Cell::text(&it.sources.join(", ")),
            Cell::text(&titles.join(", ")),
            Cell::when(&it.set, visit.now),
            Cell::text(&it.set_by),
        ]);
    }
    table.cut(visit, ROWS as usize);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purls_are_told_as_people_call_them() {
        let told = |it: &str| words(None, 1, &[it.to_owned()]).into_html().to_string();
        let message =
            "pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12 has CVE-2024-2961";
        let html = told(message);
        assert!(
            html.ends_with(">debian/<wbr>libc6 2.36-9+deb12u4 has CVE-2024-2961</span>"),
            "{html}"
        );
        assert!(html.contains("distro=debian-12 has"), "all of it is where one points: {html}");
        assert!(told("pkg:<b>/x is odd").contains(">pkg:&lt;b&gt;/x is odd<"));
    }

    #[test]
    fn a_bar_says_what_came_of_policies() {
        assert!(bar([0; 3]).is_empty());
        let html = bar([1, 0, 3]).to_string();
        assert!(html.contains("Policies: 1 not met, 3 met"), "{html}");
        assert_eq!(html.matches("<rect").count(), 2);
        assert_eq!(bar([u64::MAX; 3]).to_string().matches("<rect").count(), 3);
    }
}
