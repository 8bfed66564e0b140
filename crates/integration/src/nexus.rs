//! nexus: Sonatype Nexus Repository.
//!
//! <https://help.sonatype.com/en/webhooks.html>

mod directory;
mod inbox;

use image::{Desk, Error};

use crate::contract::{Both, Integration, Kind, Role, Setting, Settings, Ways};
use crate::oci;
use crate::shared::names::composed;
use crate::shared::settings;

pub(crate) const KIND: Kind = Kind {
    id: "nexus",
    also: &["sonatype"],
    title: "Sonatype Nexus Repository",
    role: Role::Registry,
    about: "https://help.sonatype.com/en/webhooks.html",
    settings: SETTINGS,
    has_projects: false,
    webhook_secret: Some("webhook-secret"),
    secret_in_address: None,
    templates: &[],
    leftovers: &[],
    connect,
};

const SETTINGS: &[Setting] = &[
    Setting {
        help: "the host that images are pulled from, with the port of the repository's connector",
        example: "nexus.example:8082",
        ..settings::REGISTRY
    },
    Setting {
        help: "the address of Nexus itself",
        example: "https://nexus.example",
        ..settings::API
    },
    Setting {
        help: "the names of its Docker repositories, with commas between them; without any, all",
        example: "docker-hosted",
        ..settings::REPOSITORY
    },
    settings::INCLUDE,
    settings::EXCLUDE,
    settings::TAG,
    settings::PORT,
    Setting {
        key: "template",
        label: "Name template",
        default: Some("{registry}/{image}"),
        help: "how names of images are made: {registry}/{repository}/{image} where the repository is a \
               part of the path",
        example: "{registry}/{repository}/{image}",
        ..Setting::NONE
    },
    Setting {
        variables: &["FORETOP_NEXUS_API_USER", "DOCKER_SCOUT_NEXUS_API_USER"],
        ..settings::USER
    },
    Setting {
        variables: &["FORETOP_NEXUS_API_PASSWORD", "DOCKER_SCOUT_NEXUS_API_PASSWORD"],
        ..settings::PASSWORD
    },
    Setting {
        variables: &["FORETOP_NEXUS_WEBHOOK_SECRET", "DOCKER_SCOUT_NEXUS_WEBHOOK_SECRET"],
        ..settings::WEBHOOK_SECRET
    },
];

fn connect(settings: &Settings, ways: &Ways) -> Result<Box<dyn Integration>, Error> {
    let pulled = oci::Lists::new(settings, ways)?;
    let template = settings.text("template").unwrap_or("{registry}/{image}").to_owned();
    if composed(&template, &pulled.registry, "key", "image").is_none() {
        return Err(Error::invalid("template", "it makes no name of an image")
            .with_hint("write it like this: {registry}/{repository}/{image}"));
    }
    let keys = settings.all("repository").to_vec();
    let api = settings.text("api").unwrap_or_default();
    let desk = Desk::interface(api, &ways.of(settings), &ways.progress)?;
    let inbox = inbox::Webhooks {
        registry: pulled.registry.clone(),
        template: template.clone(),
        keys: keys.clone(),
    };
    let directory = directory::Lists { desk, pulled, template, keys };
    Ok(Box::new(Both { directory, inbox }))
}
