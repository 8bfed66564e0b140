//! The statements beside an image that somebody asks for.

use std::sync::Arc;

use engine::{Engine, Hearing, Request};
use image::{Attached, Stated};
use model::{ImageDescription, Platform};

use crate::asking::Whose;
use crate::commands::said;
use crate::failure::Failure;
use crate::subject::{Watcher, without_registry};
use crate::{Context, docker};

/// Which image.
#[derive(clap::Args)]
pub(crate) struct Sought {
    /// The image: acme/web:1.2; in its registry, unless something else stands in front: oci-dir://, archive://
    #[arg(value_name = "IMAGE", value_parser = said())]
    image: String,
    /// Which image of several: os/architecture[/variant]
    #[arg(long)]
    platform: Option<Platform>,
    /// Which reference inside an archive or layout of several
    #[arg(long = "ref", value_name = "REFERENCE")]
    reference: Option<String>,
    #[command(flatten)]
    whose: Whose,
}

/// What was found.
pub(crate) struct Found {
    /// The image.
    pub(crate) image: ImageDescription,
    /// Where it was looked for, with its scheme.
    pub(crate) subject: String,
    /// What is stated beside it.
    pub(crate) attached: Attached,
}

impl Sought {
    /// As it was written.
    pub(crate) fn written(&self) -> &str {
        &self.image
    }

    /// Looks for what is stated, of that type or of any; what could not be read is told.
    pub(crate) fn find(
        &self,
        context: &Context,
        predicate_type: Option<&str>,
    ) -> anyhow::Result<Found> {
        self.whose.unasked(context);
        let Context { environment, messages, docker } = context;
        // An engine keeps images, and not what stands beside them.
        let subject = match self.image.split_once("://") {
            None => format!("registry://{}", self.image),
            Some(("image", name)) => format!("registry://{name}"),
            Some(("local", name)) => {
                return Err(Failure::error(
                    format!("{}: an engine keeps nothing that is stated about it", self.image),
                    format!("ask its registry: registry://{name}"),
                ));
            }
            Some(_) => self.image.clone(),
        };
        let subject = if environment.offline()? { without_registry(&subject)? } else { subject };
        let settings = Arc::new(docker::settings(environment, docker, false)?);
        let request = Request {
            subject: subject.clone(),
            platform: self.platform.clone(),
            reference: self.reference.clone(),
            manifest: None,
            hearing: Hearing::Nothing,
            settings,
            progress: Arc::new(Watcher::new(messages, "Looking")),
        };
        let engine = Engine { cache: None };
        let runtime = crate::runtime()?;
        let (image, mut attached) = runtime.block_on(engine.attached(&request, |_| true))?;
        runtime.shutdown_background();
        if let Some(wanted) = predicate_type {
            let is_it = |it: &Stated| is_of(&it.predicate_type, wanted);
            attached.statements.retain(is_it);
        }
        for gap in image.gaps.iter().chain(&attached.gaps) {
            messages.warn(&format!("gap: {gap}"));
        }
        Ok(Found { image, subject, attached })
    }
}

/// Is that what is wanted? OpenVEX has a type for each version, and cosign one without.
fn is_of(predicate_type: &str, wanted: &str) -> bool {
    let is_vex = |it: &str| attestation::kind(it) == attestation::kind(attestation::OPENVEX);
    predicate_type == wanted || is_vex(predicate_type) && is_vex(wanted)
}
