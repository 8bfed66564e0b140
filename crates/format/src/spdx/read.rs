//! Reading SPDX 2.2 and 2.3: our own, and what syft, trivy, BuildKit, GitHub and others make of it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use model::{Digest, Distro, ImageDescription, Inventory, Package, PackageKind, Place, Purl};
use model::{SourcePackage, Subject};
use serde_json::Value;

use super::{Rest, Whole, is_assertion};
use crate::contract::Unreadable;
use crate::document::TOOL;
use crate::foreign;
use crate::lenient::{Reader, parse};

pub(super) fn read(bytes: &[u8]) -> Result<Inventory, Unreadable> {
    let document = parse(bytes, "SPDX")?;
    let mut reader = Reader::default();
    let version = document.get("spdxVersion").and_then(Value::as_str).unwrap_or_default();
    if !matches!(version, "SPDX-2.2" | "SPDX-2.3") {
        reader.gap("the document", format!("it is {version}; it was read as SPDX-2.3"));
    }
    if let Some(whole) = annotation::<Whole<'_>>(&mut reader, &document, "the document") {
        return Ok(read_own(reader, &document, whole));
    }
    let described = described(&document);
    let mut found = Found { subject: None, distro: None, packages: Vec::new() };
    let texts = texts(&document);
    for part in reader.list(&document, "packages", "the document") {
        found.take(&mut reader, part, &described, &texts);
    }
    let name = reader.owned(&document, "name", "the document").unwrap_or_default();
    let subject = found.subject.unwrap_or(Subject::Document { name });
    Ok(foreign::settle(subject, found.distro, found.packages, reader.gaps, false))
}

fn read_own(mut reader: Reader, document: &Value, whole: Whole<'_>) -> Inventory {
    let texts = texts(document);
    let mut packages = Vec::new();
    for part in reader.list(document, "packages", "the document") {
        let id = part.get("SPDXID").and_then(Value::as_str).unwrap_or_default();
        if !matches!(id, "SPDXRef-subject" | "SPDXRef-distro") {
            packages
                .extend(purl(&mut reader, part).map(|it| package(&mut reader, part, it, &texts)));
        }
    }
    reader.gaps.extend(whole.gaps.into_owned());
    let distro = whole.distro.map(Cow::into_owned);
    foreign::settle(whole.subject.into_owned(), distro, packages, reader.gaps, true)
}

/// What we said about `value` in an annotation of our own.
fn annotation<T: serde::de::DeserializeOwned>(
    reader: &mut Reader,
    value: &Value,
    at: &str,
) -> Option<T> {
    let ours = |it: &&Value| {
        let annotator = it.get("annotator").and_then(Value::as_str).unwrap_or_default();
        annotator
            .strip_prefix("Tool: ")
            .and_then(|it| it.strip_prefix(TOOL))
            .is_some_and(|it| it.starts_with('-'))
    };
    let annotation = value.get("annotations")?.as_array()?.iter().find(ours)?;
    let comment = reader.text(annotation, "comment", at)?;
    reader.nested(comment, at)
}

/// The elements that the document says it is about.
fn described(document: &Value) -> HashSet<&str> {
    let list = |key| document.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let text = |value: &'_ Value, key| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut described: HashSet<&str> =
        list("documentDescribes").iter().filter_map(Value::as_str).collect();
    for relation in list("relationships") {
        let kind = text(relation, "relationshipType").unwrap_or_default();
        let end = match kind.as_str() {
            "DESCRIBES" => "relatedSpdxElement",
            "DESCRIBED_BY" => "spdxElementId",
            _ => continue,
        };
        described.extend(relation.get(end).and_then(Value::as_str));
    }
    described
}

