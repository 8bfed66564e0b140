//! Repositories that an organisation has enrolled.

use std::collections::BTreeSet;

use model::{Act, EventKind, OrganisationId, Repository};

use crate::contract::{Error, Page, Paged};
use crate::db::{Row, values};
use crate::{Store, events, names};

impl Store {
    /// Enrols a repository, or switches it on or off. Says whether that changed anything.
    pub async fn enable_repository(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        name: &str,
        enabled: bool,
    ) -> Result<bool, Error> {
        let name = names::repository(name)?;
        let mut tx = self.db.write().await?;
        let rows = tx
            .run(
                "INSERT INTO repositories (organisation, name, enabled, created_at)
                 VALUES ($1, $2, $3, $4)
                 ON CONFLICT (organisation, name) DO UPDATE SET enabled = excluded.enabled
                 WHERE repositories.enabled <> excluded.enabled",
                values![&organisation.0, &name, i64::from(enabled), act.at],
            )
            .await?;
        if rows == 0 {
            return Ok(false);
        }
        let kind =
            if enabled { EventKind::RepositoryEnabled } else { EventKind::RepositoryDisabled };
        events::Note::new(kind, &name).write(&mut tx, organisation, act).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The repositories enrolled, by name.
    pub async fn repositories(
        &self,
        organisation: &OrganisationId,
        page: &Page,
    ) -> Result<Paged<Repository>, Error> {
        let limit = page.rows();
        let rows = self
            .db
            .rows(
                "SELECT name, enabled, created_at FROM repositories
                 WHERE organisation = $1 AND name > $2 ORDER BY name LIMIT $3",
                values![&organisation.0, page.after.as_deref().unwrap_or(""), limit + 1],
            )
            .await?;
        let rows = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Paged::of(rows, limit, |it: &Repository| it.name.clone()))
    }

    /// The names of those that are switched off.
    pub async fn disabled_repositories(
        &self,
        organisation: &OrganisationId,
    ) -> Result<BTreeSet<String>, Error> {
        let sql = "SELECT name FROM repositories WHERE organisation = $1 AND enabled = 0";
        let rows = self.db.rows(sql, values![&organisation.0]).await?;
        rows.iter().map(|it| it.text("name")).collect()
    }

    /// The repository of that name, if it is enrolled.
    pub async fn repository(
        &self,
        organisation: &OrganisationId,
        name: &str,
    ) -> Result<Option<Repository>, Error> {
        let sql = "SELECT name, enabled, created_at FROM repositories
                   WHERE organisation = $1 AND name = $2";
        let row = self.db.row(sql, values![&organisation.0, name]).await?;
        row.as_ref().map(read).transpose()
    }
}

fn read(row: &Row) -> Result<Repository, Error> {
    Ok(Repository {
        name: row.text("name")?,
        enabled: row.int("enabled")? != 0,
        created: row.moment("created_at")?,
    })
}
