//! What each party's webhooks are read as, and what is answered.

use std::fmt::Write as _;

use model::Secret;

use super::{Request, connected, now, request, secrets};
use crate::{Notice, Received, Secrets, find, receive};

fn shown(event: &Notice) -> String {
    let Notice {
        action,
        registry,
        repository,
        tag,
        digest,
        media_type,
        at,
        is_unique,
        is_signed,
        ..
    } = event;
    let mut text = format!("{} {registry}/{repository}", action.as_str());
    if let Some(tag) = tag {
        let _ = write!(text, ":{tag}");
    }
    if let Some(digest) = digest {
        let _ = write!(text, "@{}", digest.short());
    }
    if let Some(at) = at {
        let _ = write!(text, " {at}");
    }
    if let Some(media_type) = media_type {
        let _ = write!(text, " {media_type}");
    }
    text += if *is_unique { " unique" } else { "" };
    text += if *is_signed { " signed" } else { "" };
    text
}

fn told(received: &Received) -> String {
    match received {
        Received::Handshake(answer) => {
            let mut text = format!("{}", answer.status);
            for (name, value) in &answer.headers {
                let _ = write!(text, "\n{name}: {value}");
            }
            format!("{text}\n{}", answer.body)
        }
        Received::Refused(why) => format!("{} {why}", why.status()),
        Received::Heard { heard, .. } => {
            let events = heard.notices.iter().map(shown);
            let gaps = heard.gaps.iter().map(|it| format!("gap: {it}"));
            let ignored = heard.ignored.iter().map(|it| format!("ignored: {it}"));
            events.chain(gaps).chain(ignored).collect::<Vec<_>>().join("\n")
        }
    }
}

fn check_with(told_settings: &[(&str, &str)], kind: &str, request: &Request, expect: &str) {
    let party = connected(find(kind).unwrap(), told_settings);
    let received = receive(party.inbox().unwrap(), &request.delivery(), &secrets(), now());
    assert_eq!(told(&received), expect, "{kind}/{}", request.name);
}

fn check(kind: &str, name: &str, expect: &str) {
    check_with(&[], kind, &request(kind, name), expect);
}

fn body(kind: &str, name: &str, body: &str) -> Request {
    let text = fs_err::read_to_string(super::fixtures().join(kind).join(format!("{name}.http")));
    let text = text.unwrap();
    let head = text.split_once("\n\n").unwrap().0;
    Request::read(name, &format!("{head}\n\n{body}"))
}

#[test]
fn artifactory() {
    let check = |name: &str, expect: &str| check("artifactory", name, expect);
    check(
        "wrapped-pushed",
        "pushed acme.jfrog.example/docker-local/team/frontend:1.0@111111111111 signed",
    );
    check(
        "flat-pushed",
        "pushed acme.jfrog.example/docker-local/library/ubuntu:latest@111111111111",
    );
    check("wrapped-deleted", "deleted acme.jfrog.example/docker-local/app:2@111111111111 signed");
    check("wrapped-promoted", "pushed acme.jfrog.example/docker-local/app:2@111111111111 signed");
    check("artifact-deployed", "pushed acme.jfrog.example/docker-local/app:2@111111111111 signed");
    let layer = format!("ignored: a file that is no manifest: sha256__{}", "1".repeat(64));
    check("artifact-layer", &layer);
    check(
        "artifact-moved",
        "deleted acme.jfrog.example/docker-local/app:2@111111111111 signed\n\
         pushed acme.jfrog.example/docker-local/app:3@111111111111 signed",
    );
    check("artifact-copied", "pushed acme.jfrog.example/docker-local/app:3@111111111111 signed");
    check("artifact-deleted", "deleted acme.jfrog.example/docker-local/app:2@111111111111 signed");
    // What a remote repository has by now is told of its cache.
    check("artifact-cached", "pushed acme.jfrog.example/docker-local/app:2@111111111111 signed");
    check("test-button", "ignored: the repository sample_repo is not watched");
}

#[test]
fn artifactory_layouts() {
    let check = |settings: &[(&str, &str)], expect: &str| {
        let expect = format!("pushed {expect}:1.0@111111111111 signed");
        check_with(settings, "artifactory", &request("artifactory", "wrapped-pushed"), &expect);
    };
    check(&[("subdomain-mode", "true")], "docker-local.acme.jfrog.example/team/frontend");
    check(&[("subdomain-mode", "false")], "acme.jfrog.example/docker-local/team/frontend");
    check(
        &[("layout", "port"), ("registry", "acme.example:8085")],
        "acme.example:8085/team/frontend",
    );
    check(
        &[("template", "acme-{repository}.jfrog.example/{image}")],
        "acme-docker-local.jfrog.example/team/frontend",
    );
    check(&[("virtual-repository", "docker")], "acme.jfrog.example/docker/team/frontend");
}

