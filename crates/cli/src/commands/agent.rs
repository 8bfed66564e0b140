//! `foretop agent`: what runs in a cluster or on a host, told to a server as it changes.

mod docker;
mod kubernetes;
mod reading;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::agent::health::Health;
use ::agent::{Door, Mapping, Pace, Reporter, Runtime, Trouble, Voice};
use anyhow::Context as _;
use api::Client;
use async_trait::async_trait;
use clap::Subcommand;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use super::watch::told_to_end;
use super::{Outcome, Verb, said};
use crate::asking::{Asking, Whose};
use crate::environment::Environment;
use crate::failure::{self, Failure};
use crate::messages::Messages;
use crate::{Context, whence};

/// Tell a server what runs in a cluster or on a host, all of it, as it changes
#[derive(clap::Parser)]
#[command(name = "agent", arg_required_else_help = true)]
pub(crate) struct Agent {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// What the pods of a Kubernetes cluster run; from within it, or by a kubeconfig
    Kubernetes(kubernetes::Kubernetes),
    /// What the containers of a Docker or podman host run, of Compose and Swarm as well
    Docker(docker::Docker),
}

impl Verb for Agent {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        match self.command {
            Command::Kubernetes(it) => it.run(context),
            Command::Docker(it) => it.run(context),
        }
    }
}

/// What is the same for all of them.
#[derive(clap::Args)]
pub(super) struct Telling {
    /// Make environments that there are none of; the token has to be an owner's
    #[arg(long)]
    create_environments: bool,
    /// Seconds between two words that nothing changed; not heard of for three times that, what runs
    /// there is said to be stale
    #[arg(long, value_name = "SECONDS", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(1..=86_400))]
    every: u32,
    /// Tell once what runs, and end
    #[arg(long, conflicts_with = "listen")]
    once: bool,
    /// Where to answer those who ask whether all is well: `/healthz`, `/readyz`
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    whose: Whose,
}

/// Seconds after which somebody who was to tell once gives up.
const PATIENCE: Duration = Duration::from_mins(1);

impl Telling {
    fn every(&self) -> Duration {
        Duration::from_secs(u64::from(self.every))
    }

    /// Tells what runs in what `open` opens, under that name. What `open` says beside it is which runtime
    /// that is and how it is mapped, in one way of writing it. `beside` goes on beside that.
    fn tell<R: Runtime>(
        &self,
        context: &Context,
        name: &str,
        open: impl AsyncFnOnce() -> Result<(R, String), Trouble>,
        beside: impl AsyncFnOnce(&R, &dyn Door, &dyn Voice),
    ) -> anyhow::Result<Outcome> {
        // Two providers are linked, so somebody has to say which.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = crate::runtime()?;
        let done = runtime.block_on(async {
            let way = Way { context, whose: &self.whose, asking: Mutex::default() };
            let done = tokio::select! {
                done = self.go(context, &way, name, open, beside) => done.map(|()| Outcome::Done),
                ended = told_to_end() => ended,
            };
            if let Some(asking) = way.asking.lock().await.take() {
                asking.close().await;
            }
            done
        });
        // Who still waits for bytes that are not wanted any more must not keep us.
        runtime.shutdown_background();
        done
    }

    async fn go<R: Runtime>(
        &self,
        context: &Context,
        way: &Way<'_>,
        name: &str,
        open: impl AsyncFnOnce() -> Result<(R, String), Trouble>,
        beside: impl AsyncFnOnce(&R, &dyn Door, &dyn Voice),
    ) -> anyhow::Result<()> {
        let (voice, health) = (Spoken(Arc::clone(&context.messages)), Health::default());
        let answering = match self.listen {
            Some(address) => Some(listen(address, &voice).await?),
            None => None,
        };
        let (runtime, seen) = open().await.map_err(|it| failed(&it))?;
        let pace = Pace { every: self.every(), ..Pace::default() };
        let agent = called(&context.environment, &seen);
        let create = self.create_environments;
        let reporter = Reporter {
            door: way,
            name,
            agent: &agent,
            pace,
            create,
            voice: &voice,
            health: &health,
        };
        if self.once {
            return reporter.once(&runtime, PATIENCE).await.map_err(|it| failed(&it));
        }
        voice.inform(&format!("{name}: looking, as {agent}"));
        let answered = async {
            match answering {
                Some(listener) => health.clone().serve(listener).await,
                None => std::future::pending().await,
            }
        };
        let told = async {
            tokio::join!(reporter.run(&runtime), beside(&runtime, way, &voice));
        };
        tokio::select! {
            () = told => Ok(()),
            ended = answered => ended.context("cannot answer those who ask whether all is well"),
        }
    }
}

