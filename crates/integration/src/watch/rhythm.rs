//! How long whoever watches rests between looks.

use std::time::Duration;

use super::{Report, WatchError};

/// How long to rest between looks.
#[derive(Clone, Debug)]
pub struct Rhythm {
    interval: Duration,
    failures: u32,
}

/// Nobody rests for longer because of failures, unless the registry asks for it.
const LONGEST_REST: Duration = Duration::from_mins(15);

impl Rhythm {
    /// A look every so often.
    pub fn new(interval: Duration) -> Self {
        Self { interval: interval.max(Duration::from_secs(1)), failures: 0 }
    }

    /// The rest after that look: twice as long for each that failed as a whole, and as long as the
    /// registry asks for.
    pub fn rest(&mut self, outcome: &Result<Report, WatchError>) -> Duration {
        let wait = match outcome {
            Ok(report) => report.wait,
            Err(WatchError::Failed(failure)) => failure.wait,
            Err(WatchError::Lost(_)) => None,
        };
        self.failures = if outcome.is_ok() { 0 } else { self.failures.saturating_add(1) };
        let doubled = self.interval.saturating_mul(1 << self.failures.min(10));
        let rest = doubled.min(LONGEST_REST.max(self.interval));
        rest.max(wait.unwrap_or_default())
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
        assert_eq!(rest(Err(failed().into())), 120);
        assert_eq!(rest(Err(failed().into())), 240);
        let wait = Some(Duration::from_mins(150));
        assert_eq!(rest(Err(Failure { wait, ..failed() }.into())), 9000);
        for _ in 0..100 {
            rest(Err(Lost("x".to_owned()).into()));
        }
        assert_eq!(rest(Err(failed().into())), 900);
        assert_eq!(rest(Ok(Report::default())), 60);
        let mut slow = Rhythm::new(Duration::from_hours(2));
        assert_eq!(slow.rest(&Err(failed().into())).as_secs(), 7200);
    }
}
