//! What a policy is, what it is judged by, and what comes of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A file of Rego, before it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// The path that messages show.
    pub name: String,
    /// Rego, version 1.
    pub text: String,
    /// Who brought it.
    pub origin: Origin,
}

impl Module {
    /// A file of the user's.
    pub fn file(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), origin: Origin::File }
    }
}

/// Where a policy comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// It is one of ours.
    BuiltIn,
    /// A file of the user's.
    File,
    /// A bundle, by its reference or digest.
    Bundle(String),
}

/// One policy: what its module says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its stable name, by which it is configured: `custom.name`, else its package.
    pub id: String,
    /// How people know it; the id where it says none.
    pub title: String,
    /// What it is about, at length; may be empty.
    pub description: String,
    /// What its violations are.
    pub kind: ResultKind,
    /// Its points in the score, and its place in a report.
    pub weight: u32,
    /// What a report calls it when it is not met; else its title.
    pub not_compliant_title: Option<String>,
    /// The columns of its violations, in order.
    pub details_order: Vec<String>,
    /// The path of its module.
    pub file: String,
    /// Who brought it.
    pub origin: Origin,
    /// The module itself.
    pub source: String,
    /// It counts only where a configuration says `enabled`.
    pub opt_in: bool,
}

impl Policy {
    /// What a report calls it, met or not.
    pub fn label(&self, outcome: &Outcome) -> &str {
        match (outcome, &self.not_compliant_title) {
            (Outcome::NotMet, Some(title)) => title,
            _ => &self.title,
        }
    }
}

/// What the violations of a policy are, which decides how they are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResultKind {
    /// Flaws of packages.
    Vulnerability,
    /// Licences of packages.
    License,
    /// Something is so, or is not.
    Boolean,
    /// Anything else.
    #[default]
    Generic,
}

/// What is known about the image that is judged. Nothing here is asked for: it is all there.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Our document of the image with its findings, as the report `sbom` writes it.
    pub input: Arc<Value>,
    /// Every attestation that the image has.
    pub referrers: Vec<Referrer>,
    /// Why the attestations could not all be read. A policy that asks for one that is not among
    /// `referrers` is unknown then.
    pub referrers_unread: Option<String>,
    /// Every statement in force, as one OpenVEX document; `None`: what the image brings counts.
    pub statements: Option<Value>,
    /// What is known of the build: `{base_image, source, mode}`; `None`: what the image brings counts.
    pub provenance: Option<Value>,
    /// The moment of judging, in nanoseconds of the Unix era.
    pub now: i64,
}

/// An attestation of the image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Referrer {
    /// What it is about: `https://slsa.dev/provenance/v1`.
    pub predicate_type: String,
    /// The manifest that carries it, as `repository@sha256:…`.
    pub image: Option<String>,
    /// The in-toto statement.
    pub statement: Value,
    /// The DSSE envelope around it, where there is one.
    pub envelope: Option<Value>,
}

/// What only the world knows. `Err` says why it cannot be told, and makes the policy that asked
/// unknown; the same question is asked once in a judging, from the caller's thread.
pub trait Outside {
    /// The digest that a reference has now; `None`: the registry has no such image.
    fn image_digest(&self, reference: &str) -> Result<Option<String>, String>;

    /// The index that an image is in; `None`: it is in none.
    fn index(&self, reference: &str, digest: &str) -> Result<Option<Value>, String>;

    /// The index of what refers to an image; `None`: there is none.
    fn referrer_index(&self, reference: &str, digest: &str) -> Result<Option<Value>, String>;

    /// What refers to an image under a digest; `None`: there is none.
    fn referrer_by_digest(&self, reference: &str, digest: &str) -> Result<Option<Value>, String>;

    /// Is an envelope signed as `options` want it? An object, with `error` if it is not.
    fn verify_dsse(&self, envelope: &Value, options: &Value) -> Result<Value, String>;

    /// Is an image signed as `options` want it? An object, with `error` if it is not.
    fn verify_image(&self, reference: &str, options: &Value) -> Result<Value, String>;

    /// Is a commit signed? The arguments as the policy gives them; an object, with `error` if it is not.
    fn verify_commit(&self, arguments: &[Value]) -> Result<Value, String>;

    /// The images this one may be built on, best first, each `{name, tag?, digest?, distro?, found}`;
    /// an empty list: on nothing; `None`: nobody can tell.
    fn base_image(&self) -> Result<Option<Value>, String>;

