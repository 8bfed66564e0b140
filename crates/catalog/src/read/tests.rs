//! Tests of one pass over a layer.

use std::fmt::Write as _;
use std::io;

use model::{Evidence, Link, hash_path};
use proptest::prelude::*;
use tarball::{Entry, EntryKind};
use testkit::{LayerBuilder, layer};

use super::*;
use crate::toy::{claims, read_with};

fn shown(layer: &LayerInventory) -> String {
    let mut text = String::new();
    for Evidence { path, cataloger, found } in &layer.evidence {
        write!(text, "{path} {cataloger}").unwrap();
        for package in &found.packages {
            write!(text, " {}", package.purl).unwrap();
        }
        for gap in &found.gaps {
            write!(text, " gap {gap}").unwrap();
        }
        text.push('\n');
    }
    for path in &layer.whiteouts {
        writeln!(text, "deleted {path}").unwrap();
    }
    for path in &layer.opaques {
        writeln!(text, "emptied `{path}`").unwrap();
    }
    for Link { path, target, hard } in &layer.links {
        writeln!(text, "{path} {} {target}", if *hard { "==" } else { "->" }).unwrap();
    }
    for gap in &layer.gaps {
        writeln!(text, "gap {gap}").unwrap();
    }
    text
}

fn check(layer: LayerBuilder, expect: &str) {
    assert_eq!(shown(&read_with(layer, &ReadOptions::default())), expect);
}

#[test]
fn claimed_files() {
    check(layer().file("README", "npm a 1"), "");
    check(layer().file("var/db/status", "deb a 1"), "var/db/status deb-toy pkg:deb/a@1\n");
    check(layer().file("x/toy.json", "npm a 1"), "x/toy.json npm-toy pkg:npm/a@1\n");
    check(layer().file("bin/x", "TOY!\ngolang a 1"), "bin/x golang-toy pkg:golang/a@1\n");
    check(layer().file("bin/x", "TOY"), "");
    check(
        layer().file("toy.json", "TOY!\nnpm a 1"),
        "toy.json npm-toy pkg:npm/a@1\ntoy.json golang-toy pkg:npm/a@1\n",
    );
    check(layer().directory("toy.json"), "");
    check(layer().file("toy.json", ""), "");
    check(layer().file("toy.json", "gap why"), "toy.json npm-toy gap toy.json: why\n");
}

#[test]
fn every_path_that_is_no_directory_is_known() {
    let layer =
        layer().directory("d").file("d/f", "").symlink("l", "d").delete("w").file("d/f", "");
    let layer = read_with(layer, &ReadOptions::default());
    let mut expect = [hash_path("d/f"), hash_path("l")];
    expect.sort_unstable();
    assert_eq!(layer.paths, expect);
    assert_eq!(layer.entries, 5);
}

#[test]
fn whiteouts() {
    check(layer().delete("a/b").delete("c").opaque("d"), "deleted a/b\ndeleted c\nemptied `d`\n");
    check(layer().file(".wh..wh..opq", ""), "emptied ``\n");
    check(layer().file(".wh..wh.plnk/1.2", "").file(".wh..wh.orph", ""), "");
    check(layer().file("a/.wh.", ""), "gap a/.wh.: it is a whiteout of nothing\n");
    check(layer().file("a/.wh...", ""), "gap a/.wh...: it is a whiteout of nothing\n");
    check(layer().file("stargz.index.json", "{}").file(".no.prefetch.landmark", "\x0f"), "");
}

#[test]
fn a_panic_is_a_gap() {
    check(
        layer().file("a/toy.json", "panic").file("b/toy.json", "npm b 1"),
        "a/toy.json npm-toy gap a/toy.json: the cataloger npm-toy failed on it; please report this\n\
         b/toy.json npm-toy pkg:npm/b@1\n",
    );
}

#[test]
fn the_last_of_a_name_counts() {
    let twice = || layer().file("a/toy.json", "npm a 1");
    check(twice().file("a/toy.json", "npm a 2"), "a/toy.json npm-toy pkg:npm/a@2\n");
    check(twice().file("a/toy.json", ""), "");
    check(twice().directory("a/toy.json"), "");
    check(twice().symlink("a/toy.json", "x"), "a/toy.json -> a/x\n");
    check(twice().symlink("a", "b"), "");
    check(twice().directory("a"), "a/toy.json npm-toy pkg:npm/a@1\n");
    check(
        twice().symlink("a", "b").file("a/toy.json", "npm a 3"),
        "a/toy.json npm-toy pkg:npm/a@3\n",
    );
    // A whiteout is for the layers below.
    check(twice().delete("a/toy.json"), "a/toy.json npm-toy pkg:npm/a@1\ndeleted a/toy.json\n");
}

