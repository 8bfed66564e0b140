//! Whom a letter reached that others are still to get, so that nobody gets it twice.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use lettre::Address;

/// Letters that are kept in mind; a channel tells one after the other.
const LETTERS: usize = 100;

/// It lives as long as the process does: after that somebody may get a letter once more, under the same
/// id.
#[derive(Default)]
pub(super) struct Reached(Mutex<VecDeque<(String, Vec<Address>)>>);

impl Reached {
    /// Who has the letter of this key.
    pub(super) fn by(&self, key: &str) -> Vec<Address> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|it| it.0 == key).map(|it| it.1.clone()).unwrap_or_default()
    }

    /// These have it, and others do not yet.
    pub(super) fn keep(&self, key: &str, whom: Vec<Address>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|it| it.0 != key);
        if all.len() >= LETTERS {
            all.pop_front();
        }
        all.push_back((key.to_owned(), whom));
    }

    /// All have it.
    pub(super) fn forget(&self, key: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|it| it.0 != key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_first_is_forgotten_first() {
        let reached = Reached::default();
        let ada: Address = "ada@acme.example".parse().unwrap();
        for at in 0..=LETTERS {
            reached.keep(&at.to_string(), vec![ada.clone()]);
        }
        assert!(reached.by("0").is_empty());
        assert_eq!(reached.by("1"), [ada]);
        reached.forget("1");
        assert!(reached.by("1").is_empty());
    }
}
