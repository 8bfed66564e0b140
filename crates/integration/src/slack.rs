//! slack: Slack's incoming webhooks, and whoever takes what they take (Mattermost, Rocket.Chat).
//!
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>

use image::Posted;
use serde_json::{Value as Json, json};

use crate::contract::{Kind, Message, Remedy, Role, Setting, Untold};
use crate::shared::chat::{self, Form};
use crate::shared::fit::{self, Room, bare, line, units};
use crate::shared::receiver::Receiver;
use crate::shared::settings;

pub(crate) const KIND: Kind = Kind {
    id: "slack",
    also: &["mattermost", "rocket-chat"],
    title: "Slack",
    role: Role::Notifier,
    about: "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks",
    settings: &[
        Setting {
            help: "the address of an incoming webhook, whole",
            example: "https://hooks.slack.com/services/T00000000/B00000000/000000000000000000000000",
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

/// Characters of a message's blocks; it takes about 13 200 of them.
const BLOCKS: usize = 12_000;
/// Characters of the text that stands for them, which other receivers show whole.
const TEXT: usize = 3500;
/// Characters of a header.
const HEADER: usize = 150;

const FORM: Form = Form {
    escape,
    payload,
    templated: |_, text| json!({ "text": unaddressed(&fit::text(text, TEXT, bare)) }),
    judge,
};

/// <https://docs.slack.dev/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks>
fn judge(receiver: &Receiver, posted: &Posted) -> Result<(), Untold> {
    let said = String::from_utf8_lossy(&posted.body);
    let said = said.trim();
    // Rocket.Chat answers in JSON.
    let is_yes = |key: &str| {
        let value = serde_json::from_str::<Json>(said).ok();
        value.and_then(|it| it.get(key)?.as_bool()) == Some(true)
    };
    let is_yes = said == "ok" || is_yes("success") || is_yes("ok");
    if posted.status == 200 && posted.is_whole && is_yes {
        return Ok(());
    }
    let untold = receiver.refused(posted);
    let closed = |hint: &str| Untold {
        remedy: Remedy::Close,
        hint: Some(hint.to_owned()),
        ..untold.clone()
    };
    Err(match said {
        "no_service" | "no_active_hooks" | "no_team" | "team_disabled" | "invalid_token" => {
            closed("the webhook is gone: make one anew, and configure its address")
        }
        "channel_is_archived" | "channel_not_found" | "user_not_found" => {
            closed("its channel is gone: make a webhook for another, and configure its address")
        }
        "action_prohibited" | "posting_to_general_channel_denied" => {
            closed("an administrator of the workspace forbids it")
        }
        "rate_limited" | "ratelimited" => Untold { remedy: Remedy::Later(posted.wait), ..untold },
        "invalid_payload"
        | "no_text"
        | "invalid_blocks"
        | "invalid_blocks_format"
        | "msg_too_long"
        | "msg_blocks_too_long"
        | "too_many_attachments" => Untold { remedy: Remedy::Drop, ..untold },
        _ if posted.status == 200 && !posted.is_whole => receiver.broke_off(),
        _ if (200..300).contains(&posted.status) => {
            let (host, said) = (receiver.host(), receiver.quoted(said));
            let why = format!("{host}: it answered {} `{said}`, not `ok`", posted.status);
            Untold::new(why, Remedy::Later(None)).with_hint(
                "is it the address of a Slack webhook? an integration of the kind webhook speaks to \
                 others",
            )
        }
        _ => untold,
    })
}

/// What has a meaning in its texts.
///
/// <https://docs.slack.dev/messaging/formatting-message-text#escaping>
fn escape(it: char, out: &mut String) {
    match it {
        '&' => *out += "&amp;",
        '<' => *out += "&lt;",
        '>' => *out += "&gt;",
        _ => out.push(it),
    }
}

/// Others than Slack wake people up at a plain word: an invisible mark parts the @ from the name. Where
/// it stands within a word, as before a digest, it calls nobody, and is left alone.
fn unaddressed(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut is_within = false;
    for it in text.chars() {
        plain.push(it);
        if it == '@' && !is_within {
            plain.push('\u{2060}');
        }
        is_within = it.is_alphanumeric();
    }
    plain
}

fn link(message: &Message) -> Option<String> {
    fit::link(message).map(|url| format!("<{}|Read on>", url.replace('&', "&amp;")))
}

/// The message with as much as there is room for. `fault`: why it does not say what it was meant to.
fn payload(message: &Message, fault: Option<&str>) -> Json {
    let mut payload = Json::Null;
    for room in &fit::ROOMS {
        let blocks = blocks(message, fault, room);
        let length = units(&blocks.to_string());
        payload = json!({ "text": text(message, fault, room), "blocks": blocks });
        if length <= BLOCKS {
            break;
        }
    }
    payload
}

fn blocks(message: &Message, fault: Option<&str>, room: &Room) -> Json {
    // Verbatim: names and addresses in it are text, and call nobody.
    let text = |text: String| json!({ "type": "mrkdwn", "text": text, "verbatim": true });
    let section = |it: String| json!({ "type": "section", "text": text(it) });
    let small = |it: String| json!({ "type": "context", "elements": [text(it)] });
    let mut blocks = Vec::new();
    let title = line(&message.title, HEADER, bare);
    if !title.is_empty() {
        let title = json!({ "type": "plain_text", "text": title, "emoji": false });
        blocks.push(json!({ "type": "header", "text": title }));
    }
    let more = fit::text(&message.text, room.text, escape);
    if !more.trim().is_empty() {
        blocks.push(section(more));
    }
    let (facts, more) = fit::facts(message, room, escape);
    for fact in facts {
        let mut lines = vec![format!("*{}*", fact.name)];
        lines.extend(fact.lines);
        blocks.push(section(lines.join("\n")));
    }
    blocks.extend(fit::facts_more(more).map(small));
    blocks.extend(link(message).map(section));
    blocks.extend(fault.map(|it| small(line(it, 300, escape))));
    blocks.push(small(fit::about(message, escape)));
    blocks.into()
}

/// The same for notifications, and for receivers that know nothing of blocks.
fn text(message: &Message, fault: Option<&str>, room: &Room) -> String {
    let mut end = vec![fit::about(message, escape)];
    end.extend(fault.map(|it| line(it, 300, escape)));
    end.extend(link(message));
    let end = end.join("\n");
    let mut lines = vec![format!("*{}*", line(&message.title, HEADER, escape))];
    lines.push(fit::text(&message.text, room.text, escape));
    let (facts, mut more) = fit::facts(message, room, escape);
    let mut left = TEXT.saturating_sub(units(&lines.join("\n")) + units(&end) + 50);
    for fact in facts {
        let part = format!("*{}*\n{}", fact.name, fact.lines.join("\n"));
        match left.checked_sub(units(&part) + 1) {
            Some(rest) => {
                left = rest;
                lines.push(part);
            }
            None => more += 1,
        }
    }
    lines.extend(fit::facts_more(more));
    lines.push(end);
    lines.retain(|it| !it.is_empty());
    unaddressed(&lines.join("\n"))
}
