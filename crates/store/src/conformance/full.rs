//! A disk that is full, as far as SQLite is concerned: what is told, and that all is well again when
//! there is room.

use serde_json::json;

use super::kit::{acme, at, no_orphans};
use crate::db::Db;
use crate::{Error, Store};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_there_is_room_again_all_is_well_again() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite://{}", folder.path().join("store.db").display());
    let store = Store::open(&address).await.unwrap();
    let acme = acme(&store).await;
    let Db::Sqlite { writer, .. } = &store.db else { panic!("it is a file") };
    for round in 0..3 {
        // The connection that writes may make the file no longer than it is.
        sqlx::query("PRAGMA max_page_count = 1").execute(writer).await.unwrap();
        let long = json!("x".repeat(60_000));
        let full = store.set(&acme, &at(1), &format!("long {round}"), Some(&long)).await;
        assert!(matches!(full, Err(Error::Full { .. })), "{full:?}");
        // Another connection may.
        let name = format!("place {round}");
        store.create_environment(&acme, &at(2), &name).await.unwrap();
        store.set(&acme, &at(3), &format!("long {round}"), Some(&long)).await.unwrap();
    }
    assert_eq!(store.environments(&acme).await.unwrap().len(), 5);
    assert_eq!(store.settings(&acme).await.unwrap().len(), 3);
    no_orphans(&store).await;
    store.close().await;
}