    /// Which of these versions of a package is the newest, in the order of its ecosystem.
    fn newest(&self, purl: &str, versions: &[String]) -> Result<String, String>;
}

/// A world that knows nothing: whoever asks it cannot tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

const ALONE: &str = "nothing outside of the image is asked here";

impl Outside for Alone {
    fn image_digest(&self, _: &str) -> Result<Option<String>, String> {
        Err(ALONE.to_owned())
    }

    fn index(&self, _: &str, _: &str) -> Result<Option<Value>, String> {
        Err(ALONE.to_owned())
    }

    fn referrer_index(&self, _: &str, _: &str) -> Result<Option<Value>, String> {
        Err(ALONE.to_owned())
    }

    fn referrer_by_digest(&self, _: &str, _: &str) -> Result<Option<Value>, String> {
        Err(ALONE.to_owned())
    }

    fn verify_dsse(&self, _: &Value, _: &Value) -> Result<Value, String> {
        Err(ALONE.to_owned())
    }

    fn verify_image(&self, _: &str, _: &Value) -> Result<Value, String> {
        Err(ALONE.to_owned())
    }

    fn verify_commit(&self, _: &[Value]) -> Result<Value, String> {
        Err(ALONE.to_owned())
    }

    fn base_image(&self) -> Result<Option<Value>, String> {
        Ok(None)
    }

    fn newest(&self, _: &str, _: &[String]) -> Result<String, String> {
        Err(ALONE.to_owned())
    }
}

/// How much one policy may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest that it may reckon; what it waits for outside is not counted.
    pub time: Duration,
    /// The most bytes that its functions may make.
    pub made: usize,
    /// The most bytes that what it says may have.
    pub said: usize,
    /// The most violations that are told; the others are counted.
    pub violations: usize,
    /// The most lines that it may print.
    pub prints: usize,
    /// The most questions that it may ask the world.
    pub questions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(5),
            made: 64 << 20,
            said: 16 << 20,
            violations: 10_000,
            prints: 1_000,
            questions: 100,
        }
    }
}

/// What one policy says about one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The policy's id.
    pub id: String,
    /// What a report calls it: `Policy::label`.
    pub title: String,
    /// What its violations are.
    pub kind: ResultKind,
    /// Its points.
    pub weight: u32,
    /// The columns of its violations, in order.
    pub details_order: Vec<String>,
    /// Met, not met, or why nobody can tell.
    pub outcome: Outcome,
    /// Whether there is anything in it that the policy could be about. If not, it is unknown, and leaves
    /// the score.
    pub applies: bool,
    /// In the order of their values; at most `Limits::violations`.
    pub violations: Vec<Violation>,
    /// How many there are in all.
    pub count: usize,
    /// What it printed, each line `ID#LINE: TEXT`; only when a configuration says `debug`.
    pub prints: Vec<String>,
    /// Every rule's value, for the result file.
    pub bindings: Bindings,
    /// How long it took, without waiting for the world.
    pub took: Duration,
}

/// The values of a policy's rules. They are JSON for whoever wants them: most want none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bindings(pub(crate) Option<regorus::Value>);

impl Bindings {
    /// As JSON; null where there are none, or too many to be told.
    pub fn json(&self) -> Value {
        // Nested as they are, they want room.
        let json = |value| crate::room::with(|| crate::values::plain(value)).flatten();
        self.0.as_ref().and_then(json).unwrap_or_default()
    }
}

/// What came of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing stands against the image.
    Met,
    /// Something does.
    NotMet,
    /// Nobody can tell, and why.
    Unknown {
        /// In one line.
        why: String,
    },
}

impl Outcome {
    /// Unknown, because of `why`.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown { why: why.into() }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Met => f.write_str("met"),
            Self::NotMet => f.write_str("not met"),
            Self::Unknown { why } => write!(f, "unknown: {why}"),
        }
    }
}

/// One thing that stands against the image.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Violation {
    /// In a sentence.
    pub message: String,
    /// By column: an object.
    pub detail: Value,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remediation: Option<String>,
}

/// Why there is no set, configuration or bundle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}")]
pub struct Error {
    pub(crate) what: String,
    pub(crate) why: String,
    pub(crate) hint: Option<String>,
}

impl Error {
    pub(crate) fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into(), hint: None }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What one can do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}
