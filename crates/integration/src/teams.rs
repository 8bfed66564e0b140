//! teams: Microsoft Teams, through a workflow that takes adaptive cards.
//!
//! <https://learn.microsoft.com/power-automate/teams/send-a-message-in-teams>

use async_trait::async_trait;
use http::HeaderMap;
use image::Posted;
use serde_json::{Value as Json, json};

use crate::contract::{
    Check, Integration, Kind, Message, Notifier, Remedy, Role, Setting, Settings, Untold, Ways,
};
use crate::shared::fit::{self, Room, bare, line};
use crate::shared::receiver::Receiver;
use crate::shared::settings;
use crate::shared::template::{Dress, Template};

pub(crate) const KIND: Kind = Kind {
    id: "teams",
    also: &["ms-teams", "microsoft-teams"],
    title: "Microsoft Teams",
    role: Role::Notifier,
    about: "https://learn.microsoft.com/power-automate/teams/send-a-message-in-teams",
    settings: &[
        Setting {
            help: "the address of a workflow that posts to a channel when a webhook is received",
            example: "https://default0123.environment.api.powerplatform.com/workflows/0123456789abcdef/triggers/manual/paths/invoke?sig=0123456789abcdef",
            ..settings::URL
        },
        settings::TEMPLATE,
    ],
    has_projects: false,
    webhook_secret: None,
    secret_in_address: None,
    templates: &[],
    leftovers: &[],
    connect: |settings, ways| Ok(Box::new(connected(settings, ways)?)),
};

/// Bytes of a message; it takes 28 KB.
const PAYLOAD: usize = 26_000;
/// Characters of a template's text: each may be four bytes, and twice as many in JSON.
const TEXT: usize = 6000;

struct Teams {
    receiver: Receiver,
    template: Option<Template>,
}

fn connected(settings: &Settings, ways: &Ways) -> Result<Teams, image::Error> {
    let receiver = Receiver::new(settings, ways, &[])?;
    Ok(Teams { receiver, template: Template::of(settings, Dress::Text(escape))? })
}

impl Integration for Teams {
    fn notifier(&self) -> Option<&dyn Notifier> {
        Some(self)
    }
}

#[async_trait]
impl Notifier for Teams {
    fn receiver(&self) -> &str {
        self.receiver.host()
    }

    async fn say(&self, message: &Message, _: &str) -> Result<String, Untold> {
        let payload = match self.template.as_ref().map(|it| it.fill(message)) {
            None => payload(message, None),
            Some(Ok(text)) => templated(message, &text),
            Some(Err(fault)) => payload(message, Some(&fault)),
        };
        let posted = self.receiver.post(HeaderMap::new(), payload.to_string()).await?;
        if is_taken(&posted) {
            return Ok(format!("{} answered {}", self.receiver(), posted.status));
        }
        Err(self.untold(&posted))
    }

    async fn checks(&self) -> Vec<Check> {
        vec![self.receiver.check().await]
    }
}

/// A workflow answers 202, or 200 when it is done; a connector of old answers 200, and an error in its
/// body.
fn is_taken(posted: &Posted) -> bool {
    let said = String::from_utf8_lossy(&posted.body);
    match posted.status {
        202 => true,
        200 => posted.is_whole && matches!(said.trim(), "" | "1"),
        _ => false,
    }
}

