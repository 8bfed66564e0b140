//! How an almanac is doing: its feeds and its sheets.

use std::fmt::Write as _;
use std::path::Path;

use almanac::{Almanac, Standing};
use clap::ValueHint;
use engine::{FeedState, feeds, pieces};
use indicatif::HumanBytes;
use serde_json::json;

use super::open_or_starter;
use crate::Context;
use crate::messages::count;
use crate::table::{Format, plain};

#[derive(clap::Args)]
pub(super) struct Status {
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Also tell each part, and the first gaps of each
    #[arg(long)]
    details: bool,
}

#[derive(clap::Args)]
pub(super) struct List {
    /// Only sheets of this feed
    #[arg(long, value_hint = ValueHint::Other)]
    feed: Option<String>,
    /// Only sheets about this space: `debian:12`, `npm`
    #[arg(long, value_hint = ValueHint::Other)]
    space: Option<String>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Status {
    pub(super) fn run(self, directory: &Path, context: &Context) -> anyhow::Result<()> {
        let today = jiff::Timestamp::now().to_string();
        let (almanac, starter) = match Almanac::open(directory) {
            Ok(almanac) => (almanac, false),
            Err(almanac::Error::Absent(_)) => {
                let lookout = open_or_starter(directory)?;
                let text = starter_text(lookout.almanac(), directory, self.format);
                return context.messages.report(&text);
            }
            Err(error) => return Err(error.into()),
        };
        let feeds = feeds(almanac.manifest(), &today);
        context.messages.report(&match self.format {
            Format::Text => plain(&self.text(&almanac, &feeds, directory)),
            Format::Json => json_of(&almanac, &feeds, directory, starter),
        })
    }

    fn text(&self, almanac: &Almanac, feeds: &[FeedState], directory: &Path) -> String {
        let manifest = almanac.manifest();
        let mut text = format!(
            "{}\n  almanac  {}\n  made     {}\n  sheets   {} ({})\n  trust    {}\n\n",
            directory.display(),
            almanac.digest().short(),
            manifest.created,
            manifest.sheets.len(),
            HumanBytes(manifest.size()),
            standing(almanac.standing()),
        );
        let _ = writeln!(
            text,
            "{:<20} {:<12} {:>5}  {:<12} {:>5} {:>9} {:>10} {:>6} {:>11}",
            "Feed",
            "Verdict",
            "Days",
            "Current",
            "Parts",
            "Documents",
            "Advisories",
            "Gaps",
            "Size"
        );
        for it in feeds {
            let _ = writeln!(
                text,
                "{:<20} {:<12} {:>5}  {:<12} {:>5} {:>9} {:>10} {:>6} {:>11}",
                it.feed,
                it.verdict.as_str(),
                it.age.map_or_else(|| "?".to_owned(), |it| it.to_string()),
                it.current.as_deref().map_or("?", |it| it.get(..10).unwrap_or(it)),
                it.parts,
                it.documents,
                it.advisories,
                it.gaps,
                HumanBytes(it.size).to_string(),
            );
            for error in &it.errors {
                let _ = writeln!(text, "  ! {error}");
            }
        }
        let pieces = pieces(manifest);
        if !pieces.is_empty() {
            text.push_str(
                "\nOnly a part of what is published, so that most flaws there are not known:\n",
            );
        }
        for it in pieces {
            let advisories = count(it.advisories, "advisory", "advisories");
            let _ = writeln!(
                text,
                "  {:<18} {advisories}, the whole has at least {}",
                it.space, it.least
            );
        }
        let absent: Vec<&str> = feed::ALL
            .iter()
            .map(|it| it.id())
            .filter(|id| *id != "starter" && feeds.iter().all(|it| it.feed != **id))
            .collect();
        if !absent.is_empty() {
            let _ = writeln!(text, "\nNot in it: {}", absent.join(", "));
        }
        if self.details {
            text.push('\n');
            for part in &manifest.parts {
                let _ = writeln!(
                    text,
                    "{} {}: {}, {}, {}",
                    part.feed,
                    part.part,
                    count(part.documents, "document", "documents"),
                    count(part.advisories, "advisory", "advisories"),
                    count(part.gaps, "gap", "gaps"),
                );
                for gap in &part.samples {
                    let _ = writeln!(text, "  {gap}");
                }
                let more = part.gaps.saturating_sub(part.samples.len() as u64);
                if more > 0 {
                    let _ = writeln!(text, "  … and {more} more");
                }
            }
        }
        text
    }
}

fn standing(standing: &Standing) -> String {
    match standing {
        Standing::Local => "made on this machine".to_owned(),
        Standing::Signed { key } => format!("signed by key {key}"),
        Standing::Unchecked => "nobody answers for it: it was accepted unsigned".to_owned(),
    }
}

fn starter_text(almanac: &Almanac, directory: &Path, format: Format) -> String {
    let advisories: u64 = almanac.manifest().sheets.iter().map(|it| it.advisories).sum();
    let spaces: Vec<&str> = almanac.spaces().into_iter().map(model::Space::as_str).collect();
    match format {
        Format::Text => format!(
            "No almanac is installed in {}.\nThe starter sheet that is built in speaks about {} spaces: {}.\n`foretop almanac update` fetches one, `foretop almanac pull` takes one from a registry.\n",
            directory.display(),
            spaces.len(),
            spaces.join(", "),
        ),
        Format::Json => {
            let value = json!({
                "directory": directory.display().to_string(),
                "starter": true,
                "rows": advisories,
                "spaces": spaces,
                "feeds": [],
            });
            format!("{value:#}\n")
        }
    }
}

fn json_of(almanac: &Almanac, feeds: &[FeedState], directory: &Path, starter: bool) -> String {
    let manifest = almanac.manifest();
    let feeds: Vec<_> = feeds
        .iter()
        .map(|it| {
            json!({
                "feed": it.feed, "verdict": it.verdict.as_str(), "age_days": it.age,
                "current": it.current, "parts": it.parts, "documents": it.documents,
                "advisories": it.advisories, "gaps": it.gaps, "size": it.size, "errors": it.errors,
            })
        })
        .collect();
    let pieces: Vec<_> = pieces(manifest)
        .iter()
        .map(|it| json!({ "space": it.space, "advisories": it.advisories, "least": it.least }))
        .collect();
    let value = json!({
        "directory": directory.display().to_string(),
        "starter": starter,
        "almanac": almanac.digest().to_string(),
        "created": manifest.created,
        "standing": almanac.standing(),
        "sheets": manifest.sheets.len(),
        "size": manifest.size(),
        "feeds": feeds,
        "pieces": pieces,
        "parts": manifest.parts,
    });
    format!("{value:#}\n")
}

impl List {
    pub(super) fn run(self, directory: &Path, context: &Context) -> anyhow::Result<()> {
        let lookout = open_or_starter(directory)?;
        let sheets = lookout.almanac().manifest().sheets.iter();
        let sheets: Vec<_> = sheets
            .filter(|it| self.feed.as_ref().is_none_or(|feed| it.feed == *feed))
            .filter(|it| self.space.as_ref().is_none_or(|space| it.space.as_str() == space))
            .collect();
        context.messages.report(&match self.format {
            Format::Json => format!("{:#}\n", json!(sheets)),
            Format::Text => {
                let mut text = format!(
                    "{:<20} {:<24} {:<28} {:>10} {:>8} {:>11}  {}\n",
                    "Feed", "Part", "Space", "Advisories", "Rows", "Size", "Digest"
                );
                for it in sheets {
                    let size = HumanBytes(it.size).to_string();
                    let _ = writeln!(
                        text,
                        "{:<20} {:<24} {:<28} {:>10} {:>8} {size:>11}  {}",
                        it.feed,
                        it.part,
                        it.space.as_str(),
                        it.advisories,
                        it.rows,
                        it.digest.short()
                    );
                }
                plain(&text)
            }
        })
    }
}
