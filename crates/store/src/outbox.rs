//! The outbox: what is to be told, kept together with how far events were looked through, until
//! somebody took it.

use std::collections::{BTreeMap, BTreeSet};

use model::{Deployment, Moment, OrganisationId};
use serde_json::Value as Json;

use crate::contract::{
    Bundle, Error, NewMessage, OutboxEntry, OutboxState, Page, Paged, Recollection, SWITCHED_OFF,
    WaitingMessage,
};
use crate::db::{Query, Row, Tx, Value, placeholders, values};
use crate::{Store, deployments, jobs, names, new_id};

/// Rows of one statement.
const ROWS: usize = 500;
/// What a rule remembers of what it told.
const REMEMBERED: i64 = 100_000;
/// Bytes of a line.
const LINE: usize = 300;
const SELECT: &str = "
    SELECT m.id, r.name AS rule, m.rule AS rule_id, m.key, m.body, m.attempts, m.due_at
    FROM outbox m LEFT JOIN rules r ON r.id = m.rule";

impl Store {
    /// Keeps what came of looking through events, with how far that was: all of it, or nothing. It is
    /// kept if that was looked from where the last look ended, and what is gone on with is as it was
    /// read. Otherwise somebody was quicker, and it says no.
    pub async fn tell(
        &self,
        organisation: &OrganisationId,
        at: Moment,
        bundle: &Bundle<'_>,
    ) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        let sql = "SELECT cursor FROM told_until WHERE organisation = $1";
        let held = tx.hold(sql, values![&organisation.0]).await?;
        let held = held.map(|it| it.text("cursor")).transpose()?;
        if held.as_deref() != Some(bundle.from) {
            return Ok(false);
        }
        let sql = "SELECT id, integration FROM rules WHERE organisation = $1";
        let mut there = BTreeSet::new();
        for row in tx.rows(sql, values![&organisation.0]).await? {
            there.insert((row.text("id")?, row.text("integration")?));
        }
        for message in bundle.messages {
            // A rule that is gone, or tells by another integration, tells this no more.
            if !there.contains(&(message.rule.clone(), message.integration.clone())) {
                continue;
            }
            if !put(&mut tx, organisation, at, message).await? {
                return Ok(false);
            }
        }
        let rules: BTreeSet<&str> = there.iter().map(|it| it.0.as_str()).collect();
        let told: Vec<&Recollection> =
            bundle.told.iter().filter(|it| rules.contains(it.rule.as_str())).collect();
        for part in told.chunks(ROWS) {
            let values: Vec<Value> =
                part.iter().flat_map(|it| values![&it.rule, &it.what, it.severity, at]).collect();
            let sql = format!(
                "INSERT INTO told (rule, what, severity, at) VALUES {}
                 ON CONFLICT (rule, what) DO UPDATE SET severity = excluded.severity,
                     at = excluded.at",
                placeholders(0, part.len(), 4)
            );
            tx.run(sql, values).await?;
        }
        let sql = "UPDATE told_until SET cursor = $2 WHERE organisation = $1";
        tx.run(sql, values![&organisation.0, bundle.to]).await?;
        if !bundle.jobs.is_empty() {
            jobs::add(&mut tx, bundle.jobs).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// What a rule told of since a moment, and how bad that was said to be.
    pub async fn recollections(
        &self,
        rule: &str,
        since: Moment,
    ) -> Result<BTreeMap<String, i64>, Error> {
        let sql = "SELECT what, severity FROM told WHERE rule = $1 AND at >= $2
                   ORDER BY at DESC LIMIT $3";
        let rows = self.db.rows(sql, values![rule, since, REMEMBERED]).await?;
        rows.iter().map(|it| Ok((it.text("what")?, it.int("severity")?))).collect()
    }

    /// What waits by a rule and nobody has tried to tell yet, under keys that begin so; a prefix
    /// is of plain letters.
    pub async fn untried_messages(
        &self,
        organisation: &OrganisationId,
        prefix: &str,
    ) -> Result<Vec<WaitingMessage>, Error> {
        // The others may be tens of thousands, and are none of its business.
        let sql = format!(
            "{SELECT} WHERE m.organisation = $1 AND m.state = 'waiting' AND m.attempts = 0
             AND m.rule IS NOT NULL AND m.key LIKE $2 ORDER BY m.id"
        );
        let rows = self.db.rows(sql, values![&organisation.0, format!("{prefix}%")]).await?;
        rows.iter().map(read).collect()
    }

    /// How much waits by each rule, by its id.
    pub async fn count_waiting(
        &self,
        organisation: &OrganisationId,
    ) -> Result<BTreeMap<String, u64>, Error> {
        let sql = "SELECT rule, COUNT(*) AS rows FROM outbox
                   WHERE organisation = $1 AND state = 'waiting' AND rule IS NOT NULL GROUP BY rule";
        let rows = self.db.rows(sql, values![&organisation.0]).await?;
        let pair = |row: &Row| {
            Ok((row.text("rule")?, u64::try_from(row.int("rows")?).unwrap_or_default()))
        };
        rows.iter().map(pair).collect()
    }

    /// The integrations that have something to tell by now, each with whose it is; but for those that
    /// are switched off.
    pub async fn due_channels(&self, now: Moment) -> Result<Vec<(String, OrganisationId)>, Error> {
        let sql = "SELECT i.id, i.organisation FROM integrations i
                   JOIN organisations o ON o.id = i.organisation
                   WHERE i.deleting = 0 AND o.deleting = 0
                   AND NOT (i.state = 'failed' AND i.why LIKE $2)
                   AND EXISTS (SELECT 1 FROM outbox m WHERE m.integration = i.id
                               AND m.state = 'waiting' AND m.ready_at <= $1)
                   ORDER BY i.id";
        let rows = self.db.rows(sql, values![now, format!("{SWITCHED_OFF}%")]).await?;
        let pair = |row: &Row| Ok((row.text("id")?, OrganisationId(row.text("organisation")?)));
        rows.iter().map(pair).collect()
    }

    /// What an integration is to tell next by now: what was to be told first, first, however often it
    /// was tried; but after the others what was tried `often` times.
    pub async fn next_message(
        &self,
        integration: &str,
        now: Moment,
        often: u32,
    ) -> Result<Option<WaitingMessage>, Error> {
        let sql = format!(
            "{SELECT} WHERE m.integration = $1 AND m.state = 'waiting' AND m.ready_at <= $2
             ORDER BY CASE WHEN m.attempts < $3 THEN 0 ELSE 1 END, m.due_at, m.id LIMIT 1"
        );
        let values = values![integration, now, i64::from(often)];
        self.db.row(sql, values).await?.as_ref().map(read).transpose()
    }

    /// It is tried once more: from now on nothing is put into it. Says what it is by then; none, if it
    /// waits no more.
    pub async fn begin_message(&self, id: &str) -> Result<Option<WaitingMessage>, Error> {
        let mut tx = self.db.write().await?;
        let sql = "UPDATE outbox SET attempts = attempts + 1 WHERE id = $1 AND state = 'waiting'";
        if tx.run(sql, values![id]).await? == 0 {
            return Ok(None);
        }
        let row = tx.row(format!("{SELECT} WHERE m.id = $1"), values![id]).await?;
        let message = row.as_ref().map(read).transpose()?;
        tx.commit().await?;
        Ok(message)
    }

    /// It is tried again, but not before a moment.
    pub async fn message_waits(&self, id: &str, why: &str, ready: Moment) -> Result<(), Error> {
        let sql = "UPDATE outbox SET trouble = $2, ready_at = $3
                   WHERE id = $1 AND state = 'waiting'";
        self.put_message(sql, values![id, cut(why), ready]).await
    }

    /// It is over with it: somebody took it, or nobody will.
    pub async fn message_ended(
        &self,
        id: &str,
        state: OutboxState,
        why: Option<&str>,
        now: Moment,
    ) -> Result<(), Error> {
        let sql = "UPDATE outbox SET state = $2, trouble = $3, ended_at = $4
                   WHERE id = $1 AND state = 'waiting'";
        self.put_message(sql, values![id, state.as_str(), why.map(cut), now]).await
    }

    /// What was to be told by an integration before a moment, and nobody took, is told no more; but
    /// one message in its stead, which is made of how much that was, when the first of it was to be
    /// told, and of the keys and bodies of a former such message. Says how much it was.
    pub async fn give_up_messages(
        &self,
        (organisation, integration): (&OrganisationId, &str),
        before: Moment,
        now: Moment,
        (key, why): (&str, &str),
        instead: impl FnOnce(u64, Moment, Vec<Json>) -> (String, Json),
    ) -> Result<u64, Error> {
        let mut tx = self.db.write().await?;
        let sql = "SELECT id FROM integrations WHERE id = $1 AND deleting = 0";
        if tx.hold(sql, values![integration]).await?.is_none() {
            return Ok(0);
        }
        // Of the others, which may be many and long, nobody asks what they say.
        let sql = "SELECT id, key, CASE WHEN key LIKE $4 THEN body ELSE '' END AS body, due_at
                   FROM outbox WHERE integration = $1
                   AND state = 'waiting' AND due_at < $2 AND ready_at <= $3 ORDER BY due_at, id";
        let rows = tx.rows(sql, values![integration, before, now, format!("{key}%")]).await?;
        let Some(first) = rows.first() else { return Ok(0) };
        let first = first.moment("due_at")?;
        let (mut former, mut count) = (Vec::new(), 0);
        for row in &rows {
            if row.word("key")?.starts_with(key) {
                former.push(body(row)?);
            } else {
                count += 1;
            }
            let sql = "UPDATE outbox SET state = $2, trouble = $3, ended_at = $4 WHERE id = $1";
            let state = OutboxState::Failed.as_str();
            tx.run(sql, values![row.text("id")?, state, cut(why), now]).await?;
        }
        let (about, body) = instead(count, first, former);
        let id = new_id();
        let sql =
            "INSERT INTO outbox (id, organisation, integration, rule, key, about, body, state,
                                       attempts, created_at, due_at, ready_at)
                   VALUES ($1, $2, $3, NULL, $4, $5, $6, 'waiting', 0, $7, $7, $7)";
        let key = format!("{key} {id}");
        let body = body.to_string();
        tx.run(sql, values![&id, &organisation.0, integration, key, cut(&about), body, now])
            .await?;
        tx.commit().await?;
        Ok(count)
    }

