//! How reports word things: a range, a fix, a statement, a source.

use std::borrow::Cow;
use std::fmt::Write as _;

use model::{
    Bound, Finding, Fix, Forecast, ImageDescription, Level, Outlook, Space, Span, Statement,
    StatementStatus,
};

/// The bounds of the span that the version is in: `>=1.0`, `<1.2`; `*` for all versions.
pub(crate) fn bounds(finding: &Finding) -> Vec<String> {
    match finding.spans.first() {
        Some(span) => bounds_of(span),
        None => vec![format!("={}", finding.version)],
    }
}

pub(crate) fn bounds_of(span: &Span) -> Vec<String> {
    let written = |bound: &Bound, sign: &str| {
        format!("{sign}{}{}", if bound.included { "=" } else { "" }, bound.version)
    };
    let mut bounds = Vec::with_capacity(2);
    bounds.extend(span.from.as_ref().map(|it| written(it, ">")));
    bounds.extend(span.to.as_ref().map(|it| written(it, "<")));
    if bounds.is_empty() {
        bounds.push("*".to_owned());
    }
    bounds
}

/// The same in one line: `>=1.0, <1.2`.
pub(crate) fn range(finding: &Finding) -> String {
    bounds(finding).join(", ")
}

/// What to do: a version, or why there is none.
pub(crate) fn fixed(finding: &Finding) -> Cow<'_, str> {
    fix(&finding.fix, &finding.space)
}

/// The same, of what is in that space.
pub(crate) fn fix<'a>(fix: &'a Fix, space: &Space) -> Cow<'a, str> {
    match fix {
        Fix::Version { version, channel: None } => version.into(),
        Fix::Version { version, channel: Some(channel) } => {
            if space.family() == "ubuntu" && channel.starts_with("esm") {
                format!("{version}, needs Ubuntu Pro ({channel})").into()
            } else {
                format!("{version}, only in {channel}").into()
            }
        }
        Fix::None(outlook) => match outlook {
            Outlook::Open => "not fixed",
            Outlook::Minor => "not fixed (minor, no update of its own)",
            Outlook::Deferred => "not fixed (deferred)",
            Outlook::WillNotFix => "not fixed (will not fix)",
            Outlook::EndOfLife => "not fixed (end of life)",
        }
        .into(),
    }
}

/// `Upgrade zlib to 1.2.13`, or nothing where there is no fix.
pub(crate) fn solution(finding: &Finding) -> Option<String> {
    finding.fixed().map(|_| format!("Upgrade {} to {}", finding.name, fixed(finding)))
}

/// Whose word it is: `debian-tracker: CVE-2022-37434 (DSA-5218-1)`.
pub(crate) fn source(finding: &Finding) -> String {
    let mut text = format!("{}: {}", finding.feed, finding.advisory);
    if !finding.bulletins.is_empty() {
        let _ = write!(text, " ({})", finding.bulletins.join(", "));
    }
    text
}

/// What a statement says: `not affected [vulnerable code not present]`.
pub(crate) fn statement(statement: &Statement) -> String {
    let mut text = match statement.status {
        StatementStatus::NotAffected => "not affected",
        StatementStatus::Affected => "affected",
        StatementStatus::Fixed => "fixed",
        StatementStatus::UnderInvestigation => "under investigation",
        StatementStatus::Accepted => "accepted",
    }
    .to_owned();
    if let Some(why) = &statement.justification {
        let _ = write!(text, " [{}]", why.replace('_', " "));
    }
    text
}

/// What somebody says of a flaw, with all else they say, in one line.
pub fn whole_statement(it: &Statement) -> String {
    let mut text = statement(it);
    let mut say = |what: &str, value: Option<&str>| {
        if let Some(value) = value {
            let _ = write!(text, "{what}{value}");
        }
    };
    say(": ", it.note.as_deref());
    say(", says ", it.author.as_deref());
    say(", read from ", Some(&it.origin));
    say(", until ", it.expires.as_deref());
    text
}

