//! Texts that mean ranges of versions, and whether a version is in one.

mod composer;
mod gem;
mod npm;
mod partial;
mod vers;

use std::cmp::Ordering;

use model::{Bound, Space, Span};

use crate::order::{self, BadVersion, Order};

/// Reads a range as those write it who have that order, family of spaces or purl type: `npm`, `gem`,
/// `dpkg`, `debian`, `deb`.
///
/// - a VERS, whatever it is of: `vers:npm/>=1.0.0|<2.0.0|!=1.5.0`
/// - comparisons, all of which must hold, or one group of them: `>= 1.0, < 2.0`, `< 1.2.3 || = 2`
/// - npm's and Cargo's `^1.2`, `~1.2`, `1.x`, `1.0 - 2.0`, with prereleases as `npm audit` has them:
///   those of a version that is in the range are in it
/// - RubyGems' `~> 1.2`
/// - Composer's `^1.2`, `~1.2`, `1.2.*`, `1.0 - 2.0`
///
/// No spans: nothing is in it.
pub fn parse(order_or_type: &str, text: &str) -> Result<Vec<Span>, BadRange> {
    let bad = |why: String| BadRange { text: text.chars().take(200).collect(), why };
    if let Some(rest) = text.trim().strip_prefix("vers:") {
        return vers::parse(rest).map_err(bad);
    }
    let order = order_of(order_or_type).map_err(bad)?;
    let (or, word): (&[&str], Word) = match order.id() {
        "npm" => (&["||"], npm::word),
        "semver" => (&["||"], npm::word_of_cargo),
        "rubygems" => (&["||"], gem::word),
        "composer" => (&["||", "|"], composer::word),
        _ => (&["||"], plain),
    };
    let mut groups = vec![text];
    for mark in or {
        groups = groups.into_iter().flat_map(|it| it.split(mark)).collect();
    }
    let mut spans = Vec::new();
    for group in groups {
        spans.extend(parse_group(order, word, group).map_err(bad)?);
    }
    Ok(spans)
}

/// Is that version in one of the spans?
pub fn contains(order: &dyn Order, spans: &[Span], version: &str) -> Result<bool, BadVersion> {
    // So that one that cannot be read is told even if nothing has to be compared.
    order.compare(version, version)?;
    for span in spans {
        let begun = match &span.from {
            None => true,
            Some(from) => match order.compare(version, &from.version)? {
                Ordering::Less => false,
                Ordering::Equal => from.included,
                Ordering::Greater => true,
            },
        };
        let ended = match &span.to {
            None => false,
            Some(to) => match order.compare(version, &to.version)? {
                Ordering::Less => false,
                Ordering::Equal => !to.included,
                Ordering::Greater => true,
            },
        };
        if begun && !ended {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A text that means no range. It is a gap, never "nothing".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no range of versions: {why}")]
pub struct BadRange {
    /// The text, cut at two hundred characters.
    pub text: String,
    /// Why not.
    pub why: String,
}

/// How a version stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Less,
    AtMost,
    Is,
    IsNot,
    AtLeast,
    Greater,
}

/// `>= 1.0`: versions must stand so to this one.
#[derive(Debug)]
struct Comparator {
    relation: Relation,
    version: String,
}

impl Comparator {
    fn new(relation: Relation, version: impl Into<String>) -> Self {
        Self { relation, version: version.into() }
    }
}

/// Reads an operator and what stands behind it into comparisons that must all hold; `to` is the other
/// end of `1.0 - 2.0`, whose operator is empty.
type Word = fn(operator: &str, version: &str, to: Option<&str>) -> Result<Vec<Comparator>, String>;

/// The order of that id, of that family of spaces, or of packages of that type.
pub fn order_of(order_or_type: &str) -> Result<&'static dyn Order, String> {
    let id = match order_or_type {
        "deb" => "dpkg",
        "alpm" => "pacman",
        other => other,
    };
    order::find(id)
        .or_else(|| order::of(&Space::from(id)))
        .ok_or_else(|| format!("nobody taught us the order of versions of `{order_or_type}`"))
}

fn plain(operator: &str, version: &str, to: Option<&str>) -> Result<Vec<Comparator>, String> {
    if to.is_some() {
        return Err("it has a hyphen between two versions".to_owned());
    }
    if version == "*" && operator.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Comparator::new(relation(operator)?, version)])
}

