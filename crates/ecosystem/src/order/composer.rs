//! composer: versions as Composer normalises them, compared as PHP compares.

use std::cmp::Ordering;

use super::php::Cut;
use super::{BadVersion, Order, encode};

const ID: &str = "composer";

pub(super) struct Composer;

impl Order for Composer {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "as `composer/semver` decides; branches, which it cannot rank, by name before all versions"
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        Ok(match (read(left)?, read(right)?) {
            (Normal::Branch(left), Normal::Branch(right)) => left.cmp(right),
            (Normal::Branch(_), Normal::Version(_)) => Ordering::Less,
            (Normal::Version(_), Normal::Branch(_)) => Ordering::Greater,
            (Normal::Version(left), Normal::Version(right)) => left.compare(&right),
        })
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        match read(version)? {
            Normal::Branch(name) => {
                key.push(BRANCH);
                encode::text(name, key);
            }
            Normal::Version(cut) => cut.key(key),
        }
        Ok(())
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "1",
            "v1.0",
            "1.0.0.0",
            "1.0-stable",
            "1.0-STABLE",
            "1.0-dev",
            "1.0.x-dev",
            "1.x-dev",
            "1.0-alpha1",
            "1.0a1",
            "1.0-beta.2",
            "1.0b3-dev",
            "1.0-RC1",
            "1.0rc2",
            "1.0-p1",
            "1.0-patch2",
            "1.0pl3",
            "1.0.0+build",
            "1.0.1@dev",
            "1.0.x-dev as 1.0.2",
            "2010.01.02",
            "20100102-1",
            "201001021203",
            "dev-master",
            "dev-feature/one",
            "master",
            "1.0.99999999999999999999",
        ]
    }
}

/// Below every number, with which any version begins.
const BRANCH: u8 = 0x01;

enum Normal<'a> {
    Branch(&'a str),
    Version(Cut),
}

fn read(version: &str) -> Result<Normal<'_>, BadVersion> {
    let text = without_flag(without_alias(version.trim_matches(SPACES)));
    if matches!(text, "master" | "trunk" | "default") {
        return Ok(Normal::Branch(text));
    }
    if let Some(name) = strip_word(text, "dev-") {
        return Ok(Normal::Branch(name));
    }
    let text = without_metadata(text);
    let plain = text.strip_prefix(['v', 'V']).unwrap_or(text);
    classical(plain)
        .or_else(|| dated(plain))
        .or_else(|| numeric_branch(text))
        .and_then(|it| Cut::new(&it))
        .map(Normal::Version)
        .ok_or_else(|| BadVersion::new(ID, version, "Composer does not know how to normalise it"))
}

/// What PHP's `trim` cuts off.
const SPACES: [char; 6] = [' ', '\t', '\n', '\r', '\0', '\x0B'];

/// `1.0.x-dev as 1.0.2` is the former.
fn without_alias(text: &str) -> &str {
    let is_word =
        |it: &str| !it.is_empty() && !it.contains(|it: char| it == ',' || it.is_whitespace());
    let Some((version, alias)) = text.split_once(" as ") else {
        return text;
    };
    let (version, alias) = (version.trim_end_matches(' '), alias.trim_start_matches(' '));
    if is_word(version) && is_word(alias) { version } else { text }
}

fn without_flag(text: &str) -> &str {
    let Some((version, flag)) = text.rsplit_once('@') else {
        return text;
    };
    let flags = ["stable", "RC", "beta", "alpha", "dev"];
    if flags.iter().any(|it| it.eq_ignore_ascii_case(flag)) { version } else { text }
}

fn without_metadata(text: &str) -> &str {
    match text.split_once('+') {
        Some((version, metadata))
            if !version.is_empty()
                && !version.contains(|it: char| it == ',' || it.is_whitespace())
                && !metadata.is_empty()
                && !metadata.contains(char::is_whitespace) =>
        {
            version
        }
        _ => text,
    }
}

/// One to four numbers, the first of at most five digits.
fn classical(text: &str) -> Option<String> {
    let (first, mut rest) = encode::split_digits(text);
    if first.is_empty() || first.len() > 5 {
        return None;
    }
    let mut normal = first.to_owned();
    for _ in 0..3 {
        let (digits, after) = rest.strip_prefix('.').map_or(("", rest), encode::split_digits);
        normal.push('.');
        if digits.is_empty() {
            normal.push('0');
        } else {
            normal.push_str(digits);
            rest = after;
        }
    }
    push_modifier(&mut normal, &read_modifier(rest)?);
    Some(normal)
}

