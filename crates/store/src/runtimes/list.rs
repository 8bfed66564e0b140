//! Runtimes listed, and what was told of each.

use std::collections::{BTreeMap, HashMap};

use model::{Digest, Moment, OrganisationId, Platform, Source};

use super::every;
use crate::contract::{
    Container, Error, KeptContainer, Page, Paged, RuntimeRecord, Unplaced, Workload, is_silent,
};
use crate::db::{Query, Row, Tx, runs, values};
use crate::{Store, names};

/// How many names an error lists.
const LISTED: i64 = 20;
/// So many of what cannot be placed are told of a runtime.
const TOLD: usize = 1_000;

impl Store {
    /// A part of the runtimes, by name, or of those that run something in an environment.
    pub async fn runtimes(
        &self,
        organisation: &OrganisationId,
        environment: Option<&str>,
        page: &Page,
    ) -> Result<Paged<RuntimeRecord>, Error> {
        let environment = environment.map(names::normal);
        let mut tx = self.db.read().await?;
        let mut query = Query::new(SELECT, vec![]);
        query.with("WHERE r.organisation = $?", &organisation.0);
        query.with("AND r.name > $?", page.after.as_deref().unwrap_or(""));
        if let Some(name) = &environment {
            query.with(
                "AND r.id IN (SELECT n.runtime FROM runtime_environments n
                     JOIN environments e ON e.id = n.environment
                     WHERE e.organisation = r.organisation AND e.name = $?)",
                name,
            );
        }
        query.then(&format!("ORDER BY r.name LIMIT {}", page.rows() + 1));
        let (sql, values) = query.into_parts();
        let rows = tx.rows(sql, values).await?;
        let paged = Paged::of(rows.iter().map(read).collect::<Result<_, _>>()?, page.rows(), name);
        let rows = fill(&mut tx, paged.rows, environment.as_deref()).await?;
        Ok(Paged { rows, next: paged.next })
    }

    /// All of them, however many there are: what one of them cannot tell, nobody may overlook.
    pub async fn all_runtimes(
        &self,
        organisation: &OrganisationId,
        environment: Option<&str>,
    ) -> Result<Vec<RuntimeRecord>, Error> {
        let mut all = Vec::new();
        let mut page = Page::first(1_000);
        loop {
            let part = self.runtimes(organisation, environment, &page).await?;
            all.extend(part.rows);
            match part.next {
                Some(next) => page.after = Some(next),
                None => return Ok(all),
            }
        }
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
            let filled = fill(&mut tx, vec![read(&row)?], None).await?;
            return filled.into_iter().next().ok_or(Error::Gone("runtime"));
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

fn name(it: &RuntimeRecord) -> String {
    it.name.clone()
}

/// A runtime, without what is looked up for several at once.
fn read(row: &Row) -> Result<RuntimeRecord, Error> {
    let heard = row.moment("heard_at")?;
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
    Ok(RuntimeRecord {
        id: row.text("id")?,
        name: row.text("name")?,
        kind: row.text("kind")?,
        heard,
        every: every(row)?,
        environments: Vec::new(),
        running: 0,
        gaps,
        agents,
        differ: row.int("other_differs")? != 0,
        unplaced: Vec::new(),
        lost: BTreeMap::new(),
    })
}

/// What is told of each beside itself: where it runs how much, and what of that cannot be placed.
async fn fill(
    tx: &mut Tx,
    mut all: Vec<RuntimeRecord>,
    environment: Option<&str>,
) -> Result<Vec<RuntimeRecord>, Error> {
    let ids: Vec<String> = all.iter().map(|it| it.id.clone()).collect();
    let places: HashMap<String, usize> =
        ids.iter().enumerate().map(|(at, it)| (it.clone(), at)).collect();
    let place = |row: &Row| Ok::<_, Error>(places.get(row.word("runtime")?).copied());
    for run in runs(&ids) {
        let mut query = Query::new(
            "SELECT n.runtime, e.name FROM runtime_environments n
             JOIN environments e ON e.id = n.environment",
            vec![],
        );
        query.with_all("WHERE n.runtime IN $?", run.clone());
        query.then("ORDER BY e.name");
        let (sql, values) = query.into_parts();
        for row in &tx.rows(sql, values).await? {
            if let Some(it) = place(row)?.and_then(|it| all.get_mut(it)) {
                it.environments.push(row.text("name")?);
            }
        }
        let mut query = Query::new(
            "SELECT c.runtime, e.name, c.running, c.lost FROM
                 (SELECT runtime, environment, COUNT(*) AS running,
                         COUNT(DISTINCT CASE WHEN placed IS NULL THEN digest END) AS lost
                  FROM runtime_containers",
            vec![],
        );
        query.with_all("WHERE runtime IN $?", run);
        query.then("GROUP BY runtime, environment) c JOIN environments e ON e.id = c.environment");
        let (sql, values) = query.into_parts();
        for row in &tx.rows(sql, values).await? {
            let Some(it) = place(row)?.and_then(|it| all.get_mut(it)) else { continue };
            it.running += number(row, "running")?;
            let lost = number(row, "lost")?;
            if lost > 0 {
                it.lost.insert(row.text("name")?, lost);
            }
        }
    }
    for it in &mut all {
        let is_there = environment.is_none_or(|name| it.lost.contains_key(name));
        if is_there && !it.lost.is_empty() {
            it.unplaced = some_unplaced(tx, &it.id, environment).await?;
        }
    }
    Ok(all)
}

/// The first of what cannot be placed of a runtime, of one environment if one is asked about.
async fn some_unplaced(
    tx: &mut Tx,
    runtime: &str,
    environment: Option<&str>,
) -> Result<Vec<Unplaced>, Error> {
    let mut query = Query::new(
        "SELECT e.name AS environment, c.digest, MIN(c.image) AS image,
                MIN(c.namespace) AS namespace, MIN(c.kind) AS kind, MIN(c.workload) AS workload,
                MIN(c.container) AS container, COUNT(*) AS running
         FROM runtime_containers c JOIN environments e ON e.id = c.environment",
        vec![],
    );
    query.with("WHERE c.runtime = $?", runtime);
    query.then("AND c.placed IS NULL");
    if let Some(name) = environment {
        query.with("AND e.name = $?", name);
    }
    query.then(&format!("GROUP BY e.name, c.digest ORDER BY e.name, c.digest LIMIT {TOLD}"));
    let (sql, values) = query.into_parts();
    tx.rows(sql, values).await?.iter().map(unplaced).collect()
}

fn number(row: &Row, column: &str) -> Result<u64, Error> {
    Ok(u64::try_from(row.int(column)?).unwrap_or(0))
}

fn unplaced(row: &Row) -> Result<Unplaced, Error> {
    Ok(Unplaced {
        environment: row.text("environment")?,
        digest: row.parsed("digest")?,
        image: row.text("image")?,
        workload: workload(row)?,
        containers: number(row, "running")?,
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
