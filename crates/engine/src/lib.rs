//! The verbs, each told top to bottom.

mod analyze;
mod error;
mod reader;

pub use analyze::{Analyzed, Engine, Origin, Request};
pub use error::Error;
