//! Lists of environments and of what runs in them: for people, for programs, for spreadsheets.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use api::{Deployment, DeploymentQuery, LooksQuery, StaleTag, Untold};
use clap::ValueEnum;
use format::report::csv_row;
use format::shown;
use model::{Moment, Platform};

use super::change::all;
use crate::Context;
use crate::asking::{Asking, PART, whole};
use crate::deployed;
use crate::messages::count;
use crate::output::{Output, deliver};
use crate::table::{columns, second};

/// How a list is written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Lines
    Text,
    /// An array
    Json,
    /// A table for spreadsheets
    Csv,
}

/// What is to be listed.
pub(super) struct Show {
    pub(super) environment: Option<String>,
    pub(super) application: Option<String>,
    pub(super) image: Option<String>,
    pub(super) platform: Option<Platform>,
    pub(super) history: bool,
    pub(super) at: Option<Moment>,
    pub(super) stale: bool,
    pub(super) format: Format,
}

/// The columns of a spreadsheet.
const COLUMNS: [&str; 15] = [
    "environment",
    "application",
    "platform",
    "image",
    "repository",
    "tag",
    "digest",
    "source",
    "recorded_by",
    "recorded_from",
    "from",
    "until",
    "pending",
    "tag_leads_to",
    "tag_moved",
];

impl Show {
    /// Writes the list, and says what it does not tell: below it, where people look.
    pub(super) async fn list(
        &self,
        asking: &Asking,
        context: &Context,
        output: Option<&Output>,
    ) -> anyhow::Result<()> {
        let chosen = self.application.is_some() || self.image.is_some() || self.platform.is_some();
        let past = self.history || self.at.is_some();
        if self.environment.is_none() && !chosen && !past && !self.stale {
            let all = all(asking).await?;
            deliver(&environments(&all, self.format)?, output, &context.messages)?;
            if all.is_empty() {
                let organisation = &asking.organisation;
                context.messages.inform(&format!("No environment in organization {organisation}"));
            }
            return Ok(());
        }
        if let Some(name) = &self.environment {
            // An environment that nobody has heard of is not an empty one.
            asking.client.environment(&asking.organisation, name).await?;
        }
        let untold = if self.stale { self.look(asking, context).await? } else { Vec::new() };
        let found = whole(async |after| {
            let query = DeploymentQuery {
                environment: self.environment.clone(),
                application: self.application.clone(),
                image: self.image.clone(),
                platform: self.platform.as_ref().map(ToString::to_string),
                at: self.at.map(|it| it.to_string()),
                history: self.history,
                stale: false,
                after,
                limit: Some(PART),
            };
            asking.client.deployments(&asking.organisation, &query).await
        });
        let found = found.await?;
        deliver(&self.deployments(&found)?, output, &context.messages)?;
        // All tags were asked about; what is not listed here is nobody's concern here.
        let listed: BTreeSet<String> = found
            .iter()
            .filter_map(|it| Some(format!("{}:{}", it.repository, it.tag.as_ref()?)))
            .collect();
        for it in untold.iter().filter(|it| listed.contains(&it.image)) {
            let image = it.image.strip_prefix("docker.io/").unwrap_or(&it.image);
            let image = image.strip_prefix("library/").unwrap_or(image);
            context.messages.warn(&format!("Nobody says where {image} leads now: {}", it.why));
        }
        self.remark(&found, asking, context);
        self.doubts(asking, context).await
    }

    /// What nobody can tell because of the runtimes that say what runs there.
    async fn doubts(&self, asking: &Asking, context: &Context) -> anyhow::Result<()> {
        if self.history || self.at.is_some() || self.format != Format::Text {
            return Ok(());
        }
        let Some(name) = &self.environment else { return Ok(()) };
        let messages = &context.messages;
        for it in deployed::runtimes(asking, name).await? {
            for gap in &it.gaps {
                messages.warn(&shown(&format!("Runtime {}: {gap}", it.name)));
            }
            for one in it.unplaced.iter().filter(|it| it.environment == *name) {
                let why = deployed::unplaced(one);
                messages.warn(&shown(&format!("{} is not placed: {why}", one.digest)));
            }
        }
        Ok(())
    }

