//! Policies that are in force somewhere, and those that are to be.

use std::collections::BTreeSet;

use api::{PolicyModule, PolicySet, PolicyVersion, SettingPolicies};
use policy::{Config, Module, Origin, Set, Setting};

use super::Policies;
use crate::Context;

/// Its modules; ours, where it has none of its own.
pub(crate) fn modules(set: &PolicySet) -> Vec<Module> {
    if set.modules.is_empty() {
        return policy::built_in_modules();
    }
    set.modules.iter().map(|it| Module::file(&*it.name, &*it.text)).collect()
}

/// Which of them count, and how.
pub(crate) fn config(set: &PolicySet) -> anyhow::Result<Config> {
    Ok(Config::read(&set.config.to_string())?)
}

/// Whose they are: `of production, version 3`.
pub(crate) fn words(version: Option<&PolicyVersion>) -> String {
    match version {
        Some(PolicyVersion { environment: Some(name), version, .. }) => {
            format!("of {name}, version {version}")
        }
        Some(PolicyVersion { environment: None, version, .. }) => {
            format!("of the organization, version {version}")
        }
        None => "those that come with Foretop".to_owned(),
    }
}

impl Policies {
    /// What is named, to be put into force.
    pub(crate) fn setting(&self, context: &Context) -> anyhow::Result<SettingPolicies> {
        let modules = self.modules(context)?;
        let set = Set::read(modules.iter().cloned())?;
        let mut config = self.config(context)?;
        config.check(&set)?;
        if !self.only.is_empty() {
            let only = set.only(&self.only)?;
            let only: BTreeSet<&str> = only.policies().iter().map(|it| it.id.as_str()).collect();
            for it in set.policies() {
                let enabled = Some(only.contains(it.id.as_str()));
                let named = config.policies.iter_mut().find(|setting| setting.name == it.id);
                if let Some(setting) = named {
                    setting.enabled = enabled;
                } else {
                    let name = it.id.clone();
                    config.policies.push(Setting { name, enabled, ..Setting::default() });
                }
            }
        }
        let source = |it: &Module| match &it.origin {
            Origin::BuiltIn => None,
            Origin::File => Some(format!("file {}", it.name)),
            Origin::Bundle(reference) => Some(format!("bundle {reference}")),
        };
        let sources: BTreeSet<String> = modules.iter().filter_map(source).collect();
        // Ours are not sent: a later program may know better ones.
        let own = modules.into_iter().filter(|it| it.origin != Origin::BuiltIn);
        Ok(SettingPolicies {
            modules: own.map(|it| PolicyModule { name: it.name, text: it.text }).collect(),
            config: Some(serde_json::to_value(&config)?),
            sources: sources.into_iter().collect(),
            version: None,
        })
    }
}
