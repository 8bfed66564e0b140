//! An image, a directory or a document becomes an inventory: the walk, top to bottom.

use std::sync::Arc;

use cache::{Cache, Shelf};
use catalog::{ReadOptions, Stacked};
use image::{
    Ask, Attached, Image, ImageSource, Opened, Progress, Settings, Signatures, Trust, Wanted,
};
use model::{Digest, Gap, ImageDescription, Inventory, LayerDescription, Platform, Subject};

use crate::Error;
use crate::attested::attested;
use crate::reader::{Detours, Reader};

/// What a bundle states in which cosign signs an image itself.
const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";

/// The verbs, with what they remember.
#[derive(Clone, Default)]
pub struct Engine {
    /// What this machine has read before; without one everything is read anew.
    pub cache: Option<Arc<Cache>>,
}

/// What is asked.
#[derive(Clone)]
pub struct Request {
    /// As typed: `archive://image.tar`, `debian:12`.
    pub subject: String,
    /// The platform wanted, of an image for several.
    pub platform: Option<Platform>,
    /// Which reference inside an archive or layout of several.
    pub reference: Option<String>,
    /// The manifest that the digest in a registry's name is of, if somebody has it by now.
    pub manifest: Option<Arc<[u8]>>,
    /// How much of what is stated beside an image is heard.
    pub hearing: Hearing,
    /// How to reach things.
    pub settings: Arc<Settings>,
    /// Who watches.
    pub progress: Arc<dyn Progress>,
}

/// How much of what is stated beside an image is heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hearing {
    /// Nothing: what is inside is all that is wanted.
    #[default]
    Nothing,
    /// What is stated about flaws: for those who judge.
    Flaws,
    /// That, and what the image stands on as its builder says: for those who keep what is inside.
    Origins,
    /// All of it, which is handed on: for those who also ask how the image was built.
    All,
}

/// The answer, and how it was come by.
#[derive(Clone, Debug)]
pub struct Analyzed {
    /// What is inside.
    pub inventory: Inventory,
    /// What is stated beside it, where all of that was to be heard; an error where nobody can tell.
    pub beside: Option<Result<Attached, String>>,
    /// How we know.
    pub origin: Origin,
}

/// How an inventory was come by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was kept, and nothing was read.
    Kept,
    /// Layers were read: so many of so many, the others were kept.
    Layers {
        /// Read now.
        read: usize,
        /// In all.
        all: usize,
    },
    /// A directory was walked.
    Directory,
    /// A document was read.
    Document,
    /// A document was read that is attested beside an image, and believed, in place of its layers: which
    /// one, and in whose name.
    Attested(Gap),
}

impl Analyzed {
    pub(crate) fn of(inventory: Inventory, origin: Origin) -> Self {
        Self { inventory, beside: None, origin }
    }
}

impl Request {
    /// What is asked of a source.
    fn of(&self, name: String) -> Ask {
        Ask {
            name,
            platform: self.platform.clone(),
            reference: self.reference.clone(),
            manifest: self.manifest.clone(),
            settings: Arc::clone(&self.settings),
            progress: Arc::clone(&self.progress),
        }
    }
}

impl Engine {
    /// What is inside the subject of `request`.
    pub async fn inventory(&self, request: &Request) -> Result<Analyzed, Error> {
        self.inventory_trusting(request, &Trust::default()).await
    }

    /// The same; where somebody who is trusted says beside an image what is inside, that is taken, and no
    /// layer is read.
    pub async fn inventory_trusting(
        &self,
        request: &Request,
        trust: &Trust,
    ) -> Result<Analyzed, Error> {
        let (source, name) = image::parse(&request.subject)?;
        let ask = request.of(name.clone());
        match open(source, &ask).await? {
            Opened::Image(image) => {
                // Whoever hears all hears it once.
                let beside = match request.hearing {
                    Hearing::All => Some(heard(&*image, request).await),
                    Hearing::Origins | Hearing::Flaws | Hearing::Nothing => None,
                };
                let known = beside.as_ref().and_then(|it| it.as_ref().ok());
                let mut analyzed = match attested(&*image, known, trust, &*ask.progress).await {
                    Some(analyzed) => analyzed,
                    None => self.image(&*image, &ask).await?,
                };
                match request.hearing {
                    Hearing::Nothing => {}
                    Hearing::Flaws | Hearing::All => {
                        hear(&*image, known, is_vex, &mut analyzed.inventory).await;
                    }
                    Hearing::Origins => {
                        let wanted = |it: &str| is_vex(it) || image::tells_build(it);
                        hear(&*image, known, wanted, &mut analyzed.inventory).await;
                    }
                }
                analyzed.beside = beside;
                Ok(analyzed)
            }
            Opened::Directory { path, entries } => directory(source, &ask, path, entries).await,
            Opened::Document { name, bytes } => document(name, &bytes),
        }
    }

