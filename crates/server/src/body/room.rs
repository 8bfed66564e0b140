//! How much of what is sent is taken in at once, of each and of all, and how slowly it may come.
//!
//! Short documents have room of their own, so that whoever sends long ones keeps nobody from logging
//! in. Of either room each has a quarter at most; what is larger than that, one after the other is
//! taken in beside it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::Sort;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::SHORT;
use crate::rations::{Rations, Whose};
use crate::refusal::Refusal;

/// How long nothing may come.
const SOON: Duration = Duration::from_secs(15);
/// So many bytes come in a second at least.
const SLOWEST: u64 = 32 << 10;
/// What is counted at once of long documents that come in, and of short ones.
const PIECE: usize = 16 << 10;
const CRUMB: usize = 256;
/// For this part of an answer's patience a document waits for others to be done with.
const TURN: u32 = 24;
/// The same for others of one's own.
const OWN_TURN: u32 = 4;
/// This part of all there is room for is short.
const FEW: usize = 8;
/// This part of the room each has.
const EACH: usize = 4;

/// How much is worked on at once, by all who ask.
pub(crate) struct Room {
    /// Those who are answered.
    pub(super) places: Semaphore,
    /// How long an answer may take.
    pub(super) patience: Duration,
    long: Pool,
    short: Pool,
    /// One document that is more than anybody's ration.
    alone: Semaphore,
}

/// Room that is shared.
struct Pool {
    piece: usize,
    pieces: Semaphore,
    rations: Rations,
}

impl Room {
    /// For so many who are answered, and so many bytes of what they sent.
    pub(crate) fn new(places: usize, bytes: usize, patience: Duration) -> Self {
        Self {
            places: Semaphore::new(places.max(1)),
            patience,
            long: Pool::new(bytes, PIECE),
            short: Pool::new((bytes / FEW).max(EACH * SHORT), CRUMB),
            alone: Semaphore::new(1),
        }
    }

    /// Room for a document that has so many bytes at most. Nothing has come yet.
    pub(super) fn begin(&self, most: usize, whose: Whose) -> Held<'_> {
        let pool = if most > SHORT { &self.long } else { &self.short };
        let theirs = pool.rations.of(whose);
        Held { room: self, pool, theirs, ration: None, pieces: None, alone: None }
    }

    async fn turn<T>(
        &self,
        waiting: impl Future<Output = Result<T, AcquireError>>,
    ) -> Result<T, Refusal> {
        within(self.patience / TURN, waiting).await
    }
}

async fn within<T>(
    time: Duration,
    waiting: impl Future<Output = Result<T, AcquireError>>,
) -> Result<T, Refusal> {
    let turn = tokio::time::timeout(time, waiting).await;
    let Ok(Ok(turn)) = turn else {
        let why = "as much is being taken in as there is room for";
        return Err(Sort::Unavailable.because(why).with_hint("try again in a moment").into());
    };
    Ok(turn)
}

impl Pool {
    fn new(bytes: usize, piece: usize) -> Self {
        let count = (bytes / piece).clamp(1, Semaphore::MAX_PERMITS);
        let rations = Rations::new(count / EACH);
        Self { piece, pieces: Semaphore::new(count), rations }
    }
}

/// The room that a document takes.
pub(super) struct Held<'a> {
    room: &'a Room,
    pool: &'a Pool,
    /// What whoever sends it may have.
    theirs: Arc<Semaphore>,
    ration: Option<OwnedSemaphorePermit>,
    pieces: Option<SemaphorePermit<'a>>,
    /// The one place for what is larger than a ration, and by when it has to be free again: whoever has
    /// it keeps it from all others.
    alone: Option<(SemaphorePermit<'a>, Instant)>,
}

