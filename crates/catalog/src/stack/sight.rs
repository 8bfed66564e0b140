//! What is hidden: deleted, emptied or overwritten by a higher layer.

use std::cell::RefCell;
use std::collections::HashMap;

use model::{LayerInventory, PathHash, hash_path};

use crate::claims::{Hashed, ancestors};

/// Which layer was the last to touch a path.
pub(super) struct Sight<'a> {
    layers: &'a [Option<&'a LayerInventory>],
    /// The highest layer that deletes a path.
    whiteouts: HashMap<PathHash, usize, Hashed>,
    /// The highest layer that hides what a directory held.
    opaques: HashMap<PathHash, usize, Hashed>,
    /// The highest layer that holds a path that is no directory, once it was looked for.
    holders: RefCell<HashMap<PathHash, Option<usize>, Hashed>>,
}

impl<'a> Sight<'a> {
    pub(super) fn new(layers: &'a [Option<&'a LayerInventory>]) -> Self {
        let (mut whiteouts, mut opaques) = (HashMap::default(), HashMap::default());
        for (number, layer) in layers.iter().enumerate() {
            let Some(layer) = layer else { continue };
            whiteouts.extend(layer.whiteouts.iter().map(|it| (hash_path(it), number)));
            opaques.extend(layer.opaques.iter().map(|it| (hash_path(it), number)));
        }
        Self { layers, whiteouts, opaques, holders: RefCell::default() }
    }

    /// Does a layer above `layer` delete or replace `path`, or a directory it is in?
    pub(super) fn is_hidden(&self, path: &str, layer: usize) -> bool {
        let above = |it: Option<usize>| it.is_some_and(|it| it > layer);
        let gone = |path: &str| {
            let hash = hash_path(path);
            above(self.whiteouts.get(&hash).copied()) || above(self.holder(hash))
        };
        let emptied = |path: &str| above(self.opaques.get(&hash_path(path)).copied());
        gone(path) || emptied("") || ancestors(path).any(|it| gone(it) || emptied(it))
    }

    /// The layer whose file, link or device is at `path` in the end, if there is one.
    pub(super) fn layer_of(&self, path: &str) -> Option<usize> {
        self.holder(hash_path(path)).filter(|layer| !self.is_hidden(path, *layer))
    }

    /// Is there a layer of which nothing is known?
    pub(super) fn is_partial(&self) -> bool {
        self.layers.iter().any(Option::is_none)
    }

    /// Does this very layer hold `path`?
    pub(super) fn holds(&self, layer: usize, path: &str) -> bool {
        let inventory = self.layers.get(layer).copied().flatten();
        inventory.is_some_and(|it| contains(&it.paths, hash_path(path)))
    }

    fn holder(&self, path: PathHash) -> Option<usize> {
        *self.holders.borrow_mut().entry(path).or_insert_with(|| {
            let holds = |layer: &LayerInventory| contains(&layer.paths, path);
            self.layers.iter().rposition(|layer| layer.is_some_and(holds))
        })
    }
}

/// Hashes spread evenly, so where one stands among the sorted can nearly be told beforehand:
/// a look-up in millions touches one or two pages.
fn contains(sorted: &[PathHash], hash: PathHash) -> bool {
    let length = sorted.len();
    let guess = ((u128::from(hash) * length as u128) >> 64) as usize;
    let (mut low, mut high) = (guess, guess);
    let mut step = 8;
    while low > 0 && sorted[low.min(length - 1)] > hash {
        low = low.saturating_sub(step);
        step *= 2;
    }
    step = 8;
    while high < length && sorted[high] < hash {
        high = (high + step).min(length);
        step *= 2;
    }
    sorted[low..(high + 1).min(length)].binary_search(&hash).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn finds_what_is_there(
            mut hashes in prop::collection::vec(prop_oneof![any::<u64>(), 0..50_u64], 0..200),
            other: u64,
            small in 0..50_u64,
        ) {
            hashes.sort_unstable();
            for hash in hashes.iter().chain([&other, &small, &0, &u64::MAX]) {
                prop_assert_eq!(contains(&hashes, *hash), hashes.binary_search(hash).is_ok());
            }
        }
    }
}
