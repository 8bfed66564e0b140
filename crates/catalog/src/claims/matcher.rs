//! Many globs, one path: look-ups by name and ending first, a glob only for what passed them.

use std::collections::HashMap;
use std::sync::OnceLock;

use globset::{Glob, GlobBuilder, GlobMatcher};
use xxhash_rust::xxh3::xxh3_64;

use super::{Hashed, Owner};

/// Characters that mean something in a glob.
const WILD: [char; 6] = ['*', '?', '[', ']', '{', '}'];

/// Is this glob a path without a wildcard?
pub(super) fn is_literal(glob: &str) -> bool {
    !glob.contains(WILD)
}

/// Globs with their owners.
#[derive(Default)]
pub(super) struct Matcher {
    patterns: Vec<Pattern>,
    /// Patterns by the hash of the file name they end in.
    names: HashMap<u64, Vec<usize>, Hashed>,
    /// Patterns by the hash of what follows the last dot of the file name.
    extensions: HashMap<u64, Vec<usize>, Hashed>,
    /// Patterns by the first byte of the file name.
    initials: HashMap<u8, Vec<usize>>,
    /// Patterns that say nothing of this kind; their literal start and end are compared.
    rest: Vec<usize>,
}

struct Pattern {
    owner: Owner,
    test: Test,
}

/// What is left to ask once the look-up led here.
enum Test {
    /// `var/lib/dpkg/status`
    Whole(String),
    /// `**/debug/package.json`: this, after the start or a slash.
    Tail(String),
    /// `**/*.jar`: this, at the end of a name.
    NameEnds(String),
    /// `**/libssl.so*`: this, at the start of the name.
    NameStarts(String),
    /// Anything else: literal start and end, then the glob, compiled when first needed.
    Glob { start: String, end: String, glob: Glob, matcher: OnceLock<GlobMatcher> },
}

impl Matcher {
    pub(super) fn add(&mut self, glob: &str, owner: Owner) {
        for glob in expanded(glob) {
            let number = self.patterns.len();
            let test = Test::new(&glob);
            let name = glob.rsplit_once('/').map_or(glob.as_str(), |(_, name)| name);
            let ending = name.strip_prefix('*').and_then(|it| it.rsplit_once('.'));
            let list = if is_literal(name) {
                self.names.entry(xxh3_64(name.as_bytes())).or_default()
            } else if let Some((_, extension)) = ending.filter(|(_, it)| is_literal(it)) {
                self.extensions.entry(xxh3_64(extension.as_bytes())).or_default()
            } else if !name.starts_with(WILD) {
                self.initials.entry(name.as_bytes()[0]).or_default()
            } else {
                &mut self.rest
            };
            list.push(number);
            self.patterns.push(Pattern { owner, test });
        }
    }

    /// Adds the owners of every glob that matches `path`, some perhaps twice.
    pub(super) fn find(&self, path: &str, owners: &mut Vec<Owner>) {
        self.visit(path, |owner| {
            owners.push(owner);
            false
        });
    }

    /// Does any glob match `path`?
    pub(super) fn any(&self, path: &str) -> bool {
        !self.patterns.is_empty() && self.visit(path, |_| true)
    }

    /// Is `path` itself one of the globs?
    pub(super) fn has_literal(&self, path: &str) -> bool {
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        let candidates = self.names.get(&xxh3_64(name.as_bytes()));
        candidates.is_some_and(|list| {
            list.iter().any(|it| matches!(&self.patterns[*it].test, Test::Whole(it) if it == path))
        })
    }

    /// Tells `found` of each match until it has enough; true if it had.
    fn visit(&self, path: &str, mut found: impl FnMut(Owner) -> bool) -> bool {
        let name = match memchr_slash(path) {
            Some(at) => &path[at + 1..],
            None => path,
        };
        let mut among = |list: &[usize]| {
            list.iter().any(|number| {
                let pattern = &self.patterns[*number];
                pattern.test.holds(path, name) && found(pattern.owner)
            })
        };
        let get = |map: &HashMap<u64, Vec<usize>, Hashed>, key: &str| {
            map.get(&xxh3_64(key.as_bytes())).is_some_and(|list| among(list))
        };
        let _ = get;
        if let Some(list) = self.names.get(&xxh3_64(name.as_bytes()))
            && among(list)
        {
            return true;
        }
        if let Some((_, extension)) = name.rsplit_once('.')
            && let Some(list) = self.extensions.get(&xxh3_64(extension.as_bytes()))
            && among(list)
        {
            return true;
        }
        if let Some(list) = name.bytes().next().and_then(|it| self.initials.get(&it))
            && among(list)
        {
            return true;
        }
        among(&self.rest)
    }
}
