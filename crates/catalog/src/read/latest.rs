//! One archive may name a path twice: what counts is the last, as when it is unpacked.

use std::collections::HashMap;

use model::{PathHash, hash_path};

use crate::claims::{Hashed, ancestors};

/// The number of an entry in its archive.
pub(super) type Stamp = u64;

/// When the paths that matter were last written.
#[derive(Default)]
pub(super) struct Latest {
    clock: Stamp,
    paths: HashMap<PathHash, Stamp, Hashed>,
    /// Directories above such paths: when something else took their place, 0 for never.
    above: HashMap<PathHash, Stamp, Hashed>,
}

impl Latest {
    /// An entry comes by; its number.
    pub(super) fn enter(&mut self, path: PathHash, directory: bool) -> Stamp {
        self.clock += 1;
        if let Some(stamp) = self.paths.get_mut(&path) {
            *stamp = self.clock;
        }
        if !directory && let Some(stamp) = self.above.get_mut(&path) {
            *stamp = self.clock;
        }
        self.clock
    }

    /// From now on it matters what becomes of `path`.
    pub(super) fn watch(&mut self, path: &str, stamp: Stamp) {
        self.paths.entry(hash_path(path)).or_insert(stamp);
        for directory in ancestors(path) {
            self.above.entry(hash_path(directory)).or_insert(0);
        }
    }

    /// How many paths and directories matter.
    pub(super) fn len(&self) -> usize {
        self.paths.len() + self.above.len()
    }

    /// Was something read at this path?
    pub(super) fn watches(&self, path: PathHash) -> bool {
        self.paths.contains_key(&path)
    }

    /// Did a later entry take the place of the one with that number, or of a directory above it?
    pub(super) fn overtaken(&self, path: &str, stamp: Stamp) -> bool {
        let later = |map: &HashMap<PathHash, Stamp, Hashed>, path: &str| {
            map.get(&hash_path(path)).is_some_and(|it| *it > stamp)
        };
        later(&self.paths, path) || ancestors(path).any(|it| later(&self.above, it))
    }
}
