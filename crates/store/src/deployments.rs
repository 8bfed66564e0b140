//! Deployments: which image runs in which environment, since when, and what ran before.

mod list;
mod record;

use std::collections::BTreeMap;

use model::{Act, Deployment, Digest, EventKind, OrganisationId, Platform, Recording, Source};
use serde_json::json;

use crate::contract::{Change, Error, Recorded, Reported, Selection};
use crate::db::{Query, Row, Tx, values};
use crate::environments::{self, Held};
use crate::{Store, derived, events, names, runtimes};
pub(crate) use record::platform_key;
use record::{Draft, put};

macro_rules! columns {
    () => {
        "d.id, e.name AS environment, d.slot, d.application, d.platform, d.repository, d.tag,
         d.digest, d.source, d.recorded_by, d.recorded_from, d.from_at, d.until_at,
         i.state AS state"
    };
}
/// What is read of a deployment `d` in an environment `e`, of an image `i`.
pub(crate) const COLUMNS: &str = columns!();
/// The same, but for which.
pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM deployments d
      JOIN environments e ON e.id = d.environment
      LEFT JOIN images i ON i.organisation = d.organisation AND i.digest = d.digest"
);

impl Store {
    /// Records that an image runs now.
    ///
    /// What ran under the same application and platform is superseded and becomes history; the
    /// same image under the same name again changes nothing. An image nobody has analysed is
    /// recorded as pending.
    pub async fn record(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        environment: &str,
        source: &Source,
        recording: &Recording,
    ) -> Result<Recorded, Error> {
        let recordings = std::slice::from_ref(recording);
        let all = self.record_all(organisation, act, environment, source, recordings).await?;
        Ok(all.into_iter().next().expect("one recording has one outcome"))
    }

    /// Records several images at once: all of them, or none.
    ///
    /// A runtime's source is refused here: it reports all that it runs.
    pub async fn record_all(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        environment: &str,
        source: &Source,
        recordings: &[Recording],
    ) -> Result<Vec<Recorded>, Error> {
        let to = To { environment, make: false };
        Ok(self.record_all_to(organisation, act, to, source, recordings).await?.0)
    }

    /// The same, to an environment that is made for it if there is none. Says whether it was.
    pub async fn record_all_anywhere(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        environment: &str,
        source: &Source,
        recordings: &[Recording],
    ) -> Result<(Vec<Recorded>, bool), Error> {
        let to = To { environment, make: true };
        self.record_all_to(organisation, act, to, source, recordings).await
    }

    async fn record_all_to(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        to: To<'_>,
        source: &Source,
        recordings: &[Recording],
    ) -> Result<(Vec<Recorded>, bool), Error> {
        if source.runtime().is_some() {
            return Err(Error::Refused {
                what: format!("recording by {source}"),
                why: "a runtime reports all it runs, not one image".to_owned(),
                hint: None,
            });
        }
        let drafts: Vec<Draft> =
            recordings.iter().map(|it| Draft::new(it, source)).collect::<Result<_, _>>()?;
        let mut tx = self.db.write().await?;
        let made = to.ready(&mut tx, organisation, act).await?;
        let held = environments::hold(&mut tx, organisation, to.environment).await?;
        let mut recorded = Vec::with_capacity(drafts.len());
        for draft in &drafts {
            recorded.push(put(&mut tx, organisation, act, &held, draft).await?);
        }
        derived::runs_more(&mut tx, &held.id, started(&recorded)).await?;
        tx.commit().await?;
        Ok((recorded, made))
    }

