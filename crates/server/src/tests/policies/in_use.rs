//! Policies that let through what nothing loads: by what was seen where it runs, and nowhere else.

use std::collections::BTreeMap;

use api::TryingPolicies;
use model::{Act, Digest, Loaded, Profile};
use serde_json::json;
use store::{Container, RunsIn, Snapshot, Workload};

use super::super::digest;
use super::{FIXABLE, House, only};

const RUNTIME: &str = "sysdig eu";

impl House {
    /// A runtime looks into production, where the first image runs; whether it saw another thing.
    async fn sees(&self, loaded: &[(&str, &str)]) -> bool {
        let app = self.app().await;
        let (store, acme) = (app.store(), self.id(&app, "acme").await);
        let image: Digest = digest('1').parse().unwrap();
        let container = Container {
            workload: Workload { name: "web".to_owned(), ..Workload::default() },
            image: image.to_string(),
            repository: None,
            tag: None,
            digest: image.clone(),
            platform: None,
        };
        let there = RunsIn { environment: "production".to_owned(), running: vec![container] };
        let snapshot = Snapshot {
            kind: "sysdig".to_owned(),
            agent: "eu".to_owned(),
            seen: app.now(),
            every: 1800,
            mark: app.now().to_string(),
            environments: vec![there],
            make: false,
            gaps: Vec::new(),
        };
        let act = Act { at: app.now(), who: "ann".to_owned(), origin: "api".to_owned() };
        store.snap(&acme, &act, RUNTIME, &snapshot).await.unwrap();
        let packages = loaded.iter().map(|(name, version)| Loaded {
            name: (*name).to_owned(),
            version: (*version).to_owned(),
            ..Loaded::default()
        });
        let profile = Profile { packages: packages.collect(), is_whole: true };
        let profiles = BTreeMap::from([(image.to_string(), profile)]);
        let kept =
            store.keep_in_use(&acme, RUNTIME, "production", app.now(), &profiles, true).await;
        kept.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nothing_loads_is_let_through_where_somebody_looked() {
    let house = House::new().await;
    let lenient = only(&[FIXABLE], &json!({ FIXABLE: { "in_use_only": true } }));
    house.set(None, &lenient).await;
    for environment in ["production", "staging"] {
        house.runs("acme", environment, '1', &["pkg:npm/lodash@4.17.4"]).await;
    }
    let client = house.client().await;
    // Nobody looked: it may be loaded.
    assert_eq!(house.judge("acme").await, (1, 1, 0));
    let met = async |environment: &str| house.results(environment).await.policies[0].met;
    assert_eq!((met("production").await, met("staging").await), (0, 0));
    let told = client.in_use("acme", "production", &digest('1')).await.unwrap();
    assert_eq!(told, api::ImageInUse::default());

    assert!(house.sees(&[("express", "4.0.0")]).await);
    // Where it was seen it is another thing than where it was not; that is judged already.
    assert_eq!(house.judge("acme").await, (1, 1, 1));
    assert_eq!((met("production").await, met("staging").await), (1, 0));
    let told = client.in_use("acme", "production", &digest('1')).await.unwrap();
    let names: Vec<&str> = told.packages.iter().map(|it| it.name.as_str()).collect();
    assert_eq!((told.by, names, told.is_whole), (vec![RUNTIME.to_owned()], vec!["express"], true));
    assert!(client.in_use("acme", "nowhere", &digest('1')).await.is_err());
    house.later(600);
    assert!(!house.sees(&[("express", "4.0.0")]).await);
    assert_eq!(house.judge("acme").await, (0, 0, 0));

    // What would be, if all counted, is seen before it is so.
    let strict = only(&[FIXABLE], &json!({}));
    let trying = TryingPolicies {
        modules: strict.modules.clone(),
        config: strict.config.clone(),
        ..TryingPolicies::default()
    };
    let tried = client.try_policies("acme", &trying).await.unwrap();
    let told = tried.changes.iter().map(|it| it.environment.as_deref().unwrap());
    assert_eq!((tried.judged, told.collect::<Vec<_>>()), (2, vec!["production"]));

    assert!(house.sees(&[("express", "4.0.0"), ("lodash", "4.17.4")]).await);
    // It runs there as somebody recorded it, and as the runtime calls it.
    assert_eq!(house.judge("acme").await, (1, 1, 2));
    assert!(house.sees(&[]).await);
    assert_eq!(house.judge("acme").await.2, 2);
    // What was seen long ago says nothing any more.
    house.later(8 * 86_400);
    assert_eq!(house.judge("acme").await.2, 2);
    assert_eq!((met("production").await, met("staging").await), (0, 0));
    let flip = |how: &str| format!("web in production: {FIXABLE} {how} (world)");
    let (let_go, caught) = (flip("not-met→met"), flip("met→not-met"));
    let expect = [&let_go, &caught, &let_go, &caught].map(Clone::clone);
    let mut flips = house.flips("acme").await;
    flips.retain(|it| it.starts_with("web in"));
    assert_eq!(flips, expect);
}
