//! The contract: a format writes an inventory, reads one, or both.

use model::Inventory;

pub use crate::head::Glance;

/// A way of writing an inventory down.
pub trait Format: Sync {
    /// What `--format` calls it, which is also its file's name: `cyclonedx`.
    fn id(&self) -> &'static str;
    /// One line for help.
    fn title(&self) -> &'static str;
    /// Can it be written? Those that only read are not offered by `--format`.
    fn writes(&self) -> bool;
    /// The document. Same inventory and options, same bytes. Only called if `writes`.
    fn write(&self, inventory: &Inventory, options: &Options) -> String;
    /// Does this look like a document of mine, at a glance? Cheap, and never wrong about another format's.
    fn claims(&self, glance: &Glance<'_>) -> bool;
    /// Reads it back. What cannot be understood inside a readable document is a gap.
    fn read(&self, bytes: &[u8]) -> Result<Inventory, Unreadable>;
}

/// What a document says beside the inventory.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `SOURCE_DATE_EPOCH`, or the image's own creation time, in RFC 3339; never the clock's.
    pub created: Option<String>,
    /// Our own version.
    pub tool_version: String,
    /// Colours and box lines are wanted: the report goes to a terminal.
    pub terminal: bool,
}

/// Why a document cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);
