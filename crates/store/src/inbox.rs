//! The inbox: what parties told, kept before they hear that it was, until somebody has dealt with it.

use std::collections::BTreeMap;

use model::{Moment, OrganisationId};
use serde_json::Value as Json;

use crate::contract::{
    Error, IntegrationRecord, Kept, NewJob, NewNotice, NoticeCounts, NoticeReport, NoticeState,
    Page, Paged, Setback, WaitingNotice,
};
use crate::db::{Query, Row, Tx, Value, values};
use crate::integrations::{hold, more_wait};
use crate::{Store, jobs, names, new_id};

/// Notices of one integration that may wait; whoever brings more is to come again.
const WAITING_LIMIT: i64 = if cfg!(test) { 20 } else { 200_000 };
/// What nobody can read is kept up to here; what is beyond is counted.
const UNREADABLE_LIMIT: i64 = if cfg!(test) { 5 } else { 1_000 };
/// Of one integration so much of what was dealt with is kept, and so much of what is set aside.
const DONE_LIMIT: i64 = if cfg!(test) { 30 } else { 100_000 };
const ASIDE_LIMIT: i64 = if cfg!(test) { 15 } else { 10_000 };
/// The slot of what is counted.
const BEYOND: &str = "beyond what is kept";
/// So often a notice is tried.
const ATTEMPTS: u32 = 8;
/// While nobody answers it is tried for so many seconds, however often that is.
const LASTS: i64 = 7 * 86_400;
/// Seconds before the second try; each further wait is three times as long, up to the last.
const FIRST_WAIT: i64 = 10;
const LONGEST_WAIT: i64 = 3600;
/// Rows of one statement.
const ROWS: usize = 500;

