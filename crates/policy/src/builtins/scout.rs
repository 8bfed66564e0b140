//! scout: packages, their flaws, and the base image.

use std::collections::{BTreeMap, BTreeSet};

use model::Purl;
use regorus::Value;
use serde_json::{Map, json};

use super::{Builtin, builtin, text, wrong};
use crate::pass::{Answered, Pass, Stop};
use crate::question::Question;
use crate::values;

pub(super) const FUNCTIONS: &[Builtin] = &[
    builtin("scout.parse_purl", 1, parse_purl),
    builtin("scout.package_provenance", 1, package_provenance),
    builtin("scout.vulnerabilities", 1, vulnerabilities),
    builtin("scout.package_recommendation", 1, package_recommendation),
    builtin("scout.base_image", 0, base_image),
];

fn parse_purl(_: &Pass, arguments: &[Value]) -> Answered {
    let purl: Purl = text(arguments, 0)?
        .parse()
        .map_err(|error| Stop::Wrong(format!("cannot read it: {error}")))?;
    let qualifiers: Map<String, serde_json::Value> =
        purl.qualifiers().map(|(key, value)| (key.to_owned(), json!(value))).collect();
    Ok(values::of(&json!({
        "type": purl.kind(),
        "namespace": purl.namespace().unwrap_or_default(),
        "name": purl.name(),
        "version": purl.version().unwrap_or_default(),
        "qualifiers": qualifiers,
        "subpath": purl.subpath().unwrap_or_default(),
    })))
}

/// Where the document has a package; null: it has none of that name.
fn package_provenance(pass: &Pass, arguments: &[Value]) -> Answered {
    let Some(package) = pass.known.package(text(arguments, 0)?) else {
        return Ok(Value::Null);
    };
    let told = ["purl", "locations", "parent", "source", "kind", "owner", "files"];
    let told = told
        .into_iter()
        .filter_map(|it| values::field(package, it).map(|value| (Value::from(it), value.clone())));
    Ok(Value::from(told.collect::<BTreeMap<_, _>>()))
}

/// The entries of these packages, in the order they are asked for; what has no flaw has no entry.
fn vulnerabilities(pass: &Pass, arguments: &[Value]) -> Answered {
    let purls: Vec<&Value> = match arguments.first() {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(Value::Set(items)) => items.iter().collect(),
        Some(one @ Value::String(_)) => vec![one],
        other => return Err(wrong("purls", other)),
    };
    pass.make(purls.len() * size_of::<Value>())?;
    let entries = purls.into_iter().filter_map(|it| match it {
        Value::String(purl) => pass.known.vulnerabilities(purl).cloned(),
        _ => None,
    });
    Ok(Value::from(entries.collect::<Vec<_>>()))
}

/// The version that mends all that can be mended; null where nothing can.
fn package_recommendation(pass: &Pass, arguments: &[Value]) -> Answered {
    let purl = text(arguments, 0)?;
    let Some(entry) = pass.known.vulnerabilities(purl) else { return Ok(Value::Null) };
    let flaws = values::field(entry, "vulnerabilities").and_then(|it| it.as_array().ok());
    let flaws = flaws.into_iter().flat_map(|it| it.iter());
    let versions: BTreeSet<&str> = flaws.filter_map(|it| values::text(it, "fixed_by")).collect();
    match versions.len() {
        0 => Ok(Value::Null),
        1 => Ok(versions.into_iter().next().map_or(Value::Null, Value::from)),
        _ => {
            let versions = versions.into_iter().map(str::to_owned).collect();
            pass.ask(Question::Newest(purl.to_owned(), versions))
        }
    }
}

fn base_image(pass: &Pass, _: &[Value]) -> Answered {
    pass.ask(Question::BaseImage)
}
