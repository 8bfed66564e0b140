//! Reading in an almanac: a flaw, a package, what changed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use almanac::{Advice, Almanac, Book as _, ChangeKind, ChangedThing, Trust, diff};
use clap::ValueHint;
use format::report;
use model::{Inventory, Package, Purl, Rating, Span, Subject};
use serde_json::json;

use super::open_or_starter;
use crate::Context;
use crate::failure::Failure;
use crate::findings::answered;
use crate::messages::{count, width_of_stdout};
use crate::table::{Format, plain};
use crate::version::VERSION;

#[derive(clap::Args)]
pub(super) struct Show {
    /// `CVE-2021-44228`, `GHSA-…`, `DSA-5417-1`
    #[arg(value_hint = ValueHint::Other)]
    id: String,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(clap::Args)]
pub(super) struct Lookup {
    /// `pkg:npm/lodash@4.17.20`, `pkg:deb/debian/openssl@3.0.9-1?distro=debian-12`
    #[arg(value_hint = ValueHint::Other)]
    purl: Purl,
    /// Tell every advisory about it, and why it counts or does not
    #[arg(long)]
    explain: bool,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(clap::Args)]
pub(super) struct Diff {
    /// The former one: a directory, or a file that `export` wrote
    #[arg(value_hint = ValueHint::AnyPath)]
    old: PathBuf,
    /// The later one
    #[arg(value_hint = ValueHint::AnyPath)]
    new: PathBuf,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Show {
    pub(super) fn run(self, directory: &Path, context: &Context) -> anyhow::Result<()> {
        let lookout = open_or_starter(directory)?;
        let almanac = lookout.almanac();
        let said = almanac.find(&self.id);
        let id = said.first().map_or(&*self.id, |it| &*it.known.id);
        let names = said.first().map(|it| it.known.aliases.iter().map(String::as_str));
        // Attacks and forecasts are told by the name that everybody uses.
        let names = names.into_iter().flatten().chain([id]);
        let about = names
            .map(|it| almanac.about(it))
            .find(|it| it.exploited.is_some() || it.forecast.is_some());
        let about = about.unwrap_or_default();
        let basis = lookout.whole_basis();
        if said.is_empty() && about.exploited.is_none() && about.forecast.is_none() {
            return Err(Failure::error(
                format!("{}: the almanac has no advisory of that name", self.id),
                if basis.starter {
                    "it is the built-in starter sheet: `foretop almanac update` fetches the rest"
                } else {
                    "`foretop almanac status` tells which feeds it has and how old they are"
                },
            ));
        }
        if self.format == Format::Json {
            let advisories: Vec<_> = said.iter().map(value).collect();
            let value = json!({
                "id": id, "advisories": advisories,
                "exploited": about.exploited, "forecast": about.forecast,
                "basis": report::basis_for_json(&basis),
            });
            return context.messages.report(&format!("{value:#}\n"));
        }
        let mut text = String::new();
        for advice in &said {
            advice_text(&mut text, advice);
        }
        if let Some(it) = about.exploited {
            let _ = writeln!(
                text,
                "Used in attacks, listed {}: {}\n  {}",
                it.added, it.title, it.action
            );
        }
        if let Some(it) = about.forecast {
            let (score, percentile) = (it.score * 100.0, it.percentile * 100.0);
            let _ = writeln!(text, "EPSS {score:.2} %, above {percentile:.1} % of all flaws");
        }
        let said = plain(text.trim_end()) + "\n\n";
        context.messages.report(&(said + &report::write_basis(&basis, &options(context))))
    }
}

/// How reports look, of commands without wishes of their own.
fn options(context: &Context) -> report::Options {
    report::Options {
        tool_version: VERSION.to_owned(),
        colour: context.messages.colour_on_stdout(),
        unicode: context.environment.unicode(),
        width: width_of_stdout(),
        ..report::Options::default()
    }
}

fn advice_text(text: &mut String, advice: &Advice<'_>) {
    let known = &advice.known;
    let mut names = vec![known.id.as_str()];
    names.extend(known.aliases.iter().map(String::as_str));
    let entry = advice.entry;
    let _ = writeln!(text, "{}  [{} {}, {}]", names.join(" "), entry.feed, entry.part, entry.space);
    let story = advice.text.details.lines().map(str::trim).find(|it| !it.is_empty());
    if !advice.text.title.is_empty() {
        let _ = writeln!(text, "  {}", advice.text.title);
    } else if let Some(story) = story {
        let _ = writeln!(text, "  {story}");
    }
    let dates = [
        ("published", &known.published),
        ("modified", &known.modified),
        ("withdrawn", &known.withdrawn),
    ];
    for (what, date) in dates {
        if let Some(date) = date {
            let _ = writeln!(text, "  {what} {date}");
        }
    }
    for rating in &known.ratings {
        let _ = writeln!(text, "  {}", rating_text(rating));
    }
    for (name, row) in &advice.rows {
        let spans: Vec<String> = row.stretches.iter().map(|it| span_text(&span(it))).collect();
        let listed = row.versions.iter().map(|it| it.version.to_owned());
        let versions: Vec<String> = spans.into_iter().chain(listed).collect();
        let status = match row.status {
            model::Status::Affected => "affected",
            model::Status::NotAffected => "not affected",
            model::Status::UnderInvestigation => "under investigation",
        };
        let _ = write!(text, "  {name}: {status} {}", versions.join(", "));
        for more in [row.channel, row.module].into_iter().flatten() {
            let _ = write!(text, " [{more}]");
        }
        if let Some(reason) = row.reason {
            let _ = write!(text, " ({reason})");
        }
        if !row.bulletins.is_empty() {
            let _ = write!(text, " {}", row.bulletins.join(" "));
        }
        text.push('\n');
    }
    text.push('\n');
}

fn rating_text(rating: &Rating) -> String {
    let mut text = format!("{}: {}", rating.source, rating.level);
    if let Some(word) = &rating.word {
        let _ = write!(text, " (\"{word}\")");
    }
    if let Some(score) = rating.score {
        let _ = write!(text, " {score:.1}");
    }
    if let Some(vector) = &rating.vector {
        let _ = write!(text, " {vector}");
    }
    text
}

fn span(stretch: &almanac::Stretch<'_>) -> Span {
    let bound = |it: &almanac::End<'_>| model::Bound {
        version: it.version.to_owned(),
        included: it.included,
    };
    Span { from: stretch.from.as_ref().map(bound), to: stretch.to.as_ref().map(bound) }
}

