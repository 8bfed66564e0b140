//! What every document says of itself: when it was made, its number, and its image's own name.

mod printed;

use std::fmt::Write as _;

use model::{ImageDescription, Inventory, Purl, Reference};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

pub(crate) use printed::{print_with, printed};

/// What we are called in documents.
pub(crate) const TOOL: &str = "foretop";

/// Stands in a document where its number will be.
pub(crate) const UNNUMBERED: &str = "urn:uuid:00000000-0000-8000-8000-000000000000";

/// When the document was made: as told, else when the image was, else the epoch; to the second.
pub(crate) fn created(inventory: &Inventory, told: Option<&str>) -> String {
    let image = inventory.subject.image().and_then(|image| image.created.as_deref());
    [told, image]
        .into_iter()
        .flatten()
        .find_map(to_the_second)
        .unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
}

pub(crate) fn to_the_second(text: &str) -> Option<String> {
    let time: jiff::Timestamp = text.parse().ok()?;
    let shown = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    (shown.len() == 20 && shown.starts_with(|it: char| it.is_ascii_digit())).then_some(shown)
}

/// A document as indented JSON, written piece by piece as the list grows that it is mostly made of.
pub(crate) struct List {
    /// What stands before the first piece, until that is written.
    head: String,
    rest: String,
    is_begun: bool,
}

impl List {
    /// Of a document in which that list stands empty under `key`.
    pub(crate) fn of(document: &impl Serialize, key: &str) -> Self {
        let mut head = printed(document, 0);
        let empty = format!("\n  \"{key}\": []");
        let at = head.find(&empty).expect("the list is there") + empty.len() - 1;
        let rest = head.split_off(at);
        Self { head, rest, is_begun: false }
    }

    /// What is to be written next.
    pub(crate) fn add(&mut self, thing: &impl Serialize) -> String {
        self.add_piece(&Self::piece(thing))
    }

    /// One of the list, as it stands in it.
    pub(crate) fn piece(thing: &impl Serialize) -> String {
        printed::printed_in_a_list(thing)
    }

    /// What is to be written next, where that was made before.
    pub(crate) fn add_piece(&mut self, piece: &str) -> String {
        let mark = if std::mem::replace(&mut self.is_begun, true) { ",\n    " } else { "\n    " };
        [&*std::mem::take(&mut self.head), mark, piece].concat()
    }

    /// What stands behind the last piece, where that is another thing by now.
    pub(crate) fn end_as(&mut self, whole: Self) -> String {
        self.rest = whole.rest;
        self.end()
    }

    /// What stands behind the last piece.
    pub(crate) fn end(&mut self) -> String {
        let close = if self.is_begun { "\n  " } else { "" };
        format!("{}{close}{}", std::mem::take(&mut self.head), self.rest)
    }
}

/// Gives the document its number, a UUID (version 8) made of its own content: the first
/// `UNNUMBERED` in it is replaced.
pub(crate) fn numbered(mut document: String) -> String {
    let number = format!("urn:uuid:{}", uuid(&Sha256::digest(document.as_bytes()).into()));
    if let Some(at) = document.find(UNNUMBERED) {
        document.replace_range(at..at + UNNUMBERED.len(), &number);
    }
    document
}

/// A UUID (version 8) made of a hash.
pub(crate) fn uuid(hash: &[u8; 32]) -> String {
    let mut number = String::with_capacity(36);
    for (position, byte) in hash.iter().take(16).enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            number.push('-');
        }
        let byte = match position {
            6 => byte & 0x0f | 0x80,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        let _ = write!(number, "{byte:02x}");
    }
    number
}

/// `pkg:oci/debian@sha256:…`, for an image whose digest is known and whose name is a reference.
pub(crate) fn oci_purl(image: &ImageDescription) -> Option<Purl> {
    let digest = image.digest.as_ref()?;
    let reference: Reference = image.name.parse().ok()?;
    let name = reference.repository.rsplit('/').next()?;
    Some(
        Purl::new("oci", name)
            .with_version(digest.as_str())
            .with_qualifier("arch", &image.platform.architecture)
            .with_qualifier(
                "repository_url",
                &format!("{}/{}", reference.host, reference.repository),
            )
            .with_qualifier("tag", reference.tag.as_deref().unwrap_or_default()),
    )
}

