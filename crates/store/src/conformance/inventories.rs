//! Inventories and the packages in them.

use model::{EventKind, ImageState, Source};

use super::kit::{acme, amd64, at, digest, image, inventory, no_orphans, rows};
use crate::{Error, EventSelection, ImageSelection, Page, Selection, Sought, Store};

const BASE: &[&str] = &[
    "pkg:deb/debian/libssl3@3.0.11?arch=amd64&distro=debian-12",
    "pkg:deb/debian/zlib1g@1%3A1.2.13?arch=amd64&distro=debian-12",
];

pub(super) async fn read_back_as_they_were(store: &Store) {
    let acme = acme(store).await;
    let mut odd = inventory(1, BASE, &["pkg:npm/%40babel/core@7.0.0", "pkg:npm/left-pad@1.3.0"]);
    // A place whose digest is not that of its layer, a package seen twice, one seen nowhere.
    odd.packages[0].places[0].digest = Some(digest(0xee));
    let mut place = odd.packages[1].places[0].clone();
    place.layer = Some(77);
    odd.packages[1].places.push(place);
    odd.packages[2].places.clear();
    let odd = odd.in_order();
    assert_eq!(store.inventory(&acme, &digest(1)).await.unwrap(), None);
    store
        .keep_inventory(&acme, &at(1), &digest(1), &amd64(), Some("docker.io/acme/web"), &odd)
        .await
        .unwrap();
    assert_eq!(store.inventory(&acme, &digest(1)).await.unwrap(), Some(odd));
    let record = store.image(&acme, &digest(1)).await.unwrap().unwrap();
    assert_eq!(record.state, ImageState::Analysed);
    assert_eq!(record.packages, Some(4));
    assert_eq!(record.repositories, ["docker.io/acme/web"]);
    let outline = record.outline.unwrap();
    assert_eq!((outline.layers.len(), outline.size, outline.config), (2, 1234, Some(digest(2))));
    assert!(store.image(&acme, &digest(9)).await.unwrap().is_none());
    let empty = inventory(2, &[], &[]);
    store.keep_inventory(&acme, &at(1), &digest(2), &amd64(), None, &empty).await.unwrap();
    assert_eq!(store.inventory(&acme, &digest(2)).await.unwrap(), Some(empty));
}

pub(super) async fn images_on_one_base_share_rows(store: &Store) {
    let acme = acme(store).await;
    for number in 1..=5 {
        let own = [format!("pkg:deb/debian/own{number}@1"), "pkg:npm/left-pad@1.3.0".to_owned()];
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let kept = inventory(number, BASE, &own);
        store.keep_inventory(&acme, &at(1), &digest(number), &amd64(), None, &kept).await.unwrap();
        assert_eq!(store.inventory(&acme, &digest(number)).await.unwrap(), Some(kept));
    }
    // The base once, the npm packages once, each image's own.
    assert_eq!(rows(store, "package_sets").await, 1 + 1 + 5);
    assert_eq!(rows(store, "image_sets").await, 15);
    assert_eq!(rows(store, "packages").await, 2 + 1 + 5);
}

pub(super) async fn packages_lead_to_where_they_run(store: &Store) {
    let acme = acme(store).await;
    for (number, npm) in [
        (1, "pkg:npm/%40babel/core@7.0.0"),
        (2, "pkg:npm/%40babel/core@7.1.0"),
        (3, "pkg:nuget/Newtonsoft.Json@13.0.1"),
    ] {
        let kept = inventory(number, BASE, &[npm]);
        store.keep_inventory(&acme, &at(1), &digest(number), &amd64(), None, &kept).await.unwrap();
    }
    let web = image("acme/web:v1", 1);
    store.record(&acme, &at(2), "production", &Source::Cli, &web).await.unwrap();
    store.record(&acme, &at(3), "staging", &Source::Cli, &image("acme/web:v2", 2)).await.unwrap();
    store.record(&acme, &at(4), "staging", &Source::Cli, &image("acme/web:v3", 3)).await.unwrap();
    let find = async |sought: Sought| {
        let known = store.known_packages(&acme, &sought).await.unwrap();
        let numbers: Vec<i64> = known.iter().map(|it| it.number).collect();
        let running = store.running_with(&acme, &numbers).await.unwrap();
        let purl =
            |number| known.iter().find(|it| it.number == number).unwrap().package.purl.to_string();
        let lines: Vec<String> = running
            .iter()
            .map(|it| {
                let tag = it.deployment.tag.as_deref().unwrap();
                format!("{} {} {tag}", purl(it.package), it.deployment.environment)
            })
            .collect();
        (known.len(), lines.join("\n"))
    };
    let named = |name: &str| Sought::Named(name.to_owned());
    let purl = |text: &str| Sought::Purl(text.parse().unwrap());
    let ssl = "pkg:deb/debian/libssl3@3.0.11?arch=amd64&distro=debian-12";
    let both = format!("{ssl} production v1\n{ssl} staging v3");
    assert_eq!(find(named("openssl")).await, (1, both.clone()), "by its source");
    assert_eq!(find(named("libssl3")).await, (1, both.clone()));
    assert_eq!(find(purl("pkg:deb/debian/libssl3")).await, (1, both.clone()));
    assert_eq!(find(purl(ssl)).await, (1, both));
    assert_eq!(find(purl("pkg:deb/debian/libssl3?distro=debian-11")).await.0, 0);
    assert_eq!(
        find(named("@babel/core")).await,
        (2, "pkg:npm/%40babel/core@7.0.0 production v1".to_owned())
    );
    assert_eq!(find(named("core")).await.0, 2, "by its short name");
    assert_eq!(find(purl("pkg:npm/%40babel/core@7.1.0")).await, (1, String::new()));
    assert_eq!(find(named("newtonsoft.json")).await.0, 1, "whatever its capitals");
    assert_eq!(find(named("nothing")).await, (0, String::new()));
}

