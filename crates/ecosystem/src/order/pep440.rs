//! pep440: Python's, with epochs, pre-, post- and development releases, and local labels.

use std::cmp::Ordering;

use super::{BadVersion, Order, dotted, encode};

const ID: &str = "pep440";

pub(super) struct Pep440;

impl Order for Pep440 {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "as PEP 440 and Python's `packaging` decide"
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        let (left, right) = (read(left)?, read(right)?);
        Ok(encode::compare_numbers(left.epoch, right.epoch)
            .then_with(|| dotted::compare(&left.release, &right.release))
            .then_with(|| left.stage().cmp(&right.stage()))
            .then_with(|| encode::compare_numbers(left.pre_number(), right.pre_number()))
            .then_with(|| compare_options(left.post, right.post))
            .then_with(|| match (left.dev, right.dev) {
                (Some(left), Some(right)) => encode::compare_numbers(left, right),
                (left, right) => left.is_none().cmp(&right.is_none()),
            })
            .then_with(|| compare_local(left.local, right.local)))
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        let read = read(version)?;
        encode::number(read.epoch, key);
        for number in &read.release {
            encode::number(number, key);
        }
        // The stage also ends the release: it is below every number.
        key.push(read.stage());
        if let Some((_, number)) = read.pre {
            encode::number(number, key);
        }
        match read.post {
            Some(number) => encode::number(number, key),
            None => key.push(BELOW_NUMBERS),
        }
        match read.dev {
            Some(number) => encode::number(number, key),
            None => key.push(ABOVE_NUMBERS),
        }
        for segment in read.local.into_iter().flat_map(local_segments) {
            if is_number(segment) {
                encode::number(segment, key);
            } else {
                key.push(BELOW_NUMBERS);
                encode::text(&segment.to_ascii_lowercase(), key);
            }
        }
        Ok(())
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "1.0",
            "1",
            "1.0.0.0",
            "v1.0",
            "1.0.1",
            "1.0.dev0",
            "1.0.dev456",
            "1.0a1",
            "1.0a2.dev456",
            "1.0.alpha-2",
            "1.0a12.dev456",
            "1.0a12",
            "1.0b1.dev456",
            "1.0b2.post345.dev456",
            "1.0b2.post345",
            "1.0rc1.dev456",
            "1.0c1",
            "1.0-preview",
            "1.0+abc.5",
            "1.0+abc.7",
            "1.0+5",
            "1.0+ABC",
            "1.0.post456.dev34",
            "1.0.post456",
            "1.0-456",
            "1.0-r",
            "1.1.dev1",
            "1!0.1",
            "0!5",
            " 1.0-rev_3.DEV.2+x-1 ",
            "123456789012345678901234567890",
        ]
    }
}

const BELOW_NUMBERS: u8 = 0x01;
const ABOVE_NUMBERS: u8 = 0xFF;

struct Version<'a> {
    epoch: &'a str,
    /// Without the zeros at the end.
    release: Vec<&'a str>,
    pre: Option<(u8, &'a str)>,
    post: Option<&'a str>,
    dev: Option<&'a str>,
    local: Option<&'a str>,
}

impl<'a> Version<'a> {
    /// A bare development release comes before every pre-release, and that before the release.
    fn stage(&self) -> u8 {
        match (self.pre, self.post, self.dev) {
            (Some((stage, _)), _, _) => stage,
            (None, None, Some(_)) => 0x02,
            (None, _, _) => 0x06,
        }
    }

    fn pre_number(&self) -> &'a str {
        self.pre.map_or("", |(_, number)| number)
    }
}

