//! Jobs.

use model::Moment;
use serde_json::json;

use super::kit::at;
use crate::db::values;
use crate::{Job, JobState, NewJob, Store, Together};

fn now(minute: i64) -> Moment {
    at(minute).at
}

fn job(kind: &str, key: Option<&str>, ready: i64) -> NewJob {
    NewJob {
        kind: kind.to_owned(),
        payload: json!({ "key": key, "odd": "a\0b" }),
        key: key.map(str::to_owned),
        asked: now(ready),
        ready: now(ready),
        attempts: 3,
    }
}

async fn claim(store: &Store, minute: i64, most: u32) -> Vec<Job> {
    store.claim_jobs(&["analyze", "refresh"], now(minute), 60, most).await.unwrap()
}

fn keys(jobs: &[Job]) -> Vec<&str> {
    jobs.iter().map(|it| it.key.as_deref().unwrap_or("-")).collect()
}

pub(super) async fn are_done_in_order(store: &Store) {
    let all = [
        job("analyze", Some("c"), 3),
        job("analyze", Some("a"), 1),
        job("refresh", None, 2),
        job("other", Some("z"), 0),
    ];
    assert_eq!(store.enqueue_all(&all).await.unwrap(), 4);
    assert!(claim(store, 0, 9).await.is_empty());
    let first = claim(store, 5, 2).await;
    assert_eq!(keys(&first), ["a", "-"]);
    assert_eq!(first[0].payload, all[1].payload);
    assert_eq!((first[0].attempt, first[0].attempts), (1, 3));
    let rest = claim(store, 5, 9).await;
    assert_eq!(keys(&rest), ["c"]);
    for job in first.iter().chain(&rest) {
        assert!(store.finish_job(job, now(5)).await.unwrap());
        assert!(!store.finish_job(job, now(5)).await.unwrap());
    }
    assert!(claim(store, 99, 9).await.is_empty());
    assert_eq!(store.jobs(JobState::Done, 9).await.unwrap().len(), 3);
    assert_eq!(store.jobs(JobState::Ready, 9).await.unwrap().len(), 1);
    assert_eq!(store.forget_jobs(now(6)).await.unwrap(), 3);
    assert!(store.claim_jobs(&[], now(5), 60, 9).await.unwrap().is_empty());
}

pub(super) async fn the_same_work_waits_once(store: &Store) {
    assert!(store.enqueue(&job("analyze", Some("a"), 1)).await.unwrap());
    assert!(!store.enqueue(&job("analyze", Some("a"), 2)).await.unwrap());
    assert!(store.enqueue(&job("refresh", Some("a"), 1)).await.unwrap());
    for _ in 0..2 {
        assert!(store.enqueue(&job("analyze", None, 9)).await.unwrap(), "without a key, never");
    }
    let running = claim(store, 5, 9).await;
    assert_eq!(running.len(), 2);
    // What is asked for while it is done is done again, after it.
    assert!(store.enqueue(&job("analyze", Some("a"), 1)).await.unwrap());
    assert!(claim(store, 5, 9).await.is_empty());
    assert!(store.finish_job(&running[0], now(5)).await.unwrap());
    assert!(store.finish_job(&running[1], now(5)).await.unwrap());
    assert_eq!(keys(&claim(store, 5, 9).await), ["a"]);
}

pub(super) async fn are_taken_again_when_their_lease_runs_out(store: &Store) {
    store.enqueue(&job("analyze", Some("a"), 0)).await.unwrap();
    let dead = claim(store, 0, 1).await.remove(0);
    assert!(store.keep_job(&dead, now(1), 60).await.unwrap());
    assert!(claim(store, 1, 1).await.is_empty(), "it was kept");
    let taken = claim(store, 2, 1).await.remove(0);
    assert_eq!((taken.id == dead.id, taken.attempt), (true, 2));
    // Whoever was thought dead can do no harm.
    assert!(!store.keep_job(&dead, now(2), 60).await.unwrap());
    assert!(!store.finish_job(&dead, now(2)).await.unwrap());
    assert!(!store.fail_job(&dead, now(2), "late").await.unwrap());
    assert!(store.finish_job(&taken, now(2)).await.unwrap());
}

