//! What takes long is done in turns, and keeps nothing else waiting.

use std::time::Duration;

use super::*;

/// How often something was asked for.
fn asked(house: &House, method: &str, part: &str) -> usize {
    let seen = house.registry.seen();
    seen.iter().filter(|it| it.method == method && it.path.contains(part)).count()
}

/// Attends to it in turns that are over as soon as they begin, and says how many it took.
async fn in_turns(house: &House, record: &IntegrationRecord) -> usize {
    let store = house.app.store();
    for turn in 0..100 {
        if !store.look_due(record, house.app.now()).await.unwrap().is_some() {
            return turn;
        }
        jobs::attend_for(&house.app, record, Duration::ZERO).await.unwrap();
    }
    panic!("it comes to no end");
}

#[tokio::test]
async fn what_takes_long_is_done_in_turns() {
    let house = House::new().await;
    let host = house.registry.host();
    for tag in ["latest", "old"] {
        house.push("team/app", tag, &format!("cup-{tag}"));
        house.push("team/web", tag, &format!("pot-{tag}"));
    }
    house.configured("oci", &[("registry", &host)]).await;
    let listed = asked(&house, "GET", "/v2/_catalog");
    let record = house.record("oci").await;
    assert!(in_turns(&house, &record).await > 1);
    assert_eq!(house.known(&format!("{host}/team/app")).await, ("latest".to_owned(), 2));
    assert_eq!(house.known(&format!("{host}/team/web")).await, ("latest".to_owned(), 2));
    assert_eq!(house.state("oci").await, (IntegrationState::Connected, String::new()));
    assert_eq!(asked(&house, "GET", "/v2/_catalog"), listed + 1, "it is listed once a look");
    jobs::all(&house.app).await;
    // And so is the next look.
    house.clock.fetch_add(400_000_000, Ordering::SeqCst);
    house.push("team/app", "new", "mug");
    in_turns(&house, &record).await;
    assert_eq!(house.known(&format!("{host}/team/app")).await, ("latest new".to_owned(), 3));
}

#[tokio::test]
async fn a_large_repository_takes_several_turns() {
    const TAGS: usize = 30;
    let house = House::new().await;
    let host = house.registry.host();
    for number in 0..TAGS {
        house.push("team/app", &format!("v{number:02}"), &format!("cup{number}"));
    }
    house.configured("oci", &[("registry", &host)]).await;
    let record = house.record("oci").await;
    let before = asked(&house, "HEAD", "/manifests/v");
    let turns = in_turns(&house, &record).await;
    assert!(turns >= TAGS / 3, "it took {turns}");
    assert_eq!(asked(&house, "HEAD", "/manifests/v") - before, TAGS, "each tag is asked for once");
    // However many turns it takes, what was there before is left alone.
    assert_eq!(house.known(&format!("{host}/team/app")).await, ("v29".to_owned(), 1));
}

#[tokio::test]
async fn what_is_told_does_not_wait_for_a_look() {
    let house = House::new().await;
    let host = house.registry.host();
    house.push("team/app", "1", "cup");
    let made =
        house.configured("distribution", &[("registry", &host), ("webhook-auth", SECRET)]).await;
    let record = house.record("distribution").await;
    house.registry.close_after(0);
    let app = house.app.clone();
    let looking =
        tokio::spawn(async move { jobs::attend_for(&app, &record, Duration::ZERO).await });
    let until_done = async {
        while asked(&house, "GET", "/blobs/") == 0 {
            tokio::task::yield_now().await;
        }
        let sent = notification("gone", "team/app", "2", &super::super::digest('1'));
        assert_eq!(house.post(&hook(&made.integration), &sent).await.0, 200);
        while house.notices("distribution", NoticeState::Done).await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), until_done).await.unwrap();
    house.registry.open();
    looking.await.unwrap().unwrap();
}
