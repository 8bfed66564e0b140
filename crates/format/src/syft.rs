//! syft: its own JSON, read only. <https://github.com/anchore/syft/tree/main/schema/json>

use std::collections::HashMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use model::{Distro, ImageDescription, Inventory, LayerDescription, LayerKey, Package, Place};
use model::{Platform, Purl, SourcePackage, Subject};
use serde_json::Value;

use crate::contract::{Format, Glance, Options, Unreadable};
use crate::foreign;
use crate::lenient::{Reader, parse};

pub(crate) struct Syft;

impl Format for Syft {
    fn id(&self) -> &'static str {
        "syft"
    }

    fn title(&self) -> &'static str {
        "syft JSON"
    }

    fn writes(&self) -> bool {
        false
    }

    fn write(&self, _: &Inventory, _: &Options) -> String {
        String::new()
    }

    fn claims(&self, glance: &Glance<'_>) -> bool {
        glance.whole().is_some_and(|head| {
            let schema = head.inner("schema").is_some_and(|it| it.has("version"));
            let name = head.inner("descriptor").and_then(|it| it.text("name"));
            head.has("artifacts") && (schema || name.as_deref() == Some("syft"))
        })
    }

    fn read(&self, bytes: &[u8]) -> Result<Inventory, Unreadable> {
        let document = parse(bytes, "syft JSON")?;
        let mut reader = Reader::default();
        let subject = subject(&mut reader, document.get("source").unwrap_or(&Value::Null));
        let distro = document.get("distro").and_then(|it| distro(&mut reader, it));
        let layers = subject.image().map(ordinals).unwrap_or_default();
        let mut packages = Vec::new();
        let mut ids = HashMap::new();
        for artifact in reader.list(&document, "artifacts", "the document") {
            let Some(purl) = purl(&mut reader, artifact) else { continue };
            if let Some(id) = artifact.get("id").and_then(Value::as_str) {
                ids.insert(id, (purl.clone(), packages.len()));
            }
            packages.push(package(&mut reader, artifact, purl, &layers));
        }
        for relation in reader.list(&document, "artifactRelationships", "the document") {
            own(relation, &ids, &mut packages);
        }
        Ok(foreign::settle(subject, distro, packages, reader.gaps, false))
    }
}

/// The purl type of what syft calls a type.
pub(crate) fn purl_type(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "deb" => "deb",
        "apk" => "apk",
        "rpm" => "rpm",
        "alpm" => "alpm",
        "npm" => "npm",
        "python" => "pypi",
        "gem" => "gem",
        "go-module" => "golang",
        "java-archive" | "jenkins-plugin" => "maven",
        "rust-crate" => "cargo",
        "php-composer" => "composer",
        "dotnet" => "nuget",
        "hex" | "erlang-otp" => "hex",
        "dart-pub" => "pub",
        "swift" => "swift",
        "pod" => "cocoapods",
        "conan" => "conan",
        "hackage" => "hackage",
        "R-package" => "cran",
        "conda" => "conda",
        "bitnami" => "bitnami",
        "binary" => "generic",
        _ => return None,
    })
}

fn subject(reader: &mut Reader, source: &Value) -> Subject {
    let at = "source";
    let nothing = Value::Null;
    // `target` before version 7 of the schema, `metadata` since.
    let inside = source.get("metadata").or_else(|| source.get("target")).unwrap_or(&nothing);
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let target = inside.as_str().map(str::to_owned);
    let name = target
        .or_else(|| text(inside, "userInput"))
        .or_else(|| text(inside, "path"))
        .or_else(|| text(source, "name"))
        .unwrap_or_default();
    match source.get("type").and_then(Value::as_str) {
        Some("image") => Subject::Image(Box::new(image(reader, inside, name))),
        Some("directory" | "file") => Subject::Directory { path: name },
        Some(_) | None => {
            if source.get("type").is_none() {
                reader.gap(at, "it is not told what was read");
            }
            Subject::Document { name }
        }
    }
}

fn image(reader: &mut Reader, image: &Value, name: String) -> ImageDescription {
    let at = "source.metadata";
    let raw = |reader: &mut Reader, key| {
        let bytes = BASE64_STANDARD.decode(reader.text(image, key, at)?).ok();
        bytes.and_then(|it| String::from_utf8(it).ok())
    };
    let mut read = ImageDescription {
        name,
        digest: reader.digest(image, "manifestDigest", at),
        config: reader.digest(image, "imageID", at),
        tags: reader.texts(image, "tags", at),
        platform: Platform::new(
            reader.text(image, "os", at).unwrap_or_default(),
            reader.text(image, "architecture", at).unwrap_or_default(),
            reader.text(image, "variant", at),
        ),
        raw_manifest: raw(reader, "manifest"),
        raw_config: raw(reader, "config"),
        size: reader.number(image, "imageSize", at).unwrap_or_default(),
        ..ImageDescription::default()
    };
    for layer in reader.list(image, "layers", at) {
        // What syft calls a layer's digest is that of its content.
        let diff_id = reader.digest(layer, "digest", at);
        read.layers.push(LayerDescription {
            key: LayerKey(diff_id.as_ref().map(ToString::to_string).unwrap_or_default()),
            diff_id,
            media_type: reader.owned(layer, "mediaType", at).unwrap_or_default(),
            size: reader.number(layer, "size", at),
            ..LayerDescription::default()
        });
    }
    read
}

