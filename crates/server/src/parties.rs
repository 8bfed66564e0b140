//! The parties that are spoken with: connected once, and anew when they are told something else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use integration::watch::{Rhythm, Rounds};
use integration::{
    BadSetting, Check, Integration, Kind, Message, Outcome, Role, Secrets, Settings, Ways,
};
use model::{Moment, Secret};
use store::{IntegrationRecord, IntegrationSecrets, IntegrationState};

use crate::app::{App, Reach};
use crate::jobs::Looking;

/// Parties that are connected at once; beyond, the one that was used least lately is forgotten.
const MOST: usize = if cfg!(test) { 3 } else { 500 };
/// How long trying a party may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(45);
/// How often a registry is looked at that tells what happens in it, and one that does not.
const SELDOM: Duration = Duration::from_hours(1);
const OFTEN: Duration = Duration::from_mins(5);
/// Of so many looks at one that does not, one is at everything, where it says what changed.
const WHOLE: u32 = 10;
/// The first thing that is tried of each.
const REACHED: &str = "registry reachable";
/// The same of who says what runs.
const ANSWERS: &str = "API reachable";
/// Where nobody outside is asked.
const ONLINE: &str = "start the server without FORETOP_OFFLINE";
/// Settings that say how a party of that kind is reached. What is secret is told for one address.
pub(crate) fn address(kind: &Kind) -> &'static [&'static str] {
    match kind.role {
        Role::Notifier => &["url", "host", "port", "tls"],
        Role::Runtime => &["region", "url"],
        Role::Registry => {
            &["registry", "api", "layout", "subdomain-mode", "template", "virtual-repository"]
        }
    }
}

/// Settings that say what of it is watched.
pub(crate) const SCOPE: &[&str] =
    &["include", "exclude", "repository", "tag", "cluster", "environment"];

/// The parties that are connected, by the id of their integration.
#[derive(Default)]
pub(crate) struct Parties(Mutex<Known<Arc<Party>>>);

/// Some of those, by their ids, and when each was used.
struct Known<T> {
    all: HashMap<String, (u64, T)>,
    uses: u64,
}

/// A party that is connected.
pub(crate) struct Party {
    pub(crate) kind: &'static Kind,
    pub(crate) settings: Settings,
    /// What its webhooks prove themselves with.
    pub(crate) secrets: Secrets,
    /// How its registry is reached.
    pub(crate) ways: Arc<image::Settings>,
    pub(crate) integration: Arc<dyn Integration>,
    /// What was said of it when it was connected.
    revision: i64,
    /// When a former secret of it ends.
    until: Option<Moment>,
    rhythm: Mutex<Rhythm>,
    looking: Mutex<Looking>,
    rounds: Mutex<Rounds>,
    /// What the last look at all of it found.
    whole: Mutex<Option<IntegrationState>>,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self { all: HashMap::new(), uses: 0 }
    }
}

impl<T: Clone> Known<T> {
    fn get(&mut self, id: &str) -> Option<T> {
        self.uses += 1;
        let (used, it) = self.all.get_mut(id)?;
        *used = self.uses;
        Some(it.clone())
    }

    /// One more; for its sake one may be forgotten, of those that may go first.
    fn put(&mut self, id: &str, it: T, may_go: impl Fn(&T) -> bool) {
        self.uses += 1;
        if self.all.len() >= MOST && !self.all.contains_key(id) {
            let last = self.all.iter().min_by_key(|(_, (used, it))| (!may_go(it), *used));
            if let Some(last) = last.map(|(id, _)| id.clone()) {
                self.all.remove(&last);
            }
        }
        self.all.insert(id.to_owned(), (self.uses, it));
    }
}

/// The party of an integration.
pub(crate) async fn connected(app: &App, record: &IntegrationRecord) -> Result<Arc<Party>, String> {
    let now = app.now();
    let known = || app.parties.0.lock().unwrap_or_else(PoisonError::into_inner);
    let is_so =
        |it: &Party| it.revision == record.revision && it.until.is_none_or(|until| now < until);
    if let Some(party) = known().get(&record.id).filter(|it| is_so(it)) {
        return Ok(party);
    }
    let secrets = app.store.integration_secrets(record, now).await.map_err(|it| it.to_string())?;
    let kind = integration::find(&record.kind)
        .ok_or_else(|| format!("nobody here speaks with {}", record.kind))?;
    let settings = settled(kind, &record.settings, &secrets.new).map_err(|faults| told(&faults))?;
    let mut party = connect(app, kind, settings, &secrets).map_err(|it| it.to_string())?;
    party.revision = record.revision;
    let party = Arc::new(party);
    // Of one that is looked at right now it would not be known how far that got.
    known().put(&record.id, Arc::clone(&party), |it| !it.looking().goes_on());
    Ok(party)
}

