//! json: Docker Scout's JSON, the default: its fields under its names, and ours beside them.

mod read;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use model::{Attestation, Digest, Distro, Gap, ImageDescription, Inventory, LayerDescription};
use model::{Package, PackageKind, Place, Purl, SourcePackage, Subject};
use serde::Serialize;
use serde_json::Value;

use crate::contract::{Format, Glance, Options, Unreadable};
use crate::document::{self, TOOL};

/// Raised when the shape below changes.
const SHAPE: &str = "1";

/// The deepest manifest or configuration that is repeated as JSON, so that the whole stays
/// readable; the raw bytes are always there.
const DEEPEST: usize = 32;

pub(crate) struct Json;

impl Format for Json {
    fn id(&self) -> &'static str {
        "json"
    }

    fn title(&self) -> &'static str {
        "JSON in the shape of Docker Scout"
    }

    fn writes(&self) -> bool {
        true
    }

    fn write(&self, inventory: &Inventory, options: &Options) -> String {
        write_with::<()>(inventory, &options.tool_version, None)
    }

    fn claims(&self, glance: &Glance<'_>) -> bool {
        glance.whole().is_some_and(|head| {
            let described = head.inner("descriptor").is_some_and(|it| it.has("sbom_version"));
            let image = head.inner("source").is_some_and(|it| it.has("image"));
            head.has("artifacts") && !head.has("schema") && (described || image)
        })
    }

    fn read(&self, bytes: &[u8]) -> Result<Inventory, Unreadable> {
        read::read(bytes)
    }
}

/// The document, with what a report has to say beside the inventory.
pub(crate) fn write_with<T: Serialize>(
    inventory: &Inventory,
    tool_version: &str,
    beside: Option<&T>,
) -> String {
    let document = Document {
        source: source(inventory),
        artifacts: inventory.packages.iter().map(artifact).collect(),
        beside,
        gaps: &inventory.gaps,
        descriptor: Descriptor { name: TOOL, version: tool_version, sbom_version: SHAPE },
    };
    document::printed(&document, inventory.packages.len())
}

#[derive(Serialize)]
struct Document<'a, T> {
    source: Source<'a>,
    artifacts: Vec<Artifact<'a>>,
    #[serde(flatten)]
    beside: Option<&'a T>,
    #[serde(skip_serializing_if = "is_empty")]
    gaps: &'a [Gap],
    descriptor: Descriptor<'a>,
}

#[derive(Serialize)]
struct Descriptor<'a> {
    name: &'a str,
    version: &'a str,
    sbom_version: &'a str,
}

#[derive(Serialize)]
struct Source<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<Image<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distro: Option<Os<'a>>,
}

#[derive(Serialize)]
struct Image<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a Digest>,
    #[serde(skip_serializing_if = "is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_manifest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_config: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distro: Option<Os<'a>>,
    platform: Machine<'a>,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    index_digest: Option<&'a Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config_digest: Option<&'a Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<&'a str>,
    layers: &'a [LayerDescription],
    #[serde(skip_serializing_if = "is_empty")]
    attestations: &'a [Attestation],
    #[serde(skip_serializing_if = "is_empty")]
    gaps: &'a [Gap],
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "Scout's names")]
struct Os<'a> {
    os_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    os_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    os_distro: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "is_empty")]
    like: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpe: Option<&'a str>,
}

#[derive(Serialize)]
struct Machine<'a> {
    os: &'a str,
    architecture: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    os_version: Option<&'a str>,
}

#[derive(Serialize)]
struct Artifact<'a> {
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    name: &'a str,
    version: &'a str,
    purl: &'a Purl,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "is_empty")]
    licenses: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    installed_size: Option<u64>,
    locations: Vec<Location<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Purl>,
    #[serde(skip_serializing_if = "is_installed")]
    kind: PackageKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a SourcePackage>,
    #[serde(skip_serializing_if = "is_empty")]
    cpes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a Purl>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ordinal: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff_id: Option<&'a Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_ordinal: Option<u32>,
}

