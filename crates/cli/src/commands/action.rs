//! `foretop action`: what a GitHub Action runs: other commands, told by inputs, and what comes of them told
//! as outputs, as the job's summary and as a comment on the pull request.

mod cut;
mod github;
pub(crate) mod inputs;
pub(crate) mod plan;
mod runner;
mod sarif;
mod telling;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use model::Secret;

use self::github::Github;
use self::inputs::Inputs;
use self::runner::{Annotation, Runner};
use self::telling::{Section, Telling};
use super::{Outcome, Verb};
use crate::Context;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::messages::{Detail, Messages};
use crate::output::Output;

/// Do what a workflow of GitHub Actions asks for by the inputs of deploy/action
#[derive(clap::Parser)]
#[command(name = "action", after_help = after_help())]
pub(crate) struct Action {}

fn after_help() -> String {
    format!(
        "It reads INPUT_NAME for each input, and what a runner says in GITHUB_…: see docs/ci.md.\n\
         Commands: {}\n",
        plan::COMMANDS.join(", ")
    )
}

impl Verb for Action {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let environment = Environment::of_this_process();
        let inputs = Inputs::of(&environment);
        let detail = if inputs.flag("verbose-debug")? {
            Detail::Most
        } else if inputs.flag("debug")? {
            Detail::More
        } else {
            context.messages.detail()
        };
        let between = tempfile::tempdir().context("there is no place for temporary files")?;
        let folder = between.path();
        let context = Context {
            environment: Environment::of_this_process().with(inputs.variables()),
            messages: Arc::new(Messages::new(&environment, detail).for_runner(folder)),
            docker: context.docker.clone(),
        };
        let runner = Runner::of(&environment, &context.messages);
        // Before anything else is said.
        inputs.secrets().iter().for_each(|it| runner.hide(it));
        let done = Running { context: &context, inputs: &inputs, runner: &runner, folder }.run();
        if let Err(error) = &done {
            runner.annotate(Annotation::Error, &format!("{error:#}"));
            context.messages.error(error);
            return Ok(Outcome::Failed);
        }
        done
    }
}

/// Bytes of the longest SARIF document that is looked into: what GitHub takes is less, by far.
const LONGEST_SARIF: u64 = 256 << 20;

/// A run of the action.
struct Running<'a> {
    context: &'a Context,
    inputs: &'a Inputs<'a>,
    runner: &'a Runner<'a>,
    /// Where commands leave what is told of them.
    folder: &'a Path,
}