    /// Takes a runtime's word for all it runs in an environment.
    ///
    /// What it reported before and no more has ended; what others recorded is not touched. Where
    /// two images run under one application and platform, as they do while one replaces the other,
    /// the one that ran before keeps the name and the other has its digest added.
    pub async fn report(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        environment: &str,
        runtime: &str,
        recordings: &[Recording],
    ) -> Result<Reported, Error> {
        let source = Source::Runtime(names::cleaned("runtime", runtime)?);
        let drafts: Vec<Draft> =
            recordings.iter().map(|it| Draft::new(it, &source)).collect::<Result<_, _>>()?;
        let mut tx = self.db.write().await?;
        let id = environments::find_in(&mut tx, organisation, environment).await?;
        runtimes::ask_anew(&mut tx, &id, act.at).await?;
        let held = environments::hold(&mut tx, organisation, environment).await?;
        let sql =
            format!("{SELECT} WHERE d.environment = $1 AND d.slot = $2 AND d.until_at IS NULL");
        let rows = tx.rows(sql, values![&held.id, source.to_string()]).await?;
        let before: Vec<Deployment> = rows.iter().map(read).collect::<Result<_, _>>()?;
        let drafts = record::one_per_key(drafts, &before);
        let mut before: BTreeMap<(String, String), Deployment> = before
            .into_iter()
            .map(|it| ((it.application.clone(), it.platform.to_string()), it))
            .collect();
        let mut reported = Reported::default();
        for draft in &drafts {
            let key = (draft.application.clone(), draft.platform.clone());
            let recorded = match before.remove(&key) {
                Some(running) if draft.is(&running) => {
                    Recorded { deployment: running, change: Change::Unchanged }
                }
                _ => put(&mut tx, organisation, act, &held, draft).await?,
            };
            reported.running.push(recorded);
        }
        for deployment in before.into_values() {
            reported.ended.push(end(&mut tx, organisation, act, &held, deployment).await?);
        }
        let more = started(&reported.running).saturating_sub_unsigned(reported.ended.len() as u64);
        derived::runs_more(&mut tx, &held.id, more).await?;
        tx.commit().await?;
        Ok(reported)
    }

    /// Ends the deployments of an environment that are selected, whoever recorded them; nothing
    /// that fits is an error.
    pub async fn remove(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        environment: &str,
        selection: &Selection,
    ) -> Result<Vec<Deployment>, Error> {
        let mut tx = self.db.write().await?;
        let id = environments::find_in(&mut tx, organisation, environment).await?;
        runtimes::ask_anew(&mut tx, &id, act.at).await?;
        let held = environments::hold(&mut tx, organisation, environment).await?;
        let running = running(&mut tx, &held, selection).await?;
        if running.is_empty() {
            let sql = "SELECT DISTINCT application FROM deployments
                       WHERE environment = $1 AND until_at IS NULL ORDER BY application LIMIT 20";
            let rows = tx.rows(sql, values![&held.id]).await?;
            let among = rows.iter().map(|it| it.text("application")).collect::<Result<_, _>>()?;
            return Err(Error::NotFound { what: "deployment", name: told(selection), among });
        }
        let mut ended = Vec::with_capacity(running.len());
        for deployment in running {
            ended.push(end(&mut tx, organisation, act, &held, deployment).await?);
        }
        let more = 0_i64.saturating_sub_unsigned(ended.len() as u64);
        derived::runs_more(&mut tx, &held.id, more).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// Records in one environment what runs in another, as it is at one moment.
    ///
    /// Nothing ends that the other environment does not have. Where a runtime and somebody else
    /// tell of one application, the later word counts.
    pub async fn promote(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        from: &str,
        to: &str,
        source: &Source,
        selection: &Selection,
    ) -> Result<Vec<Recorded>, Error> {
        let to = To { environment: to, make: false };
        Ok(self.promote_to(organisation, act, from, to, source, selection).await?.0)
    }

    /// The same, to an environment that is made for it if there is none, and something is to run
    /// there. Says whether it was.
    pub async fn promote_anywhere(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        from: &str,
        to: &str,
        source: &Source,
        selection: &Selection,
    ) -> Result<(Vec<Recorded>, bool), Error> {
        let to = To { environment: to, make: true };
        self.promote_to(organisation, act, from, to, source, selection).await
    }

    async fn promote_to(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        from: &str,
        to: To<'_>,
        source: &Source,
        selection: &Selection,
    ) -> Result<(Vec<Recorded>, bool), Error> {
        let mut tx = self.db.write().await?;
        let made = to.ready(&mut tx, organisation, act).await?;
        let to = to.environment;
        let (from, to) = environments::hold_both(&mut tx, organisation, from, to).await?;
        let mut running = running(&mut tx, &from, selection).await?;
        if running.is_empty() {
            // Nor is an environment made for nothing.
            return Ok((Vec::new(), false));
        }
        running.sort_by(|left, right| {
            let key = |it: &Deployment| (it.application.clone(), it.platform.clone());
            (key(left), right.from).cmp(&(key(right), left.from))
        });
        running.dedup_by(|left, right| {
            (&left.application, &left.platform) == (&right.application, &right.platform)
        });
        let mut recorded = Vec::with_capacity(running.len());
        for deployment in running {
            let recording = Recording {
                application: Some(deployment.application),
                platform: deployment.platform,
                repository: deployment.repository,
                tag: deployment.tag,
                digest: deployment.digest,
            };
            let draft = Draft::new(&recording, source)?;
            recorded.push(put(&mut tx, organisation, act, &to, &draft).await?);
        }
        derived::runs_more(&mut tx, &to.id, started(&recorded)).await?;
        tx.commit().await?;
        Ok((recorded, made))
    }
}

/// The environment that something is recorded to.
struct To<'a> {
    environment: &'a str,
    /// It is made if there is none.
    make: bool,
}

