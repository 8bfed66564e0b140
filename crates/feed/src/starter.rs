//! starter: the best-known advisories, written by us and built in, for the first command on a machine
//! without network.
//!
//! One flaw is a line with its names, and indented lines about it:
//!
//! ```text
//! CVE-2021-44228 GHSA-jfh8-c2jp-5v3q
//!   title Log4Shell: a logged text makes Log4j 2 load and run code from afar
//!   rated CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H
//!   published 2021-12-10
//!   exploited 2021-12-10 due 2021-12-24 ransomware
//!   cwe 502 400
//!   link https://logging.apache.org/security.html
//!   in maven org.apache.logging.log4j/log4j-core >=2.0-beta9 <2.3.1; >=2.4 <2.12.2; >=2.13.0 <2.15.0
//!   in debian:11 apache-log4j2 <2.15.0-1~deb11u1
//! ```

use model::{Advisory, Affected, Bound, Exploited, Names, Space, Span, filed_name};

use crate::contract::{Document, Feed, Parsed, Part};
use crate::rating;

pub(crate) struct Starter;

/// What is built in: a name, and the text.
pub const STARTER: &[(&str, &str)] = &[
    ("languages", include_str!("../starter/languages.txt")),
    ("systems", include_str!("../starter/systems.txt")),
];

/// How such a document begins.
const MARK: &str = "# Foretop starter sheet";

impl Feed for Starter {
    fn id(&self) -> &'static str {
        "starter"
    }

    fn title(&self) -> &'static str {
        "Starter sheet"
    }

    fn about(&self) -> &'static str {
        "https://www.cve.org; well-known flaws, told by us and built in, under the licence of the program"
    }

    fn version(&self) -> u16 {
        4
    }

    fn stale_after_days(&self) -> u32 {
        u32::MAX
    }

    /// Nothing is fetched.
    fn parts(&self) -> Vec<Part> {
        Vec::new()
    }

    fn recognises(&self, _: &str, head: &[u8]) -> Option<String> {
        head.starts_with(MARK.as_bytes()).then(|| "all".to_owned())
    }

    fn parse(&self, _: &str, document: &Document<'_>) -> Parsed {
        let Ok(text) = std::str::from_utf8(document.bytes) else {
            return Parsed::gap(document.path, "it is not UTF-8");
        };
        let mut parsed = Parsed::default();
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let told = match line.strip_prefix("  ") {
                None => {
                    parsed.advisories.extend(begun(line));
                    Ok(())
                }
                Some(about) => match parsed.advisories.last_mut() {
                    Some(advisory) => match about.trim().strip_prefix("exploited ") {
                        Some(dates) => {
                            exploited(advisory, dates).map(|it| parsed.exploited.push(it))
                        }
                        None => add(advisory, about),
                    },
                    None => Err("it stands before the first flaw"),
                },
            };
            if let Err(why) = told {
                parsed.hole(format!("{}, line {}", document.path, number + 1), why);
            }
        }
        parsed
    }
}

fn begun(line: &str) -> Option<Advisory> {
    let mut names = line.split_ascii_whitespace().map(str::to_owned);
    let id = names.next()?;
    Some(Advisory { id, aliases: names.collect(), ..Advisory::default() })
}

fn add(advisory: &mut Advisory, about: &str) -> Result<(), &'static str> {
    let (word, rest) = about.trim().split_once(' ').ok_or("it says nothing")?;
    match word {
        "title" => rest.clone_into(&mut advisory.title),
        "rated" => {
            advisory
                .ratings
                .push(rating::of_vector("starter", rest).ok_or("it is no CVSS vector")?);
        }
        "published" => advisory.published = Some(format!("{rest}T00:00:00Z")),
        "cwe" => {
            let numbers = rest.split_ascii_whitespace().map(str::parse);
            advisory.weaknesses =
                numbers.collect::<Result<_, _>>().map_err(|_| "it is no CWE number")?;
        }
        "link" => advisory.references.push(rest.to_owned()),
        "in" => advisory.affected.push(affected(rest)?),
        _ => return Err("nobody knows that word"),
    }
    Ok(())
}

/// `2021-12-10 due 2021-12-24 ransomware`, as CISA lists it.
fn exploited(advisory: &Advisory, text: &str) -> Result<Exploited, &'static str> {
    const NO_DATE: &str = "it is no date";
    let date = |text: &str| {
        let is_date = text.parse::<jiff::civil::Date>().is_ok();
        is_date.then(|| text.to_owned()).ok_or(NO_DATE)
    };
    let mut words = text.split_ascii_whitespace().peekable();
    let added = date(words.next().ok_or(NO_DATE)?)?;
    let due = match words.next_if_eq(&"due") {
        Some(_) => Some(date(words.next().ok_or(NO_DATE)?)?),
        None => None,
    };
    let ransomware = words.next_if_eq(&"ransomware").is_some();
    if words.next().is_some() {
        return Err("nobody knows that word");
    }
    let action = "Update it as its publisher says, or take it out of use.".to_owned();
    let (id, title) = (advisory.id.clone(), advisory.title.clone());
    Ok(Exploited { id, added, due, ransomware, title, action })
}

