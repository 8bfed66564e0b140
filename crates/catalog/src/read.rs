//! One pass over a layer: what is claimed is read, all else is passed over.

use std::io::Read;

use model::{Gap, LayerInventory};
use tarball::{Entries, Limits, Problem, TarReader};

use crate::claims::Claims;

mod body;
mod extra;
mod kept;
mod latest;
mod pass;
#[cfg(test)]
mod tests;

use pass::Pass;

/// What to read beside what is claimed, and within which limits.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// What reading may cost.
    pub limits: ReadLimits,
    /// Paths to read as if they were at another, claimed one: `(path to read, claimed path)`.
    /// A link to a database that is not where it is claimed asks for it (see [`crate::Stacked`]).
    pub extra: Vec<(String, String)>,
}

/// What reading a layer may cost. What goes past a limit is a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// Bytes of a claimed file that are held in memory; a larger one goes to a temporary file.
    pub memory: u64,
    /// Bytes of a claimed file.
    pub file: u64,
    /// Bytes of all temporary files of a layer, written one after the other.
    pub spool: u64,
    /// Bytes of a file that is kept to be looked up beside another.
    pub beside_file: u64,
    /// Bytes of all such files of a layer.
    pub beside: u64,
    /// Claimed files in a layer.
    pub evidence: usize,
    /// Bytes of memory that what was found in a layer may take.
    pub found: u64,
    /// Whiteouts in a layer.
    pub whiteouts: usize,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            memory: 8 << 20,
            file: 4 << 30,
            spool: 32 << 30,
            beside_file: 16 << 20,
            beside: 64 << 20,
            evidence: 500_000,
            found: 512 << 20,
            whiteouts: 1_000_000,
        }
    }
}

/// Reads a layer whose archive comes out of `tar`: on this thread it is inflated, on another read.
/// `tar` has been read to its end where this succeeds.
pub fn read_tar(
    tar: impl Read,
    limits: &Limits,
    options: &ReadOptions,
) -> Result<LayerInventory, Problem> {
    tarball::pipelined(tar, |pipe| read_layer(&mut TarReader::buffered(pipe, limits), options))
}

/// Reads a layer, or any other tree of files, with the claims of every ecosystem.
pub fn read_layer(
    entries: &mut dyn Entries,
    options: &ReadOptions,
) -> Result<LayerInventory, Problem> {
    Claims::all().read_layer(entries, options)
}

impl Claims {
    /// Reads a layer with these claims.
    pub fn read_layer(
        &self,
        entries: &mut dyn Entries,
        options: &ReadOptions,
    ) -> Result<LayerInventory, Problem> {
        let mut pass = Pass::new(self, options);
        while let Some(entry) = entries.next()? {
            pass.entry(&entry, entries)?;
        }
        let mut layer = pass.finish(entries.position());
        layer.gaps.extend(entries.holes().into_iter().map(|(path, why)| Gap::new(path, why)));
        Ok(layer)
    }
}
