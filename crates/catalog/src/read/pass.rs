//! The pass itself: each entry is looked at once, and what is claimed is handed to its catalogers.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ecosystem::{Beside, Cataloger, File, Nothing};
use model::{Evidence, Found, Gap, LayerInventory, Link, hash_path};
use tarball::{Entries, Entry, EntryKind, Problem};

use super::body::{self, Content, Spool};
use super::extra::Extra;
use super::kept::{Kept, Waiting};
use super::latest::{Latest, Stamp};
use super::{ReadLimits, ReadOptions};
use crate::claims::{Claims, MAGIC, Owner, ancestors};

/// Honest trees are a quarter as deep, `node_modules` of old included.
const DEPTH: usize = 200;

/// One pass, and what it has found so far.
pub(super) struct Pass<'a> {
    claims: &'a Claims,
    limits: ReadLimits,
    extra: Extra<'a>,
    layer: LayerInventory,
    evidence: Vec<(Stamp, Evidence)>,
    links: Vec<(Stamp, Link)>,
    waiting: Vec<Waiting>,
    kept: Kept,
    latest: Latest,
    spool: Spool,
    /// Files nobody claims by path whose first bytes could not be read: how many, and the first.
    unreadable: Option<(u64, Gap)>,
    /// Bytes of memory that what was found takes.
    found: u64,
    /// Claimed files and links that were passed over because there are too many.
    passed_over: u64,
    /// Used again for every file.
    owners: Vec<Owner>,
}

