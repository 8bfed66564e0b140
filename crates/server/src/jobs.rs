//! Jobs: what is done when nobody waits for it. Each is done by whoever claims it first, and again by
//! somebody else when they are not heard of any more.

mod analyse_image;
mod ask_runtime;
mod attend;
mod check;
mod count_environments;
mod deliver;
mod expire;
mod expire_exceptions;
mod find_due_runtimes;
mod find_pending;
mod judge_freshness;
mod judge_policies;
mod look_at_registries;
mod look_at_runtimes;
mod look_out;
mod organisations;
mod party;
mod rematch;
mod resolve_tags;
mod tell;
mod tidy;

use std::sync::Arc;
use std::time::Duration;

use api::Sort;
use async_trait::async_trait;
use model::{Act, OrganisationId};
use store::{Job, NewJob};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::App;
use crate::refusal::Refusal;

pub(crate) use ask_runtime::{forget as forget_runtime, soon as ask_soon};
pub(crate) use attend::{Looking, soon as look_soon};
pub(crate) use check::job as checking;
pub(crate) use deliver::{channel, tell_once};
#[cfg(test)]
pub(crate) use look_out::Outlook;
pub(crate) use tell::{ASKING, NEWS, hear, running_of, terms};

/// How long a job is ours before we have to say that we are still at it, in seconds.
const LEASE: u32 = 20;
/// How often we say so.
const SIGN: Duration = Duration::from_secs(5);
/// How long we wait when there is nothing to do.
const PAUSE: Duration = Duration::from_secs(1);
/// What somebody waits for is done so many at once.
const PROMPT: usize = 16;

/// Every kind of job. Adding one is its file, its `mod` line, and its entry here.
pub(crate) const ALL: &[&dyn Work] = &[
    &analyse_image::AnalyseImage,
    &attend::Attend,
    &check::Check,
    &judge_freshness::JudgeFreshness,
    &judge_policies::JudgePolicies,
    &look_at_registries::LookAtRegistries,
    &ask_runtime::AskRuntime,
    &find_due_runtimes::FindDueRuntimes,
    &look_at_runtimes::LookAtRuntimes,
    &rematch::Rematch,
    &count_environments::CountEnvironments,
    &find_pending::FindPending,
    &resolve_tags::ResolveTags,
    &tell::Tell,
    &deliver::Deliver,
    &tidy::Tidy,
    &expire::Expire,
    &expire_exceptions::ExpireExceptions,
];

/// A kind of job.
#[async_trait]
pub(crate) trait Work: Sync {
    /// What it is called, in the database too.
    fn kind(&self) -> &'static str;
    /// Seconds from one time to the next, if it is to be done again and again.
    fn every(&self) -> Option<u32> {
        None
    }
    /// Does it take long, or wait long for others? Then some of those who do jobs leave it to the rest, so
    /// that not all of them are at it.
    fn takes_long(&self) -> bool {
        false
    }
    /// Does somebody wait for it? Then it is done beside all other work, and none of that is in its way:
    /// reading a thousand images, or counting what is in them.
    fn is_prompt(&self) -> bool {
        false
    }
    /// Does it. Being done twice must do no harm: whoever did it first may have died before saying so.
    async fn run(&self, app: &App, payload: &serde_json::Value) -> Result<(), String>;
}

/// Has an organisation's environments counted before long: what is out of the way is another.
pub(crate) async fn count_soon(app: &App, organisation: &OrganisationId) -> Result<(), Refusal> {
    let counting = count_environments::soon(app, [organisation.clone()]).await;
    counting.map_err(|why| Refusal::from(Sort::Failed.because(why)))?;
    judge_soon(app, organisation).await
}

/// Has what runs in an organisation judged by policies before long: they, or exceptions, are others.
pub(crate) async fn judge_soon(app: &App, organisation: &OrganisationId) -> Result<(), Refusal> {
    let judging = judge_policies::soon(app, [organisation.clone()]).await;
    judging.map_err(|why| Sort::Failed.because(why).into())
}

