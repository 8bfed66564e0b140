//! What a rule asks for, read from how it is written down.

use api::{Definition, Every};
use integration::filter::Names;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use model::{ALL_TOPICS, Level, Topic};

use super::heard::Heard;
use super::when::{Digest, Quiet, When};

/// Entries of a list of a rule, and letters of each.
const MOST: usize = 100;
const LONGEST: usize = 600;
/// Whoever asks for this is told what images bring as far as it is that.
const EXPLOITED: &str = "known-exploited";

/// What a rule asks for.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    topics: Vec<&'static Topic>,
    /// Of what images bring, is only told what is known to be exploited?
    brought_if_exploited: bool,
    environments: Names,
    repositories: Names,
    severities: Vec<Level>,
    pub(crate) in_use_only: bool,
    pub(crate) when: When,
}

/// Why a rule cannot be kept as it is written, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadTerms {
    pub(crate) why: String,
    pub(crate) hint: Option<String>,
}

impl Terms {
    pub(crate) fn of(said: &Definition) -> Result<Self, BadTerms> {
        for (what, list) in [
            ("on", &said.on),
            ("environments", &said.environments),
            ("repositories", &said.repositories),
            ("severities", &said.severities),
        ] {
            if list.len() > MOST || list.iter().any(|it| it.len() > LONGEST) {
                return Err(bad(format!("{what}: there is too much of it"), None));
            }
        }
        let when = When {
            digest: said.digest.as_ref().map(digest).transpose()?,
            quiet: said.quiet.as_ref().map(quiet).transpose()?,
        };
        let names = |what: &str, list: &[String]| {
            Names::new(list).map_err(|why| bad(format!("{what}: {why}"), None))
        };
        Ok(Self {
            topics: topics(&said.on)?,
            brought_if_exploited: !said.on.iter().any(|it| asks_for_brought(it)),
            environments: names("environments", &said.environments)?,
            repositories: names("repositories", &said.repositories)?,
            severities: levels("severities", &said.severities)?,
            in_use_only: said.in_use_only,
            when,
        })
    }

    /// The kinds of events that it may tell of.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = model::EventKind> {
        self.topics.iter().flat_map(|it| it.kinds.iter().copied())
    }

    /// Is it told what images bring where they come to run?
    pub(crate) fn asks_what_is_brought(&self) -> bool {
        self.topics.iter().any(|it| it.id == Topic::DEPLOYED)
    }

    /// Are only some repositories meant?
    pub(crate) fn asks_for_repositories(&self) -> bool {
        !self.repositories.is_all()
    }

    /// May it be told though it is about none of the repositories that are asked for?
    pub(crate) fn is_maybe_elsewhere(&self, of: &Repositories) -> bool {
        of.are_more && !of.names.iter().any(|it| self.repositories.takes(it))
    }

    /// Which of the topics that it asks for an event is about, if it is told. `of` says in which
    /// repositories it is, as far as it is in any.
    pub(crate) fn topic(&self, heard: &Heard, of: &Repositories) -> Option<&'static Topic> {
        let topic = self.topics.iter().copied().find(|it| heard.is_about(it))?;
        if !heard.environments().all(str::is_empty)
            && !heard.environments().any(|it| self.environments.takes(it))
        {
            return None;
        }
        if self.asks_for_repositories() && !of.takes(&self.repositories) {
            return None;
        }
        if topic.of_flaws {
            let level = heard.level.unwrap_or_default();
            if !self.severities.is_empty() && !self.severities.contains(&level) {
                return None;
            }
            if self.in_use_only && heard.in_use == Some(false) {
                return None;
            }
        }
        if heard.brings {
            // Where nobody looked, it may be what is asked for.
            let may_be = heard.exploited || heard.level.is_none();
            let is_meant = may_be || !self.brought_if_exploited;
            if !is_meant || !heard.brings_some_of(&self.severities) {
                return None;
            }
        }
        Some(topic)
    }
}

/// The repositories that an event is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Repositories {
    /// Those that are known.
    pub(crate) names: Vec<String>,
    /// May there be others that nobody names?
    pub(crate) are_more: bool,
    /// Has it nothing to do with any?
    pub(crate) is_about_none: bool,
}

