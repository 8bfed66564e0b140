//! JSON as publishers write it: borrowed, forgiving, and known by its first bytes.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A text that is borrowed from the document where it has no escapes. `null` and other things than
/// texts are empty: one odd field does not lose a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl Text<'_> {
    /// Nothing, where it is empty.
    pub(crate) fn some(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.as_ref().to_owned())
    }
}

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Text<'de>, E> {
        Ok(Text::default())
    }

    fn visit_bool<E: de::Error>(self, it: bool) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(it.to_string())))
    }

    fn visit_u64<E: de::Error>(self, it: u64) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(it.to_string())))
    }

    fn visit_i64<E: de::Error>(self, it: i64) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(it.to_string())))
    }

    fn visit_f64<E: de::Error>(self, it: f64) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(it.to_string())))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Text<'de>, A::Error> {
        while items.next_element::<de::IgnoredAny>()?.is_some() {}
        Ok(Text::default())
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<Text<'de>, A::Error> {
        while entries.next_entry::<de::IgnoredAny, de::IgnoredAny>()?.is_some() {}
        Ok(Text::default())
    }
}

/// `null` means the same as nothing.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// The names of the top-level fields of a document, as far as its first bytes go. None, if it is no
/// object.
pub(crate) fn fields(head: &[u8]) -> Vec<&str> {
    let mut names = Vec::new();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = head.get(at) {
        match byte {
            b'{' | b'[' if depth == 0 && (*byte == b'[' || !names.is_empty()) => return names,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let Some(length) = string_length(head.get(at + 1..).unwrap_or_default()) else {
                    return names;
                };
                let text = head.get(at + 1..at + 1 + length).unwrap_or_default();
                at += length + 1;
                let rest = head.get(at + 1..).unwrap_or_default();
                let is_name = rest.iter().find(|it| !it.is_ascii_whitespace()) == Some(&b':');
                if depth == 1
                    && is_name
                    && let Ok(text) = std::str::from_utf8(text)
                {
                    names.push(text);
                }
            }
            byte if depth == 0
                && !byte.is_ascii_whitespace()
                && !matches!(byte, 0xef | 0xbb | 0xbf) =>
            {
                return names;
            }
            _ => {}
        }
        at += 1;
    }
    names
}

/// Bytes until the quote that ends a text.
fn string_length(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', bytes.get(from..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at);
        }
        from = at + 2;
    }
}

/// The document without the mark that some editors put at its start.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_from_the_first_bytes() {
        let check = |head: &str, expect: &str| {
            assert_eq!(fields(head.as_bytes()).join(" "), expect, "{head}");
        };
        check(r#"{"id": "x", "affected": [{"package": {}}], "modified": "#, "id affected modified");
        check("\u{feff}{\n \"a\\\"b\" : 1, \"c", r#"a\"b"#);
        check(r#"{"a": ["b", "c: d"], "e": {"f": 1}}"#, "a e");
        check(r#"{"a": "id", "b": "x:"}"#, "a b");
        check(r#"[{"a": 1}]"#, "");
        check("<xml a=\"b\": >", "");
        check("", "");
        check("\"", "");
        check("\"\\", "");
        check("{\"a\": 1} {\"b\": 1}", "a");
    }

    #[test]
    fn odd_things_are_no_texts() {
        let texts: Vec<Text<'_>> =
            serde_json::from_str(r#"["a", "b\n", null, 1, -1, 2.5, true, ["x"], {"y": [1]}]"#)
                .unwrap();
        let shown: Vec<&str> = texts.iter().map(|it| &**it).collect();
        assert_eq!(shown, ["a", "b\n", "", "1", "-1", "2.5", "true", "", ""]);
        assert!(matches!(texts[0].0, Cow::Borrowed(_)));
    }
}
