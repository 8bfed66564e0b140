//! `foretop policy results|trend`: what policies say of what runs, and how that was day after day.

use std::fmt::Write as _;

use api::{PolicyImage, PolicyResult, PolicyResults, PolicySample, PolicyState};

use crate::Context;
use crate::asking::{Whose, ask};
use crate::commands::{Outcome, said};
use crate::failure::Failure;
use crate::messages::count;
use crate::table::{Format, columns, plain, second};

/// Images that are told of each policy, for people.
const IMAGES: usize = 10;
/// Sentences about each.
const SENTENCES: usize = 2;

#[derive(clap::Args)]
pub(super) struct Results {
    /// The environment
    #[arg(long = "env", value_name = "ENVIRONMENT", value_parser = said())]
    environment: String,
    /// Only these policies, by their names or ids, parted by commas
    #[arg(long = "only-policy", value_name = "POLICY", value_delimiter = ',', value_parser = said())]
    only: Vec<String>,
    /// Exit with code 2 unless every image meets every policy
    #[arg(short = 'e', long)]
    exit_code: bool,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    whose: Whose,
}

#[derive(clap::Args)]
pub(super) struct Trend {
    /// The environment
    #[arg(long = "env", value_name = "ENVIRONMENT", value_parser = said())]
    environment: String,
    /// The last so many days
    #[arg(long, value_name = "NUMBER", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    whose: Whose,
}

impl Results {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let results = ask(context, &self.whose, async |asking| {
            let client = &asking.client;
            let mut all = client.policy_results(&asking.organisation, &self.environment).await?;
            if !self.only.is_empty() {
                narrow(&mut all, &self.only)?;
            }
            anyhow::Ok(all)
        })?;
        context.messages.tell_as(self.format, &results, || text(&results))?;
        let is_met = results.judged.is_some()
            && results.pending == 0
            && results.unseen.is_empty()
            && results.policies.iter().all(|it| it.not_met + it.unknown == 0);
        Ok(if self.exit_code && !is_met { Outcome::Shut } else { Outcome::Done })
    }
}

fn narrow(results: &mut PolicyResults, only: &[String]) -> anyhow::Result<()> {
    let is = |it: &PolicyResult, name: &str| it.id == name || it.title.eq_ignore_ascii_case(name);
    let stranger = only.iter().find(|name| !results.policies.iter().any(|it| is(it, name)));
    if let Some(name) = stranger {
        let known: Vec<&str> = results.policies.iter().map(|it| it.id.as_str()).collect();
        let what = format!("policy {name}: {} is not judged by it", results.environment);
        let hint = if known.is_empty() {
            "nothing was judged there yet".to_owned()
        } else {
            format!("there is {}", known.join(", "))
        };
        return Err(Failure::error(what, hint));
    }
    results.policies.retain(|it| only.iter().any(|name| is(it, name)));
    Ok(())
}

