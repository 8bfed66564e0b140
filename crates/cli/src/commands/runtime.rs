//! `foretop runtime`: clusters and hosts that say what runs in them.

use api::{Berthed, Runtime as Told, RuntimeQuery, WholeRuntime};
use clap::Subcommand;
use format::shown;

use super::{Outcome, Verb, said};
use crate::Context;
use crate::asking::{Whose, ask, whole};
use crate::deployed::unplaced;
use crate::messages::{Messages, count};
use crate::table::{Format, columns, second};

/// List the clusters and hosts that say what runs in them, and forget one
#[derive(clap::Parser)]
#[command(name = "runtime", arg_required_else_help = true)]
pub(crate) struct Runtime {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the runtimes: when they were heard of, and what of them nobody can tell
    List {
        /// Only those that run something in this environment
        #[arg(long = "env", value_name = "ENVIRONMENT", value_parser = said())]
        environment: Option<String>,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        whose: Whose,
    },
    /// Show all that a runtime runs: each container, by environment and workload
    Show {
        /// The runtime
        #[arg(value_parser = said())]
        name: String,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        whose: Whose,
    },
    /// Forget a runtime: what it said that runs has ended, and stays in the history
    Remove {
        /// The runtime
        #[arg(value_parser = said())]
        name: String,
        /// Do not ask
        #[arg(short, long)]
        force: bool,
        #[command(flatten)]
        whose: Whose,
    },
}

impl Verb for Runtime {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let messages = &context.messages;
        match self.command {
            Command::List { environment, format, whose } => ask(context, &whose, async |asking| {
                let organisation = &asking.organisation;
                let all = whole(async |after| {
                    let environment = environment.clone();
                    let query = RuntimeQuery { environment, after, limit: None };
                    asking.client.runtimes(organisation, &query).await
                });
                let all = all.await?;
                if all.is_empty() && format == Format::Text {
                    let there = "`foretop agent` has a cluster or a host say what runs in it";
                    messages.inform(&format!("No runtime in organization {organisation}"));
                    messages.advise(there);
                    return Ok(());
                }
                messages.tell_as(format, &all, || table(&all))?;
                if format == Format::Text {
                    for it in &all {
                        doubts(it, messages);
                    }
                }
                Ok(())
            })?,
            Command::Show { name, format, whose } => ask(context, &whose, async |asking| {
                let it = asking.client.runtime(&asking.organisation, &name).await?;
                messages.tell_as(format, &it, || containers(&it))?;
                if format == Format::Text {
                    doubts(&it.runtime, messages);
                }
                Ok(())
            })?,
            Command::Remove { name, force, whose } => ask(context, &whose, async |asking| {
                let organisation = &asking.organisation;
                let it = asking.client.runtime(organisation, &name).await?.runtime;
                let question = || {
                    let runs = count(it.running, "container", "containers");
                    format!("Forget runtime {}, which runs {runs}?", it.name)
                };
                let what = format!("runtime remove {}", it.name);
                let hint = "--force forgets it without asking";
                if force || messages.confirmed(&what, question, hint)? {
                    let ended = asking.client.remove_runtime(organisation, &it.name).await?.ended;
                    let ended = count(ended.len() as u64, "deployment", "deployments");
                    messages
                        .done(&format!("Successfully removed runtime {}: {ended} ended", it.name));
                }
                Ok(())
            })?,
        }
        Ok(Outcome::Done)
    }
}

/// What of a runtime nobody can tell.
fn doubts(it: &Told, messages: &Messages) {
    for gap in &it.gaps {
        messages.warn(&shown(&format!("{}: {gap}", it.name)));
    }
    for one in &it.unplaced {
        let why = unplaced(one);
        messages.warn(&shown(&format!("{}: {} is not placed: {why}", it.name, one.digest)));
    }
}

fn table(all: &[Told]) -> String {
    let row = |it: &Told| {
        let heard = second(&it.heard);
        let state = if it.stale { "stale" } else { "heard" };
        vec![
            it.name.clone(),
            it.kind.clone(),
            state.to_owned(),
            heard,
            it.running.to_string(),
            it.environments.join(", "),
        ]
    };
    let heads = ["Name", "Kind", "State", "Last heard", "Runs", "Environments"];
    columns(&heads, all.iter().map(row).collect())
}

fn containers(it: &WholeRuntime) -> String {
    let row = |it: &Berthed| {
        let of = &it.workload;
        let parts = [&of.namespace, &of.kind, &of.name, &of.container];
        let parts: Vec<&str> =
            parts.into_iter().map(String::as_str).filter(|it| !it.is_empty()).collect();
        let digest = it.placed.as_ref().unwrap_or(&it.digest);
        let image = if it.image == *digest { String::new() } else { it.image.clone() };
        let application = it.application.clone().unwrap_or_else(|| "(not placed)".to_owned());
        vec![it.environment.clone(), parts.join("/"), application, image, digest.clone()]
    };
    let heads = ["Environment", "Workload", "Application", "Image", "Digest"];
    columns(&heads, it.containers.iter().map(row).collect())
}
