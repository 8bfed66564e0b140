//! Laws that everybody who tells something keeps.

use std::sync::OnceLock;

use integration::{ALL, Fact, Kind, Message, Remedy, Role};
use proptest::prelude::*;
use testkit::{Fault, MailServer, MailTls, ReceiverStandIn, Receives};
use tokio::runtime::Runtime;

use super::{connected, message, party, say, ways};

const SIGNING: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

fn notifiers() -> impl Iterator<Item = &'static Kind> {
    ALL.iter().copied().filter(|it| it.role == Role::Notifier)
}

/// Whom each tells.
enum There {
    Posted(ReceiverStandIn),
    Mailed(MailServer),
}

fn there(kind: &Kind) -> Option<There> {
    Some(match kind.id {
        "slack" => There::Posted(ReceiverStandIn::start(Receives::Slack)),
        "teams" => There::Posted(ReceiverStandIn::start(Receives::Teams)),
        "webhook" => There::Posted(ReceiverStandIn::start(Receives::Webhook(SIGNING.to_owned()))),
        "email" => There::Mailed(MailServer::start(MailTls::Never)?),
        other => panic!("who stands in for a receiver of {other}?"),
    })
}

fn settings(kind: &Kind, there: &There) -> Vec<(&'static str, String)> {
    match there {
        There::Posted(stand_in) => {
            let mut all = vec![("url", stand_in.url())];
            if kind.id == "webhook" {
                all.push(("secret", SIGNING.to_owned()));
                all.push(("headers", "x-key: h34der-s3cret".to_owned()));
                all.push(("token", "t0ken-s3cret".to_owned()));
            }
            all
        }
        There::Mailed(server) => vec![
            ("host", "127.0.0.1".to_owned()),
            ("port", server.port().to_string()),
            ("tls", "none".to_owned()),
            ("from", "foretop@acme.example".to_owned()),
            ("to", "ada@acme.example".to_owned()),
        ],
    }
}

fn borrowed<'a>(all: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    all.iter().map(|(key, value)| (*key, value.as_str())).collect()
}

#[tokio::test]
async fn each_says_whom_it_tells_and_can_be_tried_without_telling() {
    for kind in notifiers() {
        let Some(there) = there(kind) else { continue };
        let all = settings(kind, &there);
        let party = party(kind.id, &borrowed(&all));
        let notifier = party.notifier().unwrap();
        assert!(notifier.receiver().starts_with("127.0.0.1"), "{}", notifier.receiver());
        let checks = notifier.checks().await;
        assert!(!checks.is_empty(), "{}", kind.id);
        assert!(!checks.iter().any(integration::Check::is_failure), "{} {checks:?}", kind.id);
        match there {
            There::Posted(stand_in) => assert!(stand_in.heard().is_empty()),
            There::Mailed(server) => assert!(server.letters(0).is_empty()),
        }
        assert!(
            party.directory().is_none() && party.inbox().is_none() && party.runtime().is_none()
        );
    }
}

/// Whoever answers quotes what was sent: the address, the headers, the body. None of it comes back.
#[tokio::test]
async fn secrets_stand_in_no_error() {
    for kind in notifiers() {
        let Some(There::Posted(stand_in)) = there(kind) else { continue };
        let all = settings(kind, &There::Posted(ReceiverStandIn::start(Receives::Anything)));
        let mut all: Vec<_> = all.into_iter().filter(|it| it.0 != "url").collect();
        all.push(("url", format!("{}?sig=qu3ry-s3cret", stand_in.url())));
        let party = party(kind.id, &borrowed(&all));
        let mut echo = format!(
            "{}?sig=qu3ry-s3cret /services/{} B0S3CRET0",
            stand_in.url(),
            ReceiverStandIn::SECRET
        );
        if kind.id == "webhook" {
            echo = format!("{echo} h34der-s3cret t0ken-s3cret {SIGNING}");
        }
        for status in [200, 301, 302, 400, 403, 404, 410, 429, 500] {
            let headers = vec![("Location".to_owned(), echo.replace(' ', "/"))];
            stand_in.plan(Fault::Status(status, headers, echo.clone()));
            let Err(untold) = say(&*party, &message()).await else {
                assert_eq!((kind.id, status), ("webhook", 200));
                continue;
            };
            let said = format!("{untold:?}").to_lowercase();
            assert!(!said.contains("s3cret"), "{} {status}: {said}", kind.id);
            assert!(said.contains("127.0.0.1"), "{said}");
        }
    }
    for (kind, key, value) in [
        ("webhook", "secret", "no base64 s3cret"),
        ("webhook", "headers", "s3cret"),
        ("webhook", "body", "{{ token|s3cret_is_no_secret }}"),
    ] {
        let error =
            connected(kind, &[("url", "http://127.0.0.1:1/s3cret-path"), (key, value)], &ways());
        let error = error.err().unwrap();
        assert!(!error.to_string().contains("s3cret") || key == "body", "{error}");
    }
}

