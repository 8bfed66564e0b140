//! Templates: what somebody wants to be said instead, in little time and memory whatever it says.

mod grammar;

use std::io::{self, Write};
use std::sync::Arc;

use image::Error;
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};
use model::Secret;
use serde_json::{Value as Json, json};

use super::fit::{self, Escape, Room, bare};
use crate::contract::{Fact, Message, Settings};

/// Steps that filling one may take.
const FUEL: u64 = 20_000;
/// Bytes that one may make, and that one of its values may have.
const MOST: usize = 64 << 10;
/// How much of a message it sees.
const ROOM: Room = Room { facts: 50, lines: 100, fact: 20_000, line: 500, text: 4000 };

/// What a value becomes where it stands in a template.
#[derive(Clone, Copy)]
pub(crate) enum Dress {
    /// Text, each character as its receiver takes it for itself.
    Text(Escape),
    /// JSON.
    Json,
}

/// One that was read and tried.
pub(crate) struct Template {
    environment: Environment<'static>,
    source: String,
    dress: Dress,
    /// A secret that it may put where its receiver wants it.
    token: Option<Secret>,
}

impl Template {
    /// The one in the setting `template`, if there is one.
    pub(crate) fn of(settings: &Settings, dress: Dress) -> Result<Option<Self>, Error> {
        let source = settings.text("template");
        source.map(|it| Self::new("template", it, dress, None)).transpose()
    }

    /// Reads one, and tries it with a message that has everything and with one that has nothing.
    pub(crate) fn new(
        what: &str,
        source: &str,
        dress: Dress,
        token: Option<Secret>,
    ) -> Result<Self, Error> {
        let bad = |why: String| {
            Error::invalid(what, why)
                .with_hint("docs/notifications.md says what a template may say")
        };
        grammar::check(source).map_err(bad)?;
        let environment = environment(dress);
        let template = Self { environment, source: source.to_owned(), dress, token };
        for message in [full(), Message::default()] {
            template.fill(&message).map_err(bad)?;
        }
        Ok(template)
    }

    /// What it says of a message, or why it says nothing.
    pub(crate) fn fill(&self, message: &Message) -> Result<String, String> {
        let values = values(message, self.token.as_ref());
        let told = |why: &minijinja::Error| {
            let at = why.line().map(|it| format!(" in line {it}")).unwrap_or_default();
            // The details of others may quote a value.
            let known = [ErrorKind::SyntaxError, ErrorKind::UnknownFilter, ErrorKind::UnknownTest];
            let detail = why.detail().filter(|_| known.contains(&why.kind()));
            let detail = detail.map(|it| format!(": {}", super::said::shown(it)));
            format!("the template fails: {}{}{at}", why.kind(), detail.unwrap_or_default())
        };
        let template = self.environment.template_from_str(&self.source).map_err(|it| told(&it))?;
        let mut out = Bounded(Vec::new());
        match template.render_captured_to(values, &mut out) {
            Err(_) if out.0.len() >= MOST => return Err("the template says too much".to_owned()),
            Err(why) => return Err(told(&why)),
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&out.0).into_owned();
        match self.dress {
            Dress::Json => {
                serde_json::from_str::<serde::de::IgnoredAny>(&text).map_err(|why| {
                    let place = format!("line {}, column {}", why.line(), why.column());
                    format!("what the template says is no JSON: at {place}")
                })?;
            }
            Dress::Text(_) if text.trim().is_empty() && *message != Message::default() => {
                return Err("the template says nothing".to_owned());
            }
            Dress::Text(_) => {}
        }
        Ok(text)
    }
}

