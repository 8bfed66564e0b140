//! What PHP's `version_compare` makes of a version, which PEAR and Composer both rest on.

use std::cmp::Ordering;

use super::encode;

/// A version as PHP cuts it: at marks, and between digits and anything else.
pub(super) struct Cut(String);

impl Cut {
    /// `None`: PHP itself does not say one thing about it, since no digit begins it, or a mark ends it.
    pub(super) fn new(version: &str) -> Option<Self> {
        if !version.starts_with(|it: char| it.is_ascii_digit()) {
            return None;
        }
        let mut cut = String::with_capacity(version.len() + 4);
        let mut before = None;
        for now in version.chars() {
            let turns = before.is_some_and(|it: char| {
                (is_digit(it) && is_other(now)) || (is_other(it) && !is_mark(it) && is_digit(now))
            });
            let parts = is_mark(now) || turns || !now.is_ascii_alphanumeric();
            if parts && !cut.ends_with('.') {
                cut.push('.');
            }
            if !is_mark(now) && (turns || now.is_ascii_alphanumeric()) {
                cut.push(now);
            }
            before = Some(now);
        }
        (!cut.ends_with('.')).then_some(Self(cut))
    }

    fn parts(&self) -> impl Iterator<Item = Part> {
        self.0.split('.').map(Part::new)
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let (mut lefts, mut rights) = (self.parts(), other.parts());
        loop {
            match (lefts.next(), rights.next()) {
                (None, None) => return Ordering::Equal,
                (Some(left), None) => return left.against_nothing(),
                (None, Some(right)) => return right.against_nothing().reverse(),
                (Some(left), Some(right)) => {
                    let said = left.compare(right);
                    if said.is_ne() {
                        return said;
                    }
                }
            }
        }
    }

    /// Words by their rank, numbers by themselves, the end between the words before and after it.
    pub(super) fn key(&self, key: &mut Vec<u8>) {
        for part in self.parts() {
            match part {
                Part::Number(number) => encode::small_number(number, key),
                Part::Word(rank) if rank < RELEASE => key.push(1 + rank),
                Part::Word(_) => key.push(encode::NUMBER_LAST + 1),
            }
        }
        key.push(1 + RELEASE);
    }
}

fn is_mark(it: char) -> bool {
    matches!(it, '-' | '_' | '+')
}

fn is_digit(it: char) -> bool {
    it.is_ascii_digit()
}

fn is_other(it: char) -> bool {
    !it.is_ascii_digit() && it != '.'
}

/// The words PHP knows and their ranks; it looks only how a word begins, and at its case.
const WORDS: &[(&str, u8)] = &[
    ("dev", 1),
    ("alpha", 2),
    ("a", 2),
    ("beta", 3),
    ("b", 3),
    ("RC", 4),
    ("rc", 4),
    ("pl", 6),
    ("p", 6),
];
/// Where any number stands among the words.
const RELEASE: u8 = 5;

#[derive(Clone, Copy)]
enum Part {
    Number(u64),
    Word(u8),
}

impl Part {
    fn new(text: &str) -> Self {
        if text.starts_with(is_digit) {
            // PHP counts no further than this.
            let most = i64::MAX.unsigned_abs();
            return Self::Number(text.parse().map_or(most, |it: u64| it.min(most)));
        }
        let rank = WORDS.iter().find(|(word, _)| text.starts_with(word)).map(|(_, rank)| *rank);
        Self::Word(rank.unwrap_or(0))
    }

    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => left.cmp(&right),
            (Self::Word(left), Self::Word(right)) => left.cmp(&right),
            (Self::Number(_), Self::Word(right)) => RELEASE.cmp(&right),
            (Self::Word(left), Self::Number(_)) => left.cmp(&RELEASE),
        }
    }

    fn against_nothing(self) -> Ordering {
        match self {
            Self::Number(_) => Ordering::Greater,
            Self::Word(rank) => rank.cmp(&RELEASE),
        }
    }
}
