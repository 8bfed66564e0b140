//! Whole policies over whole images.

mod bounds;
mod built_in;
mod contract;
mod laws;
mod plain;
mod rego;

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{Config, Facts, Limits, Module, Outside, Set, Verdict, judge};

/// 14 November 2023, some time in the evening.
const NOW: i64 = 1_700_000_000_000_000_000;

/// A world as a test wants it.
#[derive(Default)]
struct World {
    digests: BTreeMap<&'static str, &'static str>,
    base: Option<Value>,
    /// Why the base image cannot be told.
    mute: Option<&'static str>,
    asked: RefCell<Vec<String>>,
}

impl World {
    fn heard(&self, question: String) {
        self.asked.borrow_mut().push(question);
    }
}

impl Outside for World {
    fn image_digest(&self, reference: &str) -> Result<Option<String>, String> {
        self.heard(format!("digest {reference}"));
        match self.digests.get(reference) {
            Some(&"?") => Err("the registry does not answer".to_owned()),
            other => Ok(other.map(|it| (*it).to_owned())),
        }
    }

    fn index(&self, reference: &str, digest: &str) -> Result<Option<Value>, String> {
        self.heard(format!("index {reference} {digest}"));
        Ok(Some(json!({ "manifests": [{ "digest": digest }] })))
    }

    fn referrer_index(&self, reference: &str, digest: &str) -> Result<Option<Value>, String> {
        self.heard(format!("referrers {reference} {digest}"));
        Ok(Some(json!({ "manifests": [{ "digest": "sha256:ref", "artifactType": "x" }] })))
    }

    fn referrer_by_digest(&self, reference: &str, digest: &str) -> Result<Option<Value>, String> {
        self.heard(format!("referrer {reference} {digest}"));
        Ok((digest == "sha256:ref").then(|| json!({ "statement": {} })))
    }

    fn verify_dsse(&self, envelope: &Value, options: &Value) -> Result<Value, String> {
        self.heard(format!("dsse {envelope} {options}"));
        Ok(if envelope["good"] == true { json!({}) } else { json!({ "error": "bad signature" }) })
    }

    fn verify_image(&self, reference: &str, options: &Value) -> Result<Value, String> {
        self.heard(format!("image {reference} {options}"));
        Ok(if reference.contains("good") { json!({}) } else { json!({ "error": "no signature" }) })
    }

    fn verify_commit(&self, arguments: &[Value]) -> Result<Value, String> {
        self.heard(format!("commit {}", json!(arguments)));
        Ok(json!({ "verified": true }))
    }

    fn base_image(&self) -> Result<Option<Value>, String> {
        self.heard("base".to_owned());
        self.mute.map_or(Ok(self.base.clone()), |why| Err(why.to_owned()))
    }

    fn newest(&self, purl: &str, versions: &[String]) -> Result<String, String> {
        self.heard(format!("newest {purl} {}", versions.join(" ")));
        versions.iter().max().cloned().ok_or_else(|| "none".to_owned())
    }
}

/// An image of which all is well.
fn image() -> Value {
    json!({
        "source": { "type": "image", "image": {
            "name": "example.org/app",
            "digest": format!("sha256:{}", "a".repeat(64)),
            "created": "2023-11-01T00:00:00Z",
            "distro": { "os_name": "debian", "os_version": "12" },
            "config": { "config": { "User": "app", "Labels": { "a": "b" } } },
        }},
        "artifacts": [
            { "type": "deb", "name": "curl", "version": "7.88.1", "purl": "pkg:deb/debian/curl@7.88.1",
              "licenses": ["curl"], "locations": [{ "path": "/var/lib/dpkg/status", "ordinal": 1 }] },
        ],
        "vulnerabilities": [],
        "analysis": { "basis": { "almanac": "sha256:1", "starter": false }, "gaps": [] },
    })
}

/// The same with a flaw of one package, as `change` makes it.
#[expect(clippy::needless_pass_by_value, reason = "tables read better")]
fn flawed(change: Value) -> Value {
    let mut flaw = json!({
        "source": "debian", "source_id": "DSA-1", "id": "CVE-2023-1", "aliases": ["DSA-1"],
        "fixed_by": "7.88.2", "published_at": "2023-11-10T00:00:00Z",
        "cvss": { "severity": "CRITICAL", "score": 9.8 }, "cisa_exploited": false,
    });
    for (key, value) in change.as_object().unwrap() {
        if value.is_null() {
            flaw.as_object_mut().unwrap().remove(key);
        } else {
            flaw[key] = value.clone();
        }
    }
    let mut image = image();
    let entry = json!([{ "purl": "pkg:deb/debian/curl@7.88.1", "vulnerabilities": [flaw] }]);
    image["vulnerabilities"] = entry;
    image
}

/// The image with the value at a path, or without it where it is null.
fn with(mut image: Value, path: &str, value: Value) -> Value {
    let (parent, key) = path.rsplit_once('/').unwrap();
    let parent = image.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value == json!("<none>") {
        parent.remove(key);
    } else {
        parent.insert(key.to_owned(), value);
    }
    image
}

fn facts(input: Value) -> Facts {
    Facts { input: input.into(), now: NOW, ..Facts::default() }
}

/// A policy's verdict, in lines: the outcome, then each violation.
fn shown(verdict: &Verdict) -> String {
    let mut lines = vec![verdict.outcome.to_string()];
    lines.extend(verdict.violations.iter().map(|it| it.message.clone()));
    lines.join("\n")
}

/// What one module says to an image.
fn says(text: &str, facts: &Facts) -> String {
    says_in(text, facts, &World::default())
}

fn says_in(text: &str, facts: &Facts, world: &World) -> String {
    shown(&verdict(text, facts, world, &Limits::default()))
}

fn verdict(text: &str, facts: &Facts, world: &World, limits: &Limits) -> Verdict {
    let set = Set::read([Module::file("a.rego", text)]).unwrap();
    judge(&set, &Config::default(), facts, world, limits).unwrap().remove(0)
}

/// A policy whose `pass` is what `count(violation)` says, and whose rules are these.
fn policy(rules: &str) -> String {
    format!(
        "package docker.scout\n\nimport rego.v1\n\ndefault pass := false\n\n\
         pass if count(violation) == 0\n\n{rules}\n"
    )
}
