//! From what somebody calls an image to the image: by its digest, else by the registry, else by what
//! was pushed here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use api::{ResolvedBy, Sort};
use futures_util::future::join_all;
use model::{Act, Deployment, Digest, OrganisationId, Platform, Recording};
use serde_json::json;
use store::NewJob;

use crate::app::App;
use crate::named::{self, Named};
use crate::refusal::Refusal;

/// How long a registry may think about a tag.
const PATIENCE: Duration = Duration::from_secs(30);
/// So many tags are asked about at once.
pub(crate) const AT_ONCE: u32 = 8;
/// How often an image is tried to be read, within an hour and a half.
const ATTEMPTS: u32 = 10;
/// The kind of job that reads an image.
pub(crate) const ANALYSE: &str = "analyse_image";

/// The recording, with the digest of its image for its platform.
pub(crate) async fn recording(
    app: &App,
    organisation: &OrganisationId,
    sent: api::Recording,
    registries: &Registries,
) -> Result<Recording, Refusal> {
    let image = Named::read(&sent.image)?;
    let platform = sent.platform.as_deref().map(named::platform).transpose()?;
    let said = match &sent.digest {
        Some(text) => {
            Some(text.parse::<Digest>().map_err(|error| Refusal::malformed("digest", error))?)
        }
        None => None,
    };
    let (digest, platform) = match (said.or_else(|| image.digest.clone()), platform) {
        (Some(digest), Some(platform)) => (digest, platform),
        (Some(digest), None) => {
            let known = app.store.image(organisation, &digest).await?;
            let platform = known.map_or_else(usual, |it| it.platform);
            (digest, platform)
        }
        (None, wanted) => {
            let ask = (!app.reach.offline).then_some(registries);
            let (digest, platform, _) = found(app, organisation, &image, wanted, ask).await?;
            (digest, platform)
        }
    };
    let tag = image.tag.or_else(|| {
        // Whoever names neither tag nor digest means the newest.
        (image.digest.is_none() && sent.digest.is_none()).then(|| "latest".to_owned())
    });
    Ok(Recording {
        application: sent.application,
        platform,
        repository: image.repository,
        tag,
        digest,
    })
}

/// The platform that is meant where nothing is said.
pub(crate) fn usual() -> Platform {
    Platform::new("linux", "amd64", None)
}

/// Where a tag leads: the registry knows best, if it is asked, and what was pushed here will do.
pub(crate) async fn found(
    app: &App,
    organisation: &OrganisationId,
    image: &Named,
    wanted: Option<Platform>,
    ask: Option<&Registries>,
) -> Result<(Digest, Platform, ResolvedBy), Refusal> {
    let tag = image.tag.as_deref().unwrap_or("latest");
    let Silence { away, why } = if let Some(registries) = ask {
        match registries.asked(app, &image.repository, tag, wanted.clone()).await {
            Ok((digest, platform)) => return Ok((digest, platform, ResolvedBy::Registry)),
            Err(silence) => silence,
        }
    } else {
        Silence { away: false, why: "it was not pushed here, and no registry is asked".to_owned() }
    };
    let mut spans = app.store.tags(organisation, &image.repository, Some(tag)).await?;
    spans.retain(|it| it.until.is_none());
    let preferred = wanted.clone().unwrap_or_else(usual);
    let found = spans
        .iter()
        .find(|it| it.platform == preferred)
        .or_else(|| spans.first().filter(|_| wanted.is_none()));
    if let Some(span) = found {
        return Ok((span.digest.clone(), span.platform.clone(), ResolvedBy::Pushed));
    }
    let what = format!("{}:{tag}", image.repository);
    // A registry that does not answer now will some time; one that does has said all it will.
    let sort = if away { Sort::Unavailable } else { Sort::Refused };
    Err(sort
        .because(format!("cannot tell which image {what} is: {why}"))
        .with_hint("send its digest, or push the image first: foretop push IMAGE")
        .into())
}

/// Why a registry does not say where a tag leads.
struct Silence {
    /// It cannot be reached, so that nobody needs to ask it about another tag.
    away: bool,
    why: String,
}

/// Registries that are asked about several tags: one that cannot be reached is asked once.
#[derive(Default)]
pub(crate) struct Registries {
    away: Mutex<BTreeMap<String, String>>,
}

impl Registries {
    /// Where the registry of a repository says that a tag leads.
    async fn asked(
        &self,
        app: &App,
        repository: &str,
        tag: &str,
        wanted: Option<Platform>,
    ) -> Result<(Digest, Platform), Silence> {
        let host = repository.split('/').next().unwrap_or_default();
        let away = || self.away.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = away().get(host).cloned() {
            return Err(Silence { away: true, why });
        }
        let answer = asked(app, repository, tag, wanted).await;
        if let Err(Silence { away: true, why }) = &answer {
            away().insert(host.to_owned(), why.clone());
        }
        answer
    }
}

