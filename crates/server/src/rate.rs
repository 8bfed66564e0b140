//! So many requests a second, and a few at once: each caller has a bucket that fills with time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// More callers than this are not told apart for long: those whose bucket is full are forgotten.
const MOST: usize = 100_000;

/// The rate at which each caller may ask.
pub(crate) struct Rate {
    /// Requests a second.
    refill: f64,
    /// Requests at once.
    burst: f64,
    buckets: Mutex<HashMap<u64, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Rate {
    /// So many requests a second, and ten times as many at once.
    pub(crate) fn new(a_second: u32) -> Self {
        let refill = f64::from(a_second.max(1));
        Self { refill, burst: refill * 10.0, buckets: Mutex::default() }
    }

    /// Takes one request of a caller's; else says how long to wait.
    pub(crate) fn take(&self, caller: u64, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST && !buckets.contains_key(&caller) {
            buckets.retain(|_, it| self.filled(*it, now) < self.burst);
            if buckets.len() >= MOST {
                return Err(Duration::from_secs(1));
            }
        }
        let bucket = buckets.entry(caller).or_insert(Bucket { left: self.burst, at: now });
        let left = self.filled(*bucket, now);
        if left < 1.0 {
            *bucket = Bucket { left, at: now };
            return Err(Duration::from_secs_f64((1.0 - left) / self.refill));
        }
        *bucket = Bucket { left: left - 1.0, at: now };
        Ok(())
    }

    fn filled(&self, bucket: Bucket, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.left + passed * self.refill).min(self.burst)
    }
}

/// Proofs that were good a moment ago, by their hash.
#[derive(Default)]
pub(crate) struct Good(Mutex<HashMap<u64, Instant>>);

/// For so long it is remembered that a proof was good.
const REMEMBERED: Duration = Duration::from_mins(1);

impl Good {
    pub(crate) fn has(&self, proof: u64, now: Instant) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&proof).is_some_and(|it| now.saturating_duration_since(*it) < REMEMBERED)
    }

    pub(crate) fn put(&self, proof: u64, now: Instant) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.retain(|_, it| now.saturating_duration_since(*it) < REMEMBERED);
            if all.len() >= MOST {
                all.clear();
            }
        }
        all.insert(proof, now);
    }
}

/// Was what a request shows good? Whoever looks at it says so here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown(Arc<AtomicBool>);

impl Shown {
    /// It was.
    pub(crate) fn good(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_good(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills() {
        let rate = Rate::new(2);
        let begin = Instant::now();
        let taken = (0..100).take_while(|_| rate.take(1, begin).is_ok()).count();
        assert_eq!(taken, 20);
        assert_eq!(rate.take(1, begin), Err(Duration::from_millis(500)));
        assert_eq!(rate.take(2, begin), Ok(()));
        let later = begin + Duration::from_secs(1);
        assert_eq!((rate.take(1, later), rate.take(1, later)), (Ok(()), Ok(())));
        assert!(rate.take(1, later).is_err());
    }
}
