//! What is stated beside images that run, as far as their registries tell: asked for when policies judge.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{Digest, Gap, Platform};

use crate::app::App;

/// For so long a registry is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// A registry that did not answer so often is asked no more in this judging.
const TRIES: u32 = 3;

/// Whoever asks, and which registries do not answer.
#[derive(Default)]
pub(super) struct Asking(Mutex<BTreeMap<String, (u32, String)>>);

/// An image that is asked about.
pub(super) struct Asked<'a> {
    pub(super) repository: &'a str,
    pub(super) tag: Option<&'a str>,
    pub(super) digest: &'a Digest,
    pub(super) platform: &'a Platform,
}

impl Asking {
    /// What is stated beside the image, or why nobody can tell.
    pub(super) async fn of(&self, app: &App, of: &Asked<'_>) -> Result<image::Attached, String> {
        let Asked { repository, tag, digest, .. } = of;
        if app.reach.offline {
            return Err("attestations are not known: no registry is asked here".to_owned());
        }
        let host = repository.split('/').next().unwrap_or(repository);
        let silent = {
            let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.get(host).filter(|it| it.0 >= TRIES).map(|it| it.1.clone())
        };
        if let Some(why) = silent {
            return Err(format!("attestations are not known: {host} did not answer: {why}"));
        }
        // What a builder states is in the index, to which the tag leads.
        if let Some(tag) = tag
            && let Ok((found, attached)) = asked(app, of, format!("{repository}:{tag}")).await
            && found.as_ref() == Some(*digest)
        {
            return Ok(attached);
        }
        let why = match asked(app, of, format!("{repository}@{digest}")).await {
            Ok((found, mut attached)) => {
                if found.as_ref() == Some(*digest) {
                    let why = "its tag leads elsewhere, or it has none, so what the index beside it \
                               states is not known";
                    attached.gaps.push(Gap::new(format!("{repository}@{digest}"), why));
                }
                return Ok(attached);
            }
            Err(why) => why,
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let it = known.entry(host.to_owned()).or_default();
        *it = (it.0 + 1, why.clone());
        Err(format!("attestations are not known: {why}"))
    }
}

/// What is stated beside an image of that name, and which image it is.
async fn asked(
    app: &App,
    of: &Asked<'_>,
    name: String,
) -> Result<(Option<Digest>, image::Attached), String> {
    let request = engine::Request {
        subject: format!("registry://{name}"),
        platform: Some(of.platform.clone()),
        reference: None,
        manifest: None,
        hearing: engine::Hearing::Nothing,
        settings: Arc::clone(&app.reach.settings),
        progress: Arc::new(image::Silent),
    };
    let asking = app.reach.engine.attached(&request, |_| true);
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(Ok((found, attached))) => Ok((found.digest, attached)),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it takes longer than {} s", PATIENCE.as_secs())),
    }
}
