//! Opening containers: told by their first bytes, streamed, within limits.

use std::cell::Cell;
use std::collections::HashSet;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::path::Path;

use bzip2::read::MultiBzDecoder;
use liblzma::read::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};
use tarball::{Entries, EntryKind, Problem, TarReader, clean_path, decompress};
use zip::ZipArchive;

use model::Gap;

use super::{GAPS, Limits, NEWER};

/// A tar archive shows what it is in its first block.
const HEAD: usize = 512;
/// What an xz stream may ask for; `xz -9` asks for 65 MB to inflate.
const XZ_MEMORY: u64 = 512 << 20;

/// Walks through containers, and hands out the documents.
pub(super) struct Opener<'a> {
    limits: &'a Limits,
    each: &'a mut dyn FnMut(&str, &[u8]),
    gaps: Vec<Gap>,
    untold: u64,
    /// Inflated bytes so far, of all containers.
    produced: Cell<u64>,
    entries: u64,
    over: bool,
    document: Vec<u8>,
    /// Names of documents that lie beside the container in a newer edition.
    newer: HashSet<String>,
}

/// Where a stream stands among its containers.
#[derive(Clone, Copy)]
struct At<'a> {
    /// The name it has as a directory, if it turns out to be an archive.
    directory: &'a str,
    /// The name it has as a document.
    name: &'a str,
    depth: usize,
}

enum Kind {
    Zip,
    Tar,
    Gzip,
    Zstandard,
    Xz,
    Bzip2,
    Document,
}

impl<'a> Opener<'a> {
    pub(super) fn new(limits: &'a Limits, each: &'a mut dyn FnMut(&str, &[u8])) -> Self {
        Self {
            limits,
            each,
            gaps: Vec::new(),
            untold: 0,
            produced: Cell::new(0),
            entries: 0,
            over: false,
            document: Vec::new(),
            newer: HashSet::new(),
        }
    }

    pub(super) fn finish(mut self) -> Vec<Gap> {
        if self.untold > 0 {
            self.gaps.push(Gap::new("", format!("and {} more could not be read", self.untold)));
        }
        self.gaps
    }

    pub(super) fn gap(&mut self, at: &str, why: impl Into<String>) {
        if self.gaps.len() < GAPS {
            self.gaps.push(Gap::new(at, why));
        } else {
            self.untold += 1;
        }
    }

    /// Opens a file on the disk.
    pub(super) fn file(&mut self, path: &str, place: &Path) {
        if self.is_over(path) {
            return;
        }
        let opened = fs_err::File::open(place).and_then(|mut file| {
            let head = head(&mut file)?;
            file.rewind()?;
            Ok((file, head))
        });
        self.newer = newer_beside(place);
        let at = At { directory: path, name: path, depth: 0 };
        let result = match opened {
            Ok((file, head)) if matches!(kind(&head), Kind::Zip) => {
                self.zip(at, BufReader::with_capacity(64 << 10, file))
            }
            Ok((mut file, _)) => self.stream(at, &mut file),
            Err(error) => Err(error.into()),
        };
        if let Err(problem) = result {
            self.gap(path, problem.to_string());
        }
    }

    fn is_over(&mut self, path: &str) -> bool {
        if self.over {
            return true;
        }
        if self.produced.get() > self.limits.total {
            let total = self.limits.total;
            self.gap(
                path,
                format!("more than {total} bytes came out: nothing from here on is read"),
            );
            self.over = true;
        } else if self.entries > self.limits.entries {
            let entries = self.limits.entries;
            self.gap(path, format!("there are more than {entries} entries: the rest is not read"));
            self.over = true;
        }
        self.over
    }

