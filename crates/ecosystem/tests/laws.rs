//! Laws that each ecosystem keeps, those not yet written too.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use ecosystem::{ALL, Beside, Cataloger, Claim, Ecosystem, File, Nothing};
use globset::{GlobBuilder, GlobMatcher};
use proptest::prelude::*;

/// Files in `src` that are no ecosystem.
const HELPERS: &[&str] = &["contract", "lib", "license", "merged", "show", "tally"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[test]
fn every_file_is_registered() {
    let files: BTreeSet<String> = fs_err::read_dir(root().join("src"))
        .expect("the sources are there")
        .map(|it| it.expect("it can be read").path())
        .filter(|it| it.extension().is_some_and(|it| it == "rs"))
        .filter_map(|it| Some(it.file_stem()?.to_str()?.to_owned()))
        .filter(|it| !HELPERS.contains(&it.as_str()))
        .collect();
    let ids: Vec<&str> = ALL.iter().map(|it| it.id()).collect();
    assert_eq!(files.iter().map(String::as_str).collect::<Vec<&str>>(), ids, "in this order");
}

#[test]
fn ids_are_unique_and_kebab() {
    let mut seen = BTreeSet::new();
    for ecosystem in ALL {
        let is_word = |it: &str| {
            !it.is_empty() && it.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
        };
        assert!(is_word(ecosystem.id()), "{}", ecosystem.id());
        assert!(!ecosystem.title().is_empty());
        for cataloger in ecosystem.catalogers() {
            assert!(seen.insert(cataloger.id), "{} is there twice", cataloger.id);
            assert!(cataloger.id.split('-').all(is_word), "{}", cataloger.id);
            let rest = cataloger.id.strip_prefix(ecosystem.id());
            assert!(rest.is_some_and(|it| it.starts_with('-')), "{}", cataloger.id);
        }
    }
}

#[test]
fn catalogers_can_be_described() {
    for cataloger in catalogers() {
        let reads = cataloger.reads;
        assert!(!reads.is_empty() && !reads.contains('\n') && !reads.ends_with('.'), "{reads}");
        assert!(cataloger.version > 0 && !cataloger.claims.is_empty(), "{}", cataloger.id);
        for claim in cataloger.claims {
            match claim {
                Claim::Path(text) => assert!(!text.starts_with('/') && glob(text).is_some()),
                Claim::Magic(magic) => assert!(!magic.is_empty()),
            }
        }
        assert!(cataloger.peeks.iter().all(|it| glob(it).is_some()), "{}", cataloger.id);
    }
}

/// Fixtures lie as they would in an image, `fixtures/ECOSYSTEM/CASE/PATH`, some of them compressed.
#[test]
fn every_fixture_is_claimed() {
    let mut unclaimed = Vec::new();
    for ecosystem in ALL {
        for (path, bytes) in fixtures(*ecosystem) {
            let name = path.rsplit('/').next().unwrap_or_default();
            let is_about = name.starts_with("README") || name.starts_with("expect");
            let is_claimed = tails(&path).any(|path| {
                ecosystem.catalogers().iter().any(|it| {
                    claims(it, path, &bytes)
                        || it.peeks.iter().any(|it| glob(it).is_some_and(|it| it.is_match(path)))
                })
            });
            if !is_about && !is_claimed {
                unclaimed.push(format!("{}/{path}", ecosystem.id()));
            }
        }
    }
    assert_eq!(unclaimed, [""; 0]);
}

/// Each cataloger reads each fixture of its ecosystem, and what stands beside it, with bytes changed,
/// cut out, repeated and cut off.
#[test]
fn no_cataloger_panics_on_damaged_fixtures() {
    let mut random = Random(0x5eed);
    for ecosystem in ALL {
        let fixtures = fixtures(*ecosystem);
        for (whole_path, bytes) in &fixtures {
            for cataloger in ecosystem.catalogers() {
                let Some(path) = tails(whole_path).find(|it| claims(cataloger, it, bytes)) else {
                    continue;
                };
                let root = whole_path.strip_suffix(path).unwrap_or_default();
                let is_peeked = |path: &str| {
                    cataloger.peeks.iter().any(|it| glob(it).is_some_and(|it| it.is_match(path)))
                };
                let mut beside: Vec<(&str, Vec<u8>)> = fixtures
                    .iter()
                    .filter_map(|(path, bytes)| Some((path.strip_prefix(root)?, bytes.clone())))
                    .filter(|(path, _)| is_peeked(path))
                    .collect();
                let read = |bytes: &[u8], beside: &[(&str, Vec<u8>)]| {
                    (cataloger.read)(&File::in_memory(path, 0o755, bytes), &Files(beside));
                };
                read(bytes, &beside);
                // Large fixtures take longer, and say no more.
                let rounds = (4_000_000 / (bytes.len() + 1)).clamp(50, 1000);
                for _ in 0..rounds {
                    read(&random.damage(bytes), &beside);
                }
                for at in 0..beside.len().min(8) {
                    let whole = beside[at].1.clone();
                    for _ in 0..rounds {
                        beside[at].1 = random.damage(&whole);
                        read(bytes, &beside);
                    }
                    beside[at].1 = whole;
                }
            }
        }
    }
}

/// Files with their paths from the root.
struct Files<'a>(&'a [(&'a str, Vec<u8>)]);

impl Beside for Files<'_> {
    fn bytes(&self, path: &str) -> Option<&[u8]> {
        self.0.iter().find(|(it, _)| *it == path).map(|(_, bytes)| bytes.as_slice())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn no_cataloger_panics_on_junk(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        for cataloger in catalogers() {
            for path in paths(cataloger) {
                read(cataloger, &path, &bytes);
            }
        }
    }

    /// Text that looks like something: words, brackets, ends of lines.
    #[test]
    fn no_cataloger_panics_on_text(text in "([a-zA-Z0-9 ._:=<>/@\"',{}\\[\\]()+*#-]{0,12}[\n\t:={}]){0,40}") {
        for cataloger in catalogers() {
            for path in paths(cataloger) {
                read(cataloger, &path, text.as_bytes());
            }
        }
    }

    /// Magic, then junk.
    #[test]
    fn no_cataloger_panics_behind_magic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        for cataloger in catalogers() {
            for claim in cataloger.claims {
                if let Claim::Magic(magic) = claim {
                    read(cataloger, "usr/bin/x", &[magic, &*bytes].concat());
                }
            }
        }
    }
}

fn catalogers() -> impl Iterator<Item = &'static Cataloger> {
    ALL.iter().flat_map(|it| it.catalogers())
}

fn read(cataloger: &Cataloger, path: &str, bytes: &[u8]) {
    (cataloger.read)(&File::in_memory(path, 0o755, bytes), &Nothing);
    (cataloger.read)(&File::in_memory(path, 0o755, bytes), &Itself(bytes));
}

/// Whatever a cataloger looks for beside its file, it finds the file again.
struct Itself<'a>(&'a [u8]);