/// What stands behind each `LicenseRef-…`: its name, else its text if that is short.
fn texts(document: &Value) -> HashMap<&str, &str> {
    let list = document.get("hasExtractedLicensingInfos").and_then(Value::as_array);
    list.map_or(&[][..], Vec::as_slice)
        .iter()
        .filter_map(|info| {
            let text = |key: &str| {
                info.get(key)
                    .and_then(Value::as_str)
                    .filter(|it| !it.is_empty() && is_assertion(it))
            };
            let short = text("extractedText").filter(|it| it.len() <= 200);
            Some((text("licenseId")?, text("name").or(short)?))
        })
        .collect()
}

struct Found {
    subject: Option<Subject>,
    distro: Option<Distro>,
    packages: Vec<Package>,
}

impl Found {
    fn take(
        &mut self,
        reader: &mut Reader,
        part: &Value,
        described: &HashSet<&str>,
        texts: &HashMap<&str, &str>,
    ) {
        let id = part.get("SPDXID").and_then(Value::as_str).unwrap_or_default();
        let purpose = part.get("primaryPackagePurpose").and_then(Value::as_str).unwrap_or_default();
        let purl = purl(reader, part);
        let kind = purl.as_ref().map_or("", Purl::kind);
        // What the document is about is its subject, unless it is a package like any other
        // (Bitnami's documents describe the very package they ship with).
        if described.contains(id)
            && (matches!(kind, "" | "oci" | "docker" | "swid" | "github") || purpose == "CONTAINER")
        {
            let subject = subject(reader, part, purl.as_ref(), purpose);
            self.subject = self.subject.take().or(subject);
            return;
        }
        if matches!(purpose, "OPERATING-SYSTEM" | "OPERATING_SYSTEM") && purl.is_none() {
            let distro = distro(reader, part);
            self.distro = self.distro.take().or(distro);
            return;
        }
        if let Some(purl) = purl.or_else(|| made_purl(reader, part, purpose)) {
            let package = package(reader, part, purl, texts);
            self.packages.push(package);
        }
    }
}

fn subject(
    reader: &mut Reader,
    part: &Value,
    purl: Option<&Purl>,
    purpose: &str,
) -> Option<Subject> {
    let at = "the subject";
    let name = reader.owned(part, "name", at)?;
    let purl = purl.filter(|it| matches!(it.kind(), "oci" | "docker"));
    let version = reader.text(part, "versionInfo", at);
    let digest: Option<Digest> = [purl.and_then(Purl::version), version]
        .into_iter()
        .flatten()
        .find_map(|it| it.parse().ok());
    if digest.is_none() || (purl.is_none() && purpose != "CONTAINER") {
        return Some(Subject::Document { name });
    }
    let tags = purl.and_then(|it| it.qualifier("tag")).map(str::to_owned).into_iter().collect();
    Some(Subject::Image(Box::new(ImageDescription {
        name,
        digest,
        tags,
        ..ImageDescription::default()
    })))
}

fn distro(reader: &mut Reader, part: &Value) -> Option<Distro> {
    let at = "the operating system";
    Some(Distro {
        id: reader.owned(part, "name", at)?,
        version: reader.owned(part, "versionInfo", at),
        name: reader.owned(part, "description", at),
        cpe: cpes(reader, part, at).into_iter().next(),
        ..Distro::default()
    })
}

fn references<'v>(reader: &mut Reader, part: &'v Value, at: &str) -> Vec<(&'v str, &'v str)> {
    reader
        .list(part, "externalRefs", at)
        .iter()
        .filter_map(|it| {
            let text = |key: &str| it.get(key).and_then(Value::as_str);
            Some((text("referenceType")?, text("referenceLocator")?))
        })
        .collect()
}

fn purl(reader: &mut Reader, part: &Value) -> Option<Purl> {
    let at = part.get("name").and_then(Value::as_str).unwrap_or("a package");
    references(reader, part, at)
        .into_iter()
        .filter(|(kind, text)| *kind == "purl" || text.starts_with("pkg:"))
        .find_map(|(_, text)| reader.purl(text, at))
}

fn cpes(reader: &mut Reader, part: &Value, at: &str) -> Vec<String> {
    references(reader, part, at)
        .into_iter()
        .filter(|(kind, _)| kind.ends_with("cpe23Type") || kind.ends_with("cpe22Type"))
        .map(|(_, text)| text.to_owned())
        .collect()
}

