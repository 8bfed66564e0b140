//! Organisations and their repositories.

use super::kit::{acme, at, digest, image, inventory, rows, within};
use crate::{Error, EventSelection, ImageSelection, Page, Selection, Sought, Store, When};
use model::{EventKind, Source};

pub(super) async fn have_a_name_of_their_own(store: &Store) {
    let made = store.create_organisation(&at(0), " acme ").await.unwrap();
    assert_eq!(made.name, "acme");
    assert_eq!(store.organisation("acme").await.unwrap(), made);
    let again = store.create_organisation(&at(1), "acme").await.unwrap_err();
    assert_eq!(again.to_string(), "organization `acme`: there is one already");
    let none = store.organisation("Acme").await.unwrap_err();
    assert_eq!(none.to_string(), "organization `Acme`: there is none");
    store.create_organisation(&at(1), "Zebra").await.unwrap();
    store.create_organisation(&at(1), "Ähre").await.unwrap();
    let names: Vec<String> =
        store.organisations().await.unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["Zebra", "acme", "Ähre"], "sorted by their bytes");
}

pub(super) async fn see_only_their_own(store: &Store) {
    let acme = acme(store).await;
    let other = store.create_organisation(&at(0), "other").await.unwrap().id;
    let shared = inventory(7, &["pkg:deb/debian/zlib1g@1.2?distro=debian-12"], &[]);
    let web = image("acme/web:v1", 7);
    for organisation in [&acme, &other] {
        store
            .keep_inventory(organisation, &at(1), &digest(7), &web.platform, None, &shared)
            .await
            .unwrap();
    }
    store.record(&acme, &at(2), "production", &Source::Cli, &web).await.unwrap();
    store.enable_repository(&acme, &at(2), "docker.io/acme/web", true).await.unwrap();

    assert!(store.environments(&other).await.unwrap().is_empty());
    let page = Page::first(10);
    let none = Selection::default();
    assert!(store.deployments(&other, &none, When::Ever, &page).await.unwrap().rows.is_empty());
    assert!(store.repositories(&other, &page).await.unwrap().rows.is_empty());
    let seen = store.events(&other, &EventSelection::default(), &page).await.unwrap();
    let kinds: Vec<EventKind> = seen.rows.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [EventKind::ImageAnalysed, EventKind::OrganisationCreated]);
    let error =
        store.deployments(&other, &within("production"), When::Now, &page).await.unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("there is no environment yet"));

    // Both have the package; it runs with one of them alone.
    let zlib = Sought::Named("zlib1g".to_owned());
    let known = store.known_packages(&other, &zlib).await.unwrap();
    let numbers: Vec<i64> = known.iter().map(|it| it.number).collect();
    assert_eq!(numbers.len(), 1);
    assert!(store.running_with(&other, &numbers).await.unwrap().is_empty());
    assert_eq!(store.running_with(&acme, &numbers).await.unwrap().len(), 1);
    store.delete_image(&other, &at(3), &digest(7)).await.unwrap();
    assert!(store.known_packages(&other, &zlib).await.unwrap().is_empty());
    assert_eq!(store.inventory(&acme, &digest(7)).await.unwrap(), Some(shared));
}

pub(super) async fn leave_nothing_behind(store: &Store) {
    let acme = acme(store).await;
    let other = store.create_organisation(&at(0), "other").await.unwrap().id;
    let web = image("acme/web:v1", 7);
    let kept = inventory(7, &["pkg:deb/debian/zlib1g@1.2"], &["pkg:npm/left-pad@1.3.0"]);
    let platform = &web.platform;
    let repository = Some("docker.io/acme/web");
    store.keep_inventory(&acme, &at(1), &digest(7), platform, repository, &kept).await.unwrap();
    store.record(&acme, &at(2), "production", &Source::Cli, &web).await.unwrap();
    store.point_tag(&acme, &at(2), "docker.io/acme/web", "v1", platform, &digest(7)).await.unwrap();
    store.enable_repository(&acme, &at(2), "docker.io/acme/web", true).await.unwrap();
    store.delete_organisation(&acme).await.unwrap();

    for table in [
        "repositories",
        "images",
        "image_repositories",
        "tags",
        "inventories",
        "package_sets",
        "image_sets",
        "packages",
        "package_names",
        "set_packages",
        "environments",
        "deployments",
    ] {
        assert_eq!(rows(store, table).await, 0, "{table}");
    }
    assert_eq!(rows(store, "organisations").await, 1);
    assert_eq!(rows(store, "events").await, 1, "that the other one was made");
    assert!(matches!(store.delete_organisation(&acme).await, Err(Error::Gone(_))));
    let gone = store.create_environment(&acme, &at(3), "production").await.unwrap_err();
    assert!(matches!(gone, Error::Gone(_)), "{gone}");
    store.create_environment(&other, &at(3), "production").await.unwrap();
    let none = ImageSelection::default();
    assert!(store.images(&other, &none, &Page::first(1)).await.unwrap().rows.is_empty());
}

pub(super) async fn have_repositories(store: &Store) {
    let acme = acme(store).await;
    for name in ["docker.io/acme/web", "ghcr.io/acme/api"] {
        assert!(store.enable_repository(&acme, &at(1), name, true).await.unwrap());
        assert!(!store.enable_repository(&acme, &at(2), name, true).await.unwrap());
    }
    assert!(store.enable_repository(&acme, &at(3), "ghcr.io/acme/api", false).await.unwrap());
    let first = store.repositories(&acme, &Page::first(1)).await.unwrap();
    assert_eq!(first.rows[0].name, "docker.io/acme/web");
    let page = Page { after: first.next, limit: 1 };
    let second = store.repositories(&acme, &page).await.unwrap();
    assert_eq!((second.rows[0].name.as_str(), second.rows[0].enabled), ("ghcr.io/acme/api", false));
    assert_eq!(second.next, None);
    let selection =
        EventSelection { kinds: vec![EventKind::RepositoryDisabled], ..EventSelection::default() };
    let events = store.events(&acme, &selection, &Page::first(9)).await.unwrap().rows;
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].about.as_str(), &events[0].act), ("ghcr.io/acme/api", &at(3)));
}
