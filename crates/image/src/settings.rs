//! Settings nobody changed: what holds on a machine without any configuration.

use std::path::PathBuf;
use std::time::Duration;

use crate::contract::Settings;

impl Default for Settings {
    fn default() -> Self {
        Self {
            docker_host: None,
            docker_sockets: vec![
                PathBuf::from("/var/run/docker.sock"),
                PathBuf::from("/run/podman/podman.sock"),
            ],
            docker_config: None,
            docker_certificates: None,
            auth_files: Vec::new(),
            credentials: None,
            hub: None,
            insecure_registries: std::collections::BTreeSet::new(),
            certificate_authorities: Vec::new(),
            stall: Duration::from_mins(1),
            retries: 5,
            limits: tarball::Limits::default(),
            workers: std::thread::available_parallelism().map_or(2, usize::from),
            user_agent: concat!("foretop/", env!("CARGO_PKG_VERSION")).to_owned(),
            outgoing: None,
            redirects: None,
            pace: std::sync::Arc::default(),
        }
    }
}
