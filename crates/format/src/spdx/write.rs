//! Writing SPDX 2.3.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use model::{Distro, Inventory, Package, PackageKind, Subject};
use serde::Serialize;

use super::{Rest, Whole};
use crate::contract::Options;
use crate::document::{self, TOOL, UNNUMBERED};
use crate::foreign;
use crate::license::{self, Known, License};

const NOASSERTION: &str = "NOASSERTION";
const SUBJECT: &str = "SPDXRef-subject";
const DISTRO: &str = "SPDXRef-distro";

/// What a report has to say beside the inventory.
#[derive(Default)]
pub(crate) struct Beside {
    /// For each package, by its number.
    pub(crate) flaws: HashMap<usize, Vec<Flaw>>,
    /// Lines about the whole.
    pub(crate) comment: String,
}

/// A page about a flaw that a package has, or about its fix.
pub(crate) struct Flaw {
    /// `advisory` or `fix`.
    pub(crate) kind: &'static str,
    pub(crate) url: String,
    pub(crate) comment: String,
}

pub(crate) fn write(inventory: &Inventory, options: &Options, beside: &Beside) -> String {
    let stamp = Stamp {
        created: document::created(inventory, options.created.as_deref()),
        tool: format!("Tool: {TOOL}-{}", one_line(&options.tool_version)),
    };
    let mut writer = Writer {
        stamp: &stamp,
        ids: HashMap::new(),
        known: Known::default(),
        texts: Texts::default(),
    };
    let mut parts = vec![subject(&inventory.subject)];
    parts.extend(inventory.distro.as_ref().map(distro));
    parts.extend(inventory.packages.iter().enumerate().map(|(number, package)| {
        let mut part = writer.package(package);
        part.external_refs.extend(beside.flaws.get(&number).into_iter().flatten().map(flaw_ref));
        part
    }));
    let whole = Whole {
        subject: Cow::Borrowed(&inventory.subject),
        distro: inventory.distro.as_ref().map(Cow::Borrowed),
        gaps: Cow::Borrowed(&inventory.gaps),
    };
    let document = Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: "SPDXRef-DOCUMENT",
        document_namespace: UNNUMBERED,
        name: named(inventory.subject.name()),
        comment: comment(inventory, beside),
        creation_info: CreationInfo {
            license_list_version: license::LIST,
            created: &stamp.created,
            creators: [&stamp.tool],
        },
        annotations: [stamp.annotation(&whole)],
        relationships: relationships(&parts),
        packages: parts,
        has_extracted_licensing_infos: writer.texts.explained(),
    };
    document::numbered(document::printed(&document, inventory.packages.len()))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "SPDX's names")]
struct Document<'a> {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    document_namespace: &'static str,
    name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    creation_info: CreationInfo<'a>,
    annotations: [Annotation<'a>; 1],
    packages: Vec<Part<'a>>,
    relationships: Vec<Relationship>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    has_extracted_licensing_infos: Vec<Explained<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreationInfo<'a> {
    license_list_version: &'static str,
    created: &'a str,
    creators: [&'a str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "SPDX's names")]
struct Annotation<'a> {
    annotation_date: &'a str,
    annotation_type: &'static str,
    annotator: &'a str,
    comment: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "SPDX's names")]
struct Relationship {
    spdx_element_id: String,
    relationship_type: &'static str,
    related_spdx_element: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explained<'a> {
    license_id: String,
    extracted_text: &'a str,
    name: &'a str,
}

