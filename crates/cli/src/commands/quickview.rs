//! `foretop quickview`: how an image stands, in a few lines.

use std::path::PathBuf;

use clap::ValueHint;
use engine::Filter;
use format::report::{self, Quickviews};
use model::Analysis;

use super::{Outcome, Verb};
use crate::Context;
use crate::deployed::Deployed;
use crate::findings::{Advice, answered};
use crate::messages::width_of_stdout;
use crate::output::{Output, deliver};
use crate::subject::{Subject, subjects};
use crate::version::VERSION;

/// Tell in a few lines how an image, a directory, an archive or a document stands
#[derive(clap::Parser)]
#[command(name = "quickview", visible_alias = "qv", after_help = subjects())]
pub(crate) struct Quickview {
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    deployed: Deployed,
    /// The image that was analysed last
    #[arg(long, conflicts_with_all = ["environment", "subject", "platform", "reference"])]
    latest: bool,
    /// Write the report to this file instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Do not count what a VEX statement says is not affected
    #[arg(long)]
    only_vex_affected: bool,
    /// Do not count what an exception or a statement takes out of the way
    #[arg(long)]
    ignore_suppressed: bool,
    #[command(flatten)]
    advice: Advice,
}

impl Verb for Quickview {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let output = self.output.as_deref().map(Output::to).transpose()?;
        let unsuppressed = self.only_vex_affected || self.ignore_suppressed;
        let filter = Filter { unsuppressed, ..Filter::default() };
        let terminal = output.is_none();
        let options = report::Options {
            tool_version: VERSION.to_owned(),
            colour: terminal && context.messages.colour_on_stdout(),
            unicode: context.environment.unicode(),
            width: if terminal { width_of_stdout() } else { None },
            ..report::Options::default()
        };
        let text = if self.deployed.wanted() {
            let advice = (&filter, true);
            let begin = |images| Ok((images, Quickviews::default(), String::new()));
            let take = |(images, all, alone): &mut (usize, Quickviews, String), it: Analysis| {
                if *images == 1 {
                    *alone = report::write_quickview(&it, &options);
                } else {
                    all.add(&it);
                }
                Ok(())
            };
            let told =
                self.deployed.judged(context, &self.subject, &self.advice, advice, begin, take);
            let (images, all, alone) = told?;
            if images == 1 { alone } else { all.written(&options) }
        } else if self.latest {
            let latest = self.deployed.latest(context, &self.advice, &filter)?;
            report::write_quickview(&latest, &options)
        } else {
            self.deployed.unasked(context);
            let (lookout, inventory) = self.advice.about(&self.subject, context)?;
            let analysis = lookout.analyze_in_brief(inventory, &filter);
            answered(&lookout)?;
            report::write_quickview(&analysis, &options)
        };
        let text = if terminal { context.messages.as_typed(&text) } else { text.as_str().into() };
        deliver(&text, output.as_ref(), &context.messages)?;
        Ok(Outcome::Done)
    }
}
