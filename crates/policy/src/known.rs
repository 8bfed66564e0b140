//! What is known about an image, as values of Rego: made once, when the first policy looks at it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use regorus::Value;
use serde_json::{Value as Json, json};

use crate::contract::{Facts, Referrer};
use crate::listing::{self, Flaw, Package, Standing};
use crate::room;
use crate::values::{self, Maker};

/// What the document lists at length.
pub(crate) const LISTED: [&str; 2] = ["artifacts", "vulnerabilities"];

/// The predicates that are made from what is known, rather than attached to an image.
pub(crate) const VULNERABILITIES: &str = "https://scout.docker.com/vulnerabilities/v0.1";
pub(crate) const SBOM: &str = "https://scout.docker.com/sbom/v0.1";
pub(crate) const PROVENANCE: &str = "https://scout.docker.com/provenance/v0.1";
pub(crate) const OPENVEX: &str = "https://openvex.dev/ns/v0.2.0";

const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// The facts, ready to be looked up.
#[derive(Debug)]
pub(crate) struct Known {
    /// The document as it was given. What is made of it is made when somebody looks at it.
    document: Arc<Json>,
    /// The document, in which packages and findings are there, and nobody sees which.
    outline: Value,
    pub(crate) now: i64,
    /// By predicate type.
    referrers: BTreeMap<String, Value>,
    pub(crate) referrers_unread: Option<String>,
    whole: OnceLock<Whole>,
    standing: OnceLock<Vec<Standing>>,
    packages: OnceLock<Vec<Package>>,
}

/// All of the document as values, for whoever looks at it in his own way.
#[derive(Debug)]
struct Whole {
    /// The document, with the names of flaws as policies compare them.
    input: Value,
    /// `{purl, vulnerabilities}` by purl, without what a statement takes out of the way.
    vulnerabilities: BTreeMap<String, Value>,
    /// The package in the document, by purl.
    packages: BTreeMap<String, Value>,
    /// What is attached to every image: its findings, and its packages.
    found: Value,
    listed: Value,
}

/// How deep documents may be nested for an ordinary stack.
const SHALLOW: u32 = 64;

impl Known {
    /// The same where there is room for it; `None`: there is none.
    pub(crate) fn with_room(facts: &Facts) -> Option<Self> {
        let told =
            facts.referrers.iter().flat_map(|it| [Some(&it.statement), it.envelope.as_ref()]);
        let all = [facts.statements.as_ref(), facts.provenance.as_ref()];
        // What is listed in the document is made by whoever looks at it, and he has room.
        let fields = facts.input.as_object().into_iter().flatten();
        let outline = fields.filter(|(name, it)| !is_listed(name, it)).map(|(_, it)| Some(it));
        if all.into_iter().chain(told).chain(outline).flatten().all(|it| is_shallow(it, SHALLOW)) {
            return Some(Self::new(facts));
        }
        room::with(|| Self::new(facts))
    }

    pub(crate) fn new(facts: &Facts) -> Self {
        let mut referrers = BTreeMap::new();
        // Of several, the first: whoever reads them puts the one that counts there.
        for referrer in facts.referrers.iter().rev() {
            referrers.insert(referrer.predicate_type.clone(), attached(referrer));
        }
        let mut made = |kind: &str, predicate: &Option<Json>| {
            if let Some(predicate) = predicate {
                let statement = stated(kind, &subject(&facts.input), values::of(predicate));
                referrers.insert(kind.to_owned(), statement);
            }
        };
        made(PROVENANCE, &facts.provenance);
        made(OPENVEX, &facts.statements);
        Self {
            document: Arc::clone(&facts.input),
            outline: outline(&facts.input),
            now: facts.now,
            referrers,
            referrers_unread: facts.referrers_unread.clone(),
            whole: OnceLock::new(),
            standing: OnceLock::new(),
            packages: OnceLock::new(),
        }
    }

    /// The document, for a policy that `looks_inside` what is listed there, or does not.
    pub(crate) fn input(&self, looks_inside: bool) -> &Value {
        if looks_inside { &self.whole().input } else { &self.outline }
    }

    fn whole(&self) -> &Whole {
        self.whole.get_or_init(|| Whole::of(&self.document))
    }

    /// What is attached to the image under a predicate type.
    pub(crate) fn referrer(&self, kind: &str) -> Option<&Value> {
        match kind {
            VULNERABILITIES => Some(&self.whole().found),
            SBOM => Some(&self.whole().listed),
            other => self.referrers.get(other),
        }
    }

