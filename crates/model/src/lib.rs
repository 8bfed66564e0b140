//! The nouns: plain values that every other crate speaks.
//!
//! Nothing here reads a file, opens a socket or knows the time.

mod digest;
mod distro;
mod gap;
mod image;
mod inventory;
mod layer;
mod package;
mod platform;
mod purl;
mod reference;
mod secret;

pub use digest::{BadDigest, Digest};
pub use distro::Distro;
pub use gap::Gap;
pub use image::{Attestation, ImageDescription, LayerDescription, LayerKey};
pub use inventory::{Inventory, Subject};
pub use layer::{Evidence, Found, LayerInventory, Link, Owned, PathHash, Remark, hash_path};
pub use package::{Package, PackageKind, Place, SourcePackage};
pub use platform::{BadPlatform, Platform};
pub use purl::{BadPurl, Purl};
pub use reference::{BadReference, Reference};
pub use secret::Secret;
