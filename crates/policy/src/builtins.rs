//! The functions that policies have beside those of Rego: one file for each family, listed in `ALL`.

mod bounded;
mod cosign;
mod foretop;
mod format;
mod gpg;
mod native;
mod oci;
mod scout;
mod time;

use regorus::Value;

use crate::pass::{Answered, Pass, Stop};

pub(crate) use native::NAMES as NATIVE;

/// A function of ours. It goes before one of Rego's of the same name.
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    pub(crate) arity: Arity,
    pub(crate) call: fn(&Pass, &[Value]) -> Answered,
}

/// How many arguments a function has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arity {
    Of(u8),
    /// As many as the policy gives it, up to that.
    UpTo(u8),
}

/// Every family. Adding one is its file, its `mod` line, and its entry here.
pub(crate) const ALL: &[&[Builtin]] = &[
    bounded::FUNCTIONS,
    cosign::FUNCTIONS,
    foretop::FUNCTIONS,
    format::FUNCTIONS,
    gpg::FUNCTIONS,
    oci::FUNCTIONS,
    scout::FUNCTIONS,
    time::FUNCTIONS,
];

/// Every function of ours.
pub(crate) fn all() -> impl Iterator<Item = &'static Builtin> {
    ALL.iter().copied().flatten()
}

const fn builtin(name: &'static str, arity: u8, call: fn(&Pass, &[Value]) -> Answered) -> Builtin {
    Builtin { name, arity: Arity::Of(arity), call }
}

/// An argument that is a text.
fn text(arguments: &[Value], at: usize) -> Result<&str, Stop> {
    match arguments.get(at) {
        Some(Value::String(text)) => Ok(text),
        other => Err(wrong("a text", other)),
    }
}

/// An argument that is a whole number.
fn whole(arguments: &[Value], at: usize) -> Result<i64, Stop> {
    match arguments.get(at) {
        Some(Value::Number(number)) if number.is_integer() => number
            .as_i64()
            .ok_or_else(|| Stop::Wrong("is given a number that is too large".to_owned())),
        other => Err(wrong("a whole number", other)),
    }
}

fn wrong(wanted: &str, given: Option<&Value>) -> Stop {
    let given = match given {
        Some(Value::Null) => "`null`",
        Some(Value::Bool(_)) => "a boolean",
        Some(Value::Number(_)) => "a number",
        Some(Value::String(_)) => "a text",
        Some(Value::Array(_)) => "an array",
        Some(Value::Set(_)) => "a set",
        Some(Value::Object(_)) => "an object",
        Some(Value::Undefined) | None => "nothing",
    };
    Stop::Wrong(format!("wants {wanted}, and was given {given}"))
}

