//! What is stated beside images that run, and whether the bases that are named there bear it out, as far as
//! registries tell: asked for when policies judge.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::{Claim, Layers};
use image::Settings;
use model::{Digest, Gap, OrganisationId, Platform};

use crate::app::App;

/// For so long a registry is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// A registry that did not answer so often is asked no more in this judging.
const TRIES: u32 = 3;

/// Whoever asks, and which registries do not answer.
#[derive(Default)]
pub(super) struct Asking {
    silent: Mutex<BTreeMap<String, (u32, String)>>,
    /// The layers of images that were named, by name and platform.
    layers: Mutex<BTreeMap<String, Result<Layers, String>>>,
}

/// Images whose layers are remembered in a round.
const NAMED: usize = 1_000;

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
        if let Some(why) = self.silent(host) {
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
        self.count(host, &why);
        Err(format!("attestations are not known: {why}"))
    }

    /// The layers of the image that is claimed to be a base: as they are known, else as its registry tells
    /// them. Once a round.
    pub(super) async fn layers(
        &self,
        app: &App,
        organisation: &OrganisationId,
        claim: &Claim,
        (repository, platform): (&str, &Platform),
    ) -> Result<Layers, String> {
        let reference = &claim.reference;
        if let Some(digest) = &reference.digest {
            let known = app.store.layered_image(organisation, digest).await;
            let known = known.map_err(|error| error.to_string())?.filter(|it| it.is_whole);
            if let Some(it) = known {
                let (digest, config) = (Some(it.digest), it.config);
                return Ok(Layers { diff_ids: it.layers, digest, config });
            }
        }
        if app.reach.offline {
            return Err("no registry is asked here".to_owned());
        }
        let own = repository.split('/').next();
        let key = format!("{} {reference} {platform}", own.unwrap_or_default());
        let known = self.layers.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(known) = known {
            return known;
        }
        if let Some(why) = self.silent(&reference.host) {
            return Err(format!("{} did not answer: {why}", reference.host));
        }
        let mut settings = app.reach.settings.for_named(&reference.host, own);
        // Nor does anybody look around in our own network by naming bases there.
        if own != Some(&reference.host) {
            settings.outgoing.get_or_insert_default();
        }
        let told = described(app, &reference.to_string(), platform, settings).await;
        // That there is no such image is an answer: who names one shuts nobody else out.
        let told = told.map_err(|(why, is_silent)| {
            if is_silent {
                self.count(&reference.host, &why);
            }
            why
        });
        let mut all = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < NAMED {
            all.insert(key, told.clone());
        }
        told
    }

    /// Why a registry is asked no more.
    fn silent(&self, host: &str) -> Option<String> {
        let known = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(host).filter(|it| it.0 >= TRIES).map(|it| it.1.clone())
    }

    fn count(&self, host: &str, why: &str) {
        let mut known = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        let it = known.entry(host.to_owned()).or_default();
        *it = (it.0 + 1, why.to_owned());
    }
}

/// What an image of that name for that platform is made of; else why that is not known, and whether nobody
/// answered.
async fn described(
    app: &App,
    name: &str,
    platform: &Platform,
    settings: Settings,
) -> Result<Layers, (String, bool)> {
    let request = engine::Request { settings: Arc::new(settings), ..request(app, name, platform) };
    match tokio::time::timeout(PATIENCE, app.reach.engine.describe(&request)).await {
        Ok(Ok(it)) => {
            Layers::of(&it).ok_or_else(|| ("it does not say what they are".into(), false))
        }
        Ok(Err(error)) => {
            let away = matches!(error, engine::Error::Image(image::Error::Unavailable { .. }));
            Err((error.to_string(), away))
        }
        Err(_) => Err((format!("it takes longer than {} s", PATIENCE.as_secs()), true)),
    }
}

fn request(app: &App, name: &str, platform: &Platform) -> engine::Request {
    engine::Request {
        subject: format!("registry://{name}"),
        platform: Some(platform.clone()).filter(|it| !it.os.is_empty()),
        reference: None,
        manifest: None,
        hearing: engine::Hearing::Nothing,
        settings: Arc::clone(&app.reach.settings),
        progress: Arc::new(image::Silent),
    }
}

/// What is stated beside an image of that name, and which image it is.
async fn asked(
    app: &App,
    of: &Asked<'_>,
    name: String,
) -> Result<(Option<Digest>, image::Attached), String> {
    let request = request(app, &name, of.platform);
    let asking = app.reach.engine.attached(&request, |_| true);
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(Ok((found, attached))) => Ok((found.digest, attached)),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it takes longer than {} s", PATIENCE.as_secs())),
    }
}
