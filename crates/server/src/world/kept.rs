//! Almanacs that things were last judged by, kept until they are judged by the next: each in a
//! directory of its own, under its digest, as it would be installed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use almanac::{Almanac, Error};
use model::Digest;

/// What a directory is called before it is whole, and while it goes.
const PASSING: &str = ".passing-";

/// Keeps almanacs. Clones keep the same ones.
#[derive(Clone, Default)]
pub(crate) struct Kept(Option<Arc<PathBuf>>);

impl Kept {
    /// In that directory, which nobody else writes to.
    pub(super) fn new(directory: PathBuf) -> Self {
        Self(Some(Arc::new(directory)))
    }

    /// Keeps that one. Cheap, where it is kept already.
    pub(crate) fn keep(&self, almanac: &Almanac) -> Result<(), String> {
        let Some(root) = &self.0 else { return Ok(()) };
        let place = root.join(almanac.digest().hex());
        if place.join(almanac::MANIFEST).is_file() {
            return Ok(());
        }
        let passing = passing(root);
        let copied = almanac.copy_to(&passing).map_err(|error| error.to_string());
        let copied = copied.and_then(|()| put(&passing, &place).map_err(|error| error.to_string()));
        if copied.is_err() {
            let _ = fs_err::remove_dir_all(&passing);
        }
        copied.map_err(|why| format!("the almanac cannot be kept: {why}"))
    }

    /// The almanac of that digest; none if it is not kept, or not whole.
    pub(crate) fn open(&self, digest: &str) -> Option<Almanac> {
        let digest: Digest = digest.parse().ok()?;
        let place = self.0.as_ref()?.join(digest.hex());
        let almanac = match Almanac::open(&place) {
            Ok(almanac) => almanac,
            Err(Error::Absent(_)) => return None,
            Err(error) => {
                tracing::warn!(%error, "a former almanac cannot be read");
                return None;
            }
        };
        let missing = almanac::missing(&place, almanac.manifest()).len();
        if *almanac.digest() != digest || missing > 0 {
            tracing::warn!(almanac = %digest, missing, "a former almanac is damaged");
            return None;
        }
        Some(almanac)
    }

    /// Removes all but those of these digests, and what an earlier attempt left behind.
    pub(crate) fn forget(&self, needed: &BTreeSet<String>) {
        let Some(root) = &self.0 else { return };
        let needed: BTreeSet<&str> = needed
            .iter()
            .map(|it| it.rsplit_once(':').map_or(it.as_str(), |(_, hex)| hex))
            .collect();
        for entry in fs_err::read_dir(root.as_path()).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(PASSING) {
                // What is this young may be somebody's who is at it.
                let age = entry.metadata().and_then(|it| it.modified()).map(|it| it.elapsed());
                if age.is_ok_and(|it| it.is_ok_and(|it| it.as_secs() > 3600)) {
                    let _ = fs_err::remove_dir_all(entry.path());
                }
            } else if !needed.contains(&*name) && is_hex(&name) {
                // First out of sight, so that nobody opens a half of it.
                let gone = passing(root);
                if fs_err::rename(entry.path(), &gone).is_ok() {
                    let _ = fs_err::remove_dir_all(&gone);
                }
            }
        }
    }
}

/// Gives a directory its name. Where somebody was quicker, theirs is as good.
fn put(passing: &Path, place: &Path) -> std::io::Result<()> {
    match fs_err::rename(passing, place) {
        Ok(()) => {
            for dir in [Some(place.join("sheets")), place.parent().map(Path::to_owned)] {
                // Where directories cannot be synced, it may be lost with the power, but never half.
                let _ = dir.map(|it| fs_err::File::open(it).and_then(|it| it.sync_all()));
            }
            Ok(())
        }
        Err(_) if place.join(almanac::MANIFEST).is_file() => {
            let _ = fs_err::remove_dir_all(passing);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// A name that nobody has.
fn passing(root: &Path) -> PathBuf {
    root.join(format!("{PASSING}{}", uuid::Uuid::now_v7()))
}

fn is_hex(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|it| it.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn almanac(word: &str) -> Almanac {
        let mut builder = almanac::Builder::new("osv", "all");
        builder.add(model::Advisory { id: format!("CVE-1-{word}"), ..Default::default() });
        Almanac::in_memory(builder.finish().unwrap().sheets)
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs_err::read_dir(folder).unwrap().flatten();
        let mut names: Vec<String> =
            entries.map(|it| it.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn keeps_what_is_needed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(folder.path().join("kept"));
        let (one, two) = (almanac("one"), almanac("two"));
        let digest = |it: &Almanac| it.digest().to_string();
        assert!(kept.open(&digest(&one)).is_none());
        for it in [&one, &two, &two] {
            kept.keep(it).unwrap();
            assert_eq!(kept.open(&digest(it)).unwrap().written(), it.written());
        }
        // From one on a disk, whose sheets are shared; it may go meanwhile.
        let other = Kept::new(folder.path().join("other"));
        let installed = folder.path().join("installed");
        one.copy_to(&installed).unwrap();
        other.keep(&Almanac::open(&installed).unwrap()).unwrap();
        fs_err::remove_dir_all(&installed).unwrap();
        let there = other.open(&digest(&one)).unwrap();
        assert!(there.verify(&[]).is_empty());

        kept.forget(&BTreeSet::from([digest(&two)]));
        assert_eq!(names(&folder.path().join("kept")), [two.digest().hex()]);
        assert!(kept.open("nonsense").is_none() && kept.open("sha256:../../x").is_none());
        let sheets = folder.path().join("kept").join(two.digest().hex()).join("sheets");
        fs_err::remove_dir_all(&sheets).unwrap();
        assert!(kept.open(&digest(&two)).is_none(), "a damaged one is none");
    }
}
