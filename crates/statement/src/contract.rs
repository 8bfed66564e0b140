//! The contract: a kind of document that holds statements.

use model::{Gap, Statement};

/// A kind of document.
pub trait Document: Sync {
    /// Kebab case, and the file's name: `openvex`.
    fn id(&self) -> &'static str;
    /// One line for help.
    fn title(&self) -> &'static str;
    /// Does this look like one of mine? Cheap, and never wrong about another kind's.
    fn claims(&self, bytes: &[u8]) -> bool;
    /// Its statements. What cannot be understood inside a readable document is a gap.
    fn read(&self, origin: &str, bytes: &[u8]) -> Result<Read, Unreadable>;
}

/// What a document says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Its statements, in its own order.
    pub statements: Vec<Statement>,
    /// Sentences that make no sense.
    pub gaps: Vec<Gap>,
}

/// Why a document cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);
