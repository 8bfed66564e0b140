//! Images as people name them in requests: a repository, a tag, an image.

use model::{Digest, Moment, Platform, Reference};
use store::{Page, Selection};

use crate::refusal::Refusal;

/// How many of a list are answered when nobody says.
const USUAL: u32 = 100;

/// An image, or several, as somebody named them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// With its registry.
    pub(crate) repository: String,
    pub(crate) tag: Option<String>,
    pub(crate) digest: Option<Digest>,
}

impl Named {
    /// `acme/web`, `acme/web:v1`, `acme/web:v1@sha256:…`; Kubernetes' `docker-pullable://` and
    /// `docker://` before it say nothing.
    pub(crate) fn read(text: &str) -> Result<Self, Refusal> {
        let bare = ["docker-pullable://", "docker://", "registry://", "image://"]
            .iter()
            .find_map(|it| text.strip_prefix(it))
            .unwrap_or(text);
        let reference: Reference =
            bare.parse().map_err(|error| Refusal::malformed("image", error))?;
        let name = bare.split_once('@').map_or(bare, |(name, _)| name);
        let said = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
        Ok(Self {
            repository: format!("{}/{}", reference.host, reference.repository),
            tag: reference.tag.filter(|_| said),
            digest: reference.digest,
        })
    }
}

/// The deployments for which all that is said holds.
pub(crate) fn selection(
    environment: Option<&str>,
    application: Option<&str>,
    image: Option<&str>,
    platform: Option<&str>,
) -> Result<Selection, Refusal> {
    let image = image.map(Named::read).transpose()?;
    let (repository, tag, digest) = match image {
        Some(it) => (Some(it.repository), it.tag, it.digest),
        None => (None, None, None),
    };
    Ok(Selection {
        environment: environment.map(str::to_owned),
        application: application.map(str::to_owned),
        repository,
        // A digest says it all; the tag beside it may have moved on.
        tag: tag.filter(|_| digest.is_none()),
        digest,
        platform: platform.map(self::platform).transpose()?,
    })
}

pub(crate) fn platform(text: &str) -> Result<Platform, Refusal> {
    text.parse().map_err(|error| Refusal::malformed("platform", error))
}

pub(crate) fn digest(text: &str) -> Result<Digest, Refusal> {
    text.parse().map_err(|_| Refusal::no_such("image", text))
}

pub(crate) fn moment(what: &str, text: &str) -> Result<Moment, Refusal> {
    // Whoever asks since a time before there was any asks for everything.
    Moment::nearest(text).map_err(|error| Refusal::malformed(what, error))
}

/// A part of a list.
pub(crate) fn page(after: Option<String>, limit: Option<u32>) -> Result<Page, Refusal> {
    let limit = limit.unwrap_or(USUAL);
    if !(1..=1000).contains(&limit) {
        return Err(Refusal::malformed("limit", "it is a number from 1 to 1000"));
    }
    Ok(Page { after, limit })
}

/// An answer that is a part of a list.
pub(crate) fn paged<T, U>(paged: store::Paged<T>, word: impl FnMut(T) -> U) -> api::Page<U> {
    api::Page { items: paged.rows.into_iter().map(word).collect(), next: paged.next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let shown = match Named::read(text) {
            Ok(it) => format!(
                "{} {} {}",
                it.repository,
                it.tag.as_deref().unwrap_or("-"),
                it.digest.map_or("-".to_owned(), |it| it.short().to_owned()),
            ),
            Err(refusal) => refusal.0.detail,
        };
        assert_eq!(shown, expect);
    }

    #[test]
    fn what_people_write() {
        let digest = format!("sha256:{}", "a".repeat(64));
        check("acme/web", "docker.io/acme/web - -");
        check("debian:12", "docker.io/library/debian 12 -");
        check("localhost:5000/a/b:v1", "localhost:5000/a/b v1 -");
        check(
            " a/b",
            "image: ` a/b` is not an image reference: its repository is not a path of words",
        );
        check("localhost:5000/a/b", "localhost:5000/a/b - -");
        check(&format!("acme/web:v1@{digest}"), "docker.io/acme/web v1 aaaaaaaaaaaa");
        check(&format!("docker-pullable://gcr.io/a/b@{digest}"), "gcr.io/a/b - aaaaaaaaaaaa");
        check("A/B", "image: `A/B` is not an image reference: a repository's name is lower case");
    }
}
