//! What was seen of a registry that an integration watches: whoever is stopped goes on from there.

use std::collections::BTreeMap;

use model::{Digest, Moment, OrganisationId};

use crate::Store;
use crate::contract::Error;
use crate::db::{Row, values};

impl Store {
    /// Was the integration's registry ever looked at to the end?
    pub async fn watch_has_begun(&self, integration: &str) -> Result<bool, Error> {
        let sql = "SELECT begun_at FROM integrations WHERE id = $1";
        let row = self.db.row(sql, values![integration]).await?;
        Ok(row.map(|it| it.maybe_moment("begun_at")).transpose()?.flatten().is_some())
    }

    /// It was, now.
    pub async fn watch_begun(&self, integration: &str, at: Moment) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        let sql = "UPDATE integrations SET begun_at = $2 WHERE id = $1";
        tx.run(sql, values![integration, at]).await?;
        tx.commit().await
    }

    /// Somebody begins to watch it, and these are its repositories, by host and name: of none of them
    /// is it known yet what was in it before.
    pub async fn watch_begins(
        &self,
        integration: &str,
        at: Moment,
        repositories: &[(&str, &str)],
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        let sql = "UPDATE integrations SET begun_at = $2 WHERE id = $1";
        if tx.run(sql, values![integration, at]).await? == 0 {
            return Ok(());
        }
        for (registry, repository) in repositories {
            tx.run(
                "INSERT INTO awaited_repositories (integration, registry, repository)
                 VALUES ($1, $2, $3) ON CONFLICT (integration, registry, repository) DO NOTHING",
                values![integration, *registry, *repository],
            )
            .await?;
        }
        tx.commit().await
    }

    /// Is it unknown yet what was in that repository before?
    pub async fn is_awaited(
        &self,
        integration: &str,
        registry: &str,
        repository: &str,
    ) -> Result<bool, Error> {
        let sql = "SELECT 1 AS one FROM awaited_repositories
                   WHERE integration = $1 AND registry = $2 AND repository = $3";
        Ok(self.db.row(sql, values![integration, registry, repository]).await?.is_some())
    }

    /// It is known now.
    pub async fn awaited_no_more(
        &self,
        integration: &str,
        registry: &str,
        repository: &str,
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        let sql = "DELETE FROM awaited_repositories
                   WHERE integration = $1 AND registry = $2 AND repository = $3";
        tx.run(sql, values![integration, registry, repository]).await?;
        tx.commit().await
    }

    /// The ids of the integrations whose registries are to be looked at by now, or that told what is
    /// to be looked into, with whose they are.
    pub async fn due_looks(&self, now: Moment) -> Result<Vec<(String, OrganisationId)>, Error> {
        let sql = "SELECT i.id, i.organisation FROM integrations i
                   JOIN organisations o ON o.id = i.organisation
                   WHERE o.deleting = 0 AND (i.next_look <= $1 OR EXISTS
                       (SELECT 1 FROM notices n WHERE n.integration = i.id
                        AND n.state = 'waiting' AND n.ready_at <= $1))
                   ORDER BY i.next_look, i.id";
        let read = |row: &Row| Ok((row.text("id")?, OrganisationId(row.text("organisation")?)));
        self.db.rows(sql, values![now]).await?.iter().map(read).collect()
    }

    /// Is the integration's registry to be looked at by now?
    pub async fn is_look_due(&self, integration: &str, now: Moment) -> Result<bool, Error> {
        let sql = "SELECT 1 AS one FROM integrations WHERE id = $1 AND next_look <= $2";
        Ok(self.db.row(sql, values![integration, now]).await?.is_some())
    }

    /// It is to be looked at again then, unless somebody wants it otherwise by now.
    pub async fn look_again(
        &self,
        integration: &str,
        began: Moment,
        at: Moment,
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        let sql = "UPDATE integrations SET next_look = $3 WHERE id = $1 AND next_look <= $2";
        tx.run(sql, values![integration, began, at]).await?;
        tx.commit().await
    }

    /// The host and the name of every repository with a tag that was seen.
    pub async fn watched_repositories(
        &self,
        integration: &str,
    ) -> Result<Vec<(String, String)>, Error> {
        let sql = "SELECT DISTINCT registry, repository FROM watched_tags WHERE integration = $1
                   ORDER BY registry, repository";
        let read = |row: &Row| Ok((row.text("registry")?, row.text("repository")?));
        self.db.rows(sql, values![integration]).await?.iter().map(read).collect()
    }

    /// The tags that were seen in one, and where they led.
    pub async fn watched_tags(
        &self,
        integration: &str,
        registry: &str,
        repository: &str,
    ) -> Result<BTreeMap<String, Digest>, Error> {
        let sql = "SELECT tag, digest FROM watched_tags
                   WHERE integration = $1 AND registry = $2 AND repository = $3";
        let read = |row: &Row| Ok((row.text("tag")?, row.parsed("digest")?));
        let rows = self.db.rows(sql, values![integration, registry, repository]).await?;
        rows.iter().map(read).collect()
    }

    /// Where one of them led.
    pub async fn watched_tag(
        &self,
        integration: &str,
        registry: &str,
        repository: &str,
        tag: &str,
    ) -> Result<Option<Digest>, Error> {
        let sql = "SELECT digest FROM watched_tags
                   WHERE integration = $1 AND registry = $2 AND repository = $3 AND tag = $4";
        let row = self.db.row(sql, values![integration, registry, repository, tag]).await?;
        row.map(|it| it.parsed("digest")).transpose()
    }

    /// A tag leads there, and nothing is left to be done about that. Of an integration that was
    /// deleted meanwhile nothing is kept.
    pub async fn watched(
        &self,
        integration: &str,
        registry: &str,
        repository: &str,
        tag: &str,
        digest: &Digest,
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        tx.run(
            "INSERT INTO watched_tags (integration, registry, repository, tag, digest)
             SELECT id, $2, $3, $4, $5 FROM integrations WHERE id = $1
             ON CONFLICT (integration, registry, repository, tag)
             DO UPDATE SET digest = excluded.digest",
            values![integration, registry, repository, tag, digest.as_str()],
        )
        .await?;
        tx.commit().await
    }

    /// A tag is gone.
    pub async fn unwatched(
        &self,
        integration: &str,
        registry: &str,
        repository: &str,
        tag: &str,
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        let sql = "DELETE FROM watched_tags WHERE integration = $1 AND registry = $2
                   AND repository = $3 AND tag = $4";
        tx.run(sql, values![integration, registry, repository, tag]).await?;
        tx.commit().await
    }

    /// The image or index of that digest was worked on.
    pub async fn watched_image(&self, integration: &str, digest: &Digest) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        tx.run(
            "INSERT INTO watched_images (integration, digest)
             SELECT id, $2 FROM integrations WHERE id = $1
             ON CONFLICT (integration, digest) DO NOTHING",
            values![integration, digest.as_str()],
        )
        .await?;
        tx.commit().await
    }

    /// Was it?
    pub async fn is_watched_image(
        &self,
        integration: &str,
        digest: &Digest,
    ) -> Result<bool, Error> {
        let sql = "SELECT 1 AS one FROM watched_images WHERE integration = $1 AND digest = $2";
        Ok(self.db.row(sql, values![integration, digest.as_str()]).await?.is_some())
    }
}
