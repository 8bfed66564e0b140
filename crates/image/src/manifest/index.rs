//! An index: which of several images is meant.

use model::{Attestation, Digest, Platform};

use super::{ATTESTATION, Descriptor, Form, IMAGE_CONFIGS};
use crate::Error;

/// Indexes inside an index, in all and one inside the other.
const NESTED_LIMIT: usize = 16;
const DEPTH_LIMIT: usize = 4;

/// Several images. Indexes may hold indexes: [`Index::take_nested`] and [`Index::graft`] flatten
/// them before one is chosen.
#[derive(Debug)]
pub(crate) struct Index {
    entries: Vec<Entry>,
    grafted: usize,
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Where it is.
    pub(crate) descriptor: Descriptor,
    depth: usize,
}

/// The platform wanted when nobody says: containers run on Linux, on a machine like this one.
pub(crate) fn default_platform() -> Platform {
    let architecture = match std::env::consts::ARCH {
        "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
        "loongarch64" => "loong64",
        other => other,
    };
    Platform::new("linux", architecture, None)
}

impl Index {
    pub(super) fn new(manifests: Vec<Descriptor>) -> Self {
        let entries =
            manifests.into_iter().map(|descriptor| Entry { descriptor, depth: 0 }).collect();
        Self { entries, grafted: 0 }
    }

    /// Takes out an entry that is an index itself, to be read and grafted back.
    pub(crate) fn take_nested(&mut self, what: &str) -> Result<Option<Entry>, Error> {
        let Some(position) = self.entries.iter().position(|it| it.descriptor.is_index()) else {
            return Ok(None);
        };
        let entry = self.entries.remove(position);
        self.grafted += 1;
        if self.grafted > NESTED_LIMIT {
            return Err(Error::limit(what, format!("it holds over {NESTED_LIMIT} indexes")));
        }
        if entry.depth >= DEPTH_LIMIT {
            return Err(Error::limit(what, "its indexes are nested too deep"));
        }
        Ok(Some(entry))
    }

    /// Puts what an entry taken out proved to hold in its place.
    pub(crate) fn graft(&mut self, taken: &Entry, inner: Index) {
        self.entries
            .extend(inner.entries.into_iter().map(|it| Entry { depth: taken.depth + 1, ..it }));
    }

    /// Adds the entries of the next page.
    pub(crate) fn join(&mut self, page: Index) {
        self.entries.extend(page.entries);
    }

    /// Keeps only the entries that `keep` wants.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Descriptor) -> bool) {
        self.entries.retain(|it| keep(&it.descriptor));
    }

    /// The entries as they stand, attestations and all.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = &Descriptor> {
        self.entries.iter().map(|it| &it.descriptor)
    }

    /// The image for `wanted`; without a wish the one for this machine, or the only one there is.
    pub(crate) fn choose(
        &self,
        what: &str,
        wanted: Option<&Platform>,
    ) -> Result<&Descriptor, Error> {
        let images: Vec<(&Descriptor, Option<Platform>)> =
            self.descriptors().filter(|it| !it.is_beside()).map(|it| (it, it.platform())).collect();
        let default = default_platform();
        let asked = wanted.unwrap_or(&default);
        let fitting = images
            .iter()
            .filter_map(|(image, platform)| Some((platform.as_ref()?.rank_in(asked)?, *image)))
            .min_by_key(|(rank, _)| *rank);
        if let Some((_, image)) = fitting {
            return Ok(image);
        }
        let unmarked: Vec<_> = images.iter().filter(|(_, platform)| platform.is_none()).collect();
        match (&images[..], &unmarked[..]) {
            ([], _) => Err(Error::not_found(what, "its index holds no image")),
            ([(image, _)], _) if wanted.is_none() => Ok(image),
            // Its configuration will tell what it is for.
            (_, [(image, _)]) => Ok(image),
            (_, [_, _, ..]) => {
                Err(Error::invalid(what, "it holds several images and does not say for what")
                    .with_hint("ask for one by its digest"))
            }
            (_, []) => {
                let mut there: Vec<String> =
                    images.iter().flat_map(|(_, it)| it).map(Platform::to_string).collect();
                there.dedup();
                there.truncate(40);
                Err(Error::not_found(
                    what,
                    format!("there is none for {asked}; there is {}", there.join(", ")),
                )
                .with_hint("choose one of these with --platform"))
            }
        }
    }

    /// The attestations about the image with this digest, their statements not read yet;
    /// and manifests that must be read to know whom they are about (see `Manifest::attests`).
    pub(crate) fn attestations_of(&self, image: &Digest) -> (Vec<Attestation>, Vec<Digest>) {
        let mut about = Vec::new();
        let mut unknown = Vec::new();
        for descriptor in self.descriptors().filter(|it| it.is_attestation()) {
            let Ok(manifest) = descriptor.digest.parse::<Digest>() else { continue };
            match descriptor.annotations.get("vnd.docker.reference.digest") {
                Some(digest) if digest == image.as_str() => {
                    about.push(Attestation { manifest, predicate_types: Vec::new() });
                }
                Some(_) => {}
                None => unknown.push(manifest),
            }
        }
        (about, unknown)
    }
}

/// [`Platform::rank_for`], and the version of Windows where one is asked for.
trait RankIn {
    fn rank_in(&self, wanted: &Platform) -> Option<u32>;
}

impl RankIn for Platform {
    fn rank_in(&self, wanted: &Platform) -> Option<u32> {
        let version = wanted.os_version.is_none() || self.os_version == wanted.os_version;
        self.rank_for(wanted).filter(|_| version)
    }
}

impl Descriptor {
    pub(crate) fn is_index(&self) -> bool {
        self.media_type == "application/vnd.oci.image.index.v1+json"
            || self.media_type == "application/vnd.docker.distribution.manifest.list.v2+json"
    }

    /// True for what stands beside images: attestations, and whatever else BuildKit puts there.
    pub(crate) fn is_beside(&self) -> bool {
        self.annotations.contains_key("vnd.docker.reference.type")
            // An image's own entry may repeat the type of its configuration here.
            || self
                .artifact_type
                .as_deref()
                .is_some_and(|it| !it.is_empty() && !IMAGE_CONFIGS.contains(&it))
            || self.platform().is_some_and(|it| it.is_unknown())
    }

    /// False for referrers that are known to be something else, signatures of another sort say. cosign
    /// lists its bundles under a type that says nothing.
    pub(crate) fn may_attest(&self) -> bool {
        let Some(kind) = self.artifact_type.as_deref().filter(|it| !it.is_empty()) else {
            return true;
        };
        kind == ATTESTATION
            || Form::of(kind).is_some()
            || kind == "application/vnd.oci.empty.v1+json"
            || IMAGE_CONFIGS.contains(&kind)
    }

    fn is_attestation(&self) -> bool {
        let named = self.annotations.get("vnd.docker.reference.type");
        named.is_some_and(|it| it == "attestation-manifest")
            || (named.is_none() && self.artifact_type.as_deref() == Some(ATTESTATION))
    }
}
