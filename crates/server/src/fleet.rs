//! Everything that runs, at once: the portfolio, built from the store and kept up by its changes.

use std::collections::HashMap;
use std::sync::Arc;

use model::{Digest, Event, EventKind, OrganisationId};
use portfolio::Portfolio;
use store::{ImageContent, Store};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Rows that are read together.
const PART: u32 = 2_000;

/// Holds the portfolio, once somebody has asked for it.
#[derive(Default)]
pub(crate) struct Fleet(Arc<Mutex<Option<Ships>>>);

/// The portfolio, and how it and the store call the same things.
pub(crate) struct Ships {
    pub(crate) portfolio: Portfolio,
    /// Up to where the changes of the store are in it.
    cursor: String,
    numbers: HashMap<(OrganisationId, Digest), i64>,
    digests: HashMap<i64, Digest>,
    /// What runs and is not known yet: deployments with their environments.
    waiting: HashMap<(OrganisationId, Digest), Vec<(String, String)>>,
}

/// The portfolio as it is now; nobody else has it meanwhile.
pub(crate) struct Held(OwnedMutexGuard<Option<Ships>>);

impl Held {
    pub(crate) fn ships(&self) -> &Ships {
        self.0.as_ref().expect("it was put there before anybody got hold of it")
    }
}

impl Fleet {
    /// The portfolio with all that is in the store by now.
    pub(crate) async fn now(&self, store: &Store) -> Result<Held, store::Error> {
        let mut held = Arc::clone(&self.0).lock_owned().await;
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
        Ok(Held(held))
    }

    /// Somebody's things are gone, and no event is left to tell of it.
    pub(crate) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

impl Ships {
    /// The image's digest, by its number in the store.
    pub(crate) fn digest(&self, image: i64) -> Option<&Digest> {
        self.digests.get(&image)
    }

    /// Images that run and are not known, each with the environments it runs in, by id.
    pub(crate) fn unread(
        &self,
        organisation: &OrganisationId,
    ) -> impl Iterator<Item = impl Iterator<Item = &str>> {
        let own = self.waiting.iter().filter(move |((whose, _), _)| whose == organisation);
        own.filter(|(_, running)| !running.is_empty())
            .map(|(_, running)| running.iter().map(|(_, environment)| environment.as_str()))
    }

    async fn load(store: &Store) -> Result<Self, store::Error> {
        let began = std::time::Instant::now();
        let mut ships = Self {
            portfolio: Portfolio::new(),
            // First where to go on, then all there is: what happens in between is seen twice.
            cursor: store.changes_begin().await?,
            numbers: HashMap::new(),
            digests: HashMap::new(),
            waiting: HashMap::new(),
        };
        let mut after = 0;
        loop {
            let sets = store.set_contents_after(after, PART).await?;
            let Some((last, _)) = sets.last() else { break };
            after = *last;
            for (set, packages) in sets {
                let known: Vec<_> = packages.iter().map(|it| ships.portfolio.know(it)).collect();
                ships.portfolio.add_set(set, known);
            }
        }
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

    /// Takes in what changed. False when it is quicker, or the only way, to begin anew.
    async fn catch_up(&mut self, store: &Store) -> Result<bool, store::Error> {
        loop {
            let changes = store.changes_since(None, &self.cursor, PART).await?;
            if changes.events.is_empty() {
                return Ok(true);
            }
            for (organisation, event) in &changes.events {
                if !self.take_in(store, organisation, event).await? {
                    return Ok(false);
                }
            }
            self.cursor = changes.cursor;
        }
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
            EventKind::DeploymentStarted | EventKind::DeploymentReplaced => {
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
            EventKind::EnvironmentDeleted => return Ok(false),
            // What else went was no part of it.
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
            if self.portfolio.knows_set(*set) {
                continue;
            }
            // One that is gone again belongs to an image that was replaced since; that is told later.
            let Some(packages) = store.set_content(*set).await? else { return Ok(()) };
            let known: Vec<_> = packages.iter().map(|it| self.portfolio.know(it)).collect();
            self.portfolio.add_set(*set, known);
        }
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
        for (deployment, environment) in self.waiting.remove(&key).unwrap_or_default() {
            self.portfolio.start(&image.organisation, &deployment, &environment, image.image);
        }
        Ok(())
    }

    fn start(&mut self, it: store::RunningImage) {
        if let Some(image) = it.image {
            self.portfolio.start(&it.organisation, &it.deployment, &it.environment, image);
        } else {
            let key = (it.organisation, it.digest);
            self.waiting.entry(key).or_default().push((it.deployment, it.environment));
        }
    }

    fn end(&mut self, deployment: &str) {
        self.portfolio.end(deployment);
        for waiting in self.waiting.values_mut() {
            waiting.retain(|(it, _)| it != deployment);
        }
    }
}
