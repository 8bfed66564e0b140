//! `foretop password`: another password at a server.

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use anyhow::{Context as _, bail};
use api::ChangingPassword;

use super::login::{LONGEST, hidden, new_password, nowhere};
use super::{Outcome, Verb};
use crate::Context;
use crate::asking::{server, there};
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
        let url = server(context)?.ok_or_else(nowhere)?;
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
        crate::runtime()?.block_on(async {
            let client = there(context, &url).await?;
            client.change_password(&ChangingPassword { old, new }).await?;
            context.messages.done("Successfully changed your password; other sessions are over");
            Ok(Outcome::Done)
        })
    }
}

fn lines() -> anyhow::Result<(String, String)> {
    let mut lines = std::io::stdin().lock().take(2 * LONGEST).lines();
    let mut line = || lines.next().transpose().context("cannot read the passwords from stdin");
    let (Some(old), Some(new)) = (line()?, line()?) else {
        bail!("password: there are not two lines on stdin");
    };
    Ok((old, new))
}
