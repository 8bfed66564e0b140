//! All images of an organisation with the names of their beginnings, kept up by what changes.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, RandomState};

use model::{Digest, EventKind, Moment, OrganisationId, Platform, SaidBase, chains_of, is_empty};
use store::{BaseRecord, LayeredImage, Page, Store};

/// After which another image may stand on something else.
pub(super) const KINDS: [EventKind; 5] = [
    EventKind::ImageAnalysed,
    EventKind::ImageDeleted,
    EventKind::Expired,
    EventKind::BaseLearned,
    EventKind::BaseForgotten,
];
/// Rows that are read together.
pub(super) const PART: u32 = 1_000;

/// The name of a beginning, as short as many of them can be kept: a hash that nobody can foresee.
pub(super) type Mark = u128;

/// All images of an organisation.
pub(super) struct Survey {
    hashers: [RandomState; 2],
    /// Up to where changes are in it.
    pub(super) cursor: String,
    pub(super) images: BTreeMap<i64, Known>,
    pub(super) numbers: HashMap<Digest, i64>,
    pub(super) taught: Vec<(Mark, BaseRecord)>,
}

/// An image.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) digest: Digest,
    pub(super) config: Option<Digest>,
    pub(super) platform: Platform,
    pub(super) analysed: Option<Moment>,
    pub(super) said: Option<SaidBase>,
    pub(super) built_on: Option<SaidBase>,
    /// The names of its beginnings, the shortest first.
    pub(super) marks: Box<[Mark]>,
    /// The name of all of it, where others may stand on it.
    pub(super) whole: Option<Digest>,
}

impl Survey {
    /// With all that is in the store by now; what is known already is not read again.
    pub(super) async fn now(
        known: Option<Self>,
        store: &Store,
        organisation: &OrganisationId,
    ) -> Result<Self, store::Error> {
        if let Some(mut known) = known
            && known.catch_up(store, organisation).await?
        {
            return Ok(known);
        }
        let mut survey = Self {
            hashers: [RandomState::new(), RandomState::new()],
            // First where to go on, then all there is: what happens in between is seen twice.
            cursor: store.changes_begin().await?,
            images: BTreeMap::new(),
            numbers: HashMap::new(),
            taught: Vec::new(),
        };
        let mut after = 0;
        loop {
            let part = store.layered_images_after(organisation, after).await?;
            let Some(last) = part.last() else { break };
            after = last.number;
            for it in part {
                survey.put(it);
            }
        }
        survey.hear_what_is_taught(store, organisation).await?;
        Ok(survey)
    }

    /// False where it is to be begun anew.
    async fn catch_up(
        &mut self,
        store: &Store,
        organisation: &OrganisationId,
    ) -> Result<bool, store::Error> {
        let mut is_taught = false;
        loop {
            let changes = store.changes_of(&KINDS, &self.cursor, PART).await?;
            let is_all = changes.events.is_empty();
            for (_, event) in changes.events.iter().filter(|(whose, _)| whose == organisation) {
                match (event.kind, event.about.parse::<Digest>()) {
                    (EventKind::ImageAnalysed, Ok(digest)) => {
                        self.remove(&digest);
                        if let Some(it) = store.layered_image(organisation, &digest).await? {
                            self.put(it);
                        }
                    }
                    (EventKind::ImageDeleted, Ok(digest)) => self.remove(&digest),
                    (EventKind::BaseLearned | EventKind::BaseForgotten, _) => is_taught = true,
                    // Much goes at once, and nobody tells of each.
                    _ => return Ok(false),
                }
            }
            self.cursor = changes.cursor;
            if is_all {
                break;
            }
        }
        if is_taught {
            self.hear_what_is_taught(store, organisation).await?;
        }
        Ok(true)
    }

    async fn hear_what_is_taught(
        &mut self,
        store: &Store,
        organisation: &OrganisationId,
    ) -> Result<(), store::Error> {
        self.taught.clear();
        let mut page = Page { after: None, limit: PART };
        loop {
            let part = store.bases(organisation, &page).await?;
            for it in part.rows {
                self.taught.push((self.mark(&it.chain), it));
            }
            match part.next {
                None => return Ok(()),
                next => page.after = next,
            }
        }
    }

    fn put(&mut self, it: LayeredImage) {
        let chains = chains_of(&it.layers);
        let tells = it.layers.iter().any(|it| !is_empty(it));
        let is_whole = it.is_whole && tells && chains.len() == it.layers.len();
        let known = Known {
            config: it.config,
            platform: it.platform,
            analysed: it.analysed,
            said: it.said,
            built_on: it.built_on,
            marks: chains.iter().map(|it| self.mark(it)).collect(),
            whole: chains.into_iter().next_back().filter(|_| is_whole),
            digest: it.digest.clone(),
        };
        self.numbers.insert(it.digest, it.number);
        self.images.insert(it.number, known);
    }

    fn remove(&mut self, digest: &Digest) {
        if let Some(number) = self.numbers.remove(digest) {
            self.images.remove(&number);
        }
    }

    fn mark(&self, chain: &Digest) -> Mark {
        let [left, right] =
            self.hashers.each_ref().map(|it| u128::from(it.hash_one(chain.as_str())));
        left << 64 | right
    }
}
