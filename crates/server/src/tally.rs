//! How many findings there are in each environment: every image that runs is looked into once by what
//! each almanac says, and counted wherever it runs; a package that many of them have is judged once.
//! What comes of it is numbers in the store, and a [`Ledger`] that says which flaws those are.

mod asked;
mod clerk;
mod decided;
mod held;
mod ledger;
mod rank;
mod spread;
mod titled;
mod told;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::Judging;
use futures_util::StreamExt as _;
use model::{Digest, Environment, EventKind, Level, OrganisationId};
use roaring::RoaringBitmap;
use store::{Counts, Store};
use tokio::sync::Mutex;

use crate::app::App;
use crate::exceptions::Lookouts;
use crate::in_use::Seen;
use crate::{judge, runtimes};

use self::clerk::Clerk;
use self::decided::Decided;
pub(crate) use self::ledger::{Ledger, Line, Part};
use self::ledger::{Newborn, There};
pub(crate) use self::rank::Meant;
pub(crate) use self::titled::Trouble;

/// Rows that are read together.
const PART: u32 = 2_000;

/// After which an image is judged anew. What was decided is looked at itself, each time.
const KINDS: [EventKind; 3] =
    [EventKind::ImageAnalysed, EventKind::ImageDeleted, EventKind::Expired];

/// What was seen being loaded is asked of the store no more often.
const SEEN: Duration = Duration::from_mins(1);

/// Counts, and remembers what it has judged.
#[derive(Default)]
pub(crate) struct Tally {
    known: Mutex<Option<Known>>,
    /// The latest of each organisation.
    ledgers: std::sync::Mutex<HashMap<OrganisationId, Arc<Ledger>>>,
    /// Those for whom somebody counts because another one asked.
    asked: Arc<std::sync::Mutex<BTreeSet<OrganisationId>>>,
}

/// What is known of images, by the words of one almanac.
struct Known {
    /// The digest of its sheets. That it was fetched anew makes no image another one.
    sheets: Digest,
    /// Up to where changes of the store were looked at.
    cursor: String,
    judged: HashMap<(OrganisationId, Digest), HashMap<Own, Arc<Judged>>>,
    clerk: Arc<Clerk>,
    /// What was decided about flaws when all that is remembered was judged.
    decided: HashMap<OrganisationId, Decided>,
    /// What was seen being loaded, and when that was asked.
    seen: HashMap<OrganisationId, (Instant, Arc<Seen>)>,
}

/// What is wrong with an image, in numbers. Those of one package's flaws follow each other, so that
/// thousands take little room.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) found: RoaringBitmap,
    /// What would be found, and was taken out of the way.
    hidden: RoaringBitmap,
    pub(crate) gaps: RoaringBitmap,
}

/// The environment by its name, where other exceptions hold than elsewhere.
type Own = Option<String>;

/// Environments' ids, with what runs there.
type Running = BTreeMap<String, BTreeSet<Digest>>;
/// What is to be judged, and where, if it matters.
type Wanted = BTreeSet<(Digest, Own)>;

