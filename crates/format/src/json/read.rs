//! Reading Scout's JSON: our own, and that of Scout and its open predecessor.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use model::{Digest, Distro, ImageDescription, Inventory, LayerDescription, LayerKey, Package};
use model::{PackageKind, Place, Platform, Purl, SourcePackage, Subject};
use serde_json::Value;

use crate::contract::Unreadable;
use crate::document::TOOL;
use crate::foreign;
use crate::lenient::{Reader, parse};

pub(super) fn read(bytes: &[u8]) -> Result<Inventory, Unreadable> {
    let document = parse(bytes, "Scout JSON")?;
    let mut reader = Reader::default();
    let own = document.pointer("/descriptor/name").and_then(Value::as_str) == Some(TOOL);
    let source = document.get("source").unwrap_or(&Value::Null);
    let subject = subject(&mut reader, source, own);
    let distro = source.pointer("/image/distro").or_else(|| source.get("distro"));
    let distro = distro.and_then(|it| self::distro(&mut reader, it, own));
    let packages = reader
        .list(&document, "artifacts", "the document")
        .iter()
        .filter_map(|artifact| package(&mut reader, artifact, own))
        .collect();
    for gap in reader.list(&document, "gaps", "the document") {
        if let Some(gap) = reader.shaped(gap, "gaps") {
            reader.gaps.push(gap);
        }
    }
    Ok(foreign::settle(subject, distro, packages, reader.gaps, own))
}

fn subject(reader: &mut Reader, source: &Value, own: bool) -> Subject {
    let named = |reader: &mut Reader, key| reader.owned(source, key, "source").unwrap_or_default();
    match source.get("image") {
        Some(it) if it.is_object() => Subject::Image(Box::new(image(reader, it, own))),
        _ if source.get("path").is_some() => Subject::Directory { path: named(reader, "path") },
        _ => Subject::Document { name: named(reader, "name") },
    }
}

fn image(reader: &mut Reader, image: &Value, own: bool) -> ImageDescription {
    let at = "source.image";
    let raw_manifest = raw(reader, image, "raw_manifest");
    let raw_config = raw(reader, image, "raw_config");
    let mut read = ImageDescription {
        name: reader.owned(image, "name", at).unwrap_or_default(),
        digest: reader.digest(image, "digest", at),
        index: reader.digest(image, "index_digest", at),
        config: reader.digest(image, "config_digest", at),
        tags: reader.texts(image, "tags", at),
        platform: image.get("platform").map(|it| platform(reader, it)).unwrap_or_default(),
        created: reader.owned(image, "created", at),
        raw_manifest,
        raw_config,
        size: reader.number(image, "size", at).unwrap_or_default(),
        ..ImageDescription::default()
    };
    if !own {
        told_by_manifest(reader, image, &mut read);
        return read;
    }
    read.layers = shaped_list(reader, image, "layers");
    read.attestations = shaped_list(reader, image, "attestations");
    read.gaps = shaped_list(reader, image, "gaps");
    read
}

fn shaped_list<T: serde::de::DeserializeOwned>(
    reader: &mut Reader,
    image: &Value,
    key: &str,
) -> Vec<T> {
    let list = reader.list(image, key, "source.image");
    list.iter().filter_map(|it| reader.shaped(it, key)).collect()
}

fn raw(reader: &mut Reader, image: &Value, key: &str) -> Option<String> {
    let text = reader.text(image, key, "source.image")?;
    let bytes = BASE64_STANDARD.decode(text).ok().and_then(|it| String::from_utf8(it).ok());
    if bytes.is_none() {
        reader.gap("source.image", format!("`{key}` is not text in base64"));
    }
    bytes
}

/// Scout's own documents tell layers only by the manifest and the configuration.
fn told_by_manifest(reader: &mut Reader, image: &Value, read: &mut ImageDescription) {
    let nothing = Value::Null;
    let manifest = image.get("manifest").unwrap_or(&nothing);
    let config = image.get("config").unwrap_or(&nothing);
    let diff_ids = config.get("rootfs").unwrap_or(&nothing);
    let diff_ids = reader.texts(diff_ids, "diff_ids", "source.image.config");
    let at = "source.image.manifest";
    for (number, layer) in reader.list(manifest, "layers", at).iter().enumerate() {
        let digest = reader.digest(layer, "digest", at);
        read.layers.push(LayerDescription {
            key: LayerKey(digest.as_ref().map(Digest::to_string).unwrap_or_default()),
            digest,
            diff_id: diff_ids.get(number).and_then(|it| it.parse().ok()),
            media_type: reader.owned(layer, "mediaType", at).unwrap_or_default(),
            size: reader.number(layer, "size", at),
            ..LayerDescription::default()
        });
    }
    if let Some(descriptor) = manifest.get("config") {
        read.config = read.config.take().or_else(|| reader.digest(descriptor, "digest", at));
    }
    read.created =
        read.created.take().or_else(|| reader.owned(config, "created", "source.image.config"));
}

