//! Jobs: work that is done once, even where those who do it die.

use std::collections::{BTreeSet, HashSet};

use model::Moment;
use sha2::{Digest as _, Sha256};

use crate::contract::{Error, Job, JobReport, JobState, NewJob};
use crate::db::{Query, Row, Tx, Value, runs, values};
use crate::{Store, names, new_id};

/// Seconds before the second try; each further wait is twice as long, up to the last.
const FIRST_WAIT: i64 = 10;
const LONGEST_WAIT: i64 = 3600;
/// No job is kept for so many seconds: what is kept for longer was told by a clock that has been set
/// back since.
const AHEAD: i64 = 2 * LONGEST_WAIT;
/// Clocks differ by so many seconds without harm. What was asked for later than that was asked for by
/// a clock that has been set back since, and must not wait until that clock's day comes again.
const SKEW: i64 = 300;
/// Jobs that are revived at once, so that nobody waits long for us.
const PART: usize = 2_000;

impl Store {
    /// Adds work, unless the same is waiting already. Says whether it did.
    pub async fn enqueue(&self, job: &NewJob) -> Result<bool, Error> {
        Ok(self.enqueue_all(std::slice::from_ref(job)).await? == 1)
    }

    /// Adds work, all of it or none, but for what is waiting already. Says how much it was.
    pub async fn enqueue_all(&self, jobs: &[NewJob]) -> Result<u64, Error> {
        let mut tx = self.db.write().await?;
        let added = add(&mut tx, jobs).await?;
        tx.commit().await?;
        Ok(added)
    }

