//! rpm: Fedora, Red Hat, SUSE, Amazon, Azure Linux and all others of that tribe.

use std::cmp::Ordering;

use super::{BadVersion, Order, encode};

/// `[epoch:]version[-release]`. No epoch is epoch 0, and no release sorts before every release but one
/// that begins with a tilde, as rpm itself has it.
pub(super) struct Rpm;

const ID: &str = "rpm";

impl Order for Rpm {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "as rpm compares epoch, version and release"
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        let (left, right) = (Label::read(ID, left)?, Label::read(ID, right)?);
        Ok(encode::compare_numbers(left.epoch, right.epoch)
            .then_with(|| Pieces(left.version).cmp(Pieces(right.version)))
            .then_with(|| {
                Pieces(left.release.unwrap_or("")).cmp(Pieces(right.release.unwrap_or("")))
            }))
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        let label = Label::read(ID, version)?;
        encode::number(label.epoch, key);
        part_key(label.version, key);
        part_key(label.release.unwrap_or(""), key);
        Ok(())
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "1",
            "1.0",
            "1.0.0",
            "01.0",
            "0:1.0-1",
            "1.0-1.el8",
            "1.0-1.el8_9.2",
            "1:1.0",
            "1.0~rc1",
            "1.0~~",
            "1.0^",
            "1.0^20210501",
            "1.0^git1~pre",
            "1.0a",
            "1.0.a",
            "1.0ab",
            "1.0_1",
            "1.0-~1",
            "1.1.1k-12.el8_9",
            "1.0.99999999999999999999",
            "a",
            "A",
            "2.el9",
            "1.0..",
            "0:3.6.8-56.module+el8.9.0+20801",
            "1.a.2",
            "1.a2",
            "1.0-",
            "1.0-1",
        ]
    }
}

/// Epoch, version and release of an rpm or an Arch package.
pub(super) struct Label<'a> {
    pub(super) epoch: &'a str,
    pub(super) version: &'a str,
    pub(super) release: Option<&'a str>,
}

impl<'a> Label<'a> {
    pub(super) fn read(order: &'static str, text: &'a str) -> Result<Self, BadVersion> {
        let bad = |why| BadVersion::new(order, text, why);
        if !text.bytes().all(|it| it.is_ascii_graphic()) {
            return Err(bad("there are characters in it no version has"));
        }
        let (digits, rest) = encode::split_digits(text);
        // Only digits make an epoch; any other colon is like a point.
        let (epoch, rest) = rest.strip_prefix(':').map_or(("", text), |rest| (digits, rest));
        let (version, release) = rest
            .rsplit_once('-')
            .map_or((rest, None), |(version, release)| (version, Some(release)));
        if version.is_empty() {
            return Err(bad("it is empty"));
        }
        Ok(Self { epoch, version, release })
    }
}

/// What rpm sees in a version, in the order in which it sorts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Piece<'a> {
    Tilde,
    End,
    Caret,
    Letters(&'a str),
    Digits(Number<'a>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Number<'a>(&'a str);

impl Ord for Number<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        encode::compare_numbers(self.0, other.0)
    }
}

impl PartialOrd for Number<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The pieces of a text, and the end behind them.
struct Pieces<'a>(&'a str);

impl<'a> Pieces<'a> {
    fn next(&mut self) -> Piece<'a> {
        let counts = |it: u8| it.is_ascii_alphanumeric() || it == b'~' || it == b'^';
        let (_, rest) = encode::split_while(self.0, |it| !counts(it));
        let (piece, rest) = match rest.as_bytes().first() {
            None => (Piece::End, ""),
            Some(b'~') => (Piece::Tilde, rest.strip_prefix('~').unwrap_or("")),
            Some(b'^') => (Piece::Caret, rest.strip_prefix('^').unwrap_or("")),
            Some(first) if first.is_ascii_digit() => {
                let (digits, rest) = encode::split_digits(rest);
                (Piece::Digits(Number(digits)), rest)
            }
            Some(_) => {
                let (letters, rest) = encode::split_while(rest, |it| it.is_ascii_alphabetic());
                (Piece::Letters(letters), rest)
            }
        };
        self.0 = rest;
        piece
    }

    fn cmp(mut self, mut other: Self) -> Ordering {
        loop {
            let (left, right) = (self.next(), other.next());
            let order = left.cmp(&right);
            if order.is_ne() || left == Piece::End {
                return order;
            }
        }
    }
}

const TILDE: u8 = 1;
const END: u8 = 2;
const CARET: u8 = 3;
const LETTERS: u8 = 4;
/// Letters lie above all that can follow them.
const LETTER: u8 = encode::NUMBER_LAST + 1;

fn part_key(part: &str, key: &mut Vec<u8>) {
    let mut pieces = Pieces(part);
    loop {
        match pieces.next() {
            Piece::Tilde => key.push(TILDE),
            Piece::Caret => key.push(CARET),
            Piece::Digits(Number(digits)) => encode::number(digits, key),
            Piece::Letters(letters) => {
                key.push(LETTERS);
                key.extend(letters.bytes().map(|it| LETTER + it.saturating_sub(b'A')));
            }
            Piece::End => return key.push(END),
        }
    }
}
