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

impl Settings {
    /// The same for a host that an image names, which comes from `own`: who builds an image may name any.
    /// So that host is not shown what was given for every registry, unless it is where the image is from.
    #[must_use]
    pub fn for_named(&self, host: &str, own: Option<&str>) -> Self {
        let mut settings = self.clone();
        if own != Some(host) {
            settings.credentials = None;
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use crate::Credentials;

    use super::*;

    #[test]
    fn what_is_for_every_registry_is_shown_to_none_that_only_an_image_names() {
        let login = |user: &str| Credentials::Basic {
            user: user.to_owned(),
            password: model::Secret::new("proof"),
        };
        let (credentials, hub) = (Some(login("all")), Some(login("hub")));
        let settings = Settings { credentials, hub, ..Settings::default() };
        let shown = |host: &str, own: Option<&str>| {
            let it = settings.for_named(host, own);
            (it.credentials.is_some(), it.hub.is_some())
        };
        assert_eq!(shown("registry.example", Some("registry.example")), (true, true));
        assert_eq!(shown("other.example", Some("registry.example")), (false, true));
        assert_eq!(shown("registry.example:444", Some("registry.example")), (false, true));
        assert_eq!(shown("registry.example", None), (false, true));
    }
}
