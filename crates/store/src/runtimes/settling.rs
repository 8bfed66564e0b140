//! What a runtime told becomes what runs: which image each container is, as which application, and what
//! that changes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use model::{Act, Deployment, Digest, EventKind, Moment, OrganisationId, Source};
use serde_json::{Value as Json, json};

use super::naming::{self, Told};
use super::resolving::{Known, Placement};
use crate::contract::{Change, Container, Error, Recorded, Snapped, Workload};
use crate::db::{Query, Tx, Value, placeholders, runs, values};
use crate::deployments::{SELECT, described, platform_key, read};
use crate::environments::Held;
use crate::{derived, events, names, new_id};

/// An environment that a runtime runs something in.
pub(super) struct Bay {
    pub(super) held: Held,
    /// What is to run there.
    pub(super) wanted: Vec<Container>,
    /// What was told before.
    pub(super) rows: Vec<Row>,
}

/// What is to run, by application and platform.
type Drafts = BTreeMap<(String, String), Draft>;

/// A container as it is kept.
#[derive(Clone)]
pub(super) struct Row {
    key: String,
    pub(super) container: Container,
    application: Option<String>,
    placed: Option<String>,
}

/// What is to run under an application's name, for a platform.
struct Draft {
    placement: Placement,
    tags: BTreeSet<Option<String>>,
    /// By which digests it was told.
    told: BTreeSet<Digest>,
}

/// What happened, to be told.
struct Happening {
    kind: EventKind,
    bay: usize,
    about: String,
    detail: Json,
}

/// Has run in these environments, which we hold, what is wanted there. What runs besides has ended; or,
/// where not all was seen, only what was told of before by what is told otherwise now. Says what that
/// changed, and up to which moment.
pub(super) async fn settle(
    tx: &mut Tx,
    organisation: &OrganisationId,
    act: &Act,
    source: &Source,
    runtime: &str,
    bays: Vec<Bay>,
    is_whole: bool,
) -> Result<(Snapped, Moment), Error> {
    let mut before = Vec::with_capacity(bays.len());
    for bay in &bays {
        before.push(running(tx, organisation, &bay.held, source).await?);
    }
    let at = before.iter().flatten().map(|it| it.from.next()).fold(act.at, Moment::max);
    let act = Act { at, ..act.clone() };
    let told = bays.iter().flat_map(|it| it.wanted.iter().map(|it| &it.digest));
    let ran = before.iter().flatten().map(|it| &it.digest);
    let known = Known::of(tx, organisation, &told.chain(ran).collect()).await?;
    let mut change = Changing::new(act, source, known);
    for (index, (bay, before)) in bays.iter().zip(before).enumerate() {
        let more = change.bay(index, bay, before, is_whole)?;
        keep_rows(tx, runtime, &bay.held, &bay.rows, &more.rows).await?;
        derived::runs_more(tx, &bay.held.id, more.runs).await?;
    }
    change.write(tx, organisation, &bays).await?;
    change.snapped.unplaced = change.unplaced.len() as u64;
    Ok((change.snapped, at))
}

/// What came of one environment.
struct More {
    rows: Vec<Row>,
    /// So many more run there.
    runs: i64,
}

struct Changing<'a> {
    act: Act,
    source: &'a Source,
    known: Known,
    snapped: Snapped,
    unplaced: HashSet<String>,
    /// Deployments to be written: of which environment, by which platform, of which image.
    new: Vec<(usize, Deployment, String, Option<i64>)>,
    ended: Vec<String>,
    /// Those whose image is known by its own digest now.
    found: Vec<(String, Digest, Option<i64>)>,
    told: Vec<Happening>,
}

impl<'a> Changing<'a> {
    fn new(act: Act, source: &'a Source, known: Known) -> Self {
        Self {
            act,
            source,
            known,
            snapped: Snapped::default(),
            unplaced: HashSet::new(),
            new: Vec::new(),
            ended: Vec::new(),
            found: Vec::new(),
            told: Vec::new(),
        }
    }

