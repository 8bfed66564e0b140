//! An analysis: an inventory, what is wrong with it, and how we know.

use serde::{Deserialize, Serialize};

use crate::{
    Exploited, Forecast, Gap, InUse, Inventory, Level, Outlook, Rating, Space, Span, Statement,
};

/// What is inside, what is wrong with it, and what could not be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// What was read, with its own gaps.
    pub inventory: Inventory,
    /// Worst first: by level, exploitation, id, then package.
    pub findings: Vec<Finding>,
    /// What matching could not tell, sorted, each once.
    pub gaps: Vec<Gap>,
    /// The advisories it rests on.
    pub basis: Basis,
}

impl Analysis {
    /// Every hole: of reading and of matching.
    pub fn all_gaps(&self) -> impl Iterator<Item = &Gap> {
        self.inventory.gaps.iter().chain(&self.gaps)
    }
}

/// What some feeds tell of flaws, whatever package has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Threat {
    /// That it is used in attacks (KEV).
    Attacks,
    /// How likely that is (EPSS).
    Forecasts,
}

impl Threat {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Attacks, Self::Forecasts];

    /// Why it is not known.
    #[must_use]
    pub fn untold(self) -> &'static str {
        match self {
            Self::Attacks => "no feed of the almanac tells which flaws are used in attacks (kev)",
            Self::Forecasts => {
                "no feed of the almanac tells how likely flaws are to be used in attacks (epss)"
            }
        }
    }
}

/// Which advisories an analysis rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// Digest of the almanac's manifest.
    pub almanac: String,
    /// When the youngest of its feeds was current, in RFC 3339.
    pub current: Option<String>,
    /// Only the starter sheet that is built in.
    pub starter: bool,
    /// What is amiss with what it rests on, each in a line for the reader: feeds that are stale or
    /// failed, what was left out.
    pub warnings: Vec<String>,
    /// What no feed of it tells: that nothing is known of that says nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untold: Vec<Threat>,
    /// Who looked at what it loads where it runs; `None`: nobody did, or was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_use: Option<InUse>,
}

/// A flaw in something that is there. Told once for all packages built from one source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The name it goes by: the CVE where there is one.
    pub id: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// Which packages: numbers into `inventory.packages`, ascending, at least one.
    pub packages: Vec<usize>,
    /// What the advisory speaks of: the source package's name, or the package's full name.
    pub name: String,
    /// The version that was compared.
    pub version: String,
    /// Where they met.
    pub space: Space,
    /// The feed that decided.
    pub feed: String,
    /// That feed's own name for it.
    pub advisory: String,
    /// The errata with the fix.
    pub bulletins: Vec<String>,
    /// How bad: the vendor's word first.
    pub level: Level,
    /// The ratings, the one that decided `level` first.
    pub ratings: Vec<Rating>,
    /// Affected versions: the span that `version` is in first.
    pub spans: Vec<Span>,
    /// What to do about it.
    pub fix: Fix,
    /// The publisher's own words about the state of it.
    pub reason: Option<String>,
    /// When it became known, in RFC 3339.
    pub published: Option<String>,
    /// One line. Empty where texts were not asked for.
    pub title: String,
    /// The whole story. Empty where texts were not asked for.
    pub details: String,
    /// Web addresses.
    pub references: Vec<String>,
    /// CWE numbers.
    pub weaknesses: Vec<u32>,
    /// Known to be used in attacks.
    pub exploited: Option<Exploited>,
    /// How likely that is.
    pub forecast: Option<Forecast>,
    /// The package itself is the attack.
    pub malicious: bool,
    /// What a statement says about it; it may take it out of the way.
    pub statement: Option<Statement>,
    /// Is one of its packages loaded where the image runs? `None`: nobody can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_use: Option<bool>,
}

