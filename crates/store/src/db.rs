//! One text of SQL, two databases: the only file that knows which one it is.

mod address;
mod log;
mod query;
mod reading;
mod together;

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use model::Moment;
use sha2::{Digest as _, Sha256};
use sqlx::error::DatabaseError;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{PgPool, Postgres, Row as _, Sqlite, SqlitePool, Transaction};
use tokio::sync::OwnedMutexGuard;

use crate::contract::Error;
use crate::migrations;

pub(crate) use address::{AGAIN, AWAY};
use query::nameless;
pub(crate) use query::{Query, Sql, Value, placeholders, placeholders_and, runs, values};
pub use together::Together;

/// The lock of what the database is like: those who write share it.
const REBUILDING: &str = "migrations";

/// An open database.
#[derive(Clone, Debug)]
pub(crate) enum Db {
    Sqlite {
        writer: SqlitePool,
        /// For transactions that only read.
        readers: SqlitePool,
        /// For single questions; none where all is in the memory of one connection.
        file: Option<reading::File>,
        /// None where there is no file.
        log: Option<log::Log>,
    },
    Postgres {
        pool: PgPool,
        /// For single questions.
        server: reading::Server,
        /// For those about few rows.
        few: reading::Server,
        glance: Arc<reading::Glance>,
    },
}

/// A transaction; dropped, it never happened.
#[derive(Debug)]
pub(crate) enum Tx {
    /// One of its own.
    Own(Open),
    /// A part of what is done together.
    Part(OwnedMutexGuard<together::Shared>),
}

/// A transaction of a database.
#[derive(Debug)]
pub(crate) enum Open {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// What came back.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
    Line(reading::Line),
}

macro_rules! bound {
    ($sql:expr, $values:expr) => {{
        let mut query = sqlx::query(sqlx::AssertSqlSafe($sql));
        for value in $values {
            query = match value {
                Value::Text(it) => query.bind(it),
                Value::MaybeText(it) => query.bind(it),
                Value::Int(it) => query.bind(it),
                Value::MaybeInt(it) => query.bind(it),
                Value::Blob(it) => query.bind(it),
                Value::MaybeBlob(it) => query.bind(it),
            };
        }
        query
    }};
}
use bound;

impl Db {
    /// Opens `sqlite://PATH`, `sqlite::memory:` or `postgres://…`.
    pub(crate) async fn open(url: &str) -> Result<Self, Error> {
        address::open(url).await
    }

