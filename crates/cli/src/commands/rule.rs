//! `foretop rule`: who is told of what.

use std::fmt::Write as _;

use api::{
    Channel, Definition, Digesting, Every, PreviewQuery, Previewed, Quiet, Rule as Kept, Ruling,
};
use clap::{Subcommand, ValueEnum};
use model::{ALL_TOPICS, Level, Topic};

use super::{Outcome, Verb};
use crate::Context;
use crate::asking::{Asking, Whose, ask};
use crate::failure::Failure;
use crate::messages::count;
use crate::table::{Format, columns, plain, second};

/// Tell people what happens, by rules: of what, in which environments, to which channel
#[derive(clap::Parser)]
#[command(name = "rule", arg_required_else_help = true)]
pub(crate) struct Rule {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Add a rule, or change the one of that name: all it is to say is said anew
    #[command(after_help = after_help())]
    Add(Box<Add>),
    /// List rules, with how much waits to be told by each
    List {
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        whose: Whose,
    },
    /// Remove a rule, with what waits to be told by it
    Remove {
        /// Its name
        #[arg(value_parser = super::said())]
        name: String,
        #[command(flatten)]
        whose: Whose,
    },
    /// Show what a rule would have told of the last days, and tell nobody
    Test {
        /// Its name
        #[arg(value_parser = super::said())]
        name: String,
        /// Of so many days
        #[arg(long, value_name = "COUNT", default_value_t = 7,
              value_parser = clap::value_parser!(u32).range(1..=90))]
        days: u32,
        /// Tell the last of it to the channel, as a test
        #[arg(long, conflicts_with = "days")]
        send: bool,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        whose: Whose,
    },
}

#[derive(clap::Args)]
struct Add {
    /// What it is to be called
    #[arg(value_parser = super::said())]
    name: String,
    /// Who tells: the kind of an integration, and its name if it has one
    #[arg(long, value_name = "KIND[/NAME]", value_parser = super::said())]
    channel: String,
    /// Of what: topics with commas between them, or all
    #[arg(long, value_name = "TOPIC,…", value_delimiter = ',', required = true,
          value_parser = super::said())]
    on: Vec<String>,
    /// Only in these environments, by names or globs; repeatable
    #[arg(long = "env", value_name = "NAME|GLOB", value_delimiter = ',',
          value_parser = super::said())]
    environments: Vec<String>,
    /// Only of these repositories, by names with their registry or by globs; repeatable
    #[arg(long = "repo", value_name = "NAME|GLOB", value_delimiter = ',',
          value_parser = super::said())]
    repositories: Vec<String>,
    /// Only flaws of these severities
    #[arg(long = "only-severity", value_name = "LEVEL,…", value_delimiter = ',',
          value_parser = level)]
    severities: Vec<Level>,
    /// Only flaws of packages that are in use, or of which nobody can tell
    #[arg(long)]
    in_use_only: bool,
    /// Not at once, but together
    #[arg(long, value_enum)]
    digest: Option<Often>,
    /// When a digest is told, if it is not hourly [default: 08:00]
    #[arg(long, value_name = "HH:MM", requires = "digest", value_parser = super::said())]
    at: Option<String>,
    /// Tell nothing then: it is told together when that is over
    #[arg(long, value_name = "HH:MM-HH:MM", value_parser = super::said())]
    quiet: Option<String>,
    /// Flaws of these severities are told in quiet hours, too
    #[arg(long, value_name = "LEVEL,…", value_delimiter = ',', requires = "quiet",
          value_parser = level)]
    unless: Vec<Level>,
    /// The zone of these times: Europe/Berlin
    #[arg(long, value_name = "ZONE", value_parser = super::said())]
    zone: Option<String>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    whose: Whose,
}

#[derive(Clone, Copy, ValueEnum)]
enum Often {
    /// At each full hour
    Hourly,
    /// Once a day
    Daily,
    /// On Mondays
    Weekly,
}

/// The name of those of which there is one.
const USUAL: &str = "default";

