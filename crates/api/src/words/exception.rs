//! Exceptions: what a team decided about flaws, and for how long.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::grammar;

/// That flaws are to be out of the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Excepting {
    /// Which flaws, by any of their names: `CVE-2026-1234`.
    #[schema(min_items = 1)]
    pub flaws: Vec<String>,
    /// What was decided.
    #[schema(value_type = grammar::ExceptionName)]
    pub kind: String,
    /// Why there is no such flaw; a false positive has one.
    #[schema(value_type = Option<grammar::JustificationName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    /// Why, in one's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Only in these repositories, tags or images.
    #[schema(value_type = Vec<grammar::ImageName>)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// Only in these environments.
    #[schema(value_type = Vec<grammar::Name>)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
    /// Only in these packages: `pkg:deb/debian/curl`, `pkg:npm/lodash@4.17.20`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
    /// From when on it does not hold any more: a day, or a moment. Without it, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

impl Excepting {
    /// What somebody decided by that, and when they said it. `None`: nobody here knows the kind.
    pub fn decided(self, name: &str, author: &str, said: &str) -> Option<model::Exception> {
        Some(model::Exception {
            name: name.to_owned(),
            kind: model::ExceptionKind::parse(&self.kind)?,
            flaws: self.flaws,
            justification: self.justification,
            note: self.note,
            images: self.images,
            environments: self.environments,
            packages: self.packages,
            expires: self.expires,
            author: author.to_owned(),
            said: said.to_owned(),
        })
    }
}

/// Flaws that are out of the way, or were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Exception {
    /// What it is called.
    pub name: String,
    /// Which flaws, of what and why.
    pub definition: Excepting,
    /// Is the time over for which it held?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expired: bool,
    /// Environments that it names and that are not there any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created: String,
    /// By whom.
    pub created_by: String,
    /// When it was said last.
    #[schema(format = DateTime)]
    pub changed: String,
    /// By whom.
    pub changed_by: String,
}

/// An exception that was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExceptionKept {
    /// As it is now.
    pub exception: Exception,
    /// Was there none of that name?
    pub new: bool,
}
