//! Where images come from: one file per source, listed in `ALL`.

mod address;
mod archive;
pub mod artifact;
pub mod attach;
mod blob;
mod contract;
mod credentials;
mod fs;
mod image;
mod layout;
mod local;
mod manifest;
mod oci_dir;
mod outgoing;
mod registry;
mod sbom;
mod settings;
mod stated;
mod trust;
mod verify;

pub use address::parse;
pub use contract::{
    Ask, Attached, Credentials, Error, Image, ImageSignature, ImageSource, LayerReader, Opened,
    Place, Progress, Seal, Settings, Signatures, Silent, Stated, Wanted,
};
pub use credentials::{in_pull_secret, login};
pub use local::{Answer, Engine, Lines, newest};
pub use outgoing::{Forbidden, Outgoing};
pub use registry::{
    Desk, Failure, Member, Outlet, Pace, Papers, Posted, Question, Reply, Unposted, Verb,
    addresses, images, reach,
};
pub use stated::tells_build;
pub use trust::Trust;

/// Every source. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn ImageSource] = &[
    &image::EngineOrRegistry,
    &local::Local,
    &registry::Registry,
    &oci_dir::OciDir,
    &archive::Archive,
    &fs::Fs,
    &sbom::Sbom,
];

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
