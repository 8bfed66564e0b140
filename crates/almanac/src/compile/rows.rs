//! One row, as bytes: what is said about a package, its advisory aside.

use std::collections::HashMap;

use model::Affected;

use crate::bytes::{put_number, put_signed};
use crate::record::{self, end, has, number_of};

use super::pool::{Lists, Pool};

/// A row lists at most so many versions; one with more becomes several.
pub(super) const MOST_VERSIONS: usize = 1 << 14;

/// What everything that rows speak of is called in the sheet.
pub(super) struct Numbers<'a> {
    pub(super) versions: HashMap<&'a str, u32>,
    pub(super) flaws: HashMap<&'a str, u32>,
    pub(super) pool: Pool,
}

/// A row, all but the name it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Written {
    pub(super) advisory: u32,
    /// What it has and all that is said in words: a list of numbers that many rows share.
    pub(super) kind: Vec<u8>,
    /// Versions and bulletins.
    rest: Vec<u8>,
}

/// The lowest number among the versions of these rows.
pub(super) fn base_of<'a>(rows: impl Iterator<Item = &'a Affected>, numbers: &Numbers<'_>) -> u32 {
    rows.flat_map(versions_of).map(|it| numbers.version(it)).min().unwrap_or(0)
}

/// Every version that a row names.
pub(super) fn versions_of(row: &Affected) -> impl Iterator<Item = &str> {
    let ends = row.spans.iter().flat_map(|it| it.from.iter().chain(&it.to));
    ends.map(|it| &*it.version).chain(row.versions.iter().map(|it| &**it))
}

impl Numbers<'_> {
    pub(super) fn version(&self, text: &str) -> u32 {
        *self.versions.get(text).expect("every version was numbered before")
    }

    pub(super) fn flaw(&self, text: &str) -> u32 {
        *self.flaws.get(text).expect("every flaw was numbered before")
    }

    /// The row, in pieces if it lists many versions. `usual` are the bulletins of its advisory.
    pub(super) fn row(
        &self,
        (advisory, row): (u32, &Affected),
        base: u32,
        usual: &[String],
    ) -> Vec<Written> {
        let mut versions: Vec<u32> = row.versions.iter().map(|it| self.version(it)).collect();
        versions.sort_unstable();
        versions.dedup();
        let one = |spans, versions: &[u32]| {
            let (kind, rest) = self.one(base, row, usual, spans, versions);
            Written { advisory, kind, rest }
        };
        let mut chunks = versions.chunks(MOST_VERSIONS);
        let mut rows = vec![one(true, chunks.next().unwrap_or_default())];
        rows.extend(chunks.map(|it| one(false, it)));
        rows
    }

    fn one(
        &self,
        base: u32,
        row: &Affected,
        usual: &[String],
        spans: bool,
        versions: &[u32],
    ) -> (Vec<u8>, Vec<u8>) {
        let mut flags = u32::from(number_of(&record::NAMES, &row.names))
            | u32::from(number_of(&record::STATUSES, &row.status)) << 2;
        let (mut kind, mut rest) = (Vec::new(), Vec::new());
        if spans && !row.spans.is_empty() {
            flags |= has::SPANS;
            put_number(&mut kind, row.spans.len() as u64);
            for span in &row.spans {
                let mut ends = 0;
                for (bound, there, included) in [
                    (&span.from, end::FROM, end::FROM_INCLUDED),
                    (&span.to, end::TO, end::TO_INCLUDED),
                ] {
                    let Some(bound) = bound else { continue };
                    ends |= there | if bound.included { included } else { 0 };
                    put_number(&mut rest, u64::from(self.version(&bound.version) - base));
                }
                kind.push(ends);
            }
        }
        if let Some(reason) = &row.reason {
            flags |= has::REASON;
            put_number(&mut kind, self.pool.number(reason.as_bytes()));
        }
        if !row.bulletins.is_empty() && row.bulletins == usual {
            flags |= has::USUAL;
        } else if !row.bulletins.is_empty() {
            flags |= has::BULLETINS;
            self.put_flaws(&mut rest, &row.bulletins);
        }
        if let Some(outlook) = row.outlook {
            flags |= has::OUTLOOK;
            kind.push(number_of(&record::OUTLOOKS, &outlook));
        }
        if let Some(rating) = &row.rating {
            flags |= has::RATING;
            put_number(&mut kind, self.pool.number(&record::rating_bytes(rating)));
        }
        if !versions.is_empty() {
            flags |= has::VERSIONS;
            put_runs(&mut rest, base, versions);
        }
        for (flag, texts) in [(has::ARCH, &row.arch), (has::PRODUCTS, &row.products)] {
            if !texts.is_empty() {
                flags |= flag;
                put_number(&mut kind, texts.len() as u64);
                for text in texts {
                    put_number(&mut kind, self.pool.number(text.as_bytes()));
                }
            }
        }
        for (flag, text) in [(has::MODULE, &row.module), (has::CHANNEL, &row.channel)] {
            if let Some(text) = text {
                flags |= flag;
                put_number(&mut kind, self.pool.number(text.as_bytes()));
            }
        }
        let mut whole = Vec::with_capacity(kind.len() + 2);
        put_number(&mut whole, u64::from(flags));
        whole.extend_from_slice(&kind);
        (whole, rest)
    }

    /// How many names of flaws, and their numbers.
    pub(super) fn put_flaws(&self, out: &mut Vec<u8>, names: &[String]) {
        put_number(out, names.len() as u64);
        for name in names {
            put_number(out, u64::from(self.flaw(name)));
        }
    }
}

/// The rows of one name.
pub(super) fn put_rows(out: &mut Vec<u8>, base: u32, rows: &[Written], lists: &Lists) {
    put_number(out, u64::from(base) + 1);
    let mut last = 0;
    for row in rows {
        lists.put(out, &row.kind);
        put_number(out, u64::from(row.advisory - last));
        out.extend_from_slice(&row.rest);
        last = row.advisory;
    }
}

/// Ascending numbers as runs: where each begins, told from the end of the one before, and its length.
fn put_runs(out: &mut Vec<u8>, base: u32, numbers: &[u32]) {
    let runs: Vec<&[u32]> = numbers.chunk_by(|left, right| left + 1 == *right).collect();
    put_number(out, runs.len() as u64);
    let mut next = i64::from(base);
    for run in runs {
        let (first, last) = (run.first().copied().unwrap_or(0), run.last().copied().unwrap_or(0));
        put_signed(out, i64::from(first) - next);
        put_number(out, run.len() as u64);
        next = i64::from(last) + 1;
    }
}
