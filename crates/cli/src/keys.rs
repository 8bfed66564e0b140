//! Public keys that signatures are verified with, by the names that people give them.

use attestation::Key;

use crate::failure::Failure;
use crate::{Context, fetched};

/// The most bytes that a key's file may have.
const KEY: u64 = 64 << 10;

/// Those that can be read here, for policies.
pub(crate) struct Here<'a>(pub(crate) &'a Context);

impl gate::Keys for Here<'_> {
    fn named(&self, name: &str) -> Result<Key, String> {
        named(self.0, name).map_err(|error| error.to_string())
    }
}

/// The key in a file, or at a URL.
pub(crate) fn named(context: &Context, name: &str) -> anyhow::Result<Key> {
    let bytes = match name.split_once("://") {
        // Whoever can change what is there decides what is verified.
        Some(("http" | "https", _)) => fetched::bytes(context, "key", name, KEY)?,
        _ => image::attach::read_file(name.as_ref())?,
    };
    Key::read(&bytes).map_err(|why| {
        Failure::error(
            format!("key {name}: {why}"),
            "`cosign public-key` and `openssl pkey -pubout` write one",
        )
    })
}
