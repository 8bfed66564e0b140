//! An almanac: its manifest, and the sheets that a question touches.

mod list;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use model::{Digest, Space};

use crate::compile::{SheetBytes, TEXTS, digest_of};
use crate::contract::{About, Book, Each, Handle, Known, Row, Text};
use crate::error::Error;
use crate::filter;
use crate::manifest::{Entry, Manifest};
use crate::sheet::texts::{self, Place, Wanted};
use crate::sheet::{Orders, Sheet, torn_row};
use crate::sign::{PublicKey, verify};
use crate::store::{self, Opened, Standing};

pub use list::Advice;

const SHEET_TORN: &str = "a sheet of the almanac about this space cannot be opened";

/// Advisories to look things up in. Sheets are opened when they are first asked.
#[derive(Debug)]
pub struct Almanac {
    manifest: Manifest,
    /// The manifest as it was written, which is what is signed.
    written: Vec<u8>,
    digest: Digest,
    standing: Standing,
    signature: Option<String>,
    leaves: Vec<Leaf>,
    /// Numbers of sheets by space.
    spaces: HashMap<Space, Vec<u32>>,
    /// Numbers of sheets that are about no release of a distribution.
    general: Vec<u32>,
    /// For each sheet, the one with the texts of its part, where there is one.
    apart: Vec<Option<u32>>,
    orders: Orders,
    /// As long as this is held, nobody takes our sheets away.
    lock: Option<fs_err::File>,
}

#[derive(Debug)]
struct Leaf {
    source: Source,
    sheet: OnceLock<Result<Sheet, Error>>,
}

