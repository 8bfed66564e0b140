//! What is known about an image, as values of Rego: made once, and looked up by every policy.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use regorus::Value;
use serde_json::{Value as Json, json};

use crate::contract::{Facts, Referrer};
use crate::room;
use crate::values::{self, Maker};

/// The predicates that are made from what is known, rather than attached to an image.
pub(crate) const VULNERABILITIES: &str = "https://scout.docker.com/vulnerabilities/v0.1";
pub(crate) const SBOM: &str = "https://scout.docker.com/sbom/v0.1";
pub(crate) const PROVENANCE: &str = "https://scout.docker.com/provenance/v0.1";
pub(crate) const OPENVEX: &str = "https://openvex.dev/ns/v0.2.0";

const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// The facts, ready to be looked up.
#[derive(Debug)]
pub(crate) struct Known {
    /// The document, with the names of flaws as policies compare them.
    pub(crate) input: Value,
    pub(crate) now: i64,
    /// By predicate type.
    pub(crate) referrers: BTreeMap<String, Value>,
    pub(crate) referrers_unread: Option<String>,
    /// `{purl, vulnerabilities}` by purl, without what a statement takes out of the way.
    vulnerabilities: OnceLock<BTreeMap<String, Value>>,
    /// The package in the document, by purl.
    packages: OnceLock<BTreeMap<String, Value>>,
    /// The same as in `vulnerabilities`, in the order of the document.
    pub(crate) entries: Vec<Value>,
    /// The document's packages.
    pub(crate) artifacts: Value,
}

/// How deep documents may be nested for an ordinary stack.
const SHALLOW: u32 = 64;

impl Known {
    /// The same where there is room for it; `None`: there is none.
    pub(crate) fn with_room(facts: &Facts) -> Option<Self> {
        let told =
            facts.referrers.iter().flat_map(|it| [Some(&it.statement), it.envelope.as_ref()]);
        let all = [Some(&facts.input), facts.statements.as_ref(), facts.provenance.as_ref()];
        if all.into_iter().chain(told).flatten().all(|it| is_shallow(it, SHALLOW)) {
            return Some(Self::new(facts));
        }
        room::with(|| Self::new(facts))
    }

    pub(crate) fn new(facts: &Facts) -> Self {
        let input = document(&facts.input);
        let entries = entries(&input);
        let artifacts = values::field(&input, "artifacts").filter(|it| it.as_array().is_ok());
        let artifacts = artifacts.cloned().unwrap_or_else(Value::new_array);
        let mut known = Self {
            now: facts.now,
            referrers: BTreeMap::new(),
            referrers_unread: facts.referrers_unread.clone(),
            vulnerabilities: OnceLock::new(),
            packages: OnceLock::new(),
            entries,
            artifacts,
            input,
        };
        // Of several, the first: whoever reads them puts the one that counts there.
        for referrer in facts.referrers.iter().rev() {
            known.referrers.insert(referrer.predicate_type.clone(), attached(referrer));
        }
        let subject = values::of(&subject(&facts.input));
        let listed = Value::from(known.entries.clone());
        let sbom = object([("artifacts", known.artifacts.clone())]);
        let mut made = |kind: &str, predicate: Value| {
            let statement = object([
                ("_type", Value::from(STATEMENT)),
                ("predicateType", Value::from(kind)),
                ("subject", subject.clone()),
                ("predicate", predicate),
            ]);
            known.referrers.insert(kind.to_owned(), object([("statement", statement)]));
        };
        made(VULNERABILITIES, listed);
        made(SBOM, sbom);
        if let Some(provenance) = &facts.provenance {
            made(PROVENANCE, values::of(provenance));
        }
        if let Some(statements) = &facts.statements {
            made(OPENVEX, values::of(statements));
        }
        known
    }

    /// `{purl, vulnerabilities}` of a package that has any.
    pub(crate) fn vulnerabilities(&self, purl: &str) -> Option<&Value> {
        self.vulnerabilities.get_or_init(|| by_purl(&self.entries)).get(purl)
    }

    /// The package in the document.
    pub(crate) fn package(&self, purl: &str) -> Option<&Value> {
        let listed = || self.artifacts.as_array().into_iter().flat_map(|it| it.iter());
        self.packages.get_or_init(|| by_purl(listed())).get(purl)
    }
}

fn is_shallow(value: &Json, left: u32) -> bool {
    let inner = |it: &Json| left.checked_sub(1).is_some_and(|left| is_shallow(it, left));
    match value {
        Json::Array(items) => items.iter().all(inner),
        Json::Object(fields) => fields.values().all(inner),
        _ => true,
    }
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::from(
        fields
            .map(|(key, value)| (Value::from(key), value))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
    )
}

/// By purl; of those that are there twice, the first.
fn by_purl<'a>(all: impl IntoIterator<Item = &'a Value>) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for value in all {
        if let Some(purl) = values::text(value, "purl") {
            found.entry(purl.to_owned()).or_insert_with(|| value.clone());
        }
    }
    found
}

/// The image as the subject of a statement.
fn subject(input: &Json) -> Json {
    let image = &input["source"]["image"];
    let name = image["name"].as_str().unwrap_or_default();
    let Some((algorithm, hex)) = image["digest"].as_str().and_then(|it| it.split_once(':')) else {
        return json!([]);
    };
    json!([{ "name": name, "digest": { algorithm: hex } }])
}

