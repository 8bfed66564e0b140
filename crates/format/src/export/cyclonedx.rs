//! cyclonedx: CycloneDX 1.6 JSON: each image a component with its packages in it, and each
//! vulnerability once, with all packages that have it and what statements say about it (VEX).

use std::collections::HashMap;
use std::fmt::Write as _;

use model::Gap;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Export, Head, Image, Writer};
use crate::cyclonedx::fleet::{self, ENVIRONMENT, Fleet};
use crate::report::cyclonedx::{Affects, vulnerability};
use crate::{document, page};

pub(super) struct CycloneDx;

impl Export for CycloneDx {
    fn id(&self) -> &'static str {
        "cyclonedx"
    }

    fn title(&self) -> &'static str {
        "CycloneDX 1.6 JSON, with vulnerabilities and VEX"
    }

    fn media_type(&self) -> &'static str {
        "application/vnd.cyclonedx+json; version=1.6"
    }

    fn ending(&self) -> &'static str {
        "cdx.json"
    }

    fn begin(&self, head: Head) -> Box<dyn Writer> {
        Box::new(Parts {
            head,
            fleet: Fleet::default(),
            images: Vec::new(),
            incomplete: Vec::new(),
            places: HashMap::new(),
            told: Vec::new(),
        })
    }
}

struct Parts {
    head: Head,
    fleet: Fleet,
    /// The names of all images in the document, and of those of which something is not known.
    images: Vec<String>,
    incomplete: Vec<String>,
    /// Where each vulnerability stands in `told`, by what is said about it.
    places: HashMap<[u8; 32], usize>,
    told: Vec<Told>,
}

/// A vulnerability, and all that has it: images share what they are made of, so this is far less than
/// all findings.
struct Told {
    /// An object, without its name and without what it affects.
    text: String,
    affects: Vec<Affects>,
}

/// As what an image runs.
#[derive(Serialize)]
struct Runs<'a> {
    application: &'a str,
    image: &'a str,
    platform: String,
    since: String,
    recorded_by: &'a str,
    recorded_from: &'a str,
    source: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency<'a> {
    r#ref: &'a str,
    depends_on: &'a [String],
}

#[derive(Serialize)]
struct Composition<'a> {
    aggregate: &'static str,
    assemblies: &'a [String],
}

impl Writer for Parts {
    fn begin(&mut self) -> String {
        let Head { organisation, environment, created, tool_version, basis } = &self.head;
        let mut says = vec![page::basis(basis).0];
        says.extend(basis.warnings.iter().cloned());
        // The same environment at another moment is another document.
        let whose = Sha256::digest(format!("{organisation}\n{environment}\n{created}"));
        let number = format!("urn:uuid:{}", document::uuid(&whose.into()));
        fleet::head(environment, Some(created), tool_version, &says, &number)
    }

    fn image(&mut self, image: &Image<'_>) -> String {
        let analysis = image.content.ok();
        let unread: Vec<Gap> =
            image.content.err().map(|why| Gap::new(image.name(), why)).into_iter().collect();
        let gaps = analysis.map_or(&[][..], |it| &it.gaps);
        let names: Vec<String> =
            image.deployments.iter().map(|it| super::name(it).into_owned()).collect();
        let deployments: Vec<Runs<'_>> = image
            .deployments
            .iter()
            .zip(&names)
            .map(|(it, name)| Runs {
                application: &it.application,
                image: name,
                platform: it.platform.to_string(),
                since: it.from.to_string(),
                recorded_by: &it.recorded_by,
                recorded_from: &it.recorded_from,
                source: it.source.to_string(),
            })
            .collect();
        let name = image.name();
        let inventory = analysis.map(|it| &it.inventory);
        let all_gaps = unread.iter().chain(gaps);
        let part = self.fleet.image((&name, image.digest()), inventory, all_gaps, &deployments);
        if analysis.is_none_or(|it| it.all_gaps().next().is_some()) {
            self.incomplete.push(part.reference.clone());
        }
        for finding in analysis.iter().flat_map(|it| &it.findings) {
            let mut vulnerability = vulnerability(0, finding, &part.packages);
            vulnerability.bom_ref.clear();
            let affects = std::mem::take(&mut vulnerability.affects);
            let text = json(&vulnerability);
            let place = *self.places.entry(Sha256::digest(&text).into()).or_insert_with(|| {
                self.told.push(Told { text, affects: Vec::new() });
                self.told.len() - 1
            });
            if let Some(it) = self.told.get_mut(place) {
                it.affects.extend(affects);
            }
        }
        let mark = if self.images.is_empty() { "\n" } else { ",\n" };
        self.images.push(part.reference);
        format!("{mark}{}", part.text)
    }

    fn end(&mut self) -> String {
        let mut out = String::from("\n],\n\"dependencies\":[");
        let dependency = Dependency { r#ref: ENVIRONMENT, depends_on: &self.images };
        out.push_str(&json(&dependency));
        out.push_str("],\n");
        if !self.incomplete.is_empty() {
            let it = Composition { aggregate: "incomplete", assemblies: &self.incomplete };
            out.push_str("\"compositions\":[");
            out.push_str(&json(&it));
            out.push_str("],\n");
        }
        out.push_str("\"vulnerabilities\":[");
        for (number, it) in self.told.drain(..).enumerate() {
            out.push_str(if number == 0 { "\n" } else { ",\n" });
            let _ = write!(out, "{{\"bom-ref\":\"finding-{number}\",");
            // It is an object that is not empty: an id it has.
            let inner = it.text.trim_start_matches('{');
            out.push_str(inner.strip_suffix('}').unwrap_or(inner));
            out.push_str(",\"affects\":");
            out.push_str(&json(&it.affects));
            out.push('}');
        }
        out.push_str("\n]}\n");
        out
    }
}

fn json(it: &impl Serialize) -> String {
    serde_json::to_string(it).expect("its keys are texts")
}
