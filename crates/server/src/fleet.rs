//! Everything that runs, at once: the portfolio, built from the store and kept up by its changes.

mod some;

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use model::{Digest, Event, EventKind, OrganisationId, Platform};
use portfolio::{Images, PackageNumber, Portfolio};
use store::{ImageContent, RunningImage, Store};
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

/// Rows that are read together.
const PART: u32 = 2_000;
/// Packages that are read together.
const PACKAGES: u32 = 10_000;

/// What changes a portfolio.
const KINDS: [EventKind; 8] = [
    EventKind::ImageAnalysed,
    EventKind::ImageDeleted,
    EventKind::DeploymentStarted,
    EventKind::DeploymentReplaced,
    EventKind::DeploymentEnded,
    EventKind::DeploymentIdentified,
    EventKind::EnvironmentDeleted,
    EventKind::Expired,
];

/// Holds the portfolio, once somebody has asked for it.
pub(crate) struct Fleet {
    whole: Arc<RwLock<Option<Ships>>>,
    /// This process will ask again.
    stays: bool,
}

/// The portfolio, and how it and the store call the same things.
pub(crate) struct Ships {
    pub(crate) portfolio: Portfolio,
    /// Up to where the changes of the store are in it. Whoever finds that nothing has changed moves
    /// it, so that what else happens is not looked through again.
    cursor: Mutex<String>,
    /// Those of whom there is something.
    organisations: HashSet<OrganisationId>,
    numbers: HashMap<(OrganisationId, Digest), i64>,
    digests: HashMap<i64, Digest>,
    /// What runs, by the image's number.
    berths: HashMap<i64, Vec<Berth>>,
    /// Where a deployment is, by its id.
    berthed: HashMap<String, Place>,
    /// What runs and is not known yet.
    waiting: HashMap<(OrganisationId, Digest), Vec<Berth>>,
}

/// Where a deployment is.
enum Place {
    /// With what runs of an image, by its number.
    Berth(i64),
    /// With what runs of one that nobody knows yet.
    Waiting((OrganisationId, Digest)),
}

/// A deployment.
struct Berth {
    environment: String,
    application: String,
    platform: Platform,
    deployment: String,
}

impl Berth {
    /// By application and platform, as lists are.
    fn place(&self) -> (&str, &Platform, &str) {
        (&self.application, &self.platform, &self.deployment)
    }
}

/// The portfolio as it is now; it does not change meanwhile.
pub(crate) struct Held(OwnedRwLockReadGuard<Option<Ships>>);

impl Held {
    pub(crate) fn ships(&self) -> &Ships {
        self.0.as_ref().expect("it was put there before anybody got hold of it")
    }
}

impl Fleet {
    /// Of a process that stays and asks again, or of one that asks once and goes.
    pub(crate) fn new(stays: bool) -> Self {
        Self { whole: Arc::default(), stays }
    }

    /// The portfolio, as far as it is about packages that go by any of these names in an
    /// organisation's images; or more of it.
    pub(crate) async fn about(
        &self,
        store: &Store,
        organisation: &OrganisationId,
        names: &[String],
    ) -> Result<Held, store::Error> {
        if self.stays || self.whole.read().await.is_some() {
            return self.now(store).await;
        }
        let mut ships = Ships::about(store, organisation, names).await?;
        while !ships.catch_up(store).await? {
            ships = Ships::about(store, organisation, names).await?;
        }
        let held = Arc::new(RwLock::new(Some(ships)));
        Ok(Held(held.read_owned().await))
    }

    /// The portfolio with all that is in the store by now.
    pub(crate) async fn now(&self, store: &Store) -> Result<Held, store::Error> {
        let held = Arc::clone(&self.whole).read_owned().await;
        if let Some(ships) = held.as_ref()
            && ships.is_up_to_date(store).await?
        {
            return Ok(Held(held));
        }
        drop(held);
        let mut held = Arc::clone(&self.whole).write_owned().await;
        let up_to_date = match held.as_mut() {
            Some(ships) => ships.catch_up(store).await?,
            None => false,
        };
        if !up_to_date {
            // While it is made anew, there is none that somebody could take for whole.
            *held = None;
            let mut ships = Ships::load(store).await?;
            while !ships.catch_up(store).await? {
                ships = Ships::load(store).await?;
            }
            *held = Some(ships);
        }
        Ok(Held(held.downgrade()))
    }
}

#[cfg(test)]
impl Ships {
    /// Of how many organisations, images, deployments, and images that are not known yet there is
    /// something.
    pub(crate) fn counts(&self) -> [usize; 4] {
        let waiting = self.waiting.values().filter(|it| !it.is_empty()).count();
        [self.organisations.len(), self.digests.len(), self.berthed.len(), waiting]
    }
}

