//! Agents, against stand-ins for clusters, engines and servers.

mod cluster;
mod faults;
mod fleet;
mod history;
mod server;
mod voice;