    fn stream(&mut self, at: At<'_>, reader: &mut dyn Read) -> Result<(), Problem> {
        let head = head(reader)?;
        let kind = kind(&head);
        let mut reader = Cursor::new(head).chain(reader);
        if matches!(kind, Kind::Document) {
            return self.document(at.name, &mut reader);
        }
        if at.depth >= self.limits.depth {
            let depth = self.limits.depth;
            return Err(Problem::Limit(format!("more than {depth} containers are nested")));
        }
        match kind {
            Kind::Zip => {
                // Its directory is at its end: a zip in a stream has to be read whole.
                let mut bytes = Vec::new();
                let limit = self.limits.document;
                reader.by_ref().take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
                if bytes.len() as u64 > limit {
                    return Err(Problem::Limit(format!("it is larger than {limit} bytes")));
                }
                self.zip(at, Cursor::new(bytes))
            }
            Kind::Tar => self.tar(at, &mut reader),
            Kind::Gzip | Kind::Zstandard => {
                let mut inflated = decompress(reader, &self.tarball_limits())?;
                self.inflated(at, &mut inflated)
            }
            Kind::Xz => {
                let decoder = Stream::new_stream_decoder(XZ_MEMORY, CONCATENATED)
                    .map_err(|error| Problem::Corrupt(error.to_string()))?;
                let consumed = Cell::new(0);
                let source = Counted { reader, count: &consumed };
                let inflated = XzDecoder::new_stream(source, decoder);
                self.inflated(at, &mut Guarded::new(inflated, &consumed, self.limits))
            }
            Kind::Bzip2 => {
                let consumed = Cell::new(0);
                let inflated = MultiBzDecoder::new(Counted { reader, count: &consumed });
                self.inflated(at, &mut Guarded::new(inflated, &consumed, self.limits))
            }
            Kind::Document => Ok(()),
        }
    }

    fn tarball_limits(&self) -> tarball::Limits {
        tarball::Limits {
            total: self.limits.total,
            entries: self.limits.entries,
            ratio: self.limits.ratio,
            ratio_floor: self.limits.ratio_floor,
            ..tarball::Limits::default()
        }
    }

    /// What was compressed is looked at again: it may be an archive.
    fn inflated(&mut self, at: At<'_>, reader: &mut dyn Read) -> Result<(), Problem> {
        let at = At { name: without_ending(at.name), depth: at.depth + 1, ..at };
        self.stream(at, reader)
    }

    fn tar(&mut self, at: At<'_>, reader: &mut dyn Read) -> Result<(), Problem> {
        let mut tar = TarReader::new(reader, &self.tarball_limits());
        while let Some(entry) = tar.next()? {
            self.entries += 1;
            let path = format!("{}/{}", at.directory, entry.path);
            if self.is_over(&path) {
                return Ok(());
            }
            if entry.kind == EntryKind::File {
                self.entry(&path, at.depth, tar.body());
            }
        }
        for (path, why) in tar.holes() {
            self.gap(&format!("{}/{path}", at.directory), why);
        }
        Ok(())
    }

    fn zip(&mut self, at: At<'_>, reader: impl Read + Seek) -> Result<(), Problem> {
        let mut archive = ZipArchive::new(reader).map_err(|error| zip_problem(&error))?;
        for index in 0..archive.len() {
            self.entries += 1;
            if self.is_over(at.directory) {
                return Ok(());
            }
            let name = archive.name_for_index(index).and_then(Result::ok);
            let name = name.map_or_else(|| format!("#{index}"), |it| clean_path(&it).into_owned());
            let path = format!("{}/{name}", at.directory);
            let entry = match archive.by_index(index) {
                Ok(entry) if entry.is_file() => entry,
                Ok(_) => continue,
                Err(error) => {
                    self.gap(&path, error.to_string());
                    continue;
                }
            };
            let stored = Cell::new(entry.compressed_size());
            let mut entry = Guarded::new(entry, &stored, self.limits);
            self.entry(&path, at.depth, &mut entry);
        }
        Ok(())
    }

    fn entry(&mut self, path: &str, depth: usize, body: &mut dyn Read) {
        let name = path.rsplit('/').next().unwrap_or(path);
        if self.newer.contains(name) {
            return;
        }
        let at = At { directory: path, name: path, depth: depth + 1 };
        if let Err(problem) = self.stream(at, body) {
            self.gap(path, problem.to_string());
        }
    }

