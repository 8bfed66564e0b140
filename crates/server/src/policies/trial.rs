//! Trying policies out: what runs is judged by what is in force and by what might be, at the same moment
//! and from the same facts, within bounds; nothing of it is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use api::{
    Judging, PolicyBasis, PolicyChoice, PolicyState, PolicyThreshold, PolicyTrial, Sort,
    TriedChange, TriedPolicy, TriedTally, TryingPolicies,
};
use engine::Lookout;
use format::policies::Judged as Paper;
use model::{Digest, ImageState, OrganisationId};
use policy::{Config, Judge, Limits, Set};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::attested::Asking;
use super::judging::{Wanted, asked, said, seen, stance, states};
use super::{Ready, Said, fit, modules_of, read_set, refused};
use crate::app::App;
use crate::body;
use crate::exceptions::Lookouts;
use crate::in_use::Marks;
use crate::refusal::Refusal;

/// Images that are tried, where nobody says how many, and at most; and that can be named.
const USUAL: u32 = 30;
const IMAGES: u32 = 100;
const NAMED: usize = 20;
/// How long all of it may take, and waiting for others who try something.
const PATIENCE: Duration = Duration::from_secs(25);
const TURN: Duration = Duration::from_secs(10);
/// How long the policies of one image may reckon together: whoever breaks off leaves that behind.
const TOGETHER: Duration = Duration::from_secs(30);
/// Changes that are told.
const CHANGES: usize = 200;
/// Rows that are read together, and at most.
const PART: u32 = 5_000;
const ROWS: usize = 200_000;
/// Letters of what a policy is about.
const LETTERS: usize = 1_000;

/// The policies there are to choose from where those are in force; none are those that come with the
/// program.
pub(crate) async fn choices(
    record: Option<store::PolicySetRecord>,
) -> Result<Vec<PolicyChoice>, Refusal> {
    body::on_the_side(move || {
        let (modules, config) = match &record {
            Some(it) => {
                let modules = modules_of(&it.modules);
                (modules.map_err(|why| Sort::Failed.because(why))?, it.config.clone())
            }
            None => (Vec::new(), json!({})),
        };
        let (set, config) = read_set(&modules, &config).map_err(refused)?;
        Ok(chosen(&set, &config))
    })
    .await?
}

fn chosen(set: &Set, config: &Config) -> Vec<PolicyChoice> {
    let choice = |it: &policy::Policy| PolicyChoice {
        id: it.id.clone(),
        title: it.title.clone(),
        description: it.description.chars().take(LETTERS).collect(),
        points: it.weight,
        counts: config.counts(it),
        by_default: !it.opt_in,
        config: config.of(&it.id).map_or(Json::Null, |it| it.config.clone()),
        thresholds: it.thresholds().into_iter().map(threshold).collect(),
    };
    let mut all: Vec<PolicyChoice> = set.policies().iter().map(choice).collect();
    for it in &mut all {
        if it.config.is_null() {
            it.config = json!({});
        }
    }
    all
}

fn threshold(it: policy::Threshold) -> PolicyThreshold {
    PolicyThreshold { key: it.key, about: it.about, default: it.default }
}

/// A draft, ready to judge by.
struct Draft {
    set: Arc<Ready>,
    choices: Vec<PolicyChoice>,
}

async fn draft(sent: &TryingPolicies) -> Result<Draft, Refusal> {
    fit(&sent.modules)?;
    let (modules, config) = (sent.modules.clone(), sent.config.clone());
    body::on_the_side(move || {
        let config = config.unwrap_or_else(|| json!({}));
        let (set, config) = read_set(&modules, &config).map_err(refused)?;
        let counting = set.policies().iter().filter(|it| config.counts(it)).count();
        let usual = Limits::default();
        let each = TOGETHER / u32::try_from(counting.max(1)).unwrap_or(u32::MAX);
        let limits = Limits { time: usual.time.min(each), ..usual };
        let judge = Judge::new(&set, &config, &limits).map_err(|error| refused(error.into()))?;
        let set_of_it = Ready { head: None, digest: String::new(), judge };
        Ok(Draft { set: Arc::new(set_of_it), choices: chosen(&set, &config) })
    })
    .await?
}

