//! Evaluations: what a new almanac changed, told once; and how many findings there were when.

use std::collections::HashMap;

use model::{Act, Moment, OrganisationId};

use crate::contract::{Counted, Counts, Error, Evaluation, NewEvent};
use crate::db::{Row, Tx, values};
use crate::{Store, environments, events, names};

const MOST_COUNTS: i64 = 100_000;

impl Store {
    /// What an organisation's things were last judged by.
    pub async fn last_evaluation(
        &self,
        organisation: &OrganisationId,
    ) -> Result<Option<Evaluation>, Error> {
        let mut tx = self.db.read().await?;
        Ok(last(&mut tx, organisation).await?.map(|(_, it)| it))
    }

    /// Were an organisation's things ever judged by that almanac?
    pub async fn was_evaluated(
        &self,
        organisation: &OrganisationId,
        almanac: &str,
    ) -> Result<bool, Error> {
        let sql = "SELECT position FROM evaluations WHERE organisation = $1 AND almanac = $2
                   LIMIT 1";
        Ok(self.db.row(sql, values![&organisation.0, almanac]).await?.is_some())
    }

    /// Writes down what changed from one almanac to another: all of it, or nothing.
    ///
    /// It is written if the last evaluation was by the almanac that is said to be the former one
    /// (none, before the first). Otherwise somebody was quicker, and it says no: whoever
    /// evaluates again after a crash, or at the same time, doubles nothing.
    pub async fn evaluated(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        former: Option<&str>,
        almanac: &str,
        events: &[NewEvent],
    ) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        tx.lock(&format!("evaluations of {}", organisation.0), true).await?;
        let last = last(&mut tx, organisation).await?;
        let judged_by = last.as_ref().map(|(_, it)| it.almanac.as_str());
        if judged_by != former || judged_by == Some(almanac) {
            return Ok(false);
        }
        let position = last.map_or(0, |(position, _)| position.saturating_add(1));
        tx.run(
            "INSERT INTO evaluations (organisation, position, almanac, at) VALUES ($1, $2, $3, $4)",
            values![&organisation.0, position, almanac, act.at],
        )
        .await?;
        let sql = "SELECT id, name FROM environments WHERE organisation = $1";
        let mut ids = HashMap::new();
        for row in tx.rows(sql, values![&organisation.0]).await? {
            ids.insert(row.text("name")?, row.text("id")?);
        }
        let notes: Vec<events::Note<'_>> = events
            .iter()
            .map(|event| {
                let note = events::Note::new(event.kind, &event.about).detail(event.detail.clone());
                match event.environment.as_deref().and_then(|it| ids.get_key_value(it)) {
                    Some((name, id)) => note.within(id, name),
                    // It was deleted, or named otherwise, while it was judged.
                    None => note.named(event.environment.as_deref()),
                }
            })
            .collect();
        events::write_all(&mut tx, organisation, act, &notes).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Writes down how many findings there are in environments, where that changed. An environment
    /// that is not there is passed over. Says how many were written.
    pub async fn count(
        &self,
        organisation: &OrganisationId,
        at: Moment,
        almanac: &str,
        counts: &[(String, Counts)],
    ) -> Result<u64, Error> {
        let mut written = 0;
        let mut tx = self.db.write().await?;
        tx.lock(&format!("counts of {}", organisation.0), true).await?;
        for (environment, counts) in counts {
            let sql = "SELECT id FROM environments WHERE organisation = $1 AND name = $2";
            let name = names::normal(environment);
            let Some(row) = tx.hold(sql, values![&organisation.0, name]).await? else { continue };
            let id = row.text("id")?;
            let sql = format!("{SELECT} WHERE environment = $1 ORDER BY at DESC LIMIT 1");
            let former = tx.row(sql, values![&id]).await?.as_ref().map(read).transpose()?;
            if former.as_ref().is_some_and(|it| it.counts == *counts) {
                continue;
            }
            // A clock that was set back makes no false history.
            let at = former.map_or(at, |it| at.max(it.at.next()));
            let mut values = values![&id, at, almanac];
            values.extend(numbers(counts).map(crate::db::Value::from));
            let sql = "INSERT INTO environment_counts
                           (environment, at, almanac, critical, high, medium, low, unspecified,
                            images, pending, gaps)
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
            written += tx.run(sql, values).await?;
        }
        tx.commit().await?;
        Ok(written)
    }

