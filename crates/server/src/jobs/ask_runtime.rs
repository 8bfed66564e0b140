//! A party that knows what runs in a cluster is asked, and what it says is taken as an agent's word.

use async_trait::async_trait;
use integration::watch::{Report, WatchError};
use integration::{Observed, Role, Runtime};
use model::{Act, Moment, OrganisationId};
use store::{IntegrationRecord, IntegrationState, NewJob};

use super::{Work, judge_policies, party};
use crate::app::App;
use crate::parties::{self, Party, connected};
use crate::routes::Making;
use crate::runtimes;

/// Asks one integration what runs.
pub(super) struct AskRuntime;

const KIND: &str = "ask_runtime";
/// Gaps that are told along with what runs.
const GAPS: usize = 100;

/// The job that asks an integration. There is one of it at a time.
pub(super) fn job(integration: &str, organisation: &OrganisationId, now: Moment) -> NewJob {
    party::job(KIND, (integration, organisation), now, now)
}

/// An integration was told something else: if it knows what runs, it is asked as soon as somebody has
/// time for it.
pub(crate) async fn soon(app: &App, record: &IntegrationRecord) -> Result<(), store::Error> {
    if !super::is_of(&record.kind, Role::Runtime) || app.reach.offline {
        return Ok(());
    }
    let now = app.now();
    app.store.look_now(&record.organisation, &[&record.id], now).await?;
    app.store.enqueue(&job(&record.id, &record.organisation, now)).await.map(|_| ())
}

/// Whoever told what runs is gone: nobody says any more that it does.
pub(crate) async fn forget(
    app: &App,
    record: &IntegrationRecord,
    act: &Act,
) -> Result<(), store::Error> {
    match app.store.remove_runtime(&record.organisation, act, &name(record)).await {
        // It never told anything.
        Err(store::Error::NotFound { .. }) => Ok(()),
        done => done.map(|_| ()),
    }
}

#[async_trait]
impl Work for AskRuntime {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn takes_long(&self) -> bool {
        true
    }

    async fn run(&self, app: &App, payload: &serde_json::Value) -> Result<(), String> {
        let told = |error: store::Error| error.to_string();
        let Some(record) = party::asked(app, payload).await? else { return Ok(()) };
        let began = app.now();
        if app.store.look_due(&record, began).await.map_err(told)?.is_none() {
            return Ok(());
        }
        let party = match connected(app, &record).await {
            Ok(party) => party,
            Err(why) => return party::is_away(app, KIND, &record, (began, why)).await,
        };
        let Some(runtime) = party.integration.runtime() else { return Ok(()) };
        ask(app, &record, &party, runtime, began).await
    }
}

async fn ask(
    app: &App,
    record: &IntegrationRecord,
    party: &Party,
    runtime: &dyn Runtime,
    began: Moment,
) -> Result<(), String> {
    let told = |error: store::Error| error.to_string();
    let (Some(cluster), Some(environment)) =
        (party.settings.text("cluster"), party.settings.text("environment"))
    else {
        // Somebody is about to choose: that says itself when it is told.
        let later = app.now().plus_seconds(party.interval());
        app.store.look_again(record, began, later).await.map_err(told)?;
        return became(app, record, IntegrationState::Pending).await;
    };
    let asked = observed(runtime, cluster).await;
    let outcome = match &asked {
        Ok(_) => Ok(Report::default()),
        Err(failure) => Err(WatchError::Failed(failure.clone())),
    };
    let mut rest = party.rhythm().rest(&outcome);
    let state = match asked {
        Err(failure) => IntegrationState::Failed { why: failure.to_string() },
        Ok(observed) => match take(app, record, party, environment, began, observed).await {
            Ok(but) => IntegrationState::Connected { but },
            Err(why) => {
                let failed =
                    integration::Failure::from(image::Error::unavailable("it", why.as_str()));
                rest = party.rhythm().rest(&Err(WatchError::Failed(failed)));
                IntegrationState::Failed { why }
            }
        },
    };
    let rest = i64::try_from(rest.as_secs()).unwrap_or(i64::MAX);
    app.store.look_again(record, began, app.now().plus_seconds(rest)).await.map_err(told)?;
    became(app, record, state).await
}

