//! `foretop compare`: what is different between two images, directories, archives or documents, or
//! between what runs in two environments.

mod between;
mod pick;
mod promoted;

use std::borrow::Cow;
use std::path::PathBuf;

use api::Presenting;
use clap::{ArgGroup, ValueHint};
use engine::{Filter, Hearing, Lookout, Part, compare_wanted};
use format::comparison::Grounds;
use format::policies::Compared;
use format::{comparison, report};
use model::{Analysis, Comparison, Fate, Level};

use self::between::{Between, Telling};
pub(super) use self::pick::Pick;
use self::promoted::Promoting;
use super::cves::severity;
use super::{Outcome, Verb, said};
use crate::Context;
use crate::asking::{Asking, Whose, ask_with, server};
use crate::bases::{Ground, warn_of_places};
use crate::exceptions;
use crate::failure::Failure;
use crate::findings::{Advice, answered};
use crate::formats as several;
use crate::messages::count;
use crate::output::{Delivery, Output, deliver};
use crate::policies::{Policies, judged};
use crate::subject::{Heard, Seen, Subject, subjects, warn_of_types};

/// Compare with another image, directory, archive or document: packages and vulnerabilities that came,
/// went or changed
#[derive(clap::Parser)]
#[command(
    name = "compare",
    visible_alias = "diff",
    after_help = subjects() + &formats() + ENVIRONMENTS,
    group = ArgGroup::new("target").required(true).args(["to", "to_env", "to_latest"])
)]
pub(crate) struct Compare {
    #[command(flatten)]
    subject: Subject,
    /// What to compare with: what is told as new is not in it
    #[arg(long, value_name = "IMAGE|DIRECTORY|ARCHIVE", value_parser = said())]
    to: Option<String>,
    /// Which reference inside an archive or layout of several, of what is compared with
    #[arg(long, value_name = "REFERENCE", requires = "to")]
    to_ref: Option<String>,
    /// Compare with the newest image of the same repository in this environment; with --env, with
    /// all that runs in it
    #[arg(long, value_name = "ENVIRONMENT", alias = "to-stream", value_parser = said())]
    to_env: Option<String>,
    /// Compare with the image of the same repository that was analysed last
    #[arg(long)]
    to_latest: bool,
    /// Look at what runs in this environment, all of it or only the repository that is named
    #[arg(long = "env", value_name = "ENVIRONMENT", alias = "stream", value_parser = said())]
    env: Option<String>,
    #[command(flatten)]
    whose: Whose,
    /// How to write it; several times for several reports, `FORMAT=FILE` writes one to a file
    #[arg(long, value_name = "FORMAT[=FILE]", default_value = "text")]
    format: Vec<String>,
    /// Write the report to this file instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Exit with code 2 if one of these is so, parted by commas: `vulnerability`: there are new ones,
    /// or ones that may be new; `policy`: one was met and is not, or nobody can tell any more;
    /// `package`: there are other packages
    #[arg(short = 'x', long, value_name = "ASPECT", value_delimiter = ',', value_parser = gate)]
    exit_on: Vec<Gate>,
    /// The same as --exit-on vulnerability
    #[arg(short = 'e', long, hide = true)]
    exit_code: bool,
    /// Leave out vulnerabilities that both have, and packages without other ones
    #[arg(long)]
    ignore_unchanged: bool,
    /// Leave out what policies say
    #[arg(long)]
    hide_policies: bool,
    #[command(flatten)]
    policies: Policies,
    #[command(flatten)]
    advice: Advice,
    #[command(flatten)]
    wishes: Wishes,
}

const ENVIRONMENTS: &str = "
With --env and --to-env, applications are compared that go by one name in both environments, else
images of one repository: what a promotion from --env to --to-env would introduce and fix. An image
that is not analysed is told as one of which nobody can tell, and shuts the gate of --exit-on. So is
a runtime of either side that is not heard of or could not see all that it runs.
With --exit-on policy, or with policies that are named, the policies of --to-env judge both sides.
";

/// Which findings to report.
#[derive(clap::Args)]
#[command(next_help_heading = "Which findings")]
struct Wishes {
    /// Only these severities, on either side, parted by commas
    #[arg(long, value_name = "SEVERITY", value_delimiter = ',', value_parser = severity())]
    only_severity: Vec<Level>,
    /// Only packages of these purl types, parted by commas
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    only_package_type: Vec<String>,
    /// Only what has a fix
    #[arg(long, conflicts_with = "only_unfixed")]
    only_fixed: bool,
    /// Only what has no fix
    #[arg(long)]
    only_unfixed: bool,
    /// Leave out what a VEX statement says is not affected on both sides
    #[arg(long)]
    only_vex_affected: bool,
    /// Leave out what an exception or a statement takes out of the way on both sides
    #[arg(long)]
    ignore_suppressed: bool,
    /// Leave out, on either side, what its base image brought; an error where nobody can tell
    #[arg(long)]
    ignore_base: bool,
}

