//! An entry of version 2.0: pages of the API, and files of the years since 2023.

use model::Advisory;
use serde::Deserialize;

use super::{Cvss, Description, Reference, addresses, english, finished, moment, rating, weakness};
use crate::json::{Text, nullable};

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    cve: Cve<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cve<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default)]
    published: Text<'a>,
    #[serde(borrow, default)]
    last_modified: Text<'a>,
    #[serde(borrow, default)]
    vuln_status: Text<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    descriptions: Vec<Description<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    metrics: Metrics<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    weaknesses: Vec<Weakness<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    references: Vec<Reference<'a>>,
}

#[derive(Default, Deserialize)]
struct Metrics<'a> {
    #[serde(borrow, default, rename = "cvssMetricV40", deserialize_with = "nullable")]
    v40: Vec<Metric<'a>>,
    #[serde(borrow, default, rename = "cvssMetricV31", deserialize_with = "nullable")]
    v31: Vec<Metric<'a>>,
    #[serde(borrow, default, rename = "cvssMetricV30", deserialize_with = "nullable")]
    v30: Vec<Metric<'a>>,
    #[serde(borrow, default, rename = "cvssMetricV2", deserialize_with = "nullable")]
    v2: Vec<Metric<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metric<'a> {
    #[serde(borrow, default)]
    source: Text<'a>,
    #[serde(borrow, default)]
    cvss_data: Cvss<'a>,
}

#[derive(Deserialize)]
struct Weakness<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    description: Vec<Description<'a>>,
}

pub(super) fn read(text: &str) -> serde_json::Result<Advisory> {
    let Entry { cve } = serde_json::from_str(text)?;
    let metrics = [&cve.metrics.v40, &cve.metrics.v31, &cve.metrics.v30, &cve.metrics.v2];
    let mut ratings: Vec<_> = metrics
        .into_iter()
        .flatten()
        .filter_map(|it| {
            rating(&source(&it.source), &it.cvss_data.vector_string, it.cvss_data.base_score)
        })
        .collect();
    // NVD's own word first, then those of whoever gave the number.
    ratings.sort_by_key(|it| it.source != "nvd");
    let weaknesses = cve.weaknesses.iter().flat_map(|it| &it.description);
    let advisory = Advisory {
        id: cve.id.to_string(),
        published: moment(&cve.published),
        modified: moment(&cve.last_modified),
        details: english(&cve.descriptions),
        ratings,
        weaknesses: weaknesses.filter_map(|it| weakness(&it.value)).collect(),
        references: addresses(&cve.references),
        ..Advisory::default()
    };
    Ok(finished(advisory, &*cve.vuln_status == "Rejected"))
}

/// Who rates: an address, or a number.
fn source(text: &str) -> String {
    match text {
        "nvd@nist.gov" | "" => "nvd".to_owned(),
        "134c704f-9b21-4f2e-91b3-4a467353bcc0" => "cisa-adp".to_owned(),
        "security-advisories@github.com" => "ghsa".to_owned(),
        "secalert@redhat.com" => "redhat".to_owned(),
        other => other.to_ascii_lowercase(),
    }
}