#[test]
fn artifactory_modes() {
    let (signed, clear) =
        (request("artifactory", "wrapped-pushed"), request("artifactory", "flat-pushed"));
    let wrong = "401 it was not signed with our secret";
    check_with(&[("webhook-mode", "secret")], "artifactory", &signed, wrong);
    check_with(&[("webhook-mode", "signature")], "artifactory", &clear, wrong);
}

#[test]
fn azure() {
    let check = |name: &str, expect: &str| check("azure", name, expect);
    let manifest = "application/vnd.docker.distribution.manifest.v2+json";
    check(
        "event-grid-pushed",
        &format!(
            "pushed acme.azurecr.io/team/app:1.0@111111111111 2026-11-21T10:00:00.654321Z {manifest} unique"
        ),
    );
    check(
        "event-grid-deleted",
        &format!(
            "deleted acme.azurecr.io/team/app@111111111111 2026-11-21T10:00:01Z {manifest} unique"
        ),
    );
    check("event-grid-chart", "ignored: Microsoft.ContainerRegistry.ChartPushed");
    check(
        "cloud-events-pushed",
        "pushed acme.azurecr.io/team/app:1.0@111111111111 2026-11-21T10:00:00Z \
         application/vnd.oci.image.index.v1+json unique",
    );
    check(
        "native-push",
        &format!(
            "pushed acme.azurecr.io/team/app:v1@111111111111 2026-11-21T10:00:00.520000Z {manifest} unique"
        ),
    );
    check("native-ping", "ignored: ping");
    check("native-quarantine", "ignored: quarantine");
    check("native-chart-push", "ignored: chart_push");
    check("native-chart-delete", "ignored: chart_delete");
    let later = format!("2026-11-21T10:00:01Z {manifest} unique");
    let gone = format!("deleted acme.azurecr.io/team/app@111111111111 {later}");
    check("native-delete", &gone);
    let there = later.replace(":01Z", ":00Z");
    let pushed = format!("pushed acme.azurecr.io/team/app:1.0@111111111111 {there}\n{gone}");
    check("cloud-events-batch", &pushed);
    check("event-grid-chart-deleted", "ignored: Microsoft.ContainerRegistry.ChartDeleted");
    check("event-grid-unsubscribed", "ignored: Microsoft.EventGrid.SubscriptionDeletedEvent");
}

#[test]
fn azure_shakes_hands() {
    check(
        "azure",
        "event-grid-validation",
        "200\ncontent-type: application/json\n\
         {\"validationResponse\":\"c6a53877-7733-4bdb-9721-0dff076ce2ef\"}",
    );
    check(
        "azure",
        "cloud-events-options",
        "200\nallow: POST, OPTIONS\nwebhook-allowed-origin: eventgrid.azure.net\n\
         webhook-allowed-rate: 120\n",
    );
    // Not with whoever shows a wrong secret,
    let mut wrong = request("azure", "event-grid-validation");
    wrong.headers.insert("authorization", "Bearer x".parse().unwrap());
    check_with(&[], "azure", &wrong, "401 it was not signed with our secret");
    // nor in the midst of other events.
    let mut among = request("azure", "event-grid-validation");
    let one = String::from_utf8(among.body.clone()).unwrap();
    among.body = format!("{},{}", one.trim_end_matches(']'), &one[1..]).into_bytes();
    check_with(&[], "azure", &among, "401 it does not say who sends it");
}

#[test]
fn azure_knows_its_registry() {
    let other = body(
        "azure",
        "event-grid-pushed",
        r#"[{"id":"1","topic":"/x/registries/evil","eventType":"Microsoft.ContainerRegistry.ImagePushed","data":{"action":"push","target":{"repository":"a","tag":"1"},"request":{"host":"evil.azurecr.io"}}}]"#,
    );
    check_with(&[], "azure", &other, "gap: [0]: it is about another registry than acme.azurecr.io");
}

