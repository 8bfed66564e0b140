//! Addresses of databases, and how each is opened.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};

use super::Db;
use super::log::Log;
use super::reading::{File, Server};
use crate::contract::Error;
use crate::migrations;

/// How long somebody waits for another process that writes to the same file.
const BUSY: Duration = Duration::from_secs(30);
/// How long somebody waits for a free connection.
const ACQUIRE: Duration = Duration::from_secs(30);
/// The same where a server has them, which may be away: whoever asks is told so soon.
pub(crate) const AWAY: Duration = Duration::from_secs(8);
/// How long it is left alone before it is asked again.
pub(crate) const AGAIN: Duration = Duration::from_millis(100);
/// Texts that a connection keeps prepared.
const STATEMENTS: usize = 300;
/// Transactions that only read, at once.
const READERS: u32 = 4;
/// Transactions at once, where a server does them.
const CONNECTIONS: u32 = 10;
/// What makes PostgreSQL go along an index and look up what belongs to few rows, also where nobody
/// has counted yet how many there are.
const FEW: &str = "SET enable_hashjoin = off; SET enable_mergejoin = off;
                   SET enable_sort = off; SET enable_bitmapscan = off; SET enable_seqscan = off";

/// Opens `sqlite://PATH`, `sqlite::memory:` or `postgres://…`.
pub(super) async fn open(url: &str) -> Result<Db, Error> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        if path == ":memory:" {
            return in_memory().await;
        }
        return file(Path::new(path.strip_prefix("//").unwrap_or(path))).await;
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        // The reason may repeat the address, and with it a password.
        let options = PgConnectOptions::from_str(url).map_err(|_| address())?;
        let options = options.application_name("foretop").statement_cache_capacity(STATEMENTS);
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(AWAY);
        let pool = pool.after_connect(|connection, _| Box::pin(prepare(connection, "")));
        let pool = reach(pool, &options).await.map_err(|it| opening(&it))?;
        let server = Server::new(options.clone(), questions(), AWAY, "");
        let few = Server::new(options, questions(), AWAY, FEW);
        return Ok(Db::Postgres { pool, server, few, glance: Arc::default() });
    }
    Err(address())
}

/// Where nobody listens yet, the pool tries until time is up; so do we with a server that breaks off
/// while it says who it is, because it ends just now, and begins anew.
async fn reach(pool: PgPoolOptions, options: &PgConnectOptions) -> sqlx::Result<sqlx::PgPool> {
    let on_socket = options.get_socket().is_some() || options.get_host().starts_with('/');
    let begun = tokio::time::Instant::now();
    loop {
        match pool.clone().connect_with(options.clone()).await {
            Err(error) if breaks_off(&error, on_socket) && begun.elapsed() < AWAY => {
                tokio::time::sleep(AGAIN).await;
            }
            done => return done,
        }
    }
}

/// Is it what is told of a server that ends just now? One whose address is a folder takes its socket
/// there with it. Of a name that nobody has, or a door that nobody opens, more is not heard later.
fn breaks_off(error: &sqlx::Error, on_socket: bool) -> bool {
    match error {
        sqlx::Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof => true,
            ErrorKind::NotFound => on_socket,
            _ => false,
        },
        // Half of a word makes no sense.
        sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(_) => super::reading::is_gone(error),
        _ => false,
    }
}

/// Refuses the address of a file that is not there.
pub(super) fn is_made(url: &str) -> Result<(), Error> {
    let Some(path) = url.strip_prefix("sqlite:").filter(|it| *it != ":memory:") else {
        return Ok(());
    };
    let path = Path::new(path.strip_prefix("//").unwrap_or(path));
    if path.is_file() || path.as_os_str().is_empty() {
        return Ok(());
    }
    Err(migrations::none(&format!("database {}", path.display())))
}

/// Our questions are small and many: helpers and compilers cost each of them more than they help.
async fn prepare(connection: &mut PgConnection, more: &'static str) -> sqlx::Result<()> {
    let sql = format!("SET max_parallel_workers_per_gather = 0; SET jit = off; {more}");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(|_| ())
}

/// A connection to a server, with more that is set.
pub(super) async fn connected(
    options: &PgConnectOptions,
    more: &'static str,
) -> sqlx::Result<PgConnection> {
    let mut connection = options.connect().await?;
    prepare(&mut connection, more).await?;
    Ok(connection)
}

