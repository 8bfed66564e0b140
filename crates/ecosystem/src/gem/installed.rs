//! An installed gem: its specification, which is Ruby code that RubyGems itself wrote, and so
//! regular that its assignments can be read without running it.

use model::{Found, Gap, Package};

use crate::document;
use crate::listing::{brief, line};
use crate::{Beside, File, license};

pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    document::found(read_specification(file))
}

fn read_specification(file: &File<'_>) -> Result<Found, Gap> {
    let text = document::text(file)?;
    let stem = file.name().strip_suffix(".gemspec").unwrap_or(file.name());
    let specification = Specification::read(&text);
    let named = from_name(stem);
    let name = specification.name.as_deref().or(named.map(|(name, _)| name)).unwrap_or_default();
    let version =
        specification.version.as_deref().or(named.map(|(_, version)| version)).unwrap_or_default();
    let platform =
        platform(stem, name, version).or(specification.platform.as_deref()).unwrap_or_default();
    let Some(purl) = super::purl(name, version, platform) else {
        let why = format!("`{} {}` is no gem", brief(name), brief(version));
        return Err(Gap::new(file.path(), why));
    };
    let mut package = Package::new(purl);
    package.licenses = license::normalise_many(specification.licenses.iter().map(String::as_str));
    package.author = line(&specification.authors.join(", "));
    package.url = specification.homepage.filter(|it| !it.is_empty());
    package.description = specification.summary.as_deref().and_then(line);
    Ok(Found::packages(vec![package]))
}

/// Name and version in `nokogiri-1.15.0-x86_64-linux`.
fn from_name(stem: &str) -> Option<(&str, &str)> {
    let is_digit = |at: usize| stem.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit);
    let (at, _) = stem.match_indices('-').find(|(at, _)| is_digit(*at))?;
    let (name, rest) = (stem.get(..at)?, stem.get(at + 1..)?);
    Some((name, rest.split('-').next().unwrap_or(rest)))
}

/// What follows name and version in the file's name.
fn platform<'a>(stem: &'a str, name: &str, version: &str) -> Option<&'a str> {
    stem.strip_prefix(name)?.strip_prefix('-')?.strip_prefix(version)?.strip_prefix('-')
}

#[derive(Default)]
struct Specification {
    name: Option<String>,
    version: Option<String>,
    platform: Option<String>,
    licenses: Vec<String>,
    authors: Vec<String>,
    homepage: Option<String>,
    summary: Option<String>,
}

impl Specification {
    fn read(text: &str) -> Self {
        let mut it = Self::default();
        for line in text.lines() {
            let Some((field, value)) = assignment(line) else { continue };
            match field {
                "name" => it.name = it.name.or_else(|| literal(value)),
                "version" => it.version = it.version.or_else(|| literal(value)),
                "platform" => it.platform = it.platform.or_else(|| literal(value)),
                "license" | "licenses" => it.licenses.extend(literals(value)),
                "author" | "authors" => it.authors.extend(literals(value)),
                "homepage" => it.homepage = it.homepage.or_else(|| literal(value)),
                "summary" => it.summary = it.summary.or_else(|| literal(value)),
                _ => {}
            }
        }
        it
    }
}

/// Field and value of `  s.field = value`.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let is_word = |it: &str| it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    let (left, value) = line.split_once('=')?;
    let (receiver, field) = left.trim().split_once('.')?;
    (is_word(receiver) && is_word(field)).then_some((field, value.trim()))
}

/// A string, or the version made of one.
fn literal(value: &str) -> Option<String> {
    let value = value.strip_prefix("Gem::Version.new").unwrap_or(value);
    let value = value.trim_start_matches(['(', ' ']);
    value.starts_with(['"', '\'', '%']).then(|| string(value))?.map(|(text, _)| text)
}

/// A string, or a list of them.
fn literals(value: &str) -> Vec<String> {
    let Some(list) = value.strip_prefix('[') else { return literal(value).into_iter().collect() };
    let mut texts = Vec::new();
    let mut rest = list;
    // Between strings stand only `.freeze` and commas; a `]` outside of them ends the list.
    while let Some(at) = rest.find(['"', '\'', '%', ']']) {
        let Some((text, tail)) = rest.get(at..).and_then(string) else { break };
        texts.push(text);
        rest = tail;
    }
    texts
}

