//! Names of the image that is looked at, and whether a statement's product is it.

use model::{Purl, Reference, Subject};

use super::Fit;

/// What the image is called.
pub(super) struct Identity {
    /// Where it is to be had: host, repository, tag.
    places: Vec<(String, String, Option<String>)>,
    digests: Vec<String>,
}

/// A product that is an image, as a statement names it.
#[derive(Debug, Default)]
struct Wanted {
    host: Option<String>,
    /// The whole path, or only its end where `is_part` is set.
    repository: String,
    is_part: bool,
    tag: Option<String>,
    digest: Option<String>,
}

const REPOSITORY: u8 = 3;
const TAG: u8 = 4;
const DIGEST: u8 = 5;

impl Identity {
    pub(super) fn of(subject: &Subject) -> Self {
        let mut identity = Self { places: Vec::new(), digests: Vec::new() };
        // A directory may be called like an image without being one.
        if !matches!(subject, Subject::Directory { .. }) {
            identity.add(subject.name());
        }
        if let Some(image) = subject.image() {
            for digest in [&image.digest, &image.index, &image.config].into_iter().flatten() {
                identity.digests.push(digest.as_str().to_owned());
            }
            let base = identity.places.first().cloned();
            for tag in &image.tags {
                match &base {
                    // A tag alone is one of the repository that was asked.
                    Some((host, repository, _)) if !tag.contains(['/', ':', '@']) => {
                        let place = (host.clone(), repository.clone(), Some(tag.clone()));
                        identity.places.push(place);
                    }
                    _ => identity.add(tag),
                }
            }
        }
        identity
    }

    fn add(&mut self, name: &str) {
        let Ok(reference) = name.parse::<Reference>() else { return };
        self.digests.extend(reference.digest.map(|it| it.as_str().to_owned()));
        self.places.push((reference.host, reference.repository, reference.tag));
    }

    /// Is this product the image? `None`: the name is none of an image.
    pub(super) fn fit(&self, name: &str) -> Option<Fit> {
        let wanted = Wanted::parse(name)?;
        Some(self.fit_wanted(name, &wanted))
    }

    fn fit_wanted(&self, name: &str, wanted: &Wanted) -> Fit {
        let not = |why: String| Err(format!("product {name} is not this image ({why})"));
        // What has the same digest is the same, wherever it lies.
        if let Some(digest) = &wanted.digest {
            if self.digests.contains(digest) {
                return Ok(DIGEST);
            }
            return match self.digests.first() {
                Some(own) => not(format!("digest is {own}")),
                None => not("its digest is not known".to_owned()),
            };
        }
        let mut tags: Vec<&str> = Vec::new();
        let mut is_there = false;
        for (host, repository, tag) in &self.places {
            let same_host = wanted.host.as_ref().is_none_or(|it| it == host);
            let same_repository = *repository == wanted.repository
                || (wanted.is_part
                    && repository
                        .strip_suffix(wanted.repository.as_str())
                        .is_some_and(|it| it.ends_with('/')));
            if same_host && same_repository {
                is_there = true;
                tags.extend(tag.as_deref());
            }
        }
        // The file that an archive is in comes first, and what its image is called behind it.
        match (&wanted.tag, self.places.last()) {
            (_, None) => not("its name is not known".to_owned()),
            (_, Some((host, repository, _))) if !is_there => {
                not(format!("repository is {host}/{repository}"))
            }
            (None, _) => Ok(REPOSITORY),
            (Some(tag), _) if tags.contains(&tag.as_str()) => Ok(TAG),
            _ if tags.is_empty() => not("its tag is not known".to_owned()),
            _ => not(format!("tag is {}", tags.join(", "))),
        }
    }
}

impl Wanted {
    fn parse(name: &str) -> Option<Self> {
        if name.starts_with("pkg:") {
            return Self::of_purl(&name.parse().ok()?);
        }
        if is_digest(name) {
            return Some(Self { digest: Some(name.to_owned()), ..Self::default() });
        }
        // Other names hold a scheme, as CPEs and web addresses do.
        if name.contains("//") || name.starts_with("cpe:") || name.starts_with("urn:") {
            return None;
        }
        let reference: Reference = name.parse().ok()?;
        let last = name.split('@').next()?.rsplit('/').next()?;
        let digest = reference.digest.map(|it| it.as_str().to_owned());
        let tag = reference.tag.filter(|_| last.contains(':') && digest.is_none());
        Some(Self {
            host: Some(reference.host),
            repository: reference.repository,
            is_part: false,
            tag,
            digest,
        })
    }

    /// `pkg:docker/ns/repo@tag`, `pkg:oci/repo@sha256:…?repository_url=host/ns/repo&tag=…`.
    fn of_purl(purl: &Purl) -> Option<Self> {
        if !matches!(purl.kind(), "docker" | "oci") {
            return None;
        }
        let (mut tag, mut digest) = (None, None);
        if let Some(version) = purl.version() {
            match version.rsplit_once('@').map_or(version, |(_, it)| it) {
                it if is_digest(it) => digest = Some(it.to_owned()),
                it => tag = Some(it.to_owned()),
            }
        }
        let tag = tag.or_else(|| purl.qualifier("tag").map(str::to_owned)).filter(|it| it != "*");
        let url = purl.qualifier("repository_url").map(|it| {
            let it = it.split_once("://").map_or(it, |(_, it)| it);
            it.trim_end_matches('/').to_ascii_lowercase()
        });
        let name = purl.full_name().to_ascii_lowercase();
        let (text, is_part) = match url {
            // The whole place, as written since version 1 of the type; or only where it lies.
            Some(url) if url.ends_with(&format!("/{name}")) => (url, false),
            Some(url) => (format!("{url}/{name}"), false),
            None => (name.clone(), purl.kind() == "oci"),
        };
        if is_part {
            let wanted = Self { repository: text, is_part, tag, digest, ..Self::default() };
            return Some(wanted);
        }
        let reference: Reference = text.parse().ok()?;
        Some(Self {
            host: Some(reference.host),
            repository: reference.repository,
            is_part,
            tag,
            digest,
        })
    }
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").or_else(|| text.strip_prefix("sha512:")).is_some()
}
