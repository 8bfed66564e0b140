//! Spaces of which an almanac has a part only.

use std::collections::BTreeSet;

use almanac::Manifest;
use model::Space;

/// A space about which there are fewer advisories than whoever carries it whole has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Which one.
    pub space: Space,
    /// So many there are.
    pub advisories: u64,
    /// So many there would be, or more.
    pub least: u64,
}

/// All of them.
pub fn pieces(manifest: &Manifest) -> Vec<Piece> {
    let spaces: BTreeSet<&Space> =
        manifest.sheets.iter().filter(|it| it.rows > 0).map(|it| &it.space).collect();
    let piece = |space: &Space| {
        let (advisories, least) = (manifest.advisories(space), matching::least(space)?);
        (advisories < least).then(|| Piece { space: space.clone(), advisories, least })
    };
    spaces.into_iter().filter_map(piece).collect()
}