/// What SPDX calls a package: ours, and also the image and its distribution.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Part<'a> {
    name: Cow<'a, str>,
    #[serde(rename = "SPDXID")]
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_info: Option<&'a str>,
    supplier: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    originator: Option<String>,
    download_location: &'static str,
    files_analyzed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksums: Option<[Checksum<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    homepage: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_info: Option<String>,
    license_concluded: &'static str,
    license_declared: Cow<'a, str>,
    copyright_text: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_refs: Vec<ExternalRef<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_package_purpose: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<[Annotation<'a>; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checksum<'a> {
    algorithm: &'static str,
    checksum_value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExternalRef<'a> {
    reference_category: &'static str,
    reference_type: &'static str,
    reference_locator: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
}

impl<'a> Part<'a> {
    fn new(name: Cow<'a, str>, id: String) -> Self {
        Self {
            name,
            id,
            version_info: None,
            supplier: NOASSERTION,
            originator: None,
            download_location: NOASSERTION,
            files_analyzed: false,
            checksums: None,
            homepage: None,
            source_info: None,
            license_concluded: NOASSERTION,
            license_declared: NOASSERTION.into(),
            copyright_text: NOASSERTION,
            description: None,
            external_refs: Vec::new(),
            primary_package_purpose: None,
            annotations: None,
        }
    }
}

fn subject(subject: &Subject) -> Part<'_> {
    let mut part = Part::new(named(subject.name()), SUBJECT.to_owned());
    part.primary_package_purpose = Some(match subject {
        Subject::Image(_) => "CONTAINER",
        Subject::Directory { .. } => "FILE",
        Subject::Document { .. } => "OTHER",
    });
    if let Subject::Image(image) = subject
        && let Some(digest) = &image.digest
    {
        let algorithm = if digest.algorithm() == "sha512" { "SHA512" } else { "SHA256" };
        part.version_info = Some(digest.as_str());
        part.checksums = Some([Checksum { algorithm, checksum_value: digest.hex() }]);
        part.external_refs.extend(document::oci_purl(image).map(|it| purl_ref(&it.to_string())));
    }
    part
}

fn distro(distro: &Distro) -> Part<'_> {
    Part {
        version_info: distro.version.as_deref(),
        description: distro.name.as_deref(),
        external_refs: distro.cpe.iter().filter_map(|it| cpe_ref(it)).collect(),
        primary_package_purpose: Some("OPERATING_SYSTEM"),
        ..Part::new(named(&distro.id), DISTRO.to_owned())
    }
}

fn purl_ref<'a>(purl: &str) -> ExternalRef<'a> {
    ExternalRef {
        reference_category: "PACKAGE-MANAGER",
        reference_type: "purl",
        reference_locator: purl.to_owned().into(),
        comment: None,
    }
}

fn cpe_ref(cpe: &str) -> Option<ExternalRef<'_>> {
    Some(ExternalRef {
        reference_category: "SECURITY",
        reference_type: document::cpe_type(cpe)?,
        reference_locator: cpe.into(),
        comment: None,
    })
}

fn flaw_ref(flaw: &Flaw) -> ExternalRef<'_> {
    ExternalRef {
        reference_category: "SECURITY",
        reference_type: flaw.kind,
        reference_locator: (&*flaw.url).into(),
        comment: Some(&flaw.comment),
    }
}

/// The document describes the subject, and the subject contains the rest.
fn relationships(parts: &[Part<'_>]) -> Vec<Relationship> {
    let relation = |from: &str, relationship_type, to: &str| Relationship {
        spdx_element_id: from.to_owned(),
        relationship_type,
        related_spdx_element: to.to_owned(),
    };
    let contained = parts.iter().skip(1).map(|part| relation(SUBJECT, "CONTAINS", &part.id));
    [relation("SPDXRef-DOCUMENT", "DESCRIBES", SUBJECT)].into_iter().chain(contained).collect()
}

fn comment(inventory: &Inventory, beside: &Beside) -> Option<String> {
    let image = inventory.subject.image().map_or(&[][..], |image| &image.gaps);
    let lines: Vec<String> = inventory.gaps.iter().chain(image).map(ToString::to_string).collect();
    let gaps =
        (!lines.is_empty()).then(|| format!("This inventory has gaps:\n{}", lines.join("\n")));
    let said = Some(&beside.comment).filter(|it| !it.is_empty()).cloned();
    let paragraphs: Vec<String> = [gaps, said].into_iter().flatten().collect();
    (!paragraphs.is_empty()).then(|| paragraphs.join("\n\n"))
}

/// When the document is made, and by whom: what each annotation says of itself.
struct Stamp {
    created: String,
    tool: String,
}

impl Stamp {
    fn annotation(&self, value: &impl Serialize) -> Annotation<'_> {
        let mut comment = Vec::with_capacity(512);
        serde_json::to_writer(&mut comment, value).expect("its keys are texts");
        Annotation {
            annotation_date: &self.created,
            annotation_type: "OTHER",
            annotator: &self.tool,
            comment: String::from_utf8(comment).expect("JSON is written as UTF-8"),
        }
    }
}

