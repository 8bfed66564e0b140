//! Names that people give: trimmed, in one normal form, of a sane length.

use unicode_normalization::UnicodeNormalization as _;

use crate::contract::Error;

/// Characters in the longest name.
pub const LONGEST_NAME: usize = 200;
/// Bytes in the longest path of a repository, with its registry.
const LONGEST_REPOSITORY: usize = 512;
/// Bytes in what is told about a change: who, from where.
const LONGEST_TOLD: usize = 512;

/// The one spelling of a name, or why it is none. Capitals matter.
pub(crate) fn cleaned(what: &'static str, name: &str) -> Result<String, Error> {
    let refused = |why: String| Error::Refused {
        what: format!("{what} `{}`", name.chars().take(60).collect::<String>().escape_debug()),
        why,
        hint: None,
    };
    // As it is sent: blanks around it count, so that the limit is what is described.
    if name.chars().nth(LONGEST_NAME).is_some() {
        return Err(refused(format!("it is longer than {LONGEST_NAME} characters")));
    }
    let name: String = name.trim().nfc().collect();
    if name.is_empty() {
        return Err(refused("a name needs a letter".to_owned()));
    }
    if name.chars().count() > LONGEST_NAME {
        return Err(refused(format!("it is longer than {LONGEST_NAME} characters")));
    }
    if matches!(&*name, "." | "..") {
        return Err(refused("it leads elsewhere in an address".to_owned()));
    }
    if name.chars().any(is_unseen) {
        return Err(refused("it has a character that nobody sees".to_owned()));
    }
    Ok(name)
}

/// The spelling that a name has if it is one: for looking it up.
pub fn normal(name: &str) -> String {
    name.trim().chars().take(LONGEST_NAME * 16).nfc().collect()
}

/// A repository, as it is written, its registry first.
pub(crate) fn repository(name: &str) -> Result<String, Error> {
    let sane = !name.is_empty() && name.len() <= LONGEST_REPOSITORY;
    if sane && !name.chars().any(|it| it.is_whitespace() || is_unseen(it)) {
        return Ok(name.to_owned());
    }
    Err(Error::Refused {
        what: format!("repository `{}`", name.chars().take(60).collect::<String>().escape_debug()),
        why: "it is not a repository's name".to_owned(),
        hint: Some("write it with its registry: docker.io/acme/web".to_owned()),
    })
}

/// Who or from where, cut where it is too long: a change is not refused because of it.
pub(crate) fn told(text: &str) -> String {
    let text: String = text.trim().chars().filter(|it| !is_unseen(*it)).collect();
    text.chars()
        .scan(0, |length, it| {
            *length += it.len_utf8();
            (*length <= LONGEST_TOLD).then_some(it)
        })
        .collect()
}

/// Control characters, and those that turn or hide the text around them.
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
            && letter != '\u{200d}'
            && letter != '\u{200c}'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expect: &str) {
        let shown = cleaned("environment", name).unwrap_or_else(|error| error.to_string());
        assert_eq!(shown, expect);
    }

    #[test]
    fn one_spelling() {
        check("production", "production");
        check("  Produktion \n", "Produktion");
        check("Zu\u{308}rich", "Z\u{fc}rich");
        check("生产 🚀", "生产 🚀");
        check("👩\u{200d}🔧", "👩\u{200d}🔧");
        check("a / b", "a / b");
    }

    #[test]
    fn refusals() {
        check("", "environment ``: a name needs a letter");
        check(" \t", "environment ` \\t`: a name needs a letter");
        check(".", "environment `.`: it leads elsewhere in an address");
        check("a\0b", "environment `a\\0b`: it has a character that nobody sees");
        check("a\u{202e}b", "environment `a\\u{202e}b`: it has a character that nobody sees");
        let long = "x".repeat(LONGEST_NAME + 1);
        assert!(cleaned("environment", &long).is_err());
        assert!(cleaned("environment", &"x".repeat(LONGEST_NAME)).is_ok());
        assert!(cleaned("environment", &format!(" {}", "x".repeat(LONGEST_NAME))).is_err());
        assert!(cleaned("environment", &"\u{fb2c}".repeat(100_000)).is_err());
    }

    #[test]
    fn repositories() {
        assert!(repository("docker.io/acme/web").is_ok());
        for name in ["", "a b", "a\nb", &"x".repeat(600)] {
            assert!(repository(name).is_err(), "{name}");
        }
    }

    #[test]
    fn what_is_told_is_cut() {
        assert_eq!(told(" ann\n "), "ann");
        assert_eq!(told(&"é".repeat(1000)).len(), LONGEST_TOLD);
    }
}
