//! An advisory: what a publisher says about a flaw, and about which versions of which packages.

use serde::{Deserialize, Serialize};

use crate::{Rating, Space};

/// One flaw, in the words of one feed. An advisory about several flaws (an erratum) is told as one of
/// these for each flaw, with the erratum among the `bulletins` of what it affects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// The feed's own name for the flaw: `CVE-2022-37434`, `GHSA-…`, `RUSTSEC-…`.
    pub id: String,
    /// Other names of the very same flaw.
    pub aliases: Vec<String>,
    /// Names of other flaws it has to do with; never merged.
    pub related: Vec<String>,
    /// RFC 3339.
    pub published: Option<String>,
    /// RFC 3339.
    pub modified: Option<String>,
    /// When it was taken back, in RFC 3339: it is kept to explain why it no longer counts.
    pub withdrawn: Option<String>,
    /// One line.
    pub title: String,
    /// As many as the publisher wanted, in Markdown where the feed has it.
    pub details: String,
    /// How bad it is, each with its source.
    pub ratings: Vec<Rating>,
    /// Numbers of the Common Weakness Enumeration.
    pub weaknesses: Vec<u32>,
    /// Web addresses, the most telling first.
    pub references: Vec<String>,
    /// Not a flaw but malice: the package itself is the attack (`MAL-…`).
    pub malicious: bool,
    /// About which packages. Empty where a source only describes and rates (NVD).
    pub affected: Vec<Affected>,
}

/// What an advisory says about one package in one space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// Where the name means something.
    pub space: Space,
    /// The package's full name as a purl has it, namespace first: `@babel/core`,
    /// `org.apache.logging.log4j/log4j-core`, `github.com/spf13/cobra`; of an operating system's
    /// package the name alone.
    pub package: String,
    /// Which packages that name means.
    pub names: Names,
    /// What is said about the versions below.
    pub status: Status,
    /// Those versions, as spans; one without bounds is all of them.
    pub spans: Vec<Span>,
    /// And those listed one by one.
    pub versions: Vec<String>,
    /// What the publisher means to do, where there is no fix.
    pub outlook: Option<Outlook>,
    /// Its own words for it: `no-dsa: minor issue`, `vulnerable_code_not_present`.
    pub reason: Option<String>,
    /// The publisher's own severity for this package.
    pub rating: Option<Rating>,
    /// The errata that bring the fix: `DSA-5417-1`, `RHSA-2024:1234`, `USN-6000-1`.
    pub bulletins: Vec<String>,
    /// Only these architectures, in the words of the package manager; empty: all.
    pub arch: Vec<String>,
    /// Only packages of this module stream: `nodejs:18`.
    pub module: Option<String>,
    /// Only packages of this channel, whose versions run apart from the main ones: `esm-infra`,
    /// `fips`, `ksplice`, `eus-9.4`.
    pub channel: Option<String>,
    /// Only images that are one of these products: prefixes of CPEs; empty: all.
    pub products: Vec<String>,
}

impl Affected {
    /// A row about all packages built under that name, which are affected in no version yet.
    pub fn new(space: Space, package: impl Into<String>) -> Self {
        Self {
            space,
            package: package.into(),
            names: Names::Either,
            status: Status::Affected,
            spans: Vec::new(),
            versions: Vec::new(),
            outlook: None,
            reason: None,
            rating: None,
            bulletins: Vec::new(),
            arch: Vec::new(),
            module: None,
            channel: None,
            products: Vec::new(),
        }
    }
}

/// Which packages a name in an advisory means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Names {
    /// Those built from the source package of that name.
    Source,
    /// The binary package of that name alone.
    Binary,
    /// Both: the feed does not tell them apart, or the world does not have the difference.
    Either,
}

/// What is said about a range of versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// They have the flaw.
    Affected,
    /// They do not, says the publisher; whatever others say.
    NotAffected,
    /// Nobody knows yet.
    UnderInvestigation,
}

/// What the publisher means to do about a flaw that has no fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outlook {
    /// A fix may come.
    Open,
    /// Not by an update of its own, perhaps with the next one (Debian's `no-dsa`).
    Minor,
    /// Later.
    Deferred,
    /// Never.
    WillNotFix,
    /// Nobody looks after this release or package any more.
    EndOfLife,
}

/// A run of versions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    /// Where it begins; `None`: with the first version there ever was.
    pub from: Option<Bound>,
    /// Where it ends; `None`: it goes on.
    pub to: Option<Bound>,
}

/// One end of a span.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bound {
    /// As the publisher wrote it.
    pub version: String,
    /// Does that version belong to the span?
    pub included: bool,
}

impl Span {
    /// All versions.
    pub fn all() -> Self {
        Self::default()
    }

    /// All versions before the one with the fix.
    pub fn before(fix: impl Into<String>) -> Self {
        Self { from: None, to: Some(Bound { version: fix.into(), included: false }) }
    }

    /// The same, from `first` on.
    #[must_use]
    pub fn since(mut self, first: impl Into<String>) -> Self {
        self.from = Some(Bound { version: first.into(), included: true });
        self
    }

    /// The version with the fix: the end that does not belong to the span.
    pub fn fix(&self) -> Option<&str> {
        self.to.as_ref().filter(|it| !it.included).map(|it| &*it.version)
    }
}

/// A flaw that is known to be used in attacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exploited {
    /// Which one.
    pub id: String,
    /// When it was listed, a date.
    pub added: String,
    /// Until when United States agencies must act, a date.
    pub due: Option<String>,
    /// Known to be used by ransomware.
    pub ransomware: bool,
    /// What it is.
    pub title: String,
    /// What to do.
    pub action: String,
}

/// How likely it is that a flaw will be used in attacks (EPSS).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Which one.
    pub id: String,
    /// From 0 to 1.
    pub score: f32,
    /// The share of flaws that are not more likely, from 0 to 1.
    pub percentile: f32,
}