/// A date, perhaps with a time: four digits, one to six pairs, and up to three digits more.
fn dated(text: &str) -> Option<String> {
    let (year, mut rest) = cut_digits(text, 4)?;
    let mut ends = Vec::new();
    while let Some((_, after)) = cut_digits(rest.strip_prefix(['.', ':', '-']).unwrap_or(rest), 2) {
        ends.push(after);
        rest = after;
        if ends.len() == 6 {
            break;
        }
    }
    // The longest first, as a regular expression tries them.
    for end in ends.iter().rev() {
        let more = end.strip_prefix(['.', ':', '-']).unwrap_or(end);
        let tails = [3, 2, 1].into_iter().filter_map(|count| Some(cut_digits(more, count)?.1));
        for tail in tails.chain([*end]) {
            if let Some(modifier) = read_modifier(tail) {
                let (date, _) = text.split_at_checked(text.len().checked_sub(tail.len())?)?;
                let mut normal = year.to_owned();
                let (_, rest) = date.split_at_checked(year.len())?;
                normal.extend(rest.chars().map(|it| if it.is_ascii_digit() { it } else { '.' }));
                push_modifier(&mut normal, &modifier);
                return Some(normal);
            }
        }
    }
    None
}

fn cut_digits(text: &str, count: usize) -> Option<(&str, &str)> {
    let (digits, rest) = text.split_at_checked(count)?;
    digits.bytes().all(|it| it.is_ascii_digit()).then_some((digits, rest))
}

/// `1.x-dev`: as high as that branch can come.
fn numeric_branch(text: &str) -> Option<String> {
    let (start, end) = text.split_at_checked(text.len().checked_sub("dev".len())?)?;
    if !end.eq_ignore_ascii_case("dev") {
        return None;
    }
    let name = start.strip_suffix(['.', '-']).unwrap_or(start).trim_matches(SPACES);
    let name = name.strip_prefix(['v', 'V']).unwrap_or(name);
    let mut normal = String::new();
    let mut count = 0;
    for part in name.split('.') {
        let is_number = !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
        match part {
            "x" | "X" | "*" if count > 0 => normal.push_str(".9999999"),
            _ if is_number => {
                normal.push_str(if count > 0 { "." } else { "" });
                normal.push_str(part);
            }
            _ => return None,
        }
        count += 1;
        if count > 4 {
            return None;
        }
    }
    normal.push_str(&".9999999".repeat(4_usize.saturating_sub(count)));
    normal.push_str("-dev");
    Some(normal)
}

/// How stable it says it is, and its number; and whether `dev` follows.
struct Modifier<'a> {
    stability: Option<(&'a str, &'a str)>,
    is_dev: bool,
}

/// Everything to the end must be a modifier; nothing is one too.
fn read_modifier(text: &str) -> Option<Modifier<'_>> {
    let text = text.strip_prefix(['.', '_', '-']).unwrap_or(text);
    let words = ["stable", "beta", "b", "rc", "alpha", "a", "patch", "pl", "p"];
    let word = words.iter().find(|it| strip_word(text, it).is_some());
    let (stability, rest) = match word.and_then(|it| text.split_at_checked(it.len())) {
        None => (None, text),
        Some((word, after)) => {
            let mut rest = after;
            loop {
                let more = rest.strip_prefix(['.', '-']).unwrap_or(rest);
                let (digits, end) = encode::split_digits(more);
                if digits.is_empty() {
                    break;
                }
                rest = end;
            }
            let (numbers, _) = after.split_at_checked(after.len().checked_sub(rest.len())?)?;
            (Some((word, numbers)), rest)
        }
    };
    let dev = rest.strip_prefix(['.', '-']).unwrap_or(rest);
    let is_dev = dev.eq_ignore_ascii_case("dev");
    (rest.is_empty() || is_dev).then_some(Modifier { stability, is_dev })
}

fn push_modifier(normal: &mut String, modifier: &Modifier<'_>) {
    if let Some((word, numbers)) = modifier.stability {
        // Composer looks for this one with its case, and forgets what follows.
        if word == "stable" {
            return;
        }
        normal.push('-');
        match word.to_ascii_lowercase().as_str() {
            "a" => normal.push_str("alpha"),
            "b" => normal.push_str("beta"),
            "p" | "pl" => normal.push_str("patch"),
            "rc" => normal.push_str("RC"),
            other => normal.push_str(other),
        }
        normal.push_str(numbers.trim_start_matches(['.', '-']));
    }
    if modifier.is_dev {
        normal.push_str("-dev");
    }
}

/// Cuts a word off the front, whatever its case.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then_some(rest)
}
