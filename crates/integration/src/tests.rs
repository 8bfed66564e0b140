//! Laws that every party keeps.

mod fields;
mod hooks;
mod settings;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method};
use model::{Moment, Secret};
use proptest::prelude::*;
use ring::hmac;

use crate::{
    ALL, Delivery, Given, How, Integration, Kind, Received, Refusal, Secrets, Sender, Ways, receive,
};

/// What everybody in these tests agreed on.
const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A request, to be taken again and again.
struct Request {
    name: String,
    method: Method,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    fn delivery(&self) -> Delivery<'_> {
        let Self { method, query, headers, body, .. } = self;
        Delivery { method, query, headers, body }
    }

    /// Reads a fixture, and signs it.
    fn read(name: &str, text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let first = lines.next().unwrap();
        let (method, query) = first.split_once(' ').unwrap_or((first, ""));
        let mac = |algorithm| {
            let key = hmac::Key::new(algorithm, SECRET.as_bytes());
            let tag = hmac::sign(&key, body.as_bytes());
            tag.as_ref().iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
        };
        let filled = |text: &str| {
            text.replace("{secret}", SECRET)
                .replace("{sha256}", &mac(hmac::HMAC_SHA256))
                .replace("{sha1}", &mac(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY))
        };
        let mut headers = HeaderMap::new();
        for line in lines.filter(|it| !it.is_empty()) {
            let (name, value) = line.split_once(": ").unwrap();
            let value = HeaderValue::from_str(&filled(value)).unwrap();
            headers.append(name.parse::<http::HeaderName>().unwrap(), value);
        }
        Self {
            name: name.to_owned(),
            method: method.parse().unwrap(),
            query: filled(query),
            headers,
            body: body.as_bytes().to_vec(),
        }
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn request(kind: &str, name: &str) -> Request {
    let text = fs_err::read_to_string(fixtures().join(kind).join(format!("{name}.http"))).unwrap();
    Request::read(name, &text)
}

/// Every request in the fixtures of this kind.
fn requests(kind: &Kind) -> Vec<Request> {
    let Ok(folder) = fs_err::read_dir(fixtures().join(kind.id)) else { return Vec::new() };
    let names = folder.map(|it| it.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter_map(|it| Some(it.strip_suffix(".http")?.to_owned())).collect();
    names.sort();
    names.iter().map(|it| request(kind.id, it)).collect()
}

fn ways() -> Ways {
    Ways { settings: Arc::default(), progress: Arc::new(image::Silent) }
}

/// The party with its examples for settings, but for those that are told here.
fn connected(kind: &Kind, told: &[(&str, &str)]) -> Box<dyn Integration> {
    let examples = kind
        .settings
        .iter()
        .filter(|it| !it.watch_only && !matches!(it.key, "template" | "virtual-repository"))
        .filter(|it| !matches!(it.key, "subdomain-mode" | "layout" | "webhook-mode" | "repository"))
        .map(|it| (it.key, it.example));
    let required = kind.settings.iter().filter(|it| it.key == "repository" && it.required);
    let examples = examples.chain(required.map(|it| (it.key, it.example)));
    let given: Vec<Given> = examples
        .filter(|(key, _)| !told.iter().any(|it| it.0 == *key))
        .chain(told.iter().copied())
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let settings = kind.settle(&given, &|_| None).unwrap();
    (kind.connect)(&settings, &ways()).unwrap()
}

fn secrets() -> Secrets {
    Secrets::new(Some(Secret::new(SECRET)), None)
}

fn now() -> Moment {
    "2026-11-21T10:05:00Z".parse().unwrap()
}

#[test]
fn ids_are_unique_and_kebab_case() {
    let mut names = HashSet::new();
    for kind in ALL {
        let is_word = |it: &str| {
            !it.is_empty() && it.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
        };
        for name in kind.also.iter().chain([&kind.id]) {
            assert!(name.split('-').all(is_word), "{name}");
            assert!(names.insert(*name), "{name} is another's");
        }
        assert!(!kind.title.is_empty() && kind.about.starts_with("https://"), "{}", kind.id);
        let mut keys = HashSet::new();
        for setting in kind.settings {
            for key in setting.also.iter().chain([&setting.key]) {
                assert!(key.split('-').all(is_word) && keys.insert(*key), "{} {key}", kind.id);
            }
            assert!(!setting.label.is_empty() && !setting.help.is_empty(), "{}", setting.key);
            assert!(!setting.help.ends_with('.') && !setting.example.is_empty(), "{}", setting.key);
        }
        assert!(kind.webhook_secret.is_none_or(|it| keys.contains(it)), "{}", kind.id);
    }
}

#[test]
fn every_party_has_its_file_and_its_fixtures() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for kind in ALL {
        assert!(source.join(format!("{}.rs", kind.id)).is_file(), "{}", kind.id);
        let has_inbox = connected(kind, &[]).inbox().is_some();
        assert_eq!(has_inbox, kind.webhook_secret.is_some(), "{}", kind.id);
        assert_eq!(has_inbox, !requests(kind).is_empty(), "{}", kind.id);
        assert!(!has_inbox || fixtures().join(kind.id).join("README.md").is_file());
    }
}

/// A file that is a party and is not in the list would be known by nobody.
#[test]
fn every_party_is_in_the_list() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = fs_err::read_dir(source).unwrap().map(|it| it.unwrap().path());
    let parties = files.filter(|it| it.is_file()).filter(|path| {
        let text = fs_err::read_to_string(path).unwrap();
        text.lines().any(|it| it.starts_with("pub(crate) const KIND: Kind = "))
    });
    assert_eq!(parties.count(), ALL.len());
}

