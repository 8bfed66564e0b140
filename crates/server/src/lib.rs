//! The front: one HTTP API behind everything.
//!
//! [`router`] answers every question of `api`, over an [`App`]: what is remembered, what is known of
//! the world, and who may ask. A server puts it behind a socket; a command without a server calls it
//! in its own process, by [`here`].

mod app;
mod body;
mod caller;
mod checks;
mod evaluate;
mod exceptions;
mod exporter;
mod fleet;
mod footings;
mod freshness;
mod front;
mod health;
mod here;
mod hooks;
mod identity;
mod idle;
mod in_use;
mod jobs;
mod judge;
mod kept;
mod live;
mod metrics;
mod named;
mod needs;
mod once;
mod opening;
mod pages;
mod parties;
mod peer;
mod policies;
mod rate;
mod rations;
mod reading;
mod refusal;
mod refusals;
mod resolve;
mod routes;
mod runtimes;
mod serve;
mod tagged;
mod tally;
mod telling;
mod tls;
mod visiting;
mod world;
mod written;

#[cfg(test)]
mod tests;

pub use app::{App, Clock, Reach};
pub use caller::Access;
pub use evaluate::{Changed, Evaluated, Took, evaluate};
pub use front::{Limits, front};
pub use here::here;
pub use hooks::{Ear, Keeper, ear};
pub use identity::{People, first_start, offer_reset};
pub use peer::Network;
pub use reading::{Place, Read, Reading, Shelf};
pub use routes::{openapi, router};
pub use runtimes::snapshot;
pub use serve::{Bound, Error, Listening, work};
pub use tls::Unfit;
pub use visiting::demo_link;
pub use world::World;
