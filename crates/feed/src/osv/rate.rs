//! How bad an OSV record says it is: vectors, words, and whose they are.

use model::{Level, Rating};
use serde_json::value::RawValue;

use super::record::{Record, RecordExtra, Severity};
use crate::rating::{of_vector, of_word_and_vectors, version};

/// The ratings of the whole record. Those of an erratum are about the worst of its flaws: of one
/// with several only the word is told, which is said of the erratum.
pub(super) fn of_record(record: &Record<'_>, is_alone: bool) -> Vec<Rating> {
    let source = source(&record.id);
    let extra: RecordExtra<'_> = extra(record.database_specific);
    let word = Some(&*extra.severity).filter(|it| !it.is_empty()).or_else(|| erratum_word(record));
    let (own, mut vectors) = of_severities(&source, &record.id, &record.severity);
    let word = own.or_else(|| word.map(str::to_owned));
    if !is_alone && word.is_some() {
        vectors.clear();
    }
    of_word_and_vectors(&source, word.as_deref(), vectors)
}

/// The publisher's own word, and the vectors.
pub(super) fn of_severities(
    source: &str,
    id: &str,
    severities: &[Severity<'_>],
) -> (Option<String>, Vec<Rating>) {
    let mut word = None;
    let mut vectors = Vec::new();
    for severity in severities {
        let source = match &*severity.source {
            "" if is_copied(id) => "nvd".to_owned(),
            "" => source.to_owned(),
            told => told.to_ascii_lowercase(),
        };
        if severity.kind.starts_with("CVSS") || version(&severity.score).is_some() {
            vectors.extend(of_vector(&source, &severity.score));
        } else if Level::of_word(&severity.score) != Level::Unspecified {
            word = Some(severity.score.to_string());
        }
    }
    (word, vectors)
}

/// The rating of one package: in a word, or by the newest vector.
pub(super) fn of_package(source: &str, id: &str, severities: &[Severity<'_>]) -> Option<Rating> {
    let (word, vectors) = of_severities(source, id, severities);
    of_word_and_vectors(source, word.as_deref(), vectors).into_iter().next()
}

/// What a database adds, where it has the shape that we know.
pub(super) fn extra<'a, T: Default + serde::Deserialize<'a>>(raw: Option<&'a RawValue>) -> T {
    raw.and_then(|it| serde_json::from_str(it.get()).ok()).unwrap_or_default()
}

/// Debian's, Alpine's and Ubuntu's records repeat the vectors of the CVE.
fn is_copied(id: &str) -> bool {
    ["DEBIAN-CVE-", "ALPINE-CVE-", "UBUNTU-CVE-", "CVE-"].iter().any(|it| id.starts_with(it))
}

/// `Moderate` of `Moderate: nginx:1.22 security update`.
fn erratum_word<'a>(record: &'a Record<'_>) -> Option<&'a str> {
    let (word, _) = record.summary.split_once(": ")?;
    let is_erratum =
        ["ALSA-", "RHSA-", "RLSA-", "RXSA-"].iter().any(|it| record.id.starts_with(it));
    (is_erratum && Level::of_word(word) != Level::Unspecified).then_some(word)
}

/// Who speaks in a record, told by its id.
pub(super) fn source(id: &str) -> String {
    let prefix = id.split('-').next().unwrap_or_default();
    let known = match prefix {
        "ALSA" | "ALBA" | "ALEA" => "almalinux",
        "BIT" => "bitnami",
        "CGA" => "chainguard",
        "CVE" => "nvd",
        "DSA" | "DLA" | "DTSA" => "debian",
        "EEF" => "erlang",
        "GO" => "go",
        "HSEC" => "haskell",
        "JLSEC" => "julia",
        "LSN" | "USN" => "ubuntu",
        "MAL" => "ossf",
        "MGASA" => "mageia",
        "MINI" => "minimos",
        "OESA" => "openeuler",
        "PHSA" => "photon",
        "PYSEC" => "pypa",
        "RHSA" | "RHBA" | "RHEA" => "redhat",
        "RLSA" | "RXSA" => "rocky",
        "RSEC" => "r-consortium",
        "SUSE" | "openSUSE" => "suse",
        _ => return prefix.to_ascii_lowercase(),
    };
    known.to_owned()
}

/// The number of `CWE-79`.
pub(super) fn weakness(text: &str) -> Option<u32> {
    text.strip_prefix("CWE-")?.parse().ok()
}
