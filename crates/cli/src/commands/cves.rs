//! `foretop cves`: what is wrong with an image, a directory, an archive or a document.

use std::path::PathBuf;

use clap::ValueHint;
use clap::builder::PossibleValuesParser;
use engine::Filter;
use format::report::{self, Report};
use model::{Analysis, Finding, Level};
use regex::Regex;

use super::{Outcome, Verb};
use crate::Context;
use crate::failure::Failure;
use crate::findings::{Advice, reports_help};
use crate::messages::count;
use crate::output::Output;
use crate::subject::{Subject, subjects};
use crate::version::VERSION;

/// List the known flaws of what is inside an image, a directory, an archive or a document
#[derive(clap::Parser)]
#[command(name = "cves", after_help = subjects() + &reports_help())]
pub(crate) struct Cves {
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    advice: Advice,
    /// How to write it; several times for several reports, `FORMAT=FILE` writes one to a file
    #[arg(long, value_name = "FORMAT[=FILE]", default_value = "packages")]
    format: Vec<String>,
    /// Write the report to this file instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Exit with code 2 if there is a finding that nothing takes out of the way
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
    wishes: Wishes,
}

/// Which findings to report.
#[derive(clap::Args)]
#[command(next_help_heading = "Which findings")]
struct Wishes {
    /// Only these severities, parted by commas
    #[arg(long, value_name = "SEVERITY", value_delimiter = ',', ignore_case = true,
          value_parser = PossibleValuesParser::new(Level::ALL.map(Level::as_str)))]
    only_severity: Vec<String>,
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
    #[arg(long, value_name = "METRIC", value_delimiter = ',')]
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
        let level = |it: &String| Level::parse(&it.to_ascii_lowercase());
        let trimmed = |all: &[String]| all.iter().map(|it| it.trim().to_owned()).collect();
        Filter {
            levels: self.only_severity.iter().filter_map(level).collect(),
            ids: trimmed(&self.only_cve_id),
            packages: self.only_package.clone(),
            types: self.only_package_type.iter().map(|it| it.trim().to_ascii_lowercase()).collect(),
            fixed: match (self.only_fixed, self.only_unfixed) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            },
            exploited: self.only_cisa_kev,
            metrics: trimmed(&self.only_metric),
            score: self.epss_score,
            percentile: self.epss_percentile,
            unsuppressed: self.only_vex_affected || self.ignore_suppressed,
        }
    }
}

impl Verb for Cves {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        // Whatever was said wrongly is told before anything is read.
        let reports = self.reports()?;
        let created = context.environment.created()?;
        let created = created.unwrap_or_else(|| jiff::Timestamp::now().to_string());
        let lookout = self.advice.lookout(context)?;
        let inventory = self.subject.inventory(context)?;
        let analysis = self.wishes.filter().apply(lookout.analyze(inventory));
        tell(&analysis, context);
        for (report, output) in reports {
            let terminal = output.is_none();
            let options = report::Options {
                created: Some(created.clone()),
                tool_version: VERSION.to_owned(),
                colour: terminal && context.messages.colour_on_stdout(),
                unicode: context.environment.unicode(),
                width: None,
                details: self.details,
                epss: self.epss,
                locations: self.locations,
                only_vuln_packages: self.only_vuln_packages,
            };
            let mut text = report.write(&analysis, &options);
            if !text.ends_with('\n') {
                text.push('\n');
            }
            match output {
                None => context.messages.report(&text)?,
                Some(output) => {
                    output.write(&text)?;
                    context.messages.done(&format!("Report written to {output}"));
                }
            }
        }
        let shut = self.exit_code && analysis.findings.iter().any(|it| !it.suppressed());
        Ok(if shut { Outcome::Shut } else { Outcome::Done })
    }
}

impl Cves {
    /// Each report, and the file it goes to.
    fn reports(&self) -> anyhow::Result<Vec<(&'static dyn Report, Option<Output>)>> {
        let mut reports = Vec::new();
        for asked in &self.format {
            let (id, file) = match asked.split_once('=') {
                Some((id, file)) => (id, Some(PathBuf::from(file))),
                None => (asked.as_str(), None),
            };
            let Some(report) = report::find(id) else {
                let known: Vec<&str> = report::ALL.iter().map(|it| it.id()).collect();
                return Err(Failure::error(
                    format!("--format: there is no format `{id}`"),
                    format!("there are {}", known.join(", ")),
                ));
            };
            let file = file.or_else(|| self.output.clone());
            reports.push((report, file.as_deref().map(Output::to).transpose()?));
        }
        if reports.iter().filter(|(_, output)| output.is_none()).count() > 1 {
            return Err(Failure::error(
                "--format: several reports would go to stdout",
                "name a file for all but one: --format sarif=report.sarif",
            ));
        }
        if self.output.is_some() && self.format.iter().filter(|it| !it.contains('=')).count() > 1 {
            return Err(Failure::error(
                "--format: several reports would go to the same file",
                "name a file for each: --format sarif=report.sarif",
            ));
        }
        Ok(reports)
    }
}

/// One line on stderr: what was found.
fn tell(analysis: &Analysis, context: &Context) {
    let findings: Vec<&Finding> = analysis.findings.iter().filter(|it| !it.suppressed()).collect();
    if findings.is_empty() {
        context.messages.done("No vulnerable package detected");
        return;
    }
    let mut packages: Vec<usize> = findings.iter().flat_map(|it| it.packages.clone()).collect();
    packages.sort_unstable();
    packages.dedup();
    context.messages.warn(&format!(
        "Detected {} with {}",
        count(packages.len() as u64, "vulnerable package", "vulnerable packages"),
        count(findings.len() as u64, "vulnerability", "vulnerabilities"),
    ));
}
