//! What a document lists, as far as our own functions look at it: they take a few fields of each, so the
//! rest is not made into values.

use std::collections::{BTreeSet, HashMap};

use regorus::Value;
use serde_json::Value as Json;

use crate::known::{self, UNSPECIFIED};
use crate::values::Maker;

/// What stands against a package. A finding that a statement takes out of the way is not there, and a
/// package that is there twice is one: purls are keys.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) purl: Value,
    pub(crate) flaws: Vec<Flaw>,
}

/// What is asked of a flaw.
#[derive(Debug)]
pub(crate) struct Flaw {
    /// By which policies compare it, and what else it goes by.
    pub(crate) name: Value,
    pub(crate) aliases: Vec<Value>,
    pub(crate) severity: Value,
    pub(crate) score: Option<Value>,
    pub(crate) fixed_by: Option<Value>,
    pub(crate) is_exploited: bool,
    pub(crate) is_forecast: bool,
    /// It was seen that nothing loads it. Where nobody can tell, something may.
    pub(crate) lies_idle: bool,
    pub(crate) epss: Option<Value>,
    pub(crate) percentile: Option<Value>,
    /// Where it stands: its entry, and its place there.
    at: (usize, usize),
}

/// What is asked of a package.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) purl: Option<Value>,
    pub(crate) kind: Option<Value>,
    pub(crate) licenses: Vec<Value>,
}

impl Flaw {
    fn of<'a>(maker: &mut Maker<'a>, flaw: &'a Json, at: (usize, usize)) -> Self {
        let (name, listed, more) = known::names(flaw);
        let (cvss, epss) = (&flaw["cvss"], flaw.get("epss"));
        let mut below = |outer: Option<&'a Json>, name: &str| {
            let inner = outer.and_then(|it| it.get(name));
            inner.map(|it| maker.shared(it))
        };
        let severity = cvss["severity"].is_string().then(|| below(Some(cvss), "severity"));
        let (score, percentile) = (below(epss, "score"), below(epss, "percentile"));
        Self {
            severity: severity.flatten().unwrap_or_else(|| Value::from(UNSPECIFIED)),
            score: below(Some(cvss), "score"),
            fixed_by: below(Some(flaw), "fixed_by"),
            is_exploited: flaw["cisa_exploited"] == true,
            is_forecast: epss.is_some_and(|it| *it != false),
            lies_idle: flaw["in_use"] == false,
            epss: score,
            percentile,
            name: Value::from(name),
            aliases: listed
                .into_iter()
                .map(|it| maker.value(it))
                .chain(more.into_iter().map(Value::from))
                .collect(),
            at,
        }
    }

    /// All of it.
    pub(crate) fn whole(&self, document: &Json) -> Value {
        let (entry, at) = self.at;
        let flaw = &document["vulnerabilities"][entry]["vulnerabilities"][at];
        known::flaw(&mut Maker::default(), flaw)
    }
}

/// What stands against each package, in the order of the document.
pub(crate) fn standing(document: &Json) -> Vec<Standing> {
    let mut maker = Maker::default();
    let mut found: Vec<Standing> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut named: HashMap<(usize, &str), usize> = HashMap::new();
    let mut alike: BTreeSet<(usize, Value)> = BTreeSet::new();
    for (entry, listed) in items(document, "vulnerabilities").iter().enumerate() {
        let Some(purl) = listed.get("purl").and_then(Json::as_str).filter(|it| !it.is_empty())
        else {
            continue;
        };
        let index = *places.entry(purl).or_insert_with(|| {
            found.push(Standing { purl: Value::from(purl), flaws: Vec::new() });
            found.len() - 1
        });
        let Some(standing) = found.get_mut(index) else { continue };
        for (at, flaw) in items(listed, "vulnerabilities").iter().enumerate() {
            if !flaw.is_object() || flaw["suppressed"] == true {
                continue;
            }
            let one = Flaw::of(&mut maker, flaw, (entry, at));
            // What is there twice counts once. Few go by the same name, so few are looked at closely.
            let (name, ..) = known::names(flaw);
            if let Some(other) = named.get(&(index, name)) {
                if let Some(other) = standing.flaws.get(*other) {
                    alike.insert((index, other.whole(document)));
                }
                if !alike.insert((index, one.whole(document))) {
                    continue;
                }
            }
            named.entry((index, name)).or_insert(standing.flaws.len());
            standing.flaws.push(one);
        }
    }
    found.retain(|it| !it.flaws.is_empty());
    found
}

/// Every package, in the order of the document.
pub(crate) fn packages(document: &Json) -> Vec<Package> {
    let mut maker = Maker::default();
    let listed = items(document, "artifacts").iter();
    listed
        .map(|it| Package {
            purl: it.get("purl").map(|it| maker.value(it)),
            kind: it.get("type").map(|it| maker.shared(it)),
            licenses: match it.get("licenses") {
                Some(Json::Array(all)) => all.iter().map(|it| maker.shared(it)).collect(),
                Some(Json::Object(all)) => all.values().map(|it| maker.shared(it)).collect(),
                _ => Vec::new(),
            },
        })
        .collect()
}

fn items<'a>(value: &'a Json, name: &str) -> &'a [Json] {
    value.get(name).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}
