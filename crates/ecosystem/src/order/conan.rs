//! conan: items of numbers and words, a pre-release behind a hyphen, a build behind a plus.

use std::cmp::Ordering;

use super::{BadVersion, Order, encode};

const ID: &str = "conan";

pub(super) struct Conan;

impl Order for Conan {
    fn id(&self) -> &'static str {
        ID
    }

    // Conan compares a number with a word as texts, and so `9 < 10 < 1a < 9`. Where it goes in such
    // circles, which takes words that begin with numbers of different lengths, those numbers decide.
    fn title(&self) -> &'static str {
        "as Conan 2 decides; a word that begins with a number comes right after that number"
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        let (left, right) = (read(left)?, read(right)?);
        Ok(compare_items(left.main, right.main)
            .then_with(|| match (left.pre, right.pre) {
                (Some(left), Some(right)) => compare_items(left, right),
                (left, right) => left.is_none().cmp(&right.is_none()),
            })
            .then_with(|| match (left.build, right.build) {
                (Some(left), Some(right)) => compare_items(left, right),
                (left, right) => left.is_some().cmp(&right.is_some()),
            }))
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        let read = read(version)?;
        push_items(read.main, key);
        if let Some(pre) = read.pre {
            key.push(PRE);
            push_items(pre, key);
        }
        // Either mark also ends the items before it: both are below every item.
        key.push(RELEASE);
        if let Some(build) = read.build {
            key.push(BUILD);
            push_items(build, key);
        }
        Ok(())
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "0",
            "1",
            "1.0",
            "1.0.0",
            "1.0.1",
            "1.1.0l",
            "1.1.1",
            "1.1.1a",
            "1.1.1t",
            "1.1.2",
            "1.9",
            "1.10",
            "1.1a",
            "1.0-",
            "1.0-alpha",
            "1.0-alpha.1",
            "1.0-1",
            "1.0-pre.0",
            "1.0-pre",
            "1.0+1",
            "1.0+build.0",
            "1.0-pre+build",
            "system",
            "cci.20230101",
            "cci.20230102",
            "2023a",
            "9e",
            "9f",
            "10",
            "1.0-b-c",
            "1.0+a+b",
            "99999999999999999999.1",
        ]
    }
}

const PRE: u8 = 0x01;
const RELEASE: u8 = 0x02;
const BUILD: u8 = 0x03;
/// Words that begin below digits, and those that begin above them.
const LOW_WORD: u8 = 0x0F;
const HIGH_WORD: u8 = 0xA0;

struct Version<'a> {
    main: &'a str,
    pre: Option<&'a str>,
    build: Option<&'a str>,
}

fn read(version: &str) -> Result<Version<'_>, BadVersion> {
    if version.is_empty() || !version.bytes().all(|it| it.is_ascii_graphic()) {
        return Err(BadVersion::new(ID, version, "it is empty, or not plain ASCII"));
    }
    let (rest, build) =
        version.rsplit_once('+').map_or((version, None), |(rest, it)| (rest, Some(it)));
    let (main, pre) = rest.split_once('-').map_or((rest, None), |(main, it)| (main, Some(it)));
    Ok(Version { main, pre, build })
}

/// The items without the zeros at the end.
fn items(text: &str) -> impl Iterator<Item = Item<'_>> {
    let mut end = text;
    loop {
        let (before, last) = end.rsplit_once('.').map_or(("", end), |(before, it)| (before, it));
        let is_zero = !last.is_empty() && last.bytes().all(|it| it == b'0');
        if !is_zero || end.is_empty() {
            break;
        }
        if before.is_empty() && !end.contains('.') {
            return Items(None);
        }
        end = before;
    }
    Items(Some(end))
}

struct Items<'a>(Option<&'a str>);

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        let text = self.0?;
        let (item, rest) = text.split_once('.').map_or((text, None), |(it, rest)| (it, Some(rest)));
        self.0 = rest;
        let (number, word) = encode::split_digits(item);
        Some(if number.is_empty() { Item::Word(word) } else { Item::Number(number, word) })
    }
}

enum Item<'a> {
    Number(&'a str, &'a str),
    Word(&'a str),
}

impl Item<'_> {
    fn compare(&self, other: &Self) -> Ordering {
        let is_low = |word: &str| word.bytes().next().is_none_or(|it| it < b'0');
        match (self, other) {
            (Item::Number(left, left_word), Item::Number(right, right_word)) => {
                encode::compare_numbers(left, right).then_with(|| left_word.cmp(right_word))
            }
            (Item::Word(left), Item::Word(right)) => left.cmp(right),
            (Item::Word(word), Item::Number(..)) if is_low(word) => Ordering::Less,
            (Item::Word(_), Item::Number(..)) => Ordering::Greater,
            (Item::Number(..), Item::Word(word)) if is_low(word) => Ordering::Greater,
            (Item::Number(..), Item::Word(_)) => Ordering::Less,
        }
    }
}

/// Item by item; where one ends first, it is the lower one.
fn compare_items(left: &str, right: &str) -> Ordering {
    let mut rights = items(right);
    for left in items(left) {
        let Some(right) = rights.next() else {
            return Ordering::Greater;
        };
        let said = left.compare(&right);
        if said.is_ne() {
            return said;
        }
    }
    if rights.next().is_some() { Ordering::Less } else { Ordering::Equal }
}

fn push_items(text: &str, key: &mut Vec<u8>) {
    for item in items(text) {
        match item {
            Item::Number(number, word) => {
                encode::number(number, key);
                encode::text(word, key);
            }
            Item::Word(word) => {
                let is_low = word.bytes().next().is_none_or(|it| it < b'0');
                key.push(if is_low { LOW_WORD } else { HIGH_WORD });
                encode::text(word, key);
            }
        }
    }
}
