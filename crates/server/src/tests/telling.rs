//! Telling: the right people are told the right thing, once, whatever breaks.

mod asked;
mod deployed;
mod faults;
mod measured;
mod times;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::Client;
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use engine::Engine;
use integration::{Integration, Message, Notifier, Remedy, Untold};
use model::{Act, EventKind, Moment, OrganisationId, Role, Secret, Source};
use serde_json::{Value as Json, json};
use store::{Keyring, NewEvent, NewIntegration, NewRule, OutboxState, Page, Store};

use crate::identity::{Kind, minted};
use crate::{Access, App, People, Reach, World, here, jobs, router};

/// Who tells in the stead of real parties, by the names of integrations.
#[derive(Default)]
pub(crate) struct Channels(Mutex<HashMap<String, Arc<dyn Integration>>>);

impl Channels {
    pub(crate) fn get(&self, name: &str) -> Option<Arc<dyn Integration>> {
        self.0.lock().unwrap().get(name).cloned()
    }

    fn put(&self, name: &str, ear: &Arc<Ear>) {
        let ear: Arc<dyn Integration> = Arc::clone(ear) as Arc<dyn Integration>;
        self.0.lock().unwrap().insert(name.to_owned(), ear);
    }
}

/// What a receiver answers.
#[derive(Clone, Debug)]
enum Answer {
    Take,
    TakeAndHang,
    Later(Option<Duration>),
    Drop,
    Close,
    CloseAtLast,
    Hang,
    Panic,
}

/// A receiver that remembers what it heard.
#[derive(Default)]
struct Ear {
    /// What it answers next; then it takes everything.
    answers: Mutex<VecDeque<Answer>>,
    /// With the key of each.
    heard: Mutex<Vec<(String, Message)>>,
}

impl Ear {
    fn answer(&self, answers: &[Answer]) {
        self.answers.lock().unwrap().extend(answers.iter().cloned());
    }

    fn heard(&self) -> Vec<(String, Message)> {
        self.heard.lock().unwrap().clone()
    }

    fn titles(&self) -> Vec<String> {
        self.heard().into_iter().map(|it| it.1.title).collect()
    }
}

impl Integration for Ear {
    fn notifier(&self) -> Option<&dyn Notifier> {
        Some(self)
    }
}

#[async_trait]
impl Notifier for Ear {
    fn receiver(&self) -> &'static str {
        "ear.example"
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn checks(&self) -> Vec<integration::Check> {
        Vec::new()
    }

    async fn say(&self, message: &Message, key: &str) -> Result<String, Untold> {
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or(Answer::Take);
        let untold = |remedy| {
            Err(Untold { why: format!("the receiver says {answer:?}"), hint: None, remedy })
        };
        match answer {
            Answer::Take => {
                self.heard.lock().unwrap().push((key.to_owned(), message.clone()));
                Ok("heard".to_owned())
            }
            Answer::TakeAndHang => {
                self.heard.lock().unwrap().push((key.to_owned(), message.clone()));
                std::future::pending().await
            }
            Answer::Later(wait) => untold(Remedy::Later(wait)),
            Answer::Drop => untold(Remedy::Drop),
            Answer::Close => untold(Remedy::Close),
            Answer::CloseAtLast => untold(Remedy::CloseAtLast),
            Answer::Hang => std::future::pending().await,
            Answer::Panic => panic!("a receiver that cannot be"),
        }
    }
}

/// A server, with a clock.
struct House {
    app: App,
    router: Router,
    clock: Arc<AtomicI64>,
    evaluated: AtomicI64,
}

impl House {
    async fn new() -> Self {
        Self::at("sqlite::memory:").await
    }

