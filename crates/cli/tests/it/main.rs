//! The real binary, run as users run it.

mod cache;
mod docker;
mod errors;
mod help;
mod plugin;
mod sandbox;
mod version;
