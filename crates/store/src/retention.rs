//! Retention: what is deleted is gone, and takes along what nobody else needs.

use model::{Act, EventKind, OrganisationId};

use crate::contract::{Error, Expired, Retention};
use crate::db::{Query, Tx, runs, values};
use crate::{Store, events};

/// The lock of all package sets: those who add share it, those who sweep have it alone.
pub(crate) const SETS: &str = "package sets";

impl Store {
    /// Deletes what is older than it is to be kept. What runs stays, and so does what is needed
    /// to tell of it.
    pub async fn expire(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        retention: &Retention,
    ) -> Result<Expired, Error> {
        let mut expired = Expired::default();
        let mut tx = self.db.write().await?;
        tx.lock(SETS, true).await?;
        if let Some(before) = retention.history_before {
            let sql = "DELETE FROM deployments WHERE organisation = $1 AND until_at < $2";
            expired.deployments = tx.run(sql, values![&organisation.0, before]).await?;
            let sql = "DELETE FROM tags WHERE organisation = $1 AND until_at < $2";
            expired.tags = tx.run(sql, values![&organisation.0, before]).await?;
        }
        if let Some(before) = retention.history_before {
            // What held when the time kept began stays, and so does the last of each.
            expired.counts = tx
                .run(
                    "DELETE FROM environment_counts WHERE EXISTS
                         (SELECT 1 FROM environments e WHERE e.id = environment_counts.environment
                          AND e.organisation = $1)
                     AND EXISTS
                         (SELECT 1 FROM environment_counts n
                          WHERE n.environment = environment_counts.environment
                          AND n.at > environment_counts.at AND n.at <= $2)",
                    values![&organisation.0, before],
                )
                .await?;
            tx.run(
                "DELETE FROM evaluations WHERE organisation = $1 AND at < $2 AND EXISTS
                     (SELECT 1 FROM evaluations n WHERE n.organisation = evaluations.organisation
                      AND n.position > evaluations.position)",
                values![&organisation.0, before],
            )
            .await?;
        }
        if let Some(before) = retention.images_before {
            expired.images = tx
                .run(
                    "DELETE FROM images WHERE organisation = $1 AND first_seen < $2
                     AND (analysed_at IS NULL OR analysed_at < $2)
                     AND NOT EXISTS (SELECT 1 FROM deployments d
                         WHERE d.organisation = images.organisation AND d.digest = images.digest
                         AND d.until_at IS NULL)
                     AND NOT EXISTS (SELECT 1 FROM tags t
                         WHERE t.organisation = images.organisation AND t.digest = images.digest
                         AND t.until_at IS NULL)",
                    values![&organisation.0, before],
                )
                .await?;
            sweep(&mut tx).await?;
        }
        if let Some(before) = retention.events_before {
            let sql = "DELETE FROM events WHERE organisation = $1 AND at < $2";
            expired.events = tx.run(sql, values![&organisation.0, before]).await?;
        }
        if expired != Expired::default() {
            let note = events::Note::new(EventKind::Expired, "retention");
            let detail = serde_json::to_value(expired).expect("numbers have a written form");
            note.detail(detail).write(&mut tx, organisation, act).await?;
        }
        tx.commit().await?;
        Ok(expired)
    }
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

/// The same for all sets there are.
pub(crate) async fn sweep(tx: &mut Tx) -> Result<(), Error> {
    tx.run(
        "DELETE FROM package_sets WHERE NOT EXISTS
             (SELECT 1 FROM image_sets s WHERE s.package_set = package_sets.id)",
        vec![],
    )
    .await?;
    tx.run(
        "DELETE FROM packages WHERE NOT EXISTS
             (SELECT 1 FROM set_packages s WHERE s.package = packages.id)",
        vec![],
    )
    .await
    .map(|_| ())
}
