//! What every answer rests on.

use std::sync::{Arc, OnceLock};

use engine::Engine;
use model::{Act, Moment, OrganisationId};
use store::Store;
use tokio::sync::{Mutex, Semaphore, watch};

use crate::caller::{Access, Caller, nobodys};
use crate::exporter::Exporter;
use crate::fleet::Fleet;
use crate::footings::Footings;
use crate::identity::People;
use crate::kept::Answers;
use crate::live;
use crate::metrics::Metrics;
use crate::parties::Parties;
use crate::policies::{self, Policing};
use crate::rations::Rations;
use crate::refusal::Refusal;
use crate::refusals::Refusals;
use crate::tally::Tally;
use crate::visiting::Visiting;
use crate::world::World;

/// What every answer rests on. Clones are the same one.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of an [`App`].
pub struct Parts {
    /// What is remembered.
    pub(crate) store: Store,
    /// What is known of the world.
    pub(crate) world: World,
    /// Who may ask.
    pub(crate) access: Access,
    /// How images are reached.
    pub(crate) reach: Reach,
    /// What time it is.
    pub(crate) clock: Clock,
    /// When it began: what happened before it may have missed.
    pub(crate) began: Moment,
    /// Everything that runs, at once.
    pub(crate) fleet: Fleet,
    /// What images stand on.
    pub(crate) footings: Footings,
    /// What is counted.
    pub(crate) metrics: Metrics,
    /// How many findings there are where.
    pub(crate) tally: Tally,
    /// What policies say of what runs.
    pub(crate) policing: Policing,
    /// Tells that to Prometheus.
    pub(crate) exporter: Exporter,
    /// What was answered since something was written.
    pub(crate) answers: Answers,
    /// How often each listens to what changes.
    pub(crate) listeners: Rations,
    /// The parties that are spoken with.
    pub(crate) parties: Parties,
    /// Who tells in their stead, by the names of integrations.
    #[cfg(test)]
    pub(crate) channels: crate::tests::Channels,
    /// Which of their webhooks were not taken.
    pub(crate) refusals: Refusals,
    /// How it is reached by all, where somebody said so.
    public: OnceLock<String>,
    /// Who looks at it without a password, where it is a demo.
    pub(crate) visiting: OnceLock<Visiting>,
    /// Whether it is coming to its end.
    ending: watch::Sender<bool>,
    /// One judges everything that runs at a time: whoever comes second finds it done.
    pub(crate) judging: Mutex<()>,
    /// Judging takes a core for itself, so no more do it at once than there are.
    pub(crate) cores: Arc<Semaphore>,
}

/// How images are reached.
#[derive(Clone)]
pub struct Reach {
    /// Who reads them.
    pub engine: Engine,
    /// Registries and credentials.
    pub settings: Arc<image::Settings>,
    /// Is an image that is recorded and unknown to be analysed by a job? Without workers there would
    /// be nobody to do it.
    pub jobs: bool,
    /// May registries be asked at all?
    pub offline: bool,
}

/// Says what time it is.
pub type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

impl App {
    /// Of these parts.
    pub fn new(store: Store, world: World, access: Access, reach: Reach, clock: Clock) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let cores = Arc::new(Semaphore::new(cores));
        let (ending, _) = watch::channel(false);
        // Whoever runs all this for himself asks once and goes.
        let stays = matches!(access, Access::People(_));
        let (fleet, metrics) = (Fleet::new(stays), Metrics::default());
        let (tally, exporter) = (Tally::default(), Exporter::default());
        let began = clock();
        let parts = Parts {
            store,
            world,
            access,
            reach,
            clock,
            began,
            fleet,
            footings: Footings::default(),
            metrics,
            tally,
            policing: Policing::default(),
            exporter,
            answers: Answers::default(),
            listeners: Rations::new(live::EACH),
            parties: Parties::default(),
            #[cfg(test)]
            channels: crate::tests::Channels::default(),
            refusals: Refusals::default(),
            public: OnceLock::new(),
            visiting: OnceLock::new(),
            ending,
            judging: Mutex::default(),
            cores,
        };
        Self(Arc::new(parts))
    }

    /// What is remembered.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// What time it is.
    pub fn now(&self) -> Moment {
        (self.0.clock)()
    }

    /// Everybody reaches it at this URL.
    pub fn is_reached_at(&self, url: &str) {
        let _ = self.public.set(url.trim_end_matches('/').to_owned());
    }

    /// The URL at which everybody reaches it, where somebody said so.
    pub(crate) fn public(&self) -> Option<&str> {
        self.public.get().map(String::as_str)
    }

    /// The URL at which it is reached, by whoever reached this host.
    pub(crate) fn root(&self, host: &str) -> String {
        if let Some(public) = self.public.get() {
            return public.clone();
        }
        let is_secure = matches!(&self.access, Access::People(people) if people.is_secure());
        format!("{}://{host}", if is_secure { "https" } else { "http" })
    }

    /// Takes in what runs by now, so that nobody waits for it who asks later.
    pub async fn keep_up(&self) -> Result<(), store::Error> {
        self.fleet.now(&self.store).await.map(|_| ())
    }

    /// Counts the findings in an organisation's environments, as a job does.
    pub async fn count(&self, organisation: &OrganisationId) -> Result<u64, String> {
        self.tally.count(self, organisation).await.map(|(written, _)| written)
    }

    /// Counts what is wrong in an organisation's environments, and judges what runs there by policies: as
    /// jobs do, for whoever has none.
    pub async fn settle(&self, organisation: &OrganisationId) -> Result<(), String> {
        self.keep_up().await.map_err(|error| error.to_string())?;
        self.count(organisation).await?;
        policies::judge(self, organisation).await.map(|_| ())
    }

    /// The almanac was kept fresh, or could not be.
    pub fn almanac_refreshed(&self, is_well: bool) {
        self.metrics.refresh(is_well);
    }

    /// Somebody's rights changed.
    pub(crate) fn forget_people(&self) {
        if let Access::People(people) = &self.access {
            people.forget();
        }
    }

    /// How often that was.
    pub(crate) fn times_forgotten(&self) -> u64 {
        match &self.access {
            Access::People(people) => people.times_forgotten(),
            Access::Local { .. } => 0,
        }
    }

    /// Those who may ask; there are none to speak of where whoever runs this owns everything.
    pub(crate) fn people(&self, what: &str) -> Result<&People, Refusal> {
        match &self.access {
            Access::People(people) => Ok(people),
            Access::Local { .. } => Err(nobodys(what)),
        }
    }

    /// From now on answers that go on and on come to an end.
    pub(crate) fn end(&self) {
        self.ending.send_replace(true);
    }

    /// Turns true when the end has come.
    pub(crate) fn ending(&self) -> watch::Receiver<bool> {
        self.ending.subscribe()
    }

    /// A change by that caller, now.
    pub(crate) fn act(&self, caller: &Caller) -> Act {
        Act { who: caller.name.clone(), origin: caller.origin.clone(), at: self.now() }
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