async fn listen(address: SocketAddr, voice: &Spoken) -> anyhow::Result<TcpListener> {
    let hint = "--listen 127.0.0.1:0 takes any port that is free";
    let failed =
        |error: std::io::Error| Failure::error(format!("--listen {address}: {error}"), hint);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    voice.inform(&format!("health: http://{bound}/healthz, http://{bound}/readyz"));
    Ok(listener)
}

/// What those are called that look from here at the same runtime and map it so: where an agent is started
/// anew, its word is taken at once, and of two that say something else of one runtime, that of the first one
/// alone. Two clusters with the same agent in each are two, though somebody calls them by one name.
fn called(environment: &Environment, seen: &str) -> String {
    let host = whence::host(environment).unwrap_or_else(|| "somewhere".to_owned());
    let place = if environment.is_in_a_pod() {
        let namespace = std::path::Path::new(SERVICE_ACCOUNT).join("namespace");
        let namespace = fs_err::read_to_string(namespace).unwrap_or_default();
        format!("{}/{}", namespace.trim(), workload(&host))
    } else {
        host
    };
    let place: String = place.chars().filter(|it| !it.is_control()).take(100).collect();
    let sum: [u8; 32] = Sha256::digest(seen).into();
    let [one, two, three, four, ..] = sum;
    format!("{place}/{:08x}", u32::from_be_bytes([one, two, three, four]))
}

/// Where a pod finds what it needs to speak with the cluster that it is in.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// A pod's name without what is another with each pod: `agent-5f7b9-x2x4q`.
fn workload(pod: &str) -> &str {
    let mut parts = pod.rsplitn(3, '-');
    parts.nth(2).filter(|it| !it.is_empty()).unwrap_or(pod)
}

/// The mapping that is asked for; one that maps nothing is a mistake.
fn mapping(
    rules: &[String],
    label: Option<&str>,
    rest: Option<&str>,
    hint: &str,
) -> anyhow::Result<Mapping> {
    let mapping = Mapping::new(rules, label, rest)
        .map_err(|error| Failure::error(format!("--map {error}"), hint))?;
    if mapping.is_empty() {
        return Err(Failure::error("nothing is mapped to an environment", hint));
    }
    Ok(mapping)
}

fn failed(trouble: &Trouble) -> anyhow::Error {
    match &trouble.hint {
        Some(hint) => Failure::error(trouble.to_string(), hint.as_str()),
        None => anyhow::anyhow!("{trouble}"),
    }
}

/// The way to whoever is told.
struct Way<'a> {
    context: &'a Context,
    whose: &'a Whose,
    asking: Mutex<Option<Asking>>,
}

#[async_trait]
impl Door for Way<'_> {
    async fn open(&self) -> Result<(Client, String), Trouble> {
        let mut known = self.asking.lock().await;
        // What is here does not become anybody else.
        if let Some(asking) = known.as_ref().filter(|it| it.embedded()) {
            return Ok((asking.client.clone(), asking.organisation.clone()));
        }
        let opened = Asking::open(self.context, self.whose, None).await;
        let asking = opened.map_err(|error| Trouble {
            what: "find the server".to_owned(),
            why: format!("{error:#}"),
            hint: failure::hint(&error),
            lasting: true,
        })?;
        let asking = known.insert(asking);
        Ok((asking.client.clone(), asking.organisation.clone()))
    }
}

/// Says what is done as all commands do.
struct Spoken(Arc<Messages>);

impl Voice for Spoken {
    fn inform(&self, line: &str) {
        self.0.inform(line);
    }

    fn warn(&self, line: &str) {
        self.0.warn(line);
    }

    fn advise(&self, line: &str) {
        self.0.advise(line);
    }

    fn debug(&self, line: &str) {
        self.0.debug(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_told_apart() {
        let of = |set: &[(&str, &str)], mapped: &str| called(&Environment::of(set), mapped);
        let here = of(&[], "a");
        assert_eq!(here, of(&[], "a"));
        assert_ne!(here, of(&[], "b"));
        assert_ne!(here, of(&[("KUBERNETES_SERVICE_HOST", "10.0.0.1")], "a"));
        assert_eq!(workload("foretop-agent-5f7b9-x2x4q"), "foretop-agent");
        assert_eq!(workload("agent-0"), "agent-0");
        assert_eq!(workload("here"), "here");
    }
}
