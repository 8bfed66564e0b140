//! What runs in a cluster or on a host, seen from inside, and told to a server: one file for each kind
//! of runtime.
//!
//! A runtime is followed (`contract`), and what is seen is told as it changes (`report`): all that
//! runs, or nothing. Whoever cannot see is silent, so that the server says that it has heard nothing.

mod again;
mod contract;
pub mod docker;
pub mod health;
pub mod kubernetes;
mod mapping;
mod report;

pub use contract::{Container, Look, Runtime, Sight, Trouble, Voice};
pub use mapping::{BadMapping, Mapping};
pub use report::{Door, Pace, Reporter};
