//! Integrations: what a party tells is kept, answered, and looked into, once; what nobody can read is
//! set aside.

mod addresses;
mod beginning;
mod broken;
mod builders;
mod burst;
mod faults;
mod notifiers;
mod sysdig;
mod turns;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use api::{
    Client, Configured, Configuring, EventQuery, ImageQuery, Integration, IntegrationState,
    NoticeQuery, NoticeState, Retrying, TagsQuery, TemplateQuery,
};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use engine::Engine;
use model::{Act, Moment, Role, Secret};
use serde_json::json;
use store::{IntegrationRecord, Keyring, Store};
use testkit::{FakeRegistry, Fault, Form, Hook, Relay, Told, Vendor, VendorStandIn};
use tower::ServiceExt as _;

use crate::identity::{Kind, minted};
use crate::{Access, App, People, Reach, World, here, jobs, router};

const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A server with a registry beside it.
struct House {
    registry: FakeRegistry,
    app: App,
    router: Router,
    clock: Arc<AtomicI64>,
}

impl House {
    async fn new() -> Self {
        Self::at("sqlite::memory:").await
    }

    async fn at(address: &str) -> Self {
        // Two providers are linked, so somebody has to say which.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let start = "2026-11-21T10:00:05Z".parse::<Moment>().unwrap();
        let clock = Arc::new(AtomicI64::new(start.micros()));
        Self::of(app(address, &clock).await, clock).await
    }

    /// One in which somebody is.
    async fn of(app: App, clock: Arc<AtomicI64>) -> Self {
        let act = Act { who: "a test".to_owned(), origin: String::new(), at: app.now() };
        let ann = app.store().create_user(&act, "ann", &Secret::new("x")).await.unwrap();
        app.store().create_organisation_owned(&act, "acme", &ann.id).await.unwrap();
        let bob = app.store().create_user(&act, "bob", &Secret::new("x")).await.unwrap();
        let acme = app.store().organisation("acme").await.unwrap().id;
        app.store().put_member(&acme, &act, &bob.id, Role::Editor).await.unwrap();
        Self { registry: FakeRegistry::start(), router: router(app.clone()), app, clock }
    }

