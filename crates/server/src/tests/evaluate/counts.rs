//! How many findings there are where, and how that becomes known.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use almanac::{Almanac, Trust, Writer};
use api::{Client, CountsQuery, Pushing, Recording, Recordings};
use axum::body::Body;
use axum::http::Request;
use model::Level;
use serde_json::json;
use store::Page;
use tower::ServiceExt as _;

use super::super::digest;
use super::House;
use crate::exceptions::Lookouts;
use crate::{App, evaluate, here, router};

const ALMANAC: &str = "npm lodash CVE-1 <4.17.21 high\nnpm left-pad CVE-3 all critical";

/// `production 1 critical 1 high 2 images; staging -`.
async fn present(house: &House) -> String {
    let client = house.client().await;
    let all = client.environments("acme", &api::PageQuery::default()).await.unwrap().items;
    let line = |it: api::Environment| match it.counts {
        None => format!("{} -", it.name),
        Some(counts) => format!(
            "{} {} critical {} high {} low, {} images, {} pending",
            it.name, counts.critical, counts.high, counts.low, counts.images, counts.pending
        ),
    };
    all.into_iter().map(line).collect::<Vec<_>>().join("; ")
}

/// A company that runs what is at hand, and a server that knows the almanac.
async fn begun() -> (House, App) {
    let house = House::new();
    house.install(ALMANAC);
    house.company("acme", super::RUNS).await;
    let app = house.app().await;
    (house, app)
}

async fn count(app: &App) {
    let acme = app.store.organisation("acme").await.unwrap().id;
    app.tally.count(app, &acme).await.unwrap();
}

#[tokio::test]
async fn each_flaw_of_each_package_counts_once() {
    let (house, app) = begun().await;
    assert_eq!(present(&house).await, "production -; staging -");
    count(&app).await;
    let before = "production 1 critical 1 high 0 low, 2 images, 0 pending; \
                  staging 0 critical 1 high 0 low, 2 images, 0 pending";
    assert_eq!(present(&house).await, before);
    // An image that nobody has read yet, and one that was read anew.
    house.run("acme", "staging 9").await;
    house.run("acme", "production 2 npm/left-pad@2.0.0").await;
    count(&app).await;
    let after = "production 2 critical 1 high 0 low, 2 images, 0 pending; \
                 staging 1 critical 0 high 0 low, 3 images, 1 pending";
    assert_eq!(present(&house).await, after);
    house.install("npm left-pad CVE-3 all low");
    let app = house.app().await;
    count(&app).await;
    count(&app).await;
    let client = house.client().await;
    let query = |after: Option<String>, limit| CountsQuery { after, limit, ..Default::default() };
    let trend = async |query: CountsQuery| {
        let page = client.counts("acme", "production", &query).await.unwrap();
        let all: Vec<_> = page.items.iter().map(|it| (it.critical, it.high, it.low)).collect();
        (all, page.next)
    };
    let all = [(1, 1, 0), (2, 1, 0), (0, 0, 2)];
    assert_eq!(trend(query(None, None)).await, (all.to_vec(), None));
    let (first, next) = trend(query(None, Some(1))).await;
    assert_eq!(first, all[..1]);
    assert_eq!(trend(query(next, None)).await, (all[1..].to_vec(), None));
    let every = |seconds| CountsQuery { every: Some(seconds), ..Default::default() };
    assert_eq!(trend(every(31_536_000)).await, (all[2..].to_vec(), None));
    for seconds in [0, 31_536_001, u32::MAX] {
        let refused = client.counts("acme", "production", &every(seconds)).await.unwrap_err();
        let said = "it is a number from 1 to 31536000";
        assert!(refused.to_string().contains(said), "{seconds}: {refused}");
    }
}

