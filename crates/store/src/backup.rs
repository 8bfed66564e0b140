//! Backup and restore: all that is remembered as one document, for either database.
//!
//! The document is a zstd frame of lines of JSON: what it is and of which schema; for each table,
//! those first that others lean on, its name and columns and then a row a line; in the end, how
//! many rows there were and the SHA-256 of all lines before. What is sealed stays sealed: the key
//! is kept elsewhere, and is needed again.

mod lines;
mod tables;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::TryStreamExt as _;
use model::{Act, EventKind};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::contract::{Error, Restored};
use crate::db::{Row, Tx, Value, placeholders, runs};
use crate::{Store, bases, derived, events, inventories, migrations, names, rules};
use lines::{Reader, Writer, damaged};
pub(crate) use tables::{Kind, TABLES, Table};

const FORMAT: &str = "foretop-backup";
const VERSION: u32 = 1;
/// What is put into one statement.
const MOST_ROWS: usize = 512;
const MOST_BYTES: usize = 1 << 20;

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    version: u32,
    schema: i64,
}

#[derive(Serialize, Deserialize)]
struct Section {
    table: String,
    columns: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct End {
    rows: u64,
    sha256: String,
}

impl Store {
    /// Writes down all there is, as it is at one moment. Says how many rows that is.
    pub async fn backup(&self, writer: impl AsyncWrite + Unpin + Send) -> Result<u64, Error> {
        let mut writer = Writer::new(writer)?;
        let mut tx = self.db.read().await?;
        let head =
            Head { format: FORMAT.to_owned(), version: VERSION, schema: migrations::known() };
        writer.line(&head).await?;
        let mut rows = 0;
        for table in TABLES {
            let columns = table.columns().map(|(name, _)| name.to_owned()).collect();
            writer.line(&Section { table: table.name.to_owned(), columns }).await?;
            let mut stream = tx.stream(table.select());
            while let Some(row) = stream.try_next().await? {
                writer.line(&written(table, &row)?).await?;
                rows += 1;
            }
        }
        let sha256 = writer.sum();
        writer.line(&End { rows, sha256 }).await?;
        writer.finish().await?;
        Ok(rows)
    }