impl To<'_> {
    /// Makes it, if that is so. Says whether it was made.
    async fn ready(
        &self,
        tx: &mut Tx,
        organisation: &OrganisationId,
        act: &Act,
    ) -> Result<bool, Error> {
        Ok(self.make && environments::ready(tx, organisation, act, self.environment).await?)
    }
}

/// How many of these run that did not before.
fn started(recorded: &[Recorded]) -> i64 {
    recorded.iter().map(|it| i64::from(it.change == Change::Started)).sum()
}

/// What runs in an environment that we hold, of what is selected.
async fn running(
    tx: &mut Tx,
    held: &Held,
    selection: &Selection,
) -> Result<Vec<Deployment>, Error> {
    let mut query = Query::new(SELECT, vec![]);
    query.with("WHERE d.until_at IS NULL AND d.environment = $?", &held.id);
    narrow(&mut query, selection);
    query.then("ORDER BY d.application, d.platform, d.slot");
    let (sql, values) = query.into_parts();
    tx.rows(sql, values).await?.iter().map(read).collect()
}

/// The clauses of a selection, but for its environment.
fn narrow(query: &mut Query, selection: &Selection) {
    if let Some(application) = &selection.application {
        query.with("AND d.application = $?", names::normal(application));
    }
    if let Some(repository) = &selection.repository {
        query.with("AND d.repository = $?", repository);
    }
    if let Some(tag) = &selection.tag {
        query.with("AND d.tag = $?", names::normal(tag));
    }
    if let Some(digest) = &selection.digest {
        query.with("AND d.digest = $?", digest.as_str());
    }
    if let Some(platform) = &selection.platform {
        query.with("AND d.platform = $?", platform.to_string());
    }
}

fn told(selection: &Selection) -> String {
    let digest = selection.digest.as_ref().map(Digest::to_string);
    let platform = selection.platform.as_ref().map(Platform::to_string);
    let said = [&selection.application, &selection.repository, &selection.tag, &digest, &platform];
    said.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// Ends a deployment, and says so.
async fn end(
    tx: &mut Tx,
    organisation: &OrganisationId,
    act: &Act,
    held: &Held,
    deployment: Deployment,
) -> Result<Deployment, Error> {
    end_because(tx, organisation, act, held, deployment, None).await
}

/// The same, with the reason where it is not that somebody said that it ended.
pub(crate) async fn end_because(
    tx: &mut Tx,
    organisation: &OrganisationId,
    act: &Act,
    held: &Held,
    mut deployment: Deployment,
    why: Option<&str>,
) -> Result<Deployment, Error> {
    // A clock that was set back ends nothing before it began.
    let until = act.at.max(deployment.from.next());
    let sql = "UPDATE deployments SET until_at = $2 WHERE id = $1";
    tx.run(sql, values![&deployment.id, until]).await?;
    deployment.until = Some(until);
    let mut detail = described(&deployment);
    if let Some(why) = why {
        detail["why"] = why.into();
    }
    let note = events::Note::new(EventKind::DeploymentEnded, &deployment.application);
    note.within(&held.id, &held.name).detail(detail).write(tx, organisation, act).await?;
    Ok(deployment)
}

/// A deployment as an event tells it.
pub(crate) fn described(deployment: &Deployment) -> serde_json::Value {
    json!({
        "deployment": deployment.id,
        "platform": deployment.platform.to_string(),
        "repository": deployment.repository,
        "tag": deployment.tag,
        "digest": deployment.digest,
        "source": deployment.source,
    })
}

/// A row of `SELECT`.
pub(crate) fn read(row: &Row) -> Result<Deployment, Error> {
    Ok(Deployment {
        id: row.text("id")?,
        environment: row.text("environment")?,
        application: row.text("application")?,
        platform: row.parsed("platform")?,
        repository: row.text("repository")?,
        tag: row.maybe_text("tag")?,
        digest: row.parsed("digest")?,
        source: row.parsed("source")?,
        recorded_by: row.text("recorded_by")?,
        recorded_from: row.text("recorded_from")?,
        from: row.moment("from_at")?,
        until: row.maybe_moment("until_at")?,
        pending: row.maybe_text("state")?.as_deref() != Some("analysed"),
    })
}
