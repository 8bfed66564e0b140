//! What runtimes say that they run: taken, placed, and judged stale.

use model::{Act, OrganisationId};

use crate::app::App;
use crate::refusal::Refusal;
use crate::routes::Making;

/// Takes a runtime's word for all that it runs, in each environment that it names: what it said before
/// and does not say now has ended, and images that nobody has read are to be read.
///
/// An integration says what it observed as an agent would: `agent` is the integration's id, `seen` the
/// time at which it asked. `making` says whether environments are made that there are none of.
pub(crate) async fn report(
    _app: &App,
    _organisation: &OrganisationId,
    _act: &Act,
    _runtime: &str,
    _making: Making,
    _snapshot: api::Snapshot,
) -> Result<api::Snapped, Refusal> {
    Err(api::Sort::Unavailable.because("runtimes are not kept yet").into())
}
