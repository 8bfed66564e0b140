//! Runtimes over HTTP: what they say, what becomes of it, and what nobody can tell.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use api::{
    CheckQuestion, CheckVerdict, Client, Comparing, DeploymentQuery, EventQuery, Heartbeat,
    PairOutcome, Pushing, RunningContainer, RunsIn, RuntimeQuery, Snapped, Snapshot, Sort,
    WhereQuery, Workload,
};
use axum::body::Body;
use axum::http::Request;
use engine::Engine;
use model::{Act, Digest, Moment};
use store::Store;
use testkit::FakeRegistry;
use tower::ServiceExt as _;

use super::{digest, inventory};
use crate::{Access, App, Reach, World, checks, here, jobs, router};

/// A registry, a client, and a server that may ask it.
struct House {
    registry: FakeRegistry,
    client: Client,
    app: App,
    clock: Arc<AtomicI64>,
}

impl House {
    async fn new() -> Self {
        // Two providers are linked, so somebody has to say which.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store = Store::open("sqlite::memory:").await.unwrap();
        let start = "2026-11-21T10:00:00Z".parse::<Moment>().unwrap();
        let clock = Arc::new(AtomicI64::new(start.micros()));
        let reach = Reach {
            engine: Engine::default(),
            settings: Arc::new(image::Settings::default()),
            jobs: true,
            offline: false,
        };
        let ticking = Arc::clone(&clock);
        let now = Arc::new(move || Moment::from_micros(ticking.load(Ordering::SeqCst)));
        let access = Access::Local { name: "ann".to_owned() };
        let app = App::new(store, World::new(None), access, reach, now);
        let client = Client::new(here(router(app.clone())), None);
        client.create_organisation("local").await.unwrap();
        for name in ["production", "staging"] {
            client.create_environment("local", name).await.unwrap();
        }
        Self { registry: FakeRegistry::start(), client, app, clock }
    }

    fn later(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// `production: web=acme/web:v1@sha256:…`, as agents say it.
    fn snapshot(&self, text: &str) -> Snapshot {
        let mut environments: Vec<RunsIn> = Vec::new();
        for line in text.split(';') {
            let (name, all) = line.split_once(": ").unwrap();
            let running = all.split_whitespace().map(|part| {
                let (workload, image) = part.split_once('=').unwrap();
                let (image, digest) = image.split_once('@').unwrap();
                let (digest, platform) = digest.split_once('!').unwrap_or((digest, ""));
                RunningContainer {
                    image: if image.is_empty() { digest } else { image }.to_owned(),
                    digest: digest.to_owned(),
                    platform: Some(platform.to_owned()).filter(|it| !it.is_empty()),
                    workload: Workload {
                        namespace: "shop".to_owned(),
                        kind: "deployment".to_owned(),
                        name: workload.to_owned(),
                        container: "app".to_owned(),
                    },
                }
            });
            let running = running.collect();
            environments.push(RunsIn { environment: name.trim().to_owned(), running });
        }
        Snapshot {
            kind: "kubernetes".to_owned(),
            agent: "agent-1".to_owned(),
            seen: self.app.now().to_string(),
            every: 60,
            environments,
            create: false,
            gaps: Vec::new(),
        }
    }

    async fn say(&self, text: &str) -> Snapped {
        self.client.snap("local", "eu1", &self.snapshot(text)).await.unwrap()
    }

    async fn beat(&self, mark: &str) -> Result<(), api::Error> {
        let beat = Heartbeat {
            agent: "agent-1".to_owned(),
            mark: mark.to_owned(),
            seen: self.app.now().to_string(),
        };
        self.client.beat("local", "eu1", &beat).await
    }

    /// What runs, and whether it is read.
    async fn running(&self, environment: &str) -> String {
        let environment = Some(environment.to_owned());
        let query = DeploymentQuery { environment, ..DeploymentQuery::default() };
        let page = self.client.deployments("local", &query).await.unwrap();
        let line = |it: &api::Deployment| {
            let application = it.application.replace(&self.registry.host(), "registry");
            let digest = it.digest.get(7..11).unwrap();
            let unheard = if it.unheard.is_some() { " unheard" } else { "" };
            let pending = if it.pending { " pending" } else { "" };
            format!("{application} {} {digest}{pending}{unheard}", it.platform)
        };
        page.items.iter().map(line).collect::<Vec<_>>().join("; ")
    }

    /// Another process on the same database, that begins now.
    fn beside(&self) -> App {
        let (store, clock) = (self.app.store().clone(), Arc::clone(&self.clock));
        let now = Arc::new(move || Moment::from_micros(clock.load(Ordering::SeqCst)));
        let access = Access::Local { name: "ann".to_owned() };
        App::new(store, World::new(None), access, self.app.reach.clone(), now)
    }

    async fn check(&self, environment: &str, question: &CheckQuestion) -> api::Checked {
        let local = self.app.store().organisation("local").await.unwrap().id;
        let asked = std::slice::from_ref(question);
        let told = checks::check(&self.app, &local, environment, asked).await.unwrap().remove(0);
        let starter = "there is no almanac: only the best-known flaws are known";
        let why = told.why.filter(|it| it != starter);
        api::Checked { why, ..told }
    }

    async fn export(&self, environment: &str, form: &str) -> String {
        let uri = format!("/api/v1/orgs/local/environments/{environment}/export?format={form}");
        let request = Request::get(uri).body(Body::empty()).unwrap();
        let response = router(self.app.clone()).oneshot(request).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), 1 << 24).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    /// It is analysed.
    async fn keep(&self, digest: &Digest) {
        let local = self.app.store().organisation("local").await.unwrap().id;
        let act = Act { who: "a test".to_owned(), origin: String::new(), at: self.app.now() };
        let platform = "linux/amd64".parse().unwrap();
        let content = inventory(&["pkg:npm/left-pad@1.0.0"]);
        let store = self.app.store();
        store.keep_inventory(&local, &act, digest, &platform, None, &content).await.unwrap();
    }

