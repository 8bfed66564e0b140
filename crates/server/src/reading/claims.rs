//! Who reads which image right now: whoever wants the same one waits, and finds it read.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use model::Digest;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

type Key = (String, Digest);

/// By whose it is, and which. Several registries may have it, each with a reader of its own.
static CLAIMED: LazyLock<Mutex<HashMap<Key, Arc<Turn<()>>>>> = LazyLock::new(Mutex::default);

/// Nobody else in this process reads the image.
pub(super) struct Claim {
    key: Key,
    turn: Arc<Turn<()>>,
    held: Option<OwnedMutexGuard<()>>,
}

impl Claim {
    /// Waits until nobody else has it.
    pub(super) async fn of(whose: &str, digest: &Digest) -> Self {
        let key = (whose.to_owned(), digest.clone());
        let turn = {
            let mut all = CLAIMED.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(key.clone()).or_default())
        };
        // Made before it is waited for, so that whoever waits no more leaves nothing behind.
        let mut claim = Self { key, turn, held: None };
        claim.held = Some(Arc::clone(&claim.turn).lock_owned().await);
        claim
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.held = None;
        let mut all = CLAIMED.lock().unwrap_or_else(PoisonError::into_inner);
        // Ours and the table's: nobody waits for it.
        if Arc::strong_count(&self.turn) <= 2 {
            all.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn one_has_it_and_nothing_is_left_behind() {
        let (one, other) = (Digest::from_sha256(&[1; 32]), Digest::from_sha256(&[2; 32]));
        let whose = "a test of claims";
        let first = Claim::of(whose, &one).await;
        let mut second = Box::pin(Claim::of(whose, &one));
        assert!(second.as_mut().now_or_never().is_none(), "somebody has it");
        drop(Claim::of(whose, &other).await);
        drop(Claim::of("somebody else", &one).await);
        drop(first);
        drop(second.await);
        let first = Claim::of(whose, &one).await;
        let mut given_up = Box::pin(Claim::of(whose, &one));
        assert!(given_up.as_mut().now_or_never().is_none());
        drop(first);
        drop(given_up);
        let all = CLAIMED.lock().unwrap();
        assert!(!all.keys().any(|it| it.0 == whose || it.0 == "somebody else"));
    }
}
