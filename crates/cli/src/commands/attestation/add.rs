//! `foretop attestation add`: statements attached to images that are in a registry.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueHint;
use image::Progress;
use image::attach::{Saying, Way, attach, read_file};

use crate::asking::Whose;
use crate::commands::{Outcome, said};
use crate::failure::Failure;
use crate::messages::count;
use crate::subject::Watcher;
use crate::{Context, docker};

/// Attach statements to images in a registry
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub(super) struct Add {
    /// The images: acme/web:1.2, registry.example/acme/web:1.2
    #[arg(required = true, value_name = "IMAGE", value_parser = said())]
    images: Vec<String>,
    /// What to attach: an in-toto statement, a DSSE envelope with one, an OpenVEX document, or with
    /// --predicate-type anything that is JSON
    #[arg(long, required = true, value_name = "FILE", value_delimiter = ',', value_hint = ValueHint::FilePath)]
    file: Vec<PathBuf>,
    /// What the files state; for statements, what they have to state
    #[arg(long, value_name = "URI", value_parser = said())]
    predicate_type: Option<String>,
    /// As a referrer of the image, which leaves its tag where it is
    #[arg(long)]
    referrer: bool,
    /// In which repository, if not in the image's own
    #[arg(long, value_name = "REPOSITORY", requires = "referrer", value_parser = said())]
    referrer_repository: Option<String>,
    #[command(flatten)]
    whose: Whose,
}

const AFTER: &str = "\
Without --referrer a new index is pushed, with what is attached beside the image, and the tag is
moved there; the image stays the same.
What is about another image is refused. What does not say about what it is is about each image of
an index.";

impl Add {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        self.whose.unasked(context);
        let Context { environment, messages, docker } = context;
        if environment.offline()? {
            let why = "nothing is attached: no registry is asked while FORETOP_OFFLINE is set";
            return Err(Failure::error(why, "unset it"));
        }
        let mut sayings = Vec::new();
        for file in &self.file {
            let name = file.display().to_string();
            let bytes = read_file(file)?;
            sayings.push(Saying::read(&name, bytes, self.predicate_type.as_deref())?);
        }
        let way = if self.referrer {
            Way::Referrer(self.referrer_repository.clone())
        } else {
            Way::Index
        };
        let images: Vec<&str> =
            self.images.iter().map(|it| in_registry(it)).collect::<anyhow::Result<_>>()?;
        let settings = Arc::new(docker::settings(environment, docker, false)?);
        let progress: Arc<dyn Progress> = Arc::new(Watcher::new(messages, "Attaching"));
        let runtime = crate::runtime()?;
        let mut lines = String::new();
        for image in images {
            let done = runtime.block_on(attach(image, &sayings, &way, &settings, &progress))?;
            let all: usize = done.iter().map(|it| it.predicate_types.len()).sum();
            let all = count(all as u64, "attestation", "attestations");
            messages.done(&format!("{all} attached to {image}"));
            if let Some(index) = done.iter().find_map(|it| it.index.as_ref()) {
                messages.inform(&format!("{image} leads to {index} now"));
            }
            let place = self.referrer_repository.as_deref().unwrap_or(image);
            for done in done {
                for kind in &done.predicate_types {
                    let _ = writeln!(lines, "{}@{} {kind}", repository(place), done.manifest);
                }
            }
        }
        messages.report(&crate::table::plain(&lines))?;
        Ok(Outcome::Done)
    }
}

/// The name of an image that is in a registry.
fn in_registry(image: &str) -> anyhow::Result<&str> {
    match image.split_once("://") {
        None => Ok(image),
        Some(("registry" | "image", name)) => Ok(name),
        Some(_) => Err(Failure::error(
            format!("{image}: nothing can be attached there"),
            "push it to a registry first, and name it as it is called there",
        )),
    }
}

/// A name without its tag and digest.
fn repository(name: &str) -> String {
    match name.parse::<model::Reference>() {
        Ok(reference) => model::Reference { tag: None, digest: None, ..reference }.familiar(),
        Err(_) => name.to_owned(),
    }
}