/// `CWE-79, CWE-80`.
pub(crate) fn weaknesses(finding: &Finding) -> String {
    let names: Vec<String> = finding.weaknesses.iter().map(|it| format!("CWE-{it}")).collect();
    names.join(", ")
}

/// A level in capitals, as reports for people have it.
pub(crate) fn upper(level: Level) -> &'static str {
    match level {
        Level::Critical => "CRITICAL",
        Level::High => "HIGH",
        Level::Medium => "MEDIUM",
        Level::Low => "LOW",
        Level::Unspecified => "UNSPECIFIED",
    }
}

/// The line behind a finding's id: its title, or its weaknesses.
pub(crate) fn headline(finding: &Finding) -> Cow<'_, str> {
    if finding.title.is_empty() { weaknesses(finding).into() } else { (&*finding.title).into() }
}

/// As much of a headline as fits a line, in whole words.
pub(crate) fn short(headline: &str) -> Cow<'_, str> {
    const MOST: usize = 100;
    let line = cut(headline, MOST);
    if line.len() == headline.len() {
        return headline.into();
    }
    // The next letter tells whether the last word is whole.
    let is_whole = headline.get(line.len()..).is_some_and(|it| it.starts_with(' '));
    let words = line.rsplit_once(' ').filter(|_| !is_whole).map_or(line, |(words, _)| words);
    format!("{}…", words.trim_end_matches([' ', ',', ';', ':', '.', '(', '…'])).into()
}

/// The page about a flaw, for whoever wants to read on.
#[must_use]
pub fn link(id: &str) -> String {
    let mut url = String::with_capacity(64);
    url.push_str(if id.starts_with("CVE-") {
        "https://nvd.nist.gov/vuln/detail/"
    } else if id.starts_with("GHSA-") {
        "https://github.com/advisories/"
    } else {
        "https://osv.dev/vulnerability/"
    });
    push_encoded(&mut url, id, b"");
    url
}

/// Percent-encodes what is not a plain letter of a URL, or one of `also`.
pub(crate) fn push_encoded(url: &mut String, text: &str, also: &[u8]) {
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~".contains(&byte) || also.contains(&byte) {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
}

/// For which platform an image is, where somebody can tell: what a digest alone says of is for none.
pub(crate) fn platform(image: &ImageDescription) -> Option<String> {
    let is_told = !image.platform.os.is_empty() || !image.platform.architecture.is_empty();
    is_told.then(|| image.platform.to_string())
}

/// The scheme of a flaw's name: `cve`, `ghsa`, `rustsec`; `other` where it has none.
pub(crate) fn scheme(id: &str) -> String {
    match id.split_once('-') {
        Some((scheme, _))
            if !scheme.is_empty() && scheme.bytes().all(|it| it.is_ascii_alphanumeric()) =>
        {
            scheme.to_ascii_lowercase()
        }
        _ => "other".to_owned(),
    }
}

/// No more than so many letters.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// `1 gap`, `2 gaps`, `1 vulnerability`.
pub(crate) fn many(count: usize, one: &str) -> String {
    match one.strip_suffix('y') {
        _ if count == 1 => format!("1 {one}"),
        Some(stem) => format!("{count} {stem}ies"),
        None => format!("{count} {one}s"),
    }
}

/// `9th percentile`.
pub(crate) fn percentile(forecast: &Forecast) -> String {
    // The cast saturates, and takes what is no number for 0.
    #[expect(clippy::cast_sign_loss, reason = "it is between 0 and 100")]
    let number = (forecast.percentile.clamp(0.0, 1.0) * 100.0).round() as u32;
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending} percentile")
}

/// Who looked at what is loaded, and when; and whether that is too long ago.
pub(crate) fn in_use(it: &model::InUse) -> (String, bool) {
    let (by, day) = (it.by.join(" and "), it.seen.get(..10).unwrap_or(&it.seen));
    if it.is_old {
        let says = "says nothing any more of what is loaded where it runs";
        return (format!("what {by} saw on {day} {says}"), true);
    }
    (format!("what is loaded where it runs was seen on {day} by {by}"), false)
}
