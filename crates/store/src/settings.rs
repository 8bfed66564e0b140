//! Settings: what an organisation wants otherwise than it is by default.

use std::collections::BTreeMap;

use model::{Act, EventKind, OrganisationId};
use serde_json::{Value as Json, json};

use crate::contract::Error;
use crate::db::{Row, values};
use crate::{Store, events, names};

/// Bytes in the longest setting, as it is written.
const LONGEST: usize = 64 * 1024;

impl Store {
    /// Sets a key, or with nothing sets it back. Says whether that changed anything.
    pub async fn set(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        key: &str,
        value: Option<&Json>,
    ) -> Result<bool, Error> {
        let key = names::cleaned("setting", key)?;
        let text = value.map(Json::to_string);
        if text.as_ref().is_some_and(|it| it.len() > LONGEST) {
            return Err(Error::Refused {
                what: format!("setting `{key}`"),
                why: format!("it is longer than {LONGEST} bytes"),
                hint: None,
            });
        }
        let mut tx = self.db.write().await?;
        tx.lock(&format!("settings of {}", organisation.0), true).await?;
        let sql = "SELECT key, value FROM settings WHERE organisation = $1 AND key = $2";
        let row = tx.row(sql, values![&organisation.0, &key]).await?;
        let former = row.as_ref().map(read).transpose()?.map(|(_, value)| value);
        if former.as_ref() == value {
            return Ok(false);
        }
        if let Some(text) = &text {
            let sql = "INSERT INTO settings (organisation, key, value) VALUES ($1, $2, $3)
                       ON CONFLICT (organisation, key) DO UPDATE SET value = excluded.value";
            tx.run(sql, values![&organisation.0, &key, text]).await?;
        } else {
            let sql = "DELETE FROM settings WHERE organisation = $1 AND key = $2";
            tx.run(sql, values![&organisation.0, &key]).await?;
        }
        let note = events::Note::new(EventKind::SettingChanged, &key);
        let note = note.detail(json!({ "from": former, "to": value }));
        note.write(&mut tx, organisation, act).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// What a key is set to.
    pub async fn setting(
        &self,
        organisation: &OrganisationId,
        key: &str,
    ) -> Result<Option<Json>, Error> {
        let sql = "SELECT key, value FROM settings WHERE organisation = $1 AND key = $2";
        let row = self.db.row(sql, values![&organisation.0, names::normal(key)]).await?;
        Ok(row.as_ref().map(read).transpose()?.map(|(_, value)| value))
    }

    /// All that is set.
    pub async fn settings(
        &self,
        organisation: &OrganisationId,
    ) -> Result<BTreeMap<String, Json>, Error> {
        let sql = "SELECT key, value FROM settings WHERE organisation = $1";
        self.db.rows(sql, values![&organisation.0]).await?.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<(String, Json), Error> {
    let value = serde_json::from_str(&row.text("value")?).map_err(|error| Error::Corrupt {
        what: "column value".to_owned(),
        why: error.to_string(),
    })?;
    Ok((row.text("key")?, value))
}
