//! What Azure says: Event Grid in its own schema and as CloudEvents, and the registry's own webhooks.
//!
//! <https://learn.microsoft.com/azure/event-grid/webhook-event-delivery>,
//! <https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md>,
//! <https://learn.microsoft.com/azure/container-registry/container-registry-webhook-reference>

use http::Method;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::registry_name;
use crate::contract::{Action, Answer, Delivery, Heard, How, Inbox, Secrets, Sender};
use crate::sender::{is_secret, judge};
use crate::shared::said::{self, Claim, shown, text};

const VALIDATION: &str = "Microsoft.EventGrid.SubscriptionValidationEvent";
const DELETION: &str = "Microsoft.EventGrid.SubscriptionDeletedEvent";
const PUSHED: &str = "Microsoft.ContainerRegistry.ImagePushed";
const DELETED: &str = "Microsoft.ContainerRegistry.ImageDeleted";
/// Longer than any code or name is.
const WORD_LIMIT: usize = 512;
/// Bytes of what asks whether we are here.
const LONGEST_HANDSHAKE: usize = 16 << 10;

pub(super) struct Webhooks {
    pub(super) registry: String,
}

impl Inbox for Webhooks {
    fn verify(&self, delivery: &Delivery<'_>, secrets: &Secrets) -> Sender {
        let header = delivery.bytes("x-webhook-secret").or_else(|| {
            let whole = delivery.bytes("authorization")?;
            Some(whole.strip_prefix(b"Bearer ").unwrap_or(whole))
        });
        let code = delivery.query.split('&').find_map(|it| it.strip_prefix("code="));
        let code: Option<Vec<u8>> = code.map(|it| percent_decode_str(it).collect());
        judge(secrets, header.or(code.as_deref()), How::Secret, is_secret)
    }

    fn handshake(&self, delivery: &Delivery<'_>) -> Option<Answer> {
        if *delivery.method == Method::OPTIONS {
            return Some(allow(delivery));
        }
        if *delivery.method != Method::POST {
            return None;
        }
        // Whoever shows nothing has nothing long read.
        if delivery.body.len() > LONGEST_HANDSHAKE {
            return None;
        }
        // It comes alone. Its URL is another way to say yes, which is not needed and not followed.
        let body: Value = serde_json::from_slice(delivery.body).ok()?;
        let event = match &body {
            Value::Array(all) => match &all[..] {
                [event] => event,
                _ => return None,
            },
            event => event,
        };
        let kind = text(event, "eventType").or_else(|| text(event, "type"))?;
        let code = text(event.get("data")?, "validationCode")?;
        (kind == VALIDATION && code.len() <= WORD_LIMIT).then(|| Answer {
            status: 200,
            headers: vec![("content-type", "application/json".to_owned())],
            body: json!({"validationResponse": code}).to_string(),
        })
    }

    fn read(&self, delivery: &Delivery<'_>) -> Heard {
        let mut heard = Heard::default();
        let Some(body) = said::json(delivery.body, &mut heard) else { return heard };
        match &body {
            Value::Array(all) => all.iter().enumerate().for_each(|(position, it)| {
                self.one(&format!("[{position}]"), it, &mut heard);
            }),
            one => self.one("body", one, &mut heard),
        }
        heard
    }
}

/// The consent that CloudEvents ask for, to whoever asks: it is the address that is secret.
fn allow(delivery: &Delivery<'_>) -> Answer {
    let mut headers = vec![("allow", "POST, OPTIONS".to_owned())];
    let origin = delivery.text("webhook-request-origin").filter(|it| it.len() <= WORD_LIMIT);
    if let Some(origin) = origin {
        headers.push(("webhook-allowed-origin", origin.to_owned()));
        let rate = delivery.text("webhook-request-rate").and_then(|it| it.parse::<u32>().ok());
        headers.push(("webhook-allowed-rate", rate.map_or("*".to_owned(), |it| it.to_string())));
    }
    Answer { status: 200, headers, body: String::new() }
}

impl Webhooks {
    fn one(&self, at: &str, event: &Value, heard: &mut Heard) {
        // The registry's own webhooks send what the others wrap.
        let envelope = text(event, "eventType").or_else(|| text(event, "type"));
        let Some(kind) = envelope else {
            return self.image(at, None, event, event, heard);
        };
        let action = match kind {
            PUSHED => Action::Pushed,
            DELETED => Action::Deleted,
            VALIDATION | DELETION => return heard.ignore(kind),
            other if other.starts_with("Microsoft.ContainerRegistry.Chart") => {
                return heard.ignore(shown(other));
            }
            other => return heard.gap(at, format!("nobody knows what `{}` is", shown(other))),
        };
        let Some(data) = event.get("data").filter(|it| it.is_object()) else {
            return heard.gap(at, "it does not say to what it happened");
        };
        self.image(at, Some(action), event, data, heard);
    }

    fn image(
        &self,
        at: &str,
        action: Option<Action>,
        envelope: &Value,
        data: &Value,
        heard: &mut Heard,
    ) {
        let action = match (action, text(data, "action")) {
            (Some(action), _) => action,
            (None, Some("push")) => Action::Pushed,
            (None, Some("delete")) => Action::Deleted,
            (None, Some(other @ ("ping" | "quarantine" | "chart_push" | "chart_delete"))) => {
                return heard.ignore(other);
            }
            (None, Some(other)) => {
                return heard.gap(at, format!("nobody knows what `{}` is", shown(other)));
            }
            (None, None) => return heard.gap(at, "it does not say what happened"),
        };
        let Some(target) = data.get("target") else {
            return heard.gap(at, "it does not say to what it happened");
        };
        if !self.is_ours(envelope, data) {
            return heard.gap(at, format!("it is about another registry than {}", self.registry));
        }
        let Some(repository) = text(target, "repository") else {
            return heard.gap(at, "it does not say in which repository");
        };
        // What wraps it is what is repeated; what is wrapped has an id of its own.
        let source =
            text(envelope, "source").or_else(|| text(envelope, "topic")).unwrap_or_default();
        let id = text(envelope, "id").map(|it| format!("{source}#{it}"));
        let time = ["eventTime", "time", "timestamp"].iter().find_map(|it| text(envelope, it));
        let claim = Claim {
            at,
            tag: text(target, "tag"),
            digest: text(target, "digest"),
            media_type: text(target, "mediaType"),
            time: time.or_else(|| text(data, "timestamp")),
            id: id.as_deref(),
        };
        if let Some(notice) = claim.notice(action, &self.registry, repository, heard) {
            heard.notice(notice);
        }
    }

    /// Is it about our registry, as far as it says? By its name in Azure, or by its host.
    fn is_ours(&self, envelope: &Value, data: &Value) -> bool {
        // Names are Azure's own, and unique there.
        let ours = registry_name(&self.registry);
        let is_azures = self.registry.contains(".azurecr.");
        let resource = text(envelope, "topic").or_else(|| text(envelope, "source"));
        let named = resource.filter(|_| is_azures).and_then(|it| {
            let lower = it.to_ascii_lowercase();
            let (_, name) = lower.rsplit_once("/registries/")?;
            Some(name == ours)
        });
        let host = data.get("request").and_then(|it| text(it, "host"));
        let hosted = host.map(|it| it.eq_ignore_ascii_case(&self.registry));
        // One that says neither is not about another.
        match (named, hosted) {
            (None, None) => true,
            (named, hosted) => named == Some(true) || hosted == Some(true),
        }
    }
}