    /// What is to be told and was, the latest first; in one state, or in all.
    pub async fn outbox(
        &self,
        organisation: &OrganisationId,
        state: Option<OutboxState>,
        page: &Page,
    ) -> Result<Paged<OutboxEntry>, Error> {
        let limit = page.rows();
        let mut query = Query::new(
            "SELECT m.id, r.name AS rule, i.kind, i.name AS channel, m.about, m.state, m.attempts,
                    m.trouble, m.created_at, m.ready_at, m.ended_at
             FROM outbox m JOIN integrations i ON i.id = m.integration
             LEFT JOIN rules r ON r.id = m.rule",
            vec![],
        );
        query.with("WHERE m.organisation = $?", &organisation.0);
        if let Some(state) = state {
            query.with("AND m.state = $?", state.as_str());
        }
        if let Some(after) = &page.after {
            query.with("AND m.id < $?", after);
        }
        query.then(&format!("ORDER BY m.id DESC LIMIT {}", limit + 1));
        let (sql, values) = query.into_parts();
        let rows = self.db.rows(sql, values).await?;
        let rows = rows.iter().map(entry).collect::<Result<_, _>>()?;
        Ok(Paged::of(rows, limit, |it: &OutboxEntry| it.id.clone()))
    }

    /// What was given up is to be told once more, all of it or one alone, and what waits for its next
    /// try, now. Says how much that is, and by which integrations.
    pub async fn retry_messages(
        &self,
        organisation: &OrganisationId,
        message: Option<&str>,
        now: Moment,
    ) -> Result<BTreeMap<String, u64>, Error> {
        let mut tx = self.db.write().await?;
        let mut query = Query::new(
            "UPDATE outbox SET state = 'waiting', attempts = 0, trouble = NULL, ended_at = NULL,",
            vec![],
        );
        query.with("due_at = $?,", now);
        query.with("ready_at = $?", now);
        query.with("WHERE organisation = $?", &organisation.0);
        query.then("AND (state IN ('failed', 'dropped') OR state = 'waiting' AND attempts > 0)");
        if let Some(message) = message {
            query.with("AND id = $?", message);
        }
        query.then("RETURNING integration");
        let (sql, values) = query.into_parts();
        let mut revived = BTreeMap::new();
        for row in tx.rows(sql, values).await? {
            *revived.entry(row.text("integration")?).or_insert(0) += 1;
        }
        for integration in revived.keys() {
            // Whoever was to try it later does not any more: it is due now.
            let sql = "DELETE FROM jobs WHERE kind = 'deliver' AND key = $1 AND state = 'ready'";
            tx.run(sql, values![integration]).await?;
        }
        tx.commit().await?;
        Ok(revived)
    }

