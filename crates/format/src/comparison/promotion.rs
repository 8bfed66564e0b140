//! What policies say of a promotion: those of where it goes judge what would run there, and what does.

use serde::Serialize;

use crate::policies::State;
use crate::words::many;

/// What policies say of all that would be another image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Promotion {
    /// Applications that would be another image.
    pub applications: usize,
    /// Those of which some policy would be worse off.
    pub worse: Vec<Worse>,
}

/// An application of which policies would be worse off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Worse {
    /// Its name.
    pub application: String,
    /// Which of them.
    pub policies: Vec<Setback>,
    /// Why nobody can tell what any of them says.
    pub unknown: Option<String>,
}

/// A policy that would be worse off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setback {
    /// Its stable name.
    pub id: String,
    /// What it says of the image that runs there; nothing, where none does.
    pub was: Option<State>,
    /// What it says of the image that would.
    pub is: State,
    /// Why nobody can tell.
    pub why: Option<String>,
}

impl Promotion {
    /// `1 of 3 applications would be worse`.
    pub fn says(&self) -> String {
        let all = many(self.applications, "application");
        format!("{} of {all} would be worse", self.worse.len())
    }
}

impl Worse {
    /// A sentence for each policy.
    pub(super) fn lines(&self, [from, to]: [&str; 2]) -> impl Iterator<Item = String> {
        let unknown = self.unknown.iter();
        let unknown = unknown.map(|why| format!("nobody can tell what policies say: {why}"));
        let of = move |it: &Setback| {
            let Setback { id, was, is, why } = it;
            let why = why.as_ref().map(|it| format!(": {it}")).unwrap_or_default();
            let is = word(*is);
            match was {
                None => format!("{id} is {is} by what would be new in {to}{why}"),
                Some(was) => {
                    let was = word(*was);
                    format!(
                        "{id} is {was} by what runs in {to}, and {is} by what runs in {from}{why}"
                    )
                }
            }
        };
        unknown.chain(self.policies.iter().map(of))
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Met => "met",
        State::NotMet => "not met",
        State::Unknown => "unknown",
    }
}
