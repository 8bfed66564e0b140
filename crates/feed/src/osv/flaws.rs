//! Which flaws a record is about: itself, what it is upstream of it, or all that an erratum mends.

/// A flaw that a record tells of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) id: String,
    pub(super) aliases: Vec<String>,
    pub(super) related: Vec<String>,
    /// The erratum, where the record is one.
    pub(super) bulletin: Option<String>,
}

/// The names that a record gives.
pub(super) struct Names<'a> {
    pub(super) id: &'a str,
    pub(super) aliases: Vec<&'a str>,
    pub(super) upstream: Vec<&'a str>,
    pub(super) related: Vec<&'a str>,
    /// What the pages that it refers to are called.
    pub(super) pages: Vec<&'a str>,
}

/// Errata about flaws, and errata about other things.
const ERRATA: &[(&str, bool)] = &[
    ("ALBA-", false),
    ("ALEA-", false),
    ("ALSA-", true),
    ("DLA-", true),
    ("DSA-", true),
    ("DTSA-", true),
    ("ELSA-", true),
    ("LSN-", true),
    ("MGAA-", false),
    ("MGASA-", true),
    ("OESA-", true),
    ("PHSA-", true),
    ("RHBA-", false),
    ("RHEA-", false),
    ("RHSA-", true),
    ("RLBA-", false),
    ("RLEA-", false),
    ("RLSA-", true),
    ("RXSA-", true),
    ("SUSE-FU-", false),
    ("SUSE-OU-", false),
    ("SUSE-RU-", false),
    ("SUSE-SU-", true),
    ("USN-", true),
    ("openSUSE-RU-", false),
    ("openSUSE-SU-", true),
];

/// The flaws that a record is about. None for an erratum that mends no flaw.
pub(super) fn flaws(names: &Names<'_>, is_distribution: bool) -> Vec<Flaw> {
    if is_distribution { of_distribution(names) } else { vec![of_language(names)] }
}

/// In a language's database the record is the flaw.
fn of_language(names: &Names<'_>) -> Flaw {
    let mut aliases = owned(&names.aliases);
    let mut related = owned(&names.related);
    let upstream = cves(&names.upstream);
    // A package that bundles a library inherits its flaw. Of several the record says which only in
    // its text.
    if let ([cve], false) = (&upstream[..], aliases.iter().any(|it| is_cve(it))) {
        aliases.push((*cve).to_owned());
    } else {
        related.extend(upstream.iter().map(|it| (*it).to_owned()));
    }
    Flaw { id: names.id.to_owned(), aliases, related, bulletin: None }
}

/// In a distribution's it is what upstream calls it.
fn of_distribution(names: &Names<'_>) -> Vec<Flaw> {
    let erratum = ERRATA.iter().find(|(prefix, _)| names.id.starts_with(prefix));
    let mut told = cves(&names.upstream);
    if told.is_empty() {
        told = cves(&names.aliases);
    }
    if told.is_empty() {
        told = cves(&[names.id]);
    }
    if told.is_empty() && erratum.is_some() {
        told = cves(&names.related);
    }
    // Some of AlmaLinux's name them only so.
    if told.is_empty() && erratum.is_some_and(|(_, is_about_flaws)| *is_about_flaws) {
        told = cves(&names.pages);
    }
    match (&told[..], erratum) {
        ([], Some((_, false))) => Vec::new(),
        ([], _) => vec![Flaw {
            id: names.id.to_owned(),
            aliases: owned(&names.aliases),
            related: owned(&names.related),
            bulletin: erratum.map(|_| names.id.to_owned()),
        }],
        ([cve], None) => {
            let others = names.aliases.iter().chain(&names.upstream).copied();
            let others = others.filter(|it| *it != *cve && cve_within(it).is_none());
            let mut aliases: Vec<String> =
                std::iter::once(names.id).chain(others).map(str::to_owned).collect();
            aliases.retain(|it| it != cve);
            aliases.dedup();
            vec![Flaw {
                id: (*cve).to_owned(),
                aliases,
                related: owned(&names.related),
                bulletin: None,
            }]
        }
        (several, _) => several
            .iter()
            .map(|cve| Flaw {
                id: (*cve).to_owned(),
                bulletin: Some(names.id.to_owned()),
                ..Flaw::default()
            })
            .collect(),
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|it| (*it).to_owned()).collect()
}

/// The CVE numbers among those names, in their order, each once.
fn cves<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for cve in names.iter().filter_map(|it| cve_within(it)) {
        if seen.insert(cve) {
            found.push(cve);
        }
    }
    found
}

/// `CVE-2024-1` of itself and of `UBUNTU-CVE-2024-1`.
fn cve_within(name: &str) -> Option<&str> {
    let at = name
        .find("CVE-")
        .filter(|at| *at == 0 || name.get(..*at).is_some_and(|it| it.ends_with('-')))?;
    name.get(at..).filter(|it| is_cve(it))
}

