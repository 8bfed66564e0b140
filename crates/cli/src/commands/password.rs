//! `foretop password`: another password at a server.

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use anyhow::Context as _;
use api::ChangingPassword;

use super::login::{LONGEST, hidden, new_password};
use super::{Outcome, Verb};
use crate::Context;
use crate::asking::{at_server, nowhere, server};
use crate::failure::Failure;

/// Change your password; all other sessions are over then, tokens stay
#[derive(clap::Parser)]
#[command(name = "password")]
pub(crate) struct Password {
    /// Read the present password and the new one from stdin, a line each
    #[arg(long)]
    stdin: bool,
}

impl Verb for Password {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        // Nobody is asked for a password that nobody wants.
        if server(context)?.is_none() {
            return Err(nowhere(NOWHERE));
        }
        let (old, new) = if self.stdin {
            lines()?
        } else if std::io::stdin().is_terminal() {
            (hidden("Password: ")?.expose().to_owned(), new_password()?.expose().to_owned())
        } else {
            return Err(Failure::error(
                "password: there is no terminal to ask for it",
                "--stdin reads the present and the new password from stdin, a line each",
            ));
        };
        at_server(context, NOWHERE, async |client| {
            client.change_password(&ChangingPassword { old, new }).await?;
            context.messages.done("Successfully changed your password; other sessions are over");
            Ok(Outcome::Done)
        })
    }
}

const NOWHERE: &str = "password: there is no server that asks for one";

fn lines() -> anyhow::Result<(String, String)> {
    let mut lines = std::io::stdin().lock().take(2 * LONGEST).lines();
    let mut line = || lines.next().transpose().context("cannot read the passwords from stdin");
    let (Some(old), Some(new)) = (line()?, line()?) else {
        return Err(Failure::error(
            "password: there are not two lines on stdin",
            "the present password is the first line, the new one the second",
        ));
    };
    Ok((old, new))
}
