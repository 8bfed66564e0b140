//! Why there is a finding in an image, and why there is none.

use std::collections::BTreeMap;

use model::{Basis, Gap, Step, Verdict};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::grammar;

/// What is to be explained.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExplanationQuery {
    /// A flaw by any of its names, or a package of the image by its name or purl.
    #[param(min_length = 1, max_length = 1000, pattern = r"\S")]
    pub about: String,
    /// With the exceptions that hold in this environment.
    #[param(inline, value_type = Option<grammar::Name>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Tell every judgement one by one, also those that are neither a finding nor a gap.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub details: bool,
}

/// What was decided, and why.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// The packages that go by what was asked for, as purls; none where it is the name of a flaw.
    pub packages: Vec<String>,
    /// Findings and gaps first. The first 1000.
    pub judgements: Vec<Judged>,
    /// Judgements that are not told one by one: how many there are of each verdict.
    pub folded: BTreeMap<String, u64>,
    /// Where nothing was judged: what else the flaw is about, `openssl (debian:12)`. The first 5.
    pub others: Vec<String>,
    /// How many others there are.
    pub others_total: u64,
    /// What could not be read in the image, and may have it too.
    #[schema(value_type = Vec<Object>)]
    pub gaps: Vec<Gap>,
    /// What the answer rests on.
    #[schema(value_type = Object)]
    pub basis: Basis,
}

/// What was decided about one package and one flaw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Judged {
    /// The name that the flaw goes by; none: it is about the package as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaw: Option<String>,
    /// Its other names.
    pub aliases: Vec<String>,
    /// The package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purl: Option<String>,
    /// What was decided.
    #[schema(value_type = String)]
    pub verdict: Verdict,
    /// The same in words.
    pub says: String,
    /// Why, in order: where the package is, what it is called, what the advisory says, how versions
    /// compare, what was stated.
    #[schema(value_type = Vec<Object>)]
    pub chain: Vec<Step>,
}
