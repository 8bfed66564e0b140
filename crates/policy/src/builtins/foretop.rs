//! foretop: what a policy would look for in loops, found in one go.

use std::collections::{BTreeMap, BTreeSet};

use regorus::Value;
use regorus::value::Array;

use super::{Builtin, builtin, format, wrong};
use crate::listing::{Flaw, Standing};
use crate::pass::{Answered, Pass, Stop};
use crate::values;

pub(super) const FUNCTIONS: &[Builtin] = &[
    builtin("foretop.filled", 2, filled),
    builtin("foretop.flaws", 2, flaws),
    builtin("foretop.licensed", 2, licensed),
    builtin("foretop.licenses", 0, licenses),
    builtin("foretop.told", 1, told),
    builtin("foretop.types", 0, types),
];

/// What a value takes at least where it is kept.
const EACH: usize = 48;

/// The largest form, and the longest text that comes of it.
const LARGEST: usize = 1 << 20;

/// What must hold for a flaw; whatever is not said holds.
#[derive(Default)]
struct Where<'a> {
    severities: Option<&'a Value>,
    fixable: Option<bool>,
    cves: Option<&'a Value>,
    other_than: Option<&'a Value>,
    flaws_other_than: Option<&'a Value>,
    packages_other_than: Option<&'a Value>,
    exploited: Option<bool>,
    forecast: Option<bool>,
    in_use_only: bool,
    epss: Option<&'a Value>,
    percentile: Option<&'a Value>,
}

/// A column of a flaw's detail.
#[derive(Clone, Copy)]
enum Column {
    Purl,
    Vulnerability,
    Severity,
    FixedBy,
    CvssScore,
    Epss,
    EpssPercent,
    Flaw,
}

/// The flaws for which all of it holds, in the order of the document, each with the columns that
/// are asked for; one that lacks one of them is not told.
fn flaws(pass: &Pass, arguments: &[Value]) -> Answered {
    let conditions = conditions(arguments.first())?;
    let columns = columns(arguments.get(1))?;
    let mut found = Vec::new();
    for Standing { purl, flaws } in pass.known.standing() {
        if conditions.packages_other_than.is_some_and(|all| holds(all, purl)) {
            continue;
        }
        for flaw in flaws.iter().filter(|it| conditions.hold(pass, it)) {
            let mut told = BTreeMap::new();
            for (name, column) in &columns {
                let Some(value) = column.of(pass, purl, flaw)? else { break };
                told.insert(name.clone(), value);
            }
            if told.len() == columns.len() {
                pass.make(EACH * (1 + told.len()))?;
                found.push(Value::from(told));
            }
        }
    }
    Ok(Value::from(found))
}

fn conditions(given: Option<&Value>) -> Result<Where<'_>, Stop> {
    let Some(Value::Object(given)) = given else { return Err(wrong("conditions", given)) };
    let mut said = Where::default();
    for (name, value) in given.iter() {
        let yes = || value.as_bool().copied().map_err(|_| wrong("true or false", Some(value)));
        match name.as_string().map(|it| &**it) {
            Ok("severities") => said.severities = Some(value),
            Ok("fixable") => said.fixable = Some(yes()?),
            Ok("cves") => said.cves = Some(value),
            Ok("other_than") => said.other_than = Some(value),
            Ok("flaws_other_than") => said.flaws_other_than = Some(value),
            Ok("packages_other_than") => said.packages_other_than = Some(value),
            Ok("exploited") => said.exploited = Some(yes()?),
            Ok("forecast") => said.forecast = Some(yes()?),
            Ok("in_use_only") => said.in_use_only = yes()?,
            Ok("epss") => said.epss = Some(value),
            Ok("percentile") => said.percentile = Some(value),
            Ok(other) => return Err(Stop::Wrong(format!("knows no condition `{other:.100}`"))),
            Err(_) => return Err(wrong("conditions by name", Some(name))),
        }
    }
    Ok(said)
}

