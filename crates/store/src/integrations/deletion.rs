//! Integrations let go, and what was seen and heard of those that are told another address.

use model::{Act, EventKind, OrganisationId};

use super::secrets::secret_names;
use super::{SELECT, about, find, hold, read};
use crate::contract::{Error, IntegrationRecord};
use crate::db::{Value, values};
use crate::retention::{ROWS, delete_some};
use crate::{Store, events, names, rules};

/// Tables with rows of an integration, and by what these are told apart.
pub(crate) const PARTS: [(&str, &str); 6] =
    [("notices", "id"), ("outbox", "id"), ("rules", "id"), TAGS, AWAITED, IMAGES];
pub(crate) const TAGS: (&str, &str) =
    ("watched_tags", "integration, since, registry, repository, tag");
pub(crate) const AWAITED: (&str, &str) =
    ("awaited_repositories", "integration, since, registry, repository");
const IMAGES: (&str, &str) = ("watched_images", "integration, since, digest");

impl Store {
    /// Deletes an integration with its secrets and all that it told. Says whether there was one. One
    /// that rules tell somebody by is refused.
    ///
    /// Nobody attends to it any more before anything else goes; whoever is stopped in between leaves
    /// the rest to `finish_deletions`.
    pub async fn delete_integration(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        kind: &str,
        name: &str,
    ) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        tx.lock(&format!("integrations of {}", organisation.0), true).await?;
        let found = find(&mut tx, organisation, kind, &names::normal(name)).await?;
        let Some(record) = found else { return Ok(false) };
        rules::refuse_if_used(&mut tx, &record).await?;
        let sql =
            "UPDATE integrations SET deleting = 1, name = id, hook = id, revision = revision + 1
                   WHERE id = $1";
        tx.run(sql, values![&record.id]).await?;
        let sql = "DELETE FROM jobs WHERE key = $1";
        tx.run(sql, values![&record.id]).await?;
        let (prefix, behind) = secret_names(&record.id);
        let sql = "DELETE FROM secrets WHERE organisation = $1 AND name >= $2 AND name < $3";
        tx.run(sql, values![&organisation.0, prefix, behind]).await?;
        let about = about(&record.kind, &record.name);
        let note = events::Note::new(EventKind::IntegrationDeleted, &about);
        note.write(&mut tx, organisation, act).await?;
        tx.commit().await?;
        self.clear_integration(&record.id).await?;
        self.db.scrub().await;
        Ok(true)
    }

    /// Goes on with what was broken off: integrations that are deleted, and what is left of those
    /// that were told something else.
    pub(crate) async fn finish_integrations(&self) -> Result<(), Error> {
        let sql = "SELECT id FROM integrations WHERE deleting = 1";
        for row in self.db.rows(sql, vec![]).await? {
            self.clear_integration(&row.text("id")?).await?;
        }
        let sql = format!(
            "{SELECT} WHERE i.deleting = 0 AND (
                 EXISTS (SELECT 1 FROM watched_tags w
                         WHERE w.integration = i.id AND w.since < i.address_since)
                 OR EXISTS (SELECT 1 FROM watched_images w
                            WHERE w.integration = i.id AND w.since < i.address_since)
                 OR EXISTS (SELECT 1 FROM awaited_repositories w
                            WHERE w.integration = i.id AND w.since < i.scope_since)
                 OR EXISTS (SELECT 1 FROM notices n
                            WHERE n.integration = i.id AND n.state IN ('waiting', 'aside')
                            AND n.since < i.address_since))"
        );
        for row in self.db.rows(sql, vec![]).await? {
            self.clear_former(&read(&row)?).await?;
        }
        Ok(())
    }

    async fn clear_integration(&self, id: &str) -> Result<(), Error> {
        for part in PARTS {
            self.delete_parts(part, "integration = $1", values![id]).await?;
        }
        let mut tx = self.db.write().await?;
        tx.run("DELETE FROM integrations WHERE id = $1", values![id]).await?;
        tx.commit().await
    }

    /// Lets go of what was seen of another address, and is done with what was heard there.
    pub(super) async fn clear_former(&self, record: &IntegrationRecord) -> Result<(), Error> {
        for (part, since) in [
            (TAGS, record.address_since),
            (IMAGES, record.address_since),
            (AWAITED, record.scope_since),
        ] {
            let fits = "integration = $1 AND since < $2";
            self.delete_parts(part, fits, values![&record.id, since]).await?;
        }
        loop {
            let mut tx = self.db.write().await?;
            hold(&mut tx, &record.id).await?;
            let sql = format!(
                "UPDATE notices SET state = 'done', trouble = 'it was of another address',
                        ended_at = COALESCE(ended_at, ready_at)
                 WHERE id IN (SELECT id FROM notices WHERE integration = $1 AND since < $2
                              AND state IN ('waiting', 'aside') LIMIT {ROWS})"
            );
            let done = tx.run(sql, values![&record.id, record.address_since]).await?;
            tx.commit().await?;
            if done == 0 {
                return Ok(());
            }
        }
    }

    /// Deletes the rows that fit, a part at a time. Says how many.
    pub(crate) async fn delete_parts(
        &self,
        (table, key): (&str, &str),
        fits: &str,
        values: Vec<Value>,
    ) -> Result<u64, Error> {
        let mut all = 0;
        loop {
            let mut tx = self.db.write().await?;
            let gone = delete_some(&mut tx, table, key, fits, values.clone()).await?;
            tx.commit().await?;
            if gone == 0 {
                return Ok(all);
            }
            all += gone;
        }
    }
}
