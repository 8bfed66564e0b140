//! When a host may be asked next: it is asked by many at once, and all of them heed what one was told.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Nobody is left alone for longer than that, whatever they ask for.
const LONGEST: Duration = Duration::from_hours(24);
/// Hosts that are remembered.
const MOST: usize = 10_000;

/// Hosts that asked to be left alone, and until when.
#[derive(Debug, Default)]
pub struct Pace {
    until: Mutex<HashMap<String, Instant>>,
}

impl Pace {
    /// For so long `host` wants to be left alone.
    pub fn left(&self, host: &str) -> Option<Duration> {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner).get(host)?;
        Some(until.saturating_duration_since(Instant::now())).filter(|it| !it.is_zero())
    }

    /// The host asks for so much patience.
    pub(super) fn put_off(&self, host: &str, wait: Duration) {
        let now = Instant::now();
        let Some(until) = now.checked_add(wait.min(LONGEST)) else { return };
        let mut all = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.retain(|_, until| *until > now);
        }
        if all.len() >= MOST {
            all.clear();
        }
        let known = all.entry(host.to_owned()).or_insert(until);
        *known = until.max(*known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_word_counts_up_to_a_day() {
        let pace = Pace::default();
        pace.put_off("a.example", Duration::from_mins(10));
        pace.put_off("a.example", Duration::from_secs(1));
        assert!(pace.left("a.example").unwrap() > Duration::from_mins(9));
        assert_eq!(pace.left("b.example"), None);
        pace.put_off("b.example", Duration::MAX);
        assert!(pace.left("b.example").unwrap() <= LONGEST);
    }

    #[test]
    fn it_remembers_no_more_than_it_may() {
        let pace = Pace::default();
        for number in 0..=MOST {
            pace.put_off(&format!("{number}.example"), LONGEST);
        }
        assert!(pace.until.lock().unwrap().len() <= MOST);
    }
}
