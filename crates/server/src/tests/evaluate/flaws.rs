//! All that is wrong with what runs, as it is asked for: flaw by flaw, package by package, image by image.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::{
    Client, Excepting, FlawsQuery, PackageVersionsQuery, PackagesQuery, Pushing, Recording,
    Recordings, RunningImagesQuery,
};
use model::{Act, Digest, Distro, Loaded, Profile, SourcePackage};
use serde_json::json;
use store::{Container, RunsIn, Snapshot, Workload};

use super::{House, RUNS};
use crate::tests::{digest, inventory};
use crate::{here, router};

const ALMANAC: &str = "
    npm lodash CVE-1 <4.17.21 high exploited epss=0.9
    npm lodash CVE-2 <4.17.5 low epss=0.2
    npm left-pad CVE-3 all critical
    npm other CVE-4 all critical
";

async fn house() -> House {
    let house = House::new();
    house.company("acme", RUNS).await;
    house.install(ALMANAC);
    house
}

/// Flaws, a line each, of all that are meant.
#[track_caller]
fn lines(flaws: &api::Flaws) -> String {
    let line = |it: &api::RunningFlaw| {
        let packages = it.packages.iter().map(|it| {
            let fixed = it.fixed.as_deref().unwrap_or("-");
            format!("{} {} {fixed}", it.name, it.version)
        });
        let places = it.environments.iter().map(|it| format!("{} {}", it.name, it.images));
        let exploited = if it.exploited { " exploited" } else { "" };
        format!(
            "{} {}{exploited} [{}] {}: {}",
            it.id,
            it.severity,
            packages.collect::<Vec<_>>().join(", "),
            it.images,
            places.collect::<Vec<_>>().join(", ")
        )
    };
    flaws.items.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn flaws_are_told_once_the_worst_first() {
    let house = house().await;
    let client = house.client().await;
    let all = client.flaws("acme", &FlawsQuery::default()).await.unwrap();
    let first = "CVE-3 critical [left-pad 1.0.0 -] 1: production 1";
    let second = "CVE-1 high exploited [lodash 4.17.4 4.17.21] 2: production 2, staging 1";
    let third = "CVE-2 low [lodash 4.17.4 4.17.5] 2: production 2, staging 1";
    assert_eq!(lines(&all), [first, second, third].join("\n"));
    assert_eq!((all.total, all.basis.images, all.basis.pending), (3, 3, 0));
    assert!(all.basis.counted.is_some());
    let check = async |query: FlawsQuery, expect: &[&str]| {
        let told = client.flaws("acme", &query).await.unwrap();
        let lines = lines(&told);
        let ids: Vec<&str> = lines.lines().filter_map(|it| it.split(' ').next()).collect();
        assert_eq!(ids, expect, "{query:?}");
        assert_eq!(told.total, expect.len() as u64, "{query:?}");
    };
    let text = |it: &str| Some(it.to_owned());
    let any = FlawsQuery::default;
    check(FlawsQuery { severity: text("high,low"), ..any() }, &["CVE-1", "CVE-2"]).await;
    check(FlawsQuery { epss: Some(0.5), ..any() }, &["CVE-1"]).await;
    check(FlawsQuery { epss: Some(0.2), ..any() }, &["CVE-1", "CVE-2"]).await;
    check(FlawsQuery { exploited: true, ..any() }, &["CVE-1"]).await;
    check(FlawsQuery { fixable: true, ..any() }, &["CVE-1", "CVE-2"]).await;
    // Nobody looked what is loaded: of none it is known that it is not.
    check(FlawsQuery { in_use: true, ..any() }, &["CVE-3", "CVE-1", "CVE-2"]).await;
    check(FlawsQuery { environment: text("staging"), ..any() }, &["CVE-1", "CVE-2"]).await;
    check(FlawsQuery { text: text("PAD"), ..any() }, &["CVE-3"]).await;
    check(FlawsQuery { text: text("cve-2"), ..any() }, &["CVE-2"]).await;
    check(FlawsQuery { text: text("nothing"), ..any() }, &[]).await;
    check(FlawsQuery { sort: text("flaw"), ..any() }, &["CVE-1", "CVE-2", "CVE-3"]).await;
    check(FlawsQuery { sort: text("-epss"), ..any() }, &["CVE-1", "CVE-2", "CVE-3"]).await;
    check(FlawsQuery { sort: text("severity"), ..any() }, &["CVE-2", "CVE-1", "CVE-3"]).await;
    check(FlawsQuery { sort: text("-images"), ..any() }, &["CVE-1", "CVE-2", "CVE-3"]).await;
    for bad in [
        FlawsQuery { severity: text("bad"), ..any() },
        FlawsQuery { epss: Some(2.0), ..any() },
        FlawsQuery { sort: text("colour"), ..any() },
        FlawsQuery { after: text("x"), ..any() },
        FlawsQuery { environment: text("nowhere"), ..any() },
        FlawsQuery { limit: Some(0), ..any() },
    ] {
        let error = client.flaws("acme", &bad).await.unwrap_err();
        assert!(error.problem().is_some_and(|it| it.status < 500), "{bad:?}: {error}");
    }
}

#[tokio::test]
async fn some_images_are_named_where_they_are_asked_for() {
    let house = house().await;
    for digit in ['4', '5', '6'] {
        house.run("acme", &format!("production {digit} npm/lodash@4.17.4")).await;
    }
    let client = house.client().await;
    let named = async |environment: Option<&str>, images: bool, id: &str| {
        let environment = environment.map(str::to_owned);
        let query = FlawsQuery { environment, images, ..FlawsQuery::default() };
        let told = client.flaws("acme", &query).await.unwrap();
        let it = told.items.iter().find(|it| it.id == id).unwrap();
        (it.images, it.some_images.clone())
    };
    let production = Some("production");
    assert_eq!(named(production, true, "CVE-3").await, (1, vec![digest('1')]));
    // Some are named, and all are counted.
    let (count, some) = named(production, true, "CVE-1").await;
    assert_eq!((count, some.len()), (5, 3), "{some:?}");
    let there = ['1', '2', '4', '5', '6'].map(digest);
    assert!(some.iter().all(|it| there.contains(it)), "{some:?}");
    // Those are of an environment: where none is meant, or nobody asks, none is named.
    assert_eq!(named(Some("staging"), true, "CVE-1").await, (1, vec![digest('2')]));
    assert_eq!(named(production, false, "CVE-1").await, (5, Vec::new()));
    assert_eq!(named(None, true, "CVE-1").await.1, Vec::<String>::new());
}

#[tokio::test]
async fn the_first_count_of_many_images_is_not_waited_for() {
    let house = house().await;
    let recording = |number: u32| Recording {
        image: format!("acme/many{number}:v1"),
        digest: Some(format!("sha256:{number:064x}")),
        application: None,
        platform: None,
    };
    let recordings = (0..100).map(recording).collect();
    let sent = Recordings { recordings, source: None, create: false };
    house.client().await.record("acme", "staging", &sent).await.unwrap();
    let app = house.app().await;
    let client = Client::new(here(router(app.clone())), None);
    // Nobody judges anything while all cores are taken.
    let cores = u32::try_from(app.cores.available_permits()).unwrap();
    let taken = Arc::clone(&app.cores).acquire_many_owned(cores).await.unwrap();
    let began = Instant::now();
    let told = client.flaws("acme", &FlawsQuery::default()).await.unwrap();
    assert!(told.basis.counted.is_none() && told.items.is_empty(), "{told:?}");
    // For few images people wait five seconds.
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    drop(taken);
    let mut told = told;
    while told.basis.counted.is_none() {
        told = client.flaws("acme", &FlawsQuery::default()).await.unwrap();
    }
    assert_eq!((told.total, told.basis.images, told.basis.pending), (3, 103, 100));
}

#[tokio::test]
async fn parts_of_the_list_follow_each_other() {
    let house = house().await;
    let client = house.client().await;
    let (mut after, mut ids) = (None, Vec::new());
    loop {
        let query = FlawsQuery { limit: Some(1), after, ..FlawsQuery::default() };
        let part = client.flaws("acme", &query).await.unwrap();
        assert!(part.items.len() == 1 && part.total == 3, "{part:?}");
        ids.extend(part.items.into_iter().map(|it| it.id));
        after = part.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(ids, ["CVE-3", "CVE-1", "CVE-2"]);
    let beyond = FlawsQuery { after: Some("999".to_owned()), ..FlawsQuery::default() };
    let part = client.flaws("acme", &beyond).await.unwrap();
    assert!(part.items.is_empty() && part.next.is_none(), "{part:?}");
}

#[tokio::test]
async fn what_changes_is_in_the_list_before_long() {
    let house = house().await;
    let client = house.client().await;
    let ids = async |expect: &[&str]| {
        // Whoever asks is told what was known before, if counting takes longer than he should wait.
        for _ in 0..600 {
            let told = client.flaws("acme", &FlawsQuery::default()).await.unwrap();
            let ids: Vec<&str> = told.items.iter().map(|it| &*it.id).collect();
            if ids == expect {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("it is never told: {expect:?}");
    };
    ids(&["CVE-3", "CVE-1", "CVE-2"]).await;
    let excepting = json!({ "flaws": ["CVE-1"], "kind": "accepted-risk" });
    let excepting: Excepting = serde_json::from_value(excepting).unwrap();
    client.put_exception("acme", "old", &excepting).await.unwrap();
    ids(&["CVE-3", "CVE-2"]).await;
    client.delete_exception("acme", "old").await.unwrap();
    ids(&["CVE-3", "CVE-1", "CVE-2"]).await;
    house.run("acme", "staging 4 npm/other@1.0.0").await;
    ids(&["CVE-3", "CVE-4", "CVE-1", "CVE-2"]).await;
}

#[tokio::test]
async fn what_is_not_analysed_is_no_nought() {
    let house = house().await;
    house.run("acme", "staging 5").await;
    let client = house.client().await;
    let all = client.flaws("acme", &FlawsQuery::default()).await.unwrap();
    assert_eq!((all.basis.images, all.basis.pending), (4, 1));
    let query = RunningImagesQuery::default();
    let told = client.running_images("acme", "staging", &query).await.unwrap();
    let shown: Vec<String> = told
        .items
        .iter()
        .map(|it| {
            let found = it.found.as_ref();
            let counts = found.map(|it| format!("{} {} {}", it.high, it.low, it.exploited));
            format!("{} {}", &it.digest[7..8], counts.as_deref().unwrap_or("cannot tell"))
        })
        .collect();
    assert_eq!(shown, ["2 1 1 1", "3 0 0 0", "5 cannot tell"]);
    let query = RunningImagesQuery {
        digests: Some([digest('3'), digest('9')].join(",")),
        ..RunningImagesQuery::default()
    };
    let told = client.running_images("acme", "staging", &query).await.unwrap();
    assert_eq!(told.items.len(), 1, "{told:?}");
    let bad = RunningImagesQuery { digests: Some("x".to_owned()), ..query };
    assert!(client.running_images("acme", "staging", &bad).await.is_err());
}

#[tokio::test]
async fn all_that_a_source_is_built_into_has_its_flaws() {
    let house = House::new();
    house.company("acme", "").await;
    house.install("debian:12 boost CVE-1 all high");
    let purls = (0..90).map(|it| format!("pkg:deb/debian/libboost-{it}@1?distro=debian-12"));
    let purls: Vec<String> = purls.collect();
    let mut inventory = inventory(&purls.iter().map(String::as_str).collect::<Vec<_>>());
    let version = Some("12".to_owned());
    inventory.distro = Some(Distro { id: "debian".to_owned(), version, ..Distro::default() });
    for it in &mut inventory.packages {
        it.source = Some(SourcePackage { name: "boost".to_owned(), version: None });
    }
    let pushing = Pushing { image: None, platform: None, inventory: inventory.in_order() };
    let client = house.client().await;
    client.push("acme", &digest('7'), &pushing).await.unwrap();
    house.run("acme", "staging 7").await;
    let told = client.packages("acme", &PackagesQuery::default()).await.unwrap();
    let flawed = told.items.iter().filter(|it| it.flaws == Some(1));
    assert_eq!((told.items.len(), flawed.count()), (90, 90));
}

#[tokio::test]
async fn packages_are_sorted_by_what_is_wrong_with_them() {
    let house = House::new();
    let runs = "production 1 npm/zod@1.0.0 npm/left-pad@1.0.0 npm/lodash@4.17.4 npm/acorn@1.0.0
                staging 2 npm/lodash@4.17.20 npm/other@1.0.0 npm/chalk@1.0.0";
    house.company("acme", runs).await;
    house.install(&format!("{ALMANAC}npm other CVE-5 all critical exploited"));
    let client = house.client().await;
    let check = async |sort: &str, expect: &str| {
        for limit in 1..8 {
            let (mut told, mut after) = (Vec::new(), None);
            loop {
                let (sort, limit) = (Some(sort.to_owned()), Some(limit));
                let query = PackagesQuery { sort, after, limit, ..PackagesQuery::default() };
                let part = client.packages("acme", &query).await.unwrap();
                assert!(part.items.len() <= limit.unwrap() as usize);
                told.extend(part.items.into_iter().map(|it| it.name));
                after = part.next;
                if after.is_none() || told.len() > 9 {
                    break;
                }
            }
            assert_eq!(told.join(" "), expect, "{sort}, {limit} at once");
        }
    };
    check("package", "acorn chalk left-pad lodash other zod").await;
    check("-package", "zod other lodash left-pad chalk acorn").await;
    // Of what is critical, what is used in attacks is worse.
    check("-worst", "other left-pad lodash acorn chalk zod").await;
    check("worst", "acorn chalk zod lodash left-pad other").await;
    check("-flaws", "other lodash left-pad acorn chalk zod").await;
    check("flaws", "acorn chalk zod left-pad lodash other").await;
}

#[tokio::test]
async fn packages_are_leafed_through() {
    let house = house().await;
    house.company("other", "production 7 npm/secret@1.0.0").await;
    let client = house.client().await;
    let check = async |query: PackagesQuery, expect: &[&str]| {
        let told = client.packages("acme", &query).await.unwrap();
        let line = |it: &api::PackageSpread| {
            let places = it.environments.iter().map(|it| format!("{} {}", it.name, it.images));
            format!(
                "{} {} {} in {} ({}): {} {}",
                it.kind,
                it.name,
                it.some_versions.join(" "),
                it.images,
                places.collect::<Vec<_>>().join(", "),
                it.flaws.unwrap(),
                it.worst.as_deref().unwrap_or("-")
            )
        };
        assert_eq!(told.items.iter().map(line).collect::<Vec<_>>(), expect, "{query:?}");
        told.next
    };
    let pad = "npm left-pad 1.0.0 in 1 (production 1): 1 critical";
    let lodash = "npm lodash 4.17.21 4.17.4 in 3 (production 2, staging 2): 2 high";
    let any = PackagesQuery::default;
    assert_eq!(check(any(), &[pad, lodash]).await, None);
    let next = check(PackagesQuery { limit: Some(1), ..any() }, &[pad]).await;
    assert_eq!(next.as_deref(), Some("npm/left-pad"));
    check(PackagesQuery { after: next, ..any() }, &[lodash]).await;
    check(PackagesQuery { text: Some("LOD".to_owned()), ..any() }, &[lodash]).await;
    check(PackagesQuery { kind: Some("deb".to_owned()), ..any() }, &[]).await;
    // What others have nobody learns.
    check(PackagesQuery { text: Some("secret".to_owned()), ..any() }, &[]).await;
    for bad in [
        PackagesQuery { text: Some("x".repeat(201)), ..any() },
        PackagesQuery { kind: Some("x".repeat(51)), ..any() },
        PackagesQuery { after: Some("x".repeat(2_001)), ..any() },
        PackagesQuery { sort: Some("licence".to_owned()), ..any() },
    ] {
        assert!(client.packages("acme", &bad).await.is_err());
    }
    let query = |name: &str| PackageVersionsQuery {
        kind: "npm".to_owned(),
        name: name.to_owned(),
        ..PackageVersionsQuery::default()
    };
    let told = client.package_versions("acme", &query("lodash")).await.unwrap();
    let shown = told.items.iter().map(|it| {
        let flaws = it.flaws.iter().flatten().map(|it| format!("{} {}", it.id, it.severity));
        let flaws: Vec<String> = flaws.collect();
        format!("{} {}: {}", it.purl, it.images, flaws.join(", "))
    });
    let shown: Vec<String> = shown.collect();
    assert_eq!(
        shown,
        ["pkg:npm/lodash@4.17.21 1: ", "pkg:npm/lodash@4.17.4 2: CVE-1 high, CVE-2 low"]
    );
    assert_eq!(told.total, 2);
    assert!(client.package_versions("acme", &query("secret")).await.is_err());
}

#[tokio::test]
async fn every_publisher_is_heard_and_the_almanac_says_how_old_it_is() {
    let house = house().await;
    let client = house.client().await;
    let told = client.advisories("cve-1").await.unwrap();
    assert_eq!((&*told.id, told.said.len()), ("CVE-1", 1));
    assert!(told.exploited.is_some());
    assert!(told.forecast.is_some_and(|it| it.score > 0.89));
    let [package] = told.said[0].packages.as_slice() else { panic!("{told:?}") };
    assert_eq!((&*package.name, &*package.status), ("lodash", "affected"));
    assert_eq!((&package.versions[0], &package.fixed[0]), (&"<4.17.21".into(), &"4.17.21".into()));
    let error = client.advisories("CVE-99").await.unwrap_err();
    assert_eq!(error.problem().map(|it| it.status), Some(404));
    let almanac = client.almanac().await.unwrap();
    assert!(!almanac.starter);
    let feeds: Vec<(&str, &str)> = almanac.feeds.iter().map(|it| (&*it.feed, &*it.state)).collect();
    assert_eq!(feeds, [("kev", "age unknown"), ("osv", "age unknown")]);
}

#[tokio::test]
async fn what_could_be_deployed_instead() {
    let house = house().await;
    let client = house.client().await;
    let free = client.free_of("acme", "CVE-1").await.unwrap();
    assert!(free.items.is_empty(), "{free:?}");
    // The next one is pushed under another tag, and not deployed yet.
    for (digit, image, purl) in [
        ('6', "acme/web1:v2", "pkg:npm/lodash@4.17.21"),
        ('7', "acme/web1:v3", "pkg:npm/lodash@4.17.3"),
        ('8', "acme/elsewhere:v1", "pkg:npm/lodash@4.17.21"),
    ] {
        let inventory = crate::tests::inventory(&[purl]);
        let pushing = api::Pushing { image: Some(image.to_owned()), platform: None, inventory };
        client.push("acme", &digest(digit), &pushing).await.unwrap();
    }
    let free = client.free_of("acme", "CVE-1").await.unwrap();
    let tags: Vec<&str> = free.items.iter().map(|it| &*it.tag).collect();
    assert_eq!(tags, ["v2"], "{free:?}");
    assert_eq!((&*free.items[0].digest, free.affected), (&*digest('6'), 1), "{free:?}");
    assert_eq!(client.free_of("acme", "CVE-99").await.unwrap().items.len(), 0);
}

#[tokio::test]
async fn what_is_known_to_lie_idle_is_told_from_what_nobody_looked_at() {
    let house = house().await;
    let app = house.app().await;
    let store = app.store();
    let company = store.organisation("acme").await.unwrap().id;
    let act = Act { who: "ann".to_owned(), origin: String::new(), at: app.now() };
    for (environment, digit, loaded) in
        [("production", '1', None), ("staging", '2', Some(("lodash", "4.17.4")))]
    {
        let seen: Digest = digest(digit).parse().unwrap();
        let container = Container {
            workload: Workload { name: environment.to_owned(), ..Workload::default() },
            image: seen.to_string(),
            repository: None,
            tag: None,
            digest: seen.clone(),
            platform: None,
        };
        let environments =
            vec![RunsIn { environment: environment.to_owned(), running: vec![container] }];
        let snapshot = Snapshot {
            kind: "sysdig".to_owned(),
            agent: environment.to_owned(),
            seen: app.now(),
            every: 1800,
            mark: environment.to_owned(),
            environments,
            make: false,
            gaps: Vec::new(),
        };
        store.snap(&company, &act, environment, &snapshot).await.unwrap();
        let package = |(name, version): (&str, &str)| Loaded {
            name: name.to_owned(),
            version: version.to_owned(),
            ..Loaded::default()
        };
        let packages = loaded.map(package).into_iter().collect();
        let profile = Profile { packages, is_whole: true };
        let profiles = [(seen.to_string(), profile)].into();
        let kept =
            store.keep_in_use(&company, environment, environment, app.now(), &profiles, true);
        kept.await.unwrap();
    }
    let client = house.client().await;
    let told = async |query: FlawsQuery| {
        let told = client.flaws("acme", &query).await.unwrap();
        let line = |it: &api::RunningFlaw| format!("{} {:?}", it.id, it.in_use);
        told.items.iter().map(line).collect::<Vec<_>>().join(", ")
    };
    let any = FlawsQuery::default;
    // Left-pad is in the one image that was looked at; of lodash, staging loads it.
    let all = "CVE-3 Some(false), CVE-1 Some(true), CVE-2 Some(true)";
    assert_eq!(told(any()).await, all);
    assert_eq!(
        told(FlawsQuery { in_use: true, ..any() }).await,
        "CVE-1 Some(true), CVE-2 Some(true)"
    );
    // In production nobody looked at the other image that has it.
    let there = FlawsQuery { environment: Some("production".to_owned()), ..any() };
    assert_eq!(told(there).await, "CVE-3 Some(false), CVE-1 None, CVE-2 None");
    let images = client.running_images("acme", "staging", &RunningImagesQuery::default()).await;
    let images = images.unwrap().items;
    let counts: Vec<Option<u64>> =
        images.iter().map(|it| it.found.as_ref().unwrap().in_use).collect();
    assert_eq!(counts, [Some(2), None]);
}