impl Ships {
    /// The image's digest, by its number in the store.
    pub(crate) fn digest(&self, image: i64) -> Option<&Digest> {
        self.digests.get(&image)
    }

    /// The number of an image in the store, if it is known what is inside it.
    pub(crate) fn number(&self, organisation: &OrganisationId, digest: &Digest) -> Option<i64> {
        self.numbers.get(&(organisation.clone(), digest.clone())).copied()
    }

    /// What runs: images by their numbers, each with the environments it runs in, by id.
    pub(crate) fn running(&self) -> impl Iterator<Item = (i64, impl Iterator<Item = &str>)> {
        self.berths.iter().map(|(image, it)| (*image, it.iter().map(|it| it.environment.as_str())))
    }

    /// Where an image runs, by id; a place several times where it runs there several times.
    pub(crate) fn environments_of(
        &self,
        organisation: &OrganisationId,
        digest: &Digest,
    ) -> impl Iterator<Item = &str> {
        let image = self.numbers.get(&(organisation.clone(), digest.clone()));
        let berths = image.and_then(|it| self.berths.get(it)).into_iter().flatten();
        berths.map(|it| it.environment.as_str())
    }

    /// Images that run and are not known, each with the environments it runs in, by id.
    pub(crate) fn unread(
        &self,
        organisation: &OrganisationId,
    ) -> impl Iterator<Item = impl Iterator<Item = &str>> {
        let own = self.waiting.iter().filter(move |((whose, _), _)| whose == organisation);
        own.filter(|(_, running)| !running.is_empty())
            .map(|(_, running)| running.iter().map(|it| it.environment.as_str()))
    }