impl Repositories {
    fn takes(&self, wanted: &Names) -> bool {
        // Where nobody can tell, it is told.
        self.is_about_none || self.are_more || self.names.iter().any(|it| wanted.takes(it))
    }
}

fn topics(on: &[String]) -> Result<Vec<&'static Topic>, BadTerms> {
    let known = || {
        let names: Vec<&str> = Topic::ALL.iter().map(|it| it.id).collect();
        format!("there are {} and {ALL_TOPICS}", names.join(", "))
    };
    if on.is_empty() {
        return Err(bad("on: it tells of nothing".to_owned(), Some(known())));
    }
    if on.iter().any(|it| it == ALL_TOPICS) {
        return Ok(Topic::ALL.iter().collect());
    }
    let unknown = on.iter().find(|it| Topic::find(it).is_none());
    if let Some(it) = unknown {
        let shown: String = it.chars().take(60).collect();
        let why = format!("on: `{}` is nothing to be told of", shown.escape_debug());
        return Err(bad(why, Some(known())));
    }
    // In the order of the list of all: an event is about the first.
    let asks = |topic: &&Topic| {
        on.iter().any(|id| {
            // Whoever asks for new flaws is told of those that come with an image, too.
            let is_brought = asks_for_brought(id) || id == EXPLOITED;
            id == topic.id || topic.id == Topic::DEPLOYED && is_brought
        })
    };
    Ok(Topic::ALL.iter().filter(asks).collect())
}

/// Does somebody ask by that word for all that images bring where they come to run?
fn asks_for_brought(id: &str) -> bool {
    [ALL_TOPICS, Topic::DEPLOYED, "new-finding"].contains(&id)
}

fn levels(what: &str, said: &[String]) -> Result<Vec<Level>, BadTerms> {
    let level = |it: &String| {
        Level::parse(it).ok_or_else(|| {
            let shown: String = it.chars().take(60).collect();
            let why = format!("{what}: `{}` is no severity", shown.escape_debug());
            let words = Level::ALL.map(Level::as_str).join(", ");
            bad(why, Some(format!("there are {words}")))
        })
    };
    said.iter().map(level).collect()
}

fn digest(said: &api::Digesting) -> Result<Digest, BadTerms> {
    if said.every == Every::Hourly && said.at.is_some() {
        let why = "digest: it is told at each full hour, and not at a time of day";
        return Err(bad(why.to_owned(), None));
    }
    Ok(Digest {
        every: said.every,
        at: time("digest", said.at.as_deref().unwrap_or("08:00"))?,
        zone: zone("digest", said.zone.as_deref())?,
    })
}

fn quiet(said: &api::Quiet) -> Result<Quiet, BadTerms> {
    let (from, until) = (time("quiet", &said.from)?, time("quiet", &said.until)?);
    if from == until {
        return Err(bad("quiet: it ends when it begins".to_owned(), None));
    }
    let zone = zone("quiet", said.zone.as_deref())?;
    Ok(Quiet { from, until, zone, unless: levels("quiet: unless", &said.unless)? })
}

/// `08:00`.
fn time(what: &str, text: &str) -> Result<Time, BadTerms> {
    let number = |it: &str| (it.len() == 2).then(|| it.parse::<i8>().ok()).flatten();
    let parts = text
        .split_once(':')
        .and_then(|(hour, minute)| Time::new(number(hour)?, number(minute)?, 0, 0).ok());
    parts.ok_or_else(|| {
        let shown: String = text.chars().take(60).collect();
        let why = format!("{what}: `{}` is no time of day", shown.escape_debug());
        bad(why, Some("write it as 08:00".to_owned()))
    })
}

fn zone(what: &str, name: Option<&str>) -> Result<TimeZone, BadTerms> {
    let Some(name) = name else { return Ok(TimeZone::UTC) };
    let sane = name.len() <= 64 && name.chars().all(|it| it.is_ascii_graphic());
    let found = sane.then(|| TimeZone::get(name).ok()).flatten();
    found.ok_or_else(|| {
        let shown: String = name.chars().take(60).collect();
        let why = format!("{what}: nobody knows the zone `{}`", shown.escape_debug());
        bad(why, Some("name it as Europe/Berlin or UTC".to_owned()))
    })
}

fn bad(why: String, hint: Option<String>) -> BadTerms {
    BadTerms { why, hint }
}
