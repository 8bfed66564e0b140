//! Simple signing: a small text about an image, and a signature of that text.
//! <https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md>

use model::Digest;
use serde::Deserialize;

use crate::bounded::{decoded, shown};
use crate::key::Key;
use crate::verdict::{Artifact, Log, Proof, Refused};

/// Bytes of a payload.
const LARGEST: usize = 1 << 20;
/// What payloads say that they are.
const TYPES: [&str; 2] = ["cosign container image signature", "atomic container signature"];

/// A signature at the tag `sha256-….sig`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimpleSigning<'a> {
    /// What is signed.
    pub payload: &'a [u8],
    /// The signature, in base64: the annotation `dev.cosignproject.cosign/signature`.
    pub signature: &'a str,
    /// Is there a certificate beside it? Then a key of a few minutes signed it.
    pub certificate: bool,
}

#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    identity: Identity,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

#[derive(Default, Deserialize)]
struct Identity {
    #[serde(default, rename = "docker-reference")]
    reference: String,
}

impl SimpleSigning<'_> {
    /// Whether that key signed that very image; then also the name by which the signer called it.
    pub fn verify(
        &self,
        artifact: &Artifact<'_>,
        key: &Key,
        log: Log,
    ) -> Result<(String, Proof), Refused> {
        if self.certificate {
            return Err(Refused::Keyless);
        }
        log.check()?;
        let unreadable = |why: &str| Refused::Unreadable(why.to_owned());
        if self.payload.len() > LARGEST {
            return Err(unreadable("what is signed is too long"));
        }
        let signature =
            decoded(self.signature).ok_or_else(|| unreadable("its signature is not base64"))?;
        if signature.is_empty() {
            return Err(Refused::Unsigned);
        }
        let Some(proof) = key.proof(self.payload, &signature) else {
            return Err(key.refused());
        };
        let payload: Payload = serde_json::from_slice(self.payload)
            .map_err(|why| Refused::Unreadable(format!("what is signed makes no sense: {why}")))?;
        let Critical { image, kind, identity } = payload.critical;
        if !TYPES.contains(&kind.as_str()) {
            return Err(Refused::Unreadable(format!("what is signed is `{}`", shown(&kind))));
        }
        if image.digest.parse::<Digest>().ok().as_ref() != Some(artifact.digest) {
            let (about, wanted) = (shown(&image.digest), artifact.digest.clone());
            return Err(Refused::OtherImage { about, wanted });
        }
        Ok((shown(&identity.reference), proof))
    }
}
