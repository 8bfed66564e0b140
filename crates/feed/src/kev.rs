//! KEV: the flaws that the United States' CISA knows to be used in attacks.

use model::{Exploited, Threat};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::{Text, fields, nullable, without_mark};
use crate::{Document, Feed, Parsed, Part};

pub(crate) struct Kev;

impl Feed for Kev {
    fn id(&self) -> &'static str {
        "kev"
    }

    fn title(&self) -> &'static str {
        "CISA Known Exploited Vulnerabilities"
    }

    fn about(&self) -> &'static str {
        "https://www.cisa.gov/known-exploited-vulnerabilities-catalog; CC0-1.0"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tells(&self) -> Option<Threat> {
        Some(Threat::Attacks)
    }

    fn every_hours(&self) -> u32 {
        1
    }

    fn parts(&self) -> Vec<Part> {
        let url =
            "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json";
        vec![Part { name: "all".to_owned(), urls: vec![url.to_owned()] }]
    }

    fn recognises(&self, _: &str, head: &[u8]) -> Option<String> {
        let fields = fields(head);
        let is_catalog = fields.contains(&"catalogVersion") && fields.contains(&"dateReleased");
        is_catalog.then(|| "all".to_owned())
    }

    fn parse(&self, _: &str, document: &Document<'_>) -> Parsed {
        let catalog: Catalog<'_> = match serde_json::from_slice(without_mark(document.bytes)) {
            Ok(catalog) => catalog,
            Err(error) => {
                return Parsed::gap(document.path, format!("the catalog cannot be read: {error}"));
            }
        };
        let mut parsed = Parsed { current: catalog.released.some(), ..Parsed::default() };
        for (number, raw) in catalog.vulnerabilities.iter().enumerate() {
            let at = || format!("{}#{number}", document.path);
            match serde_json::from_str::<Listed<'_>>(raw.get()) {
                Ok(listed) if listed.id.is_empty() => {
                    parsed.hole(at(), "the entry has no `cveID`");
                }
                Ok(listed) => parsed.exploited.push(listed.into()),
                Err(error) => {
                    let why = format!("the entry cannot be read: {error}");
                    parsed.hole(at(), why);
                }
            }
        }
        if catalog.count.is_some_and(|it| it != catalog.vulnerabilities.len() as u64) {
            let why = "the catalog has not as many entries as it says";
            parsed.hole(document.path, why);
        }
        parsed
    }
}

#[derive(Deserialize)]
struct Catalog<'a> {
    #[serde(borrow, default, rename = "dateReleased")]
    released: Text<'a>,
    #[serde(default)]
    count: Option<u64>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    vulnerabilities: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    #[serde(borrow, default, rename = "cveID")]
    id: Text<'a>,
    #[serde(borrow, default)]
    vulnerability_name: Text<'a>,
    #[serde(borrow, default)]
    date_added: Text<'a>,
    #[serde(borrow, default)]
    due_date: Text<'a>,
    #[serde(borrow, default)]
    required_action: Text<'a>,
    #[serde(borrow, default)]
    known_ransomware_campaign_use: Text<'a>,
}

impl From<Listed<'_>> for Exploited {
    fn from(listed: Listed<'_>) -> Self {
        Self {
            id: listed.id.to_string(),
            added: listed.date_added.to_string(),
            due: listed.due_date.some(),
            ransomware: listed.known_ransomware_campaign_use.eq_ignore_ascii_case("known"),
            title: listed.vulnerability_name.to_string(),
            action: listed.required_action.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shown::check;

    #[test]
    fn entries_are_attacks_seen() {
        check(
            &Kev,
            "all",
            r#"{"title": "CISA Catalog", "catalogVersion": "2025.08.25", "dateReleased": "2025-08-25T17:04:19Z", "count": 4,
               "vulnerabilities": [
                {"cveID": "CVE-2021-44228", "vulnerabilityName": "Log4j2 RCE", "dateAdded": "2021-12-10",
                 "requiredAction": "Mitigate.", "dueDate": "2021-12-24", "knownRansomwareCampaignUse": "Known"},
                {"cveID": "CVE-2014-0160", "vulnerabilityName": "Heartbleed", "dateAdded": "2022-05-04",
                 "requiredAction": "Update.", "knownRansomwareCampaignUse": "Unknown", "notes": ["odd"]},
                {"vulnerabilityName": "Nothing"},
                7
               ]}"#,
            "CVE-2021-44228 exploited since 2021-12-10, due 2021-12-24, ransomware: Log4j2 RCE; Mitigate.
             CVE-2014-0160 exploited since 2022-05-04: Heartbleed; Update.
             ! x#2: the entry has no `cveID`
             ! x#3: the entry cannot be read: invalid type: integer `7`, expected struct Listed at line 1 column 1
             current 2025-08-25T17:04:19Z",
        );
        check(
            &Kev,
            "all",
            r#"{"catalogVersion": "1", "dateReleased": "", "count": 2, "vulnerabilities": null}"#,
            "! x: the catalog has not as many entries as it says",
        );
        check(
            &Kev,
            "all",
            "{",
            "! x: the catalog cannot be read: EOF while parsing an object at line 1 column 1",
        );
    }
}