/// Takes so much and no more.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = MOST - self.0.len();
        self.0.extend_from_slice(bytes.get(..left).unwrap_or(bytes));
        if bytes.len() > left {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn too_much() -> minijinja::Error {
    minijinja::Error::new(ErrorKind::InvalidOperation, "a value is too long")
}

fn json(value: &Value) -> Result<String, minijinja::Error> {
    let mut out = Bounded(Vec::new());
    serde_json::to_writer(&mut out, value).map_err(|_| too_much())?;
    String::from_utf8(out.0).map_err(|_| too_much())
}

/// As people read it: lists with commas, nothing for what is not there.
fn text(value: &Value) -> Result<String, minijinja::Error> {
    let text = match value.kind() {
        ValueKind::Undefined | ValueKind::None => String::new(),
        ValueKind::String => value.as_str().unwrap_or_default().to_owned(),
        ValueKind::Seq | ValueKind::Iterable => joined(value, ", ")?,
        ValueKind::Map => json(value)?,
        _ => value.to_string(),
    };
    if text.len() > MOST { Err(too_much()) } else { Ok(text) }
}

fn joined(value: &Value, between: &str) -> Result<String, minijinja::Error> {
    let mut all = String::new();
    for (at, it) in value.try_iter()?.enumerate() {
        if at > 0 {
            all += between;
        }
        all += &match it.kind() {
            ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => json(&it)?,
            _ => text(&it)?,
        };
        if all.len() > MOST {
            return Err(too_much());
        }
    }
    Ok(all)
}

fn environment(dress: Dress) -> Environment<'static> {
    let mut it = Environment::empty();
    it.set_fuel(Some(FUEL));
    it.set_recursion_limit(50);
    it.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    it.set_formatter(move |out, _, value| {
        let said = match dress {
            Dress::Json if value.is_safe() => value.as_str().unwrap_or_default().to_owned(),
            Dress::Json => json(value)?,
            Dress::Text(escape) => {
                let mut said = String::new();
                for one in text(value)?.chars() {
                    escape(one, &mut said);
                }
                said
            }
        };
        out.write_str(&said).map_err(minijinja::Error::from)
    });
    it.add_filter("tojson", |value: Value| json(&value).map(Value::from_safe_string));
    it.add_filter("join", |value: Value, between: Option<Arc<str>>| {
        joined(&value, between.as_deref().unwrap_or(", "))
    });
    it.add_filter("upper", |value: Value| text(&value).map(|it| it.to_uppercase()));
    it.add_filter("lower", |value: Value| text(&value).map(|it| it.to_lowercase()));
    it.add_filter("trim", |value: Value| text(&value).map(|it| it.trim().to_owned()));
    it.add_filter("length", |value: Value| value.len().unwrap_or(0));
    it.add_filter("first", |value: Value| {
        value.try_iter().map(|mut it| it.next().unwrap_or_default())
    });
    it.add_filter("truncate", |value: Value, most: usize| {
        text(&value).map(|it| fit::text(&it, most, bare))
    });
    it.add_filter("default", |value: Value, other: Value, _: Kwargs| {
        let is_there = value.is_true() || value.is_number();
        if is_there { value } else { other }
    });
    it.add_filter("map", |value: Value, from: Kwargs| mapped(&value, &from));
    it
}

/// `severity|map(critical="error", high="error", other="warning")`: the words of another.
fn mapped(value: &Value, words: &Kwargs) -> Result<Value, minijinja::Error> {
    let word = text(value)?.replace('-', "_");
    let key = if words.has(&word) { word.as_str() } else { "other" };
    let found: Option<Value> = words.get(key)?;
    for it in words.args() {
        let _: Value = words.get(it)?;
    }
    Ok(found.unwrap_or_else(|| value.clone()))
}

/// What a template sees: the fields of a message, all of them, whether they say anything or not.
fn values(message: &Message, token: Option<&Secret>) -> Value {
    let (facts, more) = fit::facts(message, &ROOM, bare);
    let facts: Vec<Json> =
        facts.into_iter().map(|it| json!({ "name": it.name, "lines": it.lines })).collect();
    let environments = message.environments.iter().take(ROOM.lines);
    let environments: Vec<String> = environments.map(|it| fit::line(it, 100, bare)).collect();
    let detail = Some(&message.detail).filter(|it| it.to_string().len() <= MOST);
    let mut all = json!({
        "kind": fit::line(&message.kind, 100, bare),
        "title": fit::line(&message.title, 1000, bare),
        "text": fit::text(&message.text, ROOM.text, bare),
        "severity": message.severity.as_deref().map(|it| fit::line(it, 100, bare)),
        "facts": facts,
        "facts_more": more,
        "environments": environments,
        "url": fit::link(message),
        "organisation": fit::line(&message.organisation, 100, bare),
        "at": fit::line(&message.at, 100, bare),
        "detail": detail,
        "plain": fit::plain(message, &ROOM),
    });
    if let (Some(all), Some(token)) = (all.as_object_mut(), token) {
        all.insert("token".to_owned(), token.expose().into());
    }
    Value::from(minijinja::value::Serde(&all))
}

/// A message that says everything.
fn full() -> Message {
    Message {
        kind: "finding-new".to_owned(),
        title: "CVE-2021-44228 (critical) runs in production".to_owned(),
        text: "It is \"exploited\".".to_owned(),
        severity: Some("critical".to_owned()),
        facts: vec![Fact {
            name: "Runs in".to_owned(),
            lines: vec!["team/app:1".to_owned(), "team/web:2".to_owned()],
        }],
        environments: vec!["production".to_owned(), "staging".to_owned()],
        url: Some("https://foretop.example/advisories/CVE-2021-44228".to_owned()),
        organisation: "acme".to_owned(),
        at: "2026-11-21T10:00:00Z".to_owned(),
        detail: json!({ "advisory": "CVE-2021-44228" }),
    }
}

#[cfg(test)]
mod tests;
