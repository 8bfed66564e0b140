//! `foretop attestation`: what is stated about an image beside it, and who signed that.

mod add;
pub(super) mod get;
mod list;
pub(super) mod proof;
pub(super) mod sought;

use clap::Subcommand;

use super::{Outcome, Verb};
use crate::Context;

/// Attach statements to images in a registry, list them, and get one, its signature verified
#[derive(clap::Parser)]
#[command(name = "attestation", visible_alias = "attest", arg_required_else_help = true)]
pub(crate) struct Attestation {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Add(add::Add),
    Get(get::Get),
    List(list::List),
}

impl Verb for Attestation {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        match self.command {
            Command::Add(add) => add.run(context),
            Command::Get(get) => get.run(context),
            Command::List(list) => list.run(context),
        }
    }
}
