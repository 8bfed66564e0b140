//! A rating: how bad somebody says a flaw is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How bad a flaw is, in the words of one source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// Who says so: `nvd`, `ghsa`, `debian`, `redhat`.
    pub source: String,
    /// In our five words.
    pub level: Level,
    /// In its own word, where it is another one: `unimportant`, `Moderate`.
    pub word: Option<String>,
    /// CVSS base score.
    pub score: Option<f32>,
    /// CVSS vector: `CVSS:3.1/AV:N/…`, or a bare one of version 2.
    pub vector: Option<String>,
}

/// Two ratings are compared bit by bit; no source publishes NaN, and ours are checked.
impl Eq for Rating {}

/// How bad, in the five words that reports use.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nobody says.
    #[default]
    Unspecified,
    /// 0.1 to 3.9.
    Low,
    /// 4.0 to 6.9.
    Medium,
    /// 7.0 to 8.9.
    High,
    /// 9.0 and more.
    Critical,
}

impl Level {
    /// Worst first.
    pub const ALL: [Self; 5] =
        [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Unspecified];

    /// The band of a CVSS score; 0 is no severity at all, told as low.
    pub fn of_score(score: f32) -> Self {
        match score {
            it if it >= 9.0 => Self::Critical,
            it if it >= 7.0 => Self::High,
            it if it >= 4.0 => Self::Medium,
            it if it >= 0.0 => Self::Low,
            _ => Self::Unspecified,
        }
    }

    /// The level that a publisher's word means: `Moderate`, `important`, `negligible`.
    pub fn of_word(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().as_str() {
            "critical" => Self::Critical,
            "high" | "important" | "severe" => Self::High,
            "medium" | "moderate" => Self::Medium,
            "low" | "minor" | "negligible" | "unimportant" | "none" => Self::Low,
            _ => Self::Unspecified,
        }
    }

    /// `critical`, `high`, `medium`, `low`, `unspecified`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Unspecified => "unspecified",
        }
    }

    /// The level of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Rating {
    /// A rating in the source's own word alone.
    pub fn word(source: &str, word: &str) -> Self {
        let level = Level::of_word(word);
        let word = (!word.eq_ignore_ascii_case(level.as_str())).then(|| word.to_owned());
        Self { source: source.to_owned(), level, word, score: None, vector: None }
    }
}
