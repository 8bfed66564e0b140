//! Reading what was found in a registry: every platform of it, each image once, by whoever watches.

mod claims;

use std::sync::Arc;

use async_trait::async_trait;
use engine::{Engine, Hearing, Request};
use image::{Member, Progress};
use integration::watch::Found;
use integration::{Failure, Repository};
use model::{Digest, Inventory, Platform, Subject};
use tokio::sync::Semaphore;

use self::claims::Claim;

/// Who keeps what was read: this process, or a server.
#[async_trait]
pub trait Shelf: Send + Sync {
    /// The platform of an image, if it was read before.
    async fn known(&self, digest: &Digest) -> Result<Option<Platform>, Failure>;
    /// Keeps what is inside an image of that place, whose tag leads to it.
    async fn keep(&self, place: &Place, read: Read) -> Result<(), Failure>;
    /// All that a tag leads to, of the platforms that were looked for; none of those is all. To
    /// nothing, when it is gone.
    async fn lead(
        &self,
        place: &Place,
        images: Vec<(Platform, Digest)>,
        looked_for: &[Platform],
    ) -> Result<(), Failure>;
    /// It is no image, and is left alone.
    fn left_out(&self, place: &Place, why: &str);
    /// An image is there that cannot be read. Says whether that is remembered, so that its tag may lead
    /// to it.
    async fn unreadable(
        &self,
        _place: &Place,
        _image: (&Platform, &Digest),
        _why: &str,
    ) -> Result<bool, Failure> {
        Ok(false)
    }
    /// Among whom an image is read once, in this process.
    #[expect(clippy::unnecessary_literal_bound, reason = "elsewhere it is of an organisation")]
    fn whose(&self) -> &str {
        ""
    }
}

/// Where an image was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// With its registry: `registry.example/team/app`.
    pub repository: String,
    /// None where only a digest was told.
    pub tag: Option<String>,
}

/// What is inside an image.
#[derive(Debug)]
pub struct Read {
    /// Its manifest.
    pub digest: Digest,
    /// What it is made for.
    pub platform: Platform,
    /// What is inside.
    pub inventory: Inventory,
}

/// Reads images.
pub struct Reading<'a> {
    /// Who does it.
    pub engine: &'a Engine,
    /// How the registry is reached.
    pub settings: Arc<image::Settings>,
    /// Who watches the bytes go by.
    pub progress: Arc<dyn Progress>,
    /// Those that are wanted; none is all.
    pub platforms: &'a [Platform],
    /// Is what is inside to be read, or only where tags lead?
    pub contents: bool,
    /// For so many images at once.
    pub places: &'a Semaphore,
    /// Who keeps it.
    pub shelf: &'a dyn Shelf,
}

impl Place {
    /// Of a tag, or of all of a repository.
    pub fn of(repository: &Repository, tag: Option<&str>) -> Self {
        let name = format!("{}/{}", repository.registry, repository.name);
        Self { repository: name, tag: tag.map(str::to_owned) }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.repository.strip_prefix("docker.io/").unwrap_or(&self.repository);
        f.write_str(name.strip_prefix("library/").filter(|it| !it.contains('/')).unwrap_or(name))?;
        match &self.tag {
            Some(tag) => write!(f, ":{tag}"),
            None => Ok(()),
        }
    }
}

