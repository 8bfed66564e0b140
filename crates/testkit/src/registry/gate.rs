//! A gate that lets so many through, and then nobody until it is opened.

use std::sync::{Condvar, Mutex, PoisonError};

use super::lock;

/// Open, until it is closed.
#[derive(Default)]
pub(super) struct Gate {
    left: Mutex<Option<usize>>,
    moved: Condvar,
}

impl Gate {
    pub(super) fn close_after(&self, many: usize) {
        *lock(&self.left) = Some(many);
        self.moved.notify_all();
    }

    pub(super) fn open(&self) {
        *lock(&self.left) = None;
        self.moved.notify_all();
    }

    /// Waits until it may go through.
    pub(super) fn pass(&self) {
        let left = self.moved.wait_while(lock(&self.left), |left| *left == Some(0));
        let mut left = left.unwrap_or_else(PoisonError::into_inner);
        if let Some(left) = left.as_mut() {
            *left -= 1;
        }
    }
}
