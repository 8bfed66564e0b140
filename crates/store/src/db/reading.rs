//! Questions of one statement each: most of what is asked, so nothing else is done for them.
//!
//! sqlx's pools ask each connection twice more, before and after, whether it is still there, and its
//! SQLite hands each row from its thread to ours by itself, each value in memory of its own. Of a
//! page of a hundred rows that is most of the work. So connections of our own ask: on SQLite through
//! `lines`, on PostgreSQL one that turns out to be gone is replaced, and the question asked again.

mod lines;
mod stamp;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::PgConnection;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Row, Sql, Value, asking, bound};
use crate::contract::Error;

pub(crate) use lines::Line;
pub(super) use lines::{File, failed};
pub(super) use stamp::Glance;

/// Connections that wait longer than this are closed: who knows whether they are still there.
const LONGEST: Duration = Duration::from_mins(1);

/// Connections that wait to be asked something: at most so many, each opened when it is needed.
pub(crate) struct Waiting<C> {
    idle: Mutex<Vec<(Instant, C)>>,
    room: Arc<Semaphore>,
    most: usize,
}

impl<C> Waiting<C> {
    fn new(most: usize) -> Self {
        Self { idle: Mutex::default(), room: Arc::new(Semaphore::new(most)), most }
    }

    /// Room for one question more, within a time.
    async fn room(&self, patience: Duration) -> Result<OwnedSemaphorePermit, Error> {
        match tokio::time::timeout(patience, Arc::clone(&self.room).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(unavailable("it is closed")),
            Err(_) => Err(unavailable("everybody asks it at once")),
        }
    }

    /// The one that was asked last.
    fn take(&self) -> Option<C> {
        let (since, connection) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        if since.elapsed() <= LONGEST {
            return Some(connection);
        }
        self.forget();
        None
    }

    fn give_back(&self, connection: C) {
        if !self.room.is_closed() {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push((Instant::now(), connection));
        }
    }

    /// Closes those that wait.
    fn forget(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        drop(idle);
    }

    /// From now on nothing is asked; what is under way is finished.
    async fn close(&self) {
        // Who has all the room is alone.
        let all = u32::try_from(self.most).unwrap_or(u32::MAX);
        drop(self.room.acquire_many(all).await);
        self.room.close();
        self.forget();
    }
}

impl<C> fmt::Debug for Waiting<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("room", &self.room).finish_non_exhaustive()
    }
}

/// A PostgreSQL server that is asked.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    options: Arc<PgConnectOptions>,
    waiting: Arc<Waiting<PgConnection>>,
    patience: Duration,
    /// What is set on each connection.
    set: &'static str,
}

impl Server {
    pub(super) fn new(
        options: PgConnectOptions,
        most: usize,
        patience: Duration,
        set: &'static str,
    ) -> Self {
        let waiting = Arc::new(Waiting::new(most));
        Self { options: Arc::new(options), waiting, patience, set }
    }

    pub(super) async fn close(&self) {
        self.waiting.close().await;
    }

    pub(super) async fn rows(&self, sql: Sql, values: Vec<Value>) -> Result<Vec<Row>, Error> {
        let _permit = self.waiting.room(self.patience).await?;
        if let Some(mut connection) = self.waiting.take() {
            let again = (sql.clone(), values.clone());
            match bound!(sql, values).fetch_all(&mut connection).await {
                Ok(rows) => {
                    self.waiting.give_back(connection);
                    return Ok(rows.into_iter().map(Row::Postgres).collect());
                }
                Err(error) if !is_gone(&error) => {
                    self.waiting.give_back(connection);
                    return Err(asking(&error));
                }
                // The others have most likely gone with it.
                Err(_) => self.waiting.forget(),
            }
            return self.anew(again.0, again.1).await;
        }
        self.anew(sql, values).await
    }

    async fn anew(&self, sql: Sql, values: Vec<Value>) -> Result<Vec<Row>, Error> {
        let connecting = super::address::connected(&self.options, self.set);
        let connected = tokio::time::timeout(self.patience, connecting).await;
        let mut connection = connected
            .map_err(|_| unavailable("it does not answer"))?
            .map_err(|error| asking(&error))?;
        let rows = bound!(sql, values).fetch_all(&mut connection).await;
        let rows = rows.map_err(|error| asking(&error))?;
        self.waiting.give_back(connection);
        Ok(rows.into_iter().map(Row::Postgres).collect())
    }
}

/// Is the connection gone, and not only this answer?
pub(super) fn is_gone(error: &sqlx::Error) -> bool {
    match error {
        // The server ends: whoever asks it next may find it again.
        sqlx::Error::Database(it) => it.code().is_some_and(|it| it.starts_with("57P")),
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::Tls(_) => true,
        _ => false,
    }
}

pub(super) fn unavailable(why: impl fmt::Display) -> Error {
    Error::Unavailable { what: "the database failed".to_owned(), why: why.to_string() }
}
