//! How old each feed is, and whether that is too old.

use std::collections::{BTreeMap, BTreeSet};

use almanac::Manifest;
use jiff::civil::Date;

/// How a feed is doing, all its parts together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedState {
    /// The feed's id.
    pub feed: String,
    /// Parts of it in the almanac.
    pub parts: usize,
    /// Documents read.
    pub documents: u64,
    /// Advisories in them.
    pub advisories: u64,
    /// Holes in reading them.
    pub gaps: u64,
    /// Bytes of its sheets.
    pub size: u64,
    /// When the youngest part was current, or fetched where its documents do not say, in RFC 3339.
    pub current: Option<String>,
    /// Days since then.
    pub age: Option<i32>,
    /// Is that longer than its publisher's rhythm allows? Whether it could be renewed is another matter.
    pub is_old: bool,
    /// How it is judged.
    pub verdict: Freshness,
    /// What is wrong with some part of it.
    pub errors: Vec<String>,
}

/// How old is too old, for each feed by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Young enough.
    Fresh,
    /// Older than its publisher's rhythm allows.
    Stale,
    /// Its documents do not say when they were current, and they were not fetched but found.
    Unknown,
    /// The last attempt to renew it failed.
    Failed,
}

impl Freshness {
    /// `fresh`, `stale`, `unknown`, `failed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Unknown => "age unknown",
            Self::Failed => "failed",
        }
    }
}

/// How each feed is doing on the day `today`.
pub fn feeds(manifest: &Manifest, today: &str) -> Vec<FeedState> {
    let mut feeds: BTreeMap<&str, FeedState> = BTreeMap::new();
    for part in &manifest.parts {
        let state = feeds.entry(&part.feed).or_insert_with(|| FeedState {
            feed: part.feed.clone(),
            parts: 0,
            documents: 0,
            advisories: 0,
            gaps: 0,
            size: 0,
            current: None,
            age: None,
            is_old: false,
            verdict: Freshness::Unknown,
            errors: Vec::new(),
        });
        state.parts += 1;
        state.documents += part.documents;
        state.advisories += part.advisories;
        state.gaps += part.gaps;
        // A mirror that stands still answers every day: what documents say of themselves goes first.
        let moment = part.current.as_ref().or(part.fetched.as_ref());
        state.current = state.current.take().max(moment.cloned());
        state.errors.extend(part.error.iter().map(|it| format!("{}: {it}", part.part)));
    }
    for sheet in &manifest.sheets {
        if let Some(state) = feeds.get_mut(&*sheet.feed) {
            state.size += sheet.size;
        }
    }
    let mut feeds: Vec<FeedState> = feeds.into_values().collect();
    for state in &mut feeds {
        state.age = state.current.as_deref().and_then(|it| days(it, today));
        let limit = feed::find(&state.feed).map_or(7, feed::Feed::stale_after_days);
        state.is_old = state.age.is_some_and(|age| i64::from(age) > i64::from(limit));
        state.verdict = match state.age {
            _ if !state.errors.is_empty() => Freshness::Failed,
            None => Freshness::Unknown,
            Some(_) if state.is_old => Freshness::Stale,
            Some(_) => Freshness::Fresh,
        };
    }
    feeds
}

/// What a reader should know about these feeds: a line about those that are stale, and one for each
/// that could not be renewed.
pub(crate) fn warnings(manifest: &Manifest, about: &BTreeSet<&str>, today: &str) -> Vec<String> {
    let feeds = feeds(manifest, today);
    let feeds = || feeds.iter().filter(|it| about.contains(&*it.feed));
    let stale: Vec<String> = feeds()
        .filter(|it| it.verdict == Freshness::Stale)
        .map(|it| format!("{} ({} days)", it.feed, it.age.unwrap_or_default()))
        .collect();
    let stale = (!stale.is_empty()).then(|| format!("stale feeds: {}", stale.join(", ")));
    let failed = feeds().filter_map(|it| {
        let why = it.errors.first()?;
        Some(format!("feed {} could not be renewed: {why}", it.feed))
    });
    stale.into_iter().chain(failed).collect()
}

/// Days from one RFC 3339 moment to another.
fn days(from: &str, to: &str) -> Option<i32> {
    let date = |it: &str| it.get(..10)?.parse::<Date>().ok();
    Some(date(from)?.until(date(to)?).ok()?.get_days())
}

#[cfg(test)]
mod tests {
    use almanac::PartState;

    use super::*;

    fn part(feed: &str, name: &str, current: Option<&str>, error: Option<&str>) -> PartState {
        PartState {
            feed: feed.to_owned(),
            part: name.to_owned(),
            current: current.map(str::to_owned),
            error: error.map(str::to_owned),
            ..PartState::default()
        }
    }

    #[test]
    fn each_feed_is_judged_by_itself() {
        let mut manifest = Manifest::new("");
        manifest.parts = vec![
            part("osv", "PyPI", Some("2026-11-20T00:00:00Z"), None),
            part("osv", "npm", Some("2025-01-01T00:00:00Z"), None),
            part("kev", "all", Some("2026-01-01"), None),
            part("epss", "all", None, None),
            part("nvd", "2021", Some("2026-11-21"), Some("no route")),
        ];
        let told: Vec<String> = feeds(&manifest, "2026-11-21T10:00:00Z")
            .into_iter()
            .map(|it| format!("{} {:?} {}", it.feed, it.age, it.verdict.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                "epss None age unknown",
                "kev Some(324) stale",
                "nvd Some(0) failed",
                "osv Some(1) fresh"
            ]
        );
        assert_eq!(
            warnings(&manifest, &BTreeSet::from(["kev", "nvd", "osv"]), "2026-11-21"),
            ["stale feeds: kev (324 days)", "feed nvd could not be renewed: 2021: no route"]
        );
    }
}
