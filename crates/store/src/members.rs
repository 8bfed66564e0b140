//! Members: who is in which organisation, as what.

use model::{Act, EventKind, Member, Membership, Organisation, OrganisationId, Role, User, UserId};
use serde_json::{Value as Json, json};

use crate::contract::{Error, Page, Paged};
use crate::db::{Db, Row, Tx, values};
use crate::{Store, events, users};

impl Store {
    /// Takes a person into an organisation, or gives them another role. Says whether that changed
    /// anything. The last owner stays one.
    pub async fn put_member(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        user: &UserId,
        role: Role,
    ) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        hold_all(&mut tx).await?;
        let user = users::hold(&mut tx, user).await?;
        let changed = put(&mut tx, organisation, act, &user, role).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Takes a person out of an organisation. The last owner is refused.
    pub async fn remove_member(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        user: &UserId,
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        hold_all(&mut tx).await?;
        let user = users::hold(&mut tx, user).await?;
        let Some(role) = role(&mut tx, organisation, &user.id).await? else {
            let name = user.name;
            return Err(Error::NotFound { what: "member", name, among: Vec::new() });
        };
        if role == Role::Owner {
            owned_by_another(&mut tx, organisation, &user).await?;
        }
        let sql = "DELETE FROM members WHERE organisation = $1 AND person = $2";
        tx.run(sql, values![&organisation.0, &user.id.0]).await?;
        let note = events::Note::new(EventKind::MemberRemoved, &user.name);
        note.detail(json!({ "role": role })).write(&mut tx, organisation, act).await?;
        tx.commit().await
    }

    /// The members of an organisation, by name.
    pub async fn members(
        &self,
        organisation: &OrganisationId,
        page: &Page,
    ) -> Result<Paged<Member>, Error> {
        let limit = page.rows();
        let rows = self
            .db
            .rows(
                "SELECT u.id, u.name, u.created_at, u.disabled_at, m.role, m.since_at
                 FROM members m JOIN users u ON u.id = m.person
                 WHERE m.organisation = $1 AND u.name > $2 ORDER BY u.name LIMIT $3",
                values![&organisation.0, page.after.as_deref().unwrap_or(""), limit + 1],
            )
            .await?;
        let read = |row: &Row| {
            let since = row.moment("since_at")?;
            Ok(Member { user: users::read(row)?, role: row.parsed("role")?, since })
        };
        let rows = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Paged::of(rows, limit, |it: &Member| it.user.name.clone()))
    }

    /// The organisations that a person is in, by name.
    pub async fn memberships(&self, user: &UserId) -> Result<Vec<Membership>, Error> {
        memberships(&self.db, user).await
    }
}

/// Nobody else changes who is in what before we are done.
pub(crate) async fn hold_all(tx: &mut Tx) -> Result<(), Error> {
    tx.lock("members", true).await
}

/// Takes a person in, or gives them another role; whoever calls it has the lock.
pub(crate) async fn put(
    tx: &mut Tx,
    organisation: &OrganisationId,
    act: &Act,
    user: &User,
    wanted: Role,
) -> Result<bool, Error> {
    let former = role(tx, organisation, &user.id).await?;
    if former == Some(wanted) {
        return Ok(false);
    }
    if former == Some(Role::Owner) {
        owned_by_another(tx, organisation, user).await?;
    }
    tx.run(
        "INSERT INTO members (organisation, person, role, since_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (organisation, person) DO UPDATE SET role = excluded.role",
        values![&organisation.0, &user.id.0, wanted.as_str(), act.at],
    )
    .await?;
    let (kind, detail) = match former {
        Some(former) => (EventKind::MemberChanged, json!({ "from": former, "to": wanted })),
        None => (EventKind::MemberAdded, json!({ "role": wanted })),
    };
    events::Note::new(kind, &user.name).detail(detail).write(tx, organisation, act).await?;
    Ok(true)
}

/// What a person is in an organisation.
pub(crate) async fn role(
    tx: &mut Tx,
    organisation: &OrganisationId,
    user: &UserId,
) -> Result<Option<Role>, Error> {
    let sql = "SELECT role FROM members WHERE organisation = $1 AND person = $2";
    let row = tx.row(sql, values![&organisation.0, &user.0]).await?;
    row.map(|it| it.parsed("role")).transpose()
}

/// The organisations that a person is in, by name.
pub(crate) async fn memberships(db: &Db, user: &UserId) -> Result<Vec<Membership>, Error> {
    let rows = db
        .rows(
            "SELECT o.id, o.name, o.created_at, m.role FROM members m
             JOIN organisations o ON o.id = m.organisation
             WHERE m.person = $1 ORDER BY o.name",
            values![&user.0],
        )
        .await?;
    let read = |row: &Row| {
        let organisation: Organisation = crate::organisations::read(row)?;
        Ok(Membership { organisation, role: row.parsed("role")? })
    };
    rows.iter().map(read).collect()
}

/// Is every organisation of this person owned by somebody else too, if they own it?
pub(crate) async fn owned_by_others(tx: &mut Tx, user: &User) -> Result<(), Error> {
    let sql = "SELECT organisation FROM members WHERE person = $1 AND role = 'owner'";
    for row in tx.rows(sql, values![&user.id.0]).await? {
        owned_by_another(tx, &OrganisationId(row.text("organisation")?), user).await?;
    }
    Ok(())
}

/// Writes an event about a person into each organisation that they are in.
pub(crate) async fn tell(
    tx: &mut Tx,
    act: &Act,
    user: &User,
    kind: EventKind,
    about: &str,
    detail: Json,
) -> Result<(), Error> {
    let sql = "SELECT organisation FROM members WHERE person = $1 ORDER BY organisation";
    for row in tx.rows(sql, values![&user.id.0]).await? {
        let organisation = OrganisationId(row.text("organisation")?);
        let note = events::Note::new(kind, about).detail(detail.clone());
        note.write(tx, &organisation, act).await?;
    }
    Ok(())
}

/// Does somebody else own it who may log in? Whoever may not log in is not missed as an owner.
async fn owned_by_another(
    tx: &mut Tx,
    organisation: &OrganisationId,
    user: &User,
) -> Result<(), Error> {
    if user.disabled.is_some() {
        return Ok(());
    }
    let other = tx
        .row(
            "SELECT m.person FROM members m JOIN users u ON u.id = m.person
             WHERE m.organisation = $1 AND m.role = 'owner' AND m.person <> $2
             AND u.disabled_at IS NULL LIMIT 1",
            values![&organisation.0, &user.id.0],
        )
        .await?;
    if other.is_some() {
        return Ok(());
    }
    let sql = "SELECT name FROM organisations WHERE id = $1";
    let Some(row) = tx.row(sql, values![&organisation.0]).await? else {
        return Err(Error::Gone("organization"));
    };
    Err(Error::InUse {
        what: format!("user `{}`", user.name),
        why: format!("nobody else owns `{}`", row.text("name")?),
        hint: "make somebody else an owner first".to_owned(),
    })
}