    /// Takes on up to `most` jobs of these kinds, longest waiting first, until `lease` seconds from
    /// now. Those whose lease ran out are taken again; those tried often enough are dead. A clock
    /// that is set back, for whole days even, keeps nothing from being done.
    pub async fn claim_jobs(
        &self,
        kinds: &[&str],
        now: Moment,
        lease: u32,
        most: u32,
    ) -> Result<Vec<Job>, Error> {
        if kinds.is_empty() || most == 0 {
            return Ok(Vec::new());
        }
        let mut tx = self.db.write().await?;
        bury(&mut tx, kinds, now).await?;
        let mut query = Query::new("WITH picked AS MATERIALIZED (SELECT j.id FROM jobs j", vec![]);
        query.with("WHERE ((j.state = 'ready' AND (j.ready_at <= $?", now);
        query.with("OR j.asked_at > $?)", now.plus_seconds(SKEW));
        query.then(
            "AND NOT EXISTS (SELECT 1 FROM jobs r WHERE r.state = 'running'
                             AND r.kind = j.kind AND r.key = j.key))",
        );
        query.with("OR (j.state = 'running' AND (j.leased_until <= $?", now);
        query.with("OR j.leased_until > $?)))", now.plus_seconds(AHEAD));
        query.with_all("AND j.kind IN $?", kinds.to_vec());
        query.with("ORDER BY j.ready_at, j.id LIMIT $?", i64::from(most));
        query.then(tx.skipping_held());
        query.then(") UPDATE jobs SET state = 'running', attempt = attempt + 1,");
        query.with("claim = $?,", new_id());
        query.with("leased_until = $?", now.plus_seconds(i64::from(lease)));
        query.then("WHERE id IN (SELECT id FROM picked)");
        query.then("RETURNING id, kind, payload, key, attempt, attempts, claim, ready_at");
        let (sql, values) = query.into_parts();
        let mut rows = Vec::new();
        for row in tx.rows(sql, values).await? {
            rows.push((row.int("ready_at")?, row.text("id")?, read(&row)?));
        }
        tx.commit().await?;
        rows.sort_by(|left, right| (left.0, &left.1).cmp(&(right.0, &right.1)));
        Ok(rows.into_iter().map(|(_, _, job)| job).collect())
    }

    /// Keeps a job for `lease` seconds from now. Says whether it is still ours: if not, somebody
    /// else does it, and we stop.
    pub async fn keep_job(&self, job: &Job, now: Moment, lease: u32) -> Result<bool, Error> {
        let until = now.plus_seconds(i64::from(lease));
        let sql = "UPDATE jobs SET leased_until = $3
                   WHERE id = $1 AND claim = $2 AND state = 'running'";
        self.change(sql, values![&job.id, &job.claim, until]).await
    }

    /// The job is done. Says whether it was still ours.
    pub async fn finish_job(&self, job: &Job, now: Moment) -> Result<bool, Error> {
        let sql = "UPDATE jobs SET state = 'done', claim = NULL, leased_until = NULL,
                          trouble = NULL, ended_at = $3
                   WHERE id = $1 AND claim = $2 AND state = 'running'";
        self.change(sql, values![&job.id, &job.claim, now]).await
    }

    /// The job failed: it waits for its next try, longer each time, or is dead after the last. Says
    /// whether it was still ours.
    pub async fn fail_job(&self, job: &Job, now: Moment, why: &str) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        let key = (job.kind.as_str(), job.key.as_deref());
        hold_keys(&mut tx, std::iter::once(key)).await?;
        let again = job.attempt < job.attempts && !is_waiting(&mut tx, job).await?;
        let exponent = job.attempt.saturating_sub(1).min(20);
        let wait = FIRST_WAIT.saturating_mul(1 << exponent).min(LONGEST_WAIT);
        let (state, ended) = if again {
            (JobState::Ready, None)
        } else if job.attempt < job.attempts {
            // The same work is waiting to be done anew, with what is known by now.
            (JobState::Done, Some(now.micros()))
        } else {
            (JobState::Dead, Some(now.micros()))
        };
        let rows = tx
            .run(
                "UPDATE jobs SET state = $3, claim = NULL, leased_until = NULL, trouble = $4,
                        ready_at = $5, ended_at = $6, asked_at = $7
                 WHERE id = $1 AND claim = $2 AND state = 'running'",
                values![
                    &job.id,
                    &job.claim,
                    state.as_str(),
                    names::told(why),
                    now.plus_seconds(wait),
                    ended,
                    now,
                ],
            )
            .await?;
        tx.commit().await?;
        Ok(rows == 1)
    }

    /// The jobs in a state, longest waiting first, at most so many.
    pub async fn jobs(&self, state: JobState, most: u32) -> Result<Vec<JobReport>, Error> {
        let sql = "SELECT id, kind, attempt, trouble FROM jobs WHERE state = $1
                   ORDER BY ready_at, id LIMIT $2";
        let rows = self.db.rows(sql, values![state.as_str(), i64::from(most)]).await?;
        let report = |row: &Row| {
            Ok(JobReport {
                id: row.text("id")?,
                kind: row.text("kind")?,
                state,
                attempt: count(row, "attempt")?,
                trouble: row.maybe_text("trouble")?,
            })
        };
        rows.iter().map(report).collect()
    }

    /// The keys of the jobs of a kind that wait, are being done, or were given up.
    pub async fn undone(&self, kind: &str) -> Result<HashSet<String>, Error> {
        let sql = "SELECT key FROM jobs WHERE state <> 'done' AND kind = $1 AND key IS NOT NULL";
        let rows = self.db.rows(sql, values![kind]).await?;
        rows.iter().map(|it| it.text("key")).collect()
    }

    /// Tries all dead jobs anew, from their first attempt, but where the same waits already; a part at
    /// a time. Says how many those are.
    pub async fn revive_jobs(&self, now: Moment) -> Result<u64, Error> {
        let sql = format!(
            "SELECT id, kind, key FROM jobs WHERE state = 'dead' AND id > $1
             ORDER BY id LIMIT {PART}"
        );
        let (mut revived, mut after) = (0, String::new());
        loop {
            let rows = self.db.rows(sql.clone(), values![&after]).await?;
            let Some(last) = rows.last() else { return Ok(revived) };
            after = last.text("id")?;
            // Of several of one key, the first is tried.
            let (mut keys, mut ids) = (BTreeSet::new(), Vec::with_capacity(rows.len()));
            for row in &rows {
                let (kind, key) = (row.word("kind")?, row.maybe_word("key")?);
                if key.is_none() || keys.insert((kind, key)) {
                    ids.push(row.text("id")?);
                }
            }
            let mut tx = self.db.write().await?;
            hold_keys(&mut tx, keys.into_iter()).await?;
            tx.expect_few().await?;
            for run in runs(&ids) {
                let mut query = Query::new("UPDATE jobs SET state = 'ready', attempt = 0,", vec![]);
                query.with("ready_at = $?,", now);
                query.with("asked_at = $?, ended_at = NULL", now);
                // By their ids, and not along all the dead, that another index leads to.
                query.then(
                    "WHERE state || '' = 'dead' AND NOT EXISTS
                         (SELECT 1 FROM jobs r WHERE r.state = 'ready'
                          AND r.kind = jobs.kind AND r.key = jobs.key)",
                );
                query.with_all("AND id IN $?", run);
                let (sql, values) = query.into_parts();
                revived += tx.run(sql, values).await?;
            }
            tx.commit().await?;
        }
    }

    /// Forgets the jobs that ended before a moment. Says how many.
    pub async fn forget_jobs(&self, before: Moment) -> Result<u64, Error> {
        let mut tx = self.db.write().await?;
        let sql = "DELETE FROM jobs WHERE ended_at < $1";
        let rows = tx.run(sql, values![before]).await?;
        tx.commit().await?;
        Ok(rows)
    }

    async fn change(&self, sql: &'static str, values: Vec<Value>) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        let rows = tx.run(sql, values).await?;
        tx.commit().await?;
        Ok(rows == 1)
    }
}

