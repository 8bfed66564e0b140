//! Which feed is asked when: each after its own time, and those that fail less and less often.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

/// Seconds before the first try after one that failed; each further wait is twice as long, up to the
/// feed's own time or an hour, whichever is longer.
const FIRST_WAIT: i64 = 5 * 60;
const LONGEST_WAIT: i64 = 60 * 60;
/// Whatever was never fetched is fetched within so many seconds, so that not all machines do so at once.
const SOON: i64 = 30;

/// Which feed is asked when.
#[derive(Debug, Default)]
pub(super) struct Plan {
    feeds: BTreeMap<String, Feed>,
}

#[derive(Debug)]
struct Feed {
    /// Seconds from one time to the next.
    every: i64,
    /// When it is asked next, in seconds since 1970.
    at: i64,
    /// How often it failed since it was had.
    failures: u32,
}

impl Plan {
    /// A feed that was had at that time, if ever, and is asked again after so many seconds.
    pub(super) fn add(&mut self, id: &str, every: i64, had: Option<i64>, now: i64) {
        let at = match had {
            Some(had) => had.saturating_add(with_chance(every)).max(now),
            None => now.saturating_add(chance(SOON.min(every))),
        };
        self.feeds.insert(id.to_owned(), Feed { every, at, failures: 0 });
    }

    /// Is it planned?
    pub(super) fn knows(&self, id: &str) -> bool {
        self.feeds.contains_key(id)
    }

    /// Those that are asked together now. One that has failed is asked by itself, behind all others,
    /// so that nobody waits for it.
    pub(super) fn due(&mut self, now: i64) -> Vec<String> {
        for feed in self.feeds.values_mut() {
            // A clock that is set back puts nothing off.
            feed.at = feed.at.min(now.saturating_add(with_chance(feed.longest())));
        }
        let due = || self.feeds.iter().filter(|(_, it)| it.at <= now);
        let sound: Vec<String> =
            due().filter(|(_, it)| it.failures == 0).map(|(id, _)| id.clone()).collect();
        if !sound.is_empty() {
            return sound;
        }
        due().min_by_key(|(_, it)| it.at).map(|(id, _)| id.clone()).into_iter().collect()
    }

    /// So it went with one of them.
    pub(super) fn went(&mut self, id: &str, well: bool, now: i64) {
        let Some(feed) = self.feeds.get_mut(id) else { return };
        feed.failures = if well { 0 } else { feed.failures.saturating_add(1) };
        let wait = if well {
            feed.every
        } else {
            let doubled = FIRST_WAIT << feed.failures.saturating_sub(1).min(20);
            doubled.min(feed.every.max(LONGEST_WAIT)).min(feed.every.saturating_mul(10))
        };
        feed.at = now.saturating_add(with_chance(wait));
    }
}

impl Feed {
    fn longest(&self) -> i64 {
        if self.failures == 0 { self.every } else { self.every.max(LONGEST_WAIT) }
    }
}

/// So long, and up to a tenth more.
fn with_chance(seconds: i64) -> i64 {
    seconds.saturating_add(chance(seconds / 10))
}

/// Any number up to that.
fn chance(most: i64) -> i64 {
    let most = u64::try_from(most).unwrap_or(0).saturating_add(1);
    i64::try_from(RandomState::new().hash_one(0) % most).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600;

    fn plan() -> Plan {
        let mut plan = Plan::default();
        plan.add("daily", 24 * HOUR, Some(0), 0);
        plan.add("hourly", HOUR, Some(0), 0);
        plan.add("new", HOUR, None, 0);
        plan
    }

    #[test]
    fn each_is_asked_after_its_own_time() {
        let mut plan = plan();
        assert!(plan.due(-1).is_empty());
        assert_eq!(plan.due(SOON), ["new"]);
        plan.went("new", true, SOON);
        // It was asked a second before all began, and what is due is due no later for that.
        assert!(plan.due(HOUR - 2).is_empty());
        assert_eq!(plan.due(SOON + HOUR + HOUR / 10), ["hourly", "new"]);
        for id in ["hourly", "new"] {
            plan.went(id, true, 2 * HOUR);
        }
        assert_eq!(plan.due(27 * HOUR), ["daily", "hourly", "new"]);
        // What was had long ago, before we were started, is asked at once.
        let mut late = Plan::default();
        late.add("late", HOUR, Some(0), 90 * HOUR);
        assert_eq!(late.due(90 * HOUR), ["late"]);
    }

    #[test]
    fn who_fails_is_asked_less_often_and_alone() {
        let mut plan = Plan::default();
        for id in ["bad", "good", "worse"] {
            plan.add(id, 6 * HOUR, Some(0), 0);
        }
        let mut now = 7 * HOUR;
        assert_eq!(plan.due(now), ["bad", "good", "worse"]);
        plan.went("good", true, now);
        let mut waits = Vec::new();
        for _ in 0..12 {
            for id in ["bad", "worse"] {
                plan.went(id, false, now);
            }
            let wait = (0..).step_by(60).find(|it| !plan.due(now + it).is_empty()).unwrap();
            waits.push(wait);
            now += 8 * HOUR;
            // The sound one first; then one that fails, by itself.
            assert_eq!(plan.due(now), ["good"]);
            plan.went("good", true, now);
            assert_eq!(plan.due(now).len(), 1);
        }
        assert!(waits.is_sorted() || waits[8..].iter().all(|it| *it >= 6 * HOUR), "{waits:?}");
        assert!((300..=360).contains(&waits[0]) && waits[11] <= 7 * HOUR, "{waits:?}");
        plan.went("bad", true, now);
        plan.went("worse", true, now);
        assert_eq!(plan.due(now + 7 * HOUR), ["bad", "good", "worse"], "well again");
    }

    #[test]
    fn a_clock_that_is_set_back_puts_nothing_off() {
        let mut plan = Plan::default();
        plan.add("hourly", HOUR, Some(1_000_000 * HOUR), 1_000_000 * HOUR);
        assert!(plan.due(0).is_empty());
        assert_eq!(plan.due(2 * HOUR), ["hourly"]);
        // One that is fetched by the second waits seconds when it fails, too.
        let mut quick = Plan::default();
        quick.add("quick", 1, Some(0), 0);
        quick.went("quick", false, 10);
        assert_eq!(quick.due(21), ["quick"]);
    }
}