/// What counts somewhere now.
struct Now {
    set: Arc<Ready>,
    lookout: Arc<Lookout>,
    exceptions: Vec<String>,
}

/// An image, and where it is.
struct Concerned {
    environment: Option<String>,
    /// The same where the same exceptions hold.
    stance: String,
    wanted: Wanted,
}

/// Judges what is concerned by what is in force and by what was sent.
pub(crate) async fn trial(
    app: &App,
    organisation: &OrganisationId,
    sent: &TryingPolicies,
) -> Result<PolicyTrial, Refusal> {
    let limit = sent.limit.unwrap_or(USUAL);
    if limit > IMAGES {
        return Err(Refusal::malformed("limit", format!("it is {IMAGES} at most")));
    }
    if sent.images.len() > NAMED {
        return Err(Refusal::malformed("images", format!("there are at most {NAMED}")));
    }
    let draft = draft(sent).await?;
    let turn = tokio::time::timeout(TURN, Arc::clone(&app.policing.trying).acquire_owned()).await;
    let Ok(Ok(turn)) = turn else {
        let why = "policies: others try some out right now";
        return Err(Sort::Unavailable.because(why).with_hint("try again in a moment").into());
    };
    let (turn, deadline) = (Arc::new(turn), Instant::now() + PATIENCE);
    let (places, concerned, pending) = concerned(app, organisation, sent).await?;
    let asking = Asking::default();
    let (mut judged, mut unread) = (0_u64, BTreeSet::new());
    // The same image under the same exceptions is judged once, wherever it runs.
    let mut done: BTreeMap<Key<'_>, (Paper, Paper)> = BTreeMap::new();
    for it in &concerned {
        let key = it.key();
        let is_over = done.len() >= limit as usize || Instant::now() >= deadline;
        let Some(now) = places.get(&it.stance).filter(|_| !is_over) else { continue };
        if done.contains_key(&key) || unread.contains(&key) {
            continue;
        }
        let sets = vec![Arc::clone(&now.set), Arc::clone(&draft.set)];
        let turn = Arc::clone(&turn);
        let judging = async {
            let seen = seen(app, organisation, &now.lookout, &asking, &it.wanted).await?;
            let Some(seen) = seen else { return Ok(None) };
            let mut papers = asked(app, seen, sets, turn).await?.into_iter();
            Ok::<_, String>(papers.next().zip(papers.next()))
        };
        match tokio::time::timeout_at(deadline, judging).await {
            // There was no time for it.
            Err(_) => {}
            Ok(Ok(Some(papers))) => {
                done.insert(key, papers);
                judged += 1;
            }
            Ok(Ok(None)) => {
                unread.insert(key);
            }
            Ok(Err(why)) => return Err(Sort::Failed.because(why).into()),
        }
    }
    let known: BTreeSet<Key<'_>> = concerned.iter().map(Concerned::key).collect();
    let images = known.len() as u64 + pending;
    let pending = pending + unread.len() as u64;
    let (changes, more) = changes(&concerned, &done);
    Ok(PolicyTrial {
        basis: basis(&places),
        policies: tallies(&draft, &places, &done),
        choices: draft.choices,
        images,
        judged,
        pending,
        left: images.saturating_sub(judged + pending),
        changes,
        more,
    })
}

/// An image, under exceptions.
type Key<'a> = (&'a str, &'a Digest);

impl Concerned {
    fn key(&self) -> Key<'_> {
        (&self.stance, &self.wanted.digest)
    }
}

