//! The packages that an OSV record names, made into rows.

use std::collections::{HashMap, HashSet};

use ecosystem::order;
use model::{Affected, Gap, Names, Outlook, Rating, Span, Status};
use serde_json::value::RawValue;

use super::ecosystems::{Home, base, full_name, home};
use super::flaws::Flaw;
use crate::contract::hole;
use crate::json::Text;

use super::record::{self, AffectedExtra, EcosystemExtra, Record, RecordExtra};
use super::{LOOSE, at, gap, ranges, rate};

/// What a record says about packages.
#[derive(Default)]
pub(super) struct Rows {
    told: Vec<Row>,
    /// Packages of other ecosystems than the part's.
    pub(super) others: usize,
    pub(super) is_distribution: bool,
    pub(super) malicious: bool,
    pub(super) weaknesses: Vec<u32>,
}

struct Row {
    affected: Affected,
    /// Ubuntu's notices rate each flaw for each package.
    of_flaw: Vec<(String, Rating)>,
}

impl Rows {
    pub(super) fn read(part: &str, record: &Record<'_>, gaps: &mut Vec<Gap>) -> Self {
        let mut rows = Self::default();
        let extra: RecordExtra<'_> = rate::extra(record.database_specific);
        rows.weaknesses = extra.cwe_ids.iter().filter_map(|it| rate::weakness(it)).collect();
        let mut unknown = HashSet::new();
        let mut only_commits = 0;
        for affected in &record.affected {
            let Some(package) = affected.package.as_ref().filter(|it| !it.name.is_empty()) else {
                // A repository: its commits are told again as versions of a package, or not at all.
                only_commits += 1;
                continue;
            };
            if part != LOOSE && base(&package.ecosystem) != part {
                rows.others += 1;
                continue;
            }
            let home = home(&package.ecosystem);
            rows.is_distribution |= home.is_distribution;
            if !home.known && unknown.insert(&*package.ecosystem) {
                let why =
                    format!("`{}` is an ecosystem that nobody taught us", &*package.ecosystem);
                hole(gaps, at(record, ""), why);
            }
            let mut odd = Vec::new();
            if let Err(why) = rows.package(record, affected, package, &home, &mut odd) {
                hole(gaps, at(record, &package.name), why);
            }
            for why in odd {
                hole(gaps, at(record, &package.name), why);
            }
        }
        if rows.told.is_empty() && rows.others == 0 && only_commits > 0 && gaps.is_empty() {
            gaps.push(gap(record, "", "it names commits alone, and no versions of a package"));
        }
        rows.weaknesses.sort_unstable();
        rows.weaknesses.dedup();
        rows.settle();
        rows
    }

    pub(super) fn len(&self) -> usize {
        self.told.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// The rows as they are about one flaw.
    pub(super) fn about(&self, flaw: &Flaw) -> Vec<Affected> {
        let about = |row: &Row| {
            let mut affected = row.affected.clone();
            affected.bulletins = flaw.bulletin.iter().cloned().collect();
            if let Some((_, rating)) = row.of_flaw.iter().find(|(id, _)| *id == flaw.id) {
                affected.rating = Some(rating.clone());
            }
            affected
        };
        self.told.iter().map(about).collect()
    }

    fn package(
        &mut self,
        record: &Record<'_>,
        affected: &record::Affected<'_>,
        package: &record::Package<'_>,
        home: &Home,
        odd: &mut Vec<String>,
    ) -> Result<(), &'static str> {
        let source = rate::source(&record.id);
        let extra: AffectedExtra<'_> = rate::extra(affected.database_specific);
        let more: EcosystemExtra<'_> = rate::extra(affected.ecosystem_specific);
        self.malicious |= extra.categories.iter().any(|it| &**it == "malicious");
        self.weaknesses.extend(extra.cwes.iter().filter_map(|it| rate::weakness(&it.id)));

        let mut row = Affected::new(home.space.clone(), full_name(&home.space, &package.name));
        row.names = home.names;
        row.channel = channel(home, &package.purl, &more);
        row.products.clone_from(&home.products);
        let order = order::of(&home.space);
        row.spans = ranges::spans(order, &affected.ranges, odd);
        ranges::end_at_last_known(&mut row.spans, &extra.last_known_affected_version_range);
        row.versions = ranges::uncovered(order, &row.spans, &affected.versions);
        if row.spans.is_empty() && row.versions.is_empty() {
            let mut events = affected
                .ranges
                .iter()
                .filter(|it| !ranges::is_of_commits(it))
                .flat_map(|it| &it.events);
            if events.any(|it| &*it.fixed == "0") {
                row.status = Status::NotAffected;
                row.spans = vec![Span::all()];
                row.reason = Some("fixed in version 0, that is in all there ever were".to_owned());
            } else if affected.ranges.iter().any(ranges::is_of_commits) {
                return Err("it names commits alone, and no versions");
            } else {
                return Err("it names no versions");
            }
        }
        Self::tell(record, &mut row, &source, affected, &extra, &more);
        row.module = module(record, &row, &more);
        let of_flaw = extra.cves_map.cves.iter().filter_map(|it| {
            let rating = rate::of_package(&source, &it.id, &it.severity)?;
            Some((it.id.to_string(), rating))
        });
        let row = Row { affected: row, of_flaw: of_flaw.collect() };
        match binaries(home, more.binaries) {
            Some(binaries) => self.told.extend(binaries.into_iter().map(|name| row.renamed(name))),
            None => self.told.push(row),
        }
        Ok(())
    }

