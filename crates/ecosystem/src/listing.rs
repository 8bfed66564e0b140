//! What one file lists: each package once, and a bounded number of gaps.

use std::collections::HashSet;

use model::{Found, Gap, Owned, Package};

/// So many gaps are told one by one; the rest is a number.
const TOLD: u64 = 20;

/// A file that lists more was made to fill the memory of whoever reads it.
const MOST: usize = 200_000;

/// Packages and gaps of one file, as they are read.
pub(crate) struct Listing<'a> {
    path: &'a str,
    found: Found,
    seen: HashSet<String>,
    refused: u64,
    dropped: u64,
}

impl<'a> Listing<'a> {
    /// Nothing read yet from the file at `path`.
    pub(crate) fn of(path: &'a str) -> Self {
        Self { path, found: Found::default(), seen: HashSet::new(), refused: 0, dropped: 0 }
    }

    /// One more package, unless it was there already.
    pub(crate) fn add(&mut self, package: Package) {
        if self.found.packages.len() >= MOST {
            self.dropped += 1;
        } else if self.seen.insert(package.purl.to_string()) {
            self.found.packages.push(package);
        }
    }

    /// The files of a package.
    pub(crate) fn own(&mut self, owned: Owned) {
        if self.found.owned.len() < MOST && !owned.paths.is_empty() {
            self.found.owned.push(owned);
        }
    }

    /// Something that should have been a package.
    pub(crate) fn refuse(&mut self, why: impl Into<String>) {
        self.note(self.path.to_owned(), why.into());
    }

    /// The same, at a line counted from 1.
    pub(crate) fn refuse_at(&mut self, line: usize, why: impl Into<String>) {
        self.note(format!("{}:{line}", self.path), why.into());
    }

    fn note(&mut self, at: String, why: String) {
        self.refused += 1;
        if self.refused <= TOLD {
            self.found.gaps.push(Gap { at, why });
        }
    }

    /// All of it.
    pub(crate) fn finish(mut self) -> Found {
        if let Some(more) = self.refused.checked_sub(TOLD).filter(|it| *it > 0) {
            self.found
                .gaps
                .push(Gap::new(self.path, format!("{more} more entries cannot be read")));
        }
        if self.dropped > 0 {
            let why = format!("only the first {MOST} packages are read, {} are not", self.dropped);
            self.found.gaps.push(Gap::new(self.path, why));
        }
        self.found
    }
}

/// Is this the path of a file inside an installed package? A lock file that a package happens to
/// ship speaks of its makers' machine, not of this one.
pub(crate) fn is_inside_a_package(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let is_gem = |part: &str| {
        part.match_indices('-')
            .any(|(at, _)| part.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit))
    };
    parts.iter().any(|it| matches!(*it, "node_modules" | "site-packages" | "dist-packages"))
        || parts.windows(2).any(|pair| pair[0] == "gems" && is_gem(pair[1]))
        || path.starts_with("usr/share/nodejs/")
}

/// A text from a document, fit for a message: one line, not long.
pub(crate) fn brief(text: &str) -> String {
    let mut brief: String =
        text.chars().take(80).map(|it| if it.is_control() { ' ' } else { it }).collect();
    if brief.len() < text.len() {
        brief.push('…');
    }
    brief
}

/// The first line of a description; never more than a line's worth.
pub(crate) fn line(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|it| !it.is_empty())?;
    Some(line.chars().take(500).collect())
}

/// A version that may stand in a purl: it is one word.
pub(crate) fn is_version(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 256
        && !text.chars().any(|it| it.is_whitespace() || it.is_control())
        && text.chars().any(char::is_alphanumeric)
}

/// `Name <mail>`, or what of it there is.
pub(crate) fn person(name: Option<&str>, mail: Option<&str>) -> Option<String> {
    match (name, mail) {
        (Some(name), Some(mail)) => Some(format!("{name} <{mail}>")),
        (name, mail) => name.or(mail).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use model::{Package, Purl};

    use super::{Listing, MOST, is_inside_a_package};

    #[test]
    fn a_listing_has_an_end() {
        let mut listing = Listing::of("x");
        for number in 0..MOST + 2 {
            listing.add(Package::new(Purl::new("npm", &number.to_string())));
        }
        let found = listing.finish();
        assert_eq!(found.packages.len(), MOST);
        assert_eq!(found.gaps[0].why, "only the first 200000 packages are read, 2 are not");
    }

    #[test]
    fn inside_and_outside_of_packages() {
        for (path, expect) in [
            ("app/node_modules/x/yarn.lock", true),
            ("usr/lib/python3/dist-packages/x/requirements.txt", true),
            ("usr/share/nodejs/nanoid/pnpm-lock.yaml", true),
            ("usr/lib/ruby/gems/3.1.0/gems/x-1.0.0/Gemfile.lock", true),
            ("app/gems/my-part/Gemfile.lock", false),
            ("app/yarn.lock", false),
            ("yarn.lock", false),
        ] {
            assert_eq!(is_inside_a_package(path), expect, "{path}");
        }
    }
}
