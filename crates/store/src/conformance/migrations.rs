//! Migrations: here the address matters, so each test opens the store anew.

use crate::db::values;
use crate::{Error, Store, migrations};

pub(super) async fn run_once_though_many_begin(store: &Store) {
    // The database is new to each of them but one.
    let mut tx = store.db.write().await.unwrap();
    tx.run("DROP TABLE jobs", vec![]).await.unwrap();
    tx.run("DROP TABLE schema_version", vec![]).await.unwrap();
    let tables = [
        "events",
        "deployments",
        "environments",
        "set_packages",
        "package_names",
        "packages",
        "image_sets",
        "package_sets",
        "inventories",
        "tags",
        "image_repositories",
        "images",
        "repositories",
        "organisations",
    ];
    for table in tables {
        tx.run(format!("DROP TABLE {table}"), vec![]).await.unwrap();
    }
    tx.commit().await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let db = store.db.clone();
            tokio::spawn(async move { migrations::run(&db).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let row = store.db.row("SELECT COUNT(*) AS rows FROM schema_version", vec![]).await.unwrap();
    assert_eq!(row.unwrap().int("rows").unwrap(), 1);
}

pub(super) async fn a_newer_database_is_refused(store: &Store) {
    let mut tx = store.db.write().await.unwrap();
    let newer = migrations::known() + 1;
    tx.run("UPDATE schema_version SET version = $1", values![newer]).await.unwrap();
    tx.commit().await.unwrap();
    let error = migrations::run(&store.db).await.unwrap_err();
    assert!(matches!(error, Error::Newer { .. }), "{error}");
    assert!(error.to_string().starts_with("database: it is of version"), "{error}");
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn addresses() {
    for address in ["", "mysql://x", "store.db", "postgres", "sqlite://"] {
        let error = Store::open(address).await.unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{address}: {error}");
    }
    let error = Store::open("postgres://ann:s3cret@[bad/x").await.unwrap_err();
    assert!(!error.to_string().contains("s3cret"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("file"), "this is no database, but long enough to be one")
        .unwrap();
    for name in ["file", "file/below"] {
        let address = format!("sqlite://{}", folder.path().join(name).display());
        let error = Store::open(&address).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    }
    let store = Store::open("sqlite::memory:").await.unwrap();
    store.create_organisation(&super::kit::at(0), "acme").await.unwrap();
    assert_eq!(store.organisations().await.unwrap().len(), 1);
}

/// What is there is there for the next one who opens it, in one file of its owner's alone.
#[tokio::test]
async fn a_file_keeps_what_it_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a folder/store.db");
    let address = format!("sqlite://{}", path.display());
    let store = Store::open(&address).await.unwrap();
    store.create_organisation(&super::kit::at(0), "acme").await.unwrap();
    let other = Store::open(&address).await.unwrap();
    assert_eq!(other.organisations().await.unwrap().len(), 1);
    store.close().await;
    other.close().await;
    assert_eq!(Store::open(&address).await.unwrap().organisations().await.unwrap().len(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs_err::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
