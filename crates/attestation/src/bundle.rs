//! A Sigstore bundle: a signature with all that is needed to verify it.
//! <https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto>

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::bounded::{decoded, object, shown};
use crate::envelope::Envelope;
use crate::key::{Key, hex, sha256};
use crate::verdict::{Artifact, Log, Proof, Refused, Unreadable};
use crate::{BUNDLE, LARGEST, Statement};

/// A bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// What is signed.
    pub signed: Signed,
    /// Which key the signer says it was; nobody need believe it.
    pub hint: Option<String>,
    /// Is there a certificate in place of a key?
    pub certificate: bool,
    /// How many entries of a transparency log come along. They are not looked into.
    pub log_entries: usize,
}

/// What is signed of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signed {
    /// An envelope.
    Envelope(Envelope),
    /// The artifact itself: its manifest, byte by byte.
    Message {
        /// SHA-256 of it, in hexadecimal digits, as the bundle says; only SHA-256 is told.
        sha256: Option<String>,
        /// The signature.
        signature: Vec<u8>,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    media_type: String,
    #[serde(default)]
    verification_material: Material,
    #[serde(default)]
    dsse_envelope: Option<Box<RawValue>>,
    #[serde(default)]
    message_signature: Option<Message>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Material {
    public_key: Option<Hint>,
    certificate: Option<IgnoredAny>,
    x509_certificate_chain: Option<IgnoredAny>,
    tlog_entries: Option<Vec<IgnoredAny>>,
}

#[derive(Deserialize)]
struct Hint {
    #[serde(default)]
    hint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    #[serde(default)]
    message_digest: Option<Hashed>,
    signature: String,
}

#[derive(Deserialize)]
struct Hashed {
    #[serde(default)]
    algorithm: String,
    #[serde(default)]
    digest: String,
}

impl Bundle {
    /// Reads one.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.len() > LARGEST {
            return Err(Unreadable(format!("it is longer than {LARGEST} bytes")));
        }
        let file: File =
            object(bytes).map_err(|why| Unreadable(format!("it is no Sigstore bundle: {why}")))?;
        if !file.media_type.starts_with(BUNDLE) {
            let kind = shown(&file.media_type);
            return Err(Unreadable(format!("it is no Sigstore bundle: its type is `{kind}`")));
        }
        let signed = match (file.dsse_envelope, file.message_signature) {
            (Some(envelope), None) => Signed::Envelope(Envelope::read(envelope.get().as_bytes())?),
            (None, Some(message)) => message.read()?,
            // Which of the two is meant could be read either way.
            _ => {
                let why = "it holds neither an envelope nor a signature, or both";
                return Err(Unreadable(why.to_owned()));
            }
        };
        let Material { public_key, certificate, x509_certificate_chain, tlog_entries } =
            file.verification_material;
        Ok(Self {
            signed,
            hint: public_key.map(|it| it.hint).filter(|it| !it.is_empty()),
            certificate: certificate.is_some() || x509_certificate_chain.is_some(),
            log_entries: tlog_entries.map_or(0, |it| it.len()),
        })
    }

    /// The statement inside, where there is one. Nobody has asked who signed it.
    pub fn statement(&self) -> Option<Result<Statement, Unreadable>> {
        match &self.signed {
            Signed::Envelope(envelope) => Some(envelope.statement()),
            Signed::Message { .. } => None,
        }
    }

    /// Whether that key signed that very thing; what is stated of it comes along where there is a
    /// statement.
    pub fn verify(
        &self,
        artifact: &Artifact<'_>,
        key: &Key,
        log: Log,
    ) -> Result<(Option<Statement>, Proof), Refused> {
        if self.certificate {
            return Err(Refused::Keyless);
        }
        log.check()?;
        self.proven(artifact, key).map_err(|refused| match refused {
            // Who signs by cosign says which key it was by its hash.
            Refused::Another { ref key, .. } if self.hinted().is_some_and(|it| it != *key) => {
                Refused::OtherKey
            }
            other => other,
        })
    }

    /// SHA-256 of the key that signed it, as the signer says.
    fn hinted(&self) -> Option<String> {
        let bytes = decoded(self.hint.as_deref()?)?;
        (bytes.len() == 32).then(|| hex(&bytes))
    }

    fn proven(
        &self,
        artifact: &Artifact<'_>,
        key: &Key,
    ) -> Result<(Option<Statement>, Proof), Refused> {
        match &self.signed {
            Signed::Envelope(envelope) => {
                let (statement, proof) = envelope.verify_about(artifact, key, Log::Skipped)?;
                Ok((Some(statement), proof))
            }
            Signed::Message { sha256: said, signature } => {
                if let Some(said) = said
                    && artifact.digest.algorithm() == "sha256"
                    && said != artifact.digest.hex()
                {
                    let (about, wanted) = (format!("sha256:{said}"), artifact.digest.clone());
                    return Err(Refused::OtherImage { about, wanted });
                }
                let Some(bytes) = artifact.bytes else {
                    let why = "it signs the manifest, which is not at hand";
                    return Err(Refused::Absent(why.to_owned()));
                };
                if artifact.digest.algorithm() != "sha256" || sha256(bytes) != artifact.digest.hex()
                {
                    let why = "the manifest at hand is another one";
                    return Err(Refused::Absent(why.to_owned()));
                }
                match key.proof(bytes, signature) {
                    Some(proof) => Ok((None, proof)),
                    None => Err(key.refused()),
                }
            }
        }
    }
}

impl Message {
    fn read(self) -> Result<Signed, Unreadable> {
        let signature = decoded(&self.signature)
            .ok_or_else(|| Unreadable("its signature is not base64".to_owned()))?;
        let sha256 = match self.message_digest.filter(|it| it.algorithm == "SHA2_256") {
            Some(hashed) => {
                let bytes = decoded(&hashed.digest)
                    .ok_or_else(|| Unreadable("its digest is not base64".to_owned()))?;
                Some(hex(&bytes))
            }
            None => None,
        };
        Ok(Signed::Message { sha256, signature })
    }
}
