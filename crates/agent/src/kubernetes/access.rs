//! How a cluster is reached: as a pod of it, or by a kubeconfig.

use std::path::PathBuf;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use super::Patience;
use super::refused::cause;
use crate::contract::Trouble;

/// By what a cluster is reached.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Kubeconfigs; what the first one says goes before what the next one says.
    pub kubeconfig: Vec<PathBuf>,
    /// The context in them, else the one that is current.
    pub context: Option<String>,
    /// Are we a pod of that cluster? Then its service account is who asks.
    pub inside: bool,
}

impl Access {
    pub(super) async fn client(&self, patience: &Patience) -> Result<Client, Trouble> {
        // Two providers are linked, so somebody has to say which.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut config = if self.inside { Self::inside()? } else { self.outside().await? };
        config.read_timeout = Some(patience.answer);
        // Else the time that a connection was idle is taken for silence.
        config.reset_reader_on_write = true;
        // How long to wait is for us to say.
        config.default_retry = false;
        Client::try_from(config).map_err(|error| {
            let hint = "`kubectl cluster-info` with the same kubeconfig says more";
            Trouble::lasting("connect to the cluster", cause(&error), hint)
        })
    }

    fn inside() -> Result<Config, Trouble> {
        Config::incluster().map_err(|error| {
            Trouble::lasting(
                "the service account of this pod",
                error.to_string(),
                "automountServiceAccountToken: true mounts it; outside of a cluster, --kubeconfig \
                 names a file",
            )
        })
    }

    async fn outside(&self) -> Result<Config, Trouble> {
        let hint = "--kubeconfig or KUBECONFIG names a file, --context a context in it";
        let shown: Vec<String> =
            self.kubeconfig.iter().map(|it| it.display().to_string()).collect();
        let failed =
            |why: String| Trouble::lasting(format!("kubeconfig {}", shown.join(":")), why, hint);
        let mut all: Option<Kubeconfig> = None;
        for path in &self.kubeconfig {
            let read = Kubeconfig::read_from(path).map_err(|error| failed(error.to_string()))?;
            all = Some(match all {
                None => read,
                Some(all) => all.merge(read).map_err(|error| failed(error.to_string()))?,
            });
        }
        let all = all.ok_or_else(|| failed("none is named".to_owned()))?;
        let options =
            KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        let config = Config::from_custom_kubeconfig(all, &options).await;
        config.map_err(|error| failed(error.to_string()))
    }
}