/// Reads from front to back; each part takes what it can, as `packaging` does.
fn read(version: &str) -> Result<Version<'_>, BadVersion> {
    let bad = |why| BadVersion::new(ID, version, why);
    let trimmed = version.trim();
    let mut rest = trimmed.strip_prefix(['v', 'V']).unwrap_or(trimmed);
    let mut epoch = "";
    if let (digits, Some(after)) = strip_epoch(rest) {
        (epoch, rest) = (digits, after);
    }
    let mut release = Vec::new();
    loop {
        let (digits, after) = encode::split_digits(rest);
        if digits.is_empty() {
            return Err(bad("a number is missing"));
        }
        release.push(digits);
        rest = after;
        match rest.strip_prefix('.') {
            Some(after) if after.starts_with(|it: char| it.is_ascii_digit()) => rest = after,
            _ => break,
        }
    }
    while release.last().is_some_and(|it| encode::without_zeros(it).is_empty()) {
        release.pop();
    }
    let pre = strip_labelled(&mut rest, PRE);
    let post = strip_implicit_post(&mut rest)
        .or_else(|| strip_labelled(&mut rest, POST).map(|(_, number)| number));
    let dev = strip_labelled(&mut rest, DEV).map(|(_, number)| number);
    let mut local = None;
    if let Some(after) = rest.strip_prefix('+') {
        let is_word = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric());
        if !local_segments(after).all(is_word) {
            return Err(bad("the local label is not letters and digits"));
        }
        (local, rest) = (Some(after), "");
    }
    if !rest.is_empty() {
        return Err(bad("something follows that PEP 440 does not know"));
    }
    Ok(Version { epoch, release, pre, post, dev, local })
}

/// Longer words first, so that none is cut short.
const PRE: &[(&str, u8)] = &[
    ("alpha", 0x03),
    ("a", 0x03),
    ("beta", 0x04),
    ("b", 0x04),
    ("preview", 0x05),
    ("pre", 0x05),
    ("c", 0x05),
    ("rc", 0x05),
];
const POST: &[(&str, u8)] = &[("post", 0), ("rev", 0), ("r", 0)];
const DEV: &[(&str, u8)] = &[("dev", 0)];

fn strip_epoch(text: &str) -> (&str, Option<&str>) {
    let (digits, rest) = encode::split_digits(text);
    (digits, rest.strip_prefix('!').filter(|_| !digits.is_empty()))
}

/// Takes a word with its number, which may be missing, and a mark before each.
fn strip_labelled<'a>(rest: &mut &'a str, words: &[(&str, u8)]) -> Option<(u8, &'a str)> {
    let text = rest.strip_prefix(MARKS).unwrap_or(rest);
    let (stage, after) = words.iter().find_map(|(word, stage)| {
        let (head, after) = text.split_at_checked(word.len())?;
        head.eq_ignore_ascii_case(word).then_some((*stage, after))
    })?;
    let after = after.strip_prefix(MARKS).unwrap_or(after);
    let (number, after) = encode::split_digits(after);
    *rest = after;
    Some((stage, number))
}

/// `1.0-1` is `1.0.post1`.
fn strip_implicit_post<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let (number, after) = encode::split_digits(rest.strip_prefix('-')?);
    if number.is_empty() {
        return None;
    }
    *rest = after;
    Some(number)
}

const MARKS: [char; 3] = ['.', '_', '-'];

fn local_segments(local: &str) -> impl Iterator<Item = &str> {
    local.split(MARKS)
}

fn is_number(segment: &str) -> bool {
    segment.bytes().all(|it| it.is_ascii_digit())
}

fn compare_options(left: Option<&str>, right: Option<&str>) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => encode::compare_numbers(left, right),
        (left, right) => left.is_some().cmp(&right.is_some()),
    }
}

/// Segment by segment, words before numbers; a version without a label comes first.
fn compare_local(left: Option<&str>, right: Option<&str>) -> Ordering {
    let (Some(left), Some(right)) = (left, right) else {
        return left.is_some().cmp(&right.is_some());
    };
    let mut rights = local_segments(right);
    for left in local_segments(left) {
        let Some(right) = rights.next() else {
            return Ordering::Greater;
        };
        let said = match (is_number(left), is_number(right)) {
            (true, true) => encode::compare_numbers(left, right),
            (false, false) => left.to_ascii_lowercase().cmp(&right.to_ascii_lowercase()),
            (left, right) => left.cmp(&right),
        };
        if said.is_ne() {
            return said;
        }
    }
    if rights.next().is_some() { Ordering::Less } else { Ordering::Equal }
}