impl Store {
    /// Keeps what an integration told, but for what was heard before, and lets `job` deal with it:
    /// all of that or nothing. What is unique is heard once; what is not is heard once while it
    /// waits. Of what nobody can read so much is kept, and the rest is counted.
    pub async fn hear(
        &self,
        record: &IntegrationRecord,
        at: Moment,
        notices: &[NewNotice],
        job: &NewJob,
    ) -> Result<Kept, Error> {
        let mut tx = self.db.write().await?;
        let held = hold(&mut tx, &record.id).await?;
        // What another address told says nothing of this one.
        let held = held.filter(|it| it.0 == record.address_since);
        let Some((since, waiting)) = held else { return Err(Error::Gone("integration")) };
        let integration = record.id.as_str();
        let coming = i64::try_from(notices.len()).unwrap_or(i64::MAX);
        if waiting.saturating_add(coming) > WAITING_LIMIT {
            return Err(Error::Unavailable {
                what: "inbox".to_owned(),
                why: format!("{waiting} notices wait already"),
            });
        }
        let mut order: Vec<&NewNotice> = notices.iter().collect();
        // One order for all, so that no two wait for each other.
        order.sort_by(|left, right| left.id.cmp(&right.id));
        let mut kept = Kept::default();
        let mut work = 0;
        let (mut room, mut beyond) = (0, 0);
        if notices.iter().any(|it| it.trouble.is_some()) {
            room = UNREADABLE_LIMIT.saturating_sub(count_unreadable(&mut tx, record).await?);
        }
        for notice in order {
            let state =
                if notice.trouble.is_some() { NoticeState::Aside } else { NoticeState::Waiting };
            let slot = names::told(&notice.id);
            if state == NoticeState::Aside {
                let sql = "SELECT 1 AS one FROM notices
                           WHERE integration = $1 AND since = $2 AND slot = $3";
                if tx.row(sql, values![integration, since, &slot]).await?.is_some() {
                    kept.known += 1;
                    continue;
                }
                if room <= 0 {
                    beyond += 1;
                    continue;
                }
                room -= 1;
            }
            let added = tx
                .run(
                    "INSERT INTO notices (id, integration, since, slot, lasting, about,
                                          repository, payload, state, attempts, trouble, heard_at,
                                          ready_at, ended_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, $11, $12)
                     ON CONFLICT (integration, since, slot) DO NOTHING",
                    values![
                        new_id(),
                        integration,
                        since,
                        slot,
                        i64::from(notice.is_unique),
                        names::told(&notice.about),
                        notice.repository.clone(),
                        notice.payload.to_string(),
                        state.as_str(),
                        notice.trouble.as_deref().map(names::told),
                        at,
                        notice.trouble.as_ref().map(|_| at.micros()),
                    ],
                )
                .await?;
            kept.new += added;
            kept.known += 1 - added.min(1);
            if state == NoticeState::Waiting {
                work += i64::from(added > 0);
            }
        }
        if beyond > 0 {
            count_beyond(&mut tx, record, at, beyond).await?;
        }
        if work > 0 {
            more_wait(&mut tx, record, work).await?;
            jobs::add(&mut tx, std::slice::from_ref(job)).await?;
        }
        tx.commit().await?;
        Ok(kept)
    }

    /// What waits to be dealt with by now, what waits longest first; behind one of them, or from the
    /// first.
    pub async fn waiting_notices(
        &self,
        record: &IntegrationRecord,
        now: Moment,
        after: Option<&WaitingNotice>,
        most: u32,
    ) -> Result<Vec<WaitingNotice>, Error> {
        let sql = "SELECT id, payload, attempts, heard_at, ready_at FROM notices
                   WHERE integration = $1 AND since = $2 AND state = 'waiting'
                   AND ready_at <= $3 AND (ready_at, id) > ($4, $5)
                   ORDER BY ready_at, id LIMIT $6";
        let read = |row: &Row| {
            Ok(WaitingNotice {
                id: row.text("id")?,
                payload: payload(row)?,
                attempts: attempts(row)?,
                heard: row.moment("heard_at")?,
                ready: row.moment("ready_at")?,
            })
        };
        let (ready, id) = after.map_or((i64::MIN, ""), |it| (it.ready.micros(), it.id.as_str()));
        let values = values![&record.id, record.address_since, now, ready, id, i64::from(most)];
        self.db.rows(sql, values).await?.iter().map(read).collect()
    }

    /// These are dealt with.
    pub async fn notices_done(
        &self,
        record: &IntegrationRecord,
        ids: &[String],
        now: Moment,
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        if hold(&mut tx, &record.id).await?.is_none() {
            return Ok(());
        }
        let mut done = 0;
        for part in ids.chunks(ROWS) {
            let mut query = Query::new(
                "UPDATE notices SET state = 'done', trouble = NULL, attempts = attempts + 1,
                        slot = CASE WHEN lasting = 1 THEN slot ELSE NULL END,",
                vec![],
            );
            query.with("ended_at = $? WHERE state = 'waiting'", now);
            query.with_all("AND id IN $?", part.iter().map(String::as_str).collect());
            let (sql, values) = query.into_parts();
            done += tx.run(sql, values).await?;
        }
        more_wait(&mut tx, record, 0_i64.saturating_sub_unsigned(done)).await?;
        tx.commit().await
    }

    /// A notice could not be dealt with: it is tried again, later each time, and is set aside after
    /// the last. Says whether it is tried again.
    pub async fn notice_failed(
        &self,
        record: &IntegrationRecord,
        notice: &WaitingNotice,
        now: Moment,
        setback: Setback<'_>,
    ) -> Result<bool, Error> {
        let attempts = notice.attempts.saturating_add(1);
        let lasts = setback.is_away && now < notice.heard.plus_seconds(LASTS);
        let again = attempts < ATTEMPTS || lasts;
        let factor = 3_i64.saturating_pow(attempts.saturating_sub(1));
        let wait = FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT).max(setback.wait);
        let (state, ended) = if again {
            (NoticeState::Waiting, None)
        } else {
            (NoticeState::Aside, Some(now.micros()))
        };
        let mut tx = self.db.write().await?;
        if hold(&mut tx, &record.id).await?.is_none() {
            return Ok(false);
        }
        let changed = tx
            .run(
                "UPDATE notices SET state = $2, attempts = $3, trouble = $4, ready_at = $5,
                    ended_at = $6,
                    slot = CASE WHEN lasting = 1 OR $2 = 'waiting' THEN slot ELSE NULL END
             WHERE id = $1 AND state = 'waiting'",
                values![
                    &notice.id,
                    state.as_str(),
                    i64::from(attempts),
                    names::told(setback.why),
                    now.plus_seconds(wait),
                    ended,
                ],
            )
            .await?;
        if !again {
            more_wait(&mut tx, record, 0_i64.saturating_sub_unsigned(changed)).await?;
        }
        tx.commit().await?;
        Ok(again)
    }

    /// What an integration told, the latest first; in one state, or in all.
    pub async fn notices(
        &self,
        integration: &str,
        state: Option<NoticeState>,
        page: &Page,
    ) -> Result<Paged<NoticeReport>, Error> {
        let limit = page.rows();
        let mut query = Query::new(
            "SELECT id, about, state, attempts, trouble, heard_at, ended_at FROM notices",
            vec![],
        );
        query.with("WHERE integration = $?", integration);
        if let Some(state) = state {
            query.with("AND state = $?", state.as_str());
        }
        if let Some(after) = &page.after {
            query.with("AND id < $?", after);
        }
        query.then(&format!("ORDER BY id DESC LIMIT {}", limit + 1));
        let (sql, values) = query.into_parts();
        let rows = self.db.rows(sql, values).await?;
        let rows = rows.iter().map(report).collect::<Result<_, _>>()?;
        Ok(Paged::of(rows, limit, |it: &NoticeReport| it.id.clone()))
    }

    /// How much of what each integration of an organisation told waits, and how much is set aside.
    pub async fn count_notices(
        &self,
        organisation: &OrganisationId,
    ) -> Result<BTreeMap<String, NoticeCounts>, Error> {
        let sql = "SELECT i.id, i.waiting, (SELECT COUNT(*) FROM notices n
                          WHERE n.integration = i.id AND n.state = 'aside'
                          AND n.since = i.address_since) AS aside
                   FROM integrations i WHERE i.organisation = $1 AND i.deleting = 0";
        let mut all = BTreeMap::new();
        for row in self.db.rows(sql, values![&organisation.0]).await? {
            let rows = |column| row.int(column).map(|it| u64::try_from(it).unwrap_or_default());
            let counts = NoticeCounts { waiting: rows("waiting")?, aside: rows("aside")? };
            all.insert(row.text("id")?, counts);
        }
        Ok(all)
    }

    /// What was set aside is to be tried once more, all of it or one alone; what nobody can read is
    /// not. Says how much it was.
    pub async fn revive_notices(
        &self,
        record: &IntegrationRecord,
        notice: Option<&str>,
        now: Moment,
        job: &NewJob,
    ) -> Result<u64, Error> {
        let mut tx = self.db.write().await?;
        if hold(&mut tx, &record.id).await?.is_none() {
            return Ok(0);
        }
        let mut query = Query::new("UPDATE notices SET state = 'waiting', attempts = 0,", vec![]);
        query.with("ready_at = $?, ended_at = NULL", now);
        query.with("WHERE integration = $? AND state = 'aside' AND attempts > 0", &record.id);
        query.with("AND since = $?", record.address_since);
        if let Some(notice) = notice {
            query.with("AND id = $?", notice);
        }
        let (sql, values) = query.into_parts();
        let revived = tx.run(sql, values).await?;
        if revived > 0 {
            more_wait(&mut tx, record, 0_i64.saturating_add_unsigned(revived)).await?;
            jobs::add(&mut tx, std::slice::from_ref(job)).await?;
        }
        tx.commit().await?;
        Ok(revived)
    }

    /// Forgets what was dealt with before one moment, and what was set aside before another; and the
    /// oldest of either, where it is more than is kept of one integration. Says how much that was.
    pub async fn forget_notices(&self, done: Moment, aside: Moment) -> Result<u64, Error> {
        let mut forgotten = 0;
        for (state, before) in [(NoticeState::Done, done), (NoticeState::Aside, aside)] {
            loop {
                let fits = "state = $1 AND ended_at < $2";
                let gone = self.forget(fits, values![state.as_str(), before]).await?;
                forgotten += gone;
                if gone == 0 {
                    break;
                }
            }
        }
        for row in self.db.rows("SELECT id FROM integrations ORDER BY id", vec![]).await? {
            let integration = row.text("id")?;
            for (state, most) in
                [(NoticeState::Done, DONE_LIMIT), (NoticeState::Aside, ASIDE_LIMIT)]
            {
                forgotten += self.forget_oldest(&integration, state, most).await?;
            }
        }
        Ok(forgotten)
    }

    /// Forgets the oldest in a state, but for so many that came later.
    async fn forget_oldest(
        &self,
        integration: &str,
        state: NoticeState,
        most: i64,
    ) -> Result<u64, Error> {
        let sql = "SELECT id FROM notices WHERE integration = $1 AND state = $2
                   ORDER BY id DESC LIMIT 1 OFFSET $3";
        let row = self.db.row(sql, values![integration, state.as_str(), most]).await?;
        let Some(last) = row.map(|it| it.text("id")).transpose()? else { return Ok(0) };
        let mut forgotten = 0;
        loop {
            let fits = "integration = $1 AND state = $2 AND id <= $3";
            let gone = self.forget(fits, values![integration, state.as_str(), &last]).await?;
            forgotten += gone;
            if gone == 0 {
                return Ok(forgotten);
            }
        }
    }

    /// Forgets a part of those that fit, but for those that somebody tries anew right now.
    async fn forget(&self, fits: &str, values: Vec<Value>) -> Result<u64, Error> {
        let mut tx = self.db.write().await?;
        let sql = format!(
            "DELETE FROM notices WHERE id IN
                 (SELECT id FROM notices WHERE {fits} LIMIT {ROWS} {})",
            tx.skipping_held()
        );
        let gone = tx.run(sql, values).await?;
        tx.commit().await?;
        Ok(gone)
    }
}

