//! Almanacs and what runs in, events and counts out.

mod counts;
mod faults;
mod flaws;
mod freshness;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use almanac::{Builder, Manifest, PartState, Trust, Writer};
use api::{Client, Pushing, Recording, Recordings};
use engine::Engine;
use model::{
    Advisory, Affected, Event, EventKind, Exploited, Forecast, Level, Moment, Rating, Span, Status,
};
use store::{EventSelection, Page, Store};

use super::{digest, inventory};
use crate::{Access, App, Reach, World, evaluate, here, router};

/// A database, a place for almanacs, and a place where former ones are kept.
struct House {
    folder: tempfile::TempDir,
    address: String,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("sqlite://{}", folder.path().join("store.db").display());
        Self { folder, address }
    }

    /// The same on that database.
    fn on(address: String) -> Self {
        Self { address, ..Self::new() }
    }

    /// A process that begins now.
    async fn app(&self) -> App {
        let world = World::new(Some(self.folder.path().join("almanac")));
        let world = world.keeping(self.folder.path().join("kept"));
        let reach = Reach {
            engine: Engine::default(),
            settings: Arc::new(image::Settings::default()),
            jobs: false,
            offline: true,
        };
        let access = Access::Local { name: "ann".to_owned() };
        let clock = Arc::new(|| "2026-11-21T10:00:00Z".parse::<Moment>().unwrap());
        App::new(Store::open(&self.address).await.unwrap(), world, access, reach, clock)
    }

    async fn client(&self) -> Client {
        Client::new(here(router(self.app().await)), None)
    }

    /// An organisation with staging and production, where what is told runs: `production 1
    /// npm/lodash@4.17.4 …`, a line each.
    async fn company(&self, name: &str, runs: &str) {
        let client = self.client().await;
        client.create_organisation(name).await.unwrap();
        for it in ["production", "staging"] {
            client.create_environment(name, it).await.unwrap();
        }
        for line in runs.lines().map(str::trim).filter(|it| !it.is_empty()) {
            self.run(name, line).await;
        }
    }

    async fn run(&self, company: &str, line: &str) {
        let client = self.client().await;
        let mut words = line.split_whitespace();
        let (environment, image) = (words.next().unwrap(), words.next().unwrap());
        let purls: Vec<String> = words.map(|it| format!("pkg:{it}")).collect();
        let purls: Vec<&str> = purls.iter().map(String::as_str).collect();
        let digit = image.chars().next().unwrap();
        if !purls.is_empty() {
            let inventory = inventory(&purls);
            let pushing = Pushing { image: None, platform: None, inventory };
            client.push(company, &digest(digit), &pushing).await.unwrap();
        }
        let recording = Recording {
            image: format!("acme/web{image}:v1"),
            digest: Some(digest(digit)),
            application: None,
            platform: None,
        };
        let sent = Recordings { recordings: vec![recording], source: None, create: false };
        client.record(company, environment, &sent).await.unwrap();
    }

    /// Puts an almanac into place: `npm lodash CVE-1 <4.17.21 high exploited`, a line each.
    fn install(&self, text: &str) {
        install(&self.folder.path().join("almanac"), text);
    }

    /// A process begins, and judges by what is there.
    async fn evaluate(&self) {
        evaluate(&self.app().await, false).await.unwrap();
    }

    /// What was told an organisation, a line each, sorted.
    async fn told(&self, company: &str) -> String {
        let store = Store::open(&self.address).await.unwrap();
        let company = store.organisation(company).await.unwrap().id;
        let selection = EventSelection {
            kinds: EventKind::OF_EVALUATIONS.to_vec(),
            ..EventSelection::default()
        };
        let events = store.events(&company, &selection, &Page::first(1000)).await.unwrap().rows;
        let mut lines: Vec<String> = events.iter().map(shown).collect();
        lines.sort();
        lines.join("\n")
    }
}