    /// Forgets what was told before one moment, what was given up before another, and of what rules
    /// told before a third. Says how much that was.
    pub async fn forget_messages(
        &self,
        sent: Moment,
        given_up: Moment,
        told: Moment,
    ) -> Result<u64, Error> {
        let mut forgotten = 0;
        for (state, before) in [
            (OutboxState::Sent, sent),
            (OutboxState::Failed, given_up),
            (OutboxState::Dropped, given_up),
        ] {
            let fits = "state = $1 AND ended_at < $2";
            let values = values![state.as_str(), before];
            forgotten += self.delete_parts(("outbox", "id"), fits, values).await?;
        }
        forgotten += self.delete_parts(("told", "rule, what"), "at < $1", values![told]).await?;
        Ok(forgotten)
    }

    /// What runs of some images, at most so many of each part of them.
    pub async fn running_of(
        &self,
        organisation: &OrganisationId,
        digests: &BTreeSet<String>,
        most: usize,
    ) -> Result<Vec<Deployment>, Error> {
        let digests: Vec<&str> = digests.iter().map(String::as_str).collect();
        let mut found = Vec::new();
        for part in digests.chunks(ROWS) {
            let mut query = Query::new(deployments::SELECT, vec![]);
            query.with("WHERE d.organisation = $?", &organisation.0);
            query.with_all("AND d.until_at IS NULL AND d.digest IN $?", part.to_vec());
            query.with("ORDER BY d.from_at DESC, d.id LIMIT $?", most);
            let (sql, values) = query.into_parts();
            for row in self.db.rows(sql, values).await? {
                found.push(deployments::read(&row)?);
            }
        }
        Ok(found)
    }

