//! Exceptions as an OpenVEX document, for those who are to hear of them elsewhere.
//! <https://github.com/openvex/spec>

use std::fmt::Write as _;

use model::{Exception, ExceptionKind};
use serde::Serialize;

/// What a document is, beside its sentences.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// Its id, an address that nobody else uses.
    pub id: &'a str,
    /// Who says all that.
    pub author: &'a str,
    /// When, in RFC 3339.
    pub at: &'a str,
}

/// An OpenVEX document with a sentence for each flaw of each exception. That a team lives with a flaw is
/// said as `affected`, with what it means to do: OpenVEX has no other word for it. That a sentence holds
/// for some time or in some places alone it cannot say, so `note` has it.
pub fn openvex(head: Head<'_>, exceptions: &[Exception]) -> String {
    let document = Document {
        context: "https://openvex.dev/ns/v0.2.0",
        id: head.id,
        author: head.author,
        timestamp: head.at,
        version: 1,
        statements: exceptions.iter().flat_map(sentences).collect(),
    };
    let mut text = serde_json::to_string_pretty(&document).expect("all keys are texts");
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@id")]
    id: &'a str,
    author: &'a str,
    timestamp: &'a str,
    version: u32,
    statements: Vec<Sentence<'a>>,
}

#[derive(Serialize)]
struct Sentence<'a> {
    vulnerability: Flaw<'a>,
    products: Vec<Component>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    impact_statement: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action_statement: Option<String>,
    status_notes: String,
    timestamp: &'a str,
}

#[derive(Serialize)]
struct Flaw<'a> {
    name: &'a str,
}

#[derive(Clone, Serialize)]
struct Component {
    #[serde(rename = "@id")]
    id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subcomponents: Vec<Component>,
}

fn sentences(it: &Exception) -> impl Iterator<Item = Sentence<'_>> {
    let statement = it.statement();
    let parts: Vec<Component> = it.packages.iter().map(|it| component(it)).collect();
    let products: Vec<Component> = statement
        .products
        .iter()
        .flat_map(|it| &it.names)
        .map(|name| Component { id: product(name), subcomponents: parts.clone() })
        .collect();
    let note = it.note.as_deref();
    let (status, impact, action) = match it.kind {
        ExceptionKind::FalsePositive => ("not_affected", note, None),
        ExceptionKind::AcceptedRisk => {
            let why = note.map(|it| format!(": {it}")).unwrap_or_default();
            ("affected", None, Some(format!("The risk is accepted{why}")))
        }
    };
    let mut notes = format!("exception {}, by {}", it.name, it.author);
    if let Some(expires) = &it.expires {
        let _ = write!(notes, "; until {expires}");
    }
    if !it.environments.is_empty() {
        let _ = write!(notes, "; only in {}", it.environments.join(", "));
    }
    it.flaws.iter().map(move |flaw| Sentence {
        vulnerability: Flaw { name: flaw },
        products: products.clone(),
        status,
        justification: it.justification.as_deref(),
        impact_statement: impact,
        action_statement: action.clone(),
        status_notes: notes.clone(),
        timestamp: &it.said,
    })
}

fn component(id: &str) -> Component {
    Component { id: id.to_owned(), subcomponents: Vec::new() }
}

/// The purl of an image, where its name is one; else the name as it is.
fn product(name: &str) -> String {
    let Ok(reference) = name.parse::<model::Reference>() else { return name.to_owned() };
    if name == "*" || name.parse::<model::Digest>().is_ok() {
        return name.to_owned();
    }
    let place = match &*reference.host {
        "docker.io" => reference.repository.clone(),
        host => format!("{host}/{}", reference.repository),
    };
    let has_tag = name.split('@').next().and_then(|it| it.rsplit('/').next());
    let has_tag = has_tag.is_some_and(|it| it.contains(':'));
    let version = match (&reference.digest, &reference.tag) {
        (Some(digest), _) => format!("@{}", digest.as_str().replace(':', "%3A")),
        (None, Some(tag)) if has_tag => format!("@{tag}"),
        _ => String::new(),
    };
    format!("pkg:docker/{place}{version}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exception(kind: ExceptionKind, images: &[&str], packages: &[&str]) -> Exception {
        let owned = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect();
        Exception {
            name: "first".to_owned(),
            flaws: owned(&["CVE-2026-1", "GHSA-1"]),
            kind,
            justification: (kind == ExceptionKind::FalsePositive)
                .then(|| "vulnerable_code_not_present".to_owned()),
            note: Some("behind a proxy".to_owned()),
            images: owned(images),
            environments: owned(&["production"]),
            packages: owned(packages),
            expires: Some("2027-01-01T00:00:00Z".to_owned()),
            author: "ann".to_owned(),
            said: "2026-11-22T10:00:00Z".to_owned(),
        }
    }

    fn check(it: &Exception) {
        let head = Head { id: "urn:uuid:1", author: "acme", at: "2026-11-22T11:00:00Z" };
        let text = openvex(head, std::slice::from_ref(it));
        let read = crate::read("x", text.as_bytes()).unwrap();
        assert!(read.gaps.is_empty(), "{:?}", read.gaps);
        assert_eq!(read.statements.len(), 2);
        for (statement, flaw) in read.statements.iter().zip(&it.flaws) {
            assert!(statement.flaws.contains(flaw));
            assert_eq!(statement.status.suppresses(), it.kind == ExceptionKind::FalsePositive);
            assert_eq!(statement.justification, it.justification);
            assert!(text.contains("until 2027-01-01T00:00:00Z; only in production"), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for kind in ExceptionKind::ALL {
            check(&exception(kind, &[], &[]));
            check(&exception(kind, &["acme/web", "ghcr.io/acme/api:v1"], &["pkg:npm/lodash"]));
        }
    }

    #[test]
    fn images_are_named_as_purls() {
        let digest = format!("sha256:{}", "a".repeat(64));
        assert_eq!(product("*"), "*");
        assert_eq!(product(&digest), digest);
        assert_eq!(product("acme/web"), "pkg:docker/acme/web");
        assert_eq!(product("ghcr.io/acme/web:v1"), "pkg:docker/ghcr.io/acme/web@v1");
        let pinned = format!("acme/web@{digest}");
        assert_eq!(product(&pinned), format!("pkg:docker/acme/web@sha256%3A{}", "a".repeat(64)));
    }
}
