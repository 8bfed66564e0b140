//! json: for scripts: everything a comparison says, in one stable shape: every key is always there.

use model::{Aspect, Comparison, Counts, Fate, FindingChange, Gap, Level, Outlook, PackageChange};
use model::{Purl, Seen, Side, SideKind, Way};
use serde::Serialize;

use super::grounds::GroundJson;
use super::page;
use super::several::Overview;
use super::{Application, Between, Options, Outcome, Parts, Promotion, Report};
use crate::document::{self, List, TOOL};
use crate::policies::{self, Compared};
use crate::report::Ground;
use crate::report::basis::BasisJson;
use crate::words;

/// Raised when a key changes its meaning or goes away; new keys may come at any time.
const SHAPE: u32 = 1;

pub(crate) struct Json;

impl Report for Json {
    fn id(&self) -> &'static str {
        "json"
    }

    fn title(&self) -> &'static str {
        "JSON for scripts, in a stable shape"
    }

    fn write(&self, comparison: &Comparison, options: &Options) -> String {
        let packages = |way| comparison.packages_that(way).map(package).collect::<Vec<_>>();
        let all = |fate| comparison.findings_that(fate);
        let findings = |fate| all(fate).map(|it| told(comparison, it)).collect::<Vec<_>>();
        let created = options.report.created.as_deref().and_then(document::to_the_second);
        let document = Document {
            kind: "foretop-comparison",
            shape: SHAPE,
            tool: Tool { name: TOOL, version: &options.report.tool_version },
            created: created.unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned()),
            worse: comparison.is_worse(),
            analyzed: side(&comparison.after, options.grounds.after.as_ref()),
            comparison: side(&comparison.before, options.grounds.before.as_ref()),
            policies: options.policies.as_ref().map(Compared::document),
            packages: Packages {
                added: packages(Way::Added),
                removed: packages(Way::Removed),
                upgraded: packages(Way::Upgraded),
                downgraded: packages(Way::Downgraded),
                changed: packages(Way::Changed),
                unclear: packages(Way::Unclear),
                unchanged: comparison.unchanged_packages,
            },
            vulnerabilities: Findings {
                introduced: findings(Fate::Introduced),
                fixed: findings(Fate::Fixed),
                changed: findings(Fate::Changed),
                unclear: findings(Fate::Unclear),
                unchanged: all(Fate::Unchanged).count(),
                remaining: if options.ignore_unchanged {
                    Vec::new()
                } else {
                    findings(Fate::Unchanged)
                },
            },
        };
        document::printed(&document, comparison.packages.len() + comparison.findings.len())
    }

    fn several<'a>(&'a self, between: Between, options: &'a Options) -> Box<dyn Parts + 'a> {
        Box::new(SeveralParts { overview: Overview::of(between), options, list: None })
    }
}

struct SeveralParts<'a> {
    overview: Overview,
    options: &'a Options,
    /// Once all are known.
    list: Option<List>,
}

impl Parts for SeveralParts<'_> {
    fn part(&mut self, it: &Application) -> String {
        self.overview.add(it);
        let differences = it.comparison().map(|it| Json.write(it, self.options));
        List::piece(&ApplicationJson {
            application: &it.name,
            platform: &it.platform,
            analyzed: it.after.as_deref(),
            comparison: it.before.as_deref(),
            outcome: it.outcome.as_str(),
            gaps: match &it.outcome {
                Outcome::Unknown(gaps) => gaps,
                _ => &[],
            },
            differences: differences.as_deref().and_then(|it| serde_json::from_str(it).ok()),
        })
    }

    fn begin(&mut self, policies: Option<&Promotion>) -> String {
        let (options, overview) = (&self.options.report, &self.overview);
        let created = options.created.as_deref().and_then(document::to_the_second);
        let document = SeveralJson {
            kind: "foretop-comparisons",
            shape: SHAPE,
            tool: Tool { name: TOOL, version: &options.tool_version },
            created: created.unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned()),
            analyzed: &overview.between.after,
            comparison: &overview.between.before,
            summary: SummaryJson {
                applications: overview.len(),
                changed: overview.number("compared"),
                unchanged: overview.number("unchanged"),
                added: overview.number("added"),
                removed: overview.number("removed"),
                unknown: overview.number("unknown"),
                introduced: overview.total(Fate::Introduced),
                fixed: overview.total(Fate::Fixed),
                unclear: overview.total(Fate::Unclear),
            },
            policies,
            applications: [],
        };
        self.list = Some(List::of(&document, "applications"));
        String::new()
    }

    fn next(&mut self, part: &str) -> String {
        self.list.as_mut().map_or_else(String::new, |it| it.add_piece(part))
    }

    fn end(&mut self) -> String {
        self.list.as_mut().map_or_else(String::new, List::end)
    }
}

#[derive(Serialize)]
struct Document<'a> {
    kind: &'static str,
    shape: u32,
    tool: Tool<'a>,
    created: String,
    worse: bool,
    analyzed: SideJson<'a>,
    comparison: SideJson<'a>,
    policies: Option<policies::Document<'a>>,
    packages: Packages<'a>,
    vulnerabilities: Findings<'a>,
}

/// What runs in two places.
#[derive(Serialize)]
struct SeveralJson<'a> {
    kind: &'static str,
    shape: u32,
    tool: Tool<'a>,
    created: String,
    analyzed: &'a str,
    comparison: &'a str,
    summary: SummaryJson,
    /// What those of the other environment say, where they are asked.
    policies: Option<&'a Promotion>,
    /// They are told one by one.
    applications: [(); 0],
}

