//! Runtimes listed, and what was told of each.

use std::collections::BTreeMap;

use model::{Digest, Moment, OrganisationId, Platform, Source};

use super::every;
use crate::contract::{
    Container, Error, KeptContainer, RuntimeRecord, Unplaced, Workload, is_silent,
};
use crate::db::{Query, Row, Tx, values};
use crate::{Store, names};

/// How many names an error lists.
const LISTED: i64 = 20;
/// So many of what cannot be placed are told of a runtime.
const TOLD: usize = 1_000;

impl Store {
    /// All runtimes, by name, or those that run something in an environment.
    pub async fn runtimes(
        &self,
        organisation: &OrganisationId,
        environment: Option<&str>,
    ) -> Result<Vec<RuntimeRecord>, Error> {
        let mut tx = self.db.read().await?;
        let mut query = Query::new(SELECT, vec![]);
        query.with("WHERE r.organisation = $?", &organisation.0);
        if let Some(name) = environment {
            query.with(
                "AND r.id IN (SELECT n.runtime FROM runtime_environments n
                     JOIN environments e ON e.id = n.environment
                     WHERE e.organisation = r.organisation AND e.name = $?)",
                names::normal(name),
            );
        }
        query.then("ORDER BY r.name LIMIT 1000");
        let (sql, values) = query.into_parts();
        let rows = tx.rows(sql, values).await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            all.push(read(&mut tx, row).await?);
        }
        Ok(all)
    }

    /// One of them; without one, an error that names those there are.
    pub async fn runtime(
        &self,
        organisation: &OrganisationId,
        runtime: &str,
    ) -> Result<RuntimeRecord, Error> {
        let name = names::normal(runtime);
        let mut tx = self.db.read().await?;
        let sql = format!("{SELECT} WHERE r.organisation = $1 AND r.name = $2");
        if let Some(row) = tx.row(sql, values![&organisation.0, &name]).await? {
            return read(&mut tx, &row).await;
        }
        let name = name.chars().take(names::LONGEST_NAME).collect();
        Err(none(&mut tx, organisation, name).await?)
    }

    /// The runtimes that were not heard of for too long, each with since when.
    pub async fn silent_runtimes(
        &self,
        organisation: &OrganisationId,
        now: Moment,
    ) -> Result<BTreeMap<String, Moment>, Error> {
        let sql = "SELECT name, heard_at, every FROM runtimes WHERE organisation = $1";
        let mut silent = BTreeMap::new();
        for row in self.db.rows(sql, values![&organisation.0]).await? {
            let heard = row.moment("heard_at")?;
            if is_silent(heard, every(&row)?, now) {
                silent.insert(row.text("name")?, heard);
            }
        }
        Ok(silent)
    }

    /// Does a runtime tell of an image by this digest?
    pub async fn is_told(
        &self,
        organisation: &OrganisationId,
        digest: &Digest,
    ) -> Result<bool, Error> {
        let sql = "SELECT 1 AS one FROM runtime_containers c JOIN runtimes r ON r.id = c.runtime
                   WHERE r.organisation = $1 AND c.digest = $2 LIMIT 1";
        let row = self.db.row(sql, values![&organisation.0, digest.as_str()]).await?;
        Ok(row.is_some())
    }

    /// Does something run by this digest that no runtime told of?
    pub async fn is_recorded(
        &self,
        organisation: &OrganisationId,
        digest: &Digest,
    ) -> Result<bool, Error> {
        let sql = "SELECT 1 AS one FROM deployments
                   WHERE organisation = $1 AND digest = $2 AND until_at IS NULL AND slot = ''
                   LIMIT 1";
        let row = self.db.row(sql, values![&organisation.0, digest.as_str()]).await?;
        Ok(row.is_some())
    }

    /// For which platforms something runs by this digest, as runtimes told, that is not analysed; the
    /// first few.
    pub async fn platforms_waiting(
        &self,
        organisation: &OrganisationId,
        digest: &Digest,
    ) -> Result<Vec<Platform>, Error> {
        let sql = "SELECT DISTINCT platform FROM deployments
                   WHERE organisation = $1 AND digest = $2 AND until_at IS NULL
                   AND slot <> '' AND analysed IS NULL ORDER BY platform LIMIT 20";
        let rows = self.db.rows(sql, values![&organisation.0, digest.as_str()]).await?;
        rows.iter().map(|it| it.parsed("platform")).collect()
    }

    /// All containers that a runtime told of, by environment and workload.
    pub async fn containers(
        &self,
        organisation: &OrganisationId,
        runtime: &str,
    ) -> Result<Vec<KeptContainer>, Error> {
        let sql = "SELECT e.name AS environment, c.namespace, c.kind, c.workload, c.container,
                          c.image, c.repository, c.tag, c.digest, c.platform, c.application, c.placed
                   FROM runtimes r JOIN runtime_containers c ON c.runtime = r.id
                   JOIN environments e ON e.id = c.environment
                   WHERE r.organisation = $1 AND r.name = $2
                   ORDER BY e.name, c.namespace, c.workload, c.container, c.kind, c.key";
        let rows = self.db.rows(sql, values![&organisation.0, names::normal(runtime)]).await?;
        rows.iter().map(kept).collect()
    }
}

const SELECT: &str = "SELECT r.id, r.name, r.kind, r.agent, r.heard_at, r.every, r.gaps, r.other,
                             r.other_heard_at, r.other_differs FROM runtimes r";

