//! Backup and restore, and the doctor.

use model::{Holder, Role, Scope, Secret, Source};
use serde_json::json;

use super::in_use;
use super::kit::{acme, amd64, at, digest, image, inventory, no_orphans, rows, within};
use super::runtimes::snapshot;
use super::telling;
use crate::backup::TABLES;
use crate::db::{Db, values};
use crate::{
    Counts, Error, Keyring, NewIntegration, NewJob, NewNotice, NewToken, Page, Recollection,
    Sought, Store, When,
};

/// Something in every table.
async fn filled(store: &Store) -> Store {
    let store = store.clone().with_keys(Keyring::new(&[1; 32], &[]));
    let acme = acme(&store).await;
    let ann = store.create_user(&at(0), "änn", &Secret::new("x")).await.unwrap();
    store.put_member(&acme, &at(0), &ann.id, Role::Owner).await.unwrap();
    store.start_session(&at(1), &ann.id, &[1; 32], at(60).at).await.unwrap();
    for (number, holder) in
        [Holder::User(ann.id.clone()), Holder::Organisation(acme.clone())].iter().enumerate()
    {
        let hash = [u8::try_from(number).unwrap(); 32];
        let (name, prefix) = ("t".to_owned(), "p".to_owned());
        let token = NewToken { name, hash, prefix, scope: Scope::Read, expires: None };
        store.create_token(&at(1), holder, &token).await.unwrap();
        store.begin_request(holder, "key", &[1; 32], at(1).at).await.unwrap();
    }
    store.invite(&acme, &at(1), &[3; 32], Role::Member, at(60).at).await.unwrap();
    store.offer_reset(&at(1), &ann.id, &[4; 32], at(60).at).await.unwrap();
    store.set(&acme, &at(1), "x", Some(&json!("\"\n\u{1}"))).await.unwrap();
    store.keep_secret(&acme, &at(1), "x", &Secret::new("hunter2")).await.unwrap();
    store.enable_repository(&acme, &at(1), "docker.io/acme/web", true).await.unwrap();
    // More than goes into one statement.
    let base: Vec<String> = (0..700).map(|it| format!("pkg:deb/debian/p{it}@1")).collect();
    let base: Vec<&str> = base.iter().map(String::as_str).collect();
    for number in 1..4 {
        let own = format!("pkg:npm/own{number}@1");
        let kept = inventory(number, &base, &[&own]);
        let web = image("acme/web:v1", number);
        let seen = Some("docker.io/acme/web");
        store.keep_inventory(&acme, &at(1), &digest(number), &amd64(), seen, &kept).await.unwrap();
        store.record(&acme, &at(2), "production", &Source::Cli, &web).await.unwrap();
    }
    store.delete_image(&acme, &at(3), &digest(1)).await.unwrap();
    let said = snapshot(3, "a", "staging: shop/web=acme/web:v1@2 shop/jobs=@9");
    store.snap(&acme, &at(3), "eu1", &said).await.unwrap();
    store.point_tag(&acme, &at(2), "docker.io/acme/web", "v1", &amd64(), &digest(2)).await.unwrap();
    let counts = [("production".to_owned(), Counts { critical: 1, ..Counts::default() })];
    store.count(&acme, at(3).at, "a", &counts).await.unwrap();
    in_use::fill(&store, &acme, "x").await;
    store.evaluated(&acme, &at(3), None, "a", &[]).await.unwrap();
    super::schedules::put(&store, &acme, "x", "production", 10).await;
    super::policies::fill(&store, &acme, "x", "production").await;
    super::exceptions::put(&store, &acme, "x", &["production"], Some(10)).await;
    store.feed_is(&acme, &at(3), "osv", true, json!({})).await.unwrap();
    super::bases::learn(&store, &acme, "x").await;
    let integration = NewIntegration {
        kind: "oci",
        name: "x",
        settings: &[("registry".to_owned(), "x".to_owned())],
        secrets: &[("password".to_owned(), Secret::new("x"))],
        unset: &[],
        address: &[],
        scope: &[],
        proof: None,
        hook: (&[7; 32], &Secret::new("x")),
    };
    let (made, _) = store.put_integration(&acme, &at(1), &integration).await.unwrap();
    let told = NewNotice {
        id: "x".to_owned(),
        is_unique: true,
        about: "x".to_owned(),
        repository: Some("x".to_owned()),
        payload: json!("x"),
        trouble: None,
    };
    let hearing = NewJob {
        kind: "hear".to_owned(),
        payload: json!({ "organisation": &acme, "integration": made.id }),
        key: Some(made.id.clone()),
        asked: at(1).at,
        ready: at(1).at,
        attempts: 3,
    };
    store.hear(&made, at(1).at, &[told], &hearing).await.unwrap();
    store.watched(&made, "x", "x", "x", &digest(1)).await.unwrap();
    store.watched_image(&made, &digest(1)).await.unwrap();
    store.watch_begins(&made, &[("x", "x")]).await.unwrap();
    telling::channel(&store, &acme, "ops").await;
    let rule = telling::rule(&store, &acme, "x", "ops").await;
    let remembered = Recollection { rule: rule.id.clone(), what: "x".to_owned(), severity: 1 };
    let message = telling::message(&rule, "x", 1);
    assert!(telling::tell(&store, &acme, 1, &[message], &[remembered]).await);
    let job = NewJob {
        kind: "analyze".to_owned(),
        payload: json!({}),
        key: Some("x".to_owned()),
        asked: at(4).at,
        ready: at(4).at,
        attempts: 3,
    };
    store.enqueue(&job).await.unwrap();
    store
}

