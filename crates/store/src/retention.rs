//! Retention: what is older than it is to be kept goes, a part at a time, and takes along what nobody
//! else needs.

use model::{Act, EventKind, Moment, OrganisationId, Retained};
use serde_json::{Value as Json, json};

use crate::contract::{Error, Expired, Keeping, Retention};
use crate::db::{Query, Tx, Value, runs, values};
use crate::{Store, events};

/// The lock of all package sets: those who add share it, those who sweep have it alone.
pub(crate) const SETS: &str = "package sets";
/// Rows of a table that go at once, so that nobody waits long for us; in tests so few that there are
/// several parts.
pub(crate) const ROWS: usize = if cfg!(test) { 7 } else { 5_000 };
/// Images that go at once, each with its packages.
pub(crate) const IMAGES: usize = if cfg!(test) { 2 } else { 200 };

/// Days in the longest time that is not for ever.
const LONGEST: u32 = 36_500;
/// Seconds in a day.
const DAY: i64 = 86_400;
/// What stands in the settings for what is kept for ever.
const FOR_EVER: &str = "for ever";

impl Retention {
    /// What may go at a moment.
    pub fn at(keepings: &[Keeping], now: Moment) -> Self {
        let mut retention = Self::default();
        for it in keepings {
            let before = it.days.map(|days| now.plus_seconds(-DAY * i64::from(days)));
            match it.what {
                Retained::History => retention.history_before = before,
                Retained::Events => retention.events_before = before,
                Retained::Counts => retention.counts_before = before,
                Retained::Evaluations => retention.evaluations_before = before,
                Retained::Images => retention.images_before = before,
            }
        }
        retention
    }
}

impl Expired {
    /// How many rows that is.
    pub fn rows(&self) -> u64 {
        let Self { images, deployments, tags, events, counts, evaluations } = self;
        images + deployments + tags + events + counts + evaluations
    }
}

impl Store {
    /// For how long an organisation keeps what it has.
    pub async fn keepings(&self, organisation: &OrganisationId) -> Result<Vec<Keeping>, Error> {
        let settings = self.settings(organisation).await?;
        let keeping = |what: Retained| {
            let said = settings.get(&setting(what));
            let days = match said {
                None => what.usual(),
                Some(Json::String(it)) if it == FOR_EVER => None,
                Some(it) => {
                    let days = it.as_u64().and_then(|it| u32::try_from(it).ok());
                    Some(days.ok_or_else(|| Error::Corrupt {
                        what: format!("setting `{}`", setting(what)),
                        why: format!("`{it}` is no number of days"),
                    })?)
                }
            };
            Ok(Keeping { what, days, by_default: said.is_none() })
        };
        Retained::ALL.into_iter().map(keeping).collect()
    }

    /// Keeps something for so many days; none is for ever. Says whether that changed anything.
    pub async fn keep_for(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        what: Retained,
        days: Option<u32>,
    ) -> Result<bool, Error> {
        if days.is_some_and(|it| !(1..=LONGEST).contains(&it)) {
            return Err(Error::Refused {
                what: format!("retention of {what}"),
                why: format!("it is 1 to {LONGEST} days, or for ever"),
                hint: None,
            });
        }
        let value = days.map_or_else(|| json!(FOR_EVER), |it| json!(it));
        self.set(organisation, act, &setting(what), Some(&value)).await
    }

    /// Keeps something as long as it is kept where nobody says. Says whether that changed anything.
    pub async fn keep_as_usual(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        what: Retained,
    ) -> Result<bool, Error> {
        self.set(organisation, act, &setting(what), None).await
    }

