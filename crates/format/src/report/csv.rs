//! csv: for spreadsheets (RFC 4180): a row for each finding and package, then one for each gap.

use std::borrow::Cow;

use model::{Analysis, Finding, Package};

use super::{Options, Report, Several};
use crate::list::name;
use crate::page;
use crate::words;

pub(crate) struct Csv;

impl Report for Csv {
    fn id(&self) -> &'static str {
        "csv"
    }

    fn title(&self) -> &'static str {
        "CSV, a row for each vulnerability of each package"
    }

    fn write(&self, analysis: &Analysis, options: &Options) -> String {
        let mut out = String::with_capacity(analysis.findings.len().saturating_mul(512) + 1024);
        row(&mut out, COLUMNS);
        rows(&mut out, None, analysis, options);
        out
    }

    /// With one column more, the image's.
    fn several<'a>(&'a self, _: usize, options: &'a Options) -> Option<Box<dyn Several + 'a>> {
        let mut head = String::new();
        row(&mut head, ["image"].into_iter().chain(COLUMNS));
        Some(Box::new(Parts { options, head }))
    }
}

struct Parts<'a> {
    options: &'a Options,
    /// Until it is written.
    head: String,
}

impl Several for Parts<'_> {
    fn image(&mut self, analysis: &Analysis) -> String {
        let mut out = std::mem::take(&mut self.head);
        rows(&mut out, Some(analysis.inventory.subject.name()), analysis, self.options);
        out
    }

    fn end(&mut self) -> String {
        std::mem::take(&mut self.head)
    }
}

/// Everything about one image.
fn rows(out: &mut String, image: Option<&str>, analysis: &Analysis, options: &Options) {
    for finding in page::findings(analysis, options) {
        let mut packages = page::packages(analysis, finding).peekable();
        // An analysis that names no package is broken, but its finding is not lost.
        if packages.peek().is_none() {
            told(out, image, finding, None, options);
        }
        for package in packages {
            told(out, image, finding, Some(package), options);
        }
    }
    for gap in page::gaps(analysis) {
        remark(out, image, "gap", &gap.at, &gap.why);
    }
    let (basis, _) = page::basis(&analysis.basis);
    remark(out, image, "basis", &analysis.basis.almanac, &basis);
    for warning in &analysis.basis.warnings {
        remark(out, image, "warning", "", warning);
    }
}

/// Rows that are no findings say where in `location`, and what in `title`.
const COLUMNS: [&str; 28] = [
    "record",
    "id",
    "aliases",
    "level",
    "score",
    "vector",
    "package",
    "version",
    "type",
    "purl",
    "location",
    "source_package",
    "source_version",
    "space",
    "affected_range",
    "fixed_version",
    "fix",
    "exploited",
    "epss_score",
    "epss_percentile",
    "suppressed",
    "statement",
    "feed",
    "advisory",
    "published",
    "title",
    "details",
    "in_use",
];

fn told(
    out: &mut String,
    image: Option<&str>,
    finding: &Finding,
    package: Option<&Package>,
    options: &Options,
) {
    let purl = package.map(|it| &it.purl);
    let mut advisory = finding.advisory.clone();
    for bulletin in &finding.bulletins {
        advisory.push(' ');
        advisory.push_str(bulletin);
    }
    let score = |value: Option<f32>| value.map_or_else(String::new, |it| it.to_string());
    let forecast = finding.forecast.as_ref();
    let location = package.and_then(|it| it.places.first()).map(|it| &*it.path);
    let cells: [Cow<'_, str>; 28] = [
        "finding".into(),
        (&*finding.id).into(),
        finding.aliases.join(" ").into(),
        finding.level.as_str().into(),
        score(finding.score()).into(),
        finding.vector().unwrap_or_default().into(),
        purl.map(name).unwrap_or_default(),
        purl.and_then(|it| it.version()).unwrap_or_default().into(),
        purl.map(model::Purl::kind).unwrap_or_default().into(),
        purl.map(ToString::to_string).unwrap_or_default().into(),
        location.unwrap_or_default().into(),
        (&*finding.name).into(),
        (&*finding.version).into(),
        finding.space.as_str().into(),
        words::range(finding).into(),
        finding.fixed().unwrap_or_default().into(),
        words::fixed(finding),
        finding.exploited.as_ref().map(|it| &*it.added).unwrap_or_default().into(),
        score(forecast.map(|it| it.score)).into(),
        score(forecast.map(|it| it.percentile)).into(),
        if finding.suppressed() { "yes" } else { "no" }.into(),
        finding.statement.as_ref().map(words::whole_statement).unwrap_or_default().into(),
        (&*finding.feed).into(),
        advisory.into(),
        finding.published.as_deref().unwrap_or_default().into(),
        (&*finding.title).into(),
        if options.details { &*finding.details } else { "" }.into(),
        finding.in_use.map_or("", |it| if it { "yes" } else { "no" }).into(),
    ];
    row(out, image.into_iter().chain(cells.iter().map(AsRef::as_ref)));
}

fn remark(out: &mut String, image: Option<&str>, record: &str, at: &str, says: &str) {
    row(
        out,
        image.into_iter().chain(COLUMNS.iter().map(|column| match *column {
            "record" => record,
            "location" => at,
            "title" => says,
            _ => "",
        })),
    );
}

/// Writes a row of RFC 4180, in which nothing is a formula.
pub fn row<'a>(out: &mut String, cells: impl IntoIterator<Item = &'a str>) {
    for (number, text) in cells.into_iter().enumerate() {
        out.push_str(if number == 0 { "" } else { "," });
        cell(out, text);
    }
    out.push_str("\r\n");
}

/// A spreadsheet takes a cell that begins like a formula for one, and runs it: an apostrophe makes it
/// a text. The `purl` column never needs one. <https://owasp.org/www-community/attacks/CSV_Injection>
fn cell(out: &mut String, text: &str) {
    let formula = text
        .trim_start_matches([' ', '\u{a0}', '"', '\''])
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '|', '%']);
    let quoted = formula
        || text.contains([',', '"', ';'])
        || text.contains(char::is_control)
        || text.starts_with(' ');
    if !quoted {
        out.push_str(text);
        return;
    }
    out.push('"');
    out.push_str(if formula { "'" } else { "" });
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\"\""),
            '\n' | '\r' | '\t' => out.push(letter),
            // Whoever looks at the file in a terminal must not be talked to by it.
            it if it.is_control() => out.extend(it.escape_unicode()),
            it => out.push(it),
        }
    }
    out.push('"');
}
