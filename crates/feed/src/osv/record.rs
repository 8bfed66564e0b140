//! An OSV record as it is written. <https://ossf.github.io/osv-schema/>

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::{Text, nullable};

#[derive(Deserialize)]
pub(super) struct Record<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) modified: Text<'a>,
    #[serde(borrow, default)]
    pub(super) published: Text<'a>,
    #[serde(borrow, default)]
    pub(super) withdrawn: Text<'a>,
    #[serde(borrow, default)]
    pub(super) summary: Text<'a>,
    #[serde(borrow, default)]
    pub(super) details: Text<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) aliases: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) upstream: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) related: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) severity: Vec<Severity<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) affected: Vec<Affected<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) references: Vec<Reference<'a>>,
    #[serde(borrow, default)]
    pub(super) database_specific: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Severity<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow, default)]
    pub(super) score: Text<'a>,
    /// Since version 1.8 of the schema: who says so.
    #[serde(borrow, default)]
    pub(super) source: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct Reference<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow, default)]
    pub(super) url: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct Affected<'a> {
    #[serde(borrow, default)]
    pub(super) package: Option<Package<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) severity: Vec<Severity<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) ranges: Vec<Range<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) versions: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) database_specific: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) ecosystem_specific: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Package<'a> {
    #[serde(borrow, default)]
    pub(super) ecosystem: Text<'a>,
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow, default)]
    pub(super) purl: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct Range<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) events: Vec<Event<'a>>,
}

#[derive(Default, Deserialize)]
pub(super) struct Event<'a> {
    #[serde(borrow, default)]
    pub(super) introduced: Text<'a>,
    #[serde(borrow, default)]
    pub(super) fixed: Text<'a>,
    #[serde(borrow, default)]
    pub(super) last_affected: Text<'a>,
    #[serde(borrow, default)]
    pub(super) limit: Text<'a>,
}

/// What some databases add to a record.
#[derive(Default, Deserialize)]
pub(super) struct RecordExtra<'a> {
    /// GitHub, Bitnami.
    #[serde(borrow, default)]
    pub(super) severity: Text<'a>,
    /// GitHub, Erlang.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) cwe_ids: Vec<Text<'a>>,
}

/// What some databases add to an affected package.
#[derive(Default, Deserialize)]
pub(super) struct AffectedExtra<'a> {
    /// Docker.
    #[serde(borrow, default)]
    pub(super) severity: Text<'a>,
    /// GitHub: how far it is known to reach, where there is no fix.
    #[serde(borrow, default)]
    pub(super) last_known_affected_version_range: Text<'a>,
    /// `RustSec`.
    #[serde(borrow, default)]
    pub(super) cvss: Text<'a>,
    /// `RustSec`: `unmaintained`, `unsound`, `notice`.
    #[serde(borrow, default)]
    pub(super) informational: Text<'a>,
    /// `RustSec`: `malicious`, `crypto-failure`.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) categories: Vec<Text<'a>>,
    /// Malicious packages.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) cwes: Vec<Weakness<'a>>,
    /// Ubuntu's notices.
    #[serde(borrow, default)]
    pub(super) cves_map: CvesMap<'a>,
}

#[derive(Default, Deserialize)]
pub(super) struct Weakness<'a> {
    #[serde(borrow, default, rename = "cweId")]
    pub(super) id: Text<'a>,
}

#[derive(Default, Deserialize)]
pub(super) struct CvesMap<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) cves: Vec<RatedCve<'a>>,
}

#[derive(Deserialize)]
pub(super) struct RatedCve<'a> {
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) severity: Vec<Severity<'a>>,
}

/// What some ecosystems add to an affected package.
#[derive(Default, Deserialize)]
pub(super) struct EcosystemExtra<'a> {
    /// Debian.
    #[serde(borrow, default)]
    pub(super) urgency: Text<'a>,
    /// Ubuntu: `Livepatch subscription required`.
    #[serde(borrow, default)]
    pub(super) availability: Text<'a>,
    /// `AlmaLinux`: `go-toolset:rhel8`.
    #[serde(borrow, default)]
    pub(super) rpm_modularity: Text<'a>,
    /// Ubuntu and SUSE, each in its own shape.
    #[serde(borrow, default)]
    pub(super) binaries: Option<&'a RawValue>,
}
