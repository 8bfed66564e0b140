//! Policies that are in force: understood, kept, and ready to judge by.

mod attested;
mod flips;
mod judging;
mod sample;
mod trial;

use std::sync::Arc;

use api::{PolicyModule, PolicyTitle, PolicyVersion, SettingPolicies, Sort};
use policy::{Config, Judge, Limits, Module, Set};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use store::{PolicySetHead, PolicySetRecord};

use crate::body;
use crate::refusal::Refusal;

pub(crate) use flips::Said;
pub(crate) use judging::{Policing, Stood, day, judge};
pub(crate) use sample::{Sample, States};
pub(crate) use trial::{choices, trial};

/// Files of a set, and the bytes of all of them.
const FILES: usize = 200;
const BYTES: usize = 4 << 20;
/// Places that a set comes from, and the letters of each.
const SOURCES: usize = 200;
const SOURCE: usize = 1_000;

/// What a list tells of a set, as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    built_in: bool,
    sources: Vec<String>,
    policies: Vec<PolicyTitle>,
}

/// Policies that are to be kept.
pub(crate) struct Understood {
    pub(crate) digest: String,
    pub(crate) summary: Json,
    pub(crate) modules: Json,
    pub(crate) config: Json,
}

/// Policies, ready to judge by.
pub(crate) struct Ready {
    /// Where they are from; none: they come with the program.
    pub(crate) head: Option<PolicySetHead>,
    /// The same for those that judge the same.
    pub(crate) digest: String,
    pub(crate) judge: Judge,
}

impl Ready {
    /// The policies that count, in the order in which they are told.
    pub(crate) fn titles(&self) -> Vec<PolicyTitle> {
        titles(&self.judge)
    }
}

/// Reads policies; what makes no sense, or could never be judged by, is refused before it is kept.
pub(crate) async fn understood(sent: SettingPolicies) -> Result<Understood, Refusal> {
    let SettingPolicies { modules, config, sources, version: _ } = sent;
    fit(&modules)?;
    if sources.len() > SOURCES || sources.iter().any(|it| it.len() > SOURCE) {
        let why = format!("there are at most {SOURCES}, each of {SOURCE} letters at most");
        return Err(Refusal::malformed("sources", why));
    }
    let config = config.unwrap_or_else(|| json!({}));
    body::on_the_side(move || {
        let (judge, config) = read(&modules, &config).map_err(refused)?;
        let config = serde_json::to_value(&config)
            .map_err(|error| Refusal::from(Sort::Failed.because(error.to_string())))?;
        let built_in = modules.is_empty();
        let modules = if built_in { Json::Null } else { json!(modules) };
        let summary = Summary { built_in, sources, policies: titles(&judge) };
        Ok(Understood {
            digest: hash(&[&modules.to_string(), &config.to_string()]),
            summary: json!(summary),
            modules,
            config,
        })
    })
    .await?
}

/// Are they few and short enough?
fn fit(modules: &[PolicyModule]) -> Result<(), Refusal> {
    if modules.len() > FILES || modules.iter().map(|it| it.text.len()).sum::<usize>() > BYTES {
        let why = format!("they are more than {FILES} files or {} MiB", BYTES >> 20);
        return Err(Refusal::malformed("modules", why));
    }
    Ok(())
}

/// Makes policies ready; none are those that come with the program.
pub(crate) async fn ready(record: Option<PolicySetRecord>) -> Result<Arc<Ready>, String> {
    let making = tokio::task::spawn_blocking(move || {
        let (modules, config) = match &record {
            Some(it) => (modules_of(&it.modules)?, it.config.clone()),
            None => (Vec::new(), json!({})),
        };
        let (judge, _) = read(&modules, &config).map_err(|bad| bad.why)?;
        // A newer program may bring other policies of its own.
        let texts: Vec<String> = texts(&modules).into_iter().map(|it| it.text).collect();
        let digest = hash(&[&json!(texts).to_string(), &config.to_string()]);
        Ok(Arc::new(Ready { head: record.map(|it| it.head), digest, judge }))
    });
    making.await.map_err(|error| format!("reading policies broke off: {error}"))?
}

/// The modules of a set, as they are kept.
pub(crate) fn modules_of(kept: &Json) -> Result<Vec<PolicyModule>, String> {
    if kept.is_null() {
        return Ok(Vec::new());
    }
    let read = Vec::<PolicyModule>::deserialize(kept);
    read.map_err(|error| format!("policies are of another version: {error}"))
}

/// A version, as it is told.
pub(crate) fn version(head: PolicySetHead) -> PolicyVersion {
    // What another version of this program wrote is told as far as it is understood.
    let summary: Summary = serde_json::from_value(head.summary).unwrap_or_default();
    PolicyVersion {
        environment: head.environment,
        version: u32::try_from(head.version).unwrap_or(u32::MAX),
        in_force: head.in_force,
        built_in: summary.built_in,
        sources: summary.sources,
        policies: summary.policies,
        set: head.at.to_string(),
        set_by: head.by,
    }
}

fn texts(modules: &[PolicyModule]) -> Vec<Module> {
    if modules.is_empty() {
        return policy::built_in_modules();
    }
    modules.iter().map(|it| Module::file(&*it.name, &*it.text)).collect()
}

/// Why policies cannot be judged by, and what to do about it.
struct Bad {
    why: String,
    hint: Option<String>,
}

impl From<policy::Error> for Bad {
    fn from(error: policy::Error) -> Self {
        Self { why: error.to_string(), hint: error.hint().map(str::to_owned) }
    }
}

fn read(modules: &[PolicyModule], config: &Json) -> Result<(Judge, Config), Bad> {
    let (set, config) = read_set(modules, config)?;
    let judge = Judge::new(&set, &config, &Limits::default())?;
    Ok((judge, config))
}

fn read_set(modules: &[PolicyModule], config: &Json) -> Result<(Set, Config), Bad> {
    let set = Set::read(texts(modules))?;
    if let Some(flaw) = set.flaws().first() {
        let hint = "a policy that can never be judged would be unknown for ever".to_owned();
        return Err(Bad { why: format!("policy {flaw}"), hint: Some(hint) });
    }
    let config = Config::read(&config.to_string())?;
    config.check(&set)?;
    Ok((set, config))
}

fn titles(judge: &Judge) -> Vec<PolicyTitle> {
    let title = |it: &policy::Policy| PolicyTitle {
        id: it.id.clone(),
        title: it.title.clone(),
        points: it.weight,
    };
    judge.policies().map(title).collect()
}

fn refused(bad: Bad) -> Refusal {
    let problem = Sort::Refused.because(bad.why);
    match bad.hint {
        Some(hint) => problem.with_hint(hint).into(),
        None => problem.into(),
    }
}

/// A hash of several texts.
pub(crate) fn hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let bytes: [u8; 32] = hasher.finalize().into();
    model::Digest::from_sha256(&bytes).hex().to_owned()
}