    /// The same, where no file is made.
    pub(crate) async fn open_made(url: &str) -> Result<Self, Error> {
        address::is_made(url)?;
        address::open(url).await
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers, file, log } => {
                if let Some(log) = log {
                    log.close();
                }
                if let Some(file) = file {
                    file.close().await;
                }
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres { pool, server, few, .. } => {
                server.close().await;
                few.close().await;
                pool.close().await;
            }
        }
    }

    /// Begins to write. On SQLite there is one who writes at a time.
    pub(crate) async fn write(&self) -> Result<Tx, Error> {
        match together::part(self).await? {
            Some(part) => Ok(part),
            None => Ok(Tx::Own(self.begin().await?)),
        }
    }

    /// Begins to change what the database is like, while nobody writes and whoever else does so waits.
    pub(crate) async fn rebuild(&self) -> Result<Tx, Error> {
        let mut tx = Tx::Own(self.transaction().await?);
        tx.lock(REBUILDING, true).await?;
        Ok(tx)
    }

    /// A transaction in which nobody rebuilds. Whoever writes to a database that a newer program has
    /// made its own since would write what that one cannot read.
    async fn begin(&self) -> Result<Open, Error> {
        let version = "SELECT version FROM schema_version";
        let mut open = self.transaction().await?;
        let rows = match &mut open {
            Open::Sqlite(_) => open.rows(version.into(), vec![]).await?,
            Open::Postgres(tx) => {
                // Two statements said at once: the second sees what is there when the first has waited.
                let lock = lock_key(REBUILDING);
                let sql = format!("SELECT pg_advisory_xact_lock_shared({lock}); {version}");
                let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
                let rows = sql.fetch_all(&mut **tx).await.map_err(|it| asking(&it))?;
                rows.into_iter().skip(1).map(Row::Postgres).collect()
            }
        };
        let found = rows.first().map(|it| it.int("version")).transpose()?.unwrap_or(0);
        let known = migrations::known();
        if found > known {
            return Err(Error::Newer { found, known });
        }
        Ok(open)
    }

    /// A transaction to write in. What is waited for is said after it has begun: of what is broken off
    /// before, sqlx knows nothing, and takes nothing back.
    async fn transaction(&self) -> Result<Open, Error> {
        match self {
            Self::Sqlite { writer, .. } => Ok(Open::Sqlite(
                writer.begin_with("BEGIN IMMEDIATE").await.map_err(|it| asking(&it))?,
            )),
            Self::Postgres { pool, .. } => {
                // All of it is said, because another may have broken off while they began one that
                // only reads; then this one is that one.
                let begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
                Ok(Open::Postgres(pool.begin_with(begin).await.map_err(|it| asking(&it))?))
            }
        }
    }

    /// Begins to read several things as they are at one moment.
    pub(crate) async fn read(&self) -> Result<Tx, Error> {
        if let Some(shared) = together::begun().await? {
            return Ok(Tx::Part(shared));
        }
        Ok(Tx::Own(match self {
            Self::Sqlite { readers, .. } => {
                Open::Sqlite(readers.begin().await.map_err(|it| asking(&it))?)
            }
            Self::Postgres { pool, .. } => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                Open::Postgres(pool.begin_with(begin).await.map_err(|it| asking(&it))?)
            }
        }))
    }

    pub(crate) async fn rows(
        &self,
        sql: impl Into<Sql>,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Error> {
        let sql = sql.into();
        if let Some(mut shared) = together::begun().await? {
            return shared.open_mut().rows(sql, values).await;
        }
        match self {
            Self::Sqlite { file: Some(file), .. } => {
                let lines = file.lines(sql, values).await?;
                Ok(lines.into_iter().map(Row::Line).collect())
            }
            Self::Sqlite { readers, file: None, .. } => {
                let rows =
                    bound!(sql, values).fetch_all(readers).await.map_err(|it| asking(&it))?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Self::Postgres { server, .. } => server.rows(sql, values).await,
        }
    }

    /// The same, where what is asked begins with few rows and looks up those that belong to them, by
    /// index, as SQLite does. PostgreSQL overrates how many they are, and reads whole tables.
    pub(crate) async fn few(
        &self,
        sql: impl Into<Sql>,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Error> {
        let sql = sql.into();
        match self {
            Self::Sqlite { .. } => self.rows(sql, values).await,
            Self::Postgres { few, .. } => match together::begun().await? {
                Some(mut shared) => shared.open_mut().rows(sql, values).await,
                None => few.rows(sql, values).await,
            },
        }
    }

    pub(crate) async fn row(
        &self,
        sql: impl Into<Sql>,
        values: Vec<Value>,
    ) -> Result<Option<Row>, Error> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// After a deletion: on SQLite what is gone is overwritten in the file (`secure_delete`), and
    /// here the log is emptied, which still had it: as soon as nobody reads it any more, and what is
    /// changed together with it has happened. What PostgreSQL has deleted its own housekeeping removes.
    pub(crate) async fn scrub(&self) {
        if let Self::Sqlite { log: Some(log), .. } = self
            && !together::afterwards(log)
        {
            log.empty().await;
        }
    }

    /// What stays the same as long as nothing is written; none where nobody knows.
    pub(crate) async fn stamp(&self) -> Result<Option<String>, Error> {
        match self {
            Self::Sqlite { file, .. } => Ok(file.as_ref().and_then(reading::File::stamp)),
            Self::Postgres { few, glance, .. } => glance.at(few).await.map(Some),
        }
    }

    /// The steps that SQLite took to answer single questions so far.
    #[cfg(test)]
    pub(crate) fn steps(&self) -> u64 {
        match self {
            Self::Sqlite { file: Some(file), .. } => file.steps(),
            _ => 0,
        }
    }

    /// What joins to each row those rows of `table` that are first in an order, so many at most: the
    /// text before the condition that joins them, and that before the next one. SQLite goes along an
    /// index and stops by itself.
    pub(crate) fn first_of_each(&self, table: &str, order: &str, most: usize) -> [String; 2] {
        match self {
            Self::Sqlite { .. } => [format!("CROSS JOIN {table}"), "AND".to_owned()],
            Self::Postgres { .. } => [
                format!("CROSS JOIN LATERAL (SELECT * FROM {table}"),
                format!("ORDER BY {order} LIMIT {most}) d WHERE"),
            ],
        }
    }

    /// Is it a file of ours, and not a server's?
    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::Sqlite { .. })
    }

    /// The first turn that something may still be written in: whoever reads after asking sees all
    /// that was written in those before it.
    pub(crate) async fn open_turn(&self) -> Result<i64, Error> {
        let sql = match self {
            Self::Sqlite { .. } => "SELECT now + 1 AS turn FROM turns",
            // The oldest transaction of this database that is under way, or the next one. Those of
            // other databases of the server would make us wait for nothing; but where we may not
            // see whose they are, we do.
            Self::Postgres { .. } => {
                "SELECT CASE WHEN BOOL_OR(query = '<insufficient privilege>')
                        THEN pg_snapshot_xmin(pg_current_snapshot())::text::bigint
                        ELSE pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                             - COALESCE(MAX(age(backend_xid)), 0) END AS turn
                 FROM pg_stat_activity
                 WHERE datname = current_database() AND backend_type = 'client backend'"
            }
        };
        let row = self.row(sql, vec![]).await?.ok_or_else(|| Error::Corrupt {
            what: "turns".to_owned(),
            why: "nobody counts them".to_owned(),
        })?;
        row.int("turn")
    }
}