impl Beside for Itself<'_> {
    fn bytes(&self, _: &str) -> Option<&[u8]> {
        Some(self.0)
    }
}

fn glob(text: &str) -> Option<GlobMatcher> {
    let glob = GlobBuilder::new(text).literal_separator(true).build().ok()?;
    Some(glob.compile_matcher())
}

fn claims(cataloger: &Cataloger, path: &str, bytes: &[u8]) -> bool {
    cataloger.claims.iter().any(|it| match it {
        Claim::Path(text) => glob(text).is_some_and(|it| it.is_match(path)),
        Claim::Magic(magic) => bytes.starts_with(magic),
    })
}

/// A path that each of its globs would match.
fn paths(cataloger: &Cataloger) -> Vec<String> {
    let path = |text: &str| {
        let mut path = text.replace("**/", "a/").replace('*', "1.0");
        while let Some((start, end)) = path.find('{').zip(path.find('}')).filter(|it| it.0 < it.1) {
            let first = path[start + 1..end].split(',').next().unwrap_or_default().to_owned();
            path.replace_range(start..=end, &first);
        }
        path
    };
    cataloger
        .claims
        .iter()
        .map(|it| match it {
            Claim::Path(text) => path(text),
            Claim::Magic(_) => "usr/bin/x".to_owned(),
        })
        .collect()
}

/// Paths below `fixtures/ECOSYSTEM`, without `.gz`, and their bytes.
fn fixtures(ecosystem: &dyn Ecosystem) -> Vec<(String, Vec<u8>)> {
    let top = root().join("fixtures").join(ecosystem.id());
    let mut fixtures = Vec::new();
    let mut folders = if top.is_dir() { vec![top.clone()] } else { Vec::new() };
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).expect("a folder can be read") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs_err::read(&path).expect("a fixture can be read");
            let path = path.strip_prefix(&top).expect("it is below").to_str().expect("it is text");
            fixtures.push(match path.strip_suffix(".gz") {
                None => (path.to_owned(), bytes),
                Some(path) => {
                    let mut inflated = Vec::new();
                    flate2::read::GzDecoder::new(&*bytes)
                        .read_to_end(&mut inflated)
                        .expect("it is gzip");
                    (path.to_owned(), inflated)
                }
            });
        }
    }
    fixtures.sort();
    fixtures
}

/// `a/b/c`, `b/c`, `c`: a fixture does not say where its root is.
fn tails(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |it| it.split_once('/').map(|(_, rest)| rest))
}

/// The same numbers on each run: xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (end.max(1) as u64)).expect("it is smaller")
    }

    fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let end = (at + self.below(40)).min(bytes.len());
            match self.below(6) {
                0 => bytes.truncate(at),
                1 => drop(bytes.drain(at..end)),
                2 => {
                    let part = bytes[at..end].to_vec();
                    drop(bytes.splice(at..at, part));
                }
                3 => bytes[at..end].fill(0xff),
                4 => bytes[at..end].fill(0),
                _ => {
                    let byte = u8::try_from(self.below(256)).expect("it is below");
                    bytes.splice(at..end.min(at + 1), [byte]).for_each(drop);
                }
            }
        }
        bytes
    }
}