/// Wherever what is quoted is cut, no piece of a secret is left of it.
#[tokio::test]
async fn no_secret_is_cut_open() {
    for kind in notifiers() {
        let Some(there) = there(kind) else { continue };
        let party = party(kind.id, &borrowed(&settings(kind, &there)));
        let There::Posted(stand_in) = there else { continue };
        let url = stand_in.url();
        for before in 0..110 {
            for status in [200, 400, 500] {
                let echo = format!("{} {url}", "x".repeat(before));
                stand_in.plan(Fault::Status(status, Vec::new(), echo));
                let Err(untold) = say(&*party, &message()).await else { continue };
                let said = format!("{untold:?}");
                for piece in ReceiverStandIn::SECRET.as_bytes().windows(4) {
                    let piece = std::str::from_utf8(piece).unwrap();
                    assert!(!said.contains(piece), "{} {status}, {before}: {said}", kind.id);
                }
            }
        }
    }
}

/// Anything that somebody may put into a name: nothing seen, turned around, far too long, or code.
fn junk() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,40}",
        "[\u{0}-\u{1f}\u{7f}-\u{9f}\u{200b}-\u{202e}\u{2066}-\u{2069}\u{feff}a<>&|*_`\\\\\"'{}\\[\\]@:/ \r\n]{0,60}",
        Just(String::new()),
        Just("x".repeat(100_000)),
        Just("\u{202e}\u{1f98a}\"\\<&>\n".repeat(5_000)),
        Just("<!channel> @here {{ title }} [a](javascript:b) =cmd|' /C calc'!A0".to_owned()),
    ]
}

fn messages() -> impl Strategy<Value = Message> {
    let fact = (junk(), prop::collection::vec(junk(), 0..5));
    let fact = fact.prop_map(|(name, lines)| Fact { name, lines });
    let lists = (prop::collection::vec(fact, 0..30), prop::collection::vec(junk(), 0..10));
    let texts = (junk(), junk(), junk(), junk(), junk(), prop::option::of(junk()));
    let url = prop::option::of(prop_oneof![
        junk(),
        junk().prop_map(|it| format!("https://a.example/{it}")),
        Just(format!("https://a.example/?{}", "&".repeat(900))),
    ]);
    (texts, lists, url).prop_map(|(texts, (facts, environments), url)| {
        let (kind, title, text, organisation, at, severity) = texts;
        // What is told of has a kind and a title, whatever they are.
        let kind = format!("finding-new{kind}");
        let title = format!("t{title}");
        let at = format!("2026{at}");
        Message {
            kind,
            title,
            text,
            severity,
            facts,
            environments,
            url,
            organisation,
            at,
            ..Message::default()
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 50, ..ProptestConfig::default() })]

    /// Whatever a message says, its receiver takes it: it is in its form and within its limits.
    #[test]
    fn whatever_is_said_is_taken(message in messages()) {
        static THERE: OnceLock<(Runtime, Vec<(&'static Kind, There)>)> = OnceLock::new();
        let (runtime, all) = THERE.get_or_init(|| {
            let all = notifiers().filter_map(|it| Some((it, there(it)?))).collect();
            (Runtime::new().unwrap(), all)
        });
        for (kind, there) in all {
            let all = settings(kind, there);
            let party = party(kind.id, &borrowed(&all));
            let told = runtime.block_on(say(&*party, &message));
            let complaints = match there {
                There::Posted(stand_in) => stand_in.complaints(),
                There::Mailed(_) => Vec::new(),
            };
            prop_assert!(told.is_ok(), "{}: {told:?} {complaints:?}", kind.id);
        }
    }

    /// Whatever is answered, it is taken or it is not, and what is said of it is short and plain.
    #[test]
    fn whatever_is_answered_is_understood(
        status in prop_oneof![200_u16..600, Just(200), Just(202)],
        body in junk(),
        wait in prop::option::of("\\PC{0,20}|[0-9]{1,25}|-1|Sun, 06 Nov 1994 08:49:47 GMT"),
        location in prop::option::of("[!-~]{0,40}"),
    ) {
        static THERE: OnceLock<(Runtime, Vec<(&'static Kind, There)>)> = OnceLock::new();
        let (runtime, all) = THERE.get_or_init(|| {
            let all = notifiers().filter_map(|it| Some((it, there(it)?)));
            let all = all.filter(|it| matches!(it.1, There::Posted(_))).collect();
            (Runtime::new().unwrap(), all)
        });
        for (kind, there) in all {
            let There::Posted(stand_in) = there else { continue };
            let all = settings(kind, there);
            let party = party(kind.id, &borrowed(&all));
            let mut headers = Vec::new();
            headers.extend(wait.iter().map(|it| ("Retry-After".to_owned(), it.clone())));
            headers.extend(location.iter().map(|it| ("Location".to_owned(), it.clone())));
            stand_in.plan(Fault::Status(status, headers, body.clone()));
            if let Err(untold) = runtime.block_on(say(&*party, &message())) {
                let said = format!("{} {}", untold.why, untold.hint.unwrap_or_default());
                prop_assert!(said.len() < 1000 && !said.contains(char::is_control), "{}", said);
                prop_assert!(!said.contains("S3CRET") && said.contains("127.0.0.1"), "{}", said);
                if let Remedy::Later(Some(wait)) = untold.remedy {
                    prop_assert!(wait.as_secs() <= 86_400);
                }
            } else {
                prop_assert!(status < 300, "{} takes {} for a success", kind.id, status);
            }
        }
    }
}