    /// Deployments of these images in those environments, by id: environment by environment, by
    /// application and platform; the first so many.
    pub(crate) fn deployments<'e>(
        &self,
        organisation: &OrganisationId,
        images: &Images,
        environments: impl IntoIterator<Item = &'e str>,
        most: usize,
    ) -> Vec<String> {
        let mut first: Vec<String> = Vec::new();
        for environment in environments {
            let there = self.portfolio.running_in(organisation, environment, images);
            let numbers = self.portfolio.some_image_numbers(&there, usize::MAX);
            let berths = numbers.iter().filter_map(|it| self.berths.get(it)).flatten();
            let mut berths: Vec<&Berth> =
                berths.filter(|it| it.environment == environment).collect();
            let by_place = |left: &&Berth, right: &&Berth| left.place().cmp(&right.place());
            let room = most.saturating_sub(first.len());
            if let Some(last) = room.checked_sub(1)
                && berths.len() > room
            {
                // A base image is in all that runs; who is told of a few need not wait for the order
                // of the others.
                berths.select_nth_unstable_by(last, by_place);
                berths.truncate(room);
            }
            berths.sort_unstable_by(by_place);
            first.extend(berths.into_iter().take(room).map(|it| it.deployment.clone()));
            if first.len() >= most {
                break;
            }
        }
        first
    }

    /// One with nothing in it yet, which the changes from now on will be in.
    async fn begin(store: &Store) -> Result<Self, store::Error> {
        Ok(Self {
            portfolio: Portfolio::new(),
            // First where to go on, then all there is: what happens in between is seen twice.
            cursor: Mutex::new(store.changes_begin().await?),
            organisations: HashSet::new(),
            numbers: HashMap::new(),
            digests: HashMap::new(),
            berths: HashMap::new(),
            berthed: HashMap::new(),
            waiting: HashMap::new(),
        })
    }

    async fn load(store: &Store) -> Result<Self, store::Error> {
        let began = std::time::Instant::now();
        let mut ships = Self::begin(store).await?;
        let mut known: HashMap<i64, PackageNumber> = HashMap::new();
        let mut after = 0;
        loop {
            let packages = store.packages_after(after, PACKAGES).await?;
            let Some(last) = packages.last() else { break };
            after = last.number;
            known.extend(
                packages.into_iter().map(|it| (it.number, ships.portfolio.know(&it.package))),
            );
        }
        let mut after = 0;
        loop {
            let sets = store.sets_after(after, PART).await?;
            let Some((last, _)) = sets.last() else { break };
            after = *last;
            for (set, packages) in sets {
                let numbers: Option<Vec<PackageNumber>> =
                    packages.iter().map(|it| known.get(it).copied()).collect();
                match numbers {
                    Some(numbers) => ships.portfolio.add_set(set, numbers),
                    // It came while we read.
                    None => ships.add_set(store, set).await.map(|_| ())?,
                }
            }
        }
        drop(known);
        let mut after = 0;
        loop {
            let images = store.image_contents_after(after, PART).await?;
            let Some(last) = images.last() else { break };
            after = last.image;
            for image in &images {
                ships.take_aboard(store, image).await?;
            }
        }
        let mut after = String::new();
        loop {
            let running = store.running_images_after(None, &after, PART).await?;
            let Some(last) = running.last() else { break };
            last.deployment.clone_into(&mut after);
            for it in running {
                ships.start(it);
            }
        }
        let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(images = ships.digests.len(), took, "the portfolio is loaded");
        Ok(ships)
    }

    async fn is_up_to_date(&self, store: &Store) -> Result<bool, store::Error> {
        let changes = store.changes_of(&KINDS, &self.cursor(), 1).await?;
        if !changes.events.is_empty() {
            return Ok(false);
        }
        self.go_on_from(changes.cursor);
        Ok(self.organisations.is_subset(&store.organisation_ids().await?))
    }

    /// Takes in what changed. False when it is quicker, or the only way, to begin anew.
    async fn catch_up(&mut self, store: &Store) -> Result<bool, store::Error> {
        // Up to here nothing was missed.
        let begun = self.cursor();
        loop {
            let changes = store.changes_of(&KINDS, &self.cursor(), PART).await?;
            for (organisation, event) in &changes.events {
                if Store::has_missed(&begun, event) {
                    return Ok(false);
                }
                if !self.take_in(store, organisation, event).await? {
                    return Ok(false);
                }
            }
            self.go_on_from(changes.cursor);
            if changes.events.is_empty() {
                self.keep_only(&store.organisation_ids().await?);
                return Ok(true);
            }
        }
    }

    /// An organisation that is deleted takes its events along, so nobody tells of it, nor of what it
    /// had.
    fn keep_only(&mut self, there: &HashSet<OrganisationId>) {
        if self.organisations.is_subset(there) {
            return;
        }
        self.organisations.retain(|it| there.contains(it));
        let gone = self.waiting.extract_if(|(whose, _), _| !there.contains(whose));
        for berth in gone.flat_map(|(_, berths)| berths) {
            self.berthed.remove(&berth.deployment);
        }
        let gone = self.numbers.extract_if(|(whose, _), _| !there.contains(whose));
        for (_, image) in gone.collect::<Vec<_>>() {
            for berth in self.berths.remove(&image).unwrap_or_default() {
                self.portfolio.end(&berth.deployment);
                self.berthed.remove(&berth.deployment);
            }
            self.portfolio.remove_image(image);
            self.digests.remove(&image);
        }
    }

    fn cursor(&self) -> String {
        self.cursor.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn go_on_from(&self, cursor: String) {
        *self.cursor.lock().unwrap_or_else(PoisonError::into_inner) = cursor;
    }

    async fn take_in(
        &mut self,
        store: &Store,
        organisation: &OrganisationId,
        event: &Event,
    ) -> Result<bool, store::Error> {
        match event.kind {
            EventKind::ImageAnalysed => {
                let Ok(digest) = event.about.parse::<Digest>() else { return Ok(false) };
                if let Some(image) = store.image_content(organisation, &digest).await? {
                    self.take_aboard(store, &image).await?;
                }
            }
            EventKind::ImageDeleted => {
                let Ok(digest) = event.about.parse::<Digest>() else { return Ok(false) };
                let key = (organisation.clone(), digest);
                if let Some(number) = self.numbers.remove(&key) {
                    self.portfolio.remove_image(number);
                    self.digests.remove(&number);
                }
            }
            EventKind::DeploymentStarted
            | EventKind::DeploymentReplaced
            | EventKind::DeploymentIdentified => {
                if let Some(former) = event.detail["replaced"]["deployment"].as_str() {
                    self.end(former);
                }
                let Some(id) = event.detail["deployment"].as_str() else { return Ok(false) };
                // Where it ended meanwhile, that is told later.
                if let Some(running) = store.running_image(id).await? {
                    self.start(running);
                }
            }
            EventKind::DeploymentEnded => {
                let Some(id) = event.detail["deployment"].as_str() else { return Ok(false) };
                self.end(id);
            }
            // Much goes at once, and nobody tells of each.
            EventKind::EnvironmentDeleted => {
                let Some(id) = event.detail["environment"].as_str() else { return Ok(false) };
                self.end_all(id);
            }
            // What else went was no part of it, or was read before.
            EventKind::Expired => return Ok(event.detail["images"] == 0),
            _ => {}
        }
        Ok(true)
    }

    async fn take_aboard(
        &mut self,
        store: &Store,
        image: &ImageContent,
    ) -> Result<(), store::Error> {
        for set in &image.sets {
            // One that is gone again belongs to an image that was replaced since; that is told later.
            if !self.portfolio.knows_set(*set) && !self.add_set(store, *set).await? {
                return Ok(());
            }
        }
        self.organisations.insert(image.organisation.clone());
        let key = (image.organisation.clone(), image.digest.clone());
        let distro = image.distro.as_ref();
        // An image that were left out would look like one without flaws.
        self.portfolio.add_image(&image.organisation, image.image, distro, &image.sets).map_err(
            |error| store::Error::Corrupt {
                what: format!("image {}", image.digest),
                why: error.to_string(),
            },
        )?;
        self.digests.insert(image.image, image.digest.clone());
        self.numbers.insert(key.clone(), image.image);
        for it in self.waiting.remove(&key).unwrap_or_default() {
            self.berth(&image.organisation, image.image, it);
        }
        Ok(())
    }

    /// Adds a set; false if it is gone.
    async fn add_set(&mut self, store: &Store, set: i64) -> Result<bool, store::Error> {
        let packages = store.packages_of_set(set).await?;
        let known: Vec<_> = packages.iter().map(|it| self.portfolio.know(&it.package)).collect();
        if !known.is_empty() {
            self.portfolio.add_set(set, known);
        }
        Ok(!packages.is_empty())
    }

    fn start(&mut self, it: RunningImage) {
        self.organisations.insert(it.organisation.clone());
        let berth = Berth {
            environment: it.environment,
            application: it.application,
            platform: it.platform,
            deployment: it.deployment,
        };
        match it.image {
            Some(image) => self.berth(&it.organisation, image, berth),
            None => self.wait((it.organisation, it.digest), berth),
        }
    }

    fn berth(&mut self, organisation: &OrganisationId, image: i64, berth: Berth) {
        self.unberth(&berth.deployment);
        self.portfolio.start(organisation, &berth.deployment, &berth.environment, image);
        self.berthed.insert(berth.deployment.clone(), Place::Berth(image));
        self.berths.entry(image).or_default().push(berth);
    }

    fn wait(&mut self, key: (OrganisationId, Digest), berth: Berth) {
        self.unberth(&berth.deployment);
        self.berthed.insert(berth.deployment.clone(), Place::Waiting(key.clone()));
        self.waiting.entry(key).or_default().push(berth);
    }

    fn end(&mut self, deployment: &str) {
        self.portfolio.end(deployment);
        self.unberth(deployment);
    }

    /// Ends all that runs in an environment.
    fn end_all(&mut self, environment: &str) {
        let berths = self.berths.values().chain(self.waiting.values()).flatten();
        let there = berths.filter(|it| it.environment == environment);
        for deployment in there.map(|it| it.deployment.clone()).collect::<Vec<_>>() {
            self.end(&deployment);
        }
    }

    fn unberth(&mut self, deployment: &str) {
        match self.berthed.remove(deployment) {
            Some(Place::Berth(image)) => take_out(&mut self.berths, &image, deployment),
            Some(Place::Waiting(key)) => take_out(&mut self.waiting, &key, deployment),
            None => {}
        }
    }
}

