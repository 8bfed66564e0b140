//! Claims: which cataloger wants which file, told from its path or its first bytes.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use ecosystem::{Cataloger, Claim};
use model::{PathHash, hash_path};

mod matcher;
#[cfg(test)]
mod tests;

use matcher::Matcher;

/// Number of a cataloger in its [`Claims`].
pub(crate) type Owner = u16;

/// First bytes of a file that are looked at.
pub(crate) const MAGIC: usize = 16;

/// Raised when this crate itself reads the same layer otherwise.
const DRIVER: u32 = 1;

/// The claims of some catalogers, compiled so that a path costs little.
pub struct Claims {
    catalogers: Vec<&'static Cataloger>,
    paths: Matcher,
    peeks: Matcher,
    magics: Vec<(&'static [u8], Owner)>,
    /// Directories above claims without a wildcard, with these claims.
    above: HashMap<PathHash, Vec<&'static str>, Hashed>,
}

impl Claims {
    /// Compiles the claims of these catalogers.
    ///
    /// # Panics
    /// Where a claim is no glob, or a magic too long: claims are constants, and a test looks at all of them.
    pub fn new(catalogers: &[&'static Cataloger]) -> Self {
        let mut claims = Self {
            catalogers: catalogers.to_vec(),
            paths: Matcher::default(),
            peeks: Matcher::default(),
            magics: Vec::new(),
            above: HashMap::default(),
        };
        for (number, cataloger) in catalogers.iter().enumerate() {
            let owner = Owner::try_from(number).expect("there are not that many catalogers");
            for claim in cataloger.claims {
                match claim {
                    Claim::Magic(magic) => {
                        assert!(magic.len() <= MAGIC, "{magic:?} is longer than what is looked at");
                        claims.magics.push((magic, owner));
                    }
                    Claim::Path(glob) => {
                        claims.paths.add(glob, owner);
                        if matcher::is_literal(glob) {
                            for directory in ancestors(glob) {
                                claims.above.entry(hash_path(directory)).or_default().push(glob);
                            }
                        }
                    }
                }
            }
            for glob in cataloger.peeks {
                claims.peeks.add(glob, owner);
            }
        }
        claims
    }

    /// Those of every ecosystem there is, and of the files that name a distribution.
    pub fn all() -> &'static Self {
        static ALL: LazyLock<Claims> = LazyLock::new(|| {
            let ecosystems = ecosystem::ALL.iter().flat_map(|it| it.catalogers());
            let catalogers: Vec<&'static Cataloger> =
                std::iter::once(&crate::os_release::CATALOGER).chain(ecosystems).collect();
            Claims::new(&catalogers)
        });
        &ALL
    }

    /// Changes when the same layer would yield something else.
    pub fn fingerprint(&self) -> String {
        let described = self.catalogers.iter().map(|cataloger| {
            let Cataloger { id, version, claims, peeks, .. } = cataloger;
            format!("\n{id} {version} {claims:?} {peeks:?}")
        });
        let text: String = std::iter::once(DRIVER.to_string()).chain(described).collect();
        format!("{:032x}", xxhash_rust::xxh3::xxh3_128(text.as_bytes()))
    }

    /// The catalogers that claim `path`, in `owners`, sorted.
    pub fn claimants(&self, path: &str, owners: &mut Vec<u16>) {
        owners.clear();
        self.paths.find(path, owners);
        owners.sort_unstable();
        owners.dedup();
    }

    pub(crate) fn cataloger(&self, owner: Owner) -> &'static Cataloger {
        self.catalogers[usize::from(owner)]
    }

    /// May some cataloger look this file up beside another?
    pub(crate) fn peeked(&self, path: &str) -> bool {
        self.peeks.any(path)
    }

    /// Adds the catalogers that want a file starting with `head`.
    pub(crate) fn add_by_magic(&self, head: &[u8], owners: &mut Vec<Owner>) {
        for (magic, owner) in &self.magics {
            if head.starts_with(magic) && !owners.contains(owner) {
                owners.push(*owner);
            }
        }
    }

    /// The claims without a wildcard that lie below a directory.
    pub(crate) fn below(&self, directory: PathHash) -> &[&'static str] {
        self.above.get(&directory).map_or(&[], Vec::as_slice)
    }

    /// Is it claimed by its very path, as databases are?
    pub(crate) fn is_literal(&self, path: &str) -> bool {
        self.paths.has_literal(path)
    }

    /// Do all that claim `path` claim `target` as well? Then nothing is gained by reading it there.
    pub(crate) fn covers(&self, path: &str, target: &str) -> bool {
        let (mut wanted, mut got) = (Vec::new(), Vec::new());
        self.claimants(path, &mut wanted);
        self.claimants(target, &mut got);
        wanted.iter().all(|owner| got.contains(owner))
    }
}

/// The directories above `path`, the nearest first, without the root.
pub(crate) fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(path.rsplit_once('/').map(|(directory, _)| directory), |directory| {
        directory.rsplit_once('/').map(|(directory, _)| directory)
    })
}

/// For keys that are hashes already.
pub(crate) type Hashed = BuildHasherDefault<AlreadyHashed>;

/// Takes a hash as it is.
#[derive(Default)]
pub(crate) struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxhash_rust::xxh3::xxh3_64(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
