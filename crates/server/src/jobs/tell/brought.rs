//! What images bring where they come to run: flaws that what ran before them had not.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use api::Judging;
use engine::{Filter, Lookout};
use model::{Deployment, Digest, EventKind, Level, OrganisationId};
use serde_json::json;

use super::{ASKING, RUNNING};
use crate::app::App;
use crate::exceptions::Lookouts;
use crate::judge;
use crate::telling::{Brought, Heard, WORST, image_name};

/// What is read more seconds after it came to run is no news of what came to run.
const LATE: i64 = 86_400;

/// Looks into what came to run, as far as there is time.
pub(super) struct Bringing<'a> {
    app: &'a App,
    whose: &'a OrganisationId,
    until: Instant,
    /// What runs of the images that are told of, by digest.
    running: HashMap<String, Vec<Deployment>>,
    lookouts: Option<Lookouts>,
    /// By image, and environment where other exceptions hold than elsewhere.
    known: HashMap<(Digest, Option<String>), Known>,
    /// How much nobody looked into, by environment.
    left: BTreeMap<String, u64>,
}

/// By a flaw's name, and the package that has it. Of another version it is the same.
type Flaws = BTreeMap<(String, String, String), Flaw>;

/// What is known of an image.
#[derive(Clone)]
enum Known {
    Flaws(Arc<Flaws>),
    /// Nobody has read it.
    Unread,
    /// It cannot be told.
    Untold,
}

struct Flaw {
    level: Level,
    exploited: bool,
    version: String,
    fixed: Option<String>,
}

impl<'a> Bringing<'a> {
    pub(super) async fn new(
        app: &'a App,
        whose: &'a OrganisationId,
        heard: &[Heard],
        until: Instant,
    ) -> Result<Self, store::Error> {
        let digests: BTreeSet<String> = heard.iter().filter_map(came).collect();
        let mut running: HashMap<String, Vec<Deployment>> = HashMap::new();
        for it in app.store.running_of(whose, &digests, RUNNING).await? {
            running.entry(it.digest.to_string()).or_default().push(it);
        }
        let (known, left) = (HashMap::new(), BTreeMap::new());
        Ok(Self { app, whose, until: until + ASKING, running, lookouts: None, known, left })
    }

    /// What that brings which an event says came to run, or was read. What nobody has read yet is
    /// told when it is.
    pub(super) async fn of(&mut self, heard: &Heard) -> Result<Vec<Heard>, store::Error> {
        let Some(digest) = came(heard) else { return Ok(Vec::new()) };
        let (is_read, id) =
            (heard.kind == EventKind::ImageAnalysed, heard.detail["deployment"].as_str());
        let there = self.running.get(&digest).into_iter().flatten();
        let there = there.filter(|it| {
            let is_it =
                if is_read { it.from >= heard.at.plus_seconds(-LATE) } else { id == Some(&it.id) };
            is_it && !it.pending
        });
        let there: Vec<Deployment> = there.cloned().collect();
        let mut all = Vec::new();
        for it in there {
            if Instant::now() >= self.until {
                *self.left.entry(it.environment).or_default() += 1;
                continue;
            }
            all.extend(self.brought(&it).await?.map(|it| heard.bringing(it)));
        }
        Ok(all)
    }

    /// That some of it was not looked into, for want of time or of an almanac.
    pub(super) fn left(self, last: &Heard) -> Vec<Heard> {
        let brought = |(environment, count): (String, u64)| Brought {
            environment,
            about: match count {
                1 => "what a deployment brings".to_owned(),
                count => format!("what {count} deployments bring"),
            },
            level: None,
            exploited: false,
            digest: None,
            detail: json!({}),
        };
        self.left.into_iter().map(|it| last.bringing(brought(it))).collect()
    }