/// What counts where, and which images that is about; and of how many of them nobody can tell what is
/// inside.
async fn concerned(
    app: &App,
    organisation: &OrganisationId,
    sent: &TryingPolicies,
) -> Result<(BTreeMap<String, Now>, Vec<Concerned>, u64), Refusal> {
    let store = &app.store;
    let record = store.policies_in_force(organisation, sent.environment.as_deref()).await?;
    let set = super::ready(record).await.map_err(|why| Sort::Failed.because(why))?;
    let mut lookouts = Lookouts::of(app, organisation, Judging::default()).await?;
    let mut places: BTreeMap<String, Now> = BTreeMap::new();
    let marks = Marks::of(app, organisation).await?;
    let names = store.environment_names(organisation).await?;
    let looked =
        names.iter().filter_map(|(id, name)| Some((name.as_str(), (id, marks.there(id)?))));
    let looked: BTreeMap<&str, _> = looked.collect();
    let loads_in = |environment: Option<&str>, digest: &Digest| {
        let name = environment?;
        let (_, there) = looked.get(name)?;
        there.contains_key(digest.as_str()).then(|| name.to_owned())
    };
    let mut stand = |environment: Option<&str>| {
        let (exceptions, held) =
            environment.map(|it| lookouts.held_in(it, app.now())).unwrap_or_default();
        let alone = environment.and_then(|it| looked.get(it)).map_or("", |(id, _)| id.as_str());
        let stance = stance(&[&held], alone);
        let lookout = lookouts.there(environment);
        let set = Arc::clone(&set);
        places.entry(stance.clone()).or_insert(Now { set, lookout, exceptions });
        stance
    };
    if !sent.images.is_empty() {
        let stance = stand(sent.environment.as_deref());
        let (mut all, mut pending) = (Vec::new(), 0);
        for it in &sent.images {
            match named(app, organisation, it).await? {
                Some(wanted) => {
                    let environment = sent.environment.clone();
                    let loads_in = loads_in(environment.as_deref(), &wanted.digest);
                    let wanted = Wanted { loads_in, ..wanted };
                    all.push(Concerned { environment, stance: stance.clone(), wanted });
                }
                None => pending += 1,
            }
        }
        return Ok((places, all, pending));
    }
    let own = store.all_policies_in_force(organisation).await?;
    let own: BTreeSet<String> = own.into_iter().filter_map(|it| it.environment).collect();
    let mut there: BTreeMap<String, (String, String)> = BTreeMap::new();
    for it in store.environments(organisation).await? {
        let is_meant = match &sent.environment {
            Some(name) => it.name == *name,
            None => !own.contains(&it.name),
        };
        if is_meant {
            there.insert(it.id, (stand(Some(&it.name)), it.name));
        }
    }
    let one = sent.environment.as_ref().and_then(|_| there.keys().next()).cloned();
    let mut all: BTreeMap<(String, Digest), Concerned> = BTreeMap::new();
    let (mut pending, mut after, mut rows) = (BTreeSet::new(), String::new(), 0);
    while rows < ROWS {
        let part = store.running_to_judge(organisation, one.as_deref(), &after, PART).await?;
        let Some(last) = part.last() else { break };
        last.deployment.clone_into(&mut after);
        rows += part.len();
        for it in part {
            let Some((stance, name)) = there.get(&it.environment) else { continue };
            if it.analysed.is_none() {
                pending.insert(it.digest);
                continue;
            }
            let wanted = Wanted {
                digest: it.digest.clone(),
                repository: it.repository,
                tag: it.tag,
                platform: it.platform,
                loads_in: loads_in(Some(name), &it.digest),
                ground: String::new(),
            };
            let (environment, stance) = (Some(name.clone()), stance.clone());
            let concerned = Concerned { environment, stance, wanted };
            all.insert((name.clone(), it.digest), concerned);
        }
    }
    Ok((places, all.into_values().collect(), pending.len() as u64))
}

