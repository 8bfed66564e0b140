//! `foretop version`: what this binary is.

use serde_json::json;

use super::{Outcome, Verb};
use crate::Context;
use crate::table::Format;
use crate::version::{COMMIT, RUST, VERSION, platform};

/// Show the version, the commit and the platform of this binary
#[derive(clap::Parser)]
#[command(name = "version")]
pub(crate) struct Version {
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Verb for Version {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let platform = platform();
        let value = json!({
            "version": VERSION,
            "commit": COMMIT,
            "rust": RUST,
            "os": platform.os,
            "architecture": platform.architecture,
        });
        context.messages.tell_as(self.format, &value, || {
            format!("version: v{VERSION} (rust {RUST} - {platform})\ngit commit: {COMMIT}\n")
        })?;
        Ok(Outcome::Done)
    }
}
