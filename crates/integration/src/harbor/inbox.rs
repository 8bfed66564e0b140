//! What Harbor's webhooks say: in its own format, or as CloudEvents.

use serde_json::Value;

use crate::contract::{Action, Delivery, Heard, How, Inbox, Secrets, Sender};
use crate::sender::{is_secret, judge};
use crate::shared::names;
use crate::shared::said::{Claim, json, shown, text};

pub(super) struct Webhooks {
    pub(super) registry: String,
}

impl Inbox for Webhooks {
    fn verify(&self, delivery: &Delivery<'_>, secrets: &Secrets) -> Sender {
        judge(secrets, delivery.bytes("authorization"), How::Secret, is_secret)
    }

    fn read(&self, delivery: &Delivery<'_>) -> Heard {
        let mut heard = Heard::default();
        let Some(body) = json(delivery.body, &mut heard) else { return heard };
        // Both may come in a list, where somebody gathers them.
        match &body {
            Value::Array(all) => all.iter().enumerate().for_each(|(position, it)| {
                self.one(&format!("[{position}]"), it, &mut heard);
            }),
            one => self.one("body", one, &mut heard),
        }
        heard
    }
}

impl Webhooks {
    fn one(&self, at: &str, body: &Value, heard: &mut Heard) {
        let Some(kind) = text(body, "type") else {
            return heard.gap(at, "it does not say what happened");
        };
        let action = match kind {
            "PUSH_ARTIFACT" | "harbor.artifact.pushed" => Action::Pushed,
            "DELETE_ARTIFACT" | "harbor.artifact.deleted" => Action::Deleted,
            other => return heard.ignore(shown(other)),
        };
        let is_cloud_event = body.get("specversion").is_some();
        let data = body.get(if is_cloud_event { "data" } else { "event_data" });
        let Some(data) = data else {
            return heard.gap(at, "it does not say to what it happened");
        };
        let repository = data.get("repository").unwrap_or(&Value::Null);
        let joined =
            || Some(format!("{}/{}", text(repository, "namespace")?, text(repository, "name")?));
        let name = text(repository, "repo_full_name").map(str::to_owned).or_else(joined);
        let Some(name) = name else {
            return heard.gap(at, "it does not say in which repository");
        };
        let Some(resources) = data.get("resources").and_then(Value::as_array) else {
            return heard.gap(at, "there is no list of what it happened to");
        };
        // In seconds in its own format, as a text in the other.
        let occurred = body.get("occur_at").and_then(Value::as_i64).and_then(names::seconds);
        let time = text(body, "time").map(str::to_owned).or(occurred.map(|it| it.to_string()));
        // An event may be about several, and each is one of ours.
        let source = text(body, "source").unwrap_or_default();
        let id = text(body, "id").filter(|_| is_cloud_event);
        for (position, resource) in resources.iter().enumerate() {
            let id = id.map(|it| match position {
                0 => format!("{source}#{it}"),
                other => format!("{source}#{it}/{other}"),
            });
            let claim = Claim {
                at,
                tag: text(resource, "tag"),
                digest: text(resource, "digest"),
                media_type: None,
                time: time.as_deref(),
                id: id.as_deref(),
            };
            if let Some(notice) = claim.notice(action, &self.registry, &name, heard) {
                heard.notice(notice);
            }
        }
    }
}
