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

/// `NAME DIGEST` of each that leads elsewhere by now.
async fn moved(store: &Store, acme: &OrganisationId, letters: &str) -> Vec<String> {
    let found = store.bases_below(acme, &layers(letters)).await.unwrap();
    let all = found.iter().flat_map(|it| &it.moved);
    all.map(|(name, it)| format!("{name} {}", &it.hex()[..1])).collect()
}

pub(super) async fn tell_where_their_names_lead_by_now(store: &Store) {
    let acme = acme(store).await;
    let learn = async |name: &str, when: i64, all: &[NewBase]| {
        store.learn_bases(&acme, &at(when), name, all).await.unwrap();
    };
    let twelve = "docker.io/library/debian:12";
    let arm = NewBase { platform: "linux/arm64".parse().unwrap(), ..base("d", "5") };
    learn(twelve, 1, &[base("a", "1"), arm]).await;
    learn("docker.io/library/debian:12.1", 1, &[base("a", "1")]).await;
    assert!(moved(store, &acme, "ae").await.is_empty());
    learn(twelve, 2, &[base("b", "2")]).await;
    assert_eq!(moved(store, &acme, "ae").await, [format!("{twelve} 2")]);
    assert!(moved(store, &acme, "be").await.is_empty(), "it is the newest");
    assert!(moved(store, &acme, "de").await.is_empty(), "it is made for another platform");
    learn(twelve, 3, &[base("c", "3")]).await;
    assert_eq!(moved(store, &acme, "ae").await, [format!("{twelve} 3")]);
    // Back again.
    let mark = store.bases_mark(&acme).await.unwrap();
    learn(twelve, 4, &[base("a", "1")]).await;
    assert!(moved(store, &acme, "ae").await.is_empty());
    assert_eq!(moved(store, &acme, "ce").await, [format!("{twelve} 1")]);
    assert_ne!(store.bases_mark(&acme).await.unwrap(), mark);
    // The same for images whose tags are known.
    known(store, &acme, "docker.io/acme/base", "7", "f").await;
    let amd: model::Platform = "linux/amd64".parse().unwrap();
    let point = async |tag: &str, when: i64, own: &str| {
        let (act, digest) = (at(when), digest(own));
        store.point_tag(&acme, &act, "docker.io/acme/base", tag, &amd, &digest).await.unwrap();
    };
    point("v1", 6, "7").await;
    point("v1.0", 6, "7").await;
    assert!(moved(store, &acme, "fa").await.is_empty());
    point("v1", 7, "8").await;
    assert_eq!(moved(store, &acme, "fa").await, ["docker.io/acme/base:v1 8"]);
    point("v1", 8, "7").await;
    assert!(moved(store, &acme, "fa").await.is_empty());
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

pub(super) async fn are_told_of_all_images_at_once(store: &Store) {
    let acme = acme(store).await;
    known(store, &acme, "docker.io/acme/base", "1", "ab").await;
    known(store, &acme, "docker.io/acme/web", "3", "abc").await;
    let platform = "linux/amd64".parse().unwrap();
    store.hear_of_image(&acme, &at(6), &digest("4"), &platform, None).await.unwrap();
    let all = store.layered_images_after(&acme, 0).await.unwrap();
    let shown: Vec<_> = all.iter().map(|it| (&it.digest, it.layers.len(), it.is_whole)).collect();
    assert_eq!(shown, [(&digest("1"), 2, true), (&digest("3"), 3, true)]);
    assert!(all.iter().all(|it| it.said.is_some() && it.analysed.is_some()));
    assert_eq!(store.layered_images_after(&acme, all[0].number).await.unwrap(), all[1..]);
    assert!(store.layered_images_after(&acme, all[1].number).await.unwrap().is_empty());
    let one = store.layered_image(&acme, &digest("3")).await.unwrap();
    assert_eq!(one.as_ref(), all.get(1));
    assert_eq!(store.layered_image(&acme, &digest("4")).await.unwrap(), None);
    let other = store.create_organisation(&at(0), "other").await.unwrap().id;
    assert!(store.layered_images_after(&other, 0).await.unwrap().is_empty());
    // What they are called: by tags, else by a repository.
    for (tag, own) in [("v1", "1"), ("v2", "1"), ("v1", "3")] {
        let (act, own) = (at(7), digest(own));
        store.point_tag(&acme, &act, "docker.io/acme/base", tag, &platform, &own).await.unwrap();
    }
    let all = [digest("1"), digest("3"), digest("9")];
    let named = store.names_of_images(&acme, &all).await.unwrap();
    // The tag that leads elsewhere by now comes last.
    let expect = ["docker.io/acme/base:v2", "docker.io/acme/base:v1"].map(str::to_owned);
    assert_eq!(named[&digest("1")], expect);
    assert_eq!(named[&digest("3")], ["docker.io/acme/base:v1".to_owned()]);
    assert_eq!(named.len(), 2);
    let mut now = store.tags_now(&acme, "docker.io/acme/base", &platform, 10).await.unwrap();
    now.sort();
    assert_eq!(now, [("v1".to_owned(), digest("3")), ("v2".to_owned(), digest("1"))]);
    let some = store.tags_now(&acme, "docker.io/acme/base", &platform, 1).await.unwrap();
    assert_eq!(some.len(), 1);
    let arm = "linux/arm64".parse().unwrap();
    assert!(store.tags_now(&acme, "docker.io/acme/base", &arm, 10).await.unwrap().is_empty());
    assert!(store.names_of_images(&other, &all).await.unwrap().is_empty());
}