/// An image that is asked for; none: nobody can tell what is inside.
async fn named(
    app: &App,
    organisation: &OrganisationId,
    digest: &str,
) -> Result<Option<Wanted>, Refusal> {
    let digest = crate::named::digest(digest)?;
    let record = app.store.image(organisation, &digest).await?;
    let record = record.ok_or_else(|| Refusal::no_such("image", digest.as_str()))?;
    let repository = record.repositories.first().cloned().unwrap_or_default();
    let wanted = Wanted {
        digest,
        repository,
        tag: None,
        platform: record.platform,
        loads_in: None,
        ground: String::new(),
    };
    Ok(Some(wanted).filter(|_| record.state == ImageState::Analysed))
}

fn basis(places: &BTreeMap<String, Now>) -> PolicyBasis {
    let one = places.values().next();
    let head = one.and_then(|it| it.set.head.as_ref());
    let names: BTreeSet<String> =
        places.values().flat_map(|it| it.exceptions.iter().cloned()).collect();
    PolicyBasis {
        almanac: one.map(|it| it.lookout.almanac().digest().to_string()).unwrap_or_default(),
        environment: head.and_then(|it| it.environment.clone()),
        version: head.and_then(|it| u32::try_from(it.version).ok()),
        exceptions: names.into_iter().collect(),
    }
}

/// Each policy that counts now or would, those that would first.
fn tallies(
    draft: &Draft,
    places: &BTreeMap<String, Now>,
    done: &BTreeMap<Key<'_>, (Paper, Paper)>,
) -> Vec<TriedPolicy> {
    let now = places.values().next().map(|it| it.set.titles()).unwrap_or_default();
    let then = draft.set.titles();
    let counts = |all: &[api::PolicyTitle], id: &str| all.iter().any(|it| it.id == id);
    let tally = |id: &str, side: fn(&(Paper, Paper)) -> &Paper| {
        let mut tally = TriedTally::default();
        for papers in done.values() {
            *match states(side(papers)).policies.get(id) {
                Some(PolicyState::Met) => &mut tally.met,
                Some(PolicyState::NotMet) => &mut tally.not_met,
                Some(PolicyState::Unknown) | None => &mut tally.unknown,
            } += 1;
        }
        tally
    };
    let gone = now.iter().filter(|it| !counts(&then, &it.id));
    let policy = |it: &api::PolicyTitle| TriedPolicy {
        id: it.id.clone(),
        title: it.title.clone(),
        now: counts(&now, &it.id).then(|| tally(&it.id, |it| &it.0)),
        then: counts(&then, &it.id).then(|| tally(&it.id, |it| &it.1)),
    };
    then.iter().chain(gone).map(policy).collect()
}

/// What would be another than it is, and how many more of those.
fn changes(
    concerned: &[Concerned],
    done: &BTreeMap<Key<'_>, (Paper, Paper)>,
) -> (Vec<TriedChange>, u64) {
    let mut all = Vec::new();
    for it in concerned {
        let Some((now, then)) = done.get(&it.key()) else { continue };
        let (now, says) = (states(now).policies, states(then).policies);
        let words: BTreeMap<String, Said> =
            said(then).into_iter().map(|it| (it.id.clone(), it)).collect();
        let ids: BTreeSet<&String> = now.keys().chain(says.keys()).collect();
        for id in ids {
            let (now, then) = (now.get(id).copied(), says.get(id).copied());
            if now == then {
                continue;
            }
            let said = words.get(id).cloned().unwrap_or_default();
            let image = match &it.wanted.tag {
                Some(tag) => format!("{}:{tag}", it.wanted.repository),
                None => it.wanted.repository.clone(),
            };
            all.push(TriedChange {
                policy: id.clone(),
                image,
                digest: it.wanted.digest.to_string(),
                environment: it.environment.clone(),
                now,
                then,
                why: said.why,
                count: said.count,
                messages: said.messages,
            });
        }
    }
    // What would be in somebody's way comes first, and what would not count any more last.
    all.sort_by(|a, b| {
        (b.then, &a.policy, &a.environment, &a.image).cmp(&(
            a.then,
            &b.policy,
            &b.environment,
            &b.image,
        ))
    });
    let more = all.len().saturating_sub(CHANGES) as u64;
    all.truncate(CHANGES);
    (all, more)
}
