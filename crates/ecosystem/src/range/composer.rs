//! Composer's constraints.

use super::partial::Partial;
use super::{Comparator, Relation, plain};

/// <https://getcomposer.org/doc/articles/versions.md#writing-version-constraints>.
///
/// Composer takes `>= 1.2.3` for `>= 1.2.3-dev`, and so do we. It takes `< 1.2.3` for `< 1.2.3-dev` too,
/// so that no prerelease of a fix is before it: there an advisory means the fix itself, and so do we.
pub(super) fn word(
    operator: &str,
    version: &str,
    to: Option<&str>,
) -> Result<Vec<Comparator>, String> {
    if let Some(to) = to {
        let last = Partial::read(to, 4)?;
        let count = last.numbers.len();
        let end = if count < 3 && last.suffix.is_empty() && count > 0 {
            Comparator::new(Relation::Less, last.behind(count.saturating_sub(1))? + "-dev")
        } else {
            Comparator::new(Relation::AtMost, to)
        };
        return Ok(vec![Comparator::new(Relation::AtLeast, lowest(version)?), end]);
    }
    let open = version.ends_with(['*', 'x', 'X']);
    if !matches!(operator, "^" | "~") && !open {
        let from = if operator == ">=" { lowest(version).ok() } else { None };
        return plain(operator, from.as_deref().unwrap_or(version), None);
    }
    let partial = Partial::read(version, 4)?;
    let Some(last) = partial.numbers.len().checked_sub(1) else { return Ok(Vec::new()) };
    let at = match operator {
        "^" => partial.numbers.iter().position(|it| *it != 0).unwrap_or(last).min(2),
        // All but the last number told stay, and the first does anyway.
        "~" => last.saturating_sub(usize::from(!partial.open)),
        "" | "=" | "==" => last,
        _ => return Err(format!("`{operator}` does not go with `{version}`")),
    };
    Ok(vec![
        Comparator::new(Relation::AtLeast, lowest(version)?),
        Comparator::new(Relation::Less, partial.behind(at)? + "-dev"),
    ])
}

/// The lowest version that is as good as that one.
fn lowest(version: &str) -> Result<String, String> {
    let partial = Partial::read(version, 4)?;
    Ok(if partial.suffix.is_empty() { partial.padded() + "-dev" } else { version.to_owned() })
}
