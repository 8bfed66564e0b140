//! `foretop events`: what changed, when, by whom; what a new almanac changed for what runs among it.

mod before;
mod follow;
mod told;

use api::{Event, EventQuery};
use format::shown;
use model::{EventKind, Moment};

use super::{Outcome, Verb, environment};
use crate::Context;
use crate::asking::{Asking, PART, Whose, ask};
use crate::messages::count;
use crate::table::{Format, second};

/// List what changed, latest first: what runs, and what is known of it; or as it happens
#[derive(clap::Parser)]
#[command(name = "events", after_help = AFTER)]
pub(crate) struct Events {
    /// Only what is about this environment
    #[arg(long = "env", value_name = "ENVIRONMENT", alias = "environment")]
    environment: Option<String>,
    /// Only these kinds, parted by commas; `finding` is all that a new almanac changed
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',', value_parser = kinds)]
    kinds: Vec<Kinds>,
    /// Only from this time on: 2026-11-21, 2026-11-21T10:00:00Z, or 3d, 2h, 30m ago
    #[arg(long, value_name = "TIME", value_parser = environment::moment)]
    since: Option<Moment>,
    /// Only before this time
    #[arg(long, value_name = "TIME", value_parser = environment::moment)]
    until: Option<Moment>,
    /// At most so many [default: 100]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Go on with what happens from now on, until interrupted; with --since or --limit, after what
    /// happened already, first things first
    #[arg(short, long, conflicts_with = "until")]
    follow: bool,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    whose: Whose,
}

const AFTER: &str = "\
What another almanac changes for what runs: finding-new, finding-gone, finding-severity-changed,
finding-fix-available, finding-fix-withdrawn, finding-exploited, and evaluation-incomplete where it
cannot be told.

With --follow each event is told once: where the connection is lost, or the server is started anew,
the thread is taken up where it was. Ctrl-C ends it with exit code 130.";

/// One kind, or several that go by one word.
#[derive(Clone)]
struct Kinds(Vec<EventKind>);

fn kinds(word: &str) -> Result<Kinds, String> {
    let is_meant = |it: &EventKind| {
        it.as_str() == word || (word == "finding" && EventKind::OF_EVALUATIONS.contains(it))
    };
    let found: Vec<EventKind> = EventKind::ALL.into_iter().filter(is_meant).collect();
    if found.is_empty() {
        let known: Vec<&str> = EventKind::ALL.iter().map(|it| it.as_str()).collect();
        return Err(format!("there is no such kind; there are finding, {}", known.join(", ")));
    }
    Ok(Kinds(found))
}

impl Verb for Events {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let kinds: Vec<&str> =
            self.kinds.iter().flat_map(|it| &it.0).map(|it| it.as_str()).collect();
        let limit = self.limit.unwrap_or(USUAL);
        ask(context, &self.whose, async |asking| {
            let query = EventQuery {
                environment: self.environment.clone(),
                kinds: (!kinds.is_empty()).then(|| kinds.join(",")),
                since: self.since.map(|it| it.to_string()),
                before: self.until.map(|it| it.to_string()),
                after: None,
                limit: Some(limit.min(PART)),
            };
            if self.follow {
                let before = match (self.since, self.limit) {
                    (None, None) => None,
                    // All since then, but for what nobody wants to see.
                    (Some(_), None) => Some(u32::MAX),
                    (_, Some(most)) => Some(most),
                };
                return follow::follow(asking, &query, before, self.format, context).await;
            }
            let (events, more) = latest(asking, query, limit).await?;
            context.messages.tell_as(self.format, &events, || lines(&events))?;
            if events.is_empty() {
                context.messages.inform("Nothing of that sort happened");
            } else if more {
                let shown = count(events.len() as u64, "event", "events");
                context.messages.inform(&format!("The latest {shown}: --limit asks for more"));
            }
            Ok(Outcome::Done)
        })
    }
}

/// How many are listed when nobody says.
const USUAL: u32 = 100;

/// The latest so many, and whether there are more.
async fn latest(
    asking: &Asking,
    mut query: EventQuery,
    most: u32,
) -> anyhow::Result<(Vec<Event>, bool)> {
    let most = most as usize;
    let mut events: Vec<Event> = Vec::new();
    let more = loop {
        let page = asking.client.events(&asking.organisation, &query).await?;
        events.extend(page.items);
        // Whoever sends us back to where we were would have us go round for ever.
        if page.next.is_none() || page.next == query.after || events.len() >= most {
            break page.next.is_some() || events.len() > most;
        }
        query.after = page.next;
    };
    events.truncate(most);
    Ok((events, more))
}

fn lines(events: &[Event]) -> String {
    let width =
        |of: fn(&Event) -> &str| events.iter().map(|it| of(it).chars().count()).max().unwrap_or(0);
    aligned(events, width(place), width(|it| &it.kind))
}

fn aligned(events: &[Event], environments: usize, kinds: usize) -> String {
    let mut text = String::new();
    for it in events {
        let (time, place, kind) = (second(&it.at), place(it), &it.kind);
        let what = told::what(it);
        let line = format!("{time}  {place:<environments$}  {kind:<kinds$}  {what}");
        text.push_str(&shown(&line));
        text.push('\n');
    }
    text
}

fn place(event: &Event) -> &str {
    event.environment.as_deref().unwrap_or("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_event_speaks_to_the_terminal() {
        let event: Event = serde_json::from_value(serde_json::json!({
            "id": "1", "at": "2026-11-21T10:00:00.5Z", "who": "ann", "origin": "",
            "environment": "qa\u{9b}2J", "kind": "finding-new", "about": "CVE-2021-44228\n",
            "detail": {
                "name": "log4j-core", "version": "2.14.1\u{1b}[31m", "images": 1,
                "after": { "severity": "CRITICAL", "fixed": "\u{202e}2.15.0" },
            },
        }))
        .unwrap();
        let text = lines(&[event]);
        let text = text.strip_suffix('\n').unwrap();
        assert!(!text.contains(|it: char| it.is_control() || it == '\u{202e}'), "{text}");
        for written_out in ["44228\\u{a}", "qa\\u{9b}2J", "2.14.1\\u{1b}[31m", "\\u{202e}2.15.0"] {
            assert!(text.contains(written_out), "{written_out}: {text}");
        }
    }
}