/// How much is kept that nobody can read; beyond what is kept nobody counts how much.
async fn count_unreadable(tx: &mut Tx, record: &IntegrationRecord) -> Result<i64, Error> {
    let sql = "SELECT COUNT(*) AS rows FROM
                   (SELECT id FROM notices WHERE integration = $1 AND state = 'aside'
                    AND since = $2 AND attempts = 0 LIMIT $3) some_of";
    let values = values![&record.id, record.address_since, UNREADABLE_LIMIT];
    let row = tx.row(sql, values).await?;
    Ok(row.map(|it| it.int("rows")).transpose()?.unwrap_or(0))
}

/// What nobody can read and is not kept is told of by one row for all of it.
async fn count_beyond(
    tx: &mut Tx,
    record: &IntegrationRecord,
    at: Moment,
    beyond: u64,
) -> Result<(), Error> {
    let sql = "SELECT payload FROM notices WHERE integration = $1 AND since = $2 AND slot = $3";
    let row = tx.row(sql, values![&record.id, record.address_since, BEYOND]).await?;
    let before = row.map(|it| it.text("payload")).transpose()?;
    let before: u64 = before.and_then(|it| it.parse().ok()).unwrap_or(0);
    let all = before.saturating_add(beyond);
    tx.run(
        "INSERT INTO notices (id, integration, since, slot, lasting, about, payload, state,
                              attempts, trouble, heard_at, ready_at, ended_at)
         VALUES ($1, $2, $3, $4, 1, 'what cannot be read, beyond what is kept of it', $5, 'aside',
                 0, $6, $7, $7, $7)
         ON CONFLICT (integration, since, slot) DO UPDATE SET payload = excluded.payload,
             trouble = excluded.trouble, ended_at = excluded.ended_at",
        values![
            new_id(),
            &record.id,
            record.address_since,
            BEYOND,
            all.to_string(),
            format!("there is no room for {all} more, the last of which came at {at}"),
            at,
        ],
    )
    .await?;
    Ok(())
}

fn report(row: &Row) -> Result<NoticeReport, Error> {
    let word = row.word("state")?;
    let state = NoticeState::ALL.into_iter().find(|it| it.as_str() == word);
    Ok(NoticeReport {
        id: row.text("id")?,
        about: row.text("about")?,
        state: state.ok_or_else(|| corrupt("column state", format!("`{word}` is no state")))?,
        attempts: attempts(row)?,
        trouble: row.maybe_text("trouble")?,
        heard: row.moment("heard_at")?,
        ended: row.maybe_moment("ended_at")?,
    })
}

fn payload(row: &Row) -> Result<Json, Error> {
    let payload = serde_json::from_str(&row.text("payload")?);
    payload.map_err(|error| corrupt("column payload", error.to_string()))
}

fn attempts(row: &Row) -> Result<u32, Error> {
    let attempts = row.int("attempts")?;
    u32::try_from(attempts)
        .map_err(|_| corrupt("column attempts", format!("`{attempts}` is no number of tries")))
}

fn corrupt(what: &str, why: String) -> Error {
    Error::Corrupt { what: what.to_owned(), why }
}
