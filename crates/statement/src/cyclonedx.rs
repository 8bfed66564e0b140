//! cyclonedx: CycloneDX VEX, the `vulnerabilities` of a BOM that have an analysis.
//! <https://cyclonedx.org/docs/1.6/json/#vulnerabilities>

use std::collections::BTreeMap;

use model::{Product, Statement, percent_decoded};
use serde::Deserialize;

use crate::contract::{Document, Read, Unreadable};
use crate::room::{PRODUCT, Room, weight_of};
use crate::shared::{head_of, said, status};

pub(crate) struct CycloneDx;

impl Document for CycloneDx {
    fn id(&self) -> &'static str {
        "cyclonedx"
    }

    fn title(&self) -> &'static str {
        "CycloneDX VEX 1.4 to 1.6, JSON"
    }

    fn claims(&self, bytes: &[u8]) -> bool {
        head_of(bytes).is_some_and(|it| it.bom_format.as_deref() == Some("CycloneDX"))
    }

    fn read(&self, origin: &str, bytes: &[u8]) -> Result<Read, Unreadable> {
        let file: File = serde_json::from_slice(bytes)
            .map_err(|e| Unreadable(format!("it is not CycloneDX: {e}")))?;
        let whole = file.metadata.component.as_ref();
        let components = Components::of(&file);
        let mut read = Read::default();
        let mut room = Room::of(bytes);
        for (number, flaw) in file.vulnerabilities.iter().enumerate() {
            let at = || format!("{origin}, vulnerability {}", number + 1);
            if room.is_full() {
                room.leave_out();
                continue;
            }
            // Without an analysis it is a report of a flaw, not a statement about it.
            let Some(analysis) = &flaw.analysis else { continue };
            let Some(word) = &analysis.state else { continue };
            let Some(status) = status(word) else {
                read.hole(at(), format!("`{}` is no state", said(word)));
                continue;
            };
            let names: Vec<String> = flaw
                .id
                .iter()
                .cloned()
                .chain(flaw.references.iter().filter_map(|it| it.id.clone()))
                .collect();
            if names.is_empty() {
                read.hole(at(), "it names no flaw");
                continue;
            }
            let responses = analysis.response.join(", ");
            let notes = [analysis.detail.clone(), (!responses.is_empty()).then_some(responses)];
            let note = notes.into_iter().flatten().collect::<Vec<_>>().join("; ");
            let author = (flaw.credits_author())
                .or_else(|| file.metadata.authors.iter().find_map(|it| it.name.clone()))
                .or_else(|| file.metadata.supplier.as_ref().and_then(|it| it.name.clone()));
            let Some(products) = flaw.products(&components, whole, &room) else {
                room.leave_out();
                continue;
            };
            let statement = Statement {
                origin: origin.to_owned(),
                document: file.serial_number.clone(),
                author,
                said: (analysis.last_updated.clone())
                    .or_else(|| analysis.first_issued.clone())
                    .or_else(|| flaw.updated.clone())
                    .or_else(|| file.metadata.timestamp.clone()),
                flaws: names,
                products,
                status,
                justification: analysis.justification.clone(),
                note: (!note.is_empty()).then_some(note),
                expires: None,
            };
            room.tell(&mut read, statement);
        }
        room.end(&mut read, origin);
        Ok(read)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    serial_number: Option<String>,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    components: Vec<Component>,
    #[serde(default)]
    vulnerabilities: Vec<Flaw>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(default)]
    component: Option<Component>,
    #[serde(default)]
    authors: Vec<Party>,
    #[serde(default)]
    supplier: Option<Party>,
}

#[derive(Deserialize)]
struct Party {
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default, rename = "bom-ref")]
    bom_ref: Option<String>,
    #[serde(default)]
    purl: Option<String>,
    #[serde(default)]
    cpe: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Flaw {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    references: Vec<Reference>,
    #[serde(default)]
    updated: Option<String>,
    #[serde(default)]
    analysis: Option<Said>,
    #[serde(default)]
    affects: Vec<Affects>,
    #[serde(default)]
    credits: Option<Credits>,
}

#[derive(Deserialize)]
struct Credits {
    #[serde(default)]
    organizations: Vec<Party>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(default)]
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    justification: Option<String>,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    response: Vec<String>,
    #[serde(default)]
    first_issued: Option<String>,
    #[serde(default)]
    last_updated: Option<String>,
}

#[derive(Deserialize)]
struct Affects {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(default)]
    versions: Vec<Versions>,
}

#[derive(Deserialize)]
struct Versions {
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    range: Option<String>,
}

impl Flaw {
    fn credits_author(&self) -> Option<String> {
        self.credits.as_ref()?.organizations.iter().find_map(|it| it.name.clone())
    }

    /// What it is about; `None`: there is no room for it.
    fn products(
        &self,
        components: &Components<'_>,
        whole: Option<&Component>,
        room: &Room,
    ) -> Option<Vec<Product>> {
        let mut weight = 0_usize;
        let mut products = Vec::new();
        for affected in &self.affects {
            let (names, is_whole) = affected.names(components, whole);
            let mut ranges: Vec<Option<String>> = affected.ranges().map(Some).collect();
            // About the subject of the document itself it speaks as it is.
            if ranges.is_empty() || is_whole {
                ranges = vec![None];
            }
            let one = weight_of(&names) + PRODUCT;
            weight = weight.saturating_add(one.saturating_mul(ranges.len()));
            if !room.holds(weight) {
                return None;
            }
            let product = |versions| Product { names: names.clone(), parts: vec![], versions };
            products.extend(ranges.into_iter().map(product));
        }
        Some(products)
    }
}

/// The components of a BOM under the names by which it refers to them.
struct Components<'a>(BTreeMap<&'a str, &'a Component>);

impl<'a> Components<'a> {
    fn of(file: &'a File) -> Self {
        let mut found = BTreeMap::new();
        let mut waiting: Vec<&Component> =
            file.components.iter().chain(&file.metadata.component).collect();
        while let Some(component) = waiting.pop() {
            waiting.extend(&component.components);
            if let Some(name) = &component.bom_ref {
                found.insert(&**name, component);
            }
        }
        Self(found)
    }
}

impl Component {
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.purl.iter().chain(&self.cpe).cloned().collect();
        if let Some(name) = &self.name {
            names.push(match &self.version {
                Some(version) => format!("{name}@{version}"),
                None => name.clone(),
            });
        }
        names
    }
}

impl Affects {
    /// The names of what is referred to, and whether that is the subject of the document.
    fn names(&self, components: &Components<'_>, whole: Option<&Component>) -> (Vec<String>, bool) {
        // A reference into another BOM ends in the reference inside it.
        let inside = self.reference.strip_prefix("urn:cdx:").and_then(|it| it.split_once('#'));
        let name = inside.map_or_else(
            || self.reference.clone(),
            |(_, it)| {
                // What is badly encoded may be meant as it stands.
                percent_decoded(it).unwrap_or(it.into()).into_owned()
            },
        );
        match components.0.get(&*name) {
            Some(known) => (known.names(), whole.is_some_and(|it| std::ptr::eq(*known, it))),
            None => (vec![name], false),
        }
    }

    fn ranges(&self) -> impl Iterator<Item = String> {
        (self.versions.iter()).filter_map(|it| {
            it.range.clone().or_else(|| it.version.as_ref().map(|it| format!("={it}")))
        })
    }
}
