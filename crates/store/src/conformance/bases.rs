//! Bases: what was taught and what is known is found at the beginning of images.

use model::{
    Digest, EventKind, ImageDescription, Inventory, LayerDescription, OrganisationId, Subject,
};

use super::kit::{acme, at, rows};
use crate::db::values;
use crate::{EventSelection, NewBase, Page, Store};

fn digest(text: &str) -> Digest {
    let letters: String = text.chars().cycle().take(64).collect();
    format!("sha256:{letters}").parse().unwrap()
}

fn layers(letters: &str) -> Vec<Digest> {
    letters.chars().map(|it| digest(&it.to_string())).collect()
}

fn base(letters: &str, own: &str) -> NewBase {
    let chain = model::chains_of(&layers(letters)).pop().unwrap();
    NewBase {
        platform: "linux/amd64".parse().unwrap(),
        digest: digest(own),
        config: None,
        chain,
        layers: u32::try_from(letters.len()).unwrap(),
    }
}

/// One that was taught under that name.
pub(super) async fn learn(store: &Store, organisation: &OrganisationId, name: &str) {
    let new = store.learn_bases(organisation, &at(1), name, &[base("a", "1")]).await.unwrap();
    assert_eq!(new, 1);
}

/// An image that is known under that name, with a layer for each letter.
async fn known(store: &Store, acme: &OrganisationId, name: &str, own: &str, letters: &str) {
    let layer = |it| LayerDescription { diff_id: Some(it), ..LayerDescription::default() };
    let image = ImageDescription {
        digest: Some(digest(own)),
        layers: layers(letters).into_iter().map(layer).collect(),
        ..ImageDescription::default()
    };
    let subject = Subject::Image(Box::new(image));
    let inventory =
        Inventory { subject, distro: None, packages: vec![], statements: vec![], gaps: vec![] };
    let platform = "linux/amd64".parse().unwrap();
    let (own, act) = (digest(own), at(5));
    store.keep_inventory(acme, &act, &own, &platform, Some(name), &inventory).await.unwrap();
}

/// `NAMES LAYERS` of each that is found.
async fn below(store: &Store, acme: &OrganisationId, letters: &str) -> String {
    let found = store.bases_below(acme, &layers(letters)).await.unwrap();
    let shown = found.iter().map(|it| {
        let taught = if it.taught { " taught" } else { "" };
        let names: Vec<&str> = it.names.iter().map(|it| it.split('@').next().unwrap()).collect();
        format!("{} {}{taught}", names.join(" "), it.layers)
    });
    shown.collect::<Vec<_>>().join(", ")
}

pub(super) async fn are_taught_and_forgotten(store: &Store) {
    let acme = acme(store).await;
    let both = [base("a", "1"), base("b", "2")];
    assert_eq!(
        store.learn_bases(&acme, &at(1), "docker.io/library/debian:12", &both).await.unwrap(),
        2
    );
    // What is known already is no news; what a tag led to before stays.
    assert_eq!(
        store.learn_bases(&acme, &at(2), "docker.io/library/debian:12", &both).await.unwrap(),
        0
    );
    let mark = store.bases_mark(&acme).await.unwrap();
    let later = [base("c", "3")];
    assert_eq!(
        store.learn_bases(&acme, &at(3), "docker.io/library/debian:12", &later).await.unwrap(),
        1
    );
    assert_ne!(store.bases_mark(&acme).await.unwrap(), mark);
    store.learn_bases(&acme, &at(3), "docker.io/library/debian:bookworm", &later).await.unwrap();
    let names = "docker.io/library/debian:12 docker.io/library/debian:bookworm";
    assert_eq!(below(store, &acme, "ca").await, format!("{names} 1 taught"));
    assert_eq!(below(store, &acme, "ae").await, "docker.io/library/debian:12 1 taught");
    assert_eq!(below(store, &acme, "ea").await, "");
    let other = store.create_organisation(&at(0), "other").await.unwrap().id;
    assert_eq!(below(store, &other, "ca").await, "");
    // A page ends between two images of one name.
    let first = store.bases(&acme, &Page::first(2)).await.unwrap();
    let rest = Page { after: first.next.clone(), limit: 10 };
    let rest = store.bases(&acme, &rest).await.unwrap();
    assert_eq!((first.rows.len(), rest.rows.len(), rest.next), (2, 2, None));
    assert!(rest.rows.iter().all(|it| !first.rows.contains(it)));
    assert_eq!(store.forget_base(&other, &at(4), "docker.io/library/debian:12").await.unwrap(), 0);
    assert_eq!(store.forget_base(&acme, &at(4), "docker.io/library/debian:12").await.unwrap(), 3);
    assert_eq!(below(store, &acme, "ca").await, "docker.io/library/debian:bookworm 1 taught");
    let other = store.bases_mark(&other).await.unwrap();
    assert_ne!(store.bases_mark(&acme).await.unwrap(), other, "nothing was taught there");
    let kinds = vec![EventKind::BaseLearned, EventKind::BaseForgotten];
    let selection = EventSelection { kinds, ..EventSelection::default() };
    assert_eq!(store.events(&acme, &selection, &Page::first(100)).await.unwrap().rows.len(), 4);
    store.delete_organisation(&acme).await.unwrap();
    assert_eq!(rows(store, "bases").await, 0);
}

pub(super) async fn are_images_that_are_known(store: &Store) {
    let acme = acme(store).await;
    known(store, &acme, "docker.io/acme/base", "1", "ab").await;
    known(store, &acme, "docker.io/acme/small", "2", "a").await;
    known(store, &acme, "docker.io/acme/web", "3", "abc").await;
    let expect = "docker.io/acme/base 2, docker.io/acme/small 1";
    assert_eq!(below(store, &acme, "abc").await, expect);
    // Of two with the same layers nobody can tell which one stands on the other.
    assert_eq!(below(store, &acme, "ab").await, "docker.io/acme/small 1");
    store.learn_bases(&acme, &at(1), "docker.io/acme/mine:v1", &[base("ab", "4")]).await.unwrap();
    let expect = "docker.io/acme/mine:v1 2 taught, docker.io/acme/small 1";
    assert_eq!(below(store, &acme, "ab").await, expect);
    // However many layers somebody asks about, there is an end.
    let many = "a".repeat(10_000);
    assert_eq!(below(store, &acme, &many).await, "docker.io/acme/small 1");
    // What was kept by whoever knew no chains is found, too.
    let mut tx = store.db.write().await.unwrap();
    tx.run("UPDATE images SET chain = NULL, depth = NULL", values![]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(below(store, &acme, "abc").await, "docker.io/acme/mine:v1 2 taught");
    crate::migrations::run(&store.db).await.unwrap();
    let expect = "docker.io/acme/mine:v1 2 taught, docker.io/acme/base 2, docker.io/acme/small 1";
    assert_eq!(below(store, &acme, "abc").await, expect);
}
