//! `foretop logout`: to be nobody at a server.

use super::login::NOWHERE;
use super::{Outcome, Verb};
use crate::Context;
use crate::asking::{address, nowhere, reach, server};
use crate::credentials::Kept;

/// Log out of a server, there and here
#[derive(clap::Parser)]
#[command(name = "logout")]
pub(crate) struct Logout {
    /// The server; without one, the one that is settled
    #[arg(value_name = "SERVER")]
    server: Option<String>,
}

impl Verb for Logout {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let url = match &self.server {
            Some(text) => address("logout", text)?.0,
            None => server(context)?.ok_or_else(|| nowhere(NOWHERE))?,
        };
        let mut kept = Kept::read(&context.environment)?;
        let Some(login) = kept.at(&url).cloned() else {
            context.messages.inform(&format!("You are not logged in to {url}"));
            return Ok(Outcome::Done);
        };
        kept.set(&url, None)?;
        // A token was made elsewhere, and is revoked there.
        if login.token().expose().starts_with("fts_") {
            let client = reach(context, &url, Some(login.token()))?;
            if let Err(error) = crate::runtime()?.block_on(client.log_out()) {
                let told = format!("{url}: it could not be told, {error}; the session runs out");
                context.messages.warn(&told);
            }
        }
        context.messages.done(&format!("Successfully logged out of {url}"));
        Ok(Outcome::Done)
    }
}