    /// How many findings there are in each environment as far as that is known, by its id.
    pub async fn present_counts(
        &self,
        organisation: &OrganisationId,
    ) -> Result<HashMap<String, Counted>, Error> {
        let sql = "SELECT c.environment, c.at, c.almanac, c.critical, c.high, c.medium, c.low,
                          c.unspecified, c.images, c.pending, c.gaps
                   FROM environments e JOIN environment_counts c ON c.environment = e.id
                   WHERE e.organisation = $1 AND c.at = (SELECT MAX(l.at)
                       FROM environment_counts l WHERE l.environment = e.id)";
        let rows = self.db.rows(sql, values![&organisation.0]).await?;
        rows.iter().map(|row| Ok((row.text("environment")?, read(row)?))).collect()
    }

    /// How many findings there were in an environment, as that changed from one moment to before
    /// another, first things first; the first row is what held when the time began, if it is
    /// known. With `every`, of each so many seconds only the last.
    pub async fn counts(
        &self,
        organisation: &OrganisationId,
        environment: &str,
        (from, until): (Moment, Moment),
        every: Option<u32>,
    ) -> Result<Vec<Counted>, Error> {
        let id = environments::find(&self.db, organisation, environment).await?;
        let there = "environment = $1 AND at < $3 AND at >=
                 COALESCE((SELECT MAX(at) FROM environment_counts
                           WHERE environment = $1 AND at <= $2), $2)";
        let rows = match every {
            None => {
                let sql = format!("{SELECT} WHERE {there} ORDER BY at LIMIT $4");
                self.db.rows(sql, values![id, from, until, MOST_COUNTS]).await?
            }
            Some(seconds) => {
                let sql = format!(
                    "{SELECT} WHERE environment = $1 AND at IN
                         (SELECT MAX(at) FROM environment_counts WHERE {there} GROUP BY at / $5)
                     ORDER BY at LIMIT $4"
                );
                let every = i64::from(seconds.max(1)) * 1_000_000;
                self.db.rows(sql, values![id, from, until, MOST_COUNTS, every]).await?
            }
        };
        rows.iter().map(read).collect()
    }
}

const SELECT: &str = "
    SELECT at, almanac, critical, high, medium, low, unspecified, images, pending, gaps
    FROM environment_counts";

async fn last(
    tx: &mut Tx,
    organisation: &OrganisationId,
) -> Result<Option<(i64, Evaluation)>, Error> {
    let sql = "SELECT position, almanac, at FROM evaluations WHERE organisation = $1
               ORDER BY position DESC LIMIT 1";
    let Some(row) = tx.row(sql, values![&organisation.0]).await? else { return Ok(None) };
    let evaluation = Evaluation { almanac: row.text("almanac")?, at: row.moment("at")? };
    Ok(Some((row.int("position")?, evaluation)))
}

fn numbers(counts: &Counts) -> impl Iterator<Item = i64> {
    [
        counts.critical,
        counts.high,
        counts.medium,
        counts.low,
        counts.unspecified,
        counts.images,
        counts.pending,
        counts.gaps,
    ]
    .into_iter()
    .map(|it| i64::try_from(it).unwrap_or(i64::MAX))
}

pub(crate) fn read(row: &Row) -> Result<Counted, Error> {
    let count = |name| row.int(name).map(|it| u64::try_from(it).unwrap_or(0));
    Ok(Counted {
        at: row.moment("at")?,
        almanac: row.text("almanac")?,
        counts: Counts {
            critical: count("critical")?,
            high: count("high")?,
            medium: count("medium")?,
            low: count("low")?,
            unspecified: count("unspecified")?,
            images: count("images")?,
            pending: count("pending")?,
            gaps: count("gaps")?,
        },
    })
}
