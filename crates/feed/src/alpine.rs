//! Alpine Linux: which package versions fixed which flaws, for each release and repository.

use model::Space;

use crate::contract::{Document, Feed, Parsed, Part};

pub(crate) mod secdb;

#[cfg(test)]
mod tests;

/// The releases that are published, all of them still: 3.3 is the first with two repositories.
const RELEASES: std::ops::RangeInclusive<u32> = 3..=24;
const REPOSITORIES: [&str; 2] = ["main", "community"];

pub(crate) struct Alpine;

impl Feed for Alpine {
    fn id(&self) -> &'static str {
        "alpine"
    }

    fn title(&self) -> &'static str {
        "Alpine security database"
    }

    fn about(&self) -> &'static str {
        "https://secdb.alpinelinux.org; published by the Alpine project without terms of its own"
    }

    fn version(&self) -> u16 {
        1
    }

    fn parts(&self) -> Vec<Part> {
        let releases = RELEASES.map(|minor| format!("v3.{minor}")).chain(["edge".to_owned()]);
        let parts = releases.flat_map(|release| REPOSITORIES.map(|it| format!("{release}/{it}")));
        let part = |name: String| {
            let urls = vec![format!("https://secdb.alpinelinux.org/{name}.json")];
            Part { name, urls }
        };
        parts.map(part).collect()
    }

    fn recognises(&self, path: &str, head: &[u8]) -> Option<String> {
        let head = secdb::Head(head);
        let release = head.text("distroversion").filter(|_| head.is_secdb())?;
        space_of(release)?;
        let name = path.rsplit('/').next().and_then(|it| it.strip_suffix(".json"));
        let repository = head.text("reponame").or(name)?;
        let is_name = repository.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
        (is_name && !repository.is_empty()).then(|| format!("{release}/{repository}"))
    }

    fn parse(&self, part: &str, document: &Document<'_>) -> Parsed {
        secdb::read(document, |release| {
            space_of(release.or_else(|| part.split_once('/').map(|(release, _)| release))?)
        })
    }
}

/// `alpine:3.20` of `v3.20`, and `alpine:edge`.
fn space_of(release: &str) -> Option<Space> {
    if release == "edge" {
        return Some(Space::release("alpine", release));
    }
    let number = release.strip_prefix('v')?;
    let is_number =
        |it: &str| (1..=4).contains(&it.len()) && it.bytes().all(|it| it.is_ascii_digit());
    let (major, minor) = number.split_once('.')?;
    (is_number(major) && is_number(minor)).then(|| Space::release("alpine", number))
}
