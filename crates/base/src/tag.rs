//! A tag, taken apart: family, version, system and flavour, as those who name images write them.

/// Letters of a tag: registries take no longer ones.
pub const LONGEST: usize = 128;
/// Numbers of a version that count.
const NUMBERS: usize = 8;

/// A tag: `3.12-slim-bookworm`, `1.27-alpine3.20`, `jdk-21`, `bookworm-20240110`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tag {
    /// Words that say what it is and must stay the same, in their order: `jdk`, `fpm`.
    pub words: Vec<String>,
    /// The version: `3.12`; empty where there is none.
    pub version: Vec<u64>,
    /// The system it is built on, where the tag says so.
    pub system: Option<System>,
    /// With less in it than others have.
    pub slim: bool,
    /// Not released yet.
    pub early: bool,
    /// The day it was built, where the tag says so: `20240110`.
    pub day: Option<u64>,
}

/// A system that images are built on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct System {
    /// `debian`, `alpine`.
    pub name: String,
    /// Its version; empty where the tag leaves it open.
    pub version: Vec<u64>,
}

/// Systems and their releases by the names that tags call them.
const RELEASES: &[(&str, &str, &[u64])] = &[
    ("stretch", "debian", &[9]),
    ("buster", "debian", &[10]),
    ("bullseye", "debian", &[11]),
    ("bookworm", "debian", &[12]),
    ("trixie", "debian", &[13]),
    ("forky", "debian", &[14]),
    ("bionic", "ubuntu", &[18, 4]),
    ("focal", "ubuntu", &[20, 4]),
    ("jammy", "ubuntu", &[22, 4]),
    ("noble", "ubuntu", &[24, 4]),
];
/// Systems that tags write with a version behind, or without.
const SYSTEMS: &[&str] = &[
    "alpine",
    "debian",
    "ubuntu",
    "ubi",
    "rhel",
    "el",
    "rockylinux",
    "almalinux",
    "oraclelinux",
    "oracle",
    "amazonlinux",
    "al",
    "fedora",
    "azurelinux",
    "windowsservercore",
    "nanoserver",
    "ltsc",
];
const SLIM: &[&str] = &["slim", "minimal", "micro", "tiny", "lite", "chiseled", "distroless"];
const EARLY: &[&str] = &[
    "a",
    "alpha",
    "b",
    "beta",
    "rc",
    "dev",
    "nightly",
    "canary",
    "preview",
    "pre",
    "snapshot",
    "ea",
    "edge",
    "unstable",
    "testing",
    "next",
    "experimental",
    "rolling",
];
/// Releases that are not out yet, or move on.
const MOVING: &[&str] = &["sid", "unstable", "testing", "edge", "rolling", "devel"];

impl Tag {
    /// Takes a tag apart. `None`: it is none.
    pub fn read(text: &str) -> Option<Self> {
        let is_word = |it: u8| it.is_ascii_alphanumeric() || b"._-".contains(&it);
        if text.is_empty() || text.len() > LONGEST || !text.bytes().all(is_word) {
            return None;
        }
        let text = text.to_ascii_lowercase();
        let mut tag = Self::default();
        for word in text.split(['-', '_']).filter(|it| !it.is_empty()) {
            tag.take(word);
        }
        Some(tag)
    }

    fn take(&mut self, word: &str) {
        if word == "latest" {
            return;
        }
        if let Some((_, system, version)) = RELEASES.iter().find(|it| it.0 == word) {
            self.put_system(system, version.to_vec());
            return;
        }
        if SLIM.contains(&word) {
            self.slim = true;
            return;
        }
        if MOVING.contains(&word) {
            self.early = true;
            self.words.push(word.to_owned());
            return;
        }
        let digits = word.find(|it: char| it.is_ascii_digit());
        let (name, rest) = word.split_at(digits.unwrap_or(word.len()));
        if rest.is_empty() {
            if SYSTEMS.contains(&name) {
                self.put_system(name, Vec::new());
            } else {
                self.early |= EARLY.contains(&name);
                self.words.push(name.to_owned());
            }
            return;
        }
        let (numbers, behind) = numbers(rest);
        let Some(numbers) = numbers else {
            // A hash, or a number that nobody counts to.
            self.words.push(word.to_owned());
            return;
        };
        if SYSTEMS.contains(&name) && behind.is_empty() {
            self.put_system(name, numbers);
        } else if name.is_empty()
            && is_day(&numbers, rest)
            && behind.is_empty()
            && self.day.is_none()
        {
            self.day = numbers.first().copied();
        } else if EARLY.contains(&name) {
            self.early = true;
            self.version.extend(numbers);
        } else if name.is_empty() || name == "v" {
            self.take_version(numbers, behind);
        } else if behind.is_empty() {
            // `jdk21`, `node20`: what it is, and which.
            self.words.push(name.to_owned());
            self.take_version(numbers, "");
        } else {
            self.words.push(word.to_owned());
        }
        self.version.truncate(NUMBERS);
    }

