//! What somebody said: JSON, looked at field by field.

use model::Digest;
use serde_json::Value;

use super::names;
use crate::contract::{Action, Heard, Notice};
use crate::sender::fingerprint;

/// The body as JSON, or a gap.
pub(crate) fn json(body: &[u8], heard: &mut Heard) -> Option<Value> {
    // The message of a JSON error would quote the body: only its place.
    match serde_json::from_slice(body) {
        Ok(value) => Some(value),
        Err(why) => {
            let place = format!("line {}, column {}", why.line(), why.column());
            heard.gap("body", format!("it is no JSON: at {place}"));
            None
        }
    }
}

/// A text that says something.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str().filter(|it| !it.is_empty())
}

/// A word from outside, fit to stand in a message.
pub(crate) fn shown(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).take(100).collect()
}

/// An id that its sender gave, made sure of its length.
pub(crate) fn id(given: &str) -> String {
    let plain = given.len() <= 128 && given.bytes().all(|it| it.is_ascii_graphic());
    if plain { given.to_owned() } else { fingerprint(&[given]) }
}

/// What the body of an event says of its image, before anything of it is believed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Claim<'a> {
    /// Where in the body.
    pub(crate) at: &'a str,
    pub(crate) tag: Option<&'a str>,
    pub(crate) digest: Option<&'a str>,
    pub(crate) media_type: Option<&'a str>,
    pub(crate) time: Option<&'a str>,
    /// The id that its sender gave.
    pub(crate) id: Option<&'a str>,
}

impl Claim<'_> {
    /// The event, unless it names no image; what is wrong with it is a gap.
    pub(crate) fn notice(
        &self,
        action: Action,
        registry: &str,
        repository: &str,
        heard: &mut Heard,
    ) -> Option<Notice> {
        let at = self.at;
        let Some(name) = names::repository(repository) else {
            heard.gap(at, format!("`{}` is no repository", shown(repository)));
            return None;
        };
        let told = self.digest.map(|it| (it, names::digest(it)));
        if let Some((text, None)) = told {
            heard.gap(at, format!("`{}` is no digest", shown(text)));
        }
        let digest: Option<Digest> = told.and_then(|it| it.1);
        // Where there is no tag, some put the digest there.
        let tag = self.tag.filter(|it| !it.contains(':'));
        let from_tag = self.tag.filter(|it| it.contains(':')).and_then(names::digest);
        let digest = digest.or(from_tag);
        let tag = match tag.map(|it| (it, names::tag(it))) {
            Some((text, None)) => {
                heard.gap(at, format!("`{}` is no tag", shown(text)));
                return None;
            }
            Some((_, tag)) => tag,
            None => None,
        };
        if tag.is_none() && digest.is_none() {
            heard.gap(at, "it names neither a tag nor a digest");
            return None;
        }
        let time = self.time.and_then(|text| {
            let moment = names::moment(text);
            if moment.is_none() {
                heard.gap(at, format!("`{}` is no time", shown(text)));
            }
            moment
        });
        let derived = || {
            fingerprint(&[
                action.as_str(),
                registry,
                &name,
                tag.as_deref().unwrap_or_default(),
                digest.as_ref().map_or("", Digest::as_str),
                self.time.unwrap_or_default(),
            ])
        };
        let id = self.id.map_or_else(derived, id);
        Some(Notice {
            id,
            is_unique: self.id.is_some() || time.is_some(),
            action,
            registry: registry.to_owned(),
            repository: name,
            tag,
            digest,
            media_type: self.media_type.map(shown),
            at: time,
            is_signed: false,
        })
    }
}