    fn tell(
        record: &Record<'_>,
        row: &mut Affected,
        source: &str,
        affected: &record::Affected<'_>,
        extra: &AffectedExtra<'_>,
        more: &EcosystemExtra<'_>,
    ) {
        row.rating = rate::of_package(source, &record.id, &affected.severity)
            .or_else(|| crate::rating::of_vector(source, &extra.cvss));
        if row.rating.is_none() && !extra.severity.is_empty() {
            row.rating = Some(Rating::word(source, &extra.severity));
        }
        // Debian marks words that it guessed with stars.
        let urgency = more.urgency.trim_end_matches('*');
        match urgency {
            "" | "not yet assigned" | "not-yet-assigned" => {}
            "end-of-life" => row.outlook = Some(Outlook::EndOfLife),
            word => row.rating = Some(Rating::word("debian", word)),
        }
        if !extra.informational.is_empty() {
            row.reason = Some(format!("informational: {}", &*extra.informational));
            row.rating.get_or_insert_with(|| Rating::word(source, &extra.informational));
        }
    }

    /// Takes out what is told twice, and adds what only the whole record tells.
    fn settle(&mut self) {
        self.keep_the_first_of_each_rebuild();
        let mut seen: HashMap<(String, String), Vec<usize>> = HashMap::new();
        let mut kept: Vec<Row> = Vec::with_capacity(self.told.len());
        for row in self.told.drain(..) {
            let name = (row.affected.space.to_string(), row.affected.package.clone());
            let places = seen.entry(name).or_default();
            // A hostile record may repeat one name without end: only so many are compared.
            let mut former = places.iter().take(64).filter_map(|it| kept.get(*it));
            if former.any(|it| it.affected == row.affected) {
                continue;
            }
            places.push(kept.len());
            kept.push(row);
        }
        self.told = kept;
    }

    /// `AlmaLinux` lists each rebuild of a module's package, which differ in the mark of the build
    /// alone: whoever has the first has the fix.
    fn keep_the_first_of_each_rebuild(&mut self) {
        let mut first: HashMap<(String, String, String), usize> = HashMap::new();
        let mut dropped = HashSet::new();
        for (at, row) in self.told.iter().enumerate() {
            let Some(fix) = module_fix(&row.affected) else { continue };
            let Some(order) = order::of(&row.affected.space) else { return };
            let start = fix.split(".module").next().unwrap_or(fix).to_owned();
            let key = (row.affected.space.to_string(), row.affected.package.clone(), start);
            match first.get(&key).copied() {
                None => {
                    first.insert(key, at);
                }
                Some(known) => {
                    let former = self.told.get(known).and_then(|it| module_fix(&it.affected));
                    match former.map(|it| order.compare(fix, it)) {
                        Some(Ok(std::cmp::Ordering::Less)) => {
                            dropped.insert(known);
                            first.insert(key, at);
                        }
                        Some(Ok(_)) => {
                            dropped.insert(at);
                        }
                        _ => {}
                    }
                }
            }
        }
        let mut at = 0;
        self.told.retain(|_| {
            at += 1;
            !dropped.contains(&(at - 1))
        });
    }
}

impl Row {
    /// The same about a binary package.
    fn renamed(&self, name: String) -> Self {
        let mut affected = self.affected.clone();
        affected.package = name;
        affected.names = Names::Binary;
        Self { affected, of_flaw: self.of_flaw.clone() }
    }
}

/// Ubuntu's channel, more precisely than the ecosystem tells: its purls have `distro=esm-apps/jammy`.
fn channel(home: &Home, purl: &str, more: &EcosystemExtra<'_>) -> Option<String> {
    if home.space.family() == "ubuntu" && more.availability.starts_with("Livepatch") {
        return Some("livepatch".to_owned());
    }
    let channel = home.channel.as_deref()?;
    let distro =
        purl.split(['?', '&']).find_map(|it| it.strip_prefix("distro=")).unwrap_or_default();
    let told =
        ["esm-infra-legacy", "esm-infra", "esm-apps"].into_iter().find(|it| distro.starts_with(it));
    Some(told.filter(|_| channel == "pro").unwrap_or(channel).to_owned())
}

/// `nginx:1.22` of `Moderate: nginx:1.22 security update`, for packages that are of a module.
fn module(record: &Record<'_>, row: &Affected, more: &EcosystemExtra<'_>) -> Option<String> {
    module_fix(row)?;
    if let Some(told) = more.rpm_modularity.some() {
        return Some(told);
    }
    let is_stream = |it: &&str| {
        it.split_once(':').is_some_and(|(name, stream)| !name.is_empty() && !stream.is_empty())
    };
    record.summary.split_whitespace().take(3).find(is_stream).map(str::to_owned)
}

/// The only fix of a row, if its package is of a module: `1.22.1-8.module+el9.6.0+1+2`.
fn module_fix(row: &Affected) -> Option<&str> {
    match &row.spans[..] {
        [span] if span.from.is_none() => span.fix().filter(|it| it.contains(".module")),
        _ => None,
    }
}

/// SUSE lists which binary packages a product has of a source.
fn binaries(home: &Home, raw: Option<&RawValue>) -> Option<Vec<String>> {
    let is_suse = [
        "sles",
        "sle-micro",
        "sl-micro",
        "leap-micro",
        "opensuse",
        "opensuse-leap",
        "opensuse-tumbleweed",
    ];
    if !is_suse.contains(&home.space.family()) {
        return None;
    }
    let listed: Vec<HashMap<String, Text<'_>>> = serde_json::from_str(raw?.get()).ok()?;
    let mut names: Vec<String> = listed.into_iter().flat_map(HashMap::into_keys).collect();
    names.sort();
    names.dedup();
    (!names.is_empty()).then_some(names)
}
