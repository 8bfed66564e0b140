//! `foretop quickview`: how an image stands, in a few lines.

use std::path::PathBuf;

use clap::ValueHint;
use engine::{Filter, Hearing, Lookout};
use format::report::{self, Better, Quickviews};
use model::Analysis;

use super::recommendations::Asked;
use super::{Outcome, Verb};
use crate::Context;
use crate::bases::Ground;
use crate::deployed::{Deployed, Wanted};
use crate::failure::Failure;
use crate::findings::{Advice, answered};
use crate::formats;
use crate::output::deliver;
use crate::policies::{Policies, judged};
use crate::subject::{Subject, subjects};

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
    /// How to write it: text, markdown; several times for several reports, `FORMAT=FILE` writes one to a
    /// file
    #[arg(long, value_name = "FORMAT[=FILE]", default_value = "text")]
    format: Vec<String>,
    /// Write the report to this file instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Do not count what a VEX statement says is not affected
    #[arg(long)]
    only_vex_affected: bool,
    /// Do not count what an exception or a statement takes out of the way
    #[arg(long)]
    ignore_suppressed: bool,
    /// Also tell the base image as its tag is by now, and the best other tag, where these are better; its
    /// registry is asked, and a few images are read
    #[arg(long, conflicts_with_all = ["environment", "latest"])]
    better_base: bool,
    #[command(flatten)]
    policies: Policies,
    #[command(flatten)]
    advice: Advice,
}

impl Verb for Quickview {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let known = [("text", Form::Text), ("markdown", Form::Markdown)];
        let reports = formats::wanted(&self.format, self.output.as_deref(), &known)?;
        let unsuppressed = self.only_vex_affected || self.ignore_suppressed;
        let filter = Filter { unsuppressed, ..Filter::default() };
        let judge = self.deployed.judge(&self.policies, context)?;
        let (mut ground, mut heard, mut better) = (None, None, None);
        // Who is to be asked for better bases is known when there is a base.
        let mut looks = None;
        let told = if self.deployed.wanted() {
            let wanted = Wanted { filter: &filter, brief: true, part: None };
            let begin = |images| Ok((images, Told::Several(Box::default())));
            let take = |(images, told): &mut (usize, Told), it: Analysis| {
                if *images == 1 {
                    *told = Told::One(Box::new(it));
                } else if let Told::Several(all) = told {
                    all.add(&it);
                }
                Ok(())
            };
            let judged =
                self.deployed.judged(context, &self.subject, &self.advice, &wanted, begin, take)?;
            judged.0.1
        } else if self.latest {
            Told::One(Box::new(self.deployed.latest(context, &self.advice, &filter)?))
        } else {
            let exceptions = self.deployed.exceptions(context)?;
            let (lookout, seen) = self.advice.about(&self.subject, Hearing::All, context)?;
            let lookout = lookout.with_exceptions(exceptions);
            heard = seen.heard;
            let analysis = lookout.analyze_in_brief(seen.inventory, &filter);
            answered(&lookout)?;
            looks = self.better_base.then_some(lookout);
            Told::One(Box::new(analysis))
        };
        let judged = match &told {
            Told::One(analysis) => {
                let whose = self.deployed.whose();
                let base = Ground::of(context, whose, heard, &analysis.inventory);
                ground = base.told(analysis);
                better = looks.map(|it| better_than(context, &it, analysis, &base)).transpose()?;
                let [judged] = judged([(analysis, &base)], &judge, context)?;
                Some(judged.paper)
            }
            Told::Several(_) if self.policies.are_named() => {
                let what = "--policy-…, --only-policy: several images run there";
                let hint = "name the repository of one of them, or ask `foretop policy` of each";
                return Err(Failure::error(what.to_owned(), hint));
            }
            Told::Several(_) => None,
        };
        for (form, output) in reports {
            let terminal = output.is_none();
            let options = formats::drawn(context, output.as_ref());
            let beside = report::Beside {
                ground: ground.as_ref(),
                better: better.as_ref(),
                judged: judged.as_ref(),
            };
            let text = told.written(form, &beside, &options);
            let text =
                if terminal { context.messages.as_typed(&text) } else { text.as_str().into() };
            deliver(&text, output.as_ref(), &context.messages)?;
        }
        Ok(Outcome::Done)
    }
}

/// What the image would stand on better. That nobody can tell is no reason not to tell the rest.
fn better_than(
    context: &Context,
    lookout: &Lookout,
    own: &Analysis,
    ground: &Ground,
) -> anyhow::Result<Better> {
    let found = Asked::ALL.told(context, lookout, own, ground);
    answered(lookout)?;
    Ok(match found {
        Ok(found) => Better::Looked(Box::new(found)),
        Err(why) => Better::Unknown(format!("{why:#}")),
    })
}

/// How it is written.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Markdown,
}

/// What is told: of one image, or of all that run somewhere.
enum Told {
    One(Box<Analysis>),
    Several(Box<Quickviews>),
}

impl Told {
    fn written(
        &self,
        form: Form,
        beside: &report::Beside<'_>,
        options: &report::Options,
    ) -> String {
        match (self, form) {
            (Self::One(it), Form::Text) => report::write_quickview(it, beside, options),
            (Self::One(it), Form::Markdown) => report::write_quickview_markdown(it, beside),
            (Self::Several(it), Form::Text) => it.written(options),
            (Self::Several(it), Form::Markdown) => it.written_in_markdown(),
        }
    }
}
