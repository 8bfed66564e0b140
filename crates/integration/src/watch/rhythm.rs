//! How long whoever watches rests between looks.

use std::time::Duration;

use super::{Report, WatchError};

/// How long to rest between looks.
#[derive(Clone, Debug)]
pub struct Rhythm {
    interval: Duration,
    failures: u32,
}

/// The rest after the first look that failed, and the longest because of failures, unless there is a
/// longer one between looks, or the registry asks for it.
const FIRST_REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_mins(15);
/// However long a registry asks to be left alone, it is asked again after a day.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

impl Rhythm {
    /// A look every so often.
    pub fn new(interval: Duration) -> Self {
        Self { interval: interval.max(Duration::from_secs(1)), failures: 0 }
    }

    /// The rest after that look: short after one that failed as a whole, and twice as long after each
    /// further one; and as long as the registry asks for.
    pub fn rest(&mut self, outcome: &Result<Report, WatchError>) -> Duration {
        let wait = match outcome {
            Ok(report) => report.wait,
            Err(WatchError::Failed(failure)) => failure.wait,
            Err(WatchError::Lost(_)) => None,
        };
        self.failures = if outcome.is_ok() { 0 } else { self.failures.saturating_add(1) };
        let rest = match self.failures {
            0 => self.interval,
            failures => {
                let first = FIRST_REST.min(self.interval);
                let doubled = first.saturating_mul(1 << (failures - 1).min(20));
                doubled.min(LONGEST_REST.max(self.interval))
            }
        };
        rest.max(wait.unwrap_or_default().min(LONGEST_WAIT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Failure;
    use crate::watch::Lost;

    #[test]
    fn rests() {
        let mut rhythm = Rhythm::new(Duration::from_mins(1));
        let mut rest = |outcome: Result<Report, WatchError>| rhythm.rest(&outcome).as_secs();
        let waiting =
            |seconds| Report { wait: Some(Duration::from_secs(seconds)), ..Report::default() };
        let failed = || Failure::from(image::Error::unavailable("it", "is gone"));
        assert_eq!(rest(Ok(Report::default())), 60);
        assert_eq!(rest(Ok(waiting(5))), 60);
        assert_eq!(rest(Ok(waiting(5000))), 5000);
        assert_eq!(rest(Ok(waiting(10_000_000_000))), 86_400);
        assert_eq!(rest(Err(failed().into())), 30);
        assert_eq!(rest(Err(failed().into())), 60);
        assert_eq!(rest(Err(failed().into())), 120);
        let wait = Some(Duration::from_mins(150));
        assert_eq!(rest(Err(Failure { wait, ..failed() }.into())), 9000);
        for _ in 0..100 {
            rest(Err(Lost("x".to_owned()).into()));
        }
        assert_eq!(rest(Err(failed().into())), 900);
        assert_eq!(rest(Ok(Report::default())), 60);
        let mut slow = Rhythm::new(Duration::from_hours(2));
        assert_eq!(slow.rest(&Err(failed().into())).as_secs(), 30);
        for _ in 0..100 {
            slow.rest(&Err(failed().into()));
        }
        assert_eq!(slow.rest(&Err(failed().into())).as_secs(), 7200);
        let mut quick = Rhythm::new(Duration::from_secs(5));
        assert_eq!(quick.rest(&Err(failed().into())).as_secs(), 5);
        assert_eq!(quick.rest(&Err(failed().into())).as_secs(), 10);
    }
}