async fn written(store: &Store) -> Vec<u8> {
    let mut document = Vec::new();
    let told = store.backup(&mut document).await.unwrap();
    let mut there = 0;
    for table in TABLES {
        there += rows(store, table.name).await;
    }
    assert_eq!(i64::try_from(told), Ok(there));
    document
}

/// Every table of the database is in a backup with every column, but for what is its own.
/// What a database has by itself, or what follows from the rest.
const OF_ITS_OWN: [&str; 7] = [
    "schema_version.version",
    "turns.now",
    "events.turn",
    "told_until.organisation",
    "told_until.cursor",
    "environments.running",
    "deployments.analysed",
];

pub(super) async fn has_every_table_and_column(store: &Store) {
    let sql = match &store.db {
        Db::Sqlite { .. } => {
            "SELECT t.name || '.' || c.name AS it FROM sqlite_master t, pragma_table_info(t.name) c
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'"
        }
        Db::Postgres { .. } => {
            "SELECT table_name || '.' || column_name AS it FROM information_schema.columns
             WHERE table_schema = 'public'"
        }
    };
    let found = store.db.rows(sql, vec![]).await.unwrap();
    let mut found: Vec<String> = found.iter().map(|it| it.text("it").unwrap()).collect();
    found.retain(|it| !OF_ITS_OWN.contains(&&**it));
    found.sort();
    let mut told: Vec<String> = TABLES
        .iter()
        .flat_map(|table| table.columns().map(|(name, _)| format!("{}.{name}", table.name)))
        .collect();
    told.sort();
    assert_eq!(told, found);
}

