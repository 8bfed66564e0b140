//! Environments: places where images run.

use std::collections::HashMap;

use model::{Act, Environment, EventKind, OrganisationId};
use serde_json::json;

use crate::contract::{Counted, Error, Page, Paged};
use crate::db::{Db, Query, Row, Tx, values};
use crate::retention::delete_some;
use crate::{
    Store, derived, evaluations, events, exceptions, names, new_id, rules, runtimes, schedules,
};

/// How many names an error lists.
const LISTED: i64 = 20;

/// An environment that nobody else changes before the transaction ends.
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl Store {
    /// A new environment.
    pub async fn create_environment(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        name: &str,
    ) -> Result<Environment, Error> {
        let name = names::cleaned("environment", name)?;
        let mut tx = self.db.write().await?;
        match make(&mut tx, organisation, act, name.clone()).await? {
            Some(made) => tx.commit().await.map(|()| made),
            None => Err(Error::Exists { what: "environment", name }),
        }
    }

    /// All of them, by name.
    pub async fn environments(
        &self,
        organisation: &OrganisationId,
    ) -> Result<Vec<Environment>, Error> {
        let sql = format!(
            "SELECT {} FROM environments e WHERE e.organisation = $1 ORDER BY e.name",
            columns(&self.db)
        );
        let rows = self.db.rows(sql, values![&organisation.0]).await?;
        rows.iter().map(read).collect()
    }

    /// A part of them, by name, each with how many findings there are, as far as that is known.
    pub async fn counted_environments(
        &self,
        organisation: &OrganisationId,
        page: &Page,
    ) -> Result<Paged<(Environment, Option<Counted>)>, Error> {
        let limit = page.rows();
        let mut query = counted(&self.db, organisation);
        if let Some(after) = &page.after {
            query.with("AND e.name > $?", after);
        }
        query.then(&format!("ORDER BY e.name LIMIT {}", limit + 1));
        let (sql, values) = query.into_parts();
        let rows = self.db.few(sql, values).await?;
        let rows = rows.iter().map(read_counted).collect::<Result<_, _>>()?;
        Ok(Paged::of(rows, limit, |(it, _): &(Environment, _)| it.name.clone()))
    }

    /// The one of that name, with how many findings there are in it; without one, an error that
    /// names those there are.
    pub async fn counted_environment(
        &self,
        organisation: &OrganisationId,
        name: &str,
    ) -> Result<(Environment, Option<Counted>), Error> {
        let mut query = counted(&self.db, organisation);
        query.with("AND e.name = $?", names::normal(name));
        let (sql, values) = query.into_parts();
        if let Some(row) = self.db.few(sql, values).await?.first() {
            return read_counted(row);
        }
        let name: String = name.chars().take(names::LONGEST_NAME).collect();
        let mut tx = self.db.read().await?;
        Err(none(&mut tx, organisation, name).await?)
    }

    /// The names of all of them, by id.
    pub async fn environment_names(
        &self,
        organisation: &OrganisationId,
    ) -> Result<HashMap<String, String>, Error> {
        let sql = "SELECT id, name FROM environments WHERE organisation = $1";
        let rows = self.db.rows(sql, values![&organisation.0]).await?;
        rows.iter().map(|it| Ok((it.text("id")?, it.text("name")?))).collect()
    }

    /// Gives an environment another name; its history stays with it.
    pub async fn rename_environment(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        from: &str,
        to: &str,
    ) -> Result<(), Error> {
        let to = names::cleaned("environment", to)?;
        let mut tx = self.db.write().await?;
        hold_names(&mut tx, organisation).await?;
        let held = hold(&mut tx, organisation, from).await?;
        if held.name == to {
            return Ok(());
        }
        let sql = "SELECT id FROM environments WHERE organisation = $1 AND name = $2";
        if tx.row(sql, values![&organisation.0, &to]).await?.is_some() {
            return Err(Error::Exists { what: "environment", name: to });
        }
        let sql = "UPDATE environments SET name = $2 WHERE id = $1";
        tx.run(sql, values![&held.id, &to]).await?;
        rules::follow(&mut tx, organisation, &held.name, &to).await?;
        schedules::rename(&mut tx, organisation, &held.name, &to).await?;
        exceptions::follow(&mut tx, organisation, &held.name, &to).await?;
        let note = events::Note::new(EventKind::EnvironmentRenamed, &to).within(&held.id, &to);
        let note = note.detail(json!({ "from": held.name, "to": to }));
        note.write(&mut tx, organisation, act).await?;
        tx.commit().await
    }

    /// Deletes an environment with all that ever ran in it. The events that told of it remain.
    ///
    /// What ended goes first, a part at a time; then, at once, what runs and the environment. Whoever
    /// does it again after a crash goes on.
    pub async fn delete_environment(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        name: &str,
    ) -> Result<(), Error> {
        let id = find(&self.db, organisation, name).await?;
        let mut deployments = 0;
        for (table, key, fits) in [
            ("deployments", "id", "environment = $1 AND until_at IS NOT NULL"),
            ("environment_counts", "environment, at", "environment = $1"),
            ("in_use", "runtime, environment, digest", "environment = $1"),
        ] {
            loop {
                let mut tx = self.db.write().await?;
                let gone = delete_some(&mut tx, table, key, fits, values![&id]).await?;
                tx.commit().await?;
                if gone == 0 {
                    break;
                }
                if table == "deployments" {
                    deployments += gone;
                }
            }
        }
        let mut tx = self.db.write().await?;
        runtimes::ask_anew(&mut tx, &id, act.at).await?;
        let sql = "SELECT id, name FROM environments WHERE id = $1";
        // It may have another name by now.
        let row = tx.hold(sql, values![&id]).await?.ok_or(Error::Gone("environment"))?;
        let held = Held { id, name: row.text("name")? };
        let sql = "DELETE FROM deployments WHERE environment = $1";
        deployments += tx.run(sql, values![&held.id]).await?;
        tx.run("DELETE FROM environments WHERE id = $1", values![&held.id]).await?;
        let note = events::Note::new(EventKind::EnvironmentDeleted, &held.name);
        let note = note.within(&held.id, &held.name);
        let note = note.detail(json!({ "deployments": deployments, "environment": held.id }));
        note.write(&mut tx, organisation, act).await?;
        tx.commit().await?;
        self.db.scrub().await;
        Ok(())
    }
}

