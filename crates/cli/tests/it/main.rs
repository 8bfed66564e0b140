//! The real binary, run as users run it.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "this is all test")]

mod almanac;
mod authority;
mod broken;
mod bulk;
mod cache;
mod compare;
mod crowd;
mod cves;
mod described;
mod docker;
mod environment;
mod errors;
mod events;
mod explain;
mod follow;
mod guides;
mod help;
mod keeping;
mod login;
mod pages;
mod people;
mod place;
mod plugin;
mod quickview;
mod registries;
mod rounds;
mod sandbox;
mod sbom;
mod serving;
mod story;
mod teahouse;
mod telling;
mod vendors;
mod version;
mod watch;
