//! `foretop vex`: what is stated about flaws beside an image.

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};

use super::attestation::get::Wanted;
use super::attestation::proof::Verified;
use super::attestation::sought::Sought;
use super::{Outcome, Verb};
use crate::Context;
use crate::output::{Output, deliver};

/// Get the VEX document that is attached to an image
#[derive(clap::Parser)]
#[command(name = "vex", arg_required_else_help = true)]
pub(crate) struct Vex {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Get the VEX document that is attached to an image
    Get {
        #[command(flatten)]
        sought: Sought,
        #[command(flatten)]
        verified: Verified,
        /// Write it to this file instead of stdout
        #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        output: Option<PathBuf>,
    },
}

impl Verb for Vex {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let Command::Get { sought, verified, output } = self.command;
        let output = output.as_deref().map(Output::to).transpose()?;
        let kind = Some(attestation::OPENVEX);
        let wanted = Wanted { digest: None, predicate_type: kind, predicate: true };
        let text = wanted.get(&sought, &verified, context)?;
        deliver(&text, output.as_ref(), &context.messages)?;
        Ok(Outcome::Done)
    }
}