impl Running<'_> {
    fn run(&self) -> anyhow::Result<Outcome> {
        // Whatever was said wrongly is told before anything is read.
        let commands = plan::commands(self.inputs.text("command").as_deref())?;
        for remark in self.inputs.checked(&commands)? {
            self.runner.annotate(Annotation::Warning, &remark);
        }
        let plan = commands
            .iter()
            .map(|it| Ok((*it, plan::words(it, self.inputs, self.folder)?)))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let sarif_file = self.inputs.path("sarif-file");
        let sarif = sarif_file.as_deref().map(Output::to).transpose()?;
        let mut sections = Vec::new();
        let mut failure = None;
        let mut outcome = Outcome::Done;
        for (command, words) in plan {
            self.runner.begin(&format!("foretop {command} {}", self.subject()));
            let done = self.command(command, &words);
            self.runner.end();
            let told = done.and_then(|it| {
                outcome = it;
                let text = self.markdown(command)?;
                let written = self.output(command, &text);
                sections.push(Section::of(command, text));
                written
            });
            if let Err(error) = told {
                sections.push(Section::failed(command, &format!("{error:#}")));
                failure = Some(error);
            }
            if command == "cves" && failure.is_none() {
                let scanned = self.scanned(sarif.as_ref(), &mut sections);
                failure = scanned.err();
            }
            // One after the other, as far as all goes well.
            if failure.is_some() || outcome != Outcome::Done {
                break;
            }
        }
        let telling = Telling { sections: &sections, inputs: self.inputs, runner: self.runner };
        // One that cannot be written keeps nobody from the other.
        let summary = telling.summary();
        let told = telling.comment(self.context).and(summary);
        match failure {
            Some(error) => Err(error),
            None => told.map(|()| outcome),
        }
    }

    /// What is looked into, for a title.
    fn subject(&self) -> String {
        let said = ["env", "image"].iter().filter_map(|it| self.inputs.text(it));
        said.collect::<Vec<_>>().join(" ")
    }

    /// Runs one of our own commands as if somebody had typed it.
    fn command(&self, command: &str, words: &[String]) -> anyhow::Result<Outcome> {
        if command == "help" {
            self.context.messages.report(&help())?;
            return Ok(Outcome::Done);
        }
        let verb = words.first().and_then(|it| super::called(it));
        let verb = verb.context("each of them is a command")?;
        let matches = (verb.tree)().try_get_matches_from(words).map_err(|error| {
            let text = error.render().to_string();
            let first = text.split("\n\n").next().unwrap_or_default();
            anyhow::anyhow!("{command}: {}", first.trim_start_matches("error: ").trim())
        })?;
        if command == "attestation-add" {
            let variables = self.inputs.variables_for_writing();
            let context = Context {
                environment: Environment::of_this_process().with(variables),
                messages: Arc::clone(&self.context.messages),
                docker: self.context.docker.clone(),
            };
            return super::run("attestation", &matches, &context);
        }
        super::run(command, &matches, self.context)
    }

    /// What a command has left to be told of it.
    fn markdown(&self, command: &str) -> anyhow::Result<String> {
        let code = |text: &str| format!("<code>{}</code>", format::in_html(text));
        Ok(match command {
            "help" => "See the log.\n".to_owned(),
            "sbom" => {
                let image = code(&self.subject());
                let how = self.inputs.text("format").unwrap_or_default();
                let place = match self.inputs.text("output") {
                    Some(file) => format!("written to {}", code(&file)),
                    None => "written to the log".to_owned(),
                };
                format!("<p>:package: SBOM of {image} ({}): {place}</p>\n", format::in_html(&how))
            }
            "attestation-add" => {
                let images = self.inputs.text("tags").or_else(|| self.inputs.text("image"));
                let images = code(&images.unwrap_or_default());
                format!("<p>:link: Attached to {images}</p>\n")
            }
            "environment" => telling::deployments(&self.folder.join(command))?,
            _ => telling::read(&self.folder.join(command))?,
        })
    }

    fn output(&self, command: &str, text: &str) -> anyhow::Result<()> {
        match cut::cut(text, runner::LONGEST_OUTPUT) {
            Some(cut) => {
                let note = telling::scissors(self.runner);
                self.runner.output(command, &format!("{cut}{note}"))
            }
            None => self.runner.output(command, text),
        }
    }

    /// The SARIF of `cves`, within what GitHub takes: to its file, and to code scanning.
    fn scanned(&self, file: Option<&Output>, sections: &mut Vec<Section>) -> anyhow::Result<()> {
        let upload = self.inputs.flag("upload-sarif")?;
        if file.is_none() && !upload {
            return Ok(());
        }
        let subject = self.inputs.text("image").unwrap_or_default();
        let id = format!("foretop/{}/", sarif::repository(&subject));
        let report = self.folder.join("sarif");
        if fs_err::metadata(&report)?.len() > LONGEST_SARIF {
            return Err(Failure::error(
                "the SARIF is too large to be cut to what GitHub takes",
                "ask for less: only-severities, or one repository with `image`",
            ));
        }
        let text = fs_err::read_to_string(report)?;
        let fitting = sarif::fitting(&text, &id)?;
        for remark in &fitting.remarks {
            self.runner.annotate(Annotation::Warning, &format!("SARIF: {remark}"));
            sections.push(Section::remark("cves", &format!("SARIF: {remark}")));
        }
        if let Some(file) = file {
            file.write(|out| out.write_all(fitting.text.as_bytes()))?;
            self.context.messages.done(&format!("Report written to {file}"));
        }
        if !upload {
            return Ok(());
        }
        let why = match self.uploaded(&fitting) {
            Ok(line) => {
                self.context.messages.done(&line);
                return Ok(());
            }
            Err(error) => format!("SARIF is not uploaded: {error:#}"),
        };
        // Whoever asked for it would take its absence for good news.
        sections.push(Section::remark("cves", &why));
        if self.runner.is_from_a_fork()? {
            self.runner.annotate(Annotation::Warning, &why);
            return Ok(());
        }
        Err(anyhow::anyhow!(why))
    }

    fn uploaded(&self, fitting: &sarif::Fitting) -> anyhow::Result<String> {
        let token = self.token()?;
        let told =
            |name: &str| self.runner.told(name).with_context(|| format!("{name} is not set"));
        let (commit, reference) = (told("GITHUB_SHA")?, told("GITHUB_REF")?);
        let github = Github::of(self.context, self.runner, &token)?;
        let sarif = fitting.in_base64();
        let sent = github.scanned(&commit, &reference, &sarif);
        let number = crate::runtime()?.block_on(sent)?;
        Ok(format!("SARIF is handed to code scanning as {number}"))
    }

    fn token(&self) -> anyhow::Result<Secret> {
        self.inputs.secret("github-token").context("github-token is not set")
    }
}

/// What there is, for `command: help`.
fn help() -> String {
    use std::fmt::Write as _;
    let mut text = format!("Commands: {}\n\nInputs:\n", plan::COMMANDS.join(", "));
    for it in inputs::ALL {
        let default = match it.default {
            "" => String::new(),
            default => format!(" [default: {default}]"),
        };
        let _ = writeln!(text, "  {:<24} {}{default}", it.name, it.meaning);
    }
    text
}