    /// What the image of `request` is, before any layer of it is read.
    pub async fn describe(&self, request: &Request) -> Result<ImageDescription, Error> {
        let (source, name) = image::parse(&request.subject)?;
        let ask = request.of(name);
        if let Opened::Image(image) = open(source, &ask).await?
            && let Some(description) = image.description()
        {
            return Ok(description.clone());
        }
        let what = request.subject.clone();
        Err(image::Error::unsupported(what, "it does not say what it is before it is read").into())
    }

    /// What the image of `request` is, and what is stated beside it, of predicate types that are `wanted`.
    /// Nothing of the image itself is read.
    pub async fn attached(
        &self,
        request: &Request,
        wanted: image::Wanted,
    ) -> Result<(ImageDescription, Attached), Error> {
        let (source, name) = image::parse(&request.subject)?;
        let ask = request.of(name);
        if let Opened::Image(image) = open(source, &ask).await?
            && let Some(description) = image.description()
        {
            return Ok((description.clone(), image.attached(wanted).await));
        }
        Err(speechless(&request.subject).into())
    }

    /// How the image of `request` is signed, as cosign does it: under a tag, and in bundles. Nothing of the
    /// image itself is read.
    pub async fn signatures(&self, request: &Request) -> Result<(Signatures, Attached), Error> {
        let (source, name) = image::parse(&request.subject)?;
        match open(source, &request.of(name)).await? {
            Opened::Image(image) => {
                Ok((image.signatures().await, image.attached(|it| it == SIGNATURE).await))
            }
            _ => Ok((Signatures::default(), Attached::default())),
        }
    }

    async fn image(&self, image: &dyn Image, ask: &Ask) -> Result<Analyzed, Error> {
        if let Some(inventory) = image.description().and_then(|it| self.kept(it)) {
            return Ok(Analyzed::of(inventory, Origin::Kept));
        }
        let limits = ask.settings.limits;
        let reader = Arc::new(Reader::new(self.cache.clone(), limits));
        let description = image.read(reader.clone()).await?;
        if let Some(inventory) = self.kept(&description) {
            return Ok(Analyzed::of(inventory, Origin::Kept));
        }
        let mut layers = Vec::with_capacity(description.layers.len());
        let mut read = 0;
        for layer in &description.layers {
            let found = reader.take(layer)?;
            read += usize::from(found.as_ref().is_some_and(|it| !it.kept));
            layers.push(found.map(|it| it.inventory));
        }
        drop(reader);

        let mut detours = Detours::new();
        let mut rounds = 0;
        let stacked = loop {
            let below: Vec<_> = layers.iter().map(Option::as_deref).collect();
            let stacked = catalog::stack(&below, &description.layers);
            rounds += 1;
            if rounds > DETOURS || !note(&stacked, &description.layers, &mut detours) {
                break stacked;
            }
            let again = Arc::new(Reader::detour(limits, detours.clone()));
            image.read(again.clone()).await?;
            for (layer, described) in layers.iter_mut().zip(&description.layers) {
                if let Some(more) = again.take(described)? {
                    *layer = Some(more.inventory);
                }
            }
        };
        let all = description.layers.len();
        let inventory = stacked.into_inventory(Subject::Image(Box::new(description)));
        self.keep(&inventory);
        Ok(Analyzed::of(inventory, Origin::Layers { read, all }))
    }

    /// The inventory of that very image, under the names it is asked by now.
    fn kept(&self, description: &ImageDescription) -> Option<Inventory> {
        let cache = self.cache.as_ref()?;
        let key = key(description)?;
        let kept: Inventory = cache.get(Shelf::Inventories, &fingerprint(), key)?;
        Some(Inventory { subject: Subject::Image(Box::new(description.clone())), ..kept })
    }

    fn keep(&self, inventory: &Inventory) {
        let Some(cache) = &self.cache else { return };
        let Some(key) = inventory.subject.image().and_then(key) else { return };
        // What cannot be kept is worked out again next time; the cache says why, once.
        let _ = cache.put(Shelf::Inventories, &fingerprint(), key, inventory);
    }
}

/// Raised where inventories have other fields than before: what is kept is read by their order.
const SHAPE: u32 = 2;

/// What an inventory depends on beside the image. Stacking changes with the program, and is cheap to
/// do again; layers are kept under the catalogers' fingerprint alone.
fn fingerprint() -> String {
    format!("{}-{}-{SHAPE}", catalog::fingerprint(), env!("CARGO_PKG_VERSION"))
}

/// What an image is kept under: its manifest, or its configuration where it has none.
fn key(description: &ImageDescription) -> Option<&Digest> {
    description.digest.as_ref().or(description.config.as_ref())
}

/// All that is stated beside the image.
async fn heard(image: &dyn Image, request: &Request) -> Result<Attached, String> {
    match image.description() {
        Some(_) => Ok(image.attached(|_| true).await),
        None => Err(speechless(&request.subject).to_string()),
    }
}