#[test]
fn looking_beside() {
    check(
        layer().file("x/METADATA", "beside x/RECORD").file("x/RECORD", "name"),
        "x/METADATA pypi-toy pkg:pypi/name\n",
    );
    check(
        layer()
            .file("x/RECORD", "old")
            .file("x/METADATA", "beside x/RECORD")
            .file("x/RECORD", "new"),
        "x/METADATA pypi-toy pkg:pypi/new\n",
    );
    check(
        layer()
            .file("x/METADATA", "beside x/RECORD")
            .file("x/RECORD", "name")
            .symlink("x/RECORD", "y"),
        "x/METADATA pypi-toy gap x/RECORD: is not beside\n",
    );
    check(
        layer().file("x/METADATA", "beside x/OTHER").file("x/OTHER", "name"),
        "x/METADATA pypi-toy gap x/OTHER: is not beside\n",
    );
    check(layer().file("x/METADATA", "pypi a 1").file("x/METADATA", ""), "");
}

#[test]
fn links_to_what_nobody_claims() {
    check(layer().symlink("var/db/status", "../lib/real"), "var/db/status -> var/lib/real\n");
    check(layer().symlink("var/db/status", "/usr/db/status"), "");
    check(layer().symlink("var", "opt/var"), "var/db/status -> opt/var/db/status\n");
    check(layer().symlink("var", "usr"), "");
    check(layer().symlink("bin", "usr/bin"), "");
    check(layer().hardlink("var/db/status", "real"), "var/db/status == real\n");
    check(layer().hardlink("x", "y"), "");
    check(
        layer().file("a/toy.json", "npm a 1").hardlink("b/toy.json", "a/toy.json"),
        "a/toy.json npm-toy pkg:npm/a@1\nb/toy.json == a/toy.json\n",
    );
}

#[test]
fn extra_paths_are_read_as_others() {
    let check = |layer: LayerBuilder, expect: &str| {
        let extra = vec![("opt/real".to_owned(), "var/db/status".to_owned())];
        let options = ReadOptions { extra, ..ReadOptions::default() };
        assert_eq!(shown(&read_with(layer, &options)), expect);
    };
    check(layer().file("opt/real", "deb a 1"), "opt/real deb-toy pkg:deb/a@1\n");
    check(layer().file("opt/real", ""), "opt/real deb-toy\n");
    check(layer().symlink("opt/real", "other"), "opt/real -> opt/other\n");
    check(layer().symlink("opt", "usr/opt"), "opt/real -> usr/opt/real\n");
    check(layer().hardlink("opt/real", "x"), "opt/real == x\n");
}

#[test]
fn limits_are_gaps() {
    let check = |limits: ReadLimits, layer: LayerBuilder, expect: &str| {
        let options = ReadOptions { limits, extra: Vec::new() };
        assert_eq!(shown(&read_with(layer, &options)), expect);
    };
    let limits = ReadLimits::default();
    let large = || layer().file("toy.json", [&b"size\n"[..], &[b'x'; 3000]].concat());
    let spooled = ReadLimits { memory: 1000, ..limits };
    check(spooled, large(), "toy.json npm-toy pkg:size/s@3005\n");
    check(
        spooled,
        large().file("a/toy.json", "size"),
        "toy.json npm-toy pkg:size/s@3005\na/toy.json npm-toy pkg:size/s@4\n",
    );
    check(
        ReadLimits { file: 2000, ..limits },
        large(),
        "toy.json npm-toy gap toy.json: larger than 2000 bytes\n",
    );
    check(
        ReadLimits { spool: 5000, ..spooled },
        large().file("a/toy.json", [b'x'; 3000]).file("b/toy.json", "npm b 1"),
        "toy.json npm-toy pkg:size/s@3005\n\
         a/toy.json npm-toy gap a/toy.json: beyond the 5000 bytes of large files read from a layer\n\
         b/toy.json npm-toy pkg:npm/b@1\n",
    );
    let beside = layer().file("x/RECORD", [b'x'; 90]).file("y/RECORD", [b'y'; 90]);
    check(
        ReadLimits { beside_file: 80, ..limits },
        beside,
        "gap x/RECORD: larger than the 80 bytes kept while others are read\n\
         gap y/RECORD: larger than the 80 bytes kept while others are read\n",
    );
    let beside = layer().file("x/RECORD", [b'x'; 90]).file("y/METADATA", "beside x/RECORD");
    check(
        ReadLimits { beside: 100, ..limits },
        beside,
        "y/METADATA pypi-toy gap y/METADATA: beyond the 100 bytes kept of a layer while others are read\n",
    );
    check(
        ReadLimits { evidence: 1, ..limits },
        layer().file("a/toy.json", "npm a 1").file("b/toy.json", "npm b 1").file("c/toy.json", ""),
        "a/toy.json npm-toy pkg:npm/a@1\ngap a layer: 2 claimed files were not read: it has more than 1\n",
    );
    check(
        ReadLimits { found: 2000, ..limits },
        layer()
            .file("a/toy.json", "npm a 1")
            .file("b/toy.json", format!("npm {} 1", "b".repeat(2000)))
            .file("c/toy.json", "npm c 1"),
        "a/toy.json npm-toy pkg:npm/a@1\n\
         b/toy.json npm-toy gap b/toy.json: beyond the 2000 bytes told of a layer\n\
         c/toy.json npm-toy pkg:npm/c@1\n",
    );
    let options = ReadOptions { limits: ReadLimits { whiteouts: 1, ..limits }, extra: Vec::new() };
    let tar = layer().delete("a").delete("b").tar();
    let read = claims().read_layer(&mut TarReader::new(&tar[..], &Limits::default()), &options);
    assert_eq!(read.unwrap_err().to_string(), "it has more than 1 whiteouts");
}