impl Where<'_> {
    fn hold(&self, pass: &Pass, flaw: &Flaw) -> bool {
        let is = |said: Option<bool>, is: bool| said.is_none_or(|said| said == is);
        let at_least = |least: Option<&Value>, told: Option<&Value>| {
            least.is_none_or(|least| told.is_some_and(|it| it >= least))
        };
        self.severities.is_none_or(|all| holds(all, &flaw.severity))
            && is(self.fixable, fixed(flaw).is_some())
            && is(self.exploited, flaw.is_exploited)
            && is(self.forecast, flaw.is_forecast)
            && !(self.in_use_only && flaw.lies_idle)
            && at_least(self.epss, flaw.epss.as_ref())
            && at_least(self.percentile, flaw.percentile.as_ref())
            && self.cves.is_none_or(|all| is_among(flaw, all))
            && !self.other_than.is_some_and(|all| is_among(flaw, all))
            // To look for it in nothing, it need not be made.
            && !self
                .flaws_other_than
                .filter(|it| !is_empty(it))
                .is_some_and(|all| holds(all, &pass.known.flaw(flaw)))
    }
}

/// Rego's `in`: what is no collection holds nothing.
fn holds(all: &Value, one: &Value) -> bool {
    match all {
        Value::Array(items) => items.contains(one),
        Value::Set(items) => items.contains(one),
        Value::Object(fields) => fields.values().any(|it| it == one),
        _ => false,
    }
}

/// What holds nothing, whatever is asked.
fn is_empty(all: &Value) -> bool {
    match all {
        Value::Array(items) => items.is_empty(),
        Value::Set(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => true,
    }
}

/// Whether a flaw goes by one of these names.
fn is_among(flaw: &Flaw, all: &Value) -> bool {
    holds(all, &flaw.name) || flaw.aliases.iter().any(|it| holds(all, it))
}

/// The version that mends it.
fn fixed(flaw: &Flaw) -> Option<&Value> {
    flaw.fixed_by.as_ref().filter(|it| !it.as_string().is_ok_and(|it| it.is_empty()))
}

fn columns(given: Option<&Value>) -> Result<Vec<(Value, Column)>, Stop> {
    let names = given.and_then(|it| it.as_array().ok()).ok_or_else(|| wrong("columns", given))?;
    let mut columns = Vec::new();
    for name in names {
        let column = match name.as_string().map(|it| &**it) {
            Ok("purl") => Column::Purl,
            Ok("vulnerability") => Column::Vulnerability,
            Ok("severity") => Column::Severity,
            Ok("fixedBy") => Column::FixedBy,
            Ok("cvssScore") => Column::CvssScore,
            Ok("epss") => Column::Epss,
            Ok("epssPercent") => Column::EpssPercent,
            Ok("flaw") => Column::Flaw,
            Ok(other) => return Err(Stop::Wrong(format!("knows no column `{other:.100}`"))),
            Err(_) => return Err(wrong("columns by name", Some(name))),
        };
        if !columns.iter().any(|(it, _)| it == name) {
            columns.push((name.clone(), column));
        }
    }
    Ok(columns)
}

impl Column {
    /// Its value; `None`: there is none, and then the flaw is not told.
    fn of(self, pass: &Pass, purl: &Value, flaw: &Flaw) -> Result<Option<Value>, Stop> {
        Ok(match self {
            Self::Purl => Some(purl.clone()),
            Self::Vulnerability => Some(flaw.name.clone()),
            Self::Severity => Some(flaw.severity.clone()),
            Self::FixedBy => Some(fixed(flaw).cloned().unwrap_or_else(|| Value::from(""))),
            Self::CvssScore => match flaw.score.as_ref().filter(|it| **it != Value::Bool(false)) {
                None => Some(Value::from("")),
                Some(score) => Some(Value::from(format::fixed(score, 1)?)),
            },
            Self::Epss => match &flaw.epss {
                None => None,
                Some(score) => Some(Value::from(format::fixed(score, 4)?)),
            },
            Self::EpssPercent => match &flaw.epss {
                Some(Value::Number(score)) => {
                    let Value::Number(hundred) = Value::from(100_u64) else { return Ok(None) };
                    let percent = score.mul(&hundred).map_err(|it| Stop::Wrong(it.to_string()))?;
                    Some(Value::from(format::fixed(&Value::Number(percent), 2)?))
                }
                // One of them does not hide the others, once that has been said.
                Some(other) if pass.is_strict() => return Err(wrong("a number", Some(other))),
                _ => None,
            },
            Self::Flaw => Some(pass.known.flaw(flaw)),
        })
    }
}

/// Every licence of the document's packages, as it is written there.
fn licenses(pass: &Pass, _: &[Value]) -> Answered {
    distinct(pass, pass.known.packages().iter().flat_map(|it| &it.licenses))
}

/// Every type of the document's packages.
fn types(pass: &Pass, _: &[Value]) -> Answered {
    distinct(pass, pass.known.packages().iter().filter_map(|it| it.kind.as_ref()))
}

fn distinct<'a>(pass: &Pass, all: impl Iterator<Item = &'a Value>) -> Answered {
    let mut found = BTreeSet::new();
    for one in all {
        if !found.contains(one) {
            pass.make(EACH)?;
            found.insert(one.clone());
        }
    }
    Ok(Value::from(found))
}

