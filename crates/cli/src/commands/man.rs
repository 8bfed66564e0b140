//! `foretop man`: the manual pages, one for each command.

use std::path::PathBuf;

use super::{Outcome, Verb};
use crate::Context;

/// Write the manual pages into a directory
#[derive(clap::Parser)]
#[command(name = "man", after_help = "Example: foretop man ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// Where to; it is created if it is missing
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Verb for Man {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        fs_err::create_dir_all(&self.directory)?;
        clap_mangen::generate_to(crate::tree("foretop"), &self.directory)
            .map_err(|error| anyhow::anyhow!("{}: {error}", self.directory.display()))?;
        context.messages.done(&format!("Manual pages written to {}", self.directory.display()));
        Ok(Outcome::Done)
    }
}
