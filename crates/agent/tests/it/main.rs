//! Agents, against stand-ins for clusters, engines and servers.

#![expect(clippy::unwrap_used, reason = "this is all test")]

mod cluster;
mod docker;
mod faults;
mod fleet;
mod history;
mod manifest;
mod server;
mod voice;
