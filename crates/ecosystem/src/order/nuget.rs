//! nuget: up to four numbers, then pre-release labels whose case does not count.

use std::cmp::Ordering;

use super::{BadVersion, Order, encode};

const ID: &str = "nuget";

pub(super) struct Nuget;

impl Order for Nuget {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "as `NuGetVersion` decides: four numbers, labels without case, build metadata ignored"
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        let (left, right) = (read(left)?, read(right)?);
        let numbers = left
            .numbers
            .iter()
            .zip(right.numbers)
            .map(|(left, right)| encode::compare_numbers(left, right))
            .find(|it| it.is_ne());
        Ok(numbers.unwrap_or_else(|| match (left.labels, right.labels) {
            (Some(left), Some(right)) => compare_labels(left, right),
            (left, right) => left.is_none().cmp(&right.is_none()),
        }))
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        let read = read(version)?;
        for number in read.numbers {
            encode::number(number, key);
        }
        let Some(labels) = read.labels else {
            key.push(RELEASE);
            return Ok(());
        };
        for label in labels.split('.') {
            match as_number(label) {
                Some(number) if number < 0 => {
                    key.push(NEGATIVE);
                    key.extend_from_slice(&number.to_be_bytes());
                }
                Some(number) => encode::small_number(u64::from(number.unsigned_abs()), key),
                None => {
                    key.push(WORD);
                    encode::text(&label.to_ascii_uppercase(), key);
                }
            }
        }
        Ok(())
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "0",
            "1",
            "1.0",
            "1.0.0.0",
            "1.0.0.1",
            "01.0.0",
            "1.0.0-0",
            "1.0.0-1",
            "1.0.0--1",
            "1.0.0--2",
            "1.0.0-alpha",
            "1.0.0-ALPHA.1",
            "1.0.0-alpha.beta",
            "1.0.0-alpha.10",
            "1.0.0-alpha.9",
            "1.0.0-99999999999",
            "1.0.0-a-b+meta.1",
            "1.0.0+meta",
            "2.0.50727.42",
            "2147483647.0",
            " 3.1.4 ",
        ]
    }
}

const NEGATIVE: u8 = 0x0F;
const WORD: u8 = 0xA0;
const RELEASE: u8 = 0xFF;

struct Version<'a> {
    numbers: [&'a str; 4],
    labels: Option<&'a str>,
}

fn read(version: &str) -> Result<Version<'_>, BadVersion> {
    let bad = |why| BadVersion::new(ID, version, why);
    let trimmed = version.trim();
    let (rest, metadata) =
        trimmed.split_once('+').map_or((trimmed, None), |(rest, it)| (rest, Some(it)));
    let (main, labels) = rest.split_once('-').map_or((rest, None), |(main, it)| (main, Some(it)));
    let mut numbers = [""; 4];
    let mut places = numbers.iter_mut();
    for number in main.split('.') {
        let place = places.next().ok_or_else(|| bad("it has more than four numbers"))?;
        if number.is_empty() || !is_digits(number) {
            return Err(bad("it does not begin with one to four numbers"));
        }
        *place = number;
    }
    let is_label =
        |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
    if !metadata.is_none_or(|it| it.split('.').all(is_label)) {
        return Err(bad("its build metadata is not letters, digits and hyphens"));
    }
    let is_padded = |it: &str| it.len() > 1 && it.starts_with('0') && is_digits(it);
    if !labels.is_none_or(|it| it.split('.').all(|it| is_label(it) && !is_padded(it))) {
        return Err(bad("its labels are not letters, digits and hyphens, or a zero leads"));
    }
    Ok(Version { numbers, labels })
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|it| it.is_ascii_digit())
}

/// NuGet takes for a number whatever fits into 32 bits, with a sign; the rest are words.
fn as_number(label: &str) -> Option<i32> {
    label.parse().ok()
}

fn compare_labels(left: &str, right: &str) -> Ordering {
    let mut rights = right.split('.');
    for left in left.split('.') {
        let Some(right) = rights.next() else {
            return Ordering::Greater;
        };
        let said = match (as_number(left), as_number(right)) {
            (Some(left), Some(right)) => left.cmp(&right),
            (None, None) => left.to_ascii_uppercase().cmp(&right.to_ascii_uppercase()),
            (left, right) => left.is_none().cmp(&right.is_none()),
        };
        if said.is_ne() {
            return said;
        }
    }
    if rights.next().is_some() { Ordering::Less } else { Ordering::Equal }
}
