//! What is kept although it follows from the rest, so that lists need not count what they tell of:
//! how much runs in an environment, and as which image, once that is analysed, a deployment is known.
//!
//! How much runs is always true: whoever changes it holds the environment. An analysed image is only
//! ever forgotten to be told of, where somebody records while somebody else analyses; so who finds
//! none looks at the images themselves. On SQLite one writes after the other, and nothing is forgotten.

use model::{Digest, OrganisationId};

use crate::contract::Error;
use crate::db::{Db, Query, Tx, runs, values};
use crate::retention::{self, ROWS};
use crate::{Store, inventories};

/// So many more run in an environment that we hold.
pub(crate) async fn runs_more(tx: &mut Tx, environment: &str, more: i64) -> Result<(), Error> {
    if more != 0 {
        let sql = "UPDATE environments SET running = running + $2 WHERE id = $1";
        tx.run(sql, values![environment, more]).await?;
    }
    Ok(())
}

/// An image is analysed: what runs of it says so, but for what others change right now.
pub(crate) async fn is_analysed(
    tx: &mut Tx,
    organisation: &OrganisationId,
    digest: &Digest,
    image: i64,
) -> Result<(), Error> {
    let sql = format!(
        "UPDATE deployments SET analysed = $3 WHERE id IN
             (SELECT id FROM deployments WHERE organisation = $1 AND digest = $2
              AND until_at IS NULL AND analysed IS NULL {})",
        tx.skipping_held()
    );
    tx.run(sql, values![&organisation.0, digest.as_str(), image]).await.map(|_| ())
}

/// How much of what runs in an environment `e` is of images that nobody has analysed, as SQL.
pub(crate) fn unread(db: &Db) -> &'static str {
    if db.is_file() {
        return "(SELECT COUNT(*) FROM deployments d
                 WHERE d.environment = e.id AND d.until_at IS NULL AND d.analysed IS NULL)";
    }
    "(SELECT COUNT(*) FROM deployments d
      LEFT JOIN images i ON i.organisation = d.organisation AND i.digest = d.digest
           AND i.state = 'analysed'
      WHERE d.environment = e.id AND d.until_at IS NULL AND d.analysed IS NULL AND i.id IS NULL)"
}

/// All of it anew, from the rest.
pub(crate) async fn all(tx: &mut Tx) -> Result<(), Error> {
    for sql in [
        "UPDATE environments SET running = (SELECT COUNT(*) FROM deployments d
             WHERE d.environment = environments.id AND d.until_at IS NULL)",
        "UPDATE deployments SET analysed = (SELECT i.id FROM images i
             WHERE i.organisation = deployments.organisation AND i.digest = deployments.digest
             AND i.state = 'analysed') WHERE until_at IS NULL",
        // An outline begins with the configuration's digest.
        "INSERT INTO image_names (image, digest, is_config)
             SELECT id, substr(outline, 12, 71), 1 FROM images
             WHERE state = 'analysed' AND outline LIKE '{\"config\":\"sha256:%'
             AND substr(outline, 12, 71) <> digest
             ON CONFLICT (image, digest) DO NOTHING",
    ] {
        tx.run(sql, vec![]).await?;
    }
    Ok(())
}

impl Store {
    /// Puts right what follows from the rest and does not: what a program of an older version wrote,
    /// or what should not be. Says of how many rows.
    ///
    /// It looks first, so where all is well, nobody waits for it. It looks at all there is, which may
    /// be millions of rows.
    pub async fn mend(&self) -> Result<u64, Error> {
        Ok(self.mend_at_hand().await? + self.mend_sets().await? + self.mend_known().await?)
    }

    /// The same of what is found without a look at all there is: what others lean on, and what a
    /// program of an older version that runs beside us leaves out.
    pub async fn mend_at_hand(&self) -> Result<u64, Error> {
        Ok(self.mend_unread().await? + self.mend_counts().await?)
    }

    async fn mend_unread(&self) -> Result<u64, Error> {
        // What cannot be read stays as it is, and nobody waits each time until that is found again.
        if !inventories::can_fill_in(&mut self.db.read().await?).await? {
            return Ok(0);
        }
        let mut tx = self.db.write().await?;
        tx.lock(retention::SETS, true).await?;
        let before = count(&mut tx, &[UNREAD_PACKAGES, UNREAD_IMAGES]).await?;
        inventories::fill_in(&mut tx).await?;
        let after = count(&mut tx, &[UNREAD_PACKAGES, UNREAD_IMAGES]).await?;
        tx.commit().await?;
        Ok(before.saturating_sub(after))
    }