impl Tally {
    /// Counts an organisation's environments, and writes down what is different. Says how many were,
    /// and how many images it had to look into for that.
    pub(crate) async fn count(
        &self,
        app: &App,
        organisation: &OrganisationId,
    ) -> Result<(u64, usize), String> {
        let told = |error: store::Error| error.to_string();
        let mut guard = self.known.lock().await;
        // What is decided from here on is seen the next time.
        let cursor = app.store.changes_begin().await.map_err(told)?;
        if let Some(mine) = guard.as_mut() {
            mine.catch_up(&app.store).await.map_err(told)?;
        }
        let mut lookouts = Lookouts::of(app, organisation, Judging::default())
            .await
            .map_err(|refusal| refusal.0.detail)?;
        let lookout = lookouts.there(None);
        let almanac = lookout.almanac().digest().to_string();
        let sheets = lookout.almanac().manifest().sheets_digest();
        if guard.as_ref().is_none_or(|it| it.sheets != sheets) {
            *guard = Some(Known::new(sheets.clone(), cursor.clone()));
        }
        let mine = guard.as_mut().expect("it was put there");
        let began = Instant::now();
        let running = running(&app.store, organisation).await.map_err(told)?;
        let names = app.store.environments(organisation).await.map_err(told)?;
        let wanted = wanted(&running, &names, &lookouts);
        mine.decide(organisation, Decided::of(&lookouts, app.now()));
        mine.share(organisation, &wanted);
        mine.keep_only(organisation, &wanted);
        let judged = mine.judge(app, organisation, &mut lookouts, &wanted).await?;
        let unseen = runtimes::counts(app, organisation).await.map_err(told)?;
        let none = BTreeSet::new();
        let mut environments = Vec::with_capacity(names.len());
        let counts: Vec<(String, Counts)> = names
            .into_iter()
            .map(|it| {
                let images = running.get(&it.id).unwrap_or(&none);
                let own = lookouts.are_others_in(&it.name).then(|| it.name.clone());
                let mut counts = mine.counts(organisation, images, &own);
                // Of what nobody can place, and what nobody sees, nothing is known.
                let (lost, holes) = unseen.get(&it.name).copied().unwrap_or_default();
                counts.images += lost;
                counts.pending += lost;
                counts.gaps += holes;
                let judged = |digest: &Digest| mine.judged_of(organisation, digest, &own).cloned();
                let images = images.iter().map(|it| (it.clone(), judged(it))).collect();
                let (id, name) = (it.id, it.name.clone());
                environments.push(There { id, name, images, lost, holes });
                (it.name, counts)
            })
            .collect();
        let seen = mine.seen(app, organisation).await.map_err(told)?;
        let newborn = Newborn {
            organisation: organisation.clone(),
            at: app.now(),
            almanac: lookout.almanac().digest().clone(),
            sheets,
            cursor,
            told: mine.clerk.said(),
            environments,
            seen,
            began,
        };
        // From here on whoever judges another organisation need not wait.
        drop(guard);
        let ledger = tokio::task::spawn_blocking(move || newborn.grown()).await;
        let ledger = ledger.map_err(|_| "counting flaws broke off".to_owned())?;
        self.keep(organisation, ledger);
        self.keep_those(&app.store.organisation_ids().await.map_err(told)?);
        let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(judged, environments = counts.len(), took, "findings are counted");
        let written = app.store.count(organisation, app.now(), &almanac, &counts).await;
        Ok((written.map_err(told)?, judged))
    }
}

impl Known {
    fn new(sheets: Digest, cursor: String) -> Self {
        Self {
            sheets,
            cursor,
            judged: HashMap::new(),
            clerk: Arc::default(),
            decided: HashMap::new(),
            seen: HashMap::new(),
        }
    }

    /// What was seen being loaded, lately enough.
    async fn seen(
        &mut self,
        app: &App,
        organisation: &OrganisationId,
    ) -> Result<Arc<Seen>, store::Error> {
        if let Some((asked, seen)) = self.seen.get(organisation)
            && asked.elapsed() < SEEN
        {
            return Ok(Arc::clone(seen));
        }
        let seen = Arc::new(Seen::of(app, organisation).await?);
        self.seen.insert(organisation.clone(), (Instant::now(), Arc::clone(&seen)));
        Ok(seen)
    }

    fn judged_of(
        &self,
        organisation: &OrganisationId,
        digest: &Digest,
        own: &Own,
    ) -> Option<&Arc<Judged>> {
        self.judged.get(&(organisation.clone(), digest.clone()))?.get(own)
    }

    /// Forgets images that were read anew.
    async fn catch_up(&mut self, store: &Store) -> Result<(), store::Error> {
        loop {
            let changes = store.changes_of(&KINDS, &self.cursor, PART).await?;
            let is_all = changes.events.is_empty();
            for (organisation, event) in changes.events {
                match event.kind {
                    EventKind::ImageAnalysed | EventKind::ImageDeleted => {
                        if let Ok(digest) = event.about.parse() {
                            self.judged.remove(&(organisation, digest));
                        }
                    }
                    // Much goes at once, and nobody tells of each.
                    EventKind::Expired => {
                        self.judged.retain(|(whose, _), _| *whose != organisation);
                    }
                    _ => {}
                }
            }
            self.cursor = changes.cursor;
            if is_all {
                // An organisation that is deleted takes its events along.
                let there = store.organisation_ids().await?;
                self.judged.retain(|(whose, _), _| there.contains(whose));
                self.decided.retain(|whose, _| there.contains(whose));
                return Ok(());
            }
        }
    }