/// The id of the environment of that name; without one, an error that names those there are.
pub(crate) async fn find(
    db: &Db,
    organisation: &OrganisationId,
    name: &str,
) -> Result<String, Error> {
    find_in(&mut db.read().await?, organisation, name).await
}

/// The id of the environment of that name, in a transaction; without one, an error that names those
/// there are.
pub(crate) async fn find_in(
    tx: &mut Tx,
    organisation: &OrganisationId,
    name: &str,
) -> Result<String, Error> {
    let name = names::cleaned("environment", name)?;
    let sql = "SELECT id FROM environments WHERE organisation = $1 AND name = $2";
    match tx.row(sql, values![&organisation.0, &name]).await? {
        Some(row) => row.text("id"),
        None => Err(none(tx, organisation, name).await?),
    }
}

/// The environment of that name, held.
pub(crate) async fn hold(
    tx: &mut Tx,
    organisation: &OrganisationId,
    name: &str,
) -> Result<Held, Error> {
    let name = names::cleaned("environment", name)?;
    let sql = "SELECT id, name FROM environments WHERE organisation = $1 AND name = $2";
    match tx.hold(sql, values![&organisation.0, &name]).await? {
        Some(row) => Ok(Held { id: row.text("id")?, name: row.text("name")? }),
        None => Err(none(tx, organisation, name).await?),
    }
}

/// The environment of that id, held, if it is there.
pub(crate) async fn hold_by_id(tx: &mut Tx, id: &str) -> Result<Option<Held>, Error> {
    let sql = "SELECT id, name FROM environments WHERE id = $1";
    match tx.hold(sql, values![id]).await? {
        Some(row) => Ok(Some(Held { id: row.text("id")?, name: row.text("name")? })),
        None => Ok(None),
    }
}

/// Two environments, held in the order in which all who hold several do: by their ids.
pub(crate) async fn hold_both(
    tx: &mut Tx,
    organisation: &OrganisationId,
    one: &str,
    other: &str,
) -> Result<(Held, Held), Error> {
    let ids = [find_in(tx, organisation, one).await?, find_in(tx, organisation, other).await?];
    let mut ordered = ids.clone();
    ordered.sort();
    for id in ordered {
        hold_by_id(tx, &id).await?;
    }
    // By their names once more: one may have been renamed or deleted meanwhile.
    Ok((hold(tx, organisation, one).await?, hold(tx, organisation, other).await?))
}