#[test]
fn distribution() {
    let manifest = "application/vnd.docker.distribution.manifest.v2+json";
    check(
        "distribution",
        "v1",
        &format!(
            "pushed registry.example:5000/team/app:1.0@111111111111 2026-11-21T10:00:01Z {manifest} unique\n\
             ignored: a blob"
        ),
    );
    check(
        "distribution",
        "v2",
        "deleted registry.example:5000/team/app@111111111111 2026-11-21T10:00:00Z unique\n\
         deleted registry.example:5000/team/app:1.0 2026-11-21T10:00:00Z unique\n\
         pushed registry.example:5000/team/app:2@111111111111 2026-11-21T10:00:00Z \
         application/vnd.oci.image.index.v1+json unique\n\
         ignored: pull\nignored: mount",
    );
    let mut later = request("distribution", "v2");
    let kind = "application/vnd.docker.distribution.events.v9+json";
    later.headers.insert("content-type", kind.parse().unwrap());
    let gap = format!("gap: content-type: `{kind}` is no notification that we know");
    check_with(&[], "distribution", &later, &gap);
}

#[test]
fn harbor() {
    let check = |name: &str, expect: &str| check("harbor", name, expect);
    let time = "2026-11-21T10:00:00Z unique";
    check("default-pushed", &format!("pushed harbor.example/team/app:1.0@111111111111 {time}"));
    check("default-untagged", &format!("pushed harbor.example/team/app@111111111111 {time}"));
    check("default-deleted", &format!("deleted harbor.example/team/app:1.0@111111111111 {time}"));
    check(
        "cloud-events-pushed",
        &format!("pushed harbor.example/team/app:1.0@111111111111 {time}"),
    );
    check("default-scanned", "ignored: SCANNING_COMPLETED");
    check("default-pulled", "ignored: PULL_ARTIFACT");
    check(
        "cloud-events-deleted",
        &format!("deleted harbor.example/team/app:1.0@111111111111 {time}"),
    );
    // Where its whole name is missing, its parts are there.
    let parts = r#"{"type":"PUSH_ARTIFACT","event_data":{"resources":[{"tag":"1"}],"repository":{"name":"app","namespace":"team"}}}"#;
    let request = body("harbor", "default-pushed", parts);
    check_with(&[], "harbor", &request, "pushed harbor.example/team/app:1");
}

#[test]
fn nexus() {
    let check = |name: &str, expect: &str| check("nexus", name, expect);
    let time = "2026-11-21T10:00:00.001000Z unique signed";
    check("component-created", &format!("pushed nexus.example:8082/team/app:1.0 {time}"));
    check("component-updated", &format!("retagged nexus.example:8082/team/app:1.0 {time}"));
    check("asset-deleted", &format!("deleted nexus.example:8082/team/app:1.0 {time}"));
    check("asset-blob", "ignored: an asset that is no manifest");
    check("npm", "ignored: format npm");
}

/// It signs its JSON without white space, even where it sends it with some.
#[test]
fn nexus_may_send_white_space() {
    let mut request = request("nexus", "component-created");
    let text = String::from_utf8(request.body.clone()).unwrap();
    request.body = text.replace("\",\"", "\",\n  \"").into_bytes();
    check_with(
        &[],
        "nexus",
        &request,
        "pushed nexus.example:8082/team/app:1.0 2026-11-21T10:00:00.001000Z unique signed",
    );
}

#[test]
fn what_was_signed_long_ago_is_a_replay() {
    let party = connected(find("nexus").unwrap(), &[]);
    let request = request("nexus", "component-created");
    let at = |now: &str, secrets: &Secrets| {
        told(&receive(party.inbox().unwrap(), &request.delivery(), secrets, now.parse().unwrap()))
    };
    let stale = "401 it was signed at another time than now";
    assert!(at("2026-11-22T09:59:00Z", &secrets()).starts_with("pushed"));
    assert_eq!(at("2026-11-22T10:01:00Z", &secrets()), stale);
    assert_eq!(at("2026-11-21T09:49:00Z", &secrets()), stale);
    // Without a secret the time is anybody's word.
    assert!(at("2036-11-21T10:00:00Z", &Secrets::default()).starts_with("pushed"));
}

#[test]
fn refusals() {
    let party = connected(find("harbor").unwrap(), &[]);
    let inbox = party.inbox().unwrap();
    let check = |request: &Request, secrets: &Secrets, expect: &str| {
        assert_eq!(told(&receive(inbox, &request.delivery(), secrets, now())), expect);
    };
    let mut large = request("harbor", "default-pushed");
    large.body = vec![b'['; 10 << 20];
    check(&large, &secrets(), "413 its body is too long");
    let mut get = request("harbor", "default-pushed");
    get.method = http::Method::GET;
    check(&get, &secrets(), "405 it is no POST");
    let mut twice = request("harbor", "default-pushed");
    twice.headers.append("authorization", super::SECRET.parse().unwrap());
    check(&twice, &secrets(), "401 it does not say who sends it");
    let other = Secrets::new(Some(Secret::new("x")), None);
    check(&request("harbor", "default-pushed"), &other, "401 it was not signed with our secret");
}