pub(super) async fn wait_longer_each_time_and_die(store: &Store) {
    store.enqueue(&job("analyze", Some("a"), 0)).await.unwrap();
    let mut seconds = 0;
    for wait in [10, 20] {
        let at = now(0).plus_seconds(seconds);
        let job = store.claim_jobs(&["analyze"], at, 60, 1).await.unwrap().remove(0);
        assert!(store.fail_job(&job, at, "no network").await.unwrap());
        let early = now(0).plus_seconds(seconds + wait - 1);
        assert!(store.claim_jobs(&["analyze"], early, 60, 1).await.unwrap().is_empty());
        seconds += wait;
    }
    let last = store
        .claim_jobs(&["analyze"], now(0).plus_seconds(seconds), 60, 1)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(last.attempt, 3);
    store.fail_job(&last, now(9), "no network").await.unwrap();
    assert!(claim(store, 999, 1).await.is_empty());
    let dead = store.jobs(JobState::Dead, 9).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].attempt, dead[0].trouble.as_deref()), (3, Some("no network")));
    // So is one whose every claimer dies.
    store.enqueue(&job("refresh", Some("b"), 0)).await.unwrap();
    for minute in [10, 12, 14] {
        assert_eq!(keys(&claim(store, minute, 1).await), ["b"]);
    }
    assert!(claim(store, 16, 1).await.is_empty());
    assert_eq!(store.jobs(JobState::Dead, 9).await.unwrap().len(), 2);
}

pub(super) async fn are_never_done_twice_at_once(store: &Store) {
    store.enqueue(&job("analyze", Some("a"), 0)).await.unwrap();
    let first = claim(store, 0, 9).await.remove(0);
    store.enqueue(&job("analyze", Some("a"), 0)).await.unwrap();
    // The one that failed does not wait beside the one that waits.
    assert!(store.fail_job(&first, now(0), "no network").await.unwrap());
    let second = claim(store, 9, 9).await;
    assert_eq!(second.len(), 1);
    assert_ne!(second[0].id, first.id);
    assert!(store.finish_job(&second[0], now(9)).await.unwrap());
    assert!(claim(store, 99, 9).await.is_empty());
}

pub(super) async fn dead_ones_can_be_revived(store: &Store) {
    assert_eq!(store.revive_jobs(now(1)).await.unwrap(), 0);
    let once = NewJob { attempts: 1, ..job("analyze", Some("a"), 0) };
    let other = NewJob { attempts: 1, ..job("refresh", None, 0) };
    assert_eq!(store.enqueue_all(&[once.clone(), other]).await.unwrap(), 2);
    for job in claim(store, 0, 9).await {
        store.fail_job(&job, now(0), "no network").await.unwrap();
    }
    assert!(claim(store, 1, 9).await.is_empty());
    assert_eq!(store.revive_jobs(now(1)).await.unwrap(), 2);
    assert_eq!(store.revive_jobs(now(1)).await.unwrap(), 0);
    let again = claim(store, 1, 9).await;
    assert_eq!(again.iter().map(|it| it.attempt).collect::<Vec<_>>(), [1, 1]);
    for job in again {
        store.fail_job(&job, now(1), "no network").await.unwrap();
    }
    store.enqueue(&once).await.unwrap();
    assert_eq!(store.revive_jobs(now(2)).await.unwrap(), 1, "of the other, the same waits already");
    assert_eq!(keys(&claim(store, 2, 9).await), ["a", "-"]);
}

pub(super) async fn do_not_wait_for_a_clock_that_was_set_back(store: &Store) {
    let day = 24 * 60;
    store.enqueue(&job("refresh", Some("a"), day)).await.unwrap();
    let theirs = claim(store, day, 9).await.remove(0);
    store.enqueue(&job("analyze", Some("b"), day + 59)).await.unwrap();
    // The clock is set back, and whoever had the one died.
    let both = claim(store, 0, 9).await;
    assert_eq!(keys(&both), ["a", "b"]);
    assert!(!store.finish_job(&theirs, now(0)).await.unwrap());
    for job in &both {
        assert!(store.finish_job(job, now(0)).await.unwrap());
    }
    // Clocks that differ by less are no reason to take from each other.
    store.enqueue(&job("refresh", Some("a"), 4)).await.unwrap();
    assert!(claim(store, 0, 9).await.is_empty());
    assert_eq!(keys(&claim(store, 4, 9).await), ["a"]);
    assert!(claim(store, 0, 9).await.is_empty());
    // Whoever tries again was at it later, as the clock told that was set back.
    store.enqueue(&job("analyze", Some("c"), day)).await.unwrap();
    let failed = claim(store, day, 9).await.pop().unwrap();
    assert!(store.fail_job(&failed, now(day), "no network").await.unwrap());
    assert_eq!(keys(&claim(store, 1, 9).await), ["a", "c"], "both were taken at that time");
}

/// What is to be done once a day waits for a day, as far off as that is.
pub(super) async fn wait_as_long_as_they_are_put_off(store: &Store) {
    let day = 24 * 60;
    let daily = NewJob { asked: now(0), ..job("refresh", Some("daily"), day) };
    assert!(store.enqueue(&daily).await.unwrap());
    for minute in [0, 1, 60, 600, day - 1] {
        assert!(claim(store, minute, 9).await.is_empty(), "after {minute} minutes");
    }
    assert_eq!(keys(&claim(store, day, 9).await), ["daily"]);
}

