//! SQLite's log, emptied: what was deleted is still in it, until it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::reading::{failed, unavailable};
use crate::contract::Error;

/// How long whoever deleted waits for those who read just now, in between.
const PATIENCE: [Duration; 4] = [
    Duration::from_millis(2),
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(200),
];
/// How long it takes until it is tried again when nobody waits any more: ever longer, up to this.
const LONGEST: Duration = Duration::from_secs(10);

/// The log of a file.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    path: Arc<PathBuf>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How often it was to be emptied.
    wanted: AtomicU64,
    /// Somebody is at it, and goes on until it is.
    tried: AtomicBool,
    closed: AtomicBool,
}

impl Log {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: Arc::new(path.to_owned()), state: Arc::default() }
    }

    /// Empties it: now, or, as long as somebody reads what is in it, as soon as they are done. Those
    /// who write do not wait for them. What was deleted is deleted, also where it cannot be emptied.
    pub(super) async fn empty(&self) {
        self.state.wanted.fetch_add(1, Ordering::SeqCst);
        for pause in PATIENCE {
            match self.once().await {
                Ok(true) => return,
                Ok(false) => tokio::time::sleep(pause).await,
                Err(error) => {
                    tracing::error!(%error, "what was deleted is still in the database's log");
                    break;
                }
            }
        }
        if !self.state.tried.swap(true, Ordering::SeqCst) {
            let log = self.clone();
            tokio::spawn(async move { log.again_and_again().await });
        }
    }

    /// Whoever is the last to close a file empties its log.
    pub(super) fn close(&self) {
        self.state.closed.store(true, Ordering::SeqCst);
    }

    async fn again_and_again(&self) {
        let mut pause = Duration::from_millis(100);
        while !self.state.closed.load(Ordering::SeqCst) {
            let wanted = self.state.wanted.load(Ordering::SeqCst);
            // Why it cannot be written to at all was told by whoever deleted.
            if matches!(self.once().await, Ok(true)) {
                self.state.tried.store(false, Ordering::SeqCst);
                // What was deleted meanwhile left this to us.
                let more = self.state.wanted.load(Ordering::SeqCst) != wanted;
                if !more || self.state.tried.swap(true, Ordering::SeqCst) {
                    return;
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST);
        }
    }

    /// Says whether nobody was in the way.
    async fn once(&self) -> Result<bool, Error> {
        let path = Arc::clone(&self.path);
        let emptied = tokio::task::spawn_blocking(move || match emptied(&path) {
            Err(error) if is_busy(&error) => Ok(false),
            other => other,
        });
        emptied.await.map_err(unavailable)?.map_err(|it| failed(&it))
    }
}

/// By a connection of its own, which waits for nobody: the one that writes would keep all others from
/// writing as long as somebody reads.
fn emptied(path: &Path) -> rusqlite::Result<bool> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::ZERO)?;
    let mut busy = true;
    // The first moves what it can while others write, so that they wait less for the second.
    for mode in ["PASSIVE", "TRUNCATE"] {
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        busy = connection.query_row(&sql, [], |row| row.get(0))?;
    }
    Ok(!busy)
}

fn is_busy(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}
