//! OSV: a zip of every record, and single records once there is a zip.
//!
//! <https://google.github.io/osv.dev/data/>

use std::path::PathBuf;

use jiff::ToSpan as _;

use super::get::{Getter, Wanted};
use super::list::{self, List};
use super::{Error, ErrorKind, is_name};
use crate::contract::Part;
use crate::walk::NEWER;

const ALL: &str = "all.zip";
/// When each record changed that is here, as the publisher said.
const KNOWN: &str = "fetched.modified_id.csv";
const NEXT: &str = "fetched.next.csv";
/// More records than this are cheaper in the zip.
const MANY: usize = 500;
/// Records that lie beside a zip.
const MOST: usize = 2_000;
/// Bytes of a record.
const RECORD: u64 = 64 << 20;

pub(super) async fn fetch(getter: &mut Getter<'_>, part: &Part) -> Result<(), Error> {
    let Some(url) = part.urls.first() else { return Ok(()) };
    let base = url.strip_suffix(ALL).unwrap_or(url);
    let ids = format!("{base}modified_id.csv");
    let zip = getter.edition(ALL, url);
    let known = getter.edition(KNOWN, &ids).filter(|_| zip.is_some());
    let next = getter.folder.join(NEXT);
    let wanted =
        Wanted { other_than: known.as_ref(), largest: Some(list::LARGEST), ..Wanted::default() };
    let edition = match getter.get(&ids, &next, &wanted, &mut None).await {
        Ok(None) => return Ok(()),
        Ok(Some(edition)) => edition,
        // A mirror need not have it.
        Err(error) if error.kind == ErrorKind::NotFound => {
            if getter.keep(url, ALL).await? {
                getter.remove(&getter.folder.join(NEWER))?;
            }
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let list = list::read(&getter.text(NEXT)?, 1, 0);
    let few = match zip {
        Some(_) => few(getter, &list)?,
        None => None,
    };
    let done = match few {
        Some(few) => records(getter, base, &few).await?,
        None => false,
    };
    if !done && !whole(getter, url, base, &list, edition.dated()).await? {
        return getter.remove(&next);
    }
    fs_err::rename(&next, getter.folder.join(KNOWN))
        .map_err(|why| Error::disk(&getter.what, &why))?;
    getter.state.files.insert(KNOWN.to_owned(), edition);
    Ok(())
}

/// What changed, if that is so little that the zip can stay.
fn few(getter: &Getter<'_>, list: &List) -> Result<Option<Vec<String>>, Error> {
    if !getter.folder.join(KNOWN).is_file() {
        return Ok(None);
    }
    let known = list::read(&getter.text(KNOWN)?, 1, 0);
    // What is listed no more must go, and is in the zip still.
    if known.keys().any(|it| !list.contains_key(it)) {
        return Ok(None);
    }
    let changed = list::changed(&known, list);
    let there = fs_err::read_dir(getter.folder.join(NEWER)).map_or(0, Iterator::count);
    let few = changed.len() <= MANY && there.saturating_add(changed.len()) <= MOST;
    Ok(few.then_some(changed))
}

/// Fetches single records; false when that cannot be done.
async fn records(getter: &mut Getter<'_>, base: &str, ids: &[String]) -> Result<bool, Error> {
    let folder = getter.folder.join(NEWER);
    let name = |id: &String| {
        let name = format!("{}.json", id.rsplit('/').next().unwrap_or(id));
        is_name(&name).then(|| (format!("{base}{name}"), folder.join(name)))
    };
    let names: Option<Vec<(String, PathBuf)>> = ids.iter().map(name).collect();
    let Some(names) = names else { return Ok(false) };
    fs_err::create_dir_all(&folder).map_err(|why| Error::disk(&getter.what, &why))?;
    let missing = getter.each(names, RECORD).await?;
    Ok(missing.is_empty())
}

/// Fetches the zip; false when the list must not be relied on the next time.
async fn whole(
    getter: &mut Getter<'_>,
    url: &str,
    base: &str,
    list: &List,
    listed: Option<jiff::Timestamp>,
) -> Result<bool, Error> {
    // Should this end in the middle, it begins anew.
    getter.remove(&getter.folder.join(KNOWN))?;
    getter.keep(url, ALL).await?;
    getter.remove(&getter.folder.join(NEWER))?;
    // The zip may have been made before the list. A record's moment is its author's, and it may have
    // become known a while later.
    let zipped = getter.state.files.get(ALL).and_then(super::state::Edition::dated);
    let (Some(zipped), Some(_)) = (zipped, listed.filter(|it| zipped.is_some_and(|zip| *it > zip)))
    else {
        return Ok(true);
    };
    let since = zipped.checked_sub(24.hours()).unwrap_or(zipped);
    let doubtful = list::since(list, since);
    Ok(doubtful.len() <= MANY && records(getter, base, &doubtful).await?)
}