/// `{purl, license}` of every package under one of these licences, without those of these purls.
fn licensed(pass: &Pass, arguments: &[Value]) -> Answered {
    let nobody = Value::Undefined;
    let wanted = arguments.first().unwrap_or(&nobody);
    let others = arguments.get(1).unwrap_or(&nobody);
    let (purl_name, license_name) = (Value::from("purl"), Value::from("license"));
    let mut found = Vec::new();
    for package in pass.known.packages() {
        let Some(purl) = package.purl.as_ref().filter(|it| !holds(others, it)) else {
            continue;
        };
        for license in package.licenses.iter().filter(|it| holds(wanted, it)) {
            pass.make(3 * EACH)?;
            found.push(Value::from(BTreeMap::from([
                (purl_name.clone(), purl.clone()),
                (license_name.clone(), license.clone()),
            ])));
        }
    }
    Ok(Value::from(found))
}

/// A form, read once for all that it is filled with.
enum Form {
    Same(Value),
    /// It is one field, or all of it, whatever that is.
    Field(Option<Value>),
    Text(Vec<Piece>),
    Array(Vec<Form>),
    Object(Vec<(Value, Form)>),
}

enum Piece {
    Plain(String),
    Field(Option<Value>),
}

/// The form once for each of the list, with its fields where the form's texts say `{field}`, and all
/// of it for `{}`. A text that says nothing else is the value itself. What lacks a field is left out.
fn filled(pass: &Pass, arguments: &[Value]) -> Answered {
    let form = arguments.first().unwrap_or(&Value::Undefined);
    let list = arguments.get(1).and_then(|it| it.as_array().ok());
    let list = list.ok_or_else(|| wrong("an array", arguments.get(1)))?;
    let mut all = Vec::new();
    fill(pass, form, list, &mut all)?;
    Ok(Value::from(all))
}

/// The same of each `[form, list]`, as one set. Rules that put one after the other into a set compare
/// each with many of it.
fn told(pass: &Pass, arguments: &[Value]) -> Answered {
    let given = arguments.first();
    let parts = given.and_then(|it| it.as_array().ok()).ok_or_else(|| wrong("forms", given))?;
    let mut all = Vec::new();
    for part in parts {
        let part = part.as_array().map_or(&[][..], |it| it.as_slice());
        let [form, Value::Array(list)] = part else {
            return Err(wrong("a form and an array", part.get(1)));
        };
        fill(pass, form, list, &mut all)?;
    }
    Ok(Value::from(all.into_iter().collect::<BTreeSet<_>>()))
}

