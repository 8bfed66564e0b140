//! CSAF documents: an archive of all, and those that changed or went since it was made.
//!
//! <https://redhatproductsecurity.github.io/security-data-guidelines/csaf-vex/>

use std::path::PathBuf;

use jiff::{Timestamp, ToSpan as _};

use super::get::{Getter, Wanted};
use super::list::{self, List};
use super::state::Edition;
use super::{Error, ErrorKind, is_name};
use crate::contract::Part;
use crate::walk::NEWER;

const ARCHIVE: &str = "archive.tar.zst";
const LATEST: &str = "fetched.archive_latest.txt";
/// What the publisher lists, as far as it is here; and the editions that are being worked on.
const LISTS: [(&str, &str, &str); 2] = [
    ("changes.csv", "fetched.changes.csv", "fetched.next-changes.csv"),
    ("deletions.csv", "fetched.deletions.csv", "fetched.next-deletions.csv"),
];
/// When so many documents lie beside the archive, a younger one is fetched.
const MANY: usize = 3_000;
/// More cannot be had one by one.
const MOST: usize = 20_000;
/// Bytes of a document; some have a hundred megabytes.
const DOCUMENT: u64 = 1 << 30;

pub(super) async fn fetch(getter: &mut Getter<'_>, part: &Part) -> Result<(), Error> {
    let Some(base) = part.urls.first() else { return Ok(()) };
    let ours = getter.state.files.get(ARCHIVE).cloned();
    let ours = ours.and_then(|it| getter.edition(ARCHIVE, &it.url));
    let mut editions = Vec::new();
    for (name, kept, next) in LISTS {
        editions
            .push(list_edition(getter, &format!("{base}{name}"), kept, next, ours.as_ref()).await?);
    }
    if editions.iter().all(Option::is_none) && ours.is_some() {
        return Ok(());
    }
    let known = known(getter)?.filter(|_| ours.is_some());
    let mut lists = Vec::new();
    for ((_, kept, next), edition) in LISTS.iter().zip(&editions) {
        let name = if edition.is_some() { next } else { kept };
        lists.push(list::read(&getter.text(name)?, 0, 1));
    }
    let [changes, deletions] = <[List; 2]>::try_from(lists).unwrap_or_default();
    let news = |known: &[List; 2]| {
        let [then, gone] = known;
        (list::changed(then, &changes), list::changed(gone, &deletions))
    };
    let beside = fs_err::read_dir(getter.folder.join(NEWER)).map_or(0, Iterator::count);
    let few = known
        .as_ref()
        .map(news)
        .filter(|(changed, _)| beside.saturating_add(changed.len()) <= MANY);
    let (changed, gone) = if let Some(few) = few {
        few
    } else {
        // Should this end in the middle, it begins anew: nothing is known until it is done.
        for ((_, kept, next), edition) in LISTS.iter().zip(&mut editions) {
            match edition {
                None => {
                    *edition = getter.state.files.get(*kept).cloned();
                    rename(getter, kept, next)?;
                }
                Some(_) => getter.remove(&getter.folder.join(kept))?,
            }
        }
        let made = archive(getter, base).await?;
        (list::since(&changes, made), list::since(&deletions, made))
    };
    if changed.len() > MOST {
        let why = format!("{} documents changed since its archive was made", changed.len());
        return Err(getter.error(ErrorKind::Limit, why));
    }
    documents(getter, base, &changed).await?;
    for path in gone.iter().filter(|it| deletions.get(*it) >= changes.get(*it)) {
        bury(getter, path)?;
    }
    for ((_, kept, next), edition) in LISTS.iter().zip(editions) {
        let Some(edition) = edition else { continue };
        rename(getter, next, kept)?;
        getter.state.files.insert((*kept).to_owned(), edition);
    }
    Ok(())
}

fn rename(getter: &Getter<'_>, from: &str, to: &str) -> Result<(), Error> {
    fs_err::rename(getter.folder.join(from), getter.folder.join(to))
        .map_err(|why| Error::disk(&getter.what, &why))
}