    fn document(&mut self, path: &str, reader: &mut dyn Read) -> Result<(), Problem> {
        let left = self.limits.total.saturating_sub(self.produced.get());
        let limit = self.limits.document.min(left);
        self.document.clear();
        let read = reader.take(limit.saturating_add(1)).read_to_end(&mut self.document);
        self.produced.set(self.produced.get().saturating_add(self.document.len() as u64));
        read?;
        if self.document.len() as u64 > limit {
            return Err(Problem::Limit(format!("it is larger than {limit} bytes")));
        }
        (self.each)(path, &self.document);
        Ok(())
    }
}

/// Documents in the folder [`NEWER`] beside a container stand in for those of the same name in it.
fn newer_beside(place: &Path) -> HashSet<String> {
    let Some(folder) = place.parent().map(|it| it.join(NEWER)) else { return HashSet::new() };
    let Ok(entries) = fs_err::read_dir(folder) else { return HashSet::new() };
    entries.filter_map(|it| it.ok()?.file_name().into_string().ok()).collect()
}

fn head(reader: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    reader.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

fn kind(head: &[u8]) -> Kind {
    match head {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Kind::Zip,
        [0x1f, 0x8b, 8, ..] => Kind::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Kind::Zstandard,
        // A frame to be skipped may come first.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Kind::Zstandard,
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Kind::Xz,
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', b'&', b'S', b'Y', ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Kind::Bzip2,
        _ if is_tar(head) => Kind::Tar,
        _ => Kind::Document,
    }
}

/// Archives without the word `ustar` are told by the sum that their header carries of itself.
fn is_tar(head: &[u8]) -> bool {
    if head.get(257..262) == Some(b"ustar") {
        return true;
    }
    let (Some(block), Some(field)) = (head.get(..512), head.get(148..156)) else { return false };
    let digits = field.iter().skip_while(|it| **it == b' ');
    let mut told: u32 = 0;
    let mut count = 0;
    for digit in digits.take_while(|it| matches!(it, b'0'..=b'7')) {
        told = told.wrapping_mul(8).wrapping_add(u32::from(digit - b'0'));
        count += 1;
    }
    let sum = |range: &[u8]| range.iter().map(|it| u32::from(*it)).sum::<u32>();
    let real = sum(block).wrapping_sub(sum(field)).wrapping_add(8 * u32::from(b' '));
    count > 0 && block.first() != Some(&0) && told == real
}

fn without_ending(name: &str) -> &str {
    [".gz", ".xz", ".bz2", ".zst", ".zstd"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .filter(|it| !it.is_empty() && !it.ends_with('/'))
        .unwrap_or(name)
}

fn zip_problem(error: &zip::result::ZipError) -> Problem {
    Problem::Corrupt(error.to_string())
}

/// Counts what is read.
struct Counted<'a, R> {
    reader: R,
    count: &'a Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.count.set(self.count.get().saturating_add(count as u64));
        Ok(count)
    }
}

/// An inflated stream that ends where a bomb begins.
struct Guarded<'a, R> {
    reader: R,
    consumed: &'a Cell<u64>,
    produced: u64,
    limits: &'a Limits,
}

impl<'a, R: Read> Guarded<'a, R> {
    fn new(reader: R, consumed: &'a Cell<u64>, limits: &'a Limits) -> Self {
        Self { reader, consumed, produced: 0, limits }
    }
}

impl<R: Read> Read for Guarded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.produced = self.produced.saturating_add(count as u64);
        let Limits { total, ratio, ratio_floor, .. } = *self.limits;
        let allowed = self.consumed.get().saturating_mul(ratio);
        if self.produced > total {
            let why = format!("it is larger than {total} bytes once inflated");
            return Err(Problem::Limit(why).into());
        }
        if self.produced > ratio_floor && self.produced > allowed {
            let why = format!("it inflates to more than {ratio} times its size, as bombs do");
            return Err(Problem::Limit(why).into());
        }
        Ok(count)
    }
}