/// Makes an environment of that name if there is none. Says whether it was made. Whoever holds one
/// already must not ask: whoever gives names holds those first.
pub(crate) async fn ready(
    tx: &mut Tx,
    organisation: &OrganisationId,
    act: &Act,
    name: &str,
) -> Result<bool, Error> {
    let name = names::cleaned("environment", name)?;
    let sql = "SELECT id FROM environments WHERE organisation = $1 AND name = $2";
    if tx.row(sql, values![&organisation.0, &name]).await?.is_some() {
        return Ok(false);
    }
    Ok(make(tx, organisation, act, name).await?.is_some())
}

/// Makes an environment; none is that one of that name is there.
async fn make(
    tx: &mut Tx,
    organisation: &OrganisationId,
    act: &Act,
    name: String,
) -> Result<Option<Environment>, Error> {
    let made = Environment {
        id: new_id(),
        name,
        created: act.at,
        created_by: names::told(&act.who),
        running: 0,
        pending: 0,
    };
    hold_names(tx, organisation).await?;
    let rows = tx
        .run(
            "INSERT INTO environments (id, organisation, name, created_at, created_by)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (organisation, name) DO NOTHING",
            values![&made.id, &organisation.0, &made.name, made.created, &made.created_by],
        )
        .await?;
    if rows == 0 {
        return Ok(None);
    }
    let note = events::Note::new(EventKind::EnvironmentCreated, &made.name);
    note.within(&made.id, &made.name).write(tx, organisation, act).await?;
    Ok(Some(made))
}

/// Nobody else gives a name before we are done.
async fn hold_names(tx: &mut Tx, organisation: &OrganisationId) -> Result<(), Error> {
    tx.lock(&format!("environment names of {}", organisation.0), true).await
}

async fn none(tx: &mut Tx, organisation: &OrganisationId, name: String) -> Result<Error, Error> {
    let sql = "SELECT name FROM environments WHERE organisation = $1 ORDER BY name LIMIT $2";
    let rows = tx.rows(sql, values![&organisation.0, LISTED]).await?;
    let among = rows.iter().map(|it| it.text("name")).collect::<Result<_, _>>()?;
    Ok(Error::NotFound { what: "environment", name, among })
}

/// What is told of an environment `e`. What runs is counted as it changes; what is known to be analysed
/// needs no look, and of the rest there is little.
fn columns(db: &Db) -> String {
    format!(
        "e.id, e.name, e.created_at, e.created_by, e.running, {} AS unread,
         (SELECT COUNT(DISTINCT c.digest) FROM runtime_containers c
          WHERE c.environment = e.id AND c.placed IS NULL) AS unplaced",
        derived::unread(db)
    )
}

fn counted(db: &Db, organisation: &OrganisationId) -> Query {
    let text = format!(
        "SELECT {}, c.at, c.almanac, c.critical, c.high, c.medium, c.low, c.unspecified,
                c.images, c.pending, c.gaps
         FROM environments e
         LEFT JOIN environment_counts c ON c.environment = e.id
              AND c.at = (SELECT MAX(l.at) FROM environment_counts l WHERE l.environment = e.id)",
        columns(db)
    );
    let mut query = Query::new(&text, vec![]);
    query.with("WHERE e.organisation = $?", &organisation.0);
    query
}

fn read_counted(row: &Row) -> Result<(Environment, Option<Counted>), Error> {
    let counted = match row.maybe_int("at")? {
        Some(_) => Some(evaluations::read(row)?),
        None => None,
    };
    Ok((read(row)?, counted))
}

fn read(row: &Row) -> Result<Environment, Error> {
    let count = |name| row.int(name).map(|it| u64::try_from(it).unwrap_or(0));
    // Each image of which a runtime tells, and nobody knows which it is, runs as well.
    let unplaced = count("unplaced")?;
    Ok(Environment {
        id: row.text("id")?,
        name: row.text("name")?,
        created: row.moment("created_at")?,
        created_by: row.text("created_by")?,
        running: count("running")? + unplaced,
        pending: count("unread")? + unplaced,
    })
}
