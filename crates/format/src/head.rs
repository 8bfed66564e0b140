//! The top of a document: its outermost keys, by which its format is told.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// A look at the top of a document, once for all formats.
pub struct Glance<'a> {
    bytes: &'a [u8],
    whole: Option<Head<'a>>,
}

impl<'a> Glance<'a> {
    /// At that document.
    pub fn at(bytes: &'a [u8]) -> Self {
        Self { bytes, whole: Head::of(bytes) }
    }

    /// Its top, where it is one JSON object.
    pub(crate) fn whole(&self) -> Option<&Head<'a>> {
        self.whole.as_ref()
    }

    /// All of it.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

/// The outermost keys of a JSON object, each with its text unread.
pub(crate) struct Head<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Head<'a> {
    /// None when `bytes` are no JSON object.
    pub(crate) fn of(bytes: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(without_mark(bytes)).ok().map(Self)
    }

    /// The value of `key`, as it is written.
    pub(crate) fn raw(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).map(|raw| raw.get())
    }

    /// The value of `key`, if it is a text.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        serde_json::from_str(self.raw(key)?).ok()
    }

    /// The head of the object under `key`.
    pub(crate) fn inner(&self, key: &str) -> Option<Head<'a>> {
        Head::of(self.raw(key)?.as_bytes())
    }

    /// Is there such a key?
    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }
}

/// The bytes behind a UTF-8 byte order mark.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}
