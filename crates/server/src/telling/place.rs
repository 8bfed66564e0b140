//! Where whoever is told of something reads on: a page of the dashboard.

use integration::Message;

use crate::app::App;

/// Leads to that page, where it is known how people reach this server.
pub(crate) fn leading(app: &App, mut message: Message) -> Message {
    if let Some(root) = app.public() {
        message.url = Some(format!("{root}{}", page(&message)));
    }
    message
}

/// The path of the page that says most about it.
fn page(message: &Message) -> String {
    let at = |parts: &[&str]| dashboard::path(&message.organisation, parts);
    let about = message.detail["about"].as_str().unwrap_or_default();
    match message.detail["topic"].as_str() {
        Some("integration-broken") => at(&["integrations"]),
        Some("almanac-stale" | "runtime-silent") => at(&["settings"]),
        Some("exception-expired") => at(&["exceptions"]),
        Some(topic) if model::Topic::find(topic).is_some_and(|it| it.of_flaws) => {
            at(&["vulnerabilities", about])
        }
        _ if message.detail.get("not_told").is_some() => at(&["notifications"]),
        _ => match &message.environments[..] {
            [one] => at(&["environments", one]),
            _ => at(&[]),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    #[test]
    fn what_is_told_leads_to_its_page() {
        let check = |detail: Json, environments: &[&str], expected: &str| {
            let message = Message {
                organisation: "acme".to_owned(),
                environments: environments.iter().map(|it| (*it).to_owned()).collect(),
                detail,
                ..Message::default()
            };
            let path = page(&message);
            assert_eq!(path, expected);
            assert!(is_a_page(&path), "{path}");
        };
        let flaw = json!({ "topic": "new-finding", "about": "CVE-2021-44228" });
        check(flaw, &["production"], "/o/acme/vulnerabilities/CVE-2021-44228");
        let odd = json!({ "topic": "known-exploited", "about": "GHSA a/b?" });
        check(odd, &[], "/o/acme/vulnerabilities/GHSA%20a%2Fb%3F");
        let failed = json!({ "topic": "check-failed", "about": "crit" });
        check(failed.clone(), &["production"], "/o/acme/environments/production");
        check(failed, &["production", "staging"], "/o/acme");
        let broken = json!({ "topic": "integration-broken", "about": "harbor a" });
        check(broken, &[], "/o/acme/integrations");
        check(json!({ "topic": "almanac-stale", "about": "debian" }), &[], "/o/acme/settings");
        check(json!({ "topic": "exception-expired" }), &["qa"], "/o/acme/exceptions");
        check(json!({ "not_told": 3 }), &[], "/o/acme/notifications");
        check(
            json!({ "rule": "a", "count": 12 }),
            &["production"],
            "/o/acme/environments/production",
        );
        check(Json::Null, &[], "/o/acme");
    }

    #[test]
    fn every_topic_leads_to_a_page() {
        for topic in model::Topic::ALL {
            let detail = json!({ "topic": topic.id, "about": "it" });
            let message = Message { organisation: "acme".to_owned(), detail, ..Message::default() };
            assert!(is_a_page(&page(&message)), "{}", topic.id);
        }
    }

    /// Is there a page whose path has these parts, or names in their place?
    fn is_a_page(path: &str) -> bool {
        dashboard::ALL.iter().any(|it| {
            let (its, ours) = (it.path.split('/'), path.split('/'));
            its.clone().count() == ours.clone().count()
                && its.zip(ours).all(|(its, ours)| its.starts_with('{') || its == ours)
        })
    }
}
