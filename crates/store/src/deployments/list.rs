//! Deployments listed: what runs, what ran then, all there ever was, and what went stale.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use model::{Deployment, OrganisationId};

use super::{COLUMNS, SELECT, narrow, read};
use crate::contract::{Elsewhere, Error, Listed, Page, Paged, RunsAs, Selection, Stale, When};
use crate::db::{Db, Query, Row, runs, values};
use crate::{Store, environments, names};

impl Store {
    /// The deployments that are selected: running or at a time by environment, application and
    /// platform; all there ever was by time, latest first.
    ///
    /// An environment that is not there is an error that names those that are.
    pub async fn deployments(
        &self,
        organisation: &OrganisationId,
        selection: &Selection,
        when: When,
        page: &Page,
    ) -> Result<Paged<Deployment>, Error> {
        let list = List { organisation, selection, when, tags: false, limit: page.rows() + 1 };
        let listed = self.listed(&list, page).await?;
        let rows = listed.rows.into_iter().map(|it| it.deployment).collect();
        Ok(Paged { rows, next: listed.next })
    }

    /// What runs, as [`Store::deployments`] has it, each with where its tag leads by now.
    pub async fn running(
        &self,
        organisation: &OrganisationId,
        selection: &Selection,
        page: &Page,
    ) -> Result<Paged<Listed>, Error> {
        let when = When::Now;
        let list = List { organisation, selection, when, tags: true, limit: page.rows() + 1 };
        self.listed(&list, page).await
    }

    async fn listed(&self, list: &List<'_>, page: &Page) -> Result<Paged<Listed>, Error> {
        let after = page.after.as_deref().map(read_cursor).transpose()?;
        let (selection, when) = (list.selection, list.when);
        let rows = if when == When::Ever {
            list.ever(&self.db, after.as_ref()).await?
        } else if let Some(name) = &selection.environment {
            let after = after.as_ref().map(|[_, key @ ..]| key);
            list.of_one(&self.db, &names::cleaned("environment", name)?, after).await?
        } else if selection.digest.is_some()
            || (selection.repository.is_some() && when != When::Now)
        {
            list.of_few(&self.db, after.as_ref()).await?
        } else {
            list.of_all(&self.db, after.as_ref()).await?
        };
        if let (Some(name), true) = (&selection.environment, rows.is_empty()) {
            environments::find(&self.db, list.organisation, name).await?;
        }
        Ok(Paged::of(rows, page.rows(), |it| write_cursor(&it.deployment, when)))
    }

    /// What runs in that environment, whichever the selection names, and is selected otherwise: by no more
    /// than its names, in the order of applications and platforms.
    pub async fn runs_as(
        &self,
        organisation: &OrganisationId,
        environment: &str,
        selection: &Selection,
    ) -> Result<Vec<RunsAs>, Error> {
        let id = environments::find(&self.db, organisation, environment).await?;
        let columns = "SELECT d.id, d.application, d.platform, d.repository, d.from_at";
        let mut query = Query::new(columns, vec![]);
        query.with("FROM deployments d WHERE d.environment = $?", &id);
        query.then("AND d.until_at IS NULL");
        narrow(&mut query, selection);
        query.then("ORDER BY d.application, d.platform, d.slot");
        let (sql, values) = query.into_parts();
        let read = |row: &Row| {
            Ok(RunsAs {
                deployment: row.text("id")?,
                application: row.text("application")?,
                platform: row.parsed("platform")?,
                repository: row.text("repository")?,
                from: row.moment("from_at")?,
            })
        };
        self.db.rows(sql, values).await?.iter().map(read).collect()
    }

    /// Those of these deployments that run, by their ids.
    pub async fn still_running(
        &self,
        organisation: &OrganisationId,
        deployments: &[String],
    ) -> Result<Vec<Deployment>, Error> {
        let mut found = self.deployments_by_id(organisation, deployments).await?;
        found.retain(|it| it.until.is_none());
        Ok(found)
    }

    /// Where the images of those of these deployments that run are from.
    pub async fn running_repositories(
        &self,
        organisation: &OrganisationId,
        deployments: &[String],
    ) -> Result<BTreeSet<String>, Error> {
        let mut found = BTreeSet::new();
        for run in runs(deployments) {
            let mut query = Query::new("SELECT DISTINCT repository FROM deployments", vec![]);
            query.then("WHERE until_at IS NULL");
            query.with_all("AND id IN $?", run);
            query.with("AND organisation || '' = $?", &organisation.0);
            let (sql, values) = query.into_parts();
            for row in self.db.few(sql, values).await? {
                found.insert(row.text("repository")?);
            }
        }
        Ok(found)
    }