    async fn events(&self, kind: &str) -> usize {
        let query = EventQuery { kinds: Some(kind.to_owned()), ..EventQuery::default() };
        self.client.events("local", &query).await.unwrap().items.len()
    }
}

fn comparing(from: &str, to: &str) -> Comparing {
    let environment = |it: &str| serde_json::json!({ "environment": it });
    let asked = serde_json::json!({ "from": environment(from), "to": environment(to) });
    serde_json::from_value(asked).unwrap()
}

fn refused(error: &api::Error) -> Sort {
    match error {
        api::Error::Problem(it) => it.sort,
        other => panic!("{other}"),
    }
}

fn image(platform: (&str, &str), package: &str) -> testkit::ImageBuilder {
    let layer = testkit::layer()
        .file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.0\n")
        .file("lib/apk/db/installed", format!("P:{package}\nV:1.0-r0\nA:x86_64\n\n"));
    testkit::image().platform(platform.0, platform.1).layer(layer)
}

#[tokio::test]
async fn an_index_is_read_for_each_platform_that_runs() {
    let house = House::new().await;
    let both = testkit::index()
        .image("linux/amd64", image(("linux", "amd64"), "one"))
        .image("linux/arm64", image(("linux", "arm64"), "two"));
    let index = house.registry.push_index("team/web", "v1", &both);
    let name = format!("{}/team/web:v1", house.registry.host());
    let text = format!("production: a={name}@{index}!linux/amd64 b={name}@{index}!linux/arm64");
    let snapped = house.say(&text).await;
    assert_eq!((snapped.started.len(), snapped.unplaced), (2, 0));
    let told = index.get(7..11).unwrap();
    assert_eq!(
        house.running("production").await,
        format!(
            "registry/team/web linux/amd64 {told} pending; registry/team/web linux/arm64 {told} pending"
        )
    );
    assert_eq!(jobs::all(&house.app).await, ["analyse_image"]);
    jobs::do_once(&house.app, "look_at_runtimes").await.unwrap();
    let now = house.running("production").await;
    assert!(!now.contains("pending") && !now.contains(told), "{now}");
    let query = DeploymentQuery::default();
    let all = house.client.deployments("local", &query).await.unwrap().items;
    let digests: std::collections::BTreeSet<&str> = all.iter().map(|it| &*it.digest).collect();
    assert_eq!(digests.len(), 2, "each is the image of its platform");
    for it in &all {
        let inventory = house.client.inventory("local", &it.digest).await.unwrap();
        assert_eq!(inventory.packages.len(), 1);
    }
    assert_eq!(house.events("deployment-replaced").await, 0, "they are the same images");
    assert_eq!(house.events("deployment-identified").await, 2);
    // Who is told of the index later finds the images at once.
    let text = format!("staging: a={name}@{index}!linux/arm64");
    let snapped = house.say(&text).await;
    assert!(!snapped.started[0].deployment.pending);
    assert_eq!(snapped.ended.len(), 2);
}

