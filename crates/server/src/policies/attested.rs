//! What is stated beside images that run, as far as their registries tell: asked for when policies judge.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{Digest, Platform};

use crate::app::App;

/// For so long a registry is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// A registry that did not answer so often is asked no more in this judging.
const TRIES: u32 = 3;

/// Whoever asks, and which registries do not answer.
#[derive(Default)]
pub(super) struct Asking(Mutex<BTreeMap<String, (u32, String)>>);

impl Asking {
    /// What is stated beside the image, or why nobody can tell.
    pub(super) async fn of(
        &self,
        app: &App,
        repository: &str,
        digest: &Digest,
        platform: &Platform,
    ) -> Result<image::Attached, String> {
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
        let request = engine::Request {
            subject: format!("registry://{repository}@{digest}"),
            platform: Some(platform.clone()),
            reference: None,
            manifest: None,
            statements: false,
            settings: Arc::clone(&app.reach.settings),
            progress: Arc::new(image::Silent),
        };
        let asked =
            tokio::time::timeout(PATIENCE, app.reach.engine.attached(&request, |_| true)).await;
        let why = match asked {
            Ok(Ok((_, attached))) => return Ok(attached),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("it takes longer than {} s", PATIENCE.as_secs()),
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let it = known.entry(host.to_owned()).or_default();
        *it = (it.0 + 1, why.clone());
        Err(format!("attestations are not known: {why}"))
    }
}
