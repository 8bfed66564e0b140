//! A distribution: what `os-release` says an image is built on.

use serde::{Deserialize, Serialize};

/// The distribution of an image, in the words of its own `os-release`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distro {
    /// `ID`: `debian`, `alpine`, `rhel`.
    pub id: String,
    /// `VERSION_ID`: `12`, `3.20.3`, `9.4`. Absent for rolling distributions.
    pub version: Option<String>,
    /// `VERSION_CODENAME`: `bookworm`.
    pub codename: Option<String>,
    /// `PRETTY_NAME`, or `NAME` without one.
    pub name: Option<String>,
    /// `ID_LIKE`, nearest relative first.
    pub like: Vec<String>,
    /// `VARIANT_ID`: `server`, `bci`.
    pub variant: Option<String>,
    /// `CPE_NAME`.
    pub cpe: Option<String>,
}

impl Distro {
    /// Bytes that each text has at most, and texts of `like`: all of it is repeated for many packages.
    pub const LONGEST: usize = 256;

    /// Is each text in it short enough to be believed?
    pub fn is_short(&self) -> bool {
        let Self { id, version, codename, name, like, variant, cpe } = self;
        let told = [version, codename, name, variant, cpe];
        let mut texts = told.into_iter().flatten().chain(like).chain([id]);
        texts.all(|it| it.len() <= Self::LONGEST) && like.len() <= Self::LONGEST
    }

    /// What a purl's `distro` qualifier says: `debian-12`, or `arch` without a version.
    pub fn qualifier(&self) -> String {
        match &self.version {
            Some(version) => format!("{}-{version}", self.id),
            None => self.id.clone(),
        }
    }
}
