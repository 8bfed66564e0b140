//! Schedules: what is checked again and again, and what came of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Hole, grammar};

/// What is to be checked again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Scheduling {
    /// Where: an environment's name.
    #[schema(value_type = grammar::Name)]
    pub environment: String,
    /// When: minute, hour, day of the month, month and day of the week, as cron has them; or `@hourly`,
    /// `@daily`, `@weekly`, `@monthly`, `@yearly`.
    #[schema(value_type = grammar::CronLine)]
    pub cron: String,
    /// By the clocks of which place: `Europe/Berlin`. UTC without it.
    #[schema(value_type = Option<grammar::ZoneName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What it looks for; without it, any finding.
    #[serde(default)]
    pub question: CheckQuestion,
}

/// What a check looks for: a finding of which all this holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckQuestion {
    /// Only in this repository, tag or image.
    #[schema(value_type = Option<grammar::ImageName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Only of these severities.
    #[schema(value_type = Vec<grammar::SeverityName>)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub severities: Vec<String>,
    /// Only what has a fix, or what has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<bool>,
    /// Only what is known to be used in attacks (CISA KEV).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exploited: bool,
}

/// Something that is checked again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// Where it looks.
    pub environment: String,
    /// Is there no such environment any more?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nowhere: bool,
    /// When, as cron has it.
    pub cron: String,
    /// By the clocks of which place.
    pub zone: String,
    /// What it looks for.
    pub question: CheckQuestion,
    /// When that is next.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Since when it waits to be checked, if it does.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// What came of it the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Checked>,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created: String,
    /// By whom.
    pub created_by: String,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Checked {
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// In a word.
    pub verdict: CheckVerdict,
    /// Why it cannot be told, where it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// By the words of which almanac: its digest.
    pub almanac: String,
    /// Different images that run there and are meant.
    pub images: u64,
    /// Those of which nothing is known: not analysed yet, or not readable.
    pub dark: u64,
    /// How much of what it looks for was found, each flaw of each package once.
    pub found: Found,
    /// The worst of that, a few.
    pub worst: Vec<Worst>,
    /// How much could not be told.
    pub gaps: u64,
    /// A few of those.
    pub holes: Vec<Hole>,
    /// What a reader should know about the almanac: feeds that are old.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What came of a check, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckVerdict {
    /// There is nothing of what it looks for.
    Passed,
    /// There is.
    Failed,
    /// Nobody can tell, which is not to say that there is nothing.
    Unknown,
}

impl CheckVerdict {
    /// `passed`, `failed`, `unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// Findings, by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Found {
    /// Critical ones.
    pub critical: u64,
    /// High ones.
    pub high: u64,
    /// Medium ones.
    pub medium: u64,
    /// Low ones.
    pub low: u64,
    /// Those nobody rated.
    pub unspecified: u64,
}

impl Found {
    /// Of all severities.
    pub fn all(&self) -> u64 {
        self.critical + self.high + self.medium + self.low + self.unspecified
    }
}

/// A finding that is among the worst.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Worst {
    /// The flaw.
    pub id: String,
    /// How bad it is.
    pub severity: String,
    /// The package that has it.
    pub package: String,
    /// Of which version.
    pub version: String,
    /// The version that mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// Is it known to be used in attacks?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exploited: bool,
    /// An image that has it, as it runs.
    pub image: String,
}

/// A schedule that was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Scheduled {
    /// As it is now.
    pub schedule: Schedule,
    /// Was there none of that name?
    pub new: bool,
}
