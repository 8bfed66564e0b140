//! Invitations: whoever has the secret may join an organisation, once.

use model::{Act, EventKind, Invitation, Moment, OrganisationId, Role, User};
use serde_json::json;

use crate::contract::{Error, Newcomer};
use crate::db::{Row, values};
use crate::{Store, events, hash_key, members, names, new_id, organisations, users};

const SELECT: &str = "
    SELECT i.id AS invitation, i.role, i.created_at AS made_at, i.created_by, i.expires_at,
           o.id, o.name, o.created_at
    FROM invitations i JOIN organisations o ON o.id = i.organisation";

impl Store {
    /// Invites whoever has the secret that `hash` is the SHA-256 of; the id is told back.
    pub async fn invite(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        hash: &[u8; 32],
        role: Role,
        expires: Moment,
    ) -> Result<String, Error> {
        let id = new_id();
        let who = names::told(&act.who);
        let mut tx = self.db.write().await?;
        tx.run(
            "INSERT INTO invitations (id, hash, organisation, role, created_at, created_by,
                                      expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            values![&id, hash_key(hash), &organisation.0, role.as_str(), act.at, who, expires],
        )
        .await?;
        let note = events::Note::new(EventKind::InvitationCreated, &id);
        let detail = json!({ "role": role, "expires": expires });
        note.detail(detail).write(&mut tx, organisation, act).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// The invitation with the secret of that hash, if it is good.
    pub async fn invitation(
        &self,
        hash: &[u8; 32],
        now: Moment,
    ) -> Result<Option<Invitation>, Error> {
        let sql = format!("{SELECT} WHERE i.hash = $1 AND i.expires_at > $2");
        let row = self.db.row(sql, values![hash_key(hash), now]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The invitations to an organisation that nobody used yet, latest first.
    pub async fn invitations(
        &self,
        organisation: &OrganisationId,
        now: Moment,
    ) -> Result<Vec<Invitation>, Error> {
        let sql = format!(
            "{SELECT} WHERE i.organisation = $1 AND i.expires_at > $2 ORDER BY i.id DESC LIMIT 1000"
        );
        self.db.rows(sql, values![&organisation.0, now]).await?.iter().map(read).collect()
    }

    /// Uses an invitation up: the newcomer is in the organisation, and has at least its role.
    ///
    /// Of two who use one at once, one is refused; whoever cannot join for another reason leaves
    /// it as good as it was.
    pub async fn use_invitation(
        &self,
        act: &Act,
        hash: &[u8; 32],
        newcomer: &Newcomer,
    ) -> Result<User, Error> {
        let mut tx = self.db.write().await?;
        members::hold_all(&mut tx).await?;
        let row = tx
            .row(
                "DELETE FROM invitations WHERE hash = $1 AND expires_at > $2
                 RETURNING id, organisation, role",
                values![hash_key(hash), act.at],
            )
            .await?;
        let Some(row) = row else {
            return Err(Error::Refused {
                what: "invitation".to_owned(),
                why: "it was used, or revoked, or has run out".to_owned(),
                hint: Some("ask for another".to_owned()),
            });
        };
        let organisation = OrganisationId(row.text("organisation")?);
        let role: Role = row.parsed("role")?;
        let (user, new) = match newcomer {
            Newcomer::New { name, password } => {
                (users::create(&mut tx, act, name, password).await?, true)
            }
            Newcomer::Known(id) => (users::hold(&mut tx, id).await?, false),
        };
        // Whoever is more already does not become less.
        let former = members::role(&mut tx, &organisation, &user.id).await?;
        let role = former.map_or(role, |it| it.max(role));
        members::put(&mut tx, &organisation, act, &user, role).await?;
        let note = events::Note::new(EventKind::InvitationUsed, &user.name);
        let detail = json!({ "invitation": row.text("id")?, "role": role, "new": new });
        note.detail(detail).write(&mut tx, &organisation, act).await?;
        tx.commit().await?;
        Ok(user)
    }

    /// From now on an invitation is good no more. Says whether it was there.
    pub async fn revoke_invitation(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        id: &str,
    ) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        let sql = "DELETE FROM invitations WHERE organisation = $1 AND id = $2";
        if tx.run(sql, values![&organisation.0, id]).await? == 0 {
            return Ok(false);
        }
        let note = events::Note::new(EventKind::InvitationRevoked, id);
        note.write(&mut tx, organisation, act).await?;
        tx.commit().await?;
        Ok(true)
    }
}

fn read(row: &Row) -> Result<Invitation, Error> {
    Ok(Invitation {
        id: row.text("invitation")?,
        organisation: organisations::read(row)?,
        role: row.parsed("role")?,
        created: row.moment("made_at")?,
        created_by: row.text("created_by")?,
        expires: row.moment("expires_at")?,
    })
}
