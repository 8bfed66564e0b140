//! Looking out: another almanac and other things that run are noticed here, and jobs made of them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use model::EventKind;
use serde_json::json;
use store::NewJob;
use tokio::sync::watch;

use super::{check, count_environments, deliver, judge_policies, tell};
use crate::app::App;
use crate::evaluate::JOB;
use crate::runtimes;

/// How often we look.
const LOOK: Duration = Duration::from_secs(1);
/// What runtimes told is placed anew at most so often.
const PLACE: Duration = Duration::from_secs(5);
/// Changes looked at together.
const PART: u32 = 2_000;

/// After which environments are counted anew.
const KINDS: [EventKind; 7] = [
    EventKind::ImageAnalysed,
    EventKind::ImageDeleted,
    EventKind::EnvironmentCreated,
    EventKind::DeploymentStarted,
    EventKind::DeploymentReplaced,
    EventKind::DeploymentEnded,
    EventKind::DeploymentIdentified,
];

/// What we saw last.
#[derive(Default)]
pub(crate) struct Outlook {
    almanac: Option<String>,
    cursor: Option<String>,
    /// Behind this, something may be to be told.
    told: Option<String>,
    /// Those who have images that were read since we placed what their runtimes told.
    read: BTreeSet<model::OrganisationId>,
    placed: Option<Instant>,
}

/// Looks until told to stop.
pub(super) async fn look_out(app: App, mut stopped: watch::Receiver<bool>) {
    let mut lookout = Outlook::default();
    while !*stopped.borrow() {
        if let Err(why) = lookout.look(&app).await {
            tracing::warn!(why, "what changed cannot be looked at");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stopped.changed() => {}
        }
    }
}

impl Outlook {
    /// One look. What could not be made a job is seen again the next time.
    pub(crate) async fn look(&mut self, app: &App) -> Result<(), String> {
        // An almanac that is broken, or a schedule that cannot be read, keeps nothing else from being
        // seen: that such a thing is so may be the very thing to be told.
        let almanac = self.almanac(app).await;
        let turns = check::take_turns(app).await;
        let telling = self.telling(app).await.map_err(|error| error.to_string());
        let changes = self.changes(app).await.map_err(|error| error.to_string());
        almanac.and(turns).and(telling).and(changes)
    }

    /// What happened may be to be told; and what is due is told.
    async fn telling(&mut self, app: &App) -> Result<(), store::Error> {
        let cursor = if let Some(cursor) = &self.told {
            let (changed, cursor) =
                app.store.changed_organisations(&tell::told_kinds(), cursor).await?;
            tell::soon(app, &changed).await?;
            cursor
        } else {
            let cursor = app.store.changes_begin().await?;
            // What happened while nobody looked.
            let all = app.store.organisations().await?.into_iter().map(|it| it.id);
            tell::soon(app, &all.collect()).await?;
            cursor
        };
        self.told = Some(cursor);
        deliver::soon(app).await
    }

    async fn almanac(&mut self, app: &App) -> Result<(), String> {
        let present = app.world.lookout(app.now()).map_err(|error| error.to_string())?;
        let present = present.almanac().digest().to_string();
        if self.almanac.as_ref() == Some(&present) {
            return Ok(());
        }
        // What was there before we came was put there by nobody just now.
        let installed = self.almanac.as_ref().map(|_| &present);
        let job = NewJob {
            kind: JOB.to_owned(),
            payload: json!({ "installed": installed }),
            key: Some(format!("{JOB} {present}")),
            asked: app.now(),
            ready: app.now(),
            attempts: 3,
        };
        app.store.enqueue(&job).await.map_err(|error| error.to_string())?;
        self.almanac = Some(present);
        Ok(())
    }

    async fn changes(&mut self, app: &App) -> Result<(), store::Error> {
        // Whoever asks, and the next almanac, find it there.
        app.keep_up().await?;
        let Some(cursor) = self.cursor.clone() else {
            let cursor = app.store.changes_begin().await?;
            // What changed while nobody looked.
            let all = app.store.organisations().await?.into_iter().map(|it| it.id);
            self.soon(app, all.collect(), cursor).await;
            return Ok(());
        };
        let changes = app.store.changes_of(&KINDS, &cursor, PART).await?;
        let read = changes.events.iter().filter(|it| it.1.kind == EventKind::ImageAnalysed);
        self.read.extend(read.map(|it| it.0.clone()));
        self.place(app).await;
        let changed = changes.events.into_iter().map(|it| it.0);
        self.soon(app, changed.collect(), changes.cursor).await;
        Ok(())
    }

    /// Has placed what runtimes told of by other digests than those of images that were read since: of all
    /// at once, for each time takes as long.
    async fn place(&mut self, app: &App) {
        if self.read.is_empty() || self.placed.is_some_and(|it| it.elapsed() < PLACE) {
            return;
        }
        for organisation in std::mem::take(&mut self.read) {
            // What is not placed now is within half a minute.
            if let Err(refusal) = runtimes::place(app, &organisation).await {
                tracing::warn!(why = refusal.0.detail, "what runtimes run cannot be placed");
            }
        }
        self.placed = Some(Instant::now());
    }

    async fn soon(
        &mut self,
        app: &App,
        organisations: BTreeSet<model::OrganisationId>,
        cursor: String,
    ) {
        let judging = judge_policies::soon(app, organisations.clone()).await;
        match judging.and(count_environments::soon(app, organisations).await) {
            Ok(()) => self.cursor = Some(cursor),
            Err(why) => tracing::warn!(why, "nothing can be counted"),
        }
    }
}
