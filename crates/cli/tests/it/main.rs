//! The real binary, run as users run it.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "this is all test")]

mod cache;
mod docker;
mod errors;
mod help;
mod plugin;
mod sandbox;
mod sbom;
mod version;
