//! Schedules: what is checked when its turn comes, and that the answer is that of `cves --env`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use api::{
    CheckQuestion, CheckVerdict, Client, Judging, Pushing, Recording, Recordings, Schedule,
    Scheduling,
};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use engine::Engine;
use model::{Act, Event, EventKind, Gap, Moment, Role, Secret};
use store::{EventSelection, Page, Store};

use super::evaluate::install;
use super::{digest, inventory};
use crate::identity::{Kind, minted};
use crate::jobs::Outlook;
use crate::{Access, App, People, Reach, World, checks, here, jobs, router};

/// A server with an almanac, and ann who owns it.
struct House {
    folder: tempfile::TempDir,
    address: String,
    clock: Arc<AtomicI64>,
    app: App,
    router: Router,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("sqlite://{}", folder.path().join("store.db").display());
        Self::at(folder, address).await
    }

    async fn at(folder: tempfile::TempDir, address: String) -> Self {
        let start: Moment = "2026-11-21T10:00:00Z".parse().unwrap();
        let clock = Arc::new(AtomicI64::new(start.micros()));
        install(&folder.path().join("almanac"), ADVISORIES);
        let app = process(&folder, &address, &clock).await;
        let act = Act { who: "a test".to_owned(), origin: String::new(), at: app.now() };
        let ann = app.store().create_user(&act, "ann", &Secret::new("x")).await.unwrap();
        app.store().create_organisation_owned(&act, "acme", &ann.id).await.unwrap();
        let bob = app.store().create_user(&act, "bob", &Secret::new("x")).await.unwrap();
        let acme = app.store().organisation("acme").await.unwrap().id;
        app.store().put_member(&acme, &act, &bob.id, Role::Editor).await.unwrap();
        Self { router: router(app.clone()), folder, address, clock, app }
    }

    /// Another process on the same database.
    async fn beside(&self) -> App {
        process(&self.folder, &self.address, &self.clock).await
    }

    async fn client(&self, name: &str) -> Client {
        let user = self.app.store().user(name).await.unwrap();
        let session = minted(Kind::Session).unwrap();
        let now = self.app.now();
        let act = Act { who: name.to_owned(), origin: String::new(), at: now };
        let until = now.plus_seconds(86_400 * 10_000);
        self.app.store().start_session(&act, &user.id, &session.hash, until).await.unwrap();
        let token = session.text;
        let router = self.router.clone().layer(axum::middleware::map_request(
            move |mut request: Request<Body>| {
                let value = format!("Bearer {token}").parse().unwrap();
                request.headers_mut().insert("authorization", value);
                async move { request }
            },
        ));
        Client::new(here(router), None)
    }

    /// What is told runs: `production 1 npm/lodash@4.17.4 …`, a line each.
    async fn runs(&self, text: &str) {
        let ann = self.client("ann").await;
        for line in text.lines().map(str::trim).filter(|it| !it.is_empty()) {
            let mut words = line.split_whitespace();
            let (environment, image) = (words.next().unwrap(), words.next().unwrap());
            let digest = digest(image.chars().next().unwrap());
            let purls: Vec<String> =
                words.clone().filter(|it| it.contains('/')).map(|it| format!("pkg:{it}")).collect();
            let purls: Vec<&str> = purls.iter().map(String::as_str).collect();
            let mut inventory = inventory(&purls);
            if words.clone().any(|it| it == "torn") {
                inventory.gaps.push(Gap::new("app.jar", "it cannot be read"));
            }
            if words.next().is_some() {
                let pushing = Pushing { image: None, platform: None, inventory };
                ann.push("acme", &digest, &pushing).await.unwrap();
            }
            let recording = Recording {
                image: format!("acme/web{image}:v1"),
                digest: Some(digest),
                application: None,
                platform: None,
            };
            let sent = Recordings { recordings: vec![recording], source: None, create: true };
            ann.record("acme", environment, &sent).await.unwrap();
        }
    }

    async fn put(&self, name: &str, environment: &str, question: CheckQuestion) -> Schedule {
        let cron = "0 12 * * *".to_owned();
        let environment = environment.to_owned();
        let scheduling = Scheduling { environment, cron, zone: None, question };
        let ann = self.client("ann").await;
        ann.put_schedule("acme", name, &scheduling).await.unwrap().schedule
    }

    /// Time goes by, and what is to be done is done. Says how many checks were among that.
    async fn later(&self, seconds: i64) -> usize {
        self.clock.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
        Outlook::default().look(&self.app).await.unwrap();
        jobs::all(&self.app).await.iter().filter(|it| *it == "check").count()
    }

    async fn told(&self) -> Vec<Event> {
        let acme = self.app.store().organisation("acme").await.unwrap().id;
        let kinds = vec![EventKind::CheckFailed, EventKind::CheckPassed];
        let selection = EventSelection { kinds, ..EventSelection::default() };
        self.app.store().events(&acme, &selection, &Page::first(1_000)).await.unwrap().rows
    }

    /// The latest event: `check-failed in production: failed`.
    async fn last(&self) -> String {
        let all = self.told().await;
        let it = all.first().unwrap();
        let place = it.environment.as_deref().unwrap_or("-");
        let why = it.detail["why"].as_str().unwrap_or_default();
        format!("{} in {place}: {} {why}", it.kind.as_str(), it.detail["verdict"].as_str().unwrap())
    }
}

