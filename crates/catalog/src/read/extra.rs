//! Paths to read as if they were others.

use std::collections::HashMap;

use model::{PathHash, hash_path};

use crate::claims::{Hashed, ancestors};

/// Which they are.
pub(super) struct Extra<'a> {
    /// What a path is to be read as.
    at: HashMap<PathHash, Vec<&'a str>, Hashed>,
    /// Directories above such paths, with these paths.
    above: HashMap<PathHash, Vec<&'a str>, Hashed>,
}

impl<'a> Extra<'a> {
    pub(super) fn new(extra: &'a [(String, String)]) -> Self {
        let mut new = Self { at: HashMap::default(), above: HashMap::default() };
        for (path, pretend) in extra {
            let pretends = new.at.entry(hash_path(path)).or_default();
            if !pretends.contains(&pretend.as_str()) {
                pretends.push(pretend);
            }
            for directory in ancestors(path) {
                let paths = new.above.entry(hash_path(directory)).or_default();
                if paths.last() != Some(&path.as_str()) {
                    paths.push(path);
                }
            }
        }
        new
    }

    /// The claimed paths that the file at this one is to be read as.
    pub(super) fn at(&self, path: PathHash) -> &[&'a str] {
        self.at.get(&path).map_or(&[], Vec::as_slice)
    }

    /// The paths to be read that lie below this one.
    pub(super) fn below(&self, path: PathHash) -> &[&'a str] {
        self.above.get(&path).map_or(&[], Vec::as_slice)
    }
}
