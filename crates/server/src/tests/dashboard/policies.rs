//! Policies on pages: what is so, what would be, and that only owners change it.

use serde_json::{Value as Json, json};

use super::super::digest;
use super::{Browser, HOSTILE, House};
use crate::policies;

const SET: &str = "/o/acme/policies/set";

impl House {
    async fn judged(&self) {
        let acme = self.app.store().organisation("acme").await.unwrap().id;
        policies::judge(&self.app, &acme).await.unwrap();
    }
}

/// What a field of that name is worth in a page.
fn hidden(html: &str, name: &str) -> String {
    let field = html.split(&format!("name=\"{name}\" value=\"")).nth(1);
    field.and_then(|it| it.split('"').next()).unwrap_or_default().to_owned()
}

/// The form of the editor as it would be sent, where these policies alone count.
fn form<'a>(counts: &'a [&'a str], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![("modules", "built-in")];
    for id in [
        "fixable-vulnerabilities",
        "default-non-root-user",
        "gaps",
        "maximum-age",
        "high-profile-vulnerabilities",
        "supply-chain-attestations",
        "approved-base-images",
        "no-stale-base-images",
        "copyleft-license",
    ] {
        fields.push(("policy", id));
    }
    fields.extend(counts.iter().map(|it| (*it, "1")));
    fields.extend(more);
    fields
}

