//! Judging all that runs: each image once by what it is judged by, wherever it runs, and only where
//! something that policies see is another than before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::Arc;

use api::{Judging, PolicyState, PolicyTitle};
use engine::{Filter, Lookout};
use format::policies::{Judged as Paper, State};
use futures_util::StreamExt as _;
use gate::{Beside, OnlyBrought, World};
use model::{Digest, Moment, OrganisationId, Platform};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use store::{JudgedImage, JudgedRunning, NewJudging, PolicyVerdicts};
use tokio::sync::{Mutex, Semaphore};

use super::attested::{Asked, Asking};
use super::flips::{self, Place, Said, Standing};
use super::sample::{Sample, States};
use super::{Ready, hash};
use crate::app::App;
use crate::exceptions::Lookouts;
use crate::in_use::Marks;
use crate::{in_use, jobs, judge};

/// Rows that are read together.
const PART: u32 = 5_000;
/// What is kept of what a policy says of an image: so many sentences, each of so many letters.
const MESSAGES: usize = 5;
const LETTERS: usize = 300;
/// Seconds in a day.
const DAY: i64 = 86_400;
/// How often we begin anew where somebody was quicker.
const TRIES: usize = 3;
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// One judges at a time in a process, and one tries out.
pub(crate) struct Policing {
    judging: Mutex<()>,
    pub(super) trying: Arc<Semaphore>,
}

impl Default for Policing {
    fn default() -> Self {
        Self { judging: Mutex::default(), trying: Arc::new(Semaphore::new(1)) }
    }
}

/// What an environment was judged by, as it is kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Stood {
    pub(crate) almanac: String,
    /// The environment whose policies it were, and their version.
    pub(crate) environment: Option<String>,
    pub(crate) version: Option<u32>,
    pub(crate) exceptions: Vec<String>,
    /// The policies that counted.
    pub(crate) policies: Vec<PolicyTitle>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// So many images were looked into,
    pub(crate) looked: usize,
    /// so many of them were judged by policies, the others had been when all was the same,
    pub(crate) judged: usize,
    /// and so many flips were told.
    pub(crate) flips: usize,
}

/// An environment, and what counts there.
struct There {
    id: String,
    name: String,
    set: Arc<Ready>,
    lookout: Arc<Lookout>,
    exceptions: (Vec<String>, String),
    stance: String,
    /// What stands for what images load there, where somebody looked.
    loaded: HashMap<String, String>,
    running: Vec<JudgedRunning>,
}

/// An image that is to be judged.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) digest: Digest,
    pub(super) repository: String,
    pub(super) tag: Option<String>,
    pub(super) platform: Platform,
    /// The environment in which somebody looked at what it loads.
    pub(super) loads_in: Option<String>,
    /// What it is judged from; the same where nothing is another.
    pub(super) ground: String,
}

/// Judges all that runs in an organisation by the policies that are in force there.
pub(crate) async fn judge(app: &App, organisation: &OrganisationId) -> Result<Done, String> {
    let _turn = app.policing.judging.lock().await;
    let began = std::time::Instant::now();
    let mut done = Done::default();
    let mut outcome = Ok(());
    for _ in 0..TRIES {
        // Before anything else: whoever judges meanwhile may know what we do not.
        let former = app.store.policy_judgings(organisation).await;
        let former = former.map_err(|error| error.to_string())?;
        let (all, broken) = there(app, organisation).await?;
        outcome = broken;
        let (states, unseen) = look(app, organisation, &all, &mut done).await?;
        outcome = outcome.and(unseen);
        let mut is_late = false;
        for it in &all {
            // What is wrong with one is in no other's way.
            let revision = former.get(&it.id).map_or(0, |it| it.revision);
            match write(app, organisation, (it, revision), &states).await {
                Ok(Some(flips)) => done.flips += flips,
                Ok(None) => is_late = true,
                Err(why) => outcome = outcome.and(Err(why)),
            }
        }
        if !is_late {
            break;
        }
    }
    let swept = app.store.sweep_policy_verdicts(organisation, app.now()).await;
    swept.map_err(|error| error.to_string())?;
    let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(done.looked, done.judged, done.flips, took, "what runs is judged by policies");
    outcome.map(|()| done)
}

