//! csv: for spreadsheets (RFC 4180): a row for each finding of each package of each deployment, and
//! one for each deployment itself, for each gap, and for what the document rests on.

use std::borrow::Cow;
use std::fmt::Write as _;

use model::{Analysis, Deployment, Finding, Gap, Package};

use super::{Export, Head, Image, Writer, name};
use crate::report::csv_row;
use crate::{list, page, words};

pub(super) struct Csv;

impl Export for Csv {
    fn id(&self) -> &'static str {
        "csv"
    }

    fn title(&self) -> &'static str {
        "CSV, a row for each vulnerability of each package of what runs"
    }

    fn media_type(&self) -> &'static str {
        "text/csv; charset=utf-8"
    }

    fn ending(&self) -> &'static str {
        "csv"
    }

    fn begin(&self, head: Head) -> Box<dyn Writer> {
        Box::new(Rows { head })
    }
}

struct Rows {
    head: Head,
}

/// `record` is `deployment`, `finding`, `pending`, `gap`, `basis` or `warning`; those that are no
/// findings say what they have to say in `note`.
const COLUMNS: [&str; 28] = [
    "record",
    "environment",
    "application",
    "image",
    "digest",
    "platform",
    "since",
    "recorded_by",
    "recorded_from",
    "package",
    "version",
    "type",
    "purl",
    "flaw",
    "aliases",
    "severity",
    "score",
    "fixed_in",
    "exploited",
    "epss_score",
    "epss_percentile",
    "status",
    "justification",
    "statement",
    "path",
    "layer",
    "instruction",
    "note",
];
/// So many columns say what runs.
const OF_DEPLOYMENT: usize = 8;

impl Writer for Rows {
    fn begin(&mut self) -> String {
        let mut out = String::new();
        csv_row(&mut out, COLUMNS);
        self.remark(&mut out, "basis", None, &page::basis(&self.head.basis).0);
        for warning in &self.head.basis.warnings {
            self.remark(&mut out, "warning", None, warning);
        }
        out
    }

    fn image(&mut self, image: &Image<'_>) -> String {
        let mut out = String::new();
        for deployment in image.deployments {
            match image.content {
                Err(why) => self.remark(&mut out, "pending", Some(deployment), why),
                Ok(analysis) => self.deployment(&mut out, deployment, analysis),
            }
        }
        out
    }

    fn end(&mut self) -> Option<String> {
        None
    }
}

impl Rows {
    fn deployment(&self, out: &mut String, deployment: &Deployment, analysis: &Analysis) {
        let gaps: Vec<&Gap> = page::gaps(analysis);
        let mut note = format!(
            "{}, {}",
            words::many(analysis.inventory.packages.len(), "package"),
            words::many(analysis.findings.len(), "vulnerability"),
        );
        let suppressed = analysis.findings.iter().filter(|it| it.suppressed()).count();
        if suppressed > 0 {
            let _ = write!(note, " ({suppressed} suppressed)");
        }
        if !gaps.is_empty() {
            note.push_str(", ");
            note.push_str(&words::many(gaps.len(), "gap"));
        }
        self.remark(out, "deployment", Some(deployment), &note);
        for finding in &analysis.findings {
            let mut packages = page::packages(analysis, finding).peekable();
            // An analysis that names no package is broken, but its finding is not lost.
            if packages.peek().is_none() {
                self.finding(out, deployment, analysis, finding, None);
            }
            for package in packages {
                self.finding(out, deployment, analysis, finding, Some(package));
            }
        }
        for gap in gaps {
            self.remark(out, "gap", Some(deployment), &gap.to_string());
        }
    }

    fn finding(
        &self,
        out: &mut String,
        deployment: &Deployment,
        analysis: &Analysis,
        finding: &Finding,
        package: Option<&Package>,
    ) {
        let purl = package.map(|it| &it.purl);
        let score = |value: Option<f32>| value.map_or_else(String::new, |it| it.to_string());
        let forecast = finding.forecast.as_ref();
        let place = package.and_then(|it| it.places.first());
        let number = place.and_then(|it| it.first_layer.or(it.layer));
        let layers = analysis.inventory.subject.image().map(|it| it.layers.as_slice());
        let layer = number.and_then(|it| layers?.get(it as usize));
        let digest = layer.and_then(|it| it.digest.as_ref().or(it.diff_id.as_ref()));
        let instruction = layer.and_then(|it| it.created_by.as_deref());
        let statement = finding.statement.as_ref();
        let cells: [Cow<'_, str>; 19] = [
            purl.map(list::name).unwrap_or_default(),
            purl.and_then(|it| it.version()).unwrap_or(&finding.version).into(),
            purl.map(model::Purl::kind).unwrap_or_default().into(),
            purl.map(ToString::to_string).unwrap_or_default().into(),
            (&*finding.id).into(),
            finding.aliases.join(" ").into(),
            finding.level.as_str().into(),
            score(finding.score()).into(),
            finding.fixed().unwrap_or_default().into(),
            finding.exploited.as_ref().map(|it| &*it.added).unwrap_or_default().into(),
            score(forecast.map(|it| it.score)).into(),
            score(forecast.map(|it| it.percentile)).into(),
            statement.map_or("affected", |it| it.status.as_str()).into(),
            statement.and_then(|it| it.justification.as_deref()).unwrap_or_default().into(),
            statement.map(words::whole_statement).unwrap_or_default().into(),
            place.map(|it| &*it.path).unwrap_or_default().into(),
            digest.map(model::Digest::as_str).unwrap_or_default().into(),
            instruction.unwrap_or_default().into(),
            (&*finding.title).into(),
        ];
        let told = self.told(Some(deployment));
        let told = told.iter().map(AsRef::as_ref).chain(cells.iter().map(AsRef::as_ref));
        csv_row(out, ["finding"].into_iter().chain(told));
    }

    /// What is no finding.
    fn remark(&self, out: &mut String, record: &str, deployment: Option<&Deployment>, note: &str) {
        let told = self.told(deployment);
        let empty = COLUMNS.len() - 1 - OF_DEPLOYMENT - 1;
        let cells = [record].into_iter().chain(told.iter().map(AsRef::as_ref));
        csv_row(out, cells.chain(std::iter::repeat_n("", empty)).chain([note]));
    }

    fn told<'a>(&'a self, deployment: Option<&'a Deployment>) -> [Cow<'a, str>; OF_DEPLOYMENT] {
        let environment = Cow::from(&*self.head.environment);
        let Some(it) = deployment else {
            let mut told = <[Cow<'a, str>; OF_DEPLOYMENT]>::default();
            told[0] = environment;
            return told;
        };
        [
            environment,
            (&*it.application).into(),
            name(it),
            it.digest.as_str().into(),
            it.platform.to_string().into(),
            it.from.to_string().into(),
            (&*it.recorded_by).into(),
            (&*it.recorded_from).into(),
        ]
    }
}
