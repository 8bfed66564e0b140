//! A SQLite file read: on a thread that may wait, into one piece of memory for all rows.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, ffi};

use super::{Sql, Value, Waiting, unavailable};
use crate::contract::Error;

/// Kilobytes of the file that a connection keeps in memory.
const CACHE: i64 = 8 << 10;

/// A file that is asked.
#[derive(Clone, Debug)]
pub(crate) struct File {
    path: Arc<PathBuf>,
    waiting: Arc<Waiting<Connection>>,
    busy: Duration,
    statements: usize,
    watch: Arc<Mutex<Watch>>,
    #[cfg(test)]
    steps: Arc<std::sync::atomic::AtomicU64>,
}

/// One connection counts what the others, of whichever process, have written.
#[derive(Debug, Default)]
struct Watch {
    connection: Option<Connection>,
    /// How many there were: each counts for itself.
    opened: u64,
}

/// A row.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    table: Arc<Table>,
    /// Its first cell.
    from: usize,
}

/// Rows in one piece.
#[derive(Debug, Default)]
struct Table {
    columns: Vec<String>,
    cells: Vec<Cell>,
    /// Their texts and bytes, one after the other.
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Cell {
    Null,
    Int(i64),
    Text(usize, usize),
    Blob(usize, usize),
    /// A number with a fraction, which nobody keeps.
    Odd,
}

impl File {
    pub(in crate::db) fn new(path: &Path, most: usize, busy: Duration, statements: usize) -> Self {
        let waiting = Arc::new(Waiting::new(most));
        Self {
            path: Arc::new(path.to_owned()),
            waiting,
            busy,
            statements,
            watch: Arc::default(),
            #[cfg(test)]
            steps: Arc::default(),
        }
    }

    pub(in crate::db) async fn close(&self) {
        self.waiting.close().await;
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).connection = None;
    }

    /// As long as this is the same, nothing was written. It is a look at a few bytes that all
    /// processes share, so nobody need wait for it elsewhere.
    pub(in crate::db) fn stamp(&self) -> Option<String> {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = if let Some(it) = watch.connection.take() {
            it
        } else {
            watch.opened += 1;
            self.open().ok()?
        };
        let look = connection
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut it| it.query_row([], |row| row.get::<_, i64>(0)));
        // Who cannot look does not know.
        let version = look.ok()?;
        watch.connection = Some(connection);
        Some(format!("{} {version}", watch.opened))
    }

    pub(in crate::db) async fn lines(
        &self,
        sql: Sql,
        values: Vec<Value>,
    ) -> Result<Vec<Line>, Error> {
        let permit = self.waiting.room(self.busy).await?;
        let file = self.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let connection = match file.waiting.take() {
                Some(it) => it,
                None => file.open()?,
            };
            let table = file.ask(&connection, &sql, &values)?;
            file.waiting.give_back(connection);
            drop(permit);
            Ok(table)
        });
        let table = reading.await.map_err(unavailable)?.map_err(|it| failed(&it))?;
        let width = table.columns.len().max(1);
        let (rows, table) = (table.cells.len() / width, Arc::new(table));
        let line = |row: usize| Line { table: Arc::clone(&table), from: row * width };
        Ok((0..rows).map(line).collect())
    }

    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "tests count the steps"))]
    fn ask(&self, connection: &Connection, sql: &str, values: &[Value]) -> rusqlite::Result<Table> {
        let mut statement = connection.prepare_cached(sql)?;
        for at in 1..=statement.parameter_count() {
            // `$7` is a name to SQLite.
            let number = statement.parameter_name(at).and_then(|it| it.get(1..)?.parse().ok());
            let value = number.and_then(|it: usize| values.get(it.checked_sub(1)?));
            match value {
                Some(Value::Text(it)) => statement.raw_bind_parameter(at, it)?,
                Some(Value::MaybeText(it)) => statement.raw_bind_parameter(at, it)?,
                Some(Value::Int(it)) => statement.raw_bind_parameter(at, it)?,
                Some(Value::MaybeInt(it)) => statement.raw_bind_parameter(at, it)?,
                Some(Value::Blob(it)) => statement.raw_bind_parameter(at, it)?,
                Some(Value::MaybeBlob(it)) => statement.raw_bind_parameter(at, it)?,
                None => return Err(rusqlite::Error::InvalidParameterCount(values.len(), at)),
            }
        }
        let columns: Vec<String> =
            statement.column_names().into_iter().map(str::to_owned).collect();
        let width = columns.len();
        let mut table = Table { columns, ..Table::default() };
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            for at in 0..width {
                let cell = match row.get_ref(at)? {
                    ValueRef::Null => Cell::Null,
                    ValueRef::Integer(it) => Cell::Int(it),
                    ValueRef::Real(_) => Cell::Odd,
                    ValueRef::Text(it) => {
                        let (from, until) = table.put(it);
                        Cell::Text(from, until)
                    }
                    ValueRef::Blob(it) => {
                        let (from, until) = table.put(it);
                        Cell::Blob(from, until)
                    }
                };
                table.cells.push(cell);
            }
        }
        drop(rows);
        #[cfg(test)]
        {
            let steps = statement.reset_status(rusqlite::StatementStatus::VmStep);
            let steps = u64::try_from(steps).unwrap_or_default();
            self.steps.fetch_add(steps, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(table)
    }

    #[cfg(test)]
    pub(in crate::db) fn steps(&self) -> u64 {
        self.steps.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&*self.path, flags)?;
        connection.busy_timeout(self.busy)?;
        connection.pragma_update(None, "cache_size", -CACHE)?;
        connection.set_prepared_statement_cache_capacity(self.statements);
        Ok(connection)
    }
}

