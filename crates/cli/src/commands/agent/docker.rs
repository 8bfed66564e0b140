//! `foretop agent docker`.

use ::agent::docker::{Docker as Host, Patience};

use super::{Outcome, Telling, mapping, said};
use crate::failure::Failure;
use crate::plugin::DockerFlags;
use crate::{Context, docker, whence};

#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(super) struct Docker {
    /// What this host is called [default: as it calls itself]
    #[arg(long, value_name = "NAME", value_parser = said())]
    name: Option<String>,
    /// Which environment a Compose project or a Swarm stack belongs to; `*` and `?` stand for any
    /// letters and any one. Repeatable: a whole name goes first, then the first that fits
    #[arg(long, value_name = "PROJECT=ENVIRONMENT", value_parser = said())]
    map: Vec<String>,
    /// The environment of all else
    #[arg(long, value_name = "ENVIRONMENT", value_parser = said())]
    environment: Option<String>,
    /// The engine to ask: `unix:///run/podman/podman.sock`, `tcp://…`
    #[arg(long, value_name = "URL", value_parser = said())]
    host: Option<String>,
    #[command(flatten)]
    telling: Telling,
}

const HELP: &str = "\
Without --host the engine is asked that `docker` would ask: DOCKER_HOST, DOCKER_CONTEXT, the current
context, and then the usual sockets of Docker and podman.";

const MAPPED: &str = "--map PROJECT=ENVIRONMENT, or --environment for all";

impl Docker {
    pub(super) fn run(&self, context: &Context) -> anyhow::Result<Outcome> {
        let mapping = mapping(&self.map, None, self.environment.as_deref(), MAPPED)?;
        let mapped = serde_json::to_string(&(&self.map, &self.environment))?;
        let environment = &context.environment;
        let flags = match &self.host {
            Some(host) => {
                DockerFlags { host: Some(host.clone()), context: None, ..context.docker.clone() }
            }
            None => context.docker.clone(),
        };
        let settings = docker::settings(environment, &flags, true)?;
        let name = self.name.clone().or_else(|| whence::host(environment)).ok_or_else(|| {
            Failure::error("cannot tell what this host is called", "--name says it")
        })?;
        self.telling.tell(context, (&name, &mapped), async || {
            Ok(Host::new(settings, mapping, Patience::default()))
        })
    }
}
