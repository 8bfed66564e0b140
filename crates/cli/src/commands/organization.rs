//! `foretop organization`: which there are, and one that is to be no more.

use std::io::IsTerminal as _;

use clap::Subcommand;

use super::{Outcome, Verb, said};
use crate::Context;
use crate::asking::{Whose, ask};
use crate::failure::Failure;
use crate::table::{Format, columns};

/// List the organizations you belong to, and delete one with everything that is its own
#[derive(clap::Parser)]
#[command(name = "organization", visible_alias = "org", arg_required_else_help = true)]
pub(crate) struct Organization {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List those you belong to; `foretop enroll NAME` makes one
    List {
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Delete an organization: images, environments, history, events, tokens, everything
    Delete {
        /// Its name
        #[arg(value_parser = said())]
        name: String,
        /// Its name once more, instead of being asked for it
        #[arg(long, value_name = "NAME")]
        yes: Option<String>,
    },
}

impl Verb for Organization {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let messages = &context.messages;
        match self.command {
            // Nobody has to have chosen one to see them.
            Command::List { format } => ask(context, &Whose::named(""), async |asking| {
                let mine = asking.client.me().await?.organisations;
                let row = |it: &api::Membership| {
                    vec![it.organisation.clone(), it.role.as_str().to_owned()]
                };
                messages.tell_as(format, &mine, || {
                    columns(&["Organization", "You are"], mine.iter().map(row).collect())
                })
            })?,
            Command::Delete { name, yes } => {
                sure(&name, yes, context)?;
                ask(context, &Whose::named(&name), async |asking| {
                    asking.client.delete_organisation(&name).await?;
                    messages.done(&format!("Successfully deleted organization {name}"));
                    if asking.settled.as_deref() == Some(&*name) {
                        messages.inform("`foretop config organization --unset` forgets its name");
                    }
                    Ok(())
                })?;
            }
        }
        Ok(Outcome::Done)
    }
}

/// Does somebody know what they do?
fn sure(name: &str, yes: Option<String>, context: &Context) -> anyhow::Result<()> {
    let said = match yes {
        Some(said) => said,
        None if std::io::stdin().is_terminal() => {
            context.messages.warn(&format!("Nothing brings {name} back but a backup"));
            super::login::line("Type its name to delete it: ")?
        }
        None => {
            return Err(Failure::error(
                format!("organization {name}: nothing brings it back, and nobody is here to ask"),
                format!("--yes {name} says that it is meant"),
            ));
        }
    };
    if said == name {
        return Ok(());
    }
    Err(Failure::error(
        format!("organization {name}: `{said}` is another name, so nothing was deleted"),
        format!("--yes {name} says that it is meant"),
    ))
}
