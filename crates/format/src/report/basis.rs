//! basis: which advisories an answer rests on, and what is wrong with them; as lines and as JSON.

use model::Basis;
use serde::Serialize;

use super::Options;
use crate::page;
use crate::paint::{Sign, Text};
use crate::words;

/// In a line, and one for each thing that is wrong.
pub fn write_basis(basis: &Basis, options: &Options) -> String {
    let mut text = Text::new(options, 256);
    lines(&mut text, basis);
    text.out
}

/// The same for scripts, to be put into an object.
pub fn basis_for_json(basis: &Basis) -> impl Serialize {
    BasisJson::of(basis)
}

/// The same, below a report.
pub(crate) fn rests_on(text: &mut Text<'_>, basis: &Basis) {
    if !text.out.ends_with("\n\n") {
        text.push("\n");
    }
    lines(text, basis);
}

pub(crate) fn lines(text: &mut Text<'_>, basis: &Basis) {
    let (says, worrying) = page::basis(basis);
    if worrying {
        text.sign(Sign::Warning);
    } else {
        text.push("i");
    }
    text.push(" ");
    text.wrapped(&says, "  ");
    for warning in &basis.warnings {
        text.sign(Sign::Warning);
        text.push(" ");
        text.wrapped(warning, "  ");
    }
    if let Some(it) = &basis.in_use {
        let (says, worrying) = words::in_use(it);
        if worrying {
            text.sign(Sign::Warning);
        } else {
            text.push("i");
        }
        text.push(" ");
        text.wrapped(&says, "  ");
    }
}

#[derive(Serialize)]
pub(crate) struct BasisJson<'a> {
    almanac: &'a str,
    current: Option<&'a str>,
    starter: bool,
    warnings: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    untold: &'a [model::Threat],
    says: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_use: Option<&'a model::InUse>,
}

impl<'a> BasisJson<'a> {
    pub(crate) fn of(basis: &'a Basis) -> Self {
        Self {
            almanac: &basis.almanac,
            current: basis.current.as_deref(),
            starter: basis.starter,
            warnings: &basis.warnings,
            untold: &basis.untold,
            says: page::basis(basis).0,
            in_use: basis.in_use.as_ref(),
        }
    }
}