    /// Deletes what is older than it is to be kept, a part at a time; an event tells of each part.
    /// What runs stays, and so does what is needed to tell of it.
    ///
    /// Whoever is stopped in between has deleted what was told, and the next one goes on.
    pub async fn expire(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        retention: &Retention,
    ) -> Result<Expired, Error> {
        let mut expired = Expired::default();
        for cut in cuts(organisation, retention) {
            let mut after = 0;
            while let Some(part) = self.expire_part(organisation, act, &cut, &mut after).await? {
                *(cut.counted)(&mut expired) += part;
            }
        }
        if expired.rows() > 0 {
            self.db.scrub().await;
        }
        Ok(expired)
    }

    /// What `expire` would delete, if nothing changes meanwhile.
    pub async fn expirable(
        &self,
        organisation: &OrganisationId,
        retention: &Retention,
    ) -> Result<Expired, Error> {
        let mut expired = Expired::default();
        let mut tx = self.db.read().await?;
        for cut in cuts(organisation, retention) {
            let sql = format!("SELECT COUNT(*) AS rows FROM {} WHERE {}", cut.table, cut.fits);
            let row = tx.row(sql, cut.values).await?;
            let rows = row.map(|it| it.int("rows")).transpose()?.unwrap_or(0);
            *(cut.counted)(&mut expired) = u64::try_from(rows).unwrap_or(0);
        }
        Ok(expired)
    }

    /// Deletes a part of what a cut takes: images behind a number, which goes on to the last that was
    /// looked at. Says how much; none is that there is no more.
    async fn expire_part(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        cut: &Cut,
        after: &mut i64,
    ) -> Result<Option<u64>, Error> {
        let mut expired = Expired::default();
        let mut through = None;
        let mut tx = self.db.write().await?;
        if cut.table == "images" {
            tx.lock(SETS, true).await?;
            let Some(ids) = held(&mut tx, cut, after).await? else { return Ok(None) };
            expired.images = delete_images(&mut tx, &ids).await?;
        } else {
            // What is told in its turn is told how far: who has not read so far has missed something.
            let told = if cut.table == "events" { "turn" } else { "1 AS turn" };
            let sql = some(cut.table, cut.key, &cut.fits);
            let gone = tx.rows(format!("{sql} RETURNING {told}"), cut.values.clone()).await?;
            if gone.is_empty() {
                return Ok(None);
            }
            *(cut.counted)(&mut expired) = gone.len() as u64;
            if cut.table == "events" {
                for row in &gone {
                    through = through.max(Some(row.int("turn")?));
                }
            }
        }
        if expired.rows() > 0 {
            let mut detail = serde_json::to_value(expired).expect("numbers have a written form");
            if let Some(turn) = through {
                detail["through"] = turn.into();
            }
            let note = events::Note::new(EventKind::Expired, "retention");
            note.detail(detail).write(&mut tx, organisation, act).await?;
        }
        tx.commit().await?;
        Ok(Some(expired.rows()))
    }
}

/// Some of the images that a cut takes, held, so that nobody records them any more; none is that there
/// are no more behind the number. Those that somebody records right now are left alone.
async fn held(tx: &mut Tx, cut: &Cut, after: &mut i64) -> Result<Option<Vec<i64>>, Error> {
    let mut query = Query::new("SELECT id FROM images WHERE", cut.values.clone());
    query.then(&cut.fits);
    query.with("AND id > $?", *after);
    query.then(&format!("ORDER BY id LIMIT {IMAGES}"));
    query.then(tx.skipping_held());
    let (sql, values) = query.into_parts();
    let rows = tx.rows(sql, values).await?;
    let ids: Vec<i64> = rows.iter().map(|it| it.int("id")).collect::<Result<_, _>>()?;
    let Some(last) = ids.last() else { return Ok(None) };
    *after = *last;
    // Somebody may have recorded one before it was held: that is seen by asking once more.
    let mut query = Query::new("SELECT id FROM images WHERE", cut.values.clone());
    query.then(&cut.fits);
    query.with_all("AND id IN $?", ids);
    let (sql, values) = query.into_parts();
    let rows = tx.rows(sql, values).await?;
    rows.iter().map(|it| it.int("id")).collect::<Result<_, _>>().map(Some)
}