impl Tx {
    pub(crate) async fn rows(
        &mut self,
        sql: impl Into<Sql>,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Error> {
        self.open_mut().rows(sql.into(), values).await
    }

    pub(crate) async fn row(
        &mut self,
        sql: impl Into<Sql>,
        values: Vec<Value>,
    ) -> Result<Option<Row>, Error> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// The rows of a query, one by one, so that not all of them are in memory.
    pub(crate) fn stream(&mut self, sql: String) -> BoxStream<'_, Result<Row, Error>> {
        let query = sqlx::AssertSqlSafe(sql);
        match self.open_mut() {
            Open::Sqlite(tx) => sqlx::query(query)
                .fetch(&mut **tx)
                .map(|it| it.map(Row::Sqlite).map_err(|it| asking(&it)))
                .boxed(),
            Open::Postgres(tx) => sqlx::query(query)
                .fetch(&mut **tx)
                .map(|it| it.map(Row::Postgres).map_err(|it| asking(&it)))
                .boxed(),
        }
    }

    /// Nobody else changes anything before the end. On SQLite nobody does anyway.
    pub(crate) async fn keep_others_out(&mut self) -> Result<(), Error> {
        if !self.is_sqlite() {
            // All but jobs lean on these.
            let sql = "LOCK TABLE organisations, users, packages, package_sets, jobs
                       IN EXCLUSIVE MODE";
            self.run(sql, vec![]).await?;
        }
        Ok(())
    }

    /// After rows came with numbers of their own: gives out numbers behind those. SQLite does so
    /// unasked.
    pub(crate) async fn catch_up(
        &mut self,
        tables: impl Iterator<Item = &'static str>,
    ) -> Result<(), Error> {
        if self.is_sqlite() {
            return Ok(());
        }
        for table in tables {
            let sql = format!(
                "SELECT setval(pg_get_serial_sequence('{table}', 'id'), MAX(id)) FROM {table}
                 HAVING MAX(id) IS NOT NULL"
            );
            self.run(sql, vec![]).await?;
        }
        // Nothing is known of so many new rows before somebody looks, and asking would be slow.
        self.run("ANALYZE", vec![]).await.map(|_| ())
    }

    /// Changes something and says how many rows.
    pub(crate) async fn run(
        &mut self,
        sql: impl Into<Sql>,
        values: Vec<Value>,
    ) -> Result<u64, Error> {
        self.open_mut().run(sql.into(), values).await
    }

