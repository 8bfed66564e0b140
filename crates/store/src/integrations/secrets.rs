//! What integrations prove themselves with, and others to them.

use std::collections::BTreeMap;

use model::{Act, Moment, OrganisationId, Secret};

use crate::contract::{Error, IntegrationRecord, IntegrationSecrets};
use crate::db::{Tx, values};
use crate::secrets::{open, seal};
use crate::{Store, names};

/// A former secret holds for so many seconds.
const GRACE: i64 = 7 * 86_400;

impl Store {
    /// What an integration proves itself with, and others to it, by now. Where it was told something
    /// else since, that is for another address, and is not handed out.
    pub async fn integration_secrets(
        &self,
        record: &IntegrationRecord,
        now: Moment,
    ) -> Result<IntegrationSecrets, Error> {
        let mut secrets = IntegrationSecrets::default();
        let mut tx = self.db.read().await?;
        let sql = "SELECT 1 AS one FROM integrations WHERE id = $1 AND revision = $2";
        if tx.row(sql, values![&record.id, record.revision]).await?.is_none() {
            return Err(Error::Gone("what the integration was told"));
        }
        let sql = "SELECT name, key, sealed, kept_at FROM secrets WHERE organisation = $1
                   AND name >= $2 AND name < $3 ORDER BY name";
        let organisation = &record.organisation;
        let (prefix, behind) = secret_names(&record.id);
        for row in tx.rows(sql, values![&organisation.0, &prefix, behind]).await? {
            let name = row.text("name")?;
            let rest = name.strip_prefix(&prefix).unwrap_or_default();
            let opened = || open(self.ring(&name)?, organisation, &name, &row);
            match rest.split_once(' ') {
                Some(("now", key)) => secrets.new.push((key.to_owned(), opened()?)),
                Some(("before", key)) => {
                    let until = row.moment("kept_at")?.plus_seconds(GRACE);
                    if now < until {
                        secrets.old.push((key.to_owned(), opened()?));
                        secrets.until = Some(secrets.until.map_or(until, |it| it.min(until)));
                    }
                }
                _ if rest == "hook" => secrets.hook = Some(opened()?),
                _ => {}
            }
        }
        Ok(secrets)
    }

    /// Which secrets each integration of an organisation was told, by its id. What they are stays
    /// sealed.
    pub async fn told_secrets(
        &self,
        organisation: &OrganisationId,
    ) -> Result<BTreeMap<String, Vec<String>>, Error> {
        let sql = "SELECT name FROM secrets
                   WHERE organisation = $1 AND name >= 'integration ' AND name < 'integration!'
                   ORDER BY name";
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in self.db.rows(sql, values![&organisation.0]).await? {
            let name = row.text("name")?;
            let mut words = name.splitn(4, ' ').skip(1);
            if let (Some(id), Some("now"), Some(key)) = (words.next(), words.next(), words.next()) {
                all.entry(id.to_owned()).or_default().push(key.to_owned());
            }
        }
        Ok(all)
    }

    /// Forgets the former secrets that do not hold any more. Says how many.
    pub async fn forget_former_secrets(&self, now: Moment) -> Result<u64, Error> {
        let mut tx = self.db.write().await?;
        let sql = "DELETE FROM secrets WHERE name LIKE 'integration % before %' AND kept_at <= $1";
        let gone = tx.run(sql, values![now.plus_seconds(-GRACE)]).await?;
        tx.commit().await?;
        if gone > 0 {
            self.db.scrub().await;
        }
        Ok(gone)
    }

    pub(super) async fn opened(
        &self,
        tx: &mut Tx,
        organisation: &OrganisationId,
        name: &str,
    ) -> Result<Option<Secret>, Error> {
        let sql = "SELECT key, sealed FROM secrets WHERE organisation = $1 AND name = $2";
        let row = tx.row(sql, values![&organisation.0, name]).await?;
        row.map(|row| open(self.ring(name)?, organisation, name, &row)).transpose()
    }

    pub(super) async fn put_secret(
        &self,
        tx: &mut Tx,
        organisation: &OrganisationId,
        act: &Act,
        name: &str,
        secret: &Secret,
    ) -> Result<(), Error> {
        let ring = self.ring(name)?;
        let sealed = seal(ring, organisation, name, secret)?;
        tx.run(
            "INSERT INTO secrets (organisation, name, key, sealed, kept_at, kept_by)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (organisation, name) DO UPDATE SET key = excluded.key,
                 sealed = excluded.sealed, kept_at = excluded.kept_at, kept_by = excluded.kept_by",
            values![&organisation.0, name, ring.id(), sealed, act.at, names::told(&act.who)],
        )
        .await?;
        Ok(())
    }
}

/// Lets go of the secret of a key, now and before; or of all but the one in the path.
pub(super) async fn delete_secrets(
    tx: &mut Tx,
    organisation: &OrganisationId,
    id: &str,
    key: Option<&str>,
) -> Result<u64, Error> {
    if let Some(key) = key {
        let sql = "DELETE FROM secrets WHERE organisation = $1 AND name IN ($2, $3)";
        let (now, before) = (secret_name(id, key, true), secret_name(id, key, false));
        return tx.run(sql, values![&organisation.0, now, before]).await;
    }
    let sql = "DELETE FROM secrets WHERE organisation = $1 AND name >= $2 AND name < $3
               AND name <> $4";
    let (prefix, behind) = secret_names(id);
    tx.run(sql, values![&organisation.0, prefix, behind, hook_name(id)]).await
}

/// By which name a secret is kept.
pub(super) fn secret_name(id: &str, key: &str, is_now: bool) -> String {
    format!("integration {id} {} {key}", if is_now { "now" } else { "before" })
}

/// What the names of all its secrets begin with, and what is behind them all: a blank is before `!`.
pub(super) fn secret_names(id: &str) -> (String, String) {
    (format!("integration {id} "), format!("integration {id}!"))
}

pub(super) fn hook_name(id: &str) -> String {
    format!("integration {id} hook")
}
