//! Which findings a reader wants to see: everything said must hold.

use model::{Analysis, Basis, Finding, Level, Package, Threat};
use regex::Regex;

/// What is wanted; the default is everything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of these levels.
    pub levels: Vec<Level>,
    /// Under any of these names.
    pub ids: Vec<String>,
    /// In packages whose name one of these matches.
    pub packages: Vec<Regex>,
    /// In packages of these purl types.
    pub types: Vec<String>,
    /// With a fix, or without one.
    pub fixed: Option<bool>,
    /// Known to be used in attacks.
    pub exploited: bool,
    /// With all of these metrics in the CVSS vector: `AV:N`.
    pub metrics: Vec<String>,
    /// With an EPSS score of at least this, from 0 to 1.
    pub score: f32,
    /// With an EPSS percentile of at least this, from 0 to 1.
    pub percentile: f32,
    /// That no VEX statement or exception takes out of the way.
    pub unsuppressed: bool,
    /// In packages that the base image brought, or in all others.
    pub part: Option<Part>,
}

/// A part of an image; of its layers so many are the base image's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What the base image brought.
    Base(usize),
    /// What came on top.
    Rest(usize),
}

impl Part {
    /// Is the package, or one of several copies of it, in that part? What nobody can tell is in both.
    pub fn has(self, package: &Package) -> bool {
        let layers = package.places.iter().map(|it| it.first_layer.or(it.layer));
        let in_base = |it: Option<u32>, base: usize| it.map(|it| (it as usize) < base);
        let mut layers = layers.peekable();
        layers.peek().is_none()
            || layers.any(|it| match self {
                Self::Base(base) => in_base(it, base).unwrap_or(true),
                Self::Rest(base) => !in_base(it, base).unwrap_or(false),
            })
    }
}

