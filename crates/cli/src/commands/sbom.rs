//! `foretop sbom`: what is inside an image, a directory, an archive or a document.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::ValueHint;
use clap::builder::{PossibleValue, PossibleValuesParser};
use model::Inventory;

use super::{Outcome, Verb};
use crate::Context;
use crate::messages::Messages;
use crate::output::{Output, deliver};
use crate::subject::{Subject, subjects, warn_of_types};
use crate::version::VERSION;

/// Write the SBOM of an image, a directory, an archive or a document
#[derive(clap::Parser)]
#[command(name = "sbom", after_help = subjects())]
pub(crate) struct Sbom {
    #[command(flatten)]
    subject: Subject,
    /// How to write it
    #[arg(long, default_value = "json", value_parser = PossibleValuesParser::new(formats()))]
    format: String,
    /// Only packages of these purl types, parted by commas
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    only_package_type: Vec<String>,
    /// Write the report to this file instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

fn formats() -> Vec<PossibleValue> {
    let written = format::ALL.iter().filter(|it| it.writes());
    written.map(|it| PossibleValue::new(it.id()).help(it.title())).collect()
}

impl Verb for Sbom {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        // Whatever the environment says wrongly is said before anything is read.
        let created = context.environment.created()?;
        let output = self.output.as_deref().map(Output::to).transpose()?;
        let mut inventory = self.subject.inventory(context)?;
        self.choose(&mut inventory, &context.messages);
        let own = || inventory.subject.image().and_then(|it| it.created.clone());
        let options = format::Options {
            created: created.or_else(own),
            tool_version: VERSION.to_owned(),
            terminal: output.is_none() && context.messages.colour_on_stdout(),
        };
        let format = format::find(&self.format).expect("clap knows which there are");
        let mut report = format.write(&inventory, &options);
        if !report.ends_with('\n') {
            report.push('\n');
        }
        context.messages.debug(&format!("write done: {} bytes", report.len()));
        deliver(&report, output.as_ref(), &context.messages)?;
        Ok(Outcome::Done)
    }
}

impl Sbom {
    /// Leaves out what was not asked for.
    fn choose(&self, inventory: &mut Inventory, messages: &Messages) {
        let wanted: BTreeSet<String> =
            self.only_package_type.iter().map(|it| it.trim().to_ascii_lowercase()).collect();
        if wanted.is_empty() {
            return;
        }
        warn_of_types(&self.only_package_type, &[inventory], messages);
        inventory.packages.retain(|it| wanted.contains(it.purl.kind()));
    }
}
