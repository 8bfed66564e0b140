//! `foretop notification`: what is to be told, and what was.

use api::{NotificationQuery, NotificationState, Resending};
use clap::{Subcommand, ValueEnum};
use format::shown;

use super::{Outcome, Verb};
use crate::Context;
use crate::asking::{Asking, Whose, ask, latest};
use crate::failure::Failure;
use crate::messages::count;
use crate::table::{Format, columns, second};

/// List what is to be told by rules and what was, and tell again what nobody took
#[derive(clap::Parser)]
#[command(name = "notification", arg_required_else_help = true)]
pub(crate) struct Notification {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List what is to be told and what was, the latest first, with why it was not
    List {
        /// Only what is in this state
        #[arg(long, value_enum)]
        state: Option<State>,
        /// At most so many
        #[arg(long, value_name = "COUNT", default_value_t = 100,
              value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        whose: Whose,
    },
    /// Tell once more what was given up, and now what waits for its next try: all of it, or one alone
    Retry {
        /// This alone, by the id that `list` tells
        #[arg(value_name = "ID", value_parser = super::said())]
        notification: Option<String>,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        whose: Whose,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum State {
    /// It is to be told
    Waiting,
    /// It was
    Sent,
    /// Nobody took it for too long
    Failed,
    /// It was not taken, however often it would be told
    Dropped,
}

impl Verb for Notification {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        match self.command {
            Command::List { state, limit, format, whose } => ask(context, &whose, async |asking| {
                list(asking, (state, limit), format, context).await
            }),
            Command::Retry { notification, format, whose } => {
                ask(context, &whose, async |asking| {
                    retry(asking, notification, format, context).await
                })
            }
        }
    }
}

async fn list(
    asking: &Asking,
    (state, limit): (Option<State>, u32),
    format: Format,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let state = state.map(|it| match it {
        State::Waiting => NotificationState::Waiting,
        State::Sent => NotificationState::Sent,
        State::Failed => NotificationState::Failed,
        State::Dropped => NotificationState::Dropped,
    });
    let (all, are_more) = latest(limit, async |after, limit| {
        let query = NotificationQuery { state, after, limit: Some(limit) };
        asking.client.notifications(&asking.organisation, &query).await
    })
    .await?;
    let text = || {
        let rows = all.iter().map(|it| {
            let state = match it.state {
                NotificationState::Waiting => "waiting",
                NotificationState::Sent => "sent",
                NotificationState::Failed => "failed",
                NotificationState::Dropped => "dropped",
            };
            let when = it.ended.as_ref().or(it.ready.as_ref()).unwrap_or(&it.created);
            vec![
                second(when),
                state.to_owned(),
                it.rule.clone().unwrap_or_default(),
                format!("{} {}", it.channel.kind, it.channel.name),
                it.about.clone(),
                it.trouble.clone().unwrap_or_default(),
                it.id.clone(),
            ]
        });
        columns(&["When", "State", "Rule", "Channel", "About", "Why", "Id"], rows.collect())
    };
    if all.is_empty() && format == Format::Text {
        context.messages.inform("There is nothing like that to be told");
    } else {
        context.messages.tell_as(format, &all, text)?;
    }
    if are_more {
        context.messages.inform(&format!("The latest {limit}: --limit asks for more"));
    }
    Ok(Outcome::Done)
}

async fn retry(
    asking: &Asking,
    notification: Option<String>,
    format: Format,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let resending = Resending { notification };
    let resent = asking.client.retry_notifications(&asking.organisation, &resending).await?;
    let messages = &context.messages;
    // Whoever means one takes silence for done.
    if resent.retried == 0
        && let Some(id) = &resending.notification
    {
        return Err(Failure::error(
            shown(&format!("notification `{id}`: there is none that was given up or waits")),
            "`foretop notification list` tells their ids",
        ));
    }
    if format == Format::Json {
        messages.report(&format!("{}\n", serde_json::to_string_pretty(&resent)?))?;
    } else if resent.retried == 0 {
        messages.inform("Nothing was given up, and nothing waits for its next try");
    } else {
        let told = count(resent.retried, "notification is", "notifications are");
        messages.done(&format!("{told} told once more"));
    }
    Ok(Outcome::Done)
}
