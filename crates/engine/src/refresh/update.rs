//! Documents are fetched from where they are published: several feeds at a time, each failing by itself.

use std::path::{Path, PathBuf};

use feed::fetch::{Client, Error, Fetched, Progress, Settings, fetch};
use feed::{Feed, Part};
use futures_util::{StreamExt as _, stream};

/// Parts that are fetched at the same time.
const AT_ONCE: usize = 4;

/// What came of one part.
pub struct PartFetched {
    /// The feed's id.
    pub feed: &'static str,
    /// The part's name.
    pub part: String,
    /// What came of it; whatever went wrong, its former documents are whole.
    pub outcome: Result<Fetched, Error>,
}

/// Where the documents of a part are kept below `sources`.
pub fn source_folder(sources: &Path, feed: &str, part: &str) -> PathBuf {
    let parts = part.split('/').filter(|it| !matches!(*it, "" | "." | ".."));
    sources.join(feed).join(parts.collect::<PathBuf>())
}

/// Brings the documents of those parts in `sources` up to date, and says what came of each, in the
/// same order. Only settings that make no sense fail as a whole. Afterwards `refresh` compiles them.
pub async fn fetch_all(
    which: &[(&'static dyn Feed, Part)],
    sources: &Path,
    settings: Settings,
    progress: &dyn Progress,
) -> Result<Vec<PartFetched>, Error> {
    let client = &Client::new(settings)?;
    let fetched = stream::iter(which).map(|(feed, part)| async move {
        let folder = source_folder(sources, feed.id(), &part.name);
        let outcome = fetch(*feed, part, &folder, client, progress).await;
        PartFetched { feed: feed.id(), part: part.name.clone(), outcome }
    });
    Ok(fetched.buffered(AT_ONCE).collect().await)
}