/// A text that was made here.
fn made(pass: &Pass, text: String) -> Answered {
    pass.make(text.len())?;
    Ok(Value::from(text))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Arc;

    use super::*;
    use crate::contract::{Facts, Limits};
    use crate::known::Known;
    use crate::values;

    /// What a function says to arguments in JSON, as JSON.
    pub(crate) fn called(name: &str, arguments: &str) -> String {
        let facts = Facts { now: 1_700_000_000_000_000_000, ..Facts::default() };
        said(&facts, name, arguments)
    }

    /// The same, with facts to look at.
    pub(crate) fn said(facts: &Facts, name: &str, arguments: &str) -> String {
        let known = Arc::new(Known::new(facts));
        let pass = Pass::new(known, Arc::new(BTreeMap::new()), Limits::default(), true);
        let arguments: Vec<serde_json::Value> = serde_json::from_str(arguments).unwrap();
        let arguments: Vec<Value> = arguments.iter().map(values::of).collect();
        let builtin = all().find(|it| it.name == name).expect("it is registered");
        match (builtin.call)(&pass, &arguments) {
            Ok(value) => serde_json::to_string(&value).unwrap(),
            Err(Stop::Wrong(why)) => format!("wrong: {why}"),
            Err(Stop::Unknown(why)) => format!("unknown: {why}"),
            Err(Stop::Ask(question)) => format!("ask: {question:?}"),
        }
    }

    #[test]
    fn names_are_unique() {
        let ours: Vec<&str> = all().map(|it| it.name).collect();
        let once: BTreeSet<&str> = ours.iter().chain(NATIVE).copied().collect();
        assert_eq!(once.len(), ours.len() + NATIVE.len());
    }

    #[test]
    fn rego_has_what_is_said_to_be_its_own() {
        for name in NATIVE {
            let mut engine = crate::reading::engine();
            let told = engine.eval_query(format!("{name}(1, 2, 3, 4, 5, 6, 7)"), false);
            let told = told.map_or_else(|error| error.to_string(), |_| String::new());
            assert!(!told.contains("could not find function"), "{name}: {told}");
        }
    }

    #[test]
    fn no_function_panics_on_junk() {
        let junk = ["null", "-1", "1e300", "\"\"", "\"x\\u0000é\"", "[]", "[null]", "{}", "true"];
        for function in all() {
            for one in junk {
                for other in junk {
                    let arguments = format!("[{one}, {other}, {one}, {other}]");
                    let Arity::Of(arity) = function.arity else {
                        called(function.name, &arguments);
                        continue;
                    };
                    let all: Vec<serde_json::Value> = serde_json::from_str(&arguments).unwrap();
                    let some = serde_json::to_string(&all[..usize::from(arity)]).unwrap();
                    called(function.name, &some);
                }
            }
        }
    }

    #[test]
    fn families() {
        let facts = Facts {
            input: Arc::new(serde_json::json!({
                "artifacts": [{ "purl": "pkg:npm/a@1", "locations": [{ "path": "/a" }] }],
                "vulnerabilities": [{ "purl": "pkg:npm/a@1", "vulnerabilities": [
                    { "id": "CVE-1", "source_id": "GHSA-1", "fixed_by": "1.1" },
                    { "id": "CVE-2", "source_id": "CVE-2", "suppressed": true, "fixed_by": "1.2" },
                ]}],
            })),
            ..Facts::default()
        };
        let check = |name: &str, arguments: &str, expect: &str| {
            assert_eq!(said(&facts, name, arguments), expect, "{name} {arguments}");
        };
        check("oci.referrer", r#"["https://spdx.dev/Document"]"#, "null");
        check("oci.canonical_name", r#"["node:25"]"#, r#""docker.io/library/node""#);
        check(
            "oci.canonical_name",
            r#"["N:"]"#,
            "wrong: cannot read it: `N:` is not an image reference: a repository's name is lower case",
        );
        check("oci.image_digest", r#"["node:25"]"#, r#"ask: ImageDigest("node:25")"#);
        check(
            "scout.parse_purl",
            r#"["pkg:deb/debian/curl@7.88?arch=amd64#x"]"#,
            r#"{"name":"curl","namespace":"debian","qualifiers":{"arch":"amd64"},"subpath":"x","type":"deb","version":"7.88"}"#,
        );
        check(
            "scout.package_provenance",
            r#"["pkg:npm/a@1"]"#,
            r#"{"locations":[{"path":"/a"}],"purl":"pkg:npm/a@1"}"#,
        );
        check("scout.package_provenance", r#"["pkg:npm/b@1"]"#, "null");
        check(
            "scout.vulnerabilities",
            r#"[["pkg:npm/a@1", "pkg:npm/b@1"]]"#,
            r#"[{"purl":"pkg:npm/a@1","vulnerabilities":[{"aliases":["GHSA-1"],"cvss":{"severity":"UNSPECIFIED"},"fixed_by":"1.1","id":"CVE-1","source_id":"CVE-1"}]}]"#,
        );
        check("scout.package_recommendation", r#"["pkg:npm/a@1"]"#, r#""1.1""#);
        check("scout.package_recommendation", r#"["pkg:npm/b@1"]"#, "null");
        check("scout.base_image", "[]", "ask: BaseImage");
        check("cosign.verify_dsse", "[null, {}]", r#"{"error":"there is no envelope"}"#);
        check("cosign.verify_images", "[[], {}]", "{}");
        check("cosign.verify_images", r#"[["a"], {}]"#, r#"ask: VerifyImage("a", "{}")"#);
        check("gpg.verify_commit", r#"["c", "s"]"#, r#"ask: VerifyCommit("[\"c\",\"s\"]")"#);
    }
}
