//! `foretop session`: where one is logged in.

use clap::Subcommand;

use super::{Outcome, Verb, said};
use crate::Context;
use crate::asking::at_server;
use crate::failure::Failure;
use crate::messages::count;
use crate::table::{Format, columns, second};

/// List where you are logged in, and log out elsewhere
#[derive(clap::Parser)]
#[command(name = "session", arg_required_else_help = true)]
pub(crate) struct Session {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List where you are logged in
    List {
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Log out of a session
    End {
        /// Its id, as `session list` shows it
        #[arg(required_unless_present = "others", conflicts_with = "others", value_parser = said())]
        session: Option<String>,
        /// All but the one you speak in
        #[arg(long)]
        others: bool,
    },
}

impl Verb for Session {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let messages = &context.messages;
        at_server(context, "sessions: there is no server to be logged in to", async |client| {
            match self.command {
                Command::List { format } => {
                    let all = client.sessions().await?.items;
                    messages.tell_as(format, &all, || table(&all))?;
                }
                Command::End { session: Some(id), .. } => {
                    client.end_session(&id).await?;
                    messages.done("Successfully logged out of that session");
                }
                Command::End { session: None, .. } => {
                    let all = client.sessions().await?.items;
                    // With a token there is no session that one speaks in.
                    if all.iter().all(|it| !it.current) {
                        return Err(Failure::error(
                            "sessions: you speak in none of them, so all would be others",
                            "foretop login first, or end them one by one",
                        ));
                    }
                    let others: Vec<_> = all.iter().filter(|it| !it.current).collect();
                    for it in &others {
                        client.end_session(&it.id).await?;
                    }
                    let ended = count(others.len() as u64, "session", "sessions");
                    messages.done(&format!("Successfully logged out of {ended}"));
                }
            }
            Ok(Outcome::Done)
        })
    }
}

fn table(all: &[api::Session]) -> String {
    let rows = all.iter().map(|it| {
        let here = if it.current { "this one" } else { "" };
        let used = it.last_used.as_deref().map_or("never".to_owned(), second);
        let origin = if it.origin.is_empty() { "-" } else { &it.origin };
        let (origin, created, expires) =
            (origin.to_owned(), second(&it.created), second(&it.expires));
        vec![origin, created, used, expires, it.id.clone(), here.to_owned()]
    });
    columns(&["From", "Since", "Used", "Until", "Id", ""], rows.collect())
}