impl Filter {
    /// What is asked for, and nobody tells: that nothing is found says nothing then.
    pub fn untold<'b>(&self, basis: &'b Basis) -> impl Iterator<Item = Threat> + use<'b> {
        let by_forecast = self.score > 0.0 || self.percentile > 0.0;
        let exploited = self.exploited;
        basis.untold.iter().copied().filter(move |it| match it {
            Threat::Attacks => exploited,
            Threat::Forecasts => by_forecast,
        })
    }

    /// Only what is wanted of `analysis`. Gaps stay: a hole may hide what was asked for.
    #[must_use]
    pub fn apply(&self, mut analysis: Analysis) -> Analysis {
        let untold = self.untold(&analysis.basis).map(|it| it.untold().to_owned());
        analysis.basis.warnings.extend(untold.collect::<Vec<_>>());
        let packages = &analysis.inventory.packages;
        let wanted: Vec<bool> = packages.iter().map(|it| self.wants_package(it)).collect();
        let has = |at: &usize| {
            self.part.is_none_or(|part| packages.get(*at).is_some_and(|it| part.has(it)))
        };
        analysis.findings.retain_mut(|finding| {
            finding.packages.retain(has);
            if !self.is_by_source(finding, packages) {
                finding.packages.retain(|at| wanted.get(*at).copied().unwrap_or(false));
            }
            !finding.packages.is_empty() && self.wants(finding)
        });
        if self.packages.is_empty() && self.types.is_empty() && self.part.is_none() {
            return analysis;
        }
        // Packages move up, and findings follow them.
        let mut keep = wanted;
        for at in analysis.findings.iter().flat_map(|it| &it.packages) {
            keep[*at] = true;
        }
        let mut place = Vec::with_capacity(keep.len());
        let mut next = 0;
        for kept in &keep {
            place.push(next);
            next += usize::from(*kept);
        }
        for at in analysis.findings.iter_mut().flat_map(|it| &mut it.packages) {
            *at = place[*at];
        }
        let mut keep = keep.into_iter();
        analysis.inventory.packages.retain(|_| keep.next().unwrap_or(true));
        analysis
    }

    /// Would it stay? `wanted` tells it of each package.
    pub(crate) fn keeps(&self, finding: &Finding, packages: &[Package], wanted: &[bool]) -> bool {
        let any = || finding.packages.iter().any(|at| wanted.get(*at).copied().unwrap_or(false));
        self.wants(finding) && (any() || self.is_by_source(finding, packages))
    }

    /// The name that the advisory speaks of counts for all that were built from it.
    fn is_by_source(&self, finding: &Finding, packages: &[Package]) -> bool {
        self.packages.iter().any(|it| it.is_match(&finding.name))
            && finding
                .packages
                .iter()
                .any(|at| packages.get(*at).is_some_and(|it| self.wants_type(it)))
    }

    pub(crate) fn wants_package(&self, package: &Package) -> bool {
        let named = || {
            let full = package.purl.full_name();
            self.packages.iter().any(|it| it.is_match(&full) || it.is_match(package.purl.name()))
        };
        self.wants_type(package) && (self.packages.is_empty() || named())
    }

    fn wants_type(&self, package: &Package) -> bool {
        (self.types.is_empty() || self.types.iter().any(|it| it == package.purl.kind()))
            && self.part.is_none_or(|it| it.has(package))
    }

    /// Is it one of those? Of which packages it speaks is not asked.
    pub fn wants(&self, finding: &Finding) -> bool {
        let named = |wanted: &String| {
            let mut names = finding.aliases.iter().chain([&finding.id, &finding.advisory]);
            names.any(|it| it.eq_ignore_ascii_case(wanted))
        };
        let metric = |wanted: &String| {
            finding
                .vector()
                .is_some_and(|it| it.split('/').any(|it| it.eq_ignore_ascii_case(wanted)))
        };
        let forecast = |least: f32, of: fn(&model::Forecast) -> f32| {
            least <= 0.0 || finding.forecast.as_ref().is_some_and(|it| of(it) >= least)
        };
        (self.levels.is_empty() || self.levels.contains(&finding.level))
            && (self.ids.is_empty() || self.ids.iter().any(named))
            && self.fixed.is_none_or(|it| it == finding.fixed().is_some())
            && (!self.exploited || finding.exploited.is_some())
            && self.metrics.iter().all(metric)
            && forecast(self.score, |it| it.score)
            && forecast(self.percentile, |it| it.percentile)
            && !(self.unsuppressed && finding.suppressed())
    }
}

#[cfg(test)]
mod tests {
    use model::{
        Basis, Exploited, Fix, Forecast, Inventory, Outlook, Place, Rating, Space, Subject,
    };

    use super::*;

    fn finding(id: &str, packages: &[usize], level: Level) -> Finding {
        Finding {
            id: id.to_owned(),
            aliases: vec![format!("GHSA-{id}")],
            packages: packages.to_vec(),
            name: "openssl".to_owned(),
            version: "1".to_owned(),
            space: Space::from("debian:12"),
            feed: "test".to_owned(),
            advisory: id.to_owned(),
            bulletins: vec![],
            level,
            ratings: vec![Rating {
                source: "nvd".to_owned(),
                level,
                word: None,
                score: Some(5.0),
                vector: Some("CVSS:3.1/AV:N/AC:L".to_owned()),
            }],
            spans: vec![],
            fix: Fix::None(Outlook::Open),
            reason: None,
            published: None,
            title: String::new(),
            details: String::new(),
            references: vec![],
            weaknesses: vec![],
            exploited: None,
            forecast: None,
            malicious: false,
            statement: None,
            in_use: None,
        }
    }

