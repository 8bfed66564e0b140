//! What is known about an image, as values of Rego: made once, and looked up by every policy.

use std::collections::BTreeMap;

use regorus::Value;
use serde_json::{Value as Json, json};

use crate::contract::{Facts, Referrer};
use crate::values;

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
    pub(crate) vulnerabilities: BTreeMap<String, Value>,
    /// The package in the document, by purl.
    pub(crate) packages: BTreeMap<String, Value>,
}

impl Known {
    pub(crate) fn new(facts: &Facts) -> Self {
        let mut input = facts.input.clone();
        let listed = input.get_mut("vulnerabilities").and_then(Json::as_array_mut);
        for entry in listed.into_iter().flatten() {
            let flaws = entry.get_mut("vulnerabilities").and_then(Json::as_array_mut);
            flaws.into_iter().flatten().filter(|it| it.is_object()).for_each(named);
        }
        let entries = entries(&input);
        let artifacts = input.get("artifacts").filter(|it| it.is_array()).cloned();
        let artifacts = artifacts.unwrap_or_else(|| json!([]));
        let by_purl = |entries: &[Json]| -> BTreeMap<String, Value> {
            let named = entries.iter().filter_map(|it| Some((it["purl"].as_str()?, it)));
            named.map(|(purl, it)| (purl.to_owned(), values::of(it))).collect()
        };
        let mut known = Self {
            input: values::of(&input),
            now: facts.now,
            referrers: BTreeMap::new(),
            referrers_unread: facts.referrers_unread.clone(),
            vulnerabilities: by_purl(&entries),
            packages: by_purl(artifacts.as_array().map_or(&[], Vec::as_slice)),
        };
        let subject = subject(&facts.input);
        // Of several, the first: whoever reads them puts the one that counts there.
        for referrer in facts.referrers.iter().rev() {
            known.referrers.insert(referrer.predicate_type.clone(), attached(referrer));
        }
        let mut made = |kind: &str, predicate: Json| {
            let statement = json!({
                "_type": STATEMENT,
                "predicateType": kind,
                "subject": subject,
                "predicate": predicate,
            });
            known.referrers.insert(kind.to_owned(), values::of(&json!({ "statement": statement })));
        };
        made(VULNERABILITIES, Json::Array(entries));
        made(SBOM, json!({ "artifacts": artifacts }));
        if let Some(provenance) = &facts.provenance {
            made(PROVENANCE, provenance.clone());
        }
        if let Some(statements) = &facts.statements {
            made(OPENVEX, statements.clone());
        }
        known
    }
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

/// What stands against each package. A finding that a statement takes out of the way is not there.
fn entries(input: &Json) -> Vec<Json> {
    let listed = input.get("vulnerabilities").and_then(Json::as_array);
    let mut entries: Vec<Json> = Vec::new();
    let mut at: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in listed.map_or(&[][..], Vec::as_slice) {
        let Some(purl) = entry["purl"].as_str() else { continue };
        let flaws = entry["vulnerabilities"].as_array().map_or(&[][..], Vec::as_slice);
        let flaws: Vec<Json> = flaws
            .iter()
            .filter(|it| it.is_object() && it["suppressed"].as_bool() != Some(true))
            .cloned()
            .collect();
        if flaws.is_empty() {
            continue;
        }
        // A package that is there twice is one entry: purls are keys.
        let index = *at.entry(purl).or_insert_with(|| {
            entries.push(json!({ "purl": purl, "vulnerabilities": [] }));
            entries.len() - 1
        });
        if let Some(Json::Array(all)) =
            entries.get_mut(index).and_then(|it| it.get_mut("vulnerabilities"))
        {
            all.extend(flaws.into_iter().filter(|it| !all.contains(it)).collect::<Vec<_>>());
        }
    }
    entries
}

/// Gives a flaw the name that policies compare: the CVE where there is one.
fn named(flaw: &mut Json) {
    let told = flaw["source_id"].as_str().unwrap_or_default().to_owned();
    let id = flaw["id"].as_str().filter(|it| !it.is_empty()).unwrap_or(&told).to_owned();
    let mut aliases: Vec<Json> = flaw["aliases"].as_array().cloned().unwrap_or_default();
    let cve = |it: &str| it.starts_with("CVE-");
    let other = aliases.iter().filter_map(Json::as_str).find(|it| cve(it)).map(str::to_owned);
    let name = [Some(id.clone()), Some(told.clone()), other];
    let name = name.into_iter().flatten().find(|it| cve(it)).unwrap_or(id.clone());
    for alias in [told, id] {
        if !alias.is_empty() && alias != name && !aliases.iter().any(|it| *it == *alias) {
            aliases.push(json!(alias));
        }
    }
    aliases.retain(|it| *it != *name);
    if let Some(fields) = flaw.as_object_mut() {
        fields.insert("source_id".to_owned(), json!(name));
        if aliases.is_empty() {
            fields.remove("aliases");
        } else {
            fields.insert("aliases".to_owned(), Json::Array(aliases));
        }
        let cvss = fields.entry("cvss").or_insert_with(|| json!({}));
        if !cvss.is_object() {
            *cvss = json!({});
        }
        if !cvss["severity"].is_string() {
            cvss["severity"] = json!("UNSPECIFIED");
        }
    }
}
