//! Numbers and changes: all there is in pages, and what happened since.

use std::collections::BTreeSet;

use model::{EventKind, OrganisationId, Source};

use super::kit::{acme, amd64, at, digest, image, inventory};
use crate::events::Note;
use crate::{Error, Store};

async fn three_images(store: &Store) -> OrganisationId {
    let acme = acme(store).await;
    for number in 1..=3 {
        let own = format!("pkg:npm/own{number}@1.0.0");
        let kept = inventory(number, &["pkg:deb/debian/zlib1g@1.2"], &[&own]);
        let web = image(&format!("acme/web{number}:v1"), number);
        store.keep_inventory(&acme, &at(1), &digest(number), &amd64(), None, &kept).await.unwrap();
        store.record(&acme, &at(2), "production", &Source::Cli, &web).await.unwrap();
    }
    acme
}

pub(super) async fn lead_through_everything_in_pages(store: &Store) {
    let acme = three_images(store).await;
    let mut packages = Vec::new();
    loop {
        let after = packages.last().map_or(0, |it: &crate::KnownPackage| it.number);
        let page = store.packages_after(after, 2).await.unwrap();
        assert!(page.len() <= 2);
        if page.is_empty() {
            break;
        }
        packages.extend(page);
    }
    let purls: BTreeSet<String> = packages.iter().map(|it| it.purl.to_string()).collect();
    assert_eq!((packages.len(), purls.len()), (4, 4));
    let mut members = Vec::new();
    while let page = store.set_packages_after(members.last().copied(), 2).await.unwrap()
        && !page.is_empty()
    {
        members.extend(page);
    }
    let mut sets = Vec::new();
    while let page = store.image_sets_after(sets.last().copied(), 2).await.unwrap()
        && !page.is_empty()
    {
        sets.extend(page);
    }
    assert_eq!((members.len(), sets.len()), (4, 6), "each set of one package; a base and an own");
    let images = store.images_after(None, 0, 10).await.unwrap();
    assert_eq!(images.iter().filter(|it| it.analysed).count(), 3);
    assert_eq!(store.images_after(Some(&acme), images[0].number, 10).await.unwrap(), images[1..]);
    let nobody = OrganisationId("nobody".to_owned());
    assert!(store.images_after(Some(&nobody), 0, 10).await.unwrap().is_empty());

    let unread = image("acme/unread:v1", 9);
    store.record(&acme, &at(3), "staging", &Source::Cli, &unread).await.unwrap();
    // What runs is in them, all the way to the package.
    let first = store.running_images_after(Some(&acme), "", 2).await.unwrap();
    let rest = store.running_images_after(None, &first[1].deployment, 2).await.unwrap();
    assert_eq!((first.len(), rest.len()), (2, 2));
    assert_eq!((&rest[1].digest, rest[1].image), (&digest(9), None));
    let id = &store.environments(&acme).await.unwrap()[0].id;
    assert!(first.iter().all(|it| it.environment == *id && it.organisation == acme));
    let of_image = store.sets_of_image(rest[0].image.unwrap()).await.unwrap();
    let all: Vec<_> = sets.iter().filter(|it| Some(it.image) == rest[0].image).copied().collect();
    assert_eq!(of_image, all);
    assert_eq!(store.running_image(&rest[0].deployment).await.unwrap(), Some(rest[0].clone()));
    let running = store.running_of(&acme, &[rest[0].image.unwrap()]).await.unwrap();
    assert_eq!((running.len(), &running[0].id), (1, &rest[0].deployment));
    assert_eq!(store.running_image("none").await.unwrap(), None);
    for it in of_image {
        let packages = store.packages_of_set(it.set).await.unwrap();
        let numbers: Vec<i64> = packages.iter().map(|it| it.number).collect();
        let expect: Vec<i64> =
            members.iter().filter(|member| member.set == it.set).map(|it| it.package).collect();
        assert_eq!(numbers, expect);
    }
}

