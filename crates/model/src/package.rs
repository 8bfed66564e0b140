//! A package: something with a name and a version that somebody can publish a flaw about.

use serde::{Deserialize, Serialize};

use crate::{Digest, Purl};

/// One package, with what its own metadata says about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its name in the world: the key on which packages and advisories meet.
    pub purl: Purl,
    /// How strong the evidence is that it is really there.
    pub kind: PackageKind,
    /// What it was built from, where that has another name or version.
    pub source: Option<SourcePackage>,
    /// SPDX expressions where they could be recognised, else the text as found.
    pub licenses: Vec<String>,
    /// Author or maintainer.
    pub author: Option<String>,
    /// One line.
    pub description: Option<String>,
    /// Home page.
    pub url: Option<String>,
    /// Bytes as shipped.
    pub size: Option<u64>,
    /// Bytes once installed.
    pub installed_size: Option<u64>,
    /// CPEs that the package states itself, or that the table of programs has for it; none is ever
    /// guessed.
    pub cpes: Vec<String>,
    /// Where it was seen. A cataloger leaves this empty, or names the path inside the claimed file
    /// (`BOOT-INF/lib/x.jar`); the rest is filled in when layers are stacked.
    pub places: Vec<Place>,
    /// Paths of which one must exist in the finished image for this package to count as installed;
    /// without one it is declared only. Empty: nothing else is needed.
    pub proof: Vec<String>,
    /// The package that owns the file this was read from (an OS package, say).
    pub owner: Option<Purl>,
}

/// How we know of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageKind {
    /// It is there: an installed database, an unpacked tree, a binary.
    Installed,
    /// A copy carried inside another package (`pip/_vendor/urllib3`).
    Vendored,
    /// A document in the image says so (an embedded SBOM).
    Attested,
    /// A lock file or manifest asks for it; nobody saw it installed.
    Declared,
}

impl PackageKind {
    /// All of them, strongest evidence first.
    pub const ALL: [Self; 4] = [Self::Installed, Self::Vendored, Self::Attested, Self::Declared];

    /// `installed`, `vendored`, `attested`, `declared`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Vendored => "vendored",
            Self::Attested => "attested",
            Self::Declared => "declared",
        }
    }

    /// The kind with that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The source package that a binary package was built from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourcePackage {
    /// `openssl` for `libssl3`.
    pub name: String,
    /// Only where it differs from the binary's version, or is known by itself.
    pub version: Option<String>,
}

/// Where a package was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Absolute in the image, `/` first; `/app.jar!/lib/x.jar` inside an archive.
    pub path: String,
    /// Number of the layer that holds the file, from 0. None for directories and documents.
    pub layer: Option<u32>,
    /// That layer's blob.
    pub digest: Option<Digest>,
    /// That layer's content.
    pub diff_id: Option<Digest>,
    /// Number of the layer that first brought this package at this path.
    pub first_layer: Option<u32>,
}

impl Package {
    /// An installed package of which only the purl is known yet.
    pub fn new(purl: Purl) -> Self {
        Self {
            purl,
            kind: PackageKind::Installed,
            source: None,
            licenses: Vec::new(),
            author: None,
            description: None,
            url: None,
            size: None,
            installed_size: None,
            cpes: Vec::new(),
            places: Vec::new(),
            proof: Vec::new(),
            owner: None,
        }
    }

    /// The same, with other evidence.
    #[must_use]
    pub fn of_kind(mut self, kind: PackageKind) -> Self {
        self.kind = kind;
        self
    }

    /// The same, seen at `path` inside the file that was claimed.
    #[must_use]
    pub fn inside(mut self, path: impl Into<String>) -> Self {
        self.places = vec![Place { path: path.into(), ..Place::default() }];
        self
    }
}