/// May a repository be one of that integration's registry, or of a host below it?
pub(crate) fn holds(record: &IntegrationRecord, repository: &str) -> bool {
    let host = repository.split_once('/').map_or("", |it| it.0);
    let said = record.settings.iter().find(|it| it.0 == "registry");
    // As it was told: people paste whole URLs.
    let registry = said.and_then(|it| integration::host(it.1.trim()));
    registry.is_some_and(|it| model::is_registry_at(&it, host))
}

/// What is said, checked. Nothing comes from the environment: that is of whoever runs the server.
pub(crate) fn settled(
    kind: &'static Kind,
    settings: &[(String, String)],
    secrets: &[(String, Secret)],
) -> Result<Settings, Vec<BadSetting>> {
    let mut given = settings.to_vec();
    given.extend(secrets.iter().map(|(key, secret)| (key.clone(), secret.expose().to_owned())));
    kind.settle(&given, &|_| None)
}

/// Gets ready to speak with it, as who it says, and else as nobody: what the server itself may read
/// is not for whoever configures an integration.
pub(crate) fn connect(
    app: &App,
    kind: &'static Kind,
    settings: Settings,
    secrets: &IntegrationSecrets,
) -> Result<Party, image::Error> {
    let mine = image::Settings {
        credentials: None,
        hub: None,
        docker_config: None,
        auth_files: Vec::new(),
        // Who is let in as somebody else is told of other limits.
        pace: Arc::default(),
        ..app.reach.settings.as_ref().clone()
    };
    if let Some(outgoing) = &mine.outgoing {
        for key in ["registry", "api"] {
            let host = settings.text(key).map(host_of).unwrap_or_default();
            if !host.is_empty() {
                outgoing.judge_name(host).map_err(|it| it.error())?;
            }
        }
    }
    let ways = Ways { settings: Arc::new(mine), progress: Arc::new(image::Silent) };
    let integration: Arc<dyn Integration> = (kind.connect)(&settings, &ways)?.into();
    let hook = kind.webhook_secret;
    let proof = |all: &[(String, Secret)]| {
        all.iter().find(|it| Some(it.0.as_str()) == hook).map(|it| it.1.clone())
    };
    let until = secrets.until;
    let secrets = Secrets::new(proof(&secrets.new), proof(&secrets.old));
    let tells = integration.inbox().is_some() && !secrets.is_empty();
    let often = minutes(&settings).unwrap_or(if tells { SELDOM } else { OFTEN });
    let rhythm = Rhythm::new(often);
    Ok(Party {
        kind,
        ways: ways.of(&settings),
        settings,
        secrets,
        integration,
        revision: 0,
        until,
        rhythm: Mutex::new(rhythm),
        looking: Mutex::default(),
        rounds: Mutex::new(Rounds::new(if tells { 1 } else { WHOLE })),
        whole: Mutex::default(),
    })
}

/// The host in a URL, or in the name of a registry.
fn host_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |it| it.1);
    let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match rest.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => rest.split(':').next().unwrap_or_default(),
    }
}

/// How often it is to be asked, where it is told.
fn minutes(settings: &Settings) -> Option<Duration> {
    settings.text("interval")?.parse::<u64>().ok().map(Duration::from_mins)
}

