//! `foretop push`: what is inside an image, read here and sent to where it is remembered.

use std::path::PathBuf;

use api::Pushing;
use clap::ValueHint;
use engine::Hearing;
use model::{Digest, ImageDescription, Inventory, Reference};

use super::{Outcome, Verb};
use crate::Context;
use crate::asking::{Whose, ask};
use crate::failure::Failure;
use crate::output::{Output, deliver};
use crate::subject::{Subject, subjects};

/// Read what is inside an image, and send that to where it is remembered
#[derive(clap::Parser)]
#[command(name = "push", after_help = subjects())]
pub(crate) struct Push {
    #[command(flatten)]
    subject: Subject,
    /// Under which name; without it, the one that the image has
    #[arg(long, value_name = "NAME:TAG")]
    tag: Option<Reference>,
    /// Do everything but send it
    #[arg(long)]
    dry_run: bool,
    /// Write the name and the digest under which it is kept to this file instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    #[command(flatten)]
    whose: Whose,
    /// What is inside is all that is ever sent
    #[arg(long, hide = true)]
    sbom: bool,
}

impl Verb for Push {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let output = self.output.as_deref().map(Output::to).transpose()?;
        let inventory = self.subject.seen(context, Hearing::Origins)?.inventory;
        let (image, digest) = identity(&inventory)?;
        let name = match &self.tag {
            Some(reference) => reference.clone(),
            None => name(image, self.subject.in_a_registry())?,
        };
        // Where a name has a digest, nobody says that its tag leads there.
        let tag = name.tag.clone().filter(|_| name.digest.is_none() || self.tag.is_some());
        let name = Reference { tag, digest: None, ..name }.familiar();
        let kept = format!("{name}@{digest}");
        if self.dry_run {
            context.messages.inform(&format!("Nothing was sent: it would be kept as {kept}"));
        } else {
            let sent = Pushing { image: Some(name), platform: None, inventory };
            ask(context, &self.whose, async |asking| {
                let organisation = &asking.organisation;
                let pushed = asking.client.push(organisation, digest.as_str(), &sent).await?;
                context.messages.debug(&format!("tag moved: {}", pushed.tag_moved));
                context.messages.done(&format!("Image pushed to organization {organisation}"));
                Ok(())
            })?;
        }
        deliver(&format!("{kept}\n"), output.as_ref(), &context.messages)?;
        Ok(Outcome::Done)
    }
}

/// The image, and the digest under which it is kept: its manifest's, else its configuration's.
fn identity(inventory: &Inventory) -> anyhow::Result<(&ImageDescription, Digest)> {
    let image = inventory.subject.image();
    let digest = image.and_then(|it| it.digest.clone().or_else(|| it.config.clone()));
    image.zip(digest).ok_or_else(|| {
        let what = inventory.subject.name();
        Failure::error(
            format!("cannot push {what}: it has no digest, so nobody could tell what runs by it"),
            "an image has one: archive://FILE, oci-dir://DIRECTORY, registry://NAME, local://NAME",
        )
    })
}

/// The name that the image has: the one it was asked by, or the only one it brings along.
fn name(image: &ImageDescription, asked: bool) -> anyhow::Result<Reference> {
    let tagged = |text: &String| {
        let last = text.rsplit('/').next()?;
        let reference: Reference = text.parse().ok()?;
        (last.contains(':') && reference.digest.is_none()).then_some(reference)
    };
    if asked && let Ok(reference) = image.name.parse::<Reference>() {
        return Ok(reference);
    }
    let mut names: Vec<Reference> = image.tags.iter().filter_map(tagged).collect();
    names.sort();
    names.dedup();
    let hint = "say which: --tag NAME:TAG";
    match names.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Failure::error(format!("cannot push {}: it has no name", image.name), hint)),
        several => {
            let names: Vec<String> = several.iter().map(Reference::familiar).collect();
            let why =
                format!("cannot push {}: it has several names: {}", image.name, names.join(", "));
            Err(Failure::error(why, hint))
        }
    }
}
