//! maven: nested lists of numbers and qualifiers.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{BadVersion, Order, encode, padded};

const ID: &str = "maven";

pub(super) struct Maven;

impl Order for Maven {
    fn id(&self) -> &'static str {
        ID
    }

    // Maven 3 goes in circles with some versions; 4.0.0-rc-7 is the first whose order is total.
    fn title(&self) -> &'static str {
        "as `ComparableVersion` of Maven 4 (4.0.0-rc-7) decides"
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        let (left_text, right_text) = (lower(left)?, lower(right)?);
        Ok(compare_lists(&read(&left_text), &read(&right_text)))
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        push_list(&read(&lower(version)?), key);
        Ok(())
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "0",
            "1",
            "1.0",
            "1-ga",
            "1.final",
            "1-ga1",
            "1-alpha2snapshot",
            "1-alpha2",
            "1-alpha-123",
            "1-beta-2",
            "1-m2",
            "1-milestone-11",
            "1-rc",
            "1-cr2",
            "1-SNAPSHOT",
            "1-sp",
            "1-sp2",
            "1-abc",
            "1-pom-1",
            "1-1-snapshot",
            "1-1",
            "2.0.a",
            "2.0.RC2",
            "2.0-RC3",
            "2.0.1",
            "2.0.1-xyz",
            "1-0.alpha",
            "1.0.0-0.0.1",
            "6.1H.5-beta",
            "1.ga.2",
            "1.ga.ga.2",
            "1-ga-alpha",
            "31.1-jre",
            "20190126.230843",
            "12345678901234567890.1H.5-beta",
        ]
    }
}

/// As many as Maven reads: lists lie in lists, and the depth must have an end.
const LONGEST: usize = 256;

fn lower(version: &str) -> Result<Cow<'_, str>, BadVersion> {
    if version.is_empty() {
        return Err(BadVersion::new(ID, version, "it is empty"));
    }
    if version.len() > LONGEST && version.encode_utf16().count() > LONGEST {
        return Err(BadVersion::new(ID, version, "it is longer than 256 characters"));
    }
    let is_lower = version.bytes().all(|it| it.is_ascii() && !it.is_ascii_uppercase());
    Ok(if is_lower { Cow::Borrowed(version) } else { Cow::Owned(version.to_lowercase()) })
}

enum Item<'a> {
    Number(&'a str),
    Word(Word<'a>),
    /// Always the last of the list it is in, and never empty.
    List(Vec<Item<'a>>),
}

/// A qualifier, with the number that follows it at once or behind a hyphen.
#[derive(Clone, Copy)]
struct Word<'a> {
    rank: u8,
    /// Of a qualifier nobody knows.
    text: &'a str,
    number: Option<&'a str>,
}

const RELEASE: u8 = 5;
const UNKNOWN: u8 = 7;

impl<'a> Word<'a> {
    fn new(text: &'a str, number: Option<&'a str>) -> Self {
        let rank = match (text, number) {
            ("alpha", _) | ("a", Some(_)) => 0,
            ("beta", _) | ("b", Some(_)) => 1,
            ("milestone", _) | ("m", Some(_)) => 2,
            ("rc" | "cr", _) => 3,
            ("snapshot", _) => 4,
            ("ga" | "final" | "release", _) => RELEASE,
            ("sp", _) => 6,
            _ => UNKNOWN,
        };
        Self { rank, text: if rank == UNKNOWN { text } else { "" }, number }
    }

    fn compare(self, other: Self) -> Ordering {
        self.rank.cmp(&other.rank).then_with(|| self.text.cmp(other.text)).then_with(|| {
            match (self.number, other.number) {
                (Some(left), Some(right)) => encode::compare_numbers(left, right),
                // `1-ga0` is `1-ga`, but `1-rc0` comes after `1-rc`.
                (left, right) if self.rank == RELEASE => {
                    encode::compare_numbers(left.unwrap_or(""), right.unwrap_or(""))
                }
                (left, right) => left.is_some().cmp(&right.is_some()),
            }
        })
    }

    /// Against nothing, which is as good as a release.
    fn sign(self) -> Ordering {
        self.compare(Word { rank: RELEASE, text: "", number: None })
    }
}

impl Item<'_> {
    fn is_zero(&self) -> bool {
        matches!(self, Item::Number(digits) if encode::without_zeros(digits).is_empty())
    }

    /// Against nothing, where a shorter list has ended.
    fn sign(&self) -> Ordering {
        match self {
            Item::Number(_) if self.is_zero() => Ordering::Equal,
            Item::Number(_) => Ordering::Greater,
            Item::Word(word) => word.sign(),
            Item::List(list) => sign(list),
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Item::Number(left), Item::Number(right)) => encode::compare_numbers(left, right),
            (Item::Number(_), _) => Ordering::Greater,
            (_, Item::Number(_)) => Ordering::Less,
            (Item::Word(left), Item::Word(right)) => left.compare(*right),
            (Item::List(left), Item::List(right)) => compare_lists(left, right),
            (Item::List(left), right @ Item::Word(_)) => compare_with_word(left, right),
            (left @ Item::Word(_), Item::List(right)) => compare_with_word(right, left).reverse(),
        }
    }
}

