//! Reading CycloneDX 1.2 to 1.6: our own, and what syft, trivy and others make of it.

use std::collections::BTreeMap;

use model::{Digest, Distro, ImageDescription, Inventory, Package, PackageKind, Place, Purl};
use model::{SourcePackage, Subject};
use serde_json::Value;

use super::property;
use crate::contract::Unreadable;
use crate::foreign;
use crate::lenient::{Reader, parse};

pub(super) fn read(bytes: &[u8]) -> Result<Inventory, Unreadable> {
    let document = parse(bytes, "CycloneDX")?;
    let mut reader = Reader::default();
    let version = document.get("specVersion").and_then(Value::as_str).unwrap_or_default();
    match version {
        "1.2" | "1.3" | "1.4" | "1.5" | "1.6" => {}
        newer if newer.starts_with("1.") => reader.gap(
            "the document",
            format!("it is CycloneDX {newer}; only what versions 1.2 to 1.6 know was read"),
        ),
        other => {
            return Err(Unreadable(format!(
                "reading the CycloneDX document failed: its version is `{other}`; versions 1.2 to 1.6 are understood",
                other = other.chars().take(20).collect::<String>(),
            )));
        }
    }
    let nothing = Value::Null;
    let metadata = document.get("metadata").unwrap_or(&nothing);
    let root = metadata.get("component").unwrap_or(&nothing);
    let own = Properties::of(root).first(property::SUBJECT).is_some();
    let subject = subject(&mut reader, root);
    // Components may hold components: trees are walked without recursion, in their order.
    let mut open: Vec<&Value> =
        reader.list(&document, "components", "the document").iter().collect();
    open.reverse();
    open.extend(reader.list(root, "components", "the document").iter().rev());
    let mut components: Vec<(&Value, Reader)> = Vec::new();
    while let Some(component) = open.pop() {
        let mut inside = Reader::default();
        open.extend(inside.list(component, "components", "a component").iter().rev());
        components.push((component, inside));
    }
    let taken = crew::each(&components, FEW, |(component, _)| {
        let mut reader = Reader::default();
        (take(&mut reader, component, own), reader)
    });
    let mut distro = None;
    let mut packages = Vec::with_capacity(taken.len());
    for ((taken, own), (_, inside)) in taken.into_iter().zip(components) {
        match taken {
            Some(Taken::Package(package)) => packages.push(*package),
            Some(Taken::Distro(it)) => distro = distro.or(Some(*it)),
            None => {}
        }
        reader.extend(own);
        reader.extend(inside);
    }
    for text in Properties::of(metadata).all(property::GAP) {
        if let Some(gap) = reader.nested(text, property::GAP) {
            reader.gaps.push(gap);
        }
    }
    Ok(foreign::settle(subject, distro, packages, reader.gaps, own))
}

/// The `properties` of a component, by name.
struct Properties<'v>(Vec<(&'v str, &'v str)>);

impl<'v> Properties<'v> {
    fn of(value: &'v Value) -> Self {
        let list = value.get("properties").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        Self(
            list.iter()
                .filter_map(|it| Some((it.get("name")?.as_str()?, it.get("value")?.as_str()?)))
                .collect(),
        )
    }

    fn all(&self, name: &'static str) -> impl Iterator<Item = &'v str> {
        self.0.iter().filter(move |(it, _)| *it == name).map(|(_, value)| *value)
    }

    fn first(&self, name: &str) -> Option<&'v str> {
        self.0.iter().find(|(it, _)| *it == name).map(|(_, value)| *value)
    }

    fn owned(&self, name: &str) -> Option<String> {
        self.first(name).map(str::to_owned)
    }

    /// A number in a text.
    fn number(&self, reader: &mut Reader, name: &str, at: &str) -> Option<u64> {
        let text = self.first(name)?;
        text.parse().map_err(|_| reader.gap(at, format!("`{name}` is not a whole number"))).ok()
    }

    fn digest(&self, reader: &mut Reader, name: &str, at: &str) -> Option<Digest> {
        self.first(name)?.parse().map_err(|e: model::BadDigest| reader.gap(at, e.to_string())).ok()
    }

