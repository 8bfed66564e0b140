//! A draft of policies: drawn as fields of a form, and read back from them.

use std::collections::BTreeMap;

use api::{PolicyChoice, PolicyModule, PolicyThreshold, Sort};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::refused::Refused;
use crate::visit::Form;

/// Bytes of modules that are edited in a page; what is longer stays as it is.
pub(crate) const EDITED: usize = 48 << 10;
/// Files that are edited, with one that may be added.
const FILES: usize = 30;

/// Policies that are not in force.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Draft {
    /// None: those that come with the server.
    pub(crate) modules: Vec<PolicyModule>,
    /// What is said of policies, by id; what is not said holds as it is.
    pub(crate) said: BTreeMap<String, Said>,
    /// What policies print is told.
    pub(crate) debug: bool,
}

/// What is said of a policy.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Said {
    pub(crate) counts: bool,
    pub(crate) config: Map<String, Value>,
}

/// A policy as fields.
pub(crate) struct Field {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) points: u32,
    pub(crate) counts: bool,
    pub(crate) thresholds: Vec<Input>,
    /// What else is said of it, as JSON.
    pub(crate) more: String,
}

/// A threshold as a field.
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) about: String,
    pub(crate) value: String,
    /// How what is typed is read.
    pub(crate) kind: &'static str,
    /// What holds where it is empty.
    pub(crate) usual: String,
    /// It is yes or no.
    pub(crate) is_switch: bool,
    /// It is worth several lines.
    pub(crate) is_long: bool,
}

impl Draft {
    /// Policies as they are in force.
    pub(crate) fn of(modules: Vec<PolicyModule>, config: &Value) -> Self {
        let listed = config["policies"].as_array().map(Vec::as_slice).unwrap_or_default();
        let said = listed.iter().filter_map(|it| {
            let counts = it["enabled"].as_bool().unwrap_or(true);
            let config = it["config"].as_object().cloned().unwrap_or_default();
            Some((it["name"].as_str()?.to_owned(), Said { counts, config }))
        });
        Self { modules, said: said.collect(), debug: config["debug"] == true }
    }

    /// As the form says; `modules` are those that were in force when it was drawn.
    pub(crate) fn read(form: &Form, modules: Vec<PolicyModule>) -> Result<Self, Refused> {
        let modules = match form.text("modules") {
            Some("built-in") => Vec::new(),
            Some("own") => typed(form),
            _ => modules,
        };
        let mut said = BTreeMap::new();
        for (_, id) in form.0.iter().filter(|(key, _)| key == "policy") {
            let counts = form.text(&format!("counts:{id}")).is_some();
            let mut config = match form.text(&format!("more:{id}")) {
                None => Map::new(),
                Some(text) => serde_json::from_str(text).map_err(|error| {
                    let why = format!("{id}: what else is said of it is no JSON object: {error}");
                    Refused::from(Sort::Malformed.because(why))
                })?,
            };
            let prefix = format!("at:{id}:");
            for (name, text) in &form.0 {
                let Some(key) = name.strip_prefix(&prefix) else { continue };
                let kind = form.text(&format!("kind:{id}:{key}")).unwrap_or_default();
                if let Some(value) = value(kind, text.trim()) {
                    config.insert(key.to_owned(), value);
                }
            }
            said.insert(id.clone(), Said { counts, config });
        }
        Ok(Self { modules, said, debug: form.text("debug").is_some() })
    }

    /// As the API takes it: what is as it would be anyway is not said, and nothing is said of policies
    /// that are not there.
    pub(crate) fn config(&self, choices: &[PolicyChoice]) -> Value {
        let entry = |it: &PolicyChoice| {
            let said = self.said.get(&it.id)?;
            if said.counts == it.by_default && said.config.is_empty() {
                return None;
            }
            let mut entry = json!({ "name": it.id, "enabled": said.counts });
            if !said.config.is_empty() {
                entry["config"] = Value::Object(said.config.clone());
            }
            Some(entry)
        };
        let mut config =
            json!({ "policies": choices.iter().filter_map(entry).collect::<Vec<_>>() });
        if self.debug {
            config["debug"] = json!(true);
        }
        config
    }

    /// The fields of each policy that there is.
    pub(crate) fn fields(&self, choices: &[PolicyChoice]) -> Vec<Field> {
        choices.iter().map(|it| self.field(it)).collect()
    }

    fn field(&self, it: &PolicyChoice) -> Field {
        let usual = Said { counts: it.by_default, config: Map::new() };
        let said = self.said.get(&it.id).unwrap_or(&usual);
        let is_known = |key: &str| it.thresholds.iter().any(|it| it.key == key);
        let more: Map<String, Value> = said
            .config
            .iter()
            .filter(|(key, _)| !is_known(key))
            .map(|(key, it)| (key.clone(), it.clone()))
            .collect();
        Field {
            thresholds: it.thresholds.iter().map(|one| input(&it.id, one, said)).collect(),
            id: it.id.clone(),
            title: it.title.clone(),
            description: it.description.clone(),
            points: it.points,
            counts: said.counts,
            more: if more.is_empty() { String::new() } else { Value::Object(more).to_string() },
        }
    }

    /// Can its modules be edited in a page?
    pub(crate) fn is_short(&self) -> bool {
        let bytes: usize = self.modules.iter().map(|it| it.name.len() + it.text.len()).sum();
        bytes <= EDITED && self.modules.len() < FILES
    }