/// What may shut the gate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gate {
    Vulnerability,
    Policy,
    Package,
}

fn gate(text: &str) -> Result<Gate, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "vulnerability" => Ok(Gate::Vulnerability),
        "package" => Ok(Gate::Package),
        "policy" => Ok(Gate::Policy),
        _ => Err("it is none of vulnerability, policy, package".to_owned()),
    }
}

/// The formats, for help.
fn formats() -> String {
    use std::fmt::Write as _;
    let mut text = "\nFormats:\n".to_owned();
    for report in comparison::ALL {
        let _ = writeln!(text, "  {:<14} {}", report.id(), report.title());
    }
    text
}

impl Wishes {
    fn filter(&self) -> Filter {
        Filter {
            levels: self.only_severity.clone(),
            types: self.only_package_type.iter().map(|it| it.trim().to_ascii_lowercase()).collect(),
            fixed: match (self.only_fixed, self.only_unfixed) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            },
            unsuppressed: self.only_vex_affected || self.ignore_suppressed,
            ..Filter::default()
        }
    }
}

impl Verb for Compare {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        // Whatever was said wrongly is told before anything is read.
        let known: Vec<_> = comparison::ALL.iter().map(|it| (it.id(), *it)).collect();
        let reports = several::wanted(&self.format, self.output.as_deref(), &known)?;
        let created = context.environment.created()?;
        let created = created.unwrap_or_else(|| jiff::Timestamp::now().to_string());
        let ignore_unchanged = self.ignore_unchanged;
        let options_of = |output: &Option<Output>| {
            let report = report::Options {
                created: Some(created.clone()),
                ..several::drawn(context, output.as_ref())
            };
            comparison::Options {
                report,
                ignore_unchanged,
                policies: None,
                grounds: Grounds::default(),
            }
        };
        let mut reports: Vec<Reporting> = reports
            .into_iter()
            .map(|(report, output)| (report, options_of(&output), output))
            .collect();
        let shuts = |it: &Shuts| {
            let asked = |gate| self.exit_on.contains(&gate);
            let worse = (self.exit_code || asked(Gate::Vulnerability)) && it.worse;
            let policy = asked(Gate::Policy) && it.policies;
            let other = asked(Gate::Package) && it.other_packages;
            if worse || policy || other { Outcome::Shut } else { Outcome::Done }
        };
        if let (Some(from), Some(to)) = (&self.env, &self.to_env) {
            if self.wishes.ignore_base {
                let why = "--ignore-base: whole environments are compared with their base images";
                return Err(Failure::error(why, "leave it out, or compare two images"));
            }
            // What is to go there is to be what is asked for there; who does not ask waits for no policy.
            let is_asked = self.exit_on.contains(&Gate::Policy) || self.policies.are_named();
            let judge = is_asked.then(|| self.policies.judge_for(Some(to), &self.whose, context));
            let judge = judge.transpose()?;
            let between = Between { from, to, wishes: &self.wishes, advice: &self.advice };
            let of = comparison::Between { after: from.clone(), before: to.clone() };
            let mut tellings = Vec::with_capacity(reports.len());
            for (report, options, output) in &reports {
                let delivery = Delivery::to(output.clone(), &context.messages);
                tellings.push(Telling::of(report.several(of.clone(), options), delivery));
            }
            let (mut shut, changed) =
                between.told(context, &self.whose, &self.subject, &mut tellings)?;
            let promotion = judge.as_ref().map(|judge| {
                let promoting = Promoting { whose: &self.whose, between: &between, judge };
                promoting.judged(&changed, context)
            });
            // What is different was found, and is told although policies cannot be asked.
            let judged = promotion.as_ref().and_then(|it| it.as_ref().ok());
            let shown = judged.filter(|_| !self.hide_policies);
            tellings.into_iter().try_for_each(|it| it.finish(shown))?;
            shut.policies = promotion.transpose()?.is_some_and(|it| !it.worse.is_empty());
            return Ok(shuts(&shut));
        }

