//! A module is parsed: its package, its rules, whom its functions call, where it prints.

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::Range;

use regorus::{Engine, PolicyLengthConfig};
use serde::Deserialize as _;
use serde_json::Value;

use crate::contract::{Error, Module};
use crate::known::LISTED;

/// The most bytes that a module may have.
pub(crate) const LARGEST: usize = 1 << 20;

/// The most rules that a policy and its libraries may have: a chain of them is a stack.
pub(crate) const RULES: usize = 300;

/// The longest line of a module.
const LONGEST_LINE: NonZeroU32 = NonZeroU32::new(4096).expect("it is not zero");

/// The most that its brackets may cost: one costs twice what the one around it costs, as the parser
/// reads what is in it twice, to see whether it is a list or a comprehension.
const BRACKETS: u64 = 1 << 18;

/// Every policy is of this package, or of one below it.
const PACKAGE: [&str; 2] = ["docker", "scout"];

/// A module as far as it concerns us.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// `["docker", "scout"]`.
    pub(crate) package: Vec<String>,
    /// The names that its rules begin with, functions aside.
    pub(crate) rules: BTreeSet<String>,
    /// How many rules there are, each of several bodies counted.
    pub(crate) count: usize,
    /// Its functions, by their whole path, with what each of them calls.
    pub(crate) functions: BTreeMap<String, BTreeSet<String>>,
    /// Every call, once for each function that is called.
    pub(crate) calls: Vec<Call>,
    /// Where `print(…)` stands, in bytes.
    pub(crate) prints: Vec<Range<usize>>,
    /// It looks at packages or findings in the document, and not only whether they are there.
    pub(crate) looks_inside: bool,
    /// Where something is looked through with `some … in`, in bytes.
    pub(crate) searched: Vec<Range<usize>>,
}

/// A call as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// As it is written.
    pub(crate) name: String,
    /// Its whole path, if it is one of the policy's own.
    pub(crate) path: String,
    /// How many arguments it has.
    pub(crate) arguments: usize,
    /// The line.
    pub(crate) line: u64,
}

/// Whether a module is for us.
pub(crate) enum Belongs {
    /// To `docker.scout`.
    Ours(Reading),
    /// It tests policies.
    Test,
}

/// An engine with nothing in it.
pub(crate) fn engine() -> Engine {
    let mut engine = Engine::new();
    engine.set_gather_prints(true);
    engine.set_policy_length_config(PolicyLengthConfig {
        max_col: LONGEST_LINE,
        max_file_bytes: NonZeroUsize::new(LARGEST).expect("it is not zero"),
        ..PolicyLengthConfig::default()
    });
    engine
}

