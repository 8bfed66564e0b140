//! Which policies count, and with which thresholds: a file of JSON.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::contract::{Error, Policy};
use crate::set::Set;

/// The most bytes that a configuration may have.
pub(crate) const LARGEST: usize = 1 << 20;

/// Which policies count, and how. One that is not listed counts, as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What policies print is told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub debug: bool,
    /// By policy.
    #[serde(default)]
    pub policies: Vec<Setting>,
}

/// How one policy counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Its id.
    pub name: String,
    /// Whether it counts; who is listed does, if nothing else is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// What it finds in `data.config`: an object.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub config: Value,
}

impl Config {
    /// Reads a configuration.
    pub fn read(text: &str) -> Result<Self, Error> {
        let bad = |why: String| Error::new("cannot read the policies' configuration", why);
        if text.len() > LARGEST {
            return Err(bad(format!("it is larger than {LARGEST} bytes")));
        }
        let config: Self = serde_json::from_str(text).map_err(|error| {
            bad(error.to_string()).with_hint(
                r#"it looks like {"policies": [{"name": "…", "enabled": true, "config": {}}]}"#,
            )
        })?;
        let mut names = BTreeSet::new();
        for setting in &config.policies {
            if !names.insert(&setting.name) {
                return Err(bad(format!("`{:.200}` is listed twice", setting.name)));
            }
            if !setting.config.is_object() && !setting.config.is_null() {
                return Err(bad(format!(
                    "the `config` of `{:.200}` is not an object",
                    setting.name
                )));
            }
        }
        Ok(config)
    }

    /// Whether every name in it is somebody's.
    pub fn check(&self, set: &Set) -> Result<(), Error> {
        let known: BTreeSet<&str> = set.policies().iter().map(|it| it.id.as_str()).collect();
        let stranger = self.policies.iter().find(|it| !known.contains(it.name.as_str()));
        stranger.map_or(Ok(()), |it| Err(set.nobody(&it.name)))
    }

    /// Whether a policy counts.
    pub fn counts(&self, policy: &Policy) -> bool {
        match self.of(&policy.id) {
            Some(setting) => setting.enabled.unwrap_or(true),
            None => !policy.opt_in,
        }
    }

    /// What is said about a policy.
    pub fn of(&self, id: &str) -> Option<&Setting> {
        self.policies.iter().find(|it| it.name == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said() {
        let check = |text: &str, expect: &str| {
            let shown =
                match Config::read(text).and_then(|it| it.check(&Set::built_in()).map(|()| it)) {
                    Ok(it) => format!(
                        "{:?}",
                        it.policies.iter().map(|it| (&*it.name, it.enabled)).collect::<Vec<_>>()
                    ),
                    Err(error) => error.to_string(),
                };
            assert!(shown.starts_with(expect), "{shown}");
        };
        check("{}", "[]");
        check(r#"{"policies": [{"name": "copyleft-license"}]}"#, r#"[("copyleft-license", None)]"#);
        check(r#"{"policies": [{"name": "x"}]}"#, "there is no policy `x`");
        check(
            r#"{"policies": [{"name": "x"}, {"name": "x"}]}"#,
            "cannot read the policies' configuration: `x` is listed twice",
        );
        check(
            r#"{"policies": [{"name": "x", "config": 1}]}"#,
            "cannot read the policies' configuration: the `config`",
        );
        check(
            r#"{"policies": [{"name": "x", "enable": true}]}"#,
            "cannot read the policies' configuration: unknown field",
        );
        check("[", "cannot read the policies' configuration: ");
    }

    #[test]
    fn who_counts() {
        let set = Set::built_in();
        let counting = |text: &str| {
            let config = Config::read(text).unwrap();
            let some = set.policies().iter().filter(|it| config.counts(it)).map(|it| it.id.clone());
            some.collect::<Vec<_>>()
        };
        assert_eq!(counting("{}").len(), 7);
        assert_eq!(counting(r#"{"policies": [{"name": "gaps"}]}"#).len(), 8);
        assert_eq!(counting(r#"{"policies": [{"name": "gaps", "enabled": false}]}"#).len(), 7);
        assert_eq!(
            counting(r#"{"policies": [{"name": "copyleft-license", "enabled": false}]}"#).len(),
            6
        );
    }
}
