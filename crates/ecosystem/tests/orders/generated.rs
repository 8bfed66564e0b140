//! Pairs of versions, the same in each run, half of which differ by little.

/// Numbers that look random and are the same in each run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }

    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % sides
    }

    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }
}

/// What versions of one kind are made of.
pub(crate) struct Grammar {
    pub(crate) first: &'static [&'static str],
    pub(crate) marks: &'static [&'static str],
    pub(crate) words: &'static [&'static str],
    /// What may be in front and behind.
    pub(crate) epochs: &'static [&'static str],
    pub(crate) ends: &'static [&'static str],
}

impl Grammar {
    fn pieces(&self, dice: &mut Dice) -> Vec<&'static str> {
        let mut pieces = vec![dice.pick(self.epochs), dice.pick(self.first)];
        for _ in 0..dice.roll(5) {
            pieces.push(dice.pick(self.marks));
            pieces.push(dice.pick(self.words));
        }
        pieces.push(dice.pick(self.ends));
        pieces
    }

    /// So many pairs. Of each second one, the right version is the left one with a piece changed.
    pub(crate) fn pairs(&self, count: usize) -> Vec<(String, String)> {
        let mut dice = Dice::new();
        let mut pairs = Vec::new();
        while pairs.len() < count {
            let left = self.pieces(&mut dice);
            let mut right = self.pieces(&mut dice);
            if pairs.len() % 2 == 1 {
                let same = dice.roll(left.len());
                let changed = right[same.min(right.len() - 1)];
                right.clone_from(&left);
                if changed.is_empty() || dice.roll(2) == 0 {
                    right.insert(same, changed);
                } else {
                    right[same] = changed;
                }
            }
            pairs.push((left.concat(), right.concat()));
        }
        pairs
    }
}
