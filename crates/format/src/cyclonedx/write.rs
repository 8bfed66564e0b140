//! Writing CycloneDX 1.6.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use model::{
    Digest, Distro, Gap, ImageDescription, Inventory, Package, PackageKind, Place, Subject,
};
use serde::Serialize;

use super::property;

pub(crate) mod fleet;

use crate::contract::Options;
use crate::document::{self, TOOL, UNNUMBERED};
use crate::license::{Known, License};

/// The references by which the document names its own parts; those of packages are their purls.
const SUBJECT: &str = "subject";
const DISTRO: &str = "distro";

/// What a report has to say beside the inventory.
pub(crate) struct Beside<'a, V> {
    /// Holes that are not the inventory's own.
    pub(crate) gaps: Vec<&'a Gap>,
    /// Lines about the whole.
    pub(crate) says: Vec<String>,
    pub(crate) vulnerabilities: V,
}

/// The document, with what `beside` makes of the references by which it names its packages.
pub(crate) fn write_with<'a, V: Serialize>(
    inventory: &'a Inventory,
    options: &Options,
    beside: impl FnOnce(&[String]) -> Option<Beside<'a, V>>,
) -> String {
    let mut components = Vec::with_capacity(inventory.packages.len() + 1);
    components.extend(inventory.distro.as_ref().map(distro));
    let others = components.len();
    let mut references = HashMap::new();
    let mut known = Known::default();
    components.extend(inventory.packages.iter().map(|it| package(it, &mut references, &mut known)));
    let depends_on = components.iter().map(|it| it.bom_ref.clone()).collect();
    let named: Vec<String> =
        components.iter().skip(others).map(|it| it.bom_ref.to_string()).collect();
    let (gaps, says, vulnerabilities) = match beside(&named) {
        Some(it) => (it.gaps, it.says, Some(it.vulnerabilities)),
        None => (Vec::new(), Vec::new(), None),
    };
    let mut properties: Vec<_> =
        inventory.gaps.iter().map(|it| nested(property::GAP, it)).collect();
    properties.extend(gaps.iter().map(|it| nested(property::ANALYSIS_GAP, it)));
    properties.extend(says.into_iter().map(|it| text(property::ANALYSIS_BASIS, it)));
    let document = Document {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: UNNUMBERED,
        version: 1,
        metadata: Metadata {
            timestamp: document::created(inventory, options.created.as_deref()),
            tools: Tools {
                components: [Component {
                    version: Some(&options.tool_version),
                    ..Component::new("application", Cow::Borrowed("tool"), TOOL)
                }],
            },
            component: subject(&inventory.subject),
            properties,
        },
        components,
        dependencies: [Dependency { r#ref: SUBJECT, depends_on }],
        compositions: (!inventory.gaps.is_empty() || !gaps.is_empty())
            .then_some([Composition { aggregate: "incomplete", assemblies: [SUBJECT] }]),
        vulnerabilities,
    };
    document::numbered(document::printed(&document, inventory.packages.len()))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a, V> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: &'static str,
    version: u32,
    metadata: Metadata<'a>,
    components: Vec<Component<'a>>,
    dependencies: [Dependency<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    compositions: Option<[Composition; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vulnerabilities: Option<V>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    timestamp: String,
    tools: Tools<'a>,
    component: Component<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property<'a>>,
}

#[derive(Serialize)]
struct Tools<'a> {
    components: [Component<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency<'a> {
    r#ref: &'static str,
    depends_on: Vec<Cow<'a, str>>,
}

#[derive(Serialize)]
struct Composition {
    aggregate: &'static str,
    assemblies: [&'static str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Component<'a> {
    r#type: &'static str,
    #[serde(rename = "bom-ref")]
    bom_ref: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authors: Option<[Author<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hashes: Option<[Hash<'a>; 1]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpe: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_references: Option<[ExternalReference<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    components: Vec<Component<'a>>,
}

#[derive(Serialize)]
struct Author<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Hash<'a> {
    alg: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Choice<'a> {
    License(Named<'a>),
    Expression(&'a str),
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Named<'a> {
    Id(&'a str),
    Name(&'a str),
}

#[derive(Serialize)]
struct ExternalReference<'a> {
    url: &'a str,
    r#type: &'static str,
}

#[derive(Serialize)]
struct Evidence<'a> {
    occurrences: Vec<Occurrence<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Occurrence<'a> {
    location: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    additional_context: String,
}

#[derive(Serialize)]
struct Property<'a> {
    name: &'static str,
    value: Cow<'a, str>,
}

impl<'a> Component<'a> {
    fn new(r#type: &'static str, bom_ref: Cow<'a, str>, name: &'a str) -> Self {
        Self {
            r#type,
            bom_ref,
            authors: None,
            group: None,
            name,
            version: None,
            description: None,
            hashes: None,
            licenses: Vec::new(),
            cpe: None,
            purl: None,
            external_references: None,
            evidence: None,
            properties: Vec::new(),
            components: Vec::new(),
        }
    }
}

fn text<'a>(name: &'static str, value: impl Into<Cow<'a, str>>) -> Property<'a> {
    Property { name, value: value.into() }
}

fn nested<'a>(name: &'static str, value: &impl Serialize) -> Property<'a> {
    text(name, serde_json::to_string(value).expect("its keys are texts"))
}

fn subject(subject: &Subject) -> Component<'_> {
    let (kind, what) = match subject {
        Subject::Image(_) => ("container", "image"),
        Subject::Directory { .. } => ("file", "directory"),
        Subject::Document { .. } => ("application", "document"),
    };
    let mut component = Component::new(kind, Cow::Borrowed(SUBJECT), subject.name());
    component.properties.push(text(property::SUBJECT, what));
    if let Subject::Image(image) = subject {
        describe(&mut component, image);
    }
    component
}

fn describe<'a>(component: &mut Component<'a>, image: &'a ImageDescription) {
    component.version = image.digest.as_ref().map(Digest::as_str);
    component.hashes = image.digest.as_ref().map(|digest| {
        let alg = if digest.algorithm() == "sha512" { "SHA-512" } else { "SHA-256" };
        [Hash { alg, content: digest.hex() }]
    });
    component.purl = document::oci_purl(image).map(|purl| purl.to_string());
    let properties = &mut component.properties;
    properties.extend(image.index.as_ref().map(|it| text(property::INDEX, it.as_str())));
    properties.extend(image.config.as_ref().map(|it| text(property::CONFIG, it.as_str())));
    properties.extend(image.tags.iter().map(|it| text(property::TAG, it)));
    properties.push(nested(property::PLATFORM, &image.platform));
    properties.extend(image.created.as_ref().map(|it| text(property::CREATED, it)));
    properties.extend(image.layers.iter().map(|it| nested(property::LAYER, it)));
    properties.extend(image.attestations.iter().map(|it| nested(property::ATTESTATION, it)));
    properties.extend(image.raw_manifest.as_ref().map(|it| text(property::RAW_MANIFEST, it)));
    properties.extend(image.raw_config.as_ref().map(|it| text(property::RAW_CONFIG, it)));
    properties.push(text(property::IMAGE_SIZE, image.size.to_string()));
    properties.extend(image.gaps.iter().map(|it| nested(property::IMAGE_GAP, it)));
}

fn distro(distro: &Distro) -> Component<'_> {
    let mut properties = Vec::new();
    properties.extend(distro.codename.as_ref().map(|it| text(property::CODENAME, it)));
    properties.extend(distro.like.iter().map(|it| text(property::LIKE, it)));
    properties.extend(distro.variant.as_ref().map(|it| text(property::VARIANT, it)));
    Component {
        version: distro.version.as_deref(),
        description: distro.name.as_deref(),
        cpe: distro.cpe.as_deref(),
        properties,
        ..Component::new("operating-system", Cow::Borrowed(DISTRO), &distro.id)
    }
}

fn package<'a>(
    package: &'a Package,
    references: &mut HashMap<String, usize>,
    known: &mut Known<'a>,
) -> Component<'a> {
    let kind = match package.purl.kind() {
        "generic" | "github" | "bitnami" => "application",
        "oci" | "docker" => "container",
        _ => "library",
    };
    let purl = package.purl.to_string();
    let reference = unique(&purl, references);
    let url = package.url.as_deref();
    let plain = url.filter(|it| document::is_plain_url(it));
    let mut properties = Vec::new();
    if package.kind != PackageKind::Installed {
        properties.push(text(property::KIND, package.kind.as_str()));
    }
    if let Some(source) = &package.source {
        properties.push(text(property::SOURCE, &source.name));
        properties.extend(source.version.as_ref().map(|it| text(property::SOURCE_VERSION, it)));
    }
    if plain.is_none() {
        properties.extend(url.map(|it| text(property::URL, it)));
    }
    properties.extend(package.size.map(|it| text(property::SIZE, it.to_string())));
    properties
        .extend(package.installed_size.map(|it| text(property::INSTALLED_SIZE, it.to_string())));
    properties.extend(package.cpes.iter().skip(1).map(|it| text(property::CPE, it)));
    properties.extend(package.owner.as_ref().map(|it| text(property::OWNER, it.to_string())));
    Component {
        authors: package.author.as_deref().map(|name| [Author { name }]),
        group: package.purl.namespace(),
        version: package.purl.version(),
        description: package.description.as_deref(),
        licenses: licenses(&package.licenses, known),
        cpe: package.cpes.first().map(String::as_str),
        purl: Some(purl),
        external_references: plain.map(|url| [ExternalReference { url, r#type: "website" }]),
        evidence: (!package.places.is_empty())
            .then(|| Evidence { occurrences: package.places.iter().map(occurrence).collect() }),
        properties,
        ..Component::new(kind, Cow::Owned(reference), package.purl.name())
    }
}

/// The purl, with a number behind it where two packages share one. No purl holds a `|`.
fn unique(purl: &str, references: &mut HashMap<String, usize>) -> String {
    let number = references.entry(purl.to_owned()).or_default();
    *number += 1;
    if *number == 1 { purl.to_owned() } else { format!("{purl}|{number}") }
}

/// The schema wants either licences, or one single expression.
fn licenses<'a>(texts: &'a [String], known: &mut Known<'a>) -> Vec<Choice<'a>> {
    if let [text] = texts
        && known.license(text) == License::Expression
    {
        return vec![Choice::Expression(text)];
    }
    texts
        .iter()
        .map(|text| match known.license(text) {
            License::Id => Choice::License(Named::Id(text)),
            License::Expression | License::Text => Choice::License(Named::Name(text)),
        })
        .collect()
}

/// Where exactly, as `key=value` words: `layer=3 digest=sha256:… diff_id=sha256:… first_layer=1`.
fn occurrence(place: &Place) -> Occurrence<'_> {
    let mut context = String::new();
    let mut say = |key: &str, value: Option<&dyn std::fmt::Display>| {
        if let Some(value) = value {
            let gap = if context.is_empty() { "" } else { " " };
            let _ = write!(context, "{gap}{key}={value}");
        }
    };
    say("layer", place.layer.as_ref().map(|it| it as _));
    say("digest", place.digest.as_ref().map(|it| it as _));
    say("diff_id", place.diff_id.as_ref().map(|it| it as _));
    say("first_layer", place.first_layer.as_ref().map(|it| it as _));
    Occurrence { location: &place.path, additional_context: context }
}
