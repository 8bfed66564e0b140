//! What was told and waits: however many speak of the same, the registry is asked once, and again
//! later where that fails.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use integration::watch::{Report, WatchError};
use integration::{Action, Notice};
use tokio::time::Instant;

/// Registry, repository, tag or digest, and what is said to have happened there.
type About = (String, String, String, Action);

/// All that waits.
#[derive(Default)]
pub(super) struct Backlog {
    all: BTreeMap<About, Waiting>,
    /// What may be asked about, the oldest first.
    line: VecDeque<About>,
    /// What may be asked about from then on.
    later: BTreeSet<(Instant, About)>,
    /// Until then the registry is left alone.
    pause: Option<Instant>,
    /// So often in a row nobody answered. Until somebody does, only one is asked about at a time.
    silences: u32,
    /// How many are asked about.
    asked: usize,
}

struct Waiting {
    notice: Notice,
    /// The notices that an answer is for.
    ids: Vec<String>,
    /// When the last of them came; none where nobody remembers.
    heard: Option<Instant>,
    tries: u32,
}

/// What is to be asked about.
pub(super) struct Asked {
    pub(super) notice: Notice,
    /// What it is an answer for.
    pub(super) ids: Vec<String>,
    /// How long ago the last of them came.
    pub(super) ago: Duration,
}

/// What becomes of notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// They are dealt with.
    Dealt,
    /// They are asked about again, later; so often they were by now.
    Again(u32),
    /// So is everything that waits, for nobody answers; true when that was not known.
    PutOff(bool),
    /// They are not, after so many times: nothing would come of it.
    Aside(u32),
}

/// How long something waits that could not be looked at once; twice as long after each time.
const AGAIN: Duration = Duration::from_secs(5);
/// Nobody waits for longer, unless the registry asks for it.
const LONGEST: Duration = Duration::from_mins(15);
/// So often something is tried that is refused, or broken.
const TRIES: u32 = 5;
/// What came so long ago is not new any more.
const LONG: Duration = Duration::from_hours(1);

impl Backlog {
    /// One more, which came just now.
    pub(super) fn add(&mut self, notice: Notice, heard: Option<Instant>) {
        let about = about(&notice);
        if let Some(waiting) = self.all.get_mut(&about) {
            waiting.ids.push(notice.id);
            waiting.heard = heard;
            return;
        }
        self.line.push_back(about.clone());
        let ids = vec![notice.id.clone()];
        self.all.insert(about, Waiting { notice, ids, heard, tries: 0 });
    }

    /// What is to be asked about now.
    pub(super) fn next(&mut self, now: Instant) -> Option<Asked> {
        let is_enough = self.silences > 0 && self.asked > 0;
        if is_enough || self.pause.is_some_and(|it| it > now) {
            return None;
        }
        while self.later.first().is_some_and(|it| it.0 <= now) {
            self.line.extend(self.later.pop_first().map(|it| it.1));
        }
        let about = self.line.pop_front()?;
        let waiting = self.all.get_mut(&about)?;
        let ago = waiting.heard.map_or(LONG, |it| now.saturating_duration_since(it));
        let ids = std::mem::take(&mut waiting.ids);
        self.asked += 1;
        Some(Asked { notice: waiting.notice.clone(), ids, ago })
    }

    /// What came of it.
    pub(super) fn answered(
        &mut self,
        asked: &Asked,
        outcome: &Result<Report, WatchError>,
        now: Instant,
    ) -> Fate {
        self.asked = self.asked.saturating_sub(1);
        let about = about(&asked.notice);
        let Some(waiting) = self.all.get_mut(&about) else { return Fate::Dealt };
        waiting.tries = waiting.tries.saturating_add(1);
        let tries = waiting.tries;
        let (is_whole, is_final, is_away, wait) = match outcome {
            Ok(it) => (it.is_whole(), it.is_final(), it.away > 0, it.wait),
            Err(WatchError::Failed(failure)) => (false, false, true, failure.wait),
            Err(WatchError::Lost(_)) => (false, false, true, None),
        };
        if !is_away && wait.is_none() {
            self.silences = 0;
        }
        if is_whole || (is_final && tries >= TRIES) {
            if waiting.ids.is_empty() {
                self.all.remove(&about);
            } else {
                // Something was told while somebody asked, and may be newer than the answer.
                waiting.tries = 0;
                self.line.push_back(about);
            }
            return if is_whole { Fate::Dealt } else { Fate::Aside(tries) };
        }
        waiting.ids.extend(asked.ids.iter().cloned());
        self.later.insert((now + doubled(tries), about));
        // Those that were asked about at the same time tell nothing new.
        let is_known = self.silences > 0 || self.pause.is_some_and(|it| it > now);
        if let Some(wait) = wait {
            self.pause = self.pause.max(now.checked_add(wait));
        }
        if !is_away {
            return Fate::Again(tries);
        }
        if self.pause.is_none_or(|it| it <= now) {
            self.silences = self.silences.saturating_add(1);
            self.pause = now.checked_add(doubled(self.silences));
        }
        Fate::PutOff(!is_known)
    }

