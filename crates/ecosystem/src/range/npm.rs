//! npm's ranges, as node-semver reads them when prereleases shall be in them, and Cargo's.

use super::partial::Partial;
use super::{Comparator, Relation, relation};

/// <https://github.com/npm/node-semver#advanced-range-syntax>.
pub(super) fn word(
    operator: &str,
    version: &str,
    to: Option<&str>,
) -> Result<Vec<Comparator>, String> {
    if let Some(to) = to {
        return between(version, to);
    }
    let partial = read(version)?;
    let count = partial.numbers.len();
    // The lowest prerelease there can be.
    let lowest = |version: String| version + "-0";
    let exact = count == 3;
    let from = if exact { version.to_owned() } else { lowest(partial.padded()) };
    let run = |at: usize| -> Result<Vec<Comparator>, String> {
        Ok(vec![
            Comparator::new(Relation::AtLeast, from.clone()),
            Comparator::new(Relation::Less, lowest(partial.behind(at)?)),
        ])
    };
    match operator {
        "<" | ">" if count == 0 => Ok(vec![Comparator::new(Relation::Less, "0.0.0-0")]),
        "!=" => Err("npm has no `!=`".to_owned()),
        _ if count == 0 => Ok(Vec::new()),
        "~" | "~>" => run(1),
        "^" => {
            // The first number that is not 0 stays; of zeros alone, the last one told.
            let first = partial.numbers.iter().position(|it| *it != 0);
            run(first.unwrap_or(count).min(count.saturating_sub(1)))
        }
        "" | "=" | "==" if !exact => run(count.saturating_sub(1)),
        ">" if !exact => {
            let behind = lowest(partial.behind(count.saturating_sub(1))?);
            Ok(vec![Comparator::new(Relation::AtLeast, behind)])
        }
        "<=" if !exact => {
            let behind = lowest(partial.behind(count.saturating_sub(1))?);
            Ok(vec![Comparator::new(Relation::Less, behind)])
        }
        _ => Ok(vec![Comparator::new(relation(operator)?, from)]),
    }
}

/// Cargo's differ in what `1` alone means to a dependency, which no advisory uses: there as here it is
/// that version.
pub(super) fn word_of_cargo(
    operator: &str,
    version: &str,
    to: Option<&str>,
) -> Result<Vec<Comparator>, String> {
    let shorthand = matches!(operator, "^" | "~") || version.ends_with(['*', 'x']);
    if shorthand { word(operator, version, to) } else { super::plain(operator, version, to) }
}

fn between(from: &str, to: &str) -> Result<Vec<Comparator>, String> {
    let (first, last) = (read(from)?, read(to)?);
    let mut comparators = Vec::new();
    if !first.numbers.is_empty() {
        let version = match first.suffix {
            "" => first.padded() + "-0",
            _ => from.to_owned(),
        };
        comparators.push(Comparator::new(Relation::AtLeast, version));
    }
    if !last.numbers.is_empty() {
        comparators.push(if last.suffix.is_empty() {
            let behind = last.behind(last.numbers.len().saturating_sub(1))?;
            Comparator::new(Relation::Less, behind + "-0")
        } else {
            Comparator::new(Relation::AtMost, to)
        });
    }
    Ok(comparators)
}

fn read(text: &str) -> Result<Partial<'_>, String> {
    let partial = Partial::read(text, 3)?;
    if partial.numbers.len() < 3 && !partial.suffix.is_empty() {
        return Err(format!("`{text}` has a prerelease without three numbers before it"));
    }
    Ok(partial)
}
