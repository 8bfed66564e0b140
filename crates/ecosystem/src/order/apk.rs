//! apk: Alpine, Wolfi, Chainguard and their kin.

use std::cmp::Ordering;

use super::{BadVersion, Order, encode};

/// `1{.2}…{a}{_rc1}…{~hash}{-r0}`, as apk-tools 3 has it
/// (<https://gitlab.alpinelinux.org/alpine/apk-tools/-/blob/master/doc/apk-package.5.scd>).
///
/// Version 2 differs where a number begins with a zero: it counts the zeros and goes on with the rest
/// as a number (`1.010` after `1.02`), version 3 compares such numbers as texts.
pub(super) struct Apk;

const ID: &str = "apk";

impl Order for Apk {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "as `apk version --test` decides"
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        let (mut one, mut two) = (Tokens::new(left), Tokens::new(right));
        let mut order = Ordering::Equal;
        // To the end of both, for what cannot be read may be behind the difference.
        loop {
            let (left, right) = (one.next()?, two.next()?);
            order = order.then_with(|| left.compare(right));
            if left == Token::End && right == Token::End {
                return Ok(order);
            }
        }
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        let start = key.len();
        let mut tokens = Tokens::new(version);
        loop {
            match tokens.next().inspect_err(|_| key.truncate(start))? {
                Token::First(digits) => encode::number(digits, key),
                Token::Digits("0") => key.push(ZERO),
                Token::Digits(digits) if digits.starts_with('0') => {
                    key.push(WITH_ZEROS);
                    encode::text(digits, key);
                }
                Token::Digits(digits) => encode::number(digits, key),
                Token::Letter(letter) => key.extend([LETTER, letter]),
                Token::Suffix(suffix) => key.push(suffix.byte()),
                Token::SuffixNumber(digits) => {
                    key.push(SUFFIX_NUMBER);
                    encode::number(digits, key);
                }
                Token::Hash(hash) => {
                    key.push(HASH);
                    encode::text(hash, key);
                }
                Token::Revision(digits) => {
                    key.push(REVISION);
                    encode::number(digits, key);
                }
                Token::End => {
                    key.push(END);
                    return Ok(());
                }
            }
        }
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "0",
            "1",
            "1.0",
            "1.0-r0",
            "1.0-r1",
            "1.0-r01",
            "01.0",
            "1.01",
            "1.010",
            "1.02",
            "1.00",
            "1.1",
            "1.10",
            "1.0a",
            "1.0b-r1",
            "1.0_alpha",
            "1.0_alpha0",
            "1.0_alpha2",
            "1.0_beta",
            "1.0_pre",
            "1.0_rc1-r3",
            "1.0_rc1_p2",
            "1.0_cvs",
            "1.0_svn",
            "1.0_git20240101",
            "1.0_hg",
            "1.0_p1",
            "1.0_p1~deadbeef",
            "1.0~beef-r2",
            "1.2.3b_p1",
            "3.0.99999999999999999999",
        ]
    }
}

/// What stands between the numbers of the key, lowest first: what is yet to come of a version sorts
/// before its end where it tells of a release not yet made, and after it where not.
const ALPHA: u8 = 1;
const BETA: u8 = 2;
const PRE: u8 = 3;
const RC: u8 = 4;
const END: u8 = 5;
const REVISION: u8 = 6;
const HASH: u8 = 7;
const SUFFIX_NUMBER: u8 = 8;
const CVS: u8 = 9;
const SVN: u8 = 10;
const GIT: u8 = 11;
const HG: u8 = 12;
const P: u8 = 13;
const LETTER: u8 = 14;
/// A lone 0 is the lowest of all digits, then come the others that begin with one, as texts.
const ZERO: u8 = 15;
/// The byte of the number 0, which no other number begins with.
const WITH_ZEROS: u8 = encode::NUMBER_FIRST;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Suffix {
    Alpha,
    Beta,
    Pre,
    Rc,
    Cvs,
    Svn,
    Git,
    Hg,
    P,
}