async fn process(folder: &tempfile::TempDir, address: &str, clock: &Arc<AtomicI64>) -> App {
    let world = World::new(Some(folder.path().join("almanac")));
    let reach = Reach {
        engine: Engine::default(),
        settings: Arc::new(image::Settings::default()),
        jobs: true,
        offline: true,
    };
    let clock = Arc::clone(clock);
    let now = Arc::new(move || Moment::from_micros(clock.load(Ordering::SeqCst)));
    let access = Access::People(People::new(false));
    App::new(Store::open(address).await.unwrap(), world, access, reach, now)
}

const ADVISORIES: &str = "
    npm lodash CVE-1 <4.17.21 critical exploited
    npm lodash CVE-2 <4.17.11 high
    npm left-pad CVE-3 all medium
    npm minimist CVE-4 <1.2.6 low
";
const RUNS: &str = "
    production 1 npm/lodash@4.17.4 npm/left-pad@1.0.0
    production 2 npm/lodash@4.17.20
    staging 3 npm/left-pad@1.0.0
    clean 4 npm/pg@8.0.0
    unread 5
    torn 6 torn
    holes 7 npm/pg@8.0.0 torn
    mixed 4 npm/pg@8.0.0
    mixed 5
    worse 1 npm/lodash@4.17.4 npm/left-pad@1.0.0
    worse 5
";

fn question(levels: &[&str], fixed: Option<bool>, exploited: bool) -> CheckQuestion {
    let severities = levels.iter().map(|it| (*it).to_owned()).collect();
    CheckQuestion { image: None, severities, fixed, exploited }
}