/// Single questions at once: more than there are cores would only wait for each other.
fn questions() -> usize {
    std::thread::available_parallelism().map_or(4, std::num::NonZero::get).clamp(4, 16)
}

async fn in_memory() -> Result<Db, Error> {
    // Each connection would have a memory of its own, so there is one, and it stays.
    let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
    let pool = SqlitePoolOptions::new().max_connections(1).min_connections(1);
    let pool = pool.idle_timeout(None).max_lifetime(None).acquire_timeout(ACQUIRE);
    // Whoever gives up while it is asked whether it is still there would take it away.
    let pool = pool.test_before_acquire(false);
    let pool = pool.connect_with(options).await.map_err(|it| opening(&it))?;
    Ok(Db::Sqlite { writer: pool.clone(), readers: pool, file: None, log: None })
}

async fn file(path: &Path) -> Result<Db, Error> {
    if path.as_os_str().is_empty() {
        return Err(address());
    }
    make(path).map_err(|error| Error::Unavailable {
        what: "cannot open the database".to_owned(),
        why: error.to_string(),
    })?;
    let options = SqliteConnectOptions::new()
        .filename(PathBuf::from(path))
        .journal_mode(SqliteJournalMode::Wal)
        // What was told to be recorded is there after a power cut too.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // What is deleted is overwritten, and cannot be dug up.
        .pragma("secure_delete", "ON")
        .busy_timeout(BUSY)
        .statement_cache_capacity(STATEMENTS);
    let writer = sound().max_connections(1).acquire_timeout(ACQUIRE);
    let writer = writer.connect_with(options.clone()).await.map_err(|it| opening(&it))?;
    let readers = sound().max_connections(READERS).acquire_timeout(ACQUIRE);
    let readers = readers.connect_lazy_with(options.read_only(true));
    let file = File::new(path, questions(), BUSY, STATEMENTS);
    Ok(Db::Sqlite { writer, readers, file: Some(file), log: Some(Log::new(path)) })
}

/// Where the disk is full, SQLite takes back a transaction by itself, and `sqlx` believes for ever that
/// it is still under way: such a connection is closed, and another is opened.
fn sound() -> SqlitePoolOptions {
    SqlitePoolOptions::new().before_acquire(|connection, _| {
        let sound = !connection.is_in_transaction();
        Box::pin(std::future::ready(Ok(sound)))
    })
}

/// Makes the file, for its owner alone; SQLite gives the files beside it the same rights.
fn make(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        fs_err::create_dir_all(folder)?;
    }
    let mut options = fs_err::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use fs_err::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map(|_| ())
}

fn address() -> Error {
    Error::Refused {
        what: "database address".to_owned(),
        why: "it is none that we know".to_owned(),
        hint: Some(
            "write sqlite:///path/to/file or postgres://user:password@host/database".to_owned(),
        ),
    }
}

fn opening(error: &sqlx::Error) -> Error {
    // Where nobody listens yet, it is tried until time is up.
    if matches!(error, sqlx::Error::PoolTimedOut) {
        return Error::Unavailable {
            what: "cannot open the database".to_owned(),
            why: "nobody answers at its address".to_owned(),
        };
    }
    super::failed("cannot open the database", error)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Instant;

    use super::*;

    #[test]
    fn who_ends_just_now_is_told_from_who_is_not_there() {
        let kinds = [
            (ErrorKind::ConnectionReset, [true, true]),
            (ErrorKind::ConnectionAborted, [true, true]),
            (ErrorKind::BrokenPipe, [true, true]),
            (ErrorKind::UnexpectedEof, [true, true]),
            (ErrorKind::NotFound, [true, false]),
            (ErrorKind::PermissionDenied, [false, false]),
            (ErrorKind::HostUnreachable, [false, false]),
            (ErrorKind::Other, [false, false]),
        ];
        for (kind, expect) in kinds {
            let error = sqlx::Error::Io(io::Error::from(kind));
            assert_eq!([true, false].map(|it| breaks_off(&error, it)), expect, "{kind:?}");
        }
        assert!(!breaks_off(&sqlx::Error::PoolTimedOut, true));
    }

    /// Whoever mistypes an address is told so at once, and not when all patience has run out.
    #[tokio::test]
    async fn what_is_no_name_is_told_at_once() {
        let begun = Instant::now();
        // No part of a name may be so long, so nobody is asked for it.
        let error = open(&format!("postgres://{}/foretop", "x".repeat(64))).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{error}");
        assert!(begun.elapsed() < AWAY, "{error}");
    }
}
