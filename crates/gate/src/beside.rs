//! What is stated beside an image, as policies hear it: attestations, provenance, and the base image.

use attestation::{Base, Bundle, Provenance, Signed, Statement};
use base::{BaseImage, Claim, Clues, Found, Layers, Standing, Way};
use image::{Attached, Seal, Stated};
use model::{Digest, ImageDescription, Inventory, KnownBase, Reference};
use policy::Referrer;
use serde_json::{Value, json};

/// What is stated beside an image.
#[derive(Default)]
pub struct Beside {
    /// Each.
    pub(crate) stated: Vec<Stated>,
    /// Why not all of it is known, if it is not.
    pub(crate) unread: Option<String>,
    /// Where it is: `ghcr.io/acme/web`, if anywhere.
    repository: Option<String>,
    /// How it was built.
    built: Option<Provenance>,
    /// The blob that says so, with its envelope if it has one.
    built_by: Option<Digest>,
    /// What it stands on, if somebody looked.
    found: Option<Found>,
}

impl Beside {
    /// Of an image that was found as `found`, in a registry; `stated` is what is beside it, or why nobody
    /// can tell, which is told to policies that ask.
    pub fn of(
        inventory: &Inventory,
        found: Option<&Reference>,
        stated: impl FnOnce() -> Result<Attached, String>,
    ) -> Self {
        let Some(image) = inventory.subject.image() else {
            let unread = Some("this is no image, which attestations are of".to_owned());
            return Self { unread, ..Self::default() };
        };
        let (stated, unread) = match stated() {
            Ok(attached) => {
                let first = attached.gaps.first().map(ToString::to_string);
                (attached.statements, first)
            }
            Err(why) => (Vec::new(), Some(why)),
        };
        let built = stated.iter().filter(|it| Provenance::claims(&it.predicate_type));
        let built = built.filter_map(|it| {
            let read = Provenance::read(&Statement::read(&it.bytes).ok()?).ok()?;
            Some((read, it.blob.clone()))
        });
        let built = built.max_by_key(|(it, _)| !matches!(it.base, Base::Unknown { .. }));
        let (built, built_by) = built.unzip();
        let repository = found.map(|it| format!("{}/{}", it.host, it.repository));
        let mut beside = Self { stated, unread, repository, built, built_by, found: None };
        beside.stand_on_known(image, &[]);
        beside
    }

    /// The registry that it is in, if any.
    pub fn host(&self) -> Option<&str> {
        self.repository.as_deref()?.split('/').next()
    }

    /// It stands on what is said and what is known: images whose layers are its beginning. No registry is
    /// asked.
    pub fn stand_on_known(&mut self, image: &ImageDescription, known: &[KnownBase]) {
        let claims = self.claims(image).into_iter().map(|claim| {
            let layers = claim.layers_among(image, known);
            (claim, layers.ok_or_else(|| "nobody asked what these are".to_owned()))
        });
        let claims: Vec<_> = claims.collect();
        self.stand_on_told(image, &claims, known);
    }

    /// What is said of what it stands on, by its builder and by itself.
    pub fn claims(&self, image: &ImageDescription) -> Vec<Claim> {
        base::claims(image, self.built.as_ref().map(|it| &it.base))
    }

    /// It stands on what is said, as far as the layers of what is named bear it out, and on what is known.
    pub fn stand_on_told(
        &mut self,
        image: &ImageDescription,
        claims: &[(Claim, Result<Layers, String>)],
        known: &[KnownBase],
    ) {
        let built = self.built.as_ref().map(|it| &it.base);
        self.found = Some(Clues { image, built, claims, known }.find());
    }

    /// It stands on that, as the layers tell it.
    pub fn stand_on(&mut self, found: Found) {
        self.found = Some(found);
    }

    /// What it stands on, if it is an image.
    pub fn found(&self) -> Option<&Found> {
        self.found.as_ref()
    }

    /// How the image was built, where that is stated.
    pub fn built(&self) -> Option<&Provenance> {
        self.built.as_ref()
    }

    /// Why not all that is stated is known, if it is not.
    pub fn unread(&self) -> Option<&str> {
        self.unread.as_deref()
    }

    /// Each as a policy sees it.
    pub(crate) fn referrers(&self) -> Vec<Referrer> {
        let referrer = |it: &Stated| referrer(it, self.repository.as_deref());
        self.stated.iter().filter_map(referrer).collect()
    }

    /// What is known of the build.
    pub(crate) fn provenance(&self) -> Option<Value> {
        let built = self.built.as_ref()?;
        let mut told = json!({ "mode": built.mode.name(), "builder": built.builder });
        if let Some(source) = &built.source {
            told["source"] = json!({
                "repository": source.repository,
                "reference": source.reference,
                "commit": source.commit,
            });
        }
        let base = self.found.as_ref().and_then(Found::base);
        if let Some(base) = base.and_then(|it| self.told(it)) {
            told["base_image"] = base;
        }
        Some(told)
    }

    /// The images that it may be built on, best first; `None`: nobody can tell.
    pub fn base(&self) -> Option<Value> {
        match &self.found.as_ref()?.standing {
            Standing::On(all) => {
                let all: Vec<Value> = all.iter().filter_map(|it| self.told(it)).collect();
                (!all.is_empty()).then_some(Value::Array(all))
            }
            Standing::Scratch => Some(json!([])),
            Standing::Unknown(_) => None,
        }
    }

    /// A base as a policy sees it. One without a name is none that a policy could speak of.
    fn told(&self, base: &BaseImage) -> Option<Value> {
        let reference = base.reference.as_ref()?;
        let name = format!("{}/{}", reference.host, reference.repository);
        let mut told = json!({ "name": name, "found": base.says, "way": base.way.as_str() });
        if let Some(tag) = &reference.tag {
            told["tag"] = json!(tag);
        }
        // A tag leads to an index, and what layers tell goes by the image in it: these two are never the same.
        if let Some(digest) = &base.digest
            && matches!(base.way, Way::Provenance | Way::Label)
        {
            told["digest"] = json!(digest);
        }
        // Of two images in the same repository, as they were known one after the other, it can be told.
        if let (Some(newer), Some(digest)) = (&base.newer, &base.digest) {
            told["newer"] = json!({ "digest": newer, "than": digest });
        }
        if let Some(layers) = base.layers {
            told["layers"] = json!(layers);
        }
        // Nobody could hold it against the layers: it is as true as who says so.
        if base.layers.is_none() {
            told["stated"] = json!(true);
            if let (Way::Provenance, Some(blob)) = (base.way, &self.built_by) {
                let name = self.repository.as_deref().unwrap_or("image");
                told["statement"] = json!(format!("{name}@{blob}"));
            }
        }
        Some(told)
    }
}

/// The DSSE envelope that it came in.
fn envelope(seal: &Seal) -> Option<Value> {
    match seal {
        Seal::Envelope { bytes, .. } => serde_json::from_slice(bytes).ok(),
        Seal::Bundle(bytes) => match Bundle::read(bytes).ok()?.signed {
            Signed::Envelope(envelope) => serde_json::from_str(&envelope.to_json()).ok(),
            Signed::Message { .. } => None,
        },
    }
}

/// A statement as a policy sees it, which is beside an image of that repository.
pub(crate) fn referrer(stated: &Stated, repository: Option<&str>) -> Option<Referrer> {
    Some(Referrer {
        predicate_type: stated.predicate_type.clone(),
        image: repository.map(|name| format!("{name}@{}", stated.manifest)),
        statement: serde_json::from_slice(&stated.bytes).ok()?,
        envelope: stated.seal.as_ref().and_then(envelope),
    })
}
