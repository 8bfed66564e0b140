//! Runtimes: clusters and hosts that say all that they run, and are to be heard of again and again.

mod heard;
mod list;
mod naming;
mod resolving;
mod settling;

use std::collections::{BTreeMap, BTreeSet};

use model::{Act, Deployment, EventKind, Moment, OrganisationId, Source};
use serde_json::json;

use crate::contract::{Container, Error, Snapped, Snapshot, is_silent};
use crate::db::{Row, Tx, values};
use crate::environments::{self, Held};
use crate::{Store, deployments, derived, events, names, new_id};
use heard::{Kept, Word};
use settling::Bay;

/// Most containers of a runtime.
const MOST: usize = 50_000;

impl Store {
    /// Takes a runtime's word for all that it runs, in all environments at once: what it said before and
    /// does not say now has ended, and what others recorded stays. What it could not see has not ended.
    ///
    /// While another is heard of who reports it, only that one's word counts.
    pub async fn snap(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        runtime: &str,
        snapshot: &Snapshot,
    ) -> Result<Snapped, Error> {
        let name = names::cleaned("runtime", runtime)?;
        let told = told(snapshot)?;
        let mut tx = self.db.write().await?;
        let mut kept = Kept::hold_or_make(&mut tx, organisation, act, &name, snapshot).await?;
        let word = kept.admit(&mut tx, act, snapshot).await?;
        if let Word::Refused(refusal) = word {
            // That somebody else speaks is remembered, though what they say does not count.
            tx.commit().await?;
            return Err(refusal);
        }
        let source = Source::Runtime(name.clone());
        if !kept.mark.is_empty() && kept.mark == snapshot.mark {
            if let Word::Counts = word {
                kept.hear(&mut tx, organisation, act, snapshot).await?;
            }
            let counts = list::counts(&mut tx, organisation, &kept.id, &source).await?;
            tx.commit().await?;
            return Ok(Snapped { unchanged: counts.0, unplaced: counts.1, ..Snapped::default() });
        }
        let named = self.named(&mut tx, organisation, act, &kept.id, told, snapshot.make).await?;
        let rows = settling::rows(&mut tx, &kept.id).await?;
        let is_whole = snapshot.gaps.is_empty();
        let mut affected: BTreeSet<String> = named.keys().cloned().collect();
        if is_whole {
            affected.extend(rows.keys().cloned());
            affected.extend(environments_of(&mut tx, organisation, &kept.id, &source).await?);
        }
        let held = hold_all(&mut tx, &affected).await?;
        let mut bays = Vec::with_capacity(held.len());
        let (mut rows, none) = (rows, Vec::new());
        for held in held {
            let Some(told) = named.get(&held.id).map(|it| &it.1).or(is_whole.then_some(&none))
            else {
                continue;
            };
            let rows = rows.remove(&held.id).unwrap_or_default();
            let wanted = if is_whole { told.clone() } else { with_unseen(told, &rows) };
            bays.push(Bay { held, wanted, rows });
        }
        let count: usize = bays.iter().map(|it| it.wanted.len()).sum::<usize>()
            + rows.values().map(Vec::len).sum::<usize>();
        if count > MOST {
            return Err(Error::Refused {
                what: format!("runtime `{name}`"),
                why: format!("it runs {count} containers, and {MOST} at most are kept"),
                hint: Some("have it reported in parts, each with a name of its own".to_owned()),
            });
        }
        let then = Act { at: kept.moment(act.at), ..act.clone() };
        let (snapped, at) =
            settling::settle(&mut tx, organisation, &then, &source, &kept.id, bays, is_whole)
                .await?;
        kept.changed = at;
        call(&mut tx, &kept.id, &named, is_whole).await?;
        kept.mark.clone_from(&snapshot.mark);
        kept.hear(&mut tx, organisation, act, snapshot).await?;
        tx.commit().await?;
        Ok(snapped)
    }

    /// The environments that are named, by id, each with what it is called and what runs there. Those
    /// that there are none of are made, if that is wished.
    async fn named(
        &self,
        tx: &mut Tx,
        organisation: &OrganisationId,
        act: &Act,
        runtime: &str,
        told: BTreeMap<String, Vec<Container>>,
        make: bool,
    ) -> Result<BTreeMap<String, (String, Vec<Container>)>, Error> {
        let sql = "SELECT called, environment FROM runtime_environments WHERE runtime = $1";
        let mut called: BTreeMap<String, String> = BTreeMap::new();
        for row in tx.rows(sql, values![runtime]).await? {
            called.insert(row.text("called")?, row.text("environment")?);
        }
        let mut named: BTreeMap<String, (String, Vec<Container>)> = BTreeMap::new();
        for (name, containers) in told {
            let sql = "SELECT id FROM environments WHERE organisation = $1 AND name = $2";
            let there = tx.row(sql, values![&organisation.0, &name]).await?;
            let id = match (there, called.get(&name)) {
                (Some(row), _) => row.text("id")?,
                // It was renamed, and the runtime does not know.
                (None, Some(id)) => id.clone(),
                (None, None) => {
                    if make {
                        environments::ready(tx, organisation, act, &name).await?;
                    }
                    environments::find_in(tx, organisation, &name).await?
                }
            };
            let entry = named.entry(id).or_insert_with(|| (name, Vec::new()));
            entry.1.extend(containers);
        }
        for (_, containers) in named.values_mut() {
            containers.sort();
            containers.dedup();
        }
        Ok(named)
    }

