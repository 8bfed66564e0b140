//! `foretop base`: which images are bases of others, taught.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::{Base as Kept, BaseQuery, Learning, LearningImage};
use clap::Subcommand;
use engine::{Engine, Hearing, Request};
use image::Silent;
use model::{ImageDescription, Platform, Reference, whole_chain};

use super::{Outcome, Verb, said};
use crate::Context;
use crate::asking::{PART, Whose, ask, whole};
use crate::bases::described;
use crate::failure::Failure;
use crate::messages::{Messages, count};
use crate::subject::reach_for;
use crate::table::{Format, columns, second};

/// Teach which images are bases of others, so that what stands on them is told apart from them
#[derive(clap::Parser)]
#[command(name = "base", arg_required_else_help = true, after_help = AFTER)]
pub(crate) struct Base {
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
An image stands on another one where its first layers are those of that one. Images that were
pushed or watched are known by themselves; others are taught here, on this machine or on the
server that is used. What a tag led to when it was taught before stays known, for older images
stand on it.";

#[derive(Subcommand)]
enum Command {
    /// Remember images as bases, each for all its platforms; nothing but their configurations is read
    #[command(visible_alias = "add")]
    Learn {
        #[arg(help = "Images in registries, or archive://FILE, oci-dir://DIRECTORY, local://NAME",
              value_name = "IMAGE", required = true, value_parser = said())]
        images: Vec<String>,
        /// What to call it; without this, what it is called
        #[arg(long, value_name = "NAME", value_parser = said())]
        name: Option<String>,
        /// Which reference inside an archive or layout of several
        #[arg(long = "ref", value_name = "REFERENCE")]
        reference: Option<String>,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        whose: Whose,
    },
    /// List the bases that were taught
    List {
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        whose: Whose,
    },
    /// Forget all that was taught under a name
    #[command(visible_alias = "rm")]
    Forget {
        /// What it was taught as
        #[arg(value_name = "NAME", value_parser = said())]
        name: String,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        whose: Whose,
    },
}

impl Verb for Base {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let messages = &context.messages;
        match self.command {
            Command::Learn { images, name, reference, format, whose } => {
                if name.is_some() && images.len() > 1 {
                    let why = "--name: several images are named, and one name makes them one";
                    return Err(Failure::error(why, "teach them one by one"));
                }
                let mut all = Vec::with_capacity(images.len());
                for image in &images {
                    all.push(taught(context, image, name.as_deref(), reference.as_deref())?);
                }
                learn(context, &whose, &all, format)
            }
            Command::List { format, whose } => ask(context, &whose, async |asking| {
                let (client, organisation) = (&asking.client, &asking.organisation);
                let all = whole(async |after| {
                    let query = BaseQuery { after, limit: Some(PART) };
                    client.bases(organisation, &query).await
                });
                let all: Vec<Kept> = all.await?;
                if all.is_empty() && format == Format::Text {
                    messages.inform("No bases were taught: foretop base learn IMAGE");
                } else {
                    messages.tell_as(format, &all, || table(&all))?;
                }
                Ok(Outcome::Done)
            }),
            Command::Forget { name, format, whose } => ask(context, &whose, async |asking| {
                let gone = asking.client.forget_base(&asking.organisation, &name).await?;
                if format == Format::Json {
                    let told = serde_json::json!({ "forgotten": name, "images": gone.images });
                    messages.tell_as(format, &told, String::new)?;
                } else {
                    let images = count(gone.images, "image", "images");
                    messages.done(&format!("Base {name} is forgotten: {images}"));
                }
                Ok(Outcome::Done)
            }),
        }
    }
}

fn learn(
    context: &Context,
    whose: &Whose,
    all: &[Learning],
    format: Format,
) -> anyhow::Result<Outcome> {
    let messages = &context.messages;
    ask(context, whose, async |asking| {
        let mut told = Vec::with_capacity(all.len());
        for it in all {
            let learned = asking.client.learn_bases(&asking.organisation, it).await?;
            if format == Format::Text {
                tell(messages, &learned, it);
            }
            told.push(learned);
        }
        if format == Format::Json {
            messages.tell_as(format, &told, String::new)?;
        }
        Ok(Outcome::Done)
    })
}

fn tell(messages: &Messages, learned: &api::Learned, sent: &Learning) {
    let platforms: Vec<&str> = sent.images.iter().map(|it| it.platform.as_str()).collect();
    let what = if learned.new == 0 { "is known already" } else { "is learned" };
    messages.done(&format!("Base {} {what}: {}", learned.name, platforms.join(", ")));
}