    /// Somebody who asks.
    async fn client(&self, name: &str) -> Client {
        let user = self.app.store().user(name).await.unwrap();
        let session = minted(Kind::Session).unwrap();
        let now = self.app.now();
        let act = Act { who: name.to_owned(), origin: String::new(), at: now };
        let until = now.plus_seconds(86_400);
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

    /// An integration with these parameters, told to ann.
    async fn configured(&self, kind: &str, parameters: &[(&str, &str)]) -> Configured {
        let ann = self.client("ann").await;
        let made = ann.configure_integration("acme", kind, "ours", &told(parameters)).await;
        let made = made.unwrap();
        assert_eq!(made.integration.hook, None, "it is kept in no answer to a change");
        let integration = ann.integration("acme", kind, "ours").await.unwrap();
        Configured { integration, ..made }
    }

    /// What comes back of a webhook.
    async fn post(&self, path: &str, hook: &Hook) -> (u16, String) {
        let method: Method = hook.method.parse().unwrap();
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in &hook.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(hook.body.clone())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// Time goes by, and what is to be done is done.
    async fn later(&self, seconds: i64) -> Vec<String> {
        self.clock.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
        jobs::do_once(&self.app, "look_at_registries").await.unwrap();
        jobs::all(&self.app).await
    }

    /// What is known by now: each tag that leads somewhere, and how often something was analysed.
    async fn known(&self, repository: &str) -> (String, usize) {
        let ann = self.client("ann").await;
        let query = TagsQuery { image: repository.to_owned(), ..TagsQuery::default() };
        let tags = ann.tags("acme", &query).await.unwrap().items;
        let tags = tags.into_iter().filter(|it| it.until.is_none()).map(|it| it.tag);
        let query =
            EventQuery { kinds: Some("image-analysed".to_owned()), ..EventQuery::default() };
        let analysed = ann.events("acme", &query).await.unwrap().items.len();
        (tags.collect::<Vec<_>>().join(" "), analysed)
    }

    /// The state of an integration, and why.
    async fn state(&self, kind: &str) -> (IntegrationState, String) {
        let ann = self.client("ann").await;
        let it = ann.integration("acme", kind, "ours").await.unwrap();
        (it.state, it.why.unwrap_or_default())
    }

    /// What is kept of an integration.
    async fn record(&self, kind: &str) -> IntegrationRecord {
        let acme = self.app.store().organisation("acme").await.unwrap().id;
        self.app.store().integration(&acme, kind, "ours").await.unwrap().unwrap()
    }

    /// What an integration told, in a state.
    async fn notices(&self, kind: &str, state: NoticeState) -> Vec<String> {
        let ann = self.client("ann").await;
        let query = NoticeQuery { state: Some(state), limit: Some(1000), after: None };
        let all = ann.notices("acme", kind, "ours", &query).await.unwrap().items;
        all.into_iter()
            .map(|it| it.about + &it.why.map(|why| format!(": {why}")).unwrap_or_default())
            .collect()
    }

    fn push(&self, repository: &str, tag: &str, package: &str) -> String {
        let layer = testkit::layer()
            .file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.0\n")
            .file("lib/apk/db/installed", format!("P:{package}\nV:1.0-r0\nA:x86_64\n\n"));
        self.registry.push(repository, tag, &testkit::image().layer(layer))
    }
}

async fn app(address: &str, clock: &Arc<AtomicI64>) -> App {
    app_with(address, clock, false).await
}

async fn app_with(address: &str, clock: &Arc<AtomicI64>, offline: bool) -> App {
    let settings = image::Settings { retries: 0, ..image::Settings::default() };
    app_of(address, clock, offline, settings).await
}

async fn app_of(
    address: &str,
    clock: &Arc<AtomicI64>,
    offline: bool,
    settings: image::Settings,
) -> App {
    let store = Store::open(address).await.unwrap().with_keys(Keyring::new(&[1; 32], &[]));
    let reach =
        Reach { engine: Engine::default(), settings: Arc::new(settings), jobs: true, offline };
    let ticking = Arc::clone(clock);
    let now = Arc::new(move || Moment::from_micros(ticking.load(Ordering::SeqCst)));
    App::new(store, World::new(None), Access::People(People::new(false)), reach, now)
}

fn told(parameters: &[(&str, &str)]) -> Configuring {
    let parameters =
        parameters.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Configuring { parameters }
}

fn hook(integration: &Integration) -> String {
    integration.hook.clone().unwrap()
}

/// A notification of the distribution project's registry.
fn notification(id: &str, repository: &str, tag: &str, digest: &str) -> Hook {
    let kind = "application/vnd.docker.distribution.events.v2+json";
    let event = json!({
        "id": id, "timestamp": "2026-11-21T10:00:00Z", "action": "push",
        "target": {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "repository": repository, "tag": tag, "digest": digest,
        },
    });
    let headers = vec![
        ("content-type".to_owned(), kind.to_owned()),
        ("authorization".to_owned(), SECRET.to_owned()),
    ];
    let body = json!({ "events": [event] }).to_string().into_bytes();
    Hook { method: "POST".to_owned(), path: String::new(), headers, body }
}

#[tokio::test]
async fn every_form_of_every_vendor_leads_to_an_analysis() {
    for form in Form::ALL {
        let house = House::new().await;
        let vendor = match form.vendor() {
            "artifactory" => Vendor::Artifactory,
            "azure" => Vendor::Azure,
            "harbor" => Vendor::Harbor,
            _ => Vendor::Nexus,
        };
        house.push("team/app", "1", "cup");
        let stand_in = VendorStandIn::start(vendor, &house.registry.host());
        let host = stand_in.host();
        let api = match vendor {
            Vendor::Artifactory => format!("http://{host}/artifactory"),
            _ => format!("http://{host}"),
        };
        let mut parameters =
            vec![("registry", host.as_str()), ("user", "reader"), ("password", "pass")];
        match vendor {
            Vendor::Azure => {}
            Vendor::Artifactory => {
                parameters.extend([("api", api.as_str()), ("repository", "docker-local")]);
            }
            _ => parameters.push(("api", api.as_str())),
        }
        let proof = if vendor == Vendor::Harbor { "webhook-auth" } else { "webhook-secret" };
        parameters.push((proof, SECRET));
        let made = house.configured(form.vendor(), &parameters).await;
        assert_eq!(
            made.integration.state,
            IntegrationState::Connected,
            "{form:?} {:?}",
            made.checks
        );
        // What is there already is read: the newest of it.
        house.later(1).await;
        let repository = match vendor {
            Vendor::Artifactory => format!("{host}/docker-local/team/app"),
            _ => format!("{host}/team/app"),
        };
        assert_eq!(house.known(&repository).await, ("1".to_owned(), 1), "{form:?}");
        // What is pushed then is heard of; whoever tells it again tells nothing new.
        let digest = house.push("team/app", "2", "pot");
        let told = Told {
            pushed: true,
            registry: host.clone(),
            repository: "team/app".to_owned(),
            tag: "2".to_owned(),
            digest,
            id: "one".to_owned(),
            at: "2026-11-21T10:00:00Z".to_owned(),
            seconds: 1_795_255_200,
        };
        // Azure's has the secret in it, for senders that show none of their own.
        let address = hook(&made.integration);
        let path = address.split('?').next().unwrap();
        assert_eq!(vendor == Vendor::Azure, address == format!("{path}?code={SECRET}"), "{form:?}");
        for _ in 0..3 {
            let sent = Hook::new(form, &told, SECRET);
            assert_eq!(house.post(path, &sent).await.0, 200, "{form:?}");
        }
        assert_eq!(house.notices(form.vendor(), NoticeState::Waiting).await.len(), 1, "{form:?}");
        assert_eq!(house.later(1).await, ["attend"], "{form:?}");
        assert_eq!(house.known(&repository).await, ("1 2".to_owned(), 2), "{form:?}");
        assert_eq!(house.notices(form.vendor(), NoticeState::Waiting).await.len(), 0, "{form:?}");
        // It is gone when the registry says so.
        house.registry.untag("team/app", "2");
        let gone = Told { pushed: false, id: "two".to_owned(), ..told.clone() };
        assert_eq!(house.post(path, &Hook::new(form, &gone, SECRET)).await.0, 200, "{form:?}");
        house.later(1).await;
        assert_eq!(house.known(&repository).await, ("1".to_owned(), 2), "{form:?}");
        // Nobody else is believed.
        for bad in ["", "another secret"] {
            let sent = Hook::new(form, &told, bad);
            assert_eq!(house.post(path, &sent).await.0, 401, "{form:?} `{bad}`");
        }
    }
}

/// Many that are not taken are one row, which is not written each time.
#[tokio::test]
async fn what_is_not_taken_is_counted() {
    let house = House::new().await;
    let host = house.registry.host();
    let parameters = [("registry", host.as_str()), ("webhook-auth", SECRET)];
    let path = hook(&house.configured("distribution", &parameters).await.integration);
    let bob = house.client("bob").await;
    let refused = async || bob.integrations("acme").await.unwrap().items.remove(0).refused;
    assert_eq!(refused().await, None);
    let good = notification("x", "team/app", "1", &super::digest('1'));
    let mut bad = good.clone();
    bad.headers.retain(|it| it.0 != "authorization");
    let acme = house.app.store().organisation("acme").await.unwrap().id;
    let written = async || {
        let written = house.app.store().refused_webhooks(&acme).await.unwrap();
        written.values().map(|it| it.count).sum::<u64>()
    };
    assert_eq!(house.post(&path, &bad).await.0, 401);
    assert_eq!(written().await, 1);
    for _ in 0..20 {
        assert_eq!(house.post(&path, &bad).await.0, 401);
    }
    assert_eq!(written().await, 1);
    house.clock.fetch_add(5_000_000, Ordering::SeqCst);
    let long = Hook { body: vec![b' '; 5 << 20], ..good.clone() };
    assert_eq!(house.post(&path, &long).await.0, 413);
    assert_eq!(written().await, 22);
    let counted = refused().await.unwrap();
    assert_eq!((counted.count, counted.why.as_str()), (22, "it was too long"));
    assert_eq!(counted.last, "2026-11-21T10:00:10Z");
    // What is not yet written down is told all the same; a stranger's guess is nobody's.
    assert_eq!(house.post(&path, &bad).await.0, 401);
    assert_eq!(house.post(&format!("{path}x"), &bad).await.0, 404);
    assert_eq!(refused().await.map(|it| it.count), Some(23));
    // Whoever tells it something else sees whether that helps.
    house.configured("distribution", &parameters).await;
    assert_eq!(refused().await, None);
    assert_eq!(house.post(&path, &good).await.0, 200);
    assert_eq!(refused().await, None);
}

#[tokio::test]
async fn secrets_are_never_given_out_and_change_gently() {
    let house = House::new().await;
    let host = house.registry.host();
    house.push("team/app", "1", "cup");
    let parameters = [("registry", host.as_str()), ("webhook-auth", SECRET)];
    let made = house.configured("distribution", &parameters).await;
    assert_eq!(made.integration.secrets, ["webhook-auth"]);
    assert_eq!(made.integration.parameters.keys().collect::<Vec<_>>(), ["registry"]);
    let (ann, bob) = (house.client("ann").await, house.client("bob").await);
    let one = ann.integration("acme", "distribution", "ours").await.unwrap();
    assert_eq!(one, made.integration);
    // Others see that it is there, and whether it works; not where its webhooks go.
    let listed = bob.integrations("acme").await.unwrap().items;
    assert_eq!(
        (listed.len(), &listed[0].hook, &listed[0].secrets),
        (1, &None, &vec!["webhook-auth".to_owned()])
    );
    for refused in [
        bob.integration("acme", "distribution", "ours").await.err(),
        bob.try_integration("acme", "distribution", "ours").await.err(),
        bob.delete_integration("acme", "distribution", "ours").await.err(),
        bob.configure_integration("acme", "oci", "x", &told(&[("registry", "r.example")]))
            .await
            .err(),
    ] {
        assert_eq!(refused.unwrap().problem().unwrap().status, 403);
    }
    let whole = serde_json::to_string(&(made.clone(), listed)).unwrap();
    let events = ann.events("acme", &EventQuery::default()).await.unwrap();
    let events = serde_json::to_string(&events).unwrap();
    assert!(!whole.contains(SECRET) && !events.contains(SECRET));
    let path = hook(&made.integration);
    assert!(!events.contains(&path));
    // Another secret: the former one holds until the next, and for a week.
    let send = async |proof: &str| {
        let mut sent = notification("x", "team/app", "1", &super::digest('1'));
        sent.headers.retain(|it| it.0 != "authorization");
        sent.headers.push(("authorization".to_owned(), proof.to_owned()));
        house.post(&path, &sent).await.0
    };
    let other = format!("{SECRET}{SECRET}");
    house.clock.fetch_add(1_000_000, Ordering::SeqCst);
    let again = [("registry", host.as_str()), ("webhook-auth", other.as_str())];
    let changed = house.configured("distribution", &again).await;
    assert_eq!(hook(&changed.integration), path, "it need not be told to the registry again");
    assert_eq!((send(SECRET).await, send(&other).await, send("x").await), (200, 200, 401));
    house.clock.fetch_add(1_000_000, Ordering::SeqCst);
    let last = [("registry", host.as_str()), ("webhook-auth", "a third secret")];
    house.configured("distribution", &last).await;
    assert_eq!((send(SECRET).await, send(&other).await), (401, 200));
    // Whoever says nothing of it leaves it as it is.
    house.clock.fetch_add(1_000_000, Ordering::SeqCst);
    house.configured("distribution", &[("registry", host.as_str())]).await;
    assert_eq!((send("a third secret").await, send(&other).await), (200, 200));
    house.clock.fetch_add(7 * 86_400_000_000, Ordering::SeqCst);
    assert_eq!((send("a third secret").await, send(&other).await), (200, 401));
    let ann = house.client("ann").await;
    ann.delete_integration("acme", "distribution", "ours").await.unwrap();
    assert_eq!(send("a third secret").await, 404);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let house = House::new().await;
    let ann = house.client("ann").await;
    let check = async |kind: &str, parameters: &[(&str, &str)], expect: &str| {
        let refused = ann.configure_integration("acme", kind, "x", &told(parameters)).await;
        assert_eq!(refused.unwrap_err().to_string(), expect);
    };
    check("quay", &[], "kind of integration `quay`: there is none").await;
    check("oci", &[], "parameters: registry: it must be told").await;
    check(
        "oci",
        &[("registry", "r.example"), ("x", "y")],
        "parameters: x: oci has no such setting",
    )
    .await;
    check(
        "distribution",
        &[("registry", "r"), ("port", "1")],
        "parameters: port: distribution has no such setting",
    )
    .await;
    assert!(ann.integrations("acme").await.unwrap().items.is_empty());
    // One that does not answer is kept, and says why; nobody who looks for it loses it.
    let away = Relay::start().host();
    let made = house.configured("oci", &[("registry", &away)]).await;
    assert_eq!(made.integration.state, IntegrationState::Error);
    assert!(made.integration.why.unwrap().starts_with("registry reachable: "));
    house.later(1).await;
    let listed = ann.integrations("acme").await.unwrap().items;
    assert_eq!(listed[0].state, IntegrationState::Error);
    // Azure's leftovers are named.
    house.configured("azure", &[("registry", &away), ("password", "x")]).await;
    let removed = ann.delete_integration("acme", "azure", "ours").await.unwrap();
    let names: Vec<&str> = removed.leftovers.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["docker-scout-readonly-token", "docker-scout-repository"]);
}

#[tokio::test]
async fn what_nobody_can_read_is_set_aside_and_the_rest_goes_on() {
    let house = House::new().await;
    let host = house.registry.host();
    let digest = house.push("team/app", "1", "cup");
    let made =
        house.configured("distribution", &[("registry", &host), ("webhook-auth", SECRET)]).await;
    let path = hook(&made.integration);
    house.later(1).await;
    let good = notification("good", "team/app", "1", &digest);
    let with = |body: &[u8]| Hook { body: body.to_vec(), ..good.clone() };
    for (body, times) in
        [(&b"<html>"[..], 2), (b"{\"events\":[{\"action\":\"push\"}]}", 1), (b"\xff", 1), (b"", 1)]
    {
        for _ in 0..times {
            assert_eq!(house.post(&path, &with(body)).await.0, 200);
        }
    }
    let aside = house.notices("distribution", NoticeState::Aside).await;
    assert_eq!(aside.len(), 4, "{aside:?}");
    assert!(aside.iter().all(|it| it.starts_with("what cannot be read at ")), "{aside:?}");
    // Too long, another vendor's, or on no path of ours.
    let long = vec![b' '; 5 << 20];
    assert_eq!(house.post(&path, &with(&long)).await.0, 413);
    let get = Hook { method: "GET".to_owned(), ..good.clone() };
    assert_eq!(house.post(&path, &get).await.0, 405);
    let packed = ("content-encoding".to_owned(), "gzip".to_owned());
    let packed = Hook { headers: [good.headers.clone(), vec![packed]].concat(), ..good.clone() };
    assert_eq!(house.post(&path, &packed).await.0, 415);
    let other = path.replace("/distribution/", "/harbor/");
    let unknown = format!("/hooks/distribution/{}", minted(Kind::Hook).unwrap().text);
    for path in [other.as_str(), unknown.as_str(), "/hooks/distribution/x", "/hooks/distribution"] {
        assert_eq!(house.post(path, &good).await.0, 404, "{path}");
    }
    // An image that cannot be read is tried again, set aside in the end, and holds nobody up.
    house.registry.plan("/v2/team/bad/", 10_000, Fault::status(500));
    let bad = house.push("team/bad", "1", "bad");
    assert_eq!(house.post(&path, &notification("bad", "team/bad", "1", &bad)).await.0, 200);
    let next = house.push("team/app", "2", "pot");
    assert_eq!(house.post(&path, &notification("next", "team/app", "2", &next)).await.0, 200);
    house.later(1).await;
    assert_eq!(house.known(&format!("{host}/team/app")).await.0, "1 2");
    assert_eq!(house.notices("distribution", NoticeState::Waiting).await.len(), 1);
    // Whoever does not answer is waited for; who refuses it is not.
    for _ in 0..12 {
        house.later(3700).await;
    }
    assert_eq!(house.notices("distribution", NoticeState::Waiting).await.len(), 1);
    house.registry.forgive();
    house.registry.plan("/v2/team/bad/", 10_000, Fault::status(403));
    house.later(3700).await;
    assert_eq!(house.notices("distribution", NoticeState::Waiting).await.len(), 0);
    let aside = house.notices("distribution", NoticeState::Aside).await;
    assert!(aside.iter().any(|it| it.starts_with("pushed team/bad:1: ")), "{aside:?}");
    let (ann, bob) = (house.client("ann").await, house.client("bob").await);
    let listed = bob.integrations("acme").await.unwrap().items;
    assert_eq!((listed[0].waiting, listed[0].aside), (0, 5));
    // Once it can be read, somebody says so. What nobody can read stays where it is.
    house.registry.forgive();
    let retry = async |client: &Client, notice: Option<String>| {
        let retrying = Retrying { notice };
        let retried = client.retry_notices("acme", "distribution", "ours", &retrying).await;
        retried.map(|it| it.notices).map_err(|error| error.to_string())
    };
    assert!(retry(&bob, None).await.unwrap_err().contains("only an owner may"));
    let query = NoticeQuery { state: Some(NoticeState::Aside), ..NoticeQuery::default() };
    let all = ann.notices("acme", "distribution", "ours", &query).await.unwrap().items;
    let unreadable = all.iter().find(|it| it.attempts == 0).unwrap();
    assert_eq!(retry(&ann, Some(unreadable.id.clone())).await, Ok(0));
    let other = minted(Kind::Hook).unwrap().text;
    assert_eq!(retry(&ann, Some(other)).await, Ok(0));
    assert_eq!(retry(&ann, None).await, Ok(1));
    house.later(1).await;
    assert_eq!(house.known(&format!("{host}/team/bad")).await.0, "1");
    assert_eq!(house.notices("distribution", NoticeState::Aside).await.len(), 4);
    assert_eq!(retry(&ann, None).await, Ok(0));
}

#[tokio::test]
async fn what_the_other_side_is_made_from_has_the_address_in_it() {
    let house = House::new().await;
    let away = Relay::start().host();
    let made = house.configured("azure", &[("registry", &away)]).await;
    let path = hook(&made.integration);
    let (ann, bob) = (house.client("ann").await, house.client("bob").await);
    let template = async |client: &Client, kind: &str, format: Option<&str>| {
        let query = TemplateQuery { format: format.map(str::to_owned) };
        let template = client.template("acme", kind, "ours", &query).await;
        template.map_err(|error| error.to_string())
    };
    // As it was asked, where nobody says how it is reached.
    let asked = template(&ann, "azure", None).await.unwrap();
    let filled: serde_json::Value = serde_json::from_str(&asked).unwrap();
    let address = |filled: &serde_json::Value| {
        filled["parameters"]["DockerScoutWebhook"]["defaultValue"].as_str().unwrap().to_owned()
    };
    assert!(address(&filled).starts_with("http://"), "{asked}");
    assert!(address(&filled).ends_with(&path), "{asked}");
    assert_eq!(filled["parameters"]["RegistryName"]["defaultValue"], "127");
    house.app.is_reached_at("https://foretop.example/");
    let asked = template(&ann, "azure", Some("json")).await.unwrap();
    let filled: serde_json::Value = serde_json::from_str(&asked).unwrap();
    assert_eq!(address(&filled), format!("https://foretop.example{path}"));
    let bicep = template(&ann, "azure", Some("bicep")).await.unwrap();
    let line = format!("\nparam DockerScoutWebhook string = 'https://foretop.example{path}'\n");
    assert!(bicep.contains(&line), "{bicep}");
    // Whoever sees it can tell us something.
    assert!(template(&bob, "azure", None).await.unwrap_err().contains("only an owner may"));
    let none = template(&ann, "azure", Some("terraform")).await.unwrap_err();
    assert_eq!(none, "template `terraform`: there is none");
    house.configured("oci", &[("registry", &away)]).await;
    let none = template(&ann, "oci", None).await.unwrap_err();
    assert_eq!(none, "template `json`: there is none");
}