/// The job that looks into what an integration told.
pub(crate) fn attending(record: &store::IntegrationRecord, now: model::Moment) -> NewJob {
    attend::job(&record.id, &record.organisation, now, now)
}

/// Does a job of that kind now.
#[cfg(test)]
pub(crate) async fn do_once(app: &App, kind: &str) -> Result<(), String> {
    let work = ALL.iter().find(|it| it.kind() == kind).ok_or("there is no such job")?;
    work.run(app, &serde_json::Value::Null).await
}

/// Has told what is due by now.
#[cfg(test)]
pub(crate) async fn deliver_soon(app: &App) -> Result<(), store::Error> {
    deliver::soon(app).await
}

/// Attends to an integration, for so long.
#[cfg(test)]
pub(crate) async fn attend_for(
    app: &App,
    record: &store::IntegrationRecord,
    time: Duration,
) -> Result<(), String> {
    attend::attend_for(app, record, time).await
}

/// Is a kind of integration one of those?
fn is_of(kind: &str, role: integration::Role) -> bool {
    integration::find(kind).is_some_and(|it| it.role == role)
}

/// The program itself, when nobody asked it.
pub(crate) fn itself(app: &App, job: &str) -> Act {
    Act { who: "foretop".to_owned(), origin: format!("job {job}"), at: app.now() }
}

/// Does jobs, so many at once, until told to stop; those begun are finished.
pub(crate) async fn work(app: App, workers: usize, stopped: watch::Receiver<bool>) {
    let mut working = Vec::new();
    for number in 0..hands(workers) {
        let kinds = kinds(number < patient(workers));
        working.push(tokio::spawn(one_after_another(app.clone(), kinds, stopped.clone())));
    }
    if workers > 0 {
        working.push(tokio::spawn(look_out::look_out(app.clone(), stopped.clone())));
        working.push(tokio::spawn(promptly(app.clone(), stopped.clone())));
        schedule(&app, stopped).await;
    }
    for worker in working {
        let _ = worker.await;
    }
}

/// How many do jobs. One alone has somebody beside it, for what does not take long.
fn hands(workers: usize) -> usize {
    if workers == 1 { 2 } else { workers }
}

/// How many of them also do what takes long: half of them, and never all.
fn patient(workers: usize) -> usize {
    (workers / 2).max(1)
}

/// What somebody does.
fn kinds(is_patient: bool) -> Vec<&'static str> {
    let all = ALL.iter().filter(|it| !it.is_prompt() && (is_patient || !it.takes_long()));
    all.map(|it| it.kind()).collect()
}

/// What is done beside all other work.
fn prompt_kinds() -> Vec<&'static str> {
    ALL.iter().filter(|it| it.is_prompt()).map(|it| it.kind()).collect()
}

/// Does what somebody waits for, several at once, so that none is held up by another.
async fn promptly(app: App, mut stopped: watch::Receiver<bool>) {
    let kinds = prompt_kinds();
    let mut working = JoinSet::new();
    while !*stopped.borrow() {
        while working.try_join_next().is_some() {}
        let free = u32::try_from(PROMPT.saturating_sub(working.len())).unwrap_or_default();
        match app.store.claim_jobs(&kinds, app.now(), LEASE, free).await {
            Ok(jobs) => {
                for job in jobs {
                    let app = app.clone();
                    working.spawn(async move { attempt(&app, job).await });
                }
            }
            Err(error) => tracing::warn!(%error, "no job can be claimed"),
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = stopped.changed() => {}
        }
    }
    while working.join_next().await.is_some() {}
}

/// Sees to it that what is to be done again and again waits to be done.
async fn schedule(app: &App, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let now = app.now();
        let again = ALL.iter().filter_map(|it| {
            let every = it.every()?;
            let ready = now.plus_seconds(i64::from(every));
            Some((it.kind(), ready))
        });
        for (kind, ready) in again {
            // One that waits already stays as it is.
            let job = NewJob {
                kind: kind.to_owned(),
                payload: serde_json::Value::Null,
                key: Some(kind.to_owned()),
                asked: now,
                ready,
                attempts: 3,
            };
            if let Err(error) = app.store.enqueue(&job).await {
                tracing::warn!(%error, kind, "a job cannot be scheduled");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(30)) => {}
            _ = stopped.changed() => {}
        }
    }
}

