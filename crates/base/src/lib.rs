//! On which image another one stands, how that is known, and which tags it would stand on better: plain
//! functions over what others have read.

mod choose;
mod find;
mod tag;
mod weigh;

pub use choose::{Choice, Step, choose};
pub use find::{BaseImage, Claim, Clues, Found, Layers, Standing, Way, claims};
pub use tag::{LONGEST, System, Tag};
pub use weigh::{Counts, Weight, benefits, is_better};