/// Is this a web address that no reader will stumble over? Stricter than RFC 3986 on purpose: what
/// is refused is written elsewhere.
pub(crate) fn is_plain_url(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let (address, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let authority = address.split(['/', '?']).next().unwrap_or_default();
    let (host, port) = authority.split_once(':').unwrap_or((authority, "80"));
    let host_letter = |it: u8| it.is_ascii_alphanumeric() || b".-".contains(&it);
    !host.is_empty()
        && host.starts_with(|it: char| it.is_ascii_alphanumeric())
        && host.bytes().all(host_letter)
        && (1..=5).contains(&port.len())
        && port.bytes().all(|it| it.is_ascii_digit())
        && is_plain_path(&address[authority.len()..])
        && is_plain_path(fragment)
}

fn is_plain_path(text: &str) -> bool {
    let letter = |it: u8| it.is_ascii_alphanumeric() || b"-._~:/?@!$&'()*+,;=".contains(&it);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let escaped = byte == b'%'
            && bytes.next().is_some_and(|it| it.is_ascii_hexdigit())
            && bytes.next().is_some_and(|it| it.is_ascii_hexdigit());
        if !escaped && (byte == b'%' || !letter(byte)) {
            return false;
        }
    }
    true
}

/// The SPDX reference type for a CPE: `cpe23Type`, `cpe22Type`, or none when it is written wrongly.
pub(crate) fn cpe_type(text: &str) -> Option<&'static str> {
    if let Some(rest) = text.strip_prefix("cpe:2.3:") {
        return is_cpe23(rest).then_some("cpe23Type");
    }
    let rest = text.strip_prefix("cpe:/")?;
    let letter = |it: u8| it.is_ascii_alphanumeric() || b"._-~%".contains(&it);
    let mut parts = rest.split(':');
    let part = parts.next()?;
    let rest: Vec<&str> = parts.collect();
    (matches!(part, "a" | "h" | "o")
        && rest.len() <= 6
        && rest.iter().all(|it| it.bytes().all(letter)))
    .then_some("cpe22Type")
}

fn is_cpe23(rest: &str) -> bool {
    let mut parts = vec![String::new()];
    let mut letters = rest.chars();
    while let Some(letter) = letters.next() {
        let Some(part) = parts.last_mut() else { return false };
        match letter {
            ':' => parts.push(String::new()),
            '\\' => match letters.next() {
                Some(it) if it.is_ascii_punctuation() => part.push('x'),
                _ => return false,
            },
            other => part.push(other),
        }
    }
    let plain = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|it| it.is_ascii_alphanumeric() || b"-._".contains(&it))
    };
    let language = |part: &str| {
        matches!(part, "-")
            || (2..=3).contains(&part.len()) && part.bytes().all(|it| it.is_ascii_alphabetic())
    };
    parts.len() == 11
        && parts.iter().enumerate().all(|(number, part)| match (number, part.as_str()) {
            (0, part) => matches!(part, "a" | "h" | "o" | "*" | "-"),
            (_, "*") => true,
            (6, part) => language(part),
            (_, part) => plain(part),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_cut_to_the_second() {
        let check = |text: &str, expect: &str| {
            let subject = model::Subject::Document { name: String::new() };
            let inventory = Inventory {
                subject,
                distro: None,
                packages: vec![],
                statements: vec![],
                gaps: vec![],
            };
            assert_eq!(created(&inventory, Some(text)), expect);
        };
        check("2026-01-02T03:04:05.678901234Z", "2026-01-02T03:04:05Z");
        check("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z");
        check("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z");
        check("-000001-01-01T00:00:00Z", "1970-01-01T00:00:00Z");
        check("yesterday", "1970-01-01T00:00:00Z");
        check("", "1970-01-01T00:00:00Z");
    }

    #[test]
    fn plain_urls() {
        for text in ["https://a.b", "http://a.b:80/c%20d?e=f#g", "https://a.b/(x)"] {
            assert!(is_plain_url(text), "{text}");
        }
        for text in [
            "",
            "a.b",
            "ftp://a.b",
            "https://",
            "https://a b",
            "https://a.b/%zz",
            "https://a.b/%",
            "https://a.b/#a#b",
            "https://a:b/",
            "https://[::1]/",
            "https://ä.b/",
            "https://a.b/\n",
        ] {
            assert!(!is_plain_url(text), "{text}");
        }
    }

    #[test]
    fn cpes_are_told_apart() {
        let check = |text: &str, expect: Option<&str>| assert_eq!(cpe_type(text), expect, "{text}");
        check("cpe:2.3:a:gnu:bash:5.2:*:*:*:*:*:*:*", Some("cpe23Type"));
        check(r"cpe:2.3:a:x:lib\:x:1\.0:-:*:*:en:*:*:*", Some("cpe23Type"));
        check("cpe:2.3:a:gnu:bash:5.2:*:*:*:*:*:*", None);
        check("cpe:2.3:x:gnu:bash:5.2:*:*:*:*:*:*:*", None);
        check("cpe:2.3:a:g u:bash:5.2:*:*:*:*:*:*:*", None);
        check("cpe:/o:redhat:enterprise_linux:9::baseos", Some("cpe22Type"));
        check("cpe:/x:redhat", None);
        check("", None);
    }
}
