//! What is larger than companies have it: two environments of three thousand images each, and a
//! repository of ten thousand tags.

use std::collections::BTreeMap;

use model::{Act, Digest, Moment, OrganisationId, Platform, Recording, Source};
use store::{Page, Selection, Store, When};

use super::{Failure, note};

/// Images of each of those environments.
const IMAGES: usize = 3_000;
const TAGS: usize = 10_000;
const REPOSITORY: &str = "docker.io/company/many-tags";
const PLACES: [&str; 2] = ["large-a", "large-b"];
/// Deployments that are recorded together.
const TOGETHER: usize = 500;

/// Where all of that is seen.
pub(crate) const ADDRESSES: [&str; 6] = [
    "/o/acme/environments/large-a",
    "/o/acme/environments/large-a/policies",
    "/o/acme/compare?from=large-a&to=large-b",
    "/o/acme/vulnerabilities?environment=large-a",
    "/o/acme/repositories/docker.io%2Fcompany%2Fmany-tags",
    "/o/acme/images?repository=docker.io%2Fcompany%2Fmany-tags",
];

/// Adds it, unless it is there.
pub(crate) async fn make(store: &Store, acme: &OrganisationId) -> Result<(), Failure> {
    let there = store.environments(acme).await?;
    if there.iter().any(|it| it.name == PLACES[1]) {
        return Ok(());
    }
    let at = Moment::from_micros(jiff::Timestamp::now().as_microsecond());
    let act = Act { who: "ann".to_owned(), origin: "ci".to_owned(), at };
    let builds = builds(store, acme).await?;
    note(&format!("repositories with images that run: {}", builds.len()));
    let platform = Platform::new("linux", "amd64", None);
    let images = builds.values().flatten().take(TAGS);
    for (number, digest) in images.cycle().take(TAGS).enumerate() {
        let tag = format!("build-{number}");
        store.point_tag(acme, &act, REPOSITORY, &tag, &platform, digest).await?;
    }
    // Of each, one place runs a build, and the other one a later one, if there is.
    let recordings = |place: usize| {
        let one = builds.iter().take(IMAGES).enumerate().filter_map(|(number, (name, digests))| {
            Some(Recording {
                application: Some(format!("service-{number}")),
                platform: platform.clone(),
                repository: name.clone(),
                tag: None,
                digest: digests.get(place).or(digests.first())?.clone(),
            })
        });
        one.collect::<Vec<_>>()
    };
    for (place, name) in PLACES.into_iter().enumerate() {
        store.create_environment(acme, &act, name).await?;
        for some in recordings(place).chunks(TOGETHER) {
            store.record_all(acme, &act, name, &Source::Cli, some).await?;
        }
    }
    Ok(())
}

/// Images that run, by repository.
async fn builds(
    store: &Store,
    acme: &OrganisationId,
) -> Result<BTreeMap<String, Vec<Digest>>, Failure> {
    let mut builds: BTreeMap<String, Vec<Digest>> = BTreeMap::new();
    let mut page = Page::first(1000);
    loop {
        let part = store.deployments(acme, &Selection::default(), When::Now, &page).await?;
        for it in part.rows {
            let known = builds.entry(it.repository).or_default();
            if !known.contains(&it.digest) {
                known.push(it.digest);
            }
        }
        page.after = part.next;
        if page.after.is_none() {
            return Ok(builds);
        }
    }
}
