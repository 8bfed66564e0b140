//! Ubuntu's CVE tracker: a text file for each flaw, with a line for each package in each release.
//! <https://git.launchpad.net/ubuntu-cve-tracker/tree/README>

use cvss::Cvss;
use model::{Advisory, Affected, Level, Names, Outlook, Rating, Space, Span, Status};

use crate::brief::brief;
use crate::contract::{Document, Feed, Parsed, Part};

pub(crate) mod words;

#[cfg(test)]
mod tests;

use words::Target;

pub(crate) struct UbuntuCveTracker;

impl Feed for UbuntuCveTracker {
    fn id(&self) -> &'static str {
        "ubuntu-cve-tracker"
    }

    fn title(&self) -> &'static str {
        "Ubuntu CVE tracker"
    }

    fn about(&self) -> &'static str {
        "https://launchpad.net/ubuntu-cve-tracker; published by Canonical without terms of its own"
    }

    fn version(&self) -> u16 {
        1
    }

    /// It is a Git repository and nothing to download: a checkout of it is read from a folder.
    fn parts(&self) -> Vec<Part> {
        vec![Part { name: "all".to_owned(), urls: Vec::new() }]
    }

    fn recognises(&self, _path: &str, head: &[u8]) -> Option<String> {
        let starts = |key: &[u8]| {
            let at = memchr::memmem::find_iter(head, key);
            at.into_iter().any(|it| it == 0 || head.get(it - 1) == Some(&b'\n'))
        };
        let is_text = !head.trim_ascii_start().starts_with(b"{");
        (is_text && starts(b"Candidate:") && starts(b"PublicDate")).then(|| "all".to_owned())
    }

    fn parse(&self, _part: &str, document: &Document<'_>) -> Parsed {
        let text = String::from_utf8_lossy(document.bytes);
        let mut reader = Reader { at: document.path, ..Reader::default() };
        for line in text.lines() {
            reader.line(line);
        }
        reader.finish()
    }
}

/// The fields that go on in the lines below them.
#[derive(Clone, Copy, Default)]
enum Field {
    #[default]
    Other,
    Description,
    References,
    Cvss,
}

#[derive(Default)]
struct Reader<'t> {
    at: &'t str,
    parsed: Parsed,
    advisory: Advisory,
    field: Field,
    /// Priorities for one package, perhaps in one release: the package, the release, the word.
    priorities: Vec<(String, Option<String>, Rating)>,
}

impl Reader<'_> {
    fn line(&mut self, line: &str) {
        if line.starts_with([' ', '\t']) {
            return self.more(line.trim());
        }
        let Some((key, value)) = line.split_once(':').filter(|_| !line.starts_with('#')) else {
            return;
        };
        let value = value.trim();
        self.field = Field::Other;
        match key {
            "Candidate" => value.clone_into(&mut self.advisory.id),
            "PublicDate" => self.advisory.published = words::date(value),
            "Priority" => self.advisory.ratings.extend(priority(value)),
            "Description" => self.field = Field::Description,
            "References" => self.field = Field::References,
            "CVSS" => self.field = Field::Cvss,
            _ => {
                let is_plain = !key.contains(char::is_whitespace);
                if let Some((word, package)) = key.split_once('_').filter(|_| is_plain) {
                    self.keyed(word, package, value);
                }
            }
        }
        self.more(if matches!(self.field, Field::Other) { "" } else { value });
    }

    /// A line that goes on with the field above it.
    fn more(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.field {
            Field::Other => {}
            Field::Description => {
                let details = &mut self.advisory.details;
                if !details.is_empty() {
                    details.push(' ');
                }
                details.push_str(text);
            }
            Field::References => {
                if text.starts_with("http") {
                    self.advisory.references.push(text.to_owned());
                }
            }
            Field::Cvss => self.advisory.ratings.extend(score(text)),
        }
    }

    /// `bionic_bzip2: released (1.0.6-8.1ubuntu0.2)`, `Priority_bzip2_bionic: low`.
    fn keyed(&mut self, word: &str, package: &str, value: &str) {
        match word {
            "Priority" => {
                let (package, release) = match package.split_once('_') {
                    Some((package, release)) => (package, Some(release.to_owned())),
                    None => (package, None),
                };
                if let Some(rating) = priority(value) {
                    self.priorities.push((package.to_owned(), release, rating));
                }
            }
            // Where the patches are, who works on it, and what the machines should know.
            "Patches" | "Tags" | "Assigned-to" | "Discovered-by" => {}
            _ => match words::target(word) {
                Target::Release(space, channel) => self.row(space, channel, package, value),
                Target::Elsewhere => {}
                Target::Unknown => {
                    let (word, package) = (brief(word), brief(package));
                    self.hole(format!("`{word}` of {package} is no release that we know"));
                }
            },
        }
    }

    fn row(&mut self, space: Space, channel: Option<String>, package: &str, value: &str) {
        let row = Affected {
            names: Names::Source,
            spans: vec![Span::all()],
            channel,
            ..Affected::new(space, package)
        };
        let Some((row, hole)) = said(value, row) else { return };
        if let Some(why) = hole {
            let channel = row.channel.as_deref().unwrap_or("main");
            let (package, channel) = (brief(package), brief(channel));
            self.hole(format!("{package} in {}, channel {channel}: {why}", row.space));
        }
        self.advisory.affected.push(row);
    }

    fn hole(&mut self, why: String) {
        self.parsed.hole(self.at, why);
    }

    fn finish(mut self) -> Parsed {
        for (package, release, rating) in &self.priorities {
            let only = release.as_deref().map(words::target);
            for row in &mut self.advisory.affected {
                let is_there = match &only {
                    None => row.rating.is_none(),
                    Some(Target::Release(space, channel)) => {
                        row.space == *space && row.channel == *channel
                    }
                    Some(_) => false,
                };
                if is_there && row.package == *package {
                    row.rating = Some(rating.clone());
                }
            }
        }
        if words::is_rejected(&self.advisory.details) {
            self.advisory.withdrawn.clone_from(&self.advisory.published);
        }
        if self.advisory.id.is_empty() {
            self.hole("it does not say which flaw it is about".to_owned());
        } else {
            self.parsed.advisories.push(self.advisory);
        }
        self.parsed
    }
}