pub(super) async fn reading_anew_replaces(store: &Store) {
    let acme = acme(store).await;
    let first = inventory(1, BASE, &["pkg:npm/left-pad@1.3.0"]);
    let second = inventory(1, BASE, &["pkg:npm/right-pad@2.0.0"]);
    for (minute, kept) in [(1, &first), (2, &second), (3, &second)] {
        store.keep_inventory(&acme, &at(minute), &digest(1), &amd64(), None, kept).await.unwrap();
        no_orphans(store).await;
    }
    assert_eq!(store.inventory(&acme, &digest(1)).await.unwrap(), Some(second));
    let gone = Sought::Named("left-pad".to_owned());
    assert!(store.known_packages(&acme, &gone).await.unwrap().is_empty());
    assert_eq!(rows(store, "packages").await, 3);
}

pub(super) async fn deletion_deletes(store: &Store) {
    let acme = acme(store).await;
    for number in [1, 2] {
        let kept = inventory(number, BASE, &[&format!("pkg:npm/own{number}@1.0.0")]);
        store.keep_inventory(&acme, &at(1), &digest(number), &amd64(), None, &kept).await.unwrap();
    }
    store
        .record(&acme, &at(2), "production", &Source::Cli, &image("acme/web:v1", 1))
        .await
        .unwrap();
    let error = store.delete_image(&acme, &at(3), &digest(1)).await.unwrap_err();
    assert_eq!(error.to_string(), format!("image {}: it runs in production", digest(1)));
    assert_eq!(
        error.hint().as_deref(),
        Some("remove it from `production` first, or delete it by force")
    );
    store.delete_image(&acme, &at(3), &digest(2)).await.unwrap();
    no_orphans(store).await;
    assert_eq!(rows(store, "packages").await, 3);
    store.remove(&acme, &at(4), "production", &Selection::default()).await.unwrap();
    store.delete_image(&acme, &at(5), &digest(1)).await.unwrap();
    for table in ["images", "package_sets", "packages", "package_names", "set_packages"] {
        assert_eq!(rows(store, table).await, 0, "{table}");
    }
    let error = store.delete_image(&acme, &at(6), &digest(1)).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    assert_eq!(rows(store, "deployments").await, 1, "that it ran is history");
}

pub(super) async fn failures_are_told(store: &Store) {
    let acme = acme(store).await;
    store.hear_of_image(&acme, &at(1), &digest(1), &amd64(), None).await.unwrap();
    store.image_failed(&acme, &at(2), &digest(1), "layer 3: it is\0cut").await.unwrap();
    store.image_failed(&acme, &at(3), &digest(1), "layer 3: it is\0cut").await.unwrap();
    let failed = ImageState::Failed { why: "layer 3: it is\u{fffd}cut".to_owned() };
    let record = store.image(&acme, &digest(1)).await.unwrap().unwrap();
    assert_eq!((record.state, record.analysed), (failed.clone(), Some(at(2).at)));
    let selection = ImageSelection { state: Some(failed), ..ImageSelection::default() };
    let page = Page::first(9);
    assert_eq!(store.images(&acme, &selection, &page).await.unwrap().rows.len(), 1);
    let kept = inventory(1, BASE, &[]);
    store.keep_inventory(&acme, &at(3), &digest(1), &amd64(), None, &kept).await.unwrap();
    assert!(store.images(&acme, &selection, &page).await.unwrap().rows.is_empty());
    // What was read once is not unread by a later failure.
    store.image_failed(&acme, &at(4), &digest(1), "no network").await.unwrap();
    let record = store.image(&acme, &digest(1)).await.unwrap().unwrap();
    assert_eq!(record.state, ImageState::Analysed);
    let kinds = vec![EventKind::ImageFailed];
    let selection = EventSelection { kinds, ..EventSelection::default() };
    assert_eq!(store.events(&acme, &selection, &page).await.unwrap().rows.len(), 1);
}
