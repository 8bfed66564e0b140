//! The base image of a build: that of the stage that was built, among the images that went in.

use std::collections::{BTreeMap, BTreeSet};

use model::{Platform, Reference};

use super::{Material, UsedImage};
use crate::bounded::shown;
use crate::{Dockerfile, From, Unreadable};

/// The image that the result stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// That one; and how it was found.
    Image {
        /// Which.
        image: UsedImage,
        /// How that is known, for people.
        how: String,
    },
    /// None: it was built from scratch.
    Scratch,
    /// It cannot be told.
    Unknown {
        /// Those that it may be.
        candidates: Vec<UsedImage>,
        /// Why not.
        why: String,
    },
}

/// What a base image is found by.
pub(super) struct Clues<'a> {
    pub(super) materials: &'a [Material],
    pub(super) dockerfile: Result<&'a Dockerfile, &'a Unreadable>,
    pub(super) target: Option<&'a str>,
    pub(super) args: &'a BTreeMap<String, String>,
    pub(super) platform: Option<&'a Platform>,
}

impl Base {
    pub(super) fn find(clues: &Clues<'_>) -> Self {
        let mut seen = BTreeSet::new();
        let images = clues.materials.iter().filter_map(|it| it.image.as_ref());
        let candidates: Vec<UsedImage> =
            images.filter(|it| !clues.is_tool(it) && seen.insert(*it)).cloned().collect();
        match clues.from() {
            Told::Scratch => Self::Scratch,
            Told::Image(name, platform) => clues.named(name, platform, candidates),
            Told::Nothing(why) => match &candidates[..] {
                [image] => {
                    let how = "it is the only image that went into the build".to_owned();
                    Self::Image { image: image.clone(), how }
                }
                [] => Self::Unknown { candidates, why: format!("no image is told, and {why}") },
                several => {
                    let why = format!("{} images went into the build, and {why}", several.len());
                    Self::Unknown { candidates, why }
                }
            },
        }
    }
}

/// What the Dockerfile says that the result stands on.
enum Told<'a> {
    Scratch,
    Image(&'a str, Option<&'a Platform>),
    Nothing(String),
}

impl<'a> Clues<'a> {
    fn from(&self) -> Told<'a> {
        let dockerfile = match self.dockerfile {
            Ok(it) => it,
            Err(why) => return Told::Nothing(why.0.clone()),
        };
        let Some(stage) = dockerfile.target(self.target) else {
            let target = shown(self.target.unwrap_or_default());
            return Told::Nothing(format!("the Dockerfile has no stage `{target}`"));
        };
        let bottom = dockerfile.bottom(stage);
        match &bottom.from {
            From::Scratch => Told::Scratch,
            From::Image(name) => match self.context(name) {
                Some(context) => match context.strip_prefix("docker-image://") {
                    Some(name) => Told::Image(name, bottom.platform.as_ref()),
                    None => Told::Nothing(format!("`{}` is a context of its own", shown(name))),
                },
                None => Told::Image(name, bottom.platform.as_ref()),
            },
            From::Unknown(why) => Told::Nothing(why.clone()),
            From::Stage(_) => Told::Nothing("the Dockerfile's stages have no beginning".to_owned()),
        }
    }

    /// What stands in place of that name (`--build-context`), and may be another image.
    fn context(&self, name: &str) -> Option<&'a str> {
        let short = name.rsplit_once(':').map(|it| it.0).filter(|it| !it.contains('@'));
        let key = |it: &str| self.args.get(&format!("context:{it}"));
        key(name).or_else(|| key(short?)).map(String::as_str)
    }

    fn named(&self, name: &str, platform: Option<&Platform>, candidates: Vec<UsedImage>) -> Base {
        let name = shown(name);
        let Ok(wanted) = name.parse::<Reference>() else {
            let why = format!("the Dockerfile names `{name}`, which is no image's name");
            return Base::Unknown { candidates, why };
        };
        let is_it = |it: &&UsedImage| {
            let Reference { host, repository, tag, digest } = &it.reference;
            let same = *host == wanted.host && *repository == wanted.repository;
            same && match (&wanted.digest, &wanted.tag) {
                (Some(wanted), _) => digest.as_ref() == Some(wanted),
                (None, wanted) => tag == wanted,
            }
        };
        let fitting: Vec<&UsedImage> = candidates.iter().filter(is_it).collect();
        let platform = platform.or(self.platform);
        let rank = |it: &&UsedImage| it.platform.as_ref()?.rank_for(platform?);
        let best = fitting.iter().filter_map(|it| Some((rank(it)?, *it))).min_by_key(|it| it.0);
        let chosen = match (&fitting[..], best) {
            ([only], _) => Some(*only),
            (_, best) => best.map(|it| it.1),
        };
        match chosen {
            Some(image) => {
                let how = format!("the Dockerfile names `{name}`");
                Base::Image { image: image.clone(), how }
            }
            None if fitting.is_empty() => {
                let why =
                    format!("the Dockerfile names `{name}`, and no such image went into the build");
                Base::Unknown { candidates, why }
            }
            None => {
                let why = format!("`{name}` went into the build for several platforms");
                let candidates = fitting.into_iter().cloned().collect();
                Base::Unknown { candidates, why }
            }
        }
    }

    /// True for what reads Dockerfiles or looks into results: it went into the build, not into the image.
    fn is_tool(&self, image: &UsedImage) -> bool {
        const TOOLS: [&str; 4] = [
            "docker/dockerfile",
            "docker/dockerfile-upstream",
            "docker/buildkit-syft-scanner",
            "docker/scout-sbom-indexer",
        ];
        let Reference { host, repository, .. } = &image.reference;
        if host == "docker.io" && TOOLS.contains(&repository.as_str()) {
            return true;
        }
        let syntax = self.dockerfile.ok().and_then(|it| it.syntax.as_deref());
        let named = [syntax, self.arg("source"), self.arg("cmdline")].into_iter().flatten();
        named
            .filter_map(|it| it.split([' ', ',']).next()?.parse::<Reference>().ok())
            .any(|it| it.host == *host && it.repository == *repository)
    }

    fn arg(&self, name: &str) -> Option<&'a str> {
        self.args.get(name).map(String::as_str)
    }
}
