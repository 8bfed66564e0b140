//! Several changes that are one: all that is asked and written meanwhile is within one transaction.

use std::sync::{Arc, OnceLock};

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::log::Log;
use super::{Db, Open, Tx};
use crate::contract::Error;

tokio::task_local! {
    /// The transaction that whatever this task asks belongs to.
    static SHARED: Together;
}

/// What is changed while it is held happens at once, or not at all. Dropped, it never happened.
///
/// It begins with the first change, so whoever only looks, or looks first, keeps nobody waiting.
#[derive(Clone, Debug, Default)]
pub struct Together {
    shared: Arc<Mutex<Shared>>,
    /// What is to be emptied when it has happened: said without a wait, also in the midst of a part.
    log: Arc<OnceLock<Log>>,
}

/// The one transaction.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    open: Option<Open>,
    /// A part of it has begun, and it may be that nobody says any more that it is to be.
    in_part: bool,
}

impl Together {
    /// Whatever is asked of the store by `doing`, in this task, is within.
    pub async fn hold<F: Future>(&self, doing: F) -> F::Output {
        SHARED.scope(self.clone(), doing).await
    }

    /// Now it happens, if anything was changed.
    pub async fn commit(self) -> Result<(), Error> {
        let mut shared = self.shared.lock().await;
        shared.undo().await?;
        if let Some(open) = shared.open.take() {
            open.commit().await?;
        }
        if let Some(log) = self.log.get() {
            log.empty().await;
        }
        Ok(())
    }
}

/// What this task asks belongs to one, and the log is emptied when that has happened; false outside of
/// it.
pub(super) fn afterwards(log: &Log) -> bool {
    SHARED.try_with(|it| drop(it.log.set(log.clone()))).is_ok()
}

/// A part of what is done together, to change something in; none outside of it.
pub(super) async fn part(db: &Db) -> Result<Option<Tx>, Error> {
    let Ok(together) = SHARED.try_with(Clone::clone) else { return Ok(None) };
    // It is one task that asks one thing after the other: whoever waited would wait for themselves.
    let mut shared = together.shared.try_lock_owned().map_err(|_| Error::Unavailable {
        what: "what is changed together".to_owned(),
        why: "a part of it is begun within another, which would wait for ever".to_owned(),
    })?;
    if shared.open.is_none() {
        shared.open = Some(db.begin().await?);
    }
    shared.undo().await?;
    shared.say("SAVEPOINT part").await?;
    shared.in_part = true;
    Ok(Some(Tx::Part(shared)))
}

/// The same to ask something, where something was changed before that the database at large does not
/// know yet.
pub(super) async fn begun() -> Result<Option<OwnedMutexGuard<Shared>>, Error> {
    let Ok(together) = SHARED.try_with(Clone::clone) else { return Ok(None) };
    // Whoever asks in the midst of a part of their own sees what everybody sees, as they would alone.
    let Ok(mut shared) = together.shared.try_lock_owned() else { return Ok(None) };
    if shared.open.is_none() {
        return Ok(None);
    }
    shared.undo().await?;
    Ok(Some(shared))
}

impl Shared {
    pub(super) fn open(&self) -> &Open {
        self.open.as_ref().expect("a part is of what has begun")
    }

    pub(super) fn open_mut(&mut self) -> &mut Open {
        self.open.as_mut().expect("a part is of what has begun")
    }

    /// A part that was dropped never happened.
    async fn undo(&mut self) -> Result<(), Error> {
        if self.in_part {
            self.say("ROLLBACK TO SAVEPOINT part").await?;
            self.end_part().await?;
        }
        Ok(())
    }

    /// A part is to be, if the whole is.
    pub(super) async fn end_part(&mut self) -> Result<(), Error> {
        self.say("RELEASE SAVEPOINT part").await?;
        self.in_part = false;
        Ok(())
    }

    async fn say(&mut self, sql: &'static str) -> Result<(), Error> {
        self.open_mut().run(sql.into(), vec![]).await.map(|_| ())
    }
}
