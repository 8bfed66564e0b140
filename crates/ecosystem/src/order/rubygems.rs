//! rubygems: numbers and words, where any word makes a pre-release.

use std::cmp::Ordering;

use super::{BadVersion, Order, encode, padded};

const ID: &str = "rubygems";

pub(super) struct Rubygems;

impl Order for Rubygems {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "as `Gem::Version` decides: words before numbers, zeros at the end do not count"
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        let (left, right) = (read(left)?, read(right)?);
        let zero = Segment::Number("0");
        Ok((0..left.len().max(right.len()))
            .map(|index| {
                let left = left.get(index).copied().unwrap_or(zero);
                left.compare(right.get(index).copied().unwrap_or(zero))
            })
            .find(|it| it.is_ne())
            .unwrap_or(Ordering::Equal))
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        let mut zeros = 0;
        for segment in read(version)? {
            match segment {
                Segment::Number(digits) if encode::without_zeros(digits).is_empty() => {
                    zeros += 1;
                    continue;
                }
                Segment::Number(digits) => {
                    padded::above(zeros, key);
                    encode::number(digits, key);
                }
                Segment::Word(word) => {
                    padded::below(zeros, key);
                    encode::text(word, key);
                }
            }
            zeros = 0;
        }
        padded::end(key);
        Ok(())
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "0",
            "",
            "0.0.a",
            "0.0.1",
            "1",
            "1.0",
            "1.0.0.0",
            "1.a",
            "1.0.a",
            "1.0.0.a.1",
            "1.0-a.1",
            "1.0.pre.a.1",
            "1.0.a.0.b",
            "1.0.a.0",
            "1.0.a",
            "1.0.A",
            "1.0.a10",
            "1.0.a9",
            "1.0.0.0.0.0.0.0.1",
            "1.0.0.rc1",
            "1.0.0.beta.2",
            " 1.9.3 ",
            "1.10",
            "20230101120000123456789",
        ]
    }
}

#[derive(Clone, Copy)]
enum Segment<'a> {
    Number(&'a str),
    Word(&'a str),
}

impl Segment<'_> {
    fn is_zero(self) -> bool {
        matches!(self, Segment::Number(digits) if encode::without_zeros(digits).is_empty())
    }

    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Segment::Number(left), Segment::Number(right)) => encode::compare_numbers(left, right),
            (Segment::Number(_), Segment::Word(_)) => Ordering::Greater,
            (Segment::Word(_), Segment::Number(_)) => Ordering::Less,
            (Segment::Word(left), Segment::Word(right)) => left.cmp(right),
        }
    }
}

/// The segments, without the zeros before the first word: `1.0.a` is `1.a`.
fn read(version: &str) -> Result<Vec<Segment<'_>>, BadVersion> {
    let trimmed = version.trim_matches([' ', '\t', '\r', '\n', '\x0B', '\x0C']);
    if !trimmed.is_empty() && !is_correct(trimmed) {
        let why = "it is not numbers and words parted by dots, a number first";
        return Err(BadVersion::new(ID, version, why));
    }
    let mut segments: Vec<Segment<'_>> = Vec::new();
    let mut has_word = false;
    let mut rest = trimmed;
    while let Some(first) = rest.bytes().next() {
        let is_word = !first.is_ascii_digit();
        let segment;
        (segment, rest) = if first.is_ascii_digit() {
            let (digits, rest) = encode::split_digits(rest);
            (Segment::Number(digits), rest)
        } else if first.is_ascii_alphabetic() {
            let (word, rest) = encode::split_while(rest, |it| it.is_ascii_alphabetic());
            (Segment::Word(word), rest)
        } else {
            let (_, after) = rest.split_at_checked(1).unwrap_or((rest, ""));
            if first != b'-' {
                rest = after;
                continue;
            }
            // RubyGems reads a hyphen as if `.pre.` stood there.
            (Segment::Word("pre"), after)
        };
        if is_word && !has_word {
            has_word = true;
            while segments.last().is_some_and(|it| it.is_zero()) {
                segments.pop();
            }
        }
        segments.push(segment);
    }
    Ok(segments)
}

/// A number, then numbers and words after dots, then perhaps the same with hyphens after a hyphen.
fn is_correct(version: &str) -> bool {
    let (main, tail) =
        version.split_once('-').map_or((version, None), |(main, tail)| (main, Some(tail)));
    let is_word = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric());
    let is_tail_word =
        |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
    let (number, _) = main.split_once('.').unwrap_or((main, ""));
    number.bytes().all(|it| it.is_ascii_digit())
        && main.split('.').all(is_word)
        && tail.is_none_or(|it| it.split('.').all(is_tail_word))
}