    /// These deployments, by their ids, though they have ended.
    pub async fn deployments_by_id(
        &self,
        organisation: &OrganisationId,
        deployments: &[String],
    ) -> Result<Vec<Deployment>, Error> {
        let mut found = Vec::with_capacity(deployments.len());
        for run in runs(deployments) {
            let mut query = Query::new(SELECT, vec![]);
            query.with_all("WHERE d.id IN $?", run);
            // No index is to lead from whose they are to all that there ever was.
            query.with("AND d.organisation || '' = $?", &organisation.0);
            let (sql, values) = query.into_parts();
            for row in self.db.few(sql, values).await? {
                found.push(read(&row)?);
            }
        }
        Ok(found)
    }

    /// The running deployments whose tag leads to another image by now.
    pub async fn stale(
        &self,
        organisation: &OrganisationId,
        environment: Option<&str>,
    ) -> Result<Vec<Stale>, Error> {
        let mut query = leading_elsewhere(organisation);
        if let Some(name) = environment {
            let environment = environments::find(&self.db, organisation, name).await?;
            query.with("AND d.environment = $?", environment);
        }
        query.then("ORDER BY e.name, d.application, d.platform, d.slot");
        let (sql, values) = query.into_parts();
        self.db.rows(sql, values).await?.iter().map(stale).collect()
    }

    /// Images that run and nobody has analysed: what is left to do after a crash.
    pub async fn unanalysed(
        &self,
        organisation: &OrganisationId,
    ) -> Result<Vec<Deployment>, Error> {
        // What is not known to be analysed has an index of its own; from each environment to it.
        let text = format!(
            "SELECT {COLUMNS} FROM environments e CROSS JOIN deployments d
             LEFT JOIN images i ON i.organisation = d.organisation AND i.digest = d.digest"
        );
        let mut query = Query::new(&text, vec![]);
        query.with("WHERE e.organisation = $?", &organisation.0);
        query.then("AND d.environment = e.id AND d.until_at IS NULL AND d.analysed IS NULL");
        query.then("AND (i.state IS NULL OR i.state <> 'analysed')");
        query.then("ORDER BY d.digest, e.name, d.application, d.platform, d.slot");
        let (sql, values) = query.into_parts();
        let rows = self.db.few(sql, values).await?;
        let mut all: Vec<Deployment> = rows.iter().map(read).collect::<Result<_, _>>()?;
        all.dedup_by(|left, right| left.digest == right.digest);
        Ok(all)
    }
}

fn leading_elsewhere(organisation: &OrganisationId) -> Query {
    let columns = SELECT.replacen("SELECT", "SELECT t.digest AS leads_to, t.from_at AS since,", 1);
    let mut query = Query::new(&columns, vec![]);
    query.then(
        "JOIN tags t ON t.organisation = d.organisation AND t.repository = d.repository
              AND t.tag = d.tag AND t.platform = d.platform AND t.until_at IS NULL",
    );
    query.with("WHERE d.organisation = $?", &organisation.0);
    query.then("AND d.until_at IS NULL AND t.digest <> d.digest");
    query
}

fn stale(row: &Row) -> Result<Stale, Error> {
    Ok(Stale {
        deployment: read(row)?,
        leads_to: row.parsed("leads_to")?,
        since: row.moment("since")?,
    })
}

/// What of deployments is listed.
struct List<'a> {
    organisation: &'a OrganisationId,
    selection: &'a Selection,
    when: When,
    /// Where tags lead by now is told too.
    tags: bool,
    limit: usize,
}

/// The order of what holds at a time in one environment, as an index has it.
const KEY: &str = "d.application, d.platform, d.slot";