    /// Packages libssl3, openssl and lodash; findings A in the first two, B and C in the third.
    fn analysis() -> Analysis {
        let packages = ["pkg:deb/debian/libssl3@1", "pkg:deb/debian/openssl@1", "pkg:npm/lodash@4"];
        let package = |it: &&str| Package::new(it.parse().unwrap());
        let mut packages: Vec<Package> = packages.iter().map(package).collect();
        for (package, layer) in [(1, 0), (2, 0), (2, 1)] {
            let place = Place { layer: Some(layer), ..Place::default() };
            packages[package].places.push(place);
        }
        let mut b = finding("B", &[2], Level::Low);
        b.name = "lodash".to_owned();
        b.fix = Fix::Version { version: "5".to_owned(), channel: None };
        b.forecast = Some(Forecast { id: "B".to_owned(), score: 0.5, percentile: 0.9 });
        let mut c = finding("C", &[2], Level::High);
        c.name = "lodash".to_owned();
        c.exploited = Some(Exploited {
            id: "C".to_owned(),
            added: "2024-01-01".to_owned(),
            due: None,
            ransomware: false,
            title: String::new(),
            action: String::new(),
        });
        Analysis {
            inventory: Inventory {
                subject: Subject::Directory { path: "/".to_owned() },
                distro: None,
                packages,
                statements: vec![],
                gaps: vec![],
            },
            findings: vec![finding("A", &[0, 1], Level::Critical), b, c],
            gaps: vec![],
            basis: Basis::default(),
        }
    }

    /// `ID:PACKAGE,PACKAGE` for each finding that stays, then how many packages do.
    #[track_caller]
    fn check(filter: &Filter, expect: &str) {
        let analysis = filter.apply(analysis());
        let packages = &analysis.inventory.packages;
        let line = |it: &Finding| {
            let names: Vec<&str> = it.packages.iter().map(|at| packages[*at].purl.name()).collect();
            format!("{}:{}", it.id, names.join(","))
        };
        let lines: Vec<String> = analysis.findings.iter().map(line).collect();
        assert_eq!(format!("{} of {}", lines.join(" "), packages.len()), expect);
    }

    #[test]
    fn every_wish_is_kept() {
        let any = Filter::default;
        let regex = |it: &str| vec![Regex::new(it).unwrap()];
        check(&any(), "A:libssl3,openssl B:lodash C:lodash of 3");
        check(&Filter { levels: vec![Level::High], ..any() }, "C:lodash of 3");
        check(&Filter { ids: vec!["ghsa-b".into()], ..any() }, "B:lodash of 3");
        check(&Filter { types: vec!["npm".into()], ..any() }, "B:lodash C:lodash of 1");
        check(&Filter { packages: regex("^lod"), ..any() }, "B:lodash C:lodash of 1");
        check(&Filter { packages: regex("ssl3"), ..any() }, "A:libssl3 of 1");
        check(&Filter { packages: regex("openssl"), ..any() }, "A:libssl3,openssl of 2");
        check(&Filter { packages: regex("openssl"), types: vec!["npm".into()], ..any() }, " of 0");
        check(&Filter { fixed: Some(true), ..any() }, "B:lodash of 3");
        check(&Filter { fixed: Some(false), ..any() }, "A:libssl3,openssl C:lodash of 3");
        check(&Filter { exploited: true, ..any() }, "C:lodash of 3");
        check(&Filter { metrics: vec!["av:n".into(), "AV:P".into()], ..any() }, " of 3");
        check(
            &Filter { metrics: vec!["AC:L".into()], ids: vec!["A".into()], ..any() },
            "A:libssl3,openssl of 3",
        );
        // Where libssl3 is nobody knows, openssl is the base's, and lodash is in both.
        let part = |it| Filter { part: Some(it), ..any() };
        check(&part(Part::Base(1)), "A:libssl3,openssl B:lodash C:lodash of 3");
        check(&part(Part::Rest(1)), "A:libssl3 B:lodash C:lodash of 2");
        check(&part(Part::Rest(2)), "A:libssl3 of 1");
        check(&part(Part::Base(0)), "A:libssl3 of 1");
        check(&Filter { packages: regex("openssl"), ..part(Part::Rest(1)) }, "A:libssl3 of 1");
        check(&Filter { score: 0.4, ..any() }, "B:lodash of 3");
        check(&Filter { percentile: 0.95, ..any() }, " of 3");
    }
}
