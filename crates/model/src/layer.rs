//! What one layer says by itself, before layers are stacked.

use serde::{Deserialize, Serialize};

use crate::{Distro, Gap, Package, Statement};

/// The claimed content of one layer, and what it does to the layers below.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerInventory {
    /// One per claimed file and cataloger, in the order of the archive.
    pub evidence: Vec<Evidence>,
    /// Paths deleted from the layers below (`.wh.NAME` entries, without the prefix).
    pub whiteouts: Vec<String>,
    /// Directories whose content below is hidden (`.wh..wh..opq`).
    pub opaques: Vec<String>,
    /// Every path in the layer that is no directory, hashed and sorted: what it overwrites.
    pub paths: Vec<PathHash>,
    /// Claimed paths that are links to files nobody claimed.
    pub links: Vec<Link>,
    /// Holes.
    pub gaps: Vec<Gap>,
    /// Entries in the archive.
    pub entries: u64,
    /// Bytes of the archive, inflated.
    pub size: u64,
}

impl LayerInventory {
    /// About how many bytes of memory it takes.
    pub fn weight(&self) -> u64 {
        let evidence = self.evidence.iter().map(|it| {
            (size_of::<Evidence>() + it.path.len()) as u64 + it.found.weight(it.path.len())
        });
        let paths = self.whiteouts.iter().chain(&self.opaques).map(|it| it.len() as u64 + 24);
        let links = self.links.iter().map(|it| (it.path.len() + it.target.len()) as u64 + 56);
        evidence.chain(paths).chain(links).sum::<u64>() + self.paths.len() as u64 * 8
    }
}

/// A path, hashed (XXH3 of its bytes, without a leading `/`).
pub type PathHash = u64;

/// The hash of a path; a leading `/` does not count.
pub fn hash_path(path: &str) -> PathHash {
    xxhash_rust::xxh3::xxh3_64(path.trim_start_matches('/').as_bytes())
}

/// What one cataloger read from one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Where, without a leading `/`.
    pub path: String,
    /// Who read it.
    pub cataloger: String,
    /// What it says.
    pub found: Found,
}

/// What a cataloger has to say about one file. A parser never fails: what it cannot read is a gap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Packages.
    pub packages: Vec<Package>,
    /// Files that belong to a package, so that nothing read from them is told twice.
    pub owned: Vec<Owned>,
    /// Facts about packages that another file declares.
    pub remarks: Vec<Remark>,
    /// The distribution, if this file names it.
    pub distro: Option<Distro>,
    /// What it says about flaws (VEX documents that travel inside an image).
    pub statements: Vec<Statement>,
    /// Holes.
    pub gaps: Vec<Gap>,
}

/// The files of one package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned {
    /// The package's name, as its database writes it (`zlib1g`, `zlib1g:amd64`).
    pub package: String,
    /// Hashes of its paths.
    pub paths: Vec<PathHash>,
}

/// Something about a package whose own record is elsewhere (its `copyright` file, say).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// The purl type of the package it is about.
    pub ecosystem: String,
    /// Its name.
    pub package: String,
    /// Its licences.
    pub licenses: Vec<String>,
}

/// A claimed path that is a symbolic or hard link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The claimed path, without a leading `/`.
    pub path: String,
    /// Where it leads, resolved inside the root, without a leading `/`.
    pub target: String,
    /// A hard link: it has the bytes even where the path it leads to is deleted later.
    pub hard: bool,
}

impl Found {
    /// Only these packages.
    pub fn packages(packages: Vec<Package>) -> Self {
        Self { packages, ..Self::default() }
    }

    /// Only this hole.
    pub fn gap(at: impl Into<String>, why: impl Into<String>) -> Self {
        Self { gaps: vec![Gap::new(at, why)], ..Self::default() }
    }

    /// About how many bytes of memory it takes, read from a file at a path of `path` bytes: each
    /// package repeats that path in its place.
    pub fn weight(&self, path: usize) -> u64 {
        let packages = self.packages.iter().map(|it| {
            let texts = [&it.author, &it.description, &it.url];
            let texts = texts.into_iter().flatten().chain(&it.licenses).chain(&it.cpes);
            let places = it.places.iter().map(|place| path + place.path.len() + 100);
            size_of::<Package>()
                + it.purl.text_len()
                + texts.chain(&it.proof).map(|text| text.len() + 24).sum::<usize>()
                + places.sum::<usize>().max(path)
        });
        let owned = self.owned.iter().map(|it| it.package.len() + it.paths.len() * 8 + 48);
        let remarks = self.remarks.iter().map(|it| {
            it.package.len() + it.licenses.iter().map(|text| text.len() + 24).sum::<usize>() + 72
        });
        let gaps = self.gaps.iter().map(|it| it.at.len() + it.why.len() + 48);
        let statements = self.statements.iter().map(Statement::weight);
        packages.chain(statements).chain(owned).chain(remarks).chain(gaps).map(|it| it as u64).sum()
    }

    /// True when the file had nothing to say.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
