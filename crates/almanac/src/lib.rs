//! Advisories compiled: immutable sheets, mapped and read in place.

mod bytes;
mod compile;
mod contract;
mod error;
mod filter;
mod layout;
mod manifest;
mod record;
mod sheet;
mod sign;
mod table;

pub use compile::{Builder, Compiled, FLAWS, SheetBytes, TEXTS};
pub use contract::{About, Book, End, Handle, Key, Known, Row, Stretch, Text};
pub use error::Error;
pub use layout::{Meta, SHEET_FORMAT};
pub use manifest::{Entry, Manifest, PartState, Source};
pub use sheet::{Orders, Sheet};
pub use sign::{PublicKey, SecretKey, verify};
