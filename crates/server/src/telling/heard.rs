//! An event as rules look at it: what it is about, how bad that is, and where it is.

use model::{EventKind, Level, Moment, Topic};
use serde_json::Value as Json;
use store::Tiding;

use super::terms::Repositories;

/// Images that an event names, as far as they are looked at.
const NAMED: usize = 20;

/// An event as rules look at it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Heard {
    pub(crate) id: String,
    pub(crate) kind: EventKind,
    pub(crate) at: Moment,
    pub(crate) who: String,
    pub(crate) origin: String,
    /// What its environment is called by now, or else was called then.
    pub(crate) environment: Option<String>,
    /// What it was called then.
    then: Option<String>,
    /// What it is about; a flaw by its best-known name.
    pub(crate) about: String,
    pub(crate) level: Option<Level>,
    /// The level before.
    pub(crate) former: Option<Level>,
    pub(crate) exploited: bool,
    /// So many images.
    pub(crate) images: u64,
    /// Some of them, or all.
    pub(crate) digests: Vec<String>,
    pub(crate) package: Option<Package>,
    /// Is what has the flaw in use? None: nobody can tell.
    pub(crate) in_use: Option<bool>,
    pub(crate) detail: Json,
    /// Is it about what an image brings where it came to run?
    pub(crate) brings: bool,
}

/// The package that has a flaw.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The version that mends it.
    pub(crate) fixed: Option<String>,
}

/// What came to run somewhere, and what is wrong with it that was not with what ran before it.
#[derive(Clone, Debug)]
pub(crate) struct Brought {
    pub(crate) environment: String,
    /// The image, by the name that it runs by.
    pub(crate) about: String,
    /// The worst; none where nobody looked.
    pub(crate) level: Option<Level>,
    pub(crate) exploited: bool,
    pub(crate) digest: Option<String>,
    /// How much was `found` of each level, the `worst` of it, and what ran before: `former`.
    pub(crate) detail: Json,
}

impl Heard {
    pub(crate) fn of(tiding: Tiding) -> Self {
        let Tiding { event, environment_now } = tiding;
        let detail = event.detail;
        let is_finding = EventKind::OF_EVALUATIONS.contains(&event.kind);
        let text = |of: &Json, key: &str| of[key].as_str().map(str::to_owned);
        // What is gone was as bad as it was before.
        let state = [&detail["after"], &detail["before"]].into_iter().find(|it| it.is_object());
        let level = |of: &Json| of["severity"].as_str().and_then(Level::parse);
        let digests = detail["digests"].as_array().into_iter().flatten();
        let package = text(&detail, "name").filter(|_| is_finding).map(|name| Package {
            name,
            version: text(&detail, "version").unwrap_or_default(),
            fixed: detail["after"]["fixed"].as_str().map(str::to_owned),
        });
        let about = if is_finding { best_known(&event.about, &detail) } else { event.about };
        Self {
            id: event.id,
            kind: event.kind,
            at: event.act.at,
            who: event.act.who,
            origin: event.act.origin,
            environment: environment_now.or_else(|| event.environment.clone()),
            then: event.environment,
            about,
            level: state.and_then(level),
            former: level(&detail["before"]),
            exploited: state.is_some_and(|it| it["exploited"] == true),
            images: detail["images"].as_u64().unwrap_or_default(),
            digests: digests.filter_map(|it| Some(it.as_str()?.to_owned())).take(NAMED).collect(),
            package,
            in_use: detail["in_use"].as_bool(),
            detail,
            brings: false,
        }
    }

    /// The same, about what that brings.
    pub(crate) fn bringing(&self, brought: Brought) -> Self {
        let Brought { environment, about, level, exploited, digest, detail } = brought;
        Self {
            id: self.id.clone(),
            kind: if detail["former"].is_null() {
                EventKind::DeploymentStarted
            } else {
                EventKind::DeploymentReplaced
            },
            at: self.at,
            who: self.who.clone(),
            origin: self.origin.clone(),
            then: Some(environment.clone()),
            environment: Some(environment),
            about,
            level,
            former: None,
            exploited,
            images: u64::from(digest.is_some()),
            digests: digest.into_iter().collect(),
            package: None,
            in_use: None,
            detail,
            brings: true,
        }
    }

