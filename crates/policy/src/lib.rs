//! Rego policies over an image: read, judged, scored.

mod built_in;
mod builtins;
pub mod bundle;
mod config;
mod contract;
mod evaluate;
mod judge;
mod known;
mod listing;
mod metadata;
mod pass;
mod question;
mod reading;
mod result;
mod room;
mod score;
mod set;
#[cfg(test)]
mod tests;
mod thresholds;
mod values;

pub use built_in::modules as built_in_modules;
pub use config::{Config, Setting};
pub use contract::{
    Alone, Bindings, Error, Facts, Limits, Module, Origin, Outcome, Outside, Policy, Referrer,
    ResultKind, Verdict, Violation,
};
pub use judge::{Judge, judge};
pub use result::result;
pub use score::{Grade, Part, Score};
pub use set::Set;
pub use thresholds::Threshold;
