//! The clock steps, a day forwards or back, while somebody is logged in.

use serde_json::json;

use super::{House, PASSWORD};

const DAY: i64 = 86_400;

#[tokio::test]
async fn nobody_is_locked_out_and_nothing_is_good_for_ever() {
    let house = House::new().await;
    let ann = house.settled().await;
    let expires = model::Moment::from_micros(house.app.now().micros()).plus_seconds(3600);
    let body = json!({ "name": "short", "scope": "read", "expires": expires.to_string() });
    let short = house.ask("POST /me/tokens", &ann, body).await.text("secret");
    let status = async |token: &str| house.get("/orgs/acme/environments", token).await.status;
    for step in [-DAY, 2 * DAY, -DAY] {
        house.wait(step);
        assert_eq!(status(&ann).await, 200, "{step}");
        let name = json!({ "name": format!("after {step} {}", house.app.now()) });
        assert_eq!(house.ask("POST /orgs/acme/environments", &ann, name).await.status, 201);
        house.log_in("ann").await;
    }
    assert_eq!(status(&short).await, 200);
    house.wait(3601);
    assert_eq!(status(&short).await, 401);
    house.wait(30 * DAY);
    assert_eq!(status(&ann).await, 401);
    // What happened is told in the order in which it did, whatever the clock said.
    let ann = house.log_in("ann").await;
    let events = house.get("/orgs/acme/events?kinds=environment-created", &ann).await;
    let about: Vec<String> = events.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["about"].as_str().unwrap().split(' ').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(about, ["-86400", "172800", "-86400"]);
}

#[tokio::test]
async fn whoever_waits_does_not_wait_for_another_day() {
    let house = House::new().await;
    house.settled().await;
    let wrong = || json!({ "name": "ann", "password": "a green hors" });
    for _ in 0..5 {
        assert_eq!(house.ask("POST /sessions", "", wrong()).await.status, 401);
    }
    assert_eq!(house.ask("POST /sessions", "", wrong()).await.status, 429);
    house.wait(-DAY);
    let right = json!({ "name": "ann", "password": PASSWORD });
    assert_eq!(house.ask("POST /sessions", "", right).await.status, 201);
}
