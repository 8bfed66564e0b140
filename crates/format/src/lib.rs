//! How an inventory looks on paper, and back: one file per format, listed in `ALL`; and how an
//! analysis does: one file per report, listed in `report::ALL`; how a comparison does, in
//! `comparison::ALL`; and all that runs somewhere, in `export::ALL`.

use model::Inventory;

pub mod comparison;
mod contract;
mod cyclonedx;
mod document;
pub mod export;
mod foreign;
mod head;
mod html;
mod in_toto;
mod json;
mod lenient;
mod license;
mod list;
mod page;
mod paint;
pub mod policies;
pub mod recommendations;
pub mod report;
mod spdx;
mod syft;
#[cfg(test)]
mod tests;
mod words;

pub use contract::{Format, Glance, Options, Unreadable};
pub use html::{in_attribute as in_html_attribute, in_text as in_html};
pub use list::shown;
pub use words::{link, whole_statement};

/// Every format. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn Format] =
    &[&json::Json, &list::List, &spdx::Spdx, &cyclonedx::CycloneDx, &syft::Syft, &in_toto::InToto];

/// The format with that id.
pub fn find(id: &str) -> Option<&'static dyn Format> {
    ALL.iter().copied().find(|format| format.id() == id)
}

/// Reads a document of any format that we understand.
pub fn read(bytes: &[u8]) -> Result<Inventory, Unreadable> {
    let glance = Glance::at(bytes);
    match ALL.iter().find(|format| format.claims(&glance)) {
        Some(format) => format.read(bytes),
        None => Err(refusal(bytes)),
    }
}

/// What `read` understands, for whoever tells a user what to do about a refusal.
pub const UNDERSTOOD: &str = "understood are Foretop's and Scout's own JSON, SPDX 2.2 and 2.3 JSON, CycloneDX 1.2 to 1.6 JSON, syft JSON, and in-toto statements about one of these";

/// Why nobody claims the document.
fn refusal(bytes: &[u8]) -> Unreadable {
    let text = head::without_mark(bytes).trim_ascii();
    let starts = |with: &str| {
        text.get(..with.len()).is_some_and(|it| it.eq_ignore_ascii_case(with.as_bytes()))
    };
    let why = if text.is_empty() {
        "it is empty".to_owned()
    } else if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        "it is UTF-16; convert it to UTF-8".to_owned()
    } else if starts("SPDXVersion:") || starts("#") {
        "it looks like SPDX tag-value, which is not read; convert it to SPDX JSON".to_owned()
    } else if starts("<") {
        "it is XML; convert it to JSON (CycloneDX: `cyclonedx convert --output-format json`)"
            .to_owned()
    } else if let Err(e) = serde_json::from_slice::<serde::de::IgnoredAny>(text) {
        format!("it is not JSON: {e}")
    } else if head::Head::of(text)
        .and_then(|it| it.text("@context"))
        .is_some_and(|it| it.contains("spdx.org/rdf/3"))
    {
        "it is SPDX 3, which is not read; export it as SPDX 2.3 JSON".to_owned()
    } else {
        "its format is not known".to_owned()
    };
    Unreadable(why)
}
