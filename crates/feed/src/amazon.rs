//! Amazon Linux: the errata of its repositories. <https://alas.aws.amazon.com>

mod parts;

use std::collections::{BTreeMap, BTreeSet};

use model::{Advisory, Affected, Gap, Names, Rating, Space, Span};

use crate::brief::tellable;
use crate::contract::{Document, Feed, Parsed, Part, hole};
use crate::fetch::Plan;
use crate::updateinfo::{self, Update};

/// Amazon Linux's errata.
pub(crate) struct Amazon;

impl Feed for Amazon {
    fn id(&self) -> &'static str {
        "amazon"
    }

    fn title(&self) -> &'static str {
        "Amazon Linux Security Center"
    }

    fn about(&self) -> &'static str {
        "https://alas.aws.amazon.com (published by Amazon Web Services without a licence)"
    }

    fn version(&self) -> u16 {
        1
    }

    fn parts(&self) -> Vec<Part> {
        parts::all()
    }

    fn plan(&self) -> Plan {
        Plan::Repository
    }

    fn recognises(&self, path: &str, head: &[u8]) -> Option<String> {
        let head = String::from_utf8_lossy(head);
        let own = head.contains("linux-security@amazon.com") || head.contains("<id>ALAS");
        (head.contains("<updates") && own).then(|| parts::of(path, &head))
    }

    fn parse(&self, _: &str, document: &Document<'_>) -> Parsed {
        let mut read = Read::default();
        let done =
            updateinfo::read(document.bytes, &mut |update| read.take(&update, document.path));
        if let Err(error) = done {
            hole(&mut read.gaps, document.path, format!("reading it stopped: {error}"));
        }
        Parsed {
            advisories: read.advisories.into_values().collect(),
            gaps: read.gaps,
            current: read.current,
            ..Parsed::default()
        }
    }
}

#[derive(Default)]
struct Read {
    advisories: BTreeMap<String, Advisory>,
    gaps: Vec<Gap>,
    current: Option<String>,
}

impl Read {
    fn take(&mut self, update: &Update, path: &str) {
        let flaws: BTreeSet<&str> = update
            .references
            .iter()
            .filter(|it| it.kind == "cve" || it.id.starts_with("CVE-"))
            .map(|it| it.id.as_str())
            .filter(|it| !it.is_empty())
            .collect();
        if update.kind != "security" && flaws.is_empty() {
            return;
        }
        let mut gap = |why: &str| {
            let id: String = update.id.chars().take(60).collect();
            hole(&mut self.gaps, path, format!("{why}: `{id}`"));
        };
        if update.id.is_empty() {
            return gap("an erratum without a name");
        }
        let Some(place) = Place::of(update) else {
            return gap("it does not say for which release of Amazon Linux it is");
        };
        if update.packages.iter().any(|it| it.name.is_empty() || it.version.starts_with('-')) {
            gap("a package without a name or a version");
        }
        if update.packages.is_empty() {
            gap("an erratum without packages");
        }
        let rows = rows(update, &place);
        let (most, hole) = tellable(flaws.len().max(1), rows.len());
        if let Some(why) = hole {
            gap(&why);
        }
        let (issued, updated) = (time(&update.issued), time(&update.updated));
        self.current = self.current.take().max(updated.clone()).max(issued.clone());
        // An erratum that names no flaw is one itself.
        let flaws = if flaws.is_empty() { BTreeSet::from([&*update.id]) } else { flaws };
        for flaw in flaws.into_iter().take(most) {
            let advisory = self.advisories.entry(flaw.to_owned()).or_insert_with(|| Advisory {
                id: flaw.to_owned(),
                title: update.title.clone(),
                details: details(&update.description, flaw),
                ..Advisory::default()
            });
            let dates = [advisory.published.take(), issued.clone()];
            advisory.published = dates.into_iter().flatten().min();
            advisory.modified = advisory.modified.take().max(updated.clone());
            let urls = update.references.iter().filter(|it| it.id == flaw || it.kind == "self");
            for reference in urls.filter(|it| !it.url.is_empty()) {
                if !advisory.references.contains(&reference.url) {
                    advisory.references.push(reference.url.clone());
                }
            }
            advisory.affected.extend(rows.iter().cloned());
        }
    }
}

/// Where an erratum's packages live.
struct Place {
    space: Space,
    /// A topic of the extras of Amazon Linux 2: `docker`.
    topic: Option<String>,
}