/// What one may be told of.
fn after_help() -> String {
    use std::fmt::Write as _;
    let mut text = "Topics:\n".to_owned();
    for topic in Topic::ALL {
        let _ = writeln!(text, "  {:<22} {}", topic.id, topic.about);
    }
    let _ = writeln!(text, "  {ALL_TOPICS:<22} all of them");
    text
}

fn level(text: &str) -> Result<Level, String> {
    Level::parse(text).ok_or_else(|| {
        let words = Level::ALL.map(Level::as_str).join(", ");
        format!("it is one of {words}")
    })
}

impl Verb for Rule {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        match self.command {
            Command::Add(add) => {
                let ruling = ruling(&add)?;
                ask(context, &add.whose, async |asking| {
                    let rule =
                        asking.client.put_rule(&asking.organisation, &add.name, &ruling).await?;
                    added(&rule, add.format, context)
                })
            }
            Command::List { format, whose } => {
                ask(context, &whose, async |asking| list(asking, format, context).await)
            }
            Command::Remove { name, whose } => ask(context, &whose, async |asking| {
                asking.client.delete_rule(&asking.organisation, &name).await?;
                context.messages.done(&format!("Successfully removed rule {name}"));
                Ok(Outcome::Done)
            }),
            Command::Test { name, send: true, format, whose, .. } => {
                ask(context, &whose, async |asking| send(asking, &name, format, context).await)
            }
            Command::Test { name, days, format, whose, .. } => {
                ask(context, &whose, async |asking| {
                    preview(asking, &name, days, format, context).await
                })
            }
        }
    }
}

fn ruling(add: &Add) -> anyhow::Result<Ruling> {
    if add.channel.contains(',') {
        return Err(Failure::error(
            format!("--channel {}: a rule tells one", add.channel),
            "add a rule for each channel",
        ));
    }
    let (kind, name) = add.channel.split_once('/').unwrap_or((&add.channel, USUAL));
    let words = |levels: &[Level]| levels.iter().map(|it| it.as_str().to_owned()).collect();
    // Those have a time of day also where nobody says it.
    let has_time = matches!(add.digest, Some(Often::Daily | Often::Weekly)) || add.at.is_some();
    if add.zone.is_some() && add.quiet.is_none() && !has_time {
        return Err(Failure::error(
            "--zone: no time of day is told",
            "it goes with --quiet, or with --digest daily or weekly",
        ));
    }
    let digest = add.digest.map(|it| Digesting {
        every: match it {
            Often::Hourly => Every::Hourly,
            Often::Daily => Every::Daily,
            Often::Weekly => Every::Weekly,
        },
        at: add.at.clone(),
        zone: add.zone.clone(),
    });
    let quiet = add.quiet.as_deref().map(|text| {
        let (from, until) = text.split_once('-').ok_or_else(|| {
            Failure::error(
                format!("--quiet: `{text}` is no time from one hour to another"),
                "write it as 22:00-07:00",
            )
        })?;
        Ok::<_, anyhow::Error>(Quiet {
            from: from.trim().to_owned(),
            until: until.trim().to_owned(),
            zone: add.zone.clone(),
            unless: words(&add.unless),
        })
    });
    Ok(Ruling {
        channel: Channel { kind: kind.to_owned(), name: name.to_owned() },
        definition: Definition {
            on: add.on.clone(),
            environments: add.environments.clone(),
            repositories: add.repositories.clone(),
            severities: words(&add.severities),
            in_use_only: add.in_use_only,
            digest,
            quiet: quiet.transpose()?,
        },
    })
}

fn added(rule: &Kept, format: Format, context: &Context) -> anyhow::Result<Outcome> {
    let messages = &context.messages;
    if format == Format::Json {
        messages.report(&format!("{}\n", serde_json::to_string_pretty(rule)?))?;
        return Ok(Outcome::Done);
    }
    let Channel { kind, name } = &rule.channel;
    messages.done(&format!("Rule {} tells {kind} {name} of {}", rule.name, said(rule)));
    for name in &rule.missing {
        messages.warn(&format!("there is no environment {name} yet"));
    }
    messages.advise(&format!("`foretop rule test {}` shows what it would have told", rule.name));
    Ok(Outcome::Done)
}

