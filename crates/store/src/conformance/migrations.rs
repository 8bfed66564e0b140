//! Migrations: here the address matters, so each test opens the store anew.

use std::time::Duration;

use crate::db::{Db, values};
use crate::{Error, Store, Together, migrations};

/// How long a test waits for what should not wait.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn a_newer_database_is_refused(store: &Store) {
    let mut tx = store.db.write().await.unwrap();
    let newer = migrations::known() + 1;
    tx.run("UPDATE schema_version SET version = $1", values![newer]).await.unwrap();
    tx.commit().await.unwrap();
    let error = migrations::run(&store.db).await.unwrap_err();
    assert!(matches!(error, Error::Newer { .. }), "{error}");
    assert!(error.to_string().starts_with("database: it is of version"), "{error}");
    assert!(error.hint().is_some());
    // Who was there before it came writes nothing that it could not read, and says why.
    let refused = store.create_organisation(&super::kit::at(0), "acme").await.unwrap_err();
    assert!(matches!(refused, Error::Newer { .. }), "{refused}");
    assert!(refused.hint().unwrap().starts_with("restart it with the newer version"));
    let together = Together::default();
    let refused = together.hold(store.create_organisation(&super::kit::at(0), "acme")).await;
    assert!(matches!(refused, Err(Error::Newer { .. })), "{refused:?}");
    drop(together);
    assert!(store.organisations().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_open_a_new_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    many_open(format!("sqlite://{}", folder.path().join("store.db").display())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_open_a_new_database_at_once() {
    match testkit::Postgres::shared() {
        Some(server) => many_open(server.database()).await,
        None => super::left_out(),
    }
}

/// As many processes do, each with connections of its own; and each can write at once.
async fn many_open(address: String) {
    let tasks: Vec<_> = (0..12)
        .map(|number| {
            let address = address.clone();
            tokio::spawn(async move {
                let store = Store::open(&address).await.unwrap();
                let name = format!("company {number}");
                store.create_organisation(&super::kit::at(0), &name).await.unwrap();
                store.close().await;
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let store = Store::open(&address).await.unwrap();
    assert_eq!(store.organisations().await.unwrap().len(), 12);
    assert_eq!(super::kit::rows(&store, "schema_version").await, 1);
}

#[tokio::test]
async fn who_opens_a_file_waits_for_nobody() {
    let folder = tempfile::tempdir().unwrap();
    opens_meanwhile(&format!("sqlite://{}", folder.path().join("store.db").display())).await;
}

#[tokio::test]
async fn who_opens_a_database_waits_for_nobody() {
    match testkit::Postgres::shared() {
        Some(server) => opens_meanwhile(&server.database()).await,
        None => super::left_out(),
    }
}

/// Where nothing is to be done to it, neither who rebuilds nor who writes keeps others from opening.
async fn opens_meanwhile(address: &str) {
    let store = Store::open(address).await.unwrap();
    for alone in [true, false] {
        let db = &store.db;
        let under_way = if alone { db.rebuild().await } else { db.write().await }.unwrap();
        for made in [true, false] {
            let opening = async {
                if made { Store::open_made(address).await } else { Store::open(address).await }
            };
            let opened = tokio::time::timeout(PATIENCE, opening).await;
            opened.expect("nobody waits").unwrap().close().await;
        }
        under_way.commit().await.unwrap();
    }
}

/// Whoever gives up while somebody rebuilds, holds nothing any more when that is done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gives_up_holds_nothing() {
    let Some(server) = testkit::Postgres::shared() else {
        super::left_out();
        return;
    };
    let address = server.database();
    let (store, other) =
        (Store::open(&address).await.unwrap(), Store::open(&address).await.unwrap());
    let alone = other.db.rebuild().await.unwrap();
    for given_up in 0..3 {
        let act = super::kit::at(0);
        let waiting = async {
            let sql = "SELECT COUNT(*) AS waiting FROM pg_locks l
                       JOIN pg_database d ON d.oid = l.database
                       WHERE l.locktype = 'advisory' AND NOT l.granted
                       AND d.datname = current_database()";
            while other.db.row(sql, vec![]).await.unwrap().unwrap().int("waiting").unwrap()
                <= given_up
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            done = store.create_organisation(&act, "acme") => panic!("{done:?}"),
            () = waiting => {}
        }
    }
    alone.commit().await.unwrap();
    let alone = tokio::time::timeout(PATIENCE, other.db.rebuild()).await;
    alone.expect("nobody holds anything").unwrap().commit().await.unwrap();
    store.create_organisation(&super::kit::at(0), "acme").await.unwrap();
    assert_eq!(store.organisations().await.unwrap().len(), 1);
}

/// Whoever is refused what they wait for leaves a connection that others can use.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_too_long_does_no_harm() {
    let Some(server) = testkit::Postgres::shared() else {
        super::left_out();
        return;
    };
    let address = server.database();
    let other = Store::open(&address).await.unwrap();
    let store = Store::open(&format!("{address}&options[lock_timeout]=20ms")).await.unwrap();
    let act = super::kit::at(0);
    let alone = other.db.rebuild().await.unwrap();
    for _ in 0..12 {
        let error = store.create_organisation(&act, "acme").await.unwrap_err();
        assert!(error.to_string().contains("lock timeout"), "{error}");
    }
    alone.commit().await.unwrap();
    for number in 0..12 {
        store.create_organisation(&act, &format!("company {number}")).await.unwrap();
    }
    // Nor does who gave up while they began to read.
    let reading = async || {
        let Db::Postgres { pool, .. } = &store.db else { panic!("it is a server") };
        let mut connection = pool.acquire().await.unwrap();
        let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        sqlx::raw_sql(sql).execute(&mut *connection).await.unwrap();
    };
    futures_util::future::join_all((0..4).map(|_| reading())).await;
    for number in 12..24 {
        store.create_organisation(&act, &format!("company {number}")).await.unwrap();
    }
}

/// Whoever wants one that was made before makes none by a slip of the pen.
#[tokio::test]
async fn what_was_never_made_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    fs_err::write(folder.path().join("empty"), "").unwrap();
    let mut addresses = vec![path("typo.db"), path("a folder/typo.db"), path("empty")];
    addresses.extend(testkit::Postgres::shared().map(testkit::Postgres::database));
    for address in &addresses {
        for _ in 0..2 {
            let error = Store::open_made(address).await.unwrap_err();
            assert!(error.to_string().ends_with(": there is none"), "{address}: {error}");
            assert!(error.hint().is_some(), "{address}");
        }
    }
    assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 1, "nothing was made");
    // What is there stays as it was, but that SQLite says in an empty file how it writes there.
    for address in addresses.iter().skip(2) {
        let db = Db::open(address).await.unwrap();
        let catalogue = if db.is_file() {
            "SELECT name FROM sqlite_schema"
        } else {
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        };
        assert!(db.rows(catalogue, vec![]).await.unwrap().is_empty(), "{address}");
        db.close().await;
    }
    addresses.push(path("made"));
    for address in addresses {
        Store::open(&address).await.unwrap().close().await;
        Store::open_made(&address).await.unwrap().close().await;
    }
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
