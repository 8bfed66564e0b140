//! An inventory: everything that was found in one subject.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Distro, Gap, ImageDescription, Package, Statement};

/// What is inside an image, a directory or a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// What was read.
    pub subject: Subject,
    /// What it is built on, where that could be told.
    #[serde(default, deserialize_with = "short")]
    pub distro: Option<Distro>,
    /// Sorted by purl, then by kind; each once.
    pub packages: Vec<Package>,
    /// What it says itself about flaws: VEX documents in its file system, and what is attached to it.
    pub statements: Vec<Statement>,
    /// Holes, sorted, each once.
    pub gaps: Vec<Gap>,
}

/// Whoever sends us one may have written it themselves.
fn short<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Distro>, D::Error> {
    let distro = Option::<Distro>::deserialize(deserializer)?;
    if distro.as_ref().is_some_and(|it| !it.is_short()) {
        let why = format!("a value in `distro` is longer than {} bytes", Distro::LONGEST);
        return Err(D::Error::custom(why));
    }
    Ok(distro)
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// An image, from wherever.
    Image(Box<ImageDescription>),
    /// A directory or a single file.
    Directory {
        /// As the user named it.
        path: String,
    },
    /// A document that says little about its own subject.
    Document {
        /// The name the document gives.
        name: String,
    },
}

impl Subject {
    /// What to call it in a report.
    pub fn name(&self) -> &str {
        match self {
            Self::Image(image) => &image.name,
            Self::Directory { path } => path,
            Self::Document { name } => name,
        }
    }

    /// The image, if it is one.
    pub fn image(&self) -> Option<&ImageDescription> {
        match self {
            Self::Image(image) => Some(image),
            _ => None,
        }
    }
}

impl Inventory {
    /// Puts packages and gaps in their one order and drops repetitions of gaps.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.packages.sort_by(|left, right| {
            (&left.purl, left.kind, &left.places).cmp(&(&right.purl, right.kind, &right.places))
        });
        self.gaps.sort();
        self.gaps.dedup();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_the_distribution_is_short() {
        let check = |length: usize, expect: &str| {
            let distro = Distro { cpe: Some("c".repeat(length)), ..Distro::default() };
            let subject = Subject::Document { name: "d".to_owned() };
            let distro = Some(distro);
            let inventory =
                Inventory { subject, distro, packages: vec![], statements: vec![], gaps: vec![] };
            let text = serde_json::to_string(&inventory).unwrap();
            let said = match serde_json::from_str::<Inventory>(&text) {
                Ok(read) => format!("the same: {}", read == inventory),
                Err(error) => error.to_string(),
            };
            assert!(said.starts_with(expect), "{said}");
        };
        check(256, "the same: true");
        check(257, "a value in `distro` is longer than 256 bytes");
    }
}
