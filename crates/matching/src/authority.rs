//! Whose word counts where several speak about one flaw of one package.

use almanac::Row;

/// Feeds about operating systems, the one with most say first, each with the reason. All of them carry
/// the vendor's own word; these carry more of it. Others follow, in the order of their names.
const SYSTEMS: &[(&str, &[&str], &str)] = &[
    (
        "debian",
        &["debian-tracker", "osv"],
        "the tracker also knows what is open, not affected or given up",
    ),
    (
        "ubuntu",
        &["ubuntu-vex", "osv", "ubuntu-cve-tracker"],
        "the statements also know what will not be fixed; the tracker's files are older",
    ),
    ("alpine", &["alpine", "osv"], "the database is what the distribution itself keeps"),
    ("wolfi", &["wolfi", "osv"], "the database is what the distribution itself keeps"),
    ("chainguard", &["chainguard", "osv"], "the database is what the distribution itself keeps"),
    ("rhel", &["redhat-vex", "osv"], "Red Hat's statements, product by product"),
];

/// Advisories about languages' packages by the beginning of their ids, likewise.
const LANGUAGES: &[(&str, &[&str], &str)] = &[
    ("cargo", &["RUSTSEC", "GHSA"], "RustSec is kept by those who know the crates"),
    ("golang", &["GO", "GHSA"], "the Go team checks each range against the code"),
    ("pypi", &["GHSA", "PYSEC"], "GitHub reviews ranges; PyPA's are mostly made by a program"),
    ("npm", &["GHSA", "NSWG"], "GitHub reviews ranges; the working group's list is frozen"),
    ("maven", &["GHSA", "SAPKB"], "GitHub reviews ranges"),
    (
        "gem",
        &["GHSA", "RUBYSEC"],
        "GitHub reviews ranges; rubysec's are taken from the same source",
    ),
    ("composer", &["GHSA", "DRUPAL", "FOP"], "GitHub reviews ranges"),
    ("nuget", &["GHSA"], "GitHub reviews ranges"),
    ("hex", &["EEF", "GHSA"], "the Erlang foundation numbers its own flaws"),
    ("pub", &["GHSA"], "GitHub reviews ranges"),
    ("swift", &["GHSA"], "GitHub reviews ranges"),
    ("bitnami", &["BIT"], "Bitnami's word about what it packages"),
    ("julia", &["JLSEC"], "Julia's own"),
    ("hackage", &["HSEC"], "Haskell's own"),
    ("cran", &["RSEC"], "R's own"),
];

/// Who speaks: compared, the one with most say first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Voice<'r> {
    rank: u8,
    pub(crate) feed: &'r str,
    pub(crate) prefix: &'r str,
}

/// Whose word the row is.
pub(crate) fn voice<'r>(row: &Row<'r>, family: &str, is_system: bool) -> Voice<'r> {
    // Ids of one publisher start alike: `GHSA-…`, `GO-…`.
    let prefix = if is_system { "" } else { row.id.split('-').next().unwrap_or_default() };
    Voice { rank: rank(row, prefix, family, is_system), feed: row.feed, prefix }
}

fn rank(row: &Row<'_>, prefix: &str, family: &str, is_system: bool) -> u8 {
    const UNKNOWN: u8 = 100;
    const STARTER: u8 = 200;
    // Whoever says that a package is an attack is heard first.
    if row.malicious {
        return 0;
    }
    // What is built in is old by nature.
    if row.feed == "starter" {
        return STARTER;
    }
    let (table, word) = if is_system { (SYSTEMS, row.feed) } else { (LANGUAGES, prefix) };
    let order = table.iter().find(|(it, ..)| *it == family).map_or(&[][..], |(_, order, _)| *order);
    let at = order.iter().position(|it| word.eq_ignore_ascii_case(it));
    at.and_then(|it| u8::try_from(it + 1).ok()).unwrap_or(UNKNOWN)
}

/// Why the table of that family is as it is.
pub(crate) fn reason(family: &str, is_system: bool) -> Option<&'static str> {
    let table = if is_system { SYSTEMS } else { LANGUAGES };
    table.iter().find(|(it, ..)| *it == family).map(|(.., why)| *why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_has_an_order_without_repetition() {
        for table in [SYSTEMS, LANGUAGES] {
            assert!(table.iter().all(|(_, order, why)| !order.is_empty() && !why.is_empty()));
            for (number, (family, order, _)) in table.iter().enumerate() {
                assert!(!table[..number].iter().any(|it| it.0 == *family), "{family} twice");
                let twice = |(at, it): (usize, &&str)| order[..at].contains(it);
                assert!(!order.iter().enumerate().any(twice), "{family}");
            }
        }
    }
}
