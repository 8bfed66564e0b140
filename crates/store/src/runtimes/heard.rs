//! Who is heard of a runtime, and whose word counts.

use model::{Act, EventKind, Moment, OrganisationId};
use serde_json::json;

use super::every;
use crate::contract::{Error, Snapshot, is_silent};
use crate::db::{Row, Tx, values};
use crate::{Store, events, names};

/// Seconds by which a reporter's clock may be ahead of ours before it is taken to be wrong, and for which
/// what comes late may be under way: who is further behind had their clock set back.
const LATE: i64 = 5 * 60;

const SELECT: &str = "SELECT id, name, agent, seen_at, heard_at, every, mark, changed_at,
                             silent_since FROM runtimes";

/// What the word of somebody who reports a runtime is worth.
pub(super) enum Word {
    /// It is what counts.
    Counts,
    /// Another one's word counts, who says the same.
    Same,
    /// Another one's word counts, or a later one was told before.
    Refused(Error),
}

/// A runtime that nobody else changes before the end.
pub(super) struct Kept {
    pub(super) id: String,
    pub(super) name: String,
    agent: String,
    seen: Moment,
    pub(super) heard: Moment,
    pub(super) every: u32,
    pub(super) mark: String,
    pub(super) changed: Moment,
    pub(super) silent_since: Option<Moment>,
}

impl Kept {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.text("id")?,
            name: row.text("name")?,
            agent: row.text("agent")?,
            seen: row.moment("seen_at")?,
            heard: row.moment("heard_at")?,
            every: every(row)?,
            mark: row.text("mark")?,
            changed: row.moment("changed_at")?,
            silent_since: row.maybe_moment("silent_since")?,
        })
    }

    pub(super) async fn hold(tx: &mut Tx, id: &str) -> Result<Option<Self>, Error> {
        let sql = asked(" WHERE id = $1", tx.holding());
        tx.row(sql, values![id]).await?.as_ref().map(Self::read).transpose()
    }

    pub(super) async fn find(
        tx: &mut Tx,
        organisation: &OrganisationId,
        name: &str,
    ) -> Result<Option<Self>, Error> {
        let sql = asked(" WHERE organisation = $1 AND name = $2", tx.holding());
        let row = tx.row(sql, values![&organisation.0, name]).await?;
        row.as_ref().map(Self::read).transpose()
    }

    pub(super) async fn hold_or_make(
        tx: &mut Tx,
        organisation: &OrganisationId,
        act: &Act,
        name: &str,
        snapshot: &Snapshot,
    ) -> Result<Self, Error> {
        let sql = "INSERT INTO runtimes (id, organisation, name, kind, agent, seen_at, heard_at,
                                         every, mark, gaps, changed_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', '[]', $6)
                   ON CONFLICT (organisation, name) DO NOTHING";
        let values = values![
            super::id(),
            &organisation.0,
            name,
            &snapshot.kind,
            names::told(&snapshot.agent),
            0_i64,
            act.at,
            i64::from(snapshot.every),
        ];
        tx.run(sql, values).await?;
        Self::find(tx, organisation, name).await?.ok_or(Error::Gone("runtime"))
    }

    /// Does what somebody says count? If not, that they were heard is written down.
    pub(super) async fn admit(
        &self,
        tx: &mut Tx,
        act: &Act,
        snapshot: &Snapshot,
    ) -> Result<Word, Error> {
        let agent = names::told(&snapshot.agent);
        if agent == self.agent {
            let seen = seen(snapshot.seen, act.at);
            let behind = self.seen.micros().saturating_sub(seen.micros());
            if behind > 0 && behind <= LATE * 1_000_000 {
                return Ok(Word::Refused(Error::InUse {
                    what: self.what(),
                    why: "what was seen later was told before".to_owned(),
                    hint: "say what runs now".to_owned(),
                }));
            }
            return Ok(Word::Counts);
        }
        let differs = self.mark != snapshot.mark;
        let is_known = !self.mark.is_empty();
        if is_silent(self.heard, self.every, act.at) || !differs && self.is_missed(act.at) {
            return Ok(Word::Counts);
        }
        // Where the first is to tell anew what is true, nobody knows whether the two differ.
        self.note_other(tx, act, &agent, differs && is_known).await?;
        Ok(if differs { Word::Refused(self.taken(act.at)) } else { Word::Same })
    }

    /// Is another one heard, too, that says the same? Then the one whose word counts is gone sooner: nothing
    /// changes by it.
    fn is_missed(&self, now: Moment) -> bool {
        now > self.heard.plus_seconds(i64::from(self.every).saturating_mul(2))
    }

    async fn note_other(
        &self,
        tx: &mut Tx,
        act: &Act,
        agent: &str,
        differs: bool,
    ) -> Result<(), Error> {
        let sql = "UPDATE runtimes SET other = $2, other_heard_at = $3, other_differs = $4
                   WHERE id = $1";
        tx.run(sql, values![&self.id, agent, act.at, i64::from(differs)]).await.map(|_| ())
    }

    /// Another one is heard of who reports it.
    fn taken(&self, now: Moment) -> Error {
        let since = now.micros().saturating_sub(self.heard.micros()).max(0) / 1_000_000;
        let left = i64::from(self.every).saturating_mul(3).saturating_sub(since).max(0);
        Error::InUse {
            what: self.what(),
            why: format!("`{}` reports it, and was heard of {since} s ago", self.agent),
            hint: format!(
                "give each cluster a name of its own, or end that one: your word counts {left} s \
                 after its last"
            ),
        }
    }

    fn what(&self) -> String {
        format!("runtime `{}`", self.name)
    }

    /// It is heard of: this is what it says now.
    pub(super) async fn hear(
        &self,
        tx: &mut Tx,
        organisation: &OrganisationId,
        act: &Act,
        snapshot: &Snapshot,
    ) -> Result<(), Error> {
        let agent = names::told(&snapshot.agent);
        let gaps = serde_json::to_string(&snapshot.gaps).unwrap_or_default();
        let sql = "UPDATE runtimes SET kind = $2, agent = $3, seen_at = $4, heard_at = $5,
                          every = $6, mark = $7, gaps = $8, changed_at = $9 WHERE id = $1";
        let values = values![
            &self.id,
            names::told(&snapshot.kind),
            &agent,
            seen(snapshot.seen, act.at),
            act.at,
            i64::from(snapshot.every),
            &self.mark,
            gaps,
            self.changed,
        ];
        tx.run(sql, values).await?;
        self.alone(tx, &agent).await?;
        self.awake(tx, organisation, act).await
    }

    /// Where the word of this one counts from now on, it is not that of another any more.
    async fn alone(&self, tx: &mut Tx, agent: &str) -> Result<(), Error> {
        if agent == self.agent {
            return Ok(());
        }
        let sql = "UPDATE runtimes SET other = NULL, other_heard_at = NULL, other_differs = 0
                   WHERE id = $1";
        tx.run(sql, values![&self.id]).await.map(|_| ())
    }

    /// If it was told to be silent, it is not any more.
    async fn awake(
        &self,
        tx: &mut Tx,
        organisation: &OrganisationId,
        act: &Act,
    ) -> Result<(), Error> {
        let Some(since) = self.silent_since else { return Ok(()) };
        let sql = "UPDATE runtimes SET silent_since = NULL WHERE id = $1";
        tx.run(sql, values![&self.id]).await?;
        let environments = super::list::environments(tx, &self.id).await?;
        let detail = json!({ "silent_since": since.to_string(), "environments": environments });
        let note = events::Note::new(EventKind::RuntimeHeard, &self.name).detail(detail);
        note.write(tx, organisation, act).await
    }

    /// When something of it changes that changes now: behind all that changed before.
    pub(super) fn moment(&self, now: Moment) -> Moment {
        now.max(self.changed.next())
    }
}

