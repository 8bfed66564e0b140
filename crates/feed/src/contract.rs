//! The contract: what a feed is, where it is published, and how its documents are read.

use model::{Advisory, Exploited, Forecast, Gap, Threat};

use crate::fetch::Plan;

/// A publisher of advisories, in the format it publishes.
pub trait Feed: Sync {
    /// Kebab case, and the file's name: `osv`, `debian-tracker`.
    fn id(&self) -> &'static str;
    /// What people call it: "Debian security tracker".
    fn title(&self) -> &'static str;
    /// Where a reader learns about it, and its terms of use in a few words.
    fn about(&self) -> &'static str;
    /// Raise it when the same bytes would yield other advisories: its sheets are then built anew.
    fn version(&self) -> u16;
    /// After so many days without news it is called stale.
    fn stale_after_days(&self) -> u32 {
        7
    }
    /// So often it is asked whether it has news, in hours: about as often as it has some. Who asks and
    /// hears that nothing is new costs its publisher little.
    fn every_hours(&self) -> u32 {
        6
    }
    /// The parts that are published, fetched and compiled apart.
    fn parts(&self) -> Vec<Part>;
    /// What it tells of flaws, whatever package has them.
    fn tells(&self) -> Option<Threat> {
        None
    }
    /// How its parts are published.
    fn plan(&self) -> Plan {
        Plan::Files
    }
    /// Is this document one of mine, and of which part? It is called with the path inside the folder
    /// that is read (`osv/PyPI/all.zip/PYSEC-2021-1.json`, containers count as directories) and with
    /// the first 4 KiB. Cheap, and never right about a document of another feed. `None`: not mine.
    fn recognises(&self, path: &str, head: &[u8]) -> Option<String>;
    /// Its advisories. Pure; never fails: what makes no sense is a gap.
    fn parse(&self, part: &str, document: &Document<'_>) -> Parsed;
}

/// A part of a feed, published under addresses of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// `PyPI`, `v3.20/main`; `all` where there is only one.
    pub name: String,
    /// What to fetch: all of these.
    pub urls: Vec<String>,
}

/// A document, unpacked.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// Its path, containers counting as directories.
    pub path: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// What a document says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// About flaws.
    pub advisories: Vec<Advisory>,
    /// About attacks seen.
    pub exploited: Vec<Exploited>,
    /// About attacks to come.
    pub forecasts: Vec<Forecast>,
    /// What makes no sense.
    pub gaps: Vec<Gap>,
    /// When the document says that it was current, in RFC 3339.
    pub current: Option<String>,
}

impl Parsed {
    /// Only these advisories.
    pub fn advisories(advisories: Vec<Advisory>) -> Self {
        Self { advisories, ..Self::default() }
    }

    /// One more hole. A document has room for a hundred, so that a hostile one cannot fill the memory
    /// with them; the last says that there are more.
    pub fn hole(&mut self, at: impl Into<String>, why: impl Into<String>) {
        hole(&mut self.gaps, at, why);
    }

    /// Only this hole.
    pub fn gap(at: impl Into<String>, why: impl Into<String>) -> Self {
        Self { gaps: vec![Gap::new(at, why)], ..Self::default() }
    }
}

/// One more hole of a document: a hundred are told, and then that there are more.
pub(crate) fn hole(gaps: &mut Vec<Gap>, at: impl Into<String>, why: impl Into<String>) {
    const ROOM: usize = 100;
    match gaps.len() {
        0..ROOM => gaps.push(Gap::new(at, why)),
        ROOM => gaps.push(Gap::new(at, "there are more holes like these in this document")),
        _ => {}
    }
}
