//! What the kinds of documents have in common: the first look at one, and words for a status.

use model::StatementStatus;
use serde::{Deserialize, Deserializer};

/// The few members by which documents are told apart.
#[derive(Deserialize)]
pub(crate) struct Head {
    #[serde(default, rename = "@context", deserialize_with = "text")]
    pub(crate) context: Option<String>,
    #[serde(default, rename = "bomFormat", deserialize_with = "text")]
    pub(crate) bom_format: Option<String>,
    #[serde(default, rename = "_type", deserialize_with = "text")]
    pub(crate) kind: Option<String>,
    #[serde(default)]
    document: Option<HeadDocument>,
}

#[derive(Deserialize)]
struct HeadDocument {
    #[serde(default, deserialize_with = "text")]
    category: Option<String>,
    #[serde(default, deserialize_with = "text")]
    csaf_version: Option<String>,
}

impl Head {
    pub(crate) fn is_csaf(&self) -> bool {
        self.document.as_ref().is_some_and(|it| it.category.is_some() && it.csaf_version.is_some())
    }
}

/// The head of a JSON object; none of anything else.
pub(crate) fn head_of(bytes: &[u8]) -> Option<Head> {
    serde_json::from_slice(bytes).ok()
}

/// A text, or nothing where there is something else.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Any {
        Text(String),
        Other(serde::de::IgnoredAny),
    }
    Ok(match Any::deserialize(from)? {
        Any::Text(text) => Some(text),
        Any::Other(_) => None,
    })
}

/// A list, or a single member that stands for a list of one; nothing is an empty list.
pub(crate) fn one_or_many<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Shape<T> {
        Many(Vec<T>),
        One(T),
        None(()),
    }
    Ok(match Shape::deserialize(from)? {
        Shape::Many(all) => all,
        Shape::One(it) => vec![it],
        Shape::None(()) => Vec::new(),
    })
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
