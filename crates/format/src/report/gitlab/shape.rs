//! What GitLab's schema calls its parts, as far as we write them.

use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Document<'a> {
    pub(super) version: &'static str,
    pub(super) scan: Scan<'a>,
    pub(super) vulnerabilities: Vec<Vulnerability<'a>>,
}

/// The same, where vulnerabilities come one by one.
#[derive(Serialize)]
pub(super) struct LastlyScan<'a> {
    version: &'static str,
    vulnerabilities: [(); 0],
    scan: Scan<'a>,
}

impl<'a> LastlyScan<'a> {
    pub(super) fn of(scan: Scan<'a>) -> Self {
        Self { version: super::SCHEMA, vulnerabilities: [], scan }
    }
}

#[derive(Serialize)]
pub(super) struct Scan<'a> {
    pub(super) analyzer: Tool<'a>,
    pub(super) scanner: Tool<'a>,
    pub(super) r#type: &'static str,
    pub(super) start_time: &'a str,
    pub(super) end_time: &'a str,
    pub(super) status: &'static str,
    pub(super) messages: Vec<Message>,
}

#[derive(Serialize)]
pub(super) struct Tool<'a> {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) version: &'a str,
    pub(super) vendor: Vendor,
}

#[derive(Serialize)]
pub(super) struct Vendor {
    pub(super) name: &'static str,
}

#[derive(Serialize)]
pub(super) struct Message {
    pub(super) level: &'static str,
    pub(super) value: String,
}

#[derive(Serialize)]
pub(super) struct Vulnerability<'a> {
    pub(super) id: String,
    pub(super) name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) description: &'a str,
    pub(super) severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) solution: Option<String>,
    pub(super) identifiers: Vec<Identifier<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) cvss_vectors: Vec<Vector<'a>>,
    pub(super) links: Vec<Link<'a>>,
    pub(super) location: Location<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) flags: Option<[Flag; 1]>,
    pub(super) details: Details,
}

#[derive(Serialize)]
pub(super) struct Identifier<'a> {
    pub(super) r#type: String,
    pub(super) name: std::borrow::Cow<'a, str>,
    pub(super) value: std::borrow::Cow<'a, str>,
    pub(super) url: String,
}

#[derive(Serialize)]
pub(super) struct Vector<'a> {
    pub(super) vendor: &'a str,
    pub(super) vector: &'a str,
}

#[derive(Serialize)]
pub(super) struct Link<'a> {
    pub(super) url: &'a str,
}

#[derive(Serialize)]
pub(super) struct Location<'a> {
    pub(super) dependency: Dependency<'a>,
    pub(super) operating_system: &'a str,
    pub(super) image: &'a str,
}

#[derive(Serialize)]
pub(super) struct Dependency<'a> {
    pub(super) package: Named<'a>,
    pub(super) version: &'a str,
}

#[derive(Serialize)]
pub(super) struct Named<'a> {
    pub(super) name: std::borrow::Cow<'a, str>,
}

#[derive(Serialize)]
pub(super) struct Flag {
    pub(super) r#type: &'static str,
    pub(super) origin: &'static str,
    pub(super) description: String,
}

#[derive(Serialize)]
pub(super) struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) purl: Option<Detail>,
    pub(super) affected_range: Detail,
    pub(super) source: Detail,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<Detail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exploited: Option<Detail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) epss: Option<Detail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) statement: Option<Detail>,
}

#[derive(Serialize)]
pub(super) struct Detail {
    pub(super) name: &'static str,
    pub(super) r#type: &'static str,
    pub(super) value: String,
}
