//! Users: people who may log in.

use model::{Act, EventKind, Secret, User, UserId};
use serde_json::json;

use crate::contract::{Error, Page, Paged};
use crate::db::{Row, Tx, values};
use crate::{Store, members, names, new_id};

impl Store {
    /// Is there nobody yet who may log in?
    pub async fn first_start(&self) -> Result<bool, Error> {
        Ok(self.db.row("SELECT id FROM users LIMIT 1", vec![]).await?.is_none())
    }

    /// A new person, with the hash of a password as whoever checks it writes it; the store knows
    /// no passwords.
    ///
    /// The person is in no organisation yet, so no event tells of it; joining one does.
    pub async fn create_user(
        &self,
        act: &Act,
        name: &str,
        password: &Secret,
    ) -> Result<User, Error> {
        let mut tx = self.db.write().await?;
        let made = create(&mut tx, act, name, password).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// The person of that name.
    ///
    /// An error tells no other names: who asks may not know of them.
    pub async fn user(&self, name: &str) -> Result<User, Error> {
        let sql = "SELECT id, name, created_at, disabled_at FROM users WHERE name = $1";
        match self.db.row(sql, values![names::normal(name)]).await? {
            Some(row) => read(&row),
            None => Err(none(name)),
        }
    }

    /// The person of that name who may log in, and the hash that a password is to fit.
    pub async fn credentials(&self, name: &str) -> Result<Option<(User, Secret)>, Error> {
        let sql = "SELECT id, name, created_at, disabled_at, password FROM users
                   WHERE name = $1 AND disabled_at IS NULL";
        let row = self.db.row(sql, values![names::normal(name)]).await?;
        row.map(|row| Ok((read(&row)?, Secret::new(row.text("password")?)))).transpose()
    }

    /// Gives a person another password, by its hash. Whoever is logged in as them is so no more,
    /// but for the session named.
    pub async fn change_password(
        &self,
        act: &Act,
        user: &UserId,
        password: &Secret,
        stays: Option<&str>,
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        let user = hold(&mut tx, user).await?;
        set_password(&mut tx, act, &user, password, stays).await?;
        tx.commit().await
    }

    /// All people, by name.
    pub async fn users(&self, page: &Page) -> Result<Paged<User>, Error> {
        let limit = page.rows();
        let sql = "SELECT id, name, created_at, disabled_at FROM users WHERE name > $1
                   ORDER BY name LIMIT $2";
        let after = page.after.as_deref().unwrap_or("");
        let rows = self.db.rows(sql, values![after, limit + 1]).await?;
        let rows = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Paged::of(rows, limit, |it: &User| it.name.clone()))
    }

    /// Keeps a person from logging in, or lets them again. Says whether that changed anything.
    ///
    /// Sessions end; tokens lead nowhere until the person may log in again. An organisation's last
    /// owner is refused.
    pub async fn disable_user(
        &self,
        act: &Act,
        user: &UserId,
        disabled: bool,
    ) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        members::hold_all(&mut tx).await?;
        let user = hold(&mut tx, user).await?;
        if user.disabled.is_some() == disabled {
            return Ok(false);
        }
        let (since, kind) = if disabled {
            members::owned_by_others(&mut tx, &user).await?;
            let sql = "DELETE FROM sessions WHERE person = $1";
            tx.run(sql, values![&user.id.0]).await?;
            (Some(act.at.micros()), EventKind::UserDisabled)
        } else {
            (None, EventKind::UserEnabled)
        };
        let sql = "UPDATE users SET disabled_at = $2 WHERE id = $1";
        tx.run(sql, values![&user.id.0, since]).await?;
        members::tell(&mut tx, act, &user, kind, &user.name, json!({})).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Deletes a person with their sessions, tokens and memberships. The events that told of them
    /// remain, with their name. An organisation's last owner is refused.
    pub async fn delete_user(&self, act: &Act, user: &UserId) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        members::hold_all(&mut tx).await?;
        let user = hold(&mut tx, user).await?;
        members::owned_by_others(&mut tx, &user).await?;
        members::tell(&mut tx, act, &user, EventKind::UserDeleted, &user.name, json!({})).await?;
        tx.run("DELETE FROM users WHERE id = $1", values![&user.id.0]).await?;
        tx.commit().await
    }
}

/// A new person.
pub(crate) async fn create(
    tx: &mut Tx,
    act: &Act,
    name: &str,
    password: &Secret,
) -> Result<User, Error> {
    let name = names::cleaned("user", name)?;
    let made = User { id: UserId(new_id()), name, created: act.at, disabled: None };
    let rows = tx
        .run(
            "INSERT INTO users (id, name, password, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (name) DO NOTHING",
            values![&made.id.0, &made.name, password.expose(), made.created],
        )
        .await?;
    if rows == 0 {
        return Err(Error::Exists { what: "user", name: made.name });
    }
    Ok(made)
}

/// Gives a person whom we hold another password: whoever is logged in as them is so no more, but for
/// the session named, and nobody may choose another with a secret that was handed out before.
pub(crate) async fn set_password(
    tx: &mut Tx,
    act: &Act,
    user: &User,
    password: &Secret,
    stays: Option<&str>,
) -> Result<(), Error> {
    let sql = "UPDATE users SET password = $2 WHERE id = $1";
    tx.run(sql, values![&user.id.0, password.expose()]).await?;
    tx.run("DELETE FROM resets WHERE person = $1", values![&user.id.0]).await?;
    let sql = "DELETE FROM sessions WHERE person = $1 AND id <> $2";
    let ended = tx.run(sql, values![&user.id.0, stays.unwrap_or("")]).await?;
    let detail = json!({ "sessions ended": ended });
    members::tell(tx, act, user, EventKind::PasswordChanged, &user.name, detail).await
}

/// The person, whom nobody else changes before the transaction ends.
pub(crate) async fn hold(tx: &mut Tx, user: &UserId) -> Result<User, Error> {
    let sql = "SELECT id, name, created_at, disabled_at FROM users WHERE id = $1";
    match tx.hold(sql, values![&user.0]).await? {
        Some(row) => read(&row),
        None => Err(Error::Gone("user")),
    }
}

/// There is nobody of that name.
pub(crate) fn none(name: &str) -> Error {
    let name = name.trim().chars().take(60).collect();
    Error::NotFound { what: "user", name, among: Vec::new() }
}

/// A row with a person's columns.
pub(crate) fn read(row: &Row) -> Result<User, Error> {
    Ok(User {
        id: UserId(row.text("id")?),
        name: row.text("name")?,
        created: row.moment("created_at")?,
        disabled: row.maybe_moment("disabled_at")?,
    })
}
