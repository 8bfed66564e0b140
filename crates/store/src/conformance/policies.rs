//! Policies: which are in force where, and what they say of what runs.

use model::{EventKind, Moment, OrganisationId, Source};
use serde_json::{Value as Json, json};

use super::kit::{acme, amd64, at, digest, image, inventory, rows};
use crate::{
    Error, EventSelection, JudgedImage, NewEvent, NewJudging, NewPolicySet, Page, PolicySetHead,
    PolicyVerdicts, Store,
};

async fn put(
    store: &Store,
    organisation: &OrganisationId,
    minute: i64,
    environment: Option<&str>,
    what: &str,
) -> (PolicySetHead, bool) {
    let modules = json!([{ "name": "a.rego", "text": what }]);
    let (summary, config) = (json!({ "policies": [what] }), json!({ "policies": [] }));
    let new = NewPolicySet {
        environment,
        digest: what,
        summary: &summary,
        modules: &modules,
        config: &config,
    };
    store.set_policies(organisation, &at(minute), &new).await.unwrap()
}

fn judged(number: u8, ground: &str, mark: &str, minute: i64) -> PolicyVerdicts {
    let image = JudgedImage {
        digest: digest(number).to_string(),
        ground: ground.to_owned(),
        mark: mark.to_owned(),
        states: json!({ "gaps": mark }),
    };
    let verdicts = json!([{ "id": "gaps", "why": mark }]);
    PolicyVerdicts { image, verdicts, judged: at(minute).at, looked: at(minute).at }
}

async fn id_of(store: &Store, organisation: &OrganisationId, name: &str) -> String {
    let all = store.environments(organisation).await.unwrap();
    all.into_iter().find(|it| it.name == name).unwrap().id
}

fn judging<'a>(
    environment: &'a str,
    former: i64,
    states: &'a [(String, Option<Json>)],
    events: &'a [NewEvent],
    (day, sample): (i64, &'a Json),
) -> NewJudging<'a> {
    let sample = (at(day * 24 * 60).at, sample);
    NewJudging { environment, former, stance: "s1", basis: &Json::Null, states, events, sample }
}

/// Something in each table.
pub(super) async fn fill(
    store: &Store,
    organisation: &OrganisationId,
    word: &str,
    environment: &str,
) {
    put(store, organisation, 1, None, word).await;
    put(store, organisation, 1, Some(environment), word).await;
    let mut verdicts = judged(1, "g", "m", 1);
    verdicts.verdicts = json!([word]);
    store.keep_policy_verdicts(organisation, "s1", &verdicts).await.unwrap();
    let id = id_of(store, organisation, environment).await;
    let states = [(word.to_owned(), Some(json!({ "gaps": word })))];
    let sample = json!({ "of": word });
    let new = judging(&id, 0, &states, &[], (0, &sample));
    assert!(store.judged(organisation, &at(2), &new).await.unwrap());
}

async fn told(store: &Store, acme: &OrganisationId, kind: EventKind) -> Vec<String> {
    let selection = EventSelection { kinds: vec![kind], ..EventSelection::default() };
    let all = store.events(acme, &selection, &Page::first(1_000)).await.unwrap().rows;
    let line = |it: model::Event| {
        format!("{} {} {}", it.about, it.environment.unwrap_or_default(), it.detail["version"])
    };
    all.into_iter().map(line).collect()
}