    /// Several statements in one text, with the words of this database put in.
    pub(crate) async fn define(&mut self, sql: &str) -> Result<(), Error> {
        // Both compare and sort text by its bytes; SQLite does so unasked.
        let words = match self.open() {
            Open::Sqlite(_) => [
                ("{text}", "TEXT"),
                ("{blob}", "BLOB"),
                // A number is never used again.
                ("{number}", "INTEGER PRIMARY KEY AUTOINCREMENT"),
                ("{compact}", "WITHOUT ROWID"),
                ("{turn}", "BIGINT NOT NULL DEFAULT 0"),
                (
                    "{turning}",
                    "CREATE TRIGGER events_take_turns AFTER INSERT ON events BEGIN
                         UPDATE turns SET now = now + 1;
                         UPDATE events SET turn = (SELECT now FROM turns) WHERE id = NEW.id;
                     END;",
                ),
                (
                    "{turning_many}",
                    "DROP TRIGGER events_take_turns;
                     CREATE TRIGGER events_take_turns AFTER INSERT ON events WHEN NEW.turn = 0
                     BEGIN
                         UPDATE turns SET now = now + 1;
                         UPDATE events SET turn = (SELECT now FROM turns) WHERE id = NEW.id;
                     END;",
                ),
            ],
            Open::Postgres(_) => [
                ("{text}", "TEXT COLLATE \"C\""),
                ("{blob}", "BYTEA"),
                ("{number}", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"),
                ("{compact}", ""),
                ("{turn}", "BIGINT NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)"),
                ("{turning}", ""),
                ("{turning_many}", ""),
            ],
        };
        let mut text = sql.to_owned();
        for (word, meaning) in words {
            text = text.replace(word, meaning);
        }
        let text = sqlx::raw_sql(sqlx::AssertSqlSafe(text));
        match self.open_mut() {
            Open::Sqlite(tx) => text.execute(&mut **tx).await.map(|_| ()),
            Open::Postgres(tx) => text.execute(&mut **tx).await.map(|_| ()),
        }
        .map_err(|it| asking(&it))
    }

    /// The row of a query, held until the end: whoever else asks so waits, and then sees what has
    /// become of it. On SQLite everybody waits anyway.
    pub(crate) async fn hold(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Option<Row>, Error> {
        if self.is_sqlite() {
            return self.row(sql, values).await;
        }
        self.row(format!("{sql} FOR UPDATE"), values).await
    }

    /// Begins a turn, and says how SQL calls it: for events that are written together.
    pub(crate) async fn begin_turn(&mut self) -> Result<&'static str, Error> {
        if !self.is_sqlite() {
            return Ok("DEFAULT");
        }
        self.run("UPDATE turns SET now = now + 1", vec![]).await?;
        Ok("(SELECT now FROM turns)")
    }

    /// What to append to a query for rows that are held until the end.
    pub(crate) fn holding(&self) -> &'static str {
        if self.is_sqlite() { "" } else { "FOR UPDATE" }
    }

    /// What to append to a query for rows that stay until the end, whoever else changes them.
    pub(crate) fn keeping(&self) -> &'static str {
        if self.is_sqlite() { "" } else { "FOR KEY SHARE" }
    }

    /// What to append to a query for rows that nobody else holds.
    pub(crate) fn skipping_held(&self) -> &'static str {
        if self.is_sqlite() { "" } else { "FOR UPDATE SKIP LOCKED" }
    }

    /// What is asked until the end begins with few rows and looks up those that belong to them, by
    /// index, as SQLite does. PostgreSQL overrates how many they are, and reads whole tables.
    pub(crate) async fn expect_few(&mut self) -> Result<(), Error> {
        if !self.is_sqlite() {
            let sql = "SELECT set_config('enable_hashjoin', 'off', true),
                              set_config('enable_mergejoin', 'off', true)";
            self.run(sql, vec![]).await?;
        }
        Ok(())
    }

    /// Keeps others from `what` until the end: all others, or only those who want it alone.
    pub(crate) async fn lock(&mut self, what: &str, alone: bool) -> Result<(), Error> {
        if self.is_sqlite() {
            return Ok(());
        }
        let key = lock_key(what);
        let sql = if alone {
            "SELECT pg_advisory_xact_lock($1)"
        } else {
            "SELECT pg_advisory_xact_lock_shared($1)"
        };
        self.run(sql, values![key]).await.map(|_| ())
    }

    /// Keeps all others from each of these until the end, one after the other as they are told.
    pub(crate) async fn lock_all(&mut self, all: &[String]) -> Result<(), Error> {
        if self.is_sqlite() {
            return Ok(());
        }
        let keys: Vec<i64> = all.iter().map(|what| lock_key(what)).collect();
        for run in runs(&keys) {
            let list = placeholders(0, run.len(), 1);
            let sql = format!("SELECT pg_advisory_xact_lock(it) FROM (VALUES {list}) AS keys (it)");
            self.run(sql, run.into_iter().map(Value::Int).collect()).await?;
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), Error> {
        match self {
            Self::Own(open) => open.commit().await,
            Self::Part(mut shared) => shared.end_part().await,
        }
    }

    fn is_sqlite(&self) -> bool {
        matches!(self.open(), Open::Sqlite(_))
    }

    fn open(&self) -> &Open {
        match self {
            Self::Own(open) => open,
            Self::Part(shared) => shared.open(),
        }
    }

    fn open_mut(&mut self) -> &mut Open {
        match self {
            Self::Own(open) => open,
            Self::Part(shared) => shared.open_mut(),
        }
    }
}

