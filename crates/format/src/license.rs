//! Licences in documents: what is an SPDX identifier, what an expression, what mere text.

use std::collections::HashMap;

use spdx::{Expression, ParseMode};

/// What a package's licence text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum License {
    /// One identifier of the SPDX list.
    Id,
    /// An expression over such identifiers.
    Expression,
    /// Anything else.
    Text,
}

/// Old identifiers are still identifiers; everything else must be as SPDX writes it.
const AS_WRITTEN: ParseMode = ParseMode { allow_deprecated: true, ..ParseMode::STRICT };

/// The version of SPDX's list that we go by; readers in use know it.
pub(crate) const LIST: &str = "3.28";

/// What `spdx` takes for identifiers that are not in that list: the words for "nobody says" and
/// "there is none", families of licences, and those that came later.
const UNLISTED: [&str; 21] = [
    "NOASSERTION",
    "NONE",
    "GFDL-1.1-invariants",
    "GFDL-1.1-no-invariants",
    "GFDL-1.2-invariants",
    "GFDL-1.2-no-invariants",
    "GFDL-1.3-invariants",
    "GFDL-1.3-no-invariants",
    "BSD-2-Clause-pos-unchanged",
    "BSD-3-Clause-OpenWebUI",
    "BSD-Source-Code-no-disclaimer",
    "BSD-Source-alt-GPL",
    "BSD-ask-to-endorse",
    "Brian-Gladman-3-Clause-no-conversion",
    "Bugroff",
    "CC-BY-NC-3.0-IGO",
    "FDK-MPEG-H",
    "Hippocratic-3.0-core",
    "Informatica",
    "MVT-1.1",
    "atc-game",
];

impl License {
    pub(crate) fn of(text: &str) -> Self {
        if text.split([' ', '(', ')']).any(|it| UNLISTED.contains(&it)) {
            return Self::Text;
        }
        if spdx::license_id(text).is_some_and(|id| id.name == text) {
            return Self::Id;
        }
        // A `LicenseRef-…` means something only inside the document that explains it.
        let refers = text.contains("Ref-");
        let nested = text.bytes().filter(|it| *it == b'(').count() > 32;
        if !refers && !nested && Expression::parse_mode(text, AS_WRITTEN).is_ok() {
            Self::Expression
        } else {
            Self::Text
        }
    }
}

/// Answers that were found once: most packages of an image share a few licences.
#[derive(Default)]
pub(crate) struct Known<'a>(HashMap<&'a str, License>);

impl<'a> Known<'a> {
    pub(crate) fn license(&mut self, text: &'a str) -> License {
        *self.0.entry(text).or_insert_with(|| License::of(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_expressions_and_texts_are_told_apart() {
        let check = |text: &str, expect| assert_eq!(License::of(text), expect, "{text}");
        check("MIT", License::Id);
        check("GPL-2.0-only", License::Id);
        check("GPL-2.0", License::Id);
        check("MIT OR Apache-2.0", License::Expression);
        check("GPL-2.0-or-later WITH GCC-exception-3.1", License::Expression);
        check("Apache-2.0+", License::Expression);
        check("mit", License::Text);
        check("MIT/Apache-2.0", License::Text);
        check("LicenseRef-Foo", License::Text);
        check("NOASSERTION", License::Text);
        check("MIT AND (NONE)", License::Text);
        check("BSD license, see file", License::Text);
        check("", License::Text);
        check(&"(".repeat(100_000), License::Text);
    }
}
