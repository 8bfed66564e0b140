//! `foretop policy`: what policies say of an image, bundles of them, and which are in force where.

mod results;
mod sets;

use std::collections::BTreeSet;
use std::path::PathBuf;

use api::PolicySet;
use clap::{Subcommand, ValueHint};
use engine::in_use::Evidence;
use engine::{Filter, Hearing, Lookout};
use format::policies::{self as paper, There};
use format::report;
use model::{Analysis, Inventory};

use super::compare::Pick;
use super::{Outcome, Verb, said};
use crate::Context;
use crate::asking::{Asking, Whose, ask_with};
use crate::bases::Ground;
use crate::deployed::{in_use, runtimes, unplaced};
use crate::exceptions;
use crate::failure::Failure;
use crate::findings::{Advice, answered};
use crate::formats;
use crate::output::deliver;
use crate::policies::{Files, Judged, Policies, in_force, judged, publish};
use crate::subject::{Seen, Subject, subjects};
use crate::table::Format;

/// Judge an image, a directory, an archive or a document by policies
#[derive(clap::Parser)]
#[command(name = "policy", after_help = subjects(), args_conflicts_with_subcommands = true)]
pub(crate) struct Policy {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    judging: Judging,
}

#[derive(Subcommand)]
enum Command {
    /// Push policies to a registry, as a bundle that --policy-bundle takes
    Publish {
        /// What to call it
        #[arg(value_name = "REFERENCE", value_parser = said())]
        reference: String,
        #[command(flatten)]
        files: Files,
        /// How to write what was pushed
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Put policies into force: in an environment, or wherever none has its own
    Set(Box<sets::Setting>),
    /// List which policies are in force where; of one environment, all versions there were
    List(sets::Listing),
    /// Tell which policies are in force somewhere, and with which thresholds
    Show(sets::Showing),
    /// Put policies out of force: the organization's count again, or those that come with Foretop
    Unset(sets::Unsetting),
    /// Tell what policies say of what runs in an environment
    Results(results::Results),
    /// Tell how many images met which policies in an environment, day after day
    Trend(results::Trend),
}

#[derive(clap::Args)]
struct Judging {
    #[command(flatten)]
    subject: Subject,
    /// The environment it is to go to: with the exceptions that hold there, and what runs there now
    #[arg(long = "env", value_name = "ENVIRONMENT", value_parser = said())]
    environment: Option<String>,
    /// The same, held against the newest image of the same repository there
    #[arg(long, value_name = "ENVIRONMENT", value_parser = said(), conflicts_with = "environment")]
    to_env: Option<String>,
    /// Held against the image of the same repository that was analysed last
    #[arg(long, conflicts_with = "to_env")]
    to_latest: bool,
    #[command(flatten)]
    whose: Whose,
    /// Exit with code 2 unless every policy is met
    #[arg(short = 'e', long)]
    exit_code: bool,
    /// How to write it: text, markdown, json; several times for several reports, `FORMAT=FILE` writes one
    /// to a file
    #[arg(long, value_name = "FORMAT[=FILE]", default_value = "text")]
    format: Vec<String>,
    /// Write the report to this file instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Write each policy's whole answer to this file, as JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    result_file: Option<PathBuf>,
    #[command(flatten)]
    policies: Policies,
    #[command(flatten)]
    advice: Advice,
}

/// How it is written.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Markdown,
    Json,
}

impl Verb for Policy {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        match self.command {
            Some(Command::Publish { reference, files, format }) => {
                pushed(context, &reference, &files, format)
            }
            Some(Command::Set(it)) => it.run(context),
            Some(Command::List(it)) => it.run(context),
            Some(Command::Show(it)) => it.run(context),
            Some(Command::Unset(it)) => it.run(context),
            Some(Command::Results(it)) => it.run(context),
            Some(Command::Trend(it)) => it.run(context),
            None => self.judging.run(context),
        }
    }
}