    /// The same for drafts that say the same.
    pub(crate) fn mark(&self, config: &Value) -> String {
        use std::fmt::Write as _;
        let mut hasher = Sha256::new();
        hasher.update(json!([config, self.modules]).to_string());
        hasher.finalize().iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// Modules as they were typed; one without a text is none.
fn typed(form: &Form) -> Vec<PolicyModule> {
    let texts = form.0.iter().filter_map(|(key, it)| Some((key.strip_prefix("text:")?, it)));
    let module = |(at, text): (&str, &String)| {
        // Browsers send lines as mail does.
        let text = text.replace("\r\n", "\n");
        let name = form.text(&format!("file:{at}"));
        let name = name.map_or_else(|| format!("policy-{at}.rego"), str::to_owned);
        (!text.trim().is_empty()).then_some(PolicyModule { name, text })
    };
    texts.take(FILES).filter_map(module).collect()
}

fn input(id: &str, it: &PolicyThreshold, said: &Said) -> Input {
    let value = said.config.get(&it.key).map(shown).unwrap_or_default();
    let usual = it.default.as_ref().map(shown).unwrap_or_default();
    Input {
        name: format!("{id}:{}", it.key),
        key: it.key.clone(),
        about: it.about.clone(),
        kind: kind(it.default.as_ref()),
        is_switch: matches!(it.default, Some(Value::Bool(_)))
            && !value.starts_with(['[', '{', '"']),
        is_long: value.len() > 60,
        value,
        usual: if usual.is_empty() && it.default.is_some() { "none".to_owned() } else { usual },
    }
}

/// As it is typed: several words with commas between them, all else as JSON.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(all) => {
            let is_plain = |it: &Value| {
                it.as_str().is_some_and(|it| {
                    !it.is_empty()
                        && it.trim() == it
                        && !it.contains([',', '\n', '\r'])
                        && !it.starts_with('[')
                })
            };
            if !all.is_empty() && all.iter().all(is_plain) {
                let words: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
                return words.join(", ");
            }
            value.to_string()
        }
        other => other.to_string(),
    }
}

/// The kind of a threshold, by what holds without it.
fn kind(default: Option<&Value>) -> &'static str {
    match default {
        Some(Value::Array(_)) => "words",
        Some(Value::Bool(_)) => "switch",
        Some(Value::Number(_)) => "number",
        _ => "json",
    }
}

/// What was typed; nothing is nothing said. What is no JSON is a text, which the policy may make sense of.
fn value(kind: &str, text: &str) -> Option<Value> {
    if text.is_empty() {
        return None;
    }
    let plain = || serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    if kind != "words" || text.starts_with('[') {
        return Some(plain());
    }
    let words = text.split([',', '\n']).map(str::trim).filter(|it| !it.is_empty());
    Some(words.map(|it| Value::String(it.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice() -> PolicyChoice {
        let threshold = |key: &str, default: Value| PolicyThreshold {
            key: key.to_owned(),
            about: String::new(),
            default: Some(default),
        };
        PolicyChoice {
            id: "p".to_owned(),
            title: "P".to_owned(),
            description: String::new(),
            points: 5,
            counts: true,
            by_default: true,
            config: json!({}),
            thresholds: vec![
                threshold("words", json!(["a"])),
                threshold("flag", json!(true)),
                threshold("days", json!(3)),
                threshold("ends", json!({})),
            ],
        }
    }

    /// As a browser would send the form back.
    fn sent(draft: &Draft) -> Form {
        let mut fields = Vec::new();
        for field in draft.fields(&[choice()]) {
            fields.push(("policy".to_owned(), field.id.clone()));
            if field.counts {
                fields.push((format!("counts:{}", field.id), "1".to_owned()));
            }
            fields.push((format!("more:{}", field.id), field.more.clone()));
            for input in &field.thresholds {
                fields.push((format!("kind:{}", input.name), input.kind.to_owned()));
                fields.push((format!("at:{}", input.name), input.value.clone()));
            }
        }
        Form(fields)
    }

    #[test]
    fn what_is_drawn_is_read_back() {
        let check = |config: Value, expect: Value| {
            let draft = Draft::of(Vec::new(), &config);
            let again = Draft::read(&sent(&draft), Vec::new()).unwrap();
            assert_eq!(again.config(&[choice()]), expect, "{config}");
        };
        let same = |entry: Value| {
            let config = json!({ "policies": [entry] });
            check(config.clone(), config);
        };
        check(json!({}), json!({ "policies": [] }));
        check(json!({ "policies": [{ "name": "gone" }] }), json!({ "policies": [] }));
        same(json!({ "name": "p", "enabled": false }));
        for config in [
            json!({ "words": ["a", "b c"], "days": 14, "flag": false }),
            json!({ "words": [] }),
            json!({ "words": ["a, b", "[c"] }),
            json!({ "ends": { "debian:11": "2026-08-31" }, "else": [1] }),
            json!({ "flag": "\"odd" }),
        ] {
            same(json!({ "name": "p", "enabled": true, "config": config }));
        }
    }

    #[test]
    fn modules_are_kept_typed_or_ours() {
        let kept = vec![PolicyModule { name: "a.rego".to_owned(), text: "x".to_owned() }];
        let read = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(key, it)| ((*key).to_owned(), (*it).to_owned()));
            Draft::read(&Form(pairs.collect()), kept.clone()).unwrap().modules
        };
        assert_eq!(read(&[]), kept);
        assert!(read(&[("modules", "built-in"), ("text:0", "x")]).is_empty());
        let own =
            read(&[("modules", "own"), ("file:0", ""), ("text:0", "a\r\nb"), ("text:1", " ")]);
        assert_eq!(
            (own.len(), own[0].name.as_str(), own[0].text.as_str()),
            (1, "policy-0.rego", "a\nb")
        );
    }
}