fn attached(referrer: &Referrer) -> Value {
    let mut value = json!({ "statement": referrer.statement });
    if let Some(image) = &referrer.image {
        value["image"] = json!(image);
    }
    if let Some(envelope) = &referrer.envelope {
        value["envelope"] = envelope.clone();
    }
    values::of(&value)
}

/// What stands against each package, in the order of the document. A finding that a statement takes
/// out of the way is not there, and a package that is there twice is one entry: purls are keys.
fn entries(input: &Value) -> Vec<Value> {
    let list = |value: &'_ Value, name: &str| -> Option<Arc<regorus::value::Array>> {
        match values::field(value, name) {
            Some(Value::Array(listed)) => Some(Arc::clone(listed)),
            _ => None,
        }
    };
    let listed = list(input, "vulnerabilities");
    let mut found: Vec<(&Value, Vec<Value>)> = Vec::new();
    let mut at: HashMap<&str, usize> = HashMap::new();
    let mut seen: BTreeSet<(usize, Value)> = BTreeSet::new();
    for entry in listed.iter().flat_map(|it| it.iter()) {
        let Some(purl) = values::field(entry, "purl") else { continue };
        let Some(name) = purl.as_string().ok().filter(|it| !it.is_empty()) else { continue };
        let stands = |it: &&Value| {
            it.as_object().is_ok() && values::field(it, "suppressed") != Some(&Value::Bool(true))
        };
        let flaws = list(entry, "vulnerabilities");
        let flaws = flaws.iter().flat_map(|it| it.iter()).filter(stands);
        let index = *at.entry(name).or_insert_with(|| {
            found.push((purl, Vec::new()));
            found.len() - 1
        });
        if let Some((_, all)) = found.get_mut(index) {
            all.extend(flaws.filter(|it| seen.insert((index, (*it).clone()))).cloned());
        }
    }
    let standing = found.into_iter().filter(|(_, flaws)| !flaws.is_empty());
    standing
        .map(|(purl, flaws)| {
            object([("purl", purl.clone()), ("vulnerabilities", Value::from(flaws))])
        })
        .collect()
}

/// The document, in which every flaw has the name that policies compare.
fn document(input: &Json) -> Value {
    let mut maker = Maker::default();
    let Json::Object(fields) = input else { return maker.value(input) };
    let made = fields.iter().map(|(name, value)| {
        let value = match value {
            Json::Array(listed) if name == "vulnerabilities" => {
                Value::from(listed.iter().map(|it| entry(&mut maker, it)).collect::<Vec<_>>())
            }
            other => maker.value(other),
        };
        (maker.name(name), value)
    });
    Value::from(made.collect::<BTreeMap<_, _>>())
}

/// What stands against one package.
fn entry<'a>(maker: &mut Maker<'a>, entry: &'a Json) -> Value {
    let Json::Object(fields) = entry else { return maker.value(entry) };
    let made = fields.iter().map(|(name, value)| {
        let value = match value {
            Json::Array(flaws) if name == "vulnerabilities" => {
                Value::from(flaws.iter().map(|it| flaw(maker, it)).collect::<Vec<_>>())
            }
            other => maker.value(other),
        };
        (maker.name(name), value)
    });
    Value::from(made.collect::<BTreeMap<_, _>>())
}

/// A flaw under the name that policies compare: the CVE where there is one.
fn flaw<'a>(maker: &mut Maker<'a>, flaw: &'a Json) -> Value {
    let Json::Object(fields) = flaw else { return maker.value(flaw) };
    let told = flaw["source_id"].as_str().unwrap_or_default();
    let id = flaw["id"].as_str().filter(|it| !it.is_empty()).unwrap_or(told);
    let listed: &[Json] = flaw["aliases"].as_array().map_or(&[], Vec::as_slice);
    let is_cve = |it: &&str| it.starts_with("CVE-");
    let other = listed.iter().filter_map(Json::as_str).find(is_cve);
    let name = [Some(id), Some(told), other].into_iter().flatten().find(is_cve).unwrap_or(id);
    let mut aliases: Vec<Value> =
        listed.iter().filter(|it| *it != name).map(|it| maker.value(it)).collect();
    for (at, alias) in [told, id].into_iter().enumerate() {
        let is_there = listed.iter().any(|it| it == alias) || (at == 1 && told == id);
        if !alias.is_empty() && alias != name && !is_there {
            aliases.push(Value::from(alias));
        }
    }
    let mut made: BTreeMap<Value, Value> =
        fields.iter().map(|(name, it)| (maker.name(name), maker.value(it))).collect();
    made.insert(maker.name("source_id"), Value::from(name));
    if aliases.is_empty() {
        made.remove(&maker.name("aliases"));
    } else {
        made.insert(maker.name("aliases"), Value::from(aliases));
    }
    if !flaw["cvss"]["severity"].is_string() {
        let known = flaw["cvss"].as_object().into_iter().flatten();
        let mut cvss: BTreeMap<Value, Value> =
            known.map(|(name, it)| (maker.name(name), maker.value(it))).collect();
        cvss.insert(maker.name("severity"), Value::from("UNSPECIFIED"));
        made.insert(maker.name("cvss"), Value::from(cvss));
    }
    Value::from(made)
}