/// Every fault, in one line.
pub(crate) fn told(faults: &[BadSetting]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Party {
    /// How long it is left alone between looks, and how often a look failed by now.
    pub(crate) fn rhythm(&self) -> MutexGuard<'_, Rhythm> {
        self.rhythm.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When it was looked at last, so that what changed since can be asked for.
    pub(crate) fn rounds(&self) -> MutexGuard<'_, Rounds> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a look found, with what a look at what changed alone cannot tell: how it is with the rest.
    pub(crate) fn found(&self, state: IntegrationState, is_partial: bool) -> IntegrationState {
        let mut whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_partial {
            *whole = Some(state.clone());
            return state;
        }
        match &*whole {
            Some(whole) if state == (IntegrationState::Connected { but: None }) => whole.clone(),
            _ => state,
        }
    }

    /// What came of a look that goes on.
    pub(crate) fn looking(&self) -> MutexGuard<'_, Looking> {
        self.looking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every so many seconds it is to be asked.
    pub(crate) fn interval(&self) -> i64 {
        let often = minutes(&self.settings).unwrap_or(OFTEN);
        i64::try_from(often.as_secs()).unwrap_or(i64::MAX)
    }

    /// Is it yet to be chosen what it is about: which cluster, and which environment that is?
    pub(crate) fn awaits_choice(&self) -> bool {
        self.kind.role == Role::Runtime
            && ["cluster", "environment"].iter().any(|it| self.settings.text(it).is_none())
    }

    /// Is its password yet to come, from what its side is made from by a template?
    pub(crate) fn awaits_password(&self) -> bool {
        !self.kind.templates.is_empty() && self.settings.secret("password").is_none()
    }

    /// Does it work, after all that?
    pub(crate) fn state(&self, checks: &[Check]) -> IntegrationState {
        let failed = checks.iter().find_map(|it| match &it.outcome {
            Outcome::Failed { why, .. } => Some((it.what, why)),
            _ => None,
        });
        match failed {
            None if self.awaits_choice() => IntegrationState::Pending,
            None => IntegrationState::Connected { but: None },
            Some((what, _)) if what != REACHED && self.awaits_password() => {
                IntegrationState::Pending
            }
            Some((what, why)) => IntegrationState::Failed { why: format!("{what}: {why}") },
        }
    }

    /// Tries each thing that it needs.
    pub(crate) async fn tried(&self, reach: &Reach) -> Vec<Check> {
        let mut checks = Vec::new();
        if let Some(notifier) = self.integration.notifier() {
            checks.extend(if reach.offline { vec![silenced()] } else { notifier.checks().await });
        } else if reach.offline {
            let why = "nobody outside is asked here".to_owned();
            let hint = Some(ONLINE.to_owned());
            let outcome = Outcome::Failed { why, hint };
            let what = if self.integration.runtime().is_some() { ANSWERS } else { REACHED };
            checks.push(Check { what, outcome });
        } else if let Some(directory) = self.integration.directory() {
            checks.extend(patiently(directory.checks(), REACHED).await);
        } else if let Some(runtime) = self.integration.runtime() {
            checks.extend(patiently(runtime.checks(), ANSWERS).await);
            if self.settings.text("environment").is_none() {
                let hint = "tell which environment the cluster is: environment=production";
                let (why, hint) = ("none is chosen yet".to_owned(), hint.to_owned());
                let outcome = Outcome::Warned { why, hint };
                checks.push(Check { what: "environment chosen", outcome });
            }
        }
        checks.extend(self.kind.check_webhooks(&self.settings));
        checks
    }

    /// The same, and tells a message to who is there to be told something.
    pub(crate) async fn tested(&self, reach: &Reach, message: &Message, key: &str) -> Vec<Check> {
        let mut checks = self.tried(reach).await;
        let is_failed = checks.iter().any(|it| matches!(it.outcome, Outcome::Failed { .. }));
        if let Some(notifier) = self.integration.notifier().filter(|_| !is_failed) {
            let said = tokio::time::timeout(PATIENCE, notifier.say(message, key)).await;
            checks.push(match said {
                Ok(Ok(answer)) => Check::ok(TOLD, answer),
                Ok(Err(untold)) => Check {
                    what: TOLD,
                    outcome: Outcome::Failed { why: untold.why, hint: untold.hint },
                },
                Err(_) => {
                    let why = format!("it does not answer within {} s", PATIENCE.as_secs());
                    Check { what: TOLD, outcome: Outcome::Failed { why, hint: None } }
                }
            });
        }
        checks
    }
}

/// That a message was heard.
const TOLD: &str = "a test message is taken";

/// Nobody is told anything.
fn silenced() -> Check {
    let why = "nobody is told anything here".to_owned();
    let hint = Some(ONLINE.to_owned());
    Check { what: "receiver reachable", outcome: Outcome::Failed { why, hint } }
}

/// What comes of trying a party that may never answer.
async fn patiently(checking: impl Future<Output = Vec<Check>>, what: &'static str) -> Vec<Check> {
    tokio::time::timeout(PATIENCE, checking).await.unwrap_or_else(|_| {
        let why = format!("it does not answer within {} s", PATIENCE.as_secs());
        let hint = Some("is that its address, and the way there open?".to_owned());
        vec![Check { what, outcome: Outcome::Failed { why, hint } }]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_addresses() {
        let check = |address: &str, expect: &str| assert_eq!(host_of(address), expect);
        check("registry.example:5000", "registry.example");
        check("https://a.example:8443/up", "a.example");
        check("http://[::1]:80/x", "::1");
        check("a.example/x:y", "a.example");
    }

    #[test]
    fn the_one_used_least_lately_is_forgotten() {
        let mut known = Known::default();
        for (id, is_busy) in [("a", true), ("b", false), ("c", false)] {
            known.put(id, is_busy, |it| !it);
        }
        assert_eq!(known.get("b"), Some(false));
        known.put("b", false, |it| !it);
        known.put("d", false, |it| !it);
        let there = |known: &mut Known<bool>| {
            let all = ["a", "b", "c", "d", "e"].into_iter();
            all.filter(|it| known.get(it).is_some()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(there(&mut known), "a b d");
        for busy in ["b", "d"] {
            known.put(busy, true, |it| !it);
        }
        known.put("e", true, |it| !it);
        assert_eq!(there(&mut known), "b d e", "somebody has to go");
    }
}
