//! Several images in one document, written part by part: each is a component with its packages in it.

use std::borrow::Cow;
use std::collections::HashMap;

use model::{Gap, Inventory, Subject};
use serde::Serialize;

use super::super::property;
use super::{Component, Metadata, Tools, describe, distro, nested, package, text};
use crate::document::{self, TOOL};
use crate::license::Known;

/// Writes components, and keeps their names apart.
#[derive(Default)]
pub(crate) struct Fleet {
    /// How often each purl was a name already, in the whole document.
    references: HashMap<String, usize>,
    images: usize,
}

/// An image as a component.
pub(crate) struct Part {
    /// The component, as JSON.
    pub(crate) text: String,
    /// Its own name in the document.
    pub(crate) reference: String,
    /// Those of its packages, in their order.
    pub(crate) packages: Vec<String>,
}

/// The head of a document about a place where images run, up to where its components stand.
pub(crate) fn head(
    environment: &str,
    created: Option<&str>,
    tool_version: &str,
    says: &[String],
    number: &str,
) -> String {
    let created = created.and_then(document::to_the_second);
    let metadata = Metadata {
        timestamp: created.unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned()),
        tools: Tools {
            components: [Component {
                version: Some(tool_version),
                ..Component::new("application", Cow::Borrowed("tool"), TOOL)
            }],
        },
        component: Component::new("platform", Cow::Borrowed(ENVIRONMENT), environment),
        properties: says.iter().map(|it| text(property::ANALYSIS_BASIS, it)).collect(),
    };
    let metadata = serde_json::to_string(&metadata).expect("its keys are texts");
    format!(
        "{{\"$schema\":\"http://cyclonedx.org/schema/bom-1.6.schema.json\",\n\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"serialNumber\":\"{number}\",\"version\":1,\n\"metadata\":{metadata},\n\"components\":["
    )
}

/// By this name the document calls the place.
pub(crate) const ENVIRONMENT: &str = "environment";

impl Fleet {
    /// The next image. Without an inventory, `gaps` say why there is none.
    pub(crate) fn image<'a>(
        &mut self,
        (name, digest): (&'a str, &'a str),
        inventory: Option<&'a Inventory>,
        gaps: impl IntoIterator<Item = &'a Gap>,
        deployments: &[impl Serialize],
    ) -> Part {
        let reference = format!("image-{}", self.images);
        self.images += 1;
        let mut component = Component::new("container", Cow::Owned(reference.clone()), name);
        component.version = Some(digest);
        let mut packages = Vec::new();
        let mut known = Known::default();
        if let Some(inventory) = inventory {
            if let Subject::Image(image) = &inventory.subject {
                describe(&mut component, image);
                component.version = Some(digest);
            }
            if let Some(it) = &inventory.distro {
                let bom_ref = Cow::Owned(format!("{reference}-distro"));
                component.components.push(Component { bom_ref, ..distro(it) });
            }
            for it in &inventory.packages {
                let it = package(it, &mut self.references, &mut known);
                packages.push(it.bom_ref.to_string());
                component.components.push(it);
            }
            component.properties.extend(inventory.gaps.iter().map(|it| nested(property::GAP, it)));
        }
        let gaps = gaps.into_iter().map(|it| nested(property::ANALYSIS_GAP, it));
        component.properties.extend(gaps);
        component.properties.extend(deployments.iter().map(|it| nested(property::DEPLOYMENT, it)));
        let text = serde_json::to_string(&component).expect("its keys are texts");
        Part { text, reference, packages }
    }
}