fn setting(what: Retained) -> String {
    format!("retention.{what}")
}

/// What of a table goes.
struct Cut {
    table: &'static str,
    key: &'static str,
    fits: String,
    values: Vec<Value>,
    counted: fn(&mut Expired) -> &mut u64,
}

fn cuts(organisation: &OrganisationId, retention: &Retention) -> Vec<Cut> {
    let whose = &organisation.0;
    let mut cuts = Vec::new();
    let mut cut = |table, key, fits: &str, values, counted| {
        cuts.push(Cut { table, key, fits: fits.to_owned(), values, counted });
    };
    if let Some(before) = retention.images_before {
        // A deployment that is kept needs its image; a tag does as long as images are kept.
        let kept = retention.history_before.map_or(i64::MIN, Moment::micros);
        cut(
            "images",
            "id",
            "organisation = $1 AND first_seen < $2 AND (analysed_at IS NULL OR analysed_at < $2)
             AND NOT EXISTS (SELECT 1 FROM deployments d
                 WHERE d.organisation = images.organisation AND d.digest = images.digest
                 AND (d.until_at IS NULL OR d.until_at >= $3))
             AND NOT EXISTS (SELECT 1 FROM tags t
                 WHERE t.organisation = images.organisation AND t.digest = images.digest
                 AND (t.until_at IS NULL OR t.until_at >= $2))",
            values![whose, before, kept],
            |it| &mut it.images,
        );
    }
    if let Some(before) = retention.history_before {
        cut(
            "deployments",
            "id",
            "organisation = $1 AND until_at < $2",
            values![whose, before],
            |it| &mut it.deployments,
        );
        // Until when an image was used is told by its tags.
        let before = retention.images_before.map_or(before, |it| it.min(before));
        cut("tags", "id", "organisation = $1 AND until_at < $2", values![whose, before], |it| {
            &mut it.tags
        });
    }
    if let Some(before) = retention.counts_before {
        // What held when the time kept began stays, and so does the last of each.
        cut(
            "environment_counts",
            "environment, at",
            "environment IN (SELECT id FROM environments WHERE organisation = $1) AND at < $2
             AND EXISTS (SELECT 1 FROM environment_counts n
                 WHERE n.environment = environment_counts.environment
                 AND n.at > environment_counts.at AND n.at <= $2)",
            values![whose, before],
            |it| &mut it.counts,
        );
    }
    if let Some(before) = retention.evaluations_before {
        cut(
            "evaluations",
            "organisation, position",
            "organisation = $1 AND at < $2 AND EXISTS
                 (SELECT 1 FROM evaluations n WHERE n.organisation = evaluations.organisation
                  AND n.position > evaluations.position)",
            values![whose, before],
            |it| &mut it.evaluations,
        );
    }
    if let Some(before) = retention.events_before {
        cut("events", "id", "organisation = $1 AND at < $2", values![whose, before], |it| {
            &mut it.events
        });
    }
    cuts
}

/// Deletes rows of a table, at most so many as go at once. Says how many.
pub(crate) async fn delete_some(
    tx: &mut Tx,
    table: &str,
    key: &str,
    fits: &str,
    values: Vec<Value>,
) -> Result<u64, Error> {
    tx.run(some(table, key, fits), values).await
}

fn some(table: &str, key: &str, fits: &str) -> String {
    format!(
        "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {fits} LIMIT {ROWS})"
    )
}

