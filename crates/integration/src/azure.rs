//! azure: Azure Container Registry.
//!
//! <https://learn.microsoft.com/azure/event-grid/event-schema-container-registry>,
//! <https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md>

mod directory;
mod inbox;
mod template;

use image::Error;

use crate::contract::{Both, Integration, Kind, Leftover, Role, Setting, Settings, Ways};
use crate::oci;
use crate::shared::settings;

pub(crate) const KIND: Kind = Kind {
    id: "azure",
    also: &["acr"],
    title: "Azure Container Registry",
    role: Role::Registry,
    about: "https://learn.microsoft.com/azure/event-grid/event-schema-container-registry",
    settings: SETTINGS,
    has_projects: false,
    webhook_secret: Some("webhook-secret"),
    secret_in_address: Some("code"),
    templates: template::ALL,
    leftovers: &[
        Leftover { what: "container registry token", name: template::TOKEN },
        Leftover { what: "Event Grid system topic", name: template::TOPIC },
    ],
    connect,
};

const SETTINGS: &[Setting] = &[
    Setting {
        also: &["hostname"],
        help: "the registry's login server",
        example: "acme.azurecr.io",
        ..settings::REGISTRY
    },
    Setting {
        help: "the repositories to watch, where the token may not list them",
        ..settings::REPOSITORY
    },
    settings::INCLUDE,
    settings::EXCLUDE,
    settings::TAG,
    settings::PORT,
    Setting {
        default: Some(template::TOKEN),
        help: "the name of the token that the template makes",
        example: template::TOKEN,
        variables: &["FORETOP_AZURE_USER"],
        ..settings::USER
    },
    Setting {
        also: &["token"],
        label: "Registry token",
        help: "a password that was generated for the token",
        variables: &["FORETOP_AZURE_TOKEN"],
        ..settings::PASSWORD
    },
    Setting {
        help: "what its webhooks bring, as the header Authorization or X-Webhook-Secret, or as code in \
               the query; without it their address is the only proof",
        variables: &["FORETOP_AZURE_WEBHOOK_SECRET"],
        ..settings::WEBHOOK_SECRET
    },
];

fn connect(settings: &Settings, ways: &Ways) -> Result<Box<dyn Integration>, Error> {
    let lists = oci::Lists::named(settings, ways)?;
    let inbox = inbox::Webhooks { registry: lists.registry.clone() };
    Ok(Box::new(Both { directory: directory::Lists { lists }, inbox }))
}

/// The registry's own name: `acme` of `acme.azurecr.io`, as the template's wizard shows it.
pub(crate) fn registry_name(host: &str) -> &str {
    host.split(['.', ':']).next().unwrap_or_default()
}