    fn bay(
        &mut self,
        index: usize,
        bay: &Bay,
        before: Vec<Deployment>,
        is_whole: bool,
    ) -> Result<More, Error> {
        let (drafts, rows) = self.drafts(bay, &before)?;
        let mut before: BTreeMap<(String, String), Deployment> = before
            .into_iter()
            .map(|it| ((it.application.clone(), it.platform.to_string()), it))
            .collect();
        let mut more = More { rows, runs: 0 };
        for ((application, platform), draft) in drafts {
            let running = before.remove(&(application.clone(), platform.clone()));
            self.draft(index, bay, (application, platform), draft, running, &mut more);
        }
        let known: HashSet<&str> =
            bay.rows.iter().filter_map(|it| it.application.as_deref()).collect();
        for deployment in before.into_values() {
            if is_whole || known.contains(deployment.application.as_str()) {
                more.runs -= 1;
                self.end(index, deployment);
            }
        }
        Ok(more)
    }

    /// What is to run in an environment, by application and platform; and what is to be kept of it.
    fn drafts(&mut self, bay: &Bay, before: &[Deployment]) -> Result<(Drafts, Vec<Row>), Error> {
        let placed: Vec<Option<(Placement, String)>> = bay
            .wanted
            .iter()
            .map(|it| {
                let placement = self.known.place(it);
                placement.map(|it| Ok((platform_key(&it.platform)?, it))).transpose()
            })
            .map(|it| it.map(|it| it.map(|(key, placement)| (placement, key))))
            .collect::<Result<_, Error>>()?;
        // What runs by a digest that is known to be another's by now counts as that one.
        let running: HashMap<(&str, String), &Digest> = before
            .iter()
            .map(|it| {
                let digest = self.known.now(&it.digest, &it.platform).unwrap_or(&it.digest);
                ((it.application.as_str(), it.platform.to_string()), digest)
            })
            .collect();
        let held: HashMap<&Workload, &str> = bay
            .rows
            .iter()
            .filter_map(|it| Some((&it.container.workload, it.application.as_deref()?)))
            .collect();
        let told: Vec<Told<'_>> = bay
            .wanted
            .iter()
            .zip(&placed)
            .filter_map(|(it, placed)| {
                let (placement, platform) = placed.as_ref()?;
                Some(Told {
                    workload: &it.workload,
                    repository: &placement.repository,
                    platform,
                    digest: &placement.digest,
                    held: held.get(&it.workload).copied(),
                })
            })
            .collect();
        let names = naming::applications(&told, |application, platform| {
            running.get(&(application, platform.to_owned())).copied()
        });
        let mut names = names.into_iter();
        let mut drafts = Drafts::new();
        let mut rows = Vec::with_capacity(bay.wanted.len());
        for (container, placed) in bay.wanted.iter().zip(placed) {
            let mut row = Row {
                key: key(container),
                container: container.clone(),
                application: None,
                placed: None,
            };
            if let Some((placement, platform)) = placed {
                let mut application = names.next().unwrap_or_default();
                row.placed = Some(placement.digest.to_string());
                let is_other = |it: &Draft| it.placement.digest != placement.digest;
                if drafts.get(&(application.clone(), platform.clone())).is_some_and(is_other) {
                    // Two digests that begin alike.
                    application = format!("{application}@{}", placement.digest.hex());
                }
                row.application = Some(application.clone());
                let tag = placement.tag.clone();
                let draft = drafts.entry((application, platform)).or_insert_with(|| Draft {
                    placement,
                    tags: BTreeSet::new(),
                    told: BTreeSet::new(),
                });
                draft.tags.insert(tag);
                draft.told.insert(container.digest.clone());
            } else {
                self.unplaced.insert(container.digest.to_string());
            }
            rows.push(row);
        }
        Ok((drafts, rows))
    }