    async fn brought(&mut self, it: &Deployment) -> Result<Option<Brought>, store::Error> {
        let former = self.app.store.former_of(self.whose, &it.id).await?;
        if former.as_ref().is_some_and(|former| former.digest == it.digest) {
            return Ok(None);
        }
        let flaws = match self.known(&it.digest, &it.environment).await? {
            Known::Flaws(flaws) => flaws,
            Known::Unread => return Ok(None),
            Known::Untold => {
                *self.left.entry(it.environment.clone()).or_default() += 1;
                return Ok(None);
            }
        };
        let before = match &former {
            Some(former) => Some(self.known(&former.digest, &it.environment).await?),
            None => None,
        };
        let is_new = |key| match &before {
            Some(Known::Flaws(before)) => !before.contains_key(key),
            _ => true,
        };
        let mut new: Vec<_> = flaws.iter().filter(|(key, _)| is_new(*key)).collect();
        if new.is_empty() {
            return Ok(None);
        }
        new.sort_by_key(|(_, it)| std::cmp::Reverse((it.exploited, it.level)));
        let mut found: BTreeMap<&str, u64> = BTreeMap::new();
        for (_, it) in &new {
            *found.entry(it.level.as_str()).or_default() += 1;
        }
        let worst: Vec<_> = new
            .iter()
            .take(WORST)
            .map(|((id, _, name), it)| {
                json!({ "id": id, "package": name, "version": it.version, "fix": it.fixed })
            })
            .collect();
        let name =
            |it: &Deployment| image_name(&it.repository, it.tag.as_deref(), it.digest.as_str());
        let detail = json!({
            "found": found,
            "worst": worst,
            "former": former.as_ref().map(name),
            "is_former_known": matches!(before, Some(Known::Flaws(_))),
            "repository": it.repository,
        });
        Ok(Some(Brought {
            environment: it.environment.clone(),
            about: name(it),
            level: new.iter().map(|it| it.1.level).max(),
            exploited: new.iter().any(|it| it.1.exploited),
            digest: Some(it.digest.to_string()),
            detail,
        }))
    }

    /// What is wrong with an image that runs there, by the present almanac.
    async fn known(&mut self, digest: &Digest, there: &str) -> Result<Known, store::Error> {
        if self.lookouts.is_none() {
            let lookouts = Lookouts::of(self.app, self.whose, Judging::default()).await;
            self.lookouts = lookouts.ok();
        }
        let Some(lookouts) = &mut self.lookouts else { return Ok(Known::Untold) };
        let own = lookouts.are_others_in(there).then(|| there.to_owned());
        let key = (digest.clone(), own);
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let lookout = lookouts.there(Some(there));
        let known = self.judged(digest, &lookout).await?;
        self.known.insert(key, known.clone());
        Ok(known)
    }

    async fn judged(&self, digest: &Digest, lookout: &Arc<Lookout>) -> Result<Known, store::Error> {
        let Some(inventory) = self.app.store.inventory(self.whose, digest).await? else {
            return Ok(Known::Unread);
        };
        let judged = judge::on_a_core(self.app, lookout, move |lookout| {
            lookout.analyze_in_brief(inventory, &Filter::default())
        });
        let Ok(analysis) = judged.await else { return Ok(Known::Untold) };
        let mut flaws = Flaws::new();
        for it in analysis.findings.iter().filter(|it| !it.suppressed()) {
            let key = (it.id.clone(), it.space.to_string(), it.name.clone());
            let flaw = Flaw {
                level: it.level,
                exploited: it.exploited.is_some(),
                version: it.version.clone(),
                fixed: it.fixed().map(str::to_owned),
            };
            let is_worse = |former: &Flaw| former.level < flaw.level;
            if flaws.get(&key).is_none_or(is_worse) {
                flaws.insert(key, flaw);
            }
        }
        Ok(Known::Flaws(Arc::new(flaws)))
    }
}

/// The image that an event says came to run, or was read.
fn came(heard: &Heard) -> Option<String> {
    match heard.kind {
        EventKind::ImageAnalysed => Some(heard.about.clone()),
        EventKind::DeploymentStarted
        | EventKind::DeploymentReplaced
        | EventKind::DeploymentIdentified => heard.detail["digest"].as_str().map(str::to_owned),
        _ => None,
    }
}
