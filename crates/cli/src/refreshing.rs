//! A server keeps its almanac fresh: it runs `foretop almanac` beside itself, each feed in its time.
//!
//! What is built is built in a process of its own, with less to say on the processor: a document that
//! takes all the memory there is takes nobody's answers along.

mod plan;

use std::fmt;
use std::fs::TryLockError;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use almanac::{Almanac, Standing};
use jiff::Timestamp;

use crate::failure::Failure;
use crate::{Context, child};
use plan::Plan;

/// How often is looked whether something is due.
const LOOK: Duration = Duration::from_secs(1);
/// How long it takes at most. Whoever is not done by then never is.
const PATIENCE: Duration = Duration::from_hours(6);
/// How often it is tried to be the one who does it, of all who have the same almanac.
const TURN: Duration = Duration::from_mins(1);
/// An almanac in a registry is asked for again after so many seconds.
const PULLED: i64 = 3_600;
/// Publishers are asked no more often than this, in seconds.
const POLITE: i64 = 600;
/// By this its lock goes in the directory of the almanac.
const LOCK: &str = "refresh.lock";

/// From where an almanac is kept fresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// It is not.
    Off,
    /// From the publishers of its feeds.
    Publishers,
    /// From a mirror of theirs.
    Mirror(String),
    /// From a registry, where somebody else puts it.
    Registry(String),
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None if text == "off" => Ok(Self::Off),
            None if text == "publishers" => Ok(Self::Publishers),
            Some(("mirror", url)) if !url.is_empty() => Ok(Self::Mirror(url.to_owned())),
            Some(("oci", reference)) if !reference.is_empty() => {
                Ok(Self::Registry(reference.to_owned()))
            }
            _ => Err("write publishers, mirror=URL, oci=REGISTRY/NAME[:TAG], or off".to_owned()),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => write!(out, "off"),
            Self::Publishers => write!(out, "the publishers"),
            Self::Mirror(_) => write!(out, "a mirror"),
            Self::Registry(reference) => write!(out, "{reference}"),
        }
    }
}

/// `90s`, `15m`, `6h`, `1d`, in seconds.
pub(crate) fn time(text: &str) -> Result<i64, String> {
    let units = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];
    let seconds = units
        .iter()
        .find_map(|(unit, of)| text.strip_suffix(unit)?.parse::<i64>().ok()?.checked_mul(*of));
    let seconds = seconds.filter(|it| (1..=30 * 86_400).contains(it));
    seconds.ok_or_else(|| "write 90s, 15m, 6h or 1d; 30 days at most".to_owned())
}

/// How an almanac is kept fresh.
pub(crate) struct Refreshing {
    source: Source,
    directory: PathBuf,
    every: Option<i64>,
    /// Of those who have the same almanac, one at a time does it.
    lock: fs_err::File,
}

impl Refreshing {
    /// As somebody wishes, or as is usual: what was fetched here once is kept fresh from where it came.
    /// Says why it is not.
    pub(crate) fn of(
        context: &Context,
        directory: Option<&Path>,
        wish: Option<Source>,
        every: Option<i64>,
    ) -> anyhow::Result<Option<Self>> {
        let is_offline = context.environment.offline()?;
        let wish = match wish {
            None => context.environment.refresh()?,
            some => some,
        };
        let (source, is_wished) = match wish {
            Some(Source::Off) => return Ok(None),
            Some(source) => (source, true),
            None => (Source::Publishers, false),
        };
        if is_offline && !is_wished {
            return Ok(None);
        }
        let refused = |why: &str, hint: &str| Failure::error(format!("--refresh: {why}"), hint);
        if is_offline {
            return Err(refused("nothing may be fetched: we are offline", "--refresh off"));
        }
        if matches!(source, Source::Registry(_)) && context.environment.almanac_keys()?.is_empty() {
            let hint = "FORETOP_ALMANAC_KEYS names the publisher's public key";
            return Err(refused("nobody is trusted yet whose almanac is pulled", hint));
        }
        let is_publishers =
            source == Source::Publishers && context.environment.almanac_mirror()?.is_none();
        if is_publishers && every.is_some_and(|it| it < POLITE) {
            let hint = "every 10m at least; a mirror of your own may be asked more often";
            return Err(refused("publishers are not asked that often", hint));
        }
        let Some(directory) = directory.map(Path::to_owned) else { return Ok(None) };
        let told = |why: &str| {
            context.messages.inform(&format!("The almanac is not kept fresh: {why}"));
            Ok(None)
        };
        if !is_wished {
            match fetched(&directory) {
                Fetched::Here => {}
                Fetched::Nowhere => {
                    return told(
                        "there is none yet; `foretop almanac update` fetches one, and \
                                 --refresh publishers does so by itself",
                    );
                }
                Fetched::Elsewhere => {
                    return told("it was not fetched here; --refresh says from where it is");
                }
            }
        }
        let lock = fs_err::create_dir_all(&directory).and_then(|()| {
            let mut options = fs_err::OpenOptions::new();
            options.create(true).truncate(false).write(true).open(directory.join(LOCK))
        });
        let lock = match lock {
            Ok(lock) => lock,
            Err(error) if is_wished => {
                let why = format!("the almanac cannot be written to: {error}");
                return Err(refused(&why, "name a directory of the server's own: --almanac"));
            }
            Err(error) => return told(&format!("it cannot be written to: {error}")),
        };
        context.messages.inform(&format!("The almanac is kept fresh, from {source}"));
        Ok(Some(Self { source, directory, every, lock }))
    }

