//! What is wrong, on pages: lists that are narrowed down by their addresses, and files of all of it.

use serde_json::{Value as Json, json};

use super::{Browser, HOSTILE, House, digest, inventory};

/// Production with two images and staging with one more, of which one is not analysed.
async fn house() -> (House, Browser) {
    let house = House::new(false).await;
    let ann = house.settled().await;
    for name in ["staging", "production", HOSTILE] {
        house.api(&ann, "POST /orgs/acme/environments", json!({ "name": name })).await;
    }
    for (digit, image, purls) in [
        ('1', "acme/web:v1", vec!["pkg:npm/lodash@4.17.11", "pkg:npm/%3Cb%3Ebold@1.0.0"]),
        ('2', "acme/web:v2", vec!["pkg:npm/lodash@4.17.21"]),
        ('3', "acme/log:v1", vec!["pkg:maven/org.apache.logging.log4j/log4j-core@2.14.0"]),
    ] {
        let push = json!({ "image": image, "inventory": inventory(&purls) });
        house.api(&ann, &format!("PUT /orgs/acme/images/{}", digest(digit)), push).await;
    }
    for (environment, image, digit) in [
        ("production", "acme/web:v1", '1'),
        ("production", "acme/log:v1", '3'),
        ("staging", "acme/web:v1", '1'),
        ("staging", "acme/api:v1", '4'),
    ] {
        let line = format!("POST /orgs/acme/environments/{environment}/deployments");
        let recordings = json!([{ "image": image, "digest": digest(digit) }]);
        house.api(&ann, &line, json!({ "recordings": recordings })).await;
    }
    (house, ann)
}

