//! Images that the server cannot pull, read where they run: with the pull secrets of the pods that run
//! them, where somebody allows that. What a secret says does not leave the cluster.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use api::{Client, DeploymentQuery, Sort};
use async_trait::async_trait;
use image::Credentials;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use model::Reference;
use tokio::time::{Instant, sleep, timeout};

use super::Kubernetes;
use super::refused::{cause, refused};
use crate::contract::{Look, Runtime as _, Trouble, Voice};
use crate::report::Door;

/// Most images that are looked after at a time.
const IMAGES: usize = 1_000;
/// Most secrets that are asked for because of one image.
const SECRETS: usize = 20;
/// The longest wait before an image is tried again.
const LONGEST: Duration = Duration::from_hours(6);

/// An image that runs and that the server knows nothing of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unread {
    /// `r.example/acme/web:v1@sha256:…`.
    pub image: String,
    /// `linux/amd64`.
    pub platform: String,
    /// What runs.
    pub digest: String,
}

/// Who reads images, and sends what is inside.
#[async_trait]
pub trait Reader: Send + Sync {
    /// Reads one for that organisation, with that login.
    async fn read(
        &self,
        organisation: &str,
        image: &Unread,
        login: Option<&Credentials>,
    ) -> Result<(), String>;
}

/// Has those images read.
pub struct Reading<'a> {
    /// Whom to ask which those are.
    pub door: &'a dyn Door,
    /// The cluster's name there.
    pub name: &'a str,
    /// Who reads them.
    pub reader: &'a dyn Reader,
    /// Who says what is done.
    pub voice: &'a dyn Voice,
    /// How often to ask. The server has as long to read an image by itself; and who could not read one
    /// waits as long, then twice as long, and so on.
    pub every: Duration,
}

/// When an image is tried next, and how long after that.
struct Wait {
    until: Instant,
    then: Duration,
}

impl Reading<'_> {
    /// Has them read for as long as it is polled.
    pub async fn run(&self, cluster: &Kubernetes) {
        let mut waits = HashMap::new();
        let mut complaint = None;
        loop {
            let trouble = self.round(cluster, &mut waits).await.err();
            if let Some(trouble) = trouble.as_ref().filter(|it| complaint.as_ref() != Some(*it)) {
                self.voice.complain(trouble);
            }
            complaint = trouble;
            sleep(self.every).await;
        }
    }

    async fn round(
        &self,
        cluster: &Kubernetes,
        waits: &mut HashMap<Unread, Wait>,
    ) -> Result<(), Trouble> {
        // What cannot be seen now is not forgotten.
        let Look::Clear(sight) = cluster.look() else { return Ok(()) };
        let (client, organisation) = self.door.open().await?;
        let environments = sight.running.keys().map(String::as_str);
        let unread = self.unread(&client, &organisation, environments).await?;
        waits.retain(|it, _| unread.contains(it));
        let mut trouble = None;
        for image in unread {
            let wait = waits.entry(image.clone());
            let wait = wait
                .or_insert_with(|| Wait { until: Instant::now() + self.every, then: self.every });
            if Instant::now() < wait.until {
                continue;
            }
            // Also where nobody comes back from it.
            *wait = Wait {
                until: Instant::now() + wait.then,
                then: wait.then.saturating_mul(2).min(LONGEST),
            };
            match self.read(cluster, &organisation, &image).await {
                Ok(Ok(())) => self.voice.inform(&format!("{}: read here", image.image)),
                Ok(Err(why)) => {
                    self.voice.warn(&format!("{}: cannot be read here: {why}", image.image));
                }
                // The secrets of one namespace may be allowed, and those of another not.
                Err(it) if it.lasting => trouble = trouble.or(Some(it)),
                Err(it) => return Err(it),
            }
        }
        trouble.map_or(Ok(()), Err)
    }

    /// Reads it with each login that there is for it; without any, as anybody may: it may be that it can
    /// be reached from here alone.
    async fn read(
        &self,
        cluster: &Kubernetes,
        organisation: &str,
        image: &Unread,
    ) -> Result<Result<(), String>, Trouble> {
        let (logins, doubts) = cluster.logins(image).await?;
        for doubt in doubts {
            self.voice.warn(&doubt);
        }
        let mut logins = logins.iter().map(Some).collect::<Vec<_>>();
        if logins.is_empty() {
            logins.push(None);
        }
        let mut done = Err("nobody tried".to_owned());
        for login in logins {
            done = self.reader.read(organisation, image, login).await;
            if done.is_ok() {
                break;
            }
        }
        Ok(done)
    }

    /// What runs there by our word, and is not analysed.
    async fn unread(
        &self,
        client: &Client,
        organisation: &str,
        environments: impl Iterator<Item = &str>,
    ) -> Result<BTreeSet<Unread>, Trouble> {
        let failed = |error: api::Error| {
            Trouble::passing("ask which images are not analysed", error.to_string())
        };
        let source = format!("runtime:{}", self.name);
        let mut unread = BTreeSet::new();
        for environment in environments {
            if unread.len() >= IMAGES {
                break;
            }
            let there = match client.environment(organisation, environment).await {
                Ok(it) => it,
                // Nobody has told yet that something runs there.
                Err(error) if error.problem().is_some_and(|it| it.sort == Sort::NotFound) => {
                    continue;
                }
                Err(error) => return Err(failed(error)),
            };
            if there.pending == 0 {
                continue;
            }
            let mut query = DeploymentQuery {
                environment: Some(environment.to_owned()),
                limit: Some(1_000),
                ..DeploymentQuery::default()
            };
            loop {
                let page = client.deployments(organisation, &query).await.map_err(failed)?;
                let own = page.items.into_iter().filter(|it| it.pending && it.source == source);
                unread.extend(own.map(|it| Unread {
                    image: it.image,
                    platform: it.platform,
                    digest: it.digest,
                }));
                query.after = page.next;
                if query.after.is_none() || unread.len() >= IMAGES {
                    break;
                }
            }
        }
        Ok(unread)
    }
}

