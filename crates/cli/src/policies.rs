//! Policies, for the verbs that judge: which count, what they are told of an image, and what comes of it.

mod bundles;
pub(crate) mod in_force;
mod kept;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::PolicySet;
use clap::ValueHint;
use format::policies as paper;
use gate::World;
use model::Analysis;
use policy::{Config, Judge, Limits, Module, Outcome, Set, Verdict};

use crate::asking::{Whose, ask};
use crate::bases::Ground;
use crate::commands::said;
use crate::failure::Failure;
use crate::version::VERSION;
use crate::{Context, docker, fetched, keys};
pub(crate) use bundles::publish;

/// Policies in files.
#[derive(clap::Args)]
pub(crate) struct Files {
    /// A policy in Rego, in a file or at an https:// URL; repeatable
    #[arg(long = "policy-file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// A directory with policies in Rego, and those below it; repeatable
    #[arg(long = "policy-dir", value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
    folders: Vec<PathBuf>,
}

/// Which policies count.
#[derive(clap::Args)]
#[command(next_help_heading = "Which policies count")]
pub(crate) struct Policies {
    #[command(flatten)]
    files: Files,
    /// A bundle of policies in a registry; repeatable
    #[arg(long = "policy-bundle", value_name = "REFERENCE", value_parser = said())]
    bundles: Vec<String>,
    /// Which of them count, and with which thresholds: a file of JSON, or an https:// URL
    #[arg(long = "policy-config", value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// Only these policies, by their names or ids, parted by commas
    #[arg(long = "only-policy", value_name = "POLICY", value_delimiter = ',',
          value_parser = said())]
    only: Vec<String>,
}

/// The most bytes that a file of Rego, or a configuration, may have.
const LARGEST: u64 = 4 << 20;
/// Files in the directories that are named.
const FILES: usize = 10_000;

impl Files {
    /// The modules that are named.
    fn read(&self, context: &Context) -> anyhow::Result<Vec<Module>> {
        let mut modules: Vec<Module> =
            self.files.iter().map(|it| module(context, it)).collect::<anyhow::Result<_>>()?;
        for folder in &self.folders {
            modules.extend(in_folder(context, folder)?);
        }
        Ok(modules)
    }

    /// The same; where none are named, ours.
    pub(crate) fn or_ours(&self, context: &Context) -> anyhow::Result<Vec<Module>> {
        let named = self.read(context)?;
        Ok(if named.is_empty() { policy::built_in_modules() } else { named })
    }
}

impl Policies {
    /// Does somebody say which?
    pub(crate) fn are_named(&self) -> bool {
        let Self { files: Files { files, folders }, bundles, config, only } = self;
        !(files.is_empty() && folders.is_empty() && bundles.is_empty() && only.is_empty())
            || config.is_some()
    }

    /// The modules that are named; without any, ours.
    fn modules(&self, context: &Context) -> anyhow::Result<Vec<Module>> {
        if self.bundles.is_empty() {
            return self.files.or_ours(context);
        }
        let mut modules = Vec::new();
        for bundle in &self.bundles {
            modules.extend(bundles::pulled(context, bundle)?);
        }
        modules.extend(self.files.read(context)?);
        Ok(modules)
    }

    /// Does somebody say where they are, or what they are to be like?
    pub(crate) fn are_brought(&self) -> bool {
        let Self { files: Files { files, folders }, bundles, config, only: _ } = self;
        !(files.is_empty() && folders.is_empty() && bundles.is_empty()) || config.is_some()
    }

    /// Reads them, and makes them ready.
    pub(crate) fn judge(&self, context: &Context) -> anyhow::Result<Judge> {
        self.ready(self.modules(context)?, self.config(context)?, context)
    }

    /// The same of those that are in force somewhere.
    pub(crate) fn judge_by(&self, set: &PolicySet, context: &Context) -> anyhow::Result<Judge> {
        self.ready(in_force::modules(set), in_force::config(set)?, context)
    }

    /// Those that are in force in an environment that is named, unless others are brought.
    pub(crate) fn judge_for(
        &self,
        environment: Option<&str>,
        whose: &Whose,
        context: &Context,
    ) -> anyhow::Result<Judge> {
        let Some(environment) = environment.filter(|_| !self.are_brought()) else {
            return self.judge(context);
        };
        let set = ask(context, whose, async |asking| {
            let (organisation, place) = (&asking.organisation, Some(environment));
            Ok(asking.client.policies(organisation, place, None).await?)
        })?;
        self.judge_by(&set, context)
    }

    fn config(&self, context: &Context) -> anyhow::Result<Config> {
        Ok(match &self.config {
            Some(path) => Config::read(&text(context, path)?)?,
            None => Config::default(),
        })
    }