impl Store {
    /// Takes note that all that a runtime said last still holds. Where that is not what this agent says,
    /// or is not known any more, it is an error: the snapshot is to be sent again.
    pub async fn heartbeat(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        runtime: &str,
        agent: &str,
        mark: &str,
    ) -> Result<(), Error> {
        let name = names::cleaned("runtime", runtime)?;
        let agent = names::told(agent);
        let again = || Error::InUse {
            what: format!("runtime `{name}`"),
            why: "this is not what is known of it".to_owned(),
            hint: "send the snapshot again".to_owned(),
        };
        if mark.is_empty() {
            return Err(again());
        }
        let mut tx = self.db.write().await?;
        // Mostly, one small row is written, and no more.
        let sql = "UPDATE runtimes SET heard_at = $5 WHERE organisation = $1 AND name = $2
                   AND agent = $3 AND mark = $4 AND silent_since IS NULL AND heard_at <= $5";
        if tx.run(sql, values![&organisation.0, &name, &agent, mark, act.at]).await? == 1 {
            return tx.commit().await;
        }
        let Some(kept) = Kept::find(&mut tx, organisation, &name).await? else {
            return Err(again());
        };
        let is_known = kept.mark == mark;
        if kept.agent == agent || is_known && kept.is_missed(act.at) {
            if !is_known {
                return Err(again());
            }
            let sql = "UPDATE runtimes SET agent = $2, heard_at = $3 WHERE id = $1";
            tx.run(sql, values![&kept.id, &agent, act.at]).await?;
            kept.alone(&mut tx, &agent).await?;
            kept.awake(&mut tx, organisation, act).await?;
            return tx.commit().await;
        }
        let differs = !is_known && !kept.mark.is_empty();
        kept.note_other(&mut tx, act, &agent, differs).await?;
        tx.commit().await?;
        if is_known { Ok(()) } else { Err(again()) }
    }
}

/// When something was seen, by a clock that is not ahead of ours by much.
fn seen(told: Moment, now: Moment) -> Moment {
    if told > now.plus_seconds(LATE) { now } else { told }
}

fn asked(which: &str, how: &str) -> String {
    format!("{SELECT}{which} {how}")
}
