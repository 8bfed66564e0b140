//! What receivers are told, and that they take it.

use serde_json::{Value, json};
use testkit::{Hook, ReceiverStandIn, Receives};

use super::{huge, message, party, say, shown};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

fn body(hook: &Hook) -> Value {
    serde_json::from_slice(&hook.body).unwrap()
}

fn header<'a>(hook: &'a Hook, name: &str) -> Option<&'a str> {
    hook.headers.iter().find(|it| it.0 == name).map(|it| it.1.as_str())
}

#[tokio::test]
async fn each_takes_what_it_is_told() {
    for (kind, receives) in [
        ("slack", Receives::Slack),
        ("teams", Receives::Teams),
        ("webhook", Receives::Webhook(SECRET.to_owned())),
    ] {
        let stand_in = ReceiverStandIn::start(receives);
        let url = stand_in.url();
        let mut settings = vec![("url", url.as_str())];
        if kind == "webhook" {
            settings.push(("secret", SECRET));
        }
        let party = party(kind, &settings);
        for (message, what) in [(message(), "one"), (huge(), "ten thousand")] {
            let told = say(&*party, &message).await;
            assert!(told.is_ok(), "{kind}, {what}: {} {:?}", shown(&told), stand_in.complaints());
        }
        assert_eq!(stand_in.complaints(), [""; 0], "{kind}");
        let heard = stand_in.heard();
        let said = |at: usize| String::from_utf8(heard[at].body.clone()).unwrap();
        for word in
            ["CVE-2021-44228 (critical)", "production", "team/app:1", "log4j-core 2.17.1", "acme"]
        {
            assert!(said(0).contains(word), "{kind} does not say {word}: {}", said(0));
        }
        assert!(!said(0).contains("more"), "{kind}: {}", said(0));
        assert!(said(1).contains(" more"), "{kind}: {}", said(1));
        let agent = header(&heard[0], "user-agent").unwrap();
        assert!(agent.starts_with("foretop/"), "{agent}");
    }
}

