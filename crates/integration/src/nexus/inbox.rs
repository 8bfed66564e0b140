//! What Nexus' webhooks say about components and their assets.
//!
//! <https://help.sonatype.com/en/example-headers-and-payloads.html>

use std::time::Duration;

use serde_json::Value;

use crate::contract::{Action, Delivery, Heard, How, Inbox, Secrets, Sender};
use crate::sender::{is_sha1, judge};
use crate::shared::names::composed;
use crate::shared::said::{Claim, json, shown, text};

/// A body says when it was made, and that is signed. Nobody keeps one for longer than this.
const WINDOW: Duration = Duration::from_hours(24);

pub(super) struct Webhooks {
    pub(super) registry: String,
    pub(super) template: String,
    pub(super) keys: Vec<String>,
}

impl Inbox for Webhooks {
    fn window(&self) -> Option<Duration> {
        Some(WINDOW)
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &Secrets) -> Sender {
        let shown = delivery.bytes("x-nexus-webhook-signature");
        // The signature is said to be over the JSON without white space, however it is sent.
        let compact = without_space(delivery.body);
        judge(secrets, shown, How::Signature, |secret, shown| {
            let (sent, bare) =
                (is_sha1(secret, delivery.body, shown), is_sha1(secret, &compact, shown));
            sent || bare
        })
    }

    fn read(&self, delivery: &Delivery<'_>) -> Heard {
        let mut heard = Heard::default();
        let Some(body) = json(delivery.body, &mut heard) else { return heard };
        let (component, asset) = (body.get("component"), body.get("asset"));
        let Some(about) = component.or(asset) else {
            let kind = delivery.text("x-nexus-webhook-id").unwrap_or("neither component nor asset");
            heard.ignore(shown(kind));
            return heard;
        };
        match text(about, "format") {
            Some("docker") => {}
            other => {
                heard.ignore(format!("format {}", shown(other.unwrap_or("unknown"))));
                return heard;
            }
        }
        let action = match text(&body, "action") {
            Some("CREATED") => Action::Pushed,
            Some("UPDATED") => Action::Retagged,
            Some("DELETED" | "PURGED") => Action::Deleted,
            Some(other) => {
                heard.ignore(shown(other));
                return heard;
            }
            None => {
                heard.gap("action", "it does not say what happened");
                return heard;
            }
        };
        let named = match (component, asset) {
            (Some(component), _) => text(component, "name").zip(text(component, "version")),
            (None, Some(asset)) => match text(asset, "name").map(|it| (it, manifest(it))) {
                Some((_, Some(named))) => Some(named),
                Some(_) => {
                    heard.ignore("an asset that is no manifest");
                    return heard;
                }
                None => None,
            },
            (None, None) => None,
        };
        let Some((image, version)) = named else {
            heard.gap("body", "it does not say which image");
            return heard;
        };
        self.event(action, &body, image, version, &mut heard);
        heard
    }
}

impl Webhooks {
    fn event(&self, action: Action, body: &Value, image: &str, version: &str, heard: &mut Heard) {
        let key = text(body, "repositoryName").unwrap_or_default();
        if !self.keys.is_empty() && !self.keys.iter().any(|it| it == key) {
            return heard.ignore(format!("the repository {} is not watched", shown(key)));
        }
        let Some(repository) = composed(&self.template, &self.registry, key, image) else {
            return heard.gap("name", format!("`{}` is no repository", shown(image)));
        };
        // Its id for a delivery is in a header, which is not signed.
        let claim = Claim {
            at: "body",
            tag: Some(version),
            digest: None,
            media_type: None,
            time: text(body, "timestamp"),
            id: None,
        };
        if let Some(notice) = claim.notice(action, &repository.registry, &repository.name, heard) {
            heard.notice(notice);
        }
    }
}

/// The image and version of a manifest: `v2/team/app/manifests/1.0`.
fn manifest(path: &str) -> Option<(&str, &str)> {
    path.trim_start_matches('/').strip_prefix("v2/")?.rsplit_once("/manifests/")
}

/// JSON without white space between its words.
fn without_space(body: &[u8]) -> Vec<u8> {
    let (mut quoted, mut escaped) = (false, false);
    body.iter()
        .copied()
        .filter(|byte| {
            let keep = quoted || !byte.is_ascii_whitespace();
            match byte {
                b'"' if !escaped => quoted = !quoted,
                _ => {}
            }
            escaped = quoted && *byte == b'\\' && !escaped;
            keep
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_between_words_goes() {
        let check = |text: &str, expect: &str| {
            assert_eq!(String::from_utf8(without_space(text.as_bytes())).unwrap(), expect);
        };
        check("{ \"a b\" :\n\t[ 1, 2 ] }", "{\"a b\":[1,2]}");
        check(r#"{"a\" b" : "c\\" , "d" : 1}"#, r#"{"a\" b":"c\\","d":1}"#);
        check("\" open ", "\" open ");
    }
}
