//! What was seen of one kind of thing, by its id, whatever order it is told in.

use std::collections::HashMap;

/// Things that went and are remembered, so that what was said of them before does not bring them back.
const GONE: usize = 10_000;

/// Things that are there, and until the next list those that went.
pub(super) struct Shelf<T> {
    things: HashMap<String, (Option<u128>, Option<T>)>,
    gone: usize,
}

impl<T: PartialEq> Shelf<T> {
    pub(super) fn new() -> Self {
        Self { things: HashMap::new(), gone: 0 }
    }

    /// It is like this, as of that version. Says whether anything is different by that.
    pub(super) fn put(&mut self, id: String, version: Option<&str>, thing: T) -> bool {
        self.set(id, version, Some(thing))
    }

    /// It is gone, as of that version.
    pub(super) fn remove(&mut self, id: String, version: Option<&str>) -> bool {
        self.set(id, version, None)
    }

    /// All that are there.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.things.values().filter_map(|(_, it)| it.as_ref())
    }

    fn set(&mut self, id: String, version: Option<&str>, thing: Option<T>) -> bool {
        // Versions are numbers that grow; where one is none, what is told later counts.
        let version = version.and_then(|it| it.parse::<u128>().ok());
        let before = self.things.get(&id);
        if let Some((Some(known), _)) = before
            && version.is_some_and(|it| it < *known)
        {
            return false;
        }
        let was = before.map(|it| it.1.is_some());
        let changed = match before {
            Some((_, before)) => *before != thing,
            None => thing.is_some(),
        };
        match (was, thing.is_some()) {
            (Some(false), true) => self.gone -= 1,
            (Some(true) | None, false) => self.gone += 1,
            _ => {}
        }
        self.things.insert(id, (version, thing));
        if self.gone > GONE {
            self.things.retain(|_, (_, it)| it.is_some());
            self.gone = 0;
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(shelf: &Shelf<u32>) -> Vec<u32> {
        let mut all: Vec<u32> = shelf.iter().copied().collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn the_latest_word_counts() {
        let mut shelf = Shelf::new();
        let id = || "a".to_owned();
        assert!(shelf.put(id(), Some("5"), 1));
        assert!(!shelf.put(id(), Some("4"), 2), "an older word");
        assert!(!shelf.put(id(), Some("6"), 1), "nothing is different");
        assert!(shelf.put(id(), Some("10"), 3), "10 is after 6");
        assert!(shelf.remove(id(), Some("12")));
        assert!(!shelf.put(id(), Some("11"), 4), "it went after that");
        assert!(shown(&shelf).is_empty());
        assert!(!shelf.remove("b".to_owned(), Some("1")), "nobody knew it");
        assert!(shelf.put("c".to_owned(), Some("odd"), 7));
        assert!(shelf.put("c".to_owned(), None, 8));
        assert_eq!(shown(&shelf), [8]);
    }

    #[test]
    fn what_went_is_forgotten_some_day() {
        let mut shelf: Shelf<u32> = Shelf::new();
        for number in 0..3 * GONE {
            shelf.remove(number.to_string(), Some("1"));
        }
        assert!(shelf.things.len() <= GONE + 1);
    }
}
