//! Predicate types, and what people call them.

use std::borrow::Cow;

/// The type that OpenVEX documents are attached under.
pub const OPENVEX: &str = "https://openvex.dev/ns/v0.2.0";

/// A predicate type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its address, without a version that may follow.
    pub uri: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Is the version part of the name?
    versioned: bool,
}

const fn plain(uri: &'static str, name: &'static str) -> Kind {
    Kind { uri, name, versioned: false }
}

const fn versioned(uri: &'static str, name: &'static str) -> Kind {
    Kind { uri, name, versioned: true }
}

/// Every predicate type that has a name.
pub(crate) const ALL: &[Kind] = &[
    plain("https://spdx.dev/Document", "SPDX"),
    versioned("https://cyclonedx.org/bom", "CycloneDX"),
    versioned("https://slsa.dev/provenance", "SLSA provenance"),
    versioned("https://slsa.dev/verification_summary", "SLSA verification summary"),
    plain("https://in-toto.io/attestation/vulns", "in-toto vulnerabilities"),
    plain("https://in-toto.io/attestation/vuln", "in-toto vulnerabilities"),
    plain("https://openvex.dev/ns", "OpenVEX"),
    plain("https://scout.docker.com/health", "Scout health score"),
    plain("https://scout.docker.com/provenance", "Scout provenance"),
    plain("https://scout.docker.com/sbom", "Scout SBOM"),
    plain("https://scout.docker.com/secrets", "Scout secrets"),
    plain("https://scout.docker.com/tests", "Scout tests"),
    plain("https://scout.docker.com/virus", "Scout virus scan"),
    plain("https://scout.docker.com/vulnerabilities", "Scout vulnerabilities"),
    plain("https://cosign.sigstore.dev/attestation/vuln", "cosign vulnerabilities"),
    plain("https://cosign.sigstore.dev/attestation", "cosign custom"),
    plain("https://sigstore.dev/cosign/sign", "cosign signature"),
    plain("https://docker.com/dhi/stig", "DHI STIG scan"),
    plain("https://docker.com/dhi/fips", "DHI FIPS compliance"),
];

/// What a predicate type is called; one that nobody named stands for itself.
///
/// ```
/// assert_eq!(attestation::kind("https://slsa.dev/provenance/v0.2"), "SLSA provenance 0.2");
/// assert_eq!(attestation::kind("https://example.com/tea"), "https://example.com/tea");
/// ```
pub fn kind(predicate_type: &str) -> Cow<'_, str> {
    let rest = |kind: &Kind| {
        let rest = predicate_type.strip_prefix(kind.uri)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    };
    let found = ALL.iter().filter_map(|it| Some((it, rest(it)?))).max_by_key(|it| it.0.uri.len());
    let Some((kind, rest)) = found else { return Cow::Borrowed(predicate_type) };
    let version = rest.trim_start_matches('/').trim_start_matches('v');
    let number = |it: char| it.is_ascii_digit() || it == '.';
    if !kind.versioned || version.is_empty() || !version.chars().all(number) {
        return Cow::Borrowed(kind.name);
    }
    Cow::Owned(format!("{} {version}", kind.name))
}
