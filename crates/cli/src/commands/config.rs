//! `foretop config`: what is settled for all commands.

use super::{Outcome, Verb};
use crate::asking::server_address;
use crate::config::{Config as File, KEYS};
use crate::failure::Failure;
use crate::{Context, trust};

/// Show or change what is settled for all commands
#[derive(clap::Parser)]
#[command(name = "config", visible_alias = "configure", after_help = keys())]
pub(crate) struct Config {
    /// What to show or to settle; without one, all that is settled is shown
    key: Option<String>,
    /// What to settle it to
    #[arg(requires = "key")]
    value: Option<String>,
    /// Settle it no more
    #[arg(long, requires = "key", conflicts_with = "value")]
    unset: bool,
}

fn keys() -> String {
    let lines = KEYS.iter().map(|(key, meaning)| format!("  {key:<14} {meaning}\n"));
    format!("Keys:\n{}", lines.collect::<String>())
}

impl Verb for Config {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        if let Some(key) = self.key.as_deref().filter(|it| KEYS.iter().all(|(key, _)| key != it)) {
            let known: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
            return Err(Failure::error(
                format!("config {key}: there is no such key"),
                format!("there are {}", known.join(", ")),
            ));
        }
        let mut file = File::read(&context.environment)?;
        let messages = &context.messages;
        match (self.key.as_deref(), self.value) {
            (None, _) => messages.report(&all(&file, context))?,
            (Some(key), Some(value)) => {
                let value = checked(key, &value)?;
                file.set(key, Some(value.clone()))?;
                messages.done(&format!("Successfully set {key} to {value}"));
            }
            (Some(key), None) if self.unset => {
                file.set(key, None)?;
                messages.done(&format!("Successfully unset {key}"));
            }
            (Some(key), None) => match file.get(key) {
                Some(value) => messages.report(&format!("{value}\n"))?,
                None => messages.inform(&format!("{key} is not set")),
            },
        }
        Ok(Outcome::Done)
    }
}

fn all(file: &File, context: &Context) -> String {
    let set = |key| Some(format!("{key}={}\n", file.get(key)?));
    let text: String = KEYS.iter().filter_map(|(key, _)| set(key)).collect();
    if !text.is_empty() {
        return text;
    }
    let title = if context.docker.called_by_docker { "docker scout" } else { "foretop" };
    format!("Configuration empty. See {title} config --help for details.\n")
}

/// A value that can be used, without what only its writing brought along.
fn checked(key: &str, value: &str) -> anyhow::Result<String> {
    let value = value.trim();
    let refuse = |why: &str, hint: &str| {
        Failure::error(format!("config {key}: `{value}` {why}"), hint.to_owned())
    };
    if value.is_empty() {
        return Err(refuse("says nothing", &format!("foretop config {key} --unset")));
    }
    if value.chars().any(char::is_control) {
        return Err(refuse("has characters that nobody sees", "write it without them"));
    }
    if key == "server" {
        return server_address("config server", value);
    }
    if key == "sbom-trust" {
        return Ok(trust::settled(value)?);
    }
    Ok(value.to_owned())
}