    /// By what it is known again, where it need not be told twice.
    pub(crate) fn known_by(&self) -> &str {
        let digest = self.digests.first().filter(|_| self.brings);
        digest.unwrap_or(&self.about)
    }

    /// Does it bring flaws of such a level, as far as anybody can tell?
    pub(crate) fn brings_some_of(&self, levels: &[Level]) -> bool {
        let found = &self.detail["found"];
        let is_there = |it: &Level| found[it.as_str()].as_u64().is_some_and(|it| it > 0);
        found.is_null() || levels.is_empty() || levels.iter().any(is_there)
    }

    /// Is it about that?
    pub(crate) fn is_about(&self, topic: &Topic) -> bool {
        topic.kinds.contains(&self.kind)
            && self.brings == (topic.id == Topic::DEPLOYED)
            && match (topic.id, self.kind) {
                ("known-exploited", EventKind::FindingNew) => self.exploited,
                ("severity-up", _) => self.level > self.former,
                ("integration-broken", _) => self.detail["state"] == "failed",
                // Where something runs by it, it is in that environment.
                ("tag-drifted", _) => self.environment.is_some(),
                _ => true,
            }
    }

    /// May it be what was told lately, and need not be told again?
    pub(crate) fn may_be_known(&self) -> bool {
        Topic::ALL.iter().any(|it| it.once_a_day && self.is_about(it))
    }

    /// What its environment is called, and was; empty, if it is in none.
    pub(crate) fn environments(&self) -> impl Iterator<Item = &str> {
        let names = [self.environment.as_deref(), self.then.as_deref()];
        names.into_iter().map(Option::unwrap_or_default)
    }

    /// The repository and the tag that it is about.
    pub(crate) fn tag(&self) -> Option<(&str, &str)> {
        (self.kind == EventKind::TagMoved).then(|| self.about.rsplit_once(':')).flatten()
    }

    /// The same, in an environment.
    pub(crate) fn within(&self, environment: &str) -> Self {
        Self {
            environment: Some(environment.to_owned()),
            then: Some(environment.to_owned()),
            ..self.clone()
        }
    }

    /// The packages that have the flaw, as far as all of them are named.
    pub(crate) fn purls(&self) -> Option<Vec<&str>> {
        let named: Vec<&str> =
            self.detail["purls"].as_array()?.iter().filter_map(Json::as_str).collect();
        let all = self.detail["packages"].as_u64().unwrap_or_default();
        (!named.is_empty() && named.len() as u64 >= all).then_some(named)
    }

    /// The repositories that it is about; of images, by what runs of them there.
    pub(crate) fn repositories(&self, running: impl Fn(&str, &str) -> Vec<String>) -> Repositories {
        if let Some((repository, _)) = self.tag() {
            return Repositories { names: vec![repository.to_owned()], ..Repositories::default() };
        }
        if let Some(name) = self.detail["repository"].as_str() {
            return Repositories { names: vec![name.to_owned()], ..Repositories::default() };
        }
        if self.images == 0 && self.digests.is_empty() {
            return Repositories { is_about_none: true, ..Repositories::default() };
        }
        let environment = self.environment.as_deref().unwrap_or_default();
        let mut found = Repositories::default();
        for digest in &self.digests {
            found.names.extend(running(environment, digest));
        }
        found.are_more = self.images > self.digests.len() as u64;
        found
    }
}

/// The CVE among a flaw's names, if there is one.
fn best_known(about: &str, detail: &Json) -> String {
    let aliases = detail["aliases"].as_array().into_iter().flatten().filter_map(Json::as_str);
    let mut names = std::iter::once(about).chain(aliases);
    names.find(|it| it.starts_with("CVE-")).unwrap_or(about).to_owned()
}
