//! What is wrong in environments, as far as there is room to hold it: the rest is made anew for whoever
//! asks.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::Part;

/// So many flaws of environments are held, which take some hundred bytes each.
const ROOM: usize = 600_000;

/// Environments by their number, those that came first going first.
pub(super) struct Held {
    parts: HashMap<usize, Arc<Part>>,
    order: VecDeque<usize>,
    lines: usize,
    room: usize,
}

impl Default for Held {
    fn default() -> Self {
        Self { parts: HashMap::new(), order: VecDeque::new(), lines: 0, room: ROOM }
    }
}

impl Held {
    pub(super) fn get(&self, number: usize) -> Option<Arc<Part>> {
        self.parts.get(&number).cloned()
    }

    /// Holds one more, and lets go of others where there is no room for all. The last one stays, however
    /// large it is.
    pub(super) fn put(&mut self, number: usize, part: Arc<Part>) {
        self.lines += part.lines().len();
        match self.parts.insert(number, part) {
            Some(former) => self.lines -= former.lines().len(),
            None => self.order.push_back(number),
        }
        while self.lines > self.room && self.order.len() > 1 {
            let Some(first) = self.order.pop_front() else { break };
            if first == number {
                self.order.push_back(first);
                continue;
            }
            let gone = self.parts.remove(&first);
            self.lines -= gone.map_or(0, |it| it.lines().len());
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Level;

    use super::super::Line;
    use super::*;

    fn part(lines: usize) -> Arc<Part> {
        let line = |flaw: usize| Line {
            flaw: flaw as u32,
            level: Level::High,
            score: None,
            fixable: false,
            in_use: None,
            images: 1,
            found: Vec::new(),
        };
        Arc::new(Part::of_lines((0..lines).map(line).collect()))
    }

    #[test]
    fn what_came_first_goes_first_and_the_last_stays() {
        let mut held = Held { room: 10, ..Held::default() };
        let mut put = |number: usize, lines: usize| {
            held.put(number, part(lines));
            let mut there: Vec<usize> = held.parts.keys().copied().collect();
            there.sort_unstable();
            let lines: usize = held.parts.values().map(|it| it.lines().len()).sum();
            assert_eq!((held.lines, held.order.len()), (lines, there.len()));
            there
        };
        assert_eq!(put(1, 4), [1]);
        assert_eq!(put(2, 4), [1, 2]);
        assert_eq!(put(1, 5), [1, 2], "the same again takes no more room");
        assert_eq!(put(3, 3), [2, 3]);
        assert_eq!(put(4, 0), [2, 3, 4]);
        assert_eq!(put(2, 9), [2, 4], "it stays, though it came first");
        assert_eq!(put(5, 90), [5]);
        assert!(held.get(5).is_some() && held.get(2).is_none());
    }
}