    /// `{purl, vulnerabilities}` of a package that has any.
    pub(crate) fn vulnerabilities(&self, purl: &str) -> Option<&Value> {
        self.whole().vulnerabilities.get(purl)
    }

    /// The package in the document.
    pub(crate) fn package(&self, purl: &str) -> Option<&Value> {
        self.whole().packages.get(purl)
    }

    /// What stands against each package, in the order of the document.
    pub(crate) fn standing(&self) -> &[Standing] {
        self.standing.get_or_init(|| listing::standing(&self.document))
    }

    /// All of a flaw that stands.
    pub(crate) fn flaw(&self, flaw: &Flaw) -> Value {
        flaw.whole(&self.document)
    }

    /// Every package, in the order of the document.
    pub(crate) fn packages(&self) -> &[Package] {
        self.packages.get_or_init(|| listing::packages(&self.document))
    }
}

impl Whole {
    fn of(document: &Json) -> Self {
        let input = self::document(document);
        let entries = entries(&input);
        let artifacts = values::field(&input, "artifacts").filter(|it| it.as_array().is_ok());
        let artifacts = artifacts.cloned().unwrap_or_else(Value::new_array);
        let packages = by_purl(artifacts.as_array().into_iter().flat_map(|it| it.iter()));
        let vulnerabilities = by_purl(&entries);
        let found = stated(VULNERABILITIES, &subject(document), Value::from(entries));
        let listed = stated(SBOM, &subject(document), object([("artifacts", artifacts)]));
        Self { input, vulnerabilities, packages, found, listed }
    }
}

/// Whether a field of the document lists so much that few look at it.
fn is_listed(name: &str, value: &Json) -> bool {
    LISTED.contains(&name) && value.is_array()
}

/// The document without what is listed there: lists in which nothing is stand for it.
fn outline(input: &Json) -> Value {
    let mut maker = Maker::default();
    let Json::Object(fields) = input else { return maker.value(input) };
    let made = fields.iter().map(|(name, value)| {
        let value = if is_listed(name, value) { Value::new_array() } else { maker.value(value) };
        (maker.name(name), value)
    });
    Value::from(made.collect::<BTreeMap<_, _>>())
}

/// An attached statement.
fn stated(kind: &str, subject: &Json, predicate: Value) -> Value {
    let statement = object([
        ("_type", Value::from(STATEMENT)),
        ("predicateType", Value::from(kind)),
        ("subject", values::of(subject)),
        ("predicate", predicate),
    ]);
    object([("statement", statement)])
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

/// The name of a flaw that policies compare, which is the CVE where there is one, and its others.
pub(crate) fn names(flaw: &Json) -> (&str, Vec<&Json>, Vec<&str>) {
    let told = flaw["source_id"].as_str().unwrap_or_default();
    let id = flaw["id"].as_str().filter(|it| !it.is_empty()).unwrap_or(told);
    let listed: &[Json] = flaw["aliases"].as_array().map_or(&[], Vec::as_slice);
    let is_cve = |it: &&str| it.starts_with("CVE-");
    let other = listed.iter().filter_map(Json::as_str).find(is_cve);
    let name = [Some(id), Some(told), other].into_iter().flatten().find(is_cve).unwrap_or(id);
    let mut more = Vec::new();
    for (at, alias) in [told, id].into_iter().enumerate() {
        let is_there = listed.iter().any(|it| it == alias) || (at == 1 && told == id);
        if !alias.is_empty() && alias != name && !is_there {
            more.push(alias);
        }
    }
    (name, listed.iter().filter(|it| *it != name).collect(), more)
}

/// How severe a flaw is of which nobody says it.
pub(crate) const UNSPECIFIED: &str = "UNSPECIFIED";

/// A flaw under the name that policies compare.
pub(crate) fn flaw<'a>(maker: &mut Maker<'a>, flaw: &'a Json) -> Value {
    let Json::Object(fields) = flaw else { return maker.value(flaw) };
    let (name, listed, more) = names(flaw);
    let mut aliases: Vec<Value> = listed.into_iter().map(|it| maker.value(it)).collect();
    aliases.extend(more.into_iter().map(Value::from));
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
        cvss.insert(maker.name("severity"), Value::from(UNSPECIFIED));
        made.insert(maker.name("cvss"), Value::from(cvss));
    }
    Value::from(made)
}
