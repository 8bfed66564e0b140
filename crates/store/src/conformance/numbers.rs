//! Numbers and changes: all there is in pages, and what happened since.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::{EventKind, OrganisationId, Source};

use super::kit::{acme, amd64, at, digest, image, inventory};
use crate::events::Note;
use crate::{Error, Retention, Store};

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
    let purls: BTreeSet<String> = packages.iter().map(|it| it.package.purl.to_string()).collect();
    assert_eq!((packages.len(), purls.len()), (4, 4));
    let members = members(store).await;
    assert_eq!(members.len(), 4, "each set of one package; a base and an own");
    let contents = store.image_contents_after(0, 10).await.unwrap();
    assert_eq!(contents.iter().map(|it| it.sets.len()).sum::<usize>(), 6);
    let rest = store.image_contents_after(contents[0].image, 10).await.unwrap();
    assert_eq!(rest, contents[1..]);
    let nobody = OrganisationId("nobody".to_owned());

    let unread = image("acme/unread:v1", 9);
    store.record(&acme, &at(3), "staging", &Source::Cli, &unread).await.unwrap();
    // What runs is in them, all the way to the package.
    let first = store.running_images_after(Some(&acme), "", 2).await.unwrap();
    let rest = store.running_images_after(None, &first[1].deployment, 2).await.unwrap();
    assert_eq!((first.len(), rest.len()), (2, 2));
    assert_eq!((&rest[1].digest, rest[1].image), (&digest(9), None));
    let id = &store.environments(&acme).await.unwrap()[0].id;
    assert_eq!(store.environment_names(&acme).await.unwrap()[id], "production");
    assert!(first.iter().all(|it| it.environment == *id && it.organisation == acme));
    let sets_of = contents.iter().find(|it| Some(it.image) == rest[0].image).unwrap();
    assert_eq!(store.running_image(&rest[0].deployment).await.unwrap(), Some(rest[0].clone()));
    let ids = [rest[0].deployment.clone(), "none".to_owned()];
    let running = store.still_running(&acme, &ids).await.unwrap();
    assert_eq!((running.len(), &running[0].id), (1, &rest[0].deployment));
    let of_image = store.running_images_of(&acme, &[rest[0].image.unwrap()]).await.unwrap();
    assert_eq!(of_image, [rest[1].clone(), rest[0].clone()], "the unread one is always told");
    assert!(store.running_images_of(&nobody, &[1, 2, 3]).await.unwrap().is_empty());
    assert_eq!(store.running_image("none").await.unwrap(), None);
    for set in &sets_of.sets {
        let packages = store.packages_of_set(*set).await.unwrap();
        let numbers: Vec<i64> = packages.iter().map(|it| it.number).collect();
        assert_eq!(Some(&numbers), members.get(set));
    }
}

/// Each set with the numbers of its packages.
async fn members(store: &Store) -> BTreeMap<i64, Vec<i64>> {
    let mut members = BTreeMap::new();
    loop {
        let after = members.last_key_value().map_or(0, |(set, _)| *set);
        let page = store.sets_after(after, 2).await.unwrap();
        assert!(page.len() <= 2);
        if page.is_empty() {
            return members;
        }
        members.extend(page.into_iter().map(|(set, mut packages)| {
            packages.sort_unstable();
            (set, packages)
        }));
    }
}

/// As far as the store's columns have it.
fn read_by_matching(it: &model::Package) -> String {
    format!("{} {:?} {:?} {:?} {:?}", it.purl, it.kind, it.source, it.author, it.owner)
}

/// Three images, and one whose packages say all that can be said of them.
async fn four_images(store: &Store) -> OrganisationId {
    let acme = three_images(store).await;
    let own = ["pkg:rpm/redhat/bash@5.1", "pkg:pypi/six@1.16.0", "pkg:pypi/six@1.17.0"];
    let mut kept = inventory(4, &["pkg:deb/debian/zlib1g@1.2", "pkg:deb/debian/libssl3@3"], &own);
    for package in &mut kept.packages {
        match package.purl.name() {
            "bash" => package.author = Some("Red Hat".to_owned()),
            "six" if package.purl.version() == Some("1.16.0") => {
                package.owner = Some("pkg:deb/debian/python3-six@1.16".parse().unwrap());
            }
            "libssl3" => {
                let (name, version) = ("openssl".to_owned(), Some("3.0".to_owned()));
                package.source = Some(model::SourcePackage { name, version });
            }
            _ => {}
        }
    }
    kept.distro = None;
    store.keep_inventory(&acme, &at(1), &digest(4), &amd64(), None, &kept).await.unwrap();
    acme
}