    fn draft(
        &mut self,
        index: usize,
        bay: &Bay,
        (application, platform): (String, String),
        draft: Draft,
        running: Option<Deployment>,
        more: &mut More,
    ) {
        let Draft { placement, tags, told } = draft;
        let same_name =
            |it: &Deployment| it.repository == placement.repository && tags.contains(&it.tag);
        if let Some(mut it) = running.clone().filter(same_name) {
            if it.digest == placement.digest {
                self.snapped.unchanged += 1;
                return;
            }
            if told.contains(&it.digest) {
                // It is the same image, whose own digest is known by now.
                self.found.push((it.id.clone(), placement.digest.clone(), placement.image));
                let detail = json!({
                    "deployment": it.id,
                    "platform": platform,
                    "repository": it.repository,
                    "tag": it.tag,
                    "digest": placement.digest,
                    "told": it.digest,
                });
                let kind = EventKind::DeploymentIdentified;
                self.told.push(Happening {
                    kind,
                    bay: index,
                    about: it.application.clone(),
                    detail,
                });
                it.digest = placement.digest;
                self.snapped.unchanged += 1;
                return;
            }
        }
        let deployment = Deployment {
            id: new_id(),
            environment: bay.held.name.clone(),
            application,
            platform: placement.platform,
            repository: placement.repository,
            // A tag tells most; of several the first will do.
            tag: tags.into_iter().flatten().next(),
            digest: placement.digest,
            source: self.source.clone(),
            recorded_by: names::told(&self.act.who),
            recorded_from: names::told(&self.act.origin),
            from: self.act.at,
            until: None,
            pending: placement.image.is_none(),
        };
        let mut detail = described(&deployment);
        let (kind, change) = if let Some(mut former) = running {
            former.until = Some(self.act.at);
            self.ended.push(former.id.clone());
            detail["replaced"] = described(&former);
            (EventKind::DeploymentReplaced, Change::Replaced(Box::new(former)))
        } else {
            more.runs += 1;
            (EventKind::DeploymentStarted, Change::Started)
        };
        self.told.push(Happening {
            kind,
            bay: index,
            about: deployment.application.clone(),
            detail,
        });
        if deployment.pending {
            self.snapped.pending.push(deployment.clone());
        }
        self.snapped.started.push(Recorded { deployment: deployment.clone(), change });
        self.new.push((index, deployment, platform, placement.image));
    }

    fn end(&mut self, index: usize, mut deployment: Deployment) {
        deployment.until = Some(self.act.at);
        self.ended.push(deployment.id.clone());
        let detail = described(&deployment);
        let about = deployment.application.clone();
        self.told.push(Happening { kind: EventKind::DeploymentEnded, bay: index, about, detail });
        self.snapped.ended.push(deployment);
    }

    async fn write(
        &self,
        tx: &mut Tx,
        organisation: &OrganisationId,
        bays: &[Bay],
    ) -> Result<(), Error> {
        for run in runs(&self.ended) {
            let mut query = Query::new("UPDATE deployments SET until_at =", vec![]);
            query.with("$?", self.act.at);
            query.with_all("WHERE id IN $?", run);
            let (sql, values) = query.into_parts();
            tx.run(sql, values).await?;
        }
        for (id, digest, image) in &self.found {
            let sql = "UPDATE deployments SET digest = $2, analysed = $3 WHERE id = $1";
            tx.run(sql, values![id, digest.as_str(), *image]).await?;
        }
        for run in runs(&self.new) {
            let list = placeholders(0, run.len(), 15);
            let sql = format!(
                "INSERT INTO deployments (id, organisation, environment, slot, application,
                                          platform, repository, tag, digest, source, recorded_by,
                                          recorded_from, from_at, until_at, analysed)
                 VALUES {list} ON CONFLICT (id) DO NOTHING"
            );
            let values = run.iter().flat_map(|(bay, it, platform, image)| {
                values![
                    &it.id,
                    &organisation.0,
                    bays.get(*bay).map(|it| it.held.id.as_str()),
                    it.source.to_string(),
                    &it.application,
                    platform,
                    &it.repository,
                    it.tag.as_deref(),
                    it.digest.as_str(),
                    it.source.to_string(),
                    &it.recorded_by,
                    &it.recorded_from,
                    it.from,
                    None::<i64>,
                    *image,
                ]
            });
            let values: Vec<Value> = values.collect();
            tx.run(sql, values).await?;
        }
        let notes: Vec<events::Note<'_>> = self
            .told
            .iter()
            .filter_map(|it| {
                let held = &bays.get(it.bay)?.held;
                let note = events::Note::new(it.kind, &it.about).within(&held.id, &held.name);
                Some(note.detail(it.detail.clone()))
            })
            .collect();
        events::write_all(tx, organisation, &self.act, &notes).await
    }
}