#[test]
fn examples_of_settings_hold() {
    for kind in ALL {
        for setting in kind.settings {
            let given = kind.settings.iter().filter(|it| it.required || it.key == setting.key);
            let given: Vec<Given> =
                given.map(|it| (it.key.to_owned(), it.example.to_owned())).collect();
            let settled = kind.settle(&given, &|_| None).unwrap();
            assert!(settled.keys().any(|it| it == setting.key), "{} {}", kind.id, setting.key);
        }
    }
}

#[test]
fn what_is_read_is_read_whole_and_the_same_again() {
    for kind in ALL {
        let party = connected(kind, &[]);
        let Some(inbox) = party.inbox() else { continue };
        for request in requests(kind) {
            let what = format!("{}/{}", kind.id, request.name);
            let first = receive(inbox, &request.delivery(), &secrets(), now());
            let again = receive(inbox, &request.delivery(), &secrets(), now());
            assert_eq!(first, again, "{what}");
            if let Received::Heard { heard, .. } = first {
                assert_eq!(heard.gaps, [], "{what}");
                assert!(!heard.notices.is_empty() || !heard.ignored.is_empty(), "{what}");
            }
        }
    }
}

#[test]
fn events_have_ids_of_their_own() {
    for kind in ALL {
        let party = connected(kind, &[]);
        let Some(inbox) = party.inbox() else { continue };
        for request in requests(kind) {
            let events = inbox.read(&request.delivery()).notices;
            let ids: HashSet<&str> = events.iter().map(|it| it.id.as_str()).collect();
            assert_eq!(ids.len(), events.len(), "{}/{}", kind.id, request.name);
            for event in &events {
                let text = serde_json::to_string(event).unwrap();
                assert_eq!(serde_json::from_str::<crate::Notice>(&text).unwrap(), *event);
            }
        }
    }
}

/// Whatever is changed of what proves who sends it, it proves nothing any more; and where it is a
/// signature, so does whatever is changed of the body.
#[test]
fn a_flipped_bit_proves_nothing() {
    for kind in ALL {
        let party = connected(kind, &[]);
        let Some(inbox) = party.inbox() else { continue };
        for mut request in requests(kind) {
            let what = format!("{}/{}", kind.id, request.name);
            let Sender::Verified { how, .. } = inbox.verify(&request.delivery(), &secrets()) else {
                assert!(inbox.handshake(&request.delivery()).is_some(), "{what} proves nothing");
                continue;
            };
            if how == How::Signature {
                for at in 0..request.body.len() * 8 {
                    request.body[at / 8] ^= 1 << (at % 8);
                    let sender = inbox.verify(&request.delivery(), &secrets());
                    assert_eq!(sender, Sender::Refused(Refusal::Wrong), "{what}, bit {at}");
                    request.body[at / 8] ^= 1 << (at % 8);
                }
            }
            let names = [
                "x-jfrog-event-auth",
                "x-nexus-webhook-signature",
                "x-webhook-secret",
                "authorization",
            ];
            let shown =
                names.into_iter().find_map(|it| Some((it, request.headers.get(it)?.clone())));
            let Some((name, value)) = shown else { continue };
            for at in 0..value.len() * 8 {
                let mut bytes = value.as_bytes().to_vec();
                bytes[at / 8] ^= 1 << (at % 8);
                let Ok(changed) = HeaderValue::from_bytes(&bytes) else { continue };
                request.headers.insert(name, changed);
                let sender = inbox.verify(&request.delivery(), &secrets());
                assert_eq!(sender, Sender::Refused(Refusal::Wrong), "{what}, bit {at} of {name}");
            }
        }
    }
}

