//! Deployments listed: what runs, what ran then, all there ever was, and what went stale.

use model::{Deployment, OrganisationId};

use super::{SELECT, narrow, read};
use crate::contract::{Error, Page, Paged, Selection, Stale, When};
use crate::db::{Query, Row, Tx, runs};
use crate::{Store, environments};

/// Environments that are asked for in one query.
const MOST_AT_ONCE: usize = 256;

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
        let limit = page.rows();
        let after = page.after.as_deref().map(read_cursor).transpose()?;
        if when != When::Ever
            && selection.environment.is_none()
            && selection.digest.is_none()
            && selection.repository.is_none()
        {
            let mut tx = self.db.read().await?;
            tx.expect_few().await?;
            let rows = walk(&mut tx, organisation, selection, when, after, limit).await?;
            return Ok(Paged::of(rows, limit, |it| write_cursor(it, when)));
        }
        let mut query = Query::new(SELECT, vec![]);
        // Whichever is said first decides where the search begins: at the image or the repository,
        // or at the environments.
        let begin = if selection.digest.is_some() || selection.repository.is_some() {
            "WHERE d.organisation = $?"
        } else {
            "WHERE e.organisation = $?"
        };
        query.with(begin, &organisation.0);
        let alone = selection.environment.is_some();
        if let Some(name) = &selection.environment {
            let environment = environments::find(&self.db, organisation, name).await?;
            query.with("AND d.environment = $?", environment);
        }
        narrow(&mut query, selection);
        if when == When::Ever {
            if let Some([from, id, ..]) = &after {
                let from: i64 = from.parse().map_err(|_| bad_cursor())?;
                query.with("AND d.from_at <= $?", from);
                query.with("AND (d.from_at < $? OR", from);
                query.with("d.id < $?)", id);
            }
            query.then("ORDER BY d.from_at DESC, d.id DESC");
        } else {
            follow(&mut query, when, alone, after.as_ref());
        }
        query.with("LIMIT $?", limit + 1);
        let (sql, values) = query.into_parts();
        let rows = self.db.rows(sql, values).await?;
        let rows = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Paged::of(rows, limit, |it| write_cursor(it, when)))
    }

    /// What runs of those images, by their numbers: by environment, application and platform.
    pub async fn running_of(
        &self,
        organisation: &OrganisationId,
        images: &[i64],
    ) -> Result<Vec<Deployment>, Error> {
        let mut found = Vec::new();
        for run in runs(images) {
            let mut query = Query::new(SELECT, vec![]);
            query.with("WHERE d.organisation = $?", &organisation.0);
            query.then("AND d.until_at IS NULL");
            query.with_all("AND i.id IN $?", run);
            let (sql, values) = query.into_parts();
            for row in self.db.rows(sql, values).await? {
                found.push(read(&row)?);
            }
        }
        found.sort_by(|left, right| {
            let key = |it: &Deployment| {
                (it.environment.clone(), it.application.clone(), it.platform.to_string())
            };
            key(left).cmp(&key(right)).then_with(|| left.id.cmp(&right.id))
        });
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

    /// Those of these deployments that run and whose tag leads to another image by now.
    pub async fn stale_among(
        &self,
        organisation: &OrganisationId,
        deployments: &[Deployment],
    ) -> Result<Vec<Stale>, Error> {
        let tagged = deployments.iter().filter(|it| it.tag.is_some() && it.until.is_none());
        let ids: Vec<&str> = tagged.map(|it| it.id.as_str()).collect();
        let mut found = Vec::new();
        for run in runs(&ids) {
            let mut query = leading_elsewhere(organisation);
            query.with_all("AND d.id IN $?", run);
            let (sql, values) = query.into_parts();
            for row in self.db.rows(sql, values).await? {
                found.push(stale(&row)?);
            }
        }
        Ok(found)
    }

    /// Images that run and nobody has analysed: what is left to do after a crash.
    pub async fn unanalysed(
        &self,
        organisation: &OrganisationId,
    ) -> Result<Vec<Deployment>, Error> {
        let mut query = Query::new(SELECT, vec![]);
        query.with("WHERE d.organisation = $?", &organisation.0);
        query.then("AND d.until_at IS NULL AND (i.state IS NULL OR i.state = 'pending')");
        query.then("ORDER BY d.digest, e.name, d.application, d.platform, d.slot");
        let (sql, values) = query.into_parts();
        let rows = self.db.rows(sql, values).await?;
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

/// A page of all environments and one row more: environment by environment, since an index has
/// what runs in one in the order of the list; and of ever more at once, where they have little.
async fn walk(
    tx: &mut Tx,
    organisation: &OrganisationId,
    selection: &Selection,
    when: When,
    after: Option<[String; 4]>,
    limit: usize,
) -> Result<Vec<Deployment>, Error> {
    let mut query = Query::new("SELECT id, name FROM environments", vec![]);
    query.with("WHERE organisation = $?", &organisation.0);
    if let Some([name, ..]) = &after {
        query.with("AND name >= $?", name);
    }
    query.then("ORDER BY name");
    let (sql, values) = query.into_parts();
    let rows = tx.rows(sql, values).await?;
    let all: Vec<String> = rows.iter().map(|it| it.text("id")).collect::<Result<_, _>>()?;
    let first = rows.first().map(|it| it.text("name")).transpose()?;
    // The first may have begun on the page before; by now it may have another name, or be gone.
    let mut after = after.filter(|[name, ..]| first.as_ref() == Some(name));
    let mut rest = all.as_slice();
    let mut at_once = 1;
    let mut found: Vec<Deployment> = Vec::new();
    while found.len() <= limit && !rest.is_empty() {
        let (some, others) = rest.split_at(at_once.min(rest.len()));
        let mut query = Query::new(SELECT, vec![]);
        query.with_all("WHERE d.environment IN $?", some.to_vec());
        narrow(&mut query, selection);
        follow(&mut query, when, some.len() == 1, after.take().as_ref());
        query.with("LIMIT $?", limit + 1 - found.len());
        let (sql, values) = query.into_parts();
        for row in tx.rows(sql, values).await? {
            found.push(read(&row)?);
        }
        rest = others;
        at_once = (at_once * 2).min(MOST_AT_ONCE);
    }
    Ok(found)
}

/// What held at a time, in the order of the list, behind the last row of the page before: of one
/// environment `alone`, or of several.
fn follow(query: &mut Query, when: When, alone: bool, after: Option<&[String; 4]>) {
    match when {
        When::Now => query.then("AND d.until_at IS NULL"),
        When::At(moment) => {
            query.with("AND d.from_at <= $?", moment);
            query.with("AND (d.until_at IS NULL OR d.until_at > $?)", moment);
        }
        When::Ever => {}
    }
    // Of one environment, an index has them in this order.
    let key = "d.application, d.platform, d.slot";
    if let Some([environment, application, platform, slot]) = after {
        if alone {
            query.with(&format!("AND ({key}) > ($?,"), application);
        } else {
            query.with(&format!("AND (e.name, {key}) > ($?,"), environment);
            query.with("$?,", application);
        }
        query.with("$?,", platform);
        query.with("$?)", slot);
    }
    query.then(if alone { "ORDER BY" } else { "ORDER BY e.name," });
    query.then(key);
}

/// The key of the last row of a page.
fn write_cursor(it: &Deployment, when: When) -> String {
    let slot = it.source.runtime().map(|_| it.source.to_string()).unwrap_or_default();
    let key = match when {
        When::Ever => [it.from.micros().to_string(), it.id.clone(), String::new(), String::new()],
        When::Now | When::At(_) => {
            [it.environment.clone(), it.application.clone(), it.platform.to_string(), slot]
        }
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
