//! What one file tells, up to a bound: a small hostile file shall not fill the memory.

use model::{Found, Gap, Owned, Package};

/// More than any distribution has.
const MOST_PACKAGES: usize = 200_000;
/// Who reads more?
const MOST_GAPS: usize = 100;

/// A [`Found`] in the making.
pub(crate) struct Tally<'p> {
    path: &'p str,
    found: Found,
    packages_left_out: usize,
    gaps_left_out: usize,
}

impl<'p> Tally<'p> {
    pub(crate) fn new(path: &'p str) -> Self {
        Self { path, found: Found::default(), packages_left_out: 0, gaps_left_out: 0 }
    }

    pub(crate) fn package(&mut self, package: Package) {
        if self.found.packages.len() < MOST_PACKAGES {
            self.found.packages.push(package);
        } else {
            self.packages_left_out += 1;
        }
    }

    pub(crate) fn owned(&mut self, owned: Owned) {
        if self.found.owned.len() < MOST_PACKAGES && !owned.paths.is_empty() {
            self.found.owned.push(owned);
        }
    }

    /// A hole in the file.
    pub(crate) fn gap(&mut self, why: impl Into<String>) {
        self.note(self.path.to_owned(), why.into());
    }

    /// A hole at a line of the file, counted from 1.
    pub(crate) fn gap_at(&mut self, line: usize, why: impl Into<String>) {
        self.note(format!("{}:{line}", self.path), why.into());
    }

    fn note(&mut self, at: String, why: String) {
        if self.found.gaps.len() < MOST_GAPS {
            self.found.gaps.push(Gap { at, why });
        } else {
            self.gaps_left_out += 1;
        }
    }

    pub(crate) fn found(mut self) -> Found {
        if self.packages_left_out > 0 {
            let why = format!(
                "it has {} packages more than the {MOST_PACKAGES} we take from one file",
                self.packages_left_out
            );
            self.found.gaps.push(Gap::new(self.path, why));
        }
        if self.gaps_left_out > 0 {
            let why = format!("it has {} holes more", self.gaps_left_out);
            self.found.gaps.push(Gap::new(self.path, why));
        }
        self.found
    }
}