/// A word is as good as a list of that word.
fn compare_with_word(list: &[Item<'_>], word: &Item<'_>) -> Ordering {
    match list.split_first() {
        None => word.sign().reverse(),
        Some((first, rest)) => first.compare(word).then_with(|| sign(rest)),
    }
}

fn sign(list: &[Item<'_>]) -> Ordering {
    list.iter().map(Item::sign).find(|it| it.is_ne()).unwrap_or(Ordering::Equal)
}

fn compare_lists(left: &[Item<'_>], right: &[Item<'_>]) -> Ordering {
    let common = left.len().min(right.len());
    left.iter()
        .zip(right)
        .map(|(left, right)| left.compare(right))
        .find(|it| it.is_ne())
        .unwrap_or_else(|| {
            sign(left.get(common..).unwrap_or_default())
                .then_with(|| sign(right.get(common..).unwrap_or_default()).reverse())
        })
}

/// Cuts a version at dots, which go on in the list, and at hyphens and turns, which open another.
fn read(version: &str) -> Vec<Item<'_>> {
    let mut lists: Vec<Vec<Item<'_>>> = vec![Vec::new()];
    let mut rest = version;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            push(&mut lists, Item::Number(""));
            rest = after;
            continue;
        }
        if let Some(after) = rest.strip_prefix('-') {
            push(&mut lists, Item::Number(""));
            open(&mut lists);
            rest = after;
            continue;
        }
        let (token, after) = if rest.starts_with(|it: char| it.is_ascii_digit()) {
            let (digits, after) = encode::split_digits(rest);
            (Item::Number(digits), after)
        } else {
            let end = rest.find(|it: char| it.is_ascii_digit() || matches!(it, '.' | '-'));
            let (word, after) = end.and_then(|it| rest.split_at_checked(it)).unwrap_or((rest, ""));
            // `x-1` is `x1`.
            let (number, behind) = encode::split_digits(after.strip_prefix('-').unwrap_or(after));
            if number.is_empty() {
                (Item::Word(Word::new(word, None)), after)
            } else {
                (Item::Word(Word::new(word, Some(number))), behind)
            }
        };
        // A word with a number, or at the very end, is in a list of its own.
        if matches!(&token, Item::Word(word) if word.number.is_some() || after.is_empty()) {
            open(&mut lists);
        }
        let is_number = !matches!(&token, Item::Word(word) if word.number.is_none());
        push(&mut lists, token);
        rest = if let Some(after) = after.strip_prefix('.') {
            after
        } else if let Some(after) = after.strip_prefix('-') {
            open(&mut lists);
            after
        } else {
            if is_number && !after.is_empty() {
                open(&mut lists);
            }
            after
        };
    }
    let mut inner: Option<Vec<Item<'_>>> = None;
    while let Some(mut list) = lists.pop() {
        list.extend(inner.take().filter(|it| !it.is_empty()).map(Item::List));
        inner = Some(normalize(list));
    }
    inner.unwrap_or_default()
}

fn push<'a>(lists: &mut [Vec<Item<'a>>], item: Item<'a>) {
    if let Some(list) = lists.last_mut() {
        list.push(item);
    }
}

fn open(lists: &mut Vec<Vec<Item<'_>>>) {
    if lists.last().is_some_and(|it| !it.is_empty()) {
        lists.push(Vec::new());
    }
}

/// Zeros go from the end, and from before qualifiers: `1.0-rc` is `1-rc`.
fn normalize(list: Vec<Item<'_>>) -> Vec<Item<'_>> {
    let mut reversed: Vec<Item<'_>> = Vec::with_capacity(list.len());
    for item in list.into_iter().rev() {
        let goes = item.is_zero()
            && match reversed.last() {
                None | Some(Item::Word(Word { number: None, .. })) => true,
                Some(Item::List(list)) => matches!(list.first(), Some(Item::Word(_))),
                Some(_) => false,
            };
        if !goes {
            reversed.push(item);
        }
    }
    reversed.reverse();
    match <[Item<'_>; 1]>::try_from(reversed) {
        Ok([Item::List(list)]) => list,
        Ok([item]) => vec![item],
        Err(list) => list,
    }
}

/// A list as a sequence whose filler is a release. A zero that `normalize` left is above it, since
/// something above it follows. The first item is no list; from the second on, a word is written as
/// the list it is as good as.
fn push_list(list: &[Item<'_>], key: &mut Vec<u8>) {
    let mut releases = 0;
    for (index, item) in list.iter().enumerate() {
        match item {
            Item::Number(digits) => {
                padded::above(releases, key);
                encode::number(digits, key);
            }
            Item::Word(_) | Item::List(_) => {
                match item.sign() {
                    Ordering::Equal => {
                        releases += 1;
                        continue;
                    }
                    Ordering::Less => padded::below(releases, key),
                    Ordering::Greater => {
                        padded::above(releases, key);
                        key.push(padded::LOWEST);
                    }
                }
                match item {
                    Item::List(list) => push_list(list, key),
                    Item::Word(word) if index == 0 => push_word(*word, key),
                    _ => push_list(std::slice::from_ref(item), key),
                }
            }
        }
        releases = 0;
    }
    padded::end(key);
}

fn push_word(word: Word<'_>, key: &mut Vec<u8>) {
    key.push(word.rank);
    if word.rank == UNKNOWN {
        encode::text(word.text, key);
    }
    match word.number {
        None if word.rank != RELEASE => key.push(0),
        number => encode::number(number.unwrap_or(""), key),
    }
}
