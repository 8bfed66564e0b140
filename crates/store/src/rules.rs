//! Rules: who is to be told of what, and up to where events were looked through for them.

use std::collections::BTreeMap;

use model::{Act, EventKind, OrganisationId};
use serde_json::json;

use crate::changes::write_cursor;
use crate::contract::{Error, IntegrationRecord, NewRule, RuleRecord};
use crate::db::{Row, Tx, values};
use crate::{Store, definitions, events, names, new_id};

const SELECT: &str = "
    SELECT r.id, r.organisation, r.name, r.integration, i.kind, i.name AS channel, r.definition,
           r.created_at, r.created_by, r.changed_at, r.changed_by
    FROM rules r JOIN integrations i ON i.id = r.integration
    JOIN organisations o ON o.id = r.organisation
    WHERE o.deleting = 0 AND r.organisation = $1";

/// Rules of one organisation.
const MOST: i64 = 200;

impl Store {
    /// Keeps a rule, instead of the one of that name. The first of an organisation begins with what
    /// happens from now on. Says which it is, and whether it is new.
    pub async fn put_rule(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        new: &NewRule<'_>,
    ) -> Result<(RuleRecord, bool), Error> {
        let name = names::cleaned("rule", new.name)?;
        let definition = new.definition.to_string();
        if definition.len() > definitions::LONGEST {
            return Err(refused(&name, "what it says is too long"));
        }
        let cursor = self.changes_begin().await?;
        let mut tx = self.db.write().await?;
        hold_all(&mut tx, organisation).await?;
        let channel = names::normal(new.channel);
        let sql = "SELECT id FROM integrations
                   WHERE organisation = $1 AND kind = $2 AND name = $3 AND deleting = 0";
        let row = tx.row(sql, values![&organisation.0, new.kind, &channel]).await?;
        let Some(row) = row else {
            let name = format!("{} {channel}", new.kind);
            let sql = "SELECT kind, name FROM integrations
                       WHERE organisation = $1 AND deleting = 0 ORDER BY kind, name LIMIT 20";
            let rows = tx.rows(sql, values![&organisation.0]).await?;
            let known = |row: &Row| Ok(format!("{} {}", row.text("kind")?, row.text("name")?));
            let among = rows.iter().map(known).collect::<Result<_, Error>>()?;
            return Err(Error::NotFound { what: "integration", name, among });
        };
        let integration = row.text("id")?;
        let sql = "SELECT id FROM rules WHERE organisation = $1 AND name = $2";
        let former = tx.row(sql, values![&organisation.0, &name]).await?;
        let who = names::told(&act.who);
        if let Some(former) = &former {
            let id = former.text("id")?;
            // What waits was for the former one to tell.
            let sql = "DELETE FROM outbox WHERE rule = $1 AND state = 'waiting'
                       AND integration <> $2";
            tx.run(sql, values![&id, &integration]).await?;
            let sql = "UPDATE rules SET integration = $2, definition = $3, changed_at = $4,
                              changed_by = $5 WHERE id = $1";
            tx.run(sql, values![&id, &integration, &definition, act.at, who]).await?;
        } else {
            if !definitions::has_room(&mut tx, "rules", organisation, MOST).await? {
                return Err(refused(&name, "there are too many already"));
            }
            let sql =
                "INSERT INTO rules (id, organisation, name, integration, definition, created_at,
                                          created_by, changed_at, changed_by)
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $6, $7)";
            let id = new_id();
            let values =
                values![id, &organisation.0, &name, &integration, &definition, act.at, who];
            tx.run(sql, values).await?;
            let sql = "INSERT INTO told_until (organisation, cursor) VALUES ($1, $2)
                       ON CONFLICT DO NOTHING";
            tx.run(sql, values![&organisation.0, cursor]).await?;
        }
        let note = events::Note::new(EventKind::RuleSet, &name);
        let detail = json!({
            "new": former.is_none(),
            "channel": format!("{} {channel}", new.kind),
            "definition": new.definition,
        });
        note.detail(detail).write(&mut tx, organisation, act).await?;
        let sql = format!("{SELECT} AND r.name = $2");
        let record = tx.row(sql, values![&organisation.0, &name]).await?;
        let record = record.as_ref().map(read).transpose()?.ok_or(Error::Gone("rule"))?;
        tx.commit().await?;
        Ok((record, former.is_none()))
    }

    /// The rules of an organisation, by name.
    pub async fn rules(&self, organisation: &OrganisationId) -> Result<Vec<RuleRecord>, Error> {
        let sql = format!("{SELECT} ORDER BY r.name");
        self.db.rows(sql, values![&organisation.0]).await?.iter().map(read).collect()
    }

    /// The rule of that name.
    pub async fn rule(
        &self,
        organisation: &OrganisationId,
        name: &str,
    ) -> Result<Option<RuleRecord>, Error> {
        let sql = format!("{SELECT} AND r.name = $2");
        let row = self.db.row(sql, values![&organisation.0, names::normal(name)]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Deletes a rule, with what waits to be told by it and what was. Says whether there was one.
    pub async fn delete_rule(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        name: &str,
    ) -> Result<bool, Error> {
        let name = names::normal(name);
        let mut tx = self.db.write().await?;
        hold_all(&mut tx, organisation).await?;
        let sql = "SELECT id FROM rules WHERE organisation = $1 AND name = $2";
        let Some(row) = tx.row(sql, values![&organisation.0, &name]).await? else {
            return Ok(false);
        };
        tx.run("DELETE FROM rules WHERE id = $1", values![row.text("id")?]).await?;
        // The next first one does not begin with what happens until then.
        let sql = "DELETE FROM told_until WHERE organisation = $1
                   AND NOT EXISTS (SELECT 1 FROM rules r WHERE r.organisation = $1)";
        tx.run(sql, values![&organisation.0]).await?;
        let note = events::Note::new(EventKind::RuleDeleted, &name);
        note.write(&mut tx, organisation, act).await?;
        tx.commit().await?;
        self.db.scrub().await;
        Ok(true)
    }

    /// Up to where events were looked through for the rules of each organisation that has some.
    pub async fn all_told_until(&self) -> Result<BTreeMap<OrganisationId, String>, Error> {
        let sql = "SELECT t.organisation, t.cursor FROM told_until t
                   JOIN organisations o ON o.id = t.organisation WHERE o.deleting = 0";
        let rows = self.db.rows(sql, vec![]).await?;
        let pair = |row: &Row| Ok((OrganisationId(row.text("organisation")?), row.text("cursor")?));
        rows.iter().map(pair).collect()
    }

    /// The same, for one.
    pub async fn told_until(&self, organisation: &OrganisationId) -> Result<Option<String>, Error> {
        let sql = "SELECT cursor FROM told_until WHERE organisation = $1";
        let row = self.db.row(sql, values![&organisation.0]).await?;
        row.map(|it| it.text("cursor")).transpose()
    }
}

/// After a restore, events are told that come to pass from then on: where it was left off counts in
/// the turns of another database.
pub(crate) async fn begin_all(tx: &mut Tx) -> Result<(), Error> {
    let row = tx.row("SELECT COALESCE(MAX(turn), 0) AS last FROM events", vec![]).await?;
    let last = row.map(|it| it.int("last")).transpose()?.unwrap_or(0);
    let sql = "INSERT INTO told_until (organisation, cursor)
               SELECT DISTINCT organisation, $1 FROM rules";
    tx.run(sql, values![write_cursor(last.saturating_add(1), "")]).await.map(|_| ())
}

/// Who deletes an integration makes nobody silent by that.
pub(crate) async fn refuse_if_used(tx: &mut Tx, record: &IntegrationRecord) -> Result<(), Error> {
    let sql = "SELECT name FROM rules WHERE integration = $1 ORDER BY name LIMIT 20";
    let rows = tx.rows(sql, values![&record.id]).await?;
    let rules: Vec<String> = rows.iter().map(|it| it.text("name")).collect::<Result<_, _>>()?;
    let Some(first) = rules.first() else { return Ok(()) };
    Err(Error::InUse {
        what: format!("integration `{} {}`", record.kind, record.name),
        why: format!("rules tell somebody by it: {}", rules.join(", ")),
        hint: format!("let them tell by another, or `foretop rule remove {first}` first"),
    })
}

/// Rules name environments; one that is called otherwise from now on is still meant.
pub(crate) async fn follow(
    tx: &mut Tx,
    organisation: &OrganisationId,
    from: &str,
    to: &str,
) -> Result<(), Error> {
    hold_all(tx, organisation).await?;
    definitions::follow(tx, "rules", organisation, from, to).await
}

/// Nobody else changes rules, nor the integrations that they name.
async fn hold_all(tx: &mut Tx, organisation: &OrganisationId) -> Result<(), Error> {
    tx.lock(&format!("integrations of {}", organisation.0), true).await
}

fn read(row: &Row) -> Result<RuleRecord, Error> {
    Ok(RuleRecord {
        id: row.text("id")?,
        organisation: OrganisationId(row.text("organisation")?),
        name: row.text("name")?,
        integration: row.text("integration")?,
        kind: row.text("kind")?,
        channel: row.text("channel")?,
        definition: definitions::read(row)?,
        created: row.moment("created_at")?,
        created_by: row.text("created_by")?,
        changed: row.moment("changed_at")?,
        changed_by: row.text("changed_by")?,
    })
}

fn refused(name: &str, why: &str) -> Error {
    Error::Refused { what: format!("rule `{name}`"), why: why.to_owned(), hint: None }
}
