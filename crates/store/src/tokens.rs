//! Tokens: what programs show to speak in the name of a person or an organisation.

use model::{Act, EventKind, Holder, Membership, Moment, OrganisationId, Role, Token, UserId};
use serde_json::{Value as Json, json};

use crate::contract::{Caller, Error, NewSecret, NewToken, Page, Paged, Speaker};
use crate::db::{Query, Row, Tx, values};
use crate::{Store, events, hash_key, members, names, new_id, organisations, sessions, users};

/// Characters in the longest part of a secret that is shown.
const LONGEST_PREFIX: usize = 16;

const SELECT: &str = "
    SELECT t.id AS token, t.organisation, t.person, t.name AS called, t.prefix, t.scope,
           t.created_at AS made_at, t.created_by, t.expires_at, t.used_at, t.revoked_at";

impl Store {
    /// A new token, known by the SHA-256 of its secret.
    ///
    /// A person's has at most the most that the person may in any organisation; what it may in
    /// each, is seen when it is used.
    pub async fn create_token(
        &self,
        act: &Act,
        holder: &Holder,
        token: &NewToken,
    ) -> Result<Token, Error> {
        let name = names::cleaned("token", &token.name)?;
        let made = Token {
            id: new_id(),
            holder: holder.clone(),
            name,
            prefix: token.prefix.chars().take(LONGEST_PREFIX).collect(),
            scope: token.scope,
            created: act.at,
            created_by: names::told(&act.who),
            expires: token.expires,
            last_used: None,
            revoked: None,
        };
        let mut tx = self.db.write().await?;
        if let Holder::User(id) = holder {
            users::hold(&mut tx, id).await?;
            may_have(&mut tx, id, token).await?;
        }
        insert(&mut tx, &made, &token.hash).await?;
        let detail = told(&made);
        tell(&mut tx, act, holder, EventKind::TokenCreated, &made.name, detail).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// Another secret for what a good token is for: a new token of the same name and scope, and the
    /// former is good until `until` at most. None is that there is no such token, or it is good no
    /// more.
    pub async fn rotate_token(
        &self,
        act: &Act,
        holder: &Holder,
        id: &str,
        secret: &NewSecret,
        until: Moment,
    ) -> Result<Option<Token>, Error> {
        let mut tx = self.db.write().await?;
        if let Holder::User(id) = holder {
            users::hold(&mut tx, id).await?;
        }
        let sql = match holder {
            Holder::Organisation(_) => {
                "SELECT name, scope, created_at, expires_at FROM tokens WHERE id = $1
                 AND organisation = $2 AND revoked_at IS NULL
                 AND (expires_at IS NULL OR expires_at > $3)"
            }
            Holder::User(_) => {
                "SELECT name, scope, created_at, expires_at FROM tokens WHERE id = $1
                 AND person = $2 AND revoked_at IS NULL
                 AND (expires_at IS NULL OR expires_at > $3)"
            }
        };
        let (_, whose) = column(holder);
        let Some(row) = tx.hold(sql, values![id, whose, act.at]).await? else { return Ok(None) };
        let (created, ends) = (row.moment("created_at")?, row.maybe_moment("expires_at")?);
        if until <= act.at {
            let sql = "UPDATE tokens SET revoked_at = $2 WHERE id = $1";
            tx.run(sql, values![id, act.at]).await?;
        } else if ends.is_none_or(|it| until < it) {
            let sql = "UPDATE tokens SET expires_at = $2 WHERE id = $1";
            tx.run(sql, values![id, until]).await?;
        }
        let lasts = |it: Moment| it.micros().saturating_sub(created.micros());
        let as_long = ends.map(|it| act.at.micros().saturating_add(lasts(it)));
        let made = Token {
            id: new_id(),
            holder: holder.clone(),
            name: row.text("name")?,
            prefix: secret.prefix.chars().take(LONGEST_PREFIX).collect(),
            scope: row.parsed("scope")?,
            created: act.at,
            created_by: names::told(&act.who),
            expires: secret.expires.or(as_long.map(Moment::from_micros)),
            last_used: None,
            revoked: None,
        };
        insert(&mut tx, &made, &secret.hash).await?;
        let mut detail = told(&made);
        detail["instead of"] = id.into();
        tell(&mut tx, act, holder, EventKind::TokenCreated, &made.name, detail).await?;
        let detail = json!({ "token": id, "until": until.max(act.at), "replaced by": made.id });
        tell(&mut tx, act, holder, EventKind::TokenRevoked, &made.name, detail).await?;
        tx.commit().await?;
        Ok(Some(made))
    }

    /// Who it is that shows the secret of that hash, if the token is good.
    pub async fn token_caller(
        &self,
        hash: &[u8; 32],
        now: Moment,
    ) -> Result<Option<Caller>, Error> {
        let row = self
            .db
            .row(
                format!(
                    "{SELECT}, COALESCE(u.id, o.id) AS id, COALESCE(u.name, o.name) AS name,
                     COALESCE(u.created_at, o.created_at) AS created_at, u.disabled_at
                     FROM tokens t LEFT JOIN users u ON u.id = t.person
                     LEFT JOIN organisations o ON o.id = t.organisation
                     WHERE t.hash = $1 AND t.revoked_at IS NULL AND u.disabled_at IS NULL
                     AND (t.expires_at IS NULL OR t.expires_at > $2)"
                ),
                values![hash_key(hash), now],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        let mut token = read(&row)?;
        token.last_used =
            sessions::noted(&self.db, "tokens", &token.id, token.last_used, now).await;
        let most = token.scope.role();
        let (user, mut memberships) = match &token.holder {
            Holder::User(id) => {
                (Some(users::read(&row)?), members::memberships(&self.db, id).await?)
            }
            Holder::Organisation(_) => {
                let organisation = organisations::read(&row)?;
                (None, vec![Membership { organisation, role: most }])
            }
        };
        for membership in &mut memberships {
            membership.role = membership.role.min(most);
        }
        Ok(Some(Caller { user, memberships, speaker: Speaker::Token(token), most }))
    }

    /// The tokens of a person or an organisation, latest first, those included that are good no
    /// more.
    pub async fn tokens(&self, holder: &Holder, page: &Page) -> Result<Paged<Token>, Error> {
        let limit = page.rows();
        let mut query = Query::new(SELECT, vec![]);
        query.then("FROM tokens t");
        match holder {
            Holder::Organisation(id) => query.with("WHERE t.organisation = $?", &id.0),
            Holder::User(id) => query.with("WHERE t.person = $?", &id.0),
        }
        if let Some(after) = &page.after {
            query.with("AND t.id < $?", after);
        }
        query.with("ORDER BY t.id DESC LIMIT $?", limit + 1);
        let (sql, values) = query.into_parts();
        let rows = self.db.rows(sql, values).await?;
        let rows = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Paged::of(rows, limit, |it: &Token| it.id.clone()))
    }

    /// From now on a token is good no more. Says whether it was.
    pub async fn revoke_token(&self, act: &Act, holder: &Holder, id: &str) -> Result<bool, Error> {
        let (column, whose) = column(holder);
        let sql = format!(
            "UPDATE tokens SET revoked_at = $3 WHERE id = $1 AND {column} = $2
             AND revoked_at IS NULL RETURNING name"
        );
        let mut tx = self.db.write().await?;
        let Some(row) = tx.row(sql, values![id, whose, act.at]).await? else { return Ok(false) };
        let (name, detail) = (row.text("name")?, json!({ "token": id }));
        tell(&mut tx, act, holder, EventKind::TokenRevoked, &name, detail).await?;
        tx.commit().await?;
        Ok(true)
    }
}

fn column(holder: &Holder) -> (&'static str, &str) {
    match holder {
        Holder::Organisation(id) => ("organisation", &id.0),
        Holder::User(id) => ("person", &id.0),
    }
}

async fn insert(tx: &mut Tx, made: &Token, hash: &[u8; 32]) -> Result<(), Error> {
    let (organisation, person) = match &made.holder {
        Holder::Organisation(id) => (Some(id.0.as_str()), None),
        Holder::User(id) => (None, Some(id.0.as_str())),
    };
    tx.run(
        "INSERT INTO tokens (id, hash, organisation, person, name, prefix, scope, created_at,
                             created_by, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        values![
            &made.id,
            hash_key(hash),
            organisation,
            person,
            &made.name,
            &made.prefix,
            made.scope.as_str(),
            made.created,
            &made.created_by,
            made.expires.map(Moment::micros),
        ],
    )
    .await
    .map(|_| ())
}

fn told(made: &Token) -> Json {
    json!({
        "token": made.id, "prefix": made.prefix, "scope": made.scope, "expires": made.expires,
    })
}

/// Is that no more than the person may anywhere?
async fn may_have(tx: &mut Tx, user: &UserId, token: &NewToken) -> Result<(), Error> {
    let mut most = Role::Member;
    let sql = "SELECT role FROM members WHERE person = $1";
    for row in tx.rows(sql, values![&user.0]).await? {
        most = most.max(row.parsed("role")?);
    }
    if token.scope.role() <= most {
        return Ok(());
    }
    let fits = model::Scope::ALL.into_iter().filter(|it| it.role() <= most);
    let fits: Vec<&str> = fits.map(model::Scope::as_str).collect();
    Err(Error::Refused {
        what: format!("token with the scope `{}`", token.scope),
        why: format!("its owner is no more than {most} anywhere"),
        hint: Some(format!("it may have: {}", fits.join(", "))),
    })
}

async fn tell(
    tx: &mut Tx,
    act: &Act,
    holder: &Holder,
    kind: EventKind,
    name: &str,
    detail: Json,
) -> Result<(), Error> {
    match holder {
        Holder::User(id) => {
            let user = users::hold(tx, id).await?;
            members::tell(tx, act, &user, kind, name, detail).await
        }
        Holder::Organisation(id) => {
            events::Note::new(kind, name).detail(detail).write(tx, id, act).await
        }
    }
}

fn read(row: &Row) -> Result<Token, Error> {
    let holder = match row.maybe_text("organisation")? {
        Some(id) => Holder::Organisation(OrganisationId(id)),
        None => Holder::User(UserId(row.text("person")?)),
    };
    Ok(Token {
        id: row.text("token")?,
        holder,
        name: row.text("called")?,
        prefix: row.text("prefix")?,
        scope: row.parsed("scope")?,
        created: row.moment("made_at")?,
        created_by: row.text("created_by")?,
        expires: row.maybe_moment("expires_at")?,
        last_used: row.maybe_moment("used_at")?,
        revoked: row.maybe_moment("revoked_at")?,
    })
}
