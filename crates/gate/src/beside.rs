//! What is stated beside an image, as policies hear it: attestations, provenance, and the base image.

use attestation::{Base, Bundle, Provenance, Signed, Statement, UsedImage};
use image::{Attached, Seal, Stated};
use model::{Inventory, Reference};
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
    /// What the image says itself of what it was built from.
    named: Option<model::Base>,
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
        let built = built.filter_map(|it| Provenance::read(&Statement::read(&it.bytes).ok()?).ok());
        let built = built.max_by_key(|it| !matches!(it.base, Base::Unknown { .. }));
        let repository = found.map(|it| format!("{}/{}", it.host, it.repository));
        Self { stated, unread, repository, built, named: image.base() }
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
        if let Base::Image { image, how } = &built.base {
            told["base_image"] = used(image, how);
        }
        Some(told)
    }

    /// The images that it may be built on, best first; `None`: nobody can tell.
    pub(crate) fn base(&self) -> Option<Value> {
        match self.built.as_ref().map(|it| &it.base) {
            Some(Base::Image { image, how }) => return Some(json!([used(image, how)])),
            Some(Base::Scratch) => return Some(json!([])),
            Some(Base::Unknown { .. }) | None => {}
        }
        let named = self.named.as_ref()?;
        let reference: Reference = named.name.parse().ok()?;
        let digest = reference.digest.as_ref().map(ToString::to_string);
        let digest = digest.or_else(|| named.digest.clone());
        Some(json!([told(&reference, digest, "the image says so")]))
    }
}

fn used(image: &UsedImage, how: &str) -> Value {
    told(&image.reference, image.digest().map(ToString::to_string), how)
}

fn told(reference: &Reference, digest: Option<String>, how: &str) -> Value {
    let name = format!("{}/{}", reference.host, reference.repository);
    let mut base = json!({ "name": name, "found": how });
    if let Some(tag) = &reference.tag {
        base["tag"] = json!(tag);
    }
    if let Some(digest) = digest {
        base["digest"] = json!(digest);
    }
    base
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
