//! What was seen of an integration's registry, and what was read there: both are in the database.

use std::collections::BTreeMap;

use async_trait::async_trait;
use integration::watch::{Found, Hands, Lost, Memory};
use integration::{Failure, Repository};
use model::{Act, Digest, ImageState, Platform};
use store::IntegrationRecord;

use super::away;
use super::witness::Witness;
use crate::app::App;
use crate::reading::{Place, Read, Reading, Shelf};

/// An integration that is attended to.
pub(super) struct Attending<'a> {
    app: &'a App,
    record: &'a IntegrationRecord,
    witness: &'a Witness<'a>,
}

impl<'a> Attending<'a> {
    pub(super) fn new(
        app: &'a App,
        record: &'a IntegrationRecord,
        witness: &'a Witness<'a>,
    ) -> Self {
        Self { app, record, witness }
    }

    /// Is it watched? Those that somebody switched off are not.
    pub(super) async fn watches(&self, registry: &str, repository: &str) -> Result<bool, String> {
        let name = format!("{registry}/{repository}");
        let known = self.app.store.repository(&self.record.organisation, &name).await;
        let known = known.map_err(|error| error.to_string())?;
        Ok(known.is_none_or(|it| it.enabled))
    }

    /// Is it still what it was told?
    pub(super) async fn is_current(&self) -> Result<bool, String> {
        let now = self.app.store.integration_by_id(&self.record.id).await;
        let now = now.map_err(|error| error.to_string())?;
        Ok(now.is_some_and(|it| it.revision == self.record.revision))
    }

    /// Whether nothing at all is done any more.
    pub(super) fn is_stopped(&self) -> bool {
        self.witness.turn.is_stopped()
    }

    /// What is remembered, unless the integration was told something else: then it is over.
    async fn kept<T>(
        &self,
        asking: impl Future<Output = Result<T, store::Error>>,
    ) -> Result<T, Lost> {
        asking.await.map_err(|error| {
            if matches!(error, store::Error::Gone(_)) {
                self.witness.turn.stop();
            }
            Lost(error.to_string())
        })
    }

    pub(super) fn hands<'b>(&'b self, reading: &'b Reading<'b>) -> Working<'b> {
        Working { attending: self, reading }
    }

    fn act(&self) -> Act {
        let IntegrationRecord { kind, name, .. } = self.record;
        let origin = format!("integration {kind} {name}");
        Act { who: "foretop".to_owned(), origin, at: self.app.now() }
    }
}

/// Does what is to be done there.
pub(super) struct Working<'a> {
    attending: &'a Attending<'a>,
    reading: &'a Reading<'a>,
}

#[async_trait]
impl Hands for Working<'_> {
    async fn analyze(&self, found: &Found) -> Result<(), Failure> {
        let Attending { app, record, witness } = self.attending;
        witness.may(found)?;
        let read = self.reading.place(found).await;
        witness.heard(&found.repository, found.tag.as_deref(), &read);
        read?;
        let kept = self.attending.kept(app.store.watched_image(record, &found.digest)).await;
        kept.map_err(|lost| image::Error::unavailable("the database", lost.0).into())
    }

    async fn moved(&self, found: &Found) -> Result<(), Failure> {
        self.attending.witness.may(found)?;
        self.reading.place(found).await
    }

    async fn gone(&self, repository: &Repository, tag: &str) -> Result<(), Failure> {
        self.reading.gone(repository, tag).await
    }
}