fn shown(event: &Event) -> String {
    let detail = &event.detail;
    let mut text = format!(
        "{} {}",
        event.environment.as_deref().unwrap_or("-"),
        event.kind.as_str().trim_start_matches("finding-"),
    );
    if detail["name"].is_null() {
        let what = detail["first"][0]["at"].as_str().or(detail["why"].as_str());
        write!(text, ": {}", what.unwrap_or_default()).unwrap();
        return text;
    }
    let state = |it: &serde_json::Value| match it["severity"].as_str() {
        None => "-".to_owned(),
        Some(level) => {
            let fixed = it["fixed"].as_str().map(|it| format!(" fix {it}")).unwrap_or_default();
            let exploited = if it["exploited"] == true { " exploited" } else { "" };
            format!("{}{fixed}{exploited}", level.to_lowercase())
        }
    };
    let digits: Vec<&str> = detail["digests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap().get(7..8).unwrap())
        .collect();
    assert_eq!(detail["images"], digits.len());
    write!(
        text,
        " {} {}@{}: {} → {} in {}",
        event.about,
        detail["name"].as_str().unwrap(),
        detail["version"].as_str().unwrap(),
        state(&detail["before"]),
        state(&detail["after"]),
        digits.join(" "),
    )
    .unwrap();
    text
}

pub(super) fn install(dir: &Path, text: &str) {
    let (mut osv, mut kev) = (Builder::new("osv", "all"), Builder::new("kev", "all"));
    for line in text.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut affected = Affected::new(words[0].into(), words[1]);
        let mut advisory = Advisory { id: words[2].to_owned(), ..Advisory::default() };
        for word in &words[3..] {
            match *word {
                "all" => affected.spans.push(Span::all()),
                "investigating" => affected.status = Status::UnderInvestigation,
                "exploited" => kev.add_exploited(Exploited {
                    id: words[2].to_owned(),
                    added: "2024-01-01".to_owned(),
                    due: None,
                    ransomware: false,
                    title: String::new(),
                    action: String::new(),
                }),
                word if word.starts_with("epss=") => kev.add_forecast(Forecast {
                    id: words[2].to_owned(),
                    score: word[5..].parse().unwrap(),
                    percentile: 0.5,
                }),
                word if word.starts_with('<') => affected.spans.push(Span::before(&word[1..])),
                word => advisory.ratings.push(Rating {
                    source: "osv".to_owned(),
                    level: Level::of_word(word),
                    word: None,
                    score: None,
                    vector: None,
                }),
            }
        }
        advisory.affected.push(affected);
        osv.add(advisory);
    }
    let writer = Writer::lock(dir).unwrap();
    let mut manifest = Manifest::new("2026-11-21T00:00:00Z");
    for (feed, builder) in [("osv", osv), ("kev", kev)] {
        let compiled = builder.finish().unwrap();
        compiled.sheets.iter().for_each(|it| writer.put(it).unwrap());
        let (feed, part) = (feed.to_owned(), "all".to_owned());
        manifest.replace(PartState { feed, part, ..PartState::default() }, &compiled);
    }
    writer.install(&manifest.to_bytes(), None, Trust::Local).unwrap();
}

pub(super) const RUNS: &str = "
    production 1 npm/lodash@4.17.4 npm/left-pad@1.0.0
    production 2 npm/lodash@4.17.4
    staging 2
    staging 3 npm/lodash@4.17.21
";

/// What comes of one almanac behind another, where that runs.
async fn check(old: &str, new: &str, expect: &str) {
    let house = House::new();
    house.company("acme", RUNS).await;
    house.install(old);
    house.evaluate().await;
    assert_eq!(house.told("acme").await, "", "the first time there is nothing to tell");
    house.install(new);
    for _ in 0..2 {
        house.evaluate().await;
        assert_eq!(house.told("acme").await, trimmed(expect));
    }
}

fn trimmed(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
    lines.join("\n")
}