    /// Asks where tags lead now. A server asks by itself now and then, and at once where it is about
    /// one environment.
    async fn look(&self, asking: &Asking, context: &Context) -> anyhow::Result<Vec<Untold>> {
        let missed = |why: &str| {
            let messages = &context.messages;
            messages.warn(&format!("Tags that moved since they were seen last are missed: {why}"));
            Ok(Vec::new())
        };
        if asking.embedded() && context.environment.offline()? {
            return missed("no registry is asked while FORETOP_OFFLINE is set");
        }
        if !asking.embedded() && self.environment.is_none() {
            return Ok(Vec::new());
        }
        let mut query = LooksQuery { environment: self.environment.clone(), after: None };
        let mut untold = Vec::new();
        loop {
            match asking.client.look_at_tags(&asking.organisation, &query).await {
                Ok(looked) => {
                    untold.extend(looked.untold);
                    // Whoever sends us back to where we were would have us go round for ever.
                    if looked.next.is_none() || looked.next == query.after {
                        return Ok(untold);
                    }
                    query.after = looked.next;
                }
                Err(error) if asking.embedded() => return Err(error.into()),
                // What it has seen is known all the same.
                Err(error) => return missed(&error.to_string()),
            }
        }
    }

    /// What a list of names does not tell.
    fn remark(&self, found: &[Deployment], asking: &Asking, context: &Context) {
        let messages = &context.messages;
        if found.is_empty() {
            let organisation = &asking.organisation;
            let place = match &self.environment {
                Some(name) => format!("environment {name}"),
                None => "any environment".to_owned(),
            };
            let what = if self.image.is_some() { "No such image" } else { "No image" };
            messages.inform(&format!("{what} recorded to {place} in organization {organisation}"));
        }
        if self.history || self.format != Format::Text {
            return;
        }
        let pending: BTreeSet<&str> =
            found.iter().filter(|it| it.pending).map(|it| &*it.image).collect();
        for image in pending {
            messages.warn(&format!("{image} is not analysed yet: foretop push {image}"));
        }
        let moved = found.iter().filter(|it| it.stale.is_some()).count();
        if moved > 0 && !self.stale {
            let tags = count(moved as u64, "tag leads", "tags lead");
            messages.warn(&format!("{tags} to another image by now: --stale marks them"));
        }
    }

    /// Those deployments, as they are to be written.
    pub(super) fn deployments(&self, found: &[Deployment]) -> anyhow::Result<String> {
        match self.format {
            Format::Json => Ok(format!("{}\n", serde_json::to_string_pretty(found)?)),
            Format::Csv => Ok(spreadsheet(found)),
            Format::Text if self.history => Ok(history(found)),
            Format::Text => Ok(self.lines(found)),
        }
    }

    /// `acme/web:v1@sha256:…`, each once: whoever reads them knows no applications. Of all
    /// environments, where and since when as well.
    fn lines(&self, found: &[Deployment]) -> String {
        type Line<'a> = (&'a str, Option<&'a StaleTag>, Option<&'a str>);
        let mut lines: BTreeMap<(&str, &str), Line<'_>> = BTreeMap::new();
        for it in found {
            let named = if self.environment.is_some() { "" } else { &it.environment };
            let stale = it.stale.as_ref().filter(|_| self.stale);
            let line =
                lines.entry((named, &it.image)).or_insert((&it.from, stale, it.unheard.as_deref()));
            line.0 = line.0.min(&it.from);
            // Where somebody else says so as well, it does run.
            line.2 = line.2.filter(|_| it.unheard.is_some());
        }
        let mut text = String::new();
        for ((environment, image), (since, stale, unheard)) in lines {
            if self.environment.is_none() {
                let _ = write!(text, "{}\t", shown(environment));
            }
            text.push_str(&shown(image));
            if self.environment.is_none() {
                let _ = write!(text, "\tsince {}", second(since));
            }
            if let Some(tag) = stale {
                let _ = write!(
                    text,
                    "\t! tag moved to {} ({})",
                    shown(&tag.leads_to),
                    second(&tag.since)
                );
            }
            if let Some(since) = unheard {
                let _ = write!(text, "\t! not heard of since {}", second(since));
            }
            text.push('\n');
        }
        text
    }
}

