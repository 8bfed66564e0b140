//! An exception: what a team decided about a flaw of what it runs, and for how long.

use serde::{Deserialize, Serialize};

use crate::{Product, Statement, StatementStatus};

/// That a flaw is out of the way, as a team says: because it lives with it, or because there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// What it is called.
    pub name: String,
    /// Which flaws, by any of their names.
    pub flaws: Vec<String>,
    /// What was decided.
    pub kind: ExceptionKind,
    /// Why there is no such flaw, in the words of OpenVEX: `vulnerable_code_not_present`.
    pub justification: Option<String>,
    /// Why, in its author's words.
    pub note: Option<String>,
    /// Repositories, tags and digests; empty: any image.
    pub images: Vec<String>,
    /// Environments by their names; empty: anywhere, and also where nothing is known to run.
    pub environments: Vec<String>,
    /// Packages by their purls; empty: any of them.
    pub packages: Vec<String>,
    /// From when on it does not hold any more, in RFC 3339.
    pub expires: Option<String>,
    /// Who decided.
    pub author: String,
    /// When, in RFC 3339.
    pub said: String,
}

/// What was decided about a flaw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExceptionKind {
    /// It is there, and the team lives with it.
    AcceptedRisk,
    /// It is not there.
    FalsePositive,
}

impl ExceptionKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::AcceptedRisk, Self::FalsePositive];

    /// `accepted-risk`, `false-positive`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AcceptedRisk => "accepted-risk",
            Self::FalsePositive => "false-positive",
        }
    }

    /// The one of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

impl Exception {
    /// Why a flaw can be no flaw of a product, in the words of OpenVEX.
    pub const JUSTIFICATIONS: [&'static str; 5] = [
        "component_not_present",
        "vulnerable_code_not_present",
        "vulnerable_code_not_in_execute_path",
        "vulnerable_code_cannot_be_controlled_by_adversary",
        "inline_mitigations_already_exist",
    ];

    /// Does it hold for what runs there? Where nobody says where, only what holds anywhere does.
    pub fn holds_in(&self, environment: Option<&str>) -> bool {
        self.environments.is_empty()
            || environment.is_some_and(|it| self.environments.iter().any(|name| name == it))
    }

    /// What it says, as all who say something about flaws say it.
    pub fn statement(&self) -> Statement {
        let images =
            if self.images.is_empty() { vec!["*".to_owned()] } else { self.images.clone() };
        let parts = match &*self.packages {
            [] => Vec::new(),
            all => vec![all.to_vec()],
        };
        Statement {
            origin: format!("exception {}", self.name),
            document: None,
            author: Some(self.author.clone()),
            said: Some(self.said.clone()),
            flaws: self.flaws.clone(),
            products: vec![Product { names: images, parts, versions: None }],
            status: match self.kind {
                ExceptionKind::AcceptedRisk => StatementStatus::Accepted,
                ExceptionKind::FalsePositive => StatementStatus::NotAffected,
            },
            justification: self.justification.clone(),
            note: self.note.clone(),
            expires: self.expires.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exception(images: &[&str], environments: &[&str], packages: &[&str]) -> Exception {
        let owned = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect();
        Exception {
            name: "first".to_owned(),
            flaws: vec!["CVE-2026-1".to_owned()],
            kind: ExceptionKind::AcceptedRisk,
            justification: None,
            note: Some("behind a proxy".to_owned()),
            images: owned(images),
            environments: owned(environments),
            packages: owned(packages),
            expires: None,
            author: "ann".to_owned(),
            said: "2026-11-22T10:00:00Z".to_owned(),
        }
    }

    #[test]
    fn what_is_of_an_environment_holds_nowhere_else() {
        let there = exception(&[], &["production"], &[]);
        assert!(there.holds_in(Some("production")));
        assert!(!there.holds_in(Some("staging")) && !there.holds_in(None));
        let anywhere = exception(&[], &[], &[]);
        assert!(anywhere.holds_in(Some("staging")) && anywhere.holds_in(None));
    }

    #[test]
    fn it_says_what_it_is_about() {
        let product = |it: Exception| it.statement().products.remove(0);
        let any = product(exception(&[], &[], &[]));
        assert_eq!((any.names, any.parts), (vec!["*".to_owned()], vec![]));
        let some = product(exception(&["acme/web"], &[], &["pkg:deb/debian/curl"]));
        assert_eq!(some.names, ["acme/web"]);
        assert_eq!(some.parts, [["pkg:deb/debian/curl"]]);
        for kind in ExceptionKind::ALL {
            let statement = Exception { kind, ..exception(&[], &[], &[]) }.statement();
            assert!(statement.status.suppresses());
            assert_eq!(ExceptionKind::parse(kind.as_str()), Some(kind));
        }
    }
}
