//! What happened is told: events are looked through for an organisation's rules, and what comes of it
//! is put into the outbox together with how far that was.

mod brought;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use api::Definition;
use async_trait::async_trait;
use model::{EventKind, Organisation, OrganisationId, Purl, Topic};
use serde_json::json;
use store::{Bundle, NewJob, RuleRecord, Sought};

use self::brought::Bringing;
use super::{Work, deliver};
use crate::app::App;
use crate::telling::{
    Body, GATHERED, Heard, Look, Repositories, Ruled, Running, Terms, by_place, kinds,
};

const KIND: &str = "tell";
/// What happens within so many seconds is put together.
const WINDOW: i64 = 2;
/// Events that are read at once, and that are put together at most.
const PART: u32 = 2_000;
const MOST: u64 = 200_000;
/// What rules make of them: where many rules ask for much, it is told in several parts.
const MOST_GROUPS: usize = 200_000;
/// What happened more seconds before a rule was there is none of its business, also where nobody looked
/// until then. What takes long is written later than it happened, and clocks differ.
const WRITTEN: i64 = 600;
/// Deployments of some images that are looked at.
const RUNNING: usize = 5_000;
/// A flaw that was told of is no news for so many seconds.
pub(crate) const NEWS: i64 = 86_400;
/// For so long it is asked in which repositories flaws are that are in many images.
pub(crate) const ASKING: Duration = Duration::from_secs(5);
/// How often we begin anew where somebody was quicker.
const TRIES: usize = 5;

/// Looks through events for rules.
pub(super) struct Tell;

#[async_trait]
impl Work for Tell {
    fn kind(&self) -> &'static str {
        KIND
    }

    /// Events are noticed within a second; this is for when nobody noticed.
    fn every(&self) -> Option<u32> {
        Some(60)
    }

    fn is_prompt(&self) -> bool {
        true
    }

    async fn run(&self, app: &App, payload: &serde_json::Value) -> Result<(), String> {
        let told = |error: store::Error| error.to_string();
        let only = payload["organisation"].as_str();
        let all = app.store.all_told_until().await.map_err(told)?;
        let organisations = app.store.organisations().await.map_err(told)?;
        let is_meant =
            |it: &Organisation| all.contains_key(&it.id) && only.is_none_or(|only| only == it.id.0);
        let mut outcome = Ok(());
        for it in organisations.iter().filter(|it| is_meant(it)) {
            // What is wrong with one is in nobody else's way.
            outcome = outcome.and(tell(app, it).await.map_err(told));
        }
        outcome
    }
}

/// Has the events of these organisations looked through before long, of those that have rules.
pub(super) async fn soon(
    app: &App,
    organisations: &BTreeSet<OrganisationId>,
) -> Result<(), store::Error> {
    if organisations.is_empty() {
        return Ok(());
    }
    let now = app.now();
    let ruled = app.store.all_told_until().await?;
    let jobs: Vec<NewJob> = ruled
        .keys()
        .filter(|it| organisations.contains(it))
        .map(|it| NewJob {
            kind: KIND.to_owned(),
            payload: json!({ "organisation": it.0 }),
            key: Some(format!("{KIND} {}", it.0)),
            asked: now,
            ready: now.plus_seconds(WINDOW),
            attempts: 3,
        })
        .collect();
    if jobs.is_empty() {
        return Ok(());
    }
    app.store.enqueue_all(&jobs).await.map(|_| ())
}

/// The kinds of events that somebody may want to be told of.
pub(super) fn told_kinds() -> Vec<EventKind> {
    let kinds: BTreeSet<EventKind> =
        Topic::ALL.iter().flat_map(|it| it.kinds.iter().copied()).collect();
    kinds.into_iter().collect()
}

/// Looks through all that happened to an organisation since the last look.
pub(crate) async fn tell(app: &App, organisation: &Organisation) -> Result<(), store::Error> {
    let mut tries = 0;
    loop {
        match look(app, organisation).await? {
            Looked::All => return Ok(()),
            Looked::Part => tries = 0,
            Looked::Late => {
                tries += 1;
                if tries >= TRIES {
                    return Ok(());
                }
            }
        }
    }
}

enum Looked {
    /// There is no more.
    All,
    /// There is more.
    Part,
    /// Somebody was quicker.
    Late,
}

