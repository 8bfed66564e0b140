//! `foretop policy set|list|show|unset`: which policies are in force where.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use api::{PolicySet, PolicyVersion, SettingPolicies};
use clap::ValueHint;
use policy::{Judge, Limits, Set};
use serde_json::json;

use crate::Context;
use crate::asking::{Whose, ask};
use crate::commands::{Outcome, said};
use crate::failure::Failure;
use crate::messages::count;
use crate::policies::{Policies, in_force};
use crate::table::{Format, columns, second};

/// Letters of a file's name that are taken over.
const NAME: usize = 100;

#[derive(clap::Args)]
pub(super) struct Setting {
    /// In this environment; without it, wherever no environment has its own
    #[arg(long = "env", value_name = "ENVIRONMENT", value_parser = said())]
    environment: Option<String>,
    /// Those that were in force there as this version, again
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    version: Option<u32>,
    /// Those that come with Foretop
    #[arg(long, conflicts_with = "version")]
    built_in: bool,
    #[command(flatten)]
    policies: Policies,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Options")]
    format: Format,
    #[command(flatten)]
    whose: Whose,
}

#[derive(clap::Args)]
pub(super) struct Listing {
    /// All versions of this environment's policies
    #[arg(long = "env", value_name = "ENVIRONMENT", value_parser = said())]
    environment: Option<String>,
    /// All versions of the organization's policies
    #[arg(long, conflicts_with = "environment")]
    versions: bool,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    whose: Whose,
}

#[derive(clap::Args)]
pub(super) struct Showing {
    /// In this environment; without it, wherever no environment has its own
    #[arg(long = "env", value_name = "ENVIRONMENT", value_parser = said())]
    environment: Option<String>,
    /// This version, and not the one that is in force
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    version: Option<u32>,
    /// Write their Rego and their configuration into this directory, which is made
    #[arg(short, long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
    output: Option<PathBuf>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    whose: Whose,
}

#[derive(clap::Args)]
pub(super) struct Unsetting {
    /// In this environment; without it, the organization's
    #[arg(long = "env", value_name = "ENVIRONMENT", value_parser = said())]
    environment: Option<String>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    whose: Whose,
}

/// ` in production`; nothing, where it is everywhere.
fn within(environment: Option<&str>) -> String {
    environment.map(|it| format!(" in {it}")).unwrap_or_default()
}

impl Setting {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let is_named = self.policies.are_named();
        let refuse = |what: &str| {
            let hint = "--policy-file, --policy-dir, --policy-bundle and --policy-config name some; \
                        --built-in means those that come with Foretop; --version a former one";
            Failure::error(what.to_owned(), hint)
        };
        let setting = match self.version {
            Some(_) if is_named => {
                return Err(refuse("a former version is as it was: nothing else can be named"));
            }
            Some(version) => {
                SettingPolicies { version: Some(version), ..SettingPolicies::default() }
            }
            None if !is_named && !self.built_in => {
                return Err(refuse("nothing says which policies are to be in force"));
            }
            None => self.policies.setting(context)?,
        };
        if self.built_in && !setting.modules.is_empty() {
            return Err(refuse("either those that come with Foretop, or others"));
        }
        let place = self.environment.as_deref();
        ask(context, &self.whose, async |asking| {
            let kept = asking.client.set_policies(&asking.organisation, place, &setting).await?;
            if self.format == Format::Json {
                context.messages.tell_as(self.format, &kept, String::new)?;
                return Ok(Outcome::Done);
            }
            let (version, all) = (kept.version.version, kept.version.policies.len() as u64);
            let what = if kept.new { "are in force now" } else { "are in force already" };
            let all = count(all, "policy", "policies");
            let line = format!("Policies{} {what}: version {version}, {all}", within(place));
            context.messages.done(&line);
            Ok(Outcome::Done)
        })
    }
}

impl Listing {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let (messages, place) = (&context.messages, self.environment.as_deref());
        ask(context, &self.whose, async |asking| {
            let organisation = &asking.organisation;
            if place.is_some() || self.versions {
                let all = asking.client.policy_versions(organisation, place).await?.items;
                if all.is_empty() && self.format == Format::Text {
                    messages.inform("None of its own were ever in force there: foretop policy set");
                } else {
                    messages.tell_as(self.format, &all, || versions(&all))?;
                }
                return Ok(Outcome::Done);
            }
            let all = asking.client.policy_places(organisation).await?.items;
            let row = |it: &api::PolicyPlace| {
                let place = it.environment.clone().unwrap_or_else(|| "(all others)".to_owned());
                let version = it.in_force.as_ref();
                let mut row = vec![place, in_force::words(version)];
                row.extend(version.map(about).unwrap_or_default());
                row
            };
            let heads = ["Environment", "Policies", "How many", "From", "Since", "Set by"];
            messages
                .tell_as(self.format, &all, || columns(&heads, all.iter().map(row).collect()))?;
            Ok(Outcome::Done)
        })
    }
}

