//! json: for scripts: of each image as what it runs, all that is inside, and all that is wrong with it.

use model::{Analysis, Deployment};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Export, Head, Image, Writer};
use crate::document::TOOL;
use crate::report::{self, basis_for_json};
use crate::words::many;

/// Raised when a key changes its meaning or goes away; new keys may come at any time.
const SHAPE: u32 = 1;

pub(super) struct Json;

impl Export for Json {
    fn id(&self) -> &'static str {
        "json"
    }

    fn title(&self) -> &'static str {
        "JSON for scripts: deployments, inventories and analyses"
    }

    fn media_type(&self) -> &'static str {
        "application/json"
    }

    fn ending(&self) -> &'static str {
        "json"
    }

    fn begin(&self, head: Head) -> Box<dyn Writer> {
        Box::new(Documents { head, images: 0, pending: 0, ended: false })
    }
}

struct Documents {
    head: Head,
    images: usize,
    pending: usize,
    ended: bool,
}

#[derive(Serialize)]
struct Told<'a> {
    image: &'a str,
    digest: &'a str,
    state: &'static str,
    why: Option<&'a str>,
    deployments: &'a [Deployment],
    analysis: Option<Box<RawValue>>,
    inventory: Option<Box<RawValue>>,
}

impl Writer for Documents {
    fn begin(&mut self) -> String {
        format!(
            "{{\n\"kind\": \"foretop-export\",\n\"shape\": {SHAPE},\n\"tool\": {{\"name\": \"{TOOL}\", \"version\": {}}},\n\"created\": {},\n\"organization\": {},\n\"environment\": {},\n\"basis\": {},\n\"images\": [",
            text(&self.head.tool_version),
            text(&self.head.created),
            text(&self.head.organisation),
            text(&self.head.environment),
            text(&basis_for_json(&self.head.basis)),
        )
    }

    fn image(&mut self, image: &Image<'_>) -> String {
        let mark = if self.images == 0 { "\n" } else { ",\n" };
        self.images += 1;
        self.pending += usize::from(image.content.is_err());
        let analysis = image.content.ok();
        let told = Told {
            image: &image.name(),
            digest: image.digest(),
            state: if analysis.is_some() { "analysed" } else { "pending" },
            why: image.content.err(),
            deployments: image.deployments,
            analysis: analysis.and_then(|it| self.document(it, "json")),
            inventory: analysis.and_then(|it| self.inventory(it)),
        };
        format!("{mark}{}", text(&told))
    }

    fn end(&mut self) -> Option<String> {
        if std::mem::replace(&mut self.ended, true) {
            return None;
        }
        let Self { images, pending, .. } = self;
        let says = format!("{}, {pending} not analysed", many(*images, "image"));
        Some(format!(
            "\n],\n\"count\": {images},\n\"pending\": {pending},\n\"says\": \"{says}\"\n}}\n"
        ))
    }
}

fn text(it: &impl Serialize) -> String {
    serde_json::to_string(it).expect("its keys are texts")
}

impl Documents {
    fn document(&self, analysis: &Analysis, id: &str) -> Option<Box<RawValue>> {
        let options = report::Options {
            created: Some(self.head.created.clone()),
            tool_version: self.head.tool_version.clone(),
            ..report::Options::default()
        };
        RawValue::from_string(report::find(id)?.write(analysis, &options)).ok()
    }

    fn inventory(&self, analysis: &Analysis) -> Option<Box<RawValue>> {
        let options = crate::Options {
            created: Some(self.head.created.clone()),
            tool_version: self.head.tool_version.clone(),
            terminal: false,
        };
        RawValue::from_string(crate::find("json")?.write(&analysis.inventory, &options)).ok()
    }
}