struct Writer<'a> {
    stamp: &'a Stamp,
    ids: HashMap<String, usize>,
    known: Known<'a>,
    texts: Texts<'a>,
}

impl<'a> Writer<'a> {
    fn package(&mut self, package: &'a Package) -> Part<'a> {
        let purl = &package.purl;
        let originator = package.author.as_deref().and_then(originator);
        let homepage = package.url.as_deref().filter(|it| document::is_plain_url(it));
        let cpes: Vec<_> = package.cpes.iter().filter_map(|it| cpe_ref(it)).collect();
        let installed = package.kind == PackageKind::Installed;
        let rest = Rest {
            kind: (!installed).then_some(package.kind),
            source: package.source.as_ref().map(Cow::Borrowed),
            // One licence reads back as it is; the borders between several are lost in `AND`.
            licenses: (package.licenses.len() > 1 || !plain(&package.licenses))
                .then_some(Cow::Borrowed(&package.licenses)),
            author: package.author.as_deref().filter(|_| originator.is_none()).map(Cow::from),
            url: package.url.as_deref().filter(|_| homepage.is_none()).map(Cow::from),
            size: package.size,
            installed_size: package.installed_size,
            cpes: (cpes.len() < package.cpes.len()).then_some(Cow::Borrowed(&package.cpes)),
            places: package.places.iter().map(Into::into).collect(),
            owner: package.owner.as_ref().map(Cow::Borrowed),
        };
        let mut external_refs = vec![purl_ref(&purl.to_string())];
        external_refs.extend(cpes);
        Part {
            version_info: purl.version(),
            originator,
            homepage,
            source_info: source_info(package),
            license_declared: self.declared(&package.licenses),
            description: package.description.as_deref(),
            external_refs,
            annotations: (rest != Rest::default()).then(|| [self.stamp.annotation(&rest)]),
            ..Part::new(crate::list::name(purl), self.id(package))
        }
    }

    /// `SPDXRef-Package-npm-lodash-4.17.21`, with a number behind it where two would be called so.
    fn id(&mut self, package: &Package) -> String {
        let purl = &package.purl;
        let namespace = purl.namespace().unwrap_or_default();
        let version = purl.version().unwrap_or_default();
        let mut id = String::with_capacity(64);
        for part in ["SPDXRef-Package", purl.kind(), namespace, purl.name(), version] {
            push_plain(&mut id, part);
            push_plain(&mut id, "-");
        }
        id.truncate(id.trim_end_matches(['-', '.']).len());
        if let Some(number) = self.ids.get_mut(&id) {
            *number += 1;
            // Two dots in a row are only ever ours: no other name can end like this.
            return format!("{id}..{number}");
        }
        self.ids.insert(id.clone(), 1);
        id
    }

    fn declared(&mut self, licenses: &'a [String]) -> Cow<'a, str> {
        let mut terms = licenses.iter().filter(|it| !it.is_empty()).map(|text| {
            match self.known.license(text) {
                License::Id | License::Expression => Cow::Borrowed(text.as_str()),
                License::Text => Cow::Owned(self.texts.id(text)),
            }
        });
        let Some(first) = terms.next() else { return NOASSERTION.into() };
        let rest: Vec<Cow<'_, str>> = terms.collect();
        if rest.is_empty() {
            return first;
        }
        let mut all = String::with_capacity(128);
        for term in [&first].into_iter().chain(&rest) {
            all.push_str(if all.is_empty() { "" } else { " AND " });
            let compound = term.contains(' ');
            all.push_str(if compound { "(" } else { "" });
            all.push_str(term);
            all.push_str(if compound { ")" } else { "" });
        }
        all.into()
    }
}

/// Will these licences be read from `licenseDeclared` as they are?
fn plain(licenses: &[String]) -> bool {
    licenses.iter().all(|it| !it.is_empty() && super::is_assertion(it))
}

/// Licences that are no SPDX expression, and what each is called in this document.
#[derive(Default)]
struct Texts<'a> {
    ids: HashMap<&'a str, String>,
    taken: HashMap<String, usize>,
}

impl<'a> Texts<'a> {
    fn id(&mut self, text: &'a str) -> String {
        if let Some(id) = self.ids.get(text) {
            return id.clone();
        }
        let short: String =
            text.strip_prefix("LicenseRef-").unwrap_or(text).chars().take(60).collect();
        let plain = plain_words(&short);
        let number = self.taken.entry(plain.clone()).or_default();
        *number += 1;
        let id = match (plain.as_str(), *number) {
            ("", number) => format!("LicenseRef-..{number}"),
            (plain, 1) => format!("LicenseRef-{plain}"),
            (plain, number) => format!("LicenseRef-{plain}..{number}"),
        };
        self.ids.insert(text, id.clone());
        id
    }

