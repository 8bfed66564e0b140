//! pacman: Arch Linux.

use std::cmp::Ordering;

use super::rpm::Label;
use super::{BadVersion, Order, encode};

/// `[epoch:]pkgver[-pkgrel]`.
///
/// `vercmp` differs in two ways, neither of which is an order. It takes versions of which one has no
/// pkgrel for equal, whatever the other's pkgrel is: here the one without comes first. And what it
/// makes of separators at the end goes in circles, so these are no versions here; Arch has none.
pub(super) struct Pacman;

const ID: &str = "pacman";

impl Order for Pacman {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "as pacman's `vercmp` decides"
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        let (left, right) = (read(left)?, read(right)?);
        Ok(encode::compare_numbers(left.epoch, right.epoch)
            .then_with(|| compare_part(left.version, right.version))
            .then_with(|| match (left.release, right.release) {
                (Some(left), Some(right)) => compare_part(left, right),
                (left, right) => left.is_some().cmp(&right.is_some()),
            }))
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        let label = read(version)?;
        encode::number(label.epoch, key);
        part_key(label.version, key);
        if let Some(release) = label.release {
            part_key(release, key);
        }
        Ok(())
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "1",
            "1.0",
            "1.0.0",
            "01.0",
            "1.0-1",
            "1.0-2",
            "1.0-1.1",
            "1:0.5-1",
            "0:1.0-1",
            "1.0a",
            "1.0.a",
            "1.0a1",
            "1.0a.1",
            "1.0..1",
            "1.0._a",
            "1.0rc1",
            "1.0.rc1",
            "1.0beta",
            "r12.abcdef",
            "1.0+r5+g123abc-1",
            "20240101-1",
            "2.0.99999999999999999999-1",
            "a",
            "1.0A",
        ]
    }
}

fn read(version: &str) -> Result<Label<'_>, BadVersion> {
    let label = Label::read(ID, version)?;
    let ends_well =
        |part: &str| part.bytes().next_back().is_some_and(|it| it.is_ascii_alphanumeric());
    if !ends_well(label.version) || !label.release.is_none_or(ends_well) {
        return Err(BadVersion::new(ID, version, "it ends with a separator"));
    }
    Ok(label)
}

/// Cuts off the separators a part begins with, and the letters or digits behind them.
fn split_segment(part: &str) -> (usize, &str, &str) {
    let (separators, rest) = encode::split_while(part, |it| !it.is_ascii_alphanumeric());
    let (segment, rest) = match encode::split_digits(rest) {
        ("", _) => encode::split_while(rest, |it| it.is_ascii_alphabetic()),
        both => both,
    };
    (separators.len(), segment, rest)
}

fn is_number(segment: &str) -> bool {
    segment.starts_with(|it: char| it.is_ascii_digit())
}

fn compare_part(mut left: &str, mut right: &str) -> Ordering {
    loop {
        match (left, right) {
            ("", "") => return Ordering::Equal,
            // Letters right behind a number tell of what came before it: `1.0rc1`.
            ("", _) if right.starts_with(|it: char| it.is_ascii_alphabetic()) => {
                return Ordering::Greater;
            }
            (_, "") if left.starts_with(|it: char| it.is_ascii_alphabetic()) => {
                return Ordering::Less;
            }
            ("", _) => return Ordering::Less,
            (_, "") => return Ordering::Greater,
            _ => {}
        }
        let (gap, one, left_rest) = split_segment(left);
        let (other_gap, two, right_rest) = split_segment(right);
        let order = gap.cmp(&other_gap).then_with(|| match (is_number(one), is_number(two)) {
            (true, true) => encode::compare_numbers(one, two),
            (false, false) => one.cmp(two),
            (left, right) => left.cmp(&right),
        });
        if order.is_ne() {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
}

const JOINED_LETTERS: u8 = 1;
const END: u8 = 2;
const JOINED_DIGITS: u8 = 3;
const LETTERS: u8 = 4;
/// Stands before the number of separators, where there is more than one.
const WIDE: u8 = encode::NUMBER_LAST + 1;
/// Letters lie above all that can follow them.
const LETTER: u8 = WIDE + 1;

fn part_key(part: &str, key: &mut Vec<u8>) {
    let mut rest = part;
    // Nothing precedes the first segment, where a part cannot end: it is written as if a separator
    // did, which is shorter.
    let mut before = 1;
    while !rest.is_empty() {
        let (separators, segment, after) = split_segment(rest);
        rest = after;
        let gap = separators.saturating_add(before);
        before = 0;
        if gap > 1 {
            key.push(WIDE);
            encode::small_number(gap as u64, key);
        }
        match (gap, is_number(segment)) {
            (0, true) => key.push(JOINED_DIGITS),
            (0, false) => key.push(JOINED_LETTERS),
            (_, true) => {}
            (_, false) => key.push(LETTERS),
        }
        if is_number(segment) {
            encode::number(segment, key);
        } else {
            key.extend(segment.bytes().map(|it| LETTER + it.saturating_sub(b'A')));
        }
    }
    key.push(END);
}
