//! JSON within bounds: lists and maps that end, and parts that need not be there.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{DeserializeOwned, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Members of a list that are read.
const MEMBERS: usize = 10_000;

/// A list of a bounded length. More is an error: cut short it might say something else.
pub(crate) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    struct List<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_unit<E>(self) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Vec<T>, A::Error> {
            let mut list = Vec::new();
            while let Some(member) = members.next_element()? {
                if list.len() >= MEMBERS {
                    return Err(A::Error::custom(format!("a list is longer than {MEMBERS}")));
                }
                list.push(member);
            }
            Ok(list)
        }
    }
    deserializer.deserialize_any(List(PhantomData))
}

/// Texts by name, `MOST` of them at most; what is no text is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Texts<const MOST: usize>(pub(crate) BTreeMap<String, String>);

/// Digests of one thing, by algorithm.
pub(crate) type Digests = Texts<16>;

impl<'de, const MOST: usize> Deserialize<'de> for Texts<MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map<const MOST: usize>;
        impl<'de, const MOST: usize> Visitor<'de> for Map<MOST> {
            type Value = Texts<MOST>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Texts::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut texts = BTreeMap::new();
                while let Some((name, raw)) = members.next_entry::<String, &RawValue>()? {
                    if texts.len() >= MOST {
                        return Err(A::Error::custom(format!("an object has over {MOST} keys")));
                    }
                    if let Ok(text) = serde_json::from_str(raw.get()) {
                        texts.insert(name, text);
                    }
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_any(Map::<MOST>)
    }
}

/// What is not of the expected shape counts as not there: builders write what they like, and the rest
/// still makes sense.
pub(crate) fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).unwrap_or_default())
}

/// Base64 of either alphabet, padded or not.
pub(crate) fn decoded(text: &str) -> Option<Vec<u8>> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let text = text.trim();
    let alphabet =
        if text.contains(['-', '_']) { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    GeneralPurpose::new(alphabet, config).decode(text).ok()
}

/// Base64 as everybody writes it.
pub(crate) fn encoded(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The beginning of a text, for messages.
pub(crate) fn shown(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).take(200).collect()
}

/// JSON that is an object: what stands for one in a list is another thing.
pub(crate) fn object<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, serde_json::Error> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(serde_json::Error::custom("it is not a JSON object"));
    }
    serde_json::from_slice(bytes)
}
