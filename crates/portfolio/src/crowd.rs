//! Many numbers or few: most packages are in a handful of sets, some in all.

use roaring::RoaringBitmap;

/// Numbers, sorted, each once.
#[derive(Clone, Debug)]
pub(crate) enum Crowd {
    /// A bitmap of its own would be five times as large.
    Few(Vec<u32>),
    Many(Box<RoaringBitmap>),
}

const FEW: usize = 24;

impl Default for Crowd {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Crowd {
    pub(crate) fn insert(&mut self, number: u32) {
        match self {
            Self::Many(all) => {
                all.insert(number);
            }
            Self::Few(few) => {
                if let Err(at) = few.binary_search(&number) {
                    if few.len() < FEW {
                        // They come one at a time, and mostly that is all.
                        few.reserve_exact(1);
                        few.insert(at, number);
                    } else {
                        let mut all: RoaringBitmap = few.iter().copied().collect();
                        all.insert(number);
                        *self = Self::Many(Box::new(all));
                    }
                }
            }
        }
    }

    pub(crate) fn remove(&mut self, number: u32) {
        match self {
            Self::Many(all) => {
                all.remove(number);
            }
            Self::Few(few) => {
                if let Ok(at) = few.binary_search(&number) {
                    few.remove(at);
                }
            }
        }
    }

    pub(crate) fn remove_all(&mut self, numbers: &RoaringBitmap) {
        match self {
            Self::Many(all) => **all -= numbers,
            Self::Few(few) => few.retain(|it| !numbers.contains(*it)),
        }
    }

    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Many(all) => all.len(),
            Self::Few(few) => few.len() as u64,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn for_each(&self, mut each: impl FnMut(u32)) {
        match self {
            Self::Many(all) => all.iter().for_each(each),
            Self::Few(few) => few.iter().for_each(|it| each(*it)),
        }
    }

    /// Is this so of any of them?
    pub(crate) fn any(&self, mut is: impl FnMut(u32) -> bool) -> bool {
        match self {
            Self::Many(all) => all.iter().any(is),
            Self::Few(few) => few.iter().any(|it| is(*it)),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Many(all) => {
                let told = all.statistics();
                let containers = usize::try_from(told.n_containers).unwrap_or(0) * 40;
                let values = told.n_bytes_array_containers
                    + told.n_bytes_bitset_containers
                    + told.n_bytes_run_containers;
                24 + containers + usize::try_from(values).unwrap_or(0)
            }
            Self::Few(few) => few.capacity() * 4,
        }
    }
}

/// A plain bitmap to gather many crowds in.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    words: Vec<u64>,
}

impl Scratch {
    pub(crate) fn insert(&mut self, number: u32) {
        let at = number as usize / 64;
        if at >= self.words.len() {
            self.words.resize(at + 1, 0);
        }
        if let Some(word) = self.words.get_mut(at) {
            *word |= 1 << (number % 64);
        }
    }

    /// What was gathered, ascending; from here on nothing is.
    pub(crate) fn drain(&mut self, mut each: impl FnMut(u32)) {
        for (at, word) in self.words.iter_mut().enumerate() {
            let mut left = std::mem::take(word);
            while left != 0 {
                each(at as u32 * 64 + left.trailing_zeros());
                left &= left - 1;
            }
        }
    }

    /// The same, kept.
    pub(crate) fn take(&mut self) -> RoaringBitmap {
        let mut numbers = Vec::new();
        self.drain(|it| numbers.push(it));
        RoaringBitmap::from_sorted_iter(numbers).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_crowd_is_a_set(
            steps in prop::collection::vec((any::<bool>(), 0_u32..60), 0..120),
        ) {
            let mut crowd = Crowd::default();
            let mut scratch = Scratch::default();
            let mut expect = RoaringBitmap::new();
            for (insert, number) in steps {
                if insert {
                    crowd.insert(number);
                    expect.insert(number);
                } else {
                    crowd.remove(number);
                    expect.remove(number);
                }
            }
            crowd.for_each(|it| scratch.insert(it));
            prop_assert_eq!(crowd.len(), expect.len());
            prop_assert_eq!(scratch.take(), expect.clone());
            prop_assert!(scratch.take().is_empty());
            let some: RoaringBitmap = (0..30).collect();
            crowd.remove_all(&some);
            crowd.for_each(|it| scratch.insert(it));
            prop_assert_eq!(scratch.take(), expect - some);
        }
    }
}
