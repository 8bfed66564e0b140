//! How much a document may say: what a few bytes repeat of much else must not fill the memory.

use model::{Gap, Statement};

use crate::contract::Read;

/// What is left for a document's statements, in bytes of memory.
pub(crate) struct Room {
    left: usize,
    left_out: usize,
}

/// A name weighs its text, and what a string costs.
const STRING: usize = 24;
/// What a product costs without its names.
pub(crate) const PRODUCT: usize = 72;
/// So many holes are told of a document.
const HOLES: usize = 100;

impl Room {
    /// Well-made documents need about ten times their size.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let left = bytes.len().saturating_mul(32).saturating_add(1 << 20).min(160 << 20);
        Self { left, left_out: 0 }
    }

    /// Is there still room for that much? It is not taken.
    pub(crate) fn holds(&self, weight: usize) -> bool {
        weight < self.left
    }

    /// Takes that much, or says that there is not as much: from then on it is full.
    pub(crate) fn take(&mut self, weight: usize) -> bool {
        self.left = self.left.saturating_sub(weight);
        !self.is_full()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.left == 0
    }

    /// Of one statement more there is too much, and nobody hears it; nor what follows.
    pub(crate) fn leave_out(&mut self) {
        self.left = 0;
        self.left_out = self.left_out.saturating_add(1);
    }

    /// Adds it to what was read, or leaves it out whole: cut short it might say more than it does.
    pub(crate) fn tell(&mut self, read: &mut Read, statement: Statement) {
        // It is found by each of its flaws.
        let weight = statement.weight().saturating_mul(statement.flaws.len().max(1));
        if self.take(weight) {
            read.statements.push(statement);
        } else {
            self.leave_out();
        }
    }

    /// The hole that the statements left out make.
    pub(crate) fn end(self, read: &mut Read, origin: &str) {
        if self.left_out > 0 {
            let why = format!("it says too much: {} of its statements do not count", self.left_out);
            read.gaps.push(Gap::new(origin, why));
        }
    }
}

/// What names weigh.
pub(crate) fn weight_of<'n>(names: impl IntoIterator<Item = &'n String>) -> usize {
    names.into_iter().map(|it| it.len() + STRING).sum()
}

impl Read {
    /// One more hole; the last for which there is room says that there are more.
    pub(crate) fn hole(&mut self, at: String, why: impl Into<String>) {
        match self.gaps.len() {
            0..HOLES => self.gaps.push(Gap::new(at, why)),
            HOLES => self.gaps.push(Gap::new(at, "there are more holes like these")),
            _ => {}
        }
    }
}
