//! What is done about an image that was found: it is read here, and sent to whoever remembers it.

use std::sync::Arc;

use api::{ImageState, Leading, LeadsTo, Pushing, Sort};
use async_trait::async_trait;
use integration::watch::{Found, Hands, Lost};
use integration::{Failure, Repository};
use model::{Digest, Platform};
use server::{Place, Read, Reading, Shelf};

use super::journal::Journal;
use crate::asking::{Asking, is};
use crate::messages::{Messages, count};

/// Reads images and sends what is inside.
pub(super) struct Reader<'a> {
    pub(super) reading: Reading<'a>,
    pub(super) journal: Arc<Journal>,
    pub(super) messages: &'a Messages,
}

#[async_trait]
impl Hands for Reader<'_> {
    async fn analyze(&self, found: &Found) -> Result<(), Failure> {
        self.reading.place(found).await?;
        let lost = |lost: Lost| image::Error::unavailable("what was seen", lost.to_string());
        Ok(self.journal.done(&found.digest).map_err(lost)?)
    }

    async fn moved(&self, found: &Found) -> Result<(), Failure> {
        self.reading.place(found).await?;
        let place = Place::of(&found.repository, found.tag.as_deref());
        self.messages.inform(&format!("{place} leads to what was read before"));
        Ok(())
    }

    async fn gone(&self, repository: &Repository, tag: &str) -> Result<(), Failure> {
        self.reading.gone(repository, tag).await?;
        self.messages.inform(&format!("{} is gone", Place::of(repository, Some(tag))));
        Ok(())
    }
}

/// Whoever remembers it is asked over the API.
pub(super) struct Remote<'a> {
    pub(super) asking: &'a Asking,
    pub(super) messages: &'a Messages,
    pub(super) dry_run: bool,
}

#[async_trait]
impl Shelf for Remote<'_> {
    async fn known(&self, digest: &Digest) -> Result<Option<Platform>, Failure> {
        match self.asking.client.image(&self.asking.organisation, digest.as_str()).await {
            Ok(image) if image.state == ImageState::Analysed => Ok(image.platform.parse().ok()),
            Ok(_) => Ok(None),
            Err(error) if is(&error, Sort::NotFound) => Ok(None),
            Err(error) => Err(unsent(digest.as_str(), &error)),
        }
    }

    async fn keep(&self, place: &Place, read: Read) -> Result<(), Failure> {
        let Read { digest, platform, inventory } = read;
        let packages = count(inventory.packages.len() as u64, "package", "packages");
        let gaps = match inventory.gaps.len() as u64 {
            0 => String::new(),
            gaps => format!(", {}", count(gaps, "gap", "gaps")),
        };
        if self.dry_run {
            let what = format!("{place} {platform}: {packages}{gaps}; nothing was sent");
            self.messages.inform(&what);
            return Ok(());
        }
        // Where its tag leads is told once it is known for all platforms.
        let image = Some(place.repository.clone());
        let sent = Pushing { image, platform: Some(platform.to_string()), inventory };
        let pushed =
            self.asking.client.push(&self.asking.organisation, digest.as_str(), &sent).await;
        pushed.map_err(|error| unsent(&place.to_string(), &error))?;
        self.messages.done(&format!("{place} {platform}: {packages}{gaps}"));
        Ok(())
    }

    async fn lead(&self, place: &Place, images: Vec<(Platform, Digest)>) -> Result<(), Failure> {
        if self.dry_run {
            return Ok(());
        }
        let Some(tag) = &place.tag else { return Ok(()) };
        let leads_to = images
            .into_iter()
            .map(|(platform, digest)| LeadsTo {
                platform: platform.to_string(),
                digest: digest.to_string(),
            })
            .collect();
        let leading = Leading { image: format!("{}:{tag}", place.repository), leads_to };
        let led = self.asking.client.lead_tag(&self.asking.organisation, &leading).await;
        let led = led.map_err(|error| unsent(&place.to_string(), &error))?;
        self.messages.debug(&format!("{place}: {} moved, {} ended", led.moved, led.ended));
        Ok(())
    }

    fn left_out(&self, place: &Place, why: &str) {
        self.messages.inform(&format!("{place} is left out: {why}"));
    }
}

fn unsent(name: &str, error: &api::Error) -> Failure {
    // What is refused is refused the next time, too.
    let is_refused = [Sort::Forbidden, Sort::Malformed, Sort::TooLarge, Sort::Refused]
        .into_iter()
        .any(|it| is(error, it));
    let make = if is_refused { image::Error::denied } else { image::Error::unavailable };
    let told: image::Error = make(name.to_owned(), format!("it cannot be sent: {error}"));
    match error.hint() {
        Some(hint) => told.with_hint(hint).into(),
        None => told.into(),
    }
}