impl Place {
    fn of(update: &Update) -> Option<Self> {
        let (release, name) = parts::release_of_id(&update.id).unwrap_or(("", ""));
        let collection = update.collections.iter().find_map(|it| it.strip_prefix("amazon-linux-"));
        let of_collection = collection.map(|it| it.split_once("---").map_or(it, |(it, _)| it));
        let tag = update.packages.iter().find_map(|it| parts::release_of_version(&it.version));
        let release = [Some(release), of_collection.filter(|it| parts::RELEASES.contains(it)), tag]
            .into_iter()
            .flatten()
            .find(|it| !it.is_empty())?;
        // Live patches have names of their own, which tell the kernel they are for.
        let name = Some(name).filter(|it| !it.is_empty() && *it != "LIVEPATCH" && release == "2");
        let topic = collection
            .and_then(|it| it.split_once("---"))
            .map(|(_, topic)| topic.to_owned())
            .or_else(|| name.map(str::to_ascii_lowercase))
            .filter(|it| it != "livepatch");
        Some(Self { space: Space::release("amzn", release), topic })
    }
}

/// A row for each package, or several where architectures have it in other versions.
fn rows(update: &Update, place: &Place) -> Vec<Affected> {
    let mut fixes: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for package in &update.packages {
        let debug = package.name.ends_with("-debuginfo") || package.name.ends_with("-debugsource");
        let debug = debug || package.name.contains("-debuginfo-common");
        if !debug && !package.name.is_empty() && !package.version.starts_with('-') {
            let key = (package.name.as_str(), package.version.as_str());
            fixes.entry(key).or_default().insert(&package.arch);
        }
    }
    let row = |((name, version), mut arch): ((&str, &str), BTreeSet<&str>)| {
        let names =
            if arch.remove("src") && arch.is_empty() { Names::Source } else { Names::Binary };
        let everywhere = arch.remove("noarch") || arch.contains("");
        let span = Span::before(version);
        let first = place.topic.as_deref().and_then(|topic| first_of_topic(topic, version));
        Affected {
            names,
            spans: vec![match first {
                Some(first) => span.since(first),
                None => span,
            }],
            rating: (!update.severity.is_empty()).then(|| Rating::word("amazon", &update.severity)),
            bulletins: vec![update.id.clone()],
            arch: arch.into_iter().filter(|_| !everywhere).map(str::to_owned).collect(),
            channel: place.topic.as_ref().map(|it| format!("amzn2extra-{it}")),
            ..Affected::new(place.space.clone(), name)
        }
    };
    fixes.into_iter().map(row).collect()
}

/// Packages of a topic bear the names of those of the core, but their versions begin elsewhere:
/// those of `kernel-5.10` with 5.10. The same goes for other topics (`php8.1`, `postgresql14`).
fn first_of_topic(topic: &str, fix: &str) -> Option<String> {
    let first = topic.trim_start_matches(|it: char| !it.is_ascii_digit());
    let sound = first.bytes().all(|it| it.is_ascii_digit() || it == b'.');
    let (epoch, version) = match fix.split_once(':') {
        Some((epoch, version)) => (format!("{epoch}:"), version),
        None => (String::new(), fix),
    };
    let rest = version.strip_prefix(first)?;
    (!first.is_empty() && sound && rest.starts_with(['.', '-'])).then(|| format!("{epoch}{first}"))
}

/// What the description says about that flaw: `CVE-2022-24903:`, and then an indented text.
fn details(description: &str, flaw: &str) -> String {
    let heading = |line: &str| line.starts_with("CVE-") && line.trim_end().ends_with(':');
    let mut lines = description.lines();
    if !lines.any(|line| heading(line) && line.trim_end().trim_end_matches(':') == flaw) {
        return description.to_owned();
    }
    let own: Vec<&str> = lines.take_while(|line| !heading(line)).map(str::trim).collect();
    own.join("\n").trim().to_owned()
}

/// `2023-02-17T20:41:00Z` of `2023-02-17 20:41`, or of the same with a `T`.
fn time(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('Z').replacen('T', " ", 1);
    let (date, time) = text.split_once(' ').unwrap_or((&text, "00:00"));
    let date: jiff::civil::Date = date.parse().ok()?;
    let time: jiff::civil::Time = time.parse().ok()?;
    Some(format!("{date}T{:02}:{:02}:{:02}Z", time.hour(), time.minute(), time.second()))
}

#[cfg(test)]
mod tests;