#[derive(Debug)]
enum Source {
    File(PathBuf),
    Bytes(Cow<'static, [u8]>),
}

/// Where a sheet's bytes are.
pub(crate) enum Content<'a> {
    /// In that file, which nobody takes away as long as the almanac is open.
    File(&'a Path),
    /// Here.
    Bytes(&'a [u8]),
}

impl Almanac {
    /// The almanac in that directory. Whether it may be trusted was settled when it was installed.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let Opened { manifest: written, digest, seal, lock } = store::open(dir)?;
        let manifest = Manifest::parse(&written)?;
        let sources =
            manifest.sheets.iter().map(|it| Source::File(store::sheet_path(dir, &it.digest)));
        let sources = sources.collect();
        let mut almanac = Self::of(manifest, (written, digest), sources, ecosystem::order::of);
        almanac.standing = seal.standing;
        almanac.signature = seal.signature;
        almanac.lock = Some(lock);
        Ok(almanac)
    }

    /// An almanac that is nowhere on disk: the starter, and those of tests.
    pub fn in_memory(sheets: Vec<SheetBytes>) -> Self {
        Self::in_memory_with(sheets, ecosystem::order::of)
    }

    /// The same, with other orders.
    pub fn in_memory_with(sheets: Vec<SheetBytes>, orders: Orders) -> Self {
        let mut manifest = Manifest::new("");
        let mut sources = Vec::new();
        for it in sheets {
            manifest.sheets.push(it.entry);
            sources.push(Source::Bytes(it.bytes.into()));
        }
        let written = manifest.to_bytes();
        let digest = digest_of(&written);
        Self::of(manifest, (written, digest), sources, orders)
    }

    fn of(
        manifest: Manifest,
        (written, digest): (Vec<u8>, Digest),
        sources: Vec<Source>,
        orders: Orders,
    ) -> Self {
        let mut spaces: HashMap<Space, Vec<u32>> = HashMap::new();
        let mut general = Vec::new();
        let mut texts: HashMap<(&str, &str), u32> = HashMap::new();
        for (number, it) in (0..).zip(&manifest.sheets) {
            spaces.entry(it.space.clone()).or_default().push(number);
            if it.space.as_str() == TEXTS {
                texts.insert((&*it.feed, &*it.part), number);
            } else if it.space.release_name().is_none() {
                general.push(number);
            }
        }
        let sheets = manifest.sheets.iter();
        let apart = sheets.map(|it| texts.get(&(&*it.feed, &*it.part)).copied()).collect();
        let leaf = |source| Leaf { source, sheet: OnceLock::new() };
        let leaves = sources.into_iter().map(leaf).collect();
        let (standing, signature) = (Standing::Local, None);
        Self {
            manifest,
            written,
            digest,
            standing,
            signature,
            leaves,
            spaces,
            general,
            apart,
            orders,
            lock: None,
        }
    }

    /// What it consists of.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Its manifest as it was written, which is what is signed and carried.
    pub fn written(&self) -> &[u8] {
        &self.written
    }

    /// What it is called: the digest of its manifest.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Who answers for it.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Its signature, where it has one.
    pub fn signature(&self) -> Option<&str> {
        self.signature.as_deref()
    }

    /// Puts the very same almanac into another directory, where it stays whatever becomes of this
    /// one. Sheets that lie in files are shared where the file system can do that.
    pub fn copy_to(&self, dir: &Path) -> Result<(), Error> {
        store::Writer::lock(dir)?.install_copy(self).map(|_| ())
    }

    /// Its sheets, and where they are.
    pub(crate) fn contents(&self) -> impl Iterator<Item = (&Entry, Content<'_>)> {
        let contents = self.leaves.iter().map(|it| match &it.source {
            Source::File(path) => Content::File(path),
            Source::Bytes(bytes) => Content::Bytes(bytes),
        });
        self.manifest.sheets.iter().zip(contents)
    }

    /// Reads all of it, and tells everything that is wrong: digests, signature, records.
    pub fn verify(&self, keys: &[PublicKey]) -> Vec<Error> {
        let mut wrong = Vec::new();
        if let Some(signature) = &self.signature
            && matches!(self.standing, Standing::Signed { .. })
        {
            wrong.extend(verify(&self.written, signature, keys).err());
        }
        for (number, it) in (0..).zip(&self.manifest.sheets) {
            let Entry { feed, part, space, digest, .. } = it;
            let bad = |why: &str| {
                Error::corrupt(
                    format_args!("sheet {feed} {part} {space} ({})", digest.short()),
                    why,
                )
            };
            let sheet = match self.sheet(number) {
                Ok(sheet) => sheet,
                Err(why) => {
                    wrong.push(bad(&why.to_string()));
                    continue;
                }
            };
            if digest_of(sheet.bytes()) != *digest {
                wrong.push(bad("it is not what its digest says"));
            } else if let Err(why) = sheet.walk() {
                wrong.push(bad(why));
            }
        }
        wrong
    }

    /// The sheet with that number, opened.
    pub fn sheet(&self, number: u32) -> Result<&Sheet, &Error> {
        static NONE: OnceLock<Error> = OnceLock::new();
        let at = number as usize;
        let (Some(leaf), Some(entry)) = (self.leaves.get(at), self.manifest.sheets.get(at)) else {
            return Err(
                NONE.get_or_init(|| Error::corrupt("sheet", "there is none of that number"))
            );
        };
        leaf.sheet.get_or_init(|| self.read(leaf, entry)).as_ref()
    }

    /// The words of one advisory.
    pub fn text(&self, advisory: Handle) -> Option<Text> {
        self.texts(&[advisory]).pop()?
    }

    /// What is wrong with the first sheet that was asked so far and could not be opened: answers
    /// without it would look better than things are.
    pub fn torn(&self) -> Option<&Error> {
        self.leaves.iter().find_map(|it| it.sheet.get()?.as_ref().err())
    }

    fn read(&self, leaf: &Leaf, entry: &Entry) -> Result<Sheet, Error> {
        let sheet = match &leaf.source {
            Source::File(path) => Sheet::map_with_orders(path, self.orders)?,
            Source::Bytes(bytes) => Sheet::with_orders(bytes.clone(), self.orders)?,
        };
        check_entry(&sheet, entry)?;
        Ok(sheet)
    }

    /// What sheets say about a flaw.
    fn told(&self, flaw: &str, sheets: impl IntoIterator<Item = u32>) -> About {
        let mut about = About::default();
        let hash = filter::hash_of(flaw);
        for number in sheets {
            let sheet = self.sheet(number).ok();
            let Some(found) = sheet.and_then(|it| it.flaw_hashed(flaw, hash)) else { continue };
            let handle = |advisory| Handle { sheet: number, advisory };
            about.advisories.extend(found.advisories.into_iter().map(handle));
            about.exploited = about.exploited.or(found.exploited);
            about.forecast = about.forecast.or(found.forecast);
        }
        about
    }

    /// Where its words are: in its own sheet, or in the one with all texts of its part.
    fn place(&self, advisory: Handle) -> Option<(&Sheet, Place)> {
        let sheet = self.sheet(advisory.sheet).ok()?;
        let (id, place) = sheet.place(advisory.advisory)?;
        if let Some(place) = place {
            return Some((sheet, place));
        }
        let apart = self.sheet(*self.apart.get(advisory.sheet as usize)?.as_ref()?).ok()?;
        let (_, place) = apart.place(*apart.flaw(id)?.advisories.first()?)?;
        Some((apart, place?))
    }

    fn sheets_of(&self, space: &Space) -> &[u32] {
        self.spaces.get(space).map_or(&[], |it| it)
    }
}

/// Is the sheet the one that the manifest speaks of?
pub(crate) fn check_entry(sheet: &Sheet, entry: &Entry) -> Result<(), Error> {
    if Entry::of(sheet.meta(), entry.digest.clone(), sheet.size()) == *entry {
        return Ok(());
    }
    let at = format_args!("sheet {}", entry.digest.short());
    Err(Error::corrupt(at, "it is not what the manifest says of it"))
}

impl Book for Almanac {
    fn look_up<'a>(&'a self, space: &Space, name: &str, rows: &mut Vec<Row<'a>>) {
        for number in self.sheets_of(space) {
            if let Ok(sheet) = self.sheet(*number) {
                sheet.look_up(*number, name, rows);
            } else {
                let feed = self.manifest.sheets.get(*number as usize).map(|it| &*it.feed);
                rows.push(torn_row(feed.unwrap_or_default(), *number, SHEET_TORN));
            }
        }
    }