/// What runs there. Where nothing at all does, the party may know of no such cluster any more, and is
/// asked that; and where it does, it may have nobody there who looks, for whoever looks runs there, too.
async fn observed(runtime: &dyn Runtime, cluster: &str) -> Result<Observed, integration::Failure> {
    let mut observed = runtime.running().await?;
    if observed.containers.is_empty() && observed.gaps.is_empty() {
        if !runtime.clusters().await?.iter().any(|it| it == cluster) {
            let error = image::Error::not_found(cluster, "there is no cluster of that name");
            return Err(error.with_hint("foretop integration test lists those that are").into());
        }
        let why = "it tells of no container at all, so what was told before is held on to";
        observed.gaps.push(model::Gap::new(cluster, why));
    }
    Ok(observed)
}

/// Takes what it said for an agent's word. Says what is amiss, if anything is.
async fn take(
    app: &App,
    record: &IntegrationRecord,
    party: &Party,
    environment: &str,
    began: Moment,
    observed: Observed,
) -> Result<Option<String>, String> {
    let but = amiss(&observed);
    let every = u32::try_from(party.interval()).unwrap_or(u32::MAX);
    let registries = registries(app, &record.organisation).await?;
    let snapshot = snapshot(record, environment, every, began, &observed, &registries);
    let act = super::itself(app, KIND);
    let name = name(record);
    let organisation = &record.organisation;
    // What was asked before somebody told it otherwise says nothing of what it is told now.
    let now = app.store.integration_by_id(&record.id).await.map_err(|it| it.to_string())?;
    if now.is_none_or(|it| it.revision != record.revision) {
        return Ok(None);
    }
    let taken = runtimes::report(app, organisation, &act, &name, Making::Allowed, snapshot);
    taken.await.map_err(|refusal| refusal.0.detail)?;
    let is_all = observed.gaps.is_empty() && observed.unclear.is_empty();
    let (store, seen) = (&app.store, &observed.loaded);
    let kept = store.keep_in_use(organisation, &name, environment, began, seen, is_all);
    if kept.await.map_err(|error| error.to_string())? {
        judge_policies::soon(app, [organisation.clone()]).await?;
    }
    Ok(but)
}

/// The registries that this organisation speaks with.
async fn registries(
    app: &App,
    organisation: &OrganisationId,
) -> Result<Vec<IntegrationRecord>, String> {
    let all = app.store.integrations(organisation).await.map_err(|it| it.to_string())?;
    Ok(all.into_iter().filter(|it| super::is_of(&it.kind, Role::Registry)).collect())
}

/// By what name it is among the runtimes.
fn name(record: &IntegrationRecord) -> String {
    format!("{} {}", record.kind, record.name)
}

fn snapshot(
    record: &IntegrationRecord,
    environment: &str,
    every: u32,
    seen: Moment,
    observed: &Observed,
    registries: &[IntegrationRecord],
) -> api::Snapshot {
    // That something runs is no reason to read it: whoever wants that sets up its registry. Without its
    // name it is known by its digest alone, as soon as somebody has analysed it.
    let named = |image: &String| {
        let Ok(reference) = image.parse::<model::Reference>() else { return false };
        let repository = format!("{}/{}", reference.host, reference.repository);
        registries.iter().any(|it| parties::holds(it, &repository))
    };
    let running = observed.containers.iter().map(|it| api::RunningContainer {
        image: it.image.clone().filter(named).unwrap_or_else(|| it.digest.clone()),
        digest: it.digest.clone(),
        platform: None,
        workload: api::Workload {
            namespace: it.namespace.clone(),
            kind: it.kind.clone(),
            name: it.workload.clone(),
            container: it.name.clone(),
        },
    });
    let mut gaps: Vec<String> = observed.gaps.iter().map(ToString::to_string).collect();
    if gaps.len() > GAPS {
        let more = gaps.len() - GAPS + 1;
        gaps.truncate(GAPS - 1);
        gaps.push(format!("and {more} more"));
    }
    api::Snapshot {
        kind: record.kind.clone(),
        agent: record.id.clone(),
        seen: seen.to_string(),
        every,
        environments: vec![api::RunsIn {
            environment: environment.to_owned(),
            running: running.collect(),
        }],
        create: true,
        gaps,
    }
}

/// What could not be read, in a line.
fn amiss(observed: &Observed) -> Option<String> {
    let all: Vec<&model::Gap> = observed.gaps.iter().chain(&observed.unclear).collect();
    let first = all.first()?;
    Some(match all.len() {
        1 => format!("one thing could not be read: {first}"),
        more => format!("{more} things could not be read, the first of them {first}"),
    })
}

/// Takes note of whether it works.
async fn became(
    app: &App,
    record: &IntegrationRecord,
    state: IntegrationState,
) -> Result<(), String> {
    party::became(app, KIND, record, state).await.map_err(|error| error.to_string())
}
