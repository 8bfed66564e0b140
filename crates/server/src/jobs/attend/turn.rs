//! A turn: for how long one registry is attended to before others are.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// For how long something is attended to.
pub(super) struct Turn {
    time: Duration,
    began: OnceLock<Instant>,
    has_stepped: AtomicBool,
    stopped: watch::Sender<bool>,
}

impl Turn {
    pub(super) fn new(time: Duration) -> Self {
        let (stopped, _) = watch::channel(false);
        Self { time, began: OnceLock::new(), has_stepped: AtomicBool::new(false), stopped }
    }

    /// Something can be done by now: how long it took to be told what counts for nothing, or whoever
    /// tells it slowly would never have a turn.
    pub(super) fn begin(&self) {
        self.began.get_or_init(Instant::now);
    }

    /// Others have theirs, though something may go on that was begun.
    pub(super) fn is_over(&self) -> bool {
        let is_up = |began: &Instant| began.elapsed() >= self.time;
        self.is_stopped() || self.began.get().is_some_and(is_up)
    }

    /// May something more be done? In each turn one thing may, so that every turn gets further.
    pub(super) fn step(&self) -> bool {
        let is_first = !self.has_stepped.swap(true, Ordering::Relaxed);
        !self.is_stopped() && (is_first || !self.is_over())
    }

    /// Nothing at all is done any more.
    pub(super) fn stop(&self) {
        self.stopped.send_replace(true);
    }

    pub(super) fn is_stopped(&self) -> bool {
        *self.stopped.borrow()
    }

    pub(super) async fn until_stopped(&self) {
        let mut stopped = self.stopped.subscribe();
        // We hold its other end.
        let _ = stopped.wait_for(|it| *it).await;
    }
}