    fn glance<'a>(&'a self, space: &Space, name: &str, each: &mut Each<'_, 'a>) -> bool {
        self.sheets_of(space).iter().all(|number| {
            let told = self.sheet(*number).ok().and_then(|it| it.glance(*number, name, each));
            told.is_some()
        })
    }

    fn look_up_some<'a>(
        &'a self,
        space: &Space,
        name: &str,
        wanted: &HashSet<Handle>,
        rows: &mut Vec<Row<'a>>,
    ) {
        for number in self.sheets_of(space) {
            if let Ok(sheet) = self.sheet(*number) {
                sheet.look_up_some(*number, name, wanted, rows);
            }
        }
    }

    fn feeds(&self, space: &Space) -> Vec<&str> {
        let sheets = self.sheets_of(space).iter();
        let feeds = sheets.filter_map(|it| self.manifest.sheets.get(*it as usize));
        let feeds: BTreeSet<&str> = feeds.map(|it| &*it.feed).collect();
        feeds.into_iter().collect()
    }

    fn advisories(&self, space: &Space) -> Option<u64> {
        Some(self.manifest.advisories(space))
    }

    fn about(&self, flaw: &str) -> About {
        // A release's publisher rates its own packages, and nobody else's.
        self.told(flaw, self.general.iter().copied())
    }

    fn known(&self, advisory: Handle) -> Option<Known> {
        self.sheet(advisory.sheet).ok()?.known(advisory.advisory)
    }

    fn texts(&self, advisories: &[Handle]) -> Vec<Option<Text>> {
        let mut wanted: Vec<Wanted<'_>> = Vec::new();
        let mut places: HashMap<Handle, Option<(&Sheet, Place)>> = HashMap::new();
        for (number, advisory) in advisories.iter().enumerate() {
            let place = places.entry(*advisory).or_insert_with(|| self.place(*advisory));
            if let Some((sheet, place)) = *place {
                wanted.push(Wanted { sheet, place, number });
            }
        }
        texts::read(wanted, advisories.len())
    }
}

#[cfg(test)]
mod tests;
