//! Trying policies out: what would flip is told, nothing is kept, and only owners may.

use api::{PolicyModule, PolicyState, TryingPolicies};
use serde_json::json;

use super::super::digest;
use super::{FIXABLE, House, only};

/// As it would be sent to try what would be put into force.
fn trying(environment: Option<&str>, setting: &api::SettingPolicies) -> TryingPolicies {
    TryingPolicies {
        environment: environment.map(str::to_owned),
        modules: setting.modules.clone(),
        config: setting.config.clone(),
        ..TryingPolicies::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_flip_is_told_and_nothing_is_kept() {
    let house = House::new().await;
    house.set(None, &only(&[FIXABLE], &json!({}))).await;
    house.runs("acme", "production", '1', &["pkg:npm/lodash@4.17.4"]).await;
    house.runs("acme", "staging", '2', &["pkg:npm/left-pad@1.0.0"]).await;
    house.judge("acme").await;
    let client = house.client().await;
    // What is a day's grace to one is nothing to the other.
    let lenient = only(&["known-exploited"], &json!({}));
    let tried = client.try_policies("acme", &trying(None, &lenient)).await.unwrap();
    assert_eq!((tried.images, tried.judged, tried.pending, tried.left), (2, 2, 0, 0));
    let told: Vec<String> = tried
        .changes
        .iter()
        .map(|it| {
            let word = |it: Option<PolicyState>| it.map_or("-", PolicyState::words);
            let place = it.environment.as_deref().unwrap_or_default();
            format!("{place} {} {}→{}", it.policy, word(it.now), word(it.then))
        })
        .collect();
    // No feed of its almanac tells what is exploited.
    let expect = [
        "production known-exploited -→unknown",
        "staging known-exploited -→unknown",
        "production fixable-vulnerabilities not met→-",
        "staging fixable-vulnerabilities met→-",
    ];
    assert_eq!(told, expect);
    let severe = only(&[FIXABLE], &json!({ FIXABLE: { "severities": ["LOW"] } }));
    let there = trying(Some("production"), &severe);
    let tried = client.try_policies("acme", &there).await.unwrap();
    assert_eq!(tried.judged, 1);
    let change = &tried.changes[0];
    assert_eq!((change.now, change.then), (Some(PolicyState::NotMet), Some(PolicyState::Met)));
    assert_eq!(change.image, "docker.io/acme/web:v1");
    let tally = &tried.policies[0];
    assert_eq!((tally.now.unwrap().not_met, tally.then.unwrap().met), (1, 1));
    // What is known may be asked for by its digest, whether it runs there or not.
    let named = TryingPolicies { images: vec![digest('2')], ..there.clone() };
    let tried = client.try_policies("acme", &named).await.unwrap();
    assert_eq!((tried.judged, tried.changes.len()), (1, 0));
    let unknown = TryingPolicies { images: vec![digest('9')], ..there };
    let refused = client.try_policies("acme", &unknown).await.unwrap_err();
    assert_eq!(refused.problem().unwrap().sort, api::Sort::NotFound);
    // All is as it was.
    let versions = client.policy_versions("acme", None).await.unwrap().items;
    assert_eq!(versions.len(), 1);
    assert_eq!(house.judge("acme").await, (0, 0, 0));
    assert!(house.flips("acme").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_makes_no_sense_is_refused_and_what_does_not_end_is_left() {
    let house = House::new().await;
    house.runs("acme", "production", '1', &["pkg:npm/lodash@4.17.4"]).await;
    let client = house.client().await;
    let module = |text: &str| {
        let modules = vec![PolicyModule { name: "own.rego".to_owned(), text: text.to_owned() }];
        TryingPolicies { modules, ..TryingPolicies::default() }
    };
    for (sent, expect) in [
        (module("package docker.scout\npass := "), "own.rego"),
        (module("package docker.scout\nimport rego.v1\npass if http.send({})"), "http.send"),
        (
            TryingPolicies { config: Some(json!({ "x": 1 })), ..TryingPolicies::default() },
            "configuration",
        ),
        (TryingPolicies { limit: Some(101), ..TryingPolicies::default() }, "limit"),
    ] {
        let refused = client.try_policies("acme", &sent).await.unwrap_err().to_string();
        assert!(refused.contains(expect), "{refused}");
    }
    let nowhere = TryingPolicies { environment: Some("x".to_owned()), ..TryingPolicies::default() };
    let refused = client.try_policies("acme", &nowhere).await.unwrap_err();
    assert_eq!(refused.problem().unwrap().sort, api::Sort::NotFound);
    // One that never ends is unknown, as it would be in force.
    let endless = "# METADATA\n# custom:\n#   name: endless\npackage docker.scout\nimport rego.v1\n\
                   default pass := false\n\
                   pass if { some x in numbers.range(1, 100000); some y in numbers.range(1, 100000); x * y < 0 }\n\
                   violation contains {} if false\n";
    let tried = client.try_policies("acme", &module(endless)).await.unwrap();
    let read = TryingPolicies { limit: Some(0), ..module(endless) };
    let read = client.try_policies("acme", &read).await.unwrap();
    assert_eq!((read.choices.len(), read.images, read.judged, read.left), (1, 1, 0, 1));
    let endless = tried.changes.iter().find(|it| it.policy == "endless").unwrap();
    assert_eq!(endless.then, Some(PolicyState::Unknown), "{endless:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_something_to_choose_from_and_an_image_knows_what_is_said_of_it() {
    let house = House::new().await;
    let config = json!({ FIXABLE: { "severities": ["CRITICAL"] } });
    house.runs("acme", "production", '1', &["pkg:npm/lodash@4.17.4"]).await;
    house.set(Some("production"), &only(&[FIXABLE], &config)).await;
    house.runs("acme", "staging", '1', &["pkg:npm/lodash@4.17.4"]).await;
    house.runs("acme", "staging", '1', &["pkg:npm/lodash@4.17.4"]).await;
    let client = house.client().await;
    let all = client.policy_choices("acme", None).await.unwrap().items;
    assert_eq!(all.len(), 12);
    assert_eq!(all.iter().filter(|it| it.counts).count(), 7);
    let own = client.policy_choices("acme", Some("production")).await.unwrap().items;
    assert_eq!(own.iter().filter(|it| it.counts).count(), 1);
    let fixable = own.iter().find(|it| it.id == FIXABLE).unwrap();
    assert_eq!(fixable.config, json!({ "severities": ["CRITICAL"] }));
    assert_eq!(fixable.thresholds[0].key, "severities");
    house.judge("acme").await;
    let said = client.image_policies("acme", &digest('1')).await.unwrap().items;
    let places: Vec<&str> = said.iter().map(|it| it.environment.as_str()).collect();
    assert_eq!(places, ["production", "staging"]);
    assert_eq!((said[0].policies.len(), said[1].policies.len()), (1, 7));
    assert_eq!(said[0].policies[0].state, PolicyState::NotMet);
    assert!(said[0].policies[0].messages[0].contains("CVE-1"), "{:?}", said[0]);
    assert!(said[1].health.is_some() && said[1].judged.is_some());
    assert!(client.image_policies("acme", &digest('9')).await.is_err());
}