    /// One on that database, with acme and other, each with production and staging.
    async fn at(address: &str) -> Self {
        let start = "2026-11-21T10:00:00Z".parse::<Moment>().unwrap();
        let clock = Arc::new(AtomicI64::new(start.micros()));
        let store = Store::open(address).await.unwrap().with_keys(Keyring::new(&[1; 32], &[]));
        let settings = Arc::new(image::Settings::default());
        let reach = Reach { engine: Engine::default(), settings, jobs: true, offline: false };
        let ticking = Arc::clone(&clock);
        let now = Arc::new(move || Moment::from_micros(ticking.load(Ordering::SeqCst)));
        let access = Access::People(People::new(false));
        let app = App::new(store, World::new(None), access, reach, now);
        let act = Act { who: "a test".to_owned(), origin: String::new(), at: app.now() };
        let store = app.store();
        let ann = store.create_user(&act, "ann", &Secret::new("x")).await.unwrap();
        let bob = store.create_user(&act, "bob", &Secret::new("x")).await.unwrap();
        for name in ["acme", "other"] {
            let made = store.create_organisation_owned(&act, name, &ann.id).await.unwrap().id;
            store.put_member(&made, &act, &bob.id, Role::Editor).await.unwrap();
            for name in ["production", "staging"] {
                store.create_environment(&made, &act, name).await.unwrap();
            }
        }
        let router = router(app.clone());
        Self { app, router, clock, evaluated: AtomicI64::new(0) }
    }

