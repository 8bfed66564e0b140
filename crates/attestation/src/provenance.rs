//! Provenance: how an image was built, of BuildKit and others, in either version of SLSA.
//! <https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md>

mod base;
mod read;

use std::collections::BTreeMap;

use model::{Digest, Platform, Reference};

use crate::{Dockerfile, Statement, Unreadable};

pub use base::Base;

/// How an image was built, as its builder says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// `0.2`, `1`.
    pub version: String,
    /// How to understand the rest.
    pub build_type: String,
    /// Who built.
    pub builder: Option<String>,
    /// When the build began, as it was written.
    pub started: Option<String>,
    /// When it ended.
    pub finished: Option<String>,
    /// How much is told.
    pub mode: Mode,
    /// From which sources.
    pub source: Option<Source>,
    /// The name of the Dockerfile.
    pub file: Option<String>,
    /// The Dockerfile itself.
    pub text: Option<String>,
    /// Its stages, or why they cannot be told.
    pub dockerfile: Result<Dockerfile, Unreadable>,
    /// The stage that was built, where one was named.
    pub target: Option<String>,
    /// What the build was given (`--build-arg`).
    pub arguments: BTreeMap<String, String>,
    /// Everything that went in.
    pub materials: Vec<Material>,
    /// For which platform, where it is told.
    pub platform: Option<Platform>,
    /// The image that the result stands on.
    pub base: Base,
}

/// How much provenance tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Little: neither steps nor sources.
    Min,
    /// Everything.
    Max,
}

/// Where the sources of a build are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The repository: `https://github.com/acme/web.git`.
    pub repository: String,
    /// Which branch or tag was asked for.
    pub reference: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// Did the builder look itself? Otherwise whoever asked for the build said so.
    pub seen: bool,
}

/// Something that went into a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Material {
    /// What it is, or where it is from.
    pub uri: String,
    /// Its digests, by algorithm.
    pub digests: BTreeMap<String, String>,
    /// The image that it is.
    pub image: Option<UsedImage>,
}

/// An image that went into a build.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsedImage {
    /// Its name, and its digest.
    pub reference: Reference,
    /// For which platform it was taken.
    pub platform: Option<Platform>,
}

impl Mode {
    /// `min`, `max`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
        }
    }
}

impl UsedImage {
    /// `debian`, `ghcr.io/acme/base`: the name alone.
    pub fn repository(&self) -> String {
        let Reference { host, repository, .. } = &self.reference;
        let name = Reference {
            host: host.clone(),
            repository: repository.clone(),
            tag: None,
            digest: None,
        };
        name.familiar()
    }

    /// Its digest.
    pub fn digest(&self) -> Option<&Digest> {
        self.reference.digest.as_ref()
    }
}

impl Provenance {
    /// Reads what a statement says about a build.
    pub fn read(statement: &Statement) -> Result<Self, Unreadable> {
        read::read(statement)
    }

    /// Is that predicate type one of those that are read?
    pub fn claims(predicate_type: &str) -> bool {
        predicate_type.starts_with("https://slsa.dev/provenance/")
    }
}
