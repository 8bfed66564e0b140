//! Every inventory at once: what runs where, what is wrong with it, and what another almanac changes.
//!
//! Distinct packages are few where pairs of image and package are many. A package's judgement does not
//! depend on the image it is in, but for its distribution and for who owns it; so each is judged once
//! for each of those, and the images fall out of bitmaps.

mod ask;
mod changes;
mod contract;
mod crowd;
mod judge;
mod packages;
mod portfolio;
mod rematch;
mod rows;

pub use contract::{
    Affected, Answer, Change, ChangeKind, Held, Images, InEnvironment, Leaf, PackageNumber,
    Rematch, Size, Sought, Spread, State, Terms, Title, UnknownSet,
};
pub use matching::filed_under;
pub use packages::Leafing;
pub use portfolio::Portfolio;

#[cfg(test)]
mod tests;
