//! Changes as they come, and the thread taken up again.

use api::{Client, LiveQuery, Told};

use super::client;

async fn next(live: &mut api::Live) -> Told {
    live.next().await.unwrap().expect("it goes on")
}

async fn told(live: &mut api::Live) -> (String, String) {
    match next(live).await {
        Told::Event(event, cursor) => (event.about, cursor),
        other => panic!("it is no event: {other:?}"),
    }
}

async fn make(client: &Client, names: &[&str]) {
    for name in names {
        client.create_environment("local", name).await.unwrap();
    }
}

#[tokio::test]
async fn whoever_comes_back_is_told_the_rest_once() {
    let client = client().await;
    client.create_organisation("local").await.unwrap();
    let query = LiveQuery::default();
    let mut live = client.listen("local", &query, None).await.unwrap();
    let Told::Cursor(begin) = next(&mut live).await else { panic!("it says where to go on") };
    make(&client, &["a", "b", "c"]).await;
    let (about, after_a) = told(&mut live).await;
    assert_eq!(about, "a");
    drop(live);
    make(&client, &["d"]).await;
    // In the middle of what came together, and from where it began.
    for (cursor, expect) in [(&after_a, &["b", "c", "d"][..]), (&begin, &["a", "b", "c", "d"])] {
        let mut live = client.listen("local", &query, Some(cursor)).await.unwrap();
        assert!(matches!(next(&mut live).await, Told::Cursor(it) if it == *cursor));
        for name in expect {
            assert_eq!(told(&mut live).await.0, *name);
        }
    }
    let kinds = Some("environment-deleted".to_owned());
    let query = LiveQuery { kinds, environment: None };
    let mut live = client.listen("local", &query, Some(&begin)).await.unwrap();
    next(&mut live).await;
    client.delete_environment("local", "b").await.unwrap();
    assert_eq!(told(&mut live).await.0, "b");
    let junk = client.listen("local", &LiveQuery::default(), Some("junk")).await.err().unwrap();
    assert_eq!(junk.to_string(), "changes: what they are to begin after is no cursor of ours");
}
