//! RubyGems' requirements.

use super::{Comparator, Relation, plain};

/// <https://guides.rubygems.org/patterns/#pessimistic-version-constraint>.
pub(super) fn word(
    operator: &str,
    version: &str,
    to: Option<&str>,
) -> Result<Vec<Comparator>, String> {
    if operator != "~>" {
        return plain(operator, version, to);
    }
    // Only the numbers before the first word count, and the last of them may rise if it is not alone.
    let mut numbers: Vec<&str> = version
        .split(['.', '-'])
        .take_while(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()))
        .collect();
    if numbers.len() > 1 {
        numbers.pop();
    }
    let last = numbers.pop().ok_or_else(|| format!("`{version}` does not begin with a number"))?;
    let last: u64 = last.parse().map_err(|_| format!("`{version}` has too big a number"))?;
    let risen = last.checked_add(1).ok_or_else(|| format!("`{version}` has too big a number"))?;
    let mut end = numbers.join(".");
    if !end.is_empty() {
        end.push('.');
    }
    // Prereleases of the end are behind it: no word sorts before this one.
    end.push_str(&risen.to_string());
    end.push_str(".A");
    Ok(vec![Comparator::new(Relation::AtLeast, version), Comparator::new(Relation::Less, end)])
}
