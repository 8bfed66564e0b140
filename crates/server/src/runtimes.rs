//! What runtimes say that they run: taken, placed, and judged stale.

use std::collections::{BTreeMap, BTreeSet};

use api::{Berthed, RunningContainer, Sort, Workload};
use model::{Act, Deployment, Digest, Gap, Moment, OrganisationId, Source};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use store::{Container, KeptContainer, RunsIn, RuntimeRecord, Snapshot, Unplaced};

use crate::app::App;
use crate::named::{self, Named};
use crate::refusal::Refusal;
use crate::resolve;
use crate::routes::{Making, told};

/// The most of each that a snapshot may have.
const ENVIRONMENTS: usize = 1_000;
const CONTAINERS: usize = 20_000;
const GAPS: usize = 100;
/// Letters of a gap, and of a part of a workload's name.
const LONGEST: usize = 500;
const LONGEST_PART: usize = 253;
/// Seconds after which it is to be heard of again, at most.
const SELDOM: u32 = 86_400;

/// Takes a runtime's word for all that it runs, in each environment that it names: what it said before
/// and does not say now has ended, and images that nobody has read are to be read.
///
/// An integration says what it observed as an agent would: `agent` is the integration's id, `seen` the
/// time at which it asked. `making` says whether environments are made that there are none of.
pub(crate) async fn report(
    app: &App,
    organisation: &OrganisationId,
    act: &Act,
    runtime: &str,
    making: Making,
    snapshot: api::Snapshot,
) -> Result<api::Snapped, Refusal> {
    let snapshot = read(snapshot, making == Making::Allowed)?;
    let snapped = app.store.snap(organisation, act, runtime, &snapshot).await?;
    resolve::analyse_later(app, organisation, snapped.pending.iter()).await?;
    Ok(api::Snapped {
        started: snapped.started.into_iter().map(told).collect(),
        ended: snapped.ended.into_iter().map(api::Deployment::from).collect(),
        unchanged: snapped.unchanged,
        unplaced: snapped.unplaced,
        mark: snapshot.mark,
    })
}

/// Images are known by now that were not: those that runtimes told of by other digests are placed.
pub(crate) async fn place(app: &App, organisation: &OrganisationId) -> Result<(), Refusal> {
    let act =
        Act { who: "foretop".to_owned(), origin: "job place_images".to_owned(), at: app.now() };
    let pending = app.store.place_images(organisation, &act).await?;
    resolve::analyse_later(app, organisation, pending.iter()).await
}

/// Since when runtimes were not heard of, by name: those of which that is too long.
pub(crate) async fn silent(
    app: &App,
    organisation: &OrganisationId,
) -> Result<BTreeMap<String, Moment>, Refusal> {
    Ok(app.store.silent_runtimes(organisation, app.now()).await?)
}

/// What nobody can tell of an environment because of its runtimes.
#[derive(Default)]
pub(crate) struct Doubts {
    /// Of each, by its name: that it is silent, and what it could not see.
    holes: BTreeMap<String, Vec<Gap>>,
    /// What runs there and is no image that is known here, as if it were recorded.
    pub(crate) lost: Vec<Deployment>,
}

impl Doubts {
    pub(crate) async fn of(
        app: &App,
        organisation: &OrganisationId,
        environment: &str,
    ) -> Result<Self, Refusal> {
        let now = app.now();
        let mut doubts = Self::default();
        for it in app.store.all_runtimes(organisation, Some(environment)).await? {
            let at = format!("runtime {}", it.name);
            let holes = holes(&it, now).into_iter().chain(untold(&it, Some(environment)));
            let holes = holes.map(|why| Gap::new(at.clone(), why));
            doubts.holes.insert(it.name.clone(), holes.collect());
            doubts.lost.extend(it.unplaced.iter().map(|one| lost(&it, one)));
        }
        Ok(doubts)
    }

    /// Those about what runs as these deployments say.
    pub(crate) fn about(&self, deployments: &[Deployment]) -> Vec<Gap> {
        let names: BTreeSet<&str> =
            deployments.iter().filter_map(|it| it.source.runtime()).collect();
        names.into_iter().filter_map(|it| self.holes.get(it)).flatten().cloned().collect()
    }

    /// Each runtime of which something cannot be told, by its name, with what that is. They are about the
    /// environment as a whole: whoever is not seen may run there what nothing that is recorded tells.
    pub(crate) fn of_runtimes(&self) -> impl Iterator<Item = (&str, &[Gap])> {
        let some = self.holes.iter().filter(|(_, holes)| !holes.is_empty());
        some.map(|(name, holes)| (name.as_str(), holes.as_slice()))
    }

