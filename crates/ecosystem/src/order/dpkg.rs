//! dpkg: Debian, Ubuntu and what is made of them.

use std::cmp::Ordering;

use super::{BadVersion, Order, encode};

/// `[epoch:]upstream[-revision]`, as
/// <https://manpages.debian.org/bookworm/dpkg-dev/deb-version.7.en.html> says.
pub(super) struct Dpkg;

const ID: &str = "dpkg";

impl Order for Dpkg {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "as `dpkg --compare-versions` decides"
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        let (left, right) = (Parts::read(left)?, Parts::read(right)?);
        Ok(encode::compare_numbers(left.epoch, right.epoch)
            .then_with(|| compare_part(left.upstream, right.upstream))
            .then_with(|| compare_part(left.revision, right.revision)))
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        let parts = Parts::read(version)?;
        encode::number(parts.epoch, key);
        part_key(parts.upstream, key);
        part_key(parts.revision, key);
        Ok(())
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "0",
            "1",
            "1.0",
            "1.00",
            "1.",
            "1.0-0",
            "1.0-1",
            "1.0-1~bpo12+1",
            "1.0~rc1-1",
            "1.0~~",
            "1.0~",
            "1.0a",
            "1.0+b",
            "1.0-1+deb12u3",
            "1:0.9",
            "00:1.0",
            "1.2.3-1-2",
            "1:1.2.11.dfsg+really-2",
            "2.36-9+deb12u10",
            "20230101",
            "1.99999999999999999999",
            "1.0Z",
            "1.0z",
            "a1",
            "1_2",
        ]
    }
}

struct Parts<'a> {
    epoch: &'a str,
    upstream: &'a str,
    revision: &'a str,
}

impl<'a> Parts<'a> {
    fn read(version: &'a str) -> Result<Self, BadVersion> {
        let bad = |why| BadVersion::new(ID, version, why);
        let text = version.trim();
        if text.is_empty() {
            return Err(bad("it is empty"));
        }
        if !text.bytes().all(|it| it.is_ascii_graphic()) {
            return Err(bad("there are characters in it no version has"));
        }
        let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
        if epoch.is_empty() || !epoch.bytes().all(|it| it.is_ascii_digit()) {
            return Err(bad("its epoch is not a number"));
        }
        if encode::compare_numbers(epoch, "2147483647") == Ordering::Greater {
            return Err(bad("its epoch is too big"));
        }
        let (upstream, revision) = match rest.rsplit_once('-') {
            Some((_, "")) => return Err(bad("its revision is empty")),
            Some(both) => both,
            // Without a revision it is as if it were 0.
            None => (rest, "0"),
        };
        if upstream.is_empty() {
            return Err(bad("nothing is before its revision"));
        }
        Ok(Self { epoch, upstream, revision })
    }
}

/// Compares by turns what is no digits, and digits as a number, until both have ended.
fn compare_part(mut left: &str, mut right: &str) -> Ordering {
    while !(left.is_empty() && right.is_empty()) {
        let (one, left_rest) = encode::split_while(left, |it| !it.is_ascii_digit());
        let (two, right_rest) = encode::split_while(right, |it| !it.is_ascii_digit());
        let length = one.len().max(two.len());
        let order = weights(one, length).cmp(weights(two, length));
        if order.is_ne() {
            return order;
        }
        let (one, left_rest) = encode::split_digits(left_rest);
        let (two, right_rest) = encode::split_digits(right_rest);
        let order = encode::compare_numbers(one, two);
        if order.is_ne() {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
    Ordering::Equal
}

/// The end, and a digit, sort after a tilde and before all else.
fn weights(text: &str, length: usize) -> impl Iterator<Item = i32> {
    text.bytes().map(weight).chain(std::iter::repeat(0)).take(length)
}

/// How dpkg weighs a character that is no digit.
fn weight(byte: u8) -> i32 {
    match byte {
        b'~' => -1,
        _ if byte.is_ascii_alphabetic() => i32::from(byte),
        _ => i32::from(byte) + 256,
    }
}

const TILDE: u8 = 1;
/// Where a part ends, the other may go on with anything but a digit.
const END: u8 = 2;

/// The byte of each character that is no digit: tildes below numbers, letters above them, others above
/// those. A number is therefore what ends a run of characters.
const BYTES: [u8; 128] = {
    let mut bytes = [0; 128];
    let next = assign(&mut bytes, true, encode::NUMBER_LAST);
    assign(&mut bytes, false, next);
    bytes[b'~' as usize] = TILDE;
    bytes
};

/// Gives the letters, or all others, the bytes behind `last`, and tells the last one given.
const fn assign(bytes: &mut [u8; 128], letters: bool, mut last: u8) -> u8 {
    let mut at = 0_u8;
    while at < 128 {
        let other = at.is_ascii_graphic() && !at.is_ascii_digit();
        if other && at.is_ascii_alphabetic() == letters {
            last += 1;
            bytes[at as usize] = last;
        }
        at += 1;
    }
    last
}

fn part_key(part: &str, key: &mut Vec<u8>) {
    let mut rest = part;
    while !rest.is_empty() {
        let (text, after) = encode::split_while(rest, |it| !it.is_ascii_digit());
        key.extend(text.bytes().map(|it| BYTES.get(usize::from(it)).copied().unwrap_or(u8::MAX)));
        let (digits, after) = encode::split_digits(after);
        // No digits count as 0.
        encode::number(digits, key);
        rest = after;
    }
    key.push(END);
}
