//! An entry of version 1.1: files of the years, as they were until 2023 and as mirrors keep them.

use model::Advisory;
use serde::Deserialize;

use super::{Cvss, Description, Reference, addresses, english, finished, moment, rating, weakness};
use crate::json::{Text, nullable};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow)]
    cve: Cve<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    impact: Impact<'a>,
    #[serde(borrow, default)]
    published_date: Text<'a>,
    #[serde(borrow, default)]
    last_modified_date: Text<'a>,
}

#[derive(Deserialize)]
struct Cve<'a> {
    #[serde(borrow, rename = "CVE_data_meta")]
    meta: Meta<'a>,
    #[serde(borrow, default)]
    problemtype: ProblemTypes<'a>,
    #[serde(borrow, default)]
    references: References<'a>,
    #[serde(borrow, default)]
    description: Descriptions<'a>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow, default, rename = "ID")]
    id: Text<'a>,
}

#[derive(Default, Deserialize)]
struct ProblemTypes<'a> {
    #[serde(borrow, default, rename = "problemtype_data", deserialize_with = "nullable")]
    all: Vec<ProblemType<'a>>,
}

#[derive(Deserialize)]
struct ProblemType<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    description: Vec<Description<'a>>,
}

#[derive(Default, Deserialize)]
struct References<'a> {
    #[serde(borrow, default, rename = "reference_data", deserialize_with = "nullable")]
    all: Vec<Reference<'a>>,
}

#[derive(Default, Deserialize)]
struct Descriptions<'a> {
    #[serde(borrow, default, rename = "description_data", deserialize_with = "nullable")]
    all: Vec<Description<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Impact<'a> {
    #[serde(borrow, default)]
    base_metric_v3: Option<MetricV3<'a>>,
    #[serde(borrow, default)]
    base_metric_v2: Option<MetricV2<'a>>,
}

#[derive(Deserialize)]
struct MetricV3<'a> {
    #[serde(borrow, rename = "cvssV3")]
    cvss: Cvss<'a>,
}

#[derive(Deserialize)]
struct MetricV2<'a> {
    #[serde(borrow, rename = "cvssV2")]
    cvss: Cvss<'a>,
}

pub(super) fn read(text: &str) -> serde_json::Result<Advisory> {
    let entry: Entry<'_> = serde_json::from_str(text)?;
    let three = entry.impact.base_metric_v3.map(|it| it.cvss);
    let two = entry.impact.base_metric_v2.map(|it| it.cvss);
    let metrics = three.into_iter().chain(two);
    let details = english(&entry.cve.description.all);
    let is_rejected =
        details.starts_with("** REJECT **") || details.starts_with("Rejected reason:");
    let weaknesses = entry.cve.problemtype.all.iter().flat_map(|it| &it.description);
    let advisory = Advisory {
        id: entry.cve.meta.id.to_string(),
        published: moment(&entry.published_date),
        modified: moment(&entry.last_modified_date),
        details,
        ratings: metrics.filter_map(|it| rating("nvd", &it.vector_string, it.base_score)).collect(),
        weaknesses: weaknesses.filter_map(|it| weakness(&it.value)).collect(),
        references: addresses(&entry.cve.references.all),
        ..Advisory::default()
    };
    Ok(finished(advisory, is_rejected))
}