impl Held<'_> {
    /// How long the rest of it may take, where it has to be quick.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        self.alone.as_ref().map(|(_, by)| by.saturating_duration_since(now))
    }

    /// Whoever says how long their document is has their ration for all of it before it comes: two of
    /// theirs would each have a part of it, and wait for the other's. To exaggerate costs nobody else.
    pub(super) async fn have_ration(&mut self, length: usize) -> Result<(), Refusal> {
        let pieces = length.div_ceil(self.pool.piece);
        if pieces <= self.pool.rations.each() {
            // They wait for themselves alone, and nothing is held meanwhile.
            self.take_ration(pieces, self.room.patience / OWN_TURN).await?;
        }
        Ok(())
    }

    async fn take_ration(&mut self, pieces: usize, time: Duration) -> Result<(), Refusal> {
        let had = self.ration.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = u32::try_from(pieces.saturating_sub(had)).unwrap_or(u32::MAX);
        if more == 0 {
            return Ok(());
        }
        let more = within(time, Arc::clone(&self.theirs).acquire_many_owned(more)).await?;
        match &mut self.ration {
            Some(all) => all.merge(more),
            None => self.ration = Some(more),
        }
        Ok(())
    }

    /// Makes room for so many bytes in all.
    pub(super) async fn grow(&mut self, length: usize) -> Result<(), Refusal> {
        if self.alone.is_some() {
            return Ok(());
        }
        let pieces = length.div_ceil(self.pool.piece);
        if pieces > self.pool.rations.each() {
            let place = self.room.turn(self.room.alone.acquire()).await?;
            self.alone = Some((place, Instant::now() + self.room.patience));
            (self.ration, self.pieces) = (None, None);
            return Ok(());
        }
        self.take_ration(pieces, self.room.patience / TURN).await?;
        let had = self.pieces.as_ref().map_or(0, SemaphorePermit::num_permits);
        let more = u32::try_from(pieces.saturating_sub(had)).unwrap_or(u32::MAX);
        if more == 0 {
            return Ok(());
        }
        let more = self.room.turn(self.pool.pieces.acquire_many(more)).await?;
        match &mut self.pieces {
            Some(all) => all.merge(more),
            None => self.pieces = Some(more),
        }
        Ok(())
    }
}

/// By when more of a document has to come. What came long ago earns no time: whoever has sent much
/// fast and goes on slowly is slow.
pub(super) struct Pace {
    by: Instant,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { by: now + SOON }
    }

    /// For how long more is waited for.
    pub(super) fn left(&self, now: Instant) -> Duration {
        self.by.saturating_duration_since(now)
    }

    /// So many bytes came.
    pub(super) fn came(&mut self, bytes: usize, now: Instant) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let earned = Duration::from_micros(bytes.saturating_mul(1_000_000) / SLOWEST);
        self.by = (self.by + earned.min(SOON)).min(now + SOON);
    }

    /// It was us who kept them waiting.
    pub(super) fn waited(&mut self, time: Duration) {
        self.by += time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After so many seconds of parts that come each `every` milliseconds nobody waits any more; 1000
    /// is never.
    fn ends(first: usize, every: u64, part: usize) -> u64 {
        let began = Instant::now();
        let mut pace = Pace::new(began);
        pace.came(first, began);
        let mut now = began;
        while now < began + Duration::from_secs(1000) {
            if pace.left(now) < Duration::from_millis(every) {
                return (now + pace.left(now) - began).as_secs();
            }
            now += Duration::from_millis(every);
            pace.came(part, now);
        }
        1000
    }

    #[test]
    fn what_comes_slowly_now_is_slow_however_much_came_before() {
        assert_eq!(ends(0, 20_000, 1), 15, "nothing comes");
        assert_eq!(ends(100, 11_000, 1), 15, "hardly anything comes");
        assert_eq!(ends(128 << 20, 11_000, 1), 15, "nor after much");
        assert_eq!(ends(128 << 20, 1_000, 16 << 10), 29, "at half the speed");
        assert_eq!(ends(0, 1_000, 33 << 10), 1000, "it is fast enough");
        assert_eq!(ends(0, 14_000, 460 << 10), 1000, "in large parts, too");
        assert_eq!(ends(0, 16_000, 10 << 20), 15, "but silent for too long");
    }
}