impl Judging {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let known = [("text", Form::Text), ("markdown", Form::Markdown), ("json", Form::Json)];
        let reports = formats::wanted(&self.format, self.output.as_deref(), &known)?;
        // Who brings policies is told what is wrong with them before anything else is looked at.
        let brought = self.policies.are_brought() || self.environment().is_none();
        let brought = brought.then(|| self.policies.judge(context)).transpose()?;
        let (lookout, Bound { seen, before, loads, there }) =
            if self.environment().is_some() || self.to_latest {
                self.bound(context)?
            } else {
                let exceptions = exceptions::of(context, &self.whose)?;
                let (lookout, seen) = self.advice.about(&self.subject, Hearing::All, context)?;
                let bound = Bound { seen, before: None, loads: [None, None], there: None };
                (lookout.with_exceptions(exceptions), bound)
            };
        let (judge, there) = match (brought, there) {
            (Some(judge), None) => (judge, None),
            (Some(judge), Some((there, _))) => {
                let policies = "those that are named here".to_owned();
                (judge, Some(There { policies, ..there }))
            }
            (None, Some((there, set))) => {
                let policies = in_force::words(set.version.as_ref());
                (self.policies.judge_by(&set, context)?, Some(There { policies, ..there }))
            }
            (None, None) => (self.policies.judge(context)?, None),
        };
        let Seen { inventory, heard, .. } = seen;
        let judged_there = |inventory: Inventory, loads: Option<Evidence>| {
            let mut analysis = lookout.analyze_in_brief(inventory, &Filter::default());
            if let Some(loads) = loads {
                loads.note(&mut analysis);
            }
            analysis
        };
        let [loads, loaded] = loads;
        let analysis = judged_there(inventory, loads);
        let before = before.map(|it| judged_there(it, loaded));
        answered(&lookout)?;
        let base = Ground::of(context, &self.whose, heard, &analysis.inventory);
        let mut judged = if let Some(before) = &before {
            let its = Ground::of(context, &self.whose, None, &before.inventory);
            let [after, its] = judged([(&analysis, &base), (before, &its)], &judge, context)?;
            let name = before.inventory.subject.name().to_owned();
            let before = Some(Box::new(paper::Before { name, judged: its.paper }));
            Judged { paper: paper::Judged { before, ..after.paper }, ..after }
        } else {
            let [judged] = judged([(&analysis, &base)], &judge, context)?;
            judged
        };
        judged.paper.there = there;
        for (form, output) in reports {
            let terminal = output.is_none();
            let options = formats::drawn(context, output.as_ref());
            let text = written(form, &analysis, &judged, &options)?;
            let text =
                if terminal { context.messages.as_typed(&text) } else { text.as_str().into() };
            deliver(&text, output.as_ref(), &context.messages)?;
        }
        if let Some(file) = &self.result_file {
            let result = serde_json::to_string_pretty(&policy::result(&judged.verdicts))?;
            fs_err::write(file, result + "\n").map_err(|error| {
                Failure::error(error.to_string(), "--result-file names a file to be written")
            })?;
            context.messages.written(file);
        }
        Ok(if self.exit_code && !judged.is_met() { Outcome::Shut } else { Outcome::Done })
    }
}

/// An image, and what is known of it where it is to go.
struct Bound {
    seen: Seen,
    /// What it is held against.
    before: Option<Inventory>,
    /// What it and that one load there, where somebody looked.
    loads: [Option<Evidence>; 2],
    there: Option<(There, PolicySet)>,
}

impl Judging {
    /// Where it is to go.
    fn environment(&self) -> Option<&str> {
        self.environment.as_deref().or(self.to_env.as_deref())
    }

