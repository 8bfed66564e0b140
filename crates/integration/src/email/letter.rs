//! The letter itself: what it says, as text and as a page.

use std::fmt::Write as _;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

use super::Email;
use crate::contract::Message;
use crate::sender::fingerprint;
use crate::shared::fit::{self, Room, bare, line};

/// Nobody reads more, and some servers take no more.
const LETTER: usize = 200_000;
/// What there is room for in a letter, before it is as little as elsewhere.
const ROOM: Room = Room { facts: 40, lines: 200, fact: 20_000, line: 500, text: 10_000 };

/// The letter, ready to be sent, or why it cannot be.
pub(super) fn write(email: &Email, message: &Message, key: &str) -> Result<Vec<u8>, String> {
    let (templated, fault) = match email.template.as_ref().map(|it| it.fill(message)) {
        None => (None, None),
        Some(Ok(text)) => (Some(fit::text(&text, LETTER / 8, bare)), None),
        Some(Err(fault)) => (None, Some(fault)),
    };
    let mut letter = Vec::new();
    for room in [ROOM].iter().chain(&fit::ROOMS) {
        let (text, page) = match &templated {
            Some(text) => (text.clone(), page_of(text)),
            None => (plain(message, fault.as_deref(), room), page(message, fault.as_deref(), room)),
        };
        letter = formatted(email, message, key, text, page)?;
        if letter.len() <= LETTER {
            break;
        }
    }
    Ok(letter)
}

fn formatted(
    email: &Email,
    message: &Message,
    key: &str,
    text: String,
    page: String,
) -> Result<Vec<u8>, String> {
    let own = |name: &'static str, value: &str| {
        HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
    };
    // The same told twice is one letter, for whoever looks.
    let id = format!("<{}@{}>", fingerprint(&["letter", key]), email.from.email.domain());
    let subject = line(&message.title, 200, bare);
    let subject = if subject.is_empty() { line(&message.kind, 100, bare) } else { subject };
    let mut letter = lettre::Message::builder()
        .from(email.from.clone())
        .subject(subject)
        .message_id(Some(id))
        .raw_header(own("Auto-Submitted", "auto-generated"))
        .raw_header(own("X-Auto-Response-Suppress", "All"))
        .date_now();
    for to in &email.to {
        letter = letter.to(Mailbox::new(None, to.clone()));
    }
    let part = |kind: ContentType, body: String| SinglePart::builder().header(kind).body(body);
    let parts = MultiPart::alternative()
        .singlepart(part(ContentType::TEXT_PLAIN, text))
        .singlepart(part(ContentType::TEXT_HTML, page));
    letter.multipart(parts).map(|it| it.formatted()).map_err(|why| why.to_string())
}

fn plain(message: &Message, fault: Option<&str>, room: &Room) -> String {
    let fault = fault.map(|it| format!("\n({})", line(it, 300, bare))).unwrap_or_default();
    format!("{}{fault}\n", fit::plain(message, room))
}

fn escape(it: char, out: &mut String) {
    match it {
        '&' => *out += "&amp;",
        '<' => *out += "&lt;",
        '>' => *out += "&gt;",
        '"' => *out += "&quot;",
        '\'' => *out += "&#39;",
        _ => out.push(it),
    }
}

/// A text that is a page as it stands.
fn page_of(text: &str) -> String {
    let text = fit::text(text, LETTER / 4, escape);
    format!(
        "<!doctype html><html><body><p style=\"white-space: pre-wrap\">{text}</p></body></html>\n"
    )
}

fn page(message: &Message, fault: Option<&str>, room: &Room) -> String {
    let paragraph = |text: &str| format!("<p>{}</p>\n", text.replace('\n', "<br>\n"));
    let mut page = String::from("<!doctype html><html><body>\n");
    let _ = writeln!(page, "<h3>{}</h3>", line(&message.title, 300, escape));
    let text = fit::text(&message.text, room.text, escape);
    if !text.trim().is_empty() {
        page += &paragraph(&text);
    }
    let (facts, more) = fit::facts(message, room, escape);
    for fact in facts {
        let lines: Vec<String> = fact.lines.iter().map(|it| format!("<li>{it}</li>")).collect();
        let _ = writeln!(page, "<p><b>{}</b></p>\n<ul>\n{}\n</ul>", fact.name, lines.join("\n"));
    }
    page += &fit::facts_more(more).map(|it| paragraph(&it)).unwrap_or_default();
    if let Some(url) = fit::link(message) {
        let url: String = fit::line(&url, 3000, escape);
        let _ = writeln!(page, "<p><a href=\"{url}\">Read on</a></p>");
    }
    page += &fault.map(|it| paragraph(&line(it, 300, escape))).unwrap_or_default();
    let _ = writeln!(page, "<p><small>{}</small></p>", fit::about(message, escape));
    page + "</body></html>\n"
}
