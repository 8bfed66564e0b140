//! A stamp: as long as it is the same, nothing was written to the database by anybody.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

use super::Server;
use crate::contract::Error;

/// Looks at the stamp of a server, once for all who came before the look began: a look that was under
/// way already may have missed what they have just written.
#[derive(Debug, Default)]
pub(crate) struct Glance {
    came: AtomicU64,
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    /// How many had come when it began.
    came: u64,
    stamp: String,
}

impl Glance {
    pub(in crate::db) async fn at(&self, server: &Server) -> Result<String, Error> {
        let mine = self.came.fetch_add(1, Ordering::SeqCst) + 1;
        let mut last = self.last.lock().await;
        if last.came >= mine {
            return Ok(last.stamp.clone());
        }
        let came = self.came.load(Ordering::SeqCst);
        // Which transactions are seen: the same ones are the same rows. Only of one server, though,
        // that was not set back meanwhile.
        let sql = "SELECT pg_current_snapshot()::text || ' ' || pg_postmaster_start_time()::text
                   AS stamp";
        let rows = server.rows(sql.into(), Vec::new()).await?;
        let stamp = rows.first().map(|it| it.text("stamp")).transpose()?.unwrap_or_default();
        *last = Last { came, stamp: stamp.clone() };
        Ok(stamp)
    }
}