    /// Finds out anew which images those are that runtimes told of by other digests than their own, as
    /// far as that is known by now. Says what began to run by it and is to be analysed.
    pub async fn place_images(
        &self,
        organisation: &OrganisationId,
        act: &Act,
    ) -> Result<Vec<Deployment>, Error> {
        let sql = "
            SELECT DISTINCT c.runtime AS id, c.environment FROM runtimes r
            JOIN runtime_containers c ON c.runtime = r.id
            JOIN image_names n ON n.digest = c.digest
            JOIN images i ON i.id = n.image AND i.organisation = r.organisation
            WHERE r.organisation = $1 AND i.state = 'analysed'
            AND (c.placed IS NULL OR c.placed = c.digest)
            AND NOT EXISTS (SELECT 1 FROM images o WHERE o.organisation = r.organisation
                            AND o.digest = c.digest AND o.state = 'analysed')
            UNION
            SELECT c.runtime AS id, c.environment FROM runtimes r
            JOIN runtime_containers c ON c.runtime = r.id
            JOIN images i ON i.organisation = r.organisation AND i.digest = c.digest
            WHERE r.organisation = $1 AND c.placed IS NULL";
        let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in self.db.few(sql, values![&organisation.0]).await? {
            places.entry(row.text("id")?).or_default().insert(row.text("environment")?);
        }
        let mut pending = Vec::new();
        for (runtime, affected) in places {
            let mut tx = self.db.write().await?;
            let Some(kept) = Kept::hold(&mut tx, &runtime).await? else { continue };
            let source = Source::Runtime(kept.name.clone());
            let mut rows = settling::rows(&mut tx, &kept.id).await?;
            let mut bays = Vec::new();
            for held in hold_all(&mut tx, &affected).await? {
                let rows = rows.remove(&held.id).unwrap_or_default();
                let wanted = rows.iter().map(|it| it.container.clone()).collect();
                bays.push(Bay { held, wanted, rows });
            }
            let act = Act { at: kept.moment(act.at), ..act.clone() };
            let (snapped, at) =
                settling::settle(&mut tx, organisation, &act, &source, &kept.id, bays, false)
                    .await?;
            let sql = "UPDATE runtimes SET changed_at = $2 WHERE id = $1";
            tx.run(sql, values![&kept.id, at]).await?;
            tx.commit().await?;
            pending.extend(snapped.pending);
        }
        Ok(pending)
    }

    /// Forgets a runtime. What it said that runs has ended.
    pub async fn remove_runtime(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        runtime: &str,
    ) -> Result<Vec<Deployment>, Error> {
        let name = names::cleaned("runtime", runtime)?;
        let mut tx = self.db.write().await?;
        let Some(kept) = Kept::find(&mut tx, organisation, &name).await? else {
            return Err(list::none(&mut tx, organisation, name).await?);
        };
        let source = Source::Runtime(name);
        let affected = environments_of(&mut tx, organisation, &kept.id, &source).await?;
        let mut ended = Vec::new();
        for held in hold_all(&mut tx, &affected).await? {
            let running = settling::running(&mut tx, organisation, &held, &source).await?;
            derived::runs_more(&mut tx, &held.id, fewer(running.len())).await?;
            for deployment in running {
                let why = Some("its runtime was removed");
                let ending =
                    deployments::end_because(&mut tx, organisation, act, &held, deployment, why);
                ended.push(ending.await?);
            }
        }
        tx.run("DELETE FROM runtimes WHERE id = $1", values![&kept.id]).await?;
        tx.commit().await?;
        self.db.scrub().await;
        Ok(ended)
    }

    /// Tells of runtimes that were not heard of for too long, each once. Says which. Before `since`
    /// nobody may have listened, so that a runtime was not silent for that.
    pub async fn fall_silent(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        since: Moment,
    ) -> Result<Vec<String>, Error> {
        let sql = "SELECT id, heard_at, every FROM runtimes
                   WHERE organisation = $1 AND silent_since IS NULL ORDER BY name";
        let mut silent = Vec::new();
        for row in self.db.rows(sql, values![&organisation.0]).await? {
            if !is_silent(row.moment("heard_at")?.max(since), every(&row)?, act.at) {
                continue;
            }
            let mut tx = self.db.write().await?;
            let Some(kept) = Kept::hold(&mut tx, row.word("id")?).await? else { continue };
            if kept.silent_since.is_some() || !is_silent(kept.heard.max(since), kept.every, act.at)
            {
                continue;
            }
            let sql = "UPDATE runtimes SET silent_since = heard_at WHERE id = $1";
            tx.run(sql, values![&kept.id]).await?;
            let environments = list::environments(&mut tx, &kept.id).await?;
            let detail = json!({
                "heard": kept.heard.to_string(),
                "every": kept.every,
                "environments": environments,
            });
            let note = events::Note::new(EventKind::RuntimeSilent, &kept.name).detail(detail);
            note.write(&mut tx, organisation, act).await?;
            tx.commit().await?;
            silent.push(kept.name);
        }
        Ok(silent)
    }
}