impl List<'_> {
    /// Of one environment, behind a key.
    async fn of_one(
        &self,
        db: &Db,
        name: &str,
        after: Option<&[String; 3]>,
    ) -> Result<Vec<Listed>, Error> {
        let mut query = self.head(Some(name));
        query.then("FROM (SELECT d.* FROM deployments d");
        // To all of an image an index leads by themselves; what held at a time has one in its order.
        let environment = if self.selection.digest.is_some() { "|| ''" } else { "" };
        query.then(&format!("WHERE d.environment {environment} ="));
        query.then("(SELECT id FROM environments WHERE organisation = $1 AND name = $2)");
        if self.selection.digest.is_some() || self.when != When::Now {
            query.then("AND d.organisation = $1");
        }
        self.hold(&mut query);
        if let Some([application, platform, slot]) = after {
            query.with(&format!("AND ({KEY}) > ($?,"), application);
            query.with("$?,", platform);
            query.with("$?)", slot);
        }
        self.end(db, query, KEY).await
    }

    /// Of all environments, as far as they are needed: the rest of the one that the page before
    /// ended in, and then those that follow. Each is asked for no more than there is room, in the
    /// order of an index; and nothing is amiss if something changes between the two questions, for
    /// they are as two shorter pages.
    async fn of_all(&self, db: &Db, after: Option<&[String; 4]>) -> Result<Vec<Listed>, Error> {
        let mut rows = Vec::new();
        if let Some([name, key @ ..]) = after {
            rows = self.of_one(db, name, Some(key)).await?;
        }
        let room = self.limit.saturating_sub(rows.len());
        if room == 0 {
            return Ok(rows);
        }
        let rest = Self { limit: room, ..*self };
        let mut query = rest.head(None);
        query.then("FROM (SELECT e.name AS environment_name, d.* FROM environments e");
        let [open, close] = db.first_of_each("deployments d", KEY, room);
        query.then(&open);
        query.then("WHERE d.environment = e.id");
        if rest.when != When::Now {
            query.then("AND d.organisation = e.organisation");
        }
        rest.hold(&mut query);
        query.then(&close);
        query.with("e.organisation = $?", &self.organisation.0);
        if let Some([name, ..]) = after {
            query.with("AND e.name > $?", name);
        }
        rows.extend(rest.end(db, query, &format!("e.name, {KEY}")).await?);
        Ok(rows)
    }

    /// Of one image, or what held at a time of one repository: a few, which an index leads to.
    async fn of_few(&self, db: &Db, after: Option<&[String; 4]>) -> Result<Vec<Listed>, Error> {
        let mut query = self.head(None);
        query.then("FROM (SELECT e.name AS environment_name, d.* FROM deployments d");
        query.then("JOIN environments e ON e.id = d.environment");
        query.with("WHERE d.organisation = $?", &self.organisation.0);
        self.hold(&mut query);
        if let Some([environment, application, platform, slot]) = after {
            query.with(&format!("AND (e.name, {KEY}) > ($?,"), environment);
            query.with("$?,", application);
            query.with("$?,", platform);
            query.with("$?)", slot);
        }
        self.end(db, query, &format!("e.name, {KEY}")).await
    }

    /// All there ever was, behind a moment and an id.
    async fn ever(&self, db: &Db, after: Option<&[String; 4]>) -> Result<Vec<Listed>, Error> {
        let mut query = self.head(None);
        query.then("FROM (SELECT e.name AS environment_name, d.* FROM deployments d");
        query.then("JOIN environments e ON e.id = d.environment");
        // Of an image there are few, which an index leads to; else one has them in this order.
        let few = self.selection.digest.is_some();
        let (from_at, unfit) = if few { ("+d.from_at", "|| ''") } else { ("d.from_at", "") };
        if let Some(name) = &self.selection.environment {
            let name = names::cleaned("environment", name)?;
            query.then(&format!("WHERE d.environment {unfit} ="));
            query.with("(SELECT id FROM environments WHERE name = $?", name);
            query.with("AND organisation = $?)", &self.organisation.0);
            if few {
                query.with("AND d.organisation = $?", &self.organisation.0);
            }
        } else {
            query.with("WHERE d.organisation = $?", &self.organisation.0);
        }
        narrow(&mut query, self.selection);
        if let Some([from, id, ..]) = after {
            let from: i64 = from.parse().map_err(|_| bad_cursor())?;
            query.with(&format!("AND ({from_at}, d.id) < ($?,"), from);
            query.with("$?)", id);
        }
        self.end(db, query, &format!("{from_at} DESC, d.id DESC")).await
    }

    /// What is read of each, of an environment whose name is known, or of any.
    fn head(&self, name: Option<&str>) -> Query {
        let environment = if name.is_some() { "CAST($2 AS TEXT)" } else { "d.environment_name" };
        let tags = if self.tags { ", t.digest AS leads_to, t.from_at AS since" } else { "" };
        let text = format!(
            "SELECT d.id, {environment} AS environment, d.application, d.platform, d.repository,
                    d.tag, d.digest, d.source, d.recorded_by, d.recorded_from, d.from_at,
                    d.until_at, CASE WHEN d.analysed IS NULL THEN i.state ELSE 'analysed' END
                    AS state{tags}"
        );
        let known = name.map(|it| values![&self.organisation.0, it]);
        Query::new(&text, known.unwrap_or_default())
    }

    /// That it holds at the time, and is selected.
    fn hold(&self, query: &mut Query) {
        match self.when {
            When::Now => query.then("AND d.until_at IS NULL"),
            When::At(moment) => {
                // No index is to lead to all that began before: we go along that of the keys, or of a
                // repository.
                let from_at =
                    if self.selection.repository.is_some() { "d.from_at" } else { "+d.from_at" };
                query.with(&format!("AND {from_at} <= $?"), moment);
                query.with("AND (d.until_at IS NULL OR d.until_at > $?)", moment);
            }
            When::Ever => {}
        }
        narrow(query, self.selection);
    }

    /// Asks for those that are first in an order, and for what is told beside each of them.
    async fn end(&self, db: &Db, mut query: Query, order: &str) -> Result<Vec<Listed>, Error> {
        // The number stands in the text, so that PostgreSQL knows how few are wanted.
        query.then(&format!("ORDER BY {order} LIMIT {}) d", self.limit));
        // Of an image that is known to be analysed nothing is looked up.
        query.then(
            "LEFT JOIN images i ON i.organisation = d.organisation
                  AND i.digest = CASE WHEN d.analysed IS NULL THEN d.digest END",
        );
        if self.tags {
            query.then(
                "LEFT JOIN tags t ON t.organisation = d.organisation
                      AND t.repository = d.repository AND t.tag = d.tag
                      AND t.platform = d.platform AND t.until_at IS NULL
                      AND t.digest <> d.digest",
            );
        }
        let (sql, values) = query.into_parts();
        let rows = db.few(sql, values).await?;
        let mut rows: Vec<Listed> =
            rows.iter().map(|it| self.read(it)).collect::<Result<_, _>>()?;
        // They come so, but no database promises it.
        let ever = self.when == When::Ever;
        rows.sort_by(|left, right| {
            let (left, right) = (&left.deployment, &right.deployment);
            if ever { latest_first(left, right) } else { by_name(left, right) }
        });
        Ok(rows)
    }

    fn read(&self, row: &Row) -> Result<Listed, Error> {
        let elsewhere = if self.tags && row.maybe_word("leads_to")?.is_some() {
            Some(Elsewhere { leads_to: row.parsed("leads_to")?, since: row.moment("since")? })
        } else {
            None
        };
        Ok(Listed { deployment: read(row)?, elsewhere })
    }
}