pub(super) async fn is_restored_into_either_database(store: &Store) {
    let store = filled(store).await;
    for table in TABLES {
        assert!(rows(&store, table.name).await > 0, "{} is left out of this test", table.name);
    }
    let document = written(&store).await;
    let shown = zstd::decode_all(&document[..]).unwrap();
    assert!(!String::from_utf8_lossy(&shown).contains("hunter2"));

    let folder = tempfile::tempdir().unwrap();
    let mut addresses = vec![format!("sqlite://{}", folder.path().join("other.db").display())];
    match testkit::Postgres::shared() {
        Some(server) => addresses.push(server.database()),
        None => super::left_out(),
    }
    for address in addresses {
        let other = Store::open(&address).await.unwrap();
        let restored = other.restore(&document[..]).await.unwrap();
        assert_eq!(usize::try_from(restored.rows), Ok(lines(&shown)));
        assert_eq!(written(&other).await, document, "byte by byte");
        no_orphans(&other).await;
        // It lives on: numbers and turns go on, and secrets open.
        let other = other.with_keys(Keyring::new(&[1; 32], &[]));
        let acme = other.organisation("acme").await.unwrap().id;
        let secret = other.secret(&acme, "x").await.unwrap();
        assert_eq!(secret, Some(Secret::new("hunter2")));
        let kept = inventory(9, &["pkg:npm/new@1"], &[]);
        let begin = other.changes_begin().await.unwrap();
        other.keep_inventory(&acme, &at(9), &digest(9), &amd64(), None, &kept).await.unwrap();
        assert_eq!(other.changes_since(None, &begin, 9).await.unwrap().events.len(), 1);
        let new = Sought::Named("new".to_owned());
        assert_eq!(other.known_packages(&acme, &new).await.unwrap().len(), 1);
        let page = Page::first(10);
        let selection = within("production");
        for when in [When::Now, When::Ever] {
            assert_eq!(
                other.deployments(&acme, &selection, when, &page).await.unwrap(),
                store.deployments(&acme, &selection, when, &page).await.unwrap(),
            );
        }
        let full = other.restore(&document[..]).await.unwrap_err();
        assert_eq!(full.to_string(), "database: it is not empty: there are organisations");
        assert_eq!(full.hint().as_deref(), Some("restore into a new database"));
        other.close().await;
    }
}

/// Rows of a document that was inflated.
fn lines(document: &[u8]) -> usize {
    document.split(|it| *it == b'\n').filter(|it| it.first() == Some(&b'[')).count()
}

pub(super) async fn a_damaged_one_changes_nothing(store: &Store) {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite://{}", folder.path().join("full.db").display());
    let full = Store::open(&address).await.unwrap();
    let document = written(&filled(&full).await).await;
    full.close().await;
    let mut cut = 0;
    while cut < document.len() {
        let error = store.restore(&document[..cut]).await.unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{cut}: {error}");
        cut += document.len() / 20;
    }
    let error = store.restore(&document[..document.len() - 1]).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    let error = store.restore(&[&document[..], b"x"].concat()[..]).await.unwrap_err();
    assert_eq!(error.to_string(), "backup: it goes on behind its end");

    // What is inside may be wrong too, though the frame is whole.
    let text = String::from_utf8(zstd::decode_all(&document[..]).unwrap()).unwrap();
    for (from, to, expect) in [
        ("foretop-backup", "else", "it does not begin as a backup of ours does"),
        ("acme", "emca", "it is not what was written"),
        ("\"table\":\"users\"", "\"table\":\"usres\"", "it has an unknown table"),
        ("\"created_at\"", "\"; DROP\"", "it has an unknown column"),
        ("linux/amd64\",\"analysed\"", "linux/amd64\",1", "a value is not of its column's kind"),
        ("{\"rows\":", "{\"rowing\":", "a line is neither a row nor a table"),
        ("[\"organisation", "[\"no\"]\n[\"organisation", "a line is neither a row nor a table"),
    ] {
        assert!(text.contains(from), "{from}");
        let bad = zstd::encode_all(text.replacen(from, to, 1).as_bytes(), 1).unwrap();
        let error = store.restore(&bad[..]).await.unwrap_err();
        assert_eq!(error.to_string(), format!("backup: {expect}"), "{from}");
    }
    let newer = text.replacen("\"version\":1", "\"version\":2", 1);
    let newer = zstd::encode_all(newer.as_bytes(), 1).unwrap();
    let error = store.restore(&newer[..]).await.unwrap_err();
    assert_eq!(error.to_string(), "backup: it was made by a newer version of this program");
    // A row that leans on nothing, and one that is there twice.
    let end = text.trim_end().rfind('\n').unwrap();
    for (row, expect) in [
        ("[\"x\",\"nobody\",1,\"\",\"\",\"expired\",null,null,\"\",\"{}\"]", "leans on one"),
        (text[..end].rsplit_once('\n').unwrap().1, "a row is there twice"),
    ] {
        let at = if expect.starts_with('a') {
            end
        } else {
            text.rfind("{\"table\":\"jobs\"").unwrap() - 1
        };
        let bad = format!("{}\n{row}{}", &text[..at], &text[at..]);
        let bad = zstd::encode_all(bad.as_bytes(), 1).unwrap();
        let error = store.restore(&bad[..]).await.unwrap_err();
        assert!(error.to_string().contains(expect), "{error}");
    }
    for table in TABLES {
        assert_eq!(rows(store, table.name).await, 0, "{}", table.name);
    }
    store.restore(&document[..]).await.unwrap();
}

