//! The shape of a CSAF 2.0 document, as far as Red Hat's advisories need it.
//! <https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html>

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::Deserialize;

/// A text that is borrowed from the document where it needs no unescaping.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Csaf<'a> {
    #[serde(borrow)]
    pub(super) document: About<'a>,
    #[serde(borrow)]
    pub(super) product_tree: ProductTree<'a>,
    #[serde(borrow)]
    pub(super) vulnerabilities: Vec<Flaw<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct About<'a> {
    #[serde(borrow)]
    pub(super) aggregate_severity: Severity<'a>,
    #[serde(borrow)]
    pub(super) title: Text<'a>,
    #[serde(borrow)]
    pub(super) tracking: Tracking<'a>,
    #[serde(borrow)]
    pub(super) references: Vec<Reference<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Severity<'a> {
    #[serde(borrow)]
    pub(super) text: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tracking<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) status: Text<'a>,
    #[serde(borrow)]
    pub(super) initial_release_date: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) current_release_date: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reference<'a> {
    #[serde(borrow)]
    pub(super) category: Text<'a>,
    #[serde(borrow)]
    pub(super) url: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct ProductTree<'a> {
    #[serde(borrow)]
    pub(super) branches: Vec<Branch<'a>>,
    #[serde(borrow)]
    pub(super) full_product_names: Vec<Product<'a>>,
    #[serde(borrow)]
    pub(super) relationships: Vec<Relationship<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Branch<'a> {
    #[serde(borrow)]
    pub(super) branches: Vec<Branch<'a>>,
    #[serde(borrow)]
    pub(super) product: Option<Product<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Product<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) product_id: Text<'a>,
    #[serde(borrow)]
    pub(super) product_identification_helper: Helper<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Helper<'a> {
    #[serde(borrow)]
    pub(super) cpe: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) purl: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Relationship<'a> {
    #[serde(borrow)]
    pub(super) full_product_name: Product<'a>,
    #[serde(borrow)]
    pub(super) product_reference: Text<'a>,
    #[serde(borrow)]
    pub(super) relates_to_product_reference: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Flaw<'a> {
    #[serde(borrow)]
    pub(super) cve: Text<'a>,
    #[serde(borrow)]
    pub(super) cwe: Option<Weakness<'a>>,
    #[serde(borrow)]
    pub(super) title: Text<'a>,
    #[serde(borrow)]
    pub(super) discovery_date: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) release_date: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) notes: Vec<Note<'a>>,
    #[serde(borrow)]
    pub(super) references: Vec<Reference<'a>>,
    #[serde(borrow)]
    pub(super) product_status: ProductStatus<'a>,
    #[serde(borrow)]
    pub(super) remediations: Vec<Remediation<'a>>,
    #[serde(borrow)]
    pub(super) threats: Vec<Threat<'a>>,
    #[serde(borrow)]
    pub(super) flags: Vec<Flag<'a>>,
    #[serde(borrow)]
    pub(super) scores: Vec<Score<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Weakness<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Note<'a> {
    #[serde(borrow)]
    pub(super) category: Text<'a>,
    #[serde(borrow)]
    pub(super) title: Text<'a>,
    #[serde(borrow)]
    pub(super) text: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ProductStatus<'a> {
    #[serde(borrow)]
    pub(super) fixed: Vec<Text<'a>>,
    #[serde(borrow)]
    pub(super) first_fixed: Vec<Text<'a>>,
    #[serde(borrow)]
    pub(super) known_affected: Vec<Text<'a>>,
    #[serde(borrow)]
    pub(super) known_not_affected: Vec<Text<'a>>,
    #[serde(borrow)]
    pub(super) under_investigation: Vec<Text<'a>>,
}

impl ProductStatus<'_> {
    pub(super) fn is_empty(&self) -> bool {
        [
            &self.fixed,
            &self.first_fixed,
            &self.known_affected,
            &self.known_not_affected,
            &self.under_investigation,
        ]
        .iter()
        .all(|it| it.is_empty())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Remediation<'a> {
    #[serde(borrow)]
    pub(super) category: Text<'a>,
    #[serde(borrow)]
    pub(super) details: Text<'a>,
    #[serde(borrow)]
    pub(super) url: Text<'a>,
    #[serde(borrow)]
    pub(super) product_ids: Vec<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Threat<'a> {
    #[serde(borrow)]
    pub(super) category: Text<'a>,
    #[serde(borrow)]
    pub(super) details: Text<'a>,
    #[serde(borrow)]
    pub(super) product_ids: Vec<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Flag<'a> {
    #[serde(borrow)]
    pub(super) label: Text<'a>,
    #[serde(borrow)]
    pub(super) product_ids: Vec<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Score<'a> {
    #[serde(borrow)]
    pub(super) cvss_v4: Option<Cvss<'a>>,
    #[serde(borrow)]
    pub(super) cvss_v3: Option<Cvss<'a>>,
    #[serde(borrow)]
    pub(super) cvss_v2: Option<Cvss<'a>>,
    #[serde(borrow)]
    pub(super) products: Vec<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Cvss<'a> {
    pub(super) base_score: Option<f32>,
    #[serde(borrow)]
    pub(super) vector_string: Text<'a>,
}
