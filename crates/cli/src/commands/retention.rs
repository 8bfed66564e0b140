//! `foretop retention`: for how long things are kept.

use api::{ExpireQuery, Expired, Keeping, KeepingFor};
use clap::Subcommand;
use model::Retained;

use super::{Outcome, Verb};
use crate::Context;
use crate::asking::{Whose, ask};
use crate::messages::count;
use crate::table::{Format, columns};

/// Show and say for how long things are kept, and delete what is older
#[derive(clap::Parser)]
#[command(name = "retention", arg_required_else_help = true, after_help = AFTER)]
pub(crate) struct Retention {
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
What runs is never deleted, nor the image that a deployment which is kept tells of.
A server deletes once a day; without one, `foretop retention apply` does.";

#[derive(Subcommand)]
enum Command {
    /// Show for how long what is kept
    List {
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        whose: Whose,
    },
    /// Say for how long something is to be kept
    Set {
        /// What: history, events, counts, evaluations, images
        what: Retained,
        /// For how long: 90d, 12w, 2y, forever, or default
        #[arg(value_name = "TIME", value_parser = time)]
        time: Time,
        #[command(flatten)]
        whose: Whose,
    },
    /// Delete what is older than it is to be kept, now
    Apply {
        /// Only say what would go
        #[arg(long)]
        dry_run: bool,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        whose: Whose,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Time {
    Days(u32),
    ForEver,
    Usual,
}

/// `90d`, `12w`, `2y`, `forever`, `default`.
fn time(text: &str) -> Result<Time, String> {
    match text {
        "forever" | "for-ever" => return Ok(Time::ForEver),
        "default" => return Ok(Time::Usual),
        _ => {}
    }
    let days = [("d", 1), ("w", 7), ("y", 365)]
        .iter()
        .find_map(|(unit, days)| text.strip_suffix(unit)?.parse::<u32>().ok()?.checked_mul(*days));
    let days = days.filter(|it| (1..=36_500).contains(it));
    days.map(Time::Days).ok_or_else(|| "write 90d, 12w, 2y, forever, or default".to_owned())
}

impl Verb for Retention {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let messages = &context.messages;
        match self.command {
            Command::List { format, whose } => ask(context, &whose, async |asking| {
                let all = asking.client.retention(&asking.organisation).await?.items;
                messages.tell_as(format, &all, || table(&all))
            })?,
            Command::Set { what, time, whose } => ask(context, &whose, async |asking| {
                let (client, org, what) = (&asking.client, &asking.organisation, what.as_str());
                let kept = match time {
                    Time::Usual => client.keep_as_usual(org, what).await?,
                    Time::ForEver => client.keep_for(org, what, KeepingFor { days: None }).await?,
                    Time::Days(days) => {
                        client.keep_for(org, what, KeepingFor { days: Some(days) }).await?
                    }
                };
                messages.done(&format!("Successfully set {what} to be kept {}", how_long(&kept)));
                Ok(())
            })?,
            Command::Apply { dry_run, format, whose } => ask(context, &whose, async |asking| {
                let query = ExpireQuery { dry_run };
                let expired = asking.client.expire(&asking.organisation, query).await?;
                let told = told(&expired);
                let would = dry_run && !told.is_empty();
                let text = || if would { format!("Would delete {told}\n") } else { String::new() };
                messages.tell_as(format, &expired, text)?;
                if told.is_empty() {
                    messages.inform("Nothing is older than it may be");
                } else if !dry_run {
                    messages.done(&format!("Deleted {told}"));
                }
                Ok(())
            })?,
        }
        Ok(Outcome::Done)
    }
}

fn how_long(it: &Keeping) -> String {
    it.days.map_or("for ever".to_owned(), |it| count(it.into(), "day", "days"))
}

fn table(all: &[Keeping]) -> String {
    let rows = all.iter().map(|it| {
        let said = if it.by_default { "by default" } else { "as settled" };
        vec![it.what.clone(), how_long(it), said.to_owned(), it.means.clone()]
    });
    columns(&["What", "Kept", "", "Which is"], rows.collect())
}

/// `3 events, 1 image`.
fn told(it: &Expired) -> String {
    let all = [
        (it.deployments, "deployment that had ended", "deployments that had ended"),
        (it.tags, "tag that had moved on", "tags that had moved on"),
        (it.events, "event", "events"),
        (it.counts, "count", "counts"),
        (it.evaluations, "evaluation", "evaluations"),
        (it.images, "image", "images"),
    ];
    let some = all.into_iter().filter(|(number, ..)| *number > 0);
    some.map(|(number, one, many)| count(number, one, many)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let check = |text: &str, expect: Result<Time, ()>| {
            assert_eq!(time(text).map_err(|_| ()), expect, "{text}");
        };
        check("90d", Ok(Time::Days(90)));
        check("12w", Ok(Time::Days(84)));
        check("2y", Ok(Time::Days(730)));
        check("forever", Ok(Time::ForEver));
        check("default", Ok(Time::Usual));
        for junk in ["", "d", "0d", "-1d", "90", "101y", "99999999999d", "4294967295y", "1 d"] {
            check(junk, Err(()));
        }
    }
}
