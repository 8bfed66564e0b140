//! Organisations: whose things are remembered.

use std::collections::HashSet;

use model::{Act, EventKind, Organisation, OrganisationId, Role, UserId};

use crate::contract::Error;
use crate::db::{Row, Tx, values};
use crate::{Store, events, members, names, new_id, users};

impl Store {
    /// A new organisation.
    pub async fn create_organisation(&self, act: &Act, name: &str) -> Result<Organisation, Error> {
        let mut tx = self.db.write().await?;
        let made = create(&mut tx, act, name).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// A new organisation that a person owns from its beginning.
    pub async fn create_organisation_owned(
        &self,
        act: &Act,
        name: &str,
        owner: &UserId,
    ) -> Result<Organisation, Error> {
        let mut tx = self.db.write().await?;
        members::hold_all(&mut tx).await?;
        let owner = users::hold(&mut tx, owner).await?;
        let made = create(&mut tx, act, name).await?;
        members::put(&mut tx, &made.id, act, &owner, Role::Owner).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// The organisation of that name.
    ///
    /// An error tells no other names: who asks may not know of them.
    pub async fn organisation(&self, name: &str) -> Result<Organisation, Error> {
        let name = names::cleaned("organization", name)?;
        let sql = "SELECT id, name, created_at FROM organisations
                   WHERE name = $1 AND deleting = 0";
        match self.db.row(sql, values![&name]).await? {
            Some(row) => read(&row),
            None => Err(Error::NotFound { what: "organization", name, among: Vec::new() }),
        }
    }

    /// All of them, by name.
    pub async fn organisations(&self) -> Result<Vec<Organisation>, Error> {
        let sql = "SELECT id, name, created_at FROM organisations WHERE deleting = 0
                   ORDER BY name";
        self.db.rows(sql, vec![]).await?.iter().map(read).collect()
    }

    /// Those that are there. One that is being deleted is not, for no event is left to tell of it.
    pub async fn organisation_ids(&self) -> Result<HashSet<OrganisationId>, Error> {
        let sql = "SELECT id FROM organisations WHERE deleting = 0";
        let rows = self.db.rows(sql, vec![]).await?;
        rows.iter().map(|it| Ok(OrganisationId(it.text("id")?))).collect()
    }
}

/// A new organisation.
async fn create(tx: &mut Tx, act: &Act, name: &str) -> Result<Organisation, Error> {
    let name = names::cleaned("organization", name)?;
    let made = Organisation { id: OrganisationId(new_id()), name, created: act.at };
    let rows = tx
        .run(
            "INSERT INTO organisations (id, name, created_at) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO NOTHING",
            values![&made.id.0, &made.name, made.created],
        )
        .await?;
    if rows == 0 {
        return Err(Error::Exists { what: "organization", name: made.name });
    }
    let note = events::Note::new(EventKind::OrganisationCreated, &made.name);
    note.write(tx, &made.id, act).await?;
    Ok(made)
}

/// A row with an organisation's columns.
pub(crate) fn read(row: &Row) -> Result<Organisation, Error> {
    Ok(Organisation {
        id: OrganisationId(row.text("id")?),
        name: row.text("name")?,
        created: row.moment("created_at")?,
    })
}