#[test]
fn what_cannot_be_read_is_a_gap() {
    let check = |kind: &str, name: &str, text: &str, expect: &str| {
        check_with(&[], kind, &body(kind, name, text), expect);
    };
    check("harbor", "default-pushed", "{", "gap: body: it is no JSON: at line 1, column 1");
    check("harbor", "default-pushed", "{}", "gap: body: it does not say what happened");
    check(
        "harbor",
        "default-pushed",
        r#"{"type":"PUSH_ARTIFACT","event_data":{"resources":[{"tag":"a b"},{"tag":"1","digest":"sha256:x"},{}],"repository":{"repo_full_name":"t/a"}}}"#,
        "pushed harbor.example/t/a:1\ngap: body: `a b` is no tag\n\
         gap: body: `sha256:x` is no digest\ngap: body: it names neither a tag nor a digest",
    );
    check(
        "distribution",
        "v1",
        r#"{"events":[{"action":"push","target":{"repository":"../a","tag":"1"}},{"action":"eat"},{}]}"#,
        "gap: events[0]: `../a` is no repository\n\
         gap: events[1]: nobody knows what `eat` is\ngap: events[2]: it does not say what happened",
    );
    check("azure", "native-push", "[]", "");
    check(
        "azure",
        "native-push",
        r#"{"action":"push","target":{"repository":"a","tag":"1","digest":7},"timestamp":"soon"}"#,
        "pushed acme.azurecr.io/a:1\ngap: body: `soon` is no time",
    );
    check(
        "nexus",
        "npm",
        r#"{"component":{"format":"docker"},"action":"CREATED"}"#,
        "gap: body: it does not say which image",
    );
    check(
        "artifactory",
        "flat-pushed",
        r#"{"event_type":"pushed","tag":"1"}"#,
        "gap: data: it does not say which repository and path",
    );
}

#[test]
fn a_body_has_only_so_many_events() {
    let one = r#"{"action":"push","id":"I","target":{"repository":"a","tag":"1"}}"#;
    let all: Vec<String> = (0..5_100).map(|number| one.replace('I', &number.to_string())).collect();
    let party = connected(find("azure").unwrap(), &[]);
    let received = |count: usize| {
        let request = body("azure", "native-push", &format!("[{}]", all[..count].join(",")));
        receive(party.inbox().unwrap(), &request.delivery(), &secrets(), now())
    };
    let Received::Heard { heard, .. } = received(5_000) else { panic!("it is not taken") };
    assert_eq!((heard.notices.len(), heard.gaps.len()), (5_000, 0));
    // All of it or nothing: what is not taken is its sender's still.
    assert_eq!(told(&received(5_001)), "413 it has more events than are taken at once");
}

/// Ten thousand deliveries, some twice, in no order: exactly the right set comes of them.
#[test]
fn a_burst_is_read_to_the_right_set() {
    let text = r#"[{"id":"%","topic":"/registries/acme","eventType":"Microsoft.ContainerRegistry.ImagePushed","eventTime":"2026-11-21T10:00:00Z","data":{"target":{"repository":"team/app","tag":"v%"}}}]"#;
    let party = connected(find("azure").unwrap(), &[]);
    let began = std::time::Instant::now();
    let mut ids = std::collections::BTreeSet::new();
    let mut tags = std::collections::BTreeSet::new();
    for number in 0..10_000_u32 {
        // A prime step wanders over all; the last third tells again what was told.
        let number = number.wrapping_mul(7_919) % 6_667;
        let request = body("azure", "event-grid-pushed", &text.replace('%', &number.to_string()));
        let Received::Heard { heard, .. } =
            receive(party.inbox().unwrap(), &request.delivery(), &secrets(), now())
        else {
            panic!("it is not taken");
        };
        assert_eq!((heard.notices.len(), heard.gaps.len()), (1, 0));
        for notice in heard.notices {
            assert!(notice.is_unique);
            ids.insert(notice.id);
            tags.extend(notice.tag);
        }
    }
    println!("10000 deliveries read in {:?}", began.elapsed());
    assert_eq!((ids.len(), tags.len()), (6_667, 6_667));
}
