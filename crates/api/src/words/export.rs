//! All that runs in an environment, as a document.

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::grammar;

/// In which form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// `csv`, `json`, or `cyclonedx` (1.6, with VEX).
    #[param(inline, value_type = grammar::ExportForm)]
    pub format: String,
}