fn fill(pass: &Pass, form: &Value, list: &Array, all: &mut Vec<Value>) -> Result<(), Stop> {
    if values::weight(form, LARGEST).is_none() {
        return Err(Stop::Unknown(format!("its form is larger than {LARGEST} bytes")));
    }
    let form = read(form);
    for one in list {
        all.extend(form.fill(pass, one)?);
    }
    Ok(())
}

fn read(form: &Value) -> Form {
    match form {
        Value::String(text) => {
            let mut pieces = pieces(text);
            match (pieces.pop(), pieces.is_empty()) {
                (None, _) => Form::Same(form.clone()),
                (Some(Piece::Field(name)), true) => Form::Field(name),
                (Some(Piece::Plain(_)), true) => Form::Same(form.clone()),
                (Some(last), false) => {
                    pieces.push(last);
                    Form::Text(pieces)
                }
            }
        }
        Value::Array(items) => Form::Array(items.iter().map(read).collect()),
        Value::Object(fields) => {
            Form::Object(fields.iter().map(|(name, it)| (name.clone(), read(it))).collect())
        }
        other => Form::Same(other.clone()),
    }
}

/// A text in pieces. Braces around anything but a field's name are text.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, after) = rest.split_at(at);
        plain.push_str(before);
        let name = after.get(1..).and_then(|it| it.split_once('}')).map(|(name, _)| name);
        let named = |it: &&str| it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
        if let Some(name) = name.filter(named) {
            if !plain.is_empty() {
                pieces.push(Piece::Plain(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Field((!name.is_empty()).then(|| Value::from(name))));
            rest = after.get(name.len() + 2..).unwrap_or_default();
        } else {
            plain.push('{');
            rest = after.get(1..).unwrap_or_default();
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Piece::Plain(plain));
    }
    pieces
}

/// The field of that name; all of it where there is no name.
fn part<'a>(one: &'a Value, name: Option<&Value>) -> Option<&'a Value> {
    match name {
        Some(name) => one.as_object().ok()?.get(name),
        None => Some(one),
    }
}

