//! `foretop explain`: why there is a finding, and why there is none.

use engine::{Hearing, Lookout};
use format::report;
use model::Step;

use super::{Outcome, Verb};
use crate::Context;
use crate::asking::Whose;
use crate::exceptions;
use crate::failure::Failure;
use crate::findings::{Advice, answered};
use crate::formats;
use crate::subject::{Choice, Seen, Subject, subjects};
use crate::table::Format;

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
    /// With the exceptions that hold in this environment
    #[arg(long = "env", value_name = "ENVIRONMENT", value_parser = super::said())]
    environment: Option<String>,
    #[command(flatten)]
    whose: Whose,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Tell every judgement, however many there are
    #[arg(long)]
    details: bool,
    #[command(flatten)]
    advice: Advice,
}

impl Verb for Explain {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let subject = Subject::new(self.subject, self.choice);
        let exceptions = exceptions::ever(context, &self.whose, self.environment.as_deref())?;
        let (lookout, seen) = self.advice.about(&subject, Hearing::Flaws, context)?;
        let Seen { inventory, attested, .. } = seen;
        let lookout = lookout.with_exceptions(exceptions);
        let (packages, mut judgements) = lookout.explain_called(&inventory, &self.about);
        // Each story begins with who says what is inside, where no layer does.
        if let Some(document) = attested {
            let step = Step::new("sbom", document.to_string());
            for it in &mut judgements {
                it.chain.insert(0, step.clone());
            }
        }
        answered(&lookout)?;
        let basis = lookout.basis(&inventory);
        let options = report::Options { details: self.details, ..formats::drawn(context, None) };
        let nothing = judgements.is_empty() && packages.is_empty();
        if nothing {
            about_others(&self.about, &lookout, context)?;
        }
        let mut text = match self.format {
            // What others it is about has been told.
            Format::Text if nothing => report::write_basis(&basis, &options),
            Format::Text => report::write_explanation(&judgements, &inventory, &basis, &options),
            Format::Json => {
                report::write_explanation_json(&judgements, &inventory, &basis, &options)
            }
        };
        if !text.ends_with('\n') {
            text.push('\n');
        }
        context.messages.report(&text)?;
        Ok(Outcome::Done)
    }
}

/// Tells what the flaw `about` is about, where that is nothing in it. A name that means nothing at all
/// is an error: it is mistyped more often than not.
fn about_others(about: &str, lookout: &Lookout, context: &Context) -> anyhow::Result<()> {
    let mut names = lookout.speaks_of(about);
    if names.is_empty() {
        return Err(Failure::error(
            format!("{about}: there is no such package in it, and no such advisory"),
            if lookout.whole_basis().starter {
                "only the built-in starter sheet was asked: `foretop almanac update` fetches the rest"
            } else {
                "`foretop sbom --format list` tells the packages, `foretop almanac status` the feeds"
            },
        ));
    }
    let more = match names.len().saturating_sub(MOST_NAMES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    names.truncate(MOST_NAMES);
    let names = names.join(", ");
    context
        .messages
        .inform(&format!("{about} is about {names}{more}, and nothing of that is in it"));
    Ok(())
}

/// A flaw of the kernel is in hundreds.
const MOST_NAMES: usize = 5;