    fn explained(&self) -> Vec<Explained<'a>> {
        let sorted: BTreeMap<&String, &'a str> =
            self.ids.iter().map(|(text, id)| (id, *text)).collect();
        sorted
            .into_iter()
            .map(|(id, text)| Explained {
                license_id: id.clone(),
                extracted_text: text,
                name: text,
            })
            .collect()
    }
}

/// Only letters, digits, single dots and dashes, as SPDX demands of what it calls by name.
fn plain_words(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    push_plain(&mut plain, text);
    plain.trim_matches(['-', '.']).to_owned()
}

fn push_plain(plain: &mut String, text: &str) {
    for letter in text.chars() {
        let letter = if letter.is_ascii_alphanumeric() || letter == '.' { letter } else { '-' };
        // No two in a row: those are ours, before a number.
        if letter.is_ascii_alphanumeric() || !plain.ends_with(letter) {
            plain.push(letter);
        }
    }
}

/// `Person: Name (mail)`, when that reads back as it was.
fn originator(author: &str) -> Option<String> {
    let text = match author.strip_suffix('>').and_then(|it| it.rsplit_once(" <")) {
        Some((name, mail)) => format!("Person: {name} ({mail})"),
        None => format!("Person: {author}"),
    };
    (one_line(author) == author && foreign::person(&text).as_deref() == Some(author))
        .then_some(text)
}

fn source_info(package: &Package) -> Option<String> {
    let mut said = Vec::new();
    if let Some(source) = &package.source {
        let version = source.version.as_deref().or(package.purl.version()).unwrap_or_default();
        said.push(format!("built package from: {} {version}", source.name));
    }
    if let Some(place) = package.places.first() {
        said.push(format!("{} according to: {}", package.kind.as_str(), place.path));
    }
    (!said.is_empty()).then(|| one_line(&said.join("; ")).into_owned())
}

/// A name may not be empty.
fn named(name: &str) -> Cow<'_, str> {
    if name.is_empty() { "unnamed".into() } else { one_line(name) }
}

fn one_line(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        text.replace(char::is_control, " ").into()
    } else {
        text.into()
    }
}
