//! A statement: what somebody says about a flaw in a product (VEX), an exception among them.

use serde::{Deserialize, Serialize};

/// One sentence of a VEX document, an ignore file or an exception.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Where it was read: a file, `/app/app.vex.json` in the image, an attestation.
    pub origin: String,
    /// The document's own id.
    pub document: Option<String>,
    /// Who says so.
    pub author: Option<String>,
    /// When, in RFC 3339: of several about the same, the latest counts.
    pub said: Option<String>,
    /// Which flaw, by all the names it gives; `*` alone: any.
    pub flaws: Vec<String>,
    /// About what. Empty: about whatever it travels with.
    pub products: Vec<Product>,
    /// What it says.
    pub status: StatementStatus,
    /// Why, in the words of its format: `vulnerable_code_not_in_execute_path`.
    pub justification: Option<String>,
    /// Why, in its author's words.
    pub note: Option<String>,
    /// The day from which on it no longer holds (RFC 3339 date or time).
    pub expires: Option<String>,
}

/// What a statement is about: an image, or a package; some part of it, or all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Names of the product, any of which will do: purls (of an image: `pkg:docker/…`, `pkg:oci/…`),
    /// references, digests, CPEs, the document's own. `*`: anything.
    pub names: Vec<String>,
    /// Parts of it that are meant, in the same kinds of names; empty: all of it.
    pub parts: Vec<Vec<String>>,
    /// Only these versions of it: a range such as `vers:npm/>=1.0|<2.0`.
    pub versions: Option<String>,
}

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatementStatus {
    /// It does not have the flaw.
    NotAffected,
    /// It does.
    Affected,
    /// It did.
    Fixed,
    /// Nobody knows yet.
    UnderInvestigation,
    /// It does, and whoever is responsible lives with it.
    Accepted,
}

impl StatementStatus {
    /// `not_affected`, `affected`, `fixed`, `under_investigation`, `accepted`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Affected => "affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under_investigation",
            Self::Accepted => "accepted",
        }
    }

    /// Does it take a finding out of the way?
    pub fn suppresses(self) -> bool {
        matches!(self, Self::NotAffected | Self::Fixed | Self::Accepted)
    }
}

impl Statement {
    /// About how many bytes of memory it takes.
    pub fn weight(&self) -> usize {
        let texts = [&self.document, &self.author, &self.said, &self.justification, &self.note];
        let texts = texts.into_iter().chain([&self.expires]).flatten().chain(&self.flaws);
        let names =
            self.products.iter().flat_map(|it| it.names.iter().chain(it.parts.iter().flatten()));
        let strings = texts.chain(names).map(|it| it.len() + 24).sum::<usize>();
        size_of::<Self>() + self.origin.len() + self.products.len() * size_of::<Product>() + strings
    }
}
