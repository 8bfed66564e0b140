//! Two laws: whoever holds everything that runs, and whoever asks the store about some names alone,
//! answer the same; and whoever holds it while another process deletes holds no more than whoever
//! comes later.

use std::path::Path;

use api::{Client, DeleteQuery, Pushing, Recording, Recordings, WhereQuery};
use model::{Distro, Inventory, Package, PackageKind, SourcePackage};
use store::Store;

use super::evaluate::install;
use super::inventory;
use crate::{Access, App, World, here, router};

/// Distribution, kind of evidence, name, versions, source, owner: what may be inside an image.
const SHELF: &str = "
    debian installed deb/debian/linux-image-6.1 1 2 source=linux-signed-amd64
    debian installed deb/debian/linux-libc-dev 1 2 source=linux
    debian installed deb/debian/libssl3 1 2 3 source=openssl
    debian installed deb/debian/openssl 1 2 3
    debian installed deb/debian/python3-six 1 2 source=six
    alpine installed apk/alpine/openssl 1 2 3
    - installed pypi/six 1 2 owner=pkg:deb/debian/python3-six@1
    - vendored pypi/six 1 2 3
    - installed npm/lodash 1 2 3 4
    - declared npm/lodash 2 3
    - installed npm/%40acme/lodash 1 2
    - installed golang/example.com/a/b v1.0.0 v2.0.0
";

const ADVICE: &str = "
    debian:12 linux CVE-1 <2 high
    debian:12 openssl CVE-2 <3 critical exploited
    alpine:3.20 openssl CVE-2 <2
    debian:12 six CVE-3 all low
    pypi six CVE-3 <3 medium
    npm lodash CVE-4 <4 high
    npm @acme/lodash CVE-5 all
    npm lodash CVE-6 <2 low
    golang example.com/a/b CVE-7 <2.0.0
";

const ASKED: &str = "
    CVE-1 cve-2 CVE-3 CVE-4 CVE-5 CVE-6 CVE-7 CVE-8
    linux linux-signed-amd64 linux-image-6.1 openssl OpenSSL libssl3 six lodash lodash@<3 lodash@2
    @acme/lodash b example.com/a/b nothing
    pkg:deb/debian/openssl pkg:npm/lodash@2 pkg:pypi/six pkg:pypi/six@<2 pkg:npm/nothing
";

/// Chance that can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

fn image(dice: &mut Dice) -> Inventory {
    let (id, version) = [("debian", "12"), ("alpine", "3.20.3")][dice.below(2)];
    let mut made = inventory(&[]);
    made.distro =
        Some(Distro { id: id.to_owned(), version: Some(version.to_owned()), ..Distro::default() });
    for line in SHELF.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if (words[0] != "-" && words[0] != id) || dice.below(2) == 0 {
            continue;
        }
        let versions: Vec<&&str> = words[3..].iter().filter(|it| !it.contains('=')).collect();
        let version = versions[dice.below(versions.len())];
        let mut package = Package::new(format!("pkg:{}@{version}", words[2]).parse().unwrap());
        package.kind = PackageKind::parse(words[1]).unwrap();
        for word in words[3..].iter().filter_map(|it| it.split_once('=')) {
            match word {
                // Where its owner is not there, nobody answers for it.
                ("owner", purl) => package.owner = Some(purl.parse().unwrap()),
                (_, name) => {
                    let (name, version) = (name.to_owned(), None);
                    package.source = Some(SourcePackage { name, version });
                }
            }
        }
        made.packages.push(package);
    }
    made.in_order()
}

async fn company(client: &Client, name: &str, dice: &mut Dice) {
    client.create_organisation(name).await.unwrap();
    for environment in ["production", "staging", "test"] {
        client.create_environment(name, environment).await.unwrap();
    }
    for number in 0..12 {
        let digest = format!("sha256:{number:064x}");
        // Some run before they are analysed, and some never are.
        if dice.below(6) > 0 {
            let inventory = image(dice);
            let image = Some(format!("acme/app{number}:v1"));
            let pushing = Pushing { image, platform: None, inventory };
            client.push(name, &digest, &pushing).await.unwrap();
        }
        for _ in 0..dice.below(4) {
            let recording = Recording {
                image: format!("acme/app{number}:v1"),
                digest: Some(digest.clone()),
                application: Some(format!("app{}", dice.below(9))),
                platform: None,
            };
            let sent = Recordings { recordings: vec![recording], source: None, create: false };
            let environment = ["production", "staging", "test"][dice.below(3)];
            client.record(name, environment, &sent).await.unwrap();
        }
    }
}

fn process(store: &Store, almanac: Option<&Path>) -> App {
    let access = Access::Local { name: "ann".to_owned() };
    let clock = std::sync::Arc::new(|| "2026-11-21T10:00:00Z".parse().unwrap());
    let world = World::new(almanac.map(Path::to_owned));
    App::new(store.clone(), world, access, super::reach(), clock)
}

/// What a process holds by now.
async fn held(app: &App, store: &Store) -> [usize; 4] {
    app.fleet.now(store).await.unwrap().ships().counts()
}

