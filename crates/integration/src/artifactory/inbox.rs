//! What Artifactory's webhooks say: wrapped as they are now, or flat as they were.

use serde_json::Value;

use super::Names;
use crate::contract::{Action, Delivery, Heard, How, Inbox, Refusal, Secrets, Sender};
use crate::sender::{is_secret, is_sha256, judge};
use crate::shared::said::{Claim, json, shown, text};

const HEADER: &str = "x-jfrog-event-auth";
/// What a manifest is called in a repository. A push tells of every layer, too.
const MANIFESTS: [&str; 2] = ["manifest.json", "list.manifest.json"];

/// How a webhook was told to prove itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Auto,
    Secret,
    Signature,
}

impl Mode {
    pub(super) fn of(text: &str) -> Self {
        match text {
            "secret" => Self::Secret,
            "signature" => Self::Signature,
            _ => Self::Auto,
        }
    }
}

pub(super) struct Webhooks {
    pub(super) names: Names,
    pub(super) mode: Mode,
}

impl Inbox for Webhooks {
    fn verify(&self, delivery: &Delivery<'_>, secrets: &Secrets) -> Sender {
        let shown = delivery.bytes(HEADER);
        let signed = || {
            judge(secrets, shown, How::Signature, |it, shown| is_sha256(it, delivery.body, shown))
        };
        let told = || judge(secrets, shown, How::Secret, is_secret);
        match self.mode {
            Mode::Signature => signed(),
            Mode::Secret => told(),
            Mode::Auto => match (signed(), told()) {
                (Sender::Refused(Refusal::Wrong), told) => told,
                (signed, _) => signed,
            },
        }
    }

    fn read(&self, delivery: &Delivery<'_>) -> Heard {
        let mut heard = Heard::default();
        let Some(body) = json(delivery.body, &mut heard) else { return heard };
        // The older shape has what is in `data` at the top.
        let data = body.get("data").unwrap_or(&body);
        let kind = text(&body, "event_type").or_else(|| text(data, "event_type"));
        let Some(kind) = kind else {
            heard.gap("event_type", "it does not say what happened");
            return heard;
        };
        // The older shape does not name its domain: only images have these.
        let is_image = data.get("image_name").is_some() || data.get("tag").is_some();
        let domain = text(&body, "domain").unwrap_or(if is_image { "docker" } else { "artifact" });
        match (domain, kind) {
            ("docker", "pushed" | "promoted") => self.image(Action::Pushed, data, &mut heard),
            ("docker", "deleted") => self.image(Action::Deleted, data, &mut heard),
            ("artifact", "deployed" | "cached") => {
                self.file(Action::Pushed, data, "path", &mut heard);
            }
            ("artifact", "deleted") => self.file(Action::Deleted, data, "path", &mut heard),
            ("artifact", "copied") => {
                self.file(Action::Pushed, data, "target_repo_path", &mut heard);
            }
            ("artifact", "moved") => {
                self.file(Action::Deleted, data, "source_repo_path", &mut heard);
                self.file(Action::Pushed, data, "target_repo_path", &mut heard);
            }
            _ => heard.ignore(format!("{} {}", shown(domain), shown(kind))),
        }
        heard
    }
}

impl Webhooks {
    /// An event about an image.
    fn image(&self, action: Action, data: &Value, heard: &mut Heard) {
        let (Some(key), Some(path)) = (text(data, "repo_key"), text(data, "path")) else {
            heard.gap("data", "it does not say which repository and path");
            return;
        };
        self.event(action, key, path, data, text(data, "tag"), heard);
    }

    /// An event about a file, of which only manifests are images.
    fn file(&self, action: Action, data: &Value, place: &str, heard: &mut Heard) {
        let Some(path) = text(data, place) else {
            heard.gap(format!("data.{place}"), "it does not say which file");
            return;
        };
        // Where something was copied or moved, the repository is a part of the path.
        let (key, path) = match place {
            "path" => (text(data, "repo_key").unwrap_or_default(), path),
            _ => path.trim_start_matches('/').split_once('/').unwrap_or((path, "")),
        };
        let name = path.rsplit('/').next().unwrap_or_default();
        if MANIFESTS.contains(&name) {
            self.event(action, key, path, data, None, heard);
        } else {
            heard.ignore(format!("a file that is no manifest: {}", shown(name)));
        }
    }

    fn event(
        &self,
        action: Action,
        key: &str,
        path: &str,
        data: &Value,
        tag: Option<&str>,
        heard: &mut Heard,
    ) {
        // What a remote repository has by now lies in another beside it, and is pulled from itself.
        let keys = [Some(key), key.strip_suffix("-cache")];
        let Some(key) = keys.into_iter().flatten().find(|it| self.names.watches(it)) else {
            // The test button speaks of a repository that is not there.
            heard.ignore(format!("the repository {} is not watched", shown(key)));
            return;
        };
        // `image_name` is but the last word of it in some versions.
        let mut parts = path.trim_start_matches('/').rsplitn(3, '/');
        let (Some(_manifest), Some(version), Some(image)) =
            (parts.next(), parts.next(), parts.next())
        else {
            heard.gap("data.path", format!("`{}` is no path of a manifest", shown(path)));
            return;
        };
        let Some(repository) = self.names.of(key, image) else {
            heard.gap("data.path", format!("`{}` is no repository", shown(image)));
            return;
        };
        let claim = Claim {
            at: "data",
            tag: tag.or(Some(version)),
            digest: text(data, "sha256"),
            media_type: None,
            time: None,
            id: None,
        };
        let notice = claim.notice(action, &repository.registry, &repository.name, heard);
        if let Some(notice) = notice {
            heard.notice(notice);
        }
    }
}