/// What numbers lead to is what is kept.
async fn lead_to_all(store: &Store, acme: &OrganisationId) {
    let mut contents = Vec::new();
    loop {
        let after = contents.last().map_or(0, |it: &crate::ImageContent| it.image);
        let page = store.image_contents_after(after, 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        contents.extend(page);
    }
    assert_eq!(contents.len(), 4);
    for content in &contents {
        let one = store.image_content(acme, &content.digest).await.unwrap();
        assert_eq!(one.as_ref(), Some(content));
        let kept = store.inventory(acme, &content.digest).await.unwrap().unwrap();
        assert_eq!(content.distro, kept.distro);
        let mut told: Vec<_> = kept.packages.iter().map(read_by_matching).collect();
        let mut found = Vec::new();
        for set in &content.sets {
            let packages = store.packages_of_set(*set).await.unwrap();
            found.extend(packages.iter().map(|it| read_by_matching(&it.package)));
        }
        told.sort();
        found.sort();
        assert_eq!(found, told);
    }
    let known = store.packages_after(0, 100).await.unwrap();
    for set in members(store).await.into_keys() {
        for it in store.packages_of_set(set).await.unwrap() {
            assert!(known.contains(&it), "{it:?}");
        }
    }
}

pub(super) async fn lead_to_what_was_found(store: &Store) {
    let acme = four_images(store).await;
    lead_to_all(store, &acme).await;
    assert!(store.packages_of_set(0).await.unwrap().is_empty());
    assert_eq!(store.image_content(&acme, &digest(9)).await.unwrap(), None);
}

/// From names to packages, sets and images.
pub(super) async fn lead_from_names(store: &Store) {
    let acme = four_images(store).await;
    let other = store.create_organisation(&at(3), "other").await.unwrap().id;
    let kept = inventory(1, &["pkg:deb/debian/zlib1g@1.2"], &["pkg:npm/theirs@1"]);
    store.keep_inventory(&other, &at(3), &digest(1), &amd64(), None, &kept).await.unwrap();
    let find = async |whose: &OrganisationId, names: &[&str]| {
        let names: Vec<String> = names.iter().map(|it| (*it).to_owned()).collect();
        let known = store.packages_called(&names).await.unwrap();
        let purls: BTreeSet<String> = known.iter().map(|it| it.package.purl.to_string()).collect();
        let numbers: Vec<i64> = known.iter().map(|it| it.number).collect();
        let pairs = store.sets_with(&numbers).await.unwrap();
        assert!(pairs.iter().all(|it| numbers.contains(&it.package)));
        let mut sets: Vec<i64> = pairs.iter().map(|it| it.set).collect();
        sets.dedup();
        let images = store.image_contents_with(whose, &sets).await.unwrap();
        for it in &images {
            let whole = store.image_content(whose, &it.digest).await.unwrap().unwrap();
            let mut some: Vec<i64> =
                whole.sets.iter().filter(|it| sets.contains(it)).copied().collect();
            some.sort_unstable();
            let mut told = it.sets.clone();
            told.sort_unstable();
            assert_eq!((told, &it.distro, it.image), (some, &whole.distro, whole.image));
        }
        let images: Vec<String> =
            images.iter().map(|it| it.digest.hex().get(..2).unwrap().to_owned()).collect();
        let purls: Vec<String> = purls.into_iter().collect();
        format!("{} in {}", purls.join(" "), images.join(" "))
    };
    let zlib = "pkg:deb/debian/zlib1g@1.2";
    assert_eq!(find(&acme, &["zlib1g"]).await, format!("{zlib} in 01 02 03 04"));
    assert_eq!(find(&other, &["zlib1g"]).await, format!("{zlib} in 01"));
    assert_eq!(find(&acme, &["OpenSSL"]).await, "pkg:deb/debian/libssl3@3 in 04");
    assert_eq!(
        find(&acme, &["own1", "own2", "nothing", "own1"]).await,
        "pkg:npm/own1@1.0.0 pkg:npm/own2@1.0.0 in 01 02"
    );
    assert_eq!(find(&acme, &["theirs"]).await, "pkg:npm/theirs@1 in ");
    assert_eq!(find(&acme, &["nothing"]).await, " in ");
    assert_eq!(find(&acme, &[]).await, " in ");
}

/// A database from before there were such columns is brought up to date, and so is what a program that
/// knows no such columns has written since.
pub(super) async fn are_filled_in_where_they_were_not(store: &Store) {
    let acme = four_images(store).await;
    let written_by_another = async || {
        let mut tx = store.db.write().await.unwrap();
        for sql in [
            "UPDATE packages SET kind = NULL, source_version = NULL, author = NULL, owner = NULL,
                                 hash = CAST(id AS TEXT)",
            "UPDATE inventories SET distro = NULL",
        ] {
            tx.run(sql, vec![]).await.unwrap();
        }
        tx.commit().await.unwrap();
        assert!(matches!(store.packages_after(0, 9).await, Err(Error::Corrupt { .. })));
        assert!(matches!(store.image_contents_after(0, 9).await, Err(Error::Corrupt { .. })));
    };
    written_by_another().await;
    // Whoever opens it does so.
    crate::migrations::run(&store.db).await.unwrap();
    lead_to_all(store, &acme).await;
    written_by_another().await;
    // And whoever looks after it.
    assert_eq!(store.mend_at_hand().await.unwrap(), 4 + 8);
    lead_to_all(store, &acme).await;
    let kept = inventory(5, &["pkg:deb/debian/zlib1g@1.2"], &["pkg:npm/own1@1.0.0"]);
    let packages = super::kit::rows(store, "packages").await;
    store.keep_inventory(&acme, &at(5), &digest(5), &amd64(), None, &kept).await.unwrap();
    assert_eq!(super::kit::rows(store, "packages").await, packages, "they are known");
}

/// What was left out and cannot be read is left as it is, and nobody waits for that.
pub(super) async fn are_left_where_they_cannot_be_read(store: &Store) {
    four_images(store).await;
    let mut tx = store.db.write().await.unwrap();
    for sql in [
        "UPDATE packages SET kind = NULL",
        "UPDATE inventories SET distro = NULL",
        "UPDATE package_sets SET body = CAST('nothing' AS {blob})",
        "UPDATE inventories SET head = CAST('nothing' AS {blob})",
    ] {
        tx.define(sql).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut writing = store.db.write().await.unwrap();
    writing.lock(crate::retention::SETS, false).await.unwrap();
    let mending = tokio::time::timeout(Duration::from_secs(20), store.mend_at_hand()).await;
    assert_eq!(mending.expect("nobody waits").unwrap(), 0);
    writing.commit().await.unwrap();
    assert_eq!(store.mend().await.unwrap(), 0);
    // Where one of them can be, it is.
    let mut tx = store.db.write().await.unwrap();
    let sql = "INSERT INTO packages (hash, purl, kind) VALUES ('x', 'pkg:npm/x', NULL)";
    tx.run(sql, vec![]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.mend_at_hand().await.unwrap(), 1);
}

/// What follows from the rest is put right where it does not.
pub(super) async fn are_put_right_where_they_are_wrong(store: &Store) {
    let acme = four_images(store).await;
    assert_eq!(store.mend().await.unwrap(), 0, "there is nothing to mend");
    let mut tx = store.db.write().await.unwrap();
    for sql in [
        "UPDATE environments SET running = 99 WHERE name = 'production'",
        "UPDATE deployments SET analysed = NULL",
        "INSERT INTO packages (hash, purl, kind) VALUES ('x', 'pkg:npm/x', 'installed')",
        "DELETE FROM inventories WHERE image = (SELECT MIN(id) FROM images)",
    ] {
        tx.run(sql, vec![]).await.unwrap();
    }
    tx.commit().await.unwrap();
    let amiss = async || {
        let checks = store.doctor(at(9).at).await;
        checks.into_iter().find_map(|it| it.trouble).map(|it| (it.what, it.hint))
    };
    let (what, hint) = amiss().await.unwrap();
    let expect = "1 packages of no set, 1 analysed images without an inventory, \
                  1 environments that miscount what runs in them";
    assert_eq!(what, expect);
    assert!(hint.contains("admin doctor --mend"), "{hint}");
    // That of environments is found at once; the rest takes a look at all there is.
    assert_eq!(store.mend_at_hand().await.unwrap(), 1);
    // Two more things that are amiss, and two deployments of images that are still known.
    assert_eq!(store.mend().await.unwrap(), 2 + 2);
    assert_eq!(amiss().await, None);
    let all = store.environments(&acme).await.unwrap();
    assert_eq!((all[0].running, all[0].pending), (3, 1));
    assert_eq!(store.unanalysed(&acme).await.unwrap().len(), 1, "it is read anew");
    let kept = inventory(1, &["pkg:deb/debian/zlib1g@1.2"], &["pkg:npm/own1@1.0.0"]);
    store.keep_inventory(&acme, &at(5), &digest(1), &amd64(), None, &kept).await.unwrap();
    assert_eq!(store.mend().await.unwrap(), 0);
}

pub(super) async fn are_never_used_again(store: &Store) {
    let acme = acme(store).await;
    let mut seen = BTreeSet::new();
    for round in 0..3 {
        let kept = inventory(1, &["pkg:deb/debian/zlib1g@1.2"], &["pkg:npm/own@1"]);
        store.keep_inventory(&acme, &at(round), &digest(1), &amd64(), None, &kept).await.unwrap();
        let content = store.image_content(&acme, &digest(1)).await.unwrap().unwrap();
        assert!(seen.insert(("image", content.image)));
        for set in content.sets {
            assert!(seen.insert(("set", set)));
            for package in store.packages_of_set(set).await.unwrap() {
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
    // Of some kinds, and past all others.
    let kinds = [EventKind::ImageAnalysed, EventKind::OrganisationCreated];
    let mut some = Vec::new();
    let mut after = begin.clone();
    loop {
        let changes = store.changes_of(&kinds, &after, 2).await.unwrap();
        after = changes.cursor;
        if changes.events.is_empty() {
            break;
        }
        some.extend(changes.events);
    }
    let expect: Vec<_> = told.iter().filter(|it| kinds.contains(&it.1.kind)).cloned().collect();
    assert_eq!((some.len(), some), (5, expect));
    assert!(store.changes_since(None, &after, 9).await.unwrap().events.is_empty());
    store.create_environment(&acme, &at(3), "one more").await.unwrap();
    let changes = store.changes_since(None, &after, 9).await.unwrap();
    assert_eq!(changes.events[0].1.about, "one more");
    told.extend(changes.events);
    cursor = changes.cursor;
    let of_one = store.changes_since(Some(&acme), &begin, 100).await.unwrap().events;
    let own: Vec<_> = told.iter().filter(|it| it.0 == acme).cloned().collect();
    assert_eq!((of_one.len(), of_one), (10, own));
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

/// Whoever has not read what was taken along by its age finds that out, and nobody else does.
pub(super) async fn changes_that_went_unread_are_told(store: &Store) {
    let begin = store.changes_begin().await.unwrap();
    let acme = three_images(store).await;
    let read = store.changes_of(&[EventKind::Expired], &begin, 9).await.unwrap();
    assert!(read.events.is_empty());
    store.create_environment(&acme, &at(50), "one more").await.unwrap();
    let retention = Retention { events_before: Some(at(40).at), ..Retention::default() };
    assert!(store.expire(&acme, &at(60), &retention).await.unwrap().events > 7);
    for (cursor, missed) in [(&begin, true), (&read.cursor, false)] {
        let changes = store.changes_of(&[EventKind::Expired], cursor, 9).await.unwrap();
        assert!(changes.events.len() > 1, "there are several parts");
        assert!(changes.events.iter().all(|(_, it)| Store::has_missed(cursor, it) == missed));
    }
    let all = store.changes_since(None, &read.cursor, 99).await.unwrap();
    let (_, mut event) = all.events.into_iter().last().unwrap();
    assert_eq!(event.kind, EventKind::Expired);
    event.detail["through"].take();
    assert!(Store::has_missed(&read.cursor, &event), "an older program does not say how far");
    event.kind = EventKind::EnvironmentCreated;
    assert!(!Store::has_missed(&begin, &event));
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
