//! In use: what the containers of an image were seen to load, by runtime and environment.

use std::collections::BTreeMap;

use model::{Digest, Moment, OrganisationId, Profile};

use crate::Store;
use crate::contract::{Error, SeenInUse};
use crate::db::{Row, values};
use crate::inventories;
use crate::names;

/// Digests of one transaction.
const ROWS: usize = 200;

impl Store {
    /// Keeps what a runtime saw being loaded in one of its environments, by the digests that it calls
    /// images by. With `is_all`, what it does not name any more is forgotten.
    pub async fn keep_in_use(
        &self,
        organisation: &OrganisationId,
        runtime: &str,
        environment: &str,
        seen: Moment,
        profiles: &BTreeMap<String, Profile>,
        is_all: bool,
    ) -> Result<(), Error> {
        let runtime = names::cleaned("runtime", runtime)?;
        // The environment may have another name by now than the runtime has for it.
        let sql = "SELECT n.runtime, n.environment FROM runtime_environments n
                   JOIN runtimes r ON r.id = n.runtime
                   WHERE r.organisation = $1 AND r.name = $2 AND n.called = $3";
        let values = values![&organisation.0, &runtime, names::normal(environment)];
        let Some(row) = self.db.row(sql, values).await? else { return Ok(()) };
        let (runtime, environment) = (row.text("runtime")?, row.text("environment")?);
        let all: Vec<(&String, &Profile)> = profiles.iter().collect();
        for part in all.chunks(ROWS) {
            let mut tx = self.db.write().await?;
            let sql = "SELECT 1 AS one FROM runtime_environments
                       WHERE runtime = $1 AND environment = $2";
            if tx.row(sql, values![&runtime, &environment]).await?.is_none() {
                // It was let go of meanwhile.
                return Ok(());
            }
            for (digest, profile) in part {
                let packages = inventories::deflated_json(profile)?;
                let sql = "INSERT INTO in_use (runtime, environment, digest, seen_at, packages)
                           VALUES ($1, $2, $3, $4, $5)
                           ON CONFLICT (runtime, environment, digest) DO UPDATE
                           SET seen_at = EXCLUDED.seen_at, packages = EXCLUDED.packages";
                let values = values![&runtime, &environment, digest.as_str(), seen, packages];
                tx.run(sql, values).await?;
            }
            tx.commit().await?;
        }
        if is_all {
            let fits = "runtime = $1 AND (environment <> $2 OR seen_at < $3)";
            let key = ("in_use", "runtime, environment, digest");
            self.delete_parts(key, fits, values![&runtime, &environment, seen]).await?;
        }
        Ok(())
    }

    /// What was seen being loaded of an image in an environment, by each runtime that looked.
    pub async fn in_use(
        &self,
        organisation: &OrganisationId,
        environment: &str,
        digest: &Digest,
    ) -> Result<Vec<SeenInUse>, Error> {
        let sql = "SELECT r.name, u.seen_at, u.packages, u.digest FROM in_use u
                   JOIN runtimes r ON r.id = u.runtime
                   JOIN environments e ON e.id = u.environment
                   WHERE e.organisation = $1 AND e.name = $2
                   AND (u.digest = $3 OR u.digest IN
                       (SELECT n.digest FROM image_names n JOIN images i ON i.id = n.image
                        WHERE i.organisation = $1 AND i.digest = $3))
                   ORDER BY r.name, u.digest";
        let values = values![&organisation.0, names::normal(environment), digest.as_str()];
        self.db.rows(sql, values).await?.iter().map(read).collect()
    }

    /// What was seen being loaded anywhere since then, by the digests of the images that it is about,
    /// as they are analysed; each behind the id of its environment. It is unpacked and told one by
    /// one, for as long as `take` says true: unpacked, all of it may be more than anybody holds.
    pub async fn all_in_use(
        &self,
        organisation: &OrganisationId,
        since: Moment,
        mut take: impl FnMut(String, SeenInUse) -> bool,
    ) -> Result<(), Error> {
        let sql = "SELECT u.environment, r.name, u.seen_at, u.packages, u.digest FROM in_use u
                   JOIN runtimes r ON r.id = u.runtime
                   WHERE r.organisation = $1 AND u.seen_at >= $2
                   UNION ALL
                   SELECT u.environment, r.name, u.seen_at, u.packages, i.digest FROM in_use u
                   JOIN runtimes r ON r.id = u.runtime
                   JOIN image_names n ON n.digest = u.digest
                   JOIN images i ON i.id = n.image AND i.organisation = r.organisation
                   WHERE r.organisation = $1 AND u.seen_at >= $2";
        let rows = self.db.rows(sql, values![&organisation.0, since]).await?;
        for row in &rows {
            if !take(row.text("environment")?, read(row)?) {
                break;
            }
        }
        Ok(())
    }
}

fn read(row: &Row) -> Result<SeenInUse, Error> {
    Ok(SeenInUse {
        by: row.text("name")?,
        seen: row.moment("seen_at")?,
        digest: row.text("digest")?,
        profile: inventories::inflated_json(&row.blob("packages")?)?,
    })
}
