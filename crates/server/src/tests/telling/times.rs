//! Telling: at its time, together or at once.

use serde_json::json;

use super::House;

#[tokio::test]
async fn a_digest_is_told_at_its_time() {
    let house = House::new().await;
    let ops = house.channel("acme", "ops").await;
    let daily = json!({ "on": ["all"], "digest": { "every": "daily", "at": "08:00" } });
    house.rule("acme", "first", "ops", daily).await;
    for flaw in ["CVE-1", "CVE-2", "CVE-3"] {
        house.finds("acme", "production", &[(flaw, 1)]).await;
        house.later(3600).await;
    }
    assert!(ops.titles().is_empty());
    assert_eq!(house.outbox("acme").await, ["waiting 3 new-finding 0"]);
    // It was ten o'clock in the morning.
    house.later(18 * 3600).await;
    assert!(ops.titles().is_empty());
    house.later(3600).await;
    assert_eq!(ops.titles(), ["digest: 3 new findings: 3 high in production"]);
    house.later(86_400).await;
    assert_eq!(ops.titles().len(), 1, "there is nothing to be told");
}

#[tokio::test]
async fn in_quiet_hours_nothing_is_told_but_what_cannot_wait() {
    let house = House::new().await;
    let ops = house.channel("acme", "ops").await;
    let quiet = json!({ "from": "09:00", "until": "11:00", "unless": ["critical"] });
    house.rule("acme", "first", "ops", json!({ "on": ["all"], "quiet": quiet })).await;
    let urgent = json!({ "from": "09:00", "until": "11:00", "unless": ["high"] });
    house.rule("acme", "second", "ops", json!({ "on": ["all"], "quiet": urgent })).await;
    house.finds("acme", "production", &[("CVE-1", 1)]).await;
    house.later(60).await;
    assert_eq!(ops.titles(), ["CVE-1 (high) is new in production"]);
    // One thing alone is told in the morning as it would have been in the night.
    house.later(3600).await;
    assert_eq!(ops.titles(), ["CVE-1 (high) is new in production"; 2]);
    assert_eq!(house.sent("acme").await, 2);
}

#[tokio::test]
async fn many_waiting_are_told_together() {
    let house = House::new().await;
    let ops = house.channel("acme", "ops").await;
    let quiet = json!({ "from": "09:00", "until": "11:00" });
    house.rule("acme", "first", "ops", json!({ "on": ["all"], "quiet": quiet })).await;
    for flaw in ["CVE-1", "CVE-2"] {
        house.finds("acme", "production", &[(flaw, 1)]).await;
        house.later(60).await;
    }
    house.later(3600).await;
    assert_eq!(ops.titles(), ["while it was quiet: 2 things happened in production"]);
}
