//! `foretop member`: who is in an organisation.

use api::{Assigning, Disabling, Member as Kept, NewInvitation, PageQuery, Role};
use clap::{Subcommand, ValueEnum};

use super::{Outcome, Verb, said};
use crate::Context;
use crate::asking::{Asking, PART, Whose, ask, nowhere, server, whole};
use crate::table::{Format, columns, second};

/// List the members of an organization, invite, disable and remove them, and give them roles
#[derive(clap::Parser)]
#[command(name = "member", arg_required_else_help = true)]
pub(crate) struct Member {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the members
    List {
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        whose: Whose,
    },
    /// Take in somebody who can log in to the server already, or give a member another role
    #[command(visible_alias = "role")]
    Add {
        /// Their name
        #[arg(value_parser = said())]
        name: String,
        /// As what
        #[arg(long, value_enum, default_value_t = As::Member)]
        role: As,
        #[command(flatten)]
        whose: Whose,
    },
    /// Take somebody out
    Remove {
        /// Their name
        #[arg(value_parser = said())]
        name: String,
        #[command(flatten)]
        whose: Whose,
    },
    /// Keep somebody from logging in who is only in organizations that you own; their sessions and
    /// tokens end at once
    Disable {
        /// Their name
        #[arg(value_parser = said())]
        name: String,
        #[command(flatten)]
        whose: Whose,
    },
    /// Let them log in again
    Enable {
        /// Their name
        #[arg(value_parser = said())]
        name: String,
        #[command(flatten)]
        whose: Whose,
    },
    /// Invite somebody, who will choose a name and a password
    Invite {
        /// As what
        #[arg(long, value_enum, default_value_t = As::Member)]
        role: As,
        /// For how many days the invitation is good
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=30))]
        days: Option<u32>,
        #[command(flatten)]
        whose: Whose,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum As {
    /// Who sees everything
    Member,
    /// Who also records what runs and pushes images
    Editor,
    /// Who also makes environments, and says who belongs here
    Owner,
}

impl From<As> for Role {
    fn from(it: As) -> Self {
        match it {
            As::Member => Self::Member,
            As::Editor => Self::Editor,
            As::Owner => Self::Owner,
        }
    }
}

impl Verb for Member {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let messages = &context.messages;
        match self.command {
            Command::List { format, whose } => with(context, &whose, async |asking, _| {
                let members = members(asking).await?;
                messages.tell_as(format, &members, || table(&members))
            }),
            Command::Add { name, role, whose } => with(context, &whose, async |asking, _| {
                let role = Role::from(role);
                let org = &asking.organisation;
                asking.client.put_member(org, &name, &Assigning { role }).await?;
                let role = role.as_str();
                messages.done(&format!("Successfully made {name} {role} of {org}"));
                Ok(())
            }),
            Command::Remove { name, whose } => with(context, &whose, async |asking, _| {
                let org = &asking.organisation;
                asking.client.remove_member(org, &name).await?;
                messages.done(&format!("Successfully removed {name} from {org}"));
                Ok(())
            }),
            Command::Disable { name, whose } => with(context, &whose, async |asking, _| {
                let org = &asking.organisation;
                asking.client.disable_member(org, &name, Disabling { disabled: true }).await?;
                messages.done(&format!("Successfully disabled {name}: they may not log in"));
                Ok(())
            }),
            Command::Enable { name, whose } => with(context, &whose, async |asking, _| {
                let org = &asking.organisation;
                asking.client.disable_member(org, &name, Disabling { disabled: false }).await?;
                messages.done(&format!("Successfully enabled {name}: they may log in"));
                Ok(())
            }),
            Command::Invite { role, days, whose } => with(context, &whose, async |asking, url| {
                let org = &asking.organisation;
                let new = NewInvitation { role: role.into(), days };
                let made = asking.client.invite(org, &new).await?;
                messages.report(&format!("{url}{}\n", made.path))?;
                messages.inform(&format!(
                    "Good once, until {}: with a browser, or `foretop login` and this address",
                    second(&made.expires)
                ));
                Ok(())
            }),
        }
    }
}

/// Does `work` at a server; where there is none, there are no members.
fn with(
    context: &Context,
    whose: &Whose,
    work: impl AsyncFnOnce(&Asking, &str) -> anyhow::Result<()>,
) -> anyhow::Result<Outcome> {
    let nowhere = || nowhere("members: there is no server, so there is nobody but you");
    let url = server(context)?.ok_or_else(nowhere)?;
    ask(context, whose, async |asking| work(asking, &url).await)?;
    Ok(Outcome::Done)
}

async fn members(asking: &Asking) -> anyhow::Result<Vec<Kept>> {
    let members = whole(async |after| {
        let page = PageQuery { after, limit: Some(PART) };
        asking.client.members(&asking.organisation, &page).await
    });
    Ok(members.await?)
}

fn table(members: &[Kept]) -> String {
    let rows = members.iter().map(|it| {
        let role = it.role.as_str();
        let role = if it.disabled { format!("{role}, may not log in") } else { role.to_owned() };
        vec![it.name.clone(), role, second(&it.since)]
    });
    columns(&["Name", "Role", "Since"], rows.collect())
}
