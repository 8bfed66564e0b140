//! spdx: JSON, written in version 2.3, read in 2.2 and 2.3. <https://spdx.github.io/spdx-spec/v2.3/>

mod read;
mod write;

pub(crate) use write::{Beside, Flaw, write};

use std::borrow::Cow;

use model::{Distro, Gap, Inventory, PackageKind, Place, Purl, SourcePackage, Subject};
use serde::{Deserialize, Serialize};

use crate::contract::{Format, Glance, Options, Unreadable};
use crate::head::Head;

pub(crate) struct Spdx;

impl Format for Spdx {
    fn id(&self) -> &'static str {
        "spdx"
    }

    fn title(&self) -> &'static str {
        "SPDX 2.3 JSON"
    }

    fn writes(&self) -> bool {
        true
    }

    fn write(&self, inventory: &Inventory, options: &Options) -> String {
        write::write(inventory, options, &Beside::default())
    }

    fn claims(&self, glance: &Glance<'_>) -> bool {
        glance.whole().is_some_and(|head| document(head) || wrapped(head).is_some())
    }

    fn read(&self, bytes: &[u8]) -> Result<Inventory, Unreadable> {
        match Head::of(bytes).as_ref().and_then(wrapped) {
            Some(inside) => read::read(inside.as_bytes()),
            None => read::read(bytes),
        }
    }
}

fn document(head: &Head<'_>) -> bool {
    head.text("spdxVersion").is_some_and(|it| it.starts_with("SPDX-2."))
}

/// GitHub's API hands out `{"sbom": {…}}`, and `docker buildx imagetools` `{"SPDX": {…}}`.
fn wrapped<'a>(head: &Head<'a>) -> Option<&'a str> {
    ["sbom", "SPDX"]
        .into_iter()
        .find(|key| head.inner(key).is_some_and(|inner| document(&inner)))
        .and_then(|key| head.raw(key))
}

/// What SPDX has no field for about the whole, as JSON in an annotation of the document.
#[derive(Serialize, Deserialize)]
struct Whole<'a> {
    subject: Cow<'a, Subject>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    distro: Option<Cow<'a, Distro>>,
    #[serde(default, skip_serializing_if = "no_gaps")]
    gaps: Cow<'a, [Gap]>,
}

/// What SPDX has no field for about a package, as JSON in an annotation of the package; also what
/// its field would not give back as it was.
#[derive(Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Rest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<PackageKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Cow<'a, SourcePackage>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    licenses: Option<Cow<'a, [String]>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    installed_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpes: Option<Cow<'a, [String]>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    places: Vec<Spot<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Cow<'a, Purl>>,
}

/// A place, with only what is known of it.
#[derive(PartialEq, Serialize, Deserialize)]
struct Spot<'a> {
    path: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    layer: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<Cow<'a, model::Digest>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    diff_id: Option<Cow<'a, model::Digest>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_layer: Option<u32>,
}

impl<'a> From<&'a Place> for Spot<'a> {
    fn from(place: &'a Place) -> Self {
        Self {
            path: Cow::Borrowed(&place.path),
            layer: place.layer,
            digest: place.digest.as_ref().map(Cow::Borrowed),
            diff_id: place.diff_id.as_ref().map(Cow::Borrowed),
            first_layer: place.first_layer,
        }
    }
}

impl From<Spot<'_>> for Place {
    fn from(spot: Spot<'_>) -> Self {
        Self {
            path: spot.path.into_owned(),
            layer: spot.layer,
            digest: spot.digest.map(Cow::into_owned),
            diff_id: spot.diff_id.map(Cow::into_owned),
            first_layer: spot.first_layer,
        }
    }
}

fn no_gaps(gaps: &[Gap]) -> bool {
    gaps.is_empty()
}

/// The words for "nobody says" and "there is none".
fn is_assertion(text: &str) -> bool {
    !matches!(text, "NOASSERTION" | "NONE")
}