/// Adds work, but for what is waiting already. Says how much it was.
pub(crate) async fn add(tx: &mut Tx, jobs: &[NewJob]) -> Result<u64, Error> {
    let mut order = Vec::with_capacity(jobs.len());
    for job in jobs {
        let kind = names::cleaned("kind of job", &job.kind)?;
        order.push((kind, job.key.as_deref().map(names::told), job));
    }
    // One order for all, so that no two wait for each other.
    order.sort_by(|left, right| (&left.0, &left.1).cmp(&(&right.0, &right.1)));
    hold_keys(tx, order.iter().map(|it| (it.0.as_str(), it.1.as_deref()))).await?;
    let mut added = 0;
    for (kind, key, job) in order {
        added += tx
            .run(
                "INSERT INTO jobs (id, kind, payload, key, state, attempt, attempts, ready_at,
                                   asked_at)
                 VALUES ($1, $2, $3, $4, 'ready', 0, $5, $6, $7)
                 ON CONFLICT (kind, key) WHERE state = 'ready' DO NOTHING",
                values![
                    new_id(),
                    kind,
                    job.payload.to_string(),
                    key.as_deref(),
                    i64::from(job.attempts.max(1)),
                    job.ready,
                    job.asked,
                ],
            )
            .await?;
    }
    Ok(added)
}

/// Those that were given up by whoever had them at their last try.
async fn bury(tx: &mut Tx, kinds: &[&str], now: Moment) -> Result<(), Error> {
    let mut query = Query::new("UPDATE jobs SET state = 'dead', claim = NULL,", vec![]);
    query.with("trouble = $?,", "whoever did it was never heard of again");
    query.with("ended_at = $?, leased_until = NULL", now);
    query.with("WHERE state = 'running' AND attempt >= attempts AND (leased_until <= $?", now);
    query.with("OR leased_until > $?)", now.plus_seconds(AHEAD));
    query.with_all("AND kind IN $?", kinds.to_vec());
    let (sql, values) = query.into_parts();
    tx.run(sql, values).await.map(|_| ())
}

/// Nobody else adds work of these keys before we are done.
async fn hold_keys<'a>(
    tx: &mut Tx,
    keys: impl Iterator<Item = (&'a str, Option<&'a str>)>,
) -> Result<(), Error> {
    // A server has room for few locks: each is one for many keys. All take them in one order.
    let locks: BTreeSet<u8> = keys.filter_map(|(kind, key)| lock(kind, key?)).collect();
    tx.lock_all(&locks.into_iter().map(|lock| format!("jobs {lock}")).collect::<Vec<_>>()).await
}

/// Which lock a key has.
fn lock(kind: &str, key: &str) -> Option<u8> {
    Sha256::digest(format!("{kind} {key}")).first().copied()
}

async fn is_waiting(tx: &mut Tx, job: &Job) -> Result<bool, Error> {
    let sql = "SELECT id FROM jobs WHERE kind = $1 AND key = $2 AND state = 'ready'";
    Ok(tx.row(sql, values![&job.kind, job.key.as_deref()]).await?.is_some())
}

fn read(row: &Row) -> Result<Job, Error> {
    let payload = row.text("payload")?;
    Ok(Job {
        id: row.text("id")?,
        kind: row.text("kind")?,
        payload: serde_json::from_str(&payload).map_err(|error| Error::Corrupt {
            what: "column payload".to_owned(),
            why: error.to_string(),
        })?,
        key: row.maybe_text("key")?,
        attempt: count(row, "attempt")?,
        attempts: count(row, "attempts")?,
        claim: row.text("claim")?,
    })
}

fn count(row: &Row, name: &str) -> Result<u32, Error> {
    Ok(u32::try_from(row.int(name)?).unwrap_or(u32::MAX))
}