async fn one_after_another(app: App, kinds: Vec<&'static str>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let claimed = app.store.claim_jobs(&kinds, app.now(), LEASE, 1).await;
        match claimed {
            Ok(jobs) if !jobs.is_empty() => {
                for job in jobs {
                    attempt(&app, job).await;
                }
                continue;
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "no job can be claimed"),
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = stopped.changed() => {}
        }
    }
}

/// Does the jobs that can be done by now, one after the other, and says which.
#[cfg(test)]
pub(crate) async fn all(app: &App) -> Vec<String> {
    let kinds = [kinds(true), prompt_kinds()].concat();
    let mut done = Vec::new();
    loop {
        let jobs = app.store.claim_jobs(&kinds, app.now(), LEASE, 1).await.unwrap();
        let Some(job) = jobs.into_iter().next() else { return done };
        done.push(job.kind.clone());
        attempt(app, job).await;
    }
}

/// Does a job, and says from time to time that we are at it.
async fn attempt(app: &App, job: Job) {
    let Some(work) = ALL.iter().find(|it| it.kind() == job.kind) else { return };
    let began = std::time::Instant::now();
    tracing::info!(job = job.id, kind = job.kind, attempt = job.attempt, "job begins");
    let job = Arc::new(job);
    // In a task of its own, so that one that panics takes nobody along.
    let doing = {
        let (app, job) = (app.clone(), Arc::clone(&job));
        tokio::spawn(async move { work.run(&app, &job.payload).await })
    };
    let aborting = doing.abort_handle();
    let mut doing = std::pin::pin!(doing);
    let outcome = loop {
        tokio::select! {
            done = &mut doing => break done,
            () = tokio::time::sleep(SIGN) => {
                let ours = app.store.keep_job(&job, app.now(), LEASE).await;
                if matches!(ours, Ok(false)) {
                    // Somebody else has it by now.
                    aborting.abort();
                    tracing::warn!(job = job.id, kind = job.kind, "job lost");
                    return;
                }
            }
        }
    };
    let outcome = outcome.unwrap_or_else(|error| Err(format!("it broke off: {error}")));
    let told = match &outcome {
        Ok(()) => app.store.finish_job(&job, app.now()).await,
        Err(why) => app.store.fail_job(&job, app.now(), why).await,
    };
    if let Err(error) = told {
        tracing::warn!(%error, job = job.id, "how the job ended cannot be noted");
    }
    let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    app.metrics.job(&job.kind, outcome.is_ok());
    match outcome {
        Ok(()) => tracing::info!(job = job.id, kind = job.kind, took, "job done"),
        Err(why) => tracing::warn!(job = job.id, kind = job.kind, took, why, "job failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_is_left_for_what_does_not_take_long() {
        for workers in 1..20 {
            assert!(patient(workers) >= 1 && patient(workers) < hands(workers), "{workers}");
            assert!(patient(workers) <= workers.div_ceil(2), "{workers}");
        }
        assert_eq!(hands(0), 0);
        for it in ALL {
            let by =
                [kinds(true), kinds(false), prompt_kinds()].map(|all| all.contains(&it.kind()));
            let is_patiently = !it.is_prompt();
            let expect = [is_patiently, is_patiently && !it.takes_long(), it.is_prompt()];
            assert_eq!(by, expect, "{}", it.kind());
        }
        // Whatever asks parties, or looks into all that runs, takes long.
        for long in ["attend", "ask_runtime", "check", "count_environments", "judge_policies"] {
            assert!(kinds(true).contains(&long) && !kinds(false).contains(&long), "{long}");
        }
        // From a new advisory to whom it is told, nothing waits for anything else.
        for prompt in ["rematch", "tell", "deliver"] {
            assert!(prompt_kinds().contains(&prompt), "{prompt}");
        }
    }
}
