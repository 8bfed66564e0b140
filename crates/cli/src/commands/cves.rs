//! `foretop cves`: what is wrong with an image, a directory, an archive or a document.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::ValueHint;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use engine::{Filter, Hearing, Part};
use format::report::{self, Report, Several};
use model::{Analysis, Finding, Inventory, Level};
use regex::Regex;

use super::{Outcome, Verb};
use crate::Context;
use crate::bases::{Ground, warn_of_places};
use crate::deployed::{Deployed, Wanted};
use crate::failure::Failure;
use crate::findings::{Advice, answered, reports_help};
use crate::formats;
use crate::messages::count;
use crate::output::{Delivery, Output};
use crate::stages::Stages;
use crate::subject::{Seen, Subject, subjects, warn_of_types};

/// List the known flaws of what is inside an image, a directory, an archive or a document
#[derive(clap::Parser)]
#[command(name = "cves", after_help = subjects() + &reports_help() + SEVERAL)]
pub(crate) struct Cves {
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    deployed: Deployed,
    /// How to write it; several times for several reports, `FORMAT=FILE` writes one to a file
    #[arg(long, value_name = "FORMAT[=FILE]", default_value = "packages")]
    format: Vec<String>,
    /// Write the report to this file instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Exit with code 2 if there is a finding that nothing takes out of the way, or if nothing is known
    /// of an image
    #[arg(short = 'e', long)]
    exit_code: bool,
    /// Tell the whole story of each flaw
    #[arg(long)]
    details: bool,
    /// Show EPSS scores, and put the likeliest attacks first
    #[arg(long)]
    epss: bool,
    /// Show the files and layers of each package
    #[arg(long)]
    locations: bool,
    /// Leave packages without findings out of the list of packages
    #[arg(long)]
    only_vuln_packages: bool,
    #[command(flatten)]
    advice: Advice,
    #[command(flatten)]
    wishes: Wishes,
    #[command(flatten)]
    stages: Stages,
}

const SEVERAL: &str = "
With --env and --multi-stage, packages, only-packages and markdown hold one report after the
other; json and sbom are an array of documents, also of one; csv has a column more, the image's;
sarif has a run for each image; gitlab holds them all. spdx and cyclonedx hold one image, so name
its repository.
An image that is not analysed yet is told as a gap, and shuts the gate of --exit-code. So does one
in which nothing was found and something could not be read, and so does a runtime that is not
heard of or could not see all that it runs; other gaps are told and shut nothing (those of
`foretop where` shut its gate, all of them).
";

/// Which findings to report.
#[derive(clap::Args)]
#[command(next_help_heading = "Which findings")]
struct Wishes {
    /// Only these severities, parted by commas
    #[arg(long, value_name = "SEVERITY", value_delimiter = ',', value_parser = severity())]
    only_severity: Vec<Level>,
    /// Only these flaws, by any of their names, parted by commas
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only_cve_id: Vec<String>,
    /// Only packages whose name matches one of these regular expressions
    #[arg(long, value_name = "REGEX", value_delimiter = ',')]
    only_package: Vec<Regex>,
    /// Only packages of these purl types, parted by commas
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    only_package_type: Vec<String>,
    /// Only what has a fix
    #[arg(long, conflicts_with = "only_unfixed")]
    only_fixed: bool,
    /// Only what has no fix
    #[arg(long)]
    only_unfixed: bool,
    /// Only what is known to be used in attacks (CISA KEV)
    #[arg(long)]
    only_cisa_kev: bool,
    /// Only with these metrics in the CVSS vector (`AV:N`), parted by commas
    #[arg(long, value_name = "METRIC", value_delimiter = ',', value_parser = metric)]
    only_metric: Vec<String>,
    /// Only with at least this EPSS score, from 0 to 1
    #[arg(long, value_name = "SCORE", default_value_t = 0.0, value_parser = share)]
    epss_score: f32,
    /// Only with at least this EPSS percentile, from 0 to 1
    #[arg(long, value_name = "PERCENTILE", default_value_t = 0.0, value_parser = share)]
    epss_percentile: f32,
    /// Leave out what a VEX statement says is not affected
    #[arg(long)]
    only_vex_affected: bool,
    /// Leave out what an exception or a statement takes out of the way
    #[arg(long)]
    ignore_suppressed: bool,
    /// Leave out what was seen not to be loaded where it runs, as far as somebody looked: what nobody
    /// can tell stays. Needs --env
    #[arg(long, requires = "environment")]
    only_in_use: bool,
    /// Only what the base image brought; an error where nobody can tell, and with --env a gap
    #[arg(long, conflicts_with = "ignore_base")]
    only_base: bool,
    /// Leave out what the base image brought; an error where nobody can tell, and with --env a gap
    #[arg(long)]
    ignore_base: bool,
}

