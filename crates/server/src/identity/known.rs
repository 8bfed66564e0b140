//! Who showed what a moment ago, so that not every question asks the database who asks.
//!
//! What is remembered is good for a second. A change that this process makes is seen at once, for
//! all is forgotten then; what another process revokes is good here for a second more. Nobody is
//! refused because of what is remembered: before that, the database is asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::Moment;
use store::{Caller, Speaker, Store};

use super::{Credential, Kind, People, hash};
use crate::refusal::Refusal;

/// For so many microseconds it is remembered.
const GOOD: i64 = 1_000_000;
/// Most that are remembered.
const MOST: usize = 4_096;

/// Who it is, by what they showed.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Who it is.
    pub(crate) caller: Arc<Caller>,
    kind: Kind,
    hash: [u8; 32],
    /// Was the database not asked for this question?
    remembered: bool,
}

/// Who showed what a moment ago.
#[derive(Default)]
pub(super) struct Recently(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    callers: HashMap<[u8; 32], (Moment, Arc<Caller>)>,
    /// How often all was forgotten.
    times: u64,
}

impl Recently {
    pub(super) fn forget(&self) {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        memory.callers.clear();
        memory.times = memory.times.wrapping_add(1);
    }

    pub(super) fn times(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).times
    }

    fn get(&self, hash: &[u8; 32], now: Moment) -> Option<Arc<Caller>> {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (seen, caller) = memory.callers.get(hash)?;
        let age = now.micros().saturating_sub(seen.micros());
        let ended = match &caller.speaker {
            Speaker::Session(it) => Some(it.expires),
            Speaker::Token(it) => it.expires,
        };
        ((0..GOOD).contains(&age) && ended.is_none_or(|it| now < it)).then(|| Arc::clone(caller))
    }

    /// Remembers a caller, unless all was forgotten while the database was asked.
    fn put(&self, hash: [u8; 32], now: Moment, caller: &Arc<Caller>, times: u64) {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.times != times {
            return;
        }
        if memory.callers.len() >= MOST {
            let fresh = |seen: &Moment| (0..GOOD).contains(&(now.micros() - seen.micros()));
            memory.callers.retain(|_, (seen, _)| fresh(seen));
            if memory.callers.len() >= MOST {
                memory.callers.clear();
            }
        }
        memory.callers.insert(hash, (now, Arc::clone(caller)));
    }
}

impl People {
    /// Who shows that; none is nobody whom we know.
    pub(crate) async fn known(
        &self,
        store: &Store,
        credential: &Credential,
        now: Moment,
    ) -> Result<Option<Known>, Refusal> {
        // What we cannot have made nobody needs to look up.
        let Some(kind) = Kind::of(credential.secret.expose()) else { return Ok(None) };
        let hash = hash(credential.secret.expose());
        let known = match self.0.known.get(&hash, now) {
            Some(caller) => Some(Known { caller, kind, hash, remembered: true }),
            None => self.look(store, kind, hash, now).await?,
        };
        Ok(known.filter(|it| credential.is_of(&it.caller)))
    }

    /// The same, as the database has it now; none is that they may not speak any more.
    pub(crate) async fn anew(
        &self,
        store: &Store,
        known: &Known,
        now: Moment,
    ) -> Result<Option<Known>, Refusal> {
        if !known.remembered {
            return Ok(Some(known.clone()));
        }
        self.look(store, known.kind, known.hash, now).await
    }

    /// The same, as it is remembered for a second; none is that they may not speak any more.
    pub(crate) async fn still(
        &self,
        store: &Store,
        known: &Known,
        now: Moment,
    ) -> Result<Option<Known>, Refusal> {
        let (kind, hash) = (known.kind, known.hash);
        match self.0.known.get(&hash, now) {
            Some(caller) => Ok(Some(Known { caller, kind, hash, remembered: true })),
            None => self.look(store, kind, hash, now).await,
        }
    }

    async fn look(
        &self,
        store: &Store,
        kind: Kind,
        hash: [u8; 32],
        now: Moment,
    ) -> Result<Option<Known>, Refusal> {
        let times = self.0.known.times();
        let caller = match kind {
            Kind::Session => store.session_caller(&hash, now).await?,
            Kind::Personal | Kind::Organisation => store.token_caller(&hash, now).await?,
            Kind::Invitation | Kind::Reset | Kind::Hook => None,
        };
        let Some(caller) = caller.map(Arc::new) else { return Ok(None) };
        self.0.known.put(hash, now, &caller, times);
        Ok(Some(Known { caller, kind, hash, remembered: false }))
    }
}
