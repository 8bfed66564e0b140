//! Telling: what an image brings where it comes to run.

use serde_json::json;

use super::{House, digest};

const CLEAN: &[&str] = &["pkg:npm/pg@8.0.0"];
/// With a flaw that the starter sheet knows.
const FLAWED: &[&str] =
    &["pkg:npm/pg@8.0.0", "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"];

impl House {
    /// Somebody has read the image of that number.
    async fn reads(&self, number: u8, purls: &[&str]) {
        let acme = self.id("acme").await;
        let kept = crate::tests::inventory(purls);
        let (digest, platform) = (digest(number).parse().unwrap(), "linux/amd64".parse().unwrap());
        let act = self.act();
        let store = self.app.store();
        store.keep_inventory(&acme, &act, &digest, &platform, None, &kept).await.unwrap();
    }

    /// What comes within a minute is told together: by then it was.
    async fn is_told(&self) {
        self.later(3).await;
        self.later(61).await;
    }
}

#[tokio::test]
async fn what_is_deployed_with_new_findings_is_told_once() {
    let house = House::new().await;
    let ops = house.channel("acme", "ops").await;
    let theirs = house.channel("other", "theirs").await;
    let production = json!({
        "on": ["new-finding"], "environments": ["production"], "severities": ["critical"],
    });
    house.rule("acme", "first", "ops", production).await;
    house.rule("other", "first", "theirs", json!({ "on": ["all"] })).await;
    for (number, purls) in [(1, CLEAN), (2, FLAWED)] {
        house.reads(number, purls).await;
    }
    let web = "docker.io/acme/web";
    house.runs("acme", "production", &format!("{web}:v1"), 1).await;
    house.is_told().await;
    assert!(ops.titles().is_empty(), "there is nothing wrong with it");
    house.runs("acme", "staging", &format!("{web}:v2"), 2).await;
    house.is_told().await;
    assert!(ops.titles().is_empty(), "nobody asked for that environment");
    house.runs("acme", "production", &format!("{web}:v2"), 2).await;
    house.is_told().await;
    let heard = ops.heard();
    let [(_, message)] = &heard[..] else { panic!("{heard:?}") };
    let title = "docker.io/acme/web:v2 brings new findings to production: critical at worst";
    assert!(message.title.starts_with(title), "{}", message.title);
    assert_eq!(message.severity.as_deref(), Some("critical"));
    assert!(message.text.contains("CVE-2021-44228 in org.apache.logging.log4j/log4j-core 2.14.1"));
    assert!(message.text.ends_with("; docker.io/acme/web:v1 ran before it, and had none of them"));
    let facts: Vec<&str> = message.facts.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(facts, ["Runs in", "Brought by", "Read on"]);
    assert_eq!(message.facts[2].lines, ["foretop cves --env production"]);
    // The same again on the same day is no news, nor is what ran before.
    for number in [1, 2] {
        house.runs("acme", "production", &format!("{web}:v{number}"), number).await;
        house.is_told().await;
    }
    assert_eq!(ops.titles().len(), 1);
    // What had it before brings nothing, though it is another image.
    house.reads(3, FLAWED).await;
    house.runs("acme", "production", &format!("{web}:v3"), 3).await;
    house.is_told().await;
    assert_eq!(ops.titles().len(), 1);
    assert!(theirs.titles().is_empty(), "nobody else");
}

#[tokio::test]
async fn what_is_read_later_is_told_then() {
    let house = House::new().await;
    let ops = house.channel("acme", "ops").await;
    house.rule("acme", "first", "ops", json!({ "on": ["new-finding"] })).await;
    house.runs("acme", "production", "docker.io/acme/web:v1", 1).await;
    house.is_told().await;
    assert!(ops.titles().is_empty(), "nobody knows what is in it");
    house.reads(1, FLAWED).await;
    house.is_told().await;
    let [title] = &ops.titles()[..] else { panic!("{:?}", ops.titles()) };
    assert!(
        title.starts_with("docker.io/acme/web:v1 brings new findings to production"),
        "{title}"
    );
    // What is read anew is no news; nor is what came to run long ago.
    house.reads(1, FLAWED).await;
    house.is_told().await;
    house.later(3 * 86_400).await;
    house.reads(1, FLAWED).await;
    house.is_told().await;
    assert_eq!(ops.titles().len(), 1);
}

#[tokio::test]
async fn what_is_read_bit_by_bit_is_one_message() {
    let house = House::new().await;
    let ops = house.channel("acme", "ops").await;
    house.rule("acme", "first", "ops", json!({ "on": ["new-finding"] })).await;
    for number in 1..=20 {
        let image = format!("docker.io/acme/app{number}:v1");
        house.runs("acme", "production", &image, number).await;
    }
    for number in 1..=20 {
        house.reads(number, FLAWED).await;
        house.later(2).await;
    }
    house.is_told().await;
    assert_eq!(ops.titles(), ["20 images bring new findings: 20 critical in production"]);
}