/// What is told of the images that `image` leads to, one for each platform.
fn taught(
    context: &Context,
    image: &str,
    name: Option<&str>,
    reference: Option<&str>,
) -> anyhow::Result<Learning> {
    let (source, bare) = image::parse(image).map_err(engine::Error::from)?;
    let all = match source.scheme() {
        "registry" | "image" => in_registry(context, &bare)?,
        "local" => {
            vec![described(context, image, None).map_err(|why| refused(image, &why))?]
        }
        "archive" | "oci-dir" => in_files(context, image, reference)?,
        scheme => {
            let what = format!("{image}: `{scheme}://` names no image that others stand on");
            let hint = "name one in a registry, or archive://FILE, oci-dir://DIRECTORY";
            return Err(Failure::error(what, hint));
        }
    };
    let name = match (name, source.scheme()) {
        (Some(name), _) => name.to_owned(),
        (None, "registry" | "image" | "local") => bare,
        (None, _) => all.iter().flat_map(|it| &it.tags).next().cloned().ok_or_else(|| {
            let what = format!("{image}: it does not say what it is called");
            Failure::error(what, "--name says it: --name acme/base:v1")
        })?,
    };
    let named: Reference = name.parse().map_err(|error: model::BadReference| {
        Failure::error(error.to_string(), "--name says what to call it: --name acme/base:v1")
    })?;
    if named.tag.is_none() {
        let what = format!("{name}: a digest is no name that images are found by");
        return Err(Failure::error(what, "--name says what to call it: --name debian:12"));
    }
    let images: Vec<LearningImage> = all.iter().filter_map(learning).collect();
    for it in all.iter().filter(|it| learning(it).is_none()) {
        let why = "not all of its layers are known, or nothing is in them";
        context.messages.warn(&format!("{image} for {} is left out: {why}", it.platform));
    }
    if images.is_empty() {
        return Err(refused(image, "there is nothing by which it could be found in others"));
    }
    let name = Reference { digest: None, ..named }.to_string();
    Ok(Learning { name, images })
}

fn refused(image: &str, why: &str) -> anyhow::Error {
    let hint = "an image that others stand on says which layers it has: see `foretop sbom`";
    Failure::error(format!("cannot learn {image}: {why}"), hint)
}

fn learning(image: &ImageDescription) -> Option<LearningImage> {
    Some(LearningImage {
        platform: image.platform.to_string(),
        digest: image.digest.as_ref().or(image.config.as_ref())?.to_string(),
        config: image.config.as_ref().map(ToString::to_string),
        chain: whole_chain(&image.layers)?.to_string(),
        layers: u32::try_from(image.layers.len()).ok()?,
    })
}

/// Each image that a name in a registry leads to.
fn in_registry(context: &Context, name: &str) -> anyhow::Result<Vec<ImageDescription>> {
    let subject = format!("registry://{name}");
    let settings = Arc::new(reach_for(context, &subject)?);
    let progress: Arc<dyn image::Progress> = Arc::new(Silent);
    let runtime = crate::runtime()?;
    let members = runtime.block_on(image::images(name, &settings, &progress));
    runtime.shutdown_background();
    let reference: Reference = name.parse()?;
    let mut all = Vec::new();
    for it in members.map_err(engine::Error::from)? {
        let one = Reference { tag: None, digest: Some(it.digest), ..reference.clone() };
        let described = described(context, &format!("registry://{one}"), it.platform.as_ref());
        all.push(described.map_err(|why| refused(name, &why))?);
    }
    Ok(all)
}

/// Platforms that are looked for in files: these do not list what they hold.
const PLATFORMS: [&str; 9] = [
    "linux/amd64",
    "linux/arm64",
    "linux/arm/v7",
    "linux/arm/v6",
    "linux/386",
    "linux/ppc64le",
    "linux/s390x",
    "linux/riscv64",
    "windows/amd64",
];

/// Each image that an archive or layout holds under that reference.
fn in_files(
    context: &Context,
    image: &str,
    reference: Option<&str>,
) -> anyhow::Result<Vec<ImageDescription>> {
    let settings = Arc::new(reach_for(context, image)?);
    let runtime = crate::runtime()?;
    let engine = Engine { cache: context.environment.cache()?.map(Arc::new) };
    let mut request = Request {
        subject: image.to_owned(),
        platform: None,
        reference: reference.map(str::to_owned),
        manifest: None,
        hearing: Hearing::Nothing,
        settings,
        progress: Arc::new(Silent),
    };
    let mut seen = BTreeSet::new();
    let (mut all, mut first_error) = (Vec::new(), None);
    let platforms = PLATFORMS.iter().filter_map(|it| it.parse::<Platform>().ok()).map(Some);
    for platform in std::iter::once(None).chain(platforms) {
        request.platform = platform;
        let found = runtime.block_on(async {
            match engine.describe(&request).await {
                Ok(described) => Ok(described),
                // What goes by as a stream is described by its end.
                Err(_) => engine
                    .inventory(&request)
                    .await
                    .map(|it| it.inventory.subject.image().cloned().unwrap_or_default()),
            }
        });
        match found {
            Ok(it) if seen.insert((it.digest.clone(), it.config.clone())) => all.push(it),
            Ok(_) => {}
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    runtime.shutdown_background();
    match first_error {
        Some(error) if all.is_empty() => Err(error.into()),
        _ => Ok(all),
    }
}

fn table(all: &[Kept]) -> String {
    let row = |it: &Kept| {
        let short = it.digest.split(':').next_back().unwrap_or_default();
        let short: String = short.chars().take(12).collect();
        let (layers, learned) = (it.layers.to_string(), second(&it.learned));
        vec![it.name.clone(), it.platform.clone(), short, layers, learned, it.learned_by.clone()]
    };
    let heads = ["Name", "Platform", "Digest", "Layers", "Learned", "By"];
    columns(&heads, all.iter().map(row).collect())
}