async fn read(tx: &mut Tx, row: &Row) -> Result<RuntimeRecord, Error> {
    let id = row.text("id")?;
    let heard = row.moment("heard_at")?;
    let every = every(row)?;
    let mut agents = vec![(row.text("agent")?, heard)];
    if let (Some(other), Some(at)) = (row.maybe_text("other")?, row.maybe_moment("other_heard_at")?)
    {
        agents.push((other, at));
    }
    let gaps = row.word("gaps")?;
    let gaps = serde_json::from_str(gaps).map_err(|error| Error::Corrupt {
        what: "column gaps".to_owned(),
        why: error.to_string(),
    })?;
    let sql = "SELECT COUNT(*) AS rows FROM runtime_containers WHERE runtime = $1";
    let running = tx.row(sql, values![&id]).await?.map_or(Ok(0), |it| it.int("rows"))?;
    let sql = format!(
        "SELECT e.name AS environment, c.digest, MIN(c.image) AS image,
                MIN(c.namespace) AS namespace, MIN(c.kind) AS kind, MIN(c.workload) AS workload,
                MIN(c.container) AS container, COUNT(*) AS rows
         FROM runtime_containers c JOIN environments e ON e.id = c.environment
         WHERE c.runtime = $1 AND c.placed IS NULL
         GROUP BY e.name, c.digest ORDER BY e.name, c.digest LIMIT {TOLD}"
    );
    let rows = tx.rows(sql, values![&id]).await?;
    let unplaced = rows.iter().map(unplaced).collect::<Result<_, _>>()?;
    Ok(RuntimeRecord {
        environments: environments(tx, &id).await?,
        id,
        name: row.text("name")?,
        kind: row.text("kind")?,
        heard,
        every,
        running: u64::try_from(running).unwrap_or(0),
        gaps,
        agents,
        differ: row.int("other_differs")? != 0,
        unplaced,
    })
}

fn unplaced(row: &Row) -> Result<Unplaced, Error> {
    Ok(Unplaced {
        environment: row.text("environment")?,
        digest: row.parsed("digest")?,
        image: row.text("image")?,
        workload: workload(row)?,
        containers: u64::try_from(row.int("rows")?).unwrap_or(0),
    })
}

fn kept(row: &Row) -> Result<KeptContainer, Error> {
    Ok(KeptContainer {
        environment: row.text("environment")?,
        container: container(row)?,
        application: row.maybe_text("application")?,
        placed: row.maybe_text("placed")?.map(|it| it.parse()).transpose().map_err(odd)?,
    })
}

/// A container as it was told.
pub(super) fn container(row: &Row) -> Result<Container, Error> {
    let platform: Option<Platform> =
        row.maybe_text("platform")?.map(|it| it.parse()).transpose().map_err(odd)?;
    Ok(Container {
        workload: workload(row)?,
        image: row.text("image")?,
        repository: row.maybe_text("repository")?,
        tag: row.maybe_text("tag")?,
        digest: row.parsed("digest")?,
        platform,
    })
}

fn workload(row: &Row) -> Result<Workload, Error> {
    Ok(Workload {
        name: row.text("workload")?,
        container: row.text("container")?,
        kind: row.text("kind")?,
        namespace: row.text("namespace")?,
    })
}

pub(super) fn odd(error: impl std::fmt::Display) -> Error {
    Error::Corrupt { what: "container of a runtime".to_owned(), why: error.to_string() }
}

/// The environments that a runtime runs something in, by name.
pub(super) async fn environments(tx: &mut Tx, runtime: &str) -> Result<Vec<String>, Error> {
    let sql =
        "SELECT e.name FROM runtime_environments n JOIN environments e ON e.id = n.environment
               WHERE n.runtime = $1 ORDER BY e.name";
    tx.rows(sql, values![runtime]).await?.iter().map(|it| it.text("name")).collect()
}

/// How much runs as a runtime says, and how many digests are of no image that anybody knows.
pub(super) async fn counts(
    tx: &mut Tx,
    organisation: &OrganisationId,
    runtime: &str,
    source: &Source,
) -> Result<(u64, u64), Error> {
    let sql = "SELECT COUNT(*) AS running,
                      (SELECT COUNT(DISTINCT digest) FROM runtime_containers
                       WHERE runtime = $3 AND placed IS NULL) AS unplaced
               FROM deployments
               WHERE organisation = $1 AND slot = $2 AND until_at IS NULL AND slot <> ''";
    let row = tx.row(sql, values![&organisation.0, source.to_string(), runtime]).await?;
    let row = row.ok_or(Error::Gone("runtime"))?;
    let count = |name| row.int(name).map(|it| u64::try_from(it).unwrap_or(0));
    Ok((count("running")?, count("unplaced")?))
}

/// That there is no runtime of that name.
pub(super) async fn none(
    tx: &mut Tx,
    organisation: &OrganisationId,
    name: String,
) -> Result<Error, Error> {
    let sql = "SELECT name FROM runtimes WHERE organisation = $1 ORDER BY name LIMIT $2";
    let rows = tx.rows(sql, values![&organisation.0, LISTED]).await?;
    let among = rows.iter().map(|it| it.text("name")).collect::<Result<_, _>>()?;
    Ok(Error::NotFound { what: "runtime", name, among })
}
