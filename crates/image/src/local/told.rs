//! What an engine tells of an image, as a description.

use model::{Digest, Gap, ImageDescription, LayerDescription, LayerKey, Platform};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// `GET /images/NAME/json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Told {
    #[serde(default)]
    id: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    repo_digests: Option<Vec<String>>,
    #[serde(default)]
    created: Option<String>,
    #[serde(default)]
    author: Option<String>,
    #[serde(default)]
    os: String,
    #[serde(default)]
    os_version: Option<String>,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: Option<String>,
    #[serde(default)]
    size: u64,
    #[serde(default, rename = "RootFS")]
    root: Root,
    #[serde(default)]
    config: Option<Map<String, Value>>,
    /// Where images are kept as registries do (containerd): what the name leads to.
    #[serde(default)]
    descriptor: Option<Descriptor>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Root {
    #[serde(default)]
    layers: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Descriptor {
    #[serde(default, rename = "mediaType")]
    media_type: String,
    #[serde(default)]
    digest: String,
}

/// A row of `GET /images/NAME/history`, the newest first.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Step {
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    size: u64,
}

impl Told {
    pub(super) fn platform(&self) -> Platform {
        let mut platform = Platform::new(&self.os, &self.architecture, self.variant.as_deref());
        platform.os_version = self.os_version.clone().filter(|it| !it.is_empty());
        platform
    }

    /// The image, called `name`. Its layers are known by their content alone: how they were
    /// compressed the engine has forgotten.
    pub(super) fn describe(self, name: &str, mut history: Vec<Step>) -> ImageDescription {
        history.reverse();
        let mut image = ImageDescription {
            name: name.to_owned(),
            platform: self.platform(),
            created: self.created.clone().filter(|it| !it.is_empty()),
            size: self.size,
            ..ImageDescription::default()
        };
        match &self.descriptor {
            Some(descriptor) if descriptor.media_type.contains("manifest.v") => {
                image.digest = descriptor.digest.parse().ok();
            }
            Some(descriptor) => image.index = descriptor.digest.parse().ok(),
            // Engines of some age do not tell it, but name the image by it.
            None if self.is_named_by_id() => {}
            // Else an image's id is the digest of its configuration.
            None => image.config = digest(&self.id),
        }
        let named = |names: &Option<Vec<String>>| names.clone().unwrap_or_default();
        let mut names = [named(&self.repo_tags), named(&self.repo_digests)].concat();
        names.retain(|it| !it.starts_with("<none>"));
        image.tags = names;
        for text in self.root.layers.as_deref().unwrap_or_default() {
            let diff_id = digest(text);
            if diff_id.is_none() {
                let text: String = text.chars().take(100).collect();
                image.gaps.push(Gap::new("layers", format!("`{text}` is not a digest")));
            }
            image.layers.push(LayerDescription {
                key: LayerKey(text.clone()),
                diff_id,
                media_type: "application/vnd.oci.image.layer.v1.tar".to_owned(),
                ..LayerDescription::default()
            });
        }
        let steps = steps(&history, image.layers.len());
        for (step, layer) in steps.iter().filter_map(|(step, layer)| Some((step, (*layer)?))) {
            if let Some(layer) = image.layers.get_mut(layer) {
                layer.created_by = Some(step.created_by.clone()).filter(|it| !it.is_empty());
            }
        }
        image.raw_config = Some(self.configuration(&steps).to_string());
        image
    }

    /// True if the id is that of what was pulled, where images are kept as registries do.
    fn is_named_by_id(&self) -> bool {
        let names = self.repo_digests.iter().flatten();
        names.filter_map(|it| it.rsplit_once('@')).any(|(_, digest)| digest == self.id)
    }

