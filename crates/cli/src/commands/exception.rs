//! `foretop exception`: flaws that are out of the way because a team decided so.

use api::{Excepting, Exception as Kept};
use clap::{Subcommand, ValueEnum};
use model::{Exception as Decided, ExceptionKind};

use super::{Outcome, Verb, said};
use crate::Context;
use crate::asking::{Asking, Whose, ask};
use crate::exceptions;
use crate::messages::Messages;
use crate::table::{Format, columns, second};

/// Take flaws out of the way: risks that a team lives with, and what is a false positive
#[derive(clap::Parser)]
#[command(name = "exception", arg_required_else_help = true, after_help = AFTER)]
pub(crate) struct Exception {
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
What is out of the way is still in reports, with who decided it and why; it is not counted, and no
gate is shut by it. When its time is over it is back, and exception-expired tells so.";

#[derive(Subcommand)]
enum Command {
    /// Take flaws out of the way, or change the exception of that name: all it is to say is said anew
    #[command(visible_alias = "set")]
    Add(Box<Add>),
    /// List exceptions; those whose time is over, too
    List {
        /// Only this one
        #[arg(value_parser = said())]
        name: Option<String>,
        /// How to write it; openvex has those alone that hold
        #[arg(long, value_enum, default_value_t = Listing::Text)]
        format: Listing,
        #[command(flatten)]
        whose: Whose,
    },
    /// Let its flaws back
    #[command(visible_alias = "rm")]
    Remove {
        /// Its name
        #[arg(value_parser = said())]
        name: String,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        whose: Whose,
    },
}

#[derive(clap::Args)]
struct Add {
    /// What to call it
    #[arg(value_parser = said())]
    name: String,
    /// Which flaws, by any of their names, parted by commas; repeatable
    #[arg(long = "flaw", visible_alias = "cve", value_name = "CVE,…", value_delimiter = ',',
          required = true, value_parser = said())]
    flaws: Vec<String>,
    /// What was decided
    #[arg(long, value_enum)]
    kind: Kind,
    /// Why there is no such flaw; a false positive has one
    #[arg(long, value_name = "WORD", required_if_eq("kind", "false-positive"),
          value_parser = Decided::JUSTIFICATIONS)]
    justification: Option<String>,
    /// Why, in your own words
    #[arg(long, value_name = "TEXT", value_parser = said())]
    note: Option<String>,
    /// Only in this repository, tag or image; repeatable
    #[arg(long = "image", value_name = "IMAGE,…", value_delimiter = ',', value_parser = said())]
    images: Vec<String>,
    /// Only in this environment; repeatable
    #[arg(long = "env", value_name = "ENVIRONMENT,…", value_delimiter = ',', value_parser = said())]
    environments: Vec<String>,
    /// Only in this package, by its purl, with a version or without: pkg:deb/debian/curl; repeatable
    #[arg(long = "package", value_name = "PURL,…", value_delimiter = ',', value_parser = said())]
    packages: Vec<String>,
    /// From when on it does not hold any more: 2027-01-31, 2027-01-31T12:00:00Z [default: never]
    #[arg(long, value_name = "DAY|MOMENT", value_parser = said())]
    expires: Option<String>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    whose: Whose,
}

/// What was decided.
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// The flaw is there, and the team lives with it
    AcceptedRisk,
    /// It is not there
    FalsePositive,
}

/// How exceptions are listed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Listing {
    /// For people
    Text,
    /// For programs
    Json,
    /// For those who are to hear of them elsewhere
    Openvex,
}