    /// `1.2.3`, and what is behind it without a sign between: `rc1`, `b05`, `u402`.
    fn take_version(&mut self, numbers: Vec<u64>, behind: &str) {
        self.version.extend(numbers);
        let digits = behind.find(|it: char| it.is_ascii_digit()).unwrap_or(behind.len());
        let (word, rest) = behind.split_at(digits);
        let (more, end) = self::numbers(rest);
        if word.is_empty() {
            return;
        }
        if EARLY.contains(&word) {
            self.early = true;
            self.version.extend(more.unwrap_or_default());
        } else if word == "u" && end.is_empty() {
            self.version.extend(more.unwrap_or_default());
        } else {
            self.words.push(behind.to_owned());
        }
    }

    /// The first system counts; of another one only its version may add to it.
    fn put_system(&mut self, name: &str, version: Vec<u64>) {
        match &mut self.system {
            None => self.system = Some(System { name: name.to_owned(), version }),
            Some(it) if it.name == name && it.version.is_empty() => it.version = version,
            Some(it) if name == "ltsc" => it.version.extend(version),
            Some(_) => self.words.push(name.to_owned()),
        }
    }
}

/// Numbers with points between at the beginning of `text`, and what is behind them. `None`: there are none
/// that anybody counts to.
fn numbers(text: &str) -> (Option<Vec<u64>>, &str) {
    let end = text.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(text.len());
    let (all, behind) = text.split_at(end);
    let parts = all.split('.').filter(|it| !it.is_empty());
    let numbers: Option<Vec<u64>> = parts.take(NUMBERS).map(|it| it.parse().ok()).collect();
    (numbers.filter(|it| !it.is_empty()), behind)
}

/// A day, as it is written without signs between.
fn is_day(numbers: &[u64], text: &str) -> bool {
    let Some([number]) = numbers.get(..) else { return false };
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    text.len() == 8
        && (2000..2100).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `words | version | system | slim early day`.
    #[track_caller]
    fn check(text: &str, expect: &str) {
        let dotted = |it: &[u64]| it.iter().map(u64::to_string).collect::<Vec<_>>().join(".");
        let shown = Tag::read(text).map_or("none".to_owned(), |it| {
            let mut shown = format!("{} | {}", it.words.join(" "), dotted(&it.version));
            if let Some(system) = &it.system {
                shown = format!("{shown} | {} {}", system.name, dotted(&system.version));
            }
            for (is, word) in [(it.slim, "slim"), (it.early, "early")] {
                shown = if is { format!("{shown} {word}") } else { shown };
            }
            it.day.map_or(shown.clone(), |day| format!("{shown} {day}"))
        });
        assert_eq!(shown, expect, "{text}");
    }

    #[test]
    fn tags_are_taken_apart() {
        check("3.12-slim-bookworm", " | 3.12 | debian 12 slim");
        check("3.12-slim", " | 3.12 slim");
        check("1.27-alpine3.20", " | 1.27 | alpine 3.20");
        check("1.27-alpine", " | 1.27 | alpine ");
        check("jdk-21", "jdk | 21");
        check("jdk21", "jdk | 21");
        check("21-jre-jammy", "jre | 21 | ubuntu 22.4");
        check("8u402-jdk", "jdk | 8.402");
        check("21.0.2_13-jre-alpine", "jre | 21.0.2.13 | alpine ");
        check("latest", " | ");
        check("v1.2.3", " | 1.2.3");
        check("bookworm-20240110-slim", " |  | debian 12 slim 20240110");
        check("12-slim", " | 12 slim");
        check("3.14.0rc1", " | 3.14.0.1 early");
        check("3.14-rc-slim", "rc | 3.14 slim early");
        check("nightly", "nightly |  early");
        check("sid-slim", "sid |  slim early");
        check("9.0-ubi9-minimal", " | 9.0 | ubi 9 slim");
        check("8.3-fpm-alpine3.20", "fpm | 8.3 | alpine 3.20");
        check("8.0-windowsservercore-ltsc2022", " | 8.0 | windowsservercore 2022");
        check("noble", " |  | ubuntu 24.4");
        check("1.2.3.4.5.6.7.8.9.10", " | 1.2.3.4.5.6.7.8");
        check("sha256-abc.sig", "sha abc.sig | 256");
    }

    #[test]
    fn what_is_no_tag_is_none_and_odd_ones_are_words() {
        for none in ["", "a b", "é", "a/b", "a:b", "\u{0}", &"x".repeat(129)] {
            check(none, "none");
        }
        check("...", "... | ");
        check("---", " | ");
        check("99999999999999999999999", "99999999999999999999999 | ");
        check("0xdeadbeef", "xdeadbeef | 0");
        check("20249999", " | 20249999");
    }

    proptest::proptest! {
        #[test]
        fn junk_does_not_panic(text in "\\PC{0,160}", tag in "[0-9a-z._-]{0,140}") {
            let _ = Tag::read(&text);
            let _ = Tag::read(&tag);
        }
    }
}
