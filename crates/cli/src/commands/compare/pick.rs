//! Which image stands on a side that is named by an environment, or by what was analysed last.

use std::collections::BTreeSet;

use api::{Deployment, DeploymentQuery, Image, ImageQuery, ImageState, ResolveQuery, Sort};
use engine::Hearing;
use format::shown;
use model::{Gap, ImageDescription, Inventory, Reference, Subject as Content};

use crate::Context;
use crate::asking::{Asking, PART, is, whole};
use crate::failure::Failure;
use crate::subject::{Seen, Subject};

/// Picks images.
pub(crate) struct Pick<'a> {
    pub(crate) context: &'a Context,
    pub(crate) asking: &'a Asking,
}

/// By what its like are found: the repositories that an image may be of, and its platform.
pub(crate) struct Known {
    repositories: Vec<String>,
    platform: Option<String>,
}

impl Known {
    fn of(image: &ImageDescription, named: Option<&str>) -> Self {
        let named = named.into_iter().chain(image.tags.iter().map(String::as_str));
        let references = named.filter_map(|it| it.parse::<Reference>().ok());
        let repositories: BTreeSet<String> =
            references.map(|it| format!("{}/{}", it.host, it.repository)).collect();
        // Old archives do not say.
        let platform = Some(image.platform.to_string()).filter(|_| !image.platform.os.is_empty());
        Self { repositories: repositories.into_iter().collect(), platform }
    }

    fn shown(&self) -> String {
        let short = |it: &String| it.strip_prefix("docker.io/").unwrap_or(it).to_owned();
        let names: Vec<String> = self.repositories.iter().map(short).collect();
        match &self.platform {
            Some(platform) => format!("{} for {platform}", names.join(", ")),
            None => names.join(", "),
        }
    }

    /// May it be of that repository?
    pub(crate) fn is_of(&self, repository: &str) -> bool {
        self.repositories.iter().any(|it| it == repository)
    }

    fn is_for(&self, platform: &str) -> bool {
        self.platform.as_deref().is_none_or(|it| it == platform)
    }
}

