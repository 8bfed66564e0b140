//! slack: Slack's incoming webhooks, and whoever takes what they take (Mattermost, Rocket.Chat).
//!
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>

use async_trait::async_trait;
use http::HeaderMap;
use image::Posted;
use serde_json::{Value as Json, json};

use crate::contract::{
    Check, Integration, Kind, Message, Notifier, Remedy, Role, Setting, Settings, Untold, Ways,
};
use crate::shared::fit::{self, Room, line, units};
use crate::shared::receiver::Receiver;
use crate::shared::settings;
use crate::shared::template::{Dress, Template};

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
    connect: |settings, ways| Ok(Box::new(connected(settings, ways)?)),
};

/// Characters of a message's blocks; it takes about 13 200 of them.
const BLOCKS: usize = 12_000;
/// Characters of the text that stands for them, which other receivers show whole.
const TEXT: usize = 3500;
/// Characters of a header.
const HEADER: usize = 150;

struct Slack {
    receiver: Receiver,
    template: Option<Template>,
}

fn connected(settings: &Settings, ways: &Ways) -> Result<Slack, image::Error> {
    let receiver = Receiver::new(settings, ways, &[])?;
    Ok(Slack { receiver, template: Template::of(settings, Dress::Text(escape))? })
}

impl Integration for Slack {
    fn notifier(&self) -> Option<&dyn Notifier> {
        Some(self)
    }
}

#[async_trait]
impl Notifier for Slack {
    fn receiver(&self) -> &str {
        self.receiver.host()
    }

    async fn say(&self, message: &Message, _: &str) -> Result<String, Untold> {
        let payload = match self.template.as_ref().map(|it| it.fill(message)) {
            None => payload(message, None),
            Some(Ok(text)) => json!({ "text": unaddressed(fit::text(&text, TEXT, fit::bare)) }),
            Some(Err(fault)) => payload(message, Some(&fault)),
        };
        let posted = self.receiver.post(HeaderMap::new(), payload.to_string()).await?;
        match judge(&posted) {
            None => Ok(format!("{} answered {}", self.receiver(), posted.status)),
            Some(word) => Err(self.untold(&posted, &word)),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        vec![self.receiver.check().await]
    }
}

/// Why it was not taken, in the receiver's own word; `None`: it was.
fn judge(posted: &Posted) -> Option<String> {
    let said = String::from_utf8_lossy(&posted.body);
    let said = said.trim();
    // Rocket.Chat answers in JSON.
    let is_yes = |key: &str| {
        let value = serde_json::from_str::<Json>(said).ok();
        value.and_then(|it| it.get(key)?.as_bool()) == Some(true)
    };
    let is_taken = posted.is_whole && (said == "ok" || is_yes("success") || is_yes("ok"));
    (posted.status != 200 || !is_taken).then(|| said.chars().take(100).collect())
}

impl Slack {
    /// <https://docs.slack.dev/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks>
    fn untold(&self, posted: &Posted, word: &str) -> Untold {
        let host = self.receiver();
        let untold = self.receiver.refused(posted);
        let closed = |hint: &str| Untold {
            remedy: Remedy::Close,
            hint: Some(hint.to_owned()),
            ..untold.clone()
        };
        match word {
            "no_service" | "no_active_hooks" | "no_team" | "team_disabled" | "invalid_token" => {
                closed("the webhook is gone: make one anew, and configure its address")
            }
            "channel_is_archived" | "channel_not_found" | "user_not_found" => {
                closed("its channel is gone: make a webhook for another, and configure its address")
            }
            "action_prohibited" | "posting_to_general_channel_denied" => {
                closed("an administrator of the workspace forbids it")
            }
            "rate_limited" | "ratelimited" => {
                Untold { remedy: Remedy::Later(posted.wait), ..untold }
            }
            "invalid_payload"
            | "no_text"
            | "invalid_blocks"
            | "invalid_blocks_format"
            | "msg_too_long"
            | "msg_blocks_too_long"
            | "too_many_attachments" => Untold { remedy: Remedy::Drop, ..untold },
            _ if posted.status == 200 && !posted.is_whole => {
                let why = format!("{host}: its answer broke off, so nobody knows whether it heard");
                Untold::new(why, Remedy::Later(None))
            }
            _ if (200..300).contains(&posted.status) => {
                let said = self.receiver.quoted(word);
                let why = format!("{host}: it answered {} `{said}`, not `ok`", posted.status);
                Untold::new(why, Remedy::Later(None)).with_hint(
                    "is it the address of a Slack webhook? an integration of the kind webhook speaks \
                     to others",
                )
            }
            _ => untold,
        }
    }
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

/// Others than Slack wake everybody up at a plain word.
fn unaddressed(text: String) -> String {
    ["@channel", "@here", "@all", "@everyone"].into_iter().fold(text, |text, word| {
        let (at, name) = word.split_at(1);
        text.replace(word, &format!("{at}\u{2060}{name}"))
    })
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
    let section =
        |text: String| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } });
    let small = |text: String| json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": text }] });
    let mut blocks = Vec::new();
    let title = line(&message.title, HEADER, fit::bare);
    if !title.is_empty() {
        let text = json!({ "type": "plain_text", "text": title, "emoji": false });
        blocks.push(json!({ "type": "header", "text": text }));
    }
    let text = fit::text(&message.text, room.text, escape);
    if !text.trim().is_empty() {
        blocks.push(section(text));
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
    unaddressed(lines.join("\n"))
}
