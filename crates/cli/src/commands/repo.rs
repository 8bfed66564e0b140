//! `foretop repo`: which repositories are enrolled.

mod held;

use api::{DeleteQuery, Repository, RepositoryQuery};
use clap::Subcommand;
use model::registry_host;
use regex::Regex;

use super::{Outcome, Verb, said};
use crate::Context;
use crate::asking::{Asking, PART, Whose, ask, whole};
use crate::messages::count;
use crate::table::{Format, columns};
use held::Held;

/// List the repositories of an organization, switch them on and off, and delete them
#[derive(clap::Parser)]
#[command(name = "repo", arg_required_else_help = true)]
pub(crate) struct Repo {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the repositories that are enrolled
    List {
        #[command(flatten)]
        whose: Whose,
        /// Only those whose name matches this regular expression
        #[arg(long, value_name = "REGEX")]
        filter: Option<Regex>,
        /// Only those that are switched on
        #[arg(long, conflicts_with = "only_disabled")]
        only_enabled: bool,
        /// Only those that are switched off
        #[arg(long)]
        only_disabled: bool,
        /// Only those of this registry: docker.io, registry.example:5000
        #[arg(long, value_name = "HOST")]
        only_registry: Option<String>,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Switch repositories on, enrolling one that is new
    Enable(Chosen),
    /// Switch repositories off
    Disable(Chosen),
    /// Delete a repository: its tags, and the images that were seen in it alone
    #[command(after_help = AFTER)]
    Delete {
        /// The repository: acme/web, registry.example/acme/web
        #[arg(value_parser = said())]
        repository: String,
        /// Also where something of it runs: it ends there, and the history says so
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        whose: Whose,
    },
}

const AFTER: &str = "\
Images that run or are tagged under another name stay.
What ran stays in the history of its environments, and in the events.";

#[derive(clap::Args)]
#[group(skip)]
struct Chosen {
    /// The repository: acme/web, registry.example/acme/web
    #[arg(required_unless_present_any = ["all", "filter"], conflicts_with_all = ["all", "filter"],
          value_parser = said())]
    repository: Option<String>,
    /// All that are enrolled
    #[arg(long, conflicts_with = "filter")]
    all: bool,
    /// All that are enrolled and whose name matches this regular expression
    #[arg(long, value_name = "REGEX")]
    filter: Option<Regex>,
    /// In this registry: a host, or key=value fields as `foretop watch` takes them
    #[arg(long, value_name = "HOST|KEY=VALUE,…", value_parser = said())]
    registry: Option<String>,
    /// In the registry of this integration, and watched by it
    #[arg(long, value_name = "KIND[/NAME]", conflicts_with = "registry", value_parser = said())]
    integration: Option<String>,
    #[command(flatten)]
    whose: Whose,
}

impl Verb for Repo {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        match self.command {
            Command::List { whose, filter, only_enabled, only_disabled, only_registry, format } => {
                let enabled = match (only_enabled, only_disabled) {
                    (true, _) => Some(true),
                    (_, true) => Some(false),
                    _ => None,
                };
                ask(context, &whose, async |asking| {
                    let all = enrolled(asking, None).await?;
                    let wanted = |it: &&Repository| {
                        enabled.is_none_or(|wanted| it.enabled == wanted)
                            && only_registry.as_deref().is_none_or(|host| is_of(it, host))
                            && filter.as_ref().is_none_or(|it_should| it_should.is_match(&it.name))
                    };
                    let shown: Vec<&Repository> = all.iter().filter(wanted).collect();
                    let text = || table(&shown, &all, &asking.organisation);
                    context.messages.tell_as(format, &shown, text)
                })?;
            }
            Command::Enable(chosen) => chosen.switch(true, context)?,
            Command::Disable(chosen) => chosen.switch(false, context)?,
            Command::Delete { repository, force, whose } => ask(context, &whose, async |asking| {
                let (organisation, query) = (&asking.organisation, DeleteQuery { force });
                let gone = asking.client.delete_repository(organisation, &repository, query);
                let gone = gone.await?;
                let images = count(gone.images, "image", "images");
                let tags = count(gone.tags, "tag", "tags");
                context.messages.done(&format!(
                    "Successfully deleted repository {repository}, with {images} and {tags}"
                ));
                if gone.ended > 0 {
                    let ended = count(gone.ended, "deployment", "deployments");
                    context.messages.inform(&format!("{ended} of it ended"));
                }
                Ok(())
            })?,
        }
        Ok(Outcome::Done)
    }
}

impl Chosen {
    fn switch(&self, enabled: bool, context: &Context) -> anyhow::Result<()> {
        ask(context, &self.whose, async |asking| {
            let held = match (&self.registry, &self.integration) {
                (Some(text), _) => Some(Held::named(text)?),
                (None, Some(which)) => Some(Held::by(asking, which).await?),
                (None, None) => None,
            };
            let names = match (&self.repository, &held) {
                (Some(name), Some(held)) => vec![held.full(name)],
                (Some(name), None) => vec![name.clone()],
                (None, held) => enrolled(asking, Some(!enabled))
                    .await?
                    .into_iter()
                    .map(|it| it.name)
                    .filter(|name| self.filter.as_ref().is_none_or(|it| it.is_match(name)))
                    .filter(|name| held.as_ref().is_none_or(|it| it.holds(name)))
                    .collect(),
            };
            if names.is_empty() {
                let state = if enabled { "off" } else { "on" };
                context.messages.inform(&format!("None of those repositories is switched {state}"));
            }
            let done = if enabled { "enabled" } else { "disabled" };
            for name in &names {
                let organisation = &asking.organisation;
                let it = asking.client.enable_repository(organisation, name, enabled).await?;
                context.messages.done(&format!("Successfully {done} repository {}", it.name));
            }
            Ok(())
        })
    }
}

async fn enrolled(asking: &Asking, enabled: Option<bool>) -> anyhow::Result<Vec<Repository>> {
    let all = whole(async |after| {
        let limit = Some(PART);
        let query = RepositoryQuery { enabled, registry: None, after, limit };
        asking.client.repositories(&asking.organisation, &query).await
    });
    Ok(all.await?)
}

fn is_of(repository: &Repository, host: &str) -> bool {
    repository.name.strip_prefix(registry_host(host)).is_some_and(|rest| rest.starts_with('/'))
}

fn table(shown: &[&Repository], all: &[Repository], organisation: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    if !shown.is_empty() {
        let row = |it: &&Repository| {
            vec![it.name.clone(), if it.enabled { "yes" } else { "no" }.to_owned()]
        };
        text = columns(&["Repository", "Enabled"], shown.iter().map(row).collect());
        text.push('\n');
    }
    let enabled = all.iter().filter(|it| it.enabled).count();
    let (total, noun) = (all.len(), if all.len() == 1 { "repository" } else { "repositories" });
    let _ = writeln!(text, "Organization {organisation} has {enabled} of {total} {noun} enabled");
    text
}
