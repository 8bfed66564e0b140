//! What this binary is, and what it was made from.

use model::Platform;

/// `0.1.0`.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit, or `unknown`.
pub(crate) const COMMIT: &str = env!("FORETOP_COMMIT");
/// The compiler's version.
pub(crate) const RUST: &str = env!("FORETOP_RUST");

/// The machine this binary is for, in the words of container tools.
pub(crate) fn platform() -> Platform {
    Platform::new(std::env::consts::OS, std::env::consts::ARCH, None)
}