    /// What does not run any more is not remembered.
    fn keep_only(&mut self, organisation: &OrganisationId, wanted: &Wanted) {
        self.judged.retain(|(theirs, digest), judged| {
            if theirs != organisation {
                return true;
            }
            judged.retain(|own, _| wanted.contains(&(digest.clone(), own.clone())));
            !judged.is_empty()
        });
        if self.judged.is_empty() {
            let (sheets, cursor) = (self.sheets.clone(), self.cursor.clone());
            // By what is decided now everything is judged from here on.
            let decided = std::mem::take(&mut self.decided);
            *self = Self { decided, ..Self::new(sheets, cursor) };
        }
    }

    /// Judges what was not yet, as much at once as there are cores. Says how much it was.
    async fn judge(
        &mut self,
        app: &App,
        organisation: &OrganisationId,
        lookouts: &mut Lookouts,
        wanted: &Wanted,
    ) -> Result<usize, String> {
        let is_judged = |(digest, own): &(Digest, Own)| {
            let judged = self.judged.get(&(organisation.clone(), digest.clone()));
            judged.is_some_and(|it| it.contains_key(own))
        };
        let new: Vec<_> = wanted
            .iter()
            .filter(|it| !is_judged(it))
            .map(|(digest, own)| (digest.clone(), own.clone(), lookouts.there(own.as_deref())))
            .collect();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut judging = futures_util::stream::iter(new)
            .map(|(digest, own, lookout)| {
                let (app, organisation) = (app.clone(), organisation.clone());
                let clerk = Arc::clone(&self.clerk);
                // Each on whatever core is free: reading one takes as long as judging it.
                let judged = tokio::spawn(async move {
                    let inventory = app.store.inventory(&organisation, &digest).await;
                    let inventory = inventory.map_err(|error| error.to_string())?;
                    let Some(inventory) = inventory else { return Ok(None) };
                    let judged = judge::on_a_core(&app, &lookout, move |lookout| {
                        clerk.judge(lookout, &inventory)
                    });
                    let judged = judged.await.map_err(|refusal| refusal.0.detail)?;
                    Ok::<_, String>(Some((digest, own, judged)))
                });
                async { judged.await.unwrap_or_else(|_| Err("judging broke off".to_owned())) }
            })
            .buffer_unordered(cores);
        let mut count = 0;
        while let Some(judged) = judging.next().await {
            // What is not analysed yet is looked for again the next time.
            let Some((digest, own, judged)) = judged? else { continue };
            let all = self.judged.entry((organisation.clone(), digest)).or_default();
            all.insert(own, Arc::new(judged));
            count += 1;
        }
        Ok(count)
    }

    fn counts(
        &self,
        organisation: &OrganisationId,
        images: &BTreeSet<Digest>,
        own: &Own,
    ) -> Counts {
        let mut counts = Counts { images: images.len() as u64, ..Counts::default() };
        let (mut found, mut gaps) = (RoaringBitmap::new(), RoaringBitmap::new());
        for digest in images {
            let Some(judged) = self.judged_of(organisation, digest, own) else {
                counts.pending += 1;
                continue;
            };
            found |= &judged.found;
            gaps |= &judged.gaps;
        }
        counts.gaps = gaps.len();
        let said = self.clerk.said();
        let mut worst: HashMap<u32, Level> = HashMap::new();
        for told in found.iter().filter_map(|it| said.found(it)) {
            let it = worst.entry(told.flaw).or_insert(told.level);
            *it = (*it).max(told.level);
        }
        for level in worst.into_values() {
            *match level {
                Level::Critical => &mut counts.critical,
                Level::High => &mut counts.high,
                Level::Medium => &mut counts.medium,
                Level::Low => &mut counts.low,
                Level::Unspecified => &mut counts.unspecified,
            } += 1;
        }
        counts
    }
}

async fn running(store: &Store, organisation: &OrganisationId) -> Result<Running, store::Error> {
    let mut running = Running::new();
    let mut after = String::new();
    loop {
        let part = store.running_images_after(Some(organisation), &after, PART).await?;
        let Some(last) = part.last() else { return Ok(running) };
        last.deployment.clone_into(&mut after);
        for it in part {
            running.entry(it.environment).or_default().insert(it.digest);
        }
    }
}

/// What is to be judged of what runs.
fn wanted(running: &Running, names: &[Environment], lookouts: &Lookouts) -> Wanted {
    let mut wanted = Wanted::new();
    for it in names {
        let own = lookouts.are_others_in(&it.name).then(|| it.name.clone());
        let there = running.get(&it.id).into_iter().flatten();
        wanted.extend(there.map(|digest| (digest.clone(), own.clone())));
    }
    wanted
}
