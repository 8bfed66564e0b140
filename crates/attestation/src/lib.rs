//! What is stated about an image beside it: in-toto statements, where they come from, who signed them, and
//! what provenance says about how the image was built.

mod bounded;
mod bundle;
mod dockerfile;
mod envelope;
mod key;
mod kind;
mod provenance;
mod signing;
mod statement;
#[cfg(test)]
mod tests;
mod verdict;

pub use bundle::{Bundle, Signed};
pub use dockerfile::{Dockerfile, From, Stage};
pub use envelope::{Envelope, Signature, pae};
pub use key::Key;
pub use kind::{Kind, OPENVEX, kind};
pub use provenance::{Base, Material, Mode, Provenance, Source, UsedImage};
pub use signing::SimpleSigning;
pub use statement::{Statement, Subject};
pub use verdict::{Artifact, Log, Proof, Refused, Unreadable};

/// `Content-Type` of an in-toto statement.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";
/// `Content-Type` of a DSSE envelope.
pub const DSSE: &str = "application/vnd.dsse.envelope.v1+json";
/// What a Sigstore bundle's type begins with.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";

/// The most bytes that a statement, an envelope or a bundle may have.
pub const LARGEST: usize = 64 << 20;