impl Kubernetes {
    /// The logins for an image in the pull secrets of the pods that run it, and what is wrong with some.
    async fn logins(&self, image: &Unread) -> Result<(Vec<Credentials>, Vec<String>), Trouble> {
        let Ok(reference) = image.image.parse::<Reference>() else { return Ok(Default::default()) };
        let (mut logins, mut doubts) = (Vec::new(), Vec::new());
        for (namespace, name) in self.pull_secrets(&image.digest).into_iter().take(SECRETS) {
            let Some(secret) = self.secret(&namespace, &name).await? else {
                // Nodes go on without one that is not there.
                continue;
            };
            let what = format!("pull secret {namespace}/{name}");
            let forms = [(".dockerconfigjson", false), (".dockercfg", true)];
            let data = secret.data.unwrap_or_default();
            for (key, is_legacy) in forms {
                let Some(text) = data.get(key) else { continue };
                let (host, repository) = (&reference.host, &reference.repository);
                match image::in_pull_secret(&what, &text.0, is_legacy, host, repository) {
                    Ok(login) => logins.extend(login),
                    Err(error) => doubts.push(error.to_string()),
                }
            }
        }
        Ok((logins, doubts))
    }

    async fn secret(&self, namespace: &str, name: &str) -> Result<Option<Secret>, Trouble> {
        let asked = Api::<Secret>::namespaced(self.client.clone(), namespace);
        match timeout(self.patience.answer, asked.get_opt(name)).await {
            Ok(Ok(secret)) => Ok(secret),
            Ok(Err(kube::Error::Api(status))) => Err(refused("get", "secrets", &status)),
            Ok(Err(error)) => Err(Trouble::passing("get secrets", cause(&error))),
            Err(_) => Err(Trouble::passing("get secrets", "the cluster does not answer")),
        }
    }

    /// The pull secrets of the pods that run that, by namespace and name.
    fn pull_secrets(&self, digest: &str) -> BTreeSet<(String, String)> {
        let seen = self.seen();
        let pods = seen.pods.shelf.iter().flat_map(super::Shelf::iter);
        let running =
            pods.filter(|it| it.running.iter().any(|(_, it)| it.digest.as_str() == digest));
        let named = running.flat_map(|pod| {
            pod.pull_secrets.iter().map(|name| (pod.namespace.clone(), name.clone()))
        });
        named.collect()
    }
}
