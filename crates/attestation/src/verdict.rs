//! What comes of looking at a signature: a proof, or why there is none.

use model::Digest;

/// A document that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// Whose signature it must be, and what must be signed: an image as its registry knows it.
#[derive(Clone, Debug)]
pub struct Artifact<'a> {
    /// The digest of its manifest or index.
    pub digest: &'a Digest,
    /// The bytes of that manifest, where they are at hand: some signatures are of them.
    pub bytes: Option<&'a [u8]>,
}

/// Must the transparency log have the signature?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// It must. Whether it does needs the log's own key, which is not here: every signature is refused.
    Required,
    /// Whoever asks trusts the key alone.
    Skipped,
}

/// What stood the test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// SHA-256 of the key, in hexadecimal digits.
    pub key: String,
    /// `ECDSA P-256`, `Ed25519`.
    pub algorithm: &'static str,
}

/// Why something does not count as signed. Nothing of it was proven.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no signature.
    #[error("it is not signed")]
    Unsigned,
    /// There is one, but not by this key and of this content.
    #[error("its signature is not one of this content by this {algorithm} key ({key})")]
    Another {
        /// The key that was asked for.
        key: String,
        /// What sort of key it is.
        algorithm: &'static str,
    },
    /// It says itself that another key signed it.
    #[error("it says that it was signed by another key")]
    OtherKey,
    /// It is signed, about something else.
    #[error("it is about {about}, not about {wanted}")]
    OtherImage {
        /// What it is about.
        about: String,
        /// What was asked for.
        wanted: Digest,
    },
    /// A certificate stands for the key: it lives for minutes, and only its issuer and the log can say
    /// whether it held.
    #[error("not verified: it is signed without a key (keyless)")]
    Keyless,
    /// The log would have to be asked.
    #[error("not verified: whether the transparency log has it is not checked here")]
    Unlogged,
    /// What is signed is not at hand.
    #[error("not verified: {0}")]
    Absent(String),
    /// It makes no sense.
    #[error("{0}")]
    Unreadable(String),
}

impl Refused {
    /// What to do about it, where something can be done.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Keyless => Some("ask cosign: cosign verify --certificate-identity … IMAGE"),
            Self::Unlogged => Some("--skip-tlog trusts the key alone"),
            // That one hashes first, which the library that we verify with does not.
            Self::Another { algorithm: "Ed25519", .. } => Some(
                "cosign's own Ed25519 signatures (Ed25519ph) are not understood: sign by ECDSA",
            ),
            Self::Another { .. } | Self::OtherKey => {
                Some("is it the right key? Whoever changed the content cannot sign it, either")
            }
            _ => None,
        }
    }
}

impl From<Unreadable> for Refused {
    fn from(why: Unreadable) -> Self {
        Self::Unreadable(why.0)
    }
}

impl Log {
    /// Refuses what cannot be checked here.
    pub(crate) fn check(self) -> Result<(), Refused> {
        match self {
            Self::Required => Err(Refused::Unlogged),
            Self::Skipped => Ok(()),
        }
    }
}