async fn list(asking: &Asking, format: Format, context: &Context) -> anyhow::Result<Outcome> {
    let all = asking.client.rules(&asking.organisation).await?.items;
    if all.is_empty() && format == Format::Text {
        context.messages.inform("There is no rule yet");
        return Ok(Outcome::Done);
    }
    let text = || {
        let rows = all.iter().map(|it| {
            let channel = format!("{} {}", it.channel.kind, it.channel.name);
            let waiting = if it.waiting == 0 { String::new() } else { it.waiting.to_string() };
            vec![it.name.clone(), channel, said(it), waiting]
        });
        columns(&["Rule", "Channel", "Tells of", "Waiting"], rows.collect())
    };
    context.messages.tell_as(format, &all, text)?;
    for it in &all {
        for name in &it.missing {
            let rule = &it.name;
            context.messages.warn(&format!("rule {rule}: there is no environment {name}"));
        }
    }
    Ok(Outcome::Done)
}

async fn preview(
    asking: &Asking,
    name: &str,
    days: u32,
    format: Format,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let query = PreviewQuery { days: Some(days) };
    let preview = asking.client.preview_rule(&asking.organisation, name, &query).await?;
    let messages = &context.messages;
    if format == Format::Json {
        messages.report(&format!("{}\n", serde_json::to_string_pretty(&preview)?))?;
        return Ok(Outcome::Done);
    }
    let text: Vec<String> = preview.messages.iter().map(shown).collect();
    messages.report(&plain(&text.join("\n")))?;
    let told = count(preview.messages.len() as u64, "message", "messages");
    let days = count(u64::from(days), "day", "days");
    messages.inform(&format!("{told} of the last {days}; nobody was told"));
    if !preview.is_all {
        messages.warn("more happened than is looked at: the first of it is left out");
    }
    Ok(Outcome::Done)
}

async fn send(
    asking: &Asking,
    name: &str,
    format: Format,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let tested = asking.client.test_rule(&asking.organisation, name).await?;
    if format == Format::Json {
        context.messages.report(&format!("{}\n", serde_json::to_string_pretty(&tested)?))?;
        return Ok(Outcome::Done);
    }
    context.messages.report(&plain(&shown(&tested.sent)))?;
    context.messages.done("It was told, as a test");
    Ok(Outcome::Done)
}

/// A message, as it would be read.
fn shown(it: &Previewed) -> String {
    let mut text = format!("{}  {}\n", second(&it.at), it.title);
    for line in &it.lines {
        let _ = writeln!(text, "  {line}");
    }
    text
}

/// Of what, where and when, in a line.
fn said(rule: &Kept) -> String {
    let it = &rule.definition;
    let mut text = it.on.join(", ");
    if !it.severities.is_empty() {
        let _ = write!(text, ", {}", it.severities.join(" or "));
    }
    if it.in_use_only {
        text.push_str(", in use");
    }
    if !it.environments.is_empty() {
        let _ = write!(text, ", in {}", it.environments.join(" or "));
    }
    if !it.repositories.is_empty() {
        let _ = write!(text, ", of {}", it.repositories.join(" or "));
    }
    if let Some(digest) = &it.digest {
        let every = match digest.every {
            Every::Hourly => "hourly",
            Every::Daily => "daily",
            Every::Weekly => "weekly",
        };
        let _ = write!(text, "; {every}");
        for it in [&digest.at, &digest.zone].into_iter().flatten() {
            let _ = write!(text, " {it}");
        }
    }
    if let Some(quiet) = &it.quiet {
        let _ = write!(text, "; quiet {}-{}", quiet.from, quiet.until);
        if let Some(zone) = &quiet.zone {
            let _ = write!(text, " {zone}");
        }
        if !quiet.unless.is_empty() {
            let _ = write!(text, " unless {}", quiet.unless.join(" or "));
        }
    }
    text
}