/// Takes a deployment out of a list of them, and the list away with the last.
fn take_out<K: Hash + Eq>(lists: &mut HashMap<K, Vec<Berth>>, key: &K, deployment: &str) {
    if let Some(berths) = lists.get_mut(key) {
        berths.retain(|it| it.deployment != deployment);
        if berths.is_empty() {
            lists.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(deployment: &str, digit: u8, image: Option<i64>) -> RunningImage {
        RunningImage {
            deployment: deployment.to_owned(),
            organisation: OrganisationId("acme".to_owned()),
            environment: "e".to_owned(),
            application: deployment.to_owned(),
            platform: "linux/amd64".parse().unwrap(),
            digest: Digest::from_sha256(&[digit; 32]),
            image,
        }
    }

    #[tokio::test]
    async fn what_ended_leaves_nothing_behind() {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let mut ships = Ships::begin(&store).await.unwrap();
        let acme = OrganisationId("acme".to_owned());
        let unread = |ships: &Ships| {
            let mut all: Vec<usize> = ships.unread(&acme).map(Iterator::count).collect();
            all.sort_unstable();
            all
        };
        // What happens while it is loaded is seen twice.
        for (id, digit) in [("a", 1), ("b", 1), ("c", 2), ("a", 1)] {
            ships.start(running(id, digit, None));
        }
        assert_eq!(unread(&ships), [1, 2]);
        ships.end("c");
        ships.end("nothing");
        assert_eq!(unread(&ships), [2]);
        // It is known by now.
        ships.start(running("b", 1, Some(7)));
        assert_eq!(unread(&ships), [1]);
        assert_eq!(ships.berths.len(), 1);
        let everybody = HashSet::from([acme.clone()]);
        ships.keep_only(&everybody);
        assert_eq!(ships.counts(), [1, 0, 2, 1]);
        ships.end("a");
        ships.end("b");
        assert_eq!((ships.berths.len(), ships.berthed.len(), ships.waiting.len()), (0, 0, 0));
        // Nor does what waits, where the organisation is deleted.
        ships.start(running("d", 3, None));
        ships.keep_only(&HashSet::new());
        assert_eq!(ships.counts(), [0; 4]);
    }
}