    /// What the application of a deployment ran there before it, if that is known.
    pub async fn former_of(
        &self,
        organisation: &OrganisationId,
        deployment: &str,
    ) -> Result<Option<Deployment>, Error> {
        let sql = format!(
            "{} JOIN deployments t ON t.environment = d.environment AND t.slot = d.slot
                 AND t.application = d.application AND t.platform = d.platform
             WHERE t.id = $2 AND t.organisation = $1 AND d.from_at < t.from_at
             ORDER BY d.from_at DESC, d.id DESC LIMIT 1",
            deployments::SELECT
        );
        let row = self.db.row(sql, values![&organisation.0, deployment]).await?;
        row.as_ref().map(deployments::read).transpose()
    }

    /// What runs by a tag.
    pub async fn running_by_tag(
        &self,
        organisation: &OrganisationId,
        repository: &str,
        tag: &str,
    ) -> Result<Vec<Deployment>, Error> {
        let sql = format!(
            "{} WHERE d.organisation = $1 AND d.repository = $2 AND d.tag = $3
             AND d.until_at IS NULL ORDER BY d.from_at, d.id LIMIT 1000",
            deployments::SELECT
        );
        let rows = self.db.rows(sql, values![&organisation.0, repository, tag]).await?;
        rows.iter().map(deployments::read).collect()
    }

    async fn put_message(&self, sql: &'static str, values: Vec<Value>) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        tx.run(sql, values).await?;
        tx.commit().await
    }
}

/// Puts it there, or goes on with what is. Says no where that is not any more as it was.
async fn put(
    tx: &mut Tx,
    organisation: &OrganisationId,
    at: Moment,
    message: &NewMessage,
) -> Result<bool, Error> {
    let (about, body) = (cut(&message.about), message.body.to_string());
    if let Some((id, former)) = &message.instead_of {
        let sql = "UPDATE outbox SET about = $2, body = $3 WHERE id = $1 AND body = $4
                   AND state = 'waiting' AND attempts = 0";
        return Ok(tx.run(sql, values![id, about, body, former.to_string()]).await? == 1);
    }
    let sql = "INSERT INTO outbox (id, organisation, integration, rule, key, about, body, state,
                                   attempts, created_at, due_at, ready_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', 0, $8, $9, $9)
               ON CONFLICT (rule, key) DO NOTHING";
    let values = values![
        new_id(),
        &organisation.0,
        &message.integration,
        &message.rule,
        &message.key,
        about,
        body,
        at,
        message.ready,
    ];
    tx.run(sql, values).await?;
    Ok(true)
}

/// One line, cut where it is too long.
fn cut(text: &str) -> String {
    let text = names::told(text);
    let mut end = text.len().min(LINE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

fn body(row: &Row) -> Result<Json, Error> {
    let text = row.text("body")?;
    serde_json::from_str(&text)
        .map_err(|error| Error::Corrupt { what: "column body".to_owned(), why: error.to_string() })
}

fn read(row: &Row) -> Result<WaitingMessage, Error> {
    Ok(WaitingMessage {
        id: row.text("id")?,
        rule: row.maybe_text("rule")?,
        rule_id: row.maybe_text("rule_id")?,
        key: row.text("key")?,
        body: body(row)?,
        attempts: u32::try_from(row.int("attempts")?).unwrap_or(u32::MAX),
        due: row.moment("due_at")?,
    })
}

fn entry(row: &Row) -> Result<OutboxEntry, Error> {
    let state = row.word("state")?;
    Ok(OutboxEntry {
        id: row.text("id")?,
        rule: row.maybe_text("rule")?,
        kind: row.text("kind")?,
        channel: row.text("channel")?,
        about: row.text("about")?,
        state: OutboxState::ALL.into_iter().find(|it| it.as_str() == state).ok_or_else(|| {
            Error::Corrupt { what: "column state".to_owned(), why: format!("`{state}` is none") }
        })?,
        attempts: u32::try_from(row.int("attempts")?).unwrap_or(u32::MAX),
        trouble: row.maybe_text("trouble")?,
        created: row.moment("created_at")?,
        ready: row.moment("ready_at")?,
        ended: row.maybe_moment("ended_at")?,
    })
}
