//! What is for one address is for no other.

use super::*;

#[tokio::test]
async fn a_secret_is_for_one_address() {
    let house = House::new().await;
    let host = house.registry.host();
    let other = FakeRegistry::start();
    let ann = house.client("ann").await;
    let here = [("registry", host.as_str()), ("user", "reader"), ("password", "pass")];
    house.configured("oci", &here).await;
    let there = other.host();
    let moved = [("registry", there.as_str()), ("user", "reader")];
    let refused = ann.configure_integration("acme", "oci", "ours", &told(&moved)).await;
    let refused = refused.unwrap_err();
    let expect = "parameters: password: it was told for another address";
    assert_eq!(refused.to_string(), expect);
    assert!(other.seen().is_empty(), "nobody there has heard of it");
    house.clock.fetch_add(1_000_000, Ordering::SeqCst);
    let moved = [("registry", there.as_str()), ("user", ""), ("password", "")];
    let made = house.configured("oci", &moved).await;
    assert!(made.integration.secrets.is_empty());
    assert!(!other.seen().is_empty());
    assert!(other.seen().iter().all(|it| it.authorization.is_none()));
    // There it may be told again, and is kept as long as the address is.
    house.clock.fetch_add(1_000_000, Ordering::SeqCst);
    let again = [("registry", there.as_str()), ("user", "reader"), ("password", "pass")];
    house.configured("oci", &again).await;
    house.clock.fetch_add(1_000_000, Ordering::SeqCst);
    let filtered = [("registry", there.as_str()), ("user", "reader"), ("include", "team/*")];
    assert_eq!(house.configured("oci", &filtered).await.integration.secrets, ["password"]);
}

#[tokio::test]
async fn an_address_that_leaked_is_given_up() {
    let house = House::new().await;
    let host = house.registry.host();
    let digest = house.push("team/app", "1", "cup");
    let made =
        house.configured("distribution", &[("registry", &host), ("webhook-auth", SECRET)]).await;
    let leaked = hook(&made.integration);
    let (ann, bob) = (house.client("ann").await, house.client("bob").await);
    let refused = bob.renew_integration_address("acme", "distribution", "ours").await;
    assert_eq!(refused.unwrap_err().problem().unwrap().status, 403);
    let renewed = ann.renew_integration_address("acme", "distribution", "ours").await.unwrap();
    assert_eq!(renewed.hook, None, "it is kept in no answer to a change");
    let path = hook(&ann.integration("acme", "distribution", "ours").await.unwrap());
    assert_ne!(path, leaked);
    let sent = notification("x", "team/app", "1", &digest);
    assert_eq!(house.post(&leaked, &sent).await.0, 404);
    assert_eq!(house.post(&path, &sent).await.0, 200);
}

/// What waits since the registry was another one is not asked of it any more, nor of the new one.
#[tokio::test]
async fn what_one_address_told_is_asked_of_no_other() {
    let house = House::new().await;
    let host = house.registry.host();
    let other = FakeRegistry::start();
    let former = [("registry", host.as_str()), ("webhook-auth", SECRET)];
    let made = house.configured("distribution", &former).await;
    house.later(1).await;
    house.registry.plan("/v2/team/app/", 10_000, Fault::status(500));
    let digest = house.push("team/app", "1", "cup");
    let path = hook(&made.integration);
    assert_eq!(house.post(&path, &notification("x", "team/app", "1", &digest)).await.0, 200);
    house.later(1).await;
    assert_eq!(house.notices("distribution", NoticeState::Waiting).await.len(), 1);
    // The same tag is there, too.
    let layer = testkit::layer().file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.0\n");
    other.push("team/app", "1", &testkit::image().layer(layer));
    let there = other.host();
    let moved = [
        ("registry", there.as_str()),
        ("user", "reader"),
        ("password", "pass"),
        ("webhook-auth", SECRET),
    ];
    house.registry.forgive();
    let before = house.registry.seen().len();
    house.configured("distribution", &moved).await;
    house.later(3_700).await;
    assert_eq!(house.registry.seen().len(), before, "it is asked nothing any more");
    assert_eq!(house.known(&format!("{there}/team/app")).await.0, "1");
    assert_eq!(house.known(&format!("{host}/team/app")).await.0, "");
    let done = house.notices("distribution", NoticeState::Done).await;
    assert_eq!(done, ["pushed team/app:1: it was of another address"]);
}