async fn look(app: &App, organisation: &Organisation) -> Result<Looked, store::Error> {
    let (whose, store) = (&organisation.id, &app.store);
    let Some(from) = store.told_until(whose).await? else { return Ok(Looked::All) };
    let now = app.now();
    let rules = ruled(app, whose, store.rules(whose).await?).await?;
    let kinds = kinds(&rules);
    let mut look = Look::new(&rules);
    let (mut cursor, mut is_all) = (from.clone(), false);
    let until = Instant::now() + ASKING;
    while !is_all && look.events < MOST && look.groups() < MOST_GROUPS {
        // Without a rule there is nothing to be read, but behind it all the next look begins.
        let asked = if kinds.is_empty() { &[EventKind::RuleSet][..] } else { &kinds };
        let part = store.tidings(whose, asked, &cursor, PART).await?;
        (cursor, is_all) = (part.cursor, part.is_all);
        let heard: Vec<Heard> = part.tidings.into_iter().map(Heard::of).collect();
        if heard.iter().any(Heard::may_be_known) {
            recall(app, &rules).await?;
        }
        hear(app, whose, &rules, &mut look, (heard, until)).await?;
    }
    if cursor == from {
        return Ok(Looked::All);
    }
    let events = look.events;
    let decided = look.decide(now);
    let running = running_of(app, whose, &decided.digests()).await?;
    let waiting = store.untried_messages(whose, GATHERED).await?;
    let told = decided.told.clone();
    let messages = decided.messages(&organisation.name, &running, &waiting);
    let channels: BTreeSet<&str> =
        messages.iter().filter(|it| it.ready <= now).map(|it| it.integration.as_str()).collect();
    let jobs: Vec<NewJob> =
        channels.into_iter().map(|it| deliver::job(it, whose, now, now)).collect();
    let bundle = Bundle { from: &from, to: &cursor, messages: &messages, told: &told, jobs: &jobs };
    if !store.tell(whose, now, &bundle).await? {
        return Ok(Looked::Late);
    }
    if !messages.is_empty() {
        let (organisation, messages) = (&organisation.name, messages.len());
        tracing::info!(organisation, events, messages, "events were told");
    }
    Ok(if is_all { Looked::All } else { Looked::Part })
}

/// Rules as they are looked by.
async fn ruled(
    app: &App,
    whose: &OrganisationId,
    records: Vec<RuleRecord>,
) -> Result<Vec<Ruled>, store::Error> {
    let counts = app.store.count_waiting(whose).await?;
    let mut rules = Vec::with_capacity(records.len());
    for record in records {
        let waiting = counts.get(&record.id).copied().unwrap_or_default();
        match terms(&record) {
            Ok(terms) => {
                let since = Some(record.created.plus_seconds(-WRITTEN));
                rules.push(Ruled { record, terms, told: OnceLock::new(), waiting, since });
            }
            Err(why) => {
                tracing::warn!(rule = record.name, why, "a rule cannot be read, and tells nothing");
            }
        }
    }
    Ok(rules)
}

/// What each rule told lately: after a new almanac that may be much, and is read where it matters.
async fn recall(app: &App, rules: &[Ruled]) -> Result<(), store::Error> {
    let since = app.now().plus_seconds(-NEWS);
    for rule in rules.iter().filter(|it| it.told.get().is_none()) {
        let told = app.store.recollections(&rule.record.id, since).await?;
        // Nobody else is at it.
        let _ = rule.told.set(told);
    }
    Ok(())
}

/// What a rule asks for.
pub(crate) fn terms(record: &RuleRecord) -> Result<Terms, String> {
    let definition: Definition =
        serde_json::from_value(record.definition.clone()).map_err(|error| error.to_string())?;
    Terms::of(&definition).map_err(|bad| bad.why)
}

