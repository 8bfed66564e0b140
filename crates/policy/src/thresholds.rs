//! Thresholds of a policy, as its module says them: what it looks up in its configuration, and what
//! holds where that says nothing. A form is made of it; judging does not rest on it.

use serde::Deserialize as _;
use serde_json::Value;

use crate::contract::Policy;

/// What a policy can be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// Its key in the policy's configuration.
    pub key: String,
    /// What holds where nothing is said; none, where the module does not say it as plain JSON.
    pub default: Option<Value>,
    /// What stands above it in the module.
    pub about: String,
}

/// Thresholds of one module; and letters of a key, of what stands above it, and of a default.
const MOST: usize = 50;
const KEY: usize = 100;
const ABOUT: usize = 300;
const DEFAULT: usize = 16 << 10;
/// How a module looks something up.
const LOOKS: &str = ":= object.get(data.config, \"";

impl Policy {
    /// What it can be told: each line `x := object.get(data.config, "key", …)` of its module, with the
    /// comment above it. What is looked up in another way is not found.
    pub fn thresholds(&self) -> Vec<Threshold> {
        thresholds(&self.source)
    }
}

fn thresholds(source: &str) -> Vec<Threshold> {
    let mut found: Vec<Threshold> = Vec::new();
    let mut about: Vec<&str> = Vec::new();
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        let begin = at;
        at += line.len();
        if let Some(comment) = line.strip_prefix('#') {
            about.push(comment.trim());
            continue;
        }
        if let Some((name, rest)) = line.split_once(LOOKS)
            && is_word(name.trim())
            && let Some((key, _)) = rest.split_once('"')
            && !key.is_empty()
            && key.len() <= KEY
            && !key.contains('\\')
            && !found.iter().any(|it| it.key == key)
            && found.len() < MOST
        {
            let after = begin + name.len() + LOOKS.len() + key.len() + 1;
            let rest = source.get(after..).unwrap_or_default();
            let default = rest.trim_start().strip_prefix(',').and_then(plain);
            let about = about.join(" ").chars().take(ABOUT).collect();
            found.push(Threshold { key: key.to_owned(), default, about });
        }
        about.clear();
    }
    found
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
}

/// The JSON that a text begins with. Rego allows a comma behind the last entry, which JSON does not.
fn plain(text: &str) -> Option<Value> {
    let (mut json, mut is_text, mut is_escaped) = (String::new(), false, false);
    let letters: Vec<char> = text.chars().take(DEFAULT).collect();
    for (at, letter) in letters.iter().enumerate() {
        if *letter == ',' && !is_text {
            let next = letters[at + 1..].iter().find(|it| !it.is_whitespace());
            if matches!(next, Some(']' | '}')) {
                continue;
            }
        }
        is_text ^= *letter == '"' && !is_escaped;
        is_escaped = is_text && *letter == '\\' && !is_escaped;
        json.push(*letter);
    }
    // What follows is no part of it.
    Value::deserialize(&mut serde_json::Deserializer::from_str(&json)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::set::Set;

    #[test]
    fn what_ours_can_be_told() {
        let all = Set::built_in();
        let of = |id: &str| {
            all.policies().iter().find(|it| it.id == id).map(Policy::thresholds).unwrap()
        };
        let fixable = of("fixable-vulnerabilities");
        let keys: Vec<&str> = fixable.iter().map(|it| it.key.as_str()).collect();
        let expect =
            ["severities", "fixable_only", "package_types", "grace_period_days", "in_use_only"];
        assert_eq!(keys, expect);
        assert_eq!(fixable[0].default, Some(json!(["CRITICAL", "HIGH"])));
        assert_eq!(fixable[0].about, "Which severities count.");
        let attested = of("supply-chain-attestations");
        let expect = json!(["https://spdx.dev/Document", "https://slsa.dev/provenance/v0.2"]);
        assert_eq!(attested[0].default, Some(expect));
        assert_eq!(of("end-of-life-distribution")[1].default, Some(json!({})));
        // Each that the configuration knows of is told with what holds without it.
        for it in all.policies() {
            let defaults = it.thresholds().into_iter().filter(|it| it.default.is_none()).count();
            assert_eq!(defaults, 0, "{}", it.id);
        }
    }

    #[test]
    fn what_is_not_plain_is_told_without_a_default() {
        let text = "# A.\n# B.\nx := object.get(data.config, \"x\", concat(\"\", []))\n\n\
                    y := object.get(data.config, \"y\", \"a,]\")\nx := object.get(data.config, \"x\", 1)\n";
        let found = thresholds(text);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].about.as_str(), &found[0].default), ("A. B.", &None));
        assert_eq!(found[1].default, Some(json!("a,]")));
    }

    proptest! {
        #[test]
        fn junk_has_none_or_some(text in any::<String>(), begin in "(x := object.get\\(data.config, \"k\",)?") {
            let found = thresholds(&format!("{begin}{text}"));
            prop_assert!(found.len() <= MOST);
        }
    }
}