/// The row, with what is said of the package, and why that makes no sense if it does not: then nobody
/// knows. None if the release does not have the package.
fn said(value: &str, mut row: Affected) -> Option<(Affected, Option<String>)> {
    let (status, detail) = split(value);
    let detail = (!detail.is_empty()).then(|| brief(detail));
    match status {
        "DNE" => return None,
        "not-affected" => {
            row.status = Status::NotAffected;
            row.reason = Some(with(status, detail));
        }
        "released" | "released-esm" => match detail.as_deref().and_then(version) {
            Some("0") => {
                row.status = Status::NotAffected;
                row.reason = Some("released (0): not affected".to_owned());
            }
            Some(version) => row.spans = vec![Span::before(version)],
            None => {
                row.status = Status::UnderInvestigation;
                row.reason = Some(with(status, detail));
                return Some((row, Some(format!("`{}` names no version", brief(value)))));
            }
        },
        "needed" | "needs-work" | "active" | "in-progress" | "pending" => {
            row.outlook = Some(Outlook::Open);
            row.reason = detail.map(|it| with(status, Some(it)));
        }
        "deferred" => {
            row.outlook = Some(Outlook::Deferred);
            row.reason = Some(with(status, detail));
        }
        "ignored" => {
            let remark = detail.as_deref().unwrap_or_default();
            if is_denial(remark) {
                row.status = Status::NotAffected;
            } else {
                let is_over = is_end(remark);
                row.outlook = Some(if is_over { Outlook::EndOfLife } else { Outlook::WillNotFix });
            }
            row.reason = Some(with(status, detail));
        }
        status => {
            row.status = Status::UnderInvestigation;
            row.reason = (!value.is_empty()).then(|| with(status, detail));
            let hole = format!("its status `{}` is none that we know", brief(value));
            return Some((row, (status != "needs-triage").then_some(hole)));
        }
    }
    Some((row, None))
}

/// The version at the beginning of what stands behind `released`.
fn version(detail: &str) -> Option<&str> {
    let word = detail.split([' ', ',', '(']).find(|it| !it.is_empty())?;
    word.starts_with(|it: char| it.is_ascii_digit()).then_some(word)
}

/// `released` and `1.0 [note]` of `released (1.0 [note])`. Some write square brackets, some none.
fn split(value: &str) -> (&str, &str) {
    let end = value.find(|it: char| it.is_whitespace() || matches!(it, '(' | '['));
    let (status, detail) = value.split_at(end.unwrap_or(value.len()));
    let detail = detail.trim();
    let bare = detail.strip_prefix('(').map(|it| it.strip_suffix(')').unwrap_or(it));
    let bare =
        bare.or_else(|| detail.strip_prefix('[').map(|it| it.strip_suffix(']').unwrap_or(it)));
    (status, bare.unwrap_or(detail).trim())
}

/// Does a remark say that the package does not have the flaw?
fn is_denial(remark: &str) -> bool {
    // What was known when the release came to its end is still true. More than a thousand rows have a
    // copy of a library in the source that nobody builds.
    const DENIALS: [&str; 5] = [
        "was not-affected",
        "code-not-compiled",
        "code not compiled",
        "code-not-present",
        "code not present",
    ];
    DENIALS.iter().any(|it| remark.starts_with(it))
}

/// Does a remark say that nobody looks after the release or the package any more?
fn is_end(detail: &str) -> bool {
    const ENDS: [&str; 10] = [
        "abandoned",
        "end of life",
        "end-of-lif",
        "end of standard support",
        "end of support",
        "end-of-support",
        "no longer supported",
        "not supported",
        "out of standard support",
        "out of support",
    ];
    let detail = detail.to_ascii_lowercase();
    ENDS.iter().any(|it| detail.contains(it))
}

fn with(status: &str, detail: Option<String>) -> String {
    match detail {
        Some(detail) => format!("{status}: {detail}"),
        None => status.to_owned(),
    }
}

/// `medium`, perhaps with a reason behind it. `untriaged` is no priority yet.
fn priority(value: &str) -> Option<Rating> {
    let word = value.split([' ', '(']).next().unwrap_or_default();
    let known = ["critical", "high", "medium", "low", "negligible"];
    known.contains(&word).then(|| Rating::word("ubuntu", word))
}

/// `nvd: CVSS:3.1/AV:N/… [9.8 CRITICAL]`.
fn score(text: &str) -> Option<Rating> {
    let (source, rest) = text.split_once(": ")?;
    let vector = rest.split_whitespace().next()?;
    let score = vector.parse::<Cvss>().ok()?.score();
    #[expect(clippy::cast_possible_truncation, reason = "a score has one decimal, from 0 to 10")]
    let score = score as f32;
    let source = if source == "unknown" { "ubuntu-cve-tracker" } else { source };
    Some(Rating {
        source: brief(source),
        level: Level::of_score(score),
        word: None,
        score: Some(score),
        vector: Some(vector.to_owned()),
    })
}