        let judge = if self.are_policies_asked() {
            // What is to go somewhere is to be what is asked for there.
            let there = self.to_env.as_deref().or(self.env.as_deref());
            Some(self.policies.judge_for(there, &self.whose, context)?)
        } else {
            None
        };
        // Policies are about whole images, whatever of them is compared.
        let policies = |before: &Analysis, after: &Analysis, [was, is]: &[Ground; 2]| {
            let Some(judge) = judge.as_ref() else { return Ok(None) };
            let sides = [(after, is), (before, was)];
            let [after, before] = judged(sides, judge, context)?.map(|it| it.paper);
            anyhow::Ok(Some(Compared { after, before }))
        };
        let (comparison, policies, grounds) = if self.is_judged_there(context)? {
            let ([before, after], heard) = self.judged_there(context)?;
            let grounds = self.grounds([&before, &after], heard, context);
            let [held, looked] = self.without_bases([&before, &after], &grounds, context)?;
            let told = told_grounds(&grounds, [&before, &after]);
            (self.compared(&held, &looked, context), policies(&before, &after, &grounds)?, told)
        } else {
            let (lookout, (after, before)) = self.sides(context)?;
            // What is wanted is asked of the comparison: whatever one side had left out would look
            // new.
            let heard = [before.heard, after.heard];
            let [before, after] = [before.inventory, after.inventory]
                .map(|it| lookout.analyze_in_brief(it, &Filter::default()));
            let grounds = self.grounds([&before, &after], heard, context);
            let [held, looked] = self.without_bases([&before, &after], &grounds, context)?;
            let mut comparison = self.compared(&held, &looked, context);
            if ignore_unchanged {
                lookout.put_titles(&held, &looked, &mut comparison);
            } else {
                lookout.put_all_titles(&held, &looked, &mut comparison);
            }
            answered(&lookout)?;
            let told = told_grounds(&grounds, [&before, &after]);
            (comparison, policies(&before, &after, &grounds)?, told)
        };
        let mut shut = Shuts::of(&comparison);
        shut.policies = policies.as_ref().is_some_and(Compared::is_worse);
        let shown = policies.filter(|_| !self.hide_policies);
        for (_, options, _) in &mut reports {
            options.policies.clone_from(&shown);
            options.grounds.clone_from(&grounds);
        }
        tell(&comparison, context);

        for (report, options, output) in &reports {
            deliver(&report.write(&comparison, options), output.as_ref(), &context.messages)?;
        }
        Ok(shuts(&shut))
    }
}

impl Compare {
    fn are_policies_asked(&self) -> bool {
        !self.hide_policies || self.exit_on.contains(&Gate::Policy)
    }

    /// What both sides stand on.
    fn grounds(
        &self,
        [before, after]: [&Analysis; 2],
        [beside_before, beside_after]: [Option<Heard>; 2],
        context: &Context,
    ) -> [Ground; 2] {
        [(before, beside_before), (after, beside_after)]
            .map(|(side, heard)| Ground::of(context, &self.whose, heard, &side.inventory))
    }

    /// Does somebody else judge both sides, as they judge what runs? Whoever names an almanac wants it
    /// to count.
    fn is_judged_there(&self, context: &Context) -> anyhow::Result<bool> {
        let remembered = self.env.is_some() || self.to.is_none();
        Ok(remembered && self.advice.directory().is_none() && server(context)?.is_some())
    }

    /// What is looked at is held against that, both judged by the server's almanac, and what is stated
    /// beside them. What is not kept there is not kept for it either.
    fn judged_there(
        &self,
        context: &Context,
    ) -> anyhow::Result<([Analysis; 2], [Option<Heard>; 2])> {
        let mut judging = self.advice.judging(context, false)?;
        // What runs nowhere yet is meant for where the other one runs.
        judging.environment = self.to_env.clone().or_else(|| self.env.clone());
        ask_with(context, &self.whose, None, async |asking| {
            let (after, before) = self.picked(asking, context).await?;
            let judge = async |inventory| {
                let presenting = Presenting { inventory, judging: judging.clone() };
                asking.client.judge(&asking.organisation, &presenting).await
            };
            let judged = [judge(before.inventory).await?, judge(after.inventory).await?];
            Ok((judged, [before.heard, after.heard]))
        })
    }

    /// Both sides; where that is wanted, without what their base images brought. Policies judge them whole.
    fn without_bases<'a>(
        &self,
        sides: [&'a Analysis; 2],
        [was, is]: &[Ground; 2],
        context: &Context,
    ) -> anyhow::Result<[Cow<'a, Analysis>; 2]> {
        if !self.wishes.ignore_base {
            return Ok(sides.map(Cow::Borrowed));
        }
        let rest = |analysis: &Analysis, ground: &Ground| {
            let name = analysis.inventory.subject.name();
            let part = Some(ground.part(name, Part::Rest, context)?);
            let mut rest = Filter { part, ..Filter::default() }.apply(analysis.clone());
            warn_of_places(&mut rest, context);
            anyhow::Ok(Cow::Owned(rest))
        };
        let [before, after] = sides;
        Ok([rest(before, was)?, rest(after, is)?])
    }

