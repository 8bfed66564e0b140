//! `foretop where`: in which environments a flaw or a package runs.

mod sheet;
mod text;

use std::path::PathBuf;

use api::{Sighted, WhereQuery, Whereabouts};
use clap::{ValueEnum, ValueHint};

use super::{Outcome, Verb};
use crate::Context;
use crate::asking::{PART, Whose, ask_with};
use crate::deployed::sound;
use crate::findings::Advice;
use crate::messages::count;
use crate::output::{Output, deliver};

/// Tell where a flaw or a package runs, since when, and who recorded it
#[derive(clap::Parser)]
#[command(name = "where", after_help = AFTER)]
pub(crate) struct Where {
    /// A flaw by any of its names, a purl, or a package's name, with a range of versions behind an @
    #[arg(value_name = "CVE|PURL|PACKAGE[@RANGE]", value_parser = super::said())]
    what: String,
    /// Only what runs in this environment
    #[arg(long, value_name = "ENVIRONMENT", alias = "stream", value_parser = super::said())]
    env: Option<String>,
    #[command(flatten)]
    whose: Whose,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write the report to this file instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Exit with code 2 if it runs somewhere and no statement takes it out of the way, or if that is not
    /// known
    #[arg(short = 'e', long)]
    exit_code: bool,
    #[command(flatten)]
    advice: Advice,
}

const AFTER: &str = "\
Examples:
  foretop where CVE-2021-44228
  foretop where 'log4j-core@<2.17.1'
  foretop where lodash@4.17.20
  foretop where pkg:deb/debian/openssl --env production

A range is written as those write it who make such packages; a bare version is that version alone.
Images that run and are not analysed are told as gaps: of them nobody can tell, and a gap shuts the
gate of --exit-code.
Statements (VEX, the team's own decisions) count as in `foretop cves --env`: a deployment whose
image they take the flaw out of the way of is told with what they say.";

/// How the answer is written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines, by environment, the newest first
    Text,
    /// The whole answer
    Json,
    /// A table for spreadsheets
    Csv,
}

impl Verb for Where {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let output = self.output.as_deref().map(Output::to).transpose()?;
        let query = WhereQuery {
            what: Some(self.what.clone()),
            environment: self.env.clone(),
            places: true,
            limit: Some(PART),
            ..WhereQuery::default()
        };
        let judging = self.advice.judging(context, false)?;
        let answer = ask_with(context, &self.whose, self.advice.directory(), async |asking| {
            sound(asking, &self.advice, context)?;
            let (client, organisation) = (&asking.client, &asking.organisation);
            Ok(client.whereabouts_judged(organisation, &query, &judging).await?)
        })?;
        self.tell(&answer, context);
        let written = match self.format {
            Format::Text => text::text(&answer),
            Format::Json => format!("{}\n", serde_json::to_string_pretty(&answer)?),
            Format::Csv => sheet::spreadsheet(&answer),
        };
        deliver(&written, output.as_ref(), &context.messages)?;
        // Of those that are not told nobody knows what is said.
        let is_open = |it: &Sighted| {
            it.more
                || it.deployments.is_empty()
                || it.deployments.iter().any(|it| it.statement.is_none())
        };
        let runs = answer.found.iter().any(|it| !it.environments.is_empty() && is_open(it));
        // What nobody can tell may run.
        let shuts = self.exit_code && (runs || !answer.gaps.is_empty());
        Ok(if shuts { Outcome::Shut } else { Outcome::Done })
    }
}

impl Where {
    /// One line on stderr: how often, and what is not known.
    fn tell(&self, answer: &Whereabouts, context: &Context) {
        let messages = &context.messages;
        let what = &self.what;
        let seen = text::Seen::of(answer);
        if seen.deployments > 0 {
            let more = if answer.found.iter().any(|it| it.more) { "at least " } else { "" };
            messages.warn(&format!(
                "{what} runs in {}: {more}{} of {}",
                count(seen.environments, "environment", "environments"),
                count(seen.deployments, "deployment", "deployments"),
                count(seen.images, "image", "images"),
            ));
            if seen.suppressed > 0 {
                let them = count(seen.suppressed, "deployment", "deployments");
                messages.inform(&format!("In {them} a statement takes it out of the way"));
            }
            // What those are stands in the answer.
            if !answer.gaps.is_empty() {
                let gaps = count(answer.gaps.len() as u64, "thing is", "things are");
                messages.warn(&format!("{gaps} not known"));
            }
        } else {
            let place = match &self.env {
                Some(name) => format!("in environment {name}"),
                None => "in any environment".to_owned(),
            };
            let line = format!("{what} was not found {place}");
            if answer.gaps.is_empty() {
                messages.done(&line);
            } else {
                let gaps = count(answer.gaps.len() as u64, "thing is", "things are");
                messages.warn(&format!("{line}, but {gaps} not known"));
            }
        }
    }
}
