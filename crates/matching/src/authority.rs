//! Whose word counts where several speak about one flaw of one package.

use almanac::Row;

/// Those with a say about a family, the one with most first, each with why it may decide.
type Order = &'static [(&'static str, &'static str)];

/// Feeds about operating systems. All of them carry the vendor's own word; the first carries more of
/// it. Others follow, in the order of their names.
const SYSTEMS: &[(&str, Order)] = &[
    (
        "debian",
        &[
            ("debian-tracker", "the tracker also knows what is open, not affected or given up"),
            ("osv", "it carries what the distribution announces"),
        ],
    ),
    (
        "ubuntu",
        &[
            ("ubuntu-vex", "the statements also know what will not be fixed"),
            ("osv", "it carries what the distribution announces"),
            ("ubuntu-cve-tracker", "the tracker's files are the distribution's own, if older"),
        ],
    ),
    ("alpine", &[("alpine", OWN_DATABASE), ("osv", COPY)]),
    ("wolfi", &[("wolfi", OWN_DATABASE), ("osv", COPY)]),
    ("chainguard", &[("chainguard", OWN_DATABASE), ("osv", COPY)]),
    ("rhel", &[("redhat-vex", "Red Hat's statements, product by product"), ("osv", COPY)]),
];

const OWN_DATABASE: &str = "the database is what the distribution itself keeps";
const COPY: &str = "it carries what the distribution publishes";

/// Advisories about languages' packages by the beginning of their ids, likewise.
const LANGUAGES: &[(&str, Order)] = &[
    ("cargo", &[("RUSTSEC", "RustSec is kept by those who know the crates"), GITHUB]),
    ("golang", &[("GO", "the Go team checks each range against the code"), GITHUB]),
    ("pypi", &[GITHUB, ("PYSEC", "PyPA keeps it for this registry")]),
    ("npm", &[GITHUB, ("NSWG", "the working group of Node.js kept it")]),
    ("maven", &[GITHUB, ("SAPKB", "SAP went through the code, version by version")]),
    ("gem", &[GITHUB, ("RUBYSEC", "rubysec is kept by those who know the gems")]),
    (
        "composer",
        &[
            GITHUB,
            ("DRUPAL", "Drupal's own word about its code"),
            ("FOP", "FriendsOfPHP is kept by those who know the packages"),
        ],
    ),
    ("nuget", &[GITHUB]),
    ("hex", &[("EEF", "the Erlang foundation numbers its own flaws"), GITHUB]),
    ("pub", &[GITHUB]),
    ("swift", &[GITHUB]),
    ("bitnami", &[("BIT", "Bitnami's word about what it packages")]),
    ("julia", &[("JLSEC", "Julia's own")]),
    ("hackage", &[("HSEC", "Haskell's own")]),
    ("cran", &[("RSEC", "R's own")]),
];

const GITHUB: (&str, &str) = ("GHSA", "GitHub reviews ranges");

/// Those who list unaffected versions too: where their ranges begin is said, not just left out.
const SAY_WHERE_IT_BEGINS: &[&str] = &["RUSTSEC"];

/// Old by nature, for it is built in.
const STARTER: &str = "starter";

/// Who speaks: compared, the one with most say first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Voice<'r> {
    rank: u8,
    pub(crate) feed: &'r str,
    pub(crate) prefix: &'r str,
}

impl Voice<'_> {
    /// Does it say where a flaw begins, and not just speak of nothing before?
    pub(crate) fn says_where_it_begins(&self) -> bool {
        SAY_WHERE_IT_BEGINS.contains(&self.prefix)
    }

    /// May it say something against those with more say?
    pub(crate) fn may_object(&self) -> bool {
        self.feed != STARTER
    }
}

/// Whose word the row is.
pub(crate) fn voice<'r>(row: &Row<'r>, family: &str, is_system: bool) -> Voice<'r> {
    // Ids of one publisher start alike: `GHSA-…`, `GO-…`.
    let prefix = if is_system { "" } else { row.id.split('-').next().unwrap_or_default() };
    Voice { rank: rank(row, prefix, family, is_system), feed: row.feed, prefix }
}

fn rank(row: &Row<'_>, prefix: &str, family: &str, is_system: bool) -> u8 {
    const UNKNOWN: u8 = 100;
    const LAST: u8 = 200;
    // Whoever says that a package is an attack is heard first.
    if row.malicious {
        return 0;
    }
    if row.feed == STARTER {
        return LAST;
    }
    let word = if is_system { row.feed } else { prefix };
    let at = order(family, is_system).iter().position(|(it, _)| word.eq_ignore_ascii_case(it));
    at.and_then(|it| u8::try_from(it + 1).ok()).unwrap_or(UNKNOWN)
}

/// Why that voice may decide about that family, where others speak too.
pub(crate) fn reason(voice: &Voice<'_>, family: &str, is_system: bool) -> Option<&'static str> {
    let word = if is_system { voice.feed } else { voice.prefix };
    let order = order(family, is_system);
    order.iter().find(|(it, _)| word.eq_ignore_ascii_case(it)).map(|(_, why)| *why)
}

fn order(family: &str, is_system: bool) -> Order {
    let table = if is_system { SYSTEMS } else { LANGUAGES };
    table.iter().find(|(it, _)| *it == family).map_or(&[], |(_, order)| *order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_has_an_order_without_repetition() {
        for table in [SYSTEMS, LANGUAGES] {
            for (number, (family, order)) in table.iter().enumerate() {
                assert!(!order.is_empty() && order.iter().all(|(_, why)| !why.is_empty()));
                assert!(!table[..number].iter().any(|it| it.0 == *family), "{family} twice");
                let twice = |at: usize| {
                    order[..at].iter().any(|it| order.get(at).is_some_and(|other| it.0 == other.0))
                };
                assert!(!(0..order.len()).any(twice), "{family}");
            }
        }
    }
}
