//! A Dockerfile: its stages, what each is built from, and in which lines.
//! <https://docs.docker.com/reference/dockerfile/>

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use model::Platform;
use parse_dockerfile::Instruction;

use crate::bounded::shown;
use crate::verdict::Unreadable;

/// Bytes of a Dockerfile.
const LARGEST: usize = 1 << 20;
/// Stages of a Dockerfile.
const STAGES: usize = 1000;
/// Bytes that a word may grow to when variables are put in.
const WORD: usize = 4096;
/// How deep defaults may stand inside defaults.
const DEPTH: usize = 16;

/// A Dockerfile, read for what its images are built from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dockerfile {
    /// The image that reads it: `docker/dockerfile:1`.
    pub syntax: Option<String>,
    /// In the order in which they are written.
    pub stages: Vec<Stage>,
}

/// One stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// `AS name`, in lower case.
    pub name: Option<String>,
    /// What follows `FROM`, as it is written.
    pub written: String,
    /// What that is.
    pub from: From,
    /// For which platform that is taken, where it says so and that can be told.
    pub platform: Option<Platform>,
    /// Its lines, the first being 1.
    pub lines: RangeInclusive<usize>,
}

/// What a stage is built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// Nothing.
    Scratch,
    /// An earlier stage, by its place.
    Stage(usize),
    /// An image, by the name that follows when all variables are put in.
    Image(String),
    /// It cannot be told.
    Unknown(String),
}

impl Dockerfile {
    /// Reads one; `arguments` are what the build was given (`--build-arg`), `given` what it has by itself
    /// (`TARGETARCH`).
    pub fn read(
        text: &str,
        arguments: &BTreeMap<String, String>,
        given: &BTreeMap<String, String>,
    ) -> Result<Self, Unreadable> {
        if text.len() > LARGEST {
            return Err(Unreadable(format!("it is longer than {LARGEST} bytes")));
        }
        let file = parse_dockerfile::parse(text)
            .map_err(|why| Unreadable(format!("it cannot be read: {}", shown(&why.to_string()))))?;
        if file.stages().len() > STAGES {
            return Err(Unreadable(format!("it has over {STAGES} stages")));
        }
        let escape = file.parser_directives.escape.as_ref().map_or('\\', |it| it.value.value);
        let mut variables = Variables { known: given.clone(), escape };
        for argument in file.global_args() {
            variables.declare(&argument.arguments.value, arguments);
        }
        let starts: Vec<usize> = file
            .instructions
            .iter()
            .filter_map(|it| match it {
                Instruction::From(from) => Some(from.from.span.start),
                _ => None,
            })
            .collect();
        let mut stages: Vec<Stage> = Vec::new();
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        let mut line = Lines { text, at: 0, line: 1 };
        for (at, stage) in file.stages().enumerate() {
            let start = starts.get(at).copied().unwrap_or_default();
            let end = starts.get(at + 1).copied().unwrap_or(text.len());
            let written = stage.from.image.value.as_ref();
            let from = match variables.put_in(written) {
                Ok(name) if name.is_empty() => From::Unknown(format!("`{written}` is empty")),
                Ok(name) => match names.get(&name.to_ascii_lowercase()) {
                    Some(stage) => From::Stage(*stage),
                    None if name == "scratch" => From::Scratch,
                    None => From::Image(name),
                },
                Err(why) => From::Unknown(why),
            };
            let option = stage.from.options.iter().find(|it| it.name.value == "platform");
            let platform = option.and_then(|it| it.value.as_ref());
            let platform = platform.and_then(|it| variables.put_in(&it.value).ok()?.parse().ok());
            let name = stage.from.as_.as_ref().map(|(_, name)| name.value.to_ascii_lowercase());
            if let Some(name) = &name {
                names.insert(name.clone(), at);
            }
            let lines = line.of(start, end);
            stages.push(Stage { name, written: written.to_owned(), from, platform, lines });
        }
        let syntax = file.parser_directives.syntax.as_ref().map(|it| it.value.value.to_owned());
        Ok(Self { syntax, stages })
    }

    /// The stage that is built: by name, by number, or the last one.
    pub fn target(&self, target: Option<&str>) -> Option<&Stage> {
        let Some(target) = target.filter(|it| !it.is_empty()) else { return self.stages.last() };
        let name = target.to_ascii_lowercase();
        let named = self.stages.iter().find(|it| it.name.as_ref() == Some(&name));
        named.or_else(|| self.stages.get(target.parse::<usize>().ok()?))
    }

    /// The first stage below `stage` that is built from no other one, or `stage` itself.
    pub fn bottom<'a>(&'a self, mut stage: &'a Stage) -> &'a Stage {
        // Stages are built from earlier ones alone, so this ends.
        while let From::Stage(at) = stage.from
            && let Some(below) = self.stages.get(at)
        {
            stage = below;
        }
        stage
    }
}