fn is_empty<T>(list: &[T]) -> bool {
    list.is_empty()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_installed(kind: &PackageKind) -> bool {
    *kind == PackageKind::Installed
}

fn source(inventory: &Inventory) -> Source<'_> {
    let distro = inventory.distro.as_ref().map(os);
    let nothing = Source { r#type: "", image: None, path: None, name: None, distro: None };
    match &inventory.subject {
        Subject::Image(it) => Source { r#type: "image", image: Some(image(it, distro)), ..nothing },
        Subject::Directory { path } => {
            Source { r#type: "directory", path: Some(path), distro, ..nothing }
        }
        Subject::Document { name } => {
            Source { r#type: "document", name: Some(name), distro, ..nothing }
        }
    }
}

fn image<'a>(image: &'a ImageDescription, distro: Option<Os<'a>>) -> Image<'a> {
    let base64 = |text: &String| BASE64_STANDARD.encode(text);
    Image {
        name: &image.name,
        digest: image.digest.as_ref(),
        tags: &image.tags,
        manifest: image.raw_manifest.as_deref().and_then(repeated),
        config: image.raw_config.as_deref().and_then(repeated),
        raw_manifest: image.raw_manifest.as_ref().map(base64),
        raw_config: image.raw_config.as_ref().map(base64),
        distro,
        platform: Machine {
            os: &image.platform.os,
            architecture: &image.platform.architecture,
            variant: image.platform.variant.as_deref(),
            os_version: image.platform.os_version.as_deref(),
        },
        size: image.size,
        index_digest: image.index.as_ref(),
        config_digest: image.config.as_ref(),
        created: image.created.as_deref(),
        layers: &image.layers,
        attestations: &image.attestations,
        gaps: &image.gaps,
    }
}

fn repeated(raw: &str) -> Option<Value> {
    serde_json::from_str(raw).ok().filter(|value| is_shallow(value, DEEPEST))
}

/// Depth is bounded by `limit`, whatever the value.
fn is_shallow(value: &Value, limit: usize) -> bool {
    let Some(limit) = limit.checked_sub(1) else { return false };
    match value {
        Value::Array(list) => list.iter().all(|it| is_shallow(it, limit)),
        Value::Object(map) => map.values().all(|it| is_shallow(it, limit)),
        _ => true,
    }
}

fn os(distro: &Distro) -> Os<'_> {
    Os {
        os_name: &distro.id,
        os_version: distro.version.as_deref(),
        os_distro: distro.codename.as_deref(),
        name: distro.name.as_deref(),
        like: &distro.like,
        variant: distro.variant.as_deref(),
        cpe: distro.cpe.as_deref(),
    }
}

fn artifact(package: &Package) -> Artifact<'_> {
    let purl = &package.purl;
    Artifact {
        r#type: purl.kind(),
        namespace: purl.namespace(),
        name: purl.name(),
        version: purl.version().unwrap_or_default(),
        purl,
        author: package.author.as_deref(),
        description: package.description.as_deref(),
        licenses: &package.licenses,
        url: package.url.as_deref(),
        size: package.size,
        installed_size: package.installed_size,
        locations: package.places.iter().map(location).collect(),
        parent: package.source.as_ref().and_then(|source| parent(purl, source)),
        kind: package.kind,
        source: package.source.as_ref(),
        cpes: &package.cpes,
        owner: package.owner.as_ref(),
    }
}

/// What Scout calls the parent: the source package, under a purl of the same kind.
fn parent(purl: &Purl, source: &SourcePackage) -> Option<Purl> {
    let version = source.version.as_deref().or(purl.version()).unwrap_or_default();
    let namespace = purl.namespace().unwrap_or_default();
    let parent = crate::foreign::purl(purl.kind(), namespace, &source.name, version)?;
    Some(
        purl.qualifiers()
            .filter(|(key, _)| key.starts_with("os_") || *key == "distro")
            .fold(parent, |parent, (key, value)| parent.with_qualifier(key, value)),
    )
}

fn location(place: &Place) -> Location<'_> {
    Location {
        path: &place.path,
        ordinal: place.layer,
        digest: place.digest.as_ref(),
        diff_id: place.diff_id.as_ref(),
        first_ordinal: place.first_layer,
    }
}