/// Reads a module. Nested as it is, it wants the room of `room::with`.
pub(crate) fn read(module: &Module) -> Result<Belongs, Error> {
    let bad = |why: String| Error::new(format!("cannot read the policy `{}`", module.name), why);
    if module.text.len() > LARGEST {
        return Err(bad(format!("it is larger than {LARGEST} bytes")));
    }
    if brackets(&module.text) > BRACKETS {
        return Err(bad("its brackets are nested too deeply".to_owned()));
    }
    let mut engine = engine();
    engine
        .add_policy(module.name.clone(), module.text.clone())
        .map_err(|error| bad(plain(&error.to_string())))?;
    let tree = engine.get_ast_as_json().map_err(|error| bad(plain(&error.to_string())))?;
    let mut tree = serde_json::Deserializer::from_str(&tree);
    tree.disable_recursion_limit();
    let tree = Value::deserialize(&mut tree).map_err(|error| bad(error.to_string()))?;
    let tree = &tree[0]["ast"];
    let package = path(&tree["package"]["refr"]).unwrap_or_default();
    if package.last().is_some_and(|it| it.ends_with("_test")) {
        return Ok(Belongs::Test);
    }
    if !package.iter().map(String::as_str).take(2).eq(PACKAGE) {
        return Err(bad(format!("its package is `{}`", package.join(".")))
            .with_hint("a policy is of the package `docker.scout`, or of one below it"));
    }
    let looks_inside = looks_inside(&tree["rules"]) || looks_inside(&tree["imports"]);
    let mut reading = Reading { package, looks_inside, ..Reading::default() };
    let imports = imports(&tree["imports"], &module.text);
    for rule in list(&tree["rules"]) {
        reading.count += 1;
        searched(rule, &mut reading.searched);
        let head = &rule["Spec"]["head"];
        let function = &head["Func"]["refr"];
        let refr =
            [function, &head["Compr"]["refr"], &head["Set"]["refr"], &rule["Default"]["refr"]];
        let Some(name) = refr.iter().find(|it| !it.is_null()).and_then(|it| begin(it)) else {
            continue;
        };
        let is_function = !function.is_null() || !list(&rule["Default"]["args"]).is_empty();
        let mut found = Vec::new();
        calls(rule, &mut found);
        let called: BTreeSet<String> =
            found.iter().map(|(fcn, _)| whole(fcn, &reading.package, &imports)).collect();
        if is_function {
            let own = path(if function.is_null() { &rule["Default"]["refr"] } else { function });
            let own = whole(&own.unwrap_or_default(), &reading.package, &imports);
            reading.functions.entry(own).or_default().extend(called);
        } else {
            reading.rules.insert(name);
        }
        for (fcn, call) in found {
            let Some(call) = call else { continue };
            if fcn == ["print"] {
                reading.prints.extend(range(&call["span"]));
            }
            reading.calls.push(Call {
                name: fcn.join("."),
                path: whole(&fcn, &reading.package, &imports),
                arguments: list(&call["params"]).len(),
                line: call["span"]["line"].as_u64().unwrap_or(0),
            });
        }
    }
    Ok(Belongs::Ours(reading))
}