#[tokio::test]
async fn what_cannot_be_placed_is_a_gap_until_it_is_pushed() {
    let house = House::new().await;
    let (config, manifest) = (digest('c'), digest('1'));
    let text = format!("production: web=acme/web:v1@{} cron=@{config}", digest('2'));
    let snapped = house.say(&text).await;
    assert_eq!((snapped.started.len(), snapped.unplaced), (1, 1));
    let environment = house.client.environment("local", "production").await.unwrap();
    assert_eq!((environment.running, environment.pending), (2, 2));
    let all = house.client.runtimes("local", &RuntimeQuery::default()).await.unwrap().items;
    assert_eq!(all[0].unplaced[0].workload.name, "cron");
    let query = WhereQuery { what: Some("left-pad".to_owned()), ..WhereQuery::default() };
    let gaps = house.client.whereabouts("local", &query).await.unwrap().gaps;
    let expect = "runtime eu1 runs 1 image that nobody knows here: cannot tell";
    assert!(gaps.iter().any(|it| it.why == expect), "{gaps:?}");
    let told = house.client.compare("local", &comparing("production", "staging")).await.unwrap();
    assert_eq!(told.summary.unknown, 2, "neither is known");
    // Somebody pushes what has that configuration.
    let mut inventory = inventory(&["pkg:npm/left-pad@1.3.0"]);
    if let model::Subject::Image(image) = &mut inventory.subject {
        image.config = Some(config.parse().unwrap());
        image.digest = Some(manifest.parse().unwrap());
    }
    let image = Some("acme/cron:v1".to_owned());
    let pushing = Pushing { image, platform: None, inventory };
    house.client.push("local", &manifest, &pushing).await.unwrap();
    let now = house.running("production").await;
    assert!(now.contains("docker.io/acme/cron linux/amd64 1111"), "{now}");
    let whole = house.client.runtime("local", "eu1").await.unwrap();
    assert!(whole.runtime.unplaced.is_empty());
    let placed: Vec<_> = whole.containers.iter().filter_map(|it| it.placed.clone()).collect();
    assert_eq!(placed, [manifest, digest('2')]);
}