/// Every environment, what runs in it, and what counts there; and why there are some of which nobody can
/// tell what counts.
async fn there(
    app: &App,
    organisation: &OrganisationId,
) -> Result<(Vec<There>, Result<(), String>), String> {
    let told = |error: store::Error| error.to_string();
    let store = &app.store;
    let mut running: HashMap<String, Vec<JudgedRunning>> = HashMap::new();
    let mut after = String::new();
    loop {
        let part = store.running_to_judge(organisation, None, &after, PART).await.map_err(told)?;
        let Some(last) = part.last() else { break };
        last.deployment.clone_into(&mut after);
        for it in part {
            running.entry(it.environment.clone()).or_default().push(it);
        }
    }
    let now = app.now();
    let mut lookouts = Lookouts::of(app, organisation, Judging::default())
        .await
        .map_err(|refusal| refusal.0.detail)?;
    let own: BTreeSet<Option<String>> = store
        .all_policies_in_force(organisation)
        .await
        .map_err(told)?
        .into_iter()
        .map(|it| it.environment)
        .collect();
    let marks = Marks::of(app, organisation).await.map_err(told)?;
    let mut sets: BTreeMap<Option<String>, Arc<Ready>> = BTreeMap::new();
    let (mut all, mut outcome) = (Vec::new(), Ok(()));
    for it in store.environments(organisation).await.map_err(told)? {
        let place = Some(it.name.clone()).filter(|name| own.contains(&Some(name.clone())));
        let set = if let Some(set) = sets.get(&place) {
            Arc::clone(set)
        } else {
            let record = store.policies_in_force(organisation, place.as_deref()).await;
            match super::ready(record.map_err(told)?).await {
                Ok(set) => Arc::clone(sets.entry(place).or_insert(set)),
                // Another version of this program kept them. That is in no other's way.
                Err(why) => {
                    outcome = Err(format!("environment {}: {why}", it.name));
                    continue;
                }
            }
        };
        let exceptions = lookouts.held_in(&it.name, now);
        let loaded = marks.there(&it.id).cloned().unwrap_or_default();
        // What is loaded is another thing in each environment.
        let alone = if loaded.is_empty() { "" } else { it.id.as_str() };
        all.push(There {
            stance: stance(&[&set.digest, &exceptions.1], alone),
            loaded,
            lookout: lookouts.there(Some(&it.name)),
            running: running.remove(&it.id).unwrap_or_default(),
            id: it.id,
            name: it.name,
            set,
            exceptions,
        });
    }
    Ok((all, outcome))
}

/// What an image is judged by; `alone`: in the environment of that id, as in no other.
pub(super) fn stance(parts: &[&str], alone: &str) -> String {
    let whole = hash(parts);
    if alone.is_empty() { whole } else { hash(&[&whole, alone]) }
}

/// What policies say of an image, by what it is judged by and its digest.
type Known = HashMap<(String, String), States>;

/// Looks into all images of which something may be another than before; and why that cannot be done with
/// some.
async fn look(
    app: &App,
    organisation: &OrganisationId,
    all: &[There],
    done: &mut Done,
) -> Result<(Known, Result<(), String>), String> {
    let told = |error: store::Error| error.to_string();
    let day = day(app.now()).to_string();
    let (mut known, mut outcome) = (Known::new(), Ok(()));
    let bases = app.store.bases_mark(organisation).await.map_err(told)?;
    let stances: BTreeMap<&str, &There> = all.iter().map(|it| (it.stance.as_str(), it)).collect();
    let asking = Asking::default();
    // Others have work, too.
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let at_once = (cores / 2).max(1);
    for (stance, one) in stances {
        let sheets = one.lookout.almanac().manifest().sheets_digest().to_string();
        let mut wanted: BTreeMap<String, Wanted> = BTreeMap::new();
        for it in all.iter().filter(|it| it.stance == stance).flat_map(|it| &it.running) {
            let Some(analysed) = it.analysed else { continue };
            let loaded = one.loaded.get(it.digest.as_str());
            let mark = loaded.map_or("", String::as_str);
            let parts = [&sheets, &day, VERSION, &analysed.to_string(), &bases, mark];
            wanted.entry(it.digest.to_string()).or_insert_with(|| Wanted {
                digest: it.digest.clone(),
                repository: it.repository.clone(),
                tag: it.tag.clone(),
                platform: it.platform.clone(),
                loads_in: loaded.map(|_| one.name.clone()),
                ground: hash(&parts),
            });
        }
        for it in app.store.judged_images(organisation, stance, None).await.map_err(told)? {
            let is_same = wanted.get(&it.digest).is_some_and(|new| new.ground == it.ground);
            if let Some(states) = States::read(&it.states).filter(|_| is_same) {
                wanted.remove(&it.digest);
                known.insert((stance.to_owned(), it.digest), states);
            }
        }
        done.looked += wanted.len();
        let mut judging = futures_util::stream::iter(wanted.into_values())
            .map(|it| async {
                let digest = it.digest.to_string();
                (digest, image(app, organisation, one, &asking, it).await)
            })
            .buffer_unordered(at_once);
        while let Some(judged) = judging.next().await {
            let (digest, judged) = judged;
            let (states, is_new) = match judged {
                Ok(Some(it)) => it,
                // One that is gone meanwhile is seen the next time.
                Ok(None) => continue,
                // Nobody can tell what policies say of it, and of the others they say it.
                Err(why) => {
                    outcome = Err(format!("image {digest}: {why}"));
                    continue;
                }
            };
            done.judged += usize::from(is_new);
            known.insert((stance.to_owned(), digest), states);
        }
    }
    Ok((known, outcome))
}