#[derive(Serialize)]
struct SummaryJson {
    applications: usize,
    changed: usize,
    unchanged: usize,
    added: usize,
    removed: usize,
    unknown: usize,
    introduced: usize,
    fixed: usize,
    unclear: usize,
}

#[derive(Serialize)]
struct ApplicationJson<'a> {
    application: &'a str,
    platform: &'a str,
    analyzed: Option<&'a str>,
    comparison: Option<&'a str>,
    outcome: &'static str,
    gaps: &'a [Gap],
    /// The document about these two images.
    differences: Option<&'a serde_json::value::RawValue>,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
struct SideJson<'a> {
    r#type: SideKind,
    name: &'a str,
    digest: Option<&'a model::Digest>,
    tags: &'a [String],
    platform: Option<String>,
    distro: Option<&'a model::Distro>,
    base: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stands_on: Option<GroundJson<'a>>,
    size: Option<u64>,
    packages: usize,
    vulnerabilities: &'a Counts,
    gaps: &'a [Gap],
    basis: BasisJson<'a>,
}

#[derive(Serialize)]
struct Packages<'a> {
    added: Vec<PackageJson<'a>>,
    removed: Vec<PackageJson<'a>>,
    upgraded: Vec<PackageJson<'a>>,
    downgraded: Vec<PackageJson<'a>>,
    changed: Vec<PackageJson<'a>>,
    unclear: Vec<PackageJson<'a>>,
    unchanged: usize,
}

#[derive(Serialize)]
struct PackageJson<'a> {
    name: std::borrow::Cow<'a, str>,
    r#type: &'a str,
    before: Option<Version<'a>>,
    after: Option<Version<'a>>,
    unordered: Option<&'a str>,
    doubt: Option<&'a Gap>,
}

#[derive(Serialize)]
struct Version<'a> {
    version: &'a str,
    purl: &'a Purl,
}

#[derive(Serialize)]
struct Findings<'a> {
    introduced: Vec<FindingJson<'a>>,
    fixed: Vec<FindingJson<'a>>,
    changed: Vec<FindingJson<'a>>,
    unclear: Vec<FindingJson<'a>>,
    unchanged: usize,
    remaining: Vec<FindingJson<'a>>,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    id: &'a str,
    aliases: &'a [String],
    url: String,
    level: Level,
    title: &'a str,
    name: &'a str,
    packages: Vec<PackageJson<'a>>,
    before: Option<SeenJson<'a>>,
    after: Option<SeenJson<'a>>,
    changes: &'a [Aspect],
    doubt: Option<&'a Gap>,
}

#[derive(Serialize)]
struct SeenJson<'a> {
    version: &'a str,
    space: &'a model::Space,
    level: Level,
    fixed_version: Option<&'a str>,
    fix_channel: Option<&'a str>,
    outlook: Option<Outlook>,
    exploited: bool,
    malicious: bool,
    epss_score: Option<f32>,
    suppressed: bool,
}

fn side<'a>(side: &'a Side, ground: Option<&'a Ground>) -> SideJson<'a> {
    SideJson {
        r#type: side.kind,
        name: &side.name,
        digest: side.digest.as_ref(),
        tags: &side.tags,
        platform: side.platform.as_ref().map(ToString::to_string),
        distro: side.distro.as_ref(),
        base: side.base.as_deref(),
        stands_on: ground.map(GroundJson::of),
        size: side.size,
        packages: side.packages,
        vulnerabilities: &side.counts,
        gaps: &side.gaps,
        basis: BasisJson::of(&side.basis),
    }
}

fn package(change: &PackageChange) -> PackageJson<'_> {
    PackageJson {
        name: page::name(change),
        r#type: change.purl().map_or("", Purl::kind),
        before: change.before.as_ref().map(version_of),
        after: change.after.as_ref().map(version_of),
        unordered: change.unordered.as_deref(),
        doubt: change.doubt.as_ref(),
    }
}

fn version_of(purl: &Purl) -> Version<'_> {
    Version { version: purl.version().unwrap_or_default(), purl }
}

fn told<'a>(comparison: &'a Comparison, finding: &'a FindingChange) -> FindingJson<'a> {
    FindingJson {
        id: &finding.id,
        aliases: &finding.aliases,
        url: words::link(&finding.id),
        level: finding.level(),
        title: &finding.title,
        name: &finding.name,
        packages: finding
            .packages
            .iter()
            .filter_map(|it| comparison.packages.get(*it))
            .map(package)
            .collect(),
        before: finding.before.as_ref().map(seen),
        after: finding.after.as_ref().map(seen),
        changes: &finding.aspects,
        doubt: finding.doubt.as_ref(),
    }
}

fn seen(seen: &Seen) -> SeenJson<'_> {
    let (fixed_version, fix_channel, outlook) = match &seen.fix {
        model::Fix::Version { version, channel } => (Some(&**version), channel.as_deref(), None),
        model::Fix::None(outlook) => (None, None, Some(*outlook)),
    };
    SeenJson {
        version: &seen.version,
        space: &seen.space,
        level: seen.level,
        fixed_version,
        fix_channel,
        outlook,
        exploited: seen.exploited,
        malicious: seen.malicious,
        epss_score: seen.forecast,
        suppressed: seen.suppressed,
    }
}