/// A server has room for some thousands of locks.
pub(super) async fn are_added_with_few_locks(store: &Store) {
    let all: Vec<NewJob> =
        (0..1000).map(|it| job("analyze", Some(&format!("image {it}")), 0)).collect();
    let together = Together::default();
    assert_eq!(together.hold(store.enqueue_all(&all)).await.unwrap(), 1000);
    if !store.db.is_file() {
        let sql = "SELECT COUNT(*) AS held FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                   WHERE l.locktype = 'advisory' AND d.datname = current_database()";
        let held = store.db.row(sql, vec![]).await.unwrap().unwrap().int("held").unwrap();
        assert!((2..300).contains(&held), "{held}");
    }
    together.commit().await.unwrap();
    assert_eq!(store.jobs(JobState::Ready, 2000).await.unwrap().len(), 1000);
}

/// More than a server has room for locks.
pub(super) async fn many_dead_ones_can_be_revived(store: &Store) {
    let many: u64 = if store.db.is_file() { 5_000 } else { 60_000 };
    let mut tx = store.db.write().await.unwrap();
    // One of a hundred has no key, one that of others, and the rest have keys of their own.
    let sql = "INSERT INTO jobs (id, kind, payload, key, state, attempt, attempts, ready_at)
               WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
               SELECT 'job ' || i, 'analyze', 'null',
                      CASE i % 100 WHEN 0 THEN NULL WHEN 1 THEN 'the same' ELSE 'key ' || i END,
                      'dead', 3, 3, 0 FROM n";
    tx.run(sql, values![i64::try_from(many).unwrap()]).await.unwrap();
    tx.commit().await.unwrap();
    store.enqueue(&job("refresh", Some("the same"), 0)).await.unwrap();
    let revived = store.revive_jobs(now(1)).await.unwrap();
    assert_eq!(revived, many / 100 * 99 + 1, "of one key one");
    let dead = store.jobs(JobState::Dead, 9_999).await.unwrap();
    assert_eq!(dead.len() as u64, many / 100 - 1);
}

/// Those who add work, and those who try it anew, in any order, wait for each other and not for ever.
pub(super) async fn of_many_at_once_are_added_once(store: &Store) {
    let all: Vec<NewJob> = (0..40)
        .map(|it| NewJob { attempts: 1, ..job("analyze", Some(&format!("image {it}")), 0) })
        .collect();
    let tasks: Vec<_> = (0..8_usize)
        .map(|task| {
            let (store, mut all) = (store.clone(), all.clone());
            all.rotate_left(task * 5);
            tokio::spawn(async move {
                for round in 0..4 {
                    store.enqueue_all(&all).await.unwrap();
                    for job in claim(&store, round, 7).await {
                        store.fail_job(&job, now(round), "no network").await.unwrap();
                    }
                    store.revive_jobs(now(round)).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    store.revive_jobs(now(9)).await.unwrap();
    let ready = store.jobs(JobState::Ready, 999).await.unwrap();
    assert_eq!(ready.len(), 40, "each waits once");
}

/// Those of a key are found without a look at all there are.
pub(super) async fn of_an_image_go_with_it(store: &Store) {
    let statement = format!("{} key IN ('a', 'b')", crate::deletion::FORGET_READING);
    let plan = super::kit::plan(store, &statement).await;
    assert!(plan.contains("jobs_by_key"), "{plan}");
    let acme = super::kit::acme(store).await;
    let digests = [super::kit::digest(1), super::kit::digest(2), super::kit::digest(3)];
    for digest in &digests {
        let key = format!("{}/{digest}", acme.0);
        store.enqueue(&job("analyze", Some(&key), 0)).await.unwrap();
        let (act, platform, name) = (at(1), super::kit::amd64(), "docker.io/acme/web");
        let kept = super::kit::inventory(1, &["pkg:npm/a@1"], &[]);
        let kept = store.keep_inventory(&acme, &act, digest, &platform, Some(name), &kept);
        kept.await.unwrap();
    }
    store.delete_image(&acme, &at(2), &digests[0]).await.unwrap();
    assert_eq!(store.jobs(JobState::Ready, 9).await.unwrap().len(), 2);
    store.enqueue(&job("analyze", Some("another"), 0)).await.unwrap();
    store.delete_repository(&acme, &at(3), "docker.io/acme/web", false).await.unwrap();
    assert_eq!(store.jobs(JobState::Ready, 9).await.unwrap().len(), 1);
}
