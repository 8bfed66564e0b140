//! Images that cannot be read: what may come yet is tried again, what is broken is told of once.

use super::*;

#[tokio::test]
async fn what_is_not_there_yet_is_read_once_it_is() {
    let house = House::new().await;
    let host = house.registry.host();
    let made =
        house.configured("distribution", &[("registry", &host), ("webhook-auth", SECRET)]).await;
    let path = hook(&made.integration);
    house.later(1).await;
    // The manifest is known everywhere before its layers are.
    let digest = house.push("team/app", "1", "cup");
    house.registry.plan("/v2/team/app/blobs/", 10_000, Fault::unknown("BLOB_UNKNOWN"));
    assert_eq!(house.post(&path, &notification("one", "team/app", "1", &digest)).await.0, 200);
    house.later(1).await;
    assert_eq!(house.known(&format!("{host}/team/app")).await, ("1".to_owned(), 0));
    let waiting = house.notices("distribution", NoticeState::Waiting).await;
    let why = "HOST does not have a part of it: x".replace("HOST", &host);
    assert!(waiting.len() == 1 && waiting[0].contains(&why), "{waiting:?}");
    let ann = house.client("ann").await;
    let image = ann.image("acme", &digest).await.unwrap();
    assert_eq!(image.state, api::ImageState::Failed);
    house.registry.forgive();
    house.later(60).await;
    assert_eq!(house.known(&format!("{host}/team/app")).await, ("1".to_owned(), 1));
    assert!(house.notices("distribution", NoticeState::Waiting).await.is_empty());
}

#[tokio::test]
async fn a_tag_that_leads_to_no_image_any_more_leads_nowhere() {
    let house = House::new().await;
    let host = house.registry.host();
    house.configured("oci", &[("registry", &host)]).await;
    house.push("team/app", "1", "cup");
    house.later(1).await;
    assert_eq!(house.known(&format!("{host}/team/app")).await, ("1".to_owned(), 1));
    let chart = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.cncf.helm.config.v1+json",
            "digest": testkit::digest(b"{}"), "size": 2,
        },
        "layers": [],
    });
    house.registry.push_manifest("team/app", "config", "application/json", b"{}");
    house.registry.untag("team/app", "config");
    let kind = "application/vnd.oci.image.manifest.v1+json";
    house.registry.push_manifest("team/app", "1", kind, chart.to_string().as_bytes());
    house.later(400).await;
    assert_eq!(house.known(&format!("{host}/team/app")).await, (String::new(), 1));
}

/// One that asks to be left alone is, by everybody who pulls from it.
#[tokio::test]
async fn who_asks_for_patience_while_images_are_pulled_has_it() {
    for path in ["/manifests/", "/blobs/"] {
        let house = House::new().await;
        let host = house.registry.host();
        let made = house
            .configured("distribution", &[("registry", &host), ("webhook-auth", SECRET)])
            .await;
        let hook = hook(&made.integration);
        house.later(1).await;
        let digests: Vec<String> = (0..20)
            .map(|it| house.push("team/app", &format!("v{it}"), &format!("cup{it}")))
            .collect();
        house.registry.plan(path, 10_000, Fault::retry_after(429, "3600"));
        for (number, digest) in digests.iter().enumerate() {
            let told = notification(&number.to_string(), "team/app", &format!("v{number}"), digest);
            assert_eq!(house.post(&hook, &told).await.0, 200);
        }
        let before = house.registry.seen().len();
        for _ in 0..5 {
            house.later(1_000).await;
        }
        let asked = house.registry.seen().len() - before;
        // Those who were under way when the first of them was told so.
        assert!(asked <= 40, "{path}: {asked}");
        assert_eq!(house.notices("distribution", NoticeState::Waiting).await.len(), 20);
    }
}

/// Registries count manifests that are pulled.
#[tokio::test]
async fn a_manifest_is_pulled_once() {
    let house = House::new().await;
    let host = house.registry.host();
    house.configured("oci", &[("registry", &host)]).await;
    let digest = house.push("team/app", "1", "cup");
    house.later(1).await;
    assert_eq!(house.known(&format!("{host}/team/app")).await, ("1".to_owned(), 1));
    let pulls = |it: &testkit::Seen| it.method == "GET" && it.path.ends_with(&digest);
    let pulled = house.registry.seen();
    let pulled = pulled.iter().filter(|it| pulls(it) && it.path.contains("/manifests/"));
    assert_eq!(pulled.count(), 1);
}