fn span_text(span: &Span) -> String {
    let from = span.from.as_ref().filter(|it| it.version != "0" || !it.included);
    let from = from.map(|it| format!("{}{}", if it.included { ">=" } else { ">" }, it.version));
    let to = span
        .to
        .as_ref()
        .map(|it| format!("{}{}", if it.included { "<=" } else { "<" }, it.version));
    match (from, to) {
        (None, None) => "all versions".to_owned(),
        (from, to) => from.into_iter().chain(to).collect::<Vec<_>>().join(" "),
    }
}

fn value(advice: &Advice<'_>) -> serde_json::Value {
    let known = &advice.known;
    let rows: Vec<_> = advice
        .rows
        .iter()
        .map(|(name, row)| {
            json!({
                "package": name, "names": row.names, "status": row.status,
                "spans": row.stretches.iter().map(span).collect::<Vec<_>>(),
                "versions": row.versions.iter().map(|it| it.version).collect::<Vec<_>>(),
                "outlook": row.outlook, "reason": row.reason, "rating": row.rating,
                "bulletins": row.bulletins, "arch": row.arch, "module": row.module,
                "channel": row.channel, "products": row.products,
            })
        })
        .collect();
    json!({
        "feed": advice.entry.feed, "part": advice.entry.part, "space": advice.entry.space,
        "id": known.id, "aliases": known.aliases, "related": known.related,
        "published": known.published, "modified": known.modified, "withdrawn": known.withdrawn,
        "ratings": known.ratings, "weaknesses": known.weaknesses,
        "title": advice.text.title, "details": advice.text.details,
        "references": advice.text.references, "rows": rows,
    })
}

impl Lookup {
    pub(super) fn run(self, directory: &Path, context: &Context) -> anyhow::Result<()> {
        let lookout = open_or_starter(directory)?;
        let subject = Subject::Document { name: self.purl.to_string() };
        let mut package = Package::new(self.purl);
        if let Some(upstream) = package.purl.qualifier("upstream") {
            let (name, version) = upstream
                .split_once('@')
                .map_or((upstream, None), |(name, version)| (name, Some(version.to_owned())));
            package.source = Some(model::SourcePackage { name: name.to_owned(), version });
        }
        let packages = vec![package];
        let inventory =
            Inventory { subject, distro: None, packages, statements: vec![], gaps: vec![] };
        let options = report::Options { details: true, ..options(context) };
        let text = match (self.explain, self.format) {
            (true, format) => {
                let judgements = lookout.explain(&inventory, engine::Asked::All);
                let basis = lookout.basis(&inventory);
                match format {
                    Format::Text => {
                        report::write_explanation(&judgements, &inventory, &basis, &options)
                    }
                    Format::Json => {
                        report::write_explanation_json(&judgements, &inventory, &basis, &options)
                    }
                }
            }
            (false, format) => {
                let analysis = lookout.analyze(inventory, &engine::Filter::default());
                let id = if format == Format::Json { "json" } else { "packages" };
                let report = report::find(id).expect("both are there");
                report.write(&analysis, &report::Options { details: false, ..options })
            }
        };
        answered(&lookout)?;
        context.messages.report(&text)
    }
}

impl Diff {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<()> {
        let (old, _kept_old) = open(&self.old)?;
        let (new, _kept_new) = open(&self.new)?;
        let changes = diff(&old, &new);
        let kind = |it| match it {
            ChangeKind::Added => "added",
            ChangeKind::Removed => "removed",
            ChangeKind::Changed => "changed",
        };
        let thing = |it: &ChangedThing| match it {
            ChangedThing::Name(name) => ("package", name.clone()),
            ChangedThing::Advisory(id) => ("advisory", id.clone()),
        };
        context.messages.report(&match self.format {
            Format::Json => {
                let all: Vec<_> = changes
                    .iter()
                    .map(|it| {
                        let (what, name) = thing(&it.about);
                        json!({"feed": it.feed, "part": it.part, "space": it.space, "what": what, "name": name, "change": kind(it.kind)})
                    })
                    .collect();
                format!("{:#}\n", json!(all))
            }
            Format::Text => {
                let mut text = String::new();
                for it in &changes {
                    let (what, name) = thing(&it.about);
                    let _ = writeln!(text, "{:<8} {what:<9} {name}  [{} {}]", kind(it.kind), it.feed, it.space);
                }
                let differences = count(changes.len() as u64, "difference", "differences");
                let _ = writeln!(text, "{differences}");
                plain(&text)
            }
        })
    }
}

/// An almanac in a directory, or in a file, which is then unpacked for as long as it is read.
fn open(path: &Path) -> anyhow::Result<(Almanac, Option<tempfile::TempDir>)> {
    if !path.is_file() {
        return Ok((Almanac::open(path)?, None));
    }
    let folder = tempfile::tempdir()?;
    almanac::import(path, folder.path(), Trust::Anyone)?;
    Ok((Almanac::open(folder.path())?, Some(folder)))
}
