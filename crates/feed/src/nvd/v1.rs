//! An entry of version 1.1: files of the years, as they were until 2023 and as mirrors keep them.

use model::Advisory;
use serde::Deserialize;

use super::{finished, moment, rank, rating, weakness};
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

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow, default)]
    url: Text<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    tags: Vec<Text<'a>>,
}

#[derive(Default, Deserialize)]
struct Descriptions<'a> {
    #[serde(borrow, default, rename = "description_data", deserialize_with = "nullable")]
    all: Vec<Description<'a>>,
}

#[derive(Deserialize)]
struct Description<'a> {
    #[serde(borrow, default)]
    lang: Text<'a>,
    #[serde(borrow, default)]
    value: Text<'a>,
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cvss<'a> {
    #[serde(borrow, default)]
    vector_string: Text<'a>,
    #[serde(default)]
    base_score: Option<f64>,
}

pub(super) fn read(text: &str) -> serde_json::Result<Advisory> {
    let entry: Entry<'_> = serde_json::from_str(text)?;
    let three = entry.impact.base_metric_v3.map(|it| it.cvss);
    let two = entry.impact.base_metric_v2.map(|it| it.cvss);
    let metrics = three.into_iter().chain(two);
    let english = entry.cve.description.all.iter().find(|it| it.lang.starts_with("en"));
    let details = english.map_or(String::new(), |it| it.value.to_string());
    let is_rejected =
        details.starts_with("** REJECT **") || details.starts_with("Rejected reason:");
    let mut references: Vec<_> =
        entry.cve.references.all.iter().filter(|it| !it.url.is_empty()).collect();
    references.sort_by_key(|it| rank(&it.tags));
    let weaknesses = entry.cve.problemtype.all.iter().flat_map(|it| &it.description);
    let advisory = Advisory {
        id: entry.cve.meta.id.to_string(),
        published: moment(&entry.published_date),
        modified: moment(&entry.last_modified_date),
        details,
        ratings: metrics.filter_map(|it| rating("nvd", &it.vector_string, it.base_score)).collect(),
        weaknesses: weaknesses.filter_map(|it| weakness(&it.value)).collect(),
        references: references.into_iter().map(|it| it.url.to_string()).collect(),
        ..Advisory::default()
    };
    Ok(finished(advisory, is_rejected))
}
