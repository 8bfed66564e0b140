//! Policies: what is in force where, what it says of what runs, and what flips because of what.

mod in_use;
mod trials;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use api::{
    Client, Excepting, PolicyModule, PolicyResults, PolicyState, Pushing, Recording, Recordings,
    SettingPolicies,
};
use model::{EventKind, Moment, OrganisationId};
use serde_json::json;
use store::{EventSelection, Page, Store};

use super::evaluate::install;
use super::{digest, inventory, reach};
use crate::{Access, App, World, here, policies, router};

/// A server without anybody who does jobs: it judges when it is told to.
struct House {
    folder: tempfile::TempDir,
    clock: Arc<AtomicI64>,
}

const FLAWS: &str = "
    npm lodash CVE-1 <4.17.21 critical
    npm minimist CVE-2 all high
";

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let start: Moment = "2026-11-21T10:00:00Z".parse().unwrap();
        let house = Self { folder, clock: Arc::new(AtomicI64::new(start.micros())) };
        house.knows(FLAWS);
        let client = house.client().await;
        for name in ["acme", "other"] {
            client.create_organisation(name).await.unwrap();
        }
        house
    }

    fn knows(&self, text: &str) {
        install(&self.folder.path().join("almanac"), text);
    }

    /// A process that has just begun, so that it sees what is there.
    async fn app(&self) -> App {
        let address = format!("sqlite://{}", self.folder.path().join("store.db").display());
        let world = World::new(Some(self.folder.path().join("almanac")));
        let clock = Arc::clone(&self.clock);
        let now = Arc::new(move || Moment::from_micros(clock.load(Ordering::SeqCst)));
        let access = Access::Local { name: "ann".to_owned() };
        App::new(Store::open(&address).await.unwrap(), world, access, reach(), now)
    }

    async fn client(&self) -> Client {
        Client::new(here(router(self.app().await)), None)
    }

    async fn runs(&self, organisation: &str, environment: &str, number: char, purls: &[&str]) {
        self.runs_as(organisation, environment, number, inventory(purls)).await;
    }

    async fn runs_as(
        &self,
        organisation: &str,
        environment: &str,
        number: char,
        inventory: model::Inventory,
    ) {
        let client = self.client().await;
        let pushing = Pushing { image: None, platform: None, inventory };
        client.push(organisation, &digest(number), &pushing).await.unwrap();
        let recording = Recording {
            image: format!("acme/web:v{number}"),
            digest: Some(digest(number)),
            application: Some("web".to_owned()),
            platform: None,
        };
        let sent = Recordings { recordings: vec![recording], source: None, create: true };
        client.record(organisation, environment, &sent).await.unwrap();
    }

    /// Judges, and says how many were looked into, judged, and flipped.
    async fn judge(&self, organisation: &str) -> (usize, usize, usize) {
        let app = self.app().await;
        let whose = self.id(&app, organisation).await;
        let done = policies::judge(&app, &whose).await.unwrap();
        (done.looked, done.judged, done.flips)
    }

    async fn id(&self, app: &App, organisation: &str) -> OrganisationId {
        app.store().organisation(organisation).await.unwrap().id
    }

    async fn results(&self, environment: &str) -> PolicyResults {
        self.client().await.policy_results("acme", environment).await.unwrap()
    }

    /// Flips, the first first: `web in production: known-exploited met→not-met (world)`.
    async fn flips(&self, organisation: &str) -> Vec<String> {
        let app = self.app().await;
        let whose = self.id(&app, organisation).await;
        let kinds = vec![EventKind::PolicyFlipped];
        let selection = EventSelection { kinds, ..EventSelection::default() };
        let all = app.store().events(&whose, &selection, &Page::first(1_000)).await.unwrap().rows;
        let line = |it: &model::Event| {
            let (detail, place) = (&it.detail, it.environment.as_deref().unwrap_or("-"));
            let word = |key: &str| detail[key].as_str().unwrap_or_default().to_owned();
            let (policy, from, to, reason) =
                (word("policy"), word("from"), word("to"), word("reason"));
            format!("{} in {place}: {policy} {from}→{to} ({reason})", it.about)
        };
        all.iter().rev().map(line).collect()
    }

    async fn set(&self, environment: Option<&str>, setting: &SettingPolicies) {
        self.client().await.set_policies("acme", environment, setting).await.unwrap();
    }

    fn later(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

/// Ours, of which those alone count.
fn only(ids: &[&str], config: &serde_json::Value) -> SettingPolicies {
    let all = policy::Set::built_in();
    let all = all.policies().iter().map(|it| {
        let config = config.get(&it.id).cloned().unwrap_or_else(|| json!({}));
        json!({ "name": it.id, "enabled": ids.contains(&it.id.as_str()), "config": config })
    });
    let config = Some(json!({ "policies": all.collect::<Vec<_>>() }));
    SettingPolicies { config, ..SettingPolicies::default() }
}

const FIXABLE: &str = "fixable-vulnerabilities";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_judgement_is_no_flip_and_the_same_is_judged_once() {
    let house = House::new().await;
    for environment in ["production", "staging"] {
        house.runs("acme", environment, '1', &["pkg:npm/lodash@4.17.4"]).await;
    }
    house.runs("other", "production", '1', &["pkg:npm/lodash@4.17.4"]).await;
    assert_eq!(house.judge("acme").await, (1, 1, 0), "one image, however many environments");
    assert_eq!(house.judge("acme").await, (0, 0, 0));
    let results = house.results("production").await;
    assert_eq!((results.images, results.pending), (1, 0));
    let fixable = results.policies.iter().find(|it| it.id == FIXABLE).unwrap();
    assert_eq!((fixable.met, fixable.not_met, fixable.unknown), (0, 1, 0));
    let image = &fixable.images[0];
    assert_eq!((image.image.as_str(), image.count), ("docker.io/acme/web:v1", 1));
    assert!(image.messages[0].contains("CVE-1"), "{:?}", image.messages);
    assert_eq!(image.applications, ["web"]);
    // What a server cannot know is not met.
    let attested = results.policies.iter().find(|it| it.id == "supply-chain-attestations").unwrap();
    assert_eq!((attested.unknown, attested.images[0].state), (1, PolicyState::Unknown));
    let why = attested.images[0].why.as_deref().unwrap_or_default();
    assert!(why.contains("no registry is asked here"), "{why}");
    let basis = results.basis.unwrap();
    assert_eq!((basis.version, basis.environment), (None, None));
    assert!(basis.almanac.starts_with("sha256:"));
    assert!(house.flips("acme").await.is_empty());
    // The next day it may be another thing, as far as anybody knows.
    house.later(86_400);
    assert_eq!(house.judge("acme").await, (1, 1, 0));
    let trend = house.client().await.policy_trend("acme", "production", None).await.unwrap().items;
    let days: Vec<_> = trend.iter().map(|it| it.day.as_str()).collect();
    assert_eq!(days, ["2026-11-21", "2026-11-22"]);
    let tally = trend[0].policies.iter().find(|it| it.id == FIXABLE).unwrap();
    assert_eq!((tally.not_met, trend[0].images), (1, 1));
    assert!(house.flips("other").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_world_does_flips_where_it_runs_and_nowhere_else() {
    let house = House::new().await;
    house.set(None, &only(&[FIXABLE], &json!({}))).await;
    house.runs("acme", "production", '1', &["pkg:npm/pg@8.0.0"]).await;
    house.runs("acme", "staging", '2', &["pkg:npm/left-pad@1.0.0"]).await;
    house.runs("other", "production", '3', &["pkg:npm/left-pad@1.0.0"]).await;
    assert_eq!(house.judge("acme").await, (2, 2, 0));
    house.judge("other").await;
    // Another almanac that says nothing else of them: nobody is asked again.
    house.knows(&FLAWS.replace("minimist CVE-2 all high", "minimist CVE-3 all low"));
    assert_eq!(house.judge("acme").await, (2, 0, 0));
    house.knows(&FLAWS.replace("minimist CVE-2 all high", "pg CVE-4 <9.0.0 critical"));
    assert_eq!(house.judge("acme").await, (2, 1, 1));
    house.judge("other").await;
    let flip = format!("web in production: {FIXABLE} met→not-met (world)");
    assert_eq!(house.flips("acme").await, std::slice::from_ref(&flip));
    assert!(house.flips("other").await.is_empty());
    assert_eq!(house.judge("acme").await, (0, 0, 0), "it is told once");
    house.knows(FLAWS);
    house.judge("acme").await;
    let back = format!("web in production: {FIXABLE} not-met→met (world)");
    assert_eq!(house.flips("acme").await, [flip, back]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_policies_and_exceptions_flip_and_it_is_said_which() {
    let house = House::new().await;
    house.set(None, &only(&[FIXABLE], &json!({}))).await;
    house.runs("acme", "production", '1', &["pkg:npm/pg@8.0.0"]).await;
    house.judge("acme").await;
    house.runs("acme", "production", '2', &["pkg:npm/lodash@4.17.4"]).await;
    house.judge("acme").await;
    let mut expect = vec![format!("web in production: {FIXABLE} met→not-met (image)")];
    assert_eq!(house.flips("acme").await, expect);
    // Days of grace, for this environment alone; then the organisation's again.
    let grace = json!({ FIXABLE: { "severities": ["LOW"] } });
    house.set(Some("production"), &only(&[FIXABLE], &grace)).await;
    house.judge("acme").await;
    expect.push(format!("web in production: {FIXABLE} not-met→met (policies)"));
    assert_eq!(house.flips("acme").await, expect);
    let basis = house.results("production").await.basis.unwrap();
    assert_eq!((basis.version, basis.environment.as_deref()), (Some(1), Some("production")));
    house.client().await.unset_policies("acme", Some("production")).await.unwrap();
    house.judge("acme").await;
    expect.push(format!("web in production: {FIXABLE} met→not-met (policies)"));
    assert_eq!(house.flips("acme").await, expect);
    // An exception opens it, and its end shuts it.
    let excepting = Excepting {
        flaws: vec!["CVE-1".to_owned()],
        kind: "accepted-risk".to_owned(),
        justification: None,
        note: None,
        images: vec![],
        environments: vec!["production".to_owned()],
        packages: vec![],
        expires: Some("2026-11-21T12:00:00Z".to_owned()),
    };
    house.client().await.put_exception("acme", "later", &excepting).await.unwrap();
    house.judge("acme").await;
    expect.push(format!("web in production: {FIXABLE} not-met→met (exceptions)"));
    assert_eq!(house.flips("acme").await, expect);
    assert_eq!(house.results("production").await.basis.unwrap().exceptions, ["later"]);
    house.later(3 * 3_600);
    house.judge("acme").await;
    expect.push(format!("web in production: {FIXABLE} met→not-met (exceptions)"));
    assert_eq!(house.flips("acme").await, expect);
    // A policy that begins to count flips nothing.
    house.set(None, &only(&[FIXABLE, "default-non-root-user"], &json!({}))).await;
    house.judge("acme").await;
    assert_eq!(house.flips("acme").await, expect);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_base_that_is_taught_or_forgotten_is_heard_of_by_policies() {
    const APPROVED: &str = "approved-base-images";
    let house = House::new().await;
    let config = json!({ APPROVED: {
        "allowed_base_images": ["docker.io/acme/*"], "allowed_distros_only": false,
    } });
    house.set(None, &only(&[APPROVED], &config)).await;
    let layers: Vec<model::Digest> = ['a', 'b'].map(|it| digest(it).parse().unwrap()).into();
    let image = model::ImageDescription {
        layers: layers
            .iter()
            .map(|it| model::LayerDescription {
                diff_id: Some(it.clone()),
                ..model::LayerDescription::default()
            })
            .collect(),
        ..model::ImageDescription::default()
    };
    let subject = model::Subject::Image(Box::new(image));
    let built = model::Inventory { subject, ..inventory(&["pkg:npm/pg@8.0.0"]) };
    house.runs_as("acme", "production", '1', built).await;
    assert_eq!(house.judge("acme").await, (1, 1, 0));
    let client = house.client().await;
    let teach = async |name: &str, layers: &[model::Digest], own: char| {
        let chain = model::chains_of(layers).pop().unwrap().to_string();
        let image = api::LearningImage {
            platform: "linux/amd64".to_owned(),
            digest: digest(own),
            config: None,
            chain,
            layers: u32::try_from(layers.len()).unwrap(),
        };
        let learning = api::Learning { name: name.to_owned(), images: vec![image] };
        client.learn_bases("acme", &learning).await.unwrap();
    };
    let other: Vec<model::Digest> = vec![digest('c').parse().unwrap()];
    teach("acme/other:1", &other, '7').await;
    assert_eq!(house.judge("acme").await, (1, 0, 0), "what it does not stand on changes nothing");
    teach("acme/base:1", &layers[..1], '8').await;
    assert_eq!(house.judge("acme").await, (1, 1, 1));
    assert_eq!(house.judge("acme").await, (0, 0, 0));
    client.forget_base("acme", "acme/base:1").await.unwrap();
    house.later(1);
    teach("elsewhere/base:1", &layers[..1], '8').await;
    assert_eq!(house.judge("acme").await, (1, 1, 1));
    let expect = [
        "web in production: approved-base-images unknown→met (world)",
        "web in production: approved-base-images met→not-met (world)",
    ];
    assert_eq!(house.flips("acme").await, expect);
    // Whoever does the jobs is told that there is something to do.
    let soon = async || house.app().await.store().undone("judge_policies").await.unwrap().len();
    let before = soon().await;
    let learning = |name: &str| {
        let chain = model::chains_of(&other).pop().unwrap().to_string();
        let (platform, digest, config) = ("linux/amd64".to_owned(), digest('9'), None);
        let image = api::LearningImage { platform, digest, config, chain, layers: 1 };
        api::Learning { name: name.to_owned(), images: vec![image] }
    };
    client.learn_bases("other", &learning("acme/base:2")).await.unwrap();
    assert_eq!(soon().await, before + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_analysed_yet_is_pending_and_flips_nothing() {
    let house = House::new().await;
    house.set(None, &only(&[FIXABLE], &json!({}))).await;
    house.runs("acme", "production", '1', &["pkg:npm/pg@8.0.0"]).await;
    house.judge("acme").await;
    let client = house.client().await;
    let recording = Recording {
        image: "acme/web:v9".to_owned(),
        digest: Some(digest('9')),
        application: Some("web".to_owned()),
        platform: None,
    };
    let sent = Recordings { recordings: vec![recording], source: None, create: true };
    client.record("acme", "production", &sent).await.unwrap();
    house.judge("acme").await;
    let results = house.results("production").await;
    assert_eq!((results.images, results.pending), (1, 1));
    assert!(house.flips("acme").await.is_empty());
    // When it is known at last, it is another image than the one that was judged.
    house.runs("acme", "production", '9', &["pkg:npm/lodash@4.17.4"]).await;
    house.judge("acme").await;
    let expect = format!("web in production: {FIXABLE} met→not-met (image)");
    assert_eq!(house.flips("acme").await, [expect]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_judged_by_is_not_put_into_force() {
    let house = House::new().await;
    let client = house.client().await;
    house.runs("acme", "production", '1', &[]).await;
    let module = |text: &str| PolicyModule { name: "a.rego".to_owned(), text: text.to_owned() };
    let rego = "package docker.scout\nimport rego.v1\ndefault pass := true\n";
    let setting =
        |text: &str| SettingPolicies { modules: vec![module(text)], ..SettingPolicies::default() };
    let broken = rego.to_owned() + "pass if oci.nobody(1)\n";
    let config = SettingPolicies {
        config: Some(json!({ "policies": [{ "name": "nobody" }] })),
        ..SettingPolicies::default()
    };
    let again = SettingPolicies { version: Some(7), ..SettingPolicies::default() };
    let many = SettingPolicies {
        modules: (0..201).map(|_| module("package docker.scout.x")).collect(),
        ..SettingPolicies::default()
    };
    for (setting, expect) in [
        (setting("this is no Rego"), "a.rego"),
        (setting(&broken), "oci.nobody"),
        (config, "there is no policy `nobody`"),
        (again, "version `7`"),
        (many, "more than 200 files"),
    ] {
        let error = client.set_policies("acme", Some("production"), &setting).await.unwrap_err();
        assert!(error.to_string().contains(expect), "{error}");
    }
    let error = client.set_policies("acme", Some("nowhere"), &setting(rego)).await.unwrap_err();
    assert!(error.to_string().contains("environment `nowhere`"), "{error}");
    assert!(client.policies("acme", Some("production"), None).await.unwrap().version.is_none());
    // What was in force can be again.
    for text in [rego.to_owned(), rego.replace("true", "false")] {
        let kept = client.set_policies("acme", Some("production"), &setting(&text)).await.unwrap();
        assert!(kept.new);
    }
    let again = SettingPolicies { version: Some(1), ..SettingPolicies::default() };
    let kept = client.set_policies("acme", Some("production"), &again).await.unwrap();
    assert_eq!(kept.version.version, 3);
    let present = client.policies("acme", Some("production"), None).await.unwrap();
    assert_eq!(present.modules, [module(rego)]);
    let places = client.policy_places("acme").await.unwrap().items;
    let shown: Vec<_> = places
        .iter()
        .map(|it| (it.environment.as_deref(), it.in_force.as_ref().map(|it| it.version)))
        .collect();
    assert_eq!(shown, [(None, None), (Some("production"), Some(3))]);
    assert_eq!(client.policy_versions("acme", Some("production")).await.unwrap().items.len(), 3);
    assert!(client.policy_versions("acme", None).await.unwrap().items.is_empty());
}