pub(super) async fn lead_to_what_was_found(store: &Store) {
    let acme = three_images(store).await;
    let mut contents = Vec::new();
    loop {
        let after = contents.last().map_or(0, |it: &crate::ImageContent| it.image);
        let page = store.image_contents_after(after, 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        contents.extend(page);
    }
    assert_eq!(contents.len(), 3);
    let mut sets = Vec::new();
    loop {
        let after = sets.last().map_or(0, |(set, _): &(i64, Vec<model::Package>)| *set);
        let page = store.set_contents_after(after, 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        sets.extend(page);
    }
    assert_eq!(sets.len(), 4);
    for content in &contents {
        let one = store.image_content(&acme, &content.digest).await.unwrap();
        assert_eq!(one.as_ref(), Some(content));
        let kept = store.inventory(&acme, &content.digest).await.unwrap().unwrap();
        assert_eq!(content.distro, kept.distro);
        let mut purls: Vec<_> = kept.packages.into_iter().map(|it| it.purl).collect();
        let mut found = Vec::new();
        for set in &content.sets {
            let packages = store.set_content(*set).await.unwrap().unwrap();
            assert!(sets.contains(&(*set, packages.clone())));
            found.extend(packages.into_iter().map(|it| it.purl));
        }
        purls.sort();
        found.sort();
        assert_eq!(found, purls);
    }
    assert_eq!(store.set_content(0).await.unwrap(), None);
    assert_eq!(store.image_content(&acme, &digest(9)).await.unwrap(), None);
}

pub(super) async fn are_never_used_again(store: &Store) {
    let acme = acme(store).await;
    let mut seen = BTreeSet::new();
    for round in 0..3 {
        let kept = inventory(1, &["pkg:deb/debian/zlib1g@1.2"], &["pkg:npm/own@1"]);
        store.keep_inventory(&acme, &at(round), &digest(1), &amd64(), None, &kept).await.unwrap();
        let image = store.images_after(None, 0, 9).await.unwrap()[0].number;
        assert!(seen.insert(("image", image)));
        for set in store.sets_of_image(image).await.unwrap() {
            assert!(seen.insert(("set", set.set)));
            for package in store.packages_of_set(set.set).await.unwrap() {
                assert!(seen.insert(("package", package.number)));
            }
        }
        store.delete_image(&acme, &at(round), &digest(1)).await.unwrap();
    }
}

pub(super) async fn changes_are_told_once(store: &Store) {
    let begin = store.changes_begin().await.unwrap();
    let acme = three_images(store).await;
    let other = store.create_organisation(&at(3), "other").await.unwrap().id;
    let mut cursor = begin.clone();
    let mut told = Vec::new();
    loop {
        let changes = store.changes_since(None, &cursor, 2).await.unwrap();
        if changes.events.is_empty() {
            assert_eq!(changes.cursor, cursor);
            break;
        }
        assert!(changes.events.len() <= 2);
        cursor = changes.cursor;
        told.extend(changes.events);
    }
    assert_eq!(told.len(), 10);
    assert_eq!(told[0].1.kind, EventKind::OrganisationCreated);
    assert_eq!((&told[9].0, told[9].1.about.as_str()), (&other, "other"));
    let of_one = store.changes_since(Some(&acme), &begin, 100).await.unwrap().events;
    assert_eq!(of_one, told[..9]);
    // Whoever begins now sees what comes, though what was last is gone.
    let begin = store.changes_begin().await.unwrap();
    store.delete_organisation(&other).await.unwrap();
    store.create_environment(&acme, &at(4), "test").await.unwrap();
    for cursor in [&begin, &cursor] {
        let changes = store.changes_since(None, cursor, 10).await.unwrap().events;
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert_eq!(changes[0].1.about, "test");
    }
    for nonsense in ["", "x", "1", "x.y"] {
        let error = store.changes_since(None, nonsense, 1).await;
        assert!(matches!(error, Err(Error::Refused { .. })), "{nonsense}");
    }
}

/// Whoever writes an event down first and is done last is not passed over.
pub(super) async fn changes_of_the_slow_are_told_too(store: &Store) {
    let acme = acme(store).await;
    let begin = store.changes_begin().await.unwrap();
    let mut slow = store.db.write().await.unwrap();
    Note::new(EventKind::ImageAnalysed, "slow").write(&mut slow, &acme, &at(1)).await.unwrap();
    let quick = store.clone();
    let of_quick = acme.clone();
    // On SQLite the quick one waits.
    let quick = tokio::spawn(async move {
        quick.create_environment(&of_quick, &at(2), "quick").await.unwrap();
    });
    let changes = store.changes_since(None, &begin, 10).await.unwrap();
    assert!(changes.events.is_empty());
    slow.commit().await.unwrap();
    quick.await.unwrap();
    let changes = store.changes_since(None, &changes.cursor, 10).await.unwrap();
    let mut about: Vec<_> = changes.events.iter().map(|it| it.1.about.as_str()).collect();
    about.sort_unstable();
    assert_eq!(about, ["quick", "slow"]);
}
