//! What policies ask the world: registries, and the order of versions.

use std::cmp::Ordering;
use std::sync::Arc;

use ecosystem::order;
use image::{Desk, Progress, Settings, Silent};
use model::{Inventory, Purl, Reference, Space};
use policy::Outside;
use serde_json::{Value, json};

use crate::Context;
use crate::docker;

/// The world, as far as it is asked from here.
pub(super) struct World {
    runtime: tokio::runtime::Runtime,
    /// None: no registry is asked.
    settings: Option<Arc<Settings>>,
    base: Option<Value>,
}

impl World {
    /// For whoever judges this image.
    pub(super) fn of(inventory: &Inventory, context: &Context) -> anyhow::Result<Self> {
        let settings = if context.environment.offline()? {
            None
        } else {
            Some(Arc::new(docker::settings(&context.environment, &context.docker, false)?))
        };
        let base = inventory.subject.image().and_then(model::ImageDescription::base);
        let base = base.and_then(|it| told(&it.name, it.digest.as_deref()));
        Ok(Self { runtime: crate::runtime()?, settings, base })
    }
}

/// The base image that an image names.
fn told(name: &str, digest: Option<&str>) -> Option<Value> {
    let reference: Reference = name.parse().ok()?;
    let named = reference.digest.as_ref().map(ToString::to_string);
    let digest = named.as_deref().or(digest);
    let repository = format!("{}/{}", reference.host, reference.repository);
    let mut base = json!({ "name": repository, "found": "label" });
    // A name with a digest has a tag only where it says one.
    if let Some(tag) = &reference.tag {
        base["tag"] = json!(tag);
    }
    if let Some(digest) = digest {
        base["digest"] = json!(digest);
    }
    Some(base)
}

const LATER: &str = "this is not asked yet";

impl Outside for World {
    fn image_digest(&self, reference: &str) -> Result<Option<String>, String> {
        let Some(settings) = &self.settings else {
            return Err("no registry is asked while FORETOP_OFFLINE is set".to_owned());
        };
        let asked: Reference = reference.parse().map_err(|it| format!("{reference}: {it}"))?;
        let progress: Arc<dyn Progress> = Arc::new(Silent);
        let desk = Desk::registry(&asked.host, settings, &progress).map_err(|it| it.to_string())?;
        let digest = self.runtime.block_on(async {
            let tag = match (&asked.digest, &asked.tag) {
                (Some(digest), _) => digest.to_string(),
                (None, Some(tag)) => tag.clone(),
                (None, None) => "latest".to_owned(),
            };
            desk.about(&asked.repository).digest(&asked.repository, &tag).await
        });
        match digest {
            Ok(digest) => Ok(digest.map(|it| it.to_string())),
            Err(failure) => Err(failure.error.to_string()),
        }
    }

    fn index(&self, _: &str, _: &str) -> Result<Option<Value>, String> {
        Err(LATER.to_owned())
    }

    fn referrer_index(&self, _: &str, _: &str) -> Result<Option<Value>, String> {
        Err(LATER.to_owned())
    }

    fn referrer_by_digest(&self, _: &str, _: &str) -> Result<Option<Value>, String> {
        Err(LATER.to_owned())
    }

    fn verify_dsse(&self, _: &Value, _: &Value) -> Result<Value, String> {
        Err(LATER.to_owned())
    }

    fn verify_image(&self, _: &str, _: &Value) -> Result<Value, String> {
        Err(LATER.to_owned())
    }

    fn verify_commit(&self, _: &[Value]) -> Result<Value, String> {
        Err(LATER.to_owned())
    }

    fn base_image(&self) -> Result<Option<Value>, String> {
        Ok(self.base.as_ref().map(|it| json!([it])))
    }

    fn newest(&self, purl: &str, versions: &[String]) -> Result<String, String> {
        let purl: Purl = purl.parse().map_err(|it| format!("{purl}: {it}"))?;
        let order = order::of(&Space::of(purl.kind()))
            .ok_or_else(|| format!("nobody knows the order of {} versions", purl.kind()))?;
        let mut newest: Option<&String> = None;
        for it in versions {
            let is_newer = match newest {
                Some(other) => order.compare(it, other).map_err(|it| it.to_string())?,
                None => Ordering::Greater,
            };
            if is_newer == Ordering::Greater {
                newest = Some(it);
            }
        }
        newest.cloned().ok_or_else(|| "there is no version".to_owned())
    }
}
