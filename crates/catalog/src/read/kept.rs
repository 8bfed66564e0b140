//! What is kept until the end of a layer: files that others look up, and those who want to.

use std::collections::HashMap;
use std::sync::Arc;

use ecosystem::{Beside, Cataloger};

use super::ReadLimits;
use super::body::Content;
use super::latest::Stamp;

/// A claimed file whose cataloger looks beside it.
pub(super) struct Waiting {
    pub(super) path: String,
    pub(super) pretend: String,
    pub(super) mode: u32,
    pub(super) stamp: Stamp,
    pub(super) cataloger: &'static Cataloger,
    pub(super) bytes: Arc<[u8]>,
    pub(super) asked: bool,
}

/// Files to look up, within limits.
pub(super) struct Kept {
    files: HashMap<String, (Stamp, Arc<[u8]>)>,
    /// The file that was kept last: several may want it.
    last: Option<(Stamp, Arc<[u8]>)>,
    limits: ReadLimits,
    bytes: u64,
}

impl Kept {
    pub(super) fn new(limits: ReadLimits) -> Self {
        Self { files: HashMap::new(), last: None, limits, bytes: 0 }
    }

    /// How many files there are.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// Keeps a file under its path.
    pub(super) fn keep(
        &mut self,
        path: &str,
        stamp: Stamp,
        content: &Content<'_>,
    ) -> Result<(), String> {
        let bytes = self.hold(stamp, content)?;
        self.files.insert(path.to_owned(), (stamp, bytes));
        Ok(())
    }

    /// The bytes of the current file, to be held on to.
    pub(super) fn hold(
        &mut self,
        stamp: Stamp,
        content: &Content<'_>,
    ) -> Result<Arc<[u8]>, String> {
        if let Some((_, bytes)) = self.last.as_ref().filter(|(it, _)| *it == stamp) {
            return Ok(Arc::clone(bytes));
        }
        let Content::Memory(bytes) = content else {
            return Err("too large to be kept while others are read".to_owned());
        };
        let size = bytes.len() as u64;
        let (most, all) = (self.limits.beside_file, self.limits.beside);
        if size > most {
            return Err(format!("larger than the {most} bytes kept while others are read"));
        }
        if self.bytes + size > all {
            return Err(format!("beyond the {all} bytes kept of a layer while others are read"));
        }
        self.bytes += size;
        let bytes: Arc<[u8]> = Arc::from(*bytes);
        self.last = Some((stamp, Arc::clone(&bytes)));
        Ok(bytes)
    }

    /// Forgets the files of which that is said.
    pub(super) fn forget(&mut self, gone: impl Fn(&str, Stamp) -> bool) {
        self.files.retain(|path, (stamp, _)| !gone(path, *stamp));
    }
}

impl Beside for Kept {
    fn bytes(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(|(_, bytes)| &bytes[..])
    }
}