    /// When there is something to be asked about next, if that is not now.
    pub(super) fn rest(&self, now: Instant) -> Option<Instant> {
        let due = match self.later.first() {
            _ if self.silences > 0 && self.asked > 0 => return None,
            _ if !self.line.is_empty() => now,
            first => first?.0,
        };
        Some(self.pause.map_or(due, |it| it.max(due)))
    }
}

/// How long something waits after so many tries.
fn doubled(tries: u32) -> Duration {
    AGAIN.saturating_mul(1 << tries.saturating_sub(1).min(10)).min(LONGEST)
}

fn about(notice: &Notice) -> About {
    let (registry, repository, what) = notice.about();
    (registry.to_owned(), repository.to_owned(), what.to_owned(), notice.action)
}

#[cfg(test)]
mod tests {
    use integration::watch::Lost;

    use super::*;

    fn notice(id: &str, tag: &str) -> Notice {
        Notice {
            id: id.to_owned(),
            is_unique: true,
            action: Action::Pushed,
            registry: "r.example".to_owned(),
            repository: "app".to_owned(),
            tag: Some(tag.to_owned()),
            digest: None,
            media_type: None,
            at: None,
            is_signed: true,
        }
    }

    fn failed(wait: Option<u64>) -> Report {
        let wait = wait.map(Duration::from_secs);
        let gaps = vec![model::Gap::new("it", "is gone")];
        Report { gaps, wait, ..Report::default() }
    }

    fn refused() -> Report {
        let gaps = vec![model::Gap::new("it", "is broken")];
        Report { gaps, refused: 1, ..Report::default() }
    }

    /// What is asked about at this second: its tag, its notices, and how old the last of them is.
    fn next(backlog: &mut Backlog, now: Instant) -> (String, Option<Asked>) {
        let asked = backlog.next(now);
        let shown = asked.as_ref().map_or("none".to_owned(), |it| {
            let tag = it.notice.tag.as_deref().unwrap_or_default();
            format!("{tag}: {} {} s", it.ids.join(" "), it.ago.as_secs())
        });
        (shown, asked)
    }