fn relation(operator: &str) -> Result<Relation, String> {
    Ok(match operator {
        "<" => Relation::Less,
        "<=" => Relation::AtMost,
        "" | "=" | "==" | "===" => Relation::Is,
        "!=" | "<>" => Relation::IsNot,
        ">=" => Relation::AtLeast,
        ">" => Relation::Greater,
        _ => return Err(format!("there is no `{operator}` in such ranges")),
    })
}

/// Reads comparisons that must all hold.
fn parse_group(order: &dyn Order, word: Word, group: &str) -> Result<Vec<Span>, String> {
    let between = |it: char| it.is_whitespace() || it == ',';
    let mut rest = group.trim();
    if rest.is_empty() && order.id() != "npm" {
        return Err("there is nothing to compare with".to_owned());
    }
    let mut comparators = Vec::new();
    while !rest.is_empty() {
        let (operator, after) = split_where(rest, |it| !"<>=!~^".contains(it));
        let (version, after) = split_where(after.trim_start(), between);
        if version.is_empty() {
            return Err(format!("no version stands behind `{operator}`"));
        }
        rest = after.trim_start_matches(between);
        let to = rest.strip_prefix("- ").filter(|_| operator.is_empty());
        let to = to.map(|it| split_where(it.trim_start(), between));
        if let Some((_, after)) = to {
            rest = after.trim_start_matches(between);
        }
        comparators.extend(word(operator, version, to.map(|(to, _)| to))?);
    }
    all_of(order, comparators)
}

/// Splits before the first character that is as asked.
fn split_where(text: &str, end: impl Fn(char) -> bool) -> (&str, &str) {
    text.find(end).and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""))
}

/// The versions for which all of those hold.
fn all_of(order: &dyn Order, comparators: Vec<Comparator>) -> Result<Vec<Span>, String> {
    let compare = |left: &str, right: &str| order.compare(left, right).map_err(|it| it.to_string());
    let mut span = Span::all();
    let mut holes = Vec::new();
    for Comparator { relation, version } in comparators {
        compare(&version, &version)?;
        let included = matches!(relation, Relation::AtLeast | Relation::AtMost | Relation::Is);
        let bound = Bound { version, included };
        let (mut from, mut to) = (None, None);
        match relation {
            Relation::Greater | Relation::AtLeast => from = Some(bound),
            Relation::Less | Relation::AtMost => to = Some(bound),
            Relation::Is => (from, to) = (Some(bound.clone()), Some(bound)),
            Relation::IsNot => holes.push(bound.version),
        }
        // The narrower bound counts.
        if let Some(from) = from {
            let narrows = match &span.from {
                None => true,
                Some(now) => match compare(&from.version, &now.version)? {
                    Ordering::Greater => true,
                    Ordering::Equal => !from.included,
                    Ordering::Less => false,
                },
            };
            if narrows {
                span.from = Some(from);
            }
        }
        if let Some(to) = to {
            let narrows = match &span.to {
                None => true,
                Some(now) => match compare(&to.version, &now.version)? {
                    Ordering::Less => true,
                    Ordering::Equal => !to.included,
                    Ordering::Greater => false,
                },
            };
            if narrows {
                span.to = Some(to);
            }
        }
    }
    let mut spans = Vec::new();
    if !is_empty(order, &span)? {
        spans.push(span);
    }
    for hole in holes {
        spans = without(order, spans, &hole)?;
    }
    Ok(spans)
}

/// No version can be in it.
fn is_empty(order: &dyn Order, span: &Span) -> Result<bool, String> {
    let (Some(from), Some(to)) = (&span.from, &span.to) else { return Ok(false) };
    let order = order.compare(&from.version, &to.version).map_err(|it| it.to_string())?;
    Ok(match order {
        Ordering::Less => false,
        Ordering::Equal => !(from.included && to.included),
        Ordering::Greater => true,
    })
}

/// The spans, without that one version.
fn without(order: &dyn Order, spans: Vec<Span>, hole: &str) -> Result<Vec<Span>, String> {
    let mut parts = Vec::new();
    for span in spans {
        if contains(order, std::slice::from_ref(&span), hole).map_err(|it| it.to_string())? {
            let bound = Some(Bound { version: hole.to_owned(), included: false });
            for part in [Span { to: bound.clone(), ..span.clone() }, Span { from: bound, ..span }] {
                if !is_empty(order, &part)? {
                    parts.push(part);
                }
            }
        } else {
            parts.push(span);
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests;
