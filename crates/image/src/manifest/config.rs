//! The configuration of an image: its platform, its layers' contents, its history.

use model::{Digest, Gap, ImageDescription, Platform};
use serde::Deserialize;

use super::{CONFIG_LIMIT, PlatformJson, lenient, parse};
use crate::Error;

/// What an image says about itself.
#[derive(Debug)]
pub(crate) struct Config {
    raw: String,
    json: ConfigJson,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ConfigJson {
    #[serde(flatten)]
    platform: PlatformJson,
    #[serde(deserialize_with = "lenient")]
    created: Option<String>,
    #[serde(deserialize_with = "lenient")]
    rootfs: Option<RootfsJson>,
    #[serde(deserialize_with = "lenient")]
    history: Option<Vec<HistoryJson>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RootfsJson {
    #[serde(deserialize_with = "lenient")]
    diff_ids: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct HistoryJson {
    #[serde(deserialize_with = "lenient")]
    created_by: String,
    #[serde(deserialize_with = "lenient")]
    empty_layer: bool,
}

impl Config {
    /// Reads a configuration; `what` names the image in errors.
    pub(crate) fn read(what: &str, bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > CONFIG_LIMIT {
            return Err(Error::limit(
                what,
                format!("its configuration is over {CONFIG_LIMIT} bytes"),
            ));
        }
        let json = parse(what, "configuration", bytes)?;
        Ok(Self { raw: String::from_utf8_lossy(bytes).into_owned(), json })
    }

    /// What it is made for; empty when it does not say.
    pub(crate) fn platform(&self) -> Platform {
        self.json.platform.platform()
    }

    /// True when it is that of an image, not of a chart or another artifact.
    pub(crate) fn is_image(&self) -> bool {
        self.json.rootfs.is_some()
    }

    /// Writes what it knows into `image`, whose layers are there already. What does not fit
    /// them is a gap.
    pub(crate) fn apply(self, image: &mut ImageDescription) {
        image.platform = self.platform();
        image.created = self.json.created.filter(|it| !it.is_empty());
        let layers = image.layers.len();

        let diff_ids = self.json.rootfs.and_then(|it| it.diff_ids).unwrap_or_default();
        if diff_ids.len() == layers {
            for (layer, text) in image.layers.iter_mut().zip(&diff_ids) {
                match text.parse::<Digest>() {
                    Ok(digest) => layer.diff_id = Some(digest),
                    Err(why) => image.gaps.push(Gap::new("configuration", why.to_string())),
                }
            }
        } else {
            let why = format!("it names the content of {} of {layers} layers", diff_ids.len());
            image.gaps.push(Gap::new("configuration", why));
        }

        // Builders that write no history at all are many, and nothing is missing then.
        let history = self.json.history.unwrap_or_default();
        let made: Vec<HistoryJson> = history.into_iter().filter(|it| !it.empty_layer).collect();
        if made.len() == layers {
            for (layer, step) in image.layers.iter_mut().zip(made) {
                layer.created_by = Some(step.created_by).filter(|it| !it.is_empty());
            }
        } else if !made.is_empty() {
            let why = format!("its history tells of {} layers, it has {layers}", made.len());
            image.gaps.push(Gap::new("configuration", why));
        }
        image.raw_config = Some(self.raw);
    }
}
