//! `foretop version`: what this binary is.

use clap::ValueEnum;
use serde_json::json;

use super::{Outcome, Verb};
use crate::Context;
use crate::version::{COMMIT, RUST, VERSION, platform};

/// Show the version, the commit and the platform of this binary
#[derive(clap::Parser)]
#[command(name = "version")]
pub(crate) struct Version {
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Two lines
    Text,
    /// One object
    Json,
}

impl Verb for Version {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let platform = platform();
        context.messages.report(&match self.format {
            Format::Text => {
                format!("version: v{VERSION} (rust {RUST} - {platform})\ngit commit: {COMMIT}\n")
            }
            Format::Json => {
                let value = json!({
                    "version": VERSION,
                    "commit": COMMIT,
                    "rust": RUST,
                    "os": platform.os,
                    "architecture": platform.architecture,
                });
                format!("{value:#}\n")
            }
        })?;
        Ok(Outcome::Done)
    }
}
