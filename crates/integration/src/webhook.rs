//! webhook: anybody who takes JSON, signed as Standard Webhooks says.
//!
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

mod headers;
mod signature;

use std::time::SystemTime;

use async_trait::async_trait;
use http::{HeaderMap, HeaderValue, header};
use image::Error;
use serde_json::{Value as Json, json};

use crate::contract::{
    Check, Kind, Message, Notifier, Notifies, Remedy, Role, Setting, SettingKind, Settings, Untold,
    Ways,
};
use crate::shared::fit::{self, bare};
use crate::shared::receiver::Receiver;
use crate::shared::settings;
use crate::shared::template::{Dress, Template};
use signature::Signer;

pub(crate) const KIND: Kind = Kind {
    id: "webhook",
    also: &["webhooks", "standard-webhooks"],
    title: "Webhook",
    role: Role::Notifier,
    about: "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
    settings: &[
        settings::URL,
        Setting {
            key: "secret",
            label: "Signing secret",
            kind: SettingKind::Secret,
            help: "what messages are signed with: whsec_ and 24 to 64 bytes by chance in Base64",
            example: "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
            ..Setting::NONE
        },
        Setting {
            key: "headers",
            also: &["header"],
            label: "Headers",
            kind: SettingKind::Headers,
            help: "headers to send along, one a line",
            example: "Authorization: Bearer 0123456789abcdef",
            ..Setting::NONE
        },
        settings::TEMPLATE,
        Setting {
            key: "body",
            label: "Body",
            kind: SettingKind::Template,
            help: "a template of the whole body, for who wants another than ours",
            example: "{\"text\": {{ plain }}}",
            ..Setting::NONE
        },
        Setting {
            key: "token",
            label: "Token",
            kind: SettingKind::Secret,
            help: "a secret that the body's template puts where the receiver wants it",
            example: "0123456789abcdef0123456789abcdef",
            ..Setting::NONE
        },
        Setting {
            key: "body-type",
            label: "Type of the body",
            kind: SettingKind::Choice(&["json", "text"]),
            default: Some("json"),
            help: "what the body's template makes",
            example: "text",
            ..Setting::NONE
        },
    ],
    has_projects: false,
    webhook_secret: None,
    secret_in_address: None,
    templates: &[],
    leftovers: &[],
    connect: |settings, ways| Ok(Box::new(Notifies(connected(settings, ways)?))),
};

/// Bytes that a body has at most: receivers are told to expect no more than 20 kB.
const BODY: usize = 20_000;

struct Webhook {
    receiver: Receiver,
    signer: Option<Signer>,
    headers: HeaderMap,
    text: Option<Template>,
    body: Option<Template>,
}

fn connected(settings: &Settings, ways: &Ways) -> Result<Webhook, Error> {
    let receiver = Receiver::new(settings, ways, &["secret", "headers", "token"])?;
    let is_json = settings.text("body-type") != Some("text");
    let dress = if is_json { Dress::Json } else { Dress::Text(bare) };
    let token = settings.secret("token").cloned();
    let body =
        settings.text("body").map(|it| Template::new("body", it, dress, token)).transpose()?;
    let mut headers = headers::read(settings.secret("headers"))?;
    if !is_json && body.is_some() {
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        headers.entry(header::CONTENT_TYPE).or_insert(text);
    }
    Ok(Webhook {
        receiver,
        signer: settings.secret("secret").map(Signer::new).transpose()?,
        headers,
        text: Template::of(settings, Dress::Text(bare))?,
        body,
    })
}

#[async_trait]
impl Notifier for Webhook {
    fn receiver(&self) -> &str {
        self.receiver.host()
    }

