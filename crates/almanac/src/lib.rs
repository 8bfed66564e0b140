//! Advisories compiled: immutable sheets, mapped and read in place.

mod almanac;
mod bundle;
mod bytes;
mod compile;
mod contract;
mod diff;
mod error;
mod filter;
mod folded;
mod layout;
mod manifest;
mod moment;
mod record;
mod sheet;
mod sign;
mod store;
mod table;
mod touched;

pub use almanac::{Advice, Almanac};
pub use bundle::{export, import};
pub use compile::{Builder, Compiled, FLAWS, SheetBytes, TEXTS};
pub use contract::{About, Book, Each, End, Handle, Key, Known, Row, Stretch, Text};
pub use diff::{Change, ChangeKind, ChangedThing, diff};
pub use error::Error;
pub use layout::{Meta, SHEET_FORMAT};
pub use manifest::{Entry, Manifest, PartState, Source};
pub use sheet::{Orders, Sheet};
pub use sign::{PublicKey, SecretKey, verify};
pub use store::{
    Incoming, Installed, MANIFEST, Standing, Trust, Writer, damaged, missing, sheet_path,
};
pub use touched::{Concerned, Touched, touched};
