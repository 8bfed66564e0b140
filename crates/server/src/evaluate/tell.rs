//! What another almanac changes, as events: one for each change and environment.

use std::collections::{BTreeMap, HashMap};

use model::{EventKind, Fix, Gap, OrganisationId, Purl, Verdict};
use portfolio::{Change, ChangeKind, Images, Rematch, Sought, State};
use serde_json::{Value as Json, json};
use store::NewEvent;

use crate::fleet::Ships;
use crate::in_use::Seen;

/// Images and packages that an event names; how many there are it says anyway.
const NAMED: usize = 20;
/// Images of one change and environment that are looked at for what they load.
const LOOKED_AT: usize = 1000;

/// Two almanacs, compared.
pub(super) struct Compared<'a> {
    pub(super) ships: &'a Ships,
    pub(super) rematch: &'a Rematch,
    /// The digests of both.
    pub(super) former: String,
    pub(super) almanac: String,
}

impl Compared<'_> {
    /// What changed for that organisation, in environments of these names.
    pub(super) fn events(
        &self,
        organisation: &OrganisationId,
        names: &HashMap<String, String>,
        seen: &Seen,
    ) -> Vec<NewEvent> {
        let mut events = Vec::new();
        for change in self.rematch.changes.iter().filter(|it| it.organisation == *organisation) {
            let detail = self.detail(change);
            for it in &change.spread.environments {
                // One that was deleted meanwhile has nothing to be told of.
                let Some(name) = names.get(&it.environment) else { continue };
                let portfolio = &self.ships.portfolio;
                let there =
                    portfolio.running_in(organisation, &it.environment, &change.spread.images);
                let some = portfolio.some_image_numbers(&there, NAMED);
                let digests: Vec<&str> =
                    some.iter().filter_map(|it| Some(self.ships.digest(*it)?.as_str())).collect();
                let mut detail = detail.clone();
                detail["images"] = json!(it.images);
                detail["digests"] = json!(digests);
                if let Some(in_use) = self.in_use(change, &it.environment, &there, seen) {
                    detail["in_use"] = json!(in_use);
                }
                events.push(NewEvent {
                    kind: kind(change),
                    environment: Some(name.clone()),
                    about: change.flaw.clone(),
                    detail,
                });
            }
        }
        events.extend(self.holes(organisation, names));
        events
    }

    /// Is one of its packages loaded in that environment? `None`: nobody can tell.
    fn in_use(
        &self,
        change: &Change,
        environment: &str,
        there: &Images,
        seen: &Seen,
    ) -> Option<bool> {
        let portfolio = &self.ships.portfolio;
        let some = portfolio.some_image_numbers(there, LOOKED_AT + 1);
        let digests = some.iter().take(LOOKED_AT).filter_map(|it| self.ships.digest(*it));
        let is_loaded = seen.loads(environment, digests, &change.purls, &change.name);
        is_loaded.filter(|it| *it || some.len() <= LOOKED_AT)
    }

    fn detail(&self, change: &Change) -> Json {
        let purls: Vec<String> = change.purls.iter().take(NAMED).map(Purl::to_string).collect();
        let mut detail = json!({
            "aliases": change.aliases,
            "space": change.space.as_str(),
            "name": change.name,
            "version": change.version,
            "packages": change.purls.len(),
            "purls": purls,
            "before": change.before.as_ref().map(state),
            "after": change.after.as_ref().map(state),
            "former": self.former,
            "almanac": self.almanac,
        });
        if let ChangeKind::Gone(verdict) = change.kind {
            detail["verdict"] = json!(verdict.as_str());
            if !change.kind.is_all_clear() {
                detail["why"] = json!(unclear(verdict));
            }
        }
        detail
    }

    /// Of which packages something cannot be told any more: an event for each environment where there
    /// are such. What the almanac as a whole does not speak about is no change of what runs: it is
    /// told with every image, and counted.
    fn holes(
        &self,
        organisation: &OrganisationId,
        names: &HashMap<String, String>,
    ) -> Vec<NewEvent> {
        let mut holes: BTreeMap<&str, (u64, Vec<&Gap>)> = BTreeMap::new();
        // One purl may have several.
        let mut places: HashMap<&str, Vec<String>> = HashMap::new();
        for gap in self.rematch.gaps.iter().filter(|it| it.at.starts_with("pkg:")) {
            let ids = places.entry(&gap.at).or_insert_with(|| self.places(organisation, &gap.at));
            for name in ids.iter().filter_map(|it| names.get(it)) {
                let (all, some) = holes.entry(name).or_default();
                *all += 1;
                if some.len() < NAMED {
                    some.push(gap);
                }
            }
        }
        let event = |(name, (all, some)): (&str, (u64, Vec<&Gap>))| {
            let gaps: Vec<Json> =
                some.iter().map(|it| json!({ "at": it.at, "why": it.why })).collect();
            NewEvent {
                kind: EventKind::EvaluationIncomplete,
                environment: Some(name.to_owned()),
                about: self.almanac.clone(),
                detail: json!({
                    "why": "what another almanac changes cannot be told of all that runs",
                    "gaps": all,
                    "first": gaps,
                    "former": self.former,
                    "almanac": self.almanac,
                }),
            }
        };
        holes.into_iter().map(event).collect()
    }

    /// In which environments of that organisation the package runs; whose others have it is nobody
    /// else's business.
    fn places(&self, organisation: &OrganisationId, purl: &str) -> Vec<String> {
        let Ok(purl) = purl.parse::<Purl>() else { return Vec::new() };
        let sought = Sought::Purl { purl: &purl, range: None };
        let found = self.ships.portfolio.find(organisation, &sought).found;
        let mut ids: Vec<String> = found
            .into_iter()
            .flat_map(|it| it.spread.environments)
            .map(|it| it.environment)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

/// That there is nothing to compare with.
pub(super) fn lost(former: &str, almanac: &str) -> NewEvent {
    let short = |digest: &str| {
        let hex = digest.rsplit_once(':').map_or(digest, |it| it.1);
        hex.get(..12).unwrap_or(hex).to_owned()
    };
    let why = format!(
        "cannot tell what changed between {} and {}: the former almanac is not there any more",
        short(former),
        short(almanac)
    );
    NewEvent {
        kind: EventKind::EvaluationIncomplete,
        environment: None,
        about: almanac.to_owned(),
        detail: json!({ "why": why, "former": former, "almanac": almanac }),
    }
}

fn kind(change: &Change) -> EventKind {
    match change.kind {
        ChangeKind::New => EventKind::FindingNew,
        ChangeKind::Exploited => EventKind::FindingExploited,
        ChangeKind::Severity => EventKind::FindingSeverityChanged,
        ChangeKind::Gone(_) if change.kind.is_all_clear() => EventKind::FindingGone,
        // That nobody can tell any more is no all-clear.
        ChangeKind::Gone(_) => EventKind::EvaluationIncomplete,
        ChangeKind::FixAppeared | ChangeKind::FixChanged => {
            let there = change.after.as_ref().is_some_and(|it| fixed(it).is_some());
            if there { EventKind::FindingFixAvailable } else { EventKind::FindingFixWithdrawn }
        }
    }
}

fn unclear(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::UnderInvestigation => "it was a finding, and is being looked into again",
        Verdict::NoSource => "it was a finding, and nobody speaks about such packages any more",
        _ => "it was a finding, and cannot be told any more",
    }
}

fn state(it: &State) -> Json {
    json!({ "severity": it.level.as_str(), "fixed": fixed(it), "exploited": it.exploited })
}

fn fixed(it: &State) -> Option<&str> {
    match &it.fix {
        Fix::Version { version, .. } => Some(version),
        Fix::None(_) => None,
    }
}
