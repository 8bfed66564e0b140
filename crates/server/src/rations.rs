//! Rations: how much each has of what is there for all, so that nobody has everything.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use axum::http::Extensions;
use model::Holder;
use tokio::sync::Semaphore;

use crate::caller::Caller;
use crate::identity::network;
use crate::peer;

/// Whose a ration is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Whose {
    /// Of somebody whom we know, whatever they show and from wherever they ask.
    Known(Holder),
    /// Of whoever asks from there; none is this very process.
    From(Option<IpAddr>),
}

impl Whose {
    /// Of whoever makes a request.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        let holder = extensions.get::<Caller>().and_then(Caller::holder);
        holder.map_or_else(|| Self::From(peer::of(extensions).map(network)), Self::Known)
    }
}

/// What each has.
#[derive(Debug)]
pub(crate) struct Rations {
    each: usize,
    all: Mutex<HashMap<Whose, Weak<Semaphore>>>,
}

impl Rations {
    /// Each has so much.
    pub(crate) fn new(each: usize) -> Self {
        Self { each: each.clamp(1, Semaphore::MAX_PERMITS), all: Mutex::default() }
    }

    /// How much each has.
    pub(crate) fn each(&self) -> usize {
        self.each
    }

    /// What is theirs, and not used by themselves. It is one and the same as long as they use any.
    pub(crate) fn of(&self, whose: Whose) -> Arc<Semaphore> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(theirs) = all.get(&whose).and_then(Weak::upgrade) {
            return theirs;
        }
        // Who uses none of it is forgotten before the table would grow.
        if all.len() == all.capacity() {
            all.retain(|_, it| it.strong_count() > 0);
        }
        let theirs = Arc::new(Semaphore::new(self.each));
        all.insert(whose, Arc::downgrade(&theirs));
        theirs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(last: u8) -> Whose {
        Whose::From(Some(IpAddr::from([192, 0, 2, last])))
    }

    #[test]
    fn each_has_their_own_and_no_more() {
        let rations = Rations::new(2);
        let one = rations.of(from(1));
        let held = Arc::clone(&one).try_acquire_many_owned(2).unwrap();
        assert!(rations.of(from(1)).try_acquire().is_err());
        assert!(rations.of(from(2)).try_acquire().is_ok());
        assert!(rations.of(Whose::From(None)).try_acquire().is_ok());
        drop(held);
        assert!(rations.of(from(1)).try_acquire().is_ok());
    }

    #[test]
    fn who_uses_none_is_forgotten() {
        let rations = Rations::new(2);
        let held = rations.of(from(0)).try_acquire_owned().unwrap();
        for number in 0..1_000 {
            rations.of(Whose::Known(Holder::User(model::UserId(number.to_string()))));
        }
        assert!(rations.all.lock().unwrap().capacity() < 100);
        assert_eq!(rations.of(from(0)).available_permits(), 1);
        drop(held);
    }
}
