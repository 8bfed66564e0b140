//! in-toto: statements that carry an SPDX, CycloneDX or Scout document, bare or in an envelope; read
//! only. <https://github.com/in-toto/attestation/tree/main/spec>
//!
//! Who signed an envelope is not asked here: the document is read, not trusted.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use model::{Digest, ImageDescription, Inventory, Purl, Subject};
use serde_json::Value;

use crate::contract::{Format, Glance, Options, Unreadable};
use crate::head::{Head, without_mark};

pub(crate) struct InToto;

const STATEMENT: &str = "https://in-toto.io/Statement/";
const PAYLOAD: &str = "application/vnd.in-toto+json";

impl Format for InToto {
    fn id(&self) -> &'static str {
        "in-toto"
    }

    fn title(&self) -> &'static str {
        "in-toto statement with an SPDX, CycloneDX, syft or Scout predicate"
    }

    fn writes(&self) -> bool {
        false
    }

    fn write(&self, _: &Inventory, _: &Options) -> String {
        String::new()
    }

    fn claims(&self, glance: &Glance<'_>) -> bool {
        let is_ours = |head: &Head<'_>| is_statement(head) || envelope(head).is_some();
        match glance.whole() {
            Some(head) => is_ours(head),
            None => lines(glance.bytes()).next().and_then(Head::of).is_some_and(|it| is_ours(&it)),
        }
    }

    fn read(&self, bytes: &[u8]) -> Result<Inventory, Unreadable> {
        // One envelope a line is what `cosign download attestation` prints.
        let mut last = unreadable("it is not a JSON object");
        for line in lines(bytes) {
            match read_one(line) {
                Ok(inventory) => return Ok(inventory),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

fn unreadable(why: &str) -> Unreadable {
    Unreadable(format!("reading the in-toto statement failed: {why}"))
}

/// The whole, if it is one object; else its lines.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let whole = Head::of(bytes).is_some();
    without_mark(bytes)
        .split(move |byte| !whole && *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
}

fn is_statement(head: &Head<'_>) -> bool {
    head.text("_type").is_some_and(|it| it.starts_with(STATEMENT))
}

/// The payload, in base64: of a DSSE envelope, or of the one inside a Sigstore bundle.
fn envelope(head: &Head<'_>) -> Option<String> {
    let payload = |head: &Head<'_>| {
        head.text("payload").filter(|_| head.text("payloadType").as_deref() == Some(PAYLOAD))
    };
    payload(head).or_else(|| payload(&head.inner("dsseEnvelope")?))
}

fn read_one(bytes: &[u8]) -> Result<Inventory, Unreadable> {
    let head = Head::of(bytes).ok_or_else(|| unreadable("it is not a JSON object"))?;
    let Some(payload) = envelope(&head) else { return read_statement(&head) };
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let payload = payload.trim();
    let alphabet =
        if payload.contains(['-', '_']) { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    let statement = GeneralPurpose::new(alphabet, config)
        .decode(payload)
        .map_err(|e| unreadable(&format!("its payload is not base64: {e}")))?;
    let head =
        Head::of(&statement).ok_or_else(|| unreadable("its payload is not a JSON object"))?;
    read_statement(&head)
}

fn read_statement(head: &Head<'_>) -> Result<Inventory, Unreadable> {
    if !is_statement(head) {
        return Err(unreadable("it is not of the type `https://in-toto.io/Statement/…`"));
    }
    let predicate = head.raw("predicate").unwrap_or_default();
    let mut inventory = read_predicate(predicate).unwrap_or_else(|| {
        let kind = head.text("predicateType").unwrap_or_default();
        let kind: String = kind.chars().take(100).collect();
        Err(unreadable(&format!(
            "its predicate `{kind}` is not a bill of materials; SPDX, CycloneDX, syft and Scout predicates are understood"
        )))
    })?;
    name_subject(&mut inventory, head);
    Ok(inventory)
}

/// The document itself; or as a text; or either under `Data`, as old versions of cosign wrap it.
fn read_predicate(raw: &str) -> Option<Result<Inventory, Unreadable>> {
    if let Some(result) = read_bare(raw.as_bytes()) {
        return Some(result);
    }
    if let Ok(text) = serde_json::from_str::<String>(raw) {
        return read_bare(text.as_bytes());
    }
    let head = Head::of(raw.as_bytes())?;
    match head.text("Data") {
        Some(text) => read_bare(text.as_bytes()),
        None => read_bare(head.raw("Data")?.as_bytes()),
    }
}

fn read_bare(bytes: &[u8]) -> Option<Result<Inventory, Unreadable>> {
    let glance = Glance::at(bytes);
    let format = crate::ALL.iter().find(|it| it.id() != InToto.id() && it.claims(&glance))?;
    Some(format.read(bytes))
}

/// Which image the document is about is told by the statement's subject, where the document itself
/// does not know.
fn name_subject(inventory: &mut Inventory, head: &Head<'_>) {
    let subjects = head.raw("subject").unwrap_or_default();
    let subjects: Value = serde_json::from_str(subjects).unwrap_or_default();
    let Some(first) = subjects.get(0) else { return };
    let digest = first.pointer("/digest/sha256").and_then(Value::as_str);
    let digest: Option<Digest> = digest.and_then(|hex| format!("sha256:{hex}").parse().ok());
    let stated = first.get("name").and_then(Value::as_str).and_then(image_name);
    match &mut inventory.subject {
        Subject::Image(image) => {
            image.digest = image.digest.take().or(digest);
        }
        Subject::Directory { .. } => {}
        Subject::Document { name } => {
            if let Some(digest) = digest {
                let name = stated.unwrap_or_else(|| std::mem::take(name));
                inventory.subject = Subject::Image(Box::new(ImageDescription {
                    name,
                    digest: Some(digest),
                    ..ImageDescription::default()
                }));
            }
        }
    }
}

/// BuildKit names the subject by a purl, `pkg:docker/debian@12?platform=…`, or `_` when it has none.
fn image_name(text: &str) -> Option<String> {
    let Ok(purl) = text.parse::<Purl>() else {
        return (!matches!(text, "" | "_")).then(|| text.to_owned());
    };
    let tag = purl.version().filter(|it| !it.contains(':'));
    let tag = tag.map(|it| format!(":{it}")).unwrap_or_default();
    Some(format!("{}{tag}", purl.full_name()))
}