/// What policies say of an image, and whether they had to be asked.
async fn image(
    app: &App,
    organisation: &OrganisationId,
    there: &There,
    asking: &Asking,
    wanted: Wanted,
) -> Result<Option<(States, bool)>, String> {
    let told = |error: store::Error| error.to_string();
    let Some((mut facts, beside)) =
        seen(app, organisation, &there.lookout, asking, &wanted).await?
    else {
        return Ok(None);
    };
    let now = app.now();
    let Wanted { digest, ground, .. } = wanted;
    let mark = mark(&mut facts, beside.base().as_ref(), &there.set.digest, day(now));
    let key = digest.to_string();
    let carried = app
        .store
        .carry_policy_verdicts(organisation, &there.stance, (&key, &mark), &ground, now)
        .await
        .map_err(told)?;
    if let Some(states) = carried.as_ref().and_then(States::read) {
        return Ok(Some((states, false)));
    }
    let set = Arc::clone(&there.set);
    let papers = asked(app, (facts, beside), vec![set], ()).await?;
    let paper = papers.first().ok_or("judging broke off")?;
    let (states, said) = (states(paper), said(paper));
    let new = PolicyVerdicts {
        image: JudgedImage { digest: key, ground, mark, states: json!(states) },
        verdicts: json!(said),
        judged: now,
        looked: now,
    };
    app.store.keep_policy_verdicts(organisation, &there.stance, &new).await.map_err(told)?;
    Ok(Some((states, true)))
}

/// What policies see of an image and of the world around it; none: nobody knows what is inside.
pub(super) async fn seen(
    app: &App,
    organisation: &OrganisationId,
    lookout: &Arc<Lookout>,
    asking: &Asking,
    wanted: &Wanted,
) -> Result<Option<(policy::Facts, Beside)>, String> {
    // Whoever tells of new advisories goes first.
    drop(app.judging.lock().await);
    let told = |error: store::Error| error.to_string();
    let Wanted { digest, repository, tag, platform, loads_in, .. } = wanted;
    let inventory = app.store.inventory(organisation, digest).await.map_err(told)?;
    let Some(inventory) = inventory else { return Ok(None) };
    let asked = Asked { repository, tag: tag.as_deref(), digest, platform };
    let stated = asking.of(app, &asked).await;
    let found = format!("{repository}@{digest}").parse().ok();
    let layers = inventory.subject.image().map_or(&[][..], |it| &it.layers);
    let layers: Vec<_> = layers.iter().map_while(|it| it.diff_id.clone()).collect();
    let bases = app.store.bases_below(organisation, &layers).await.map_err(told)?;
    let loaded = match loads_in {
        Some(there) => in_use::evidence(app, organisation, there, digest).await.map_err(told)?,
        None => None,
    };
    let now = app.now();
    let reading = judge::on_a_core(app, lookout, move |_| {
        let beside = Beside::of(&inventory, found.as_ref(), || stated);
        (inventory, beside)
    });
    let (inventory, mut beside) = reading.await.map_err(|refusal| refusal.0.detail)?;
    if let Some(image) = inventory.subject.image() {
        let mut claims = Vec::new();
        for claim in beside.claims(image) {
            let layers = match claim.layers_among(image, &bases) {
                Some(layers) => Ok(layers),
                None => asking.layers(app, organisation, &claim, (repository, platform)).await,
            };
            claims.push((claim, layers));
        }
        beside.stand_on_told(image, &claims, &bases);
    }
    let looking = judge::on_a_core(app, lookout, move |lookout| {
        let mut analysis = lookout.analyze_in_brief(inventory, &Filter::default());
        if let Some(loaded) = loaded {
            loaded.note(&mut analysis);
        }
        let nanos = now.micros().saturating_mul(1_000);
        (gate::facts(&analysis, &beside, nanos, VERSION), beside)
    });
    looking.await.map(Some).map_err(|refusal| refusal.0.detail)
}

