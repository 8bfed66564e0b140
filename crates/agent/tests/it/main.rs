//! Agents, against stand-ins for clusters, engines and servers.

mod cluster;
mod docker;
mod faults;
mod fleet;
mod history;
mod manifest;
mod server;
mod voice;
