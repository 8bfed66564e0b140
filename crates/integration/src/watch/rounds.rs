//! Which looks are at everything, and which at what changed since the last one.

use model::Moment;

/// What changed is asked for from a little before the last look on: clocks differ.
const OVERLAP: i64 = 120;

/// The looks at one registry.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    whole: u32,
    since: Option<Moment>,
    looks: u32,
}

impl Rounds {
    /// Of each so many looks one is at everything, for what changed does not tell what is gone.
    pub fn new(whole: u32) -> Self {
        Self { whole, since: None, looks: 0 }
    }

    /// From when on it is asked what changed; none where everything is to be looked at.
    pub fn since(&self) -> Option<Moment> {
        let since = self.since.filter(|_| !self.looks.is_multiple_of(self.whole));
        since.map(|it| it.plus_seconds(-OVERLAP))
    }

    /// A look that began then has ended. One with holes is looked for once more.
    pub fn looked(&mut self, began: Moment, is_whole: bool) {
        self.looks = self.looks.wrapping_add(1);
        if is_whole {
            self.since = Some(began);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_looked_at_now_and_then() {
        let mut rounds = Rounds::new(10);
        let mut looked = |second: i64, is_whole: bool| {
            let since = rounds.since().map(|it| it.micros() / 1_000_000);
            rounds.looked(Moment::from_micros(second * 1_000_000), is_whole);
            since
        };
        assert_eq!(looked(1000, false), None);
        assert_eq!(looked(2000, true), None, "the first had holes");
        assert_eq!(looked(3000, false), Some(2000 - OVERLAP));
        assert_eq!(looked(4000, true), Some(2000 - OVERLAP));
        for round in 5..=10 {
            assert_eq!(looked(round * 1000, true), Some((round - 1) * 1000 - OVERLAP));
        }
        assert_eq!(looked(11_000, true), None);
        assert_eq!(looked(12_000, true), Some(11_000 - OVERLAP));
    }
}
