//! Licences: from what people write to SPDX expressions, where that can be told for certain.

mod names;

use std::collections::HashMap;
use std::sync::LazyLock;

/// More than this is no name of a licence but its text.
const LONGEST: usize = 1000;

/// The SPDX expression for `text`, or `text` itself (trimmed) where none is certain.
///
/// `BSD`, `Apache` and `GPL` without a version stay as they are: they may mean several licences.
pub(crate) fn normalise(text: &str) -> String {
    let text = text.trim();
    recognise(text).unwrap_or_else(|| text.to_owned())
}

/// Each text normalised; empty ones are left out, and so is what came before.
pub(crate) fn normalise_many<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut licenses: Vec<String> = Vec::new();
    for text in texts {
        let license = normalise(text);
        if !license.is_empty() && !licenses.contains(&license) {
            licenses.push(license);
        }
    }
    licenses
}

/// The SPDX expression for `text`, if it is certain.
pub(crate) fn recognise(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    let text = text.rsplit_once(" :: ").map_or(text, |(_, last)| last);
    name(text).or_else(|| expression(text))
}

/// An expression whose every operand is known, written as SPDX writes it.
fn expression(text: &str) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut words: Vec<&str> = Vec::new();
    let mut known = true;
    for token in tokens(text) {
        let sign = match token {
            "(" | ")" => Some(token),
            "|" | "||" | "/" => Some("OR"),
            "&" | "&&" => Some("AND"),
            _ if token.eq_ignore_ascii_case("and") => Some("AND"),
            _ if token.eq_ignore_ascii_case("with") => Some("WITH"),
            // `GPL v2 or later` is one name, not two.
            _ if token.eq_ignore_ascii_case("or") => Some("OR"),
            _ => None,
        };
        match sign {
            Some(sign) => {
                known &= close(&mut words, &mut parts);
                parts.push(sign.to_owned());
            }
            None if parts.last().is_some_and(|it| it == "OR")
                && words.is_empty()
                && (token.eq_ignore_ascii_case("later") || token.eq_ignore_ascii_case("newer")) =>
            {
                parts.pop();
                known &= raise(&mut parts);
            }
            None => words.push(token),
        }
    }
    known &= close(&mut words, &mut parts);
    if !known {
        return None;
    }
    let text = parts.join(" ").replace("( ", "(").replace(" )", ")");
    let mode = spdx::ParseMode { allow_deprecated: true, ..spdx::ParseMode::STRICT };
    spdx::Expression::parse_mode(&text, mode).ok().map(|_| text)
}

/// Words become an operand, if they name a licence or, behind `WITH`, an exception.
fn close(words: &mut Vec<&str>, parts: &mut Vec<String>) -> bool {
    if words.is_empty() {
        return true;
    }
    let text = words.join(" ");
    words.clear();
    let operand = if parts.last().is_some_and(|it| it == "WITH") {
        KNOWN.exceptions.get(text.to_ascii_lowercase().as_str()).map(|it| (*it).to_owned())
    } else {
        name(&text)
    };
    // A name may itself stand for an expression.
    operand.map(|it| parts.push(if it.contains(" OR ") { format!("({it})") } else { it })).is_some()
}

/// `X-only` followed by `or later` is `X-or-later`.
fn raise(parts: &mut [String]) -> bool {
    let Some(last) = parts.last_mut() else { return false };
    let Some(base) = last.strip_suffix("-only") else { return false };
    *last = format!("{base}-or-later");
    true
}

fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().flat_map(|word| {
        let mut rest = word;
        std::iter::from_fn(move || {
            let sign = |it: char| matches!(it, '(' | ')' | '/' | '|' | '&');
            let first = rest.chars().next()?;
            let end = if sign(first) { 1 } else { rest.find(sign).unwrap_or(rest.len()) };
            let (token, tail) = rest.split_at(end);
            rest = tail.trim_start_matches(|it| matches!(first, '|' | '&') && it == first);
            Some(token)
        })
    })
}

/// One licence: an SPDX id in any case, an address, or a spelling we know.
fn name(text: &str) -> Option<String> {
    let text = text.trim().trim_matches(['"', '\'']);
    let (base, plus) = text.strip_suffix('+').map_or((text, ""), |base| (base, "+"));
    let id = KNOWN.licenses.get(base.to_ascii_lowercase().as_str());
    let is_gnu =
        || ["GPL", "LGPL", "AGPL", "GFDL"].contains(&base.split('-').next().unwrap_or(base));
    match id {
        Some(id) if id.ends_with("-only") && plus == "+" => {
            return Some(id.replace("-only", "-or-later"));
        }
        Some(id) if id.ends_with("-or-later") => return Some((*id).to_owned()),
        // `GPL-2.0` is deprecated: it is `-only`, or `-or-later` with a plus.
        Some(id) if !is_gnu() || id.contains("-only") || id.contains("invariants") => {
            return Some(format!("{id}{plus}"));
        }
        _ => {}
    }
    if let Some(reference) = base.strip_prefix("LicenseRef-") {
        let sound = |it: u8| it.is_ascii_alphanumeric() || b"-.".contains(&it);
        return (plus.is_empty() && !reference.is_empty() && reference.bytes().all(sound))
            .then(|| base.to_owned());
    }
    if let Some((_, path)) = text.split_once("://") {
        return address(path);
    }
    spelling(text).or_else(|| {
        // `GNU General Public License v2 or later (GPLv2+)`: both must say the same.
        let (outer, inner) = text.strip_suffix(')')?.rsplit_once('(')?;
        let license = spelling(outer)?;
        spelling(inner).is_none_or(|it| it == license).then_some(license)
    })
}

