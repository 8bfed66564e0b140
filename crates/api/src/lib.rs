//! The words spoken over HTTP, and the client that speaks them: to a server, or within one process.
//!
//! A word is a value of `model` in the form that it has on the wire: digests, platforms, purls and
//! moments are texts there. `server` answers in these words, and [`Client`] reads them back; in
//! embedded mode the same router answers in the same process, through another [`Carrier`].

mod carrier;
mod client;
mod live;
mod timetable;
mod words;

pub use carrier::{Carrier, Https, Pieces, Take, Trouble, add};
pub use client::{Client, Error, segment};
pub use live::{Live, Told};
pub use timetable::{BadTimetable, Timetable};
pub use words::*;

/// Where the paths of this version begin.
pub const ROOT: &str = "/api/v1";
/// The header that says from where a change is made: a machine, a CI run, a cluster.
pub const ORIGIN: &str = "foretop-origin";
/// The media type of what went wrong.
pub const PROBLEM: &str = "application/problem+json";