/// A claimed file at hand.
struct Claimed<'a> {
    path: &'a str,
    /// The path it is read as.
    pretend: &'a str,
    mode: u32,
    stamp: Stamp,
    content: &'a Content<'a>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(claims: &'a Claims, options: &'a ReadOptions) -> Self {
        let limits = options.limits;
        Self {
            claims,
            limits,
            extra: Extra::new(&options.extra),
            layer: LayerInventory::default(),
            evidence: Vec::new(),
            links: Vec::new(),
            waiting: Vec::new(),
            kept: Kept::new(limits),
            latest: Latest::default(),
            spool: Spool::new(limits),
            unreadable: None,
            found: 0,
            passed_over: 0,
            owners: Vec::new(),
        }
    }

    /// Takes note of an entry, and reads its body if anyone claims it.
    pub(super) fn entry(
        &mut self,
        entry: &Entry,
        entries: &mut dyn Entries,
    ) -> Result<(), Problem> {
        self.layer.entries += 1;
        let path = entry.path.as_str();
        if path.is_empty() || is_tool_metadata(path) {
            return Ok(());
        }
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        if let Some(deleted) = name.strip_prefix(".wh.") {
            return self.whiteout(path, deleted);
        }
        let hash = hash_path(path);
        let stamp = self.latest.enter(hash, entry.kind == EntryKind::Directory);
        match &entry.kind {
            EntryKind::Directory => return Ok(()),
            EntryKind::File => self.file(entry, hash, stamp, entries),
            EntryKind::Symlink(target) => {
                self.symlink(path, hash, stamp, &tarball::resolve_link(path, target));
            }
            EntryKind::Hardlink(target) => self.hardlink(path, hash, stamp, target),
            EntryKind::Other => self.no_file(path, hash, stamp),
        }
        self.layer.paths.push(hash);
        Ok(())
    }

    fn whiteout(&mut self, path: &str, deleted: &str) -> Result<(), Problem> {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let layer = &mut self.layer;
        match deleted {
            ".wh..opq" => layer.opaques.push(directory.to_owned()),
            "" | "." | ".." => layer.gaps.push(Gap::new(path, "it is a whiteout of nothing")),
            _ if directory.is_empty() => layer.whiteouts.push(deleted.to_owned()),
            _ => layer.whiteouts.push(format!("{directory}/{deleted}")),
        }
        let limit = self.limits.whiteouts;
        if layer.whiteouts.len() + layer.opaques.len() + layer.gaps.len() > limit {
            return Err(Problem::Limit(format!("it has more than {limit} whiteouts")));
        }
        Ok(())
    }

    fn file(&mut self, entry: &Entry, hash: u64, stamp: Stamp, entries: &mut dyn Entries) {
        let path = entry.path.as_str();
        let extra = self.extra.at(hash).to_vec();
        self.claims.claimants(path, &mut self.owners);
        let beside = self.claims.peeked(path);
        let wanted = beside || !self.owners.is_empty() || !extra.is_empty();
        let mut head = [0; MAGIC];
        let head = match body::read_start(entries.body(), &mut head) {
            Ok(head) => head,
            Err(error) if wanted => {
                return self.cannot_read(path, &extra, stamp, &error.to_string());
            }
            Err(error) => {
                let first = || (0, Gap::new(path, error.to_string()));
                self.unreadable.get_or_insert_with(first).0 += 1;
                return;
            }
        };
        self.claims.add_by_magic(head, &mut self.owners);
        if !wanted && self.owners.is_empty() {
            return;
        }
        if self.is_full() || self.is_too_deep(path) {
            return;
        }
        // Taken for as long as what it holds is looked at.
        let mut spool = std::mem::take(&mut self.spool);
        match spool.read(entry.size, head, entries.body()) {
            Err(why) => self.cannot_read(path, &extra, stamp, &why),
            Ok(content) => {
                let file =
                    Claimed { path, pretend: path, mode: entry.mode, stamp, content: &content };
                self.claimed(&file, beside, &extra);
            }
        }
        self.spool = spool;
    }

    fn claimed(&mut self, file: &Claimed<'_>, beside: bool, extra: &[&str]) {
        if beside {
            match self.kept.keep(file.path, file.stamp, file.content) {
                Ok(()) => self.latest.watch(file.path, file.stamp),
                Err(why) => self.layer.gaps.push(Gap::new(file.path, why)),
            }
        }
        let owners = std::mem::take(&mut self.owners);
        for owner in &owners {
            self.consult(*owner, file, false);
        }
        self.owners = owners;
        for pretend in extra {
            let mut owners = Vec::new();
            self.claims.claimants(pretend, &mut owners);
            for owner in owners {
                self.consult(owner, &Claimed { pretend, ..*file }, true);
            }
        }
    }

    /// Lets one cataloger read the file, now, or at the end if it wants to look beside it.
    fn consult(&mut self, owner: Owner, file: &Claimed<'_>, asked: bool) {
        let cataloger = self.claims.cataloger(owner);
        if cataloger.peeks.is_empty() {
            let found = run(cataloger, &file.content.file(file.pretend, file.mode), &Nothing);
            return self.note(file.path, file.stamp, cataloger, found, asked);
        }
        match self.kept.hold(file.stamp, file.content) {
            Ok(bytes) => {
                let (path, pretend) = (file.path.to_owned(), file.pretend.to_owned());
                let (mode, stamp) = (file.mode, file.stamp);
                self.waiting.push(Waiting { path, pretend, mode, stamp, cataloger, bytes, asked });
                self.latest.watch(file.path, stamp);
            }
            Err(why) => {
                self.note(file.path, file.stamp, cataloger, Found::gap(file.path, why), asked);
            }
        }
    }

    /// Keeps what was found. Nothing found is worth keeping only where somebody asked for the file.
    fn note(&mut self, path: &str, stamp: Stamp, by: &Cataloger, found: Found, asked: bool) {
        if asked || !found.is_empty() {
            let limit = self.limits.found;
            let weight = found.weight(path.len());
            let found = if weight > limit.saturating_sub(self.found) {
                Found::gap(path, format!("beyond the {limit} bytes told of a layer"))
            } else {
                self.found += weight;
                found
            };
            let evidence = Evidence { path: path.to_owned(), cataloger: by.id.to_owned(), found };
            self.evidence.push((stamp, evidence));
            self.latest.watch(path, stamp);
        }
    }

    /// A hole, in the name of everyone who claims the file.
    fn cannot_read(&mut self, path: &str, extra: &[&str], stamp: Stamp, why: &str) {
        let mut owners = std::mem::take(&mut self.owners);
        for pretend in extra {
            let mut more = Vec::new();
            self.claims.claimants(pretend, &mut more);
            owners.extend(more);
        }
        if owners.is_empty() {
            self.layer.gaps.push(Gap::new(path, why));
        }
        for owner in &owners {
            self.note(path, stamp, self.claims.cataloger(*owner), Found::gap(path, why), true);
        }
        self.owners = owners;
    }

    fn no_file(&mut self, path: &str, hash: u64, stamp: Stamp) {
        let extra = self.extra.at(hash).to_vec();
        if !extra.is_empty() {
            self.owners.clear();
            self.cannot_read(path, &extra, stamp, "it is no regular file");
        }
    }

    fn symlink(&mut self, path: &str, hash: u64, stamp: Stamp, target: &str) {
        self.claims.claimants(path, &mut self.owners);
        let claimed = !self.owners.is_empty() && !self.claims.covers(path, target);
        if claimed || !self.extra.at(hash).is_empty() {
            self.link(path, target, false, stamp);
        }
        let through = |below: &str| {
            let rest = below.get(path.len()..).unwrap_or_default();
            format!("{target}{rest}").trim_start_matches('/').to_owned()
        };
        for below in self.claims.below(hash) {
            let target = through(below);
            if !self.claims.covers(below, &target) {
                self.link(below, &target, false, stamp);
            }
        }
        for below in self.extra.below(hash).to_vec() {
            if !self.link(below, &through(below), false, stamp) {
                break;
            }
        }
    }

    fn hardlink(&mut self, path: &str, hash: u64, stamp: Stamp, target: &str) {
        self.claims.claimants(path, &mut self.owners);
        let claimed = !self.owners.is_empty() && !self.claims.covers(path, target);
        // What was read there lives on here, when the other name is deleted.
        let read = self.latest.watches(hash_path(target));
        if claimed || read || !self.extra.at(hash).is_empty() {
            self.link(path, target, true, stamp);
        }
    }

    /// Keeps a link; false when there are too many.
    fn link(&mut self, path: &str, target: &str, hard: bool, stamp: Stamp) -> bool {
        if self.is_full() || self.is_too_deep(path) {
            return false;
        }
        self.latest.watch(path, stamp);
        let link = Link { path: path.to_owned(), target: target.to_owned(), hard };
        self.links.push((stamp, link));
        true
    }

    /// Every directory above what is kept is looked up by itself: there may not be any number.
    fn is_too_deep(&mut self, path: &str) -> bool {
        let deep = ancestors(path).nth(DEPTH).is_some();
        if deep {
            let why = format!("it lies below more than {DEPTH} directories, and was not read");
            self.layer.gaps.push(Gap::new(path, why));
        }
        deep
    }

    /// Counts what is passed over, when there is enough.
    fn is_full(&mut self) -> bool {
        let limit = self.limits.evidence;
        let held = [self.evidence.len(), self.waiting.len(), self.links.len(), self.kept.len()];
        let full = held.iter().sum::<usize>() + self.layer.gaps.len() >= limit
            || self.latest.len() >= limit.saturating_mul(8);
        self.passed_over += u64::from(full);
        full
    }

    /// What is to be kept of the layer, whose archive has `size` bytes.
    pub(super) fn finish(mut self, size: u64) -> LayerInventory {
        let latest = std::mem::take(&mut self.latest);
        self.kept.forget(|path, stamp| latest.overtaken(path, stamp));
        for file in std::mem::take(&mut self.waiting) {
            if latest.overtaken(&file.path, file.stamp) {
                continue;
            }
            let content = Content::Memory(&file.bytes);
            let found = run(file.cataloger, &content.file(&file.pretend, file.mode), &self.kept);
            self.note(&file.path, file.stamp, file.cataloger, found, file.asked);
        }
        let mut layer = self.layer;
        layer.evidence = self
            .evidence
            .into_iter()
            .filter(|(stamp, it)| !latest.overtaken(&it.path, *stamp))
            .map(|(_, it)| it)
            .collect();
        layer.links = self
            .links
            .into_iter()
            .filter(|(stamp, it)| !latest.overtaken(&it.path, *stamp))
            .map(|(_, it)| it)
            .collect();
        layer.paths.sort_unstable();
        layer.paths.dedup();
        layer.paths.shrink_to_fit();
        layer.size = size;
        if let Some((count, Gap { at, why })) = self.unreadable {
            let others =
                if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
            layer.gaps.push(Gap::new(format!("{at}{others}"), format!("cannot be read: {why}")));
        }
        if self.passed_over > 0 {
            let (count, limit) = (self.passed_over, self.limits.evidence);
            layer.gaps.push(Gap::new(
                "a layer",
                format!("{count} claimed files were not read: it has more than {limit}"),
            ));
        }
        layer
    }
}

/// Runs a cataloger. One that breaks its promise and panics breaks nothing else.
fn run(cataloger: &Cataloger, file: &File<'_>, beside: &dyn Beside) -> Found {
    let read = AssertUnwindSafe(|| (cataloger.read)(file, beside));
    catch_unwind(read).unwrap_or_else(|_| {
        let id = cataloger.id;
        Found::gap(file.path(), format!("the cataloger {id} failed on it; please report this"))
    })
}

/// Files that tools put into layers for themselves: AUFS its links, eStargz its table of contents.
fn is_tool_metadata(path: &str) -> bool {
    let aufs = path.starts_with(".wh..wh.") && path != ".wh..wh..opq";
    aufs || matches!(path, "stargz.index.json" | ".prefetch.landmark" | ".no.prefetch.landmark")
}