#[tokio::test]
async fn what_policies_say_is_on_their_pages() {
    let house = House::new(false).await;
    let ann = house.settled().await;
    house.lived_in(&ann).await;
    let page = async |path: &str| {
        let answer = house.look(&ann, path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.text
    };
    // Before anything is judged, nothing is met.
    let text = page("/o/acme/policies").await;
    assert!(text.contains("What policies say is not worked out yet."), "{text}");
    let text = page("/o/acme/environments/staging/policies").await;
    assert!(text.contains("What runs here was not judged yet"), "{text}");
    house.judged().await;
    let text = page("/o/acme/policies").await;
    assert!(text.contains("of 7 not met by some image"), "{text}");
    assert!(text.contains("those that come with Foretop"), "{text}");
    assert!(text.contains("kept since 2026-11-21, which is too short to tell"), "{text}");
    let text = page("/o/acme/environments/staging/policies").await;
    assert!(text.contains("1 of 2 images are not judged yet"), "{text}");
    assert!(text.contains("by the policies that come with Foretop"), "{text}");
    assert!(text.contains("attestations are not known"), "why nobody can tell: {text}");
    let by_image = page("/o/acme/environments/staging/policies?by=image").await;
    assert!(by_image.contains("the farthest from passing first"), "{by_image}");
    let csv = "/o/acme/environments/staging/policies?format=csv&table=deviations";
    let csv = house.look(&ann, csv).await.text;
    assert!(csv.starts_with("policy,state,image,applications,count,first,judged\r\n"), "{csv}");
    assert!(csv.contains("unknown"), "{csv}");
    let image = page(&format!("/o/acme/images/{}?view=policies", digest('1'))).await;
    assert!(image.contains("Supply chain attestations"), "{image}");
    for path in ["/o/acme", "/o/acme/environments/staging"] {
        let text = page(path).await;
        assert!(text.contains("/o/acme/environments/staging/policies"), "{path}: {text}");
        assert!(text.contains("aria-label=\"Policies: "), "{path}: {text}");
    }
}

#[tokio::test]
async fn policies_are_tried_out_before_they_count() {
    let house = House::new(false).await;
    let ann = house.settled().await;
    house.lived_in(&ann).await;
    house.judged().await;
    let bob = house.somebody(&ann, "bob", "acme", "member").await;
    let path = "/o/acme/policies/set?environment=staging";
    let text = house.look(&ann, path).await.text;
    assert!(text.contains("staging has none of its own"), "{text}");
    assert!(text.contains("name=\"at:fixable-vulnerabilities:severities\""), "{text}");
    assert!(!text.contains("Put it into force"), "it is not tried out yet");
    let asked = form(
        &["counts:gaps", "counts:maximum-age"],
        &[
            ("environment", "staging"),
            ("version", "0"),
            ("kind:maximum-age:days", "number"),
            ("at:maximum-age:days", "30"),
        ],
    );
    let sent = async |who: &Browser, fields: &[(&str, &str)], more: &[(&str, &str)]| {
        let all = [fields, more].concat();
        house.fill_in(who, "same-origin", SET, &all).await
    };
    let set = async || {
        let all = house.api(&ann, "GET /orgs/acme/policies/places", Json::Null).await;
        let there = all["items"].as_array().unwrap().iter();
        there.filter_map(|it| it["in_force"]["version"].as_u64()).collect::<Vec<_>>()
    };
    // Members try nothing, and change nothing.
    assert_eq!(sent(&bob, &asked, &[("do", "try")]).await.status, 403);
    let members = house.look(&bob, path).await.text;
    assert!(!members.contains("<button name=\"do\""), "{members}");
    // What was not tried is not saved, but tried.
    let answer = sent(&ann, &asked, &[("do", "set")]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.text.contains("this was not tried out yet"), "{}", answer.text);
    let answer = sent(&ann, &asked, &[("do", "try")]).await;
    assert!(answer.text.contains("Tried on 1 of 2 images that run"), "{}", answer.text);
    assert!(answer.text.contains("1 are not analysed"), "{}", answer.text);
    assert!(answer.text.contains("does not count"), "{}", answer.text);
    assert!(answer.text.contains("Put it into force"), "{}", answer.text);
    assert!(answer.text.contains("value=\"30\""), "what was typed stays: {}", answer.text);
    assert!(set().await.is_empty(), "nothing is kept");
    let mark = hidden(&answer.text, "tried");
    assert_eq!(mark.len(), 64, "{}", answer.text);
    // Who changes something after that tries it again.
    let other = form(&["counts:gaps"], &[("environment", "staging"), ("version", "0")]);
    let answer = sent(&ann, &other, &[("do", "set"), ("tried", &mark)]).await;
    assert!(answer.text.contains("this was not tried out yet"), "{}", answer.text);
    let answer = sent(&ann, &asked, &[("do", "set"), ("tried", &mark)]).await;
    let there = "/o/acme/environments/staging/policies";
    assert_eq!((answer.status, answer.header("location")), (303, there), "{}", answer.text);
    assert_eq!(set().await, [1]);
    let kept = house.api(&ann, "GET /orgs/acme/environments/staging/policies", Json::Null).await;
    let entry = json!({ "name": "maximum-age", "enabled": true, "config": { "days": 30 } });
    assert!(kept["config"]["policies"].as_array().unwrap().contains(&entry), "{kept}");
    // Somebody was quicker.
    let answer = sent(&ann, &asked, &[("do", "set"), ("tried", &mark)]).await;
    assert!(answer.text.contains("Somebody has put other policies"), "{}", answer.text);
    // A former version is put into force again the same way; and the organization's count again.
    let page = house.look(&bob, there).await.text;
    assert!(page.contains("in force") && !page.contains("Let the organization"), "{page}");
    assert_eq!(house.fill_in(&bob, "same-origin", there, &[("do", "unset")]).await.status, 403);
    assert_eq!(house.fill_in(&ann, "same-origin", there, &[("do", "unset")]).await.status, 303);
    assert!(set().await.is_empty());
    let page = house.look(&ann, "/o/acme/policies/set?environment=staging&version=1").await.text;
    assert!(page.contains("What follows is version 1"), "{page}");
    assert!(page.contains("value=\"30\""), "{page}");
}

#[tokio::test]
async fn own_rego_is_written_tried_and_refused_with_its_line() {
    let house = House::new(false).await;
    let ann = house.settled().await;
    house.lived_in(&ann).await;
    let rego = format!(
        "# METADATA\n# title: Own\n# custom:\n#   name: own\npackage docker.scout\nimport rego.v1\n\
         default pass := false\npass if count(violation) == 0\n\
         violation contains {{\"message\": {}, \"detail\": {{}}}} if true\n",
        json!(HOSTILE)
    );
    let form = [("modules", "own"), ("file:0", "own.rego"), ("text:0", &*rego), ("do", "try")];
    let answer = house.fill_in(&ann, "same-origin", SET, &form).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.text.contains("&lt;script&gt;") && !answer.text.contains("<script>alert"));
    assert!(answer.text.contains("counts:own"), "{}", answer.text);
    let bad = [("modules", "own"), ("file:0", "own.rego"), ("text:0", "package"), ("do", "try")];
    let answer = house.fill_in(&ann, "same-origin", SET, &bad).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text.contains("own.rego") && answer.text.contains("role=\"alert\""));
    let odd = [("policy", "gaps"), ("more:gaps", "{"), ("modules", "built-in")];
    assert_eq!(house.fill_in(&ann, "same-origin", SET, &odd).await.status, 400);
}