fn address(path: &str) -> Option<String> {
    let path = path.to_ascii_lowercase();
    let path = path.split(['?', '#']).next()?.trim_end_matches('/');
    let path = path.strip_prefix("www.").unwrap_or(path);
    let path = [".txt", ".html", ".htm", ".php", ".en", ".md"]
        .into_iter()
        .fold(path, |path, end| path.strip_suffix(end).unwrap_or(path));
    if let Some((_, license)) = names::ADDRESSES.iter().find(|(it, _)| *it == path) {
        return Some((*license).to_owned());
    }
    let id = names::DIRECTORIES.iter().find_map(|it| path.strip_prefix(it))?;
    KNOWN.licenses.get(id).filter(|it| !it.starts_with("GPL")).map_or_else(
        || spelling(id),
        |id| gnu(&fold(id).split(' ').collect::<Vec<&str>>()).or(Some((*id).to_owned())),
    )
}

fn spelling(text: &str) -> Option<String> {
    if text.matches('(').count() != text.matches(')').count() {
        return None;
    }
    let folded = fold(text);
    if let Some(license) = KNOWN.spellings.get(folded.as_str()) {
        return Some((*license).to_owned());
    }
    gnu(&folded.split(' ').collect::<Vec<&str>>())
}

/// The GNU family is regular: a name, perhaps its abbreviation, a version, and how far it reaches.
fn gnu(words: &[&str]) -> Option<String> {
    let (family, mut rest) = names::FAMILIES
        .iter()
        .find_map(|(words_of, family)| Some((*family, words.strip_prefix(*words_of)?)))?;
    if let Some((first, tail)) = rest.split_first()
        && first.eq_ignore_ascii_case(family)
    {
        rest = tail;
    }
    let (version, reach) = rest.split_first()?;
    let version =
        if version.contains('.') { (*version).to_owned() } else { format!("{version}.0") };
    let reach = match reach {
        [] | ["only"] => "only",
        ["+" | "plus"]
        | ["or", "later" | "newer" | "greater" | "above"]
        | ["or", "any", "later"]
        | ["and", "later" | "above"] => "or-later",
        _ => return None,
    };
    let id = format!("{family}-{version}-{reach}");
    KNOWN.licenses.get(id.to_ascii_lowercase().as_str()).map(|it| (*it).to_owned())
}

/// `The Apache Software License, Version 2.0` becomes `apache software 2`: lower case, without words
/// that tell nothing, with words and numbers apart.
fn fold(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut last = ' ';
    for letter in text.chars().chain([' ']) {
        let kind = |it: char| match it {
            '0'..='9' | '.' => 'n',
            '+' => '+',
            it if it.is_alphanumeric() => 'a',
            _ => ' ',
        };
        let now = kind(letter);
        if now != last && !word.is_empty() {
            let done = std::mem::take(&mut word);
            let done = match last {
                'n' => done.trim_matches('.').trim_end_matches(".0"),
                // `AGPLv3`: the `v` belongs to the number.
                _ if now == 'n' && letter != '.' && done.len() > 1 => {
                    done.strip_suffix('v').unwrap_or(&done)
                }
                _ => &done,
            };
            if !done.is_empty() && !names::NOISE.contains(&done) {
                words.push(done.to_owned());
            }
        }
        if now != ' ' {
            word.extend(letter.to_lowercase());
        }
        last = now;
    }
    words.join(" ")
}

struct Known {
    licenses: HashMap<String, &'static str>,
    exceptions: HashMap<String, &'static str>,
    spellings: HashMap<&'static str, &'static str>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| Known {
    licenses: spdx::identifiers::LICENSES
        .iter()
        .map(|it| (it.name.to_ascii_lowercase(), it.name))
        .collect(),
    exceptions: spdx::identifiers::EXCEPTIONS
        .iter()
        .map(|it| (it.name.to_ascii_lowercase(), it.name))
        .collect(),
    spellings: names::SPELLINGS.iter().copied().collect(),
});

#[cfg(test)]
mod tests;