    #[test]
    fn what_is_told_often_is_asked_once() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut backlog = Backlog::default();
        assert_eq!(backlog.rest(start), None);
        backlog.add(notice("1", "a"), None);
        backlog.add(notice("2", "b"), Some(start));
        backlog.add(notice("3", "a"), Some(at(1)));
        assert_eq!(backlog.rest(at(2)), Some(at(2)));
        let (shown, a) = next(&mut backlog, at(2));
        assert_eq!(shown, "a: 1 3 1 s");
        let (shown, b) = next(&mut backlog, at(2));
        assert_eq!(shown, "b: 2 2 s");
        assert_eq!(next(&mut backlog, at(2)).0, "none");
        // What is told while somebody asks is asked about once more.
        backlog.add(notice("4", "a"), Some(at(3)));
        assert_eq!(next(&mut backlog, at(3)).0, "none");
        let whole = Ok(Report::default());
        assert_eq!(backlog.answered(&a.unwrap(), &whole, at(3)), Fate::Dealt);
        assert_eq!(backlog.answered(&b.unwrap(), &whole, at(3)), Fate::Dealt);
        let (shown, a) = next(&mut backlog, at(3));
        assert_eq!(shown, "a: 4 0 s");
        assert_eq!(backlog.answered(&a.unwrap(), &whole, at(3)), Fate::Dealt);
        assert!(backlog.all.is_empty() && backlog.rest(at(3)).is_none());
    }

    #[test]
    fn what_fails_is_tried_for_ever() {
        let mut now = Instant::now();
        let mut backlog = Backlog::default();
        backlog.add(notice("1", "a"), None);
        let mut rests = Vec::new();
        for time in 1..=100 {
            let (shown, asked) = next(&mut backlog, now);
            assert_eq!(shown, "a: 1 3600 s");
            let fate = backlog.answered(&asked.unwrap(), &Ok(failed(None)), now);
            assert_eq!(fate, Fate::Again(time));
            // Others are not kept waiting.
            backlog.add(notice("2", "b"), None);
            let (shown, other) = next(&mut backlog, now);
            assert_eq!(shown, "b: 2 3600 s");
            backlog.answered(&other.unwrap(), &Ok(Report::default()), now);
            let rest = backlog.rest(now).unwrap();
            assert_eq!(next(&mut backlog, rest - Duration::from_millis(1)).0, "none");
            rests.push((rest - now).as_secs());
            now = rest;
        }
        assert_eq!(rests[..4], [5, 10, 20, 40]);
        assert_eq!(rests[99], 900);
    }

    /// However many wait, one asks for all while nobody answers, after longer and longer rests.
    #[test]
    fn where_nobody_answers_all_of_them_wait() {
        let mut now = Instant::now();
        let mut backlog = Backlog::default();
        for number in 0..100 {
            backlog.add(notice(&number.to_string(), &number.to_string()), None);
        }
        let away = || Ok(Report { away: 1, ..failed(None) });
        let asked: Vec<Asked> = (0..64).map(|_| backlog.next(now).unwrap()).collect();
        for (place, asked) in asked.iter().enumerate() {
            let fate = backlog.answered(asked, &away(), now);
            assert_eq!(fate, Fate::PutOff(place == 0), "one line for all");
        }
        let mut rests = Vec::new();
        for _ in 0..12 {
            let rest = backlog.rest(now).unwrap();
            assert_eq!(next(&mut backlog, rest - Duration::from_millis(1)).0, "none");
            rests.push((rest - now).as_secs());
            now = rest;
            let asked = backlog.next(now).unwrap();
            assert_eq!((next(&mut backlog, now).0.as_str(), backlog.rest(now)), ("none", None));
            let lost = Err(Lost("the disk is full".to_owned()).into());
            let outcome = if rests.len() % 2 == 0 { away() } else { lost };
            assert_eq!(backlog.answered(&asked, &outcome, now), Fate::PutOff(false));
        }
        assert_eq!(rests[..4], [5, 10, 20, 40]);
        assert_eq!(rests[11], 900);
        // Somebody answers, so all of them are asked about.
        now = backlog.rest(now).unwrap();
        let asked = backlog.next(now).unwrap();
        assert_eq!(backlog.answered(&asked, &Ok(Report::default()), now), Fate::Dealt);
        let rest = std::iter::from_fn(|| backlog.next(now + LONGEST)).count();
        assert_eq!(rest, 99);
    }

    #[test]
    fn what_is_broken_is_set_aside() {
        let mut now = Instant::now();
        let mut backlog = Backlog::default();
        backlog.add(notice("1", "a"), None);
        for time in 1..=TRIES {
            let asked = backlog.next(now).unwrap();
            let fate = backlog.answered(&asked, &Ok(refused()), now);
            let expect = if time < TRIES { Fate::Again(time) } else { Fate::Aside(time) };
            assert_eq!(fate, expect);
            now = backlog.rest(now).unwrap_or(now);
        }
        assert!(backlog.all.is_empty());
    }

    #[test]
    fn a_registry_is_left_alone() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut backlog = Backlog::default();
        backlog.add(notice("1", "a"), None);
        backlog.add(notice("2", "b"), None);
        let asked = backlog.next(start).unwrap();
        assert_eq!(backlog.answered(&asked, &Ok(failed(Some(1800))), start), Fate::Again(1));
        assert_eq!(next(&mut backlog, at(1799)).0, "none");
        assert_eq!(backlog.rest(at(10)), Some(at(1800)));
        assert_eq!(next(&mut backlog, at(1800)).0, "b: 2 3600 s");
        assert_eq!(next(&mut backlog, at(1800)).0, "a: 1 3600 s");
        // It is said once, however many were asked about at the time.
        let asked = ["3", "4"].map(|id| {
            backlog.add(notice(id, id), None);
            backlog.next(at(1801)).unwrap()
        });
        for (asked, expect) in asked.iter().zip([true, false]) {
            let away = Ok(Report { away: 1, ..failed(Some(1800)) });
            assert_eq!(backlog.answered(asked, &away, at(1801)), Fate::PutOff(expect));
        }
    }
}