    fn compared(&self, before: &Analysis, after: &Analysis, context: &Context) -> Comparison {
        let inventories = [&after.inventory, &before.inventory];
        warn_of_types(&self.wishes.only_package_type, &inventories, &context.messages);
        context.messages.debug("compare start");
        let comparison = compare_wanted(before, after, &self.wishes.filter());
        context.messages.debug("compare done");
        comparison
    }

    /// What is looked at, what it is held against, and what the findings of both rest on.
    fn sides(&self, context: &Context) -> anyhow::Result<(Lookout, (Seen, Seen))> {
        if let (None, Some(to)) = (&self.env, &self.to) {
            let exceptions = exceptions::of(context, &self.whose)?;
            let (subject, to) = self.subject.clone().and(to, self.to_ref.as_deref());
            let (lookout, sides) = self.advice.about_both(&subject, &to, context)?;
            return Ok((lookout.with_exceptions(exceptions), sides));
        }
        // What runs nowhere yet is meant for where the other one runs.
        let there = self.to_env.as_deref().or(self.env.as_deref());
        let exceptions = exceptions::there(context, &self.whose, there);
        let (lookout, sides) =
            self.advice.about_remembered(context, || self.remembered(context))?;
        Ok((lookout.with_exceptions(exceptions), sides))
    }

    fn remembered(&self, context: &Context) -> anyhow::Result<(Seen, Seen)> {
        let almanac = self.advice.directory();
        ask_with(context, &self.whose, almanac, async |asking| self.picked(asking, context).await)
    }

    async fn picked(&self, asking: &Asking, context: &Context) -> anyhow::Result<(Seen, Seen)> {
        let pick = Pick { context, asking };
        let (after, known) = match &self.env {
            Some(environment) => {
                let (inventory, known) = pick.running(environment, &self.subject).await?;
                (Seen::remembered(inventory), known)
            }
            None => pick.named(&self.subject).await?,
        };
        let before = match (&self.to, &self.to_env) {
            (Some(to), _) => {
                let (_, to) = self.subject.clone().and(to, self.to_ref.as_deref());
                to.read(context, Hearing::All).await?
            }
            (None, Some(environment)) => {
                Seen::remembered(pick.newest_in(environment, &known).await?)
            }
            (None, None) => Seen::remembered(pick.latest(&known).await?),
        };
        Ok((after, before))
    }
}

/// What both sides stand on, as reports tell it.
fn told_grounds([was, is]: &[Ground; 2], [before, after]: [&Analysis; 2]) -> Grounds {
    Grounds { after: is.told(after), before: was.told(before) }
}

/// A report, how it is written, and where it goes.
type Reporting = (&'static dyn comparison::Report, comparison::Options, Option<Output>);

/// What could shut a gate.
struct Shuts {
    worse: bool,
    policies: bool,
    other_packages: bool,
}

impl Shuts {
    fn of(it: &Comparison) -> Self {
        let other_packages = it.has_other_packages();
        Self { worse: it.is_worse(), policies: false, other_packages }
    }

    /// And this application. What nobody can tell may be worse.
    fn add(&mut self, it: &comparison::Application) {
        let unknown = matches!(it.outcome, comparison::Outcome::Unknown(_));
        let its = it.comparison().map(Self::of);
        self.worse |= unknown || its.as_ref().is_some_and(|it| it.worse);
        self.other_packages |= unknown || its.is_some_and(|it| it.other_packages);
    }
}

/// One line on stderr, and another where something cannot be told.
fn tell(comparison: &Comparison, context: &Context) {
    let of = |fate| {
        let findings = comparison.findings_that(fate);
        findings.filter(|it| it.seen().is_some_and(|it| !it.suppressed)).count() as u64
    };
    let many = |fate| count(of(fate), "vulnerability", "vulnerabilities");
    let line = format!("{} introduced, {} fixed", many(Fate::Introduced), many(Fate::Fixed));
    if comparison.is_worse() {
        context.messages.warn(&line);
    } else {
        context.messages.done(&line);
    }
    if of(Fate::Unclear) > 0 {
        let unclear = many(Fate::Unclear);
        context.messages.warn(&format!("{unclear} on one side alone that the other may hide"));
    }
}
