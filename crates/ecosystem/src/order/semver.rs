//! Semantic versions: crates, and all who say no more of their versions than that they are semantic.

use std::cmp::Ordering;

use super::{BadVersion, Order, encode};

/// <https://semver.org/#spec-item-11>, but read as advisories need it: with a `v` in front, with fewer
/// numbers than three (`1` is `1.0.0`) or more, with zeros in front of numbers, and with a prerelease
/// right behind the numbers (`1.0rc1`).
pub(super) struct Semver;

const ID: &str = "semver";

impl Order for Semver {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "by the precedence of Semantic Versioning 2"
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        compare(ID, left, right)
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        Parts::read(ID, version)?.key(key);
        Ok(())
    }

    fn examples(&self) -> &'static [&'static str] {
        EXAMPLES
    }
}

/// Versions everyone who keeps to semantic versioning can read.
pub(super) const EXAMPLES: &[&str] = &[
    "0",
    "0.0.0-0",
    "0.0.1",
    "1",
    "1.0",
    "1.0.0",
    "v1.0.0",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0-1",
    "1.0.0-a-b",
    "1.0.0-a.b",
    "1.0.0-A",
    "1.0.0--",
    "1.0.0+build",
    "1.0.0-rc.1+build.5",
    "1.0rc1",
    "01.2.3",
    "1.2.3.4",
    "1.10.0",
    "1.9.0",
    "99999999999999999999.0.1",
    "1.0.0-99999999999999999999",
];

/// Which of two semantic versions takes precedence.
pub(super) fn compare(
    order: &'static str,
    left: &str,
    right: &str,
) -> Result<Ordering, BadVersion> {
    Ok(Parts::read(order, left)?.compare(&Parts::read(order, right)?))
}

/// What a semantic version consists of.
pub(super) struct Parts<'a> {
    /// Numbers, with points between.
    release: &'a str,
    /// Identifiers, with points between.
    prerelease: Option<&'a str>,
    /// Is there no hyphen before the prerelease: `1.22rc1`?
    bare: bool,
    /// Do letters and digits make identifiers of their own: `rc1` for `rc.1`?
    joined: bool,
    pub(super) build: Option<&'a str>,
}

impl<'a> Parts<'a> {
    pub(super) fn read(order: &'static str, version: &'a str) -> Result<Self, BadVersion> {
        let bad = |why| BadVersion::new(order, version, why);
        let text = version.trim();
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let (rest, build) =
            text.split_once('+').map_or((text, None), |(rest, build)| (rest, Some(build)));
        if build.is_some_and(|it| it.is_empty() || !it.bytes().all(|it| it.is_ascii_graphic())) {
            return Err(bad("there is no build behind the plus sign"));
        }
        let (release, rest) = encode::split_while(rest, |it| it.is_ascii_digit() || it == b'.');
        if release.split('.').any(str::is_empty) {
            return Err(bad("it does not begin with numbers and points between them"));
        }
        let bare = !rest.starts_with('-');
        let prerelease = (!rest.is_empty()).then(|| rest.strip_prefix('-').unwrap_or(rest));
        let allowed = |it: u8| it.is_ascii_alphanumeric() || it == b'-' || it == b'_';
        if prerelease
            .is_some_and(|it| it.split('.').any(|it| it.is_empty() || !it.bytes().all(allowed)))
        {
            return Err(bad(
                "its prerelease is not letters, digits and hyphens, with points between",
            ));
        }
        Ok(Self { release, prerelease, bare, joined: false, build })
    }

    /// The same, but `1.22rc1` is `1.22.0-rc.1`.
    #[must_use]
    pub(super) fn with_joined_prerelease(mut self) -> Self {
        // Behind a hyphen `rc91` is one identifier, as modules have it: split, it would come before
        // `rc9.0.20200122160610`.
        self.joined = self.bare
            && self.prerelease.is_some_and(|it| {
                it.starts_with(|it: char| it.is_ascii_alphabetic())
                    && it.bytes().all(|it| it.is_ascii_alphanumeric())
            });
        self
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        self.compare_releases(other).then_with(|| match (self.prerelease, other.prerelease) {
            (None, None) => Ordering::Equal,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), Some(_)) => self.identifiers().cmp(other.identifiers()),
        })
    }

    fn compare_releases(&self, other: &Self) -> Ordering {
        let (mut left, mut right) = (self.release.split('.'), other.release.split('.'));
        loop {
            let order = match (left.next(), right.next()) {
                (None, None) => return Ordering::Equal,
                // A number that is not there is 0.
                (one, two) => encode::compare_numbers(one.unwrap_or(""), two.unwrap_or("")),
            };
            if order.is_ne() {
                return order;
            }
        }
    }

    fn identifiers(&self) -> impl Iterator<Item = Identifier<'a>> {
        let mut rest = self.prerelease.unwrap_or("");
        let joined = self.joined;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let identifier;
            (identifier, rest) = if joined {
                match encode::split_digits(rest) {
                    ("", _) => encode::split_while(rest, |it| !it.is_ascii_digit()),
                    both => both,
                }
            } else {
                rest.split_once('.').unwrap_or((rest, ""))
            };
            Some(Identifier::new(identifier))
        })
    }

    /// Appends the key of all but the build.
    pub(super) fn key(&self, key: &mut Vec<u8>) {
        // Zeros at the end say nothing.
        let mut zeros = 0_usize;
        for digits in self.release.split('.') {
            if encode::without_zeros(digits).is_empty() {
                zeros = zeros.saturating_add(1);
            } else {
                key.resize(key.len().saturating_add(zeros), encode::NUMBER_FIRST);
                zeros = 0;
                encode::number(digits, key);
            }
        }
        if self.prerelease.is_none() {
            key.push(RELEASE);
            return;
        }
        key.push(PRERELEASE);
        for identifier in self.identifiers() {
            identifier.key(key);
        }
    }
}

/// A part of a prerelease or a build; numbers come before words.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Identifier<'a> {
    Number(Digits<'a>),
    Word(&'a str),
}

impl<'a> Identifier<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        if text.bytes().all(|it| it.is_ascii_digit()) {
            Self::Number(Digits(text))
        } else {
            Self::Word(text)
        }
    }

    pub(super) fn key(&self, key: &mut Vec<u8>) {
        match self {
            Self::Number(Digits(digits)) => encode::number(digits, key),
            Self::Word(word) => {
                key.push(WORD);
                key.extend(word.bytes().map(|it| LETTER.saturating_add(it.saturating_sub(b'!'))));
            }
        }
    }
}

/// A number of any length.
#[derive(PartialEq, Eq)]
pub(super) struct Digits<'a>(&'a str);

impl Ord for Digits<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        encode::compare_numbers(self.0, other.0)
    }
}

impl PartialOrd for Digits<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Ends the numbers of a prerelease.
const PRERELEASE: u8 = 1;
/// Ends those of a release.
const RELEASE: u8 = 2;
/// Stands before a word.
const WORD: u8 = encode::NUMBER_LAST + 1;
/// Letters lie above all that can follow them.
const LETTER: u8 = WORD + 1;