impl Suffix {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "alpha" => Self::Alpha,
            "beta" => Self::Beta,
            "pre" => Self::Pre,
            "rc" => Self::Rc,
            "cvs" => Self::Cvs,
            "svn" => Self::Svn,
            "git" => Self::Git,
            "hg" => Self::Hg,
            "p" => Self::P,
            _ => return None,
        })
    }

    fn byte(self) -> u8 {
        match self {
            Self::Alpha => ALPHA,
            Self::Beta => BETA,
            Self::Pre => PRE,
            Self::Rc => RC,
            Self::Cvs => CVS,
            Self::Svn => SVN,
            Self::Git => GIT,
            Self::Hg => HG,
            Self::P => P,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    First(&'a str),
    Digits(&'a str),
    Letter(u8),
    Suffix(Suffix),
    SuffixNumber(&'a str),
    Hash(&'a str),
    Revision(&'a str),
    End,
}

impl Token<'_> {
    fn rank(self) -> u8 {
        match self {
            Self::First(_) => 0,
            Self::Digits(_) => 1,
            Self::Letter(_) => 2,
            Self::Suffix(_) => 3,
            Self::SuffixNumber(_) => 4,
            Self::Hash(_) => 5,
            Self::Revision(_) => 6,
            Self::End => 7,
        }
    }

    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Digits(left), Self::Digits(right))
                if left.starts_with('0') || right.starts_with('0') =>
            {
                left.cmp(right)
            }
            (Self::First(left), Self::First(right))
            | (Self::Digits(left), Self::Digits(right))
            | (Self::SuffixNumber(left), Self::SuffixNumber(right))
            | (Self::Revision(left), Self::Revision(right)) => encode::compare_numbers(left, right),
            (Self::Letter(left), Self::Letter(right)) => left.cmp(&right),
            (Self::Suffix(left), Self::Suffix(right)) => left.cmp(&right),
            (Self::Hash(left), Self::Hash(right)) => left.cmp(right),
            (Self::Suffix(suffix), _) if suffix <= Suffix::Rc => Ordering::Less,
            (_, Self::Suffix(suffix)) if suffix <= Suffix::Rc => Ordering::Greater,
            // What apk would look for last says least.
            _ => other.rank().cmp(&self.rank()),
        }
    }
}

struct Tokens<'a> {
    version: &'a str,
    rest: &'a str,
    last: Option<Token<'a>>,
}

impl<'a> Tokens<'a> {
    fn new(version: &'a str) -> Self {
        Self { version, rest: version, last: None }
    }

    fn next(&mut self) -> Result<Token<'a>, BadVersion> {
        let (token, rest) = self.read().map_err(|why| BadVersion::new(ID, self.version, why))?;
        self.rest = rest;
        self.last = Some(token);
        Ok(token)
    }

    fn read(&self) -> Result<(Token<'a>, &'a str), &'static str> {
        let digits =
            |text: &'a str, token: fn(&'a str) -> Token<'a>| match encode::split_digits(text) {
                ("", _) => Err("a number is missing"),
                (digits, rest) => Ok((token(digits), rest)),
            };
        let Some(last) = self.last else {
            return digits(self.rest, Token::First);
        };
        let rank = last.rank();
        let after = |mark: &str| self.rest.strip_prefix(mark);
        if self.rest.is_empty() {
            Ok((Token::End, ""))
        } else if let Some(rest) = after(".").filter(|_| rank <= 1) {
            digits(rest, Token::Digits)
        } else if let Some(rest) = after("_").filter(|_| rank <= 4) {
            let (name, rest) = encode::split_while(rest, |it| it.is_ascii_lowercase());
            Ok((Token::Suffix(Suffix::read(name).ok_or("apk has no such suffix")?), rest))
        } else if let Some(rest) = after("~").filter(|_| rank <= 4) {
            let hexadecimal = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
            match encode::split_while(rest, hexadecimal) {
                ("", _) => Err("there is no hash behind the tilde"),
                (hash, rest) => Ok((Token::Hash(hash), rest)),
            }
        } else if let Some(rest) = after("-r").filter(|_| rank <= 5) {
            digits(rest, Token::Revision)
        } else {
            match (last, self.rest.as_bytes().first()) {
                (Token::First(_) | Token::Digits(_), Some(letter))
                    if letter.is_ascii_lowercase() =>
                {
                    Ok((Token::Letter(*letter), self.rest.get(1..).unwrap_or("")))
                }
                (Token::Suffix(_), Some(digit)) if digit.is_ascii_digit() => {
                    digits(self.rest, Token::SuffixNumber)
                }
                _ => Err("it is not numbers, a letter, suffixes, a hash and `-r` with a number"),
            }
        }
    }
}
