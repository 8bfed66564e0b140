//! Layers to inventory: one pass over a layer, then stack them.

mod claims;
mod os_release;
mod read;
mod stack;
#[cfg(test)]
mod toy;

pub use claims::Claims;
pub use read::{ReadLimits, ReadOptions, read_layer, read_tar};
pub use stack::{Missing, Stacked, stack};

/// Changes when the same layer would yield something else: the key, with the layer's digest, under
/// which its inventory may be kept.
pub fn fingerprint() -> String {
    Claims::all().fingerprint()
}