#[test]
fn old_secrets_hold_beside_new_ones_and_nothing_holds_without() {
    for kind in ALL {
        let party = connected(kind, &[]);
        let Some(inbox) = party.inbox() else { continue };
        for mut request in requests(kind) {
            let Sender::Verified { how, age } = inbox.verify(&request.delivery(), &secrets())
            else {
                continue;
            };
            assert_eq!(age, crate::Age::New);
            let changed = Secrets::new(Some(Secret::new("another")), Some(Secret::new(SECRET)));
            let sender = inbox.verify(&request.delivery(), &changed);
            assert_eq!(sender, Sender::Verified { how, age: crate::Age::Old });
            let another = Secrets::new(Some(Secret::new("another")), None);
            let sender = inbox.verify(&request.delivery(), &another);
            assert_eq!(sender, Sender::Refused(Refusal::Wrong));
            // An empty secret is none, and proves nobody.
            let none = Secrets::new(Some(Secret::new("")), None);
            assert_eq!(inbox.verify(&request.delivery(), &none), Sender::Unsigned);
            let raw = Secrets { new: Some(Secret::new("")), old: None };
            assert_eq!(inbox.verify(&request.delivery(), &raw), Sender::Unsigned);
            request.headers.clear();
            request.query.clear();
            let sender = inbox.verify(&request.delivery(), &secrets());
            assert_eq!(sender, Sender::Refused(Refusal::Missing));
        }
    }
}

/// Nobody's body is taken for another's event.
#[test]
fn the_words_of_others_are_no_events() {
    for kind in ALL {
        let party = connected(kind, &[]);
        let Some(inbox) = party.inbox() else { continue };
        for other in ALL.iter().filter(|it| it.id != kind.id) {
            for request in requests(other) {
                let heard = inbox.read(&request.delivery());
                let what = format!("{}/{} read as {}", other.id, request.name, kind.id);
                assert_eq!(heard.notices, [], "{what}");
            }
        }
    }
}

proptest! {
    #[test]
    fn no_inbox_panics_on_junk(
        kind in 0..ALL.len(),
        body in prop::collection::vec(any::<u8>(), 0..200),
        headers in prop::collection::vec(("[a-z-]{1,12}", prop::collection::vec(0x20_u8..0xff, 0..20)), 0..4),
        query in "\\PC{0,20}",
    ) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) = (name.parse::<http::HeaderName>(), HeaderValue::from_bytes(&value)) {
                map.append(name, value);
            }
        }
        let request = Request { name: String::new(), method: Method::POST, query, headers: map, body };
        heard(ALL[kind], &request);
    }

    /// What is almost right finds more faults than what is all wrong.
    #[test]
    fn no_inbox_panics_on_what_is_almost_right(
        kind in 0..ALL.len(),
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut all = requests(ALL[kind]);
        prop_assume!(!all.is_empty());
        let mut request = all.swap_remove(which.index(all.len()));
        prop_assume!(!request.body.is_empty());
        for (at, byte) in edits {
            let at = at.index(request.body.len());
            request.body[at] = byte;
        }
        heard(ALL[kind], &request);
    }

    #[test]
    fn registry_strings_never_panic(text in "\\PC{0,60}|(type=(oci|nexus|artifactory)|[a-z]{1,10}=|[,\"=*a/]){0,12}") {
        if let Ok((kind, given)) = crate::registry_string::parse(&text) {
            let _ = kind.settle(&given, &|_| None).map(|it| crate::filter::Filter::of(kind, &it));
        }
    }
}

fn heard(kind: &Kind, request: &Request) {
    let party = connected(kind, &[]);
    let Some(inbox) = party.inbox() else { return };
    let unsigned = Secrets::default();
    let first = receive(inbox, &request.delivery(), &unsigned, now());
    assert_eq!(first, receive(inbox, &request.delivery(), &unsigned, now()));
    let _ = receive(inbox, &request.delivery(), &secrets(), now());
    if let Received::Heard { heard, .. } = first {
        for event in heard.notices {
            assert!(event.tag.is_some() || event.digest.is_some());
            assert!(!event.is_signed && !event.repository.is_empty());
        }
    }
}
