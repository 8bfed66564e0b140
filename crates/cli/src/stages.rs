//! The stages that an image was built in: what the base image of each of them brought.

use std::sync::Arc;

use attestation::{Dockerfile, From as Built, Provenance, Stage};
use engine::{Engine, Hearing, Request};
use image::Silent;
use model::{Inventory, Platform, Reference, Subject as Read};

use crate::Context;
use crate::bases::Ground;
use crate::failure::Failure;
use crate::subject::reach_for;

/// Which stages are looked into.
#[derive(clap::Args)]
#[command(next_help_heading = "Which stages")]
pub(crate) struct Stages {
    /// Look into the base images of earlier stages of the build, too, as provenance tells them
    #[arg(long, conflicts_with_all = ["environment", "only_base", "ignore_base"])]
    multi_stage: bool,
    /// Only these stages, by their names or numbers from 0, parted by commas; the one that was built is the
    /// image itself
    #[arg(long, value_name = "STAGE", value_delimiter = ',', value_parser = crate::commands::said(),
          conflicts_with_all = ["environment", "only_base", "ignore_base"])]
    only_stage: Vec<String>,
}

/// What the wanted stages stand on, and whether the image itself is wanted.
pub(crate) struct Staged {
    /// Is the stage that was built among them?
    pub(crate) itself: bool,
    /// What the base images of the others hold.
    pub(crate) others: Vec<Inventory>,
}

impl Stages {
    /// Is anything but the image itself asked for?
    pub(crate) fn are_wanted(&self) -> bool {
        self.multi_stage || !self.only_stage.is_empty()
    }

    /// Reads the base images of the wanted stages.
    pub(crate) fn read(
        &self,
        context: &Context,
        inventory: &Inventory,
        ground: &Ground,
    ) -> anyhow::Result<Staged> {
        let name = inventory.subject.name();
        let refuse = |why: &str| {
            let what = format!("{name}: the stages it was built in are not known: {why}");
            Failure::error(what, "build it with --provenance=mode=max")
        };
        let built = ground.beside.built().ok_or_else(|| {
            refuse(ground.beside.unread().unwrap_or("no provenance is stated beside it"))
        })?;
        let dockerfile = built.dockerfile.as_ref().map_err(|why| refuse(&why.to_string()))?;
        let target = dockerfile
            .target(built.target.as_deref())
            .ok_or_else(|| refuse("the stage that was built is not in the Dockerfile"))?;
        let own = lineage(dockerfile, target);
        let wanted = self.wanted(name, dockerfile)?;
        let itself = wanted.iter().any(|it| own.contains(it));
        // Several stages may stand on one image.
        let mut grounds: Vec<(&str, Option<&Platform>, Vec<String>)> = Vec::new();
        for at in wanted.into_iter().filter(|it| !own.contains(it)) {
            let Some(stage) = dockerfile.stages.get(at) else { continue };
            let called = called(at, stage);
            let bottom = dockerfile.bottom(stage);
            match &bottom.from {
                Built::Image(image) => {
                    let platform = bottom.platform.as_ref();
                    match grounds.iter_mut().find(|it| (it.0, it.1) == (image, platform)) {
                        Some(known) => known.2.push(called),
                        None => grounds.push((image, platform, vec![called])),
                    }
                }
                Built::Scratch | Built::Stage(_) => {}
                Built::Unknown(why) => {
                    return Err(refuse(&format!("what stage {called} stands on: {why}")));
                }
            }
        }
        let mut others = Vec::with_capacity(grounds.len());
        for (image, platform, stages) in grounds {
            let used = used(built, image, platform)
                .ok_or_else(|| refuse(&format!("{image} is not among what went into the build")))?;
            let mut inventory = look_into(context, (&used, ground.beside.host()), platform)?;
            let title = format!("{image} (stage {})", stages.join(", "));
            if let Read::Image(image) = &mut inventory.subject {
                image.name = title;
            }
            others.push(inventory);
        }
        Ok(Staged { itself, others })
    }

    /// The numbers of the stages that are wanted.
    fn wanted(&self, name: &str, dockerfile: &Dockerfile) -> anyhow::Result<Vec<usize>> {
        if self.only_stage.is_empty() {
            return Ok((0..dockerfile.stages.len()).collect());
        }
        let mut wanted = Vec::new();
        for asked in self.only_stage.iter().map(|it| it.trim().to_ascii_lowercase()) {
            let by_name = |it: &Stage| it.name.as_ref() == Some(&asked);
            let at =
                dockerfile.stages.iter().position(by_name).or_else(|| {
                    asked.parse().ok().filter(|it: &usize| *it < dockerfile.stages.len())
                });
            let at = at.ok_or_else(|| {
                let all = dockerfile.stages.iter().enumerate().take(20);
                let all: Vec<String> = all.map(|(at, it)| called(at, it)).collect();
                let what = format!("{name}: there is no stage `{}`", format::shown(&asked));
                Failure::error(what, format!("there are {}", all.join(", ")))
            })?;
            wanted.push(at);
        }
        wanted.sort_unstable();
        wanted.dedup();
        Ok(wanted)
    }
}

/// The stage, and those below it.
fn lineage(dockerfile: &Dockerfile, target: &Stage) -> Vec<usize> {
    let mut own: Vec<usize> =
        dockerfile.stages.iter().position(|it| it == target).into_iter().collect();
    let mut stage = target;
    // Stages are built from earlier ones alone, so this ends.
    while let Built::Stage(at) = stage.from
        && let Some(below) = dockerfile.stages.get(at)
        && !own.contains(&at)
    {
        own.push(at);
        stage = below;
    }
    own
}

fn called(at: usize, stage: &Stage) -> String {
    stage.name.clone().unwrap_or_else(|| at.to_string())
}

/// The image of that name, as it went into the build.
fn used(built: &Provenance, image: &str, platform: Option<&Platform>) -> Option<Reference> {
    let wanted: Reference = image.parse().ok()?;
    let all = built.materials.iter().filter_map(|it| it.image.as_ref()).filter(|it| {
        let Reference { host, repository, tag, digest } = &it.reference;
        *host == wanted.host
            && *repository == wanted.repository
            && match &wanted.digest {
                Some(wanted) => digest.as_ref() == Some(wanted),
                None => *tag == wanted.tag,
            }
    });
    let all: Vec<_> = all.collect();
    let fits = all.iter().find(|it| platform.is_none() || it.platform.as_ref() == platform);
    let used = fits.or(all.first())?;
    let digest = used.digest()?.clone();
    Some(Reference { tag: None, digest: Some(digest), ..used.reference.clone() })
}

/// What is in an image that went into a build; `own` is the registry that what was built is in.
fn look_into(
    context: &Context,
    (used, own): (&Reference, Option<&str>),
    platform: Option<&Platform>,
) -> anyhow::Result<Inventory> {
    let subject = format!("registry://{used}");
    let request = Request {
        settings: Arc::new(reach_for(context, &subject)?.for_named(&used.host, own)),
        subject,
        platform: platform.cloned(),
        reference: None,
        manifest: None,
        hearing: Hearing::Nothing,
        progress: Arc::new(Silent),
    };
    let engine = Engine { cache: context.environment.cache()?.map(Arc::new) };
    context.messages.begin(&format!("Looking into {}", used.familiar()));
    let runtime = crate::runtime()?;
    let found = runtime.block_on(engine.inventory(&request));
    runtime.shutdown_background();
    Ok(found?.inventory)
}
