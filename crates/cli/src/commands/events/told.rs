//! What an event is about, in one line for people: what happened to what, and who did it.

use std::fmt::Write as _;

use api::Event;
use model::EventKind;
use serde_json::Value as Json;

use crate::messages::count;

/// Letters of a digest, which are enough for people.
const SHORT: usize = 12;

/// `acme/web:v2@1f0a… in place of acme/web:v1@77b2…, by ann (laptop) through cli`.
pub(super) fn what(event: &Event) -> String {
    let detail = &event.detail;
    let mut text = match &event.image {
        Some(image) => short(image),
        None => event.about.clone(),
    };
    if event.image.is_some() && event.kind.starts_with("deployment-") {
        surroundings(&mut text, event);
    } else if event.image.is_some() && event.kind.starts_with("image-") {
        inside(&mut text, detail);
    } else if let Some(former) = &event.replaced {
        let _ = write!(text, ", before {}", short(former));
    } else if event.kind.starts_with("check-") {
        checked(&mut text, detail);
    } else if event.kind == EventKind::PoliciesSet.as_str() {
        let _ = write!(text, ": version {}", detail["version"]);
    } else if event.kind == EventKind::PolicyFlipped.as_str() {
        flipped(&mut text, detail);
    } else {
        text.push_str(&told(detail));
    }
    if let Some(why) = detail["why"].as_str().filter(|_| event.image.is_some()) {
        let _ = write!(text, ": {why}");
    }
    // What an almanac changes nobody did.
    if !EventKind::OF_EVALUATIONS.iter().any(|it| it.as_str() == event.kind) {
        recorder(&mut text, event);
    }
    text
}

/// As what it runs, for which platform, and in place of what, where that is not plain.
fn surroundings(text: &mut String, event: &Event) {
    let detail = &event.detail;
    if detail["repository"] != *event.about {
        let _ = write!(text, " as {}", event.about);
    }
    if let Some(platform) = detail["platform"].as_str().filter(|it| *it != "linux/amd64") {
        let _ = write!(text, " for {platform}");
    }
    if let Some(former) = &event.replaced {
        let _ = write!(text, " in place of {}", short(former));
    }
}

/// How a check went: `: failed: 2 critical, 1 high, the worst CVE-2026-1 in lodash`.
fn checked(text: &mut String, detail: &Json) {
    let _ = write!(text, ": {}", detail["verdict"].as_str().unwrap_or("unknown"));
    let found = ["critical", "high", "medium", "low", "unspecified"].iter().filter_map(|level| {
        let number = detail["found"][level].as_u64().filter(|it| *it > 0)?;
        Some(format!("{number} {level}"))
    });
    let found: Vec<String> = found.collect();
    if !found.is_empty() {
        let _ = write!(text, ": {}", found.join(", "));
    }
    let worst = &detail["worst"][0];
    if let (Some(id), Some(package)) = (worst["id"].as_str(), worst["package"].as_str()) {
        let _ = write!(text, ", the worst {id} in {package}");
    }
    if let Some(why) = detail["why"].as_str() {
        let _ = write!(text, ": {why}");
    }
}

/// What it meets now: `: No copyleft licenses: met → not met (image): curl is under GPL-2.0`.
fn flipped(text: &mut String, detail: &Json) {
    let word = |key: &str| detail[key].as_str().unwrap_or_default().replace('-', " ");
    let title = detail["title"].as_str().unwrap_or_default();
    let _ = write!(text, ": {title}: {} → {} ({})", word("from"), word("to"), word("reason"));
    if let Some(why) = detail["why"].as_str() {
        let _ = write!(text, ": {why}");
    }
}

fn inside(text: &mut String, detail: &Json) {
    if let Some(packages) = detail["packages"].as_u64() {
        let _ = write!(text, ": {}", count(packages, "package", "packages"));
        if let Some(gaps) = detail["gaps"].as_u64().filter(|it| *it > 0) {
            let _ = write!(text, ", {}", count(gaps, "gap", "gaps"));
        }
    }
}

/// Who did it, from where, by which way.
fn recorder(text: &mut String, event: &Event) {
    if event.who.is_empty() {
        return;
    }
    let _ = write!(text, ", by {}", event.who);
    if !event.origin.is_empty() {
        let _ = write!(text, " ({})", event.origin);
    }
    // How it was told that it runs is no news when it ends.
    let ended = event.kind == "deployment-ended";
    if let Some(source) = event.detail["source"].as_str().filter(|_| !ended) {
        let _ = write!(text, " through {source}");
    }
}

/// `acme/web:v1@1f0a66d2c1b7`.
fn short(image: &str) -> String {
    let Some((name, digest)) = image.split_once('@') else { return image.to_owned() };
    let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
    format!("{name}@{}", hex.get(..SHORT).unwrap_or(hex))
}

