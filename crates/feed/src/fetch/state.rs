//! What is remembered between two fetches: `fetched.json`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Error;

const FILE: &str = "fetched.json";
/// Larger than any that we write.
const LARGEST: u64 = 16 << 20;

/// Which edition of each file there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct State {
    /// By file name.
    pub(super) files: BTreeMap<String, Edition>,
    /// Of downloads that broke off, by file name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) begun: BTreeMap<String, Edition>,
}

/// An edition of a file, as the server names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Edition {
    pub(super) url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_modified: Option<String>,
    pub(super) size: u64,
    /// What somebody else said that its bytes are called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) checksum: Option<String>,
}

impl Edition {
    /// What shows that the rest of it is of the same edition. A weak tag shows no such thing.
    pub(super) fn validator(&self) -> Option<&str> {
        let strong = self.etag.as_deref().filter(|it| !it.starts_with("W/"));
        strong.or(self.last_modified.as_deref().filter(|_| self.etag.is_none()))
    }

    pub(super) fn dated(&self) -> Option<jiff::Timestamp> {
        let date = self.last_modified.as_deref()?;
        Some(jiff::fmt::rfc2822::parse(date).ok()?.timestamp())
    }
}

impl State {
    /// What was remembered; nothing, if that cannot be read: then everything is fetched anew.
    pub(super) fn read(folder: &Path) -> Self {
        let path = folder.join(FILE);
        let fits = fs_err::metadata(&path).is_ok_and(|it| it.len() <= LARGEST);
        let bytes = if fits { fs_err::read(&path).unwrap_or_default() } else { Vec::new() };
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    pub(super) fn write(&self, what: &str, folder: &Path) -> Result<(), Error> {
        let partial = folder.join("fetched.json.partial");
        let json = serde_json::to_vec_pretty(self).unwrap_or_default();
        fs_err::write(&partial, json)
            .and_then(|()| fs_err::rename(&partial, folder.join(FILE)))
            .map_err(|why| Error::disk(what, &why))
    }
}