fn environments(all: &[api::Environment], format: Format) -> anyhow::Result<String> {
    Ok(match format {
        Format::Text => all.iter().fold(String::new(), |text, it| text + &shown(&it.name) + "\n"),
        Format::Json => format!("{}\n", serde_json::to_string_pretty(all)?),
        Format::Csv => {
            let mut text = String::new();
            csv_row(&mut text, ["name", "running", "pending", "created", "created_by"]);
            for it in all {
                let (running, pending) = (it.running.to_string(), it.pending.to_string());
                let cells = [&it.name, &running, &pending, &it.created, &it.created_by];
                csv_row(&mut text, cells.map(String::as_str));
            }
            text
        }
    })
}

fn spreadsheet(found: &[Deployment]) -> String {
    let mut text = String::new();
    csv_row(&mut text, COLUMNS);
    for it in found {
        let stale = it.stale.as_ref();
        let cells: [&str; 15] = [
            &it.environment,
            &it.application,
            &it.platform,
            &it.image,
            &it.repository,
            it.tag.as_deref().unwrap_or_default(),
            &it.digest,
            &it.source,
            &it.recorded_by,
            &it.recorded_from,
            &it.from,
            it.until.as_deref().unwrap_or_default(),
            if it.pending { "yes" } else { "no" },
            stale.map(|it| &*it.leads_to).unwrap_or_default(),
            stale.map(|it| &*it.since).unwrap_or_default(),
        ];
        csv_row(&mut text, cells);
    }
    text
}

/// What ran when, and who said so.
fn history(found: &[Deployment]) -> String {
    // Where all are for one platform, nobody needs to be told.
    let platforms: BTreeSet<&str> = found.iter().map(|it| &*it.platform).collect();
    let several = platforms.len() > 1;
    let heads = ["FROM", "UNTIL", "ENVIRONMENT", "APPLICATION", "PLATFORM", "IMAGE", "RECORDED BY"];
    let heads: Vec<&str> = heads.into_iter().filter(|it| several || *it != "PLATFORM").collect();
    let row = |it: &Deployment| {
        let by = match &*it.recorded_from {
            "" => it.recorded_by.clone(),
            place => format!("{} ({place})", it.recorded_by),
        };
        let until = it.until.as_deref().map_or_else(|| "now".to_owned(), second);
        let mut row = vec![second(&it.from), until, it.environment.clone(), it.application.clone()];
        row.extend(several.then(|| it.platform.clone()));
        row.extend([it.image.clone(), by]);
        row
    };
    columns(&heads, found.iter().map(row).collect())
}

/// A moment as people write it.
pub(in crate::commands) fn moment(text: &str) -> Result<Moment, String> {
    let now = Moment::from_micros(jiff::Timestamp::now().as_microsecond());
    moment_at(text.trim(), now)
}

fn moment_at(text: &str, now: Moment) -> Result<Moment, String> {
    let ago = |unit: char, seconds: i64| {
        let number: i64 = text.strip_suffix(unit)?.parse().ok().filter(|it| *it >= 0)?;
        Some(now.plus_seconds(number.saturating_mul(seconds).saturating_neg()))
    };
    let ago = ago('m', 60).or(ago('h', 3600)).or(ago('d', 86_400)).or(ago('w', 604_800));
    if let Some(moment) = ago {
        return Ok(moment);
    }
    let day = text.len() == 10;
    let whole = if day { format!("{text}T00:00:00Z") } else { text.to_owned() };
    whole.parse().map_err(|_| {
        "it is no moment such as 2026-11-21, 2026-11-21T10:00:00Z or 3d (ago)".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let now: Moment = "2026-11-21T10:00:00Z".parse().unwrap();
        let check = |text: &str, expect: &str| {
            let shown = moment_at(text, now).map_or("no".to_owned(), |it| it.to_string());
            assert_eq!(shown, expect, "{text}");
        };
        check("2026-11-20", "2026-11-20T00:00:00Z");
        check("2026-11-20T09:30:00.5Z", "2026-11-20T09:30:00.500000Z");
        check("90m", "2026-11-21T08:30:00Z");
        check("3d", "2026-11-18T10:00:00Z");
        check("99999999999999999w", "1970-01-01T00:00:00Z");
        check("-3d", "no");
        check("yesterday", "no");
        check("2026-13-01", "no");
    }
}
