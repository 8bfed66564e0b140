//! What could not be told, one line for each cause.

use std::collections::{BTreeMap, BTreeSet};

use model::Gap;

/// More than a reader wants.
const MOST_EXAMPLES: usize = 3;

/// Holes, counted by what they have in common.
#[derive(Default)]
pub(crate) struct Tally {
    counted: BTreeMap<(Noun, String, String), BTreeSet<String>>,
    plain: BTreeSet<Gap>,
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Noun {
    Package,
    Advisory,
    Flaw,
}

impl Tally {
    /// One more `noun` of `of` about which this is so; `example` names it.
    pub(crate) fn count(&mut self, noun: Noun, of: &str, why: &str, example: String) {
        self.counted.entry((noun, of.to_owned(), why.to_owned())).or_default().insert(example);
    }

    /// All of what another one counted.
    pub(crate) fn add(&mut self, other: &Self) {
        for ((noun, of, why), examples) in &other.counted {
            let key = (*noun, of.clone(), why.clone());
            self.counted.entry(key).or_default().extend(examples.iter().cloned());
        }
        self.plain.extend(other.plain.iter().cloned());
    }

    /// Bytes held, about.
    pub(crate) fn bytes(&self) -> usize {
        let counted = self.counted.iter().map(|((_, of, why), examples)| {
            let examples: usize = examples.iter().map(|it| it.len() + 32).sum();
            of.len() + why.len() + 128 + examples
        });
        counted.chain(self.plain.iter().map(|it| it.at.len() + it.why.len() + 64)).sum()
    }

    /// Something that is so by itself.
    pub(crate) fn tell(&mut self, at: &str, why: &str) {
        self.plain.insert(Gap::new(at, why));
    }

    pub(crate) fn into_gaps(self) -> Vec<Gap> {
        let counted = self.counted.into_iter().map(|((noun, of, why), examples)| {
            let count = examples.len();
            let noun = match (noun, count) {
                (Noun::Package, 1) => "package",
                (Noun::Package, _) => "packages",
                (Noun::Advisory, 1) => "advisory",
                (Noun::Advisory, _) => "advisories",
                (Noun::Flaw, 1) => "flaw",
                (Noun::Flaw, _) => "flaws",
            };
            let more = if count > MOST_EXAMPLES { ", …" } else { "" };
            let shown: Vec<String> = examples.into_iter().take(MOST_EXAMPLES).collect();
            Gap::new(
                format!("{count} {noun} of {of}"),
                format!("{why} ({}{more})", shown.join(", ")),
            )
        });
        let mut gaps: Vec<Gap> = counted.chain(self.plain).collect();
        gaps.sort();
        gaps.dedup();
        gaps
    }
}
