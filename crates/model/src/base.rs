//! Base images: the chains of layers by which one image is found at the beginning of another.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Digest, LayerDescription, Platform};

/// Layers from the bottom that a chain may have: no engine stacks as many.
pub const LONGEST_CHAIN: usize = 1000;

/// The names of an image's beginnings, the shortest first: of its first layer, of its first two, and so on,
/// as far as the content of its layers is known.
/// <https://github.com/opencontainers/image-spec/blob/main/config.md#layer-chainid>
pub fn chains(layers: &[LayerDescription]) -> Vec<Digest> {
    chains_of(layers.iter().map_while(|it| it.diff_id.as_ref()))
}

/// The same of layers by what they are called by their content.
pub fn chains_of<'a>(diff_ids: impl IntoIterator<Item = &'a Digest>) -> Vec<Digest> {
    let mut chains: Vec<Digest> = Vec::new();
    for diff_id in diff_ids.into_iter().take(LONGEST_CHAIN) {
        chains.push(match chains.last() {
            None => diff_id.clone(),
            Some(below) => {
                let sum = Sha256::digest(format!("{below} {diff_id}"));
                Digest::from_sha256(&sum.into())
            }
        });
    }
    chains
}

/// The name of a whole image, as a base of others. `None`: not all of its layers are known, or they are
/// more than are looked at, or nothing is in them.
pub fn whole_chain(layers: &[LayerDescription]) -> Option<Digest> {
    let says_something =
        layers.iter().any(|it| it.diff_id.as_ref().is_some_and(|it| !is_empty(it)));
    let chains = chains(layers);
    (says_something && chains.len() == layers.len()).then(|| chains.into_iter().next_back())?
}

/// Is it the layer without entries? Old builders put it where nothing was written, so it is in images that
/// have nothing else in common.
pub fn is_empty(diff_id: &Digest) -> bool {
    diff_id.as_str() == "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
}

/// An image that others may stand on, found by its layers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownBase {
    /// What it is called, as references are written in full: `docker.io/library/debian:12`. Several where
    /// several tags lead to it; none where nobody said.
    pub names: Vec<String>,
    /// Digest of its manifest.
    pub digest: Option<Digest>,
    /// Digest of its configuration.
    pub config: Option<Digest>,
    /// What it is made for.
    pub platform: Platform,
    /// How many layers it has.
    pub layers: u32,
    /// Somebody taught that it is a base.
    pub taught: bool,
    /// Where its names lead by now, of those that are known to lead to another image for the same platform.
    pub moved: BTreeMap<String, Digest>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(letter: char) -> LayerDescription {
        let diff_id = format!("sha256:{}", letter.to_string().repeat(64)).parse().ok();
        LayerDescription { diff_id, ..LayerDescription::default() }
    }

    #[test]
    fn chains_are_those_of_the_specification() {
        let chains = chains(&[layer('a'), layer('b'), layer('c')]);
        let shown: Vec<&str> = chains.iter().map(Digest::short).collect();
        // echo -n "sha256:aaa… sha256:bbb…" | sha256sum, and so on.
        let expect = |text: String| Digest::from_sha256(&Sha256::digest(text).into());
        let (a, b, c) = ("a".repeat(64), "b".repeat(64), "c".repeat(64));
        let second = expect(format!("sha256:{a} sha256:{b}"));
        let third = expect(format!("{second} sha256:{c}"));
        assert_eq!(shown, ["aaaaaaaaaaaa", second.short(), third.short()]);
        assert_eq!(whole_chain(&[layer('a'), layer('b'), layer('c')]), Some(third));
    }

    #[test]
    fn what_is_not_known_has_no_chain() {
        assert_eq!(whole_chain(&[]), None);
        assert_eq!(whole_chain(&[layer('a'), LayerDescription::default()]), None);
        assert_eq!(chains(&[layer('a'), LayerDescription::default(), layer('c')]).len(), 1);
        let empty = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
        assert_eq!(Digest::from_sha256(&Sha256::digest([0; 1024]).into()).as_str(), empty);
        let empty = LayerDescription { diff_id: empty.parse().ok(), ..LayerDescription::default() };
        assert_eq!(whole_chain(std::slice::from_ref(&empty)), None);
        assert!(whole_chain(&[empty, layer('a')]).is_some());
        // However many there are, there is an end.
        let many = vec![layer('a'); 10_000];
        assert_eq!((chains(&many).len(), whole_chain(&many)), (LONGEST_CHAIN, None));
    }
}