async fn deletions_reach_all(address: &str) {
    // Each process has connections of its own.
    let (here_store, there_store) =
        (Store::open(address).await.unwrap(), Store::open(address).await.unwrap());
    let (deleting, holding) = (process(&here_store, None), process(&there_store, None));
    let client = Client::new(here(router(deleting.clone())), None);
    let mut dice = Dice(3);
    for name in ["acme", "other"] {
        company(&client, name, &mut dice).await;
    }
    let acme = here_store.organisation("acme").await.unwrap().id;
    let image = here_store.unanalysed(&acme).await.unwrap()[0].digest.to_string();
    let mut before = held(&holding, &there_store).await;
    assert_eq!(before[0], 2);
    let everywhere = DeleteQuery { force: true };
    for what in ["an image that waits", "a repository", "an environment", "the rest"] {
        match what {
            "a repository" => {
                let mut gone = api::Deleted::default();
                for number in 0..12 {
                    let name = format!("acme/app{number}");
                    let done = client.delete_repository("acme", &name, everywhere).await;
                    gone.images += done.map(|it| it.images).unwrap_or_default();
                    if gone.images > 0 {
                        break;
                    }
                }
                assert_eq!(gone.images, 1);
            }
            "an environment" => client.delete_environment("acme", "staging").await.unwrap(),
            "the rest" => client.delete_organisation("acme").await.unwrap(),
            _ => assert!(client.delete_image("acme", &image, everywhere).await.unwrap().ended > 0),
        }
        let after = held(&holding, &there_store).await;
        let later = held(&process(&there_store, None), &there_store).await;
        assert_eq!(after, later, "{what}");
        assert_eq!(held(&deleting, &here_store).await, later, "{what}, by whoever deleted it");
        assert!(after != before, "{what}: {after:?}");
        before = after;
    }
    assert_eq!(before[0], 1);
    assert!(before[1] > 0 && before[2] > 0, "the other's are there: {before:?}");
}

#[tokio::test]
async fn what_another_process_deletes_is_not_held_any_longer() {
    let folder = tempfile::tempdir().unwrap();
    deletions_reach_all(&format!("sqlite://{}", folder.path().join("store.db").display())).await;
}

#[tokio::test]
async fn what_another_process_deletes_is_not_held_any_longer_on_a_server() {
    match testkit::Postgres::shared() {
        Some(server) => deletions_reach_all(&server.database()).await,
        None => println!("left out: PostgreSQL is not installed"),
    }
}

async fn agree(address: &str, seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let almanac = folder.path().join("almanac");
    install(&almanac, ADVICE);
    let store = Store::open(address).await.unwrap();
    let process = || process(&store, Some(&almanac));
    // It holds everything from the beginning, and keeps up.
    let whole = process();
    whole.keep_up().await.unwrap();
    let holding = Client::new(here(router(whole)), None);
    let mut dice = Dice(seed);
    for name in ["acme", "other"] {
        company(&holding, name, &mut dice).await;
    }
    let mut found = 0;
    for name in ["acme", "other"] {
        for what in ASKED.split_whitespace() {
            for environment in [None, Some("staging".to_owned())] {
                let query = WhereQuery {
                    what: Some(what.to_owned()),
                    environment,
                    limit: Some(2),
                    ..WhereQuery::default()
                };
                let asking = Client::new(here(router(process())), None);
                let expect = holding.whereabouts(name, &query).await.unwrap();
                let answer = asking.whereabouts(name, &query).await.unwrap();
                assert_eq!(answer, expect, "{name} {what}, by chance {seed}");
                found += answer.found.len();
            }
        }
    }
    assert!(found > 50, "there is something to be found: {found}");
}

#[tokio::test]
async fn who_holds_all_and_who_asks_for_some_agree() {
    for seed in 0..6 {
        let folder = tempfile::tempdir().unwrap();
        agree(&format!("sqlite://{}", folder.path().join("store.db").display()), seed).await;
    }
}

#[tokio::test]
async fn who_holds_all_and_who_asks_for_some_agree_on_a_server() {
    match testkit::Postgres::shared() {
        Some(server) => agree(&server.database(), 7).await,
        None => println!("left out: PostgreSQL is not installed"),
    }
}

/// One process holds everything; another writes, and what tells of it goes by its age before the first
/// one has read it.
#[tokio::test]
async fn what_went_before_it_was_read_is_missed_by_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite://{}", folder.path().join("store.db").display());
    let store = Store::open(&address).await.unwrap();
    let process = || {
        let access = Access::Local { name: "ann".to_owned() };
        let clock = std::sync::Arc::new(|| "2026-11-21T10:00:00Z".parse().unwrap());
        App::new(store.clone(), World::new(None), access, super::reach(), clock)
    };
    let client = |app: App| Client::new(here(router(app)), None);
    let whole = process();
    whole.keep_up().await.unwrap();
    let holding = client(whole.clone());
    holding.create_organisation("acme").await.unwrap();
    holding.create_environment("acme", "staging").await.unwrap();
    let query = WhereQuery { package: Some("lodash".to_owned()), ..WhereQuery::default() };
    assert!(holding.whereabouts("acme", &query).await.unwrap().found.is_empty());

    let digest = super::digest('1');
    let writing = client(process());
    let inventory = inventory(&["pkg:npm/lodash@1.0.0"]);
    let pushing = Pushing { image: None, platform: None, inventory };
    writing.push("acme", &digest, &pushing).await.unwrap();
    let recording = Recording {
        image: "acme/web:v1".to_owned(),
        digest: Some(digest),
        application: None,
        platform: None,
    };
    let sent = Recordings { recordings: vec![recording], source: None, create: false };
    writing.record("acme", "staging", &sent).await.unwrap();
    let acme = store.organisation("acme").await.unwrap().id;
    let late = "2027-11-21T10:00:00Z".parse().unwrap();
    let act = model::Act { who: "ann".to_owned(), origin: String::new(), at: late };
    let retention = store::Retention { events_before: Some(late), ..store::Retention::default() };
    assert!(store.expire(&acme, &act, &retention).await.unwrap().events > 3);

    let answer = holding.whereabouts("acme", &query).await.unwrap();
    assert_eq!((answer.found.len(), answer.found[0].images), (1, 1));
    assert_eq!(answer, client(process()).whereabouts("acme", &query).await.unwrap());
}
