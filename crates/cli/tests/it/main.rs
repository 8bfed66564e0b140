//! The real binary, run as users run it.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "this is all test")]

mod action;
mod agent;
mod alert;
mod almanac;
mod attesting;
mod authority;
mod broken;
mod bulk;
mod cache;
mod compare;
mod crowd;
mod cves;
mod deploying;
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
mod refreshing;
mod registries;
mod rounds;
mod rules;
mod sandbox;
mod sbom;
mod schedules;
mod serving;
mod story;
mod teahouse;
mod telling;
mod vendors;
mod version;
mod watch;
