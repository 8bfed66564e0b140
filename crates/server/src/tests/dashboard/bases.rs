//! Base images on pages: what stands on them, what would be better, and who may teach.

use model::{ImageDescription, Inventory, LayerDescription, Subject};
use serde_json::{Value as Json, json};

use super::{Browser, House, digest, inventory};

/// With a layer for each letter, and these packages.
fn layered(digit: char, layers: &str, purls: &[&str]) -> Inventory {
    let layer =
        |it| LayerDescription { diff_id: digest(it).parse().ok(), ..LayerDescription::default() };
    let image = ImageDescription {
        digest: digest(digit).parse().ok(),
        layers: layers.chars().map(layer).collect(),
        ..ImageDescription::default()
    };
    Inventory { subject: Subject::Image(Box::new(image)), ..inventory(purls) }
}

/// Two tags of a base, three images on one of them, one that names its base, and one that tells nothing.
async fn house() -> (House, Browser) {
    let house = House::new(false).await;
    let ann = house.settled().await;
    let old = "pkg:npm/lodash@4.17.11";
    for (digit, image, layers, purls) in [
        ('1', "acme/base:1.0", "a", vec![old]),
        ('2', "acme/base:1.1", "b", vec!["pkg:npm/lodash@4.17.21"]),
        ('3', "acme/web:v1", "acd", vec![old]),
        ('4', "acme/web:v2", "ace", vec![old]),
        ('5', "acme/api:v1", "ad", vec![old]),
        ('7', "acme/odd:v1", "f", vec![]),
    ] {
        let push = json!({ "image": image, "inventory": layered(digit, layers, &purls) });
        house.api(&ann, &format!("PUT /orgs/acme/images/{}", digest(digit)), push).await;
    }
    let mut labelled = layered('6', "9", &[]);
    if let Subject::Image(it) = &mut labelled.subject {
        let label = r#"{"config":{"Labels":{"org.opencontainers.image.base.name":"debian:12"}}}"#;
        it.raw_config = Some(label.to_owned());
    }
    let push = json!({ "image": "acme/job:v1", "inventory": labelled });
    house.api(&ann, &format!("PUT /orgs/acme/images/{}", digest('6')), push).await;
    house.api(&ann, "POST /orgs/acme/environments", json!({ "name": "production" })).await;
    let recordings = json!([
        { "image": "acme/web:v2", "digest": digest('4') },
        { "image": "acme/api:v1", "digest": digest('5') },
        { "image": "acme/new:v1", "digest": digest('8') },
    ]);
    let line = "POST /orgs/acme/environments/production/deployments";
    house.api(&ann, line, json!({ "recordings": recordings })).await;
    (house, ann)
}

async fn rows(house: &House, browser: &Browser, path: &str, table: &str) -> Vec<Json> {
    let answer = house.look(browser, &format!("{path}?table={table}&format=json")).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    serde_json::from_str(&answer.text).unwrap()
}

