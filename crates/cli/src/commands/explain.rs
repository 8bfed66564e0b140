//! `foretop explain`: why there is a finding, and why there is none.

use clap::ValueEnum;
use engine::{Asked, packages_called};
use format::report;

use super::{Outcome, Verb};
use crate::Context;
use crate::failure::Failure;
use crate::findings::Advice;
use crate::subject::{Choice, Subject, subjects};
use crate::version::VERSION;

/// Tell why there is a finding, or why there is none: every step from the file to the verdict
#[derive(clap::Parser)]
#[command(name = "explain", after_help = subjects())]
pub(crate) struct Explain {
    /// What to look into
    #[arg(value_name = "IMAGE|DIRECTORY|ARCHIVE")]
    subject: String,
    /// What to explain: a flaw by any of its names, or a package by its name or purl
    #[arg(value_name = "ID|PACKAGE")]
    about: String,
    #[command(flatten)]
    choice: Choice,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Tell every judgement, however many there are
    #[arg(long)]
    details: bool,
    #[command(flatten)]
    advice: Advice,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A story for each judgement
    Text,
    /// One object
    Json,
}

impl Verb for Explain {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let lookout = self.advice.lookout(context)?;
        let inventory = Subject::new(self.subject, self.choice).inventory(context)?;
        let packages = packages_called(&inventory, &self.about);
        let asked =
            if packages.is_empty() { Asked::Flaw(&self.about) } else { Asked::Packages(&packages) };
        let judgements = lookout.explain(&inventory, asked);
        if judgements.is_empty() && packages.is_empty() && self.about.starts_with("pkg:") {
            return Err(Failure::error(
                format!("{}: there is no such package in it", self.about),
                "`foretop sbom --format list` tells which there are",
            ));
        }
        let options = report::Options {
            tool_version: VERSION.to_owned(),
            colour: context.messages.colour_on_stdout(),
            unicode: context.environment.unicode(),
            width: context.messages.width_of_stdout(),
            details: self.details,
            ..report::Options::default()
        };
        let mut text = match self.format {
            Format::Text => report::write_explanation(&judgements, &inventory, &options),
            Format::Json => report::write_explanation_json(&judgements, &inventory, &options),
        };
        if !text.ends_with('\n') {
            text.push('\n');
        }
        context.messages.report(&text)?;
        Ok(Outcome::Done)
    }
}
