//! Environments: places where images run.

use model::{Act, Environment, EventKind, OrganisationId};
use serde_json::json;

use crate::contract::Error;
use crate::db::{Db, Row, Tx, values};
use crate::{Store, events, names, new_id};

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
        let made = Environment {
            id: new_id(),
            name,
            created: act.at,
            created_by: names::told(&act.who),
            running: 0,
            pending: 0,
        };
        let mut tx = self.db.write().await?;
        hold_names(&mut tx, organisation).await?;
        let rows = tx
            .run(
                "INSERT INTO environments (id, organisation, name, created_at, created_by)
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (organisation, name) DO NOTHING",
                values![&made.id, &organisation.0, &made.name, made.created, &made.created_by],
            )
            .await?;
        if rows == 0 {
            return Err(Error::Exists { what: "environment", name: made.name });
        }
        let note = events::Note::new(EventKind::EnvironmentCreated, &made.name);
        note.within(&made.id, &made.name).write(&mut tx, organisation, act).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// All of them, by name.
    pub async fn environments(
        &self,
        organisation: &OrganisationId,
    ) -> Result<Vec<Environment>, Error> {
        let rows = self
            .db
            .rows(
                "SELECT e.id, e.name, e.created_at, e.created_by, COUNT(d.id) AS running,
                        COUNT(d.id) - COUNT(i.id) AS pending
                 FROM environments e
                 LEFT JOIN deployments d ON d.environment = e.id AND d.until_at IS NULL
                 LEFT JOIN images i ON i.organisation = e.organisation AND i.digest = d.digest
                      AND i.state = 'analysed'
                 WHERE e.organisation = $1
                 GROUP BY e.id, e.name, e.created_at, e.created_by ORDER BY e.name",
                values![&organisation.0],
            )
            .await?;
        rows.iter().map(read).collect()
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
        let note = events::Note::new(EventKind::EnvironmentRenamed, &to).within(&held.id, &to);
        let note = note.detail(json!({ "from": held.name, "to": to }));
        note.write(&mut tx, organisation, act).await?;
        tx.commit().await
    }

    /// Deletes an environment with all that ever ran in it. The events that told of it remain.
    pub async fn delete_environment(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        name: &str,
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        let held = hold(&mut tx, organisation, name).await?;
        let sql = "DELETE FROM deployments WHERE environment = $1";
        let deployments = tx.run(sql, values![&held.id]).await?;
        tx.run("DELETE FROM environments WHERE id = $1", values![&held.id]).await?;
        let note = events::Note::new(EventKind::EnvironmentDeleted, &held.name);
        let note = note.within(&held.id, &held.name);
        let note = note.detail(json!({ "deployments": deployments }));
        note.write(&mut tx, organisation, act).await?;
        tx.commit().await
    }
}

/// The id of the environment of that name; without one, an error that names those there are.
pub(crate) async fn find(
    db: &Db,
    organisation: &OrganisationId,
    name: &str,
) -> Result<String, Error> {
    let name = names::cleaned("environment", name)?;
    let mut tx = db.read().await?;
    let sql = "SELECT id FROM environments WHERE organisation = $1 AND name = $2";
    match tx.row(sql, values![&organisation.0, &name]).await? {
        Some(row) => row.text("id"),
        None => Err(none(&mut tx, organisation, name).await?),
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

fn read(row: &Row) -> Result<Environment, Error> {
    let count = |name| row.int(name).map(|it| u64::try_from(it).unwrap_or(0));
    Ok(Environment {
        id: row.text("id")?,
        name: row.text("name")?,
        created: row.moment("created_at")?,
        created_by: row.text("created_by")?,
        running: count("running")?,
        pending: count("pending")?,
    })
}