/// Counts lines once, however many stages there are.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl Lines<'_> {
    /// The lines of a stage from its first byte to that of the next one; both only go forward.
    fn of(&mut self, start: usize, end: usize) -> RangeInclusive<usize> {
        let first = self.go(start);
        let body = self.text.get(start..end).unwrap_or_default();
        // Remarks in front of the next stage are about that one.
        let is_remark = |line: &str| {
            let line = line.trim();
            line.is_empty() || line.starts_with('#')
        };
        let own = body.lines().count();
        let after = body.lines().rev().take_while(|it| is_remark(it)).count();
        first..=first + own.saturating_sub(after).saturating_sub(1)
    }

    fn go(&mut self, to: usize) -> usize {
        let passed = self.text.as_bytes().get(self.at..to).unwrap_or_default();
        self.line += passed.split(|it| *it == b'\n').count() - 1;
        self.at = to.max(self.at);
        self.line
    }
}

/// What variables stand for in front of the first stage.
struct Variables {
    known: BTreeMap<String, String>,
    escape: char,
}

impl Variables {
    /// `ARG name=default other`: what the build was given goes before the default.
    fn declare(&mut self, text: &str, given: &BTreeMap<String, String>) {
        for word in words(text, self.escape) {
            let (name, default) = match word.split_once('=') {
                Some((name, default)) => (name, Some(default)),
                None => (word.as_str(), None),
            };
            let default = default.and_then(|it| self.put_in(it).ok());
            if let Some(value) = given.get(name).cloned().or(default) {
                self.known.insert(name.to_owned(), value);
            }
        }
    }

    /// The word with what its variables stand for.
    fn put_in(&self, word: &str) -> Result<String, String> {
        let mut out = String::new();
        self.expand(word, &mut out, DEPTH)?;
        Ok(out)
    }

    fn expand(&self, word: &str, out: &mut String, depth: usize) -> Result<(), String> {
        let cannot = |what: &str| format!("what `{}` stands for cannot be told", shown(what));
        if depth == 0 {
            return Err(cannot(word));
        }
        let mut quote = None;
        let mut rest = word;
        while let Some(letter) = rest.chars().next() {
            rest = &rest[letter.len_utf8()..];
            if out.len() > WORD {
                return Err(cannot(word));
            }
            match letter {
                '\'' | '"' if quote.is_none() => quote = Some(letter),
                _ if quote == Some(letter) => quote = None,
                _ if quote == Some('\'') => out.push(letter),
                _ if letter == self.escape => {
                    if let Some(next) = rest.chars().next() {
                        rest = &rest[next.len_utf8()..];
                        out.push(next);
                    }
                }
                '$' if rest.starts_with('{') => {
                    let end = closing(rest).ok_or_else(|| cannot(word))?;
                    self.braced(&rest[1..end], out, depth)?;
                    rest = &rest[end + 1..];
                }
                '$' => {
                    let is_name = |it: char| it.is_ascii_alphanumeric() || it == '_';
                    let end = rest.find(|it| !is_name(it)).unwrap_or(rest.len());
                    let (name, after) = rest.split_at(end);
                    if name.is_empty() {
                        return Err(cannot(word));
                    }
                    out.push_str(self.known.get(name).map_or("", String::as_str));
                    rest = after;
                }
                _ => out.push(letter),
            }
        }
        Ok(())
    }

    /// `name`, `name:-default`, `name:+instead`.
    fn braced(&self, inner: &str, out: &mut String, depth: usize) -> Result<(), String> {
        let is_name = |it: char| it.is_ascii_alphanumeric() || it == '_';
        let end = inner.find(|it| !is_name(it)).unwrap_or(inner.len());
        let (name, rest) = inner.split_at(end);
        let value = self.known.get(name);
        let said = value.filter(|it| !it.is_empty());
        let (value, word) = if rest.is_empty() {
            (Some(value.map_or("", String::as_str)), "")
        } else if let Some(word) = rest.strip_prefix(":-") {
            (said.map(String::as_str), word)
        } else if let Some(word) = rest.strip_prefix('-') {
            (value.map(String::as_str), word)
        } else if let Some(word) = rest.strip_prefix(":+") {
            (said.is_none().then_some(""), word)
        } else if let Some(word) = rest.strip_prefix('+') {
            (value.is_none().then_some(""), word)
        } else {
            return Err(format!("what `${{{}}}` stands for cannot be told", shown(inner)));
        };
        match value {
            Some(value) => out.push_str(value),
            None => self.expand(word, out, depth - 1)?,
        }
        Ok(())
    }
}

/// Where the brace ends that `text` begins with.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Words apart, where no quotes hold them together; the quotes stay.
fn words(text: &str, escape: char) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            _ if letter == escape && quote != Some('\'') => {
                word.push(letter);
                word.extend(letters.next());
            }
            '\'' | '"' if quote.is_none() => {
                quote = Some(letter);
                word.push(letter);
            }
            _ if quote == Some(letter) => {
                quote = None;
                word.push(letter);
            }
            _ if letter.is_whitespace() && quote.is_none() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(letter),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}
