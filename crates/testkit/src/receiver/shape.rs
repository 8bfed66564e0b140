//! The shapes that receivers take, and their limits.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::Value;

use crate::Hook;

type Judged = Result<(), String>;

fn header<'a>(hook: &'a Hook, name: &str) -> Option<&'a str> {
    hook.headers.iter().find(|it| it.0 == name).map(|it| it.1.as_str())
}

fn json(hook: &Hook) -> Result<Value, String> {
    let kind = header(hook, "content-type").unwrap_or_default();
    if !kind.starts_with("application/json") {
        return Err(format!("its type is {kind}"));
    }
    serde_json::from_slice(&hook.body).map_err(|why| format!("it is no JSON: {why}"))
}

fn text<'a>(value: &'a Value, key: &str, most: usize) -> Result<&'a str, String> {
    let text = value[key].as_str().ok_or_else(|| format!("`{key}` is no text"))?;
    let length = text.encode_utf16().count();
    if text.is_empty() || length > most {
        return Err(format!("`{key}` has {length} characters, not 1 to {most}"));
    }
    if let Some(bad) = text.chars().find(|it| it.is_control() && *it != '\n') {
        return Err(format!("`{key}` has {bad:?} in it"));
    }
    Ok(text)
}

/// <https://docs.slack.dev/reference/block-kit/blocks>,
/// <https://docs.slack.dev/reference/block-kit/composition-objects/text-object>
pub(super) fn slack(hook: &Hook) -> Judged {
    let body = json(hook)?;
    mrkdwn(text(&body, "text", 40_000)?)?;
    let Some(blocks) = body.get("blocks") else { return Ok(()) };
    let blocks = blocks.as_array().ok_or("`blocks` is no list")?;
    if blocks.is_empty() || blocks.len() > 50 {
        return Err(format!("there are {} blocks", blocks.len()));
    }
    let length = body["blocks"].to_string().encode_utf16().count();
    if length > 13_200 {
        return Err(format!("msg_blocks_too_long: {length}"));
    }
    for block in blocks {
        match block["type"].as_str() {
            Some("header") => {
                if block["text"]["type"] != "plain_text" {
                    return Err("a header is plain text".to_owned());
                }
                text(&block["text"], "text", 150)?;
            }
            Some("section") => element(&block["text"], 3000)?,
            Some("context") => {
                let elements = block["elements"].as_array().ok_or("a context without elements")?;
                if elements.is_empty() || elements.len() > 10 {
                    return Err(format!("there are {} elements", elements.len()));
                }
                elements.iter().try_for_each(|it| element(it, 2000))?;
            }
            other => return Err(format!("nobody knows a block {other:?}")),
        }
    }
    Ok(())
}

fn element(value: &Value, most: usize) -> Judged {
    if value["type"] != "mrkdwn" {
        return Err("its text is no mrkdwn".to_owned());
    }
    // Without it Slack looks for people, channels and addresses in what is meant as text.
    if value["verbatim"] != true {
        return Err("its text is not verbatim".to_owned());
    }
    mrkdwn(text(value, "text", most)?)
}

/// What stands in angle brackets is a link, and nothing calls people.
fn mrkdwn(text: &str) -> Judged {
    let mut rest = text;
    while let Some(at) = rest.find(['<', '>', '&']) {
        let (sign, after) = rest.get(at..).unwrap_or_default().split_at(1);
        rest = match sign {
            "&" => ["amp;", "lt;", "gt;"]
                .iter()
                .find_map(|it| after.strip_prefix(it))
                .ok_or("a bare & is in it")?,
            "<" if after.starts_with("https://") || after.starts_with("http://") => {
                let (link, after) = after.split_once('>').ok_or("a link has no end")?;
                if link.contains('<') || link.matches('|').count() > 1 || link.len() > 3000 {
                    return Err(format!("`{link}` is no link"));
                }
                after
            }
            _ => return Err(format!("a bare {sign} is in it")),
        };
    }
    Ok(())
}

/// <https://adaptivecards.io/explorer/>
pub(super) fn teams(hook: &Hook) -> Judged {
    if hook.body.len() > 28 << 10 {
        return Err(format!("it has {} bytes", hook.body.len()));
    }
    let body = json(hook)?;
    let attachments = body["attachments"].as_array().ok_or("it has no attachments")?;
    let [attachment] = &attachments[..] else { return Err("not one attachment".to_owned()) };
    let card = &attachment["content"];
    let is_card = body["type"] == "message"
        && attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        && attachment["contentUrl"].is_null()
        && card["type"] == "AdaptiveCard";
    if !is_card {
        return Err("it is no adaptive card".to_owned());
    }
    let version = card["version"].as_str().unwrap_or_default();
    if !["1.0", "1.1", "1.2", "1.3", "1.4"].contains(&version) {
        return Err(format!("its version is {version}"));
    }
    let blocks = card["body"].as_array().filter(|it| !it.is_empty()).ok_or("it has no body")?;
    for block in blocks {
        match block["type"].as_str() {
            Some("TextBlock") => {
                text(block, "text", 28 << 10)?;
            }
            Some("RichTextBlock") => {
                let inlines = block["inlines"].as_array().ok_or("it has no inlines")?;
                for it in inlines {
                    if it["type"] != "TextRun" {
                        return Err(format!("nobody knows a {}", it["type"]));
                    }
                    text(it, "text", 28 << 10)?;
                }
            }
            other => return Err(format!("nobody knows a {other:?}")),
        }
    }
    for action in card["actions"].as_array().into_iter().flatten() {
        let url = action["url"].as_str().unwrap_or_default();
        if action["type"] != "Action.OpenUrl" || !url.starts_with("http") {
            return Err("an action leads nowhere".to_owned());
        }
        text(action, "title", 100)?;
    }
    Ok(())
}

/// <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
pub(super) fn webhook(hook: &Hook, secret: &str) -> Judged {
    let id = header(hook, "webhook-id").filter(|it| !it.is_empty() && !it.contains('.'));
    let id = id.ok_or("it has no id")?;
    let time = header(hook, "webhook-timestamp").and_then(|it| it.parse::<u64>().ok());
    let time = time.ok_or("it has no timestamp")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
    if now.abs_diff(time) > 300 {
        return Err(format!("its time is {time}"));
    }
    if !secret.is_empty() {
        let key = secret.strip_prefix("whsec_").and_then(|it| STANDARD.decode(it).ok());
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key.ok_or("our own secret is none")?);
        let mut signed = format!("{id}.{time}.").into_bytes();
        signed.extend_from_slice(&hook.body);
        let signatures = header(hook, "webhook-signature").ok_or("it is not signed")?;
        let is_ours = |it: &str| {
            let signature = it.strip_prefix("v1,").and_then(|it| STANDARD.decode(it).ok());
            signature.is_some_and(|it| hmac::verify(&key, &signed, &it).is_ok())
        };
        if !signatures.split(' ').any(is_ours) {
            return Err("its signature is wrong".to_owned());
        }
    }
    let body = json(hook)?;
    if hook.body.len() > 20_000 {
        return Err(format!("it has {} bytes", hook.body.len()));
    }
    for key in ["type", "timestamp", "text"] {
        text(&body, key, 20_000)?;
    }
    if body["data"].is_object() { Ok(()) } else { Err("it has no data".to_owned()) }
}