    /// Every value of that name, read as JSON.
    fn nested<T: serde::de::DeserializeOwned>(
        &self,
        reader: &mut Reader,
        name: &'static str,
    ) -> Vec<T> {
        self.all(name).filter_map(|it| reader.nested(it, name)).collect()
    }
}

fn subject(reader: &mut Reader, root: &Value) -> Subject {
    let at = "metadata.component";
    let name = reader.owned(root, "name", at).unwrap_or_default();
    let properties = Properties::of(root);
    let version = root.get("version").and_then(Value::as_str).unwrap_or_default();
    let digest: Option<Digest> = version.parse().ok();
    match properties.first(property::SUBJECT) {
        Some("directory") => return Subject::Directory { path: name },
        Some("document") => return Subject::Document { name },
        Some("image") => {
            return Subject::Image(Box::new(own_image(reader, &properties, name, digest)));
        }
        _ => {}
    }
    let purl = root.get("purl").and_then(Value::as_str).and_then(|it| it.parse::<Purl>().ok());
    let digest = digest.or_else(|| {
        let purl = purl.as_ref().filter(|purl| matches!(purl.kind(), "oci" | "docker"))?;
        purl.version()?.parse().ok()
    });
    match digest {
        Some(_) if reader.text(root, "type", at) == Some("container") => {
            let tags = purl.as_ref().and_then(|purl| purl.qualifier("tag"));
            Subject::Image(Box::new(ImageDescription {
                name,
                digest,
                tags: tags.map(str::to_owned).into_iter().collect(),
                ..ImageDescription::default()
            }))
        }
        _ => Subject::Document { name },
    }
}

fn own_image(
    reader: &mut Reader,
    properties: &Properties<'_>,
    name: String,
    digest: Option<Digest>,
) -> ImageDescription {
    let at = "metadata.component";
    ImageDescription {
        name,
        digest,
        index: properties.digest(reader, property::INDEX, at),
        config: properties.digest(reader, property::CONFIG, at),
        tags: properties.all(property::TAG).map(str::to_owned).collect(),
        platform: properties.nested(reader, property::PLATFORM).pop().unwrap_or_default(),
        created: properties.owned(property::CREATED),
        layers: properties.nested(reader, property::LAYER),
        attestations: properties.nested(reader, property::ATTESTATION),
        raw_manifest: properties.owned(property::RAW_MANIFEST),
        raw_config: properties.owned(property::RAW_CONFIG),
        size: properties.number(reader, property::IMAGE_SIZE, at).unwrap_or_default(),
        gaps: properties.nested(reader, property::IMAGE_GAP),
        // What a builder says is told beside images, and not in what is inside.
        built_on: None,
    }
}

/// For fewer components nobody else is called.
const FEW: usize = 64;

/// What a component is.
enum Taken {
    Distro(Box<Distro>),
    Package(Box<Package>),
}

fn take(reader: &mut Reader, component: &Value, own: bool) -> Option<Taken> {
    let kind = component.get("type").and_then(Value::as_str).unwrap_or("library");
    let purl = purl(reader, component);
    if kind == "operating-system" && purl.is_none() {
        return distro(reader, component, own).map(|it| Taken::Distro(Box::new(it)));
    }
    let properties = Properties::of(component);
    let purl = purl.or_else(|| made_purl(reader, component, kind, &properties))?;
    let shown = purl.to_string();
    let package = package(reader, component, &properties, purl, &shown);
    Some(Taken::Package(Box::new(package)))
}

fn distro(reader: &mut Reader, component: &Value, own: bool) -> Option<Distro> {
    let at = "the operating system";
    let properties = Properties::of(component);
    let id = reader.owned(component, "name", at);
    if id.is_none() && !own {
        reader.gap(at, "it has no name");
        return None;
    }
    Some(Distro {
        id: id.unwrap_or_default(),
        version: reader.owned(component, "version", at),
        codename: properties
            .owned(property::CODENAME)
            .or_else(|| properties.owned("syft:distro:versionCodename")),
        name: reader.owned(component, "description", at),
        like: properties.all(property::LIKE).map(str::to_owned).collect(),
        variant: properties.owned(property::VARIANT),
        cpe: reader.owned(component, "cpe", at),
    })
}

