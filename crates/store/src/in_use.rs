//! In use: what the containers of an image were seen to load, by runtime and environment.

use std::collections::{BTreeMap, HashMap};

use model::{Digest, Moment, OrganisationId, Profile};
use sha2::{Digest as _, Sha256};

use crate::Store;
use crate::contract::{Error, SeenInUse};
use crate::db::{Row, values};
use crate::inventories;
use crate::names;

/// Digests of one transaction.
const ROWS: usize = 200;

impl Store {
    /// Keeps what a runtime saw being loaded in one of its environments, by the digests that it calls
    /// images by, and says whether that is another than before. With `is_all`, what it does not name any
    /// more is forgotten.
    pub async fn keep_in_use(
        &self,
        organisation: &OrganisationId,
        runtime: &str,
        environment: &str,
        seen: Moment,
        profiles: &BTreeMap<String, Profile>,
        is_all: bool,
    ) -> Result<bool, Error> {
        let runtime = names::cleaned("runtime", runtime)?;
        // The environment may have another name by now than the runtime has for it.
        let sql = "SELECT n.runtime, n.environment FROM runtime_environments n
                   JOIN runtimes r ON r.id = n.runtime
                   WHERE r.organisation = $1 AND r.name = $2 AND n.called = $3";
        let values = values![&organisation.0, &runtime, names::normal(environment)];
        let Some(row) = self.db.row(sql, values).await? else { return Ok(false) };
        let (runtime, environment) = (row.text("runtime")?, row.text("environment")?);
        let mut is_other = false;
        let all: Vec<(&String, &Profile)> = profiles.iter().collect();
        for part in all.chunks(ROWS) {
            let mut tx = self.db.write().await?;
            let sql = "SELECT 1 AS one FROM runtime_environments
                       WHERE runtime = $1 AND environment = $2";
            if tx.row(sql, values![&runtime, &environment]).await?.is_none() {
                // It was let go of meanwhile.
                return Ok(is_other);
            }
            for (digest, profile) in part {
                let packages = inventories::deflated_json(profile)?;
                let sum = Sha256::digest(&packages).into();
                let mark = Digest::from_sha256(&sum).hex().to_owned();
                let sql = "UPDATE in_use SET seen_at = $4
                           WHERE runtime = $1 AND environment = $2 AND digest = $3 AND mark = $5";
                let same = values![&runtime, &environment, digest.as_str(), seen, &mark];
                if tx.run(sql, same).await? > 0 {
                    continue;
                }
                is_other = true;
                let sql = "INSERT INTO in_use (runtime, environment, digest, seen_at, packages, mark)
                           VALUES ($1, $2, $3, $4, $5, $6)
                           ON CONFLICT (runtime, environment, digest) DO UPDATE SET
                           seen_at = EXCLUDED.seen_at, packages = EXCLUDED.packages, mark = EXCLUDED.mark";
                let values = values![&runtime, &environment, digest.as_str(), seen, packages, mark];
                tx.run(sql, values).await?;
            }
            tx.commit().await?;
        }
        if is_all {
            let fits = "runtime = $1 AND (environment <> $2 OR seen_at < $3)";
            let key = ("in_use", "runtime, environment, digest");
            let gone = self.delete_parts(key, fits, values![&runtime, &environment, seen]).await?;
            is_other |= gone > 0;
        }
        Ok(is_other)
    }

    /// What stands for all that was seen being loaded since then: another where anything of it is
    /// another. By the id of the environment, and the digest of the image as it is analysed.
    pub async fn in_use_marks(
        &self,
        organisation: &OrganisationId,
        since: Moment,
    ) -> Result<HashMap<String, HashMap<String, String>>, Error> {
        let sql = "SELECT u.environment, u.digest, u.runtime, u.mark FROM in_use u
                   JOIN runtimes r ON r.id = u.runtime
                   WHERE r.organisation = $1 AND u.seen_at >= $2
                   UNION
                   SELECT u.environment, i.digest, u.runtime, u.mark FROM in_use u
                   JOIN runtimes r ON r.id = u.runtime
                   JOIN image_names n ON n.digest = u.digest
                   JOIN images i ON i.id = n.image AND i.organisation = r.organisation
                   WHERE r.organisation = $1 AND u.seen_at >= $2
                   ORDER BY 1, 2, 3, 4";
        let mut all: HashMap<String, HashMap<String, String>> = HashMap::new();
        for row in self.db.rows(sql, values![&organisation.0, since]).await? {
            let there = all.entry(row.text("environment")?).or_default();
            let mark = there.entry(row.text("digest")?).or_default();
            mark.push_str(&row.text("runtime")?);
            mark.push_str(&row.text("mark")?);
        }
        Ok(all)
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
