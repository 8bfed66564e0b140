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
    Glob(Box<WholeGlob>),
}

struct WholeGlob {
    start: String,
    end: String,
    glob: Glob,
    matcher: OnceLock<GlobMatcher>,
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
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        let extension = name.rsplit_once('.').map(|(_, extension)| extension);
        let by_name = self.names.get(&xxh3_64(name.as_bytes()));
        let by_extension = extension.and_then(|it| self.extensions.get(&xxh3_64(it.as_bytes())));
        let by_initial = name.bytes().next().and_then(|it| self.initials.get(&it));
        let lists = [by_name, by_extension, by_initial, Some(&self.rest)];
        lists.into_iter().flatten().flatten().any(|number| {
            let pattern = &self.patterns[*number];
            pattern.test.holds(path, name) && found(pattern.owner)
        })
    }
}

impl Test {
    fn new(glob: &str) -> Self {
        if is_literal(glob) {
            return Self::Whole(glob.to_owned());
        }
        if let Some(tail) = glob.strip_prefix("**/") {
            if is_literal(tail) {
                return Self::Tail(tail.to_owned());
            }
            match (tail.strip_prefix('*'), tail.strip_suffix('*')) {
                (Some(end), _) if is_literal(end) && !end.contains('/') => {
                    return Self::NameEnds(end.to_owned());
                }
                (_, Some(start)) if is_literal(start) && !start.contains('/') => {
                    return Self::NameStarts(start.to_owned());
                }
                _ => {}
            }
        }
        let start = glob.find(WILD).map_or(glob, |at| &glob[..at]);
        let end = glob.rfind(WILD).map_or("", |at| &glob[at + 1..]);
        // `**/` matches no directory too, so the slash behind it need not be there.
        let end =
            if glob.ends_with(&format!("**{end}")) { end.trim_start_matches('/') } else { end };
        let compiled = GlobBuilder::new(glob)
            .literal_separator(true)
            .build()
            .unwrap_or_else(|error| panic!("the claim `{glob}` is a glob: {error}"));
        Self::Glob(Box::new(WholeGlob {
            start: start.to_owned(),
            end: end.to_owned(),
            glob: compiled,
            matcher: OnceLock::new(),
        }))
    }

    fn holds(&self, path: &str, name: &str) -> bool {
        match self {
            Self::Whole(whole) => path == whole,
            Self::Tail(tail) => path
                .strip_suffix(tail.as_str())
                .is_some_and(|before| before.is_empty() || before.ends_with('/')),
            Self::NameEnds(end) => name.ends_with(end.as_str()),
            Self::NameStarts(start) => name.starts_with(start.as_str()),
            Self::Glob(it) => {
                path.starts_with(&it.start)
                    && path.ends_with(&it.end)
                    && it.matcher.get_or_init(|| it.glob.compile_matcher()).is_match(path)
            }
        }
    }
}

/// `**/*.{jar,war}` is `**/*.jar` and `**/*.war`.
fn expanded(glob: &str) -> Vec<String> {
    let Some((start, rest)) = glob.split_once('{') else { return vec![glob.to_owned()] };
    let Some((choices, end)) = rest.split_once('}') else { return vec![glob.to_owned()] };
    let ends = expanded(end);
    choices
        .split(',')
        .flat_map(|choice| ends.iter().map(move |end| format!("{start}{choice}{end}")))
        .collect()
}
