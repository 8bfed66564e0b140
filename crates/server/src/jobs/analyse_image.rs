//! An image that runs, or was pushed, is read from its registry.

use std::sync::Arc;

use async_trait::async_trait;
use model::{Act, Digest, OrganisationId};
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
        let platform = it.platform.parse().map_err(|error| format!("{error}"))?;
        let request = engine::Request {
            subject: format!("registry://{}@{}", it.repository, it.digest),
            platform: Some(platform),
            reference: None,
            manifest: None,
            statements: true,
            settings: Arc::clone(&app.reach.settings),
            progress: Arc::new(image::Silent),
        };
        let act = itself(app, self.kind());
        let analyzed = match app.reach.engine.inventory(&request).await {
            Ok(analyzed) => analyzed,
            Err(error) => {
                let why = error.to_string();
                return failed(app, &it, &act, &why).await.map_err(|error| error.to_string())?;
            }
        };
        let platform = it.platform.parse().map_err(|error| format!("{error}"))?;
        app.store
            .keep_inventory(
                &it.organisation,
                &act,
                &it.digest,
                &platform,
                Some(&it.repository),
                &analyzed.inventory,
            )
            .await
            .map_err(|error| error.to_string())
    }
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