#[tokio::test]
async fn a_silent_runtime_is_stale_and_not_empty() {
    let house = House::new().await;
    let error = house.beat("x").await.unwrap_err();
    assert_eq!(refused(&error), Sort::Conflict);
    let mark = house.say(&format!("production: web=acme/web:v1@{}", digest('2'))).await.mark;
    house.later(60);
    house.beat(&mark).await.unwrap();
    assert_eq!(refused(&house.beat("other").await.unwrap_err()), Sort::Conflict);
    let known = house.running("production").await;
    assert_eq!(known, "docker.io/acme/web linux/amd64 2222 pending");
    house.later(181);
    // Nobody wrote anything down meanwhile.
    assert_eq!(house.running("production").await, format!("{known} unheard"));
    let runtime = &house.client.runtimes("local", &RuntimeQuery::default()).await.unwrap().items[0];
    assert!(runtime.stale && runtime.gaps.len() == 1, "{runtime:?}");
    let why = "it was not heard of since 2026-11-21T10:01:00Z: what runs there may be something \
               else by now";
    assert_eq!(runtime.gaps[0], why);
    let query = WhereQuery { what: Some("left-pad".to_owned()), ..WhereQuery::default() };
    let gaps = house.client.whereabouts("local", &query).await.unwrap().gaps;
    assert!(gaps.iter().any(|it| it.why == format!("runtime eu1: {why}")), "{gaps:?}");
    // Nor does anybody read it as if all were well: whoever compares, exports or checks is told.
    let hole = format!("runtime eu1: {why}");
    let told = house.client.compare("local", &comparing("production", "staging")).await.unwrap();
    let of_it = told.pairs.iter().find(|it| it.application.as_deref() == Some("runtime eu1"));
    assert_eq!((of_it.unwrap().outcome, told.summary.unknown), (PairOutcome::Unknown, 2));
    assert_eq!(of_it.unwrap().gaps[0].why, why);
    for form in ["json", "csv", "cyclonedx"] {
        let exported = house.export("production", form).await;
        assert!(exported.contains(why), "{form}: {exported}");
    }
    assert!(!house.export("staging", "json").await.contains(why));
    let query = CheckQuestion { image: Some("acme/web".to_owned()), ..CheckQuestion::default() };
    let digest = digest('2').parse().unwrap();
    house.keep(&digest).await;
    let told = house.check("production", &query).await;
    assert_eq!((told.verdict, told.why), (CheckVerdict::Unknown, Some(hole)));
    // A process that did not listen until now does not know who was silent.
    let late = house.beside();
    jobs::do_once(&late, "look_at_runtimes").await.unwrap();
    assert_eq!(house.events("runtime-silent").await, 0);
    for _ in 0..2 {
        jobs::do_once(&house.app, "look_at_runtimes").await.unwrap();
    }
    assert_eq!(house.events("runtime-silent").await, 1);
    house.beat(&mark).await.unwrap();
    assert_eq!(house.events("runtime-heard").await, 1);
    assert_eq!(house.running("production").await, "docker.io/acme/web linux/amd64 2222");
    assert_eq!(house.check("production", &query).await.why, None, "it is heard of");
    house.client.remove_runtime("local", "eu1").await.unwrap();
    assert_eq!(house.running("production").await, "");
    let error = house.client.runtime("local", "eu1").await.unwrap_err();
    assert_eq!(refused(&error), Sort::NotFound);
}

#[tokio::test]
async fn of_two_that_report_one_is_told_to_wait() {
    let house = House::new().await;
    house.say(&format!("production: web=acme/web:v1@{}", digest('2'))).await;
    let mut other = house.snapshot(&format!("production: web=acme/web:v2@{}", digest('3')));
    other.agent = "agent-2".to_owned();
    let error = house.client.snap("local", "eu1", &other).await.unwrap_err();
    assert_eq!(refused(&error), Sort::Conflict);
    let runtime = &house.client.runtimes("local", &RuntimeQuery::default()).await.unwrap().items[0];
    assert_eq!(runtime.agents, ["agent-1", "agent-2"]);
    assert_eq!(runtime.gaps.len(), 1, "{runtime:?}");
    assert!(house.running("production").await.contains("2222"));
    house.later(181);
    other.seen = house.app.now().to_string();
    house.client.snap("local", "eu1", &other).await.unwrap();
    assert!(house.running("production").await.contains("3333"));
}