/// Deletes images with all that only they have. Whoever calls it has the lock of sets alone.
pub(crate) async fn delete_images(tx: &mut Tx, ids: &[i64]) -> Result<u64, Error> {
    let (mut sets, mut gone) = (Vec::new(), 0);
    for run in runs(ids) {
        let mut query = Query::new("SELECT DISTINCT package_set FROM image_sets WHERE", vec![]);
        query.with_all("image IN $?", run.clone());
        let (sql, values) = query.into_parts();
        for row in tx.rows(sql, values).await? {
            sets.push(row.int("package_set")?);
        }
        let mut query = Query::new(
            "DELETE FROM policy_verdicts WHERE (organisation, digest) IN
                 (SELECT organisation, digest FROM images WHERE",
            vec![],
        );
        query.with_all("id IN $?)", run.clone());
        let (sql, values) = query.into_parts();
        tx.run(sql, values).await?;
        let mut query = Query::new("DELETE FROM images WHERE", vec![]);
        query.with_all("id IN $?", run);
        let (sql, values) = query.into_parts();
        gone += tx.run(sql, values).await?;
    }
    sets.sort_unstable();
    sets.dedup();
    sweep_sets(tx, &sets).await?;
    Ok(gone)
}

/// The package sets of an image.
pub(crate) async fn sets_of(tx: &mut Tx, image: i64) -> Result<Vec<i64>, Error> {
    let sql = "SELECT package_set FROM image_sets WHERE image = $1 ORDER BY position";
    let rows = tx.rows(sql, values![image]).await?;
    rows.iter().map(|it| it.int("package_set")).collect()
}

/// Deletes those of the sets that no image has any more, and the packages that no set has. Whoever
/// calls it has the lock of sets alone.
pub(crate) async fn sweep_sets(tx: &mut Tx, sets: &[i64]) -> Result<(), Error> {
    let mut packages = Vec::new();
    for run in runs(sets) {
        let unused = "NOT EXISTS (SELECT 1 FROM image_sets s WHERE s.package_set =";
        let mut query = Query::new("SELECT DISTINCT package FROM set_packages WHERE", vec![]);
        query.with_all("package_set IN $?", run.clone());
        query.then(&format!("AND {unused} set_packages.package_set)"));
        let (sql, values) = query.into_parts();
        for row in tx.rows(sql, values).await? {
            packages.push(row.int("package")?);
        }
        let mut query = Query::new("DELETE FROM package_sets WHERE", vec![]);
        query.with_all("id IN $?", run);
        query.then(&format!("AND {unused} package_sets.id)"));
        let (sql, values) = query.into_parts();
        tx.run(sql, values).await?;
    }
    packages.sort_unstable();
    packages.dedup();
    for run in runs(&packages) {
        let mut query = Query::new("DELETE FROM packages WHERE", vec![]);
        query.with_all("id IN $?", run);
        query.then("AND NOT EXISTS (SELECT 1 FROM set_packages s WHERE s.package = packages.id)");
        let (sql, values) = query.into_parts();
        tx.run(sql, values).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is too old is found without a look at what is not.
    #[tokio::test]
    async fn each_cut_goes_along_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("sqlite://{}", folder.path().join("store.db").display());
        let store = Store::open(&address).await.unwrap();
        let before = Some(Moment::default());
        let all =
            Retention { history_before: before, events_before: before, ..Retention::default() };
        let mut plans = Vec::new();
        for cut in cuts(&OrganisationId("acme".to_owned()), &all) {
            let sql = format!("EXPLAIN QUERY PLAN {}", some(cut.table, cut.key, &cut.fits));
            let rows = store.db.rows(sql, cut.values).await.unwrap();
            let steps = rows.iter().map(|it| it.text("detail").unwrap());
            let found = steps.filter(|it| it.contains("(organisation=?"));
            plans.push(found.collect::<Vec<_>>().join("; "));
        }
        let expect = [
            "SEARCH deployments USING INDEX deployments_ended (organisation=? AND until_at<?)",
            "SEARCH tags USING INDEX tags_ended (organisation=? AND until_at<?)",
            "SEARCH events USING INDEX events_by_time (organisation=? AND at<?)",
        ];
        assert_eq!(plans.join("\n"), expect.join("\n"));
    }
}