#[tokio::test]
async fn what_a_new_almanac_changes_is_told_where_it_runs() {
    let old = "npm lodash CVE-1 <4.17.21 high\nnpm other CVE-2 all";
    check(
        old,
        &format!(
            "{old}\nnpm left-pad CVE-3 all critical\nnpm lodash CVE-4 <4.17.5\nnpm x CVE-5 all"
        ),
        "production new CVE-3 left-pad@1.0.0: - → critical in 1
        production new CVE-4 lodash@4.17.4: - → unspecified fix 4.17.5 in 1 2
        staging new CVE-4 lodash@4.17.4: - → unspecified fix 4.17.5 in 2",
    )
    .await;
    let both = |what: &str| {
        format!("production {}\nstaging {}", what.replace('#', "1 2"), what.replace('#', "2"))
    };
    let tell = async |new: &str, expect: &str| check(old, new, &both(expect)).await;
    tell(
        "npm lodash CVE-1 <4.17.21 low",
        "severity-changed CVE-1 lodash@4.17.4: high fix 4.17.21 → low fix 4.17.21 in #",
    )
    .await;
    tell(
        "npm lodash CVE-1 <4.17.21 high exploited",
        "exploited CVE-1 lodash@4.17.4: high fix 4.17.21 → high fix 4.17.21 exploited in #",
    )
    .await;
    tell(
        "npm lodash CVE-1 <4.17.20 high",
        "fix-available CVE-1 lodash@4.17.4: high fix 4.17.21 → high fix 4.17.20 in #",
    )
    .await;
    tell("npm lodash CVE-1 <4.17.1 high", "gone CVE-1 lodash@4.17.4: high fix 4.17.21 → - in #")
        .await;
    // That it is looked into again is no all-clear.
    tell(
        "npm lodash CVE-1 <4.17.21 high investigating",
        "evaluation-incomplete CVE-1 lodash@4.17.4: high fix 4.17.21 → - in #",
    )
    .await;
    check(
        "npm left-pad CVE-1 <2.0.0",
        "npm left-pad CVE-1 all",
        "production fix-withdrawn CVE-1 left-pad@1.0.0: unspecified fix 2.0.0 → unspecified in 1",
    )
    .await;
    check(
        "npm left-pad CVE-1 all",
        "npm left-pad CVE-1 <2.0.0",
        "production fix-available CVE-1 left-pad@1.0.0: unspecified → unspecified fix 2.0.0 in 1",
    )
    .await;
}

#[tokio::test]
async fn organisations_hear_of_their_own() {
    let house = House::new();
    house.company("acme", "production 1 npm/lodash@4.17.4").await;
    house.company("other", "staging 1 npm/left-pad@1.0.0\nstaging 2 npm/x@1").await;
    house.evaluate().await;
    // From what is built in to an almanac is a change as well.
    house.install("npm left-pad CVE-3 all critical\nnpm odd CVE-4 all");
    house.company("late", "production 1 npm/left-pad@1.0.0").await;
    house.evaluate().await;
    let gone =
        |flaw: &str, state: &str| format!("production gone {flaw} lodash@4.17.4: {state} → - in 1");
    let expect = [
        gone("CVE-2019-10744", "critical fix 4.17.12"),
        gone("CVE-2020-8203", "high fix 4.17.19"),
        gone("CVE-2021-23337", "high fix 4.17.21"),
    ];
    assert_eq!(house.told("acme").await, expect.join("\n"));
    assert_eq!(house.told("late").await, "", "it begins with what is there");
    let expect = "staging new CVE-3 left-pad@1.0.0: - → critical in 1";
    assert_eq!(house.told("other").await, expect);
    house.install("npm left-pad CVE-3 <1.0.0");
    house.evaluate().await;
    let expect = "production gone CVE-3 left-pad@1.0.0: critical → - in 1";
    assert_eq!(house.told("late").await, expect);
}

#[tokio::test]
async fn what_cannot_be_told_of_a_package_is_told_where_it_runs() {
    let house = House::new();
    house.company("acme", RUNS).await;
    house.install("pypi x CVE-1 <1\ndebian:12 y CVE-2 all");
    // Two that own it, of two builders: which of them answers is not clear.
    let owner = "pkg:deb/debian/python3-x@1?distro=debian-12";
    let mut inventory = inventory(&[owner, owner, "pkg:pypi/x@1"]);
    for (package, author) in inventory.packages.iter_mut().zip(["a@nodesource.com", "b@debian.org"])
    {
        package.author = Some(author.to_owned());
    }
    inventory.packages[2].owner = Some(owner.parse().unwrap());
    let pushing = Pushing { image: None, platform: None, inventory: inventory.in_order() };
    let client = house.client().await;
    client.push("acme", &digest('7'), &pushing).await.unwrap();
    house.run("acme", "staging 7").await;
    house.evaluate().await;
    house.install("pypi x CVE-1 <2\ndebian:12 y CVE-2 all");
    house.evaluate().await;
    assert_eq!(house.told("acme").await, "staging evaluation-incomplete: pkg:pypi/x@1");
}