fn is_cve(name: &str) -> bool {
    let Some((year, number)) = name.strip_prefix("CVE-").and_then(|it| it.split_once('-')) else {
        return false;
    };
    let is_number = |it: &str| it.bytes().all(|it| it.is_ascii_digit());
    year.len() == 4 && is_number(year) && number.len() >= 3 && is_number(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(is_distribution: bool, id: &str, rest: &str, expect: &str) {
        let field = |mark: char| {
            rest.split_whitespace().filter_map(|it| it.strip_prefix(mark)).collect::<Vec<_>>()
        };
        let names = Names {
            id,
            aliases: field('='),
            upstream: field('^'),
            related: field('~'),
            pages: field('/'),
        };
        let shown: Vec<String> = flaws(&names, is_distribution)
            .iter()
            .map(|it| {
                let mut shown = it.id.clone();
                let marks = [(" =", &it.aliases), (" ~", &it.related)];
                for (mark, name) in
                    marks.iter().flat_map(|(mark, it)| it.iter().map(move |it| (mark, it)))
                {
                    shown += mark;
                    shown += name;
                }
                shown += &it.bulletin.as_ref().map_or(String::new(), |it| format!(" by {it}"));
                shown
            })
            .collect();
        assert_eq!(shown.join(", "), expect, "{id} {rest}");
    }

    #[test]
    fn a_distribution_names_upstream_flaws() {
        check(
            true,
            "DEBIAN-CVE-2024-0001",
            "^CVE-2024-0001",
            "CVE-2024-0001 =DEBIAN-CVE-2024-0001",
        );
        check(true, "ALPINE-CVE-2024-0001", "", "CVE-2024-0001 =ALPINE-CVE-2024-0001");
        check(
            true,
            "UBUNTU-CVE-2024-0001",
            "^CVE-2024-0001 ~USN-1-1",
            "CVE-2024-0001 =UBUNTU-CVE-2024-0001 ~USN-1-1",
        );
        check(true, "CGA-1-2-3", "^CVE-2024-0001 ^GHSA-1", "CVE-2024-0001 =CGA-1-2-3 =GHSA-1");
        check(true, "CVE-2024-0001", "=NSWG-1", "CVE-2024-0001 =NSWG-1");
        check(true, "MINI-1", "=GHSA-1", "MINI-1 =GHSA-1");
    }

    #[test]
    fn an_erratum_is_about_each_flaw_it_mends() {
        check(
            true,
            "USN-1-1",
            "^CVE-2024-0001 ^UBUNTU-CVE-2024-0001 ^CVE-2024-0002 ~UBUNTU-CVE-2024-0001",
            "CVE-2024-0001 by USN-1-1, CVE-2024-0002 by USN-1-1",
        );
        check(true, "ALSA-2024:1", "~CVE-2024-0001", "CVE-2024-0001 by ALSA-2024:1");
        check(true, "ALBA-2024:1", "~CVE-2024-0001", "CVE-2024-0001 by ALBA-2024:1");
        check(true, "RHSA-2024:1", "=CVE-2024-0001", "CVE-2024-0001 by RHSA-2024:1");
        check(true, "DSA-1-1", "", "DSA-1-1 by DSA-1-1");
        check(true, "ALSA-2024:1", "/CVE-2024-0001 /RHSA-2024:1", "CVE-2024-0001 by ALSA-2024:1");
        check(true, "ALSA-2024:1", "~CVE-2024-0002 /CVE-2024-0001", "CVE-2024-0002 by ALSA-2024:1");
        check(true, "ALBA-2024:1", "/CVE-2024-0001", "");
        check(true, "ALBA-2024:1", "", "");
        check(true, "SUSE-RU-2024:1-1", "", "");
    }

    #[test]
    fn a_language_names_its_own() {
        check(false, "GHSA-1", "=CVE-2024-0001 ~GHSA-2", "GHSA-1 =CVE-2024-0001 ~GHSA-2");
        check(false, "JLSEC-1", "^CVE-2024-0001", "JLSEC-1 =CVE-2024-0001");
        check(
            false,
            "JLSEC-1",
            "^CVE-2024-0001 ^CVE-2024-0002",
            "JLSEC-1 ~CVE-2024-0001 ~CVE-2024-0002",
        );
        check(false, "A-1", "=CVE-2024-0009 ^CVE-2024-0001", "A-1 =CVE-2024-0009 ~CVE-2024-0001");
        check(false, "SAPKB-CVE-2024-0001", "=CVE-2024-0001", "SAPKB-CVE-2024-0001 =CVE-2024-0001");
    }

    #[test]
    fn numbers_are_told_from_other_names() {
        for (name, expect) in [
            ("CVE-2024-0001", Some("CVE-2024-0001")),
            ("UBUNTU-CVE-2024-0001", Some("CVE-2024-0001")),
            ("CVE-2024-", None),
            ("CVE-24-0001", None),
            ("XCVE-2024-0001", None),
            ("CVE-2024-00x1", None),
        ] {
            assert_eq!(cve_within(name), expect, "{name}");
        }
    }
}
