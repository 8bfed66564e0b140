//! docker: what the containers of a host run: of Docker, podman, Compose and Swarm, by the Engine API.
//!
//! All containers are listed anew whenever the engine tells that something happened to one, and now
//! and then in any case: what it tells may be late, or nothing.

mod container;

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use image::{Engine, Error, Settings};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use crate::again::Again;
use crate::contract::{Look, Runtime, Sight, Trouble, Voice};
use crate::mapping::Mapping;
use container::{Image, Inspected, Listed};

pub use container::containers;

/// How patiently a host is followed.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// All is listed after that, whatever is told.
    pub look: Duration,
    /// What happens within that is one thing.
    pub together: Duration,
    /// The first wait after something failed; the longest is thirty times that.
    pub again: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            look: Duration::from_secs(30),
            together: Duration::from_millis(200),
            again: Duration::from_secs(1),
        }
    }
}

/// A host, seen through its engine.
pub struct Docker {
    settings: Settings,
    mapping: Mapping,
    patience: Patience,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    sight: Option<Arc<Sight>>,
    trouble: Option<Trouble>,
}

/// What is known of images, by their ids: as long as something runs by them, they are what they are.
type Images = HashMap<String, Option<Image>>;

/// What is known from looking before.
struct Known {
    images: Images,
    again: Again,
}

/// What happens to containers, and matters.
const EVENTS: &str = "/events?filters=%7B%22type%22%3A%5B%22container%22%5D%7D";
/// All containers, those that do not run as well: some that will in a moment are said not to.
const CONTAINERS: &str = "/containers/json?all=true";

impl Docker {
    /// The engine that `settings` lead to. Compose projects and Swarm stacks are mapped by their names.
    pub fn new(settings: Settings, mapping: Mapping, patience: Patience) -> Self {
        Self { settings, mapping, patience, seen: Mutex::default() }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        // Whoever panicked holding it left nothing half done: each change is one assignment.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the engine each time that something `happened`, and now and then. Ends by failing.
    async fn watch(
        &self,
        engine: &Engine,
        happened: &Notify,
        known: &mut Known,
        news: &watch::Sender<u64>,
    ) -> Result<Infallible, Error> {
        loop {
            let sight = self.list(engine, &mut known.images).await?;
            known.again.reset();
            let changed = {
                let mut seen = self.seen();
                let is_same = seen.sight.as_deref() == Some(&sight) && seen.trouble.is_none();
                if !is_same {
                    *seen = Seen { sight: Some(Arc::new(sight)), trouble: None };
                }
                !is_same
            };
            if changed {
                news.send_modify(|it| *it += 1);
            }
            if timeout(self.patience.look, happened.notified()).await.is_ok() {
                // What comes together is of no more news.
                sleep(self.patience.together).await;
            }
        }
    }

    /// Listens to the engine, for as long as it is polled. Podman says nothing at all before the first
    /// event, so nobody waits for it.
    async fn listen(&self, engine: &Engine, happened: &Notify, voice: &dyn Voice) -> Infallible {
        let mut again = Again::new(self.patience.again, self.patience.again.saturating_mul(30));
        loop {
            match engine.lines(EVENTS).await {
                Ok(Some(mut lines)) => {
                    again.reset();
                    // From now on nothing is lost; what happened before may be.
                    happened.notify_one();
                    while let Ok(Some(line)) = lines.next().await {
                        if container::matters(&line) {
                            happened.notify_one();
                        }
                    }
                    // An engine that is started anew, mostly.
                    happened.notify_one();
                }
                Ok(None) => voice.debug("the engine tells no events"),
                Err(error) => voice.debug(&format!("the engine tells no events: {error}")),
            }
            sleep(again.wait()).await;
        }
    }

    async fn list(&self, engine: &Engine, images: &mut Images) -> Result<Sight, Error> {
        let listed = engine.json::<Vec<Listed>>(CONTAINERS).await?;
        let listed = listed.ok_or_else(|| {
            Error::unsupported("the container engine", "it knows of no containers")
        })?;
        let listed = listed.value;
        let running: Vec<Listed> = listed.into_iter().filter(Listed::runs).collect();
        let used: BTreeSet<&str> = running.iter().map(|it| it.image_id.as_str()).collect();
        images.retain(|id, _| used.contains(id.as_str()));
        let mut sight = Sight::default();
        for it in &running {
            if !images.contains_key(&it.image_id) {
                let image = match it.id_in_a_path() {
                    Some(id) => engine.json(&format!("/images/{id}/json")).await?,
                    None => None,
                };
                images.insert(it.image_id.clone(), image.map(|it| it.value));
            }
            let image = images.get(&it.image_id).and_then(Option::as_ref);
            // The list has an image's id in place of a name that leads to another image by now.
            let asked = match it.has_no_name().then(|| it.path()).flatten() {
                Some(path) => engine.json::<Inspected>(&path).await?,
                None => None,
            };
            let asked = asked.map(|it| it.value.config.image);
            self.place(it, image, asked.as_deref(), &mut sight);
        }
        Ok(sight)
    }

    fn place(&self, it: &Listed, image: Option<&Image>, asked: Option<&str>, sight: &mut Sight) {
        let workload = it.workload();
        let project = workload.namespace.clone();
        let Some(environment) = self.mapping.of(&project, None, false) else {
            let name = if project.is_empty() { "containers of no project" } else { &project };
            *sight.left_out.entry(name.to_owned()).or_default() += 1;
            return;
        };
        match it.container(workload, image, asked) {
            Ok(container) => {
                sight.running.entry(environment.to_owned()).or_default().insert(container);
            }
            Err(gap) => drop(sight.gaps.insert(gap)),
        }
    }
}

#[async_trait]
impl Runtime for Docker {
    fn kind(&self) -> &'static str {
        "docker"
    }

    async fn follow(&self, news: &watch::Sender<u64>, voice: &dyn Voice) {
        let again = Again::new(self.patience.again, self.patience.again.saturating_mul(30));
        let mut known = Known { images: Images::new(), again };
        loop {
            let watched = async {
                let engine = Engine::find(&self.settings).await?;
                let happened = Notify::new();
                tokio::select! {
                    failed = self.watch(&engine, &happened, &mut known, news) => failed,
                    never = self.listen(&engine, &happened, voice) => Ok(never),
                }
            };
            let Err(error) = watched.await;
            let trouble = Trouble {
                what: "look at the container engine".to_owned(),
                why: error.to_string(),
                hint: error.hint().map(str::to_owned),
                lasting: true,
            };
            let before = self.seen().trouble.replace(trouble.clone());
            if before.as_ref() == Some(&trouble) {
                voice.debug(&trouble.to_string());
            } else {
                voice.complain(&trouble);
            }
            news.send_modify(|it| *it += 1);
            sleep(known.again.wait()).await;
        }
    }

    fn look(&self) -> Look {
        let seen = self.seen();
        match (&seen.trouble, &seen.sight) {
            (trouble, None) => Look::Dark(trouble.clone()),
            (Some(trouble), Some(_)) => Look::Past(trouble.clone()),
            (None, Some(sight)) => Look::Clear(Arc::clone(sight)),
        }
    }
}
