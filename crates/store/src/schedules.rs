//! Schedules: what is checked again and again, whose turn it is, and what came of it.

use model::{Act, EventKind, Moment, OrganisationId};
use serde_json::{Value as Json, json};

use crate::contract::{Error, NewJob, NewSchedule, ScheduleRecord, Turn};
use crate::db::{Row, Tx, values};
use crate::{Store, definitions, environments, events, jobs, names, new_id};

const SELECT: &str = "
    SELECT s.id, s.organisation, s.name, s.environment, s.cron, s.zone, s.question, s.revision,
           s.next_at, s.due_at, s.checked_at, s.verdict, s.outcome, s.created_at, s.created_by,
           e.id AS there
    FROM schedules s
    LEFT JOIN environments e ON e.organisation = s.organisation AND e.name = s.environment";

/// The lock of all who change several, so that no two wait for each other.
pub(crate) const SCHEDULES: &str = "schedules";
/// Schedules of one organisation.
const MOST: i64 = 1_000;
/// Bytes of what one looks for, and of what came of it, as they are written.
const LONGEST: usize = 64 << 10;
/// Clocks differ by so many seconds without harm.
const SKEW: i64 = 300;

impl Store {
    /// Keeps a schedule, instead of the one of that name. What came of another question is forgotten.
    /// Says how it is kept, and whether it is new.
    pub async fn put_schedule(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        new: &NewSchedule<'_>,
    ) -> Result<(ScheduleRecord, bool), Error> {
        let name = names::cleaned("schedule", new.name)?;
        let question = new.question.to_string();
        if question.len() > LONGEST || new.cron.len() > LONGEST || new.zone.len() > LONGEST {
            return Err(refused(&name, "what it looks for is too long"));
        }
        let mut tx = self.db.write().await?;
        // Held before the lock of schedules: so does whoever renames it.
        let place = environments::hold(&mut tx, organisation, new.environment).await?;
        tx.lock(SCHEDULES, true).await?;
        let former = find(&mut tx, organisation, &name).await?;
        if let Some(former) = &former {
            let is_same = former.environment == place.name && former.question == *new.question;
            let last = is_same.then_some(former);
            let verdict = last.and_then(|it| it.verdict.clone());
            let outcome = last.and_then(|it| it.outcome.as_ref()).map(ToString::to_string);
            let checked = last.and_then(|it| it.checked).map(Moment::micros);
            tx.run(
                "UPDATE schedules SET environment = $2, cron = $3, zone = $4, question = $5,
                        revision = revision + 1, next_at = $6, turned_at = $7, due_at = NULL,
                        verdict = $8, checked_at = $9, outcome = $10
                 WHERE id = $1",
                values![
                    &former.id,
                    &place.name,
                    new.cron,
                    new.zone,
                    question,
                    new.next.map(Moment::micros),
                    act.at,
                    verdict,
                    checked,
                    outcome,
                ],
            )
            .await?;
        } else {
            if !definitions::has_room(&mut tx, "schedules", organisation, MOST).await? {
                return Err(refused(&name, "there are too many already"));
            }
            tx.run(
                "INSERT INTO schedules (id, organisation, name, environment, cron, zone, question,
                                        revision, next_at, turned_at, created_at, created_by)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $9, $10)",
                values![
                    new_id(),
                    &organisation.0,
                    &name,
                    &place.name,
                    new.cron,
                    new.zone,
                    question,
                    new.next.map(Moment::micros),
                    act.at,
                    names::told(&act.who),
                ],
            )
            .await?;
        }
        let detail = json!({
            "new": former.is_none(),
            "cron": new.cron,
            "zone": new.zone,
            "question": new.question,
        });
        let note = events::Note::new(EventKind::ScheduleSet, &name).within(&place.id, &place.name);
        note.detail(detail).write(&mut tx, organisation, act).await?;
        let record = find(&mut tx, organisation, &name).await?;
        tx.commit().await?;
        record.map(|it| (it, former.is_none())).ok_or(Error::Gone("schedule"))
    }

    /// The schedules of an organisation, by name.
    pub async fn schedules(
        &self,
        organisation: &OrganisationId,
    ) -> Result<Vec<ScheduleRecord>, Error> {
        let sql = format!("{SELECT} WHERE s.organisation = $1 ORDER BY s.name");
        self.db.rows(sql, values![&organisation.0]).await?.iter().map(read).collect()
    }

    /// The schedule of that name.
    pub async fn schedule(
        &self,
        organisation: &OrganisationId,
        name: &str,
    ) -> Result<Option<ScheduleRecord>, Error> {
        let sql = format!("{SELECT} WHERE s.organisation = $1 AND s.name = $2");
        let row = self.db.row(sql, values![&organisation.0, names::normal(name)]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Those that are to be checked, longest waiting first.
    pub async fn awaited_schedules(
        &self,
        organisation: &OrganisationId,
    ) -> Result<Vec<ScheduleRecord>, Error> {
        let sql = format!(
            "{SELECT} WHERE s.organisation = $1 AND s.due_at IS NOT NULL ORDER BY s.due_at, s.id"
        );
        self.db.rows(sql, values![&organisation.0]).await?.iter().map(read).collect()
    }

    /// Deletes a schedule. Says whether there was one.
    pub async fn delete_schedule(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        name: &str,
    ) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        tx.lock(SCHEDULES, true).await?;
        let Some(former) = find(&mut tx, organisation, &names::normal(name)).await? else {
            return Ok(false);
        };
        tx.run("DELETE FROM schedules WHERE id = $1", values![&former.id]).await?;
        note(&mut tx, organisation, act, &former, EventKind::ScheduleDeleted, json!({})).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Whose turn has come by now, longest waiting first, at most so many; and those whose next turn a
    /// clock worked out that has been set back since.
    pub async fn turns(&self, now: Moment, most: u32) -> Result<Vec<Turn>, Error> {
        let sql = "SELECT s.id, s.organisation, s.cron, s.zone, s.next_at
                   FROM schedules s JOIN organisations o ON o.id = s.organisation
                   WHERE o.deleting = 0 AND (s.next_at <= $1 OR s.turned_at > $2)
                   ORDER BY s.next_at, s.id LIMIT $3";
        let values = values![now, now.plus_seconds(SKEW), i64::from(most)];
        let turn = |row: &Row| {
            let at = row.maybe_moment("next_at")?;
            Ok(Turn {
                id: row.text("id")?,
                organisation: OrganisationId(row.text("organisation")?),
                cron: row.text("cron")?,
                zone: row.text("zone")?,
                at,
                has_come: at.is_some_and(|at| at <= now),
            })
        };
        self.db.rows(sql, values).await?.iter().map(turn).collect()
    }

    /// Takes these turns, each with when the next one is; those that have come are to be checked, by a
    /// job that `work` makes for their organisation. Of those that somebody else took already nothing
    /// is done. Says how many were taken.
    pub async fn take_turns(
        &self,
        turns: &[(Turn, Option<Moment>)],
        now: Moment,
        work: impl Fn(&OrganisationId) -> NewJob,
    ) -> Result<u64, Error> {
        let mut tx = self.db.write().await?;
        tx.lock(SCHEDULES, true).await?;
        let (mut taken, mut whose) = (0, std::collections::BTreeSet::new());
        for (turn, next) in turns {
            let due = turn.has_come.then_some(now.micros());
            let sql = "UPDATE schedules SET next_at = $3, turned_at = $4,
                              due_at = COALESCE(due_at, $5)
                       WHERE id = $1 AND COALESCE(next_at, -1) = $2";
            let values = values![
                &turn.id,
                turn.at.map_or(-1, Moment::micros),
                next.map(Moment::micros),
                now,
                due
            ];
            let ours = tx.run(sql, values).await?;
            taken += ours;
            if ours > 0 && turn.has_come {
                whose.insert(&turn.organisation);
            }
        }
        let jobs: Vec<NewJob> = whose.into_iter().map(work).collect();
        jobs::add(&mut tx, &jobs).await?;
        tx.commit().await?;
        Ok(taken)
    }

    /// A schedule is to be checked now, whenever its turn is. Says whether there is one.
    pub async fn ask_schedule(
        &self,
        organisation: &OrganisationId,
        name: &str,
        now: Moment,
        work: NewJob,
    ) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        tx.lock(SCHEDULES, true).await?;
        let sql = "UPDATE schedules SET due_at = COALESCE(due_at, $3)
                   WHERE organisation = $1 AND name = $2";
        if tx.run(sql, values![&organisation.0, names::normal(name), now]).await? == 0 {
            return Ok(false);
        }
        jobs::add(&mut tx, &[work]).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Writes down what came of checking a schedule, and tells it by an event of that kind, if any.
    /// Says no where somebody was quicker, or where it was told something else meanwhile.
    pub async fn checked(
        &self,
        record: &ScheduleRecord,
        act: &Act,
        verdict: &str,
        outcome: &Json,
        told: Option<(EventKind, Json)>,
    ) -> Result<bool, Error> {
        let outcome = outcome.to_string();
        if outcome.len() > LONGEST {
            return Err(refused(&record.name, "what came of it is too long"));
        }
        let mut tx = self.db.write().await?;
        tx.lock(SCHEDULES, true).await?;
        let sql = "UPDATE schedules SET verdict = $4, outcome = $5, checked_at = $6, due_at = NULL
                   WHERE id = $1 AND revision = $2 AND due_at = $3";
        let values = values![
            &record.id,
            record.revision,
            record.due.map(Moment::micros),
            verdict,
            outcome,
            act.at
        ];
        if tx.run(sql, values).await? == 0 {
            return Ok(false);
        }
        if let Some((kind, detail)) = told {
            note(&mut tx, &record.organisation, act, record, kind, detail).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// An environment has another name. Whoever names it so holds it.
pub(crate) async fn rename(
    tx: &mut Tx,
    organisation: &OrganisationId,
    from: &str,
    to: &str,
) -> Result<(), Error> {
    tx.lock(SCHEDULES, true).await?;
    let sql = "UPDATE schedules SET environment = $3 WHERE organisation = $1 AND environment = $2";
    tx.run(sql, values![&organisation.0, from, to]).await.map(|_| ())
}

/// An event about a schedule, in its environment as far as that is there.
async fn note(
    tx: &mut Tx,
    organisation: &OrganisationId,
    act: &Act,
    record: &ScheduleRecord,
    kind: EventKind,
    detail: Json,
) -> Result<(), Error> {
    // It may have another name by now.
    let sql = "SELECT e.id, e.name FROM environments e
               WHERE e.organisation = $1 AND e.name = COALESCE(
                   (SELECT s.environment FROM schedules s WHERE s.id = $3), $2)";
    let row = tx.row(sql, values![&organisation.0, &record.environment, &record.id]).await?;
    let place = row.map(|it| Ok::<_, Error>((it.text("id")?, it.text("name")?))).transpose()?;
    let note = events::Note::new(kind, &record.name).detail(detail);
    let note = match &place {
        Some((id, name)) => note.within(id, name),
        None => note.named(Some(&record.environment)),
    };
    note.write(tx, organisation, act).await
}

async fn find(
    tx: &mut Tx,
    organisation: &OrganisationId,
    name: &str,
) -> Result<Option<ScheduleRecord>, Error> {
    let sql = format!("{SELECT} WHERE s.organisation = $1 AND s.name = $2");
    tx.row(sql, values![&organisation.0, name]).await?.as_ref().map(read).transpose()
}

fn refused(name: &str, why: &str) -> Error {
    Error::Refused { what: format!("schedule `{name}`"), why: why.to_owned(), hint: None }
}

fn read(row: &Row) -> Result<ScheduleRecord, Error> {
    let json = |column: &str, text: &str| {
        serde_json::from_str(text).map_err(|error| Error::Corrupt {
            what: format!("column {column}"),
            why: error.to_string(),
        })
    };
    let outcome = row.maybe_text("outcome")?;
    Ok(ScheduleRecord {
        id: row.text("id")?,
        organisation: OrganisationId(row.text("organisation")?),
        name: row.text("name")?,
        environment: row.text("environment")?,
        is_nowhere: row.maybe_text("there")?.is_none(),
        cron: row.text("cron")?,
        zone: row.text("zone")?,
        question: json("question", &row.text("question")?)?,
        revision: row.int("revision")?,
        next: row.maybe_moment("next_at")?,
        due: row.maybe_moment("due_at")?,
        checked: row.maybe_moment("checked_at")?,
        verdict: row.maybe_text("verdict")?,
        outcome: outcome.map(|it| json("outcome", &it)).transpose()?,
        created: row.moment("created_at")?,
        created_by: row.text("created_by")?,
    })
}
