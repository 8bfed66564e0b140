//! Who is told something: stand-ins for Slack, Teams and receivers of webhooks, and a real mail server.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests")]

mod faults;
mod laws;
mod mail;
mod outgoing;
mod shapes;

use std::sync::Arc;
use std::time::Duration;

use image::Outgoing;
use integration::{Fact, Integration, Message, Remedy, Untold, Ways, find};
use serde_json::json;

/// Longer than anybody who is there takes, on a machine that is busy, too.
const PATIENT: Duration = Duration::from_mins(2);

/// Who may speak to this machine itself.
fn ways() -> Ways {
    ways_of(Some(&["127.0.0.0/8", "localhost"]), PATIENT)
}

fn ways_of(allowed: Option<&[&str]>, stall: Duration) -> Ways {
    let certificate =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../testkit/fixtures/tls/localhost.pem").into();
    let settings = image::Settings {
        stall,
        outgoing: allowed.map(|it| Arc::new(Outgoing::only(it.iter().copied()).unwrap())),
        certificate_authorities: vec![certificate],
        ..image::Settings::default()
    };
    Ways { settings: Arc::new(settings), progress: Arc::new(image::Silent) }
}

fn connected(
    kind: &str,
    settings: &[(&str, &str)],
    ways: &Ways,
) -> Result<Box<dyn Integration>, image::Error> {
    let kind = find(kind).unwrap();
    let given: Vec<_> =
        settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let settled = kind.settle(&given, &|_| None).unwrap();
    (kind.connect)(&settled, ways)
}

fn party(kind: &str, settings: &[(&str, &str)]) -> Box<dyn Integration> {
    connected(kind, settings, &ways()).unwrap_or_else(|why| panic!("{why}"))
}

async fn say(party: &dyn Integration, message: &Message) -> Result<String, Untold> {
    party.notifier().unwrap().say(message, "0193-key").await
}

/// What came of it, in a line.
fn shown(outcome: &Result<String, Untold>) -> String {
    match outcome {
        Ok(answer) => format!("told: {answer}"),
        Err(Untold { why, remedy, .. }) => match remedy {
            Remedy::Later(None) => format!("later: {why}"),
            Remedy::Later(Some(wait)) => format!("in {} s: {why}", wait.as_secs()),
            Remedy::Drop => format!("drop: {why}"),
            Remedy::Close => format!("close: {why}"),
            Remedy::CloseAtLast => format!("close at last: {why}"),
        },
    }
}

/// A message like many.
fn message() -> Message {
    Message {
        kind: "finding-new".to_owned(),
        title: "CVE-2021-44228 (critical) runs in production".to_owned(),
        text: "It is exploited <& known> since yesterday.".to_owned(),
        severity: Some("critical".to_owned()),
        facts: vec![
            Fact {
                name: "Runs in".to_owned(),
                lines: vec!["team/app:1".to_owned(), "team/web:2".to_owned()],
            },
            Fact { name: "Fixed in".to_owned(), lines: vec!["log4j-core 2.17.1".to_owned()] },
        ],
        environments: vec!["production".to_owned()],
        url: Some("https://foretop.example/advisories/CVE-2021-44228?a=1&b=2".to_owned()),
        organisation: "acme".to_owned(),
        at: "2026-11-21T10:00:00Z".to_owned(),
        detail: json!({ "advisory": "CVE-2021-44228" }),
    }
}

/// Ten thousand findings at once.
fn huge() -> Message {
    let line = |at: usize| format!("registry.example/team/\"app\"<{at}>&:1 has it & \\more\\ 🦊");
    Message {
        text: "x & <y> \"z\" \\ 🦊\n".repeat(1000),
        facts: (0..100)
            .map(|fact| Fact {
                name: format!("Fact & {fact}"),
                lines: (0..100).map(|at| line(fact * 100 + at)).collect(),
            })
            .collect(),
        environments: (0..1000).map(|it| format!("environment-{it}")).collect(),
        detail: json!((0..10_000).collect::<Vec<_>>()),
        ..message()
    }
}
