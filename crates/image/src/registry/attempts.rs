//! Trying again: how often, and after how long.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::{Error, Progress, Settings};

/// Longer than this nobody waits in front of a screen.
pub(super) const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// How often a host is tried again that does not answer at all.
const MOST_KNOCKS: u32 = 2;

/// A pause of this length makes people wonder.
const WORTH_TELLING: Duration = Duration::from_secs(1);

/// How often one piece of work may still be tried.
pub(super) struct Attempts {
    progress: Arc<dyn Progress>,
    allowed: u32,
    made: u32,
    base: Duration,
}

/// Something went wrong that may go right the next time.
#[derive(Debug)]
pub(super) struct Setback {
    /// What to say when it never does.
    pub(super) error: Error,
    /// The other side asked for this much patience.
    pub(super) wait: Option<Duration>,
    /// Nobody answers at all, as under a mistyped name: trying for long helps nobody.
    pub(super) silent: bool,
}

impl From<Error> for Setback {
    fn from(error: Error) -> Self {
        Self { error, wait: None, silent: false }
    }
}

impl Attempts {
    /// As many as `settings` allow. The first pause is a hundredth of what counts as a stall, at
    /// most half a second; each further one is twice as long.
    pub(super) fn new(settings: &Settings, progress: &Arc<dyn Progress>) -> Self {
        let base = (settings.stall / 100).min(Duration::from_millis(500));
        Self { progress: Arc::clone(progress), allowed: settings.retries, made: 0, base }
    }

    /// Something went right: counting begins anew.
    pub(super) fn reset(&mut self) {
        self.made = 0;
    }

    /// Pauses before another attempt, or gives up.
    pub(super) async fn after(&mut self, setback: Setback) -> Result<(), Error> {
        let Setback { error, wait, silent } = setback;
        let allowed = if silent { self.allowed.min(MOST_KNOCKS) } else { self.allowed };
        if let Some(wait) = wait.filter(|it| *it > LONGEST_WAIT) {
            let why = format!("{}; it asks to wait {} seconds", error.why(), wait.as_secs());
            return Err(error.with_why(why));
        }
        if self.made >= allowed {
            let made = self.made.saturating_add(1);
            let why = format!("{} (tried {made} times)", error.why());
            return Err(if made > 1 { error.with_why(why) } else { error });
        }
        let pause = wait.unwrap_or_else(|| self.pause());
        self.made += 1;
        if pause >= WORTH_TELLING {
            let seconds = pause.as_secs_f32().ceil();
            self.progress.tell(&format!("{error}; trying again in {seconds} s"));
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// Half of the pause is chance, so that many who failed together do not come back together.
    fn pause(&self) -> Duration {
        let whole = self.base.saturating_mul(1 << self.made.min(6)).min(LONGEST_WAIT);
        let chance = RandomState::new().hash_one(self.made) % 1000;
        whole / 2 + whole / 2 * u32::try_from(chance).unwrap_or(0) / 1000
    }
}

/// Longer than this nobody is left alone: whoever asks for years has a clock that is wrong.
const LONGEST_ASKED: Duration = Duration::from_hours(24);

/// How long the other side wants to be left alone: it says so as HTTP does, or with the second at which
/// it counts anew.
pub(super) fn patience(
    status: StatusCode,
    headers: &HeaderMap,
    now: SystemTime,
) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    let said = text(RETRY_AFTER.as_str()).and_then(|it| retry_after(it, now));
    // Many tell with every answer when that is, but only this one says that nothing is left.
    let told = text("x-ratelimit-reset").filter(|_| status == StatusCode::TOO_MANY_REQUESTS);
    said.or_else(|| ratelimit_reset(told?, now))
}

/// `x-ratelimit-reset`: a second since 1970, or, with some, how many seconds are left.
fn ratelimit_reset(header: &str, now: SystemTime) -> Option<Duration> {
    /// Nobody counts anew only after decades.
    const EPOCH: u64 = 1_000_000_000;
    let seconds = header.trim().parse::<u64>().ok()?;
    let left = if seconds < EPOCH {
        Duration::from_secs(seconds)
    } else {
        let when = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
        when.duration_since(now).unwrap_or_default()
    };
    Some(left.min(LONGEST_ASKED))
}

/// `Retry-After`: seconds, or the time when to come back.
pub(super) fn retry_after(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u64>() {
        return Some(Duration::from_secs(seconds).min(LONGEST_ASKED));
    }
    let when = jiff::fmt::rfc2822::parse(header).ok()?.timestamp();
    let when = SystemTime::from(when);
    Some(when.duration_since(now).unwrap_or_default().min(LONGEST_ASKED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_how_long_to_wait() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let check = |header: &str, expect: Option<u64>| {
            assert_eq!(retry_after(header, now), expect.map(Duration::from_secs), "{header}");
        };
        check("0", Some(0));
        check(" 120 ", Some(120));
        check("Sun, 06 Nov 1994 08:49:47 GMT", Some(10));
        check("Sun, 06 Nov 1994 08:49:07 GMT", Some(0));
        check("4000000000", Some(86_400));
        check("Fri, 06 Nov 2099 08:49:37 GMT", Some(86_400));
        check("99999999999999999999999", None);
        check("-1", None);
        check("soon", None);
    }

    #[test]
    fn reads_when_somebody_counts_anew() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        let check = |status: u16, headers: &[(&'static str, &str)], expect: Option<u64>| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(*name, value.parse().unwrap());
            }
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(patience(status, &map, now), expect.map(Duration::from_secs), "{headers:?}");
        };
        check(429, &[("x-ratelimit-reset", "1795000042")], Some(42));
        check(429, &[("x-ratelimit-reset", "1794999999")], Some(0));
        check(429, &[("x-ratelimit-reset", "30")], Some(30));
        check(429, &[("x-ratelimit-reset", "18446744073709551615")], None);
        check(429, &[("x-ratelimit-reset", "9999999999")], Some(86_400));
        check(429, &[("x-ratelimit-reset", "soon")], None);
        check(429, &[("retry-after", "7"), ("x-ratelimit-reset", "1795000042")], Some(7));
        check(503, &[("x-ratelimit-reset", "1795000042")], None);
        check(429, &[], None);
    }

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let progress = Arc::new(crate::Silent);
        let base = Duration::from_millis(500);
        let mut attempts = Attempts { progress, allowed: 99, made: 0, base };
        assert!(attempts.pause() <= Duration::from_millis(500));
        assert!(attempts.pause() >= Duration::from_millis(250));
        attempts.made = 99;
        assert!(attempts.pause() >= Duration::from_secs(15));
        assert!(attempts.pause() <= LONGEST_WAIT);
    }
}
