//! oci: any registry, by asking it again and again.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>

use async_trait::async_trait;
use image::{Desk, Error, Failure};
use model::Digest;

use crate::contract::{
    Check, Directory, Integration, Kind, Listed, Repository, Role, Setting, Settings, Tagged, Ways,
    is_no,
};
use crate::shared::said::shown;
use crate::shared::{asked, names, settings};

pub(crate) const KIND: Kind = Kind {
    id: "oci",
    also: &["registry"],
    title: "OCI registry",
    role: Role::Registry,
    about: "https://github.com/opencontainers/distribution-spec/blob/main/spec.md",
    settings: &[
        settings::REGISTRY,
        settings::REPOSITORY,
        settings::INCLUDE,
        settings::EXCLUDE,
        settings::TAG,
        Setting {
            variables: &["FORETOP_REGISTRY_USER", "DOCKER_SCOUT_REGISTRY_USER"],
            ..settings::USER
        },
        Setting {
            variables: &["FORETOP_REGISTRY_PASSWORD", "DOCKER_SCOUT_REGISTRY_PASSWORD"],
            ..settings::PASSWORD
        },
    ],
    has_projects: false,
    webhook_secret: None,
    secret_in_address: None,
    templates: &[],
    leftovers: &[],
    connect: |settings, ways| Ok(Box::new(Oci { lists: Lists::named(settings, ways)? })),
};

struct Oci {
    lists: Lists,
}

impl Integration for Oci {
    fn directory(&self) -> Option<&dyn Directory> {
        Some(&self.lists)
    }
}

/// The lists that every registry has.
pub(crate) struct Lists {
    pub(crate) desk: Desk,
    pub(crate) registry: String,
    pub(crate) configured: Vec<String>,
}

impl Lists {
    pub(crate) fn new(settings: &Settings, ways: &Ways) -> Result<Self, Error> {
        let registry = settings.text("registry").unwrap_or_default().to_owned();
        let desk = Desk::registry(&registry, &ways.of(settings), &ways.progress)?;
        Ok(Self { desk, registry, configured: Vec::new() })
    }

    /// The same, where `repository` names what it names.
    pub(crate) fn named(settings: &Settings, ways: &Ways) -> Result<Self, Error> {
        let mut configured: Vec<String> = Vec::new();
        for text in settings.all("repository") {
            let name = names::repository(text).ok_or_else(|| {
                Error::invalid("repository", format!("`{}` is no name of one", shown(text)))
                    .with_hint("write it like this: team/app; `tag` says which tags to take")
            })?;
            if !configured.contains(&name) {
                configured.push(name);
            }
        }
        Ok(Self { configured, ..Self::new(settings, ways)? })
    }
}

#[async_trait]
impl Directory for Lists {
    fn registry(&self) -> &str {
        &self.registry
    }

    async fn repositories(&self, known: &[String]) -> Result<Listed<Repository>, Failure> {
        let listed = if self.configured.is_empty() {
            match asked::catalog(&self.desk, "/v2").await {
                Err(why) if is_no(&why) => asked::instead(&[], known, &why)?,
                other => other?,
            }
        } else {
            self.configured.clone().into()
        };
        Ok(listed.map(|name| asked::plain(&self.registry, name)))
    }

    async fn tags(&self, repository: &Repository) -> Result<Listed<Tagged>, Failure> {
        let tags = asked::tags(&self.desk, "/v2", &repository.name);
        asked::there(tags.await, &repository.name, &self.configured)
    }

    async fn digest(&self, repository: &Repository, tag: &str) -> Result<Option<Digest>, Failure> {
        self.desk.about(&repository.name).digest(&repository.name, tag).await
    }

    async fn checks(&self) -> Vec<Check> {
        let mut checks = vec![match asked::knock(&self.desk, "/v2/").await {
            Ok(()) => Check::ok("registry reachable", self.registry.as_str()),
            Err(failure) => return vec![Check::failed("registry reachable", &failure)],
        }];
        checks.extend(asked::checks(self).await);
        checks
    }
}