pub(super) async fn are_set_and_kept_in_versions(store: &Store) {
    let acme = acme(store).await;
    assert_eq!(store.policies_in_force(&acme, None).await.unwrap(), None);
    let (first, is_new) = put(store, &acme, 1, None, "a").await;
    assert!(is_new && first.in_force && first.version == 1 && first.by == "ann");
    // Who says the same again changes nothing.
    assert_eq!(put(store, &acme, 2, None, "a").await, (first.clone(), false));
    let (second, _) = put(store, &acme, 3, None, "b").await;
    assert_eq!((second.version, second.at), (2, at(3).at));
    let present = store.policies_in_force(&acme, None).await.unwrap().unwrap();
    assert_eq!(present.head, second);
    assert_eq!(present.modules[0]["text"], "b");
    let former = store.policies_of_version(&acme, None, 1).await.unwrap().unwrap();
    assert_eq!(former.head, PolicySetHead { in_force: false, ..first });
    assert_eq!(former.modules[0]["text"], "a");
    assert_eq!(store.policies_of_version(&acme, None, 3).await.unwrap(), None);
    let other = store.create_organisation(&at(0), "other").await.unwrap().id;
    assert_eq!(store.policies_of_version(&other, None, 1).await.unwrap(), None);
    assert!(store.unset_policies(&acme, &at(4), None).await.unwrap());
    assert!(!store.unset_policies(&acme, &at(4), None).await.unwrap());
    assert_eq!(store.policies_in_force(&acme, None).await.unwrap(), None);
    // What was is still there, and is not counted anew.
    let (third, is_new) = put(store, &acme, 5, None, "b").await;
    assert_eq!((third.version, is_new), (3, true));
    let versions = store.policy_versions(&acme, None).await.unwrap();
    let shown: Vec<_> = versions.iter().map(|it| (it.version, it.in_force)).collect();
    assert_eq!(shown, [(3, true), (2, false), (1, false)]);
    assert_eq!(
        told(store, &acme, EventKind::PoliciesSet).await,
        ["policies  3", "policies  2", "policies  1"]
    );
    assert_eq!(told(store, &acme, EventKind::PoliciesUnset).await.len(), 1);
    let long = json!("x".repeat(6 << 20));
    let new = NewPolicySet {
        environment: None,
        digest: "long",
        summary: &Json::Null,
        modules: &long,
        config: &Json::Null,
    };
    let refused = store.set_policies(&acme, &at(6), &new).await.unwrap_err();
    assert!(matches!(refused, Error::Refused { .. }), "{refused}");
}

pub(super) async fn of_an_environment_count_before_the_organisations(store: &Store) {
    let acme = acme(store).await;
    let there = async |environment: Option<&str>| {
        let found = store.policies_in_force(&acme, environment).await.unwrap();
        found.map(|it| (it.head.environment, it.modules[0]["text"].as_str().unwrap().to_owned()))
    };
    put(store, &acme, 1, Some("production"), "strict").await;
    let strict = Some((Some("production".to_owned()), "strict".to_owned()));
    assert_eq!(there(Some("production")).await, strict);
    assert_eq!((there(Some("staging")).await, there(None).await), (None, None));
    let (head, _) = put(store, &acme, 2, None, "usual").await;
    assert_eq!((head.version, head.environment), (1, None), "each place counts its own");
    let usual = Some((None, "usual".to_owned()));
    assert_eq!((there(Some("staging")).await, there(None).await), (usual.clone(), usual.clone()));
    assert_eq!(there(Some("production")).await, strict);
    store.rename_environment(&acme, &at(3), "production", "live").await.unwrap();
    let all = store.all_policies_in_force(&acme).await.unwrap();
    let shown: Vec<_> = all.iter().map(|it| it.environment.as_deref()).collect();
    assert_eq!(shown, [None, Some("live")]);
    assert!(store.unset_policies(&acme, &at(4), Some("live")).await.unwrap());
    assert_eq!(there(Some("live")).await, usual);
    let unknown = store.policies_in_force(&acme, Some("nowhere")).await.unwrap_err();
    assert!(matches!(unknown, Error::NotFound { what: "environment", .. }), "{unknown}");
    let unset = told(store, &acme, EventKind::PoliciesUnset).await;
    assert_eq!(unset, ["policies live null"]);
}

