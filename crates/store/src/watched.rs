//! What was seen of a registry that an integration watches: whoever is stopped goes on from there.

use std::collections::BTreeMap;

use model::{Digest, Moment, OrganisationId};

use crate::Store;
use crate::contract::{DueLook, Error, IntegrationRecord};
use crate::db::{Row, Tx, values};
use crate::integrations::{AWAITED, TAGS, hold, more_wait};

/// Rows of one transaction.
const ROWS: usize = 500;

impl Store {
    /// Was the integration's registry ever looked at to the end?
    pub async fn watch_has_begun(&self, record: &IntegrationRecord) -> Result<bool, Error> {
        let sql = "SELECT begun_at FROM integrations WHERE id = $1";
        let row = self.db.row(sql, values![&record.id]).await?;
        Ok(row.map(|it| it.maybe_moment("begun_at")).transpose()?.flatten().is_some())
    }

    /// It was, now: what turns up from now on is new.
    pub async fn watch_begun(&self, record: &IntegrationRecord, at: Moment) -> Result<(), Error> {
        let mut tx = self.current(record).await?;
        let sql = "UPDATE integrations SET begun_at = $2 WHERE id = $1";
        tx.run(sql, values![&record.id, at]).await?;
        tx.commit().await?;
        // That those were met says nothing more.
        let fits = "integration = $1 AND is_met = 1";
        self.delete_parts(AWAITED, fits, values![&record.id]).await.map(|_| ())
    }

