//! Advisories compiled: immutable sheets, mapped and read in place.

mod contract;

pub use contract::{About, Book, End, Handle, Key, Known, Row, Stretch, Text};
