//! secdb, which Alpine and its kin publish: for each source package, which version fixed which flaws.
//! A version `0` says that the package never had the flaw. What has no fix yet is not told.
//! <https://gitlab.alpinelinux.org/alpine/infra/docker/secdb>

use std::borrow::Cow;
use std::collections::HashMap;

use model::{Advisory, Affected, Names, Space, Span, Status};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::brief::brief;
use crate::contract::{Document, Parsed};
use crate::pairs::Pairs;

/// The version of a fix that was never needed.
const NEVER: &str = "0";
/// Databases that name each flaw once. The others, such as `XSA`, name an announcement, which is
/// often about several.
const FLAWS: [&str; 7] = ["CVE", "GHSA", "GO", "MAL", "OSV", "PYSEC", "RUSTSEC"];
/// Of a text that names more flaws than this, only so many are told.
const MOST: usize = 32;
/// No package and no version is called anything longer.
const LONGEST: usize = 256;
/// Nor does anybody remark more on a flaw.
const LONGEST_TEXT: usize = 4096;
/// No flaw is fixed in a package more often.
const MOST_FIXES: usize = 256;

/// The members of the document that tell whose it is.
pub(crate) struct Head<'a>(pub(crate) &'a [u8]);

impl Head<'_> {
    /// Does it look like a secdb?
    pub(crate) fn is_secdb(&self) -> bool {
        let has = |key: &str| memchr::memmem::find(self.0, key.as_bytes()).is_some();
        has("\"apkurl\"") && (has("\"secfixes\"") || has("\"packages\""))
    }

    /// The text of a member, if it is near enough to the beginning to be seen.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        let quoted = format!("\"{key}\"");
        let begin = memchr::memmem::find(self.0, quoted.as_bytes())?.checked_add(quoted.len())?;
        let rest = self.0.get(begin..)?.trim_ascii_start().strip_prefix(b":")?;
        let rest = rest.trim_ascii_start().strip_prefix(b"\"")?;
        let text = rest.get(..memchr::memchr(b'"', rest)?)?;
        str::from_utf8(text).ok()
    }
}

#[derive(Deserialize)]
struct Secdb<'a> {
    #[serde(borrow)]
    distroversion: Option<Cow<'a, str>>,
    #[serde(borrow)]
    packages: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    pkg: Package<'a>,
}

#[derive(Deserialize)]
struct Package<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    secfixes: Option<Pairs<'a, Option<Vec<Cow<'a, str>>>>>,
}

/// What the document says, about the space that `space_of` its `distroversion` is.
pub(crate) fn read(
    document: &Document<'_>,
    space_of: impl Fn(Option<&str>) -> Option<Space>,
) -> Parsed {
    let secdb: Secdb<'_> = match serde_json::from_slice(document.bytes) {
        Ok(secdb) => secdb,
        Err(error) => return Parsed::gap(document.path, format!("it is no secdb: {error}")),
    };
    let Some(space) = space_of(secdb.distroversion.as_deref()) else {
        let version = brief(secdb.distroversion.as_deref().unwrap_or_default());
        return Parsed::gap(document.path, format!("its release `{version}` is none that we know"));
    };
    let mut reader =
        Reader { at: document.path, space, parsed: Parsed::default(), numbers: HashMap::new() };
    for (number, package) in secdb.packages.unwrap_or_default().into_iter().enumerate() {
        match serde_json::from_str::<Entry<'_>>(package.get()) {
            Ok(Entry { pkg }) if !pkg.name.is_empty() => reader.package(pkg),
            Ok(_) => reader.hole(format_args!("package {number} has no name")),
            Err(error) => reader.hole(format_args!("package {number} cannot be read: {error}")),
        }
    }
    reader.parsed
}

struct Reader<'d> {
    at: &'d str,
    space: Space,
    parsed: Parsed,
    /// Of each flaw, its place among the advisories.
    numbers: HashMap<String, usize>,
}