    /// Somebody begins to watch it, and these are its repositories, by host and name: of none of them
    /// is it known yet what was in it before, unless it was met since.
    pub async fn watch_begins(
        &self,
        record: &IntegrationRecord,
        repositories: &[(&str, &str)],
    ) -> Result<(), Error> {
        for part in repositories.chunks(ROWS) {
            let mut tx = self.current(record).await?;
            for (registry, repository) in part {
                tx.run(
                    "INSERT INTO awaited_repositories (integration, since, registry, repository,
                                                       is_met)
                     VALUES ($1, $2, $3, $4, 0)
                     ON CONFLICT (integration, since, registry, repository) DO NOTHING",
                    values![&record.id, record.scope_since, *registry, *repository],
                )
                .await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    /// Is it unknown yet what was in that repository before? Until the first look is over, that is so
    /// of whatever turns up.
    pub async fn is_awaited(
        &self,
        record: &IntegrationRecord,
        registry: &str,
        repository: &str,
    ) -> Result<bool, Error> {
        let sql = "SELECT i.begun_at, a.is_met FROM integrations i
                   LEFT JOIN awaited_repositories a ON a.integration = i.id
                       AND a.since = $2 AND a.registry = $3 AND a.repository = $4
                   WHERE i.id = $1";
        let values = values![&record.id, record.scope_since, registry, repository];
        let Some(row) = self.db.row(sql, values).await? else { return Ok(false) };
        Ok(match row.maybe_int("is_met")? {
            Some(is_met) => is_met == 0,
            None => row.maybe_moment("begun_at")?.is_none(),
        })
    }

    /// Is that so of any that is not switched off?
    pub async fn awaits(&self, record: &IntegrationRecord) -> Result<bool, Error> {
        let sql = "SELECT 1 AS one FROM awaited_repositories a
                   WHERE a.integration = $1 AND a.since = $2 AND a.is_met = 0
                   AND NOT EXISTS (SELECT 1 FROM repositories r WHERE r.organisation = $3
                       AND r.name = a.registry || '/' || a.repository AND r.enabled = 0)
                   LIMIT 1";
        let values = values![&record.id, record.scope_since, &record.organisation.0];
        Ok(self.db.row(sql, values).await?.is_some())
    }

    /// It is known now.
    pub async fn awaited_no_more(
        &self,
        record: &IntegrationRecord,
        registry: &str,
        repository: &str,
    ) -> Result<(), Error> {
        if !self.is_awaited(record, registry, repository).await? {
            return Ok(());
        }
        let has_begun = self.watch_has_begun(record).await?;
        let mut tx = self.current(record).await?;
        let values = values![&record.id, record.scope_since, registry, repository];
        if has_begun {
            let sql = "DELETE FROM awaited_repositories WHERE integration = $1 AND since = $2
                       AND registry = $3 AND repository = $4";
            tx.run(sql, values).await?;
        } else {
            tx.run(
                "INSERT INTO awaited_repositories (integration, since, registry, repository, is_met)
                 VALUES ($1, $2, $3, $4, 1)
                 ON CONFLICT (integration, since, registry, repository) DO UPDATE SET is_met = 1",
                values,
            )
            .await?;
        }
        tx.commit().await
    }

    /// The integrations whose parties are to be looked at by now, or that told what is to be looked
    /// into.
    pub async fn due_looks(&self, now: Moment) -> Result<Vec<DueLook>, Error> {
        let sql = "SELECT i.id, i.organisation, i.kind FROM integrations i
                   JOIN organisations o ON o.id = i.organisation
                   WHERE o.deleting = 0 AND i.deleting = 0 AND (i.next_look <= $1 OR EXISTS
                       (SELECT 1 FROM notices n WHERE n.integration = i.id
                        AND n.since = i.address_since AND n.state = 'waiting'
                        AND n.ready_at <= $1))
                   ORDER BY i.next_look, i.id";
        let read = |row: &Row| {
            Ok(DueLook {
                id: row.text("id")?,
                organisation: OrganisationId(row.text("organisation")?),
                kind: row.text("kind")?,
            })
        };
        self.db.rows(sql, values![now]).await?.iter().map(read).collect()
    }

    /// Since when the integration's registry is to be looked at, if it is by now: each look has a
    /// moment of its own.
    pub async fn look_due(
        &self,
        record: &IntegrationRecord,
        now: Moment,
    ) -> Result<Option<Moment>, Error> {
        let sql = "SELECT next_look FROM integrations WHERE id = $1 AND next_look <= $2";
        let row = self.db.row(sql, values![&record.id, now]).await?;
        row.map(|it| it.moment("next_look")).transpose()
    }

    /// It is to be looked at again then, unless somebody wants it otherwise by now.
    pub async fn look_again(
        &self,
        record: &IntegrationRecord,
        began: Moment,
        at: Moment,
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        let sql = "UPDATE integrations SET next_look = $3
                   WHERE id = $1 AND next_look <= $2 AND revision = $4";
        tx.run(sql, values![&record.id, began, at, record.revision]).await?;
        tx.commit().await
    }

    /// Integrations of an organisation, by their ids, are to be looked at now.
    pub async fn look_now(
        &self,
        organisation: &OrganisationId,
        integrations: &[&str],
        now: Moment,
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        for id in integrations {
            let sql = "UPDATE integrations SET next_look = $3
                       WHERE id = $1 AND organisation = $2 AND next_look > $3";
            tx.run(sql, values![*id, &organisation.0, now]).await?;
        }
        tx.commit().await
    }

    /// The host and the name of every repository with a tag that was seen.
    pub async fn watched_repositories(
        &self,
        record: &IntegrationRecord,
    ) -> Result<Vec<(String, String)>, Error> {
        let sql = "SELECT DISTINCT registry, repository FROM watched_tags
                   WHERE integration = $1 AND since = $2 ORDER BY registry, repository";
        let read = |row: &Row| Ok((row.text("registry")?, row.text("repository")?));
        let values = values![&record.id, record.address_since];
        self.db.rows(sql, values).await?.iter().map(read).collect()
    }

    /// The tags that were seen in one, and where they led.
    pub async fn watched_tags(
        &self,
        record: &IntegrationRecord,
        registry: &str,
        repository: &str,
    ) -> Result<BTreeMap<String, Digest>, Error> {
        let sql = "SELECT tag, digest FROM watched_tags
                   WHERE integration = $1 AND since = $2 AND registry = $3 AND repository = $4";
        let read = |row: &Row| Ok((row.text("tag")?, row.parsed("digest")?));
        let values = values![&record.id, record.address_since, registry, repository];
        let rows = self.db.rows(sql, values).await?;
        rows.iter().map(read).collect()
    }

    /// Where one of them led.
    pub async fn watched_tag(
        &self,
        record: &IntegrationRecord,
        registry: &str,
        repository: &str,
        tag: &str,
    ) -> Result<Option<Digest>, Error> {
        let sql = "SELECT digest FROM watched_tags
                   WHERE integration = $1 AND since = $2 AND registry = $3 AND repository = $4
                   AND tag = $5";
        let values = values![&record.id, record.address_since, registry, repository, tag];
        let row = self.db.row(sql, values).await?;
        row.map(|it| it.parsed("digest")).transpose()
    }

    /// A tag leads there, and nothing is left to be done about that.
    pub async fn watched(
        &self,
        record: &IntegrationRecord,
        registry: &str,
        repository: &str,
        tag: &str,
        digest: &Digest,
    ) -> Result<(), Error> {
        let (id, since, digest) = (&record.id, record.address_since, digest.as_str());
        let mut tx = self.current(record).await?;
        tx.run(
            "INSERT INTO watched_tags (integration, since, registry, repository, tag, digest)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (integration, since, registry, repository, tag)
             DO UPDATE SET digest = excluded.digest",
            values![id, since, registry, repository, tag, digest],
        )
        .await?;
        tx.commit().await
    }

    /// A tag is gone.
    pub async fn unwatched(
        &self,
        record: &IntegrationRecord,
        registry: &str,
        repository: &str,
        tag: &str,
    ) -> Result<(), Error> {
        let mut tx = self.current(record).await?;
        let sql = "DELETE FROM watched_tags WHERE integration = $1 AND since = $2
                   AND registry = $3 AND repository = $4 AND tag = $5";
        let since = record.address_since;
        tx.run(sql, values![&record.id, since, registry, repository, tag]).await?;
        tx.commit().await
    }

    /// The image or index of that digest was worked on.
    pub async fn watched_image(
        &self,
        record: &IntegrationRecord,
        digest: &Digest,
    ) -> Result<(), Error> {
        let mut tx = self.current(record).await?;
        tx.run(
            "INSERT INTO watched_images (integration, since, digest) VALUES ($1, $2, $3)
             ON CONFLICT (integration, since, digest) DO NOTHING",
            values![&record.id, record.address_since, digest.as_str()],
        )
        .await?;
        tx.commit().await
    }

    /// Was it?
    pub async fn is_watched_image(
        &self,
        record: &IntegrationRecord,
        digest: &Digest,
    ) -> Result<bool, Error> {
        let sql = "SELECT 1 AS one FROM watched_images
                   WHERE integration = $1 AND since = $2 AND digest = $3";
        let values = values![&record.id, record.address_since, digest.as_str()];
        Ok(self.db.row(sql, values).await?.is_some())
    }

    /// Forgets what was seen and heard of a repository, by whomever in an organisation.
    pub(crate) async fn forget_watched(
        &self,
        organisation: &OrganisationId,
        name: &str,
    ) -> Result<(), Error> {
        let (registry, repository) = name.split_once('/').unwrap_or((name, ""));
        for record in self.integrations(organisation).await? {
            let id = &record.id;
            for part in [TAGS, AWAITED] {
                let fits = "integration = $1 AND registry = $2 AND repository = $3";
                self.delete_parts(part, fits, values![id, registry, repository]).await?;
            }
            // What waits is counted, so first it waits no longer.
            loop {
                let mut tx = self.db.write().await?;
                hold(&mut tx, id).await?;
                let sql = format!(
                    "UPDATE notices SET state = 'done', ended_at = ready_at
                     WHERE id IN (SELECT id FROM notices WHERE integration = $1 AND since = $2
                                  AND state = 'waiting' AND repository = $3 LIMIT {ROWS})"
                );
                let done = tx.run(sql, values![id, record.address_since, name]).await?;
                more_wait(&mut tx, &record, 0_i64.saturating_sub_unsigned(done)).await?;
                tx.commit().await?;
                if done == 0 {
                    break;
                }
            }
            let fits = "integration = $1 AND repository = $2 AND state <> 'waiting'";
            self.delete_parts(("notices", "id"), fits, values![id, name]).await?;
        }
        Ok(())
    }

    /// A transaction to the end of which an integration is what it was told. What somebody finds out
    /// with former settings says nothing.
    async fn current(&self, record: &IntegrationRecord) -> Result<Tx, Error> {
        let mut tx = self.db.write().await?;
        let sql = "SELECT 1 AS one FROM integrations WHERE id = $1 AND revision = $2";
        match tx.hold(sql, values![&record.id, record.revision]).await? {
            Some(_) => Ok(tx),
            None => Err(Error::Gone("what the integration was told")),
        }
    }
}