/// Would `cves --env … --exit-code` shut its gate? Told as it tells: image by image, each filtered.
async fn is_shut(client: &Client, environment: &str, question: &CheckQuestion) -> bool {
    let filter = checks::filter(question).unwrap();
    let query = api::DeploymentQuery {
        environment: Some(environment.to_owned()),
        image: question.image.clone(),
        ..api::DeploymentQuery::default()
    };
    let running = client.deployments("acme", &query).await.unwrap().items;
    assert!(!running.is_empty());
    for it in running {
        let analysis = client.analysis("acme", &it.digest, &Judging::default()).await;
        let Ok(analysis) = analysis else { return true };
        let analysis = filter.apply(analysis);
        let is_found = analysis.findings.iter().any(|it| !it.suppressed());
        if is_found || format::report::is_dark(&analysis) {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn the_answer_is_that_of_cves() {
    let house = House::new().await;
    house.runs(RUNS).await;
    let ann = house.client("ann").await;
    let acme = house.app.store().organisation("acme").await.unwrap().id;
    let mut questions = Vec::new();
    for levels in [&[][..], &["critical"], &["critical", "high"], &["medium"], &["low"]] {
        for fixed in [None, Some(true), Some(false)] {
            for exploited in [false, true] {
                questions.push(question(levels, fixed, exploited));
            }
        }
    }
    let web2 = CheckQuestion { image: Some("acme/web2".to_owned()), ..CheckQuestion::default() };
    let mut seen = std::collections::BTreeMap::new();
    for environment in
        ["production", "staging", "clean", "unread", "torn", "holes", "mixed", "worse"]
    {
        let mut questions = questions.clone();
        if environment == "production" {
            questions.push(web2.clone());
        }
        let answers = checks::check(&house.app, &acme, environment, &questions).await.unwrap();
        for (question, answer) in questions.iter().zip(&answers) {
            let shut = is_shut(&ann, environment, question).await;
            let passed = answer.verdict == CheckVerdict::Passed;
            assert_eq!(shut, !passed, "{environment} {question:?} {answer:?}");
            assert_eq!(answer.why.is_some(), answer.verdict == CheckVerdict::Unknown);
            assert_eq!(answer.found.all() > 0, answer.verdict == CheckVerdict::Failed);
            assert!(answer.gaps > 0 || !["torn", "holes", "unread"].contains(&environment));
            *seen.entry(answer.verdict.as_str()).or_insert(0) += 1;
        }
        // With nothing left out, findings are those that the environment is counted by.
        house.app.count(&acme).await.unwrap();
        let counted = ann.environment("acme", environment).await.unwrap().counts.unwrap();
        let found = answers[0].found;
        let expect = (counted.critical, counted.high, counted.medium, counted.low, counted.gaps);
        let told = (found.critical, found.high, found.medium, found.low, answers[0].gaps);
        // One that is not analysed yet is a gap here, and has a number of its own there.
        let pending = counted.pending;
        assert_eq!(told, (expect.0, expect.1, expect.2, expect.3, expect.4 + pending));
        assert_eq!((answers[0].images, counted.images), (counted.images, answers[0].images));
    }
    assert!(seen.len() == 3 && seen.values().all(|it| *it > 20), "{seen:?}");
    let worst = &checks::check(&house.app, &acme, "production", &[web2]).await.unwrap()[0].worst;
    let worst: Vec<_> = worst.iter().map(|it| (it.id.as_str(), it.fix.as_deref())).collect();
    assert_eq!(worst, [("CVE-1", Some("4.17.21"))]);
}

#[tokio::test]
async fn each_turn_is_one_check_and_news_are_told() {
    let house = House::new().await;
    house.runs(RUNS).await;
    let schedule = house.put("daily", "clean", question(&["critical"], None, false)).await;
    assert_eq!(schedule.next.as_deref(), Some("2026-11-21T12:00:00Z"));
    assert_eq!(house.later(7_199).await, 0);
    assert_eq!(house.later(1).await, 1);
    assert_eq!(house.last().await, "check-passed in clean: passed ");
    // That it passes again is no news.
    assert_eq!(house.later(86_400).await, 1);
    assert_eq!(house.told().await.len(), 1);
    // Nobody was here for five days: one check.
    house.runs("clean 1 npm/lodash@4.17.4").await;
    assert_eq!(house.later(86_400 * 5 + 60).await, 1);
    assert_eq!(house.last().await, "check-failed in clean: failed ");
    let detail = house.told().await[0].detail.clone();
    assert_eq!((&detail["before"], &detail["found"]["critical"]), (&"passed".into(), &1.into()));
    assert_eq!(detail["worst"][0]["id"], "CVE-1");
    // Each failure is told.
    assert_eq!(house.later(86_400).await, 1);
    assert_eq!(house.told().await.len(), 3);
    // What nobody can tell is no pass, nor is an environment that is not there.
    house.runs("clean 5").await;
    let ann = house.client("ann").await;
    ann.rename_environment("acme", "clean", "clear").await.unwrap();
    assert_eq!(house.later(86_400).await, 1);
    assert_eq!(house.last().await, "check-failed in clear: failed ");
    ann.delete_environment("acme", "clear").await.unwrap();
    assert_eq!(house.later(86_400).await, 1);
    let expect = "check-failed in clear: unknown there is no environment clear";
    assert_eq!(house.last().await, expect);
    let kept = ann.schedule("acme", "daily").await.unwrap();
    assert!(kept.nowhere && kept.last.unwrap().verdict == CheckVerdict::Unknown);
    ann.create_environment("acme", "clear").await.unwrap();
    assert_eq!(house.later(86_400).await, 1);
    let expect = "check-failed in clear: unknown nothing is recorded to environment clear";
    assert_eq!(house.last().await, expect);
    house.runs("clear 4 npm/pg@8.0.0\nclear 5").await;
    assert_eq!(house.later(86_400).await, 1);
    assert_eq!(house.last().await, "check-failed in clear: unknown nothing is known of 1 image");
    // By an almanac that cannot be read nothing can be told either; without one, hardly anything.
    let almanac = house.folder.path().join("almanac");
    fs_err::write(almanac.join(almanac::MANIFEST), "{").unwrap();
    let acme = house.app.store().organisation("acme").await.unwrap().id;
    let app = house.beside().await;
    let ask = [CheckQuestion::default()];
    let told = checks::check(&app, &acme, "staging", &ask).await.unwrap().remove(0);
    assert!(told.verdict == CheckVerdict::Unknown && told.why.unwrap().contains("almanac"));
    fs_err::remove_dir_all(almanac).unwrap();
    let app = house.beside().await;
    let told = checks::check(&app, &acme, "staging", &ask).await.unwrap().remove(0);
    assert!(told.verdict == CheckVerdict::Unknown && told.why.unwrap().contains("no almanac"));
}

#[tokio::test]
async fn a_broken_almanac_keeps_nobody_from_being_told() {
    let house = House::new().await;
    house.runs("clean 4 npm/pg@8.0.0").await;
    house.put("daily", "clean", CheckQuestion::default()).await;
    fs_err::write(house.folder.path().join("almanac").join(almanac::MANIFEST), "{").unwrap();
    let app = house.beside().await;
    house.clock.fetch_add(7_200_000_000, Ordering::SeqCst);
    let why = Outlook::default().look(&app).await.unwrap_err();
    assert!(why.contains("almanac"), "{why}");
    assert!(jobs::all(&app).await.contains(&"check".to_owned()));
    let last = house.last().await;
    assert!(last.starts_with("check-failed in clean: unknown"), "{last}");
}

#[tokio::test]
async fn a_thousand_at_one_minute_are_looked_into_together() {
    let house = House::new().await;
    house.runs(RUNS).await;
    let ann = house.client("ann").await;
    let levels = ["critical", "high", "medium", "low", "unspecified"];
    for number in 0..1_000 {
        // Thirty questions in four environments.
        let levels: Vec<&str> =
            (0..5).filter(|it| ((number % 30) >> it) & 1 == 1).map(|it| levels[it]).collect();
        let environment = ["production", "staging", "clean", "holes"][number / 30 % 4];
        let scheduling = Scheduling {
            environment: environment.to_owned(),
            cron: "0 12 * * *".to_owned(),
            zone: Some("UTC".to_owned()),
            question: question(&levels, None, false),
        };
        ann.put_schedule("acme", &format!("s{number}"), &scheduling).await.unwrap();
    }
    house.clock.fetch_add(7_200_000_000, Ordering::SeqCst);
    let mut outlook = Outlook::default();
    for _ in 0..5 {
        outlook.look(&house.app).await.unwrap();
    }
    assert_eq!(house.later(0).await, 1, "one job");
    let all = ann.schedules("acme").await.unwrap().items;
    assert_eq!((all.len(), house.told().await.len()), (1_000, 1_000));
    for it in &all {
        let last = it.last.as_ref().unwrap();
        let same = all
            .iter()
            .find(|other| other.question == it.question && other.environment == it.environment);
        assert_eq!(same.unwrap().last.as_ref().unwrap().found, last.found);
        assert!(it.due.is_none() && it.next.as_deref() == Some("2026-11-22T12:00:00Z"));
    }
}

#[tokio::test]
async fn two_processes_check_once() {
    let Some(server) = testkit::Postgres::shared() else {
        println!("left out: PostgreSQL is not installed");
        return;
    };
    let house = House::at(tempfile::tempdir().unwrap(), server.database()).await;
    house.runs(RUNS).await;
    for number in 0..10 {
        house.put(&format!("s{number}"), "production", CheckQuestion::default()).await;
    }
    let apps = [house.app.clone(), house.beside().await, house.beside().await];
    for day in 1..=3 {
        house.clock.fetch_add(86_400_000_000, Ordering::SeqCst);
        let doing: Vec<_> = apps
            .iter()
            .map(|app| {
                let app = app.clone();
                tokio::spawn(async move {
                    Outlook::default().look(&app).await.unwrap();
                    jobs::all(&app).await
                })
            })
            .collect();
        for it in doing {
            it.await.unwrap();
        }
        // Who came late to a job that was being done found nothing left; what was left is done now.
        jobs::all(&house.app).await;
        assert_eq!(house.told().await.len(), day * 10);
    }
}

#[tokio::test]
async fn who_may_and_what_is_refused() {
    let house = House::new().await;
    house.runs(RUNS).await;
    let (ann, bob) = (house.client("ann").await, house.client("bob").await);
    house.put("daily", "production", CheckQuestion::default()).await;
    let good = Scheduling {
        environment: "production".to_owned(),
        cron: "@daily".to_owned(),
        zone: None,
        question: CheckQuestion::default(),
    };
    assert!(bob.put_schedule("acme", "x", &good).await.is_err());
    assert!(bob.run_schedule("acme", "daily").await.is_err());
    assert!(bob.delete_schedule("acme", "daily").await.is_err());
    assert_eq!(bob.schedules("acme").await.unwrap().items.len(), 1);
    assert_eq!(bob.schedule("acme", "daily").await.unwrap().name, "daily");

    let check = async |change: &dyn Fn(&mut Scheduling), expect: &str| {
        let mut scheduling = good.clone();
        change(&mut scheduling);
        let told = ann.put_schedule("acme", "x", &scheduling).await.unwrap_err().to_string();
        assert!(told.contains(expect), "{told}");
    };
    check(&|it| it.cron = "* * * *".to_owned(), "cron: ").await;
    check(&|it| it.cron = "0 0 30 2 *".to_owned(), "cron: it never comes").await;
    check(&|it| it.zone = Some("Mars/Olympus".to_owned()), "zone: ").await;
    check(&|it| it.environment = "nowhere".to_owned(), "environment `nowhere`").await;
    check(&|it| it.question.severities = vec!["dire".to_owned()], "`dire` is no severity").await;
    check(&|it| it.question.image = Some("A b".to_owned()), "image: ").await;
    for name in ["gone", "x"] {
        assert!(ann.run_schedule("acme", name).await.is_err());
        assert!(ann.delete_schedule("acme", name).await.is_err());
    }
    // Asked for, it is checked before its turn, which stays what it was.
    let asked = ann.run_schedule("acme", "daily").await.unwrap();
    assert!(asked.due.is_some() && asked.last.is_none());
    assert_eq!(house.later(0).await, 1);
    let done = ann.schedule("acme", "daily").await.unwrap();
    assert_eq!((done.due, done.next), (None, asked.next));
    assert_eq!(done.last.unwrap().verdict, CheckVerdict::Failed);
    // One that another version has written keeps nobody else from being checked.
    let acme = house.app.store().organisation("acme").await.unwrap().id;
    let foreign = serde_json::json!({ "moon": "full" });
    let new = store::NewSchedule {
        name: "foreign",
        environment: "production",
        cron: "0 12 * * *",
        zone: "UTC",
        question: &foreign,
        next: Some("2026-11-21T12:00:00Z".parse().unwrap()),
    };
    let act = Act { who: String::new(), origin: String::new(), at: house.app.now() };
    house.app.store().put_schedule(&acme, &act, &new).await.unwrap();
    assert_eq!(house.later(7_200).await, 1);
    assert_eq!(house.told().await.len(), 3);
    // Where nobody stays, nobody checks.
    let alone = super::client().await;
    alone.create_organisation("acme").await.unwrap();
    alone.create_environment("acme", "production").await.unwrap();
    let told = alone.put_schedule("acme", "x", &good).await.unwrap_err();
    assert!(told.to_string().contains("nobody is here all the time"), "{told}");
}
