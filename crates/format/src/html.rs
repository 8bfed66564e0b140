//! html: what comments on GitHub and GitLab are made of: HTML without an empty line, since inside such
//! a block nothing is read as Markdown and only HTML must be escaped in what others wrote.

use std::fmt::Write as _;

use model::{Gap, Level};

use crate::list::shown;
use crate::words;

/// GitHub's comments hold 65 536 letters; we count bytes, and leave some for whoever posts them.
pub(crate) const LONGEST: usize = 64_900;
/// The note about what is left out, and what closes, must fit, too.
pub(crate) const ROOM: usize = LONGEST - 400;
/// So much of it may be gaps, and so much warnings.
const LONGEST_GAPS: usize = 16_000;
pub(crate) const LONGEST_WARNINGS: usize = 4000;
/// And so many letters one single text.
pub(crate) const LONGEST_TEXT: usize = 1000;
/// Writes, unless the whole grows longer than that.
pub(crate) fn within(out: &mut String, most: usize, write: impl FnOnce(&mut String)) -> bool {
    let before = out.len();
    write(out);
    let fits = out.len() <= most;
    if !fits {
        out.truncate(before);
    }
    fits
}

/// `![critical: 1]`, in the colours that people know from Scout.
pub(crate) fn badge(out: &mut String, level: Level, count: usize) {
    let colour = match level {
        _ if count == 0 => "lightgrey",
        Level::Critical => "8b1924",
        Level::High => "e25d68",
        Level::Medium => "fbb552",
        Level::Low => "fce1a9",
        Level::Unspecified => "lightgrey",
    };
    let _ = write!(
        out,
        "<img alt=\"{level}: {count}\" src=\"https://img.shields.io/badge/{level}-{count}-{colour}\"> "
    );
}

/// An item of a list for each gap.
pub(crate) fn gaps(out: &mut String, gaps: &[&Gap]) {
    out.push_str("<ul>\n");
    let most = out.len() + LONGEST_GAPS;
    for (number, gap) in gaps.iter().enumerate() {
        let told = within(out, most, |out| {
            out.push_str("<li><code>");
            push_code(out, &gap.at);
            out.push_str("</code>: ");
            push(out, &gap.why);
            out.push_str("</li>\n");
        });
        if !told {
            let _ = writeln!(out, "<li>and {} more: see another format</li>", gaps.len() - number);
            break;
        }
    }
    out.push_str("</ul>\n");
}

pub(crate) fn row(out: &mut String, label: &str, value: impl FnOnce(&mut String)) {
    let _ = write!(out, "<tr><td>{label}</td><td>");
    value(out);
    out.push_str("</td></tr>\n");
}

pub(crate) fn line(out: &mut String, label: &str, value: &str) {
    row(out, label, |out| push(out, value));
}

pub(crate) fn code(out: &mut String, label: &str, value: &str) {
    row(out, label, |out| {
        out.push_str("<code>");
        push_code(out, value);
        out.push_str("</code>");
    });
}

/// What somebody else wrote: no markup, nobody is mentioned by it, and it has an end.
pub(crate) fn push(out: &mut String, text: &str) {
    escape(out, text, "<!-- -->");
}

/// The same inside `<code>`, where nobody can be mentioned, or inside an attribute.
pub(crate) fn push_code(out: &mut String, text: &str) {
    escape(out, text, "");
}

/// The same, by itself.
pub fn in_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    push(&mut out, text);
    out
}

/// The same for `<code>` and attributes, by itself.
pub fn in_attribute(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    push_code(&mut out, text);
    out
}

fn escape(out: &mut String, text: &str, apart: &str) {
    for letter in words::cut(&shown(text), LONGEST_TEXT).chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '|' => out.push_str("&#124;"),
            '`' => out.push_str("&#96;"),
            // A name behind an `@` would be told that it was mentioned, a number behind a `#` be linked.
            '@' | '#' => {
                out.push(letter);
                out.push_str(apart);
            }
            it => out.push(it),
        }
    }
}
