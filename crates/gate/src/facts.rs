//! What policies are told of an image.

use format::report;
use model::Analysis;
use policy::Facts;
use serde_json::{Value, json};

use crate::Beside;

/// What is known of the image at that moment, in nanoseconds of the Unix era; `tool_version` is who says it.
pub fn facts(analysis: &Analysis, beside: &Beside, now: i64, tool_version: &str) -> Facts {
    let options = report::Options { tool_version: tool_version.to_owned(), ..Default::default() };
    let sbom = report::find("sbom").expect("it is one of the reports");
    let mut input: Value =
        serde_json::from_str(&sbom.write(analysis, &options)).expect("it is a document of JSON");
    let distro = analysis.inventory.distro.as_ref();
    if let Some(until) = distro.and_then(engine::supported_until) {
        input["analysis"]["support"] = json!({ "until": until });
    }
    Facts {
        input: input.into(),
        now,
        referrers: beside.referrers(),
        referrers_unread: beside.unread.clone(),
        provenance: beside.provenance(),
        ..Facts::default()
    }
}
