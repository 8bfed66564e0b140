//! Migrations: forwards only, at start, by one process while the others wait.

use crate::contract::Error;
use crate::db::{AGAIN, AWAY, Db, is_lost, values};
use crate::{bases, inventories};

/// What to do to an empty database, in order. A text that was released is never changed; the
/// version of a database is the number of texts it has seen.
const ALL: &[&str] = &[
    include_str!("migrations/0001-what-runs-where.sql"),
    include_str!("migrations/0002-people.sql"),
    include_str!("migrations/0003-changes.sql"),
    include_str!("migrations/0004-keys-and-settings.sql"),
    include_str!("migrations/0005-evaluations.sql"),
    include_str!("migrations/0006-secrets.sql"),
    include_str!("migrations/0007-deletion-and-resets.sql"),
    include_str!("migrations/0008-lists.sql"),
    include_str!("migrations/0009-what-matching-reads.sql"),
    include_str!("migrations/0010-turns-of-many.sql"),
    include_str!("migrations/0011-what-is-cut-and-walked.sql"),
    include_str!("migrations/0012-integrations.sql"),
    include_str!("migrations/0013-runtimes.sql"),
    include_str!("migrations/0014-telling.sql"),
    include_str!("migrations/0015-in-use.sql"),
    include_str!("migrations/0016-schedules.sql"),
    include_str!("migrations/0017-exceptions.sql"),
    include_str!("migrations/0018-policies.sql"),
    include_str!("migrations/0019-bases.sql"),
    include_str!("migrations/0020-by-kind-and-state.sql"),
    include_str!("migrations/0021-in-use-marks.sql"),
];

/// The version this program makes and understands.
pub(crate) fn known() -> i64 {
    ALL.len().try_into().expect("there are not that many migrations")
}

/// That there is no database of that name.
pub(crate) fn none(what: &str) -> Error {
    Error::Refused {
        what: what.to_owned(),
        why: "there is none".to_owned(),
        hint: Some("name the one that the server uses: sqlite:///path, postgres://…".to_owned()),
    }
}

/// Brings the database to our version, or refuses one that is ahead of us.
pub(crate) async fn run(db: &Db) -> Result<(), Error> {
    bring_patiently(db, true).await
}

/// The same, and refuses one that holds nothing of ours, which stays as it was.
pub(crate) async fn run_on_made(db: &Db) -> Result<(), Error> {
    bring_patiently(db, false).await
}

/// A server that restarts just now was reached before: it is waited for again, as long as for one that
/// is away from the first.
async fn bring_patiently(db: &Db, make: bool) -> Result<(), Error> {
    let begun = tokio::time::Instant::now();
    loop {
        match bring(db, make).await {
            Err(error) if is_lost(&error) && begun.elapsed() < AWAY => {
                tokio::time::sleep(AGAIN).await;
            }
            done => return done,
        }
    }
}

async fn bring(db: &Db, make: bool) -> Result<(), Error> {
    if is_done(db).await? {
        return Ok(());
    }
    let mut tx = db.rebuild().await?;
    tx.define("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)").await?;
    let found = if let Some(row) = tx.row("SELECT version FROM schema_version", vec![]).await? {
        row.int("version")?
    } else if !make {
        return Err(none("database"));
    } else {
        tx.run("INSERT INTO schema_version (version) VALUES (0)", vec![]).await?;
        0
    };
    if found > known() {
        return Err(Error::Newer { found, known: known() });
    }
    for text in ALL.iter().skip(usize::try_from(found).unwrap_or(0)) {
        tx.define(text).await?;
    }
    // Also what an older program has written since, which did not know that there is a newer one.
    inventories::fill_in(&mut tx).await?;
    bases::fill_in(&mut tx).await?;
    if found != known() {
        tx.run("UPDATE schema_version SET version = $1", values![known()]).await?;
    }
    tx.commit().await
}

/// Is it of our version, with nothing left to fill in? That is asked of what is there right now, so
/// whoever writes or restores for long keeps nobody from opening it.
async fn is_done(db: &Db) -> Result<bool, Error> {
    let mut tx = db.read().await?;
    // Before the first migration there is no such table.
    let Ok(Some(row)) = tx.row("SELECT version FROM schema_version", vec![]).await else {
        return Ok(false);
    };
    let found = row.int("version")?;
    if found > known() {
        return Err(Error::Newer { found, known: known() });
    }
    Ok(found == known()
        && inventories::is_filled_in(&mut tx).await?
        && bases::is_filled_in(&mut tx).await?)
}