impl Teams {
    fn untold(&self, posted: &Posted) -> Untold {
        let untold = self.receiver.refused(posted);
        if posted.status != 200 {
            return match posted.status {
                // A workflow that is switched off, or whose trigger is another.
                400 if contains(&posted.body, "WorkflowTriggerIsNotEnabled") => {
                    Untold { remedy: Remedy::Close, ..untold }
                        .with_hint("the workflow is switched off: switch it on")
                }
                _ => untold,
            };
        }
        let host = self.receiver();
        if !posted.is_whole {
            let why = format!("{host}: its answer broke off, so nobody knows whether it heard");
            return Untold::new(why, Remedy::Later(None));
        }
        let said = self.receiver.quoted(&String::from_utf8_lossy(&posted.body));
        let why = format!("{host}: it answered 200, and an error: {said}");
        // What Teams itself said to the connector stands in the text.
        let is_busy =
            ["HTTP error 429", "HTTP error 5"].iter().any(|it| contains(&posted.body, it));
        let is_gone = ["HTTP error 403", "HTTP error 404", "HTTP error 410"];
        let is_gone = is_gone.iter().any(|it| contains(&posted.body, it));
        let is_bad =
            ["HTTP error 400", "HTTP error 413"].iter().any(|it| contains(&posted.body, it));
        let remedy = match () {
            () if is_busy => Remedy::Later(posted.wait),
            () if is_gone => Remedy::Close,
            () if is_bad => Remedy::Drop,
            () => Remedy::Later(None),
        };
        Untold::new(why, remedy).with_hint("is it the address of a workflow?")
    }
}

fn contains(body: &[u8], word: &str) -> bool {
    String::from_utf8_lossy(body).contains(word)
}

/// What has a meaning in the Markdown of a text block.
fn escape(it: char, out: &mut String) {
    if matches!(it, '\\' | '*' | '_' | '[' | ']' | '(' | ')' | '#' | '~' | '`' | '<' | '>' | '|') {
        out.push('\\');
    }
    out.push(it);
}

/// Text that is shown as it is, whatever stands in it.
fn run(text: &str, more: &Json) -> Json {
    let mut run = json!({ "type": "TextRun", "text": text });
    if let (Some(run), Some(more)) = (run.as_object_mut(), more.as_object()) {
        run.extend(more.clone());
    }
    json!({ "type": "RichTextBlock", "spacing": "None", "inlines": [run] })
}

fn card(message: &Message, body: &[Json]) -> Json {
    let mut content = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": line(&message.title, 150, bare),
        "msteams": { "width": "full" },
        "body": body,
    });
    if let (Some(url), Some(content)) = (fit::link(message), content.as_object_mut()) {
        let open = json!([{ "type": "Action.OpenUrl", "title": "Read on", "url": url }]);
        content.insert("actions".to_owned(), open);
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": content,
        }],
    })
}

/// The message with as much as there is room for. `fault`: why it does not say what it was meant to.
fn payload(message: &Message, fault: Option<&str>) -> Json {
    let mut payload = Json::Null;
    for room in &fit::ROOMS {
        payload = card(message, &body(message, fault, room));
        if payload.to_string().len() <= PAYLOAD {
            break;
        }
    }
    payload
}

fn templated(message: &Message, text: &str) -> Json {
    let mut payload = Json::Null;
    for limit in [TEXT, TEXT / 2, TEXT / 4] {
        let text = fit::text(text, limit, bare);
        payload = card(message, &[json!({ "type": "TextBlock", "text": text, "wrap": true })]);
        if payload.to_string().len() <= PAYLOAD {
            break;
        }
    }
    payload
}

fn body(message: &Message, fault: Option<&str>, room: &Room) -> Vec<Json> {
    let plain = json!({});
    let small = json!({ "size": "Small", "isSubtle": true });
    let mut body = vec![run(
        &line(&message.title, 150, bare),
        &json!({ "size": "Large", "weight": "Bolder" }),
    )];
    let text = fit::text(&message.text, room.text, bare);
    body.extend(text.lines().take(50).filter(|it| !it.trim().is_empty()).map(|it| run(it, &plain)));
    let (facts, more) = fit::facts(message, room, bare);
    for fact in facts {
        let mut name = run(&fact.name, &json!({ "weight": "Bolder" }));
        if let Some(block) = name.as_object_mut() {
            block.insert("spacing".to_owned(), "Medium".into());
        }
        body.push(name);
        let lines = fact.lines.iter().filter(|it| !it.is_empty());
        body.extend(lines.map(|it| run(it, &plain)));
    }
    body.extend(fit::facts_more(more).map(|it| run(&it, &small)));
    body.extend(fault.map(|it| run(&line(it, 300, bare), &small)));
    body.push(run(&fit::about(message, bare), &small));
    body.retain(|it| it.pointer("/inlines/0/text").and_then(Json::as_str) != Some(""));
    body
}
