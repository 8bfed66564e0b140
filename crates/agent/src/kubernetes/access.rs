//! How a cluster is reached: as a pod of it, or by a kubeconfig.

use std::path::PathBuf;

use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::Patience;
use super::bounded::Bounds;
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
    pub inside: Option<Inside>,
}

/// What a pod is told of the cluster that it is in.
#[derive(Clone, Debug)]
pub struct Inside {
    /// `https://10.0.0.1:443`.
    pub server: String,
    /// Where `token` and `ca.crt` are. Both are replaced now and then, and read again.
    pub folder: PathBuf,
}

/// A part of a list has 250 things, and the largest of them that a cluster keeps are of a mebibyte or two.
const BOUNDS: Bounds = Bounds { answer: 128 << 20, event: 16 << 20 };

impl Access {
    /// A client, and by what this cluster is told from others.
    pub(super) async fn client(&self, patience: &Patience) -> Result<(Client, String), Trouble> {
        // Two providers are linked, so somebody has to say which.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut config = match &self.inside {
            Some(inside) => inside.config().await?,
            None => self.outside().await?,
        };
        let which = self.which(&config);
        config.read_timeout = Some(patience.answer);
        // Else the time that a connection was idle is taken for silence.
        config.reset_reader_on_write = true;
        // How long to wait is for us to say.
        config.default_retry = false;
        let bounds = patience.most.map_or(BOUNDS, |it| Bounds { answer: it, event: it });
        let builder = ClientBuilder::try_from(config).map_err(|error| {
            let hint = "`kubectl cluster-info` with the same kubeconfig says more";
            Trouble::lasting("connect to the cluster", cause(&error), hint)
        })?;
        Ok((builder.with_layer(&bounds).build(), which))
    }

    /// From inside, all clusters have the same address, and each has certificates of its own.
    fn which(&self, config: &Config) -> String {
        let mut sum = Sha256::new();
        if self.inside.is_none() {
            sum.update(format!("{}\n", config.cluster_url));
        }
        for certificate in config.root_cert.iter().flatten() {
            sum.update(certificate);
        }
        let sum: [u8; 32] = sum.finalize().into();
        model::Digest::from_sha256(&sum).short().to_owned()
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

impl Inside {
    /// The same as a kubeconfig says that names these files, so that both go one way.
    async fn config(&self) -> Result<Config, Trouble> {
        const NAME: &str = "inside";
        let hint = "automountServiceAccountToken: true mounts it; outside of a cluster, --kubeconfig \
                    names a file";
        let failed = |why: String| Trouble::lasting("the service account of this pod", why, hint);
        let file = |name: &str| {
            let path = self.folder.join(name);
            let text = path.display().to_string();
            if path.is_file() { Ok(text) } else { Err(failed(format!("{text}: there is none"))) }
        };
        let (authority, token) = (file("ca.crt")?, file("token")?);
        let all = json!({
            "clusters": [{ "name": NAME, "cluster":
                { "server": self.server, "certificate-authority": authority } }],
            "users": [{ "name": NAME, "user": { "tokenFile": token } }],
            "contexts": [{ "name": NAME, "context": { "cluster": NAME, "user": NAME } }],
            "current-context": NAME,
        });
        let all: Kubeconfig =
            serde_json::from_value(all).map_err(|error| failed(error.to_string()))?;
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(all, &options).await;
        let mut config = config.map_err(|error| failed(error.to_string()))?;
        config.root_cert_file = Some(PathBuf::from(authority));
        // A proxy of the environment is for what is outside; a kubeconfig would go through it.
        config.proxy_url = None;
        Ok(config)
    }
}
