//! cyclonedx: CycloneDX 1.6 JSON: each image a component with its packages in it, and each
//! vulnerability once, with all packages that have it and what statements say about it (VEX).

use std::collections::HashMap;
use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::sync::Arc;

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
            purls: Texts::default(),
            versions: Texts::default(),
            step: Step::Lists,
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
    purls: Texts,
    versions: Texts,
    step: Step,
}

/// A vulnerability, and all that has it: images share what they are made of, so this is far less than
/// all findings.
struct Told {
    /// An object, without its name and without what it affects.
    text: String,
    affects: Vec<Affected>,
}

/// A package that has it. There are as many as findings, so they are small.
struct Affected {
    /// The number of its purl, and which of those that have that purl it is.
    purl: u32,
    which: Option<NonZeroU32>,
    /// The number of what is said of versions.
    versions: u32,
}

/// Texts, each once.
#[derive(Default)]
struct Texts {
    numbers: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
}

impl Texts {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        number
    }

    fn get(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", |it| it)
    }
}

/// What stands behind the images.
#[derive(Clone, Copy)]
enum Step {
    Lists,
    Vulnerability(usize),
    Done,
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
            let affects = affects.iter().map(|it| self.affected(it)).collect::<Vec<_>>();
            if let Some(it) = self.told.get_mut(place) {
                it.affects.extend(affects);
            }
        }
        let mark = if self.images.is_empty() { "\n" } else { ",\n" };
        self.images.push(part.reference);
        format!("{mark}{}", part.text)
    }

    fn end(&mut self) -> Option<String> {
        match self.step {
            Step::Lists => {
                self.step = Step::Vulnerability(0);
                Some(self.lists())
            }
            Step::Vulnerability(number) => {
                let Some(it) = self.told.get_mut(number) else {
                    self.step = Step::Done;
                    return Some("\n]}\n".to_owned());
                };
                self.step = Step::Vulnerability(number + 1);
                let it = Told {
                    text: std::mem::take(&mut it.text),
                    affects: std::mem::take(&mut it.affects),
                };
                Some(self.vulnerability(number, &it))
            }
            Step::Done => None,
        }
    }
}

impl Parts {
    fn affected(&mut self, it: &Affects) -> Affected {
        // A purl has no such sign.
        let named = it.r#ref.rsplit_once('|');
        let named = named.and_then(|(purl, which)| Some((purl, which.parse().ok()?)));
        let (purl, which) = named.map_or((&*it.r#ref, None), |(purl, which)| (purl, Some(which)));
        let versions = if it.versions.is_empty() { String::new() } else { json(&it.versions) };
        Affected { purl: self.purls.number(purl), which, versions: self.versions.number(&versions) }
    }

    fn lists(&self) -> String {
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
        out
    }

    fn vulnerability(&self, number: usize, it: &Told) -> String {
        let mut out = String::from(if number == 0 { "\n" } else { ",\n" });
        let _ = write!(out, "{{\"bom-ref\":\"finding-{number}\",");
        // It is an object that is not empty: an id it has.
        let inner = it.text.trim_start_matches('{');
        out.push_str(inner.strip_suffix('}').unwrap_or(inner));
        out.push_str(",\"affects\":[");
        for (number, it) in it.affects.iter().enumerate() {
            let purl = self.purls.get(it.purl);
            let reference = match it.which {
                Some(which) => json(&format!("{purl}|{which}")),
                None => json(&purl),
            };
            let mark = if number == 0 { "" } else { "," };
            let _ = write!(out, "{mark}{{\"ref\":{reference}");
            let versions = self.versions.get(it.versions);
            if !versions.is_empty() {
                let _ = write!(out, ",\"versions\":{versions}");
            }
            out.push('}');
        }
        out.push_str("]}");
        out
    }
}

fn json(it: &impl Serialize) -> String {
    serde_json::to_string(it).expect("its keys are texts")
}
