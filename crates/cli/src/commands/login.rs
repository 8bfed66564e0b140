//! `foretop login`: who one is at a server.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};

use anyhow::Context as _;
use api::{Accepting, LoggingIn, Resetting};
use model::Secret;

use super::{Outcome, Verb};
use crate::Context;
use crate::asking::{address, nowhere, reach, server};
use crate::config::Config;
use crate::credentials::{Kept, Login as Kind};
use crate::failure::Failure;

/// Characters in the longest secret that is read.
pub(super) const LONGEST: u64 = 4096;

/// How a secret begins with which another password is chosen.
const RESET: &str = "ftr_";

/// Log in to a server, which commands ask from then on
#[derive(clap::Parser)]
#[command(name = "login")]
pub(crate) struct Login {
    /// The server, or the address by which it invites you or lets you choose another password;
    /// without one, the one that is settled
    #[arg(value_name = "SERVER")]
    server: Option<String>,
    /// Your name there
    #[arg(short = 'u', long = "username", visible_alias = "user", value_name = "NAME")]
    name: Option<String>,
    /// Read the password from stdin
    #[arg(long)]
    password_stdin: bool,
    /// Read a token from stdin, and be who it says
    #[arg(long, conflicts_with_all = ["name", "password_stdin", "invitation"])]
    token_stdin: bool,
    /// Accept the invitation with this secret first: choose a name and a password
    #[arg(long, value_name = "SECRET")]
    invitation: Option<String>,
}

impl Verb for Login {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let (url, invited) = match &self.server {
            Some(text) => address("login", text)?,
            None => (server(context)?.ok_or_else(|| nowhere(NOWHERE))?, None),
        };
        let invitation = self.invitation.clone().or(invited);
        let login = crate::runtime()?.block_on(async {
            if self.token_stdin {
                return with_token(context, &url).await;
            }
            let client = reach(context, &url, None)?;
            let (name, password) = match &invitation {
                Some(secret) if secret.starts_with(RESET) => {
                    let name = client.reset(secret).await?.name;
                    context.messages.inform(&format!("Choose another password, {name}"));
                    let password = self.password(true)?;
                    let resetting = Resetting { password: password.expose().to_owned() };
                    (client.use_reset(secret, &resetting).await?.name, password)
                }
                Some(secret) => {
                    let invitation = client.invitation(secret).await?;
                    let role = invitation.role.as_str();
                    let organisation = invitation.organisation;
                    context.messages.inform(&format!("You are invited: {role} of {organisation}"));
                    let (name, password) = self.asked(true)?;
                    let accepting = Accepting {
                        name: Some(name),
                        password: Some(password.expose().to_owned()),
                    };
                    (client.accept(secret, &accepting).await?.name, password)
                }
                None => self.asked(false)?,
            };
            let logging_in = LoggingIn { name, password: password.expose().to_owned() };
            let done = client.log_in(&logging_in).await?;
            Ok(Kind::new(done.name, &Secret::new(done.token)))
        })?;
        let name = login.name.clone();
        Kept::read(&context.environment)?.set(&url, Some(login))?;
        Config::read(&context.environment)?.set("server", Some(url.clone()))?;
        context.messages.done(&format!("Successfully logged in to {url} as {name}"));
        Ok(Outcome::Done)
    }
}

impl Login {
    /// Name and password, asked for on the terminal as far as nobody said them. A new password is
    /// asked for twice.
    fn asked(&self, new: bool) -> anyhow::Result<(String, Secret)> {
        let terminal = std::io::stdin().is_terminal();
        let name = match &self.name {
            Some(name) => name.clone(),
            None if self.password_stdin || !terminal => {
                return Err(Failure::error("login: nobody says who you are", "-u NAME says it"));
            }
            None => line("Name: ")?,
        };
        Ok((name, self.password(new)?))
    }

    fn password(&self, new: bool) -> anyhow::Result<Secret> {
        if self.password_stdin {
            return secret("password");
        }
        if !std::io::stdin().is_terminal() {
            return Err(Failure::error(
                "login: there is no terminal to ask for the password",
                "--password-stdin reads it from stdin, --token-stdin a token",
            ));
        }
        if new { new_password() } else { hidden("Password: ") }
    }
}

/// A new password, asked for twice.
pub(super) fn new_password() -> anyhow::Result<Secret> {
    let password = hidden("New password: ")?;
    if hidden("Once more: ")? != password {
        let hint = "type the same one twice; nothing was changed";
        return Err(Failure::error("new password: it was typed otherwise the second time", hint));
    }
    Ok(password)
}

/// What is typed without being seen.
pub(super) fn hidden(prompt: &str) -> anyhow::Result<Secret> {
    rpassword::prompt_password(prompt).map(Secret::new).context("cannot read the password")
}

async fn with_token(context: &Context, url: &str) -> anyhow::Result<Kind> {
    let token = secret("token")?;
    let me = reach(context, url, Some(token.clone()))?.me().await?;
    Ok(Kind::new(me.name, &token))
}

pub(super) fn line(prompt: &str) -> anyhow::Result<String> {
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "{prompt}").and_then(|()| stderr.flush());
    let mut line = String::new();
    let read = std::io::stdin().lock().take(LONGEST).read_line(&mut line);
    read.context("cannot read the name")?;
    Ok(line.trim().to_owned())
}

/// A secret from stdin, without the end of its line.
fn secret(what: &str) -> anyhow::Result<Secret> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(LONGEST).read_to_string(&mut text);
    read.with_context(|| format!("cannot read the {what} from stdin"))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(Failure::error(
            format!("login: there is no {what} on stdin"),
            format!(
                "pipe it into this command: printf %s \"$SECRET\" | foretop login SERVER --{what}-stdin"
            ),
        ));
    }
    Ok(Secret::new(text))
}

/// Where there is no server, and none is named.
pub(super) const NOWHERE: &str = "nobody needs to log in: there is no server";
