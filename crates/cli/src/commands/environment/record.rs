//! Recording that images run: which image a name means, and what is inside it.

mod called;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use api::{
    Change, DeploymentQuery, Pushing, Recorded, RecordedAll, Recordings, ResolveQuery, ResolvedBy,
    Sort,
};
use engine::{Engine, Hearing, Request};
use model::{Digest, ImageDescription, Platform, Reference};

use self::called::{called, parts, whole_id};
use crate::asking::{Asking, is};
use crate::failure::Failure;
use crate::subject::{Choice, SCHEMES, Subject, Watcher};
use crate::{Context, docker};

pub(super) use self::called::tidy;

/// How long a registry may think about a tag.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many are recorded at once.
const AT_ONCE: usize = 1000;

/// An image that somebody says runs.
#[derive(Debug)]
pub(super) struct Wanted {
    /// As what, if not as its repository.
    pub(super) application: Option<String>,
    /// As it was written.
    pub(super) image: String,
    /// For which platform, where somebody said so.
    pub(super) platform: Option<Platform>,
    /// Where that was said, in a file.
    pub(super) at: String,
}

/// Recording in an environment.
pub(super) struct Recording<'a> {
    pub(super) context: &'a Context,
    pub(super) asking: &'a Asking,
    pub(super) environment: &'a str,
}

/// Which image is meant, and who could read it.
#[derive(Clone)]
struct Found {
    /// What it is called: with the tag that was meant, where nobody wrote one.
    name: String,
    digest: String,
    platform: Option<String>,
    /// The tag was looked at now, and leads here.
    tag: bool,
    /// Where it can be read.
    subject: Option<String>,
}

