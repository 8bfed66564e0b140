//! A list that grows while it is gone through.

use super::*;

fn event(number: usize) -> Event {
    let it = serde_json::json!({
        "id": format!("{number:08}"), "at": "2026-11-21T10:00:00Z", "who": "ann",
        "origin": "", "kind": "environment-created", "about": "it", "detail": {},
    });
    serde_json::from_value(it).unwrap()
}

/// The latest first, behind a place.
fn page(there: usize, after: Option<&str>, limit: u32) -> Page<Event> {
    let before: usize = after.map_or(there, |it| it.parse().unwrap());
    let first = before.saturating_sub(limit as usize);
    let items: Vec<Event> = (first..before).rev().map(event).collect();
    Page { next: (first > 0).then(|| format!("{first:08}")), items }
}

#[track_caller]
fn check(there: usize, growth: usize, most: u32, expect: std::ops::Range<usize>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut now = there;
        let part = async |after: Option<String>, limit| {
            let page = page(now, after.as_deref(), limit);
            now += growth;
            Ok(page)
        };
        let mut told = Vec::new();
        let known = tell(part, most, |it| {
            told.push(it.id.clone());
            Ok(true)
        });
        let known = known.await.unwrap().unwrap();
        let expect: Vec<String> = expect.map(|it| format!("{it:08}")).collect();
        assert_eq!(told, expect);
        assert_eq!(known.len(), expect.len().min(KNOWN));
        assert!(expect.iter().rev().take(KNOWN).all(|it| known.contains(it)));
    });
}

#[test]
fn first_things_first() {
    check(0, 0, u32::MAX, 0..0);
    check(3, 0, u32::MAX, 0..3);
    check(2500, 0, u32::MAX, 0..2500);
    check(2500, 0, 2, 2498..2500);
    check(2500, 0, 1200, 1300..2500);
    check(2500, 0, 0, 0..0);
    check(60_000, 0, u32::MAX, 0..60_000);
}

#[test]
fn what_comes_meanwhile_is_not_told_here_and_takes_nothing_away() {
    check(2500, 1, u32::MAX, 0..2500);
    check(2500, 1700, u32::MAX, 0..2500);
    check(2500, 1700, 1200, 1300..2500);
}

#[test]
fn who_reads_no_more_is_told_no_more() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let part = async |after: Option<String>, limit| Ok(page(9, after.as_deref(), limit));
        let mut told = 0;
        let known = tell(part, 9, |_| {
            told += 1;
            Ok(told < 3)
        });
        assert!(known.await.unwrap().is_none());
        assert_eq!(told, 3);
    });
}