impl Reading<'_> {
    /// Reads what nobody has read yet, and says where the tag leads. Safe to do again.
    pub async fn place(&self, found: &Found) -> Result<(), Failure> {
        let place = Place::of(&found.repository, found.tag.as_deref());
        let whole = format!("{}@{}", place.repository, found.digest);
        let mut seen = Seen::default();
        match image::images(&whole, &self.settings, &self.progress).await {
            Ok(members) => {
                for member in members {
                    self.see(&place, (&whole, &member), &mut seen).await;
                }
            }
            Err(error @ image::Error::Unsupported { .. }) => {
                self.shelf.left_out(&place, error.why());
            }
            // It may not be there any more, and its tag elsewhere by now.
            Err(error @ image::Error::NotFound { .. }) => return Err(error.into()),
            Err(error) => self.lose(&place, (usual(), &found.digest), error, &mut seen).await,
        }
        if place.tag.is_some() && !seen.is_blind {
            self.shelf.lead(&place, seen.images, self.platforms).await?;
        }
        seen.trouble.map_or(Ok(()), Err)
    }

    /// A tag leads nowhere any more.
    pub async fn gone(&self, repository: &Repository, tag: &str) -> Result<(), Failure> {
        self.shelf.lead(&Place::of(repository, Some(tag)), Vec::new(), &[]).await
    }

    /// Sees to one image of several, which are of that name. The others are worth having, whatever is wrong
    /// with it.
    async fn see(&self, place: &Place, (whole, member): (&str, &Member), seen: &mut Seen) {
        if member.platform.as_ref().is_some_and(|it| !self.wants(it)) {
            return;
        }
        match self.member(place, whole, member).await {
            Ok(Some(platform)) => seen.leads_to(platform, &member.digest),
            Ok(None) => {}
            Err(failure) => {
                let platform = member.platform.clone().unwrap_or_else(usual);
                self.lose(place, (platform, &member.digest), failure, seen).await;
            }
        }
    }

    /// What cannot be read now may be later. What is broken never can, which is told of, where
    /// somebody remembers it, and its tag leads there all the same. Of what is not there that is told,
    /// too; but there are registries that have an image before all of its parts.
    async fn lose(
        &self,
        place: &Place,
        (platform, digest): (Platform, &Digest),
        failure: impl Into<Failure>,
        seen: &mut Seen,
    ) {
        use image::Error;
        let failure = self.patient(place, failure.into());
        let (is_final, why) = match &failure.error {
            Error::Corrupt { why, .. } | Error::Limit { why, .. } => (true, Some(why)),
            Error::NotFound { why, .. } => (false, Some(why)),
            _ => (false, None),
        };
        let told = match why {
            Some(why) => self.shelf.unreadable(place, (&platform, digest), why).await,
            None => Ok(false),
        };
        match told {
            Ok(true) => {
                seen.leads_to(platform, digest);
                if !is_final {
                    seen.failed(failure);
                }
            }
            Ok(false) => {
                seen.is_blind = true;
                seen.failed(failure);
            }
            Err(untold) => {
                seen.is_blind = true;
                seen.failed(untold);
            }
        }
    }

    /// With how long the registry wants to be left alone.
    fn patient(&self, place: &Place, failure: Failure) -> Failure {
        let host = place.repository.split_once('/').map_or("", |it| it.0);
        let wait = failure.wait.or_else(|| self.settings.pace.left(host));
        let is_away = matches!(failure.error, image::Error::Unavailable { .. });
        Failure { wait: wait.filter(|_| is_away), ..failure }
    }

    fn wants(&self, platform: &Platform) -> bool {
        self.platforms.is_empty()
            || self.platforms.iter().any(|wish| platform.rank_for(wish).is_some())
    }

    /// The platform of one image, once it is known what is inside. `None`: it is no image.
    async fn member(
        &self,
        place: &Place,
        whole: &str,
        member: &Member,
    ) -> Result<Option<Platform>, Failure> {
        // Several names may lead to it, and be looked at together; then somebody else has read it.
        let _claim = Claim::of(self.shelf.whose(), &member.digest).await;
        if let Some(platform) = self.shelf.known(&member.digest).await? {
            return Ok(Some(platform));
        }
        let request = Request {
            subject: format!("registry://{}@{}", place.repository, member.digest),
            platform: None,
            reference: None,
            manifest: member.manifest.clone(),
            hearing: Hearing::Origins,
            settings: Arc::clone(&self.settings),
            progress: Arc::clone(&self.progress),
        };
        let _place = self.places.acquire().await.ok();
        let (platform, inventory) = if self.contents {
            match self.engine.inventory(&request).await {
                Ok(it) => {
                    let image = it.inventory.subject.image();
                    (image.map(|it| it.platform.clone()), Some(it.inventory))
                }
                Err(error) => return self.unread(place, error),
            }
        } else {
            match self.engine.describe(&request).await {
                Ok(image) => (Some(image.platform), None),
                Err(error) => return self.unread(place, error),
            }
        };
        // The only one of its name says by itself what it is for, or means what is usual.
        let said = platform.filter(|it| !it.os.is_empty());
        let platform = said.unwrap_or_else(usual);
        if !self.wants(&platform) {
            return Ok(None);
        }
        if let Some(mut inventory) = inventory {
            if member.attested {
                let platform = Some(platform.clone());
                let subject = format!("registry://{whole}");
                let request = Request { subject, platform, manifest: None, ..request };
                self.ask_the_builder(&request, &mut inventory).await;
            }
            let digest = member.digest.clone();
            let read = Read { digest, platform: platform.clone(), inventory };
            self.shelf.keep(place, read).await?;
        }
        Ok(Some(platform))
    }

    /// What its builder says that it stands on is beside the image, in the index that leads to it. Where that
    /// cannot be had nobody can tell, and nothing else is missing.
    async fn ask_the_builder(&self, request: &Request, inventory: &mut Inventory) {
        let Subject::Image(image) = &mut inventory.subject else { return };
        if image.built_on.is_some() {
            return;
        }
        if let Ok((found, attached)) = self.engine.attached(request, image::tells_build).await
            && found.digest == image.digest
        {
            image.built_on = attached.built_on();
        }
    }

    /// Registries hold charts and signatures, too: those are told of once, and left alone.
    fn unread(&self, place: &Place, error: engine::Error) -> Result<Option<Platform>, Failure> {
        match error {
            engine::Error::Image(error @ image::Error::Unsupported { .. }) => {
                self.shelf.left_out(place, error.why());
                Ok(None)
            }
            engine::Error::Image(error) => Err(error.into()),
            other => Err(image::Error::corrupt(place.to_string(), other.to_string()).into()),
        }
    }
}

/// What was seen of where a tag leads.
#[derive(Default)]
struct Seen {
    images: Vec<(Platform, Digest)>,
    /// Of something nobody can say where it leads.
    is_blind: bool,
    trouble: Option<Failure>,
}

impl Seen {
    /// One may be there for each version of Windows; the first one counts.
    fn leads_to(&mut self, platform: Platform, digest: &Digest) {
        if self.images.iter().all(|it| it.0 != platform) {
            self.images.push((platform, digest.clone()));
        }
    }

    fn failed(&mut self, failure: Failure) {
        self.trouble.get_or_insert(failure);
    }
}

/// The platform that is meant where nothing is said.
fn usual() -> Platform {
    Platform::new("linux", "amd64", None)
}
