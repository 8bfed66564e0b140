//! `docs/first-alert.md`, typed as it stands: from nothing to a message in a channel, of what is there, of what is
//! deployed and of what is published later; and nobody else hears of it.

use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::{ReceiverStandIn, Receives};

use crate::pages::{page, steps, walk};
use crate::place::Place;
use crate::sandbox::Sandbox;
use crate::serving::Serving;
use crate::story::{npm, service};

/// A critical flaw of a package of npm's, as OSV has it.
fn flaw(id: &str, package: &str) -> String {
    format!(
        r#"{{"schema_version": "1.7.3", "id": "{id}", "summary": "It spills",
  "published": "2026-01-08T20:57:09Z", "modified": "2026-01-11T15:07:45Z",
  "affected": [{{"package": {{"name": "{package}", "ecosystem": "npm"}},
    "ranges": [{{"type": "SEMVER", "events": [{{"introduced": "1.0.0"}}, {{"fixed": "1.4.0"}}]}}]}}],
  "severity": [{{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}]}}"#
    )
}

/// What the channel reads, message by message, once there are so many.
#[track_caller]
fn told(slack: &ReceiverStandIn, count: usize) -> Vec<String> {
    let text = |body: &[u8]| {
        let body: Value = serde_json::from_slice(body).unwrap();
        body["text"].as_str().unwrap().to_owned()
    };
    let begun = Instant::now();
    while slack.heard().len() < count {
        assert!(begun.elapsed() < Duration::from_mins(3), "{} of {count}", slack.heard().len());
        std::thread::sleep(Duration::from_millis(50));
    }
    let heard = slack.heard();
    assert_eq!(slack.complaints(), [] as [&str; 0]);
    heard.iter().map(|it| text(&it.body)).collect()
}

#[test]
fn from_nothing_to_a_message_in_a_channel() {
    let (slack, others) =
        (ReceiverStandIn::start(Receives::Slack), ReceiverStandIn::start(Receives::Slack));
    let house = Sandbox::new().with("FORETOP_LOG", "warn").with("FORETOP_OUTGOING", "127.0.0.1");
    house.file("feeds/osv/npm/GHSA-1.json", flaw("GHSA-aaaa-aaaa-aaaa", "tea-leaves"));
    let built = house.foretop("almanac build --from feeds");
    assert!(built.starts_with("exit 0\n"), "{built}");
    let serving = Serving::start(&house, "--organization acme --workers 1 --rate-limit 0");
    let place = Place::beside(house, serving);
    place.sandbox.file("webhook-url.txt", slack.url());
    for (name, package) in [("acme/web:v1.2", "tea-leaves"), ("acme/jobs:v4", "teapot")] {
        let file = format!("{}.tar", name.replace(['/', ':'], "-"));
        let layer = npm(testkit::layer(), package, "1.2.0");
        place.sandbox.file(&file, service(layer).docker_archive(name));
        place.foretop(&format!("push archive://{file}"));
    }
    // Somebody else, who runs something else and hears of that.
    place.sandbox.file("others.txt", others.url());
    for line in [
        "env create staging",
        "env staging acme/jobs:v4",
        "integration configure slack --name others --parameter url=@others.txt",
        "rule add others --channel slack/others --on new-finding,known-exploited --env staging",
    ] {
        place.foretop(line);
    }
    let steps = steps(&page("docs/first-alert.md"));
    assert!(steps.len() > 6, "{}", steps.len());
    walk(&place, "first-alert.md", &steps, str::to_owned);
    let heard = told(&slack, 2);
    assert!(heard[0].contains("This is a test of Foretop"), "{heard:?}");
    assert!(heard[1].contains("the check critical "), "{heard:?}");
    assert!(heard[1].contains(" in production"), "{heard:?}");
    // An advisory comes out about what runs there, and another about what runs elsewhere.
    place.house.file("feeds/osv/npm/GHSA-2.json", flaw("GHSA-bbbb-bbbb-bbbb", "tea-leaves"));
    place.house.file("feeds/osv/npm/GHSA-3.json", flaw("GHSA-cccc-cccc-cccc", "teapot"));
    let built = place.house.foretop("almanac build --from feeds");
    assert!(built.starts_with("exit 0\n"), "{built}");
    let (heard, elsewhere) = (told(&slack, 3), told(&others, 1));
    for word in ["GHSA-bbbb-bbbb-bbbb", "tea-leaves", "production", "1.4.0"] {
        assert!(heard[2].contains(word), "{word}: {heard:?}");
    }
    assert!(elsewhere[0].contains("GHSA-cccc-cccc-cccc"), "{elsewhere:?}");
    assert_eq!((heard.len(), elsewhere.len()), (3, 1), "nobody is told what is not theirs");
    let (code, said) = place.shell("foretop rule add more --channel slack --on all");
    assert!(code == 1 && said.contains("hint: there are: slack others, slack security"), "{said}");
}