impl Recording<'_> {
    /// Records them. Nothing is recorded before it is known which image each of them is, and up to a
    /// thousand are recorded at once, or not at all.
    pub(super) async fn record(&self, wanted: Vec<Wanted>) -> anyhow::Result<Vec<Recorded>> {
        let mut found: Vec<Found> = Vec::with_capacity(wanted.len());
        let mut asked = BTreeMap::new();
        for (number, it) in wanted.iter().enumerate() {
            // Many workloads run the same image beside their own, and one answer is enough.
            let asked = asked.entry((&it.image, it.platform.as_ref().map(ToString::to_string)));
            if let Entry::Occupied(before) = &asked
                && let Some(same) = found.get(*before.get()).cloned()
            {
                found.push(same);
                continue;
            }
            asked.or_insert(number);
            let meant = self.meant(it).await;
            found.push(if it.at.is_empty() {
                meant?
            } else {
                meant.with_context(|| it.at.clone())?
            });
        }
        let recordings: Vec<api::Recording> = wanted
            .iter()
            .zip(&found)
            .map(|(it, found)| api::Recording {
                image: found.name.clone(),
                digest: Some(found.digest.clone()),
                application: it.application.clone(),
                platform: found.platform.clone(),
            })
            .collect();
        let mut recorded = Vec::with_capacity(wanted.len());
        for part in recordings.chunks(AT_ONCE) {
            let source = Some("cli".to_owned());
            let sent = Recordings { recordings: part.to_vec(), source, create: true };
            let organisation = &self.asking.organisation;
            let done = self.asking.client.record(organisation, self.environment, &sent).await?;
            made(&done, self.context);
            recorded.extend(done.recorded);
        }
        for (it, wanted) in recorded.iter().zip(&wanted) {
            told(it, &wanted.image, self.environment, self.context);
        }
        self.look_into(&recorded, &found).await;
        if wanted.iter().any(|it| !it.at.is_empty()) {
            self.remark(&recorded).await?;
        }
        Ok(recorded)
    }

    /// Which image a name means now: its registry knows best, then the engine of this machine, then
    /// those who ran or pushed it before. An image named by its digest is that image.
    async fn meant(&self, wanted: &Wanted) -> anyhow::Result<Found> {
        let (scheme, name) = parts(&wanted.image);
        if !SCHEMES.contains(&scheme) {
            let hint = match scheme {
                "http" | "https" => format!("leave {scheme}:// out: {name}"),
                _ => format!("foretop push {} --tag NAME:TAG, then record NAME:TAG", wanted.image),
            };
            let image = &wanted.image;
            let why = format!("{image}: `{scheme}://` names no image that runs");
            return Err(Failure::error(why, hint));
        }
        // An id is one of this machine's images, and no registry knows it.
        if scheme != "registry" && whole_id(name).is_some() {
            return self.local(name, wanted).await;
        }
        let reference: Reference = name.parse().map_err(|error: model::BadReference| {
            let hint = if name.contains('$') {
                "nobody has replaced its variable; --compose FILE does, for files of compose"
            } else {
                "name it like this: acme/web:v1, registry.example/web:v1"
            };
            Failure::error(error.to_string(), hint)
        })?;
        if let Some(digest) = &reference.digest {
            if scheme == "local" {
                return self.local_by_digest(&reference, digest, wanted).await;
            }
            return Ok(self.by_digest(&reference, digest, wanted).await);
        }
        let found = match scheme {
            "local" => self.local(name, wanted).await,
            "registry" => {
                let image = self.registry(name, wanted).await;
                let image = image.map_err(|why| refused(name, &why))?;
                from_registry(name, &image)
            }
            _ => self.anywhere(name, wanted).await,
        };
        found.map(
            |it| if it.name.is_empty() { Found { name: reference.familiar(), ..it } } else { it },
        )
    }

    async fn anywhere(&self, name: &str, wanted: &Wanted) -> anyhow::Result<Found> {
        let messages = &self.context.messages;
        let why = match self.registry(name, wanted).await {
            Ok(image) => return from_registry(name, &image),
            Err(why) => why,
        };
        // A server may know the registry better than this machine does.
        if !self.asking.embedded()
            && let Some(found) = self.known(name, wanted, false, &why.why).await?
        {
            return Ok(found);
        }
        if let Ok(found) = self.local(name, wanted).await {
            let digest = short(&found.digest);
            messages.warn(&format!(
                "Only a local image: {name} could not be had from its registry ({}), so what \
                 this machine calls so is recorded ({digest}); registry://{name} insists",
                why.why
            ));
            return Ok(found);
        }
        if self.asking.embedded()
            && let Some(found) = self.known(name, wanted, true, &why.why).await?
        {
            return Ok(found);
        }
        Err(Failure::error(
            format!("cannot tell which image {name} is: {}", why.why),
            why.hint.unwrap_or_else(|| {
                "name its digest (NAME@sha256:…), or push it first: foretop push IMAGE".to_owned()
            }),
        ))
    }

    /// What the registry says.
    async fn registry(&self, name: &str, wanted: &Wanted) -> Result<ImageDescription, Why> {
        if self.context.environment.offline().map_err(|it| Why::plain(&it))? {
            return Err(Why::plain(&"no registry is asked while FORETOP_OFFLINE is set"));
        }
        self.described(&format!("registry://{name}"), wanted, false).await
    }

    /// What the engine of this machine says.
    async fn local(&self, name: &str, wanted: &Wanted) -> anyhow::Result<Found> {
        let subject = format!("local://{name}");
        let image = self.described(&subject, wanted, true).await;
        let image = image.map_err(|why| refused(name, &why))?;
        let platform = Some(image.platform.to_string());
        let called = called(name, &image)?;
        if let Some(name) = &called {
            self.context.messages.inform(&format!("It is called {name}"));
        }
        let name = called.unwrap_or_default();
        if let Some(digest) = image.digest.or(image.config) {
            let digest = digest.to_string();
            return Ok(Found { name, digest, platform, tag: true, subject: Some(subject) });
        }
        // Some engines only tell which image it is when they hand it out.
        let choice = Choice::of(wanted.platform.clone());
        let inventory = Subject::new(subject.clone(), choice)
            .read(self.context, Hearing::Nothing)
            .await?
            .inventory;
        let image = inventory.subject.image();
        let digest = image.and_then(|it| it.digest.clone().or_else(|| it.config.clone()));
        let digest = digest.with_context(|| format!("{subject}: the engine tells no digest"))?;
        let digest = digest.to_string();
        Ok(Found { name, digest, platform, tag: true, subject: Some(subject) })
    }

    /// The same of an image that is named by its digest, under which it is recorded unless the engine
    /// knows the one for the platform.
    async fn local_by_digest(
        &self,
        reference: &Reference,
        digest: &Digest,
        wanted: &Wanted,
    ) -> anyhow::Result<Found> {
        let name = reference.familiar();
        let subject = format!("local://{name}");
        let image = self.described(&subject, wanted, true).await;
        let image = image.map_err(|why| refused(&name, &why))?;
        let platform = Some(image.platform.to_string());
        let digest = image.digest.as_ref().unwrap_or(digest).to_string();
        Ok(Found { name, digest, platform, tag: false, subject: Some(subject) })
    }

    async fn described(
        &self,
        subject: &str,
        wanted: &Wanted,
        engine: bool,
    ) -> Result<ImageDescription, Why> {
        let Context { environment, messages, docker } = self.context;
        let settings =
            docker::settings(environment, docker, engine).map_err(|it| Why::plain(&it))?;
        let request = Request {
            subject: subject.to_owned(),
            platform: wanted.platform.clone(),
            reference: None,
            manifest: None,
            hearing: Hearing::Nothing,
            settings: Arc::new(settings),
            progress: Arc::new(Watcher::new(messages, "Looking")),
        };
        let engine = Engine::default();
        match tokio::time::timeout(PATIENCE, engine.describe(&request)).await {
            Ok(Ok(image)) => Ok(image),
            Ok(Err(engine::Error::Image(error))) => {
                // Whoever has it for other platforms knows better than we what to do.
                let found =
                    wanted.platform.is_some() && matches!(error, image::Error::NotFound { .. });
                let hint = error.hint().filter(|_| found).map(str::to_owned);
                Err(Why { why: error.why().to_owned(), hint })
            }
            Ok(Err(error)) => Err(Why::plain(&error)),
            Err(_) => Err(Why::plain(&"no answer in time")),
        }
    }

    /// What whoever remembers has heard of that tag.
    async fn known(
        &self,
        name: &str,
        wanted: &Wanted,
        pushed: bool,
        why: &str,
    ) -> anyhow::Result<Option<Found>> {
        let platform = wanted.platform.as_ref().map(ToString::to_string);
        let query = ResolveQuery { image: name.to_owned(), platform, pushed };
        let client = &self.asking.client;
        let found = match client.resolve(&self.asking.organisation, &query).await {
            Ok(found) => found,
            Err(error) if is(&error, Sort::Refused) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if found.by == ResolvedBy::Pushed {
            self.context.messages.inform(&format!(
                "{name}: what was pushed under that name is meant ({}), for {why}",
                short(&found.digest)
            ));
        }
        let platform = Some(found.platform);
        let tag = found.by == ResolvedBy::Registry;
        let (name, digest) = (String::new(), found.digest);
        Ok(Some(Found { name, digest, platform, tag, subject: None }))
    }

    /// A digest needs nobody. Yet it may be of an image for several platforms; where that image is
    /// to be read from here anyhow, the one for the platform is found first.
    async fn by_digest(&self, reference: &Reference, digest: &Digest, wanted: &Wanted) -> Found {
        let name = &reference.familiar();
        let mut found = Found {
            name: name.clone(),
            digest: digest.to_string(),
            platform: wanted.platform.as_ref().map(ToString::to_string),
            tag: false,
            subject: Some(format!("registry://{name}")),
        };
        let client = &self.asking.client;
        let known = client.image(&self.asking.organisation, digest.as_str()).await;
        let analysed = known.is_ok_and(|it| it.state == api::ImageState::Analysed);
        if self.asking.embedded()
            && !analysed
            && let Ok(image) = self.registry(name, wanted).await
            && let Some(digest) = image.digest
        {
            found.digest = digest.to_string();
            found.platform = Some(image.platform.to_string());
        }
        found
    }

    /// What nobody has analysed yet is analysed here, where nobody else would do it: without a server,
    /// or where a server could not have the image.
    async fn look_into(&self, recorded: &[Recorded], found: &[Found]) {
        let messages = &self.context.messages;
        let mut seen = BTreeSet::new();
        let pending = recorded.iter().zip(found).filter(|(it, _)| it.deployment.pending);
        for (Recorded { deployment: it, .. }, found) in pending {
            if !seen.insert(&it.digest) {
                continue;
            }
            // An engine knows the image by its name alone.
            let local = found.subject.as_deref().filter(|it| it.starts_with("local://"));
            let pushed = format!("foretop push {}", local.unwrap_or(&it.image));
            let name = it.image.split('@').next().unwrap_or(&it.image);
            if !self.asking.embedded() && local.is_none() {
                messages.warn(&format!(
                    "{name} is pending until the server has analysed it; `{pushed}` does it from here"
                ));
                continue;
            }
            if let Err(error) = self.analyse(it, found).await {
                let why = format!("{error:#}");
                let named = format!("{}@{}: ", it.repository, it.digest);
                let why = why.strip_prefix(&named).unwrap_or(&why);
                messages.warn(&format!(
                    "{name} is pending, for it could not be analysed: {why}; `{pushed}` does it later"
                ));
            }
        }
    }

    /// What a file records goes by the file's names. What was recorded by hand before goes by its
    /// repository, and goes on running beside it until somebody says that it does not.
    async fn remark(&self, recorded: &[Recorded]) -> anyhow::Result<()> {
        let own = |it: &&Recorded| it.deployment.application != it.deployment.repository;
        let repositories: BTreeSet<&str> =
            recorded.iter().filter(own).map(|it| &*it.deployment.repository).collect();
        for repository in repositories {
            let query = DeploymentQuery {
                environment: Some(self.environment.to_owned()),
                application: Some(repository.to_owned()),
                limit: Some(1),
                ..DeploymentQuery::default()
            };
            let found = self.asking.client.deployments(&self.asking.organisation, &query).await?;
            if let Some(former) = found.items.first() {
                self.context.messages.inform(&format!(
                    "{} runs there as well, recorded by its name alone; `foretop env remove {} {}` \
                     takes it out",
                    former.image, self.environment, former.application
                ));
            }
        }
        Ok(())
    }

    async fn analyse(&self, it: &api::Deployment, found: &Found) -> anyhow::Result<()> {
        let subject = found.subject.clone().context("nobody says where it is")?;
        let platform: Option<Platform> = it.platform.parse().ok();
        // By its digest, lest the tag moves in between.
        let subject = match subject.strip_prefix("registry://") {
            Some(_) => format!("registry://{}@{}", it.repository, it.digest),
            None => subject,
        };
        let choice = Choice::of(platform.filter(|_| subject.starts_with("local://")));
        let inventory =
            Subject::new(subject, choice).read(self.context, Hearing::Origins).await?.inventory;
        // Where a name came with its digest, nobody says that its tag leads there.
        let tag = it.tag.as_ref().filter(|_| found.tag);
        let image = match tag {
            Some(tag) => format!("{}:{tag}", it.repository),
            None => it.repository.clone(),
        };
        let platform = Some(it.platform.clone());
        let sent = Pushing { image: Some(image), platform, inventory };
        let client = &self.asking.client;
        client.push(&self.asking.organisation, &it.digest, &sent).await?;
        Ok(())
    }
}

