//! Telling: what happened becomes messages, by rules. Which ones, of what, and when, is decided here by
//! plain functions; `jobs/tell.rs` and `jobs/deliver.rs` ask the store and the channels.

mod group;
mod heard;
mod lines;
mod look;
mod message;
mod place;
mod terms;
#[cfg(test)]
mod tests;
mod when;

pub(crate) use heard::{Brought, Heard};
pub(crate) use lines::{WORST, image as image_name};
pub(crate) use look::{Body, GATHERED, Look, Ruled, by_place, kinds};
pub(crate) use message::{Running, Telling, test};
pub(crate) use place::leading;
pub(crate) use terms::{Repositories, Terms};
