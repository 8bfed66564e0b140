//! `foretop completion`: the script that makes a shell complete commands and flags.

use clap_complete::Shell;

use super::{Outcome, Verb};
use crate::Context;

/// Print the completion script of a shell
#[derive(clap::Parser)]
#[command(
    name = "completion",
    after_help = "Example: foretop completion bash > ~/.local/share/bash-completion/completions/foretop"
)]
pub(crate) struct Completion {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Verb for Completion {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut crate::tree("foretop"), "foretop", &mut script);
        context.messages.report(&String::from_utf8(script)?)?;
        Ok(Outcome::Done)
    }
}
