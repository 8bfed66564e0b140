//! The manifest: which sheets an almanac has, and how each part of each feed is doing.

use std::collections::BTreeSet;

use model::{Digest, Gap, Space};
use serde::{Deserialize, Serialize};

use crate::compile::{Compiled, SAMPLES, digest_of};
use crate::error::Error;
use crate::layout::{Meta, SHEET_FORMAT};

/// Raised when its fields change their meaning.
const FORMAT: u32 = 1;
/// More than a manifest of everything has; beyond that it is none.
pub(crate) const LARGEST: u64 = 64 << 20;
/// More than all sheets of everything have, so that nobody can fill a disk with them.
const LARGEST_SHEETS: u64 = 64 << 30;

/// What an almanac consists of: `almanac.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Of this document.
    pub format: u32,
    /// When it was put together, in RFC 3339.
    pub created: String,
    /// Its sheets, by feed, part and space.
    pub sheets: Vec<Entry>,
    /// How each part of each feed is doing, by feed and name.
    pub parts: Vec<PartState>,
}

/// One sheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Whose advisories: a feed's id.
    pub feed: String,
    /// Which part of it.
    pub part: String,
    /// About which space; `flaws` and `texts` are no spaces of packages.
    pub space: Space,
    /// What it is called.
    pub digest: Digest,
    /// In bytes.
    pub size: u64,
    /// How many it holds.
    pub advisories: u64,
    /// How many rows about packages.
    pub rows: u64,
    /// What could not be told when it was compiled.
    pub gaps: u64,
}

/// How a part of a feed is doing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PartState {
    /// The feed's id.
    pub feed: String,
    /// The part's name.
    pub part: String,
    /// The feed's version when it was read.
    pub version: u16,
    /// The form of sheets it was compiled to.
    pub sheets: u32,
    /// When it was fetched, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched: Option<String>,
    /// When it was current, as its documents say, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// What it was read from.
    pub sources: Vec<Source>,
    /// How many documents were read.
    pub documents: u64,
    /// How many advisories they hold.
    pub advisories: u64,
    /// How many holes there were in reading and compiling them.
    pub gaps: u64,
    /// The first of those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Gap>,
    /// Why the last attempt to renew it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A file that a part was read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its address, or its path in the folder that was read.
    pub from: String,
    /// Of its bytes as they came.
    pub digest: Digest,
    /// In bytes.
    pub size: u64,
    /// As the server named this edition of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// As the server dated this edition of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

impl Manifest {
    /// One without sheets.
    pub fn new(created: impl Into<String>) -> Self {
        Self { format: FORMAT, created: created.into(), sheets: Vec::new(), parts: Vec::new() }
    }

    /// The manifest in these bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let bad = |why: String| Error::corrupt("manifest", why);
        if bytes.len() as u64 > LARGEST {
            return Err(bad("it is too large".to_owned()));
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(|why| bad(why.to_string()))?;
        if manifest.format != FORMAT {
            let format = manifest.format;
            return Err(bad(format!("it has format {format}, and this program reads {FORMAT}")));
        }
        if manifest.size() > LARGEST_SHEETS {
            let most = LARGEST_SHEETS >> 30;
            return Err(bad(format!("its sheets together would have more than {most} GiB")));
        }
        let mut seen = BTreeSet::new();
        for it in &manifest.sheets {
            if it.digest.algorithm() != "sha256" {
                return Err(bad(format!("{} is no SHA-256 digest", it.digest)));
            }
            if !seen.insert((&it.feed, &it.part, &it.space)) {
                let Entry { feed, part, space, .. } = it;
                return Err(bad(format!("it has two sheets of {feed} {part} about {space}")));
            }
        }
        Ok(manifest)
    }

