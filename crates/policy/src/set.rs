//! A set of policies: read once, each with its libraries, and cheap to hand around.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use regorus::Engine;

use crate::builtins::{self, Arity};
use crate::contract::{Error, Module, Policy};
use crate::reading::{Belongs, Reading};
use crate::{metadata, reading, room};

/// The most modules that a set may have.
pub(crate) const MODULES: usize = 1_000;

/// The most bytes that all of them may have.
pub(crate) const BYTES: usize = 16 << 20;

/// Policies that can be judged by. Their rules never meet: each is alone with the libraries.
#[derive(Clone)]
pub struct Set {
    all: Arc<Vec<Prepared>>,
    policies: Arc<Vec<Policy>>,
    left_out: Arc<Vec<String>>,
}

/// A policy, and the engines that know it.
pub(crate) struct Prepared {
    pub(crate) policy: Policy,
    /// `data["docker"]["scout"]`.
    pub(crate) query: String,
    /// It may print; and the same without a word.
    pub(crate) loud: Option<Engine>,
    pub(crate) quiet: Option<Engine>,
    /// Which functions of ours it calls, with how many arguments.
    pub(crate) calls: BTreeMap<&'static str, u8>,
    /// It looks at packages or findings in the document itself.
    pub(crate) looks_inside: bool,
    /// Why it can never be judged by.
    pub(crate) flaw: Option<String>,
}

impl std::fmt::Debug for Set {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.policies.iter().map(|it| &it.id)).finish()
    }
}

impl Set {
    /// Reads modules: policies, and libraries, which are modules with neither `pass` nor `violation`.
    /// Tests of policies, whose package ends in `_test`, are left out.
    pub fn read(modules: impl IntoIterator<Item = Module>) -> Result<Self, Error> {
        let mut all = Vec::new();
        let mut bytes = 0_usize;
        for module in modules {
            bytes += module.text.len();
            if all.len() == MODULES || bytes > BYTES {
                return Err(Error::new(
                    "cannot read the policies",
                    format!("they are more than {MODULES} files or {BYTES} bytes"),
                ));
            }
            all.push(module);
        }
        room::with(|| read(all)).unwrap_or_else(|| {
            Err(Error::new("cannot read the policies", "their reader broke off"))
        })
    }

    /// Ours.
    pub fn built_in() -> Self {
        crate::built_in::set()
    }

    /// Every policy, the weightiest first, then by id.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// What was not for us, by file.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// What is wrong with policies that can be read, each `id: why`: a call of a function that is
    /// not there, say. Such a policy is always unknown.
    pub fn flaws(&self) -> Vec<String> {
        let flaws = self.all.iter();
        flaws.filter_map(|it| Some(format!("{}: {}", it.policy.id, it.flaw.as_ref()?))).collect()
    }

    /// Of these policies alone, named by id or title; whoever is named is asked for, so none of
    /// them has to be enabled any more.
    pub fn only(&self, names: &[impl AsRef<str>]) -> Result<Self, Error> {
        let mut chosen = BTreeSet::new();
        for name in names {
            let name = name.as_ref().trim();
            let is_it = |it: &Policy| it.id == name || it.title.eq_ignore_ascii_case(name);
            let found = self.policies.iter().position(is_it).ok_or_else(|| self.nobody(name))?;
            chosen.insert(found);
        }
        let some = self.all.iter().enumerate().filter(|(at, _)| chosen.contains(at));
        Ok(Self::of(
            some.map(|(_, it)| {
                let policy = Policy { opt_in: false, ..it.policy.clone() };
                Prepared {
                    policy,
                    query: it.query.clone(),
                    loud: it.loud.clone(),
                    quiet: it.quiet.clone(),
                    calls: it.calls.clone(),
                    looks_inside: it.looks_inside,
                    flaw: it.flaw.clone(),
                }
            })
            .collect(),
            self.left_out.to_vec(),
        ))
    }

    pub(crate) fn prepared(&self) -> &[Prepared] {
        &self.all
    }

    pub(crate) fn nobody(&self, name: &str) -> Error {
        let known: Vec<&str> = self.policies.iter().map(|it| it.id.as_str()).collect();
        Error::new(format!("there is no policy `{name:.200}`"), "nobody brings one of that name")
            .with_hint(format!("there is {}", known.join(", ")))
    }

    fn of(mut all: Vec<Prepared>, left_out: Vec<String>) -> Self {
        all.sort_by(|a, b| {
            b.policy.weight.cmp(&a.policy.weight).then_with(|| a.policy.id.cmp(&b.policy.id))
        });
        let policies = all.iter().map(|it| it.policy.clone()).collect();
        Self { all: Arc::new(all), policies: Arc::new(policies), left_out: Arc::new(left_out) }
    }
}

