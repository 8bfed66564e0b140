//! A claimed file as text or JSON: bounded, tolerant, and a gap where it cannot be.

use std::borrow::Cow;
use std::fmt;

use model::{Found, Gap};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::File;

/// More than this is read by no cataloger of documents.
const LIMIT: u64 = 64 << 20;

/// What was found, or the one gap that stands for all of it.
pub(crate) fn found(result: Result<Found, Gap>) -> Found {
    result.unwrap_or_else(|gap| Found { gaps: vec![gap], ..Found::default() })
}

/// The file as text. Bytes that are no UTF-8 are replaced; UTF-16 is told by its byte order mark.
pub(crate) fn text<'a>(file: &File<'a>) -> Result<Cow<'a, str>, Gap> {
    let bytes = file
        .bytes(LIMIT)
        .map_err(|e| Gap::new(file.path(), format!("the file cannot be read: {e}")))?;
    Ok(decode(bytes))
}

/// The file as JSON; mostly as an [`Object`].
pub(crate) fn json<'a, T: Deserialize<'a>>(file: &File<'_>, text: &'a str) -> Result<T, Gap> {
    serde_json::from_str(text).map_err(|e| Gap::new(file.path(), format!("broken JSON: {e}")))
}

fn decode(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        char::decode_utf16(units).map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes.get(..2) {
        Some([0xFF, 0xFE]) => Cow::Owned(wide(&bytes[2..], u16::from_le_bytes)),
        Some([0xFE, 0xFF]) => Cow::Owned(wide(&bytes[2..], u16::from_be_bytes)),
        _ => match bytes {
            Cow::Borrowed(bytes) => {
                String::from_utf8_lossy(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes))
            }
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).map_or_else(
                |e| String::from_utf8_lossy(e.as_bytes()).into_owned(),
                |text| text.strip_prefix('\u{FEFF}').map(str::to_owned).unwrap_or(text),
            )),
        },
    }
}

/// A JSON object of which only the keys were looked at: a member of an unexpected type is no reason
/// to lose its neighbours, and of equal keys the last one counts, as in JavaScript.
#[derive(Debug, Default)]
pub(crate) struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Object<'a> {
    /// The object in `value`, if it is one.
    pub(crate) fn of(value: &'a RawValue) -> Option<Self> {
        serde_json::from_str(value.get()).ok()
    }

    /// All members, in order, those with equal keys too.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(key, value)| (key.as_str(), *value))
    }

    /// The member `key`, unless it is null.
    pub(crate) fn get(&self, key: &str) -> Option<&'a RawValue> {
        let (_, value) = self.0.iter().rev().find(|(it, _)| it == key)?;
        (value.get() != "null").then_some(*value)
    }

    /// The string `key`, trimmed, unless it is empty.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.get(key).and_then(as_text)
    }

    /// The object `key`.
    pub(crate) fn object(&self, key: &str) -> Option<Object<'a>> {
        self.get(key).and_then(Object::of)
    }

    /// The elements of the array `key`; none if it is no array.
    pub(crate) fn array(&self, key: &str) -> Vec<&'a RawValue> {
        self.get(key).map(as_array).unwrap_or_default()
    }

    /// Is the member `key` `true`?
    pub(crate) fn is_true(&self, key: &str) -> bool {
        self.get(key).is_some_and(|it| it.get() == "true")
    }
}

/// The string in `value`, trimmed, unless it is empty.
pub(crate) fn as_text(value: &RawValue) -> Option<String> {
    let text = serde_json::from_str::<String>(value.get()).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The elements of the array in `value`; none if it is no array.
pub(crate) fn as_array(value: &RawValue) -> Vec<&RawValue> {
    serde_json::from_str(value.get()).unwrap_or_default()
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    members.push((key, map.next_value()?));
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Members).map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn every_encoding_is_text() {
        for bytes in [&b"a"[..], b"\xEF\xBB\xBFa", b"\xFF\xFEa\0", b"\xFE\xFF\0a", b"\xFF\xFEa\0b"]
        {
            assert_eq!(decode(bytes.into()), "a");
            assert_eq!(decode(bytes.to_vec().into()), "a");
        }
        assert_eq!(decode(b"\xFF".into()), "\u{FFFD}");
        assert_eq!(decode(b"\xFF\xFE\0\xD8".into()), "\u{FFFD}");
    }
}