/// What the brackets of a text cost.
fn brackets(text: &str) -> u64 {
    let mut cost = 0_u64;
    let mut depth = 0_u32;
    let mut letters = text.bytes();
    while let Some(letter) = letters.next() {
        match letter {
            b'#' => letters.by_ref().take_while(|it| *it != b'\n').for_each(drop),
            b'`' => letters.by_ref().take_while(|it| *it != b'`').for_each(drop),
            b'"' => {
                while let Some(letter) = letters.next() {
                    match letter {
                        b'\\' => drop(letters.next()),
                        b'"' | b'\n' => break,
                        _ => {}
                    }
                }
            }
            b'[' | b'{' => {
                depth += 1;
                cost = cost.saturating_add(1 << depth.min(62));
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    cost
}

/// The function that a collection goes through before it is looked through.
pub(crate) const SEARCHED: &str = "foretop_items";

/// The module as the engine is given it, line by line as it was: what is looked through is a
/// collection or nothing, as in OPA, where the engine would break off; and, if it is to be `quiet`,
/// every `print(…)` is taken out.
pub(crate) fn prepared(text: &str, reading: &Reading, quiet: bool) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for range in reading.prints.iter().filter(|_| quiet) {
        let Some(call) = bytes.get_mut(range.clone()) else { continue };
        let Some((word, rest)) = call.split_first_chunk_mut::<4>() else { continue };
        *word = *b"true";
        for byte in rest {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    let printed = |at: usize| quiet && reading.prints.iter().any(|it| it.contains(&at));
    let mut pieces: Vec<(usize, &str)> = Vec::new();
    for range in reading.searched.iter().filter(|it| !printed(it.start)) {
        pieces.extend([(range.start, OPENED), (range.end, ")")]);
    }
    // From the end, so that what is before stays where it is; what begins later goes first.
    pieces.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    for (at, piece) in pieces {
        if at <= bytes.len() {
            bytes.splice(at..at, piece.bytes());
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// `SEARCHED`, called.
const OPENED: &str = "foretop_items(";

/// What is looked through below a node, where it may be anything.
fn searched(node: &Value, found: &mut Vec<Range<usize>>) {
    match node {
        Value::Object(fields) => {
            for (key, value) in fields {
                let collection = match key.as_str() {
                    "SomeIn" => &value["collection"],
                    "Every" => &value["domain"],
                    _ => &Value::Null,
                };
                for kind in ["Var", "RefDot", "RefBrack", "Call"] {
                    found.extend(range(&collection[kind]["span"]));
                }
                searched(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|it| searched(it, found)),
        _ => {}
    }
}

/// Whether anything below a node may look at what the document lists. What is not known to look at
/// something else may.
fn looks_inside(node: &Value) -> bool {
    let (key, inner) = match node {
        Value::Array(items) => return items.iter().any(looks_inside),
        Value::Object(fields) if fields.len() == 1 => match fields.iter().next() {
            Some((key, inner)) => (key.as_str(), inner),
            None => return false,
        },
        Value::Object(fields) => return fields.values().any(looks_inside),
        _ => return false,
    };
    let call = path(&inner["fcn"]).unwrap_or_default();
    match (key, list(&inner["params"])) {
        ("Var", _) => inner["value"] == "input",
        ("RefDot", _) if is_input(&inner["refr"]) => is_listed(&inner["field"][1]),
        // Whether it is there is seen from without.
        ("NotExpr", _) if is_field_of_input(&inner["expr"]) => false,
        ("Call", [one]) if call == ["is_array"] && is_field_of_input(one) => false,
        ("Call", [one, field, rest @ ..]) if call == ["object", "get"] && is_input(one) => {
            let first = list(&field["Array"]["items"]).first().unwrap_or(field);
            let name = &first["String"]["value"];
            !name.is_string() || is_listed(name) || rest.iter().any(looks_inside)
        }
        _ => looks_inside(inner),
    }
}

fn is_input(node: &Value) -> bool {
    node["Var"]["value"] == "input"
}

fn is_field_of_input(node: &Value) -> bool {
    is_input(&node["RefDot"]["refr"])
}

fn is_listed(name: &Value) -> bool {
    name.as_str().is_none_or(|it| LISTED.contains(&it))
}

/// A function that calls itself, if only through others: it would not end before its stack does.
pub(crate) fn circle(functions: &BTreeMap<String, BTreeSet<String>>) -> Option<String> {
    // Whoever only calls what is known to end, ends.
    let mut ends: BTreeSet<&str> = BTreeSet::new();
    loop {
        let before = ends.len();
        for (name, called) in functions {
            if called.iter().all(|it| !functions.contains_key(it) || ends.contains(it.as_str())) {
                ends.insert(name);
            }
        }
        if ends.len() == functions.len() {
            return None;
        }
        if ends.len() == before {
            return functions.keys().find(|it| !ends.contains(it.as_str())).cloned();
        }
    }
}

/// What an engine complains of, as `file:line: why`.
pub(crate) fn plain(message: &str) -> String {
    let message = message.trim();
    let place = message.lines().find_map(|it| it.trim().strip_prefix("--> "));
    let why = message.lines().rev().find_map(|it| it.trim().strip_prefix("error: "));
    let why = why.unwrap_or_else(|| message.lines().last().unwrap_or_default().trim());
    // Of `file:line:column`, the column says little.
    let place = place.and_then(|it| it.rsplit_once(':')).map(|(place, _)| place);
    let why: String = why.chars().take(500).collect();
    place.map_or(why.clone(), |place| format!("{place}: {why}"))
}

/// `data.` and the path, if a call goes to one of the policy's own functions; whether there is one
/// is for the caller to look up. Else as it is written.
fn whole(fcn: &[String], package: &[String], imports: &BTreeMap<String, Vec<String>>) -> String {
    match fcn {
        [data, ..] if data == "data" => fcn.join("."),
        [alias, rest @ ..] if !rest.is_empty() && imports.contains_key(alias) => {
            [imports[alias].join("."), rest.join(".")].join(".")
        }
        _ => format!("data.{}.{}", package.join("."), fcn.join(".")),
    }
}

/// What is imported, by the name it goes by.
fn imports(tree: &Value, text: &str) -> BTreeMap<String, Vec<String>> {
    let mut imports = BTreeMap::new();
    for import in list(tree) {
        let Some(path) = path(&import["refr"]) else { continue };
        if path.first().is_some_and(|it| it == "data") {
            let alias = range(&import["as"]).and_then(|it| text.get(it)).map(str::to_owned);
            if let Some(alias) = alias.or_else(|| path.last().cloned()) {
                imports.insert(alias, path);
            }
        }
    }
    imports
}

/// Every call below a node with its function's path; and what stands for a function by `with`.
fn calls<'a>(node: &'a Value, found: &mut Vec<(Vec<String>, Option<&'a Value>)>) {
    match node {
        Value::Object(fields) => {
            for (key, value) in fields {
                if key == "Call" {
                    found.extend(path(&value["fcn"]).map(|it| (it, Some(value))));
                }
                if key == "as" {
                    found.extend(path(value).map(|it| (it, None)));
                }
                calls(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|it| calls(it, found)),
        _ => {}
    }
}

/// The words of a path: `a.b["c"]`.
fn path(node: &Value) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut node = node;
    loop {
        if let Some(name) = node["Var"]["value"].as_str() {
            words.push(name.to_owned());
            words.reverse();
            return Some(words);
        }
        if let Some(field) = node["RefDot"]["field"][1].as_str() {
            words.push(field.to_owned());
            node = &node["RefDot"]["refr"];
        } else if let Some(index) = node["RefBrack"]["index"]["String"]["value"].as_str() {
            words.push(index.to_owned());
            node = &node["RefBrack"]["refr"];
        } else {
            return None;
        }
    }
}

/// The word that a head begins with, whatever follows it.
fn begin(node: &Value) -> Option<String> {
    let mut node = node;
    loop {
        if let Some(name) = node["Var"]["value"].as_str() {
            return Some(name.to_owned());
        }
        let inner = ["RefDot", "RefBrack"].into_iter().map(|it| &node[it]["refr"]);
        node = inner.into_iter().find(|it| !it.is_null())?;
    }
}

fn range(span: &Value) -> Option<Range<usize>> {
    let end = |it: &str| span[it].as_u64().and_then(|it| usize::try_from(it).ok());
    Some(end("start")?..end("end")?)
}

fn list(node: &Value) -> &[Value] {
    node.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_looks_at_what_the_document_lists() {
        let check = |rule: &str, expect: bool| {
            let text = format!("package docker.scout\nimport rego.v1\n{rule}\n");
            let Ok(Belongs::Ours(reading)) = read(&Module::file("a.rego", text)) else {
                panic!("{rule}")
            };
            assert_eq!(reading.looks_inside, expect, "{rule}");
        };
        check("pass if not input.vulnerabilities", false);
        check("pass if is_array(input.artifacts)", false);
        check("pass if input.source.image", false);
        check("pass if input.source.artifacts", false);
        check(
            "a := object.get(input, [\"source\", \"x\"], object.get(input, \"gaps\", []))",
            false,
        );
        check("a := foretop.flaws({}, [\"purl\"])", false);
        check("pass if not not_there\nnot_there if input.vulnerabilities", true);
        check("pass if not input.vulnerabilities[0]", true);
        check("pass if is_array(input.artifacts[0].licenses)", true);
        check("pass if input[\"artifacts\"]", true);
        check("pass if { some name in [\"artifacts\"]; input[name] }", true);
        check("a := object.get(input, \"artifacts\", [])", true);
        check("a := object.get(input, [\"artifacts\", 0], [])", true);
        check("a := object.get(input, data.config.name, [])", true);
        check("a := object.get(input, \"gaps\", input.artifacts)", true);
        check("a := count(input.artifacts)", true);
        check("a := [it | some it in input.vulnerabilities]", true);
        check("a := {it.name: it | it := input.artifacts[_]}", true);
        check("a contains it if { some it in input.artifacts }", true);
        check("pass if { every it in input.artifacts { it.name } }", true);
        check("a := input", true);
        check("a := f(input)\nf(x) := x.artifacts", true);
        check("pass if walk(input, [_, _])", true);
        check("pass if pass_ with input.artifacts as []\npass_ if input.source", true);
        check("import input.artifacts as listed\npass if listed", true);
        check("import input as it\npass if it.artifacts", true);
        check("pass if input.artifacts == []", true);
        check("pass := true if input.source else := input.artifacts", true);
        check("default pass := false\na[input.artifacts[0].name] := 1", true);
    }
}