fn read(modules: Vec<Module>) -> Result<Set, Error> {
    let mut policies = Vec::new();
    let mut libraries = Vec::new();
    let mut left_out = Vec::new();
    for module in modules {
        match reading::read(&module)? {
            Belongs::Test => left_out.push(module.name),
            Belongs::Ours(reading) => {
                let judges = ["pass", "violation"].iter().any(|it| reading.rules.contains(*it));
                if judges { &mut policies } else { &mut libraries }.push((module, reading));
            }
        }
    }
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    let mut all = Vec::new();
    for (module, reading) in policies {
        let policy = policy(&module, &reading)?;
        if let Some(other) = ids.insert(policy.id.clone(), module.name.clone()) {
            return Err(Error::new(
                format!("cannot read the policy `{}`", module.name),
                format!("`{other}` is called `{}` too", policy.id),
            )
            .with_hint("give each a `custom.name` in its `# METADATA`"));
        }
        all.push(prepared(policy, &module, &reading, &libraries));
    }
    Ok(Set::of(all, left_out))
}

fn policy(module: &Module, reading: &Reading) -> Result<Policy, Error> {
    let bad = |why: String| Error::new(format!("cannot read the policy `{}`", module.name), why);
    let metadata = metadata::read(&module.text)
        .map_err(|(line, why)| bad(format!("{}:{line}: {why}", module.name)))?;
    let custom = metadata.custom.unwrap_or_default();
    let given = |it: Option<String>| it.map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
    let id = given(custom.name).unwrap_or_else(|| reading.package.join("."));
    if id.len() > 200 || id.chars().any(char::is_control) {
        return Err(bad("its `custom.name` is not a line of at most 200 letters".to_owned()));
    }
    Ok(Policy {
        title: given(metadata.title).unwrap_or_else(|| id.clone()),
        id,
        description: given(metadata.description).unwrap_or_default(),
        kind: custom.result_type.unwrap_or_default(),
        weight: custom.weight.unwrap_or_default(),
        not_compliant_title: given(custom.not_compliant_title),
        details_order: custom.details_order.unwrap_or_default(),
        file: module.name.clone(),
        origin: module.origin.clone(),
        source: module.text.clone(),
        opt_in: custom.opt_in.unwrap_or_default(),
    })
}

fn prepared(
    policy: Policy,
    module: &Module,
    reading: &Reading,
    libraries: &[(Module, Reading)],
) -> Prepared {
    let parts: Vec<(&Module, &Reading)> = libraries
        .iter()
        .map(|(module, reading)| (module, reading))
        .chain([(module, reading)])
        .collect();
    let words: Vec<String> = reading.package.iter().map(|it| format!("{it:?}")).collect();
    let query = format!("data[{}]", words.join("]["));
    let mut calls = BTreeMap::from([(reading::SEARCHED, 1)]);
    let mut flaw = flaw(&parts, &mut calls);
    let mut engine = |quiet: bool| {
        let engine = engine(&parts, quiet);
        engine.map_err(|why| flaw.get_or_insert(why)).ok()
    };
    let (quiet, loud) = (engine(true), engine(false));
    let looks_inside = parts.iter().any(|(_, it)| it.looks_inside);
    Prepared { policy, query, loud, quiet, calls, looks_inside, flaw }
}

/// What is wrong with a policy and its libraries; else what they call.
fn flaw(parts: &[(&Module, &Reading)], calls: &mut BTreeMap<&'static str, u8>) -> Option<String> {
    let count: usize = parts.iter().map(|(_, reading)| reading.count).sum();
    if count > reading::RULES {
        return Some(format!(
            "it has {count} rules with its libraries, and {} are most",
            reading::RULES
        ));
    }
    let mut functions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, called) in parts.iter().flat_map(|(_, reading)| &reading.functions) {
        functions.entry(path.clone()).or_default().extend(called.iter().cloned());
    }
    for (module, reading) in parts {
        for call in &reading.calls {
            if functions.contains_key(&call.path) || builtins::NATIVE.contains(&&*call.name) {
                continue;
            }
            let place = format!("{}:{}", module.name, call.line);
            let known = builtins::all().filter(|it| it.name != reading::SEARCHED);
            let Some(builtin) = known.into_iter().find(|it| it.name == call.name) else {
                return Some(format!("{place}: there is no function `{}`", call.name));
            };
            let given = u8::try_from(call.arguments).unwrap_or(u8::MAX);
            let fits = match builtin.arity {
                // The last one may be a name for what comes back.
                Arity::Of(arity) => given == arity || given == arity + 1,
                Arity::UpTo(most) => given <= most,
            };
            let arity = match builtin.arity {
                Arity::Of(arity) => arity,
                Arity::UpTo(_) => given,
            };
            let same = *calls.entry(builtin.name).or_insert(arity) == arity;
            if !fits || !same {
                return Some(format!("{place}: `{}` takes other arguments", call.name));
            }
        }
    }
    reading::circle(&functions).map(|path| {
        let name = path.rsplit('.').next().unwrap_or_default();
        format!("its function `{name}` calls itself")
    })
}

fn engine(parts: &[(&Module, &Reading)], quiet: bool) -> Result<Engine, String> {
    let mut engine = reading::engine();
    for (module, reading) in parts {
        let prints_itself =
            reading.functions.keys().any(|it| it.rsplit('.').next() == Some("print"));
        let text = reading::prepared(&module.text, reading, quiet && !prints_itself);
        engine
            .add_policy(module.name.clone(), text)
            .map_err(|error| reading::plain(&error.to_string()))?;
    }
    Ok(engine)
}
