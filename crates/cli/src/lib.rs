//! The one binary, `foretop`: a command line, and a Docker CLI plugin.

mod asking;
mod bases;
mod child;
mod commands;
mod config;
mod credentials;
mod demo;
mod deployed;
mod docker;
mod environment;
mod evaluated;
mod exceptions;
mod failure;
mod fetched;
mod findings;
mod formats;
mod guard;
mod heap;
mod house;
mod keys;
mod messages;
mod output;
mod plugin;
mod policies;
pub mod reference;
mod refreshing;
mod stages;
mod subject;
mod table;
mod trust;
mod version;
mod whence;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args as _;

use crate::commands::Outcome;
use crate::environment::Environment;
use crate::messages::{Detail, Messages};
use crate::plugin::{Call, DockerFlags};

const ABOUT: &str = "Know what is inside every container image";

/// What every command is given.
struct Context {
    environment: Environment,
    messages: Arc<Messages>,
    docker: DockerFlags,
}

/// Flags of every command.
#[derive(clap::Args)]
struct Always {
    /// Tell on stderr what is done, and when
    #[arg(long, global = true, hide = true)]
    debug: bool,
    /// The same, with settings and the causes of errors
    #[arg(long, global = true, hide = true)]
    verbose_debug: bool,
}

/// Does what `argv` asks. The exit code is 0, 1 after any error, 2 where a gate is shut, or 130 where
/// what goes on and on was interrupted.
pub fn run(argv: Vec<OsString>) -> ExitCode {
    let environment = Environment::of_this_process();
    match plugin::called(argv) {
        Call::Run { title, words, docker } => command(environment, title, words, docker),
        Call::Answer(text) => {
            let messages = Messages::new(&environment, Detail::default());
            succeed(&messages, messages.report(&text).map(|()| Outcome::Done))
        }
    }
}

fn command(
    environment: Environment,
    title: &'static str,
    words: Vec<OsString>,
    docker: DockerFlags,
) -> ExitCode {
    if docker.called_by_docker {
        plugin::die_with_docker(&environment);
    }
    // Where the verb comes first, nothing of the others is needed.
    let verb = words.get(1).and_then(|it| commands::called(it.to_str()?));
    let tree_of_words = match verb {
        Some(verb) => trunk(title).subcommand((verb.tree)()),
        None => tree(title),
    };
    let matches = match tree_of_words.try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) => {
            let messages = Messages::new(&environment, Detail::default()).called(title);
            return misused(&error, &messages);
        }
    };
    let detail = if matches.get_flag("verbose_debug") {
        Detail::Most
    } else if matches.get_flag("debug") || docker.debug {
        Detail::More
    } else {
        Detail::Usual
    };
    let messages = Arc::new(Messages::new(&environment, detail).called(title));
    let context = Context { environment, messages: Arc::clone(&messages), docker };
    let result = if let Some((name, matches)) = matches.subcommand() {
        commands::run(name, matches, &context)
    } else {
        let help = tree(title).render_help().to_string();
        messages.report(&messages.as_typed(&help)).map(|()| Outcome::Done)
    };
    succeed(&messages, result)
}

/// Help and version are asked for, a command without its subcommand asks for help; all else is an
/// error, and clap's own code for it is 2, which is kept for gates.
fn misused(error: &clap::Error, messages: &Messages) -> ExitCode {
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let shown = messages.report(&messages.as_typed(&error.render().to_string()));
        return succeed(messages, shown.map(|()| Outcome::Done));
    }
    if error.kind() == clap::error::ErrorKind::DisplayHelp {
        let text = error.render();
        let text =
            if messages.colour_on_stdout() { text.ansi().to_string() } else { text.to_string() };
        let shown = messages.report(&messages.as_typed(&text));
        return succeed(messages, shown.map(|()| Outcome::Done));
    }
    if error.use_stderr() {
        let text = error.render();
        messages.misuse(&if messages.colour() {
            text.ansi().to_string()
        } else {
            text.to_string()
        });
        return ExitCode::FAILURE;
    }
    succeed(messages, messages.report(&error.render().to_string()).map(|()| Outcome::Done))
}

fn succeed(messages: &Messages, result: anyhow::Result<Outcome>) -> ExitCode {
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::FAILURE,
        Ok(Outcome::Shut) => ExitCode::from(2),
        Ok(Outcome::Interrupted) => ExitCode::from(130),
        Err(error) => {
            messages.error(&error);
            ExitCode::FAILURE
        }
    }
}

/// Whoever waits for networks and disks.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("cannot start the workers")
}

/// Whoever waits for files alone: nobody else has to be there for that.
fn runtime_for_files() -> anyhow::Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.context("cannot start")
}

/// All commands and flags. `title` is what people type to get here.
fn tree(title: &'static str) -> clap::Command {
    trunk(title).subcommands(commands::ALL.iter().map(|it| (it.tree)()))
}

/// The same without commands.
fn trunk(title: &'static str) -> clap::Command {
    // Flags come first: they would bring their own description.
    Always::augment_args(clap::Command::new("foretop"))
        .bin_name(title)
        .about(ABOUT)
        .version(version::VERSION)
        .subcommand_value_name("COMMAND")
        .subcommand_help_heading("Commands")
}
