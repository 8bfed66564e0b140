//! artifactory: JFrog Artifactory.
//!
//! <https://docs.jfrog.com/administration/docs/event-types>,
//! <https://jfrog.com/help/r/jfrog-rest-apis/list-docker-repositories>

mod directory;
mod inbox;

use image::{Desk, Error};

use crate::contract::{
    Both, Integration, Kind, Repository, Role, Setting, SettingKind, Settings, Ways,
};
use crate::shared::names::{composed, is_key};
use crate::shared::settings;

pub(crate) const KIND: Kind = Kind {
    id: "artifactory",
    also: &["jfrog"],
    title: "JFrog Artifactory",
    role: Role::Registry,
    about: "https://docs.jfrog.com/administration/docs/event-types",
    settings: SETTINGS,
    has_projects: false,
    webhook_secret: Some("webhook-secret"),
    secret_in_address: None,
    templates: &[],
    leftovers: &[],
    connect,
};

const SETTINGS: &[Setting] = &[
    Setting { example: "acme.jfrog.example", ..settings::REGISTRY },
    Setting {
        help: "the address of its REST interface, which ends in /artifactory",
        example: "https://acme.jfrog.example/artifactory",
        ..settings::API
    },
    Setting {
        required: true,
        help: "the keys of its Docker repositories, with commas between them",
        example: "docker-local",
        ..settings::REPOSITORY
    },
    settings::INCLUDE,
    settings::EXCLUDE,
    settings::TAG,
    settings::PORT,
    Setting {
        key: "subdomain-mode",
        label: "Sub-domain mode",
        kind: SettingKind::Switch,
        help: "whether the repository's key is the first part of the host name",
        example: "true",
        ..Setting::NONE
    },
    Setting {
        key: "layout",
        label: "Layout",
        kind: SettingKind::Choice(LAYOUTS),
        help: "where the repository's key stands in names: in the path, in the host, or nowhere, for \
               each has a port of its own",
        example: "repository-path",
        ..Setting::NONE
    },
    Setting {
        key: "template",
        label: "Name template",
        help: "how names of images are made, where no layout says it",
        example: "acme-{repository}.jfrog.example/{image}",
        ..Setting::NONE
    },
    Setting {
        key: "virtual-repository",
        label: "Virtual repository",
        help: "the key to pull through, where events name the local repository behind it",
        example: "docker",
        ..Setting::NONE
    },
    Setting {
        variables: &["FORETOP_ARTIFACTORY_API_USER", "DOCKER_SCOUT_ARTIFACTORY_API_USER"],
        ..settings::USER
    },
    Setting {
        variables: &["FORETOP_ARTIFACTORY_API_PASSWORD", "DOCKER_SCOUT_ARTIFACTORY_API_PASSWORD"],
        ..settings::PASSWORD
    },
    Setting {
        variables: &[
            "FORETOP_ARTIFACTORY_WEBHOOK_SECRET",
            "DOCKER_SCOUT_ARTIFACTORY_WEBHOOK_SECRET",
        ],
        ..settings::WEBHOOK_SECRET
    },
    Setting {
        key: "webhook-mode",
        label: "Webhook proof",
        kind: SettingKind::Choice(&["auto", "secret", "signature"]),
        default: Some("auto"),
        help: "whether it sends the secret itself, or signs with it; auto takes both",
        example: "signature",
        ..Setting::NONE
    },
];

const LAYOUTS: &[&str] = &["repository-path", "subdomain", "port"];

/// How its images are named.
struct Names {
    registry: String,
    /// Keys of the repositories that are watched.
    keys: Vec<String>,
    template: String,
    through: Option<String>,
}

impl Names {
    /// The image at this path of a repository, as it is pulled.
    fn of(&self, key: &str, image: &str) -> Option<Repository> {
        let through = self.through.as_deref().unwrap_or(key);
        let named = composed(&self.template, &self.registry, through, image)?;
        Some(Repository { keys: vec![key.to_owned()], ..named })
    }

    fn watches(&self, key: &str) -> bool {
        self.keys.iter().any(|it| it == key)
    }
}

fn connect(settings: &Settings, ways: &Ways) -> Result<Box<dyn Integration>, Error> {
    let registry = settings.text("registry").unwrap_or_default().to_owned();
    let template = template(settings)?;
    if composed(&template, &registry, "key", "image").is_none() {
        return Err(Error::invalid("template", "it makes no name of an image")
            .with_hint("write it like this: {repository}.registry.example/{image}"));
    }
    let keys = settings.all("repository").to_vec();
    if let Some(key) = keys.iter().find(|key| !is_key(key)) {
        let shown: String = key.chars().take(100).collect();
        return Err(Error::invalid("repository", format!("`{shown}` is no key of a repository")));
    }
    let through = settings.text("virtual-repository").map(str::to_owned);
    if keys.len() > 1 && through.is_none() && !template.contains("{repository}") {
        let why = "images of several keys would have the same names";
        return Err(Error::invalid("repository", why)
            .with_hint("connect each by itself, or name the virtual-repository to pull through"));
    }
    let names = || Names {
        registry: registry.clone(),
        keys: keys.clone(),
        template: template.clone(),
        through: through.clone(),
    };
    let api = settings.text("api").unwrap_or_default();
    let ways = Ways { settings: ways.of(settings), ..ways.clone() };
    let desk = Desk::interface(api, &ways.settings, &ways.progress)?;
    Ok(Box::new(Both {
        directory: directory::Lists { desk, names: names(), ways },
        inbox: inbox::Webhooks {
            names: names(),
            mode: inbox::Mode::of(settings.text("webhook-mode").unwrap_or_default()),
        },
    }))
}

/// How names are made: as the template says, else as the layout does.
fn template(settings: &Settings) -> Result<String, Error> {
    let mode = settings.text("subdomain-mode");
    let layout = match (settings.text("layout"), mode) {
        (Some(layout), Some(mode)) if (layout == "subdomain") != (mode == "true") => {
            let why = format!("it is {layout}, and subdomain-mode is {mode}");
            return Err(Error::invalid("layout", why).with_hint("say one of the two"));
        }
        (Some(layout), _) => layout,
        (None, Some("true")) => "subdomain",
        (None, _) => "repository-path",
    };
    Ok(match (settings.text("template"), layout) {
        (Some(template), _) => template.to_owned(),
        (None, "subdomain") => "{repository}.{registry}/{image}".to_owned(),
        (None, "port") => "{registry}/{image}".to_owned(),
        (None, _) => "{registry}/{repository}/{image}".to_owned(),
    })
}