#[tokio::test]
async fn what_images_stand_on_is_told_and_what_nobody_can_tell() {
    let (house, ann) = house().await;
    let all = rows(&house, &ann, "/o/acme/bases", "bases").await;
    let shown: Vec<String> = all
        .iter()
        .map(|it| {
            let text = |key: &str| it[key].as_str().unwrap_or_default().to_owned();
            format!(
                "{}; {}; {}; {}",
                text("base"),
                it["images"],
                text("environments"),
                text("found")
            )
        })
        .collect();
    let expect = [
        "docker.io/acme/base:1.0; 3; production; by its layers",
        "docker.io/library/debian:12; 1; ; named by the images",
    ];
    assert_eq!(shown, expect);
    assert!(all[1]["layers"].as_str().unwrap().starts_with("cannot tell"), "{all:?}");
    let page = house.look(&ann, "/o/acme/bases").await.text;
    // The two tags of the base and the odd one stand on nothing that is known.
    assert!(page.contains(r#"<a href="/o/acme/bases/unknown">Of 3 images</a>"#), "{page}");
    assert!(page.contains("Others stand on 1 of them: it is a base."), "{page}");
    assert!(page.contains("1 image that runs is not analysed"), "{page}");
    let unknown = rows(&house, &ann, "/o/acme/bases/unknown", "images").await;
    let names: Vec<&str> = unknown.iter().filter_map(|it| it["image"].as_str()).collect();
    assert_eq!(names, ["acme/base:1.0", "acme/base:1.1", "acme/odd:v1"]);
    let nothing = house.look(&ann, "/o/acme/bases/debian%3A11").await;
    assert_eq!(nothing.status, 404);
}

#[tokio::test]
async fn a_base_has_what_it_brings_and_where_images_would_stand_better() {
    let (house, ann) = house().await;
    // The list tells it by itself: whoever looks first may have to look again.
    let told = async || {
        let all = rows(&house, &ann, "/o/acme/bases", "bases").await;
        (all[0]["critical"].is_u64(), all)
    };
    let mut all = told().await;
    while !all.0 {
        let said = all.1[0]["critical"].as_str().unwrap();
        assert!(said.starts_with("cannot tell: It is being looked into"), "no nought: {said}");
        all = told().await;
    }
    let (_, all) = all;
    assert!(all[0]["high"].as_u64() > Some(0), "{all:?}");
    // Nothing here has the layers of the other one.
    assert!(all[1]["high"].as_str().unwrap().starts_with("cannot tell"), "{all:?}");
    let base = format!("/o/acme/bases/{}", digest('a').replace(':', "%3A"));
    let page = house.look(&ann, &base).await;
    assert_eq!(page.status, 200, "{}", page.text);
    for it in [
        "acme/base:1.0",
        "production",
        "foretop recommendations docker.io/acme/",
        "FROM acme/base:1.1",
    ] {
        assert!(page.text.contains(it), "{it}: {}", page.text);
    }
    let moves = rows(&house, &ann, &base, "moves").await;
    assert_eq!(moves.len(), 1, "{moves:?}");
    assert_eq!((&moves[0]["recommended"], &moves[0]["adds"]), (&json!("yes"), &json!(0)));
    assert!(moves[0]["removes"].as_u64().unwrap() > 0, "{moves:?}");
    let on = rows(&house, &ann, &base, "images").await;
    let names: Vec<&str> = on.iter().filter_map(|it| it["image"].as_str()).collect();
    assert_eq!(names, ["acme/web:v1", "acme/web:v2", "acme/api:v1"]);
    // The same tag leads elsewhere by now: that is the first to do.
    let push = json!({ "image": "acme/base:1.0", "inventory": layered('0', "0", &[]) });
    house.api(&ann, &format!("PUT /orgs/acme/images/{}", digest('0')), push).await;
    let moves = rows(&house, &ann, &base, "moves").await;
    assert_eq!(moves[0]["change"], "docker build --pull", "{moves:?}");
    // The image's own page leads there.
    let own = house.look(&ann, &format!("/o/acme/images/{}", digest('5'))).await.text;
    assert!(own.contains("<dt>Base image</dt>") && own.contains("/o/acme/bases/sha256"), "{own}");
    let odd = house.look(&ann, &format!("/o/acme/images/{}", digest('7'))).await.text;
    assert!(odd.contains("/o/acme/bases/unknown"), "{odd}");
    let said = house.look(&ann, "/o/acme/bases/docker.io%2Flibrary%2Fdebian%3A12").await;
    assert_eq!(said.status, 200);
    assert!(said.text.contains("foretop base learn docker.io/library/debian:12"), "{}", said.text);
}

#[tokio::test]
async fn who_may_teaches_and_owners_forget() {
    let (house, ann) = house().await;
    let mia = house.somebody(&ann, "mia", "acme", "member").await;
    let form = [("name", "acme/floor:1"), ("image", &*digest('5'))];
    let may = model::Role::Member.may(model::Right::PushImages);
    let page = house.look(&mia, "/o/acme/bases").await.text;
    assert_eq!(page.contains("<form method=\"post\" action=\"/o/acme/bases\""), may, "{page}");
    let answer = house.fill_in(&mia, "same-origin", "/o/acme/bases", &form).await;
    assert_eq!(answer.status == 303, may, "{}", answer.text);
    let answer = house.fill_in(&ann, "cross-site", "/o/acme/bases", &form).await;
    assert_eq!(answer.status, 403);
    let answer = house.fill_in(&ann, "same-origin", "/o/acme/bases", &form).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/o/acme/bases"),
        "{}",
        answer.text
    );
    let taught = rows(&house, &ann, "/o/acme/bases", "taught").await;
    assert_eq!(taught[0]["name"], "docker.io/acme/floor:1", "{taught:?}");
    // One whose layers nobody knows cannot be found below others.
    let bare = json!({ "image": "acme/bare:1", "inventory": inventory(&[]) });
    let none = format!("sha256:{}", "ab".repeat(32));
    house.api(&ann, &format!("PUT /orgs/acme/images/{none}"), bare).await;
    let form = [("name", "acme/bare:1"), ("image", &*none)];
    let answer = house.fill_in(&ann, "same-origin", "/o/acme/bases", &form).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    // An image with another layer on top stands on it from now on.
    let push = json!({ "image": "acme/two:v1", "inventory": layered('c', "ad2", &[]) });
    house.api(&ann, &format!("PUT /orgs/acme/images/{}", digest('c')), push).await;
    let all = rows(&house, &ann, "/o/acme/bases", "bases").await;
    let floor = all.iter().find(|it| it["found"] == "taught").unwrap();
    let path = format!("/o/acme/bases/{}", floor["key"].as_str().unwrap().replace(':', "%3A"));
    let form = [("name", "docker.io/acme/floor:1")];
    assert!(!house.look(&mia, &path).await.text.contains("<button class=\"danger\">Forget"));
    assert_eq!(house.fill_in(&mia, "same-origin", &path, &form).await.status, 403);
    assert!(house.look(&ann, &path).await.text.contains("<button class=\"danger\">Forget"));
    assert_eq!(house.fill_in(&ann, "same-origin", &path, &form).await.status, 303);
    let left = rows(&house, &ann, "/o/acme/bases", "taught").await;
    assert!(left.is_empty(), "{left:?}");
    // Another organisation's bases are not there.
    let other = house.look(&ann, "/o/other/bases").await;
    assert_eq!(other.status, 404);
}
