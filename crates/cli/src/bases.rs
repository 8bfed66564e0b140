//! What an image stands on, as far as that can be told from here: stated beside it, said by itself, taught
//! and known.

use std::sync::Arc;

use api::Layered;
use base::{BaseImage, Claim, Clues, Found, Layers, Standing};
use engine::{Engine, Hearing, Part, Request};
use format::report;
use gate::Beside;
use image::{Settings, Silent};
use model::{Analysis, ImageDescription, Inventory, KnownBase, Platform, Reference};

use crate::Context;
use crate::asking::{Asking, Whose, ask, server};
use crate::failure::Failure;
use crate::subject::Heard;

/// An image, and what it stands on.
pub(crate) struct Ground {
    /// What was found.
    pub(crate) found: Found,
    /// What is stated beside it.
    pub(crate) beside: Beside,
}

/// Where nothing tells what an image stands on, this does.
pub(crate) const TEACH: &str = "`foretop base learn NAME` teaches what is a base, and builds say it with \
                     --provenance=mode=max";

const AFAR: &str = "the image is not read from here, so what is stated beside it is not known";

impl Ground {
    /// Of an image beside which that was heard; without it, of an image that is remembered.
    pub(crate) fn of(
        context: &Context,
        whose: &Whose,
        heard: Option<Heard>,
        inventory: &Inventory,
    ) -> Self {
        let (place, stated) = match heard {
            Some(Heard { place, attached }) => (place, attached),
            None => (None, Err(AFAR.to_owned())),
        };
        let mut beside = Beside::of(inventory, place.as_ref(), || stated);
        let found = found(context, whose, &beside, inventory);
        beside.stand_on(found.clone());
        Self { found, beside }
    }

    /// The part of the image that is its base, or all but that. Where nobody can tell, that is an error:
    /// nothing is left out on a guess.
    pub(crate) fn part(
        &self,
        name: &str,
        part: fn(usize) -> Part,
        context: &Context,
    ) -> anyhow::Result<Part> {
        let refuse = |why: &str| {
            let what = format!("{name}: cannot tell what its base image brought: {why}");
            Failure::error(what, TEACH)
        };
        let layers = self.found.layers().map_err(|why| refuse(&why))?;
        let part = part(layers);
        self.tell_doubts(context);
        match (self.found.base(), part) {
            (Some(base), Part::Rest(_)) => {
                let name = format::shown(&base.name()).into_owned();
                let what = "Ignoring packages and vulnerabilities from base image";
                context.messages.done(&format!("{what} {name}"));
            }
            (Some(base), Part::Base(_)) => {
                let name = format::shown(&base.name()).into_owned();
                let what = "Only packages and vulnerabilities from base image";
                context.messages.done(&format!("{what} {name}"));
            }
            (None, Part::Rest(_)) => {
                let why = "it was built from scratch, so nothing is ignored";
                context.messages.inform(&format!("{name} has no base image: {why}"));
            }
            (None, Part::Base(_)) => {
                let what = format!("{name} has no base image: it was built from scratch");
                return Err(Failure::error(what, "leave --only-base out"));
            }
        }
        Ok(part)
    }

    /// What was said about the base and does not hold.
    pub(crate) fn tell_doubts(&self, context: &Context) {
        for doubt in &self.found.doubts {
            context.messages.warn(&format::shown(doubt));
        }
    }

    /// As reports tell it of an image that was judged.
    pub(crate) fn told(&self, analysis: &Analysis) -> Option<report::Ground> {
        analysis.inventory.subject.image()?;
        let (name, how) = match &self.found.standing {
            Standing::On(all) => {
                let name = all.iter().map(BaseImage::name).take(3).collect::<Vec<_>>().join(", ");
                (Some(name), all.first().map_or_else(String::new, |it| it.says.clone()))
            }
            Standing::Scratch => (None, "built from scratch".to_owned()),
            Standing::Unknown(why) => (None, why.clone()),
        };
        let findings = match (self.found.base(), self.found.layers()) {
            (Some(_), Ok(layers)) => Some(brought(analysis, Part::Base(layers))),
            _ => None,
        };
        let is_scratch = matches!(self.found.standing, Standing::Scratch);
        Some(report::Ground { name, is_scratch, how, findings, doubts: self.found.doubts.clone() })
    }
}

/// The findings of that part of an image.
fn brought(analysis: &Analysis, part: Part) -> Vec<model::Finding> {
    let packages = &analysis.inventory.packages;
    let has = |it: &usize| packages.get(*it).is_some_and(|it| part.has(it));
    analysis.findings.iter().filter(|it| it.packages.iter().any(has)).cloned().collect()
}

/// Says of how many packages nobody can tell which part they are of: they stay.
pub(crate) fn warn_of_places(analysis: &mut Analysis, context: &Context) {
    let untold = |it: &&model::Package| it.places.iter().all(|it| it.layer.is_none());
    let untold = analysis.inventory.packages.iter().filter(untold).count();
    if untold > 0 {
        let packages = crate::messages::count(untold as u64, "package", "packages");
        let line = format!("cannot tell of {packages} whether the base image brought them");
        context.messages.warn(&line);
        analysis.basis.warnings.push(line);
    }
}

