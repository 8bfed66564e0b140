//! Many webhooks, and a server that is stopped in the middle of its work.

use super::*;

/// A process of its own is stopped while it reads an image, and lets go of all that it holds.
async fn pull_the_plug(house: &House, address: &str) {
    let blobs =
        |it: &FakeRegistry| it.seen().iter().filter(|it| it.path.contains("/blobs/")).count();
    let before = blobs(&house.registry);
    house.registry.close_after(1);
    let (clock, address) = (Arc::clone(&house.clock), address.to_owned());
    let process = tokio::runtime::Runtime::new().unwrap();
    process.spawn(async move {
        let app = app(&address, &clock).await;
        jobs::all(&app).await
    });
    let reads = async {
        while blobs(&house.registry) < before + 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), reads).await.unwrap();
    process.shutdown_background();
    house.registry.open();
}

/// Many notices in one second, some of them twice, over a server that is restarted in between: each
/// image is analysed once, and none is missed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_with_restarts_in_between() {
    const IMAGES: usize = 24;
    const TIMES: usize = 20;
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite://{}", folder.path().join("it.db").display());
    let mut house = House::at(&address).await;
    let host = house.registry.host();
    house.push("team/app", "first", "first");
    let made =
        house.configured("distribution", &[("registry", &host), ("webhook-auth", SECRET)]).await;
    let path = hook(&made.integration);
    house.later(1).await;
    let digests: Vec<String> = (0..IMAGES)
        .map(|it| house.push("team/app", &format!("v{it}"), &format!("cup{it}")))
        .collect();
    let began = std::time::Instant::now();
    for round in 0..TIMES {
        for (number, digest) in digests.iter().enumerate() {
            // Each is told under ten ids, twice each.
            let id = format!("{number}-{}", round % 10);
            let sent = notification(&id, "team/app", &format!("v{number}"), digest);
            assert_eq!(house.post(&path, &sent).await.0, 200);
        }
        if round % 7 == 3 {
            pull_the_plug(&house, &address).await;
            house.clock.fetch_add(60_000_000, Ordering::SeqCst);
            house.app = app(&address, &house.clock).await;
            house.router = router(house.app.clone());
        }
    }
    println!("{} webhooks taken in {:?}", IMAGES * TIMES, began.elapsed());
    assert!(house.later(60).await.iter().all(|it| it == "attend"));
    let (tags, analysed) = house.known(&format!("{host}/team/app")).await;
    assert_eq!(tags.split(' ').count(), IMAGES + 1);
    assert_eq!(analysed, IMAGES + 1);
    assert_eq!(house.notices("distribution", NoticeState::Done).await.len(), IMAGES * 10);
    assert_eq!(house.notices("distribution", NoticeState::Waiting).await.len(), 0);
    let ann = house.client("ann").await;
    let images = ann.images("acme", &ImageQuery::default()).await.unwrap().items;
    assert_eq!(images.len(), IMAGES + 1);
}
