//! What a base brings: it is judged itself where it is known, and else as it is in an image that stands
//! on it.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::FlawCounts;
use base::Weight;
use engine::{Filter, Part};
use model::{Analysis, Digest, Moment, OrganisationId};

use super::Done;
use super::ground::{Footing, Ground, Image};
use crate::app::App;
use crate::judge;
use crate::refusal::Refusal;

/// Of so many images that is remembered.
const HELD: usize = 2_000;
/// So many bases of a list are judged because somebody looks at it, who waits no longer than that for them;
/// what is not done by then is there for the next look.
const AHEAD: usize = 100;
const PATIENCE: Duration = Duration::from_millis(150);

/// What an image brings, or its lowest layers.
#[derive(Debug)]
pub(crate) struct Brought {
    pub(crate) weight: Weight,
    pub(crate) counts: FlawCounts,
}

/// Which sheets, whose image, analysed when, and how many of its layers.
type Key = (Digest, OrganisationId, Digest, Option<Moment>, Option<usize>);

/// What was judged, as long as the almanac says the same.
#[derive(Default)]
pub(crate) struct Kept {
    shelf: Mutex<Shelf>,
    /// Those for whom somebody judges what stands in a list.
    ahead: Arc<Mutex<BTreeSet<OrganisationId>>>,
}

#[derive(Default)]
struct Shelf {
    all: HashMap<Key, Arc<Brought>>,
    order: VecDeque<Key>,
}

impl Kept {
    fn get(&self, key: &Key) -> Option<Arc<Brought>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).all.get(key).cloned()
    }

    fn begins(&self, organisation: &OrganisationId) -> bool {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        ahead.insert(organisation.clone())
    }

    fn put(&self, key: Key, it: Arc<Brought>) {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.all.insert(key.clone(), it).is_none() {
            shelf.order.push_back(key);
        }
        while shelf.order.len() > HELD {
            if let Some(oldest) = shelf.order.pop_front() {
                shelf.all.remove(&oldest);
            }
        }
    }
}

/// By which image it is told what a base brings, and by how many of its layers.
pub(crate) fn source(footing: &Footing) -> Option<(&Image, Option<usize>)> {
    if let Some(it) = footing.itself.first() {
        return Some((it, None));
    }
    // The smallest of them changed least of what the base brought.
    let layers = footing.layers?;
    footing.on.iter().min_by_key(|it| it.layers).map(|it| (it, Some(layers)))
}

/// What a base brings, if it was judged already.
pub(crate) fn known(
    app: &App,
    organisation: &OrganisationId,
    footing: &Footing,
) -> Result<Option<Arc<Brought>>, Refusal> {
    let Some((image, layers)) = source(footing) else { return Ok(None) };
    let lookout = app.world.lookout(app.now())?;
    let sheets = lookout.almanac().manifest().sheets_digest();
    let key = (sheets, organisation.clone(), image.digest.clone(), image.analysed, layers);
    Ok(app.footings.kept.get(&key))
}

/// Judges what bases of a list bring that nobody has judged yet.
pub(crate) async fn ahead(
    app: &App,
    organisation: &OrganisationId,
    ground: &Arc<Ground>,
    listed: Range<usize>,
) -> Result<(), Refusal> {
    let mut wanted = Vec::new();
    for it in ground.footings().get(listed).unwrap_or_default() {
        if wanted.len() < AHEAD && known(app, organisation, it)?.is_none() {
            wanted.extend(source(it).map(|(image, layers)| (image.clone(), layers)));
        }
    }
    if wanted.is_empty() || !app.footings.kept.begins(organisation) {
        return Ok(());
    }
    let done = Done(Arc::clone(&app.footings.kept.ahead), organisation.clone());
    let (app, whose) = (app.clone(), organisation.clone());
    let judging = tokio::spawn(async move {
        let _done = done;
        for (image, layers) in wanted {
            if let Err(refusal) = of(&app, &whose, (&image.digest, image.analysed), layers).await {
                tracing::warn!(organisation = whose.0, ?refusal, "judging what bases bring");
                return;
            }
        }
    });
    let _ = tokio::time::timeout(PATIENCE, judging).await;
    Ok(())
}

/// What is wrong with an image by what publishers say, or with its lowest layers. What was decided about
/// flaws in some place is none of it. None: it is gone, or not analysed.
pub(crate) async fn of(
    app: &App,
    organisation: &OrganisationId,
    (digest, analysed): (&Digest, Option<Moment>),
    layers: Option<usize>,
) -> Result<Option<Arc<Brought>>, Refusal> {
    let lookout = Arc::new(app.world.lookout(app.now())?);
    let sheets = lookout.almanac().manifest().sheets_digest();
    let key = (sheets, organisation.clone(), digest.clone(), analysed, layers);
    if let Some(known) = app.footings.kept.get(&key) {
        return Ok(Some(known));
    }
    let Some(inventory) = app.store.inventory(organisation, digest).await? else {
        return Ok(None);
    };
    let judged = judge::on_a_core(app, &lookout, move |lookout| {
        let filter = Filter { part: layers.map(Part::Base), ..Filter::default() };
        brought(&lookout.analyze_in_brief(inventory, &filter))
    });
    let judged = Arc::new(judged.await?);
    app.footings.kept.put(key, Arc::clone(&judged));
    Ok(Some(judged))
}

fn brought(analysis: &Analysis) -> Brought {
    let weight = Weight::of(analysis);
    let [critical, high, medium, low, unspecified] = weight.counts;
    let open = || analysis.findings.iter().filter(|it| !it.suppressed());
    let counts = FlawCounts {
        critical,
        high,
        medium,
        low,
        unspecified,
        exploited: open().filter(|it| it.exploited.is_some() || it.malicious).count() as u64,
        fixable: open().filter(|it| it.fixed().is_some()).count() as u64,
        in_use: None,
        gaps: weight.gaps,
    };
    Brought { weight, counts }
}
