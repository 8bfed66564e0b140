//! An image that runs, or was pushed, is read from its registry.

use std::sync::Arc;

use async_trait::async_trait;
use model::{Act, Digest, OrganisationId, Platform};
use serde::Deserialize;

use super::{Work, itself};
use crate::app::App;
use crate::resolve;

/// Reads an image.
pub(super) struct AnalyseImage;

#[derive(Deserialize)]
struct Payload {
    organisation: OrganisationId,
    repository: String,
    digest: Digest,
    platform: String,
}

#[async_trait]
impl Work for AnalyseImage {
    fn kind(&self) -> &'static str {
        resolve::ANALYSE
    }

    async fn run(&self, app: &App, payload: &serde_json::Value) -> Result<(), String> {
        let it = Payload::deserialize(payload).map_err(|error| error.to_string())?;
        let known = app.store.has_inventory(&it.organisation, &it.digest).await;
        if known.map_err(|error| error.to_string())? {
            return Ok(());
        }
        if app.reach.offline {
            return Err("no registry is asked here".to_owned());
        }
        let wanted: Platform = it.platform.parse().map_err(|error| format!("{error}"))?;
        let act = itself(app, self.kind());
        if let Err(why) = read(app, &it, &act, &wanted).await? {
            return failed(app, &it, &act, &why).await.map_err(|error| error.to_string())?;
        }
        // An index leads to an image for each platform, and all of them may run.
        let told = |error: store::Error| error.to_string();
        let others = app.store.platforms_waiting(&it.organisation, &it.digest).await;
        for platform in others.map_err(told)?.into_iter().filter(|it| *it != wanted) {
            read(app, &it, &act, &platform).await??;
        }
        Ok(())
    }
}

/// Reads the image of a digest for a platform. One that runtimes told of by its index is kept as what it
/// is: the image that the index leads to. What failed is told, or why it cannot be read.
async fn read(
    app: &App,
    it: &Payload,
    act: &Act,
    platform: &Platform,
) -> Result<Result<(), String>, String> {
    let request = engine::Request {
        subject: format!("registry://{}@{}", it.repository, it.digest),
        platform: Some(platform.clone()),
        reference: None,
        manifest: None,
        hearing: engine::Hearing::Origins,
        settings: Arc::clone(&app.reach.settings),
        progress: Arc::new(image::Silent),
    };
    let inventory = match app.reach.engine.inventory(&request).await {
        Ok(analyzed) => analyzed.inventory,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let own = inventory.subject.image().and_then(|it| it.digest.clone());
    let own = own.unwrap_or_else(|| it.digest.clone());
    let told = |error: store::Error| error.to_string();
    let keep = async |digest: &Digest| {
        let repository = Some(it.repository.as_str());
        let store = &app.store;
        store.keep_inventory(&it.organisation, act, digest, platform, repository, &inventory).await
    };
    keep(&own).await.map_err(told)?;
    if own != it.digest {
        let is_told = app.store.is_told(&it.organisation, &it.digest).await.map_err(told)?;
        // Whoever recorded it by the index finds it by the index; what runtimes told is placed anew soon,
        // for all that was read meanwhile at once.
        let by_hand = app.store.is_recorded(&it.organisation, &it.digest).await.map_err(told)?;
        if by_hand || !is_told {
            keep(&it.digest).await.map_err(told)?;
        }
    }
    Ok(Ok(()))
}

/// Whoever looks for the image is told why it is not read.
async fn failed(
    app: &App,
    it: &Payload,
    act: &Act,
    why: &str,
) -> Result<Result<(), String>, store::Error> {
    let Payload { organisation, repository, digest, .. } = it;
    let platform = it.platform.parse().unwrap_or_else(|_| resolve::usual());
    app.store.hear_of_image(organisation, act, digest, &platform, Some(repository)).await?;
    app.store.image_failed(organisation, act, digest, why).await?;
    Ok(Err(why.to_owned()))
}
