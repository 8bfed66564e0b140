//! Secrets at rest.

use model::Secret;

use super::kit::{acme, at, rows};
use crate::db::values;
use crate::{Error, Keyring, Store};

fn with(store: &Store, key: u8, former: &[u8]) -> Store {
    let former: Vec<[u8; 32]> = former.iter().map(|it| [*it; 32]).collect();
    store.clone().with_keys(Keyring::new(&[key; 32], &former))
}

pub(super) async fn are_sealed_and_opened(store: &Store) {
    let acme = acme(store).await;
    let other = store.create_organisation(&at(0), "other").await.unwrap().id;
    let store = with(store, 1, &[]);
    let secret = Secret::new("hunter2 🚀");
    store.keep_secret(&acme, &at(1), "acr password", &secret).await.unwrap();
    assert_eq!(store.secret(&acme, " acr password").await.unwrap(), Some(secret.clone()));
    assert_eq!(store.secret(&acme, "acr").await.unwrap(), None);
    assert_eq!(store.secret(&other, "acr password").await.unwrap(), None);
    let sealed = store.db.row("SELECT sealed FROM secrets", vec![]).await.unwrap().unwrap();
    let sealed = sealed.blob("sealed").unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("hunter2"));
    store.keep_secret(&acme, &at(2), "acr password", &Secret::new("other")).await.unwrap();
    let listed = store.secrets(&acme).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].name.as_str(), listed[0].kept), ("acr password", at(2).at));
    let long = Secret::new("x".repeat(70_000));
    let refused = store.keep_secret(&acme, &at(3), "long", &long).await.unwrap_err();
    assert_eq!(refused.to_string(), "secret `long`: it is longer than 65536 bytes");
    assert!(store.delete_secret(&acme, &at(3), "acr password").await.unwrap());
    assert!(!store.delete_secret(&acme, &at(3), "acr password").await.unwrap());
    store.keep_secret(&acme, &at(4), "x", &secret).await.unwrap();
    store.delete_organisation(&acme).await.unwrap();
    assert_eq!(rows(&store, "secrets").await, 0);
    let shown = format!("{store:?} {secret:?} {listed:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("[1, 1, 1"), "{shown}");
}

pub(super) async fn need_their_key(store: &Store) {
    let acme = acme(store).await;
    let none = store.keep_secret(&acme, &at(1), "x", &Secret::new("y")).await.unwrap_err();
    assert_eq!(none.to_string(), "secret `x`: there is no key to seal and open secrets with");
    assert!(none.hint().is_some());
    with(store, 1, &[]).keep_secret(&acme, &at(1), "x", &Secret::new("y")).await.unwrap();
    assert!(matches!(store.secret(&acme, "x").await, Err(Error::Refused { .. })));
    let wrong = with(store, 2, &[]).secret(&acme, "x").await.unwrap_err();
    let id = Keyring::new(&[1; 32], &[]).id().to_owned();
    assert_eq!(
        wrong.to_string(),
        format!("secret `x`: it is sealed with the key {id}, which is not at hand")
    );
    assert!(wrong.hint().unwrap().starts_with("start with that key too"));
    assert!(with(store, 2, &[1]).secret(&acme, "x").await.unwrap().is_some());
}

pub(super) async fn are_sealed_anew_with_another_key(store: &Store) {
    let acme = acme(store).await;
    let old = with(store, 1, &[]);
    for number in 0..5 {
        let secret = Secret::new(format!("secret {number}"));
        old.keep_secret(&acme, &at(1), &format!("{number}"), &secret).await.unwrap();
    }
    assert_eq!(old.reseal().await.unwrap(), 0);
    assert!(with(store, 2, &[]).reseal().await.is_err(), "it cannot open them");
    assert_eq!(with(store, 2, &[1]).reseal().await.unwrap(), 5);
    assert_eq!(with(store, 2, &[1]).reseal().await.unwrap(), 0);
    let new = with(store, 2, &[]);
    for number in 0..5 {
        let secret = new.secret(&acme, &format!("{number}")).await.unwrap();
        assert_eq!(secret, Some(Secret::new(format!("secret {number}"))));
    }
    assert!(old.secret(&acme, "0").await.is_err());
}

pub(super) async fn cannot_be_moved(store: &Store) {
    let acme = acme(store).await;
    let store = with(store, 1, &[]);
    store.keep_secret(&acme, &at(1), "x", &Secret::new("y")).await.unwrap();
    let mut tx = store.db.write().await.unwrap();
    tx.run("UPDATE secrets SET name = $1", values!["z"]).await.unwrap();
    tx.commit().await.unwrap();
    let error = store.secret(&acme, "z").await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
}
