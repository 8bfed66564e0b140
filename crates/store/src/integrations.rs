//! Integrations: the parties around us, what they are told, and whether that works.

use model::{Act, EventKind, OrganisationId, Secret};
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
           i.created_at, i.created_by
    FROM integrations i";

/// Bytes of all settings of one, as they are written.
const LONGEST: usize = 256 << 10;
/// Integrations of one organisation.
const MOST: i64 = 200;
/// Tables with rows of an integration, and by what these are told apart.
pub(crate) const PARTS: [(&str, &str); 3] = [
    ("notices", "id"),
    ("watched_tags", "integration, registry, repository, tag"),
    ("watched_images", "integration, digest"),
];

impl Store {
    /// Keeps an integration, instead of the one of that kind and name. A secret that is replaced
    /// holds beside the new one until the next time. Says which it is, and whether it is new.
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
        if let Some(former) = &former {
            let sql = "UPDATE integrations SET settings = $2, state = 'pending', why = NULL,
                              state_since = $3, next_look = $3 WHERE id = $1";
            tx.run(sql, values![&id, settings, act.at]).await?;
            if value(&former.settings, "registry") != value(new.settings, "registry") {
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
                                           state_since, next_look, created_at, created_by)
                 VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $7, $7, $8)",
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
            if let Some(before) = self.opened(&mut tx, organisation, &now).await?
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

    /// Those of all organisations.
    pub async fn all_integrations(&self) -> Result<Vec<IntegrationRecord>, Error> {
        let sql = format!(
            "{SELECT} JOIN organisations o ON o.id = i.organisation WHERE o.deleting = 0
             ORDER BY i.id"
        );
        self.db.rows(sql, vec![]).await?.iter().map(read).collect()
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

    /// What an integration proves itself with, and others to it.
    pub async fn integration_secrets(
        &self,
        record: &IntegrationRecord,
    ) -> Result<IntegrationSecrets, Error> {
        let mut secrets = IntegrationSecrets::default();
        let prefix = secret_name(&record.id, "", true);
        let sql = "SELECT name, key, sealed FROM secrets WHERE organisation = $1
                   AND name >= $2 AND name < $3 ORDER BY name";
        let organisation = &record.organisation;
        // The letter after the blank that the prefix ends with.
        let behind = format!("{}!", prefix.trim_end());
        for row in self.db.rows(sql, values![&organisation.0, &prefix, behind]).await? {
            let name = row.text("name")?;
            let secret = open(self.ring(&name)?, organisation, &name, &row)?;
            let rest = name.strip_prefix(&prefix).unwrap_or_default();
            match rest.split_once(' ') {
                Some(("now", key)) => secrets.new.push((key.to_owned(), secret)),
                Some(("before", key)) => secrets.old.push((key.to_owned(), secret)),
                _ if rest == "hook" => secrets.hook = Some(secret),
                _ => {}
            }
        }
        Ok(secrets)
    }

    /// Takes note of whether an integration works. The same once more is no news. Says whether it
    /// was.
    pub async fn integration_is(
        &self,
        record: &IntegrationRecord,
        act: &Act,
        state: &IntegrationState,
    ) -> Result<bool, Error> {
        let (word, why) = match state {
            IntegrationState::Pending => ("pending", None),
            IntegrationState::Connected => ("connected", None),
            IntegrationState::Failed { why } => ("failed", Some(names::told(why))),
        };
        let mut tx = self.db.write().await?;
        let changed = tx
            .run(
                "UPDATE integrations SET state = $2, why = $3, state_since = $4 WHERE id = $1
                 AND (state <> $2 OR COALESCE(why, '') <> COALESCE($3, ''))",
                values![&record.id, word, why.clone(), act.at],
            )
            .await?;
        if changed == 0 {
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
        let prefix = secret_name(&record.id, "", true);
        let behind = format!("{}!", prefix.trim_end());
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
    for table in ["watched_tags", "watched_images"] {
        tx.run(format!("DELETE FROM {table} WHERE integration = $1"), values![id]).await?;
    }
    let sql = "UPDATE integrations SET begun_at = NULL WHERE id = $1";
    tx.run(sql, values![id]).await.map(|_| ())
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
    match key {
        "" => format!("integration {id} "),
        key => format!("integration {id} {} {key}", if is_now { "now" } else { "before" }),
    }
}

fn hook_name(id: &str) -> String {
    format!("integration {id} hook")
}

fn about(kind: &str, name: &str) -> String {
    format!("{kind} {name}")
}

fn value<'a>(settings: &'a [(String, String)], key: &str) -> Option<&'a str> {
    settings.iter().find(|it| it.0 == key).map(|it| it.1.as_str())
}

fn refused(name: &str, why: &str) -> Error {
    Error::Refused { what: format!("integration `{name}`"), why: why.to_owned(), hint: None }
}

fn read(row: &Row) -> Result<IntegrationRecord, Error> {
    let corrupt = |what: &str, why: String| Error::Corrupt { what: what.to_owned(), why };
    let state = match row.word("state")? {
        "pending" => IntegrationState::Pending,
        "connected" => IntegrationState::Connected,
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
        created: row.moment("created_at")?,
        created_by: row.text("created_by")?,
    })
}