    /// Package sets and what leans on them.
    async fn mend_sets(&self) -> Result<u64, Error> {
        let amiss =
            count(&mut self.db.read().await?, &[IDLE_SETS, IDLE_PACKAGES, HOLLOW_IMAGES]).await?;
        if amiss == 0 {
            return Ok(0);
        }
        let mut tx = self.db.write().await?;
        tx.lock(retention::SETS, true).await?;
        let mut sets = Vec::new();
        for row in tx.rows(IDLE_SETS, vec![]).await? {
            sets.push(row.int("id")?);
        }
        retention::sweep_sets(&mut tx, &sets).await?;
        tx.run(format!("DELETE FROM packages WHERE id IN ({IDLE_PACKAGES})"), vec![]).await?;
        // Whoever looks for what is to be read finds it again.
        let sql = format!("UPDATE images SET state = 'pending' WHERE id IN ({HOLLOW_IMAGES})");
        tx.run(sql, vec![]).await?;
        tx.commit().await?;
        Ok(amiss)
    }

    async fn mend_counts(&self) -> Result<u64, Error> {
        let mut mended = 0;
        for row in self.db.rows(MISCOUNTED, vec![]).await? {
            let id = row.word("id")?;
            let mut tx = self.db.write().await?;
            // Only who holds it sees all that runs.
            tx.hold("SELECT id FROM environments WHERE id = $1", values![id]).await?;
            let sql = "UPDATE environments SET running = (SELECT COUNT(*) FROM deployments d
                           WHERE d.environment = environments.id AND d.until_at IS NULL)
                       WHERE id = $1";
            mended += tx.run(sql, values![id]).await?;
            tx.commit().await?;
        }
        Ok(mended)
    }

    async fn mend_known(&self) -> Result<u64, Error> {
        let sql = format!("{WRONGLY_KNOWN} AND id > $1 ORDER BY id LIMIT {ROWS}");
        let (mut mended, mut after) = (0, String::new());
        loop {
            let rows = self.db.rows(sql.clone(), values![&after]).await?;
            let wrong: Vec<String> =
                rows.iter().map(|it| it.text("id")).collect::<Result<_, _>>()?;
            let Some(last) = wrong.last() else { return Ok(mended) };
            after.clone_from(last);
            let mut tx = self.db.write().await?;
            for run in runs(&wrong) {
                let text = format!("UPDATE deployments SET analysed = {KNOWN}");
                let mut query = Query::new(&text, vec![]);
                query.with_all("WHERE id IN $?", run);
                let (sql, values) = query.into_parts();
                mended += tx.run(sql, values).await?;
            }
            tx.commit().await?;
        }
    }
}

/// How many rows queries have.
async fn count(tx: &mut Tx, queries: &[&str]) -> Result<u64, Error> {
    let mut all = 0;
    for sql in queries {
        let sql = format!("SELECT COUNT(*) AS rows FROM ({sql}) amiss");
        if let Some(row) = tx.row(sql, vec![]).await? {
            all += u64::try_from(row.int("rows")?).unwrap_or(0);
        }
    }
    Ok(all)
}

/// As which image a deployment is known.
const KNOWN: &str = "(SELECT i.id FROM images i WHERE i.organisation = deployments.organisation
                      AND i.digest = deployments.digest AND i.state = 'analysed')";
/// What does not follow from the rest, by ids.
pub(crate) const UNREAD_PACKAGES: &str = "SELECT id FROM packages WHERE kind IS NULL";
pub(crate) const UNREAD_IMAGES: &str = "SELECT image AS id FROM inventories WHERE distro IS NULL";
pub(crate) const IDLE_SETS: &str = "SELECT id FROM package_sets s WHERE NOT EXISTS
     (SELECT 1 FROM image_sets i WHERE i.package_set = s.id)";
pub(crate) const IDLE_PACKAGES: &str = "SELECT id FROM packages p WHERE NOT EXISTS
     (SELECT 1 FROM set_packages s WHERE s.package = p.id)";
pub(crate) const HOLLOW_IMAGES: &str = "SELECT id FROM images i WHERE i.state = 'analysed'
     AND NOT EXISTS (SELECT 1 FROM inventories v WHERE v.image = i.id)";
pub(crate) const MISCOUNTED: &str = "SELECT id FROM environments e WHERE e.running <>
     (SELECT COUNT(*) FROM deployments d WHERE d.environment = e.id AND d.until_at IS NULL)";
/// Where an image was analysed while it was recorded, that is only forgotten to be told of; it is
/// mended with the rest.
pub(crate) const WRONGLY_KNOWN: &str = "SELECT id FROM deployments
     WHERE (until_at IS NULL OR analysed IS NOT NULL) AND analysed IS DISTINCT FROM
         (SELECT i.id FROM images i WHERE i.organisation = deployments.organisation
          AND i.digest = deployments.digest AND i.state = 'analysed')";
