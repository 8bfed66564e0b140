//! Receivers that hang, redirect, answer with an error, answer nothing, or too much.

use std::time::{Duration, Instant};

use testkit::{Fault, ReceiverStandIn, Receives};

use super::{connected, message, party, say, shown, ways_of};

fn status(status: u16, body: &str) -> Fault {
    Fault::Status(status, Vec::new(), body.to_owned())
}

async fn check(kind: &str, fault: Fault, expect: &str) {
    let stand_in = ReceiverStandIn::start(match kind {
        "slack" => Receives::Slack,
        "teams" => Receives::Teams,
        _ => Receives::Anything,
    });
    stand_in.plan(fault.clone());
    let party = party(kind, &[("url", &stand_in.url())]);
    let told = shown(&say(&*party, &message()).await);
    let told = told.replace(&stand_in.host(), "HOST");
    assert_eq!(told, expect, "{kind} {fault:?}");
    assert_eq!(stand_in.heard().len(), 1, "it is asked once");
}

#[tokio::test]
async fn slack() {
    for (fault, expect) in [
        (status(200, "ok"), "told: HOST answered 200"),
        (status(200, "ok\n"), "told: HOST answered 200"),
        (status(200, "{\"success\":true}"), "told: HOST answered 200"),
        (
            status(200, "{\"success\":false}"),
            "later: HOST: it answered 200 `{\"success\":false}`, not `ok`",
        ),
        (status(200, "okay"), "later: HOST: it answered 200 `okay`, not `ok`"),
        (status(200, ""), "later: HOST: it answered 200 ``, not `ok`"),
        (status(204, ""), "later: HOST: it answered 204 ``, not `ok`"),
        (status(200, "no_service"), "close: HOST: it answered 200: no_service"),
        (status(200, "invalid_payload"), "drop: HOST: it answered 200: invalid_payload"),
        (status(400, "invalid_payload"), "drop: HOST: it answered 400: invalid_payload"),
        (status(400, "no_text"), "drop: HOST: it answered 400: no_text"),
        (status(400, "user_not_found"), "close: HOST: it answered 400: user_not_found"),
        (status(403, "action_prohibited"), "close: HOST: it answered 403: action_prohibited"),
        (status(403, "invalid_token"), "close: HOST: it answered 403: invalid_token"),
        (status(404, "no_service"), "close: HOST: it answered 404: no_service"),
        (status(404, "channel_not_found"), "close: HOST: it answered 404: channel_not_found"),
        (status(410, "channel_is_archived"), "close: HOST: it answered 410: channel_is_archived"),
        (status(500, "rollup_error"), "later: HOST: it answered 500: rollup_error"),
        (status(503, ""), "later: HOST: it answered 503"),
        (Fault::retry_after(429, "30"), "in 30 s: HOST: it answered 429"),
        (Fault::status(429), "later: HOST: it answered 429"),
        (Fault::retry_after(503, "5"), "in 5 s: HOST: it answered 503"),
        (
            Fault::Lengthen(100_000),
            "later: HOST: its answer broke off, so nobody knows whether it heard",
        ),
        (
            Fault::BreakAfter(1),
            "later: HOST: its answer broke off, so nobody knows whether it heard",
        ),
    ] {
        check("slack", fault, expect).await;
    }
}

#[tokio::test]
async fn teams() {
    for (fault, expect) in [
        (status(202, ""), "told: HOST answered 202"),
        (status(200, ""), "told: HOST answered 200"),
        (status(200, "1"), "told: HOST answered 200"),
        (
            status(
                200,
                "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429",
            ),
            "later: HOST: it answered 200, and an error: Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429",
        ),
        (
            status(200, "Microsoft Teams endpoint returned HTTP error 413 with"),
            "drop: HOST: it answered 200, and an error: Microsoft Teams endpoint returned HTTP error 413 with",
        ),
        (
            status(200, "Microsoft Teams endpoint returned HTTP error 410 with"),
            "close: HOST: it answered 200, and an error: Microsoft Teams endpoint returned HTTP error 410 with",
        ),
        (status(200, "what"), "later: HOST: it answered 200, and an error: what"),
        (status(400, "bad"), "drop: HOST: it answered 400: bad"),
        (status(413, ""), "drop: HOST: it answered 413"),
        (status(401, ""), "close: HOST: it answered 401"),
        (status(403, ""), "close at last: HOST: it answered 403"),
        (status(404, ""), "close: HOST: it answered 404"),
        (Fault::retry_after(429, "7"), "in 7 s: HOST: it answered 429"),
        (status(502, ""), "later: HOST: it answered 502"),
    ] {
        check("teams", fault, expect).await;
    }
}