impl Reader<'_> {
    fn package(&mut self, package: Package<'_>) {
        let name = &*package.name;
        let Some(Pairs(fixes)) = package.secfixes else { return };
        if name.len() > LONGEST {
            return self.hole(format_args!("{} is too long for a name", brief(name)));
        }
        for (version, flaws) in fixes {
            let version = version.trim();
            if version.len() > LONGEST {
                let (name, version) = (brief(name), brief(version));
                self.hole(format_args!("{name} has fixes in {version}, too long for a version"));
                continue;
            }
            if version.is_empty() {
                self.hole(format_args!("{} has fixes in a version without a name", brief(name)));
                continue;
            }
            for text in flaws.unwrap_or_default() {
                let (flaws, are_all) = match text.len() {
                    0..=LONGEST_TEXT => flaws_in(&text),
                    _ => (Vec::new(), false),
                };
                if !are_all {
                    let (text, name) = (brief(&text), brief(name));
                    self.hole(format_args!("`{text}`, fixed in {name}, names too many flaws"));
                    if flaws.is_empty() {
                        continue;
                    }
                }
                if flaws.is_empty() {
                    let (text, name, version) = (brief(&text), brief(name), brief(version));
                    self.hole(format_args!("`{text}`, fixed in {name} {version}, names no flaw"));
                }
                for flaw in flaws {
                    self.fix(name, version, flaw);
                }
            }
        }
    }

    fn fix(&mut self, name: &str, version: &str, flaw: Flaw) {
        let advisories = &mut self.parsed.advisories;
        let number = *self.numbers.entry(flaw.id).or_insert_with_key(|id| {
            advisories.push(Advisory { id: id.clone(), ..Advisory::default() });
            advisories.len() - 1
        });
        let Some(advisory) = advisories.get_mut(number) else { return };
        add(&mut advisory.aliases, flaw.aliases);
        add(&mut advisory.related, flaw.related);
        let never = version == NEVER;
        let status = if never { Status::NotAffected } else { Status::Affected };
        let span = if never { Span::all() } else { Span::before(version) };
        if let Some(last) = advisory.affected.last_mut()
            && last.package == name
            && last.status == status
        {
            // A flaw that was fixed twice was not fixed well the first time.
            if last.spans.contains(&span) {
                return;
            }
            if last.spans.len() < MOST_FIXES {
                last.spans.push(span);
            } else {
                let (id, name) = (brief(&advisory.id), brief(name));
                let why = format!("{id} is fixed in more versions of {name} than can be told");
                self.parsed.hole(self.at, why);
            }
            return;
        }
        advisory.affected.push(Affected {
            names: Names::Source,
            status,
            spans: vec![span],
            reason: never.then(|| "fixed in version 0: it never had the flaw".to_owned()),
            ..Affected::new(self.space.clone(), name)
        });
    }

    fn hole(&mut self, why: std::fmt::Arguments<'_>) {
        self.parsed.hole(self.at, why.to_string());
    }
}

fn add(names: &mut Vec<String>, more: Vec<String>) {
    for name in more {
        if names.len() < MOST && !names.contains(&name) {
            names.push(name);
        }
    }
}

#[derive(Debug, PartialEq)]
struct Flaw {
    id: String,
    aliases: Vec<String>,
    related: Vec<String>,
}

/// The flaws that a text names: `CVE-2022-1 GHSA-…` is one under two names, `CVE-2022-1 CVE-2022-2`
/// are two, and `CVE-2017-10920 XSA-224` is one of those which that announcement is about. And whether
/// these are all of them.
fn flaws_in(text: &str) -> (Vec<Flaw>, bool) {
    let mut names = names_in(text);
    let are_all = names.len() <= MOST;
    names.truncate(MOST);
    (flaws_of(names), are_all)
}

fn flaws_of(names: Vec<String>) -> Vec<Flaw> {
    let (names, others): (Vec<String>, Vec<String>) =
        names.into_iter().partition(|it| FLAWS.contains(&kind(it)));
    if names.is_empty() {
        let alone = |id| Flaw { id, aliases: Vec::new(), related: Vec::new() };
        return others.into_iter().map(alone).collect();
    }
    let is_repeated = |name: &String| names.iter().filter(|it| kind(it) == kind(name)).count() > 1;
    if names.iter().any(is_repeated) {
        let apart = |id| Flaw { id, aliases: Vec::new(), related: others.clone() };
        return names.into_iter().map(apart).collect();
    }
    let mut aliases = names;
    let first = aliases.iter().position(|it| kind(it) == "CVE").unwrap_or_default();
    let id = aliases.remove(first);
    vec![Flaw { id, aliases, related: others }]
}

