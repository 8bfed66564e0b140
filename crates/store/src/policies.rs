//! Policies: which are in force where, and which were.

use model::{Act, EventKind, OrganisationId};
use serde_json::{Value as Json, json};

use crate::contract::{Error, NewPolicySet, PolicySetHead, PolicySetRecord};
use crate::db::{Row, Tx, values};
use crate::environments::{self, Held};
use crate::{Store, events, names, new_id};

/// Versions of one place that are kept, and the bytes of all of them; the oldest go first.
const VERSIONS: i64 = if cfg!(test) { 5 } else { 100 };
const BYTES: i64 = 32 << 20;
/// Bytes of one.
const LARGEST: usize = 5 << 20;
/// What an event says that it is about.
const ABOUT: &str = "policies";

const HEAD: &str = "
    e.name AS environment, p.version, p.in_force, p.digest, p.summary, p.set_at, p.set_by";
const FROM: &str = "
    FROM policy_sets p JOIN organisations o ON o.id = p.organisation
    LEFT JOIN environments e ON e.id = p.environment
    WHERE o.deleting = 0 AND p.organisation = $1";

impl Store {
    /// Puts policies into force somewhere, as the next version. Where the same are in force already,
    /// nothing changes. Says how they are kept, and whether that is new.
    pub async fn set_policies(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        new: &NewPolicySet<'_>,
    ) -> Result<(PolicySetHead, bool), Error> {
        let [modules, config, summary] =
            [new.modules, new.config, new.summary].map(ToString::to_string);
        let bytes = modules.len() + config.len() + summary.len();
        if bytes > LARGEST {
            let why = format!("they are more than {} MiB", LARGEST >> 20);
            return Err(Error::Refused { what: ABOUT.to_owned(), why, hint: None });
        }
        let mut tx = self.db.write().await?;
        let held = place(&mut tx, organisation, new.environment).await?;
        let key = key(held.as_ref());
        let sql = format!(
            "SELECT {HEAD} {FROM} AND COALESCE(p.environment, '') = $2 ORDER BY p.version DESC LIMIT 1"
        );
        let former = tx.row(sql.clone(), values![&organisation.0, key]).await?;
        let former = former.as_ref().map(read_head).transpose()?;
        if let Some(former) = &former
            && former.in_force
            && former.digest == new.digest
            && former.summary == *new.summary
        {
            return Ok((former.clone(), false));
        }
        retire(&mut tx, organisation, key).await?;
        let version = former.as_ref().map_or(1, |it| it.version.saturating_add(1));
        tx.run(
            "INSERT INTO policy_sets (id, organisation, environment, version, in_force, digest, summary,
                                      modules, config, bytes, set_at, set_by)
             VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8, $9, $10, $11)",
            values![
                new_id(),
                &organisation.0,
                held.as_ref().map(|it| it.id.as_str()),
                version,
                new.digest,
                summary,
                modules,
                config,
                bytes,
                act.at,
                names::told(&act.who),
            ],
        )
        .await?;
        // The oldest versions go, as far as there are too many, or too much of them.
        tx.run(
            "DELETE FROM policy_sets WHERE organisation = $1 AND COALESCE(environment, '') = $2
             AND in_force = 0 AND (version <= $3 OR (SELECT SUM(n.bytes) FROM policy_sets n
                 WHERE n.organisation = policy_sets.organisation
                 AND COALESCE(n.environment, '') = COALESCE(policy_sets.environment, '')
                 AND n.version >= policy_sets.version) > $4)",
            values![&organisation.0, key, version - VERSIONS, BYTES],
        )
        .await?;
        let detail = json!({ "version": version, "summary": new.summary });
        note(&mut tx, organisation, act, EventKind::PoliciesSet, held.as_ref(), detail).await?;
        let row = tx.row(sql, values![&organisation.0, key]).await?;
        let head = row.as_ref().map(read_head).transpose()?.ok_or(Error::Gone("policies"))?;
        tx.commit().await?;
        Ok((head, true))
    }

    /// No policies are in force there any more that are its own. Says whether there were any.
    pub async fn unset_policies(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        environment: Option<&str>,
    ) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        let held = place(&mut tx, organisation, environment).await?;
        if !retire(&mut tx, organisation, key(held.as_ref())).await? {
            return Ok(false);
        }
        note(&mut tx, organisation, act, EventKind::PoliciesUnset, held.as_ref(), json!({}))
            .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The policies that are in force in an environment, its own or else the organisation's; in none,
    /// the organisation's. `None`: nobody has set any.
    pub async fn policies_in_force(
        &self,
        organisation: &OrganisationId,
        environment: Option<&str>,
    ) -> Result<Option<PolicySetRecord>, Error> {
        let mut tx = self.db.read().await?;
        let id = whose(&mut tx, organisation, environment).await?;
        let sql = format!(
            "SELECT {HEAD}, p.modules, p.config {FROM} AND p.in_force = 1
             AND (p.environment IS NULL OR p.environment = $2)
             ORDER BY CASE WHEN p.environment IS NULL THEN 1 ELSE 0 END LIMIT 1"
        );
        tx.row(sql, values![&organisation.0, &id]).await?.as_ref().map(read).transpose()
    }

    /// A version of the policies of an environment; in none, of the organisation's.
    pub async fn policies_of_version(
        &self,
        organisation: &OrganisationId,
        environment: Option<&str>,
        version: i64,
    ) -> Result<Option<PolicySetRecord>, Error> {
        let mut tx = self.db.read().await?;
        let id = whose(&mut tx, organisation, environment).await?;
        let sql = format!(
            "SELECT {HEAD}, p.modules, p.config {FROM}
             AND COALESCE(p.environment, '') = $2 AND p.version = $3"
        );
        tx.row(sql, values![&organisation.0, &id, version]).await?.as_ref().map(read).transpose()
    }

    /// The versions of the policies of an environment, or of the organisation's, the latest first.
    pub async fn policy_versions(
        &self,
        organisation: &OrganisationId,
        environment: Option<&str>,
    ) -> Result<Vec<PolicySetHead>, Error> {
        let mut tx = self.db.read().await?;
        let id = whose(&mut tx, organisation, environment).await?;
        let sql = format!(
            "SELECT {HEAD} {FROM} AND COALESCE(p.environment, '') = $2 ORDER BY p.version DESC"
        );
        let rows = tx.rows(sql, values![&organisation.0, &id]).await?;
        rows.iter().map(read_head).collect()
    }

    /// All policies that are in force, the organisation's first, then by environment.
    pub async fn all_policies_in_force(
        &self,
        organisation: &OrganisationId,
    ) -> Result<Vec<PolicySetHead>, Error> {
        let sql = format!("SELECT {HEAD} {FROM} AND p.in_force = 1");
        let rows = self.db.rows(sql, values![&organisation.0]).await?;
        let mut all: Vec<PolicySetHead> = rows.iter().map(read_head).collect::<Result<_, _>>()?;
        all.sort_by(|left, right| left.environment.cmp(&right.environment));
        Ok(all)
    }
}