    /// Those about what runs as this source says.
    pub(crate) fn by(&self, source: &str) -> impl Iterator<Item = &Gap> {
        let name = source.strip_prefix("runtime:");
        name.and_then(|it| self.holes.get(it)).into_iter().flatten()
    }
}

/// What cannot be placed, as if it were recorded: by the digest that was told, of no repository.
fn lost(runtime: &RuntimeRecord, it: &Unplaced) -> Deployment {
    Deployment {
        id: String::new(),
        environment: it.environment.clone(),
        application: format!("unnamed#{}", it.workload.name),
        platform: resolve::usual(),
        repository: "unnamed".to_owned(),
        tag: None,
        digest: it.digest.clone(),
        source: Source::Runtime(runtime.name.clone()),
        recorded_by: String::new(),
        recorded_from: String::new(),
        from: runtime.heard,
        until: None,
        pending: true,
    }
}

/// What nobody can tell of what runs in environments because of their runtimes, and how many images
/// cannot be placed.
pub(crate) async fn unseen(
    app: &App,
    organisation: &OrganisationId,
    environments: &BTreeSet<&str>,
) -> Result<(Vec<Gap>, u64), Refusal> {
    let now = app.now();
    let (mut gaps, mut count) = (Vec::new(), 0);
    for it in app.store.all_runtimes(organisation, None).await? {
        for name in it.environments.iter().filter(|it| environments.contains(it.as_str())) {
            let at = format!("environment {name}");
            let holes = holes(&it, now);
            let told = |why| Gap::new(at.clone(), format!("runtime {}: {why}", it.name));
            gaps.extend(holes.into_iter().map(told));
            let here = it.lost.get(name).copied().unwrap_or_default();
            if here > 0 {
                let what = if here == 1 { "image" } else { "images" };
                let why = format!(
                    "runtime {} runs {here} {what} that nobody knows here: cannot tell",
                    it.name
                );
                gaps.push(Gap::new(at, why));
                count += here;
            }
        }
    }
    Ok((gaps, count))
}

/// How many images of each environment, by its name, cannot be placed, and how many holes there are.
pub(crate) async fn counts(
    app: &App,
    organisation: &OrganisationId,
) -> Result<BTreeMap<String, (u64, u64)>, store::Error> {
    let now = app.now();
    let mut counts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for it in app.store.all_runtimes(organisation, None).await? {
        let holes = holes(&it, now).len() as u64;
        for name in &it.environments {
            counts.entry(name.clone()).or_default().1 += holes;
        }
        for (name, lost) in it.lost {
            counts.entry(name).or_default().0 += lost;
        }
    }
    Ok(counts)
}

/// What nobody can tell of a runtime, but for what cannot be placed.
fn holes(it: &RuntimeRecord, now: Moment) -> Vec<String> {
    let mut holes = Vec::new();
    if it.is_stale(now) {
        holes.push(unheard(it.heard));
    }
    if it.differ && others(it, now).count() > 0 {
        holes
            .push("two agents report it, and they differ: the word of the first counts".to_owned());
    }
    holes.extend(it.gaps.iter().cloned());
    holes
}

/// That more cannot be placed than is listed, of that environment or of all.
fn untold(it: &RuntimeRecord, environment: Option<&str>) -> Option<String> {
    let meant = it.lost.iter().filter(|(name, _)| environment.is_none_or(|it| *name == it));
    let more = meant.map(|(_, lost)| lost).sum::<u64>().saturating_sub(it.unplaced.len() as u64);
    (more > 0).then(|| format!("{more} more images that nobody knows here run there: cannot tell"))
}

/// What it means that a runtime is silent.
pub(crate) fn unheard(heard: Moment) -> String {
    format!("it was not heard of since {heard}: what runs there may be something else by now")
}

/// The agents besides the one whose word counts, of late.
fn others(it: &RuntimeRecord, now: Moment) -> impl Iterator<Item = &String> {
    let since = now.plus_seconds(i64::from(it.every).saturating_mul(-3));
    it.agents.iter().skip(1).filter(move |(_, heard)| *heard >= since).map(|(name, _)| name)
}

/// In the words of the API, for whoever asks about that environment or about all.
pub(crate) fn word(it: RuntimeRecord, now: Moment, environment: Option<&str>) -> api::Runtime {
    let mut gaps = holes(&it, now);
    gaps.extend(untold(&it, environment));
    let agents = it.agents.first().map(|(name, _)| name).into_iter().chain(others(&it, now));
    api::Runtime {
        agents: agents.cloned().collect(),
        stale: it.is_stale(now),
        heard: it.heard.to_string(),
        every: it.every,
        environments: it.environments,
        running: it.running,
        gaps,
        unplaced: it.unplaced.into_iter().map(unplaced).collect(),
        name: it.name,
        kind: it.kind,
    }
}

