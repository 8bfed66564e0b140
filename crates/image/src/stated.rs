//! Statements as they were found: opened, each once, and verified.

use attestation::{
    Artifact, Base, Bundle, Envelope, Key, Log, Proof, Provenance, Refused, SimpleSigning,
    Statement,
};
use model::{Digest, Gap, SaidBase};

use crate::contract::{Attached, ImageSignature, Place, Seal, Stated, Wanted};
use crate::manifest::{Form, Stating};

impl Place {
    /// `index`, `referrers`, `tag`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Referrers => "referrers",
            Self::Tag => "tag",
        }
    }
}

impl Stated {
    /// The blob of a layer that states something, opened.
    pub(crate) fn open(
        stating: &Stating,
        bytes: Vec<u8>,
        (manifest, beside, place): (&Digest, &Digest, Place),
    ) -> Result<Self, String> {
        let certificate = stating.certificate;
        let (statement, seal) = match stating.form {
            Form::Statement => (bytes, None),
            Form::Envelope => {
                let envelope = Envelope::read(&bytes).map_err(|it| it.0)?;
                (payload(envelope)?, Some(Seal::Envelope { bytes, certificate }))
            }
            Form::Bundle => {
                let bundle = Bundle::read(&bytes).map_err(|it| it.0)?;
                let attestation::Signed::Envelope(envelope) = bundle.signed else {
                    return Err("it signs the image, and states nothing".to_owned());
                };
                (payload(envelope)?, Some(Seal::Bundle(bytes)))
            }
        };
        // BuildKit's own word for it is believed no more than anybody's: what is inside decides.
        let predicate_type = Statement::read(&statement).map_err(|it| it.0)?.predicate_type;
        Ok(Self {
            predicate_type,
            manifest: manifest.clone(),
            blob: stating.digest.clone(),
            beside: beside.clone(),
            place,
            bytes: statement,
            seal,
        })
    }

    /// For messages: which one it is.
    pub fn origin(&self) -> String {
        format!("attestation {}", self.manifest.short())
    }

    /// Whether that key signed it, and it is about what it was found beside.
    pub fn verify(&self, key: &Key, log: Log) -> Result<Proof, Refused> {
        let artifact = Artifact { digest: &self.beside, bytes: None };
        match &self.seal {
            None => Err(Refused::Unsigned),
            Some(Seal::Envelope { certificate: true, .. }) => Err(Refused::Keyless),
            Some(Seal::Envelope { bytes, .. }) => {
                let envelope = Envelope::read(bytes)?;
                envelope.verify_about(&artifact, key, log).map(|(_, proof)| proof)
            }
            Some(Seal::Bundle(bytes)) => {
                let bundle = Bundle::read(bytes)?;
                bundle.verify(&artifact, key, log).map(|(_, proof)| proof)
            }
        }
    }
}

impl ImageSignature {
    /// Whether that key signed it, and it is of what it was found beside; then also the name by which the
    /// signer called that.
    pub fn verify(&self, key: &Key, log: Log) -> Result<(String, Proof), Refused> {
        let (payload, signature) = (&*self.payload, &*self.signature);
        let signed = SimpleSigning { payload, signature, certificate: self.certificate };
        signed.verify(&Artifact { digest: &self.beside, bytes: None }, key, log)
    }
}

fn payload(envelope: Envelope) -> Result<Vec<u8>, String> {
    // Anything may be in an envelope; here only statements count.
    if envelope.payload_type != attestation::IN_TOTO {
        return Err("what is in its envelope is no in-toto statement".to_owned());
    }
    Ok(envelope.payload)
}

/// Does that predicate type say how an image was built?
pub fn tells_build(predicate_type: &str) -> bool {
    Provenance::claims(predicate_type)
}

impl Attached {
    /// The image that this one stands on, as provenance says; nothing where it does not tell.
    pub fn built_on(&self) -> Option<SaidBase> {
        let told = self.statements.iter().filter(|it| tells_build(&it.predicate_type));
        let mut bases = told
            .filter_map(|it| Some(Provenance::read(&Statement::read(&it.bytes).ok()?).ok()?.base));
        match bases.rfind(|it| !matches!(it, Base::Unknown { .. }))? {
            Base::Image { image, .. } => Some(SaidBase {
                name: Some(image.reference.to_string()),
                digest: image.reference.digest,
            }),
            Base::Scratch | Base::Unknown { .. } => None,
        }
    }

    /// Adds what a layer states, if it is `wanted` and not there yet: the same words in an envelope go
    /// before those without.
    pub(crate) fn add(&mut self, stated: Result<Stated, String>, name: &str, wanted: Wanted) {
        let stated = match stated {
            Ok(it) if wanted(&it.predicate_type) => it,
            Ok(_) => return,
            Err(why) => return self.gaps.push(Gap::new(name, why)),
        };
        let same = |it: &Stated| it.bytes == stated.bytes;
        let is_known = |it: &Stated| same(it) && (stated.seal.is_none() || it.seal == stated.seal);
        if self.statements.iter().any(is_known) {
            return;
        }
        match self.statements.iter().position(|it| same(it) && it.seal.is_none()) {
            Some(bare) => self.statements[bare] = stated,
            None => self.statements.push(stated),
        }
    }
}