/// What each of these sets says of that; `held` is let go of when all is said, whether anybody waits for
/// it or not.
pub(super) async fn asked(
    app: &App,
    (facts, beside): (policy::Facts, Beside),
    sets: Vec<Arc<Ready>>,
    held: impl Send + 'static,
) -> Result<Vec<Paper>, String> {
    let settings = (!app.reach.offline).then(|| Arc::clone(&app.reach.settings));
    let runtime = tokio::runtime::Handle::current();
    // It waits for registries, so it holds no core meanwhile.
    let judging = tokio::task::spawn_blocking(move || {
        let _held = held;
        let (keys, beside) = (&OnlyBrought, &beside);
        let world = World { runtime, settings, keys, beside, guarded: true };
        sets.iter().map(|it| gate::on_paper(&it.judge.judge(&facts, &world))).collect()
    });
    judging.await.map_err(|error| format!("judging broke off: {error}"))
}

/// Of all that policies see on a day. Which almanac it was is none of it: what that says is.
fn mark(facts: &mut policy::Facts, base: Option<&Json>, set: &str, day: Moment) -> String {
    let analysis =
        Arc::make_mut(&mut facts.input).get_mut("analysis").and_then(Json::as_object_mut);
    let aside = analysis.map(|it| {
        let kind = it.get("basis").map(|it| {
            let looked = &it["in_use"];
            let unsaid = &it["untold"];
            json!([it["starter"], it["almanac"] == "", unsaid, looked["by"], looked["is_old"]])
        });
        ([("basis", it.remove("basis")), ("says", it.remove("says"))], kind)
    });
    let mut hasher = Hasher(Sha256::new());
    let written = serde_json::to_writer(&mut hasher, &*facts.input);
    let referrers = facts.referrers.iter();
    let referrers: Vec<_> = referrers
        .map(|it| json!([it.predicate_type, it.image, it.statement, it.envelope]))
        .collect();
    let rest = json!([
        set,
        day,
        aside.as_ref().map(|it| &it.1),
        referrers,
        facts.referrers_unread,
        facts.provenance,
        facts.statements,
        base,
    ]);
    let rest = written.and_then(|()| serde_json::to_writer(&mut hasher, &rest));
    rest.expect("values have a written form, and a hash takes all");
    let analysis =
        Arc::make_mut(&mut facts.input).get_mut("analysis").and_then(Json::as_object_mut);
    if let (Some(analysis), Some((parts, _))) = (analysis, aside) {
        for (name, value) in parts {
            analysis.extend(value.map(|it| (name.to_owned(), it)));
        }
    }
    let bytes: [u8; 32] = hasher.0.finalize().into();
    Digest::from_sha256(&bytes).hex().to_owned()
}

struct Hasher(Sha256);

impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn state(it: State) -> PolicyState {
    match it {
        State::Met => PolicyState::Met,
        State::NotMet => PolicyState::NotMet,
        State::Unknown => PolicyState::Unknown,
    }
}

pub(super) fn states(paper: &Paper) -> States {
    States {
        health: paper.health.as_ref().map(|it| it.grade.clone()),
        policies: paper.policies.iter().map(|it| (it.id.clone(), state(it.state))).collect(),
    }
}

/// In words, as far as they are kept.
pub(super) fn said(paper: &Paper) -> Vec<Said> {
    let cut = |it: &String| it.chars().take(LETTERS).collect::<String>();
    let policy = |it: &format::policies::Policy| Said {
        id: it.id.clone(),
        state: Some(state(it.state)),
        why: it.why.as_ref().map(cut),
        count: it.count as u64,
        messages: it.violations.iter().take(MESSAGES).map(|it| cut(&it.message)).collect(),
    };
    paper.policies.iter().map(policy).collect()
}

