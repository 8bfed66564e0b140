//! What is kept and what goes, asked as a client asks it.

use api::{
    DeleteQuery, EventQuery, ExpireQuery, ImageQuery, KeepingFor, PageQuery, Pushing, Recording,
    Recordings, WhereQuery,
};

use super::{app, client, digest, inventory};
use crate::jobs;

async fn pushed(client: &api::Client, digit: char, image: &str) {
    let purls = [format!("pkg:npm/own{digit}@1.0.0"), "pkg:npm/shared@1.0.0".to_owned()];
    let purls: Vec<&str> = purls.iter().map(String::as_str).collect();
    let pushing =
        Pushing { image: Some(image.to_owned()), platform: None, inventory: inventory(&purls) };
    client.push("local", &digest(digit), &pushing).await.unwrap();
}

async fn recorded(client: &api::Client, digit: char, image: &str) {
    let recording = Recording {
        image: image.to_owned(),
        digest: Some(digest(digit)),
        application: None,
        platform: None,
    };
    let sent = Recordings { recordings: vec![recording], source: None, create: false };
    client.record("local", "staging", &sent).await.unwrap();
}

#[tokio::test]
async fn retention_is_shown_changed_and_applied() {
    let client = client().await;
    client.create_organisation("local").await.unwrap();
    let shown = async || {
        let all = client.retention("local").await.unwrap().items;
        let line = |it: &api::Keeping| {
            let days = it.days.map_or("-".to_owned(), |it| it.to_string());
            format!("{} {days}{}", it.what, if it.by_default { "" } else { " said" })
        };
        all.iter().map(line).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(shown().await, "history -, events -, counts 730, evaluations 365, images 365");
    client.keep_for("local", "events", KeepingFor { days: Some(30) }).await.unwrap();
    client.keep_for("local", "images", KeepingFor { days: None }).await.unwrap();
    let expect = "history -, events 30 said, counts 730, evaluations 365, images - said";
    assert_eq!(shown().await, expect);
    assert!(client.keep_as_usual("local", "events").await.unwrap().by_default);
    let unknown = client.keep_for("local", "all", KeepingFor { days: None }).await.unwrap_err();
    let expect = "retention `all`: there is none";
    assert_eq!(unknown.to_string(), expect);
    for dry_run in [true, false] {
        let expired = client.expire("local", ExpireQuery { dry_run }).await.unwrap();
        assert_eq!(expired, api::Expired::default());
    }
}

#[tokio::test]
async fn an_image_that_runs_goes_by_force_and_nowhere_is_it_found() {
    let client = client().await;
    client.create_organisation("local").await.unwrap();
    client.create_environment("local", "staging").await.unwrap();
    pushed(&client, '1', "acme/web:v1").await;
    pushed(&client, '2', "acme/api:v1").await;
    recorded(&client, '1', "acme/web:v1").await;
    let find = async || {
        let query = WhereQuery { package: Some("shared".to_owned()), ..WhereQuery::default() };
        let found = client.whereabouts("local", &query).await.unwrap();
        (found.found.len(), found.found.iter().map(|it| it.images).sum::<u64>())
    };
    assert_eq!(find().await, (1, 2));
    let kept = DeleteQuery::default();
    let refused = client.delete_image("local", &digest('1'), kept).await.unwrap_err();
    let expect = "remove it from `staging` first, or delete it by force";
    assert_eq!(refused.hint(), Some(expect));
    let force = DeleteQuery { force: true };
    let gone = client.delete_image("local", &digest('1'), force).await.unwrap();
    assert_eq!((gone.images, gone.ended), (1, 1));
    assert_eq!(find().await, (1, 1));
    let again = client.delete_image("local", &digest('1'), force).await.unwrap_err();
    assert_eq!(again.problem().unwrap().status, 404);

    recorded(&client, '2', "acme/api:v1").await;
    assert!(client.delete_repository("local", "acme/api", kept).await.is_err());
    let gone = client.delete_repository("local", "acme/api", force).await.unwrap();
    assert_eq!((gone.images, gone.tags, gone.ended), (1, 1, 1));
    assert_eq!(find().await, (0, 0));
    assert!(client.images("local", &ImageQuery::default()).await.unwrap().items.is_empty());
    let query = EventQuery { kinds: Some("deployment-ended".to_owned()), ..Default::default() };
    let ended = client.events("local", &query).await.unwrap().items;
    let why: Vec<&str> = ended.iter().filter_map(|it| it.detail["why"].as_str()).collect();
    assert_eq!(why, ["its repository was deleted", "its image was deleted"]);
}

#[tokio::test]
async fn once_a_day_what_is_too_old_goes_and_what_was_begun_is_finished() {
    let app = app().await;
    let client = api::Client::new(crate::here(crate::router(app.clone())), None);
    client.create_organisation("local").await.unwrap();
    client.create_organisation("other").await.unwrap();
    client.keep_for("local", "events", KeepingFor { days: Some(30) }).await.unwrap();
    let local = app.store().organisation("local").await.unwrap().id;
    let old = model::Act {
        who: "ann".to_owned(),
        origin: String::new(),
        at: "2026-01-01T00:00:00Z".parse().unwrap(),
    };
    app.store().create_environment(&local, &old, "staging").await.unwrap();
    jobs::do_once(&app, "expire").await.unwrap();
    let events = client.events("local", &EventQuery::default()).await.unwrap().items;
    let kinds: Vec<&str> = events.iter().map(|it| &*it.kind).collect();
    assert_eq!(kinds, ["expired", "setting-changed", "organisation-created"]);
    assert_eq!((events[0].detail["events"].as_u64(), &*events[0].who), (Some(1), "foretop"));
    jobs::do_once(&app, "tidy").await.unwrap();
    client.delete_organisation("other").await.unwrap();
    let left = client.organisations(&PageQuery::default()).await.unwrap().items;
    assert_eq!(left.len(), 1);
}
