//! Pairs of texts that are versions more often than not, and near to one another.

/// Small, and the same on every machine.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).expect("it is below a `usize`")
    }

    pub(crate) fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

/// What versions of an order are made of.
pub(crate) struct Parts {
    pub(crate) starts: &'static [&'static str],
    pub(crate) marks: &'static [&'static str],
    pub(crate) words: &'static [&'static str],
}

impl Parts {
    pub(crate) fn pairs(&self, count: usize) -> Vec<(String, String)> {
        let mut random = Random(0x5eed_5eed);
        (0..count)
            .map(|_| {
                let left = self.version(&mut random);
                let right = if random.below(2) == 0 {
                    self.version(&mut random)
                } else {
                    // The same beginning, and something else behind it.
                    let end = 1 + random.below(left.len());
                    let mut right = left[..end].to_owned();
                    right.push_str(random.pick(self.marks));
                    right.push_str(random.pick(self.words));
                    right
                };
                (left, right)
            })
            .collect()
    }

    fn version(&self, random: &mut Random) -> String {
        let mut version = random.pick(self.starts).to_owned();
        for _ in 0..random.below(5) {
            version.push_str(random.pick(self.marks));
            version.push_str(random.pick(self.words));
        }
        version
    }
}
