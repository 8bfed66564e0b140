//! Public keys that signatures are verified with, by the names that people give them.

use std::sync::Arc;

use attestation::Key;

use crate::failure::Failure;
use crate::{Context, docker};

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
        Some(("http" | "https", _)) => fetched(context, name)?,
        _ => image::attach::read_file(name.as_ref())?,
    };
    Key::read(&bytes).map_err(|why| {
        Failure::error(
            format!("key {name}: {why}"),
            "`cosign public-key` and `openssl pkey -pubout` write one",
        )
    })
}

/// The key at a URL. Whoever can change what is there decides what is verified.
fn fetched(context: &Context, url: &str) -> anyhow::Result<Vec<u8>> {
    let Context { environment, docker, .. } = context;
    let failed = |why: String| {
        Failure::error(format!("key {url}: {why}"), "fetch it yourself, and name the file")
    };
    if environment.offline()? {
        return Err(failed("nobody is asked while FORETOP_OFFLINE is set".to_owned()));
    }
    let settings = Arc::new(docker::settings(environment, docker, false)?);
    let address = url.split_once("://").map_or(url, |(_, rest)| rest);
    if url.starts_with("http://") && !crate::asking::near(address) {
        return Err(failed("without TLS anybody on the way may have changed it".to_owned()));
    }
    let client = image::reach(url, &settings)?;
    crate::runtime()?.block_on(async {
        let mut response = client.get(url).send().await.map_err(|why| failed(why.to_string()))?;
        if !response.status().is_success() {
            return Err(failed(format!("the answer is {}", response.status())));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|why| failed(why.to_string()))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > KEY {
                return Err(failed(format!("it is over {KEY} bytes")));
            }
        }
        Ok(bytes)
    })
}
