//! Integrations: the parties around us, what they are told, and whether that works.

use std::collections::BTreeMap;

use model::{Act, EventKind, Moment, OrganisationId, Secret};
use serde_json::json;

use crate::contract::{
    Error, IntegrationRecord, IntegrationSecrets, IntegrationState, NewIntegration,
};
use crate::db::{Row, Tx, values};
use crate::retention::delete_some;
use crate::secrets::{open, seal};
use crate::{Store, events, hash_key, names, new_id};

const SELECT: &str = "
    SELECT i.id, i.organisation, i.kind, i.name, i.settings, i.state, i.why, i.state_since,
           i.revision, i.created_at, i.created_by
    FROM integrations i";

/// Bytes of all settings of one, as they are written.
const LONGEST: usize = 256 << 10;
/// Integrations of one organisation.
const MOST: i64 = 200;
/// A former secret holds for so many seconds.
const GRACE: i64 = 7 * 86_400;
/// Tables with rows of an integration, and by what these are told apart.
pub(crate) const PARTS: [(&str, &str); 4] = [
    ("notices", "id"),
    ("watched_tags", "integration, registry, repository, tag"),
    ("awaited_repositories", "integration, registry, repository"),
    ("watched_images", "integration, digest"),
];

impl Store {
    /// Keeps an integration, instead of the one of that kind and name. Of what others prove
    /// themselves with, the former secret holds for a week, or until the next time. Says which it
    /// is, and whether it is new.
    pub async fn put_integration(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        new: &NewIntegration<'_>,
    ) -> Result<(IntegrationRecord, bool), Error> {
        let name = names::cleaned("integration", new.name)?;
        let settings = json!(new.settings).to_string();
        if settings.len() > LONGEST {
            return Err(refused(&name, "its settings are too long"));
        }
        let mut tx = self.db.write().await?;
        tx.lock(&format!("integrations of {}", organisation.0), true).await?;
        let former = find(&mut tx, organisation, new.kind, &name).await?;
        let id = former.as_ref().map_or_else(new_id, |it| it.id.clone());
        let mut gone = 0;
        if let Some(former) = &former {
            let sql = "UPDATE integrations SET settings = $2, state = 'pending', why = NULL,
                              state_since = $3, next_look = $3, revision = revision + 1
                       WHERE id = $1";
            tx.run(sql, values![&id, settings, act.at]).await?;
            let is_elsewhere = |key: &&str| all(&former.settings, key) != all(new.settings, key);
            if new.address.iter().any(is_elsewhere) {
                // What is for one host is shown to no other.
                gone += delete_secrets(&mut tx, organisation, &id, None).await?;
            }
            for key in new.unset {
                gone += delete_secrets(&mut tx, organisation, &id, Some(key.as_str())).await?;
            }
            if all(&former.settings, "registry") != all(new.settings, "registry") {
                // What was seen elsewhere says nothing of this one.
                forget_what_was_seen(&mut tx, &id).await?;
            }
        } else {
            let sql = "SELECT COUNT(*) AS rows FROM integrations WHERE organisation = $1";
            let row = tx.row(sql, values![&organisation.0]).await?;
            if row.map(|it| it.int("rows")).transpose()?.unwrap_or(0) >= MOST {
                return Err(refused(&name, "there are too many already"));
            }
            tx.run(
                "INSERT INTO integrations (id, organisation, kind, name, settings, hook, state,
                                           state_since, next_look, revision, created_at,
                                           created_by)
                 VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $7, 0, $7, $8)",
                values![
                    &id,
                    &organisation.0,
                    new.kind,
                    &name,
                    settings,
                    hash_key(new.hook.0),
                    act.at,
                    names::told(&act.who),
                ],
            )
            .await?;
            self.put_secret(&mut tx, organisation, act, &hook_name(&id), new.hook.1).await?;
        }
        for (key, secret) in new.secrets {
            let now = secret_name(&id, key, true);
            if new.proof == Some(key.as_str())
                && let Some(before) = self.opened(&mut tx, organisation, &now).await?
                && before != *secret
            {
                let old = secret_name(&id, key, false);
                self.put_secret(&mut tx, organisation, act, &old, &before).await?;
            }
            self.put_secret(&mut tx, organisation, act, &now, secret).await?;
        }
        let keys: Vec<&str> = new.secrets.iter().map(|it| it.0.as_str()).collect();
        let about = about(new.kind, &name);
        let note = events::Note::new(EventKind::IntegrationConfigured, &about);
        let detail = json!({ "new": former.is_none(), "settings": new.settings, "secrets": keys });
        note.detail(detail).write(&mut tx, organisation, act).await?;
        let record = find(&mut tx, organisation, new.kind, &name).await?;
        tx.commit().await?;
        if gone > 0 {
            self.db.scrub().await;
        }
        record.map(|it| (it, former.is_none())).ok_or(Error::Gone("integration"))
    }

    /// The integrations of an organisation, by kind and name.
    pub async fn integrations(
        &self,
        organisation: &OrganisationId,
    ) -> Result<Vec<IntegrationRecord>, Error> {
        let sql = format!("{SELECT} WHERE i.organisation = $1 ORDER BY i.kind, i.name");
        self.db.rows(sql, values![&organisation.0]).await?.iter().map(read).collect()
    }

    /// The integration of that kind and name.
    pub async fn integration(
        &self,
        organisation: &OrganisationId,
        kind: &str,
        name: &str,
    ) -> Result<Option<IntegrationRecord>, Error> {
        let sql = format!("{SELECT} WHERE i.organisation = $1 AND i.kind = $2 AND i.name = $3");
        let row = self.db.row(sql, values![&organisation.0, kind, names::normal(name)]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The integration of that id.
    pub async fn integration_by_id(&self, id: &str) -> Result<Option<IntegrationRecord>, Error> {
        let sql = format!(
            "{SELECT} JOIN organisations o ON o.id = i.organisation
             WHERE i.id = $1 AND o.deleting = 0"
        );
        self.db.row(sql, values![id]).await?.as_ref().map(read).transpose()
    }

    /// The integration whose webhooks come in at the path with the secret of that SHA-256.
    pub async fn integration_by_hook(
        &self,
        hash: &[u8; 32],
    ) -> Result<Option<IntegrationRecord>, Error> {
        let sql = format!(
            "{SELECT} JOIN organisations o ON o.id = i.organisation
             WHERE i.hook = $1 AND o.deleting = 0"
        );
        self.db.row(sql, values![hash_key(hash)]).await?.as_ref().map(read).transpose()
    }

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

    /// Lets the webhooks of an integration come in at another path, and no longer at the one before.
    pub async fn replace_hook(
        &self,
        record: &IntegrationRecord,
        act: &Act,
        (hash, secret): (&[u8; 32], &Secret),
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        let sql = "UPDATE integrations SET hook = $2 WHERE id = $1";
        if tx.run(sql, values![&record.id, hash_key(hash)]).await? == 0 {
            return Err(Error::Gone("integration"));
        }
        let organisation = &record.organisation;
        self.put_secret(&mut tx, organisation, act, &hook_name(&record.id), secret).await?;
        let about = about(&record.kind, &record.name);
        let note = events::Note::new(EventKind::IntegrationConfigured, &about);
        let note = note.detail(json!({ "new": false, "path": "new" }));
        note.write(&mut tx, organisation, act).await?;
        tx.commit().await?;
        self.db.scrub().await;
        Ok(())
    }

    /// Takes note of whether an integration works. The same once more is no news, and neither is
    /// what it is short of while it works; what was found out with former settings says nothing.
    /// Says whether it was news.
    pub async fn integration_is(
        &self,
        record: &IntegrationRecord,
        act: &Act,
        state: &IntegrationState,
    ) -> Result<bool, Error> {
        let (word, why) = match state {
            IntegrationState::Pending => ("pending", None),
            IntegrationState::Connected { but } => ("connected", but.as_deref().map(names::told)),
            IntegrationState::Failed { why } => ("failed", Some(names::told(why))),
        };
        let mut tx = self.db.write().await?;
        let changed = tx
            .run(
                "UPDATE integrations SET state = $2, why = $3, state_since = $4
                 WHERE id = $1 AND revision = $5 AND (state <> $2
                     OR state = 'failed' AND COALESCE(why, '') <> COALESCE($3, ''))",
                values![&record.id, word, why.clone(), act.at, record.revision],
            )
            .await?;
        if changed == 0 {
            let sql = "UPDATE integrations SET why = $2 WHERE id = $1 AND revision = $3
                       AND state = 'connected' AND COALESCE(why, '') <> COALESCE($2, '')";
            if word == "connected"
                && tx.run(sql, values![&record.id, why, record.revision]).await? > 0
            {
                tx.commit().await?;
            }
            return Ok(false);
        }
        let about = about(&record.kind, &record.name);
        let note = events::Note::new(EventKind::IntegrationChanged, &about);
        let note = note.detail(json!({ "state": word, "why": why }));
        note.write(&mut tx, &record.organisation, act).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Deletes an integration with its secrets and all that it told. Says whether there was one.
    pub async fn delete_integration(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        kind: &str,
        name: &str,
    ) -> Result<bool, Error> {
        let Some(record) = self.integration(organisation, kind, name).await? else {
            return Ok(false);
        };
        // First what may be much, in parts; what comes in between goes with the rest.
        for (table, key) in PARTS {
            loop {
                let mut tx = self.db.write().await?;
                let gone =
                    delete_some(&mut tx, table, key, "integration = $1", values![&record.id])
                        .await?;
                tx.commit().await?;
                if gone == 0 {
                    break;
                }
            }
        }
        let mut tx = self.db.write().await?;
        tx.lock(&format!("integrations of {}", organisation.0), true).await?;
        let sql = "DELETE FROM integrations WHERE id = $1";
        if tx.run(sql, values![&record.id]).await? == 0 {
            return Ok(false);
        }
        let sql = "DELETE FROM jobs WHERE key = $1";
        tx.run(sql, values![&record.id]).await?;
        let (prefix, behind) = secret_names(&record.id);
        let sql = "DELETE FROM secrets WHERE organisation = $1 AND name >= $2 AND name < $3";
        tx.run(sql, values![&organisation.0, prefix, behind]).await?;
        let about = about(&record.kind, &record.name);
        let note = events::Note::new(EventKind::IntegrationDeleted, &about);
        note.write(&mut tx, organisation, act).await?;
        tx.commit().await?;
        self.db.scrub().await;
        Ok(true)
    }

    async fn opened(
        &self,
        tx: &mut Tx,
        organisation: &OrganisationId,
        name: &str,
    ) -> Result<Option<Secret>, Error> {
        let sql = "SELECT key, sealed FROM secrets WHERE organisation = $1 AND name = $2";
        let row = tx.row(sql, values![&organisation.0, name]).await?;
        row.map(|row| open(self.ring(name)?, organisation, name, &row)).transpose()
    }

    async fn put_secret(
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

/// What was seen before is not known any more.
async fn forget_what_was_seen(tx: &mut Tx, id: &str) -> Result<(), Error> {
    for table in ["watched_tags", "awaited_repositories", "watched_images"] {
        tx.run(format!("DELETE FROM {table} WHERE integration = $1"), values![id]).await?;
    }
    let sql = "UPDATE integrations SET begun_at = NULL WHERE id = $1";
    tx.run(sql, values![id]).await.map(|_| ())
}

/// Lets go of the secret of a key, now and before; or of all but the one in the path.
async fn delete_secrets(
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

async fn find(
    tx: &mut Tx,
    organisation: &OrganisationId,
    kind: &str,
    name: &str,
) -> Result<Option<IntegrationRecord>, Error> {
    let sql = format!("{SELECT} WHERE i.organisation = $1 AND i.kind = $2 AND i.name = $3");
    tx.row(sql, values![&organisation.0, kind, name]).await?.as_ref().map(read).transpose()
}

/// By which name a secret is kept.
fn secret_name(id: &str, key: &str, is_now: bool) -> String {
    format!("integration {id} {} {key}", if is_now { "now" } else { "before" })
}

/// What the names of all its secrets begin with, and what is behind them all: a blank is before `!`.
fn secret_names(id: &str) -> (String, String) {
    (format!("integration {id} "), format!("integration {id}!"))
}

fn hook_name(id: &str) -> String {
    format!("integration {id} hook")
}

fn about(kind: &str, name: &str) -> String {
    format!("{kind} {name}")
}

/// What is said of a key, however often.
fn all<'a>(settings: &'a [(String, String)], key: &str) -> Vec<&'a str> {
    settings.iter().filter(|it| it.0 == key).map(|it| it.1.as_str()).collect()
}

fn refused(name: &str, why: &str) -> Error {
    Error::Refused { what: format!("integration `{name}`"), why: why.to_owned(), hint: None }
}

fn read(row: &Row) -> Result<IntegrationRecord, Error> {
    let corrupt = |what: &str, why: String| Error::Corrupt { what: what.to_owned(), why };
    let state = match row.word("state")? {
        "pending" => IntegrationState::Pending,
        "connected" => IntegrationState::Connected { but: row.maybe_text("why")? },
        "failed" => IntegrationState::Failed { why: row.maybe_text("why")?.unwrap_or_default() },
        other => return Err(corrupt("column state", format!("`{other}` is no state"))),
    };
    Ok(IntegrationRecord {
        id: row.text("id")?,
        organisation: OrganisationId(row.text("organisation")?),
        kind: row.text("kind")?,
        name: row.text("name")?,
        settings: serde_json::from_str(&row.text("settings")?)
            .map_err(|error| corrupt("column settings", error.to_string()))?,
        state,
        state_since: row.moment("state_since")?,
        revision: row.int("revision")?,
        created: row.moment("created_at")?,
        created_by: row.text("created_by")?,
    })
}