    /// The configuration, written anew from what the engine tells of it: its own bytes are in
    /// exports only.
    fn configuration(&self, steps: &[(&Step, Option<usize>)]) -> Value {
        let mut config = Map::new();
        let mut put = |key: &str, value: Value| {
            let empty = value.is_null() || value.as_str() == Some("");
            if !empty {
                config.insert(key.to_owned(), value);
            }
        };
        put("architecture", json!(self.architecture));
        put("author", json!(self.author));
        put("config", json!(self.config));
        put("created", json!(self.created));
        let history = steps.iter().map(|(step, layer)| {
            let mut row = json!({"created_by": step.created_by});
            if layer.is_none() {
                row["empty_layer"] = true.into();
            }
            row
        });
        put("history", Value::Array(history.collect()));
        put("os", json!(self.os));
        put("os.version", json!(self.os_version));
        put("rootfs", json!({"type": "layers", "diff_ids": self.root.layers}));
        put("variant", json!(self.variant));
        Value::Object(config)
    }
}

/// Each step of the history with the number of the layer it made. The engine does not say which
/// steps made one; none are told where that cannot be seen.
fn steps(history: &[Step], layers: usize) -> Vec<(&Step, Option<usize>)> {
    let every = history.len() == layers;
    if !every && history.iter().filter(|it| it.size > 0).count() != layers {
        return Vec::new();
    }
    let mut next = 0;
    history
        .iter()
        .map(|step| {
            let layer = (every || step.size > 0).then_some(next);
            next += usize::from(layer.is_some());
            (step, layer)
        })
        .collect()
}

/// With or without `sha256:` in front, as engines differ.
fn digest(text: &str) -> Option<Digest> {
    text.parse().or_else(|_| format!("sha256:{text}").parse()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(told: Value, history: Value, expect: &str) {
        let told: Told = serde_json::from_value(told).unwrap();
        let image = told.describe("app", serde_json::from_value(history).unwrap());
        let short =
            |digest: Option<Digest>| digest.map_or("-".to_owned(), |it| it.hex()[..1].into());
        let mut text = format!(
            "{} {} {} [{}]",
            short(image.digest),
            short(image.index),
            short(image.config),
            image.tags.join(" ")
        );
        for layer in image.layers {
            text += "\n";
            text += &short(layer.diff_id);
            text += layer.created_by.as_deref().unwrap_or(" ?");
        }
        let text = image.gaps.iter().fold(text, |text, gap| format!("{text}\ngap: {gap}"));
        assert_eq!(text, expect);
    }

    fn digest_of(letter: &str) -> String {
        format!("sha256:{}", letter.repeat(64))
    }

    #[test]
    fn which_digest_it_is_called_by() {
        let id = digest_of("a");
        check(json!({"Id": id}), json!([]), "- - a []");
        check(json!({"Id": "a".repeat(64)}), json!([]), "- - a []");
        let name = format!("app@{id}");
        check(json!({"Id": id, "RepoDigests": [name]}), json!([]), &format!("- - - [{name}]"));
        let kept_as = |media_type: &str| {
            json!({"Id": id, "RepoTags": ["app:1", "<none>:<none>"],
                   "Descriptor": {"mediaType": media_type, "digest": id, "size": 1}})
        };
        check(kept_as("application/vnd.oci.image.manifest.v1+json"), json!([]), "a - - [app:1]");
        check(kept_as("application/vnd.oci.image.index.v1+json"), json!([]), "- a - [app:1]");
    }

    #[test]
    fn which_step_made_which_layer() {
        let told = || json!({"RootFS": {"Layers": [digest_of("b"), digest_of("c")]}});
        let step = |by: &str, size: u64| json!({"CreatedBy": by, "Size": size});
        // The newest is told first.
        let plain = json!([step(" two", 0), step(" one", 5)]);
        check(told(), plain, "- - - []\nb one\nc two");
        let with_empty =
            json!([step(" CMD", 0), step(" two", 3), step(" ENV", 0), step(" one", 5)]);
        check(told(), with_empty, "- - - []\nb one\nc two");
        let unclear = json!([step(" CMD", 0), step(" two", 0), step(" one", 5)]);
        check(told(), unclear, "- - - []\nb ?\nc ?");
    }

    #[test]
    fn layers_that_are_no_digests() {
        let told = json!({"RootFS": {"Layers": ["x"]}});
        check(told, json!([]), "- - - []\n- ?\ngap: layers: `x` is not a digest");
    }
}
