//! `foretop cache`: how much room the cache takes, and giving it back.

use cache::{Cache as Kept, Shelf};
use clap::Subcommand;
use indicatif::HumanBytes;
use serde_json::json;

use super::{Outcome, Verb};
use crate::Context;
use crate::messages::count;
use crate::table::Format;

/// Show or remove what was kept of images read before
#[derive(clap::Parser)]
#[command(name = "cache", arg_required_else_help = true)]
pub(crate) struct Cache {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show how much room the cache takes
    Df {
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Remove what was kept of layers and bundles of policies, and of whole images if asked
    Prune {
        /// Also remove the SBOMs of whole images
        #[arg(long)]
        sboms: bool,
        /// Do not ask
        #[arg(short, long)]
        force: bool,
    },
}

impl Verb for Cache {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let cache = context.environment.cache_directory()?;
        match self.command {
            Command::Df { format } => df(&cache, format, context),
            Command::Prune { sboms, force } => prune(&cache, sboms, force, context),
        }?;
        Ok(Outcome::Done)
    }
}

/// What a shelf is called in front of users.
fn title(shelf: Shelf) -> &'static str {
    match shelf {
        Shelf::Layers => "layers",
        Shelf::Inventories => "sboms",
        Shelf::Policies => "policies",
    }
}

/// Values and bytes on one shelf.
fn sum(cache: &Kept, shelves: &[Shelf]) -> (u64, u64) {
    let kept = cache.list();
    let kept = kept.iter().filter(|it| shelves.contains(&it.shelf));
    kept.fold((0, 0), |(entries, bytes), it| (entries + 1, bytes + it.size))
}

fn df(cache: &Kept, format: Format, context: &Context) -> anyhow::Result<()> {
    use std::fmt::Write as _;
    let rows = Shelf::ALL.map(|shelf| (title(shelf), sum(cache, &[shelf])));
    let (entries, bytes) = sum(cache, &Shelf::ALL);
    let mut value = json!({
        "directory": cache.root().display().to_string(),
        "limit": cache.limit(),
        "entries": entries,
        "bytes": bytes,
    });
    for (title, (entries, bytes)) in rows {
        value[title] = json!({"entries": entries, "bytes": bytes});
    }
    context.messages.tell_as(format, &value, || {
        let (root, limit) = (cache.root().display(), HumanBytes(cache.limit()));
        let mut text = format!("{root} (at most {limit})\n\n");
        let _ = writeln!(text, "{:<9}{:>8}{:>14}", "What", "Entries", "Size");
        for (title, (entries, bytes)) in rows.into_iter().chain([("total", (entries, bytes))]) {
            let size = HumanBytes(bytes).to_string();
            let _ = writeln!(text, "{title:<9}{entries:>8}{size:>14}");
        }
        text
    })
}

fn prune(cache: &Kept, sboms: bool, force: bool, context: &Context) -> anyhow::Result<()> {
    let shelves: &[Shelf] = if sboms { &Shelf::ALL } else { &[Shelf::Layers, Shelf::Policies] };
    if !force {
        let question = || {
            let (entries, bytes) = sum(cache, shelves);
            let what = if sboms { "layers, policies and SBOMs" } else { "layers and policies" };
            let bytes = HumanBytes(bytes);
            format!("Remove what was kept of {what} ({entries} entries, {bytes})?")
        };
        let hint = "--force removes without asking";
        if !context.messages.confirmed("cache prune", question, hint)? {
            return Ok(());
        }
    }
    let pruned = cache.prune(shelves)?;
    let freed = HumanBytes(pruned.bytes);
    let entries = count(pruned.entries, "entry", "entries");
    context.messages.done(&format!("Removed {entries}, {freed} freed"));
    Ok(())
}
