//! Making what is said fit: into lines, into what a receiver takes, and without what turns a line
//! around or hides in it. What is left out is counted.

use crate::contract::Message;

/// Puts a character so that a receiver takes it for itself.
pub(crate) type Escape = fn(char, &mut String);

/// As it is.
pub(crate) fn bare(it: char, out: &mut String) {
    out.push(it);
}

/// How much is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) facts: usize,
    /// Of one fact.
    pub(crate) lines: usize,
    /// Characters of those together.
    pub(crate) fact: usize,
    /// Characters of one line.
    pub(crate) line: usize,
    /// Characters of the text.
    pub(crate) text: usize,
}

/// From much to little, for who has to make it fit.
pub(crate) const ROOMS: [Room; 5] = [
    Room { facts: 20, lines: 20, fact: 2400, line: 300, text: 2000 },
    Room { facts: 12, lines: 10, fact: 1500, line: 200, text: 1500 },
    Room { facts: 10, lines: 5, fact: 700, line: 150, text: 1000 },
    Room { facts: 8, lines: 2, fact: 250, line: 100, text: 500 },
    Room { facts: 3, lines: 1, fact: 80, line: 60, text: 300 },
];

/// A fact, as much of it as there is room for, and fit to be shown.
pub(crate) struct Shown {
    pub(crate) name: String,
    /// The last one says how many more there are.
    pub(crate) lines: Vec<String>,
}

