//! The verbs, each told top to bottom.

mod analyze;
mod attested;
mod compare;
mod error;
mod extent;
mod filter;
mod find;
mod freshness;
pub mod in_use;
mod reader;
mod refresh;

pub use analyze::{Analyzed, Engine, Hearing, Origin, Request};
pub use compare::{compare, compare_wanted};
pub use error::Error;
pub use extent::{Piece, pieces};
pub use filter::{Filter, Part};
pub use find::Lookout;
pub use freshness::{FeedState, Freshness, feeds};
pub use matching::{Asked, Counted, Number, Register, packages_called, supported_until};
pub use refresh::{PartFetched, Refreshed, Watch, fetch_all, refresh, source_folder};