fn kind(name: &str) -> &str {
    name.split_once('-').map_or(name, |(kind, _)| kind)
}

/// The words that are names of flaws. Remarks stand between some: `CVE-2018-16301 (was fixed in …)`.
fn names_in(text: &str) -> Vec<String> {
    let text = text.split('(').next().unwrap_or_default();
    // `CVE 2018-16859` and `CVE_2019-2426` are slips of the pen.
    let text = text.replace("CVE ", "CVE-").replace("CVE_", "CVE-");
    let words = text.split(|it: char| it.is_whitespace() || matches!(it, ',' | ';' | '/'));
    let mut names: Vec<String> = Vec::new();
    for name in words.filter_map(name_of) {
        if !names.iter().any(|it| it == name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn name_of(word: &str) -> Option<&str> {
    if word.starts_with("CVE-") {
        return cve(word);
    }
    let (kind, rest) = word.split_once('-')?;
    let is_kind = kind.len() > 1 && kind.bytes().all(|it| it.is_ascii_alphabetic());
    let is_rest = rest.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b':'))
        && rest.bytes().any(|it| it.is_ascii_digit() || kind == "GHSA");
    (is_kind && is_rest && word.len() <= 64).then_some(word)
}

/// `CVE-2017-17434` of `CVE-2017-17434-1`, which numbers the patches, and of `CVE-2017-8073.patch`.
fn cve(word: &str) -> Option<&str> {
    let (year, rest) = word.strip_prefix("CVE-")?.split_once('-')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let is_year = year.len() == 4 && year.bytes().all(|it| it.is_ascii_digit());
    let end = "CVE-yyyy-".len().checked_add(digits)?;
    if is_year && (4..=19).contains(&digits) { word.get(..end) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let told = flaws_in(text).0.into_iter().map(|Flaw { id, aliases, related }| {
            let aliases = aliases.iter().map(|it| format!(" = {it}"));
            let others = related.iter().map(|it| format!(" ~ {it}"));
            [id].into_iter().chain(aliases).chain(others).collect::<String>()
        });
        assert_eq!(told.collect::<Vec<_>>().join(", "), expect);
    }

    #[test]
    fn tells_names_of_one_flaw_from_several_flaws() {
        check("CVE-2021-3156", "CVE-2021-3156");
        check("GHSA-jfh8-c2jp-5v3q CVE-2021-44228", "CVE-2021-44228 = GHSA-jfh8-c2jp-5v3q");
        check("CVE-2022-0001 CVE-2022-0002", "CVE-2022-0001, CVE-2022-0002");
        check("CVE-2021-0001 CVE-2021-0001", "CVE-2021-0001");
        check("GHSA-aaaa-bbbb-cccc", "GHSA-aaaa-bbbb-cccc");
    }

    #[test]
    fn an_announcement_is_no_other_name_of_its_flaws() {
        check("CVE-2017-10920  XSA-224", "CVE-2017-10920 ~ XSA-224");
        check("CVE-2021-0001 CVE-2021-0002 XSA-9", "CVE-2021-0001 ~ XSA-9, CVE-2021-0002 ~ XSA-9");
        check("CVE-????-????? XSA-284", "XSA-284");
        check("wnpa-sec-2017-18", "wnpa-sec-2017-18");
    }

    #[test]
    fn reads_over_remarks_and_slips() {
        check("CVE-2018-16301 (was fixed in libpcap)", "CVE-2018-16301");
        check("CVE-2018-10103 (SMB - partially fixed)", "CVE-2018-10103");
        check("CVE_2019-2426", "CVE-2019-2426");
        check("CVE 2018-16859", "CVE-2018-16859");
        check("CVE-2017-17434-1", "CVE-2017-17434");
        check("CVE-2017-8073.patch", "CVE-2017-8073");
        check("CVE-12-1 use-after-free -", "");
        check("", "");
    }
}
