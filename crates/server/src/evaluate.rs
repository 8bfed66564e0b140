//! Another almanac: what it changes for everything that runs, told once.
//!
//! First the new almanac is kept, then it is compared with the kept former one, then what came of it
//! is written down with the fact that things are judged by the new one: all of it or nothing. Whoever
//! breaks off in between leaves what is there as it was, and the next one does it again.

mod tell;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use almanac::Almanac;
use engine::Lookout;
use model::{EventKind, Organisation, OrganisationId};
use portfolio::Terms;
use store::NewEvent;

use crate::app::App;
use crate::fleet::Held;
use crate::in_use::Seen;
use crate::jobs::itself;

/// Says in the log and in events what did it.
pub(crate) const JOB: &str = "rematch";

/// What another almanac changed for an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluated {
    /// Whose things were judged.
    pub organisation: Organisation,
    /// The digest of the almanac they were judged by before; none, the first time.
    pub former: Option<String>,
    /// How much changed, by kind.
    pub changed: BTreeMap<EventKind, Changed>,
    /// So many events tell of it.
    pub events: usize,
    /// How long it took.
    pub took: Took,
}

/// How long it took, from when somebody began to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Took {
    /// Until it was known what is different, and where.
    pub known: Duration,
    /// Until that was put into words.
    pub told: Duration,
    /// Until it was written down.
    pub written: Duration,
}

/// How often something of one kind changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Different changes; the same one in several environments is one.
    pub changes: usize,
    /// The environments it is about, by name.
    pub environments: BTreeSet<String>,
}

/// Judges everything that runs by the present almanac, as far as that was not done yet, and says of
/// whose things it was.
///
/// One that things were judged by before somebody went on to another one is taken up again only if
/// it is `wanted`: else two machines, of which one is behind the other, would go to and fro for ever.
pub async fn evaluate(app: &App, wanted: bool) -> Result<Vec<Evaluated>, String> {
    let began = Instant::now();
    let _alone = app.judging.lock().await;
    let lookout = app.world.lookout(app.now()).map_err(|error| error.to_string())?;
    let lookout = Arc::new(lookout);
    let almanac = lookout.almanac().digest().to_string();
    // Before anything is said to be judged by it.
    let keeping = (app.world.kept.clone(), Arc::clone(&lookout));
    on_the_side(move || keeping.0.keep(keeping.1.almanac())).await??;
    let mut behind: BTreeMap<Option<String>, Vec<Organisation>> = BTreeMap::new();
    for it in app.store.organisations().await.map_err(told)? {
        let former = app.store.last_evaluation(&it.id).await.map_err(told)?;
        let former = former.map(|it| it.almanac);
        if former.as_ref() == Some(&almanac) {
            continue;
        }
        if !wanted && app.store.was_evaluated(&it.id, &almanac).await.map_err(told)? {
            tracing::warn!(
                organisation = it.name,
                almanac,
                "things are judged by another almanac since: it is not gone back to by itself"
            );
            continue;
        }
        behind.entry(former).or_default().push(it);
    }
    if behind.is_empty() {
        return Ok(Vec::new());
    }
    let mut evaluated = Vec::new();
    for (former, organisations) in behind {
        let (found, known) = found(app, &lookout, former.as_deref(), organisations).await?;
        let told_after = began.elapsed();
        for (organisation, events) in found {
            let changed = summed(&events);
            let act = itself(app, JOB);
            let written = app
                .store
                .evaluated(&organisation.id, &act, former.as_deref(), &almanac, &events)
                .await;
            match written {
                Ok(true) => {
                    let known = known.map_or(told_after, |it| it.duration_since(began));
                    let took = Took { known, told: told_after, written: began.elapsed() };
                    let (former, events) = (former.clone(), events.len());
                    evaluated.push(Evaluated { organisation, former, changed, events, took });
                }
                // Somebody was quicker.
                Ok(false) => {}
                Err(_) if is_gone(app, &organisation.id).await => {}
                Err(error) => return Err(told(error)),
            }
        }
    }
    forget(app, almanac).await?;
    Ok(evaluated)
}

/// Whose things, and what changed for them.
type Found = (Organisation, Vec<NewEvent>);

