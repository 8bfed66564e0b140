//! local: images of the container engine on this machine (Docker, podman), over its API.

mod endpoint;
mod engine;
mod export;
mod told;

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use model::{ImageDescription, Platform};
use serde::Deserialize;

use crate::contract::{Ask, Error, Image, ImageSource, LayerReader, Opened, Settings};
use crate::manifest;
use told::{Step, Told};

pub use engine::{Answer, Engine, Lines};

/// Before this version an engine cannot be asked for one platform of several.
const PLATFORMS: (u32, u32) = (1, 49);

pub(crate) struct Local;

#[async_trait]
impl ImageSource for Local {
    fn scheme(&self) -> &'static str {
        "local"
    }

    fn takes(&self) -> &'static str {
        "an image of the local container engine, by name or by id"
    }

    async fn open(&self, ask: &Ask) -> Result<Option<Opened>, Error> {
        let engine = Engine::find(&ask.settings).await?;
        match open(engine, ask).await? {
            Some(opened) => Ok(Some(opened)),
            None => Err(Error::not_found(&ask.name, "the engine holds no such image").with_hint(
                format!("pull or build it first, or ask its registry: registry://{}", ask.name),
            )),
        }
    }
}

/// What became of asking the engine first.
pub(crate) enum First {
    /// It has the image.
    Here(Opened),
    /// It does not, or not for the platform that is wanted.
    NotHere,
    /// There is no engine, it does not answer, or we may not or cannot speak to it.
    Unreachable(Error),
}

/// Asks the engine, whose absence is no failure.
pub(crate) async fn first(ask: &Ask) -> Result<First, Error> {
    let engine = match Engine::find(&ask.settings).await {
        Ok(engine) => engine,
        Err(error) => return Ok(First::Unreachable(error)),
    };
    match open(engine, ask).await {
        Ok(Some(opened)) => Ok(First::Here(opened)),
        Ok(None) | Err(Error::NotFound { .. }) => Ok(First::NotHere),
        Err(error @ (Error::Unavailable { .. } | Error::Denied { .. })) => {
            Ok(First::Unreachable(error))
        }
        Err(error) => Err(error),
    }
}

/// The name of the image that was made last, of those that have one.
pub async fn newest(settings: &Settings) -> Result<Option<String>, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Listed {
        #[serde(default)]
        created: i64,
        #[serde(default)]
        repo_tags: Option<Vec<String>>,
    }
    let engine = Engine::find(settings).await?;
    let Some(answer) = engine.json::<Vec<Listed>>("/images/json").await? else {
        return Ok(None);
    };
    let named = answer.value.into_iter().filter_map(|it| {
        let tag = it.repo_tags?.into_iter().find(|tag| !tag.starts_with("<none>"))?;
        Some((it.created, tag))
    });
    // Of several that are as new, always the same one.
    Ok(named.max_by(|left, right| (left.0, &right.1).cmp(&(right.0, &left.1))).map(|(_, tag)| tag))
}

async fn open(engine: Engine, ask: &Ask) -> Result<Option<Opened>, Error> {
    let name = checked(&ask.name)?;
    let Some(answer) = engine.json::<Told>(&format!("/images/{name}/json")).await? else {
        return Ok(None);
    };
    let mut told = answer.value;
    let mut query = String::new();
    if let Some(wanted) = &ask.platform
        && told.platform().rank_for(wanted).is_none()
    {
        // The image for another platform may be there as well, if the engine keeps several.
        if answer.version < PLATFORMS {
            manifest::fits(&ask.name, Some(wanted), &told.platform())
                .map_err(|error| error.with_hint("pull it with --platform, or ask its registry"))?;
        }
        query = format!("?platform={}", encoded(wanted));
        let Some(answer) = engine.json::<Told>(&format!("/images/{name}/json{query}")).await?
        else {
            return Err(Error::not_found(
                &ask.name,
                format!("the engine holds it for {}, not for {wanted}", told.platform()),
            )
            .with_hint("pull it with --platform, or ask its registry"));
        };
        told = answer.value;
        manifest::fits(&ask.name, Some(wanted), &told.platform())?;
    }
    let history = engine.json::<Vec<Step>>(&format!("/images/{name}/history{query}")).await?;
    let history = history.map_or(Vec::new(), |it| it.value);
    let description = told.describe(&ask.name, history);
    let path = format!("/images/{name}/get{query}");
    let (exported, ask) = (OnceLock::new(), ask.clone());
    Ok(Some(Opened::Image(Box::new(LocalImage { engine, path, description, exported, ask }))))
}

/// The name, if it can stand in a path: it is the user's, and must not lead elsewhere.
fn checked(name: &str) -> Result<&str, Error> {
    let sane = |it: u8| it.is_ascii_alphanumeric() || b"._-:/@".contains(&it);
    let parts = || name.split('/');
    if name.len() <= 512
        && name.bytes().all(sane)
        && parts().all(|part| !part.is_empty() && part != "." && part != "..")
    {
        return Ok(name);
    }
    let shown: String = name.chars().take(200).collect();
    Err(Error::invalid(shown, "it is no name of an image")
        .with_hint("such as debian:12, or sha256: and the image's id"))
}

/// A platform as the API wants it: JSON, in a query.
fn encoded(platform: &Platform) -> String {
    let json = serde_json::json!({
        "os": platform.os, "architecture": platform.architecture, "variant": platform.variant,
    });
    let mut text = String::new();
    for byte in json.to_string().bytes() {
        if byte.is_ascii_alphanumeric() {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// An image of the engine: described by what the engine tells, read from what it exports.
///
/// The description is the same whether or not the export was asked for, so the same image gives
/// the same report from the engine's bytes and from layers that were read before.
struct LocalImage {
    engine: Engine,
    path: String,
    description: ImageDescription,
    /// The same after an export, which calls layers by names of its own.
    exported: OnceLock<ImageDescription>,
    ask: Ask,
}

#[async_trait]
impl Image for LocalImage {
    fn description(&self) -> Option<&ImageDescription> {
        Some(&self.description)
    }

    async fn read(&self, reader: Arc<dyn LayerReader>) -> Result<ImageDescription, Error> {
        let description = self.exported.get().unwrap_or(&self.description);
        if description.layers.iter().all(|layer| reader.knows(layer)) {
            return Ok(description.clone());
        }
        let image =
            export::read(&self.engine, &self.path, &self.description, &self.ask, reader).await?;
        Ok(self.exported.get_or_init(|| image).clone())
    }
}

#[cfg(test)]
mod tests;