/// Writes down what came of an environment, and tells what flipped. `None`: somebody was quicker.
async fn write(
    app: &App,
    organisation: &OrganisationId,
    (there, former): (&There, i64),
    known: &Known,
) -> Result<Option<usize>, String> {
    let told = |error: store::Error| error.to_string();
    let store = &app.store;
    let states_of = |it: &JudgedRunning| known.get(&(there.stance.clone(), it.digest.to_string()));

    let titles = there.set.titles();
    let mut sample = Sample::of(&titles);
    let digests: BTreeMap<&Digest, &JudgedRunning> =
        there.running.iter().map(|it| (&it.digest, it)).collect();
    for it in digests.values() {
        sample.add(states_of(it));
    }
    if let Some(it) = store.present_counts(organisation).await.map_err(told)?.get(&there.id) {
        sample.count(&it.counts);
    }

    let mut applications: BTreeMap<&str, (Option<Standing>, &str)> = BTreeMap::new();
    for it in &there.running {
        let empty = || Standing {
            set: there.set.digest.clone(),
            exceptions: hash(&[&there.exceptions.1]),
            ..Standing::default()
        };
        let entry = applications.entry(&it.application);
        let (standing, _) = entry.or_insert_with(|| (Some(empty()), it.repository.as_str()));
        // Of an application of which one image is not known yet, nobody can tell.
        match (states_of(it), standing.as_mut()) {
            (Some(states), Some(standing)) => {
                standing.add(it.digest.as_str(), &states.policies);
            }
            _ => *standing = None,
        }
    }
    let kept = store.policy_states(&there.id).await.map_err(told)?;
    let (mut states, mut events) = (Vec::new(), Vec::new());
    let mut words = Words::new(there);
    for (application, (standing, repository)) in &applications {
        let Some(present) = standing else { continue };
        let before = kept.get(*application).and_then(Standing::read);
        if before.as_ref() == Some(present) {
            continue;
        }
        states.push(((*application).to_owned(), Some(json!(present))));
        let Some(before) = &before else { continue };
        let flips = present.since(before);
        let place = Place {
            environment: &there.name,
            application,
            repository,
            titles: &titles,
            former: before,
            present,
        };
        for flip in flips {
            let said = words.of(app, organisation, present, (&flip.policy, flip.to)).await?;
            events.push(flips::event(&flip, &place, said.as_ref()));
        }
    }
    let gone = kept.keys().filter(|it| !applications.contains_key(it.as_str()));
    states.extend(gone.map(|it| (it.clone(), None)));

    let head = there.set.head.as_ref();
    let basis = json!(Stood {
        almanac: there.lookout.almanac().digest().to_string(),
        environment: head.and_then(|it| it.environment.clone()),
        version: head.and_then(|it| u32::try_from(it.version).ok()),
        exceptions: there.exceptions.0.clone(),
        policies: titles,
    });
    let act = jobs::itself(app, "judge_policies");
    let sample = json!(sample);
    let new = NewJudging {
        environment: &there.id,
        former,
        stance: &there.stance,
        basis: &basis,
        states: &states,
        events: &events,
        sample: (day(act.at), &sample),
    };
    let is_written = store.judged(organisation, &act, &new).await.map_err(told)?;
    Ok(is_written.then_some(events.len()))
}

/// The words of images, read when something is told of them.
struct Words<'a> {
    there: &'a There,
    read: HashMap<String, Vec<Said>>,
}

/// Images whose words are held at once.
const HELD: usize = 500;

impl<'a> Words<'a> {
    fn new(there: &'a There) -> Self {
        Self { there, read: HashMap::new() }
    }

    /// What a policy says of the first of these images that is as it says.
    async fn of(
        &mut self,
        app: &App,
        organisation: &OrganisationId,
        standing: &Standing,
        (policy, to): (&str, PolicyState),
    ) -> Result<Option<Said>, String> {
        for digest in &standing.images {
            if !self.read.contains_key(digest) {
                if self.read.len() >= HELD {
                    self.read.clear();
                }
                let found = app
                    .store
                    .policy_verdicts(organisation, &self.there.stance, &[digest])
                    .await
                    .map_err(|error| error.to_string())?;
                let said = found.first().map(|it| Vec::<Said>::deserialize(&it.verdicts));
                self.read
                    .insert(digest.clone(), said.transpose().ok().flatten().unwrap_or_default());
            }
            let said = self.read.get(digest).into_iter().flatten();
            let mut said = said.filter(|it| it.id == policy && it.state == Some(to));
            if let Some(said) = said.next() {
                return Ok(Some(said.clone()));
            }
        }
        Ok(None)
    }
}

/// The first moment of a day.
pub(crate) fn day(at: Moment) -> Moment {
    Moment::from_micros(at.micros().div_euclid(DAY * 1_000_000) * DAY * 1_000_000)
}