pub(super) async fn go_with_their_environment(store: &Store) {
    let acme = acme(store).await;
    fill(store, &acme, "x", "staging").await;
    store.delete_environment(&acme, &at(3), "staging").await.unwrap();
    store.create_environment(&acme, &at(4), "staging").await.unwrap();
    let found = store.policies_in_force(&acme, Some("staging")).await.unwrap().unwrap();
    assert_eq!(found.head.environment, None, "what was set there went with it");
    let (head, _) = put(store, &acme, 5, Some("staging"), "y").await;
    assert_eq!(head.version, 1);
    for table in ["policy_judgings", "policy_states", "policy_samples"] {
        assert_eq!(rows(store, table).await, 0, "{table}");
    }
}

pub(super) async fn old_versions_go(store: &Store) {
    let acme = acme(store).await;
    for number in 1..=8 {
        put(store, &acme, number, None, &format!("v{number}")).await;
    }
    let versions = store.policy_versions(&acme, None).await.unwrap();
    let numbers: Vec<i64> = versions.iter().map(|it| it.version).collect();
    assert_eq!(numbers, [8, 7, 6, 5, 4]);
}

pub(super) async fn verdicts_are_kept_and_carried_over(store: &Store) {
    let acme = acme(store).await;
    let kept = inventory(1, &["pkg:deb/debian/zlib1g@1.2"], &[]);
    store.keep_inventory(&acme, &at(1), &digest(1), &amd64(), None, &kept).await.unwrap();
    for number in [1, 2] {
        let web = image("acme/web:v1", number);
        let environment = if number == 1 { "production" } else { "staging" };
        store.record(&acme, &at(2), environment, &Source::Cli, &web).await.unwrap();
    }
    let running = store.running_to_judge(&acme, None, "", 10).await.unwrap();
    let shown: Vec<_> = running.iter().map(|it| (it.digest.clone(), it.analysed)).collect();
    assert_eq!(shown, [(digest(1), Some(at(1).at)), (digest(2), None)]);
    let last = &running.last().unwrap().deployment;
    assert!(store.running_to_judge(&acme, None, last, 10).await.unwrap().is_empty());

    let first = judged(1, "g1", "m1", 3);
    store.keep_policy_verdicts(&acme, "s1", &first).await.unwrap();
    let known = [digest(1).to_string(), digest(2).to_string()];
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    assert_eq!(
        store.policy_verdicts(&acme, "s1", &known).await.unwrap(),
        std::slice::from_ref(&first)
    );
    assert!(store.policy_verdicts(&acme, "s2", &known).await.unwrap().is_empty());
    let other = store.create_organisation(&at(0), "other").await.unwrap().id;
    assert!(store.judged_images(&other, "s1", None).await.unwrap().is_empty());
    let there = running[0].environment.as_str();
    let in_it = store.running_to_judge(&acme, Some(there), "", 10).await.unwrap();
    assert_eq!(in_it, running[..1], "the other one runs elsewhere");
    let judged_in_it = store.judged_images(&acme, "s1", Some(there)).await.unwrap();
    assert_eq!(judged_in_it, store.judged_images(&acme, "s1", None).await.unwrap());
    assert_eq!(judged_in_it.len(), 1);
    assert!(store.judged_images(&acme, "s1", Some("nowhere")).await.unwrap().is_empty());
    assert!(store.running_to_judge(&acme, Some("nowhere"), "", 10).await.unwrap().is_empty());
    // What they saw was the same: by the same stance, and by another.
    for stance in ["s1", "s2"] {
        let carried = store
            .carry_policy_verdicts(&acme, stance, (known[0], "m1"), "g2", at(9).at)
            .await
            .unwrap();
        assert_eq!(carried, Some(json!({ "gaps": "m1" })), "{stance}");
        let there = store.policy_verdicts(&acme, stance, &known).await.unwrap();
        let mut expect = PolicyVerdicts { looked: at(9).at, ..first.clone() };
        expect.image.ground = "g2".to_owned();
        assert_eq!(there, [expect]);
    }
    let none = store.carry_policy_verdicts(&acme, "s1", (known[0], "m2"), "g3", at(9).at).await;
    assert_eq!(none.unwrap(), None);

    // Nobody needs what no environment is judged by, once nobody can be about to.
    assert_eq!(store.sweep_policy_verdicts(&acme, at(30).at).await.unwrap(), 0);
    let production = id_of(store, &acme, "production").await;
    let new = judging(&production, 0, &[], &[], (0, &Json::Null));
    assert!(store.judged(&acme, &at(10), &new).await.unwrap());
    assert_eq!(store.sweep_policy_verdicts(&acme, at(100).at).await.unwrap(), 1);
    assert_eq!(store.judged_images(&acme, "s1", None).await.unwrap().len(), 1);
    // With an image goes what is known of it.
    store.delete_image_that_runs(&acme, &at(101), &digest(1)).await.unwrap();
    assert_eq!(rows(store, "policy_verdicts").await, 0);
}

