//! Exceptions: flaws that are out of the way because a team decided so, and for how long.

use model::{Act, EventKind, Moment, OrganisationId};
use serde_json::json;

use crate::contract::{Error, ExceptionRecord, NewException};
use crate::db::{Row, Tx, values};
use crate::{Store, definitions, events, names, new_id};

const SELECT: &str = "
    SELECT x.id, x.organisation, x.name, x.definition, x.expires_at, x.expired_at, x.created_at,
           x.created_by, x.changed_at, x.changed_by
    FROM exceptions x JOIN organisations o ON o.id = x.organisation
    WHERE o.deleting = 0";

/// Exceptions of one organisation.
const MOST: i64 = 10_000;

impl Store {
    /// Keeps an exception, instead of the one of that name. Says how it is kept, and whether it is new.
    pub async fn put_exception(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        new: &NewException<'_>,
    ) -> Result<(ExceptionRecord, bool), Error> {
        let name = names::cleaned("exception", new.name)?;
        let definition = new.definition.to_string();
        if definition.len() > definitions::LONGEST {
            return Err(refused(&name, "what it says is too long"));
        }
        let mut tx = self.db.write().await?;
        hold_all(&mut tx, organisation).await?;
        for environment in definitions::environments(new.definition) {
            refuse_unless_there(&mut tx, organisation, environment).await?;
        }
        let former = find(&mut tx, organisation, &name).await?;
        let expires = new.expires.map(Moment::micros);
        let who = names::told(&act.who);
        if let Some(former) = &former {
            let sql = "UPDATE exceptions SET definition = $2, expires_at = $3, expired_at = NULL,
                              changed_at = $4, changed_by = $5 WHERE id = $1";
            tx.run(sql, values![&former.id, &definition, expires, act.at, who]).await?;
        } else {
            if !definitions::has_room(&mut tx, "exceptions", organisation, MOST).await? {
                return Err(refused(&name, "there are too many already"));
            }
            let sql = "INSERT INTO exceptions (id, organisation, name, definition, expires_at,
                                               created_at, created_by, changed_at, changed_by)
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $6, $7)";
            let values =
                values![new_id(), &organisation.0, &name, &definition, expires, act.at, who];
            tx.run(sql, values).await?;
        }
        let detail = json!({
            "new": former.is_none(),
            "definition": new.definition,
            "expires": new.expires.map(|it| it.to_string()),
        });
        let note = events::Note::new(EventKind::ExceptionSet, &name).detail(detail);
        note.write(&mut tx, organisation, act).await?;
        let record = find(&mut tx, organisation, &name).await?;
        tx.commit().await?;
        record.map(|it| (it, former.is_none())).ok_or(Error::Gone("exception"))
    }

    /// The exceptions of an organisation, by name; those that do not hold any more, too.
    pub async fn exceptions(
        &self,
        organisation: &OrganisationId,
    ) -> Result<Vec<ExceptionRecord>, Error> {
        let sql = format!("{SELECT} AND x.organisation = $1 ORDER BY x.name");
        self.db.rows(sql, values![&organisation.0]).await?.iter().map(read).collect()
    }

    /// The exception of that name.
    pub async fn exception(
        &self,
        organisation: &OrganisationId,
        name: &str,
    ) -> Result<Option<ExceptionRecord>, Error> {
        let sql = format!("{SELECT} AND x.organisation = $1 AND x.name = $2");
        let row = self.db.row(sql, values![&organisation.0, names::normal(name)]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Deletes an exception. Says whether there was one.
    pub async fn delete_exception(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        name: &str,
    ) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        hold_all(&mut tx, organisation).await?;
        let Some(former) = find(&mut tx, organisation, &names::normal(name)).await? else {
            return Ok(false);
        };
        tx.run("DELETE FROM exceptions WHERE id = $1", values![&former.id]).await?;
        let note = events::Note::new(EventKind::ExceptionDeleted, &former.name);
        let detail = json!({ "definition": former.definition });
        note.detail(detail).write(&mut tx, organisation, act).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Tells of exceptions whose time is over by now, at most so many, each once. Says whose they were.
    pub async fn expire_exceptions(
        &self,
        act: &Act,
        most: u32,
    ) -> Result<Vec<OrganisationId>, Error> {
        let sql = format!(
            "{SELECT} AND x.expires_at <= $1 AND x.expired_at IS NULL
             ORDER BY x.expires_at, x.id LIMIT $2"
        );
        let rows = self.db.rows(sql, values![act.at, i64::from(most)]).await?;
        let mut whose = Vec::new();
        for record in rows.iter().map(read) {
            let record = record?;
            let mut tx = self.db.write().await?;
            hold_all(&mut tx, &record.organisation).await?;
            let sql = "UPDATE exceptions SET expired_at = $2
                       WHERE id = $1 AND expires_at <= $2 AND expired_at IS NULL";
            // It may hold for longer by now, or another process may have told of it.
            if tx.run(sql, values![&record.id, act.at]).await? > 0 {
                let note = events::Note::new(EventKind::ExceptionExpired, &record.name);
                let detail = json!({
                    "definition": record.definition,
                    "expires": record.expires.map(|it| it.to_string()),
                    "by": record.changed_by,
                });
                note.detail(detail).write(&mut tx, &record.organisation, act).await?;
                tx.commit().await?;
                whose.push(record.organisation);
            }
        }
        whose.sort();
        whose.dedup();
        Ok(whose)
    }
}

/// Exceptions name environments; one that is called otherwise from now on is still meant.
pub(crate) async fn follow(
    tx: &mut Tx,
    organisation: &OrganisationId,
    from: &str,
    to: &str,
) -> Result<(), Error> {
    hold_all(tx, organisation).await?;
    definitions::follow(tx, "exceptions", organisation, from, to).await
}

/// Nobody else changes exceptions.
async fn hold_all(tx: &mut Tx, organisation: &OrganisationId) -> Result<(), Error> {
    tx.lock(&format!("exceptions of {}", organisation.0), true).await
}

/// What holds in an environment that is not there is out of the way nowhere, which nobody means.
async fn refuse_unless_there(
    tx: &mut Tx,
    organisation: &OrganisationId,
    name: &str,
) -> Result<(), Error> {
    let sql = "SELECT name FROM environments WHERE organisation = $1 ORDER BY name";
    let rows = tx.rows(sql, values![&organisation.0]).await?;
    let names: Vec<String> = rows.iter().map(|it| it.text("name")).collect::<Result<_, _>>()?;
    if names.iter().any(|it| it == name) {
        return Ok(());
    }
    let among = names.into_iter().take(20).collect();
    Err(Error::NotFound { what: "environment", name: name.to_owned(), among })
}

async fn find(
    tx: &mut Tx,
    organisation: &OrganisationId,
    name: &str,
) -> Result<Option<ExceptionRecord>, Error> {
    let sql = format!("{SELECT} AND x.organisation = $1 AND x.name = $2");
    tx.row(sql, values![&organisation.0, name]).await?.as_ref().map(read).transpose()
}

fn refused(name: &str, why: &str) -> Error {
    Error::Refused { what: format!("exception `{name}`"), why: why.to_owned(), hint: None }
}

fn read(row: &Row) -> Result<ExceptionRecord, Error> {
    Ok(ExceptionRecord {
        id: row.text("id")?,
        organisation: OrganisationId(row.text("organisation")?),
        name: row.text("name")?,
        definition: definitions::read(row)?,
        expires: row.maybe_moment("expires_at")?,
        expired: row.maybe_moment("expired_at")?,
        created: row.moment("created_at")?,
        created_by: row.text("created_by")?,
        changed: row.moment("changed_at")?,
        changed_by: row.text("changed_by")?,
    })
}
