//! Where images come from: one file per source, listed in `ALL`.

mod contract;
mod manifest;
mod verify;

pub use contract::{
    Ask, Credentials, Error, Image, ImageSource, LayerReader, Opened, Progress, Settings, Silent,
};

/// Every source. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn ImageSource] = &[];