/// What runs in an environment that we hold, as a runtime said.
pub(super) async fn running(
    tx: &mut Tx,
    organisation: &OrganisationId,
    held: &Held,
    source: &Source,
) -> Result<Vec<Deployment>, Error> {
    let sql = format!(
        "{SELECT} WHERE d.organisation = $1 AND d.slot = $2 AND d.environment = $3
         AND d.until_at IS NULL AND d.slot <> '' ORDER BY d.application, d.platform"
    );
    let rows = tx.rows(sql, values![&organisation.0, source.to_string(), &held.id]).await?;
    rows.iter().map(read).collect()
}

/// All that a runtime told of before, by the environments' ids.
pub(super) async fn rows(tx: &mut Tx, runtime: &str) -> Result<BTreeMap<String, Vec<Row>>, Error> {
    let sql =
        "SELECT environment, key, namespace, kind, workload, container, image, repository, tag,
                      digest, platform, application, placed
               FROM runtime_containers WHERE runtime = $1 ORDER BY environment, key";
    let mut all: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in &tx.rows(sql, values![runtime]).await? {
        let kept = Row {
            key: row.text("key")?,
            container: super::list::container(row)?,
            application: row.maybe_text("application")?,
            placed: row.maybe_text("placed")?,
        };
        all.entry(row.text("environment")?).or_default().push(kept);
    }
    Ok(all)
}

/// Keeps what was told of an environment, and writes no more than what is different.
async fn keep_rows(
    tx: &mut Tx,
    runtime: &str,
    held: &Held,
    before: &[Row],
    now: &[Row],
) -> Result<(), Error> {
    let same = |left: &Row, right: &Row| {
        (&left.application, &left.placed) == (&right.application, &right.placed)
    };
    // Told twice, it is there once.
    let mut new: BTreeMap<&str, &Row> = now.iter().map(|it| (it.key.as_str(), it)).collect();
    let mut gone: BTreeMap<&str, &Row> = before.iter().map(|it| (it.key.as_str(), it)).collect();
    gone.retain(|key, former| {
        let is_same = new.get(key).is_some_and(|it| same(former, it));
        if is_same {
            new.remove(key);
        }
        !is_same
    });
    for run in runs(&gone.into_keys().collect::<Vec<_>>()) {
        let mut query = Query::new("DELETE FROM runtime_containers WHERE", vec![]);
        query.with("runtime = $?", runtime);
        query.with("AND environment = $?", &held.id);
        query.with_all("AND key IN $?", run);
        let (sql, values) = query.into_parts();
        tx.run(sql, values).await?;
    }
    let new: Vec<&Row> = new.into_values().collect();
    for run in runs(&new) {
        let list = placeholders(0, run.len(), 14);
        let sql = format!(
            "INSERT INTO runtime_containers
                 (runtime, environment, key, namespace, kind, workload, container, image, repository,
                  tag, digest, platform, application, placed)
             VALUES {list} ON CONFLICT (runtime, environment, key) DO NOTHING"
        );
        let values = run.iter().flat_map(|it| {
            let Container { workload, image, repository, tag, digest, platform } = &it.container;
            values![
                runtime,
                &held.id,
                &it.key,
                &workload.namespace,
                &workload.kind,
                &workload.name,
                &workload.container,
                image,
                repository.as_deref(),
                tag.as_deref(),
                digest.as_str(),
                platform.as_ref().map(ToString::to_string),
                it.application.as_deref(),
                it.placed.as_deref(),
            ]
        });
        let values: Vec<Value> = values.collect();
        tx.run(sql, values).await?;
    }
    Ok(())
}

/// By what a container is told from others.
fn key(it: &Container) -> String {
    naming::sum(&it.canonical())
}