    async fn client(&self, name: &str) -> Client {
        let user = self.app.store().user(name).await.unwrap();
        let session = minted(Kind::Session).unwrap();
        let act = self.act();
        let until = act.at.plus_seconds(86_400 * 30);
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

    fn act(&self) -> Act {
        Act { who: "ann".to_owned(), origin: "ci/17".to_owned(), at: self.app.now() }
    }

    async fn id(&self, organisation: &str) -> OrganisationId {
        self.app.store().organisation(organisation).await.unwrap().id
    }

    /// A channel of that name, and who is at its end.
    async fn channel(&self, organisation: &str, name: &str) -> Arc<Ear> {
        let hook = minted(Kind::Hook).unwrap();
        let new = NewIntegration {
            kind: "ear",
            name,
            settings: &[],
            secrets: &[],
            unset: &[],
            address: &[],
            scope: &[],
            proof: None,
            hook: (&hook.hash, &Secret::new(hook.text)),
        };
        let whose = self.id(organisation).await;
        self.app.store().put_integration(&whose, &self.act(), &new).await.unwrap();
        let ear = Arc::new(Ear::default());
        self.app.channels.put(name, &ear);
        ear
    }

    /// A rule of that name that tells by a channel.
    async fn rule(&self, organisation: &str, name: &str, channel: &str, definition: Json) {
        let whose = self.id(organisation).await;
        let new = NewRule { name, kind: "ear", channel, definition: &definition };
        self.app.store().put_rule(&whose, &self.act(), &new).await.unwrap();
    }

    /// A new almanac finds these in an environment, each in the image of that number.
    async fn finds(&self, organisation: &str, environment: &str, flaws: &[(&str, u8)]) {
        let whose = self.id(organisation).await;
        let event = |(flaw, image): &(&str, u8)| NewEvent {
            kind: EventKind::FindingNew,
            environment: Some(environment.to_owned()),
            about: (*flaw).to_owned(),
            detail: json!({
                "name": "openssl", "version": "3.0.1", "images": 1, "digests": [digest(*image)],
                "before": null,
                "after": { "severity": "high", "fixed": "3.0.2", "exploited": false },
            }),
        };
        let events: Vec<NewEvent> = flaws.iter().map(event).collect();
        let former = self.app.store().last_evaluation(&whose).await.unwrap().map(|it| it.almanac);
        let number = self.evaluated.fetch_add(1, Ordering::SeqCst);
        let almanac = format!("almanac {number}");
        let former = former.as_deref();
        let done = self.app.store().evaluated(&whose, &self.act(), former, &almanac, &events).await;
        assert!(done.unwrap());
    }

    async fn runs(&self, organisation: &str, environment: &str, image: &str, number: u8) {
        let (repository, tag) = image.split_once(':').unwrap();
        let recording = model::Recording {
            application: None,
            platform: "linux/amd64".parse().unwrap(),
            repository: repository.to_owned(),
            tag: Some(tag.to_owned()),
            digest: digest(number).parse().unwrap(),
        };
        let whose = self.id(organisation).await;
        let store = self.app.store();
        store.record(&whose, &self.act(), environment, &Source::Cli, &recording).await.unwrap();
    }

    /// Time goes by, and what is to be told is told.
    async fn later(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
        jobs::do_once(&self.app, "tell").await.unwrap();
        jobs::deliver_soon(&self.app).await.unwrap();
        jobs::all(&self.app).await;
    }

    /// What is in the outbox, the first first: `waiting CVE-1 (high) is new in production 0`.
    async fn outbox(&self, organisation: &str) -> Vec<String> {
        let whose = self.id(organisation).await;
        let all = self.app.store().outbox(&whose, None, &Page::first(1000)).await.unwrap().rows;
        let line =
            |it: &store::OutboxEntry| format!("{} {} {}", it.state.as_str(), it.about, it.attempts);
        all.iter().rev().map(line).collect()
    }

    async fn sent(&self, organisation: &str) -> usize {
        let whose = self.id(organisation).await;
        let (state, page) = (Some(OutboxState::Sent), Page::first(1000));
        self.app.store().outbox(&whose, state, &page).await.unwrap().rows.len()
    }

    /// Does that channel work, and why not?
    async fn state(&self, name: &str) -> String {
        let whose = self.id("acme").await;
        let found = self.app.store().integration(&whose, "ear", name).await.unwrap().unwrap();
        match found.state {
            store::IntegrationState::Pending => "pending".to_owned(),
            store::IntegrationState::Connected { .. } => "connected".to_owned(),
            store::IntegrationState::Failed { why } => why,
        }
    }
}

fn digest(number: u8) -> String {
    model::Digest::from_sha256(&[number; 32]).to_string()
}

#[tokio::test]
async fn the_right_people_are_told_and_nobody_else() {
    let house = House::new().await;
    let [ops, dev, theirs] =
        [("acme", "ops"), ("acme", "dev"), ("other", "theirs")].map(|it| house.channel(it.0, it.1));
    let (ops, dev, theirs) = (ops.await, dev.await, theirs.await);
    let production = json!({ "on": ["new-finding"], "environments": ["production"] });
    house.rule("acme", "first", "ops", production).await;
    let staging = json!({ "on": ["all"], "environments": ["staging"] });
    house.rule("acme", "second", "dev", staging).await;
    house.rule("other", "first", "theirs", json!({ "on": ["all"] })).await;
    house.runs("acme", "production", "docker.io/acme/web:v1", 1).await;
    house.later(3).await;
    // What was before is told by nobody who asks for flaws.
    assert_eq!((ops.titles().len(), dev.titles().len(), theirs.titles().len()), (0, 0, 0));
    house.finds("acme", "production", &[("CVE-1", 1)]).await;
    house.later(3).await;
    let heard = ops.heard();
    let [(_, message)] = &heard[..] else { panic!("{heard:?}") };
    assert_eq!(message.title, "CVE-1 (high) is new in production");
    assert_eq!((message.organisation.as_str(), message.kind.as_str()), ("acme", "finding-new"));
    let facts: Vec<String> =
        message.facts.iter().map(|it| format!("{}: {}", it.name, it.lines.join("; "))).collect();
    assert_eq!(
        facts,
        [
            "In: openssl 3.0.1",
            "Runs in: production: docker.io/acme/web:v1, since 2026-11-21",
            "Brought by: ann (ci/17)",
            "Fixed in: openssl 3.0.2",
            "Read on: foretop where CVE-1",
        ]
    );
    assert_eq!(message.url.as_deref(), Some("https://nvd.nist.gov/vuln/detail/CVE-1"));
    assert_eq!((dev.titles().len(), theirs.titles().len()), (0, 0), "nobody else");
    assert_eq!(house.state("ops").await, "connected");
    // Again and again it is looked, and there is nothing more.
    for _ in 0..3 {
        house.later(60).await;
    }
    assert_eq!(ops.titles().len(), 1);
    assert_eq!(house.outbox("acme").await, ["sent CVE-1 (high) is new in production 1"]);
    assert!(house.outbox("other").await.is_empty());
}

#[tokio::test]
async fn messages_lead_to_the_page_that_says_more() {
    let house = House::new().await;
    house.app.is_reached_at("https://foretop.example/");
    let ops = house.channel("acme", "ops").await;
    house.rule("acme", "first", "ops", json!({ "on": ["all"] })).await;
    house.runs("acme", "production", "docker.io/acme/web:v1", 1).await;
    house.later(3).await;
    house.finds("acme", "production", &[("CVE-1", 1)]).await;
    house.later(3).await;
    let heard = ops.heard();
    let led: Vec<&str> = heard.iter().filter_map(|it| it.1.url.as_deref()).collect();
    assert_eq!(
        led,
        [
            "https://foretop.example/o/acme/environments/production",
            "https://foretop.example/o/acme/vulnerabilities/CVE-1",
        ]
    );
    let shown = house.client("ann").await.test_rule("acme", "first").await.unwrap().sent;
    assert!(shown.lines.iter().any(|it| it.contains(led[1])), "{shown:?}");
}

#[tokio::test]
async fn what_meets_other_policies_is_told_in_a_sentence() {
    let house = House::new().await;
    let (ops, dev) = (house.channel("acme", "ops").await, house.channel("acme", "dev").await);
    house.rule("acme", "first", "ops", json!({ "on": ["policy-flipped"] })).await;
    let staging = json!({ "on": ["policy-flipped"], "environments": ["staging"] });
    house.rule("acme", "second", "dev", staging).await;
    let whose = house.id("acme").await;
    let flip = |application: String| NewEvent {
        kind: EventKind::PolicyFlipped,
        environment: Some("production".to_owned()),
        about: application,
        detail: json!({
            "policy": "gaps", "title": "No gaps", "from": "met", "to": "not-met",
            "reason": "image", "why": "app.jar cannot be read", "images": 1, "digests": [digest(1)],
            "repository": "docker.io/acme/web",
        }),
    };
    let store = house.app.store();
    let tell = async |former: Option<&str>, almanac: &str, names: Vec<String>| {
        let events: Vec<NewEvent> = names.into_iter().map(flip).collect();
        assert!(store.evaluated(&whose, &house.act(), former, almanac, &events).await.unwrap());
    };
    tell(None, "a", vec!["web".to_owned()]).await;
    house.later(3).await;
    let heard = ops.heard();
    let [(_, message)] = &heard[..] else { panic!("{heard:?}") };
    assert_eq!(message.title, "web meets other policies than it did in production");
    assert_eq!(
        message.text,
        "No gaps is not met, and was met; another image runs: app.jar cannot be read"
    );
    assert_eq!(message.facts[0].lines, ["foretop policy results --env production"]);
    // Many at once are one message.
    tell(Some("a"), "b", (0..200).map(|it| format!("web-{it}")).collect()).await;
    house.later(3).await;
    let titles = ops.titles();
    assert_eq!(titles.len(), 2, "{titles:?}");
    assert!(titles.iter().any(|it| it == "200 applications meet other policies in production"));
    assert!(dev.titles().is_empty(), "nobody else");
}

#[tokio::test]
async fn ten_thousand_findings_are_one_message() {
    let house = House::new().await;
    let ops = house.channel("acme", "ops").await;
    house.rule("acme", "first", "ops", json!({ "on": ["all"] })).await;
    let names: Vec<String> = (0..10_000).map(|it| format!("CVE-{it}")).collect();
    let flaws: Vec<(&str, u8)> = names.iter().map(|it| (it.as_str(), 1)).collect();
    house.finds("acme", "production", &flaws).await;
    house.later(3).await;
    assert_eq!(ops.titles(), ["10000 new findings: 10000 high in production"]);
    // The next almanac says the same of another package: that is no news today, but tomorrow.
    house.finds("acme", "production", &flaws[..20]).await;
    house.later(60).await;
    assert_eq!(ops.titles().len(), 1);
    house.clock.fetch_add(86_400 * 1_000_000, Ordering::SeqCst);
    house.finds("acme", "production", &flaws[..1]).await;
    house.later(60).await;
    assert_eq!(ops.titles().last().unwrap(), "CVE-0 (high) is new in production");
}

#[tokio::test]
async fn an_environment_with_another_name_is_still_meant() {
    let house = House::new().await;
    let ops = house.channel("acme", "ops").await;
    let definition = json!({ "on": ["new-finding"], "environments": ["production"] });
    house.rule("acme", "first", "ops", definition).await;
    let acme = house.id("acme").await;
    let store = house.app.store();
    // Between the event and the look its environment is named otherwise, or is gone.
    house.finds("acme", "production", &[("CVE-1", 1)]).await;
    store.rename_environment(&acme, &house.act(), "production", "live").await.unwrap();
    house.later(3).await;
    assert_eq!(ops.titles(), ["CVE-1 (high) is new in live"]);
    house.finds("acme", "live", &[("CVE-2", 1)]).await;
    store.delete_environment(&acme, &house.act(), "live").await.unwrap();
    house.later(3).await;
    let last = ops.heard().pop().unwrap().1;
    assert_eq!(last.title, "CVE-2 (high) is new in live");
    let runs = last.facts.iter().find(|it| it.name == "Runs in").unwrap();
    assert_eq!(runs.lines, ["live: what had it runs there no more"]);
    // Another one of the former name is another one.
    store.create_environment(&acme, &house.act(), "production").await.unwrap();
    house.finds("acme", "production", &[("CVE-3", 1)]).await;
    house.later(3).await;
    assert_eq!(ops.titles().len(), 2);
}

#[tokio::test]
async fn a_tag_that_leads_elsewhere_is_told_where_something_runs_by_it() {
    let house = House::new().await;
    let ops = house.channel("acme", "ops").await;
    house.rule("acme", "first", "ops", json!({ "on": ["tag-drifted"] })).await;
    house.runs("acme", "production", "docker.io/acme/web:v1", 1).await;
    let acme = house.id("acme").await;
    let point = async |tag: &str, number: u8| {
        let digest = digest(number).parse().unwrap();
        let platform = "linux/amd64".parse().unwrap();
        let store = house.app.store();
        let (act, web) = (house.act(), "docker.io/acme/web");
        store.point_tag(&acme, &act, web, tag, &platform, &digest).await.unwrap();
        house.clock.fetch_add(1, Ordering::SeqCst);
    };
    for (tag, number) in [("v1", 1), ("v2", 1), ("v1", 2), ("v2", 2)] {
        point(tag, number).await;
    }
    house.later(3).await;
    let title = "docker.io/acme/web:v1 leads to another image than what runs in production";
    assert_eq!(ops.titles(), [title]);
}

#[tokio::test]
async fn a_flaw_in_many_images_is_told_to_those_whose_repositories_have_it() {
    let house = House::new().await;
    let acme = house.id("acme").await;
    let store = house.app.store();
    for (number, repository) in [(1, "docker.io/acme/web"), (2, "docker.io/others/web")] {
        let kept = super::inventory(&["pkg:npm/lodash@4.17.4"]);
        let (digest, platform) = (digest(number).parse().unwrap(), "linux/amd64".parse().unwrap());
        let seen = Some(repository);
        let act = house.act();
        store.keep_inventory(&acme, &act, &digest, &platform, seen, &kept).await.unwrap();
        house.runs("acme", "production", &format!("{repository}:v1"), number).await;
    }
    let mut ears = Vec::new();
    for (name, glob) in [("acme", "docker.io/acme/*"), ("nobody", "docker.io/nobody/*")] {
        ears.push(house.channel("acme", name).await);
        let definition = json!({ "on": ["new-finding"], "repositories": [glob] });
        house.rule("acme", name, name, definition).await;
    }
    // Of thirty images those are named that are somebody else's.
    let event = |purls: &[&str], packages: usize| NewEvent {
        kind: EventKind::FindingNew,
        environment: Some("production".to_owned()),
        about: format!("CVE-{packages}"),
        detail: json!({
            "name": "lodash", "version": "4.17.4", "images": 30, "digests": [digest(2)],
            "purls": purls, "packages": packages, "after": { "severity": "high" },
        }),
    };
    let purls = ["pkg:npm/lodash@4.17.4"];
    let events = [event(&purls, 1), event(&purls, 2)];
    store.evaluated(&acme, &house.act(), None, "a", &events).await.unwrap();
    house.later(3).await;
    let text = |ear: &Ear| {
        let said = ear.heard().into_iter().map(|it| format!("{}{}", it.1.title, it.1.text));
        said.collect::<Vec<_>>()
    };
    let maybe = "CVE-2 (high) is new in productionIt is in more images than are named here: it may \
                 be in none of the repositories that this rule asks for.";
    // Where not all of its packages are named, nobody can tell.
    assert_eq!(text(&ears[0]), ["CVE-1 (high) is new in production", maybe]);
    assert_eq!(text(&ears[1]), [maybe]);
}