/// The environment's id; where none is meant, nothing.
async fn whose(
    tx: &mut Tx,
    organisation: &OrganisationId,
    environment: Option<&str>,
) -> Result<String, Error> {
    match environment {
        Some(name) => environments::find_in(tx, organisation, name).await,
        None => Ok(String::new()),
    }
}

/// The environment, held, if one is meant; and nobody else sets policies of the organisation.
async fn place(
    tx: &mut Tx,
    organisation: &OrganisationId,
    environment: Option<&str>,
) -> Result<Option<Held>, Error> {
    let held = match environment {
        Some(name) => Some(environments::hold(tx, organisation, name).await?),
        None => None,
    };
    tx.lock(&format!("policies of {}", organisation.0), true).await?;
    Ok(held)
}

fn key(held: Option<&Held>) -> &str {
    held.map_or("", |it| &it.id)
}

/// The one that is in force is so no more. Says whether one was.
async fn retire(tx: &mut Tx, organisation: &OrganisationId, key: &str) -> Result<bool, Error> {
    let sql = "UPDATE policy_sets SET in_force = 0
               WHERE organisation = $1 AND COALESCE(environment, '') = $2 AND in_force = 1";
    Ok(tx.run(sql, values![&organisation.0, key]).await? > 0)
}

async fn note(
    tx: &mut Tx,
    organisation: &OrganisationId,
    act: &Act,
    kind: EventKind,
    held: Option<&Held>,
    detail: Json,
) -> Result<(), Error> {
    let note = events::Note::new(kind, ABOUT).detail(detail);
    let note = match held {
        Some(held) => note.within(&held.id, &held.name),
        None => note,
    };
    note.write(tx, organisation, act).await
}

pub(crate) fn json_of(row: &Row, column: &str) -> Result<Json, Error> {
    serde_json::from_str(row.word(column)?).map_err(|error| Error::Corrupt {
        what: format!("column {column}"),
        why: error.to_string(),
    })
}

fn read_head(row: &Row) -> Result<PolicySetHead, Error> {
    Ok(PolicySetHead {
        environment: row.maybe_text("environment")?,
        version: row.int("version")?,
        in_force: row.int("in_force")? != 0,
        digest: row.text("digest")?,
        summary: json_of(row, "summary")?,
        at: row.moment("set_at")?,
        by: row.text("set_by")?,
    })
}

fn read(row: &Row) -> Result<PolicySetRecord, Error> {
    Ok(PolicySetRecord {
        head: read_head(row)?,
        modules: json_of(row, "modules")?,
        config: json_of(row, "config")?,
    })
}