impl House {
    async fn file(&self, browser: &Browser, path: &str) -> Vec<Json> {
        let answer = self.look(browser, path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert_eq!(answer.header("content-type"), "application/json", "{path}");
        serde_json::from_str(&answer.text).unwrap()
    }
}

#[tokio::test]
async fn every_finding_says_why() {
    let (house, ann) = house().await;
    let image = format!("/o/acme/images/{}", digest('3'));
    let flaw = "CVE-2021-44228";
    let why = format!("{image}/why/{flaw}");
    let there = format!("{image}?environment=production");
    for path in [there, format!("/o/acme/vulnerabilities/{flaw}")] {
        let page = house.look(&ann, &path).await.text;
        let found = super::links(&page).into_iter().find(|it| it.contains(&format!("/why/{flaw}")));
        assert!(found.is_some_and(|it| it.ends_with("?environment=production")), "{path}: {page}");
    }
    let page = house.look(&ann, &why).await.text;
    for told in ["affected", "log4j-core", "<dt>comparison</dt>", "2.15.0", "starter sheet"] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let typed = format!("foretop explain docker.io/acme/log@{} {flaw}", digest('3'));
    assert!(page.contains(&typed), "{page}");
    let rows = house.file(&ann, &format!("{why}?table=judgements&format=json")).await;
    assert!(rows[0]["why"].as_str().unwrap().contains("comparison: "), "{rows:?}");
    // A package says why nothing is wrong with it, also one that is called as nobody should be.
    let image = format!("/o/acme/images/{}", digest('1'));
    let page = house.look(&ann, &format!("{image}?view=packages")).await.text;
    let links = super::links(&page).into_iter().filter(|it| it.contains("/why/"));
    let links: Vec<String> = links.collect();
    assert_eq!(links.len(), 2, "{links:?}");
    for link in links {
        let page = house.look(&ann, &link).await;
        assert!(page.status == 200 && !page.text.contains("<b>bold"), "{link}: {}", page.text);
        assert!(page.text.contains("What was judged of "), "{link}: {}", page.text);
    }
    // What it is about is not in it; nobody has heard of that; and nobody may ask who is no member.
    let page = house.look(&ann, &format!("{image}/why/{flaw}")).await.text;
    assert!(page.contains("and nothing of that is in this image"), "{page}");
    assert_eq!(house.look(&ann, &format!("{image}/why/nothing")).await.status, 404);
    assert_eq!(
        house.look(&ann, &format!("/o/acme/images/{}/why/{flaw}", digest('4'))).await.status,
        404
    );
    assert_eq!(house.look(&Browser::default(), &why).await.status, 303);
}

#[tokio::test]
async fn all_that_is_wrong_is_narrowed_down_by_its_address() {
    let (house, ann) = house().await;
    let base = "/o/acme/vulnerabilities?table=vulnerabilities&format=json";
    let check = async |query: &str, expect: &[&str]| {
        let rows = house.file(&ann, &format!("{base}{query}")).await;
        let ids: Vec<&str> = rows.iter().filter_map(|it| it["flaw"].as_str()).collect();
        for it in expect {
            assert!(ids.contains(it), "{query}: {ids:?}");
        }
        assert_eq!(ids.is_empty(), expect.is_empty(), "{query}: {ids:?}");
        ids.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let all = check("", &["CVE-2021-44228", "CVE-2021-23337", "CVE-2019-10744"]).await;
    let worst = house.file(&ann, base).await;
    let ranks: Vec<usize> = worst
        .iter()
        .filter_map(|row| model::Level::ALL.iter().position(|it| row["severity"] == it.as_str()))
        .collect();
    assert!(ranks.len() == all.len() && ranks.is_sorted(), "the worst comes first: {ranks:?}");
    let here = check("&environment=staging", &["CVE-2021-23337"]).await;
    assert!(!here.contains(&"CVE-2021-44228".to_owned()), "{here:?}");
    let text = check("&q=log4j", &["CVE-2021-44228"]).await;
    assert!(!text.contains(&"CVE-2021-23337".to_owned()), "{text:?}");
    check("&q=no+such+thing", &[]).await;
    check("&fixable=1", &["CVE-2021-44228"]).await;
    check("&severity=critical", &["CVE-2021-44228"]).await;
    check("&severity=unspecified", &[]).await;
    // Nobody knows a forecast: none is at least that likely.
    check("&epss=0.5", &[]).await;
    let page = house.look(&ann, "/o/acme/vulnerabilities?severity=critical&fixable=1").await.text;
    assert!(page.contains("<option value=\"critical\" selected>"), "{page}");
    assert!(page.contains("name=\"fixable\" value=\"1\" checked"), "{page}");
    assert!(page.contains("1 of 3 images that run is not analysed"), "{page}");
    assert!(page.contains("Log4Shell"), "{page}");
    let odd = house.look(&ann, "/o/acme/vulnerabilities?severity=bad").await;
    assert_eq!(odd.status, 400);
    let odd = house.look(&ann, "/o/acme/vulnerabilities?q=lodash%40%3C4.17.21").await.text;
    assert!(odd.contains("Where lodash@&#60;4.17.21 is") || odd.contains("lodash@&lt;4.17.21 is"));
}

#[tokio::test]
async fn one_vulnerability_has_all_that_is_said_and_done_about_it() {
    let (house, ann) = house().await;
    let excepting = json!({
        "flaws": ["CVE-2021-23337"], "kind": "accepted-risk", "note": HOSTILE,
        "environments": ["staging"],
    });
    house.api(&ann, "PUT /orgs/acme/exceptions/known", excepting).await;
    let page = house.look(&ann, "/o/acme/vulnerabilities/CVE-2021-23337").await.text;
    // Where long names may break is nothing that is read.
    let page = page.replace("<wbr>", "");
    for it in [
        "GHSA-35jh-r3h4-6jhm",
        "A template option of lodash becomes code",
        "Who speaks of it: 1",
        "&#60;4.17.21",
        "update to 4.17.21 or later",
        "docker.io/acme/web:v2",
        "accepted-risk, only in environments staging",
        "CWE-77, CWE-94",
    ] {
        let other = it.replace("&#60;", "&lt;");
        assert!(page.contains(it) || page.contains(&other), "{it}: {page}");
    }
    assert!(!page.contains("<script>"), "{page}");
    let unknown = house.look(&ann, "/o/acme/vulnerabilities/CVE-1999-1").await;
    assert_eq!(unknown.status, 200);
    assert!(unknown.text.contains("nobody can tell"), "{}", unknown.text);
    let path = "/o/acme/vulnerabilities/CVE-2021-44228?table=publishers&format=json";
    let rows = house.file(&ann, path).await;
    assert!(rows.iter().any(|it| it["space"] == "maven"), "{rows:?}");
}

#[tokio::test]
async fn packages_lead_to_their_versions() {
    let (house, ann) = house().await;
    let rows = house.file(&ann, "/o/acme/packages?table=packages&format=json&q=lodash").await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((&row["package"], &row["images"]), (&json!("lodash"), &json!(2)));
    assert!(row["flaws"].as_u64().unwrap() >= 3, "{row}");
    let list = house.look(&ann, "/o/acme/packages").await.text;
    let link = "/o/acme/packages/maven/org%2Eapache%2Elogging%2Elog4j%2Flog4j-core";
    assert!(list.contains(link), "{list}");
    let page = house.look(&ann, link).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("CVE-2021-44228") && page.text.contains("2.14.0"), "{}", page.text);
    let page = house.look(&ann, "/o/acme/packages/npm/lodash").await.text;
    assert!(page.contains("runs nowhere"), "4.17.21 is in an image that does not run: {page}");
    assert_eq!(house.look(&ann, "/o/acme/packages/npm/nothing").await.status, 404);
}

#[tokio::test]
async fn an_environment_says_how_bad_each_image_is() {
    let (house, ann) = house().await;
    let path = "/o/acme/environments/staging?table=deployments&format=json";
    let rows = house.file(&ann, path).await;
    let row = |image: &str| rows.iter().find(|it| it["image"] == image).unwrap();
    assert!(row("acme/web:v1")["high"].as_u64().unwrap() >= 1, "{rows:?}");
    let untold = row("acme/api:v1");
    assert!(untold["high"].as_str().unwrap().starts_with("cannot tell"), "{untold}");
    let page = house.look(&ann, "/o/acme/environments/staging").await.text;
    assert!(page.contains("class=\"severities\""), "{page}");
    assert!(!page.contains(">in_use<"), "it is a column of files alone: {page}");
    let other = house.file(&ann, &format!("{path}&application=nothing")).await;
    assert!(other.is_empty(), "{other:?}");
}

#[tokio::test]
async fn comparisons_and_the_overview_are_taken_away_too() {
    let (house, ann) = house().await;
    let base = "/o/acme/compare?from=staging&to=production&format=json&table=";
    let rows = house.file(&ann, &format!("{base}differences")).await;
    let outcomes: Vec<&str> = rows.iter().filter_map(|it| it["outcome"].as_str()).collect();
    assert!(outcomes.contains(&"the same image on both sides"), "{rows:?}");
    assert!(outcomes.contains(&"cannot tell: an image is not analysed"), "{rows:?}");
    let (one, other) = (digest('1'), digest('2'));
    let path = format!("/o/acme/compare?from={one}&to={other}&format=json&table=");
    let rows = house.file(&ann, &format!("{path}differences")).await;
    assert!(rows.iter().any(|it| it["vulnerability"] == "CVE-2021-23337"), "{rows:?}");
    let rows = house.file(&ann, &format!("{path}packages")).await;
    assert!(rows.iter().any(|it| it["package"] == "lodash"), "{rows:?}");
    let organisation = house.app.store().organisation("acme").await.unwrap().id;
    house.app.count(&organisation).await.unwrap();
    let rows = house.file(&ann, "/o/acme?format=json&table=environments").await;
    assert!(rows.iter().any(|it| it["environment"] == "production" && it["critical"] != 0));
    let rows = house.file(&ann, "/o/acme?format=json&table=changes").await;
    assert_eq!(rows.len(), 4, "{rows:?}");
    assert!(house.file(&ann, "/o/acme?format=json&table=dangers").await.is_empty());
    let settings = house.look(&ann, "/o/acme/settings").await.text;
    assert!(settings.contains("starter sheet"), "{settings}");
}