#[async_trait]
impl Shelf for Attending<'_> {
    async fn known(&self, digest: &Digest) -> Result<Option<Platform>, Failure> {
        let image = self.app.store.image(&self.record.organisation, digest).await.map_err(away)?;
        Ok(image.filter(|it| it.state == ImageState::Analysed).map(|it| it.platform))
    }

    async fn keep(&self, place: &Place, read: Read) -> Result<(), Failure> {
        let Read { digest, platform, inventory } = read;
        let act = self.act();
        let kept = self.app.store.keep_inventory(
            &self.record.organisation,
            &act,
            &digest,
            &platform,
            Some(&place.repository),
            &inventory,
        );
        kept.await.map_err(away)
    }

    async fn lead(
        &self,
        place: &Place,
        images: Vec<(Platform, Digest)>,
        looked_for: &[Platform],
    ) -> Result<(), Failure> {
        let Some(tag) = &place.tag else { return Ok(()) };
        let (store, organisation, act) = (&self.app.store, &self.record.organisation, self.act());
        let repository = &place.repository;
        let led = store.lead_tag(organisation, &act, repository, tag, &images, looked_for);
        led.await.map(|_| ()).map_err(away)
    }

    fn left_out(&self, place: &Place, why: &str) {
        tracing::info!(integration = self.record.id, %place, why, "left out");
    }

    async fn unreadable(
        &self,
        place: &Place,
        (platform, digest): (&Platform, &Digest),
        why: &str,
    ) -> Result<bool, Failure> {
        let (store, organisation, act) = (&self.app.store, &self.record.organisation, self.act());
        let repository = Some(place.repository.as_str());
        let heard = store.hear_of_image(organisation, &act, digest, platform, repository).await;
        heard.map_err(away)?;
        store.image_failed(organisation, &act, digest, why).await.map_err(away)?;
        Ok(true)
    }

    fn whose(&self) -> &str {
        &self.record.organisation.0
    }
}

#[async_trait]
impl Memory for Attending<'_> {
    async fn has_begun(&self, _: &str) -> Result<bool, Lost> {
        self.kept(self.app.store.watch_has_begun(self.record)).await
    }

    async fn begun(&self, _: &str) -> Result<(), Lost> {
        self.kept(self.app.store.watch_begun(self.record, self.app.now())).await
    }

    async fn begin(&self, _: &str, repositories: &[Repository]) -> Result<(), Lost> {
        let all: Vec<(&str, &str)> =
            repositories.iter().map(|it| (it.registry.as_str(), it.name.as_str())).collect();
        self.kept(self.app.store.watch_begins(self.record, &all)).await
    }

    async fn is_awaited(&self, _: &str, repository: &Repository) -> Result<bool, Lost> {
        let Repository { registry, name, .. } = repository;
        self.kept(self.app.store.is_awaited(self.record, registry, name)).await
    }

    async fn met(&self, repository: &Repository) -> Result<(), Lost> {
        let Repository { registry, name, .. } = repository;
        self.kept(self.app.store.awaited_no_more(self.record, registry, name)).await
    }

    async fn repositories(&self, _: &str) -> Result<Vec<(String, String)>, Lost> {
        self.kept(self.app.store.watched_repositories(self.record)).await
    }

    async fn tags(&self, repository: &Repository) -> Result<BTreeMap<String, Digest>, Lost> {
        let Repository { registry, name, .. } = repository;
        self.kept(self.app.store.watched_tags(self.record, registry, name)).await
    }

    async fn tag(&self, repository: &Repository, tag: &str) -> Result<Option<Digest>, Lost> {
        let Repository { registry, name, .. } = repository;
        self.kept(self.app.store.watched_tag(self.record, registry, name, tag)).await
    }

    async fn keep(&self, repository: &Repository, tag: &str, digest: &Digest) -> Result<(), Lost> {
        let Repository { registry, name, .. } = repository;
        self.kept(self.app.store.watched(self.record, registry, name, tag, digest)).await
    }

    async fn forget(&self, repository: &Repository, tag: &str) -> Result<(), Lost> {
        let Repository { registry, name, .. } = repository;
        self.kept(self.app.store.unwatched(self.record, registry, name, tag)).await
    }

    async fn is_done(&self, digest: &Digest) -> Result<bool, Lost> {
        self.kept(self.app.store.is_watched_image(self.record, digest)).await
    }
}
