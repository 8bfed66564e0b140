//! What was seen of an integration's registry, and what was read there: both are in the database.

use std::collections::BTreeMap;

use async_trait::async_trait;
use integration::watch::{Found, Hands, Lost, Memory};
use integration::{Failure, Repository};
use model::{Act, Digest, ImageState, Platform};
use store::IntegrationRecord;

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
        witness.may(&found.repository)?;
        let read = self.reading.place(found).await;
        witness.heard(&found.repository, found.tag.as_deref(), &read);
        read?;
        app.store.watched_image(&record.id, &found.digest).await.map_err(away)
    }

    async fn moved(&self, found: &Found) -> Result<(), Failure> {
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
        self.app.store.watch_has_begun(&self.record.id).await.map_err(lost)
    }

    async fn begun(&self, _: &str) -> Result<(), Lost> {
        self.app.store.watch_begun(&self.record.id, self.app.now()).await.map_err(lost)
    }

    async fn begin(&self, _: &str, repositories: &[Repository]) -> Result<(), Lost> {
        let all: Vec<(&str, &str)> =
            repositories.iter().map(|it| (it.registry.as_str(), it.name.as_str())).collect();
        let Attending { app, record, .. } = self;
        app.store.watch_begins(&record.id, app.now(), &all).await.map_err(lost)
    }

    async fn is_awaited(&self, registry: &str, repository: &Repository) -> Result<bool, Lost> {
        if !self.has_begun(registry).await? {
            return Ok(true);
        }
        let Repository { registry, name, .. } = repository;
        self.app.store.is_awaited(&self.record.id, registry, name).await.map_err(lost)
    }

    async fn met(&self, repository: &Repository) -> Result<(), Lost> {
        let Repository { registry, name, .. } = repository;
        self.app.store.awaited_no_more(&self.record.id, registry, name).await.map_err(lost)
    }

    async fn repositories(&self, _: &str) -> Result<Vec<(String, String)>, Lost> {
        self.app.store.watched_repositories(&self.record.id).await.map_err(lost)
    }

    async fn tags(&self, repository: &Repository) -> Result<BTreeMap<String, Digest>, Lost> {
        let Repository { registry, name, .. } = repository;
        self.app.store.watched_tags(&self.record.id, registry, name).await.map_err(lost)
    }

    async fn tag(&self, repository: &Repository, tag: &str) -> Result<Option<Digest>, Lost> {
        let Repository { registry, name, .. } = repository;
        self.app.store.watched_tag(&self.record.id, registry, name, tag).await.map_err(lost)
    }

    async fn keep(&self, repository: &Repository, tag: &str, digest: &Digest) -> Result<(), Lost> {
        let Repository { registry, name, .. } = repository;
        let kept = self.app.store.watched(&self.record.id, registry, name, tag, digest);
        kept.await.map_err(lost)
    }

    async fn forget(&self, repository: &Repository, tag: &str) -> Result<(), Lost> {
        let Repository { registry, name, .. } = repository;
        self.app.store.unwatched(&self.record.id, registry, name, tag).await.map_err(lost)
    }

    async fn is_done(&self, digest: &Digest) -> Result<bool, Lost> {
        self.app.store.is_watched_image(&self.record.id, digest).await.map_err(lost)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn lost(error: store::Error) -> Lost {
    Lost(error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn away(error: store::Error) -> Failure {
    image::Error::unavailable("the database", error.to_string()).into()
}