/// What the image of an inventory stands on, by what is stated `beside` it and by its layers.
pub(crate) fn found(
    context: &Context,
    whose: &Whose,
    beside: &Beside,
    inventory: &Inventory,
) -> Found {
    let Some(image) = inventory.subject.image() else {
        let why = "this is no image, and only images stand on others".to_owned();
        return Found { standing: Standing::Unknown(why), doubts: Vec::new() };
    };
    let mut doubts = Vec::new();
    if let Some(why) = beside.unread() {
        doubts.push(format!("what is stated beside the image is not all known: {why}"));
    }
    let known = known(context, whose, image).unwrap_or_else(|error| {
        doubts.push(format!("which bases are known could not be asked: {error}"));
        Vec::new()
    });
    let built = beside.built().map(|it| &it.base);
    let claims = beside.claims(image).into_iter().map(|claim| {
        let layers = layers_of(context, whose, &claim, image, &known);
        (claim, layers)
    });
    let claims: Vec<_> = claims.collect();
    let mut found = Clues { image, built, claims: &claims, known: &known }.find();
    // What could not be asked takes nothing from what was found; where nothing was, it may be why.
    if let (Standing::Unknown(why), Some(doubt)) = (&mut found.standing, doubts.first()) {
        *why = format!("{why}; and {doubt}");
    }
    found
}

/// The images whose layers are the beginning of this one's, as the server has them, or this machine.
fn known(
    context: &Context,
    whose: &Whose,
    image: &ImageDescription,
) -> anyhow::Result<Vec<KnownBase>> {
    let layers = contents(image);
    if layers.is_empty() || !is_somebody(context)? {
        return Ok(Vec::new());
    }
    ask(context, whose, async |asking| below(asking, layers).await)
}

/// Does anybody remember images?
fn is_somebody(context: &Context) -> anyhow::Result<bool> {
    Ok(server(context)?.is_some() || context.environment.has_database())
}

/// The layers of the image with the digest that is claimed, where it is remembered: it need not begin any
/// other one.
async fn named(asking: &Asking, claim: &Claim) -> Option<Layers> {
    let digest = claim.reference.digest.as_ref()?;
    let inventory = asking.client.inventory(&asking.organisation, digest.as_str()).await.ok()?;
    Layers::of(inventory.subject.image()?)
}

async fn below(asking: &Asking, layers: Vec<String>) -> anyhow::Result<Vec<KnownBase>> {
    let below = asking.client.below(&asking.organisation, &Layered { layers }).await?;
    Ok(below.items.into_iter().filter_map(api::BelowImage::known).collect())
}

/// The contents of its layers, by name, as far as these are known.
fn contents(image: &ImageDescription) -> Vec<String> {
    let layers = image.layers.iter().map_while(|it| it.diff_id.as_ref());
    layers.map(ToString::to_string).take(model::LONGEST_CHAIN + 1).collect()
}

/// What an image that is remembered stands on, by what it says itself and what its layers tell: no registry
/// is asked.
pub(crate) async fn remembered(asking: &Asking, inventory: &Inventory) -> anyhow::Result<Found> {
    let mut beside = Beside::of(inventory, None, || Err(AFAR.to_owned()));
    if let Some(image) = inventory.subject.image() {
        let layers = contents(image);
        let known = if layers.is_empty() { vec![] } else { below(asking, layers).await? };
        let mut claims = Vec::new();
        for claim in beside.claims(image) {
            let layers = match claim.layers_among(image, &known) {
                Some(layers) => Some(layers),
                None => named(asking, &claim).await,
            };
            claims.push((claim, layers.ok_or_else(|| "nobody asked what these are".to_owned())));
        }
        beside.stand_on_told(image, &claims, &known);
    }
    let nothing = || Found { standing: Standing::Unknown(AFAR.to_owned()), doubts: Vec::new() };
    Ok(beside.found().cloned().unwrap_or_else(nothing))
}

/// The layers of the image that somebody says another one stands on: as they are known, else as its registry
/// tells them.
fn layers_of(
    context: &Context,
    whose: &Whose,
    claim: &Claim,
    image: &ImageDescription,
    known: &[KnownBase],
) -> Result<Layers, String> {
    if let Some(layers) = claim.layers_among(image, known) {
        return Ok(layers);
    }
    // Who is not there to be asked was told of already.
    if claim.reference.digest.is_some()
        && is_somebody(context).unwrap_or(false)
        && let Ok(Some(layers)) = ask(context, whose, async |asking| Ok(named(asking, claim).await))
    {
        return Ok(layers);
    }
    let name = format!("registry://{}", claim.reference);
    let own: Option<Reference> = image.name.parse().ok();
    let own = own.as_ref().map(|it| &*it.host);
    let settings = crate::subject::reach_for(context, &name).map_err(|error| error.to_string())?;
    let settings = settings.for_named(&claim.reference.host, own);
    let described = described_by(&name, Some(&image.platform), settings)?;
    Ok(Layers::of(&described).ok_or("it does not say what its layers are")?)
}

/// What an image is, before any layer of it is read.
pub(crate) fn described(
    context: &Context,
    name: &str,
    platform: Option<&Platform>,
) -> Result<ImageDescription, String> {
    let settings = crate::subject::reach_for(context, name).map_err(|error| error.to_string())?;
    described_by(name, platform, settings)
}

fn described_by(
    name: &str,
    platform: Option<&Platform>,
    settings: Settings,
) -> Result<ImageDescription, String> {
    let request = Request {
        subject: name.to_owned(),
        platform: platform.filter(|it| !it.os.is_empty()).cloned(),
        reference: None,
        manifest: None,
        hearing: Hearing::Nothing,
        settings: Arc::new(settings),
        progress: Arc::new(Silent),
    };
    let runtime = crate::runtime().map_err(|error| error.to_string())?;
    let described = runtime.block_on(Engine { cache: None }.describe(&request));
    runtime.shutdown_background();
    described.map_err(|error| error.to_string())
}