    /// Keeps it fresh for as long as it is not dropped. `told` hears how each time went.
    pub(crate) async fn run(self, told: impl Fn(bool)) {
        loop {
            match self.lock.file().try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => tokio::time::sleep(TURN).await,
                // On a file system without locks each does it, and none disturbs another.
                Err(TryLockError::Error(error)) => {
                    tracing::warn!(%error, "the almanac cannot be locked, and is refreshed all the same");
                    break;
                }
            }
        }
        let mut plan = Plan::default();
        self.learn(&mut plan);
        loop {
            let due = plan.due(now());
            if due.is_empty() {
                tokio::time::sleep(LOOK).await;
                continue;
            }
            let begun = now();
            tracing::info!(feeds = due.join(","), "almanac refresh begins");
            let ended = self.once(&due).await;
            let well: Vec<bool> = due.iter().map(|id| self.is_had(id, begun, &ended)).collect();
            let is_well = well.iter().all(|it| *it);
            for (id, well) in due.iter().zip(&well) {
                plan.went(id, *well, now());
            }
            let failed: Vec<&str> =
                due.iter().zip(&well).filter(|it| !it.1).map(|it| it.0.as_str()).collect();
            let took = now().saturating_sub(begun);
            match &ended {
                Ok(()) if is_well => tracing::info!(took, "almanac refresh done"),
                Ok(()) => tracing::warn!(took, failed = failed.join(","), "almanac refresh done"),
                Err(why) => {
                    tracing::warn!(took, failed = failed.join(","), why, "almanac refresh failed");
                }
            }
            told(is_well);
            self.learn(&mut plan);
        }
    }

    /// Plans what is not planned yet, as far as the almanac tells: somebody may have fetched another
    /// feed by hand.
    fn learn(&self, plan: &mut Plan) {
        let now = now();
        if let Source::Registry(reference) = &self.source {
            if !plan.knows(reference) {
                plan.add(reference, self.every.unwrap_or(PULLED), None, now);
            }
            return;
        }
        let there = Almanac::open(&self.directory).ok();
        let parts = there.as_ref().map(|it| it.manifest().parts.as_slice()).unwrap_or_default();
        let is_new = parts.iter().all(|it| it.fetched.is_none());
        for feed in feed::ALL.iter().filter(|it| it.parts().iter().any(|it| !it.urls.is_empty())) {
            let own = || parts.iter().filter(|it| it.feed == feed.id());
            // Who fetches some feeds wants those.
            if plan.knows(feed.id()) || (!is_new && own().next().is_none()) {
                continue;
            }
            let every = self.every.unwrap_or_else(|| i64::from(feed.every_hours()) * 3_600);
            let had = own().map(|it| seconds(it.fetched.as_deref())).min().flatten();
            plan.add(feed.id(), every, had.filter(|_| own().all(|it| it.error.is_none())), now);
        }
    }

    /// Was it fetched since then?
    fn is_had(&self, id: &str, since: i64, ended: &Result<(), String>) -> bool {
        if matches!(self.source, Source::Registry(_)) {
            return ended.is_ok();
        }
        let Ok(almanac) = Almanac::open(&self.directory) else { return false };
        let mut own = almanac.manifest().parts.iter().filter(|it| it.feed == id).peekable();
        own.peek().is_some()
            && own.all(|it| {
                it.error.is_none() && seconds(it.fetched.as_deref()).is_some_and(|it| it >= since)
            })
    }

    /// Does it once, in a process of its own that ends when we do.
    async fn once(&self, feeds: &[String]) -> Result<(), String> {
        let mut command = child::command()?;
        command.arg("almanac").arg("--attended").arg("--directory").arg(&self.directory);
        match &self.source {
            Source::Registry(reference) => command.args(["pull", reference]),
            Source::Mirror(url) => {
                command.args(["update", "--feed", &feeds.join(","), "--mirror", url])
            }
            Source::Publishers | Source::Off => {
                command.args(["update", "--feed", &feeds.join(",")])
            }
        };
        child::done(&mut command, PATIENCE, |line| tracing::debug!(line, "almanac refresh says"))
            .await
    }
}

/// From where an almanac is.
enum Fetched {
    Here,
    Elsewhere,
    Nowhere,
}

fn fetched(directory: &Path) -> Fetched {
    match Almanac::open(directory) {
        Ok(it) => {
            let is_fetched = it.manifest().parts.iter().any(|it| it.fetched.is_some());
            // One that was fetched and then signed here is ours as well, and would be signed no more.
            match it.standing() {
                Standing::Local if is_fetched => Fetched::Here,
                _ => Fetched::Elsewhere,
            }
        }
        Err(almanac::Error::Absent(_)) => Fetched::Nowhere,
        // One that is damaged is mended by being fetched.
        Err(_) => Fetched::Here,
    }
}

fn now() -> i64 {
    Timestamp::now().as_second()
}

fn seconds(moment: Option<&str>) -> Option<i64> {
    moment?.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write() {
        let check = |text: &str, expect: Option<Source>| {
            assert_eq!(text.parse::<Source>().ok(), expect, "{text}");
        };
        check("off", Some(Source::Off));
        check("publishers", Some(Source::Publishers));
        check("mirror=http://m/x=y", Some(Source::Mirror("http://m/x=y".to_owned())));
        check("oci=r.example/a:1", Some(Source::Registry("r.example/a:1".to_owned())));
        for bad in ["", "on", "mirror", "mirror=", "oci=", "http://m"] {
            check(bad, None);
        }
        assert_eq!((time("90s"), time("15m"), time("6h")), (Ok(90), Ok(900), Ok(21_600)));
        for bad in ["", "6", "0s", "-1s", "31d", "h", "99999999999999999999d"] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }
}
