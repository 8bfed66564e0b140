//! Resets: whoever has the secret may choose another password for a person, once.

use model::{Act, EventKind, Moment, Secret, User, UserId};
use serde_json::json;

use crate::contract::Error;
use crate::db::values;
use crate::{Store, hash_key, members, names, new_id, users};

impl Store {
    /// Lets whoever has the secret that `hash` is the SHA-256 of choose another password for a
    /// person. A secret that was handed out before is good no more.
    pub async fn offer_reset(
        &self,
        act: &Act,
        user: &UserId,
        hash: &[u8; 32],
        expires: Moment,
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        let user = users::hold(&mut tx, user).await?;
        tx.run("DELETE FROM resets WHERE person = $1", values![&user.id.0]).await?;
        tx.run(
            "INSERT INTO resets (id, hash, person, created_at, created_by, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
            values![new_id(), hash_key(hash), &user.id.0, act.at, names::told(&act.who), expires],
        )
        .await?;
        let kind = EventKind::PasswordResetOffered;
        let detail = json!({ "expires": expires });
        members::tell(&mut tx, act, &user, kind, &user.name, detail).await?;
        tx.commit().await
    }

    /// Whose password may be chosen with the secret of that hash, if it is good and they may log
    /// in.
    pub async fn reset(&self, hash: &[u8; 32], now: Moment) -> Result<Option<User>, Error> {
        let sql = "SELECT u.id, u.name, u.created_at, u.disabled_at FROM resets r
                   JOIN users u ON u.id = r.person
                   WHERE r.hash = $1 AND r.expires_at > $2 AND u.disabled_at IS NULL";
        let row = self.db.row(sql, values![hash_key(hash), now]).await?;
        row.as_ref().map(users::read).transpose()
    }

    /// Uses it up: the person has another password, by its hash, and is logged in nowhere. Tokens
    /// stay. Of two who use one at once, one is refused.
    pub async fn use_reset(
        &self,
        act: &Act,
        hash: &[u8; 32],
        password: &Secret,
    ) -> Result<User, Error> {
        let mut tx = self.db.write().await?;
        let sql = "DELETE FROM resets WHERE hash = $1 AND expires_at > $2 RETURNING person";
        let Some(row) = tx.row(sql, values![hash_key(hash), act.at]).await? else {
            return Err(Error::Refused {
                what: "address".to_owned(),
                why: "it was used, or another was made, or it has run out".to_owned(),
                hint: Some("ask for another".to_owned()),
            });
        };
        let user = users::hold(&mut tx, &UserId(row.text("person")?)).await?;
        users::set_password(&mut tx, act, &user, password, None).await?;
        tx.commit().await?;
        Ok(user)
    }
}