/// Gets a list; `None` when it is the one that is here.
async fn list_edition(
    getter: &Getter<'_>,
    url: &str,
    kept: &str,
    next: &str,
    archive: Option<&Edition>,
) -> Result<Option<Edition>, Error> {
    let known = getter.edition(kept, url).filter(|_| archive.is_some());
    let wanted = Wanted {
        other_than: known.as_ref(),
        largest: Some(list::LARGEST),
        may_be_empty: true,
        ..Wanted::default()
    };
    getter.get(url, &getter.folder.join(next), &wanted, &mut None).await
}

/// What was listed when we were here last.
fn known(getter: &Getter<'_>) -> Result<Option<[List; 2]>, Error> {
    let mut lists = Vec::new();
    for (_, kept, _) in LISTS {
        if !getter.folder.join(kept).is_file() {
            return Ok(None);
        }
        lists.push(list::read(&getter.text(kept)?, 0, 1));
    }
    Ok(<[List; 2]>::try_from(lists).ok())
}

/// Fetches the youngest archive; when it was made, or a while before.
async fn archive(getter: &mut Getter<'_>, base: &str) -> Result<Timestamp, Error> {
    let latest = format!("{base}archive_latest.txt");
    let target = getter.folder.join(LATEST);
    let wanted = Wanted { largest: Some(4096), ..Wanted::default() };
    getter.get(&latest, &target, &wanted, &mut None).await?;
    let name = getter.text(LATEST)?.trim().to_owned();
    if !is_name(&name) || !name.contains(".tar") {
        return Err(getter.error(ErrorKind::Corrupt, "archive_latest.txt names no archive"));
    }
    getter.keep(&format!("{base}{name}"), ARCHIVE).await?;
    getter.remove(&getter.folder.join(NEWER))?;
    let sent = getter.state.files.get(ARCHIVE).and_then(Edition::dated);
    let sent = sent.and_then(|it| it.checked_sub(24.hours()).ok());
    Ok(day(&name).or(sent).unwrap_or(Timestamp::MIN))
}

/// The beginning of the day in `csaf_vex_2025-02-14.tar.zst`.
fn day(name: &str) -> Option<Timestamp> {
    let date = name.split(['_', '.']).find_map(|it| it.parse::<jiff::civil::Date>().ok())?;
    Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

async fn documents(getter: &mut Getter<'_>, base: &str, paths: &[String]) -> Result<(), Error> {
    let mut names: Vec<(String, PathBuf)> = Vec::new();
    let mut odd = 0;
    for path in paths {
        match place(getter, path) {
            Some(target) => names.push((format!("{base}{path}"), target)),
            None => odd += 1,
        }
    }
    make_folder(getter)?;
    let missing = getter.each(names, DOCUMENT).await?;
    if odd + missing.len() > 0 {
        let what = &getter.what;
        let count = odd + missing.len();
        getter.progress.tell(&format!("{what}: {count} documents are listed, but not there"));
    }
    Ok(())
}

fn make_folder(getter: &Getter<'_>) -> Result<(), Error> {
    fs_err::create_dir_all(getter.folder.join(NEWER)).map_err(|why| Error::disk(&getter.what, &why))
}

/// Where the newer edition of `2025/cve-2025-1234.json` is kept.
fn place(getter: &Getter<'_>, path: &str) -> Option<PathBuf> {
    let (year, name) = path.split_once('/')?;
    let is_year = year.len() == 4 && year.bytes().all(|it| it.is_ascii_digit());
    let fits = is_year && is_name(name) && name.strip_suffix(".json").is_some();
    fits.then(|| getter.folder.join(NEWER).join(name))
}

/// Notes that a document was deleted: it stands in for the one in the archive, and says nothing.
fn bury(getter: &mut Getter<'_>, path: &str) -> Result<(), Error> {
    let Some(target) = place(getter, path) else { return Ok(()) };
    let name = target.file_stem().unwrap_or_default().to_string_lossy().to_ascii_uppercase();
    let document = serde_json::json!({"document": {
        "category": "csaf_vex",
        "publisher": {"namespace": "https://www.redhat.com"},
        "tracking": {"id": name, "status": "deleted"},
    }});
    make_folder(getter)?;
    let partial = getter.folder.join("fetched.deleted.partial");
    fs_err::write(&partial, document.to_string())
        .and_then(|()| fs_err::rename(&partial, &target))
        .map_err(|why| Error::disk(&getter.what, &why))?;
    getter.count(0);
    Ok(())
}