impl Table {
    fn put(&mut self, bytes: &[u8]) -> (usize, usize) {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        (from, self.bytes.len())
    }
}

impl Line {
    pub(in crate::db) fn text(&self, name: &str) -> Result<&str, Error> {
        self.maybe_text(name)?.ok_or_else(|| odd(name, "it is empty"))
    }

    pub(in crate::db) fn maybe_text(&self, name: &str) -> Result<Option<&str>, Error> {
        match self.cell(name)? {
            Cell::Null => Ok(None),
            Cell::Text(from, until) => {
                let bytes = self.table.bytes.get(from..until).unwrap_or_default();
                std::str::from_utf8(bytes).map(Some).map_err(|it| odd(name, &it.to_string()))
            }
            _ => Err(odd(name, "it is no text")),
        }
    }

    pub(in crate::db) fn int(&self, name: &str) -> Result<i64, Error> {
        self.maybe_int(name)?.ok_or_else(|| odd(name, "it is empty"))
    }

    pub(in crate::db) fn maybe_int(&self, name: &str) -> Result<Option<i64>, Error> {
        match self.cell(name)? {
            Cell::Null => Ok(None),
            Cell::Int(it) => Ok(Some(it)),
            _ => Err(odd(name, "it is no number")),
        }
    }

    pub(in crate::db) fn maybe_blob(&self, name: &str) -> Result<Option<&[u8]>, Error> {
        match self.cell(name)? {
            Cell::Null => Ok(None),
            Cell::Blob(from, until) | Cell::Text(from, until) => {
                Ok(Some(self.table.bytes.get(from..until).unwrap_or_default()))
            }
            _ => Err(odd(name, "it is no bytes")),
        }
    }

    fn cell(&self, name: &str) -> Result<Cell, Error> {
        let at = self.table.columns.iter().position(|it| it == name);
        let cell = at.and_then(|it| self.table.cells.get(self.from + it));
        cell.copied().ok_or_else(|| odd(name, "it is not there"))
    }
}

fn odd(name: &str, why: &str) -> Error {
    Error::Corrupt { what: format!("column {name}"), why: why.to_owned() }
}

pub(in crate::db) fn failed(error: &rusqlite::Error) -> Error {
    let what = "the database failed".to_owned();
    let full = [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_SHMSIZE];
    match error.sqlite_error() {
        Some(it) if full.contains(&it.extended_code) => Error::Full { what },
        _ => Error::Unavailable { what, why: error.to_string() },
    }
}