/// Some events, in their order, with where what they are about runs; until then others may be asked for
/// that.
pub(crate) async fn hear(
    app: &App,
    whose: &OrganisationId,
    rules: &[Ruled],
    look: &mut Look<'_>,
    (heard, until): (Vec<Heard>, Instant),
) -> Result<(), store::Error> {
    let mut repositories: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    if rules.iter().any(|it| it.terms.asks_for_repositories()) {
        let digests: BTreeSet<String> =
            heard.iter().flat_map(|it| it.digests.iter().cloned()).collect();
        for (place, deployments) in running_of(app, whose, &digests).await? {
            let names: BTreeSet<String> = deployments.into_iter().map(|it| it.repository).collect();
            repositories.insert(place, names.into_iter().collect());
        }
    }
    let named = |environment: &str, digest: &str| {
        let place = (environment.to_owned(), digest.to_owned());
        repositories.get(&place).cloned().unwrap_or_default()
    };
    let mut asking = Asking { app, whose, known: HashMap::new(), until };
    let mut bringing = None;
    if rules.iter().any(|it| it.terms.asks_what_is_brought()) {
        bringing = Some(Bringing::new(app, whose, &heard, until).await?);
    }
    let last = heard.last().cloned();
    for it in heard {
        if let Some(bringing) = &mut bringing {
            for it in bringing.of(&it).await? {
                recall(app, rules).await?;
                look.hear(&it, &it.repositories(named));
            }
        }
        let Some((repository, tag)) = it.tag() else {
            let mut of = it.repositories(named);
            if asking.is_worthwhile(rules, &it, &of) {
                asking.complete(&it, &mut of).await?;
            }
            look.hear(&it, &of);
            continue;
        };
        // Where something runs by that tag that is another image than the one it leads to by now.
        let mut environments: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for running in app.store.running_by_tag(whose, repository, tag).await? {
            let is_of_platform = it.detail["platform"] == running.platform.to_string();
            if is_of_platform && it.detail["to"] != running.digest.as_str() {
                let digests = environments.entry(running.environment).or_default();
                digests.insert(running.digest.to_string());
            }
        }
        for (environment, digests) in environments {
            let mut there = it.within(&environment);
            there.images = digests.len() as u64;
            there.digests = digests.into_iter().collect();
            look.hear(&there, &there.repositories(named));
        }
    }
    if let (Some(bringing), Some(last)) = (bringing, last) {
        for it in bringing.left(&last) {
            look.hear(&it, &it.repositories(named));
        }
    }
    Ok(())
}

/// Asks in which repositories a flaw is that is in more images than its event names.
struct Asking<'a> {
    app: &'a App,
    whose: &'a OrganisationId,
    /// By packages: environments and repositories.
    known: HashMap<Vec<String>, Vec<(String, String)>>,
    until: Instant,
}

impl Asking<'_> {
    /// Does it depend on that whether a rule tells of it, and is there time to ask?
    fn is_worthwhile(&self, rules: &[Ruled], heard: &Heard, of: &Repositories) -> bool {
        let depends =
            |it: &Ruled| it.terms.is_maybe_elsewhere(of) && it.terms.topic(heard, of).is_some();
        let mut asking = rules.iter().filter(|it| it.terms.asks_for_repositories());
        of.are_more && asking.any(depends) && Instant::now() < self.until
    }

    async fn complete(&mut self, heard: &Heard, of: &mut Repositories) -> Result<(), store::Error> {
        let Some(purls) = heard.purls() else { return Ok(()) };
        let key: Vec<String> = purls.iter().map(|it| (*it).to_owned()).collect();
        if !self.known.contains_key(&key) {
            let mut packages = Vec::new();
            for purl in purls {
                let Ok(purl) = purl.parse::<Purl>() else { return Ok(()) };
                let known = self.app.store.known_packages(self.whose, &Sought::Purl(purl)).await?;
                packages.extend(known.into_iter().map(|it| it.number));
            }
            let found = self.app.store.repositories_with(self.whose, &packages).await?;
            self.known.insert(key.clone(), found);
        }
        let there = self.known.get(&key).into_iter().flatten();
        let there = there.filter(|it| heard.environments().any(|name| name == it.0));
        of.names.extend(there.map(|it| it.1.clone()));
        of.are_more = false;
        Ok(())
    }
}

/// Where images run.
pub(crate) async fn running_of(
    app: &App,
    whose: &OrganisationId,
    digests: &BTreeSet<String>,
) -> Result<Running, store::Error> {
    if digests.is_empty() {
        return Ok(Running::new());
    }
    Ok(by_place(app.store.running_of(whose, digests, RUNNING).await?))
}

/// What is kept of something that is to be told.
pub(super) fn body(value: &serde_json::Value) -> Result<Body, String> {
    serde_json::from_value(value.clone()).map_err(|error| error.to_string())
}