fn troubles(checks: Vec<crate::Check>) -> Vec<(String, String)> {
    let told = |it: crate::Check| Some((it.name, it.trouble?.what));
    checks.into_iter().filter_map(told).collect()
}

pub(super) async fn a_doctor_finds_what_is_wrong(store: &Store) {
    let well = store.doctor(at(0).at).await;
    assert!(well.len() >= 9);
    assert_eq!(troubles(well), []);
    let store = filled(store).await;
    let acme = store.organisation("acme").await.unwrap().id;
    assert_eq!(troubles(store.doctor(at(10).at).await), []);
    let waiting = image("acme/new:v1", 8);
    store.record(&acme, &at(10), "production", &Source::Cli, &waiting).await.unwrap();
    let keyless = Store { keyring: None, ..store.clone() };
    let found = troubles(keyless.doctor(at(100).at).await);
    let expect = [
        ("no work is stuck", "2 jobs wait, and nobody does them"),
        ("what is to be told is told", "1 messages wait for more than an hour to be told"),
        ("images are read", "1 images wait for more than an hour to be read"),
        ("secrets can be opened", "4 are sealed with a key that is not at hand"),
    ];
    assert_eq!(found, expect.map(|(name, what)| (name.to_owned(), what.to_owned())));
    let clock = troubles(store.doctor(at(5).at).await);
    assert_eq!(clock.len(), 1);
    assert!(clock[0].1.starts_with("it is 2026-11-21T00:05:00Z here"), "{clock:?}");
    for _ in 0..3 {
        let now = at(1000).at.plus_seconds(100_000);
        let job = store.claim_jobs(&["analyze"], now, 1, 1).await.unwrap().remove(0);
        store.fail_job(&job, at(10).at, "no such registry").await.unwrap();
    }
    let dead = troubles(store.doctor(at(11).at).await);
    let expect = "1 jobs failed for good, last `analyze`: no such registry";
    assert_eq!(dead, [("no work was given up".to_owned(), expect.to_owned())]);
    let mut tx = store.db.write().await.unwrap();
    let sql = "INSERT INTO packages (hash, purl) VALUES ($1, $1)";
    tx.run(sql, values!["x"]).await.unwrap();
    tx.commit().await.unwrap();
    let found = troubles(store.doctor(at(11).at).await);
    let expect = "1 packages of no set, 1 packages that matching cannot read";
    assert_eq!(found[0], ("nothing is left over".to_owned(), expect.to_owned()));
    assert_eq!(store.mend().await.unwrap(), 1, "one row, of which two things are amiss");
    assert_eq!(store.revive_jobs(at(11).at).await.unwrap(), 1);
    let found = troubles(store.doctor(at(11).at).await);
    assert!(found.is_empty(), "{found:?}");
    let closed = Store::open("sqlite::memory:").await.unwrap();
    closed.close().await;
    let checks = closed.doctor(at(11).at).await;
    assert_eq!((checks.len(), checks[0].trouble.is_some()), (1, true), "it does not answer");
}
