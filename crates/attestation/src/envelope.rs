//! A DSSE envelope: some bytes, what they are, and who signed both.
//! <https://github.com/secure-systems-lab/dsse/blob/master/protocol.md>

use serde::{Deserialize, Serialize};

use crate::bounded::{decoded, encoded, list, object, shown};
use crate::key::Key;
use crate::statement::Statement;
use crate::verdict::{Artifact, Log, Proof, Refused, Unreadable};
use crate::{IN_TOTO, LARGEST};

/// Signatures of one envelope that are looked at.
const SIGNATURES: usize = 100;

/// An envelope, its payload decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// What the payload is.
    pub payload_type: String,
    /// What is signed.
    pub payload: Vec<u8>,
    /// By whom.
    pub signatures: Vec<Signature>,
}

/// A signature of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Which key, as its holder calls it. Nobody need believe it.
    pub key: String,
    /// The signature itself.
    pub bytes: Vec<u8>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct File {
    payload_type: String,
    payload: String,
    #[serde(default, deserialize_with = "list")]
    signatures: Vec<SignatureJson>,
}

#[derive(Deserialize, Serialize)]
struct SignatureJson {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyid: Option<String>,
    sig: String,
}

/// What is signed of an envelope: its type and its payload, each with its length.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head =
        format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    [head, payload.to_vec()].concat()
}

impl Envelope {
    /// Reads one.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.len() > LARGEST {
            return Err(Unreadable(format!("it is longer than {LARGEST} bytes")));
        }
        let file: File =
            object(bytes).map_err(|why| Unreadable(format!("it is no DSSE envelope: {why}")))?;
        if file.signatures.len() > SIGNATURES {
            return Err(Unreadable(format!("it has over {SIGNATURES} signatures")));
        }
        let payload = decoded(&file.payload)
            .ok_or_else(|| Unreadable("its payload is not base64".to_owned()))?;
        let signature = |it: SignatureJson| {
            let bytes = decoded(&it.sig)
                .ok_or_else(|| Unreadable("a signature of it is not base64".to_owned()))?;
            Ok(Signature { key: it.keyid.unwrap_or_default(), bytes })
        };
        let signatures = file.signatures.into_iter().map(signature).collect::<Result<_, _>>()?;
        Ok(Self { payload_type: file.payload_type, payload, signatures })
    }

    /// As it is written down.
    pub fn to_json(&self) -> String {
        let signature = |it: &Signature| SignatureJson {
            keyid: Some(it.key.clone()).filter(|it| !it.is_empty()),
            sig: encoded(&it.bytes),
        };
        let file = File {
            payload_type: self.payload_type.clone(),
            payload: encoded(&self.payload),
            signatures: self.signatures.iter().map(signature).collect(),
        };
        serde_json::to_string(&file).unwrap_or_default()
    }

    /// The statement inside. Nobody has asked who signed it.
    pub fn statement(&self) -> Result<Statement, Unreadable> {
        if self.payload_type != IN_TOTO {
            let kind = shown(&self.payload_type);
            return Err(Unreadable(format!("its payload is `{kind}`, not an in-toto statement")));
        }
        Statement::read(&self.payload)
    }

    /// Whether that key signed it, whatever it says and about whom.
    pub fn verify(&self, key: &Key, log: Log) -> Result<Proof, Refused> {
        log.check()?;
        if self.signatures.is_empty() {
            return Err(Refused::Unsigned);
        }
        let message = pae(&self.payload_type, &self.payload);
        match self.signatures.iter().find_map(|it| key.proof(&message, &it.bytes)) {
            Some(proof) => Ok(proof),
            None => Err(key.refused()),
        }
    }

    /// Whether that key signed it, and it is about that very thing: then it is what is stated.
    pub fn verify_about(
        &self,
        artifact: &Artifact<'_>,
        key: &Key,
        log: Log,
    ) -> Result<(Statement, Proof), Refused> {
        let proof = self.verify(key, log)?;
        let statement = self.statement()?;
        if !statement.is_about(artifact.digest) {
            let (about, wanted) = (statement.named(), artifact.digest.clone());
            return Err(Refused::OtherImage { about, wanted });
        }
        Ok((statement, proof))
    }
}