/// Says that the environment was made for it, if it was.
pub(super) fn made(done: &RecordedAll, context: &Context) {
    if let Some(it) = done.recorded.first().filter(|_| done.made) {
        let name = &it.deployment.environment;
        context.messages.inform(&format!("Environment {name} is new, and made now"));
    }
}

/// Says what came of it.
pub(super) fn told(it: &Recorded, image: &str, environment: &str, context: &Context) {
    let messages = &context.messages;
    messages.done(&format!("Successfully recorded {image} in environment {environment}"));
    match (&it.change, &it.replaced) {
        (Change::Replaced, Some(former)) => {
            messages.inform(&format!("It replaces {}", former.image));
        }
        (Change::Unchanged, _) => {
            messages.debug(&format!("it ran already, since {}", it.deployment.from));
        }
        _ => {}
    }
}

fn from_registry(name: &str, image: &ImageDescription) -> anyhow::Result<Found> {
    let digest = image.digest.as_ref();
    let digest = digest.with_context(|| format!("{name}: the registry does not say its digest"))?;
    Ok(Found {
        name: String::new(),
        digest: digest.to_string(),
        platform: Some(image.platform.to_string()),
        tag: true,
        subject: Some(format!("registry://{name}")),
    })
}

/// Why somebody does not say which image it is.
struct Why {
    why: String,
    /// What to do about it, if that is not what is usual.
    hint: Option<String>,
}

impl Why {
    fn plain(why: &impl ToString) -> Self {
        Self { why: why.to_string(), hint: None }
    }
}

fn refused(name: &str, why: &Why) -> anyhow::Error {
    let usual = "name its digest, or push it first: foretop push IMAGE";
    Failure::error(format!("{name}: {}", why.why), why.hint.as_deref().unwrap_or(usual))
}

/// The first letters of a digest, which are enough for people.
fn short(digest: &str) -> &str {
    let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
    hex.get(..12).unwrap_or(hex)
}
