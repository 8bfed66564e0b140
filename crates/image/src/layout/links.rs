//! Links between the parts of a layout: old archives hold a layer once and link to it.

use std::collections::HashMap;

/// Links that lead to links are followed so far.
const HOPS: usize = 16;

/// Where links lead, by their paths.
#[derive(Default)]
pub(crate) struct Links(HashMap<String, String>);

impl Links {
    /// A symbolic link, relative to its own directory.
    pub(crate) fn symlink(&mut self, path: String, target: &str) {
        let target = tarball::resolve_link(&path, target);
        self.0.insert(path, target);
    }

    /// Another name for the file at `target`.
    pub(crate) fn hardlink(&mut self, path: String, target: String) {
        self.0.insert(path, target);
    }

    /// No link any more: something else has taken its place.
    pub(crate) fn remove(&mut self, path: &str) {
        self.0.remove(path);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Where `path` leads in the end; a circle leads nowhere, to a path in it.
    pub(crate) fn resolve(&self, path: &str) -> String {
        let path = tarball::clean_path(path);
        let mut at: &str = &path;
        for _ in 0..HOPS {
            match self.0.get(at) {
                Some(target) => at = target,
                None => break,
            }
        }
        at.to_owned()
    }
}