/// Where the registry says that a tag leads.
async fn asked(
    app: &App,
    repository: &str,
    tag: &str,
    wanted: Option<Platform>,
) -> Result<(Digest, Platform), Silence> {
    let silence = |away, why: &str| Silence { away, why: why.to_owned() };
    let request = engine::Request {
        subject: format!("registry://{repository}:{tag}"),
        platform: wanted,
        reference: None,
        manifest: None,
        hearing: engine::Hearing::Nothing,
        settings: Arc::clone(&app.reach.settings),
        progress: Arc::new(image::Silent),
    };
    let described = tokio::time::timeout(PATIENCE, app.reach.engine.describe(&request)).await;
    let described = described.map_err(|_| silence(true, "its registry does not answer in time"))?;
    let image = described.map_err(|error| match &error {
        engine::Error::Image(it) => {
            silence(matches!(it, image::Error::Unavailable { .. }), it.why())
        }
        other => silence(false, &other.to_string()),
    })?;
    let digest =
        image.digest.ok_or_else(|| silence(false, "its registry does not say its digest"))?;
    Ok((digest, image.platform))
}

/// What runs and nobody has analysed is to be, by whoever does the jobs.
pub(crate) async fn analyse_later(
    app: &App,
    organisation: &OrganisationId,
    running: impl Iterator<Item = &Deployment>,
) -> Result<(), Refusal> {
    let pending = running.filter(|it| it.pending);
    let images = pending.map(|it| (it.repository.as_str(), &it.digest, &it.platform));
    analyse_images_later(app, organisation, images).await
}

/// These images are to be analysed, each found in its repository, by whoever does the jobs.
pub(crate) async fn analyse_images_later(
    app: &App,
    organisation: &OrganisationId,
    images: impl Iterator<Item = (&str, &Digest, &Platform)>,
) -> Result<(), Refusal> {
    // Where no registry may be asked, nobody can read it.
    if !app.reach.jobs || app.reach.offline {
        return Ok(());
    }
    let now = app.now();
    let jobs: Vec<NewJob> = images
        .map(|(repository, digest, platform)| NewJob {
            kind: ANALYSE.to_owned(),
            payload: json!({
                "organisation": organisation,
                "repository": repository,
                "digest": digest,
                "platform": platform.to_string(),
            }),
            key: Some(analysis_key(organisation, digest)),
            asked: now,
            ready: now,
            attempts: ATTEMPTS,
        })
        .collect();
    app.store.enqueue_all(&jobs).await?;
    Ok(())
}

/// By which one job is told from another that would read the same image.
pub(crate) fn analysis_key(organisation: &OrganisationId, digest: &Digest) -> String {
    format!("{}/{digest}", organisation.0)
}

/// What became of asking where tags lead.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    /// Asked.
    pub(crate) asked: u64,
    /// That lead elsewhere by now.
    pub(crate) moved: Vec<String>,
    /// Whose registry does not say, and why.
    pub(crate) untold: Vec<(String, String)>,
    /// Where to go on; none is that all were asked about.
    pub(crate) next: Option<String>,
}

/// Asks registries where the tags lead by now that something of the organisation runs by, anywhere or
/// in one environment: those behind `after`, until so much time has gone by.
pub(crate) async fn tags(
    app: &App,
    organisation: &OrganisationId,
    environment: Option<&str>,
    act: &Act,
    (mut after, time): (Option<String>, Duration),
) -> Result<Resolved, Refusal> {
    let began = Instant::now();
    let mut resolved = Resolved::default();
    let registries = Registries::default();
    loop {
        let page = store::Page { after, limit: AT_ONCE };
        let part = app.store.deployed_tags(organisation, environment, &page).await?;
        let answers = part.rows.iter().map(|(repository, tag, platform)| {
            registries.asked(app, repository, tag, Some(platform.clone()))
        });
        let answers = join_all(answers).await;
        for ((repository, tag, platform), answer) in part.rows.iter().zip(answers) {
            let name = format!("{repository}:{tag}");
            resolved.asked += 1;
            match answer {
                Ok((digest, _)) => {
                    let moved = app
                        .store
                        .point_tag(organisation, act, repository, tag, platform, &digest)
                        .await?;
                    if moved {
                        resolved.moved.push(name);
                    }
                }
                Err(silence) => resolved.untold.push((name, silence.why)),
            }
        }
        after = part.next;
        if after.is_none() || began.elapsed() >= time {
            resolved.next = after;
            return Ok(resolved);
        }
    }
}