/// `maven org/name >=2.0 <2.3.1; >=2.4 <2.12.2`
fn affected(text: &str) -> Result<Affected, &'static str> {
    let (space, rest) = text.split_once(' ').ok_or("it names no package")?;
    let (package, ranges) = rest.split_once(' ').ok_or("it names no versions")?;
    let mut affected = Affected::new(Space::from(space), filed_name(space, package));
    // These publish about sources. The others have no sources, or do not tell them apart.
    if matches!(affected.space.family(), "debian" | "ubuntu" | "alpine" | "wolfi") {
        affected.names = Names::Source;
    }
    affected.spans = ranges.split(';').map(span).collect::<Result<_, _>>()?;
    Ok(affected)
}

fn span(text: &str) -> Result<Span, &'static str> {
    let mut span = Span::all();
    for word in text.split_ascii_whitespace() {
        let bound = |version: &str, included| Some(Bound { version: version.to_owned(), included });
        if let Some(version) = word.strip_prefix(">=") {
            span.from = bound(version, true);
        } else if let Some(version) = word.strip_prefix("<=") {
            span.to = bound(version, true);
        } else if let Some(version) = word.strip_prefix('>') {
            span.from = bound(version, false);
        } else if let Some(version) = word.strip_prefix('<') {
            span.to = bound(version, false);
        } else if let Some(version) = word.strip_prefix('=') {
            span.from = bound(version, true);
            span.to = bound(version, true);
        } else if word != "*" {
            return Err("its versions are no range");
        }
    }
    Ok(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Parsed {
        Starter.parse("all", &Document { path: "s.txt", bytes: text.as_bytes() })
    }

    #[test]
    fn what_is_built_in_can_be_read_and_is_well_known() {
        let mut ids = std::collections::BTreeSet::new();
        let mut families = std::collections::BTreeSet::new();
        for (name, text) in STARTER {
            assert!(Starter.recognises(name, text.as_bytes()).is_some(), "{name}");
            let parsed = parse(text);
            assert_eq!(parsed.gaps, [], "{name}");
            assert!(parsed.exploited.len() >= 5, "{name} tells which are used in attacks");
            for it in parsed.advisories {
                let id = it.id.clone();
                assert!(ids.insert(id.clone()), "{id} is there twice");
                assert!(!it.title.is_empty() && it.title.len() < 200, "{id} needs a title");
                assert!(
                    it.published.is_some() && !it.ratings.is_empty(),
                    "{id} needs a date and a rating"
                );
                assert!(!it.affected.is_empty(), "{id} is about nothing");
                for affected in it.affected {
                    families.insert(affected.space.family().to_owned());
                    let order =
                        ecosystem::order::of(&affected.space).expect("an order of versions");
                    for bound in affected.spans.iter().flat_map(|it| it.from.iter().chain(&it.to)) {
                        let read = order.compare(&bound.version, &bound.version);
                        assert!(read.is_ok(), "{id}: {read:?}");
                    }
                }
            }
        }
        assert!((200..=300).contains(&ids.len()), "{} flaws", ids.len());
        assert!(families.len() >= 8, "{families:?}");
    }

    #[test]
    fn a_line_that_makes_no_sense_is_a_gap() {
        let parsed = parse(
            "  title x\nCVE-1\n  rated 9\n  in npm x\n  in npm x 1.0\n  cwe x\n  what now\n  cwe\n  \
             exploited soon\n  exploited 2020-01-01 due\n  exploited 2020-01-01 today\n",
        );
        let gaps: Vec<String> = parsed.gaps.iter().map(ToString::to_string).collect();
        assert_eq!(
            gaps,
            [
                "s.txt, line 1: it stands before the first flaw",
                "s.txt, line 3: it is no CVSS vector",
                "s.txt, line 4: it names no versions",
                "s.txt, line 5: its versions are no range",
                "s.txt, line 6: it is no CWE number",
                "s.txt, line 7: nobody knows that word",
                "s.txt, line 8: it says nothing",
                "s.txt, line 9: it is no date",
                "s.txt, line 10: it is no date",
                "s.txt, line 11: nobody knows that word",
            ]
        );
        assert_eq!(parsed.advisories.len(), 1);
    }
}
