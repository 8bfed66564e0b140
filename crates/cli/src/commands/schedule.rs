//! `foretop schedule`: what a server checks again and again.

use std::time::Duration;

use api::{CheckQuestion, CheckVerdict, Checked, Found, Schedule as Kept, Scheduling};
use clap::Subcommand;
use format::shown;
use model::Level;

use super::cves::severity;
use super::{Outcome, Verb, said};
use crate::Context;
use crate::asking::{Asking, Whose, ask};
use crate::failure::Failure;
use crate::messages::{Messages, count};
use crate::table::{Format, columns, second};

/// Have a server check environments again and again: whether anything in them is as bad as you say
#[derive(clap::Parser)]
#[command(name = "schedule", arg_required_else_help = true, after_help = AFTER)]
pub(crate) struct Schedule {
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
A check asks what `foretop cves --env ENVIRONMENT --exit-code` asks, and its answer is an event:
check-failed each time that something is found, or that nobody can tell; check-passed when it
passes and did not before.";

#[derive(Subcommand)]
enum Command {
    /// Have an environment checked, or tell a schedule something else
    #[command(visible_alias = "set")]
    Add {
        /// What to call it
        #[arg(value_parser = said())]
        name: String,
        /// The environment
        #[arg(long = "env", value_name = "ENVIRONMENT", value_parser = said())]
        environment: String,
        /// When: minute, hour, day of the month, month, day of the week; or @hourly, @daily, @weekly,
        /// @monthly
        #[arg(long, value_name = "LINE", value_parser = said())]
        cron: String,
        /// By the clocks of this place: Europe/Berlin [default: UTC]
        #[arg(long, value_name = "ZONE", value_parser = said())]
        zone: Option<String>,
        /// Only these severities, parted by commas
        #[arg(long, value_name = "SEVERITY", value_delimiter = ',', value_parser = severity())]
        only_severity: Vec<Level>,
        /// Only what has a fix
        #[arg(long, conflicts_with = "only_unfixed")]
        only_fixed: bool,
        /// Only what has no fix
        #[arg(long)]
        only_unfixed: bool,
        /// Only what is known to be used in attacks (CISA KEV)
        #[arg(long)]
        only_cisa_kev: bool,
        /// Only this repository, tag or image
        #[arg(long, value_name = "IMAGE", value_parser = said())]
        repo: Option<String>,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        whose: Whose,
    },
    /// List what is checked, when it was last and is next; of one that is named, all that was found
    List {
        /// Only this one
        #[arg(value_parser = said())]
        name: Option<String>,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        whose: Whose,
    },
    /// Check it no more
    #[command(visible_alias = "rm")]
    Remove {
        /// Its name
        #[arg(value_parser = said())]
        name: String,
        #[command(flatten)]
        whose: Whose,
    },
    /// Check it now, and tell what comes of it
    Run {
        /// Its name
        #[arg(value_parser = said())]
        name: String,
        /// Exit with code 2 if something is found, or if nobody can tell
        #[arg(short = 'e', long)]
        exit_code: bool,
        /// Wait so many seconds at most
        #[arg(long, value_name = "SECONDS", default_value_t = 600,
              value_parser = clap::value_parser!(u64).range(1..=86_400))]
        wait: u64,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        whose: Whose,
    },
}

impl Verb for Schedule {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let messages = &context.messages;
        match self.command {
            Command::Add {
                name,
                environment,
                cron,
                zone,
                only_severity,
                only_fixed,
                only_unfixed,
                only_cisa_kev,
                repo,
                format,
                whose,
            } => {
                let fixed = match (only_fixed, only_unfixed) {
                    (true, _) => Some(true),
                    (_, true) => Some(false),
                    _ => None,
                };
                let question = CheckQuestion {
                    image: repo,
                    severities: only_severity.iter().map(|it| it.as_str().to_owned()).collect(),
                    fixed,
                    exploited: only_cisa_kev,
                };
                let scheduling = Scheduling { environment, cron, zone, question };
                ask(context, &whose, async |asking| {
                    add(asking, &name, &scheduling, format, messages).await
                })
            }
            Command::List { name, format, whose } => ask(context, &whose, async |asking| {
                list(asking, name.as_deref(), format, messages).await
            }),
            Command::Remove { name, whose } => ask(context, &whose, async |asking| {
                asking.client.delete_schedule(&asking.organisation, &name).await?;
                messages.done(&format!("Schedule {name} is no more"));
                Ok(Outcome::Done)
            }),
            Command::Run { name, exit_code, wait, format, whose } => {
                ask(context, &whose, async |asking| {
                    let kept = run(asking, &name, wait).await?;
                    messages.tell_as(format, &kept, || details(&kept))?;
                    // What was asked for and is not there is no good news.
                    let Some(last) = &kept.last else {
                        return Err(anyhow::anyhow!("schedule {name}: nothing came of its check"));
                    };
                    let has_passed = last.verdict == CheckVerdict::Passed;
                    let line = format!("{name}: {}", told(last));
                    let line = shown(&line);
                    if has_passed {
                        messages.done(&line);
                    } else {
                        messages.warn(&line);
                    }
                    Ok(if exit_code && !has_passed { Outcome::Shut } else { Outcome::Done })
                })
            }
        }
    }
}

async fn add(
    asking: &Asking,
    name: &str,
    scheduling: &Scheduling,
    format: Format,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let done = asking.client.put_schedule(&asking.organisation, name, scheduling).await?;
    let kept = done.schedule;
    if format == Format::Json {
        messages.tell_as(format, &kept, String::new)?;
        return Ok(Outcome::Done);
    }
    let what = if done.new { "is made" } else { "is told something else" };
    let next = kept.next.as_deref().map_or("never".to_owned(), second);
    messages.done(&format!("Schedule {} {what}: it is checked next at {next}", kept.name));
    Ok(Outcome::Done)
}