/// The number of the layer with that content.
fn ordinals(image: &ImageDescription) -> HashMap<String, u32> {
    let mut ordinals = HashMap::new();
    for (number, layer) in image.layers.iter().enumerate() {
        if let (Some(diff_id), Ok(number)) = (&layer.diff_id, u32::try_from(number)) {
            ordinals.entry(diff_id.to_string()).or_insert(number);
        }
    }
    ordinals
}

fn distro(reader: &mut Reader, distro: &Value) -> Option<Distro> {
    let at = "distro";
    let text = |reader: &mut Reader, key| reader.owned(distro, key, at);
    let id = text(reader, "id").or_else(|| text(reader, "name"))?;
    // A list today, a text with blanks in old documents.
    let like = match distro.get("idLike") {
        Some(Value::String(text)) => text.split_whitespace().map(str::to_owned).collect(),
        _ => reader.texts(distro, "idLike", at),
    };
    Some(Distro {
        id: id.to_ascii_lowercase(),
        version: text(reader, "versionID").or_else(|| text(reader, "version")),
        codename: text(reader, "versionCodename"),
        name: text(reader, "prettyName").or_else(|| text(reader, "name")),
        like,
        variant: text(reader, "variantID"),
        cpe: text(reader, "cpeName"),
    })
}

fn purl(reader: &mut Reader, artifact: &Value) -> Option<Purl> {
    let at = "artifacts";
    let name = reader.text(artifact, "name", at).unwrap_or_default();
    let named = if name.is_empty() { at } else { name };
    if let Some(text) = reader.text(artifact, "purl", named)
        && let Some(purl) = reader.purl(text, named)
    {
        return Some(purl);
    }
    let kind = reader.text(artifact, "type", named).unwrap_or_default();
    let version = reader.text(artifact, "version", named).unwrap_or_default();
    let purl = purl_type(kind).and_then(|kind| {
        // Go and npm write the namespace into the name.
        let (namespace, name) = name.rsplit_once('/').unwrap_or(("", name));
        foreign::purl(kind, namespace, name, version)
    });
    if purl.is_none() {
        reader.gap(named, "the package has no purl, and none can be made of its type and name");
    }
    purl
}

fn package(
    reader: &mut Reader,
    artifact: &Value,
    purl: Purl,
    layers: &HashMap<String, u32>,
) -> Package {
    let shown = purl.to_string();
    let at = shown.as_str();
    let metadata = artifact.get("metadata").unwrap_or(&Value::Null);
    let text = |key: &str| {
        metadata.get(key).and_then(Value::as_str).filter(|it| !it.is_empty()).map(str::to_owned)
    };
    let number = |key: &str| metadata.get(key).and_then(Value::as_u64);
    // dpkg counts kibibytes.
    let unit = if purl.kind() == "deb" { 1024 } else { 1 };
    let locations = reader.list(artifact, "locations", at);
    Package {
        source: source(metadata),
        licenses: licenses(reader, artifact, at),
        author: ["maintainer", "vendor", "author", "packager"].into_iter().find_map(text),
        description: text("description").or_else(|| text("pullDescription")),
        url: text("url").or_else(|| text("homepage")),
        size: number("size"),
        installed_size: number("installedSize").and_then(|it| it.checked_mul(unit)),
        cpes: cpes(reader, artifact, at),
        places: locations.iter().map(|it| place(reader, it, layers, at)).collect(),
        ..Package::new(purl)
    }
}

fn source(metadata: &Value) -> Option<SourcePackage> {
    let text = |key: &str| {
        metadata.get(key).and_then(Value::as_str).filter(|it| !it.is_empty()).map(str::to_owned)
    };
    if let Some(name) = text("source").or_else(|| text("originPackage")) {
        return Some(SourcePackage { name, version: text("sourceVersion") });
    }
    foreign::source_rpm(metadata.get("sourceRpm")?.as_str()?)
}

/// Objects today, texts in old documents.
fn licenses(reader: &mut Reader, artifact: &Value, at: &str) -> Vec<String> {
    let mut licenses = Vec::new();
    for license in reader.list(artifact, "licenses", at) {
        let text = |key: &str| license.get(key).and_then(Value::as_str).filter(|it| !it.is_empty());
        match license.as_str().or_else(|| text("spdxExpression")).or_else(|| text("value")) {
            Some(text) => licenses.push(text.to_owned()),
            None => reader.gap(at, "a licence has neither a value nor an expression"),
        }
    }
    licenses
}

/// Only what is declared: syft guesses most of its CPEs.
fn cpes(reader: &mut Reader, artifact: &Value, at: &str) -> Vec<String> {
    reader
        .list(artifact, "cpes", at)
        .iter()
        .filter(|it| it.get("source").and_then(Value::as_str) == Some("declared"))
        .filter_map(|it| it.get("cpe").and_then(Value::as_str).map(str::to_owned))
        .collect()
}

fn place(reader: &mut Reader, location: &Value, layers: &HashMap<String, u32>, at: &str) -> Place {
    let layer = location.get("layerID").and_then(Value::as_str).unwrap_or_default();
    Place {
        path: reader.owned(location, "path", at).unwrap_or_default(),
        layer: layers.get(layer).copied(),
        diff_id: layer.parse().ok(),
        ..Place::default()
    }
}

/// A package whose files another one brought belongs to that one.
fn own(relation: &Value, ids: &HashMap<&str, (Purl, usize)>, packages: &mut [Package]) {
    let text = |key: &str| relation.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("type") != "ownership-by-file-overlap" {
        return;
    }
    if let (Some((owner, _)), Some((_, owned))) = (ids.get(text("parent")), ids.get(text("child")))
        && let Some(package) = packages.get_mut(*owned)
    {
        package.owner = Some(owner.clone());
    }
}