async fn found(
    app: &App,
    lookout: &Arc<Lookout>,
    former: Option<&str>,
    organisations: Vec<Organisation>,
) -> Result<(Vec<Found>, Option<Instant>), String> {
    let Some(former) = former else {
        // The first time there is nothing to compare with.
        return Ok((organisations.into_iter().map(|it| (it, Vec::new())).collect(), None));
    };
    let (kept, digest) = (app.world.kept.clone(), former.to_owned());
    let Some(old) = on_the_side(move || kept.open(&digest)).await? else {
        return Ok((nothing_to_compare(lookout, former, organisations), None));
    };
    if old.manifest().sheets_digest() == lookout.almanac().manifest().sheets_digest() {
        // It was fetched anew, and says the same.
        return Ok((organisations.into_iter().map(|it| (it, Vec::new())).collect(), None));
    }
    let held = app.fleet.now(&app.store).await.map_err(told)?;
    // After that, so that there is a name for every environment in it that is still there.
    let mut named = Vec::with_capacity(organisations.len());
    for it in organisations.clone() {
        let names = app.store.environment_names(&it.id).await.map_err(told)?;
        let seen = Seen::of(app, &it.id).await.map_err(told)?;
        named.push((it, names, seen));
    }
    let today = app.now().to_string();
    let new = Arc::clone(lookout);
    let compared = on_the_side(move || compare(&held, (&old, &new), named, &today)).await??;
    Ok(match compared {
        Some((found, known)) => (found, Some(known)),
        None => (nothing_to_compare(lookout, former, organisations), None),
    })
}

/// Whose things, their environments' names by id, and what was seen being loaded there.
type Named = Vec<(Organisation, HashMap<String, String>, Seen)>;

/// What changed, by organisation, and when that was known but for the words; none where the former
/// almanac cannot be read.
fn compare(
    held: &Held,
    (old, new): (&Almanac, &Lookout),
    named: Named,
    today: &str,
) -> Result<Option<(Vec<Found>, Instant)>, String> {
    let began = Instant::now();
    let ships = held.ships();
    let terms = Terms { declared: false, today: Some(today) };
    let rematch = ships.portfolio.rematch(old, new.almanac(), terms);
    let known = Instant::now();
    // What is wrong with the new one is to be mended, and not to be told as changes.
    if let Some(error) = new.almanac().torn() {
        return Err(format!("nothing is judged by the present almanac: {error}"));
    }
    if let Some(error) = old.torn() {
        tracing::warn!(%error, "the former almanac is damaged");
        return Ok(None);
    }
    let compared = tell::Compared {
        ships,
        rematch: &rematch,
        former: old.digest().to_string(),
        almanac: new.almanac().digest().to_string(),
    };
    let told: Vec<_> = named
        .into_iter()
        .map(|(organisation, names, seen)| {
            let events = compared.events(&organisation.id, &names, &seen);
            (organisation, events)
        })
        .collect();
    let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let events: usize = told.iter().map(|it| it.1.len()).sum();
    tracing::info!(judged = rematch.judged, events, took, "another almanac was compared");
    Ok(Some((told, known)))
}

/// One event, which says that it cannot be told.
fn nothing_to_compare(
    lookout: &Lookout,
    former: &str,
    organisations: Vec<Organisation>,
) -> Vec<Found> {
    let almanac = lookout.almanac().digest().to_string();
    let event = tell::lost(former, &almanac);
    organisations.into_iter().map(|it| (it, vec![event.clone()])).collect()
}

/// Almanacs that no organisation's things were last judged by are kept no longer.
async fn forget(app: &App, present: String) -> Result<(), String> {
    let mut needed = BTreeSet::from([present]);
    for it in app.store.organisations().await.map_err(told)? {
        let last = app.store.last_evaluation(&it.id).await.map_err(told)?;
        needed.extend(last.map(|it| it.almanac));
    }
    let kept = app.world.kept.clone();
    on_the_side(move || kept.forget(&needed)).await
}

async fn is_gone(app: &App, organisation: &OrganisationId) -> bool {
    let all = app.store.organisations().await;
    all.is_ok_and(|all| all.iter().all(|it| it.id != *organisation))
}

fn summed(events: &[NewEvent]) -> BTreeMap<EventKind, Changed> {
    let mut changed: BTreeMap<EventKind, Changed> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for event in events {
        let detail = |key: &str| event.detail[key].as_str().unwrap_or_default();
        let it = changed.entry(event.kind).or_default();
        it.environments.extend(event.environment.clone());
        let what = (event.kind, &event.about, detail("space"), detail("name"), detail("version"));
        it.changes += usize::from(seen.insert(what));
    }
    changed
}

async fn on_the_side<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| "the evaluation broke off".to_owned())
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
fn told(error: store::Error) -> String {
    error.to_string()
}
