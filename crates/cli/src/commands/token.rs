//! `foretop token`: what programs show to a server.

use api::{NewToken, Rotating, Scope, Token as Kept, TokenQuery};
use clap::{Subcommand, ValueEnum};

use super::{Outcome, Verb, said};
use crate::Context;
use crate::asking::{PART, at_server, whole};
use crate::failure::Failure;
use crate::messages::count;
use crate::table::{Format, columns, second};

/// Make, list, replace and revoke the tokens that programs show to the server
#[derive(clap::Parser)]
#[command(name = "token", arg_required_else_help = true)]
pub(crate) struct Token {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a token, and show it this once
    Create {
        /// What to call it: `ci of web`
        #[arg(value_parser = said())]
        name: String,
        /// How much it may
        #[arg(long, value_enum, default_value_t = Power::Read)]
        scope: Power,
        /// For how many days it is good; without, until it is revoked
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: Option<u32>,
        #[command(flatten)]
        holder: Holder,
    },
    /// List tokens
    List {
        /// Those too that are good no more
        #[arg(long)]
        all: bool,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        holder: Holder,
    },
    /// Make a token that is to be used instead of another, and show it this once
    Rotate {
        /// The id of the former one, or how it begins, as `token list` shows them
        #[arg(value_parser = said())]
        token: String,
        /// For how many hours more the former one is good too
        #[arg(long, value_name = "HOURS", default_value_t = 0,
              value_parser = clap::value_parser!(u32).range(0..=720))]
        overlap: u32,
        /// For how many days the new one is good; without, for as long as the former one was
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: Option<u32>,
        #[command(flatten)]
        holder: Holder,
    },
    /// Revoke a token
    Revoke {
        /// Its id, or how it begins, as `token list` shows them
        #[arg(value_parser = said())]
        token: String,
        #[command(flatten)]
        holder: Holder,
    },
}

#[derive(clap::Args)]
struct Holder {
    /// Of this organization; without, of your own
    #[arg(long, value_name = "ORGANIZATION", value_parser = said())]
    org: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Power {
    /// What members may
    Read,
    /// What editors may
    Write,
    /// What owners may
    Admin,
}

impl Verb for Token {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let messages = &context.messages;
        at_server(context, "tokens: there is no server that asks for one", async |client| {
            match self.command {
                Command::Create { name, scope, days, holder } => {
                    let scope = match scope {
                        Power::Read => Scope::Read,
                        Power::Write => Scope::Write,
                        Power::Admin => Scope::Admin,
                    };
                    let expires = days.map(until);
                    let new = NewToken { name, scope, expires };
                    let made = client.create_token(holder.org.as_deref(), &new).await?;
                    messages.report(&format!("{}\n", made.secret))?;
                    messages.done(&format!(
                        "Successfully made token {}; it is not shown again",
                        made.token.name
                    ));
                }
                Command::Rotate { token, overlap, days, holder } => {
                    let org = holder.org.as_deref();
                    let one = one(client, org, &token).await?;
                    let rotating =
                        Rotating { expires: days.map(until), overlap_hours: Some(overlap) };
                    let made = client.rotate_token(org, &one.id, &rotating).await?;
                    messages.report(&format!("{}\n", made.secret))?;
                    let former = match overlap {
                        0 => "is good no more".to_owned(),
                        hours => {
                            format!("is good for {} more", count(hours.into(), "hour", "hours"))
                        }
                    };
                    messages.done(&format!(
                        "Successfully replaced token {}; it is not shown again, and the former one \
                         {former}",
                        made.token.name
                    ));
                }
                Command::List { all, format, holder } => {
                    let tokens = tokens(client, holder.org.as_deref(), all).await?;
                    messages.tell_as(format, &tokens, || table(&tokens))?;
                }
                Command::Revoke { token, holder } => {
                    let org = holder.org.as_deref();
                    let one = one(client, org, &token).await?;
                    client.revoke_token(org, &one.id).await?;
                    messages.done(&format!("Successfully revoked token {}", one.name));
                }
            }
            Ok(Outcome::Done)
        })
    }
}

/// So many days from now.
fn until(days: u32) -> String {
    let day = jiff::SignedDuration::from_hours(24 * i64::from(days));
    (jiff::Timestamp::now() + day).to_string()
}

/// The one that is meant by its id or its beginning.
async fn one(client: &api::Client, org: Option<&str>, token: &str) -> anyhow::Result<Kept> {
    let tokens = tokens(client, org, false).await?;
    let mut found = tokens.into_iter().filter(|it| it.id == token || token.starts_with(&it.prefix));
    if let (Some(one), None) = (found.next(), found.next()) {
        return Ok(one);
    }
    Err(Failure::error(
        "token: there is none that begins like that, or more than one",
        "`foretop token list` shows their ids",
    ))
}

async fn tokens(client: &api::Client, org: Option<&str>, all: bool) -> anyhow::Result<Vec<Kept>> {
    let tokens = whole(async |after| {
        client.tokens(org, &TokenQuery { all, after, limit: Some(PART) }).await
    });
    Ok(tokens.await?)
}

fn table(tokens: &[Kept]) -> String {
    let rows = tokens.iter().map(|it| {
        let state = match (&it.revoked, &it.expires) {
            (Some(since), _) => format!("revoked {}", second(since)),
            (None, Some(until)) => format!("until {}", second(until)),
            (None, None) => "until revoked".to_owned(),
        };
        let used = it.last_used.as_deref().map_or("never".to_owned(), second);
        let scope = model::Scope::from(it.scope).to_string();
        vec![it.name.clone(), it.prefix.clone(), scope, used, state, it.id.clone()]
    });
    columns(&["Name", "Begins", "Scope", "Used", "Good", "Id"], rows.collect())
}
