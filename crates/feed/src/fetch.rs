//! Fetching: a part's published documents into a folder, and only what changed since the last time.

mod archive;
mod client;
mod error;
mod get;
mod list;
mod osv;
mod repository;
mod state;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::contract::{Feed, Part};

pub use client::Client;
pub use error::{Error, ErrorKind};

use get::Getter;

/// How publishers are reached. Filled by the front; nothing here reads the environment, except that
/// the HTTP client finds its proxies there.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `https://host/path` is read from `MIRROR/host/path`. The mirror itself may be plain HTTP.
    pub mirror: Option<String>,
    /// PEM files with further certificate authorities.
    pub certificate_authorities: Vec<PathBuf>,
    /// No bytes for this long is a stall.
    pub stall: Duration,
    /// How often a request or a broken download is tried again.
    pub retries: u32,
    /// Nothing is fetched at all.
    pub offline: bool,
    /// Bytes of one file.
    pub largest: u64,
    /// `foretop/0.1.0`.
    pub user_agent: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mirror: None,
            certificate_authorities: Vec::new(),
            stall: Duration::from_mins(1),
            retries: 5,
            offline: false,
            // Red Hat's archive, the largest, has half a gigabyte.
            largest: 8 << 30,
            user_agent: concat!("foretop/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Who watches the bytes go by.
pub trait Progress: Send + Sync {
    /// So many more bytes are expected.
    fn expect(&self, bytes: u64);
    /// So many more have come.
    fn advance(&self, bytes: u64);
    /// A line for people: what is not as usual.
    fn tell(&self, line: &str);
}

/// Nobody watches.
pub struct Silent;

impl Progress for Silent {
    fn expect(&self, _: u64) {}
    fn advance(&self, _: u64) {}
    fn tell(&self, _: &str) {}
}

/// How a feed's parts are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Each address is a file.
    Files,
    /// The address is a zip of records; `modified_id.csv` beside it says when each changed, and each
    /// is there by itself as well.
    OsvDelta,
    /// The address is a folder: `archive_latest.txt` names an archive, `changes.csv` and
    /// `deletions.csv` tell what happened since.
    CsafArchive,
    /// The address is a list of mirrors of an rpm repository, whose `updateinfo` is wanted.
    Repository,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// Nothing is new.
    Unchanged,
    /// The folder holds something new.
    Changed {
        /// Files that came.
        files: usize,
        /// Bytes that came.
        bytes: u64,
    },
}

/// Brings `folder` up to date with what is published of a part. Whatever goes wrong, what was there
/// before stays whole; what has come of a broken download is gone on with the next time.
///
/// One process at a time may do this in a folder.
pub async fn fetch(
    feed: &dyn Feed,
    part: &Part,
    folder: &Path,
    client: &Client,
    progress: &dyn Progress,
) -> Result<Fetched, Error> {
    let what = format!("{} {}", feed.id(), part.name);
    if client.settings.offline {
        return Err(Error::new(ErrorKind::Offline, what, "nothing may be fetched: we are offline")
            .with_hint("build the almanac from a folder, or allow the network"));
    }
    if part.urls.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, what, "it is not published as a download")
            .with_hint("build the almanac from a folder that holds it"));
    }
    fs_err::create_dir_all(folder).map_err(|why| Error::disk(&what, &why))?;
    let mut getter = Getter::new(what, folder, client, progress);
    match feed.plan() {
        Plan::Files => files(&mut getter, part).await?,
        Plan::OsvDelta => osv::fetch(&mut getter, part).await?,
        Plan::CsafArchive => archive::fetch(&mut getter, part).await?,
        Plan::Repository => repository::fetch(&mut getter, part).await?,
    }
    getter.save()?;
    Ok(match getter.came {
        (0, _) => Fetched::Unchanged,
        (files, bytes) => Fetched::Changed { files, bytes },
    })
}

async fn files(getter: &mut Getter<'_>, part: &Part) -> Result<(), Error> {
    for (number, url) in part.urls.iter().enumerate() {
        let name = url.rsplit('/').next().filter(|it| is_name(it));
        // Two addresses may end alike.
        let name = match name {
            Some(name) if part.urls.len() == 1 => name.to_owned(),
            name => format!("{number}-{}", name.unwrap_or("document")),
        };
        getter.keep(url, &name).await?;
    }
    Ok(())
}

/// May a file be called like that? Names come from others.
fn is_name(name: &str) -> bool {
    let fits = |it: u8| it.is_ascii_alphanumeric() || b"._-+:".contains(&it);
    let own = name.starts_with(crate::walk::OWN) || name.starts_with('.');
    !own && !name.is_empty() && name.len() <= 150 && name.bytes().all(fits)
}