/// That nobody can tell what is stated beside a subject.
fn speechless(subject: &str) -> image::Error {
    let why = "nothing can be stated beside what is no image in a registry or in a layout";
    let hint = "registry://NAME, oci-dir://DIRECTORY, archive://FILE";
    image::Error::unsupported(subject, why).with_hint(hint)
}

/// Is it about flaws?
fn is_vex(predicate_type: &str) -> bool {
    predicate_type.starts_with("https://openvex.dev/ns")
}

/// Adds what is stated about flaws beside the image, and what it stands on as its builder says, of what is
/// known to be there or else of what is wanted and asked for now. It is asked for each time: statements
/// change while the image they are about does not.
async fn hear(
    image: &dyn Image,
    known: Option<&Attached>,
    wanted: Wanted,
    inventory: &mut Inventory,
) {
    let asked;
    let attached = if let Some(known) = known {
        known
    } else {
        asked = image.attached(wanted).await;
        &asked
    };
    for gap in &attached.gaps {
        // What could not be read when the image was described is told already.
        if !inventory.gaps.contains(gap) {
            inventory.gaps.push(gap.clone());
        }
    }
    if let Subject::Image(image) = &mut inventory.subject {
        image.built_on = attached.built_on();
    }
    for stated in attached.statements.iter().filter(|it| is_vex(&it.predicate_type)) {
        let origin = stated.origin();
        match statement::read(&origin, &stated.bytes) {
            Ok(read) => {
                inventory.statements.extend(read.statements);
                inventory.gaps.extend(read.gaps);
            }
            Err(why) => inventory.gaps.push(Gap::new(origin, why.to_string())),
        }
    }
}

async fn open(source: &dyn ImageSource, ask: &Ask) -> Result<Opened, Error> {
    let refuse = |flag: &str| {
        let what = format!("{}://{}", source.scheme(), ask.name);
        image::Error::invalid(what, format!("there is nothing to choose by {flag} here"))
            .with_hint(format!("leave {flag} out"))
    };
    if ask.reference.is_some() && !source.takes_reference() {
        return Err(refuse("--ref").into());
    }
    if ask.platform.is_some() && !source.takes_platform() {
        return Err(refuse("--platform").into());
    }
    source.open(ask).await?.ok_or_else(|| {
        let what = format!("{}://{}", source.scheme(), ask.name);
        image::Error::not_found(what, "there is no such image here").into()
    })
}

async fn directory(
    source: &dyn ImageSource,
    ask: &Ask,
    path: String,
    mut entries: Box<dyn tarball::Entries + Send>,
) -> Result<Analyzed, Error> {
    let failed = |problem: tarball::Problem| Error::Directory {
        path: path.clone(),
        why: problem.to_string(),
    };
    let root = [LayerDescription::default()];
    let mut detours = Detours::new();
    let mut rounds = 0;
    let stacked = loop {
        let extra = detours.get(&root[0].key).cloned().unwrap_or_default();
        let options = ReadOptions { extra, ..ReadOptions::default() };
        let layer = catalog::read_layer(&mut *entries, &options).map_err(failed)?;
        let stacked = catalog::stack(&[Some(&layer)], &[]);
        rounds += 1;
        if rounds > DETOURS || !note(&stacked, &root, &mut detours) {
            break stacked;
        }
        match open(source, ask).await? {
            Opened::Directory { entries: again, .. } => entries = again,
            _ => break stacked,
        }
    };
    let inventory = stacked.into_inventory(Subject::Directory { path: path.clone() });
    Ok(Analyzed::of(inventory, Origin::Directory))
}

/// A link may lead to a link, and so on; honest ones do not go further than this.
const DETOURS: usize = 8;

/// Notes what is missing still. False when nothing is, or nothing new: there is no point in reading
/// again then.
fn note(stacked: &Stacked, layers: &[LayerDescription], detours: &mut Detours) -> bool {
    let mut more = false;
    for missing in &stacked.missing {
        let Some(layer) = layers.get(missing.layer) else { continue };
        let paths = detours.entry(layer.key.clone()).or_default();
        let detour = (missing.path.clone(), missing.pretend.clone());
        if !paths.contains(&detour) {
            paths.push(detour);
            more = true;
        }
    }
    more
}

fn document(name: String, bytes: &[u8]) -> Result<Analyzed, Error> {
    match format::read(bytes) {
        Ok(mut inventory) => {
            // Many documents do not say what they are about; the reader knows them by their file.
            if let Subject::Document { name: subject } = &mut inventory.subject
                && subject.is_empty()
            {
                *subject = name;
            }
            Ok(Analyzed::of(inventory, Origin::Document))
        }
        Err(why) => Err(Error::Document { name, why: why.to_string() }),
    }
}
