//! Telling: how long it takes, and how much memory, where as much happens at once as a new almanac
//! changes for 100 000 images.

use std::time::Instant;

use model::EventKind;
use serde_json::json;
use store::NewEvent;

use super::{House, digest};
use crate::jobs;

/// As many as `bench` reaches: changes, each in the environments where it runs.
const EVENTS: usize = 44_254;
const FLAWS: usize = 1_948;

/// The most that this process held so far, in MiB, where the system tells.
fn peak() -> Option<u64> {
    let status = fs_err::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"))?;
    Some(line.trim().split(' ').next()?.parse::<u64>().ok()? / 1024)
}

fn event(number: usize) -> NewEvent {
    let level = ["critical", "high", "medium", "low"][number % 4];
    let purls: Vec<String> = (0..3).map(|it| format!("pkg:npm/package{number}@1.{it}.0")).collect();
    let digests: Vec<String> =
        (0..20_usize).map(|it| digest(u8::try_from((number + it) % 250).unwrap())).collect();
    NewEvent {
        kind: [EventKind::FindingNew, EventKind::FindingFixAvailable][number % 2],
        environment: Some(format!("environment {}", number / FLAWS)),
        about: format!("CVE-2026-{:05}", number % FLAWS),
        detail: json!({
            "aliases": [format!("GHSA-{number}")], "space": "npm", "name": format!("package{number}"),
            "version": "1.0.0", "packages": 3, "purls": purls, "images": 400, "digests": digests,
            "before": null, "after": { "severity": level, "fixed": "2.0.0", "exploited": false },
            "former": "sha256:a", "almanac": "sha256:b",
        }),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_much_as_a_new_almanac_changes_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite://{}", folder.path().join("store.db").display());
    let house = House::at(&address).await;
    let acme = house.id("acme").await;
    let ops = house.channel("acme", "ops").await;
    let team = house.channel("acme", "team").await;
    let theirs = house.channel("other", "theirs").await;
    house.rule("acme", "all", "ops", json!({ "on": ["new-finding", "fix-available"] })).await;
    let narrow = json!({
        "on": ["new-finding"], "environments": ["environment 7"], "severities": ["critical"],
    });
    house.rule("acme", "narrow", "team", narrow).await;
    house.rule("other", "all", "theirs", json!({ "on": ["all"] })).await;
    house.later(0).await;
    let events: Vec<NewEvent> = (0..EVENTS).map(event).collect();
    let store = house.app.store();
    store.evaluated(&acme, &house.act(), None, "a", &events).await.unwrap();
    drop(events);
    let (began, before) = (Instant::now(), peak());
    jobs::do_once(&house.app, "tell").await.unwrap();
    let told = began.elapsed();
    jobs::all(&house.app).await;
    let heard = began.elapsed();
    let grew = peak().zip(before).map(|(after, before)| after - before);
    println!(
        "{EVENTS} events: in the outbox after {told:?}, heard after {heard:?}, {grew:?} MiB more"
    );
    assert_eq!(ops.titles().len(), 2, "{:?}", ops.titles());
    let narrow = team.titles();
    assert_eq!(narrow.len(), 1, "{narrow:?}");
    assert!(narrow[0].ends_with("critical in environment 7"), "{narrow:?}");
    assert!(theirs.titles().is_empty());
}