impl Verb for Exception {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let messages = &context.messages;
        match self.command {
            Command::Add(add) => {
                let Add { name, flaws, kind, justification, note, format, whose, .. } = *add;
                let kind = match kind {
                    Kind::AcceptedRisk => ExceptionKind::AcceptedRisk,
                    Kind::FalsePositive => ExceptionKind::FalsePositive,
                };
                let excepting = Excepting {
                    flaws,
                    kind: kind.as_str().to_owned(),
                    justification,
                    note,
                    images: add.images,
                    environments: add.environments,
                    packages: add.packages,
                    expires: add.expires,
                };
                ask(context, &whose, async |asking| {
                    put(asking, &name, &excepting, format, messages).await
                })
            }
            Command::List { name, format, whose } => ask(context, &whose, async |asking| {
                list(asking, name.as_deref(), format, messages).await
            }),
            Command::Remove { name, format, whose } => ask(context, &whose, async |asking| {
                asking.client.delete_exception(&asking.organisation, &name).await?;
                if format == Format::Json {
                    let gone = serde_json::json!({ "removed": name });
                    messages.tell_as(format, &gone, String::new)?;
                } else {
                    messages.done(&format!("Exception {name} is no more: its flaws count again"));
                }
                Ok(Outcome::Done)
            }),
        }
    }
}

async fn put(
    asking: &Asking,
    name: &str,
    excepting: &Excepting,
    format: Format,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let done = asking.client.put_exception(&asking.organisation, name, excepting).await?;
    let kept = done.exception;
    if format == Format::Json {
        messages.tell_as(format, &kept, String::new)?;
        return Ok(Outcome::Done);
    }
    let what = if done.new { "is made" } else { "says something else" };
    let until = kept
        .definition
        .expires
        .as_deref()
        .map_or("for ever".to_owned(), |it| format!("until {}", second(it)));
    let (flaws, place) = (kept.definition.flaws.join(", "), meant(&kept.definition));
    messages.done(&format!("Exception {} {what}: {flaws} {until}, {place}", kept.name));
    Ok(Outcome::Done)
}

async fn list(
    asking: &Asking,
    name: Option<&str>,
    format: Listing,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let organisation = &asking.organisation;
    let all = match name {
        Some(name) => vec![asking.client.exception(organisation, name).await?],
        None => asking.client.exceptions(organisation).await?.items,
    };
    match format {
        Listing::Openvex => {
            let held = all.iter().filter(|it| !it.expired).map(exceptions::decided);
            let held = held.collect::<anyhow::Result<Vec<_>>>()?;
            let now = jiff::Timestamp::now().to_string();
            let id = format!("urn:foretop:exceptions:{organisation}:{now}");
            let head = statement::Head { id: &id, author: organisation, at: &now };
            messages.report(&statement::openvex(head, &held))?;
        }
        Listing::Json => messages.tell_as(Format::Json, &all, String::new)?,
        Listing::Text if all.is_empty() => {
            messages.inform("Nothing is out of the way: foretop exception add");
        }
        Listing::Text => messages.tell_as(Format::Text, &all, || table(&all))?,
    }
    Ok(Outcome::Done)
}

fn table(all: &[Kept]) -> String {
    let row = |it: &Kept| {
        let says = &it.definition;
        let until = match (&says.expires, it.expired) {
            (Some(expires), true) => format!("was until {}", second(expires)),
            (Some(expires), false) => second(expires),
            (None, _) => "for ever".to_owned(),
        };
        let why = [&says.justification, &says.note].into_iter().flatten();
        vec![
            it.name.clone(),
            says.flaws.join(", "),
            says.kind.clone(),
            meant(says),
            until,
            it.changed_by.clone(),
            why.cloned().collect::<Vec<_>>().join(": "),
        ]
    };
    let heads = ["Name", "Flaws", "Kind", "Holds", "Until", "Decided by", "Why"];
    columns(&heads, all.iter().map(row).collect())
}

/// `everywhere`; `in acme/web, in production, of pkg:npm/lodash`.
fn meant(says: &Excepting) -> String {
    let mut words = Vec::new();
    words.extend(says.images.iter().map(|it| format!("in {it}")));
    words.extend(says.environments.iter().map(|it| format!("in environment {it}")));
    words.extend(says.packages.iter().map(|it| format!("of {it}")));
    if words.is_empty() { "everywhere".to_owned() } else { words.join(", ") }
}