/// Would nobody see it, or would it turn around what others see?
fn is_unseen(it: char) -> bool {
    it.is_control()
        || matches!(
            it,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

fn is_blank(it: char) -> bool {
    it.is_whitespace() || matches!(it, '\u{2028}' | '\u{2029}')
}

/// One line of at most `limit` characters (of UTF-16, which is how most count), escaped.
pub(crate) fn line(text: &str, limit: usize, escape: Escape) -> String {
    let mut seen = false;
    let plain = text.chars().filter_map(|it| {
        let was = seen;
        seen = !is_blank(it);
        match it {
            _ if is_blank(it) => was.then_some(' '),
            _ if is_unseen(it) => {
                seen = was;
                None
            }
            _ => Some(it),
        }
    });
    cut(plain, limit, escape)
}

/// The same of a text with lines.
pub(crate) fn text(text: &str, limit: usize, escape: Escape) -> String {
    let plain = text.chars().filter_map(|it| match it {
        '\n' | '\u{2028}' | '\u{2029}' => Some('\n'),
        '\t' => Some(' '),
        _ if is_unseen(it) => None,
        _ => Some(it),
    });
    cut(plain, limit, escape)
}

fn cut(text: impl Iterator<Item = char>, limit: usize, escape: Escape) -> String {
    let (mut whole, mut short) = (String::new(), 0);
    let (mut count, mut one) = (0, String::new());
    for it in text {
        one.clear();
        escape(it, &mut one);
        count += units(&one);
        if count > limit {
            whole.truncate(short);
            if limit > 0 {
                whole.push('…');
            }
            return whole;
        }
        whole += &one;
        // Up to here there is room for the dots.
        if count < limit {
            short = whole.len();
        }
    }
    whole.truncate(whole.trim_end().len());
    whole
}

/// How many characters that is, as most count.
pub(crate) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The facts of a message, and how many more there are.
pub(crate) fn facts(message: &Message, room: &Room, escape: Escape) -> (Vec<Shown>, usize) {
    let told = message.facts.iter().filter(|it| !it.lines.is_empty());
    let more = told.clone().count().saturating_sub(room.facts);
    let shown = told.take(room.facts).map(|fact| {
        let (mut lines, mut left) = (Vec::new(), room.fact);
        for it in fact.lines.iter().take(room.lines) {
            let one = line(it, room.line, escape);
            let Some(rest) = left.checked_sub(units(&one) + 1) else { break };
            left = rest;
            lines.push(one);
        }
        lines.extend(and_more(fact.lines.len() - lines.len()));
        Shown { name: line(&fact.name, 60, escape), lines }
    });
    (shown.collect(), more)
}

/// How many more there are, if any.
pub(crate) fn and_more(more: usize) -> Option<String> {
    (more > 0).then(|| format!("and {more} more"))
}

/// What is missing where there were too many facts.
pub(crate) fn facts_more(more: usize) -> Option<String> {
    (more > 0).then(|| format!("and {more} more things to know"))
}

/// Whom it is about: the organisation, the environments, the time.
pub(crate) fn about(message: &Message, escape: Escape) -> String {
    const MOST: usize = 5;
    let mut parts = vec![line(&message.organisation, 60, escape)];
    let all = &message.environments;
    let mut names: Vec<String> = all.iter().take(MOST).map(|it| line(it, 40, escape)).collect();
    names.extend(and_more(all.len().saturating_sub(MOST)));
    parts.push(names.join(", "));
    parts.push(line(&to_the_second(&message.at), 40, escape));
    parts.retain(|it| !it.is_empty());
    parts.join(" · ")
}

/// A time as people read it; whatever else it is stays as it is.
fn to_the_second(at: &str) -> std::borrow::Cow<'_, str> {
    let parts = at.strip_suffix('Z').and_then(|it| it.split_once('.'));
    match parts {
        Some((whole, rest)) if rest.bytes().all(|it| it.is_ascii_digit()) => {
            format!("{whole}Z").into()
        }
        _ => at.into(),
    }
}

/// Bytes of an address: with each sign of it put otherwise, it fits where 3000 do.
const LINK: usize = 500;

/// The address to read on at, if it is one, so that it can stand in any text.
pub(crate) fn link(message: &Message) -> Option<String> {
    let url = message.url.as_deref()?;
    let is_one = url.starts_with("https://") || url.starts_with("http://");
    if !is_one || url.len() > LINK {
        return None;
    }
    let is_odd = |it: char| is_unseen(it) || it.is_whitespace() || "<>|\"'`\\()[]{}*@".contains(it);
    let mut plain = String::new();
    for it in url.chars() {
        if is_odd(it) {
            let mut bytes = [0; 4];
            plain += &percent_encoding::percent_encode(
                it.encode_utf8(&mut bytes).as_bytes(),
                percent_encoding::NON_ALPHANUMERIC,
            )
            .to_string();
        } else {
            plain.push(it);
        }
    }
    // What was put otherwise is longer.
    (plain.len() <= LINK).then_some(plain)
}

/// The message in plain lines.
pub(crate) fn plain(message: &Message, room: &Room) -> String {
    let mut lines = vec![line(&message.title, 300, bare), String::new()];
    if !message.text.is_empty() {
        lines.extend([text(&message.text, room.text, bare), String::new()]);
    }
    let (facts, more) = facts(message, room, bare);
    for fact in facts {
        lines.push(format!("{}:", fact.name));
        lines.extend(fact.lines.into_iter().map(|it| format!("  {it}")));
    }
    lines.extend(facts_more(more));
    lines.extend(link(message).map(|it| format!("\n{it}")));
    lines.push(format!("\n{}", about(message, bare)));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn angles(it: char, out: &mut String) {
        match it {
            '<' => *out += "&lt;",
            _ => out.push(it),
        }
    }

    #[test]
    fn times_are_told_to_the_second() {
        for (at, expect) in [
            ("2026-11-22T11:14:32.994729Z", "2026-11-22T11:14:32Z"),
            ("2026-11-22T11:14:32Z", "2026-11-22T11:14:32Z"),
            ("a.bZ", "a.bZ"),
            ("", ""),
        ] {
            assert_eq!(to_the_second(at), expect, "{at}");
        }
    }

    #[test]
    fn cuts_between_characters_and_never_within_an_escape() {
        let check = |text: &str, limit: usize, expect: &str| {
            let found = line(text, limit, angles);
            assert_eq!(found, expect, "{text:?} {limit}");
            assert!(units(&found) <= limit);
        };
        check("", 0, "");
        check("a", 0, "");
        check("abc", 3, "abc");
        check("abcd", 3, "ab…");
        check("<<", 8, "&lt;&lt;");
        check("<<", 7, "&lt;…");
        check("<<", 4, "…");
        check("🦊🦊", 4, "🦊🦊");
        check("🦊🦊", 3, "🦊…");
        check("  a \r\n\t b\u{202e}c\u{7}d  ", 20, "a bcd");
        check("a\u{200b} \u{2028} b", 20, "a b");
        assert_eq!(text("a\r\nb\tc\u{1b}[1m", 20, bare), "a\nb c[1m");
    }

    #[test]
    fn links_lead_out_of_no_text() {
        let link = |url: &str| link(&Message { url: Some(url.to_owned()), ..Message::default() });
        assert_eq!(link("https://a.example/x?y=1").as_deref(), Some("https://a.example/x?y=1"));
        assert_eq!(
            link("https://a.example/|x>\n").as_deref(),
            Some("https://a.example/%7Cx%3E%0A")
        );
        // It would call somebody of that name.
        assert_eq!(link("https://a.example/@ada").as_deref(), Some("https://a.example/%40ada"));
        assert_eq!(link("javascript:alert(1)"), None);
        let long = |it: &str, count| link(&format!("https://a.example/{}", it.repeat(count)));
        assert!(long("x", 480).is_some() && long("'", 160).is_some());
        assert_eq!((long("x", 490), long("'", 170)), (None, None));
    }
}
