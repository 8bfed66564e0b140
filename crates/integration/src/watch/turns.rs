//! Turns: whoever deals with something waits for whoever deals with it already.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OwnedMutexGuard;

/// A turn for each key, for as long as somebody has it or waits for it.
pub(super) struct Turns<K> {
    taken: Mutex<HashMap<K, Weak<tokio::sync::Mutex<()>>>>,
}

/// With so many, those that nobody has any more are forgotten.
const MANY: usize = 1024;

impl<K> Default for Turns<K> {
    fn default() -> Self {
        Self { taken: Mutex::default() }
    }
}

impl<K: Eq + Hash> Turns<K> {
    /// Waits until nobody else has it.
    pub(super) async fn take(&self, key: K) -> OwnedMutexGuard<()> {
        let turn = {
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            if taken.len() >= MANY {
                taken.retain(|_, it| it.strong_count() > 0);
            }
            if let Some(turn) = taken.get(&key).and_then(Weak::upgrade) {
                turn
            } else {
                let turn = Arc::default();
                taken.insert(key, Arc::downgrade(&turn));
                turn
            }
        };
        turn.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn one_after_the_other() {
        let turns = Turns::default();
        let first = turns.take("a").await;
        assert!(turns.take("b").now_or_never().is_some());
        assert!(turns.take("a").now_or_never().is_none());
        drop(first);
        assert!(turns.take("a").now_or_never().is_some());
    }

    #[tokio::test]
    async fn those_that_nobody_has_are_forgotten() {
        let turns = Turns::default();
        let held = turns.take(0).await;
        for number in 1..=10 * MANY {
            drop(turns.take(number).await);
        }
        assert!(turns.taken.lock().unwrap().len() <= MANY);
        assert!(turns.take(0).now_or_never().is_none());
        drop(held);
    }
}