fn about(it: &PolicyVersion) -> Vec<String> {
    let from = match (&*it.sources, it.built_in) {
        (_, true) => "Foretop".to_owned(),
        ([one], false) => one.clone(),
        ([first, rest @ ..], false) => format!("{first} and {} more", rest.len()),
        ([], false) => String::new(),
    };
    vec![it.policies.len().to_string(), from, second(&it.set), it.set_by.clone()]
}

fn versions(all: &[PolicyVersion]) -> String {
    let row = |it: &PolicyVersion| {
        let mut row = vec![it.version.to_string()];
        row.extend(about(it));
        row.push(if it.in_force { "yes" } else { "" }.to_owned());
        row
    };
    let heads = ["Version", "How many", "From", "Set", "Set by", "In force"];
    columns(&heads, all.iter().map(row).collect())
}

impl Showing {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let place = self.environment.as_deref();
        let set = ask(context, &self.whose, async |asking| {
            let set = asking.client.policies(&asking.organisation, place, self.version).await?;
            anyhow::Ok(set)
        })?;
        if let Some(folder) = &self.output {
            written(&set, folder)?;
            context.messages.done(&format!("Policies written to {}", folder.display()));
            return Ok(Outcome::Done);
        }
        let known = Set::read(in_force::modules(&set))?;
        let config = in_force::config(&set)?;
        let judge = Judge::new(&known, &config, &Limits::default())?;
        let counting: BTreeSet<&str> = judge.policies().map(|it| it.id.as_str()).collect();
        let all: Vec<_> = known
            .policies()
            .iter()
            .map(|it| {
                json!({
                    "id": it.id,
                    "title": it.title,
                    "points": it.weight,
                    "counts": counting.contains(it.id.as_str()),
                    "config": config.of(&it.id).map(|it| &it.config).filter(|it| !it.is_null()),
                    "file": it.file,
                })
            })
            .collect();
        let told = json!({
            "version": set.version,
            "policies": all,
            "modules": set.modules,
            "config": set.config,
        });
        let text = || {
            let row = |it: &serde_json::Value| {
                let word = |key: &str| it[key].as_str().unwrap_or_default().to_owned();
                let config = Some(&it["config"]).filter(|it| !it.is_null());
                vec![
                    word("id"),
                    word("title"),
                    it["points"].to_string(),
                    if it["counts"] == true { "yes" } else { "no" }.to_owned(),
                    config.map(ToString::to_string).unwrap_or_default(),
                ]
            };
            let heads = ["Id", "Policy", "Points", "Counts", "Configured"];
            let mut head = format!("Policies {}", in_force::words(set.version.as_ref()));
            if let Some(it) = &set.version {
                let state = if it.in_force { "" } else { ", not in force" };
                head = format!("{head}, set {} by {}{state}", second(&it.set), it.set_by);
            }
            let head = format::shown(&head).into_owned();
            format!("{head}\n\n{}", columns(&heads, all.iter().map(row).collect()))
        };
        context.messages.tell_as(self.format, &told, text)?;
        Ok(Outcome::Done)
    }
}

/// Writes a set's files, under names that stay in the directory.
fn written(set: &PolicySet, folder: &Path) -> anyhow::Result<()> {
    let refuse = |error: std::io::Error| {
        Failure::error(error.to_string(), "--output names a directory that may be written to")
    };
    fs_err::create_dir_all(folder).map_err(refuse)?;
    let mut taken = BTreeSet::new();
    for module in in_force::modules(set) {
        let file = module.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let stem = file.strip_suffix(".rego").unwrap_or(file);
        let letter = |it: char| if it.is_alphanumeric() || "-_".contains(it) { it } else { '-' };
        let stem: String = stem.chars().take(NAME).map(letter).collect();
        let stem = if stem.is_empty() { "policy".to_owned() } else { stem };
        let names = std::iter::once(format!("{stem}.rego"))
            .chain((2_u32..).map(|it| format!("{stem}-{it}.rego")));
        // Some do not tell large letters from small ones.
        let name = names.into_iter().find(|it| taken.insert(it.to_lowercase())).unwrap_or_default();
        fs_err::write(folder.join(name), module.text).map_err(refuse)?;
    }
    let config = serde_json::to_string_pretty(&set.config)? + "\n";
    fs_err::write(folder.join("policies.json"), config).map_err(refuse)
}

impl Unsetting {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let place = self.environment.as_deref();
        ask(context, &self.whose, async |asking| {
            let organisation = &asking.organisation;
            asking.client.unset_policies(organisation, place).await?;
            let set = asking.client.policies(organisation, place, None).await?;
            if self.format == Format::Json {
                let told = json!({ "unset": place, "in_force": set.version });
                context.messages.tell_as(self.format, &told, String::new)?;
                return Ok(Outcome::Done);
            }
            let words = in_force::words(set.version.as_ref());
            context.messages.done(&format!("Policies in force{} now: {words}", within(place)));
            Ok(Outcome::Done)
        })
    }
}
