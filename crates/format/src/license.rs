//! Licences in documents: what is an SPDX identifier, what an expression, what mere text.

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

impl License {
    pub(crate) fn of(text: &str) -> Self {
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
        check("BSD license, see file", License::Text);
        check("", License::Text);
        check(&"(".repeat(100_000), License::Text);
    }
}