#[test]
fn deep_trees() {
    let deep = |levels: usize| layer().file(&format!("{}toy.json", "a/".repeat(levels)), "npm a 1");
    assert_eq!(read_with(deep(200), &ReadOptions::default()).evidence.len(), 1);
    let read = read_with(deep(201), &ReadOptions::default());
    assert_eq!(read.evidence, []);
    assert_eq!(read.gaps[0].why, "it lies below more than 200 directories, and was not read");
}

#[test]
fn a_layer_that_ends_early_is_no_layer() {
    let tar = layer().file("a/toy.json", "npm a 1").file("b", [0; 2000]).tar();
    for cut in [515, 1600, 3000] {
        let mut reader = TarReader::new(&tar[..cut], &Limits::default());
        let read = claims().read_layer(&mut reader, &ReadOptions::default());
        assert!(matches!(read, Err(Problem::Truncated(_))), "{cut}: {read:?}");
    }
}

/// A tree whose files cannot be opened.
struct Locked(Vec<&'static str>, Denied);

struct Denied;

impl io::Read for Denied {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

impl Entries for Locked {
    fn next(&mut self) -> Result<Option<Entry>, Problem> {
        Ok(self.0.pop().map(|path| Entry {
            path: path.to_owned(),
            kind: EntryKind::File,
            size: 9,
            mode: 0o600,
        }))
    }

    fn body(&mut self) -> &mut dyn io::Read {
        &mut self.1
    }

    fn position(&self) -> u64 {
        0
    }

    fn holes(&mut self) -> Vec<(String, String)> {
        vec![("root".to_owned(), "permission denied".to_owned())]
    }
}

#[test]
fn files_that_cannot_be_opened() {
    let mut entries = Locked(vec!["c", "b", "a/toy.json"], Denied);
    let read = claims().read_layer(&mut entries, &ReadOptions::default()).unwrap();
    assert_eq!(
        shown(&read),
        "a/toy.json npm-toy gap a/toy.json: permission denied\n\
         gap b (and 1 more): cannot be read: permission denied\n\
         gap root: permission denied\n",
    );
}

/// A layer as it is stored.
fn read_blob(blob: &[u8]) -> Result<LayerInventory, Problem> {
    let limits = Limits::default();
    read_tar(tarball::decompress(blob, &limits)?, &limits, &ReadOptions::default())
}

#[test]
fn blobs_of_every_kind() {
    use testkit::Compression;
    for compression in [Compression::Plain, Compression::Gzip, Compression::Zstd] {
        let image = testkit::image()
            .layer(layer().file("etc/os-release", "ID=debian\n").stored(compression));
        let (_, _, blob) = image.blobs().blobs.swap_remove(0);
        let read = read_blob(&blob).unwrap();
        assert_eq!(read.evidence.len(), 1, "{compression:?}");
        assert!(read.size > 1000);
    }
    let html = read_blob(b"<html>");
    assert_eq!(html.unwrap_err().to_string(), "it ends in the middle of a header");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// What one pass sees of paths is what a map from path to last entry holds.
    #[test]
    fn the_last_entry_of_each_path_is_seen(
        entries in prop::collection::vec((0..3_u8, "[ab]/(toy\\.json|x)", 0..9_u8), 0..20),
    ) {
        let mut builder = layer();
        let mut expect = std::collections::BTreeMap::new();
        for (kind, path, version) in &entries {
            expect.remove(path);
            builder = match kind {
                0 => {
                    if path.ends_with("toy.json") {
                        expect.insert(path.clone(), format!("pkg:npm/n@{version}"));
                    }
                    builder.file(path, format!("npm n {version}"))
                }
                1 => builder.directory(path),
                _ => builder.symlink(path, "nowhere/toy.json"),
            };
        }
        let read = read_with(builder, &ReadOptions::default());
        let seen: std::collections::BTreeMap<String, String> = read
            .evidence
            .iter()
            .map(|it| (it.path.clone(), it.found.packages[0].purl.to_string()))
            .collect();
        prop_assert_eq!(seen, expect);
        prop_assert_eq!(read.evidence.len(), read.evidence.iter().map(|it| &it.path).collect::<std::collections::BTreeSet<_>>().len());
    }

    #[test]
    fn any_bytes_end_well(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = read_blob(&bytes);
    }
}