/// The purl that a component has, or that it is called by.
fn purl(reader: &mut Reader, component: &Value) -> Option<Purl> {
    let at = "a component";
    if let Some(text) = reader.text(component, "purl", at) {
        let name = component.get("name").and_then(Value::as_str).unwrap_or(at);
        if let Some(purl) = reader.purl(text, name) {
            return Some(purl);
        }
    }
    let purl: Purl = component.get("bom-ref").and_then(Value::as_str)?.parse().ok()?;
    Some(purl.with_qualifier("package-id", ""))
}

/// A purl for a component that has none. Files, data and the lock files that trivy lists as
/// applications are no packages, and nothing is missing without them.
fn made_purl(
    reader: &mut Reader,
    component: &Value,
    kind: &str,
    properties: &Properties<'_>,
) -> Option<Purl> {
    let package =
        matches!(kind, "library" | "application" | "framework" | "container" | "firmware");
    if !component.is_object() {
        reader.gap("a component", "it is not an object");
        return None;
    }
    if !package || properties.first("aquasecurity:trivy:Class").is_some() {
        return None;
    }
    let at = "a component";
    let name = reader.text(component, "name", at).unwrap_or_default();
    let group = reader.text(component, "group", at).unwrap_or_default();
    let version = reader.text(component, "version", at).unwrap_or_default();
    let named = if name.is_empty() { at } else { name };
    let told = properties.first("syft:package:type").and_then(crate::syft::purl_type);
    if let Some(purl) = told.and_then(|it| foreign::purl(it, group, name, version)) {
        return Some(purl);
    }
    reader.gap(named, "the component has no purl, so nothing can be known of it");
    if version.is_empty() { None } else { foreign::purl("generic", group, name, version) }
}

fn package(
    reader: &mut Reader,
    component: &Value,
    properties: &Properties<'_>,
    purl: Purl,
    at: &str,
) -> Package {
    let kind = match properties.first(property::KIND) {
        None => PackageKind::Installed,
        Some(text) => PackageKind::parse(text).unwrap_or_else(|| {
            reader.gap(at, format!("`{text}` is not a kind of package"));
            PackageKind::Installed
        }),
    };
    let mut cpes: Vec<String> = reader.owned(component, "cpe", at).into_iter().collect();
    cpes.extend(properties.all(property::CPE).map(str::to_owned));
    cpes.extend(properties.all("syft:cpe23").map(str::to_owned));
    let owner = properties.first(property::OWNER).and_then(|it| reader.purl(it, at));
    let url = website(reader, component, at).or_else(|| properties.owned(property::URL));
    let size = properties.number(reader, property::SIZE, at);
    let installed_size = properties.number(reader, property::INSTALLED_SIZE, at);
    Package {
        kind,
        source: source(properties),
        licenses: licenses(reader, component, at),
        author: author(reader, component, at),
        description: reader.owned(component, "description", at),
        url,
        size,
        installed_size,
        cpes,
        places: places(reader, component, properties, at),
        owner,
        ..Package::new(purl)
    }
}

fn source(properties: &Properties<'_>) -> Option<SourcePackage> {
    if let Some(name) = properties.owned(property::SOURCE) {
        return Some(SourcePackage { name, version: properties.owned(property::SOURCE_VERSION) });
    }
    if let Some(text) = properties.first("syft:metadata:sourceRpm") {
        return foreign::source_rpm(text);
    }
    let syft = properties
        .owned("syft:metadata:source")
        .or_else(|| properties.owned("syft:metadata:originPackage"));
    if let Some(name) = syft.filter(|it| !it.is_empty()) {
        let version = properties.owned("syft:metadata:sourceVersion").filter(|it| !it.is_empty());
        return Some(SourcePackage { name, version });
    }
    let name = properties.owned("aquasecurity:trivy:SrcName")?;
    let version = properties.first("aquasecurity:trivy:SrcVersion").map(|version| {
        let epoch = properties.first("aquasecurity:trivy:SrcEpoch").filter(|it| *it != "0");
        let epoch = epoch.map(|it| format!("{it}:")).unwrap_or_default();
        let release = properties.first("aquasecurity:trivy:SrcRelease");
        let release = release.map(|it| format!("-{it}")).unwrap_or_default();
        format!("{epoch}{version}{release}")
    });
    Some(SourcePackage { name, version })
}