    fn ready(
        &self,
        modules: Vec<Module>,
        config: Config,
        context: &Context,
    ) -> anyhow::Result<Judge> {
        let set = Set::read(modules)?;
        for flaw in set.flaws() {
            context.messages.warn(&format!("Policy {flaw}"));
        }
        // A configuration names policies of the whole set, also where some alone are asked for.
        config.check(&set)?;
        let (set, config) = if self.only.is_empty() {
            (set, config)
        } else {
            let only = set.only(&self.only)?;
            let ids: Vec<&str> = only.policies().iter().map(|it| &*it.id).collect();
            let policies = config.policies.into_iter().filter(|it| ids.contains(&&*it.name));
            let config = Config { debug: config.debug, policies: policies.collect() };
            (only, config)
        };
        Ok(Judge::new(&set, &config, &Limits::default())?)
    }
}

/// What policies say of an image, and the same on paper.
pub(crate) struct Judged {
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) paper: paper::Judged,
}

/// An image that is judged, and what it stands on.
pub(crate) type Side<'a> = (&'a Analysis, &'a Ground);

/// Judges images, one after the other.
pub(crate) fn judged<const N: usize>(
    sides: [Side<'_>; N],
    judge: &Judge,
    context: &Context,
) -> anyhow::Result<[Judged; N]> {
    context.messages.begin("Evaluating policies");
    let all = judged_among_others(sides, judge, context)?;
    context.messages.done("Policy evaluation completed");
    Ok(all)
}

/// The same, of which nothing is said but what policies print.
pub(crate) fn judged_among_others<const N: usize>(
    sides: [Side<'_>; N],
    judge: &Judge,
    context: &Context,
) -> anyhow::Result<[Judged; N]> {
    let settings = if context.environment.offline()? {
        None
    } else {
        Some(Arc::new(docker::settings(&context.environment, &context.docker, false)?))
    };
    let runtime = crate::runtime()?;
    let keys = keys::Here(context);
    let now = i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
    let all = sides.map(|(analysis, Ground { beside, .. })| {
        let facts = gate::facts(analysis, beside, now, VERSION);
        let (runtime, settings) = (runtime.handle().clone(), settings.clone());
        let world = World { runtime, settings, keys: &keys, beside, guarded: false };
        let verdicts = judge.judge(&facts, &world);
        let paper = gate::on_paper(&verdicts);
        Judged { verdicts, paper }
    });
    for line in all.iter().flat_map(|it| &it.verdicts).flat_map(|it| &it.prints) {
        context.messages.inform(line);
    }
    Ok(all)
}

impl Judged {
    /// Are all of them met? What nobody can tell is not.
    pub(crate) fn is_met(&self) -> bool {
        self.verdicts.iter().all(|it| it.outcome == Outcome::Met)
    }
}

/// The text of a file, or at a URL, which is not read when it is too large.
fn text(context: &Context, path: &Path) -> anyhow::Result<String> {
    if let Some(url) = path.to_str().filter(|it| fetched::is_url(it)) {
        let bytes = fetched::bytes(context, "policies", url, LARGEST)?;
        return String::from_utf8(bytes).map_err(|_| {
            let what = format!("policies {}: what is there is no text", fetched::shown(url));
            Failure::error(what, "it has to be a file of Rego, or of JSON for --policy-config")
        });
    }
    let refuse = |why: String| {
        let what = format!("cannot read {}: {why}", path.display());
        Failure::error(what, "name a file of Rego, or of JSON for --policy-config")
    };
    let told = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => refuse("there is no such file".to_owned()),
        std::io::ErrorKind::InvalidData => refuse("it is no text".to_owned()),
        kind => refuse(kind.to_string()),
    };
    let metadata = fs_err::metadata(path).map_err(told)?;
    if !metadata.is_file() {
        return Err(refuse("it is not a file".to_owned()));
    }
    if metadata.len() > LARGEST {
        return Err(refuse(format!("it is larger than {} MiB", LARGEST >> 20)));
    }
    fs_err::read_to_string(path).map_err(told)
}

fn module(context: &Context, path: &Path) -> anyhow::Result<Module> {
    let name = path.to_str().filter(|it| fetched::is_url(it));
    let name = name.map_or_else(|| path.display().to_string(), fetched::shown);
    Ok(Module::file(name, text(context, path)?))
}

/// Every file of Rego in a directory and those below it, in the order of their paths.
fn in_folder(context: &Context, folder: &Path) -> anyhow::Result<Vec<Module>> {
    let hint = "--policy-dir names a directory with files that end in .rego";
    let mut files = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(at) = waiting.pop() {
        let refuse = |error: std::io::Error| {
            Failure::error(format!("cannot read {}: {}", at.display(), error.kind()), hint)
        };
        for entry in fs_err::read_dir(&at).map_err(refuse)? {
            let entry = entry.map_err(refuse)?;
            let (kind, path) = (entry.file_type().map_err(refuse)?, entry.path());
            if kind.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|it| it == "rego") {
                files.push(path);
            }
            if files.len() + waiting.len() > FILES {
                let what = format!("cannot read {}: it holds too much", folder.display());
                return Err(Failure::error(what, hint));
            }
        }
    }
    if files.is_empty() {
        let what = format!("{}: there is no file of Rego in it", folder.display());
        return Err(Failure::error(what, hint));
    }
    files.sort();
    files.iter().map(|it| module(context, it)).collect()
}