impl Form {
    fn fill(&self, pass: &Pass, one: &Value) -> Result<Option<Value>, Stop> {
        pass.make(EACH)?;
        Ok(match self {
            Self::Same(value) => Some(value.clone()),
            Self::Field(name) => part(one, name.as_ref()).cloned(),
            Self::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Plain(plain) => text.push_str(plain),
                        Piece::Field(name) => match part(one, name.as_ref()) {
                            None => return Ok(None),
                            Some(Value::String(value)) => text.push_str(value),
                            Some(value) => text.push_str(&format::shown(value)?),
                        },
                    }
                    if text.len() > LARGEST {
                        return Err(Stop::Unknown(format!("it writes more than {LARGEST} bytes")));
                    }
                }
                Some(super::made(pass, text)?)
            }
            Self::Array(items) => {
                let mut all = Vec::with_capacity(items.len());
                for item in items {
                    let Some(value) = item.fill(pass, one)? else { return Ok(None) };
                    all.push(value);
                }
                Some(Value::from(all))
            }
            Self::Object(fields) => {
                let mut all = BTreeMap::new();
                for (name, form) in fields {
                    let Some(value) = form.fill(pass, one)? else { return Ok(None) };
                    all.insert(name.clone(), value);
                }
                Some(Value::from(all))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::builtins::tests::said;
    use crate::contract::Facts;

    fn facts() -> Facts {
        let flaw = |id: &str, severity: &str, more: Value| {
            let mut flaw = json!({ "id": id, "source_id": id, "cvss": { "severity": severity } });
            for (name, value) in more.as_object().unwrap() {
                flaw[name] = value.clone();
            }
            flaw
        };
        let input = json!({
            "artifacts": [
                { "type": "npm", "purl": "pkg:npm/a@1", "licenses": ["MIT", "GPL-2.0"] },
                { "type": "npm", "purl": "pkg:npm/b@1", "licenses": "MIT" },
                { "licenses": ["ISC"] },
                3,
            ],
            "vulnerabilities": [
                { "purl": "pkg:npm/a@1", "vulnerabilities": [
                    flaw("CVE-1", "HIGH", json!({ "fixed_by": "1.1", "aliases": ["GHSA-1"],
                        "epss": { "score": 0.12345, "percentile": 0.9 }, "in_use": true })),
                    flaw("CVE-2", "LOW", json!({ "cisa_exploited": true, "suppressed": false,
                        "in_use": false })),
                    flaw("CVE-3", "HIGH", json!({ "suppressed": true })),
                ]},
                { "purl": "pkg:npm/b@1", "vulnerabilities": [
                    flaw("CVE-4", "HIGH", json!({ "fixed_by": "", "epss": { "score": "much" } })),
                ]},
            ],
        });
        Facts { input: input.into(), ..Facts::default() }
    }

    fn check(name: &str, arguments: &str, expect: &str) {
        assert_eq!(said(&facts(), name, arguments), expect, "{name} {arguments}");
    }

    #[test]
    fn flaws_for_which_all_holds() {
        let named = |conditions: &str, expect: &str| {
            let told = said(
                &facts(),
                "foretop.flaws",
                &format!(r#"[{conditions}, ["vulnerability", "purl"]]"#),
            );
            let told: Value = serde_json::from_str(&told).unwrap();
            let names = told.as_array().unwrap().iter();
            let names: Vec<&str> = names.map(|it| it["vulnerability"].as_str().unwrap()).collect();
            assert_eq!(names.join(" "), expect, "{conditions}");
        };
        named("{}", "CVE-1 CVE-2 CVE-4");
        named(r#"{"severities": ["HIGH"]}"#, "CVE-1 CVE-4");
        named(r#"{"severities": 5}"#, "");
        named(r#"{"severities": ["HIGH"], "fixable": true}"#, "CVE-1");
        named(r#"{"fixable": false}"#, "CVE-2 CVE-4");
        named(r#"{"exploited": true}"#, "CVE-2");
        named(r#"{"exploited": false, "fixable": false}"#, "CVE-4");
        named(r#"{"forecast": false}"#, "CVE-2");
        named(r#"{"cves": ["GHSA-1", "CVE-2"]}"#, "CVE-1 CVE-2");
        named(r#"{"other_than": ["GHSA-1", "CVE-2"]}"#, "CVE-4");
        named(r#"{"packages_other_than": ["pkg:npm/a@1"]}"#, "CVE-4");
        named(r#"{"epss": 0.12345}"#, "CVE-1 CVE-4");
        named(r#"{"epss": 0.2}"#, "CVE-4");
        named(r#"{"percentile": 0.9}"#, "CVE-1");
        named(r#"{"in_use_only": true}"#, "CVE-1 CVE-4");
        named(r#"{"in_use_only": false}"#, "CVE-1 CVE-2 CVE-4");
    }

    #[test]
    fn columns_that_are_asked_for() {
        check(
            "foretop.flaws",
            r#"[{"fixable": true}, ["purl", "fixedBy", "cvssScore", "epss", "epssPercent"]]"#,
            r#"[{"cvssScore":"","epss":"0.1235","epssPercent":"12.35","fixedBy":"1.1","purl":"pkg:npm/a@1"}]"#,
        );
        check("foretop.flaws", r#"[{"cves": ["CVE-2"]}, ["epss"]]"#, "[]");
        check(
            "foretop.flaws",
            r#"[{"cves": ["CVE-4"]}, ["epssPercent"]]"#,
            "wrong: wants a number, and was given a text",
        );
    }

    #[test]
    fn what_nobody_knows_is_wrong() {
        check("foretop.flaws", "[{}, {}]", "wrong: wants columns, and was given an object");
        check("foretop.flaws", "[[], []]", "wrong: wants conditions, and was given an array");
        check("foretop.flaws", r#"[{"kev": true}, []]"#, "wrong: knows no condition `kev`");
        check("foretop.flaws", r#"[{}, ["cve"]]"#, "wrong: knows no column `cve`");
        check(
            "foretop.flaws",
            r#"[{"fixable": 1}, []]"#,
            "wrong: wants true or false, and was given a number",
        );
    }

    #[test]
    fn what_is_there_twice_counts_once() {
        let one = json!({ "id": "CVE-1", "source_id": "CVE-1", "fixed_by": "1" });
        let same = json!({ "id": "CVE-1", "source_id": "CVE-1", "aliases": [], "fixed_by": "1" });
        let other = json!({ "id": "CVE-1", "source_id": "CVE-1", "fixed_by": "2" });
        let input = json!({ "vulnerabilities": [
            { "purl": "pkg:npm/a@1", "vulnerabilities": [one, other, same] },
            { "purl": "pkg:npm/b@1", "vulnerabilities": [one] },
            { "purl": "", "vulnerabilities": [one] },
            { "purl": "pkg:npm/a@1", "vulnerabilities": [other, one] },
        ]});
        let facts = Facts { input: input.into(), ..Facts::default() };
        assert_eq!(
            said(&facts, "foretop.flaws", r#"[{}, ["fixedBy", "purl"]]"#),
            r#"[{"fixedBy":"1","purl":"pkg:npm/a@1"},{"fixedBy":"2","purl":"pkg:npm/a@1"},{"fixedBy":"1","purl":"pkg:npm/b@1"}]"#,
        );
    }

    #[test]
    fn packages_by_licence() {
        check("foretop.licenses", "[]", r#"["GPL-2.0","ISC","MIT"]"#);
        check(
            "foretop.licensed",
            r#"[["MIT", "ISC"], []]"#,
            r#"[{"license":"MIT","purl":"pkg:npm/a@1"}]"#,
        );
        check("foretop.licensed", r#"[["MIT"], ["pkg:npm/a@1"]]"#, "[]");
        check("foretop.types", "[]", r#"["npm"]"#);
    }

    #[test]
    fn forms_are_filled() {
        let filled = |form: &str, list: &str, expect: &str| {
            check("foretop.filled", &format!("[{form}, {list}]"), expect);
        };
        filled(r#""{a} and {b}""#, r#"[{"a": "x", "b": 1}, {"a": "y"}]"#, r#"["x and 1"]"#);
        filled(r#""{a}""#, r#"[{"a": [1]}, 3]"#, "[[1]]");
        filled(
            r#"{"all": "{}", "n": 1, "l": ["{a}", null]}"#,
            r#"[{"a": 2}]"#,
            r#"[{"all":{"a":2},"l":[2,null],"n":1}]"#,
        );
        filled(r#""{a b} {a {a}} {é} {""#, r#"[{"a": "x"}]"#, r#"["{a b} {a x} {é} {"]"#);
        filled(r#""""#, "[1, 2]", r#"["",""]"#);
        filled(r#""x{}""#, r#"["y", {"a": 1}]"#, r#"["xy","x{\"a\": 1}"]"#);
        filled(r#""x""#, "{}", "wrong: wants an array, and was given an object");
        check(
            "foretop.told",
            r#"[[["{b}", [{"b": 2}, {"b": 1}]], ["{}", [1]], ["", []]]]"#,
            "[1,2]",
        );
        check("foretop.told", "[[]]", "[]");
        check("foretop.told", "[{}]", "wrong: wants forms, and was given an object");
        check("foretop.told", "[[1]]", "wrong: wants a form and an array, and was given nothing");
    }
}