    /// Tells every organisation that all it has is in a backup by now.
    pub async fn backed_up(&self, act: &Act, file: &str) -> Result<(), Error> {
        let file = names::told(file);
        for organisation in self.organisation_ids().await? {
            let mut tx = self.db.write().await?;
            let note = events::Note::new(EventKind::BackedUp, &file);
            note.write(&mut tx, &organisation, act).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Puts a backup into this database, which is to be empty: all of it or, if anything is wrong
    /// with it, nothing.
    pub async fn restore(&self, reader: impl AsyncRead + Unpin + Send) -> Result<Restored, Error> {
        let mut reader = Reader::new(reader)?;
        let head = reader.line().await?.and_then(|it| serde_json::from_slice::<Head>(&it).ok());
        let head = head
            .filter(|it| it.format == FORMAT)
            .ok_or_else(|| damaged("it does not begin as a backup of ours does"))?;
        if head.version > VERSION || head.schema > migrations::known() {
            return Err(Error::Refused {
                what: "backup".to_owned(),
                why: "it was made by a newer version of this program".to_owned(),
                hint: Some("use that version, or a newer one".to_owned()),
            });
        }
        let mut tx = self.db.write().await?;
        tx.keep_others_out().await?;
        for table in TABLES {
            let sql = format!("SELECT 1 AS one FROM {} LIMIT 1", table.name);
            if tx.row(sql, vec![]).await?.is_some() {
                return Err(Error::InUse {
                    what: "database".to_owned(),
                    why: format!("it is not empty: there are {}", table.name.replace('_', " ")),
                    hint: "restore into a new database".to_owned(),
                });
            }
        }
        let mut restored = Restored { rows: 0 };
        let mut section: Option<Section> = None;
        let mut batch = Batch::default();
        loop {
            let Some(line) = reader.line().await? else {
                return Err(damaged("it ends too early"));
            };
            if line.first() == Some(&b'[') {
                let section = section.as_ref().ok_or_else(|| damaged("a row is in no table"))?;
                let table = tables::find(section)?;
                batch.add(table, section, &line)?;
                restored.rows += 1;
                if batch.is_full() {
                    batch.write(&mut tx, table, section).await?;
                }
                continue;
            }
            if let Some(section) = &section {
                batch.write(&mut tx, tables::find(section)?, section).await?;
            }
            if let Ok(next) = serde_json::from_slice::<Section>(&line) {
                section = Some(next);
                continue;
            }
            let end: End = serde_json::from_slice(&line)
                .map_err(|_| damaged("a line is neither a row nor a table"))?;
            if end.sha256 != reader.sum() || end.rows != restored.rows {
                return Err(damaged("it is not what was written"));
            }
            if reader.line().await?.is_some() {
                return Err(damaged("it goes on behind its end"));
            }
            break;
        }
        inventories::fill_in(&mut tx).await?;
        bases::fill_in(&mut tx).await?;
        derived::all(&mut tx).await?;
        rules::begin_all(&mut tx).await?;
        tx.catch_up(TABLES.iter().filter(|it| it.is_numbered()).map(|it| it.name)).await?;
        tx.commit().await?;
        Ok(restored)
    }
}

/// Rows that go into one statement.
#[derive(Default)]
struct Batch {
    rows: Vec<Vec<Value>>,
    bytes: usize,
}

impl Batch {
    fn add(&mut self, table: &Table, section: &Section, line: &[u8]) -> Result<(), Error> {
        let row: Vec<Json> = serde_json::from_slice(line).map_err(|_| damaged("a row is none"))?;
        if row.len() != section.columns.len() {
            return Err(damaged("a row has not as many values as its table has columns"));
        }
        let values = section.columns.iter().zip(row).map(|(column, value)| {
            let kind = table.kind(column).ok_or_else(|| damaged("it has an unknown column"))?;
            read(kind, value).ok_or_else(|| damaged("a value is not of its column's kind"))
        });
        self.rows.push(values.collect::<Result<_, _>>()?);
        self.bytes += line.len();
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= MOST_ROWS || self.bytes >= MOST_BYTES
    }

    async fn write(&mut self, tx: &mut Tx, table: &Table, it: &Section) -> Result<(), Error> {
        let batch = std::mem::take(self);
        let (table, columns) = (table.name, it.columns.join(", "));
        for run in runs(&batch.rows) {
            let list = placeholders(0, run.len(), it.columns.len());
            let sql =
                format!("INSERT INTO {table} ({columns}) VALUES {list} ON CONFLICT DO NOTHING");
            let written = tx.run(sql, run.into_iter().flatten().collect()).await;
            match written {
                Ok(rows) if rows == batch.rows.len() as u64 => {}
                Ok(_) => return Err(damaged("a row is there twice")),
                Err(Error::Gone(_)) => return Err(damaged("a row leans on one that is missing")),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A row as it is written.
fn written(table: &Table, row: &Row) -> Result<Vec<Json>, Error> {
    let value = |(name, kind)| {
        Ok(match kind {
            Kind::Text => row.maybe_text(name)?.map(Json::from),
            Kind::Number => row.maybe_int(name)?.map(Json::from),
            Kind::Bytes => row.maybe_blob(name)?.map(|it| Json::from(STANDARD.encode(it))),
        }
        .unwrap_or(Json::Null))
    };
    table.columns().map(value).collect()
}

fn read(kind: Kind, value: Json) -> Option<Value> {
    Some(match (kind, value) {
        (Kind::Text, Json::Null) => Value::MaybeText(None),
        (Kind::Text, Json::String(text)) => Value::from(text),
        (Kind::Number, Json::Null) => Value::MaybeInt(None),
        (Kind::Number, Json::Number(number)) => Value::Int(number.as_i64()?),
        (Kind::Bytes, Json::Null) => Value::MaybeBlob(None),
        (Kind::Bytes, Json::String(text)) => Value::Blob(STANDARD.decode(text).ok()?),
        _ => return None,
    })
}