/// A purl for a package that has none. Files, and the lock files that trivy lists as
/// applications, are no packages, and nothing is missing without them.
fn made_purl(reader: &mut Reader, part: &Value, purpose: &str) -> Option<Purl> {
    let at = "a package";
    let name = reader.text(part, "name", at).unwrap_or_default();
    let version = reader.text(part, "versionInfo", at).unwrap_or_default();
    if purpose == "FILE" || (purpose == "APPLICATION" && version.is_empty()) {
        return None;
    }
    let named = if name.is_empty() { at } else { name };
    reader.gap(named, "the package has no purl, so nothing can be known of it");
    let known = !version.is_empty() && is_assertion(version);
    if known { foreign::purl("generic", "", name, version) } else { None }
}

fn package(reader: &mut Reader, part: &Value, purl: Purl, texts: &HashMap<&str, &str>) -> Package {
    let shown = purl.to_string();
    let at = shown.as_str();
    let rest: Rest<'_> = annotation(reader, part, at).unwrap_or_default();
    let own = rest != Rest::default();
    let author = rest
        .author
        .map(Cow::into_owned)
        .or_else(|| reader.text(part, "originator", at).and_then(foreign::person))
        .or_else(|| reader.text(part, "supplier", at).and_then(foreign::person));
    let homepage = reader.owned(part, "homepage", at).filter(|it| is_assertion(it));
    let source_info = reader.text(part, "sourceInfo", at).filter(|_| !own).unwrap_or_default();
    let licenses = rest.licenses.map(Cow::into_owned);
    let cpes = rest.cpes.map(Cow::into_owned);
    let mut places: Vec<Place> = rest.places.into_iter().map(Into::into).collect();
    if !own {
        places = told_places(source_info);
    }
    Package {
        kind: rest.kind.unwrap_or(PackageKind::Installed),
        source: rest.source.map(Cow::into_owned).or_else(|| told_source(source_info)),
        licenses: licenses.unwrap_or_else(|| self::licenses(reader, part, texts, at)),
        author,
        description: reader
            .owned(part, "description", at)
            .or_else(|| reader.owned(part, "summary", at)),
        url: rest.url.map(Cow::into_owned).or(homepage),
        size: rest.size,
        installed_size: rest.installed_size,
        cpes: cpes.unwrap_or_else(|| self::cpes(reader, part, at)),
        places,
        owner: rest.owner.map(Cow::into_owned),
        ..Package::new(purl)
    }
}

/// What is declared, else what somebody concluded.
fn licenses(
    reader: &mut Reader,
    part: &Value,
    texts: &HashMap<&str, &str>,
    at: &str,
) -> Vec<String> {
    let mut stated = ["licenseDeclared", "licenseConcluded"]
        .into_iter()
        .filter_map(|key| reader.text(part, key, at))
        .filter(|it| is_assertion(it));
    let Some(text) = stated.next() else { return Vec::new() };
    vec![texts.get(text).copied().unwrap_or(text).to_owned()]
}

/// trivy: `built package from: openssl 3.0.11-1`.
fn told_source(source_info: &str) -> Option<SourcePackage> {
    let text = source_info.strip_prefix("built package from: ")?;
    let (name, version) = text.split_once(' ').unwrap_or((text, ""));
    let version = (!version.is_empty()).then(|| version.to_owned());
    Some(SourcePackage { name: name.to_owned(), version })
}

/// syft: `acquired package info from DPKG DB: /var/lib/dpkg/status, /usr/share/doc/a/copyright`.
fn told_places(source_info: &str) -> Vec<Place> {
    let Some((_, paths)) = source_info.split_once(": /") else { return Vec::new() };
    let path = |it: &str| format!("/{}", it.trim_start_matches('/'));
    paths.split(", ").map(|it| Place { path: path(it), ..Place::default() }).collect()
}