fn text(results: &PolicyResults) -> String {
    let images = count(results.images, "image", "images");
    let mut text = format!("{}: {images}", results.environment);
    match (&results.judged, &results.basis) {
        (Some(judged), Some(basis)) => {
            let whose = match (&basis.environment, basis.version) {
                (Some(name), Some(version)) => format!("of {name}, version {version}"),
                (None, Some(version)) => format!("of the organization, version {version}"),
                _ => "those that come with Foretop".to_owned(),
            };
            let _ = writeln!(text, ", judged {}", second(judged));
            let _ = writeln!(text, "Policies: {whose}");
            if !basis.exceptions.is_empty() {
                let _ = writeln!(text, "Exceptions: {}", basis.exceptions.join(", "));
            }
        }
        _ => text.push_str(", not judged yet\n"),
    }
    if results.pending > 0 {
        let pending = count(results.pending, "image", "images");
        let _ = writeln!(text, "Not known yet: what policies say of {pending}");
    }
    for why in &results.unseen {
        let _ = writeln!(text, "Not seen: {why}");
    }
    if !results.health.is_empty() {
        let health = results.health.iter().map(|(grade, count)| format!("{grade}: {count}"));
        let _ = writeln!(text, "Health: {}", health.collect::<Vec<_>>().join(", "));
    }
    let row = |it: &PolicyResult| {
        let numbers = [it.met, it.not_met, it.unknown].map(|it| it.to_string());
        let mut row = vec![it.title.clone(), it.id.clone()];
        row.extend(numbers);
        row
    };
    let heads = ["Policy", "Id", "Met", "Not met", "Unknown"];
    let mut text = plain(&text);
    if results.policies.is_empty() {
        return text;
    }
    let rows = results.policies.iter().map(row).collect();
    let _ = write!(text, "\n{}", columns(&heads, rows));
    let mut details = String::new();
    for it in results.policies.iter().filter(|it| !it.images.is_empty()) {
        let _ = writeln!(details, "\n{}", it.title);
        for image in it.images.iter().take(IMAGES) {
            told(&mut details, image);
        }
        let left = it.not_met + it.unknown;
        let left = left.saturating_sub(it.images.len().min(IMAGES) as u64);
        if left > 0 {
            let _ = writeln!(details, "  and {} more", count(left, "image", "images"));
        }
    }
    text + &plain(&details)
}

fn told(text: &mut String, image: &PolicyImage) {
    let sign = match image.state {
        PolicyState::NotMet => "✗",
        PolicyState::Unknown => "?",
        PolicyState::Met => "✓",
    };
    let applications: Vec<&str> = image
        .applications
        .iter()
        .map(String::as_str)
        .filter(|it| !image.image.starts_with(it))
        .collect();
    let applications = if applications.is_empty() {
        String::new()
    } else {
        format!(" ({})", applications.join(", "))
    };
    let _ = writeln!(text, "  {sign} {}{applications}", image.image);
    if let Some(why) = &image.why {
        let _ = writeln!(text, "      {why}");
    }
    for message in image.messages.iter().take(SENTENCES) {
        let _ = writeln!(text, "      {message}");
    }
    let shown = image.messages.len().min(SENTENCES) as u64;
    if image.count > shown && shown > 0 {
        let _ = writeln!(text, "      and {} more", image.count - shown);
    }
}

impl Trend {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let samples = ask(context, &self.whose, async |asking| {
            let (client, days) = (&asking.client, Some(self.days));
            let all = client.policy_trend(&asking.organisation, &self.environment, days).await?;
            anyhow::Ok(all.items)
        })?;
        if samples.is_empty() && self.format == Format::Text {
            context.messages.inform("Nothing was judged there in these days");
            return Ok(Outcome::Done);
        }
        context.messages.tell_as(self.format, &samples, || table(&samples))?;
        Ok(Outcome::Done)
    }
}

/// A row for each day: how many images there were, and of each policy how many met it.
fn table(samples: &[PolicySample]) -> String {
    let ids: Vec<&str> = samples
        .last()
        .map(|it| it.policies.iter().map(|it| it.id.as_str()).collect())
        .unwrap_or_default();
    let row = |it: &PolicySample| {
        let finding = |level: &str| it.findings.get(level).copied().unwrap_or_default().to_string();
        let mut row = vec![it.day.clone(), it.images.to_string()];
        row.extend(["critical", "high"].map(finding));
        row.extend(ids.iter().map(|id| {
            let tally = it.policies.iter().find(|it| it.id == *id);
            tally.map_or("-".to_owned(), |it| {
                let all = it.met + it.not_met + it.unknown;
                let unknown = match it.unknown {
                    0 => String::new(),
                    unknown => format!(" ({unknown}?)"),
                };
                format!("{}/{all}{unknown}", it.met)
            })
        }));
        row
    };
    let mut heads = vec!["Day", "Images", "Critical", "High"];
    heads.extend(&ids);
    columns(&heads, samples.iter().map(row).collect())
}