impl Open {
    async fn rows(&mut self, sql: Sql, values: Vec<Value>) -> Result<Vec<Row>, Error> {
        match self {
            Self::Sqlite(tx) => {
                let sql = nameless(sql, values.len());
                let rows =
                    bound!(sql, values).fetch_all(&mut **tx).await.map_err(|it| asking(&it))?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Self::Postgres(tx) => {
                let rows =
                    bound!(sql, values).fetch_all(&mut **tx).await.map_err(|it| asking(&it))?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    async fn run(&mut self, sql: Sql, values: Vec<Value>) -> Result<u64, Error> {
        match self {
            Self::Sqlite(tx) => {
                let sql = nameless(sql, values.len());
                let done =
                    bound!(sql, values).execute(&mut **tx).await.map_err(|it| asking(&it))?;
                Ok(done.rows_affected())
            }
            Self::Postgres(tx) => {
                let done =
                    bound!(sql, values).execute(&mut **tx).await.map_err(|it| asking(&it))?;
                Ok(done.rows_affected())
            }
        }
    }

    async fn commit(self) -> Result<(), Error> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
        .map_err(|it| asking(&it))
    }
}

/// The number that a lock goes by.
fn lock_key(what: &str) -> i64 {
    let sum = Sha256::digest(what.as_bytes());
    sum.iter().take(8).fold(0_i64, |key, byte| (key << 8) | i64::from(*byte))
}

macro_rules! column {
    ($row:expr, $name:expr, $in_line:ident) => {
        match $row {
            Row::Sqlite(row) => row.try_get($name).map_err(|it| odd($name, &it)),
            Row::Postgres(row) => row.try_get($name).map_err(|it| odd($name, &it)),
            Row::Line(line) => line.$in_line($name),
        }
    };
}

impl Row {
    pub(crate) fn word(&self, name: &str) -> Result<&str, Error> {
        column!(self, name, text)
    }

    pub(crate) fn maybe_word(&self, name: &str) -> Result<Option<&str>, Error> {
        column!(self, name, maybe_text)
    }

    pub(crate) fn text(&self, name: &str) -> Result<String, Error> {
        self.word(name).map(str::to_owned)
    }

    pub(crate) fn maybe_text(&self, name: &str) -> Result<Option<String>, Error> {
        Ok(self.maybe_word(name)?.map(str::to_owned))
    }

    pub(crate) fn int(&self, name: &str) -> Result<i64, Error> {
        column!(self, name, int)
    }

    pub(crate) fn maybe_int(&self, name: &str) -> Result<Option<i64>, Error> {
        column!(self, name, maybe_int)
    }

    pub(crate) fn moment(&self, name: &str) -> Result<Moment, Error> {
        Ok(Moment::from_micros(self.int(name)?))
    }

    pub(crate) fn maybe_moment(&self, name: &str) -> Result<Option<Moment>, Error> {
        Ok(self.maybe_int(name)?.map(Moment::from_micros))
    }

    pub(crate) fn blob(&self, name: &str) -> Result<Vec<u8>, Error> {
        self.maybe_blob(name)?.ok_or_else(|| odd(name, &"it is empty"))
    }

    pub(crate) fn maybe_blob(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let bytes: Option<&[u8]> = column!(self, name, maybe_blob)?;
        Ok(bytes.map(<[u8]>::to_vec))
    }

    /// A text that means something.
    pub(crate) fn parsed<T>(&self, name: &str) -> Result<T, Error>
    where
        T: std::str::FromStr<Err: std::fmt::Display>,
    {
        self.word(name)?.parse().map_err(|error: T::Err| odd(name, &error))
    }
}

fn odd(name: &str, why: &dyn std::fmt::Display) -> Error {
    Error::Corrupt { what: format!("column {name}"), why: why.to_string() }
}

/// What is told where a server went away, which may come back at once.
const LOST: &str = "the connection to the database broke off";

/// Did the server go away, as one does that restarts?
pub(crate) fn is_lost(error: &Error) -> bool {
    matches!(error, Error::Unavailable { what, .. } if what == LOST)
}

fn asking(error: &sqlx::Error) -> Error {
    if error.as_database_error().is_some_and(DatabaseError::is_foreign_key_violation) {
        return Error::Gone("what this is about");
    }
    failed(if reading::is_gone(error) { LOST } else { "the database failed" }, error)
}

/// Why the database does not do what was asked of it.
fn failed(what: &str, error: &sqlx::Error) -> Error {
    /// No room for more: SQLite's own word, what it says where there is none for its index of the
    /// log (`SQLITE_IOERR_SHMSIZE`), and PostgreSQL's.
    const FULL: [&str; 3] = ["13", "4874", "53100"];
    let what = what.to_owned();
    let code = error.as_database_error().and_then(DatabaseError::code);
    if code.is_some_and(|it| FULL.contains(&&*it)) {
        return Error::Full { what };
    }
    Error::Unavailable { what, why: error.to_string() }
}