/// The string at the start of `code` (`"…"`, `'…'`, `%q<…>`), and what follows it.
fn string(code: &str) -> Option<(String, &str)> {
    let (end, body) = match code.chars().next()? {
        quote @ ('"' | '\'') => (quote, code.get(1..)?),
        '%' => {
            let body = code.get(1..)?.trim_start_matches(['q', 'Q']);
            let open = body.chars().next()?;
            let close = match open {
                '<' => '>',
                '{' => '}',
                '(' => ')',
                '[' => ']',
                _ => return None,
            };
            (close, body.get(1..)?)
        }
        _ => return None,
    };
    let mut text = String::new();
    let mut letters = body.char_indices();
    while let Some((at, letter)) = letters.next() {
        if letter == end {
            return Some((text, body.get(at + letter.len_utf8()..)?));
        }
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        match letters.next()?.1 {
            'n' if end == '"' => text.push('\n'),
            't' if end == '"' => text.push('\t'),
            'u' if end == '"' => text.push(escaped(body.get(at + 2..)?, &mut letters)?),
            other => text.push(other),
        }
    }
    None
}

/// The character of `\u00e9` or `\u{e9}`, of which `code` starts behind the `u`.
fn escaped(code: &str, letters: &mut std::str::CharIndices<'_>) -> Option<char> {
    let (digits, taken) = match code.strip_prefix('{') {
        Some(braced) => {
            let digits = braced.split('}').next().filter(|it| it.len() <= 6)?;
            (digits, digits.len() + 2)
        }
        None => (code.get(..4)?, 4),
    };
    letters.nth(taken.checked_sub(1)?)?;
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::shown::check;

    #[test]
    fn reads_every_field() {
        check(
            read,
            "usr/lib/ruby/gems/3.1.0/specifications/rack-2.2.4.gemspec",
            "# -*- encoding: utf-8 -*-\n# stub: rack 2.2.4 ruby lib\n\n\
             Gem::Specification.new do |s|\n  s.name = \"rack\".freeze\n  s.version = \"2.2.4\"\n\n  \
             s.required_rubygems_version = Gem::Requirement.new(\">= 0\".freeze) if s.respond_to? :required_rubygems_version=\n  \
             s.metadata = { \"homepage_uri\" => \"https://example.com\" } if s.respond_to? :metadata=\n  \
             s.authors = [\"Ann \\\"A\\\" \\u00e9\".freeze, \"Bo\".freeze]\n  \
             s.licenses = [\"Ruby\".freeze, \"BSD-2-Clause\".freeze]\n  \
             s.homepage = \"https://example.org\".freeze\n  s.summary = \"A web\\nserver\".freeze\n  \
             s.add_dependency(%q<other>.freeze, [\"= 1\"])\nend\n",
            "pkg:gem/rack@2.2.4 | license: Ruby, BSD-2-Clause | author: Ann \"A\" é, Bo | url: https://example.org | about: A web",
        );
    }

    #[test]
    fn platforms_and_older_spellings() {
        check(
            read,
            "specifications/nokogiri-1.15.0-x86_64-linux.gemspec",
            "Gem::Specification.new do |spec|\n  spec.name = %q{nokogiri}\n  spec.version = Gem::Version.new('1.15.0')\n  spec.license = 'MIT'\nend\n",
            "pkg:gem/nokogiri@1.15.0?platform=x86_64-linux | license: MIT",
        );
    }

    #[test]
    fn the_file_name_stands_in() {
        check(
            read,
            "specifications/default/net-http-0.2.0.gemspec",
            "spec.name = name\nspec.version = File.read(\"VERSION\")\n",
            "pkg:gem/net-http@0.2.0",
        );
        check(read, "specifications/a-1.0-java.gemspec", "", "pkg:gem/a@1.0?platform=java");
    }

    #[test]
    fn what_cannot_be_a_gem_is_a_gap() {
        check(read, "specifications/x.gemspec", "", "gap: specifications/x.gemspec: ` ` is no gem");
        check(
            read,
            "specifications/x.gemspec",
            "s.name = \"a b\"\ns.version = \"1\"\n",
            "gap: specifications/x.gemspec: `a b 1` is no gem",
        );
        for code in [
            "\"",
            "%",
            "%q",
            "%q<",
            "[\"",
            "[\"\\u",
            "\"\\u{",
            "\"\\u{}\"",
            "\"\\u{ffffffff}\"",
            "[%",
            "é",
            "\"\\u00é\"",
        ] {
            check(
                read,
                "specifications/x-1.gemspec",
                format!("s.authors = {code}\n"),
                "pkg:gem/x@1",
            );
        }
    }
}