    async fn say(&self, message: &Message, key: &str) -> Result<String, Untold> {
        let (text, text_fault) = match self.text.as_ref().map(|it| it.fill(message)) {
            None => (None, None),
            Some(Ok(text)) => (Some(text), None),
            Some(Err(fault)) => (None, Some(fault)),
        };
        let (body, fault) = match self.body.as_ref().map(|it| it.fill(message)) {
            None => (envelope(message, text.as_deref(), text_fault.as_deref()), None),
            Some(Ok(body)) => (body, None),
            Some(Err(fault)) => (envelope(message, text.as_deref(), Some(&fault)), Some(fault)),
        };
        let mut headers = self.headers.clone();
        if fault.is_some() {
            // What is sent instead is ours.
            headers.remove(header::CONTENT_TYPE);
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        signature::head(
            &mut headers,
            self.signer.as_ref(),
            key,
            now.map_or(0, |it| it.as_secs()),
            &body,
        );
        let posted = self.receiver.post(headers, body).await?;
        if (200..300).contains(&posted.status) {
            return Ok(self.receiver.took(&posted));
        }
        let untold = self.receiver.refused(&posted);
        Err(match fault {
            // It wanted what its template makes, and would have taken that.
            Some(fault) if untold.remedy == Remedy::Drop => {
                Untold::new(format!("{}; {fault}", untold.why), Remedy::Close)
                    .with_hint("mend the body's template")
            }
            _ => untold,
        })
    }

    async fn checks(&self) -> Vec<Check> {
        const SIGNED: &str = "messages are signed";
        let mut checks = vec![self.receiver.check().await];
        checks.push(match &self.signer {
            Some(signer) if signer.is_short() => {
                let why = format!("the secret has only {} bytes", signer.length());
                Check::warned(SIGNED, why, "set a secret of 24 to 64 bytes by chance")
            }
            Some(_) => Check::ok(SIGNED, "with the secret"),
            None => {
                let why = "no secret is set, so whoever knows the address can say what we would";
                Check::warned(SIGNED, why, "set a secret of 24 to 64 bytes by chance: whsec_…")
            }
        });
        checks
    }
}

/// The body that we send by ourselves: `type`, `timestamp` and `data`, and the same as `text`, which is
/// all that many receivers want.
fn envelope(message: &Message, text: Option<&str>, fault: Option<&str>) -> String {
    let whole = |data: Json, left_out: bool, plain: String| {
        let mut body = json!({
            "type": fit::line(&message.kind, 100, bare),
            "timestamp": fit::line(&message.at, 100, bare),
            "text": plain,
            "data": data,
        });
        if let Some(all) = body.as_object_mut() {
            if left_out {
                all.insert("shortened".to_owned(), true.into());
            }
            if let Some(fault) = fault {
                all.insert("fault".to_owned(), fault.into());
            }
        }
        body.to_string()
    };
    let plain = |room| text.map_or_else(|| fit::plain(message, room), str::to_owned);
    // To make a copy of what is huge would be for nothing.
    let lines = message.facts.iter().flat_map(|it| &it.lines).map(String::len).sum::<usize>();
    if lines < BODY {
        let data = serde_json::to_value(message).unwrap_or_default();
        let body = whole(data, false, plain(&fit::ROOMS[0]));
        if body.len() <= BODY {
            return body;
        }
    }
    let mut body = String::new();
    for room in &fit::ROOMS {
        let (facts, more) = fit::facts(message, room, bare);
        let facts: Vec<Json> =
            facts.into_iter().map(|it| json!({ "name": it.name, "lines": it.lines })).collect();
        let environments = &message.environments;
        let named: Vec<String> =
            environments.iter().take(room.facts).map(|it| fit::line(it, 60, bare)).collect();
        let data = json!({
            "kind": fit::line(&message.kind, 60, bare),
            "title": fit::line(&message.title, 300, bare),
            "text": fit::text(&message.text, room.text, bare),
            "severity": message.severity.as_deref().map(|it| fit::line(it, 60, bare)),
            "facts": facts,
            "facts_more": more,
            "environments": named,
            "environments_more": environments.len() - named.len(),
            "url": fit::link(message),
            "organisation": fit::line(&message.organisation, 60, bare),
            "at": fit::line(&message.at, 60, bare),
            "detail": null,
        });
        let shown = plain(room);
        body = whole(data, true, fit::text(&shown, 2 * room.text, bare));
        if body.len() <= BODY {
            break;
        }
    }
    body
}