fn unplaced(it: Unplaced) -> api::Unplaced {
    api::Unplaced {
        environment: it.environment,
        digest: it.digest.to_string(),
        image: it.image,
        workload: workload(it.workload),
        containers: it.containers,
    }
}

fn workload(it: store::Workload) -> Workload {
    let store::Workload { name, container, kind, namespace } = it;
    Workload { namespace, kind, name, container }
}

/// A container in the words of the API.
pub(crate) fn berthed(it: KeptContainer) -> Berthed {
    let Container { workload: of, image, digest, platform, .. } = it.container;
    Berthed {
        environment: it.environment,
        workload: workload(of),
        image,
        digest: digest.to_string(),
        platform: platform.map(|it| it.to_string()),
        application: it.application,
        placed: it.placed.map(|it| it.to_string()),
    }
}

/// What somebody sends as a snapshot, as it is kept, or why it is not: for whoever tries junk on it.
pub fn snapshot(body: &[u8]) -> Result<Snapshot, String> {
    let sent = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    read(sent, false).map_err(|refusal| refusal.0.detail)
}

/// A snapshot, looked through.
fn read(sent: api::Snapshot, make: bool) -> Result<Snapshot, Refusal> {
    let refused = |why: String| Refusal::from(Sort::Refused.because(why));
    let most = |what: &str, count: usize, most: usize| {
        if count <= most {
            return Ok(());
        }
        Err(refused(format!("{what}: {most} at most, not {count}")))
    };
    most("environments", sent.environments.len(), ENVIRONMENTS)?;
    most("gaps", sent.gaps.len(), GAPS)?;
    if !(1..=SELDOM).contains(&sent.every) {
        return Err(refused(format!("every: from 1 to {SELDOM} seconds, not {}", sent.every)));
    }
    if sent.agent.trim().is_empty() || sent.kind.trim().is_empty() {
        return Err(refused(
            "agent and kind: say who reports, and what kind of runtime".to_owned(),
        ));
    }
    let mut environments = Vec::with_capacity(sent.environments.len());
    for it in sent.environments {
        most("running", it.running.len(), CONTAINERS)?;
        let mut running: Vec<Container> =
            it.running.into_iter().map(container).collect::<Result<_, _>>()?;
        running.sort();
        running.dedup();
        environments.push(RunsIn { environment: it.environment, running });
    }
    environments.sort_by(|left, right| left.environment.cmp(&right.environment));
    let mut gaps: Vec<String> = sent.gaps.iter().map(|it| cut(it, LONGEST)).collect();
    gaps.sort();
    gaps.dedup();
    let mark = mark(&sent.kind, &environments, &gaps);
    Ok(Snapshot {
        seen: named::moment("seen", &sent.seen)?,
        kind: cut(&sent.kind, LONGEST_PART),
        agent: sent.agent,
        every: sent.every,
        mark,
        environments,
        make,
        gaps,
    })
}

fn container(it: RunningContainer) -> Result<Container, Refusal> {
    let Workload { namespace, kind, name, container } = it.workload;
    let [namespace, kind, name, container] =
        [namespace, kind, name, container].map(|it| cut(&it, LONGEST_PART));
    let digest: Digest = it.digest.parse().map_err(|error| {
        Refusal::malformed("digest", format!("{error}, of {namespace}/{name}/{container}"))
    })?;
    // What is no name of an image is kept as it is told, and says nothing of where it was taken from.
    let named = Named::read(&it.image).ok().filter(|_| it.image.parse::<Digest>().is_err());
    Ok(Container {
        workload: store::Workload { name, container, kind, namespace },
        image: cut(&it.image, LONGEST),
        tag: named.as_ref().and_then(|it| it.tag.clone()),
        repository: named.map(|it| it.repository),
        digest,
        platform: it.platform.as_deref().map(named::platform).transpose()?,
    })
}

/// What can be shown of a text, so many letters at most.
fn cut(text: &str, most: usize) -> String {
    text.trim().chars().filter(|it| !it.is_control()).take(most).collect()
}

/// The same for the same things told, and for others another.
fn mark(kind: &str, environments: &[RunsIn], gaps: &[String]) -> String {
    let mut sum = Sha256::new();
    // A line of JSON each, so that nothing that is told can look like something else.
    let mut line = |it: serde_json::Value| sum.update(format!("{it}\n"));
    line(json!([kind, gaps]));
    for it in environments {
        line(json!([it.environment, it.running.len()]));
        for container in &it.running {
            line(container.canonical().into());
        }
    }
    let sum: [u8; 32] = sum.finalize().into();
    Digest::from_sha256(&sum).hex().to_owned()
}