/// What became of a flaw in a package: ` of lodash@4.17.4: high, fixed in 4.17.21, in 3 images`.
fn told(detail: &Json) -> String {
    let mut text = String::new();
    if let (Some(name), Some(version)) = (detail["name"].as_str(), detail["version"].as_str()) {
        let _ = write!(text, " of {name}@{version}: ");
        match (state(&detail["before"]), state(&detail["after"])) {
            (Some(before), Some(after)) => {
                let _ = write!(text, "{before} → {after}");
            }
            (None, Some(after)) => text.push_str(&after),
            (Some(before), None) => {
                let why = detail["why"].as_str().or(detail["verdict"].as_str());
                let _ = write!(text, "was {before}; {}", why.unwrap_or("gone"));
            }
            (None, None) => {}
        }
        if let Some(images) = detail["images"].as_u64() {
            let _ = write!(text, ", in {}", count(images, "image", "images"));
        }
    } else if let (Some(from), Some(to)) = (word(&detail["from"]), word(&detail["to"])) {
        let _ = write!(text, ": {from} → {to}");
    } else if let Some(role) = detail["role"].as_str() {
        let _ = write!(text, ": {role}");
    } else if let Some(why) = detail["why"].as_str() {
        let _ = write!(text, ": {why}");
        if let Some(gaps) = detail["gaps"].as_u64() {
            let _ = write!(text, ": {}", count(gaps, "gap", "gaps"));
        }
    }
    text
}

fn state(it: &Json) -> Option<String> {
    let mut text = it["severity"].as_str()?.to_lowercase();
    if let Some(version) = it["fixed"].as_str() {
        let _ = write!(text, ", fixed in {version}");
    }
    if it["exploited"] == true {
        text.push_str(", exploited");
    }
    Some(text)
}

fn word(it: &Json) -> Option<String> {
    match it {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(it.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use model::{Act, EventKind};
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(kind: &str, about: &str, detail: Json, expect: &str) {
        let at = "2026-11-21T10:00:00Z".parse().unwrap();
        let act = Act { who: "ann".to_owned(), origin: "ci/17".to_owned(), at };
        let event = model::Event {
            id: "1".to_owned(),
            act,
            kind: EventKind::parse(kind).unwrap(),
            environment: Some("production".to_owned()),
            about: about.to_owned(),
            detail,
        };
        assert_eq!(what(&event.into()), expect);
    }

    fn runs(tag: Option<&str>, digit: char) -> Json {
        json!({
            "deployment": "1", "platform": "linux/amd64", "repository": "docker.io/acme/web",
            "tag": tag, "digest": format!("sha256:{}", digit.to_string().repeat(64)),
            "source": "cli",
        })
    }

    #[test]
    fn what_runs() {
        let web = "docker.io/acme/web";
        let started = "acme/web:v1@111111111111, by ann (ci/17) through cli";
        check("deployment-started", web, runs(Some("v1"), '1'), started);
        let mut detail = runs(Some("v2"), '2');
        detail["replaced"] = runs(None, '1');
        let replaced = "acme/web:v2@222222222222 in place of acme/web@111111111111, \
                        by ann (ci/17) through cli";
        check("deployment-replaced", web, detail.clone(), replaced);
        detail["platform"] = json!("linux/arm64");
        detail["source"] = json!("runtime:cluster-1");
        let replaced = "acme/web:v2@222222222222 as shop for linux/arm64 in place of \
                        acme/web@111111111111, by ann (ci/17) through runtime:cluster-1";
        check("deployment-replaced", "shop", detail, replaced);
        let mut detail = runs(Some("v1"), '1');
        detail["why"] = json!("its image was deleted");
        let ended = "acme/web:v1@111111111111: its image was deleted, by ann (ci/17)";
        check("deployment-ended", web, detail, ended);
        check("deployment-ended", "shop", json!({}), "shop, by ann (ci/17)");
    }

    #[test]
    fn images_and_names() {
        let digest = format!("sha256:{}", "1".repeat(64));
        let detail = json!({ "packages": 3, "gaps": 1, "repository": "ghcr.io/acme/web" });
        let read = "ghcr.io/acme/web@111111111111: 3 packages, 1 gap, by ann (ci/17)";
        check("image-analysed", &digest, detail, read);
        let nameless = format!("{digest}, by ann (ci/17)");
        check("image-analysed", &digest, json!({ "repository": null }), &nameless);
        let detail = json!({ "why": "it is gone", "repository": "docker.io/library/debian" });
        let failed = "debian@111111111111: it is gone, by ann (ci/17)";
        check("image-failed", &digest, detail, failed);
        let detail = json!({ "from": digest, "to": "sha256:2", "platform": "linux/amd64" });
        let moved = "acme/web:v1@2, before acme/web:v1@111111111111, by ann (ci/17)";
        check("tag-moved", "docker.io/acme/web:v1", detail, moved);
        let detail = json!({ "from": "qa", "to": "test" });
        check("environment-renamed", "test", detail, "test: qa → test, by ann (ci/17)");
        check("member-added", "bob", json!({ "role": "editor" }), "bob: editor, by ann (ci/17)");
    }

    #[test]
    fn what_an_almanac_changes() {
        let detail = json!({
            "name": "lodash", "version": "4", "images": 2, "before": null,
            "after": { "severity": "HIGH", "fixed": "5", "exploited": true },
        });
        let new = "CVE-1 of lodash@4: high, fixed in 5, exploited, in 2 images";
        check("finding-new", "CVE-1", detail, new);
        let detail = json!({ "why": "cannot be told", "gaps": 2 });
        check("evaluation-incomplete", "almanac", detail, "almanac: cannot be told: 2 gaps");
    }
}