/// A level, in whatever letters, with blanks around it where the list has them.
#[derive(Clone)]
pub(super) struct Severity(PossibleValuesParser);

pub(super) fn severity() -> Severity {
    Severity(PossibleValuesParser::new(Level::ALL.map(Level::as_str)))
}

impl TypedValueParser for Severity {
    type Value = Level;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Level, clap::Error> {
        let value = value.to_string_lossy().trim().to_ascii_lowercase();
        let value = self.0.parse_ref(command, argument, value.as_ref())?;
        Ok(Level::parse(&value).unwrap_or_default())
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        self.0.possible_values()
    }
}

/// One metric of a CVSS vector.
fn metric(text: &str) -> Result<String, String> {
    let letters = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphabetic());
    match text.trim().split_once(':') {
        Some((name, value)) if letters(name) && letters(value) => Ok(text.trim().to_owned()),
        _ => Err("it is no metric of a CVSS vector, as AV:N is one".to_owned()),
    }
}

/// A number from 0 to 1.
fn share(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(it) if (0.0..=1.0).contains(&it) => Ok(it),
        _ => Err("it is no number from 0 to 1".to_owned()),
    }
}

impl Wishes {
    fn filter(&self) -> Filter {
        let trimmed = |all: &[String]| all.iter().map(|it| it.trim().to_owned()).collect();
        Filter {
            levels: self.only_severity.clone(),
            ids: trimmed(&self.only_cve_id),
            packages: self.only_package.clone(),
            types: self.only_package_type.iter().map(|it| it.trim().to_ascii_lowercase()).collect(),
            fixed: match (self.only_fixed, self.only_unfixed) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            },
            exploited: self.only_cisa_kev,
            metrics: self.only_metric.clone(),
            score: self.epss_score,
            percentile: self.epss_percentile,
            unsuppressed: self.only_vex_affected || self.ignore_suppressed,
            part: None,
        }
    }

    /// Which part of an image is wanted, of so many layers of its base.
    fn part(&self) -> Option<fn(usize) -> Part> {
        match (self.only_base, self.ignore_base) {
            (true, _) => Some(Part::Base),
            (_, true) => Some(Part::Rest),
            _ => None,
        }
    }
}