#[tokio::test]
async fn junk_is_refused_whole() {
    let house = House::new().await;
    let fine = house.snapshot(&format!("production: web=acme/web:v1@{}", digest('2')));
    type Spoil = fn(&mut Snapshot);
    let junk: [(&str, Spoil); 8] = [
        ("malformed", |it| it.environments[0].running[0].digest = "sha256:12".to_owned()),
        ("malformed", |it| it.environments[0].running[0].platform = Some("?".to_owned())),
        ("malformed", |it| it.seen = "yesterday".to_owned()),
        ("refused", |it| it.every = 0),
        ("refused", |it| it.every = 86_401),
        ("refused", |it| it.agent = " ".to_owned()),
        ("refused", |it| it.gaps = vec![String::new(); 101]),
        ("refused", |it| it.environments = vec![RunsIn::default(); 1_001]),
    ];
    for (sort, spoil) in junk {
        let mut spoilt = fine.clone();
        spoil(&mut spoilt);
        let error = house.client.snap("local", "eu1", &spoilt).await.unwrap_err();
        let expect = if sort == "refused" { Sort::Refused } else { Sort::Malformed };
        assert_eq!(refused(&error), expect, "{error}");
    }
    let nowhere = house.snapshot(&format!("qa: web=acme/web:v1@{}", digest('2')));
    let error = house.client.snap("local", "eu1", &nowhere).await.unwrap_err();
    assert_eq!(refused(&error), Sort::NotFound);
    assert!(
        house.client.runtimes("local", &RuntimeQuery::default()).await.unwrap().items.is_empty()
    );
    let made = Snapshot { create: true, ..nowhere };
    house.client.snap("local", "eu1", &made).await.unwrap();
    assert!(house.running("qa").await.contains("2222"));
    // What is no name of an image is kept as it was told.
    let mut odd = fine;
    odd.environments[0].running[0].image = "<none>:<none>\u{1b}[31m".to_owned();
    let snapped = house.client.snap("local", "eu1", &odd).await.unwrap();
    assert_eq!((snapped.started.len(), snapped.unplaced), (0, 1));
}

/// However many there are, and wherever: what one of them cannot tell is told.
#[tokio::test]
async fn what_cannot_be_placed_in_one_place_hides_none_in_another() {
    let house = House::new().await;
    let mut snapshot =
        house.snapshot("production: a=@X; staging: b=@X".replace('X', &digest('a')).as_str());
    let one = snapshot.environments[0].running[0].clone();
    let many = (0..1_100_u32).map(|number| {
        let digest = format!("sha256:{number:064x}");
        RunningContainer { image: digest.clone(), digest, ..one.clone() }
    });
    snapshot.environments[0].running = many.collect();
    house.client.snap("local", "eu1", &snapshot).await.unwrap();
    for name in ["eu2", "eu3"] {
        let text = format!("production: web=acme/web:v1@{}", digest('2'));
        house.client.snap("local", name, &house.snapshot(&text)).await.unwrap();
    }
    let asked = async |environment: Option<&str>, after: Option<String>| {
        let environment = environment.map(str::to_owned);
        let query = RuntimeQuery { environment, after, limit: Some(2) };
        house.client.runtimes("local", &query).await.unwrap()
    };
    let staging = asked(Some("staging"), None).await;
    assert_eq!((staging.items.len(), staging.items[0].unplaced.len()), (1, 1));
    assert!(staging.items[0].gaps.is_empty());
    let first = asked(None, None).await;
    assert_eq!((first.items.len(), first.items[0].unplaced.len()), (2, 1_000));
    let more = "101 more images that nobody knows here run there: cannot tell";
    assert_eq!(first.items[0].gaps, [more]);
    let rest = asked(None, first.next).await;
    assert_eq!((rest.items.len(), rest.items[0].name.as_str(), rest.next), (1, "eu3", None));
    let query = WhereQuery { what: Some("left-pad".to_owned()), ..WhereQuery::default() };
    let told = house.client.whereabouts("local", &query).await.unwrap();
    let expect = "runtime eu1 runs 1100 images that nobody knows here: cannot tell";
    assert!(told.gaps.iter().any(|it| it.why == expect), "{:?}", told.gaps);
    let told = house.check("staging", &CheckQuestion::default()).await;
    assert_eq!((told.verdict, told.dark), (CheckVerdict::Unknown, 1));
}