impl Pick<'_> {
    /// The image that is named; where it cannot be read here, what was pushed of it.
    pub(crate) async fn named(&self, subject: &Subject) -> anyhow::Result<(Seen, Known)> {
        let seen = match subject.read(self.context, Hearing::All).await {
            Ok(seen) => seen,
            Err(error) => match self.pushed(subject).await? {
                Some(inventory) => {
                    self.context.messages.inform(&format!(
                        "It cannot be read here ({error}), so what was pushed of it is taken"
                    ));
                    Seen::remembered(inventory)
                }
                None => return Err(error),
            },
        };
        let Some(image) = seen.inventory.subject.image() else {
            let what = seen.inventory.subject.name();
            return Err(Failure::error(
                format!("{what}: it is no image, so there is no other of its repository"),
                "--to names what to compare with",
            ));
        };
        let named = Some(image.name.as_str()).filter(|_| subject.in_a_registry());
        let known = Known::of(image, named);
        if known.repositories.is_empty() {
            return Err(Failure::error(
                format!("{}: it does not say which repository it is of", image.name),
                "--to names what to compare with",
            ));
        }
        Ok((seen, known))
    }

    /// What was pushed under that name, if anything was.
    async fn pushed(&self, subject: &Subject) -> anyhow::Result<Option<Inventory>> {
        let written = subject.written().filter(|_| subject.in_a_registry());
        let Some(name) = written else { return Ok(None) };
        // Who says where it is means that place.
        if name.starts_with("local://") || name.starts_with("registry://") {
            return Ok(None);
        }
        let name = name.strip_prefix("image://").unwrap_or(name);
        let (_, platform) = subject.in_environment()?;
        let query = ResolveQuery { image: name.to_owned(), platform, pushed: true };
        let organisation = &self.asking.organisation;
        match self.asking.client.resolve(organisation, &query).await {
            Ok(it) => self.inventory(&it.digest, name, name).await.map(Some),
            Err(_) => Ok(None),
        }
    }

    /// The newest image of the repository that runs in the environment.
    pub(super) async fn running(
        &self,
        environment: &str,
        subject: &Subject,
    ) -> anyhow::Result<(Inventory, Known)> {
        let (image, platform) = subject.in_environment()?;
        let found = self.deployments(environment, image, platform).await?;
        let repositories: BTreeSet<&str> = found.iter().map(|it| &*it.repository).collect();
        if image.is_none() && repositories.len() > 1 {
            let names: Vec<&str> = repositories.into_iter().take(20).collect();
            return Err(Failure::error(
                format!("--env {environment}: which image? there run {}", names.join(", ")),
                "name a repository",
            ));
        }
        let Some(newest) = found.into_iter().max_by(|one, other| one.from.cmp(&other.from)) else {
            let what = image.map_or("nothing".to_owned(), |it| format!("no image of {it}"));
            return Err(self.absent(environment, &what).await?);
        };
        let inventory = self.deployed(&newest).await?;
        let known =
            Known { repositories: vec![newest.repository], platform: Some(newest.platform) };
        Ok((inventory, known))
    }

    /// The newest image like it that runs in the environment.
    pub(crate) async fn newest_in(
        &self,
        environment: &str,
        known: &Known,
    ) -> anyhow::Result<Inventory> {
        let mut found = Vec::new();
        for repository in &known.repositories {
            let all = self.deployments(environment, Some(repository), known.platform.clone());
            found.extend(all.await?);
        }
        let newest = found.into_iter().max_by(|one, other| one.from.cmp(&other.from));
        if let Some(newest) = newest {
            return self.deployed(&newest).await;
        }
        let what = format!("no image of {}", known.shown());
        Err(self.absent(environment, &what).await?)
    }

    /// The image like it that was analysed last.
    pub(crate) async fn latest(&self, known: &Known) -> anyhow::Result<Inventory> {
        let mut found: Vec<(String, Image)> = Vec::new();
        for repository in &known.repositories {
            let all = whole(async |after| {
                let query = ImageQuery {
                    repository: Some(repository.clone()),
                    state: Some(ImageState::Analysed),
                    after,
                    limit: Some(PART),
                };
                self.asking.client.images(&self.asking.organisation, &query).await
            });
            let all = all.await?.into_iter().filter(|it| known.is_for(&it.platform));
            found.extend(all.map(|it| (repository.clone(), it)));
        }
        let newest = found.into_iter().max_by(|one, other| one.1.analysed.cmp(&other.1.analysed));
        let Some((repository, image)) = newest else {
            let organisation = &self.asking.organisation;
            return Err(Failure::error(
                format!("no image of {} is analysed in organization {organisation}", known.shown()),
                "foretop push IMAGE reads one and sends what is inside",
            ));
        };
        let short = repository.strip_prefix("docker.io/").unwrap_or(&repository);
        let name = format!("{short}@{}", image.digest);
        self.context.messages.inform(&format!("Compared with what was analysed last: {name}"));
        self.inventory(&image.digest, &name, &name).await
    }

    /// All that runs there.
    pub(crate) async fn all_in(&self, environment: &str) -> anyhow::Result<Vec<Deployment>> {
        self.deployments(environment, None, None).await
    }

    async fn deployments(
        &self,
        environment: &str,
        image: Option<&str>,
        platform: Option<String>,
    ) -> anyhow::Result<Vec<Deployment>> {
        let organisation = &self.asking.organisation;
        // An environment that nobody has heard of is not an empty one.
        self.asking.client.environment(organisation, environment).await?;
        let found = whole(async |after| {
            let query = DeploymentQuery {
                environment: Some(environment.to_owned()),
                image: image.map(str::to_owned),
                platform: platform.clone(),
                after,
                limit: Some(PART),
                ..DeploymentQuery::default()
            };
            self.asking.client.deployments(organisation, &query).await
        });
        Ok(found.await?)
    }

    /// What is inside what runs, under the name that it runs by.
    async fn deployed(&self, it: &Deployment) -> anyhow::Result<Inventory> {
        let name = match &it.tag {
            Some(_) => it.image.split('@').next().unwrap_or(&it.image),
            None => &it.image,
        };
        let mut inventory = self.inventory(&it.digest, name, &it.image).await?;
        if let Some(since) = &it.unheard {
            let at = it.source.replacen(':', " ", 1);
            let why =
                format!("it was not heard of since {since}: it may run something else by now");
            let gap = Gap::new(at, why);
            self.context.messages.warn(&shown(&gap.to_string()));
            inventory.gaps.push(gap);
        }
        Ok(inventory)
    }

    /// What is inside; an image that nobody has read cannot be compared, and is never taken for one
    /// that has nothing in it.
    async fn inventory(&self, digest: &str, name: &str, full: &str) -> anyhow::Result<Inventory> {
        let client = &self.asking.client;
        let mut inventory = match client.inventory(&self.asking.organisation, digest).await {
            Ok(inventory) => inventory,
            Err(error) if is(&error, Sort::NotFound) => {
                let why = match client.image(&self.asking.organisation, digest).await {
                    Ok(Image { why: Some(why), .. }) => format!("reading it failed: {why}"),
                    _ => "it is not analysed yet".to_owned(),
                };
                return Err(Failure::error(
                    format!("cannot tell what is different from {full}: {why}"),
                    format!("foretop push {full}"),
                ));
            }
            Err(error) => return Err(error.into()),
        };
        if let Content::Image(image) = &mut inventory.subject {
            name.clone_into(&mut image.name);
        }
        Ok(inventory)
    }

    /// That nothing of the kind runs there, and what does.
    async fn absent(&self, environment: &str, what: &str) -> anyhow::Result<anyhow::Error> {
        let organisation = &self.asking.organisation;
        let there = self.deployments(environment, None, None).await?;
        let names: BTreeSet<&str> =
            there.iter().map(|it| it.image.split('@').next().unwrap_or(&it.image)).collect();
        let names: Vec<&str> = names.into_iter().take(20).collect();
        let hint = match names.as_slice() {
            [] => format!("nothing runs there: foretop env {environment} IMAGE records what does"),
            some => format!("there runs: {}", some.join(", ")),
        };
        Ok(Failure::error(
            format!(
                "{what} is recorded to environment {environment} in organization {organisation}"
            ),
            hint,
        ))
    }
}