impl Verb for Cves {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        // Whatever was said wrongly is told before anything is read.
        let reports = self.reports()?;
        let created = context.environment.created()?;
        let created = created.unwrap_or_else(|| jiff::Timestamp::now().to_string());
        let mut options = Vec::with_capacity(reports.len());
        let mut deliveries = Vec::with_capacity(reports.len());
        for (report, output) in reports {
            options.push(report::Options {
                created: Some(created.clone()),
                details: self.details,
                epss: self.epss,
                locations: self.locations,
                only_vuln_packages: self.only_vuln_packages,
                ..formats::drawn(context, output.as_ref())
            });
            deliveries.push((report, Delivery::to(output, &context.messages)));
        }
        let telling = deliveries.into_iter().zip(&options).map(|((report, delivery), options)| {
            Telling { report, options, delivery, several: None }
        });
        let mut telling: Vec<Telling<'_>> = telling.collect();
        let mut is_vulnerable = false;
        if self.deployed.wanted() {
            let (filter, part) = (self.wishes.filter(), self.wishes.part());
            let wanted = Wanted { filter: &filter, brief: false, part };
            let begin = |images: usize| {
                telling.iter_mut().try_for_each(|it| it.begin(images))?;
                Ok(telling)
            };
            let take = |telling: &mut Vec<Telling<'_>>, mut analysis: Analysis| {
                context.messages.inform(analysis.inventory.subject.name());
                if self.wishes.only_in_use {
                    only_in_use(&mut analysis, context);
                }
                if part.is_some() {
                    warn_of_places(&mut analysis, context);
                }
                self.tell(&analysis, context);
                is_vulnerable |= self.is_open(&analysis);
                telling.iter_mut().try_for_each(|it| it.add(&analysis))
            };
            let judged =
                self.deployed.judged(context, &self.subject, &self.advice, &wanted, begin, take)?;
            telling = judged.0;
            // What nobody sees may be worse than what is told.
            is_vulnerable |= judged.1;
        } else {
            let exceptions = self.deployed.exceptions(context)?;
            let asks = self.stages.are_wanted() || self.wishes.part().is_some();
            let hearing = if asks { Hearing::All } else { Hearing::Flaws };
            let (lookout, Seen { inventory, heard, .. }) =
                self.advice.about(&self.subject, hearing, context)?;
            let lookout = lookout.with_exceptions(exceptions);
            warn_of_types(&self.wishes.only_package_type, &[&inventory], &context.messages);
            let mut filter = self.wishes.filter();
            if self.stages.are_wanted() {
                let whose = self.deployed.whose();
                let ground = Ground::of(context, whose, heard, &inventory);
                let staged = self.stages.read(context, &inventory, &ground)?;
                let itself = staged.itself.then_some(inventory);
                let all: Vec<Inventory> = itself.into_iter().chain(staged.others).collect();
                telling.iter_mut().try_for_each(|it| it.begin(all.len()))?;
                for inventory in all {
                    let analysis = lookout.analyze(inventory, &filter);
                    context.messages.inform(analysis.inventory.subject.name());
                    self.tell(&analysis, context);
                    is_vulnerable |= self.is_open(&analysis);
                    telling.iter_mut().try_for_each(|it| it.add(&analysis))?;
                }
                answered(&lookout)?;
                telling.into_iter().try_for_each(Telling::finish)?;
                let is_shut = self.exit_code && is_vulnerable;
                return Ok(if is_shut { Outcome::Shut } else { Outcome::Done });
            }
            if let Some(part) = self.wishes.part() {
                let whose = self.deployed.whose();
                let ground = Ground::of(context, whose, heard, &inventory);
                filter.part = Some(ground.part(inventory.subject.name(), part, context)?);
            }
            let mut analysis = lookout.analyze(inventory, &filter);
            if filter.part.is_some() {
                warn_of_places(&mut analysis, context);
            }
            answered(&lookout)?;
            std::mem::forget(lookout);
            self.tell(&analysis, context);
            is_vulnerable = self.is_open(&analysis);
            telling.iter_mut().try_for_each(|it| it.add(&analysis))?;
            // It goes with the process, which is quicker than piece by piece.
            std::mem::forget(analysis);
        }
        telling.into_iter().try_for_each(Telling::finish)?;
        Ok(if self.exit_code && is_vulnerable { Outcome::Shut } else { Outcome::Done })
    }
}

/// A report that is being told: about one image, or about all that run somewhere.
struct Telling<'a> {
    report: &'static dyn Report,
    options: &'a report::Options,
    delivery: Delivery<'a>,
    several: Option<Box<dyn Several + 'a>>,
}

