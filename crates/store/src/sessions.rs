//! Sessions: that somebody is logged in.

use model::{Act, EventKind, Moment, Role, Session, UserId};
use serde_json::json;

use crate::contract::{Caller, Error, Speaker};
use crate::db::{Db, Row, values};
use crate::{Store, hash_key, members, names, new_id, users};

/// How many seconds pass before it is written down again that something was used.
const NOTED: i64 = 60;

impl Store {
    /// A person has logged in, and from now on shows the secret that `hash` is the SHA-256 of.
    /// Whoever is disabled is refused.
    pub async fn start_session(
        &self,
        act: &Act,
        user: &UserId,
        hash: &[u8; 32],
        expires: Moment,
    ) -> Result<Session, Error> {
        let mut tx = self.db.write().await?;
        let user = users::hold(&mut tx, user).await?;
        if user.disabled.is_some() {
            return Err(Error::Refused {
                what: format!("user `{}`", user.name),
                why: "they may not log in".to_owned(),
                hint: None,
            });
        }
        let made = Session {
            id: new_id(),
            user: user.id.clone(),
            origin: names::told(&act.origin),
            created: act.at,
            expires,
            last_used: None,
        };
        tx.run(
            "INSERT INTO sessions (id, hash, person, origin, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
            values![&made.id, hash_key(hash), &made.user.0, &made.origin, act.at, expires],
        )
        .await?;
        let detail = json!({ "session": made.id });
        members::tell(&mut tx, act, &user, EventKind::SessionStarted, &user.name, detail).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// Who it is that shows the secret of that hash, if the session has not run out.
    pub async fn session_caller(
        &self,
        hash: &[u8; 32],
        now: Moment,
    ) -> Result<Option<Caller>, Error> {
        let row = self
            .db
            .row(
                "SELECT s.id AS session, s.person, s.origin, s.created_at AS begun_at,
                        s.expires_at, s.used_at, u.id, u.name, u.created_at, u.disabled_at
                 FROM sessions s JOIN users u ON u.id = s.person
                 WHERE s.hash = $1 AND s.expires_at > $2 AND u.disabled_at IS NULL",
                values![hash_key(hash), now],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        let mut session = read(&row)?;
        session.last_used = noted(&self.db, "sessions", &session.id, session.last_used, now).await;
        let memberships = members::memberships(&self.db, &session.user).await?;
        let user = users::read(&row)?;
        let speaker = Speaker::Session(session);
        Ok(Some(Caller { user: Some(user), memberships, speaker, most: Role::Owner }))
    }

    /// Where a person is logged in, latest first.
    pub async fn sessions(&self, user: &UserId, now: Moment) -> Result<Vec<Session>, Error> {
        let rows = self
            .db
            .rows(
                "SELECT id AS session, person, origin, created_at AS begun_at, expires_at, used_at
                 FROM sessions WHERE person = $1 AND expires_at > $2 ORDER BY id DESC",
                values![&user.0, now],
            )
            .await?;
        rows.iter().map(read).collect()
    }

    /// Logs a person out of a session. Says whether they were logged in.
    pub async fn end_session(&self, act: &Act, user: &UserId, id: &str) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        let user = users::hold(&mut tx, user).await?;
        let sql = "DELETE FROM sessions WHERE person = $1 AND id = $2";
        if tx.run(sql, values![&user.id.0, id]).await? == 0 {
            return Ok(false);
        }
        let detail = json!({ "session": id });
        members::tell(&mut tx, act, &user, EventKind::SessionEnded, &user.name, detail).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Forgets sessions, invitations and resets that ran out before a moment, and tokens that have been
    /// good no more since before it. Says how many.
    pub async fn forget_ended(&self, before: Moment) -> Result<u64, Error> {
        let mut tx = self.db.write().await?;
        let mut forgotten = 0;
        for sql in [
            "DELETE FROM sessions WHERE expires_at < $1",
            "DELETE FROM invitations WHERE expires_at < $1",
            "DELETE FROM resets WHERE expires_at < $1",
            "DELETE FROM tokens WHERE expires_at < $1 OR revoked_at < $1",
        ] {
            forgotten += tx.run(sql, values![before]).await?;
        }
        tx.commit().await?;
        Ok(forgotten)
    }
}

/// Writes down that something was used, once a minute at most, so that reading does not become
/// writing. Where nothing can be written, reading goes on.
pub(crate) async fn noted(
    db: &Db,
    table: &'static str,
    id: &str,
    last: Option<Moment>,
    now: Moment,
) -> Option<Moment> {
    if last.is_some_and(|it| now < it.plus_seconds(NOTED)) {
        return last;
    }
    let sql = format!(
        "UPDATE {table} SET used_at = $2 WHERE id = $1 AND (used_at IS NULL OR used_at < $2)"
    );
    let note = async {
        let mut tx = db.write().await?;
        tx.run(sql, values![id, now]).await?;
        tx.commit().await
    };
    if note.await.is_ok() { Some(now) } else { last }
}

fn read(row: &Row) -> Result<Session, Error> {
    Ok(Session {
        id: row.text("session")?,
        user: UserId(row.text("person")?),
        origin: row.text("origin")?,
        created: row.moment("begun_at")?,
        expires: row.moment("expires_at")?,
        last_used: row.maybe_moment("used_at")?,
    })
}