fn latest_first(left: &Deployment, right: &Deployment) -> Ordering {
    (right.from, &right.id).cmp(&(left.from, &left.id))
}

/// The order of those that hold at a time.
fn by_name(left: &Deployment, right: &Deployment) -> Ordering {
    let names =
        (&left.environment, &left.application).cmp(&(&right.environment, &right.application));
    names.then_with(|| key(left).cmp(&key(right)))
}

/// What orders them.
fn key(it: &Deployment) -> [String; 4] {
    let slot = it.source.runtime().map(|_| it.source.to_string()).unwrap_or_default();
    [it.environment.clone(), it.application.clone(), it.platform.to_string(), slot]
}

/// The key of the last row of a page.
fn write_cursor(it: &Deployment, when: When) -> String {
    let key = match when {
        When::Ever => [it.from.micros().to_string(), it.id.clone(), String::new(), String::new()],
        When::Now | When::At(_) => key(it),
    };
    serde_json::to_string(&key).expect("four texts have a written form")
}

fn read_cursor(text: &str) -> Result<[String; 4], Error> {
    serde_json::from_str(text).map_err(|_| bad_cursor())
}

fn bad_cursor() -> Error {
    Error::Refused {
        what: "page".to_owned(),
        why: "what it is to begin after is no end of a page".to_owned(),
        hint: None,
    }
}
