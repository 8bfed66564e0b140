//! teams: Microsoft Teams, through a workflow that takes adaptive cards.
//!
//! <https://learn.microsoft.com/power-automate/teams/send-a-message-in-teams>

use image::Posted;
use serde_json::{Value as Json, json};

use crate::contract::{Kind, Message, Remedy, Role, Setting, Untold};
use crate::shared::chat::{self, Form};
use crate::shared::fit::{self, Room, bare, line};
use crate::shared::receiver::Receiver;
use crate::shared::settings;

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
    connect: |settings, ways| chat::connect(&FORM, settings, ways),
};

/// Bytes of a message; it takes 28 KB.
const PAYLOAD: usize = 26_000;
/// Characters of a template's text: each may be four bytes, and twice as many in JSON.
const TEXT: usize = 6000;

const FORM: Form = Form { escape, payload, templated, judge };

/// A workflow answers 202, or 200 when it is done; a connector of old answers 200, and an error in its
/// body.
fn judge(receiver: &Receiver, posted: &Posted) -> Result<(), Untold> {
    let said = String::from_utf8_lossy(&posted.body);
    match posted.status {
        202 => return Ok(()),
        200 if posted.is_whole && matches!(said.trim(), "" | "1") => return Ok(()),
        200 if !posted.is_whole => return Err(receiver.broke_off()),
        200 => {}
        // A workflow that is switched off, or whose trigger is another.
        400 if said.contains("WorkflowTriggerIsNotEnabled") => {
            return Err(Untold { remedy: Remedy::Close, ..receiver.refused(posted) }
                .with_hint("the workflow is switched off: switch it on"));
        }
        _ => return Err(receiver.refused(posted)),
    }
    // What Teams itself said to the connector stands in the text.
    let is_told = |all: &[&str]| all.iter().any(|it| said.contains(&format!("HTTP error {it}")));
    let remedy = match () {
        () if is_told(&["429", "5"]) => Remedy::Later(posted.wait),
        () if is_told(&["403", "404", "410"]) => Remedy::Close,
        () if is_told(&["400", "413"]) => Remedy::Drop,
        () => Remedy::Later(None),
    };
    let (host, said) = (receiver.host(), receiver.quoted(&said));
    let why = format!("{host}: it answered 200, and an error: {said}");
    Err(Untold::new(why, remedy).with_hint("is it the address of a workflow?"))
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