impl Telling<'_> {
    /// There will be so many images.
    fn begin(&mut self, images: usize) -> anyhow::Result<()> {
        // For people, one image is told of as if it had been named.
        let people = ["packages", "only-packages", "markdown"].contains(&self.report.id());
        if images == 1 && people {
            return Ok(());
        }
        self.several = self.report.several(images, self.options);
        if self.several.is_none() && images != 1 {
            let id = self.report.id();
            return Err(Failure::error(
                format!("--format {id}: it holds one image, and {images} are meant"),
                "name one of them behind the environment, or take json, csv or sarif",
            ));
        }
        Ok(())
    }

    fn add(&mut self, analysis: &Analysis) -> anyhow::Result<()> {
        match &mut self.several {
            Some(several) => self.delivery.add(&several.image(analysis)),
            None => self.delivery.write(|out| self.report.write_to(analysis, self.options, out)),
        }
    }

    fn finish(mut self) -> anyhow::Result<()> {
        if let Some(mut several) = self.several.take() {
            self.delivery.add(&several.end())?;
        }
        self.delivery.finish()
    }
}

impl Cves {
    /// Each report, and the file it goes to.
    fn reports(&self) -> anyhow::Result<Vec<(&'static dyn Report, Option<Output>)>> {
        let known: Vec<_> = report::ALL.iter().map(|it| (it.id(), *it)).collect();
        formats::wanted(&self.format, self.output.as_deref(), &known)
    }
}

impl Cves {
    /// Can nobody tell what is asked for?
    fn is_dark(&self, analysis: &Analysis) -> bool {
        let filter = self.wishes.filter();
        report::is_dark(analysis) || filter.untold(&analysis.basis).next().is_some()
    }

    /// Does it shut the gate? What nobody can tell may be worse than what is told.
    fn is_open(&self, analysis: &Analysis) -> bool {
        self.is_dark(analysis) || analysis.findings.iter().any(|it| !it.suppressed())
    }

    /// One line on stderr: what was found, counted as the report counts.
    fn tell(&self, analysis: &Analysis, context: &Context) {
        if self.is_dark(analysis) && analysis.findings.iter().all(Finding::suppressed) {
            context.messages.warn("Not known whether there are vulnerable packages");
        } else {
            tell(analysis, context);
        }
    }
}

/// Leaves out what is not loaded where it runs, and says how much that is, and of how much nobody can
/// tell: here, and in each report.
fn only_in_use(analysis: &mut Analysis, context: &Context) {
    let before = analysis.findings.len();
    analysis.findings.retain(|it| it.in_use != Some(false));
    let hidden = before - analysis.findings.len();
    let untold = analysis.findings.iter().filter(|it| it.in_use.is_none()).count();
    let findings = |number: usize| count(number as u64, "vulnerability", "vulnerabilities");
    let mut says = Vec::new();
    if hidden > 0 {
        let what = "not seen to be loaded where it runs";
        says.push(format!("{} left out by --only-in-use: {what}", findings(hidden)));
    }
    if untold > 0 {
        let why = match &analysis.basis.in_use {
            None => "nobody looked what it loads",
            Some(it) if it.is_old => "what was seen of it is too old",
            Some(_) => "what was seen of it does not tell",
        };
        says.push(format!("cannot tell of {} whether it is in use: {why}", findings(untold)));
    }
    for line in says {
        context.messages.warn(&line);
        analysis.basis.warnings.push(line);
    }
}

fn tell(analysis: &Analysis, context: &Context) {
    let findings: Vec<&Finding> = analysis.findings.iter().filter(|it| !it.suppressed()).collect();
    let gaps = analysis.gaps.len() + analysis.inventory.gaps.len();
    if findings.is_empty() {
        if gaps == 0 {
            context.messages.done("No vulnerable package detected");
        } else {
            let gaps = count(gaps as u64, "thing is", "things are");
            context.messages.warn(&format!("No vulnerable package detected, but {gaps} not known"));
        }
        return;
    }
    let packages: HashSet<_> =
        findings.iter().map(|it| (&it.space, &*it.name, &*it.version)).collect();
    context.messages.warn(&format!(
        "Detected {} with {}",
        count(packages.len() as u64, "vulnerable package", "vulnerable packages"),
        count(findings.len() as u64, "vulnerability", "vulnerabilities"),
    ));
}