fn licenses(reader: &mut Reader, component: &Value, at: &str) -> Vec<String> {
    let mut licenses = Vec::new();
    for choice in reader.list(component, "licenses", at) {
        let license = choice.get("license");
        let text = [choice.get("expression"), license.and_then(|it| it.get("id"))]
            .into_iter()
            .chain([license.and_then(|it| it.get("name"))])
            .flatten()
            .find_map(Value::as_str);
        match text {
            Some(text) => licenses.push(text.to_owned()),
            None => reader.gap(at, "a licence has neither a name nor an expression"),
        }
    }
    licenses
}

/// `authors` since 1.6, `author` before; a publisher or supplier where neither is told.
fn author(reader: &mut Reader, component: &Value, at: &str) -> Option<String> {
    let mut names = Vec::new();
    for author in reader.list(component, "authors", at) {
        let name = reader.text(author, "name", at);
        let mail = reader.text(author, "email", at);
        names.extend(match (name, mail) {
            (Some(name), Some(mail)) => Some(format!("{name} <{mail}>")),
            (one, other) => one.or(other).map(str::to_owned),
        });
    }
    if !names.is_empty() {
        return Some(names.join(", "));
    }
    reader
        .owned(component, "author", at)
        .or_else(|| reader.owned(component, "publisher", at))
        .or_else(|| component.get("supplier").and_then(|it| reader.owned(it, "name", at)))
}

fn website(reader: &mut Reader, component: &Value, at: &str) -> Option<String> {
    let references = reader.list(component, "externalReferences", at);
    let website =
        references.iter().find(|it| it.get("type").and_then(Value::as_str) == Some("website"))?;
    reader.owned(website, "url", at)
}

fn places(
    reader: &mut Reader,
    component: &Value,
    properties: &Properties<'_>,
    at: &str,
) -> Vec<Place> {
    let nothing = Value::Null;
    let evidence = component.get("evidence").unwrap_or(&nothing);
    let mut places = Vec::new();
    for occurrence in reader.list(evidence, "occurrences", at) {
        let path = reader.owned(occurrence, "location", at).unwrap_or_default();
        let context = reader.text(occurrence, "additionalContext", at).unwrap_or_default();
        let word =
            |key: &str| context.split(' ').find_map(|it| it.strip_prefix(key)?.strip_prefix('='));
        places.push(Place {
            path,
            layer: word("layer").and_then(|it| it.parse().ok()),
            digest: word("digest").and_then(|it| it.parse().ok()),
            diff_id: word("diff_id").and_then(|it| it.parse().ok()),
            first_layer: word("first_layer").and_then(|it| it.parse().ok()),
        });
    }
    if places.is_empty() { told_in_properties(properties) } else { places }
}

/// `syft:location:0:path`, and trivy's one `FilePath`.
fn told_in_properties(properties: &Properties<'_>) -> Vec<Place> {
    let mut places: BTreeMap<&str, Place> = BTreeMap::new();
    for (name, value) in &properties.0 {
        let Some((number, what)) =
            name.strip_prefix("syft:location:").and_then(|it| it.split_once(':'))
        else {
            continue;
        };
        let place = places.entry(number).or_default();
        match what {
            "path" => (*value).clone_into(&mut place.path),
            "layerID" => place.diff_id = value.parse().ok(),
            _ => {}
        }
    }
    if let Some(path) = properties.first("aquasecurity:trivy:FilePath") {
        let digest = |name| properties.first(name).and_then(|it| it.parse().ok());
        places.insert(
            "",
            Place {
                path: format!("/{}", path.trim_start_matches('/')),
                digest: digest("aquasecurity:trivy:LayerDigest"),
                diff_id: digest("aquasecurity:trivy:LayerDiffID"),
                ..Place::default()
            },
        );
    }
    places.into_values().filter(|place| !place.path.is_empty()).collect()
}