    fn bound(&self, context: &Context) -> anyhow::Result<(Lookout, Bound)> {
        let (lookout, (bound, exceptions)) = self.advice.about_remembered(context, || {
            ask_with(context, &self.whose, self.advice.directory(), async |asking| {
                let pick = Pick { context, asking };
                // An environment that nobody has heard of lets nothing through.
                let running = match self.environment() {
                    Some(environment) => pick.all_in(environment).await?,
                    None => Vec::new(),
                };
                let (seen, known) = pick.named(&self.subject).await?;
                let before = match (&self.to_env, self.to_latest) {
                    (Some(environment), _) => Some(pick.newest_in(environment, &known).await?),
                    (None, true) => Some(pick.latest(&known).await?),
                    (None, false) => None,
                };
                let mut loads = [None, None];
                let there = if let Some(environment) = self.environment() {
                    let place = (asking, environment);
                    loads = [
                        in_use(place, Some(&seen.inventory)).await?,
                        in_use(place, before.as_ref()).await?,
                    ];
                    let like = running.into_iter().filter(|it| known.is_of(&it.repository));
                    let running: BTreeSet<String> = like.map(|it| it.image).collect();
                    let there = There {
                        environment: environment.to_owned(),
                        policies: String::new(),
                        running: running.into_iter().collect(),
                        unseen: unseen(asking, environment).await?,
                    };
                    let (organisation, place) = (&asking.organisation, Some(environment));
                    Some((there, asking.client.policies(organisation, place, None).await?))
                } else {
                    None
                };
                let exceptions = exceptions::told(asking, self.environment()).await?;
                anyhow::Ok((Bound { seen, before, loads, there }, exceptions))
            })
        })?;
        Ok((lookout.with_exceptions(exceptions), bound))
    }
}

/// Why more may run there than is known, in a line each.
async fn unseen(asking: &Asking, environment: &str) -> anyhow::Result<Vec<String>> {
    let mut all = Vec::new();
    for it in runtimes(asking, environment).await? {
        let (name, lost) = (&it.name, &it.unplaced);
        all.extend(it.gaps.iter().map(|why| format!("runtime {name}: {why}")));
        let lost = lost.iter().filter(|it| it.environment == environment);
        all.extend(lost.map(|it| format!("{}: {}", it.digest, unplaced(it))));
    }
    Ok(all)
}

fn written(
    form: Form,
    analysis: &Analysis,
    judged: &Judged,
    options: &report::Options,
) -> anyhow::Result<String> {
    Ok(match form {
        Form::Text => paper::write_text(analysis, &judged.paper, options),
        Form::Markdown => paper::write_markdown(analysis, &judged.paper),
        Form::Json => {
            let image = analysis.inventory.subject.image();
            let told = serde_json::json!({
                "target": analysis.inventory.subject.name(),
                "digest": image.and_then(|it| it.digest.as_ref()),
                "platform": image.map(|it| it.platform.to_string()),
                "met": judged.is_met(),
                "there": judged.paper.there,
                "comparison": judged.paper.compared_json(),
                "policies": judged.paper.policies,
                "health": judged.paper.health,
                "gaps": analysis.all_gaps().collect::<Vec<_>>(),
                "basis": analysis.basis,
            });
            serde_json::to_string_pretty(&told)? + "\n"
        }
    })
}

fn pushed(
    context: &Context,
    reference: &str,
    files: &Files,
    format: Format,
) -> anyhow::Result<Outcome> {
    let modules = files.or_ours(context)?;
    let (digest, published) = publish(context, reference, &modules)?;
    let ids: Vec<_> = published.iter().map(|it| it.id.as_str()).collect();
    if format == Format::Json {
        let told = serde_json::json!({ "reference": reference, "digest": digest, "policies": ids });
        context.messages.tell_as(format, &told, String::new)?;
        return Ok(Outcome::Done);
    }
    context.messages.done(&format!("Policies pushed to {reference}@{digest}"));
    let line = |it: &policy::Policy| format!("{}  {}\n", it.id, it.title);
    let text: String = published.iter().map(line).collect();
    context.messages.tell_as(format, &ids, || text)?;
    Ok(Outcome::Done)
}
