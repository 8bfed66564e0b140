//! Reading a document that may say anything: what has the wrong type is a gap, not the end.

use model::{Digest, Gap, Purl};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::contract::Unreadable;
use crate::head::without_mark;

/// So many holes are told one by one; a document with more is hardly one at all.
const MOST_GAPS: usize = 1000;

/// Takes values out of a document, and remembers what it could not take.
#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) gaps: Vec<Gap>,
    /// Holes remembered of those that were come upon in reading.
    told: usize,
}

/// The whole document as a value.
pub(crate) fn parse(bytes: &[u8], title: &str) -> Result<Value, Unreadable> {
    serde_json::from_slice(without_mark(bytes))
        .map_err(|e| Unreadable(format!("reading the {title} document failed: {e}")))
}

impl Reader {
    /// Remembers a hole.
    pub(crate) fn gap(&mut self, at: &str, why: impl Into<String>) {
        let gap = Gap::new(at, why);
        // A list of a million empty objects has one hole, which it has a million times.
        if self.told > MOST_GAPS || self.gaps.last() == Some(&gap) {
            return;
        }
        self.told += 1;
        let more = || Gap::new("the document", "there is more in it that cannot be read");
        self.gaps.push(if self.told > MOST_GAPS { more() } else { gap });
    }

    /// Remembers the holes that another one of us came upon.
    pub(crate) fn extend(&mut self, other: Self) {
        for gap in other.gaps {
            self.gap(&gap.at, gap.why);
        }
    }

    /// A text that is there and not empty.
    pub(crate) fn text<'v>(&mut self, object: &'v Value, key: &str, at: &str) -> Option<&'v str> {
        match object.get(key)? {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text),
            Value::Null => None,
            _ => {
                self.gap(at, format!("`{key}` is not a text"));
                None
            }
        }
    }

    /// The same, as a value of our own.
    pub(crate) fn owned(&mut self, object: &Value, key: &str, at: &str) -> Option<String> {
        self.text(object, key, at).map(str::to_owned)
    }

    /// A number that is there and not negative.
    pub(crate) fn number(&mut self, object: &Value, key: &str, at: &str) -> Option<u64> {
        match object.get(key)? {
            Value::Null => None,
            value => {
                let number = value.as_u64();
                if number.is_none() {
                    self.gap(at, format!("`{key}` is not a whole number"));
                }
                number
            }
        }
    }

    /// The elements of a list; none when there is no such list.
    pub(crate) fn list<'v>(&mut self, object: &'v Value, key: &str, at: &str) -> &'v [Value] {
        match object.get(key) {
            Some(Value::Array(list)) => list,
            None | Some(Value::Null) => &[],
            Some(_) => {
                self.gap(at, format!("`{key}` is not a list"));
                &[]
            }
        }
    }

    /// The texts of a list; whatever else is in it is a gap.
    pub(crate) fn texts(&mut self, object: &Value, key: &str, at: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for value in self.list(object, key, at) {
            match value {
                Value::String(text) => texts.push(text.clone()),
                _ => self.gap(at, format!("`{key}` holds what is not a text")),
            }
        }
        texts
    }

    /// A digest.
    pub(crate) fn digest(&mut self, object: &Value, key: &str, at: &str) -> Option<Digest> {
        let text = self.text(object, key, at)?;
        match text.parse() {
            Ok(digest) => Some(digest),
            Err(e) => {
                self.gap(at, format!("`{key}`: {e}"));
                None
            }
        }
    }

    /// A package URL.
    pub(crate) fn purl(&mut self, text: &str, at: &str) -> Option<Purl> {
        text.parse().map_err(|e: model::BadPurl| self.gap(at, e.to_string())).ok()
    }

    /// A value that one of our own documents holds in the shape we write it.
    pub(crate) fn shaped<T: DeserializeOwned>(&mut self, value: &Value, at: &str) -> Option<T> {
        T::deserialize(value).map_err(|e| self.gap(at, e.to_string())).ok()
    }

    /// The same, written as JSON inside a text.
    pub(crate) fn nested<T: DeserializeOwned>(&mut self, text: &str, at: &str) -> Option<T> {
        serde_json::from_str(text).map_err(|e| self.gap(at, e.to_string())).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_have_an_end() {
        let mut reader = Reader::default();
        for _ in 0..2 {
            reader.gap("a", "x");
        }
        assert_eq!(reader.gaps, [Gap::new("a", "x")]);
        for number in 0..2000 {
            reader.gap("b", number.to_string());
        }
        assert_eq!(reader.gaps.len(), 1001);
        assert_eq!(
            reader.gaps.last().map(ToString::to_string).as_deref(),
            Some("the document: there is more in it that cannot be read")
        );
    }
}
