//! Integrations: the parties around us, what they are told, and whether that works.

mod deletion;
mod secrets;

use model::{Act, EventKind, OrganisationId, Secret};
use serde_json::json;

use self::secrets::{delete_secrets, hook_name, secret_name};
use crate::contract::{Error, IntegrationRecord, IntegrationState, NewIntegration};
use crate::db::{Row, Tx, values};
use crate::{Store, events, hash_key, names, new_id};

pub(crate) use deletion::{AWAITED, PARTS, TAGS};

const SELECT: &str = "
    SELECT i.id, i.organisation, i.kind, i.name, i.settings, i.state, i.why, i.state_since,
           i.revision, i.address_since, i.scope_since, i.created_at, i.created_by
    FROM integrations i";
const NAMED: &str = "WHERE i.organisation = $1 AND i.kind = $2 AND i.name = $3 AND i.deleting = 0";

/// Bytes of all settings of one, as they are written.
const LONGEST: usize = 256 << 10;
/// Integrations of one organisation.
const MOST: i64 = 200;

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
        let (mut gone, mut is_other) = (0, false);
        if let Some(former) = &former {
            let differs = |keys: &[&str]| {
                keys.iter().any(|key| all(&former.settings, key) != all(new.settings, key))
            };
            let is_elsewhere = differs(new.address);
            is_other = is_elsewhere || differs(new.scope);
            tx.run(
                "UPDATE integrations SET settings = $2, state = 'pending', why = NULL,
                        state_since = $3, next_look = $3, revision = revision + 1
                 WHERE id = $1",
                values![&id, settings, act.at],
            )
            .await?;
            if is_other {
                // Nobody knows what was there before.
                let sql = "UPDATE integrations SET scope_since = revision, begun_at = NULL
                           WHERE id = $1";
                tx.run(sql, values![&id]).await?;
            }
            if is_elsewhere {
                // What was seen and heard elsewhere says nothing of this one, and what is for one host
                // is shown to no other.
                let sql = "UPDATE integrations SET address_since = revision, waiting = 0
                           WHERE id = $1";
                tx.run(sql, values![&id]).await?;
                gone += delete_secrets(&mut tx, organisation, &id, None).await?;
            }
            for key in new.unset {
                gone += delete_secrets(&mut tx, organisation, &id, Some(key.as_str())).await?;
            }
        } else {
            let sql = "SELECT COUNT(*) AS rows FROM integrations WHERE organisation = $1
                       AND deleting = 0";
            let row = tx.row(sql, values![&organisation.0]).await?;
            if row.map(|it| it.int("rows")).transpose()?.unwrap_or(0) >= MOST {
                return Err(refused(&name, "there are too many already"));
            }
            tx.run(
                "INSERT INTO integrations (id, organisation, kind, name, settings, hook, state,
                                           state_since, next_look, revision, address_since,
                                           scope_since, waiting, deleting, created_at, created_by)
                 VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $7, 0, 0, 0, 0, 0, $7, $8)",
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
        if let Some(record) = record.as_ref().filter(|_| is_other) {
            self.clear_former(record).await?;
        }
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
        let sql = format!(
            "{SELECT} WHERE i.organisation = $1 AND i.deleting = 0 ORDER BY i.kind, i.name"
        );
        self.db.rows(sql, values![&organisation.0]).await?.iter().map(read).collect()
    }

    /// The integration of that kind and name.
    pub async fn integration(
        &self,
        organisation: &OrganisationId,
        kind: &str,
        name: &str,
    ) -> Result<Option<IntegrationRecord>, Error> {
        let sql = format!("{SELECT} {NAMED}");
        let row = self.db.row(sql, values![&organisation.0, kind, names::normal(name)]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The integration of that id.
    pub async fn integration_by_id(&self, id: &str) -> Result<Option<IntegrationRecord>, Error> {
        let sql = format!(
            "{SELECT} JOIN organisations o ON o.id = i.organisation
             WHERE i.id = $1 AND o.deleting = 0 AND i.deleting = 0"
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
             WHERE i.hook = $1 AND o.deleting = 0 AND i.deleting = 0"
        );
        self.db.row(sql, values![hash_key(hash)]).await?.as_ref().map(read).transpose()
    }

    /// Lets the webhooks of an integration come in at another path, and no longer at the one before.
    pub async fn replace_hook(
        &self,
        record: &IntegrationRecord,
        act: &Act,
        (hash, secret): (&[u8; 32], &Secret),
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        let sql = "UPDATE integrations SET hook = $2 WHERE id = $1 AND deleting = 0";
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

    /// Takes note of whether an integration works. The same once more is no news, whatever numbers
    /// are in it, and neither is what it is short of while it works; what was found out with former
    /// settings says nothing. Says whether it was news.
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
        let sql = "SELECT state, why FROM integrations WHERE id = $1 AND revision = $2";
        let Some(former) = tx.hold(sql, values![&record.id, record.revision]).await? else {
            return Ok(false);
        };
        let (former_word, former_why) = (former.word("state")?, former.maybe_text("why")?);
        if former_word == word && former_why == why {
            return Ok(false);
        }
        let is_news = former_word != word
            || word == "failed"
                && without_numbers(former_why.as_deref()) != without_numbers(why.as_deref());
        let sql = "UPDATE integrations SET state = $2, why = $3,
                          state_since = CASE WHEN $4 = 1 THEN $5 ELSE state_since END
                   WHERE id = $1";
        let values = values![&record.id, word, why.clone(), i64::from(is_news), act.at];
        tx.run(sql, values).await?;
        if is_news {
            let about = about(&record.kind, &record.name);
            let note = events::Note::new(EventKind::IntegrationChanged, &about);
            let note = note.detail(json!({ "state": word, "why": why }));
            note.write(&mut tx, &record.organisation, act).await?;
        }
        tx.commit().await?;
        Ok(is_news)
    }
}

/// Nobody else changes the integration or what it told until the end: whoever changes either holds it
/// first, so that no two wait for each other. Says the revision in which it was told its address, and
/// how much waits.
pub(crate) async fn hold(tx: &mut Tx, id: &str) -> Result<Option<(i64, i64)>, Error> {
    let sql = "SELECT address_since, waiting FROM integrations WHERE id = $1 AND deleting = 0";
    let row = tx.hold(sql, values![id]).await?;
    row.map(|row| Ok((row.int("address_since")?, row.int("waiting")?))).transpose()
}

/// So many more wait, or fewer.
pub(crate) async fn more_wait(
    tx: &mut Tx,
    record: &IntegrationRecord,
    more: i64,
) -> Result<(), Error> {
    let sql = "UPDATE integrations SET waiting = waiting + $3 WHERE id = $1 AND address_since = $2";
    tx.run(sql, values![&record.id, record.address_since, more]).await.map(|_| ())
}

/// What is said, but for words with a number in them: that they differ is no news.
fn without_numbers(why: Option<&str>) -> String {
    let words = why.unwrap_or_default().split_whitespace();
    let words = words.filter(|it| !it.contains(|letter: char| letter.is_ascii_digit()));
    words.collect::<Vec<_>>().join(" ")
}

async fn find(
    tx: &mut Tx,
    organisation: &OrganisationId,
    kind: &str,
    name: &str,
) -> Result<Option<IntegrationRecord>, Error> {
    let sql = format!("{SELECT} {NAMED}");
    tx.row(sql, values![&organisation.0, kind, name]).await?.as_ref().map(read).transpose()
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
        address_since: row.int("address_since")?,
        scope_since: row.int("scope_since")?,
        created: row.moment("created_at")?,
        created_by: row.text("created_by")?,
    })
}