#[tokio::test]
async fn webhook() {
    for (fault, expect) in [
        (status(200, "whatever"), "told: HOST answered 200"),
        (status(204, ""), "told: HOST answered 204"),
        // It said that it was taken, and then it broke off, or went on and on.
        (Fault::Lengthen(10 << 20), "told: HOST answered 200"),
        (status(400, "bad"), "drop: HOST: it answered 400: bad"),
        (status(410, ""), "close: HOST: it answered 410"),
        (Fault::retry_after(503, "60"), "in 60 s: HOST: it answered 503"),
        (status(504, ""), "later: HOST: it answered 504"),
        (status(600, ""), "later: HOST: it answered 600"),
    ] {
        check("webhook", fault, expect).await;
    }
}

/// Wherever a redirect leads, nobody goes there, and its address is not told.
#[tokio::test]
async fn redirects_lead_nowhere() {
    for kind in ["slack", "teams", "webhook"] {
        let elsewhere = ReceiverStandIn::start(Receives::Anything);
        for (target, to_be_shown) in [
            (elsewhere.url(), "127.0.0.1"),
            ("http://169.254.169.254/latest/meta-data/s3cret".to_owned(), "169.254.169.254"),
            ("http://10.0.0.1/".to_owned(), "10.0.0.1"),
        ] {
            for (status, remedy) in
                [(301, "close"), (302, "later"), (303, "later"), (307, "later"), (308, "close")]
            {
                let stand_in = ReceiverStandIn::start(Receives::Anything);
                let headers = vec![("Location".to_owned(), target.clone())];
                stand_in.plan(Fault::Status(status, headers, String::new()));
                let party = party(kind, &[("url", &stand_in.url())]);
                let told = say(&*party, &message()).await;
                let line = shown(&told).replace(&stand_in.host(), "HOST");
                let why = format!("it answered {status}, a redirect, which is not followed");
                assert_eq!(line, format!("{remedy}: HOST: {why}"));
                let hint = told.unwrap_err().hint.unwrap();
                assert!(hint.ends_with(to_be_shown), "{hint}");
            }
        }
        assert!(elsewhere.heard().is_empty(), "{kind}");
    }
}

/// Some say nothing at all, others begin and do not end, others are not there. A machine may be so busy
/// that those who begin come too late, too.
#[tokio::test]
async fn who_hangs_is_left() {
    const LATE: &str = "it does not answer in time";
    let ways = ways_of(Some(&["127.0.0.0/8"]), Duration::from_secs(1));
    let check = async |kind: &str, url: &str, whys: &[&str]| {
        let host = url.split('/').nth(2).unwrap();
        let party = connected(kind, &[("url", url)], &ways).unwrap_or_else(|why| panic!("{why}"));
        let begun = Instant::now();
        let told = shown(&say(&*party, &message()).await);
        // That is when it would be left if nobody had less patience.
        assert!(begun.elapsed() < Duration::from_secs(30), "{kind} {url}");
        let why =
            told.strip_prefix(&format!("later: {host}: ")).unwrap_or_else(|| panic!("{told}"));
        assert!(whys.iter().any(|it| why.starts_with(it)), "{kind}: {told}");
    };
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = silent.local_addr().unwrap();
    for kind in ["slack", "teams", "webhook"] {
        check(kind, &format!("http://{host}/s3cret-path"), &[LATE, "nobody is there"]).await;
    }
    drop(silent);
    for kind in ["slack", "teams", "webhook"] {
        let stand_in = ReceiverStandIn::start(Receives::Slack);
        stand_in.plan(Fault::HangUp);
        check(kind, &stand_in.url(), &[""]).await;
    }
    let stand_in = ReceiverStandIn::start(Receives::Slack);
    stand_in.plan(Fault::StallAfter(1));
    check("slack", &stand_in.url(), &["its answer broke off", LATE]).await;
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/s3cret-path", listener.local_addr().unwrap())
    };
    check("slack", &gone, &[""]).await;
}