pub(super) async fn are_judged_by_who_comes_first(store: &Store) {
    let acme = acme(store).await;
    let id = id_of(store, &acme, "production").await;
    let states = [("web".to_owned(), Some(json!({ "gaps": "met" })))];
    let event = NewEvent {
        kind: EventKind::PolicyFlipped,
        environment: Some("production".to_owned()),
        about: "gaps".to_owned(),
        detail: json!({ "to": "met" }),
    };
    let events = [event];
    let new = judging(&id, 0, &states, &events, (0, &Json::Null));
    let act = at(5);
    let (one, other) =
        tokio::join!(store.judged(&acme, &act, &new), store.judged(&acme, &act, &new));
    assert_eq!(u8::from(one.unwrap()) + u8::from(other.unwrap()), 1);
    assert_eq!(told(store, &acme, EventKind::PolicyFlipped).await, ["gaps production null"]);
    let judgings = store.policy_judgings(&acme).await.unwrap();
    assert_eq!((judgings[&id].revision, judgings[&id].at), (1, at(5).at));
    assert_eq!(store.policy_states(&id).await.unwrap()["web"], json!({ "gaps": "met" }));
    let gone = [("web".to_owned(), None)];
    let new = judging(&id, 1, &gone, &[], (0, &Json::Null));
    assert!(store.judged(&acme, &at(6), &new).await.unwrap());
    assert!(store.policy_states(&id).await.unwrap().is_empty());
    let nowhere = judging("nowhere", 0, &[], &[], (0, &Json::Null));
    assert!(!store.judged(&acme, &at(7), &nowhere).await.unwrap());
}

pub(super) async fn samples_are_of_days(store: &Store) {
    let acme = acme(store).await;
    let id = id_of(store, &acme, "production").await;
    for (revision, (day, count)) in [(0, 1), (0, 2), (1, 3), (400, 4)].into_iter().enumerate() {
        let sample = json!({ "images": count });
        let new = judging(&id, i64::try_from(revision).unwrap(), &[], &[], (day, &sample));
        assert!(store.judged(&acme, &at(day * 24 * 60 + 5), &new).await.unwrap());
    }
    let beginning = Moment::from_micros(0);
    let all = store.policy_samples(&acme, "production", beginning).await.unwrap();
    let counts: Vec<_> = all.iter().map(|it| it.sample["images"].clone()).collect();
    assert_eq!(counts, [4], "what is older than a year is gone");
    let (later, sample) = (at(401 * 24 * 60), json!({ "images": 5 }));
    let new = judging(&id, 4, &[], &[], (401, &sample));
    assert!(store.judged(&acme, &later, &new).await.unwrap());
    let since = store.policy_samples(&acme, "production", later.at).await.unwrap();
    assert_eq!(since.len(), 1);
    assert_eq!(store.policy_samples(&acme, "production", beginning).await.unwrap().len(), 2);
}
