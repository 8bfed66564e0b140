//! bitnami: three numbers, then a revision that comes after the version without one.

use std::cmp::Ordering;

use super::{BadVersion, Order, encode};

const ID: &str = "bitnami";

pub(super) struct Bitnami;

impl Order for Bitnami {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "as Bitnami's `go-version` decides: SemVer, but `1.2.3-4` is a revision after `1.2.3`"
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        let (left, right) = (read(left)?, read(right)?);
        let numbers = left
            .numbers
            .iter()
            .zip(right.numbers)
            .map(|(left, right)| encode::compare_numbers(left, right))
            .find(|it| it.is_ne());
        Ok(numbers.unwrap_or_else(|| match (left.revision, right.revision) {
            (Some(left), Some(right)) => compare_revisions(left, right),
            (left, right) => left.is_some().cmp(&right.is_some()),
        }))
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        let read = read(version)?;
        for number in read.numbers {
            encode::number(number, key);
        }
        for part in read.revision.into_iter().flat_map(|it| it.split('.')) {
            if is_digits(part) {
                encode::number(part, key);
            } else {
                key.push(WORD);
                encode::text(part, key);
            }
        }
        Ok(())
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "0",
            "0.0.1",
            "1.0",
            "1.0.0",
            "1.0.0-0",
            "1.0.0-1",
            "1.0.0-1.1",
            "1.0.0-2.11",
            "1.0.0-2.2",
            "1.0.0-10",
            "1.0.0-rc1",
            "1.0.0-RC1",
            "1.0.0-1+meta",
            "1.0.0+meta",
            "1.2.2147483648",
            "123456789012345678901234567890.0.0",
        ]
    }
}

const WORD: u8 = 0xA0;

struct Version<'a> {
    numbers: [&'a str; 3],
    revision: Option<&'a str>,
}

/// A bound may leave out numbers at the end, which are zeros, and lead with zeros: `2019.09`.
fn read(version: &str) -> Result<Version<'_>, BadVersion> {
    let bad = |why| BadVersion::new(ID, version, why);
    let (rest, metadata) =
        version.split_once('+').map_or((version, None), |(rest, it)| (rest, Some(it)));
    let (main, revision) = rest.split_once('-').map_or((rest, None), |(main, it)| (main, Some(it)));
    let mut numbers = [""; 3];
    let mut places = numbers.iter_mut();
    for number in main.split('.') {
        let place = places.next().ok_or_else(|| bad("it has more than three numbers"))?;
        if number.is_empty() || !is_digits(number) {
            return Err(bad("it does not begin with one to three numbers"));
        }
        *place = number;
    }
    let is_word =
        |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
    if !metadata.is_none_or(|it| it.split('.').all(is_word)) {
        return Err(bad("its build metadata is not letters, digits and hyphens"));
    }
    let is_padded = |it: &str| it.len() > 1 && it.starts_with('0') && is_digits(it);
    if !revision.is_none_or(|it| it.split('.').all(|it| is_word(it) && !is_padded(it))) {
        return Err(bad("its revision is not letters, digits and hyphens, or a zero leads"));
    }
    Ok(Version { numbers, revision })
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|it| it.is_ascii_digit())
}

/// Part by part, numbers before words; the revision that ends first is the lower one.
fn compare_revisions(left: &str, right: &str) -> Ordering {
    let mut rights = right.split('.');
    for left in left.split('.') {
        let Some(right) = rights.next() else {
            return Ordering::Greater;
        };
        let said = match (is_digits(left), is_digits(right)) {
            (true, true) => encode::compare_numbers(left, right),
            (false, false) => left.cmp(right),
            (left, right) => right.cmp(&left),
        };
        if said.is_ne() {
            return said;
        }
    }
    if rights.next().is_some() { Ordering::Less } else { Ordering::Equal }
}
