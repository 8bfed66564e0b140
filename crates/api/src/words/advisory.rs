//! What publishers say of a flaw, and how old the almanac is that says so.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Hole;

/// All that is said of a flaw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Advisories {
    /// The name that was asked for, as it is written.
    pub id: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// That it is used in attacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exploited: Option<Exploitation>,
    /// How likely it is to be used in attacks (EPSS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
    /// Each publisher's word, newest first; those who took theirs back come last.
    pub said: Vec<Advisory>,
    /// What cannot be read, and may speak of it too.
    pub gaps: Vec<Hole>,
}

/// That a flaw is used in attacks, as CISA lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Exploitation {
    /// When it was listed, a date.
    pub added: String,
    /// Until when United States agencies must act, a date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// Known to be used by ransomware.
    pub ransomware: bool,
    /// What it is.
    pub title: String,
    /// What to do.
    pub action: String,
}

/// How likely it is that a flaw will be used in attacks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Forecast {
    /// From 0 to 1.
    pub score: f32,
    /// The share of flaws that are not more likely, from 0 to 1.
    pub percentile: f32,
}

/// One publisher's word about a flaw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Advisory {
    /// The feed it comes from: `nvd`, `debian`.
    pub feed: String,
    /// About which packages: `npm`, `debian:12`.
    pub space: String,
    /// The publisher's own name for it.
    pub id: String,
    /// Other names that it says.
    pub aliases: Vec<String>,
    /// Other flaws that it has to do with.
    pub related: Vec<String>,
    /// When it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// When it was changed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// When it was taken back: what it says holds no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<String>,
    /// One line.
    pub title: String,
    /// The whole story.
    pub details: String,
    /// Web addresses.
    pub references: Vec<String>,
    /// CWE numbers.
    pub weaknesses: Vec<u32>,
    /// How bad it is, each with its source.
    pub ratings: Vec<RatedBy>,
    /// What it says of packages, as many as are told.
    pub packages: Vec<ConcernedPackage>,
    /// So many it says something of.
    pub packages_total: u64,
}

/// How bad somebody says a flaw is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RatedBy {
    /// Who says so.
    pub source: String,
    /// `critical`, `high`, `medium`, `low`, `unspecified`.
    pub severity: String,
    /// In its own word, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<String>,
    /// CVSS base score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f32>,
    /// CVSS vector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector: Option<String>,
}

/// What a publisher says of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConcernedPackage {
    /// Its name there.
    pub name: String,
    /// `affected`, `not-affected`, `under-investigation`.
    pub status: String,
    /// Which versions, as people write it: `>=1.0 <1.2.3`, `all versions`.
    pub versions: Vec<String>,
    /// The versions that have it no more.
    pub fixed: Vec<String>,
    /// Its own severity for this package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it means to do where there is no fix: `open`, `minor`, `deferred`, `will-not-fix`,
    /// `end-of-life`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outlook: Option<String>,
    /// The errata with the fix.
    pub bulletins: Vec<String>,
    /// Only in this channel, module or on these architectures.
    pub only: Vec<String>,
}

/// The almanac: what is known of flaws, and how old that is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlmanacState {
    /// What it is called: a digest.
    pub digest: String,
    /// When it was put together.
    pub created: String,
    /// It is the small one that is built in.
    pub starter: bool,
    /// As of when its youngest feed was current.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// What a reader should know of it.
    pub warnings: Vec<String>,
    /// What no feed of it tells, `attacks` or `forecasts`: that nothing is known of that says nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub untold: Vec<model::Threat>,
    /// How each feed is doing.
    pub feeds: Vec<FeedAge>,
}

/// How a feed is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FeedAge {
    /// Its name: `nvd`.
    pub feed: String,
    /// `fresh`, `stale`, `age unknown`, `failed`.
    pub state: String,
    /// When its youngest part was current.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// How many days ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_days: Option<i32>,
    /// Parts of it.
    pub parts: u64,
    /// Advisories in it.
    pub advisories: u64,
    /// What could not be read of it.
    pub gaps: u64,
    /// Why it could not be renewed.
    pub errors: Vec<String>,
}
