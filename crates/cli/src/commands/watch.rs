//! `foretop watch`: what is pushed to a registry is read here, and kept where it is remembered.

mod checks;
mod hands;
mod journal;
mod notices;
mod parties;
mod round;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::try_join_all;
use image::Progress;
use integration::{Ways, registry_string};
use model::{Moment, Platform};
use server::Reading;
use tokio::sync::Semaphore;

use super::{Outcome, Verb};
use crate::Context;
use crate::asking::{Asking, Whose, ask};
use crate::docker;
use crate::failure::Failure;
use crate::messages::Messages;
use hands::{Reader, Remote};
use journal::Journal;
use parties::Party;
use round::Round;

/// Read what is pushed to a registry as it comes, and send it to where it is remembered
#[derive(clap::Parser)]
#[command(name = "watch", after_help = HELP)]
pub(crate) struct Watch {
    /// The registry: a host, or key=value fields with commas between them
    #[arg(long, value_name = "HOST|KEY=VALUE,…", value_parser = super::said())]
    registry: Option<String>,
    /// The repositories to watch; with their host where no registry is named
    #[arg(long, value_name = "REPOSITORY,…", value_parser = super::said())]
    repository: Vec<String>,
    /// Take tags that match one of these regular expressions; without any, all. One with a comma in it
    /// is quoted: '"^v[0-9]{1,3}$"'
    #[arg(long, value_name = "REGEX,…", value_parser = super::said())]
    tag: Vec<String>,
    /// Also read what was there before anybody watched
    #[arg(long)]
    all_images: bool,
    /// Ask each time which repositories there are
    #[arg(long, requires = "registry")]
    refresh_registry: bool,
    /// Seconds between looks
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u32).range(1..))]
    interval: u32,
    /// Images read at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 3,
          value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: u16,
    /// Read only images for these platforms of those for several [default: for all]
    #[arg(long, value_name = "OS/ARCHITECTURE")]
    platform: Vec<Platform>,
    /// Do everything but send it
    #[arg(long)]
    dry_run: bool,
    /// Read what is inside; without that only where tags lead is sent, and a server reads the rest
    #[arg(long, value_name = "YES|NO", num_args = 0..=1, require_equals = true,
          default_value_t = true, default_missing_value = "true",
          action = clap::ArgAction::Set)]
    sbom: bool,
    /// Look once, and end
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    whose: Whose,
}

const HELP: &str = "\
Fields of --registry: type (artifactory, azure, distribution, harbor, nexus, oci), registry,
repository, include, exclude, tag, user; port (0: any that is free) of all but oci; api of
artifactory, harbor and nexus; template of artifactory and nexus; subdomain-mode, layout,
virtual-repository and webhook-mode of artifactory. One with a comma in it is quoted:
  --registry 'type=nexus,registry=localhost:8082,api=http://localhost:8081,\"repository=a,b\"'
Passwords and webhook secrets come from the environment, and users where no field tells them.";

impl Verb for Watch {
    fn run(mut self, context: &Context) -> anyhow::Result<Outcome> {
        self.tag = listed("--tag", &self.tag)?;
        self.repository = listed("--repository", &self.repository)?;
        let parties = parties::named(self.registry.as_deref(), &self.repository, context)?;
        for party in &parties {
            party.filter(&self.tag)?;
        }
        // Two providers are linked, so somebody has to say which.
        let _ = rustls::crypto::ring::default_provider().install_default();
        ask(context, &self.whose, async |asking| {
            tokio::select! {
                ended = self.watch(&parties, asking, context) => ended.map(|()| Outcome::Done),
                ended = told_to_end() => ended,
            }
        })
    }
}

impl Watch {
    async fn watch(
        &self,
        parties: &[Party],
        asking: &Asking,
        context: &Context,
    ) -> anyhow::Result<()> {
        let settings = Arc::new(docker::settings(&context.environment, &context.docker, false)?);
        let progress: Arc<dyn Progress> = Arc::new(Bytes(Arc::clone(&context.messages)));
        let ways = Ways { settings, progress };
        let cache = context.environment.cache()?.map(Arc::new);
        let engine = engine::Engine { cache };
        let places = Semaphore::new(usize::from(self.workers));
        let folder = context.environment.watched()?;
        let messages = context.messages.as_ref();
        let remote = Remote { asking, messages, dry_run: self.dry_run };
        let mut rounds = Vec::new();
        for party in parties {
            let connected = (party.kind.connect)(&party.settings, &ways)?;
            let scope = party.scope(&self.tag, &self.platform, self.sbom);
            let key = party.key(asking, context)?;
            let journal = Journal::open(&folder, &key, scope, self.dry_run)?;
            let reading = Reading {
                engine: &engine,
                settings: ways.of(&party.settings),
                progress: Arc::clone(&ways.progress),
                platforms: &self.platform,
                contents: self.sbom,
                places: &places,
                shelf: &remote,
            };
            let reader = Reader { reading, journal: Arc::new(journal), messages };
            let connected: Arc<dyn integration::Integration> = connected.into();
            rounds.push(Round { watch: self, party, connected, reader, messages });
        }
        let mut listening = Vec::new();
        for round in &rounds {
            listening.push(round.begin(asking).await?);
        }
        let looking = rounds.iter().zip(listening).map(|(round, bound)| round.go_on(bound));
        try_join_all(looking).await.map(|_| ())
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(u64::from(self.interval))
    }
}

/// Comes to pass when somebody wants us to end: by hand that is an interruption, and for who manages
/// services it is as it should be.
pub(super) async fn told_to_end() -> anyhow::Result<Outcome> {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let terminate = tokio::signal::unix::SignalKind::terminate();
        let mut terminated = tokio::signal::unix::signal(terminate)?;
        tokio::select! {
            it = interrupted => it.context("cannot wait for an interruption")?,
            _ = terminated.recv() => return Ok(Outcome::Done),
        }
    }
    #[cfg(not(unix))]
    interrupted.await.context("cannot wait for an interruption")?;
    Ok(Outcome::Interrupted)
}

/// The entries of an option that is a list, as CSV or told again and again.
fn listed(option: &str, texts: &[String]) -> anyhow::Result<Vec<String>> {
    let mut all = Vec::new();
    for text in texts {
        let refused = |why: &str| Failure::error(format!("{option}: {why}"), QUOTED);
        let fields = registry_string::fields(text).map_err(|it| refused(&it.why))?;
        for field in fields.into_iter().map(|it| it.trim().to_owned()) {
            if field.is_empty() {
                return Err(refused("an entry of it is empty"));
            }
            all.push(field);
        }
    }
    Ok(all)
}

const QUOTED: &str = "write it like this: 'one,\"one,with,commas\"'";

fn now() -> Moment {
    Moment::from_micros(jiff::Timestamp::now().as_microsecond())
}

/// Bytes go by on the bar, where there is a terminal for one; the steps of many images at once would
/// tell nobody anything.
struct Bytes(Arc<Messages>);

impl Progress for Bytes {
    fn expect(&self, bytes: u64) {
        self.0.expect(bytes);
    }

    fn advance(&self, bytes: u64) {
        self.0.advance(bytes);
    }

    fn tell(&self, line: &str) {
        self.0.debug(line);
    }

    fn note(&self, line: &str) {
        self.0.debug(line);
    }
}