/// What can be done about a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fix {
    /// Update to this version or a later one.
    Version {
        /// The first good one.
        version: String,
        /// It is only to be had there: `esm-infra` (Ubuntu Pro), `eus-9.4`.
        channel: Option<String>,
    },
    /// There is none, and this is what the publisher means to do.
    None(Outlook),
}

impl Finding {
    /// The CVSS score to show: of the rating that decided, else of the first that has one.
    pub fn score(&self) -> Option<f32> {
        self.ratings.iter().find_map(|it| it.score)
    }

    /// The vector that goes with it.
    pub fn vector(&self) -> Option<&str> {
        self.ratings.iter().find(|it| it.score.is_some()).and_then(|it| it.vector.as_deref())
    }

    /// The version with the fix.
    pub fn fixed(&self) -> Option<&str> {
        match &self.fix {
            Fix::Version { version, .. } => Some(version),
            Fix::None(_) => None,
        }
    }

    /// Has a statement taken it out of the way?
    pub fn suppressed(&self) -> bool {
        self.statement.as_ref().is_some_and(|it| it.status.suppresses())
    }
}

/// What was decided about one package and one flaw, and every step that led there: of findings, and
/// of findings that were not made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// Number into `inventory.packages`.
    pub package: usize,
    /// All names of the flaw, the one it goes by first. Empty: about the package as a whole.
    pub flaw: Vec<String>,
    /// What was decided.
    pub verdict: Verdict,
    /// Why, in order: place, name, row, comparison, statement.
    pub chain: Vec<Step>,
}

/// What can be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A finding.
    Affected,
    /// A finding that a statement took out of the way.
    Suppressed,
    /// It could not be told: a gap.
    CannotTell,
    /// Its publisher does not know yet: a gap.
    UnderInvestigation,
    /// This version has the fix, or never had the flaw.
    NotInRange,
    /// The publisher says it is not affected.
    NotAffected,
    /// The advisory was taken back.
    Withdrawn,
    /// Another package answers for it: the operating system's that owns its files, say.
    Owned,
    /// It holds nothing that could have the flaw: headers, documentation.
    Harmless,
    /// It is only declared, and such packages were not asked for.
    NotAsked,
    /// The advisory is about another product, architecture, module or channel.
    Elsewhere,
    /// Somebody with more say decided otherwise.
    Overruled,
    /// No advisory speaks of it, though somebody publishes them for its kind.
    Unheard,
    /// Nobody publishes advisories for its kind, or we have none: a gap.
    NoSource,
}

impl Verdict {
    /// Neither a finding nor a gap.
    pub fn is_quiet(self) -> bool {
        !matches!(
            self,
            Self::Affected
                | Self::Suppressed
                | Self::CannotTell
                | Self::UnderInvestigation
                | Self::NoSource
        )
    }

    /// In words for a reader.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::Suppressed => "affected, but suppressed by a statement",
            Self::CannotTell => "cannot tell",
            Self::UnderInvestigation => "under investigation",
            Self::NotInRange => "not affected: the version is outside the affected range",
            Self::NotAffected => "not affected, says the publisher",
            Self::Withdrawn => "the advisory was withdrawn",
            Self::Owned => "answered for by its owner",
            Self::Harmless => "holds nothing that could have the flaw",
            Self::NotAsked => "only declared, not seen installed",
            Self::Elsewhere => "the advisory is about something else",
            Self::Overruled => "overruled by the publisher's own word",
            Self::Unheard => "no advisory speaks of it",
            Self::NoSource => "no advisory source",
        }
    }
}

/// One link of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What kind of link: `sbom` where a document was taken in place of layers, `place`, `package`, `space`, `caution`, `advisory`, `range`, `comparison`,
    /// `status`, `statement`, `owner`, `source`. A `caution` is about the space, the same in all chains.
    pub about: String,
    /// What is so, in a line.
    pub says: String,
}

impl Step {
    /// A link of the kind `about`.
    pub fn new(about: &str, says: impl Into<String>) -> Self {
        Self { about: about.to_owned(), says: says.into() }
    }
}
