//! Secrets: kept sealed, and opened with a key that is not in the database.

use model::{Act, EventKind, OrganisationId, Secret};
use serde_json::json;

use crate::contract::{Error, SecretRecord};
use crate::db::{Query, Row, values};
use crate::{Keyring, Store, events, names};

/// Bytes in the longest secret.
const LONGEST: usize = 64 * 1024;

impl Store {
    /// Keeps a secret under a name, instead of what was kept there before.
    pub async fn keep_secret(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        name: &str,
        secret: &Secret,
    ) -> Result<(), Error> {
        let name = names::cleaned("secret", name)?;
        let ring = self.ring(&name)?;
        if secret.expose().len() > LONGEST {
            return Err(Error::Refused {
                what: format!("secret `{name}`"),
                why: format!("it is longer than {LONGEST} bytes"),
                hint: None,
            });
        }
        let sealed = seal(ring, organisation, &name, secret)?;
        let mut tx = self.db.write().await?;
        tx.run(
            "INSERT INTO secrets (organisation, name, key, sealed, kept_at, kept_by)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (organisation, name) DO UPDATE SET key = excluded.key,
                 sealed = excluded.sealed, kept_at = excluded.kept_at, kept_by = excluded.kept_by",
            values![&organisation.0, &name, ring.id(), sealed, act.at, names::told(&act.who)],
        )
        .await?;
        let note = events::Note::new(EventKind::SecretKept, &name);
        note.detail(json!({ "key": ring.id() })).write(&mut tx, organisation, act).await?;
        tx.commit().await
    }

    /// The secret of that name, opened.
    pub async fn secret(
        &self,
        organisation: &OrganisationId,
        name: &str,
    ) -> Result<Option<Secret>, Error> {
        let name = names::normal(name);
        let sql = "SELECT key, sealed FROM secrets WHERE organisation = $1 AND name = $2";
        let Some(row) = self.db.row(sql, values![&organisation.0, &name]).await? else {
            return Ok(None);
        };
        open(self.ring(&name)?, organisation, &name, &row).map(Some)
    }

    /// Which secrets there are, by name; not what they say.
    pub async fn secrets(&self, organisation: &OrganisationId) -> Result<Vec<SecretRecord>, Error> {
        let sql = "SELECT name, key, kept_at, kept_by FROM secrets WHERE organisation = $1
                   ORDER BY name";
        let read = |row: &Row| {
            Ok(SecretRecord {
                name: row.text("name")?,
                key: row.text("key")?,
                kept: row.moment("kept_at")?,
                kept_by: row.text("kept_by")?,
            })
        };
        self.db.rows(sql, values![&organisation.0]).await?.iter().map(read).collect()
    }

    /// Deletes a secret. Says whether there was one.
    pub async fn delete_secret(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        name: &str,
    ) -> Result<bool, Error> {
        let name = names::normal(name);
        let mut tx = self.db.write().await?;
        let sql = "DELETE FROM secrets WHERE organisation = $1 AND name = $2";
        if tx.run(sql, values![&organisation.0, &name]).await? == 0 {
            return Ok(false);
        }
        let note = events::Note::new(EventKind::SecretDeleted, &name);
        note.write(&mut tx, organisation, act).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Seals with the present key what is sealed with a former one: all of it, or nothing if some
    /// cannot be opened. Says how many. After that the former keys may go.
    pub async fn reseal(&self) -> Result<u64, Error> {
        let mut tx = self.db.write().await?;
        let mut query =
            Query::new("SELECT organisation, name, key, sealed FROM secrets WHERE", vec![]);
        let present = self.keyring.as_ref().map_or("", Keyring::id);
        query.with("key <> $? ORDER BY organisation, name", present);
        query.then(tx.holding());
        let (sql, values) = query.into_parts();
        let mut resealed = 0;
        for row in tx.rows(sql, values).await? {
            let organisation = OrganisationId(row.text("organisation")?);
            let name = row.text("name")?;
            let ring = self.ring(&name)?;
            let secret = open(ring, &organisation, &name, &row)?;
            let sealed = seal(ring, &organisation, &name, &secret)?;
            let sql = "UPDATE secrets SET key = $3, sealed = $4
                       WHERE organisation = $1 AND name = $2";
            resealed += tx.run(sql, values![&organisation.0, &name, ring.id(), sealed]).await?;
        }
        tx.commit().await?;
        Ok(resealed)
    }

    pub(crate) fn ring(&self, name: &str) -> Result<&Keyring, Error> {
        self.keyring.as_ref().ok_or_else(|| Error::Refused {
            what: format!("secret `{name}`"),
            why: "there is no key to seal and open secrets with".to_owned(),
            hint: Some("name a key where the server and its workers start: --key-file, FORETOP_KEY_FILE or FORETOP_KEY; `openssl rand -hex 32` makes one".to_owned()),
        })
    }
}

pub(crate) fn seal(
    ring: &Keyring,
    organisation: &OrganisationId,
    name: &str,
    secret: &Secret,
) -> Result<Vec<u8>, Error> {
    let sealed = ring.seal(&whose(organisation, name), secret.expose());
    sealed.ok_or_else(|| Error::Unavailable {
        what: format!("secret `{name}`"),
        why: "the machine has no randomness to seal it with".to_owned(),
    })
}

pub(crate) fn open(
    ring: &Keyring,
    organisation: &OrganisationId,
    name: &str,
    row: &Row,
) -> Result<Secret, Error> {
    let key = row.text("key")?;
    if !ring.ids().any(|it| it == key) {
        return Err(Error::Refused {
            what: format!("secret `{name}`"),
            why: format!("it is sealed with the key {key}, which is not at hand"),
            hint: Some(format!(
                "start with that key too; at hand: {}",
                ring.ids().collect::<Vec<_>>().join(", ")
            )),
        });
    }
    let opened = ring.open(&key, &whose(organisation, name), &row.blob("sealed")?);
    opened.map(Secret::new).ok_or_else(|| Error::Corrupt {
        what: format!("secret `{name}`"),
        why: "it is not what was sealed under this name".to_owned(),
    })
}

/// What a seal is good for alone: a row that somebody moves elsewhere does not open there.
fn whose(organisation: &OrganisationId, name: &str) -> String {
    format!("foretop secret\0{}\0{name}", organisation.0)
}