async fn list(
    asking: &Asking,
    name: Option<&str>,
    format: Format,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let organisation = &asking.organisation;
    let all = match name {
        Some(name) => vec![asking.client.schedule(organisation, name).await?],
        None => asking.client.schedules(organisation).await?.items,
    };
    if all.is_empty() && format == Format::Text {
        messages.inform("Nothing is checked again and again yet: foretop schedule add");
        return Ok(Outcome::Done);
    }
    messages.tell_as(format, &all, || {
        let more: Vec<String> = all.iter().filter(|_| name.is_some()).map(details).collect();
        let between = if more.iter().any(|it| !it.is_empty()) { "\n" } else { "" };
        format!("{}{between}{}", table(&all), more.concat())
    })?;
    Ok(Outcome::Done)
}

fn table(all: &[Kept]) -> String {
    let row = |it: &Kept| {
        let place = if it.nowhere { " (not there)" } else { "" };
        let zone = if it.zone == "UTC" { String::new() } else { format!(" {}", it.zone) };
        let next = match (&it.due, &it.next) {
            (Some(_), _) => "now".to_owned(),
            (None, Some(next)) => second(next),
            (None, None) => "never".to_owned(),
        };
        vec![
            it.name.clone(),
            format!("{}{place}", it.environment),
            looks_for(&it.question),
            format!("{}{zone}", it.cron),
            next,
            it.last.as_ref().map_or("-".to_owned(), |it| second(&it.at)),
            it.last.as_ref().map_or("not checked yet".to_owned(), told),
        ]
    };
    let heads = ["Name", "Environment", "Looks for", "When", "Next", "Last", "Answer"];
    columns(&heads, all.iter().map(row).collect())
}

/// `critical, high, with a fix, in acme/web`.
fn looks_for(question: &CheckQuestion) -> String {
    let mut words: Vec<String> = Vec::new();
    words.extend(question.severities.iter().map(|it| it.to_lowercase()));
    if words.is_empty() {
        words.push("anything".to_owned());
    }
    match question.fixed {
        Some(true) => words.push("with a fix".to_owned()),
        Some(false) => words.push("without a fix".to_owned()),
        None => {}
    }
    if question.exploited {
        words.push("used in attacks".to_owned());
    }
    words.extend(question.image.iter().map(|it| format!("in {it}")));
    words.join(", ")
}

/// `failed: 2 critical, 1 high`, with what could not be told.
fn told(it: &Checked) -> String {
    let what = match (it.verdict, &it.why) {
        (CheckVerdict::Failed, _) => format!("failed: {}", levels(&it.found)),
        (CheckVerdict::Unknown, Some(why)) => format!("nobody can tell: {why}"),
        (CheckVerdict::Unknown, None) => "nobody can tell".to_owned(),
        (CheckVerdict::Passed, _) => "passed".to_owned(),
    };
    // One that says why has said it.
    match it.gaps {
        0 => what,
        _ if it.holes.is_empty() => what,
        gaps => format!("{what}; {} not known", count(gaps, "thing", "things")),
    }
}

/// `2 critical, 1 high`.
fn levels(found: &Found) -> String {
    let all = [
        (found.critical, "critical"),
        (found.high, "high"),
        (found.medium, "medium"),
        (found.low, "low"),
        (found.unspecified, "unspecified"),
    ];
    let some = all.iter().filter(|it| it.0 > 0).map(|(number, word)| format!("{number} {word}"));
    some.collect::<Vec<_>>().join(", ")
}

/// The worst of what was found, and what could not be told.
fn details(kept: &Kept) -> String {
    let Some(last) = &kept.last else { return String::new() };
    let mut text = String::new();
    if !last.worst.is_empty() {
        let rows = last.worst.iter().map(|it| {
            let mut level = it.severity.to_lowercase();
            if it.exploited {
                level.push_str(", used in attacks");
            }
            let fix = it.fix.clone().unwrap_or_else(|| "none".to_owned());
            vec![
                it.id.clone(),
                level,
                format!("{}@{}", it.package, it.version),
                fix,
                it.image.split('@').next().unwrap_or_default().to_owned(),
            ]
        });
        text.push_str(&columns(&["Flaw", "Severity", "Package", "Fix", "Image"], rows.collect()));
    }
    if !last.holes.is_empty() {
        let rows = last.holes.iter().map(|it| vec![it.at.clone(), it.why.clone()]);
        text.push_str(&columns(&["Not known", "Why"], rows.collect()));
    }
    text
}

/// Has it checked, and waits for what comes of it.
async fn run(asking: &Asking, name: &str, wait: u64) -> anyhow::Result<Kept> {
    /// How often is asked.
    const PAUSE: Duration = Duration::from_millis(250);
    let (client, organisation) = (&asking.client, &asking.organisation);
    let mut kept = client.run_schedule(organisation, name).await?;
    let begun = std::time::Instant::now();
    while kept.due.is_some() {
        if begun.elapsed().as_secs() >= wait {
            return Err(Failure::error(
                format!("schedule {name}: it is not checked yet after {wait} seconds"),
                "`foretop schedule list` tells when it is; somebody must do jobs: foretop worker",
            ));
        }
        tokio::time::sleep(PAUSE).await;
        kept = client.schedule(organisation, name).await?;
    }
    Ok(kept)
}
