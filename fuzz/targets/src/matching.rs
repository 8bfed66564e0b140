//! A small world of packages, rows and statements: it is matched, and explained in the same way.

/// Runs it once.
pub fn run(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else { return };
    crate::world::agree(&crate::world::world(input));
}
