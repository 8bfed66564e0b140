//! How long to wait until something is tried again: longer each time, and not when all others do.

use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Duration;

/// Waits that double.
pub(crate) struct Again {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Again {
    /// From `first` on, up to `longest`.
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first }
    }

    /// How long to wait now.
    pub(crate) fn wait(&mut self) -> Duration {
        let wait = self.next;
        self.next = wait.saturating_mul(2).min(self.longest);
        spread(wait)
    }

    /// It went well: the next wait is short again.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }
}

/// Between half of it and all of it, by chance.
pub(crate) fn spread(wait: Duration) -> Duration {
    // Each of them is seeded anew by the system.
    let chance = std::hash::RandomState::new().build_hasher().finish();
    let share = u32::try_from(chance % 1000).unwrap_or(0);
    wait / 2 + (wait / 2) * share / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_and_begins_anew() {
        let seconds = Duration::from_secs;
        let mut again = Again::new(seconds(1), seconds(4));
        let mut check = |longest: u64| {
            let wait = again.wait();
            assert!(wait >= seconds(longest) / 2 && wait <= seconds(longest), "{wait:?}");
        };
        check(1);
        check(2);
        check(4);
        check(4);
        again.reset();
        assert!(again.wait() <= seconds(1));
    }
}