#[tokio::test]
async fn slack_is_told_in_blocks_and_in_text() {
    let stand_in = ReceiverStandIn::start(Receives::Slack);
    let party = party("slack", &[("url", &stand_in.url())]);
    say(&*party, &message()).await.unwrap();
    let body = body(&stand_in.heard()[0]);
    assert_eq!(
        body["text"],
        "*CVE-2021-44228 (critical) runs in production*\n\
         It is exploited &lt;&amp; known&gt; since yesterday.\n\
         *Runs in*\nteam/app:1\nteam/web:2\n*Fixed in*\nlog4j-core 2.17.1\n\
         acme · production · 2026-11-21T10:00:00Z\n\
         <https://foretop.example/advisories/CVE-2021-44228?a=1&amp;b=2|Read on>"
    );
    let kinds: Vec<&str> =
        body["blocks"].as_array().unwrap().iter().map(|it| it["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["header", "section", "section", "section", "section", "context"]);

    // Nobody is woken up by a name, and what is copied from a message is what it says.
    let title = "<!channel> @channel @Here -@all npm/@ada/core x@y.example a@sha256:0".to_owned();
    say(&*party, &integration::Message { title, ..message() }).await.unwrap();
    let text = super::shapes::body(&stand_in.heard()[1])["text"].as_str().unwrap().to_owned();
    let expect = "*&lt;!channel&gt; @~channel @~Here -@~all npm/@~ada/core x@y.example a@sha256:0*";
    assert!(text.starts_with(&expect.replace('~', "\u{2060}")), "{text}");
}

#[tokio::test]
async fn a_receiver_of_webhooks_is_told_data_and_the_same_again_has_one_id() {
    let stand_in = ReceiverStandIn::start(Receives::Webhook(SECRET.to_owned()));
    let headers = "X-Key: one\nAuthorization: Bearer two";
    let party =
        party("webhook", &[("url", &stand_in.url()), ("secret", SECRET), ("headers", headers)]);
    say(&*party, &message()).await.unwrap();
    say(&*party, &message()).await.unwrap();
    let heard = stand_in.heard();
    assert_eq!(header(&heard[0], "webhook-id"), Some("0193-key"));
    assert_eq!(header(&heard[1], "webhook-id"), Some("0193-key"));
    assert_eq!(header(&heard[0], "x-key"), Some("one"));
    assert_eq!(header(&heard[0], "authorization"), Some("Bearer two"));
    let body = body(&heard[0]);
    assert_eq!(body["type"], "finding-new");
    assert_eq!(body["timestamp"], "2026-11-21T10:00:00Z");
    let data: integration::Message = serde_json::from_value(body["data"].clone()).unwrap();
    assert_eq!(data, message());
}

#[tokio::test]
async fn templates_say_what_they_are_to_say() {
    let check = async |kind: &str, more: &[(&str, &str)], receives: Receives, expect: Value| {
        let stand_in = ReceiverStandIn::start(receives);
        let url = stand_in.url();
        let mut settings = vec![("url", url.as_str())];
        settings.extend(more);
        let party = party(kind, &settings);
        let told = say(&*party, &message()).await;
        assert!(told.is_ok(), "{kind}: {} {:?}", shown(&told), stand_in.complaints());
        let heard = stand_in.heard();
        let found: Value = serde_json::from_slice(&heard[0].body)
            .unwrap_or_else(|_| String::from_utf8_lossy(&heard[0].body).into());
        assert_eq!(found, expect, "{kind}");
    };
    let template = ("template", "{{ title }} in *{{ environments|join }}*: {{ text }}");
    let title = "CVE-2021-44228 (critical) runs in production";
    let text =
        format!("{title} in *production*: It is exploited &lt;&amp; known&gt; since yesterday.");
    check("slack", &[template], Receives::Slack, json!({ "text": text })).await;
    let pager = "{\"routing_key\": {{ token }}, \"event_action\": \"trigger\",\n\
                 \"payload\": {\"summary\": {{ title|truncate(1024) }}, \"source\": {{ organisation }},\n\
                 \"severity\": {{ severity|map(critical=\"critical\", high=\"error\", other=\"warning\") }}}}";
    let payload = json!({ "summary": title, "source": "acme", "severity": "critical" });
    let expect =
        json!({ "routing_key": "r0ut1ng-k3y", "event_action": "trigger", "payload": payload });
    check("webhook", &[("body", pager), ("token", "r0ut1ng-k3y")], Receives::Anything, expect)
        .await;
    let plain = [("body", "{{ title }}"), ("body-type", "text")];
    check("webhook", &plain, Receives::Anything, json!(title)).await;
}

/// A template may fail at what it was not tried with. Then what we say ourselves is said, and why.
#[tokio::test]
async fn a_template_that_fails_loses_no_message() {
    for (kind, receives) in [("slack", Receives::Slack), ("teams", Receives::Teams)] {
        let stand_in = ReceiverStandIn::start(receives);
        let party = party(
            kind,
            &[
                ("url", &stand_in.url()),
                ("template", "{% if facts_more %}{{ facts[99].name }}{% else %}well{% endif %}"),
            ],
        );
        say(&*party, &huge()).await.unwrap();
        let said = String::from_utf8(stand_in.heard()[0].body.clone()).unwrap();
        assert!(said.contains("CVE-2021-44228") && said.contains("the template fails"), "{said}");
    }
    let stand_in = ReceiverStandIn::start(Receives::Webhook(String::new()));
    let body = "{% if facts_more %}{{ facts[99].name }}{% else %}\"well\"{% endif %}";
    let party = party("webhook", &[("url", &stand_in.url()), ("body", body)]);
    say(&*party, &huge()).await.unwrap();
    let said = super::shapes::body(&stand_in.heard()[0]);
    assert_eq!(said["fault"], "the template fails: undefined value in line 1");
    // A receiver that wants its own shape and nothing else is not told another time and again.
    stand_in.plan(testkit::Fault::status(400));
    let why = say(&*party, &huge()).await.unwrap_err();
    assert_eq!(why.remedy, integration::Remedy::Close);
    assert!(why.why.contains("the template fails"), "{}", why.why);
}
