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
        if store.look_due(record, house.app.now()).await.unwrap().is_none() {
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

/// Another process may have brought a look to its end.
#[tokio::test]
async fn a_look_that_somebody_else_ended_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite://{}", folder.path().join("it.db").display());
    let house = House::at(&address).await;
    let host = house.registry.host();
    for repository in ["team/app", "team/web"] {
        house.push(repository, "1", repository);
    }
    house.configured("oci", &[("registry", &host)]).await;
    let record = house.record("oci").await;
    let other = app(&address, &house.clock).await;
    // It knows of one of them that it is done.
    jobs::attend_for(&other, &record, Duration::ZERO).await.unwrap();
    in_turns(&house, &record).await;
    for repository in ["team/app", "team/web"] {
        house.registry.untag(repository, "1");
        assert_eq!(house.known(&format!("{host}/{repository}")).await.0, "1");
    }
    house.clock.fetch_add(400_000_000, Ordering::SeqCst);
    jobs::attend_for(&other, &record, Duration::from_mins(1)).await.unwrap();
    for repository in ["team/app", "team/web"] {
        assert_eq!(house.known(&format!("{host}/{repository}")).await.0, "");
    }
}

/// Whoever is deleted while it is looked at is asked nothing more.
#[tokio::test]
async fn who_is_deleted_is_asked_no_more() {
    const TAGS: usize = 40;
    let house = House::new().await;
    let host = house.registry.host();
    house.push("team/app", "first", "first");
    house.configured("oci", &[("registry", &host)]).await;
    house.later(1).await;
    for number in 0..TAGS {
        house.push("team/app", &format!("v{number:02}"), &format!("cup{number}"));
    }
    house.clock.fetch_add(400_000_000, Ordering::SeqCst);
    let (record, app) = (house.record("oci").await, house.app.clone());
    let before = asked(&house, "GET", "/blobs/");
    house.registry.close_after(0);
    let looking =
        tokio::spawn(async move { jobs::attend_for(&app, &record, Duration::from_mins(10)).await });
    let until_it_reads = async {
        while asked(&house, "GET", "/blobs/") == before {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), until_it_reads).await.unwrap();
    let ann = house.client("ann").await;
    ann.delete_integration("acme", "oci", "ours").await.unwrap();
    house.registry.open();
    looking.await.unwrap().unwrap();
    let (tags, analysed) = house.known(&format!("{host}/team/app")).await;
    assert!(analysed < TAGS / 2, "{analysed} were read, {tags}");
    assert!(jobs::all(&house.app).await.len() <= 1);
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
