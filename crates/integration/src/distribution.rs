//! distribution: the registry of the distribution project, which tells what happens in it.
//!
//! <https://distribution.github.io/distribution/about/notifications/>

use image::Error;
use serde_json::Value;

use crate::contract::{
    Action, Both, Delivery, Heard, How, Inbox, Integration, Kind, Role, Secrets, Sender, Setting,
    Settings, Ways,
};
use crate::oci::Lists;
use crate::sender::{is_secret, judge};
use crate::shared::said::{Claim, json, shown, text};
use crate::shared::settings;

pub(crate) const KIND: Kind = Kind {
    id: "distribution",
    also: &["docker-registry"],
    title: "Distribution registry",
    role: Role::Registry,
    about: "https://distribution.github.io/distribution/about/notifications/",
    settings: &[
        settings::REGISTRY,
        settings::REPOSITORY,
        settings::INCLUDE,
        settings::EXCLUDE,
        settings::TAG,
        settings::PORT,
        Setting {
            variables: &["FORETOP_REGISTRY_USER", "DOCKER_SCOUT_REGISTRY_USER"],
            ..settings::USER
        },
        Setting {
            variables: &["FORETOP_REGISTRY_PASSWORD", "DOCKER_SCOUT_REGISTRY_PASSWORD"],
            ..settings::PASSWORD
        },
        Setting {
            key: "webhook-auth",
            label: "Webhook authorization",
            help: "the whole Authorization header of its notifications, which it sends as it is",
            example: "Bearer 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            variables: &["FORETOP_REGISTRY_WEBHOOK_AUTH"],
            ..settings::WEBHOOK_SECRET
        },
    ],
    has_projects: false,
    webhook_secret: Some("webhook-auth"),
    secret_in_address: None,
    templates: &[],
    leftovers: &[],
    connect,
};

/// Media types of manifests; notifications tell of every blob, too.
const MANIFESTS: [&str; 6] = [
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
];

/// Types of body: that of registry 2, that of registry 3, and what proxies make of them.
const BODIES: [&str; 4] = [
    "application/vnd.docker.distribution.events.v1+json",
    "application/vnd.docker.distribution.events.v2+json",
    "application/json",
    "",
];

fn connect(settings: &Settings, ways: &Ways) -> Result<Box<dyn Integration>, Error> {
    let directory = Lists::named(settings, ways)?;
    let inbox = Webhooks { registry: directory.registry.clone() };
    Ok(Box::new(Both { directory, inbox }))
}

struct Webhooks {
    registry: String,
}

impl Inbox for Webhooks {
    fn limit(&self) -> usize {
        4 << 20
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &Secrets) -> Sender {
        judge(secrets, delivery.bytes("authorization"), How::Secret, is_secret)
    }

    fn read(&self, delivery: &Delivery<'_>) -> Heard {
        let mut heard = Heard::default();
        let kind = delivery.content_type();
        if !BODIES.contains(&kind.as_str()) {
            heard
                .gap("content-type", format!("`{}` is no notification that we know", shown(&kind)));
            return heard;
        }
        let Some(body) = json(delivery.body, &mut heard) else { return heard };
        let Some(events) = body.get("events").and_then(Value::as_array) else {
            heard.gap("events", "there is no list of events");
            return heard;
        };
        for (position, event) in events.iter().enumerate() {
            self.one(&format!("events[{position}]"), event, &mut heard);
        }
        heard
    }
}

impl Webhooks {
    fn one(&self, at: &str, event: &Value, heard: &mut Heard) {
        let action = match text(event, "action") {
            Some("push") => Action::Pushed,
            Some("delete") => Action::Deleted,
            Some(other @ ("pull" | "mount")) => return heard.ignore(other),
            Some(other) => {
                return heard.gap(at, format!("nobody knows what `{}` is", shown(other)));
            }
            None => return heard.gap(at, "it does not say what happened"),
        };
        let Some(target) = event.get("target") else {
            return heard.gap(at, "it does not say to what it happened");
        };
        // What is deleted has no type any more.
        let media_type = text(target, "mediaType");
        if action == Action::Pushed && media_type.is_some_and(|it| !MANIFESTS.contains(&it)) {
            return heard.ignore("a blob");
        }
        let Some(repository) = text(target, "repository") else {
            return heard.gap(at, "it does not say in which repository");
        };
        let claim = Claim {
            at,
            tag: text(target, "tag"),
            digest: text(target, "digest"),
            media_type,
            time: text(event, "timestamp"),
            id: text(event, "id"),
        };
        if let Some(notice) = claim.notice(action, &self.registry, repository, heard) {
            heard.notice(notice);
        }
    }
}
