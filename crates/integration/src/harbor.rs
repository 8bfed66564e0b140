//! harbor: Harbor.
//!
//! <https://goharbor.io/docs/main/working-with-projects/project-configuration/configure-webhooks/>

mod directory;
mod inbox;

use image::{Desk, Error};

use crate::contract::{Both, Integration, Kind, Role, Setting, Settings, Ways};
use crate::oci;
use crate::shared::settings;

pub(crate) const KIND: Kind = Kind {
    id: "harbor",
    also: &[],
    title: "Harbor",
    role: Role::Registry,
    about: "https://goharbor.io/docs/main/working-with-projects/project-configuration/configure-webhooks/",
    settings: SETTINGS,
    has_projects: true,
    webhook_secret: Some("webhook-auth"),
    secret_in_address: None,
    templates: &[],
    leftovers: &[],
    connect,
};

const SETTINGS: &[Setting] = &[
    Setting { example: "harbor.example", ..settings::REGISTRY },
    Setting {
        help: "the address of Harbor, below which its interface is at /api/v2.0",
        example: "https://harbor.example",
        ..settings::API
    },
    Setting {
        help: "projects (team) or repositories (team/app), with commas between them; without any, all \
               that the user may see",
        example: "team,library/app",
        ..settings::REPOSITORY
    },
    settings::INCLUDE,
    settings::EXCLUDE,
    settings::TAG,
    settings::PORT,
    Setting {
        help: "a user or robot account (robot$team+foretop) that may read, and nothing else",
        example: "robot$foretop",
        variables: &["FORETOP_HARBOR_API_USER", "DOCKER_SCOUT_HARBOR_API_USER"],
        ..settings::USER
    },
    Setting {
        variables: &["FORETOP_HARBOR_API_PASSWORD", "DOCKER_SCOUT_HARBOR_API_PASSWORD"],
        ..settings::PASSWORD
    },
    Setting {
        key: "webhook-auth",
        label: "Webhook authorization",
        help: "the whole authorization header of its webhooks, which it sends as it is",
        example: "token 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        variables: &["FORETOP_HARBOR_WEBHOOK_AUTH", "DOCKER_SCOUT_HARBOR_WEBHOOK_AUTH"],
        ..settings::WEBHOOK_SECRET
    },
];

fn connect(settings: &Settings, ways: &Ways) -> Result<Box<dyn Integration>, Error> {
    let pulled = oci::Lists::new(settings, ways)?;
    let api = settings.text("api").unwrap_or_default();
    // People paste the one address or the other.
    let api = api.strip_suffix("/api/v2.0").unwrap_or(api);
    let desk = Desk::interface(api, &ways.of(settings), &ways.progress)?;
    let (repositories, projects) =
        settings.all("repository").iter().cloned().partition(|it: &String| it.contains('/'));
    let inbox = inbox::Webhooks { registry: pulled.registry.clone() };
    Ok(Box::new(Both {
        directory: directory::Lists { desk, pulled, projects, repositories },
        inbox,
    }))
}
