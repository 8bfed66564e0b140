//! image: the local engine if it has the image, else its registry. What no scheme means.

use async_trait::async_trait;
use model::Digest;

use crate::contract::{Ask, Error, ImageSource, Opened};
use crate::local::{self, First};
use crate::registry::Registry;

pub(crate) struct EngineOrRegistry;

#[async_trait]
impl ImageSource for EngineOrRegistry {
    fn scheme(&self) -> &'static str {
        "image"
    }

    fn takes(&self) -> &'static str {
        "an image, from the local container engine or else from its registry"
    }

    async fn open(&self, ask: &Ask) -> Result<Option<Opened>, Error> {
        let reachable = match local::first(ask).await? {
            First::Here(opened) => return Ok(Some(opened)),
            First::NotHere => true,
            First::Unreachable => false,
        };
        // Only an engine knows an image by its id alone.
        if ask.name.parse::<Digest>().is_ok() {
            return Err(if reachable {
                Error::not_found(&ask.name, "the engine holds no image with that id")
            } else {
                Error::unavailable(&ask.name, "no container engine can be reached to look for it")
            }
            .with_hint("a registry is asked by name: NAME@DIGEST"));
        }
        if !reachable {
            ask.progress.tell("Docker Engine is not reachable, asking the registry");
        }
        Registry.open(ask).await
    }
}