/// Each refresh of an almanac says when it was fetched, which makes another almanac of it, and changes
/// no finding.
#[tokio::test]
async fn what_was_fetched_anew_and_says_the_same_is_not_judged_again() {
    let (house, app) = begun().await;
    let acme = app.store.organisation("acme").await.unwrap().id;
    let digest = || app.world.lookout(app.now()).unwrap().almanac().digest().to_string();
    let (first, judged) = (digest(), app.tally.count(&app, &acme).await.unwrap().1);
    assert!(judged > 1);
    let evaluated = evaluate(&app, false).await.unwrap();
    assert_eq!(evaluated.len(), 1);
    let dir = house.folder.path().join("almanac");
    let mut manifest = Almanac::open(&dir).unwrap().manifest().clone();
    for part in &mut manifest.parts {
        part.fetched = Some("2026-11-21T09:00:00Z".to_owned());
    }
    let writer = Writer::lock(&dir).unwrap();
    writer.install(&manifest.to_bytes(), None, Trust::Local).unwrap();
    drop(writer);
    while digest() == first {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // How old it is is told by the new one, so it is what things are judged by from now on.
    let evaluated = evaluate(&app, false).await.unwrap();
    assert_eq!((evaluated.len(), evaluated[0].events), (1, 0));
    let last = app.store.last_evaluation(&acme).await.unwrap().unwrap();
    assert_eq!(last.almanac, digest());
    assert_eq!(app.tally.count(&app, &acme).await.unwrap(), (0, 0));
    let second = digest();
    house.install("npm lodash CVE-1 <4.17.21 low");
    while digest() == second {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(app.tally.count(&app, &acme).await.unwrap().1, judged);
}

#[tokio::test]
async fn prometheus_is_told() {
    let (house, app) = begun().await;
    let ask = async |app: &App, path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router(app.clone()).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    };
    let path = "/v1/exporter/org/acme/metrics";
    let line = r#"scout_stream_vulnerabilities{streamName="production",severity="critical"} 1"#;
    assert!(!ask(&app, path).await.1.contains("production"), "what is not known is left out");
    count(&app).await;
    assert!(!ask(&app, path).await.1.contains(line), "it is remembered for a minute");
    let app = house.app().await;
    for path in [path, "/api/v1/orgs/acme/metrics"] {
        let (status, text) = ask(&app, path).await;
        assert_eq!(status, 200);
        assert!(text.contains(line) && text.ends_with("# EOF\n"), "{text}");
    }
    assert_eq!(ask(&app, "/v1/exporter/org/nobody/metrics").await.0, 404);
}

/// Numbers that look like chance, and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

const PACKAGES: [&str; 9] = [
    "pkg:npm/lodash@4.17.4",
    "pkg:npm/lodash@4.17.20",
    "pkg:npm/left-pad@1.0.0",
    "pkg:npm/left-pad@not~a~version",
    "pkg:deb/debian/libssl3@3.0.1?distro=debian-12 openssl",
    "pkg:deb/debian/openssl@3.0.1?distro=debian-12 openssl",
    "pkg:deb/debian/openssl@3.0.9?distro=debian-12 openssl",
    "pkg:deb/debian/openssl@3.0.1?distro=debian-11 openssl",
    "pkg:generic/tool@1",
];

fn packages(dice: &mut Dice) -> model::Inventory {
    let mut inventory = super::super::inventory(&[]);
    for text in PACKAGES.iter().filter(|_| dice.below(2) == 0) {
        let (purl, source) = text.split_once(' ').map_or((*text, None), |it| (it.0, Some(it.1)));
        let mut package = model::Package::new(purl.parse().unwrap());
        let source = source.map(str::to_owned);
        package.source = source.map(|name| model::SourcePackage { name, version: None });
        inventory.packages.push(package);
    }
    inventory.in_order()
}

fn almanac(dice: &mut Dice) -> String {
    let mut line = || {
        let space = dice.one_of(&["npm", "npm", "debian:12", "debian:11"]);
        let name = dice.one_of(if space == "npm" {
            &["lodash", "left-pad"]
        } else {
            &["openssl", "libssl3"]
        });
        let flaw = dice.one_of(&["CVE-1", "CVE-2", "CVE-3"]);
        let range = dice.one_of(&["all", "<4.17.10", "<3.0.5", "<one~two", "investigating"]);
        let level = dice.one_of(&["low", "medium", "high", "critical"]);
        format!("{space} {name} {flaw} {range} {level}")
    };
    (0..12).map(|_| line()).collect::<Vec<_>>().join("\n")
}

/// Every image that runs there judged by itself, as if nobody remembered anything.
async fn judged_anew(app: &App, environment: &str) -> store::Counts {
    let acme = app.store.organisation("acme").await.unwrap().id;
    let lookouts = Lookouts::of(app, &acme, api::Judging::default()).await;
    let lookout = lookouts.unwrap_or_else(|_| panic!("they are read")).there(Some(environment));
    let environment = Some(environment.to_owned());
    let selection = store::Selection { environment, ..store::Selection::default() };
    let now = store::When::Now;
    let page = Page::first(1000);
    let running = app.store.deployments(&acme, &selection, now, &page).await.unwrap().rows;
    let digests: BTreeSet<_> = running.into_iter().map(|it| it.digest).collect();
    let mut counts = store::Counts { images: digests.len() as u64, ..store::Counts::default() };
    let mut worst: BTreeMap<_, Level> = BTreeMap::new();
    let mut gaps = BTreeSet::new();
    for digest in &digests {
        let Some(inventory) = app.store.inventory(&acme, digest).await.unwrap() else {
            counts.pending += 1;
            continue;
        };
        let analysis = lookout.analyze_in_brief(inventory, &engine::Filter::default());
        gaps.extend(analysis.all_gaps().cloned());
        for it in analysis.findings.into_iter().filter(|it| !it.suppressed()) {
            let level = worst.entry((it.id, it.space, it.name, it.version)).or_default();
            *level = (*level).max(it.level);
        }
    }
    counts.gaps = gaps.len() as u64;
    let of = |level| worst.values().filter(|it| **it == level).count() as u64;
    counts.critical = of(Level::Critical);
    counts.high = of(Level::High);
    counts.medium = of(Level::Medium);
    counts.low = of(Level::Low);
    counts.unspecified = of(Level::Unspecified);
    counts
}

/// Somebody decides something about a flaw, somewhere or everywhere, or takes it back.
async fn decide(client: &Client, dice: &mut Dice) {
    let name = dice.one_of(&["first", "second"]);
    if dice.below(3) == 0 {
        // There may be none.
        let _ = client.delete_exception("acme", name).await;
        return;
    }
    let environments = [json!([]), json!(["production"]), json!(["staging"])];
    let excepting = json!({
        "flaws": [dice.one_of(&["CVE-1", "cve-2", "CVE-3"])],
        "kind": "accepted-risk",
        "environments": environments[dice.below(3)],
    });
    let excepting = serde_json::from_value(excepting).unwrap();
    client.put_exception("acme", name, &excepting).await.unwrap();
}

/// What was decided makes only those images be judged anew in which there is such a flaw.
#[tokio::test]
async fn an_exception_concerns_images_that_have_its_flaws() {
    let house = House::new();
    house.install("npm lodash CVE-1 all low\nnpm left-pad CVE-2 all low");
    let runs = "production 1 npm/lodash@4.17.4\nproduction 2 npm/left-pad@1.0.0
                production 3 npm/left-pad@1.0.0\nstaging 1\nstaging 2\nstaging 3";
    house.company("acme", runs).await;
    let app = house.app().await;
    let acme = app.store.organisation("acme").await.unwrap().id;
    let client = Client::new(here(router(app.clone())), None);
    let judged = async || app.tally.count(&app, &acme).await.unwrap().1;
    judged().await;
    let put = async |flaw: &str, environments: &[&str]| {
        let excepting = json!({
            "flaws": [flaw], "kind": "accepted-risk", "environments": environments,
        });
        let excepting = serde_json::from_value(excepting).unwrap();
        client.put_exception("acme", "one", &excepting).await.unwrap();
    };
    put("cve-1", &[]).await;
    assert_eq!(judged().await, 1);
    assert_eq!(judged().await, 0);
    put("CVE-9", &[]).await;
    assert_eq!(judged().await, 1, "what it was about before is there again");
    put("CVE-2", &["staging"]).await;
    assert_eq!(judged().await, 2, "elsewhere it does not hold");
    client.delete_exception("acme", "one").await.unwrap();
    assert_eq!(judged().await, 0, "what holds elsewhere holds there too");
}

#[tokio::test]
async fn who_remembers_counts_as_who_judges_each_image_anew() {
    for seed in 0..12 {
        let mut dice = Dice(seed);
        let house = House::new();
        house.install(&almanac(&mut dice));
        house.company("acme", "").await;
        let app = house.app().await;
        let acme = app.store.organisation("acme").await.unwrap().id;
        let client = Client::new(here(router(app.clone())), None);
        for step in 0..6 {
            for _ in 0..3 {
                let digit = char::from(b'1' + u8::try_from(dice.below(6)).unwrap());
                // Some are read anew, and some were never read.
                if dice.below(3) > 0 {
                    let inventory = packages(&mut dice);
                    let pushing = Pushing { image: None, platform: None, inventory };
                    client.push("acme", &digest(digit), &pushing).await.unwrap();
                }
                let environment = dice.one_of(&["production", "staging"]);
                let recording = Recording {
                    image: format!("acme/web{digit}:v1"),
                    digest: Some(digest(digit)),
                    application: None,
                    platform: None,
                };
                let sent = Recordings { recordings: vec![recording], source: None, create: false };
                client.record("acme", environment, &sent).await.unwrap();
            }
            decide(&client, &mut dice).await;
            app.tally.count(&app, &acme).await.unwrap();
            let all = client.environments("acme", &api::PageQuery::default()).await.unwrap();
            for it in all.items {
                let expect = judged_anew(&app, &it.name).await;
                let found = it.counts.unwrap();
                let found = store::Counts {
                    images: found.images,
                    pending: found.pending,
                    critical: found.critical,
                    high: found.high,
                    medium: found.medium,
                    low: found.low,
                    unspecified: found.unspecified,
                    gaps: found.gaps,
                };
                assert_eq!(found, expect, "seed {seed}, step {step}, {}", it.name);
            }
        }
    }
}