/// What was told, by the one spelling of each environment's name.
fn told(snapshot: &Snapshot) -> Result<BTreeMap<String, Vec<Container>>, Error> {
    let mut told: BTreeMap<String, Vec<Container>> = BTreeMap::new();
    for it in &snapshot.environments {
        let name = names::cleaned("environment", &it.environment)?;
        for container in &it.running {
            if let Some(platform) = &container.platform {
                deployments::platform_key(platform)?;
            }
            if let Some(repository) = &container.repository {
                names::repository(repository)?;
            }
        }
        told.entry(name).or_default().extend(it.running.iter().cloned());
    }
    Ok(told)
}

/// What is told, and what was told before of workloads that nothing is told of now: it may run on, out of
/// sight.
fn with_unseen(told: &[Container], rows: &[settling::Row]) -> Vec<Container> {
    let seen: BTreeSet<_> = told.iter().map(|it| &it.workload).collect();
    let unseen = rows.iter().map(|it| &it.container).filter(|it| !seen.contains(&it.workload));
    let mut all: Vec<Container> = told.iter().chain(unseen).cloned().collect();
    all.sort();
    all
}

/// The environments that a runtime names, or runs something in, by id.
async fn environments_of(
    tx: &mut Tx,
    organisation: &OrganisationId,
    runtime: &str,
    source: &Source,
) -> Result<BTreeSet<String>, Error> {
    let sql = "SELECT environment FROM runtime_environments WHERE runtime = $1
               UNION SELECT environment FROM deployments
               WHERE organisation = $2 AND slot = $3 AND until_at IS NULL AND slot <> ''";
    let rows = tx.rows(sql, values![runtime, &organisation.0, source.to_string()]).await?;
    rows.iter().map(|it| it.text("environment")).collect()
}

/// Holds environments, by their ids, as all who hold several do: names change hands.
async fn hold_all(tx: &mut Tx, ids: &BTreeSet<String>) -> Result<Vec<Held>, Error> {
    let mut held = Vec::with_capacity(ids.len());
    for id in ids {
        // One that is deleted meanwhile takes along what ran there.
        held.extend(environments::hold_by_id(tx, id).await?);
    }
    held.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(held)
}

/// Remembers by which names the runtime calls its environments.
async fn call(
    tx: &mut Tx,
    runtime: &str,
    named: &BTreeMap<String, (String, Vec<Container>)>,
    is_whole: bool,
) -> Result<(), Error> {
    let sql = "SELECT environment, called FROM runtime_environments WHERE runtime = $1";
    let mut before: BTreeMap<String, String> = BTreeMap::new();
    for row in tx.rows(sql, values![runtime]).await? {
        before.insert(row.text("environment")?, row.text("called")?);
    }
    for (id, (called, _)) in named {
        if before.remove(id).as_ref() != Some(called) {
            let sql = "INSERT INTO runtime_environments (runtime, environment, called)
                       VALUES ($1, $2, $3)
                       ON CONFLICT (runtime, environment) DO UPDATE SET called = excluded.called";
            tx.run(sql, values![runtime, id, called]).await?;
        }
    }
    if is_whole {
        for id in before.into_keys() {
            let sql = "DELETE FROM runtime_environments WHERE runtime = $1 AND environment = $2";
            tx.run(sql, values![runtime, id]).await?;
        }
    }
    Ok(())
}

/// Somebody else changed what runs in an environment, or is about to: whoever reports it is to tell anew
/// what is true. It is asked before the environment is held.
pub(crate) async fn ask_anew(tx: &mut Tx, environment: &str, now: Moment) -> Result<(), Error> {
    // In one order, so that two who do so do not wait for each other.
    let sql = format!(
        "SELECT id FROM runtimes
         WHERE id IN (SELECT runtime FROM runtime_environments WHERE environment = $1)
         ORDER BY id {}",
        tx.holding()
    );
    for row in tx.rows(sql, values![environment]).await? {
        let sql = "UPDATE runtimes SET mark = '', changed_at = CASE WHEN changed_at < $2 THEN $2
                          ELSE changed_at END
                   WHERE id = $1";
        tx.run(sql, values![row.text("id")?, now]).await?;
    }
    Ok(())
}

fn every(row: &Row) -> Result<u32, Error> {
    Ok(u32::try_from(row.int("every")?).unwrap_or(u32::MAX))
}

fn fewer(count: usize) -> i64 {
    0_i64.saturating_sub_unsigned(count as u64)
}

/// A new name of a runtime.
fn id() -> String {
    new_id()
}
