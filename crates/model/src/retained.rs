//! What is kept for a time, and for how long when nobody says.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::BadWord;

/// What is kept for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retained {
    /// Deployments that have ended, and tags that have moved on.
    History,
    /// Events.
    Events,
    /// Counts of findings that others followed.
    Counts,
    /// Which almanac things were judged by, before the present one.
    Evaluations,
    /// Images that do not run, that no history tells of, and that no tag leads to.
    Images,
}

impl Retained {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::History, Self::Events, Self::Counts, Self::Evaluations, Self::Images];

    /// `history`, `events`, `counts`, `evaluations`, `images`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::Events => "events",
            Self::Counts => "counts",
            Self::Evaluations => "evaluations",
            Self::Images => "images",
        }
    }

    /// For how many days it is kept when nobody says; none is for ever.
    ///
    /// What somebody recorded, and who did what, nobody can find out again: it stays. What we worked
    /// out or read ourselves goes some day.
    pub fn usual(self) -> Option<u32> {
        match self {
            Self::History | Self::Events => None,
            Self::Counts => Some(730),
            Self::Evaluations | Self::Images => Some(365),
        }
    }

    /// What it is, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::History => "deployments that have ended, tags that have moved on",
            Self::Events => "events",
            Self::Counts => "former counts of findings",
            Self::Evaluations => "by which almanac things were judged",
            Self::Images => "images that do not run, no history tells of and no tag leads to",
        }
    }
}

impl fmt::Display for Retained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Retained {
    type Err = BadWord;

    fn from_str(text: &str) -> Result<Self, BadWord> {
        let found = Self::ALL.into_iter().find(|it| it.as_str() == text);
        found.ok_or_else(|| BadWord::new(text, "history, events, counts, evaluations, images"))
    }
}
