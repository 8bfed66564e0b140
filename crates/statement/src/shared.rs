//! What the kinds of documents have in common: the first look at one, and words for a status.

use std::fmt;
use std::marker::PhantomData;

use model::StatementStatus;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, IntoDeserializer as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The few members by which documents are told apart.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(default, borrow, rename = "@context")]
    context: Option<&'a RawValue>,
    #[serde(default, borrow, rename = "bomFormat")]
    bom_format: Option<&'a RawValue>,
    #[serde(default, borrow, rename = "_type")]
    kind: Option<&'a RawValue>,
    #[serde(default, borrow)]
    document: Option<MembersOfDocument<'a>>,
}

#[derive(Deserialize)]
struct MembersOfDocument<'a> {
    #[serde(default, borrow)]
    category: Option<&'a RawValue>,
    #[serde(default, borrow)]
    csaf_version: Option<&'a RawValue>,
}

/// What they say, where they are texts.
pub(crate) struct Head {
    pub(crate) context: Option<String>,
    pub(crate) bom_format: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) is_csaf: bool,
}

/// The head of a JSON object; none of anything else.
pub(crate) fn head_of(bytes: &[u8]) -> Option<Head> {
    let Members { context, bom_format, kind, document } = serde_json::from_slice(bytes).ok()?;
    let is_csaf = document.is_some_and(|it| text(it.category).and(text(it.csaf_version)).is_some());
    Some(Head { context: text(context), bom_format: text(bom_format), kind: text(kind), is_csaf })
}

/// A text, or nothing where there is something else.
fn text(raw: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(raw.filter(|it| it.get().starts_with('"'))?.get()).ok()
}

/// A list, or a single member that stands for a list of one; nothing is an empty list.
///
/// An untagged enum would do as well, but it copies the rest of the document at each depth of it.
pub(crate) fn one_or_many<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    struct Shape<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Shape<T> {
        type Value = Vec<T>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a list, or one of its kind")
        }

        fn visit_unit<E: Error>(self) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Vec<T>, E> {
            Ok(vec![T::deserialize(text.into_deserializer())?])
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
            Ok(vec![T::deserialize(MapAccessDeserializer::new(map))?])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let mut all = Vec::new();
            while let Some(one) = list.next_element()? {
                all.push(one);
            }
            Ok(all)
        }
    }
    from.deserialize_any(Shape(PhantomData))
}

/// What is a name alone, or an object that says more.
pub(crate) enum Named<T> {
    Name(String),
    Object(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Shape<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Shape<T> {
            type Value = Named<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a name or an object")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Named<T>, E> {
                Ok(Named::Name(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Named<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Named::Object)
            }
        }
        from.deserialize_any(Shape(PhantomData))
    }
}

/// The status that a word stands for, in any of the formats.
pub(crate) fn status(word: &str) -> Option<StatementStatus> {
    Some(match word {
        "not_affected" | "known_not_affected" | "false_positive" => StatementStatus::NotAffected,
        "affected" | "known_affected" | "exploitable" => StatementStatus::Affected,
        "fixed" | "resolved" | "resolved_with_pedigree" => StatementStatus::Fixed,
        "under_investigation" | "in_triage" => StatementStatus::UnderInvestigation,
        "accepted" => StatementStatus::Accepted,
        _ => return None,
    })
}

/// A stranger's word, short enough to be repeated.
pub(crate) fn said(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).take(60).collect()
}