fn platform(reader: &mut Reader, platform: &Value) -> Platform {
    let mut text = |key| reader.owned(platform, key, "source.image.platform");
    Platform {
        os: text("os").unwrap_or_default(),
        architecture: text("architecture").unwrap_or_default(),
        variant: text("variant"),
        os_version: text("os_version"),
    }
}

fn distro(reader: &mut Reader, distro: &Value, own: bool) -> Option<Distro> {
    let at = "distro";
    let id = reader.owned(distro, "os_name", at);
    let id = if own { id.or_else(|| distro.get("os_name").map(|_| String::new())) } else { id };
    let id = id?;
    Some(Distro {
        id: if own { id } else { foreign::distro_id(&id).to_owned() },
        version: reader.owned(distro, "os_version", at),
        codename: reader.owned(distro, "os_distro", at),
        name: reader.owned(distro, "name", at),
        like: reader.texts(distro, "like", at),
        variant: reader.owned(distro, "variant", at),
        cpe: reader.owned(distro, "cpe", at),
    })
}

fn package(reader: &mut Reader, artifact: &Value, own: bool) -> Option<Package> {
    let purl = purl(reader, artifact)?;
    let shown = purl.to_string();
    let at = shown.as_str();
    let kind = match reader.text(artifact, "kind", at) {
        None => PackageKind::Installed,
        Some(text) => PackageKind::parse(text).unwrap_or_else(|| {
            reader.gap(at, format!("`{text}` is not a kind of package"));
            PackageKind::Installed
        }),
    };
    let source = match artifact.get("source") {
        Some(source) => reader.shaped(source, at),
        None if own => None,
        None => reader.text(artifact, "parent", at).and_then(|parent| reader.purl(parent, at)).map(
            |parent| SourcePackage {
                name: parent.name().to_owned(),
                version: parent.version().map(str::to_owned),
            },
        ),
    };
    let owner = reader.text(artifact, "owner", at).and_then(|owner| reader.purl(owner, at));
    let places = reader.list(artifact, "locations", at);
    Some(Package {
        kind,
        source,
        licenses: reader.texts(artifact, "licenses", at),
        author: reader.owned(artifact, "author", at),
        description: reader.owned(artifact, "description", at),
        url: reader.owned(artifact, "url", at),
        size: reader.number(artifact, "size", at),
        installed_size: reader.number(artifact, "installed_size", at),
        cpes: reader.texts(artifact, "cpes", at),
        places: places.iter().map(|it| place(reader, it, at)).collect(),
        owner,
        ..Package::new(purl)
    })
}

fn purl(reader: &mut Reader, artifact: &Value) -> Option<Purl> {
    let at = "artifacts";
    if let Some(text) = reader.text(artifact, "purl", at)
        && let Some(purl) = reader.purl(text, at)
    {
        return Some(as_apk(purl));
    }
    let kind = reader.text(artifact, "type", at).unwrap_or_default();
    let namespace = reader.text(artifact, "namespace", at).unwrap_or_default();
    let name = reader.text(artifact, "name", at).unwrap_or_default();
    let version = reader.text(artifact, "version", at).unwrap_or_default();
    let purl = foreign::purl(kind, namespace, name, version).map(as_apk);
    if purl.is_none() {
        let named = if name.is_empty() { at } else { name };
        reader.gap(named, "the package has no purl, and none can be made of its type and name");
    }
    purl
}

/// Early documents call Alpine's packages `pkg:alpine/…`.
fn as_apk(purl: Purl) -> Purl {
    if purl.kind() != "alpine" {
        return purl;
    }
    let apk = Purl::new("apk", purl.name())
        .with_namespace(purl.namespace().unwrap_or("alpine"))
        .with_version(purl.version().unwrap_or_default())
        .with_subpath(purl.subpath().unwrap_or_default());
    purl.qualifiers().fold(apk, |apk, (key, value)| apk.with_qualifier(key, value))
}

fn place(reader: &mut Reader, location: &Value, at: &str) -> Place {
    let mut ordinal = |key| reader.number(location, key, at).and_then(|it| u32::try_from(it).ok());
    let layer = ordinal("ordinal");
    let first_layer = ordinal("first_ordinal");
    Place {
        path: reader.owned(location, "path", at).unwrap_or_default(),
        layer,
        digest: reader.digest(location, "digest", at),
        diff_id: reader.digest(location, "diff_id", at),
        first_layer,
    }
}