    /// As it is written. What says the same is written the same.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut manifest = self.clone();
        manifest.sheets.sort_by(|left, right| left.place().cmp(&right.place()));
        manifest
            .parts
            .sort_by(|left, right| (&left.feed, &left.part).cmp(&(&right.feed, &right.part)));
        let mut bytes =
            serde_json::to_vec_pretty(&manifest).expect("it has no map and no odd number");
        bytes.push(b'\n');
        bytes
    }

    /// Is all that sets them apart when they were put together?
    pub fn says_the_same(&self, other: &Self) -> bool {
        let other = Self { created: self.created.clone(), ..other.clone() };
        self.to_bytes() == other.to_bytes()
    }

    /// What an almanac with this manifest is called.
    pub fn digest(bytes: &[u8]) -> Digest {
        digest_of(bytes)
    }

    /// The digest of all that its sheets say. Findings follow from these alone: where two almanacs have
    /// the same one, at most when they were fetched and how old that is sets them apart.
    pub fn sheets_digest(&self) -> Digest {
        let mut sheets: Vec<&Entry> = self.sheets.iter().collect();
        sheets.sort_by(|left, right| left.place().cmp(&right.place()));
        digest_of(&serde_json::to_vec(&sheets).expect("it has no map and no odd number"))
    }

    /// How that part is doing.
    pub fn part(&self, feed: &str, part: &str) -> Option<&PartState> {
        self.parts.iter().find(|it| it.feed == feed && it.part == part)
    }

    /// Puts what a part has become in the place of what it was. Counts and samples of gaps that came
    /// up while it was compiled are added to those of `state`.
    pub fn replace(&mut self, mut state: PartState, compiled: &Compiled) {
        self.remove(&state.feed, &state.part);
        self.sheets.extend(compiled.sheets.iter().map(|it| it.entry.clone()));
        state.sheets = SHEET_FORMAT;
        state.advisories = compiled.advisories;
        state.gaps += compiled.gaps;
        let room = SAMPLES.saturating_sub(state.samples.len());
        state.samples.extend(compiled.samples.iter().take(room).cloned());
        state.samples.truncate(SAMPLES);
        self.parts.push(state);
    }

    /// Takes a part out.
    pub fn remove(&mut self, feed: &str, part: &str) {
        self.sheets.retain(|it| it.feed != feed || it.part != part);
        self.parts.retain(|it| it.feed != feed || it.part != part);
    }

    /// Notes that renewing a part failed: its sheets stay.
    pub fn failed(&mut self, feed: &str, part: &str, error: impl Into<String>) {
        let error = Some(error.into());
        let found = self.parts.iter_mut().find(|it| it.feed == feed && it.part == part);
        match found {
            Some(state) => state.error = error,
            None => self.parts.push(PartState {
                feed: feed.to_owned(),
                part: part.to_owned(),
                error,
                ..PartState::default()
            }),
        }
    }

    /// Would reading these sources again yield the sheets that are there?
    pub fn stands(&self, feed: &str, part: &str, version: u16, sources: &[Source]) -> bool {
        let digests = |it: &[Source]| -> BTreeSet<(String, Digest)> {
            it.iter().map(|it| (it.from.clone(), it.digest.clone())).collect()
        };
        self.part(feed, part).is_some_and(|it| {
            it.version == version
                && it.sheets == SHEET_FORMAT
                && digests(&it.sources) == digests(sources)
        })
    }

    /// How many advisories speak about that space, those of all feeds together.
    pub fn advisories(&self, space: &Space) -> u64 {
        let sheets = self.sheets.iter().filter(|it| it.space == *space);
        sheets.fold(0, |sum, it| sum.saturating_add(it.advisories))
    }

    /// All sheets together, in bytes.
    pub fn size(&self) -> u64 {
        self.sheets.iter().fold(0, |sum, it| sum.saturating_add(it.size))
    }
}

impl Entry {
    pub(crate) fn of(meta: &Meta, digest: Digest, size: u64) -> Self {
        Self {
            feed: meta.feed.clone(),
            part: meta.part.clone(),
            space: meta.space.clone(),
            digest,
            size,
            advisories: meta.advisories,
            rows: meta.rows,
            gaps: meta.gaps,
        }
    }

    pub(crate) fn place(&self) -> (&str, &str, &Space) {
        (&self.feed, &self.part, &self.space)
    }
}
