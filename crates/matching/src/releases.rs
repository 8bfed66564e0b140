//! Releases of well-known distributions, with the day on which public security support ends.

/// Of one release.
pub(crate) struct Release {
    /// `ID` of `os-release`.
    pub(crate) family: &'static str,
    /// As its space has it.
    pub(crate) name: &'static str,
    /// The last day, as published.
    pub(crate) until: &'static str,
}

/// Who publishes the dates of a family, and what they are the end of.
const SOURCES: &[(&str, &str)] = &[
    ("almalinux", "security support, wiki.almalinux.org/release-notes"),
    ("alpine", "support, alpinelinux.org/releases"),
    ("amzn", "support, aws.amazon.com/amazon-linux"),
    ("centos", "updates, wiki.centos.org"),
    ("debian", "long-term support, wiki.debian.org/LTS"),
    ("fedora", "updates, fedorapeople.org/groups/schedule"),
    ("mariner", "support, learn.microsoft.com/azure/azure-linux"),
    ("ol", "premier support, oracle.com/a/ocom/docs/elsp-lifetime-069338.pdf"),
    ("rhel", "maintenance support, access.redhat.com/support/policy/updates/errata"),
    ("rocky", "support, wiki.rockylinux.org/rocky/version"),
    ("ubuntu", "standard support (Ubuntu Pro goes on), ubuntu.com/about/release-cycle"),
];

const fn release(family: &'static str, name: &'static str, until: &'static str) -> Release {
    Release { family, name, until }
}

const RELEASES: &[Release] = &[
    release("almalinux", "8", "2029-05-31"),
    release("almalinux", "9", "2032-05-31"),
    release("almalinux", "10", "2035-05-31"),
    release("alpine", "3.3", "2017-11-01"),
    release("alpine", "3.4", "2018-05-01"),
    release("alpine", "3.5", "2018-11-01"),
    release("alpine", "3.6", "2019-05-01"),
    release("alpine", "3.7", "2019-11-01"),
    release("alpine", "3.8", "2020-05-01"),
    release("alpine", "3.9", "2020-11-01"),
    release("alpine", "3.10", "2021-05-01"),
    release("alpine", "3.11", "2021-11-01"),
    release("alpine", "3.12", "2022-05-01"),
    release("alpine", "3.13", "2022-11-01"),
    release("alpine", "3.14", "2023-05-01"),
    release("alpine", "3.15", "2023-11-01"),
    release("alpine", "3.16", "2024-05-23"),
    release("alpine", "3.17", "2024-11-22"),
    release("alpine", "3.18", "2025-05-09"),
    release("alpine", "3.19", "2025-11-01"),
    release("alpine", "3.20", "2026-04-01"),
    release("alpine", "3.21", "2026-11-01"),
    release("alpine", "3.22", "2027-05-01"),
    release("alpine", "3.23", "2027-11-01"),
    release("alpine", "3.24", "2028-06-01"),
    release("amzn", "1", "2023-12-31"),
    release("amzn", "2", "2026-06-30"),
    release("amzn", "2023", "2029-06-30"),
    release("centos", "5", "2017-03-31"),
    release("centos", "6", "2020-11-30"),
    release("centos", "7", "2024-06-30"),
    release("centos", "8", "2021-12-31"),
    release("debian", "6", "2016-02-29"),
    release("debian", "7", "2018-05-31"),
    release("debian", "8", "2020-06-30"),
    release("debian", "9", "2022-06-30"),
    release("debian", "10", "2024-06-30"),
    release("debian", "11", "2026-08-31"),
    release("debian", "12", "2028-06-30"),
    release("debian", "13", "2030-06-30"),
    release("fedora", "36", "2023-05-16"),
    release("fedora", "37", "2023-12-05"),
    release("fedora", "38", "2024-05-21"),
    release("fedora", "39", "2024-11-26"),
    release("fedora", "40", "2025-05-13"),
    release("fedora", "41", "2025-12-15"),
    release("fedora", "42", "2026-05-27"),
    release("fedora", "43", "2026-12-09"),
    release("fedora", "44", "2027-06-02"),
    release("mariner", "1.0", "2023-07-31"),
    release("mariner", "2.0", "2025-07-31"),
    release("ol", "6", "2021-03-31"),
    release("ol", "7", "2024-12-31"),
    release("ol", "8", "2029-07-31"),
    release("ol", "9", "2032-06-30"),
    release("rhel", "5", "2017-03-31"),
    release("rhel", "6", "2020-11-30"),
    release("rhel", "7", "2024-06-30"),
    release("rhel", "8", "2029-05-31"),
    release("rhel", "9", "2032-05-31"),
    release("rhel", "10", "2035-05-31"),
    release("rocky", "8", "2029-05-31"),
    release("rocky", "9", "2032-05-31"),
    release("rocky", "10", "2035-05-31"),
    release("ubuntu", "14.04", "2019-04-30"),
    release("ubuntu", "16.04", "2021-04-30"),
    release("ubuntu", "16.10", "2017-07-20"),
    release("ubuntu", "17.04", "2018-01-13"),
    release("ubuntu", "17.10", "2018-07-19"),
    release("ubuntu", "18.04", "2023-05-31"),
    release("ubuntu", "18.10", "2019-07-18"),
    release("ubuntu", "19.04", "2020-01-23"),
    release("ubuntu", "19.10", "2020-07-17"),
    release("ubuntu", "20.04", "2025-05-31"),
    release("ubuntu", "20.10", "2021-07-22"),
    release("ubuntu", "21.04", "2022-01-20"),
    release("ubuntu", "21.10", "2022-07-14"),
    release("ubuntu", "22.04", "2027-06-01"),
    release("ubuntu", "22.10", "2023-07-20"),
    release("ubuntu", "23.04", "2024-01-25"),
    release("ubuntu", "23.10", "2024-07-11"),
    release("ubuntu", "24.04", "2029-05-31"),
    release("ubuntu", "24.10", "2025-07-10"),
    release("ubuntu", "25.04", "2026-01-15"),
    release("ubuntu", "25.10", "2026-07-09"),
    release("ubuntu", "26.04", "2031-05-29"),
];

/// The releases of a family that we know of.
pub(crate) fn of(family: &str) -> impl Iterator<Item = &'static Release> {
    RELEASES.iter().filter(move |it| it.family == family)
}

/// The last day on which somebody mends that release, as published.
pub(crate) fn until(family: &str, version: &str) -> Option<&'static str> {
    let is_of = |it: &&Release| {
        let rest = version.strip_prefix(it.name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    of(family).filter(is_of).max_by_key(|it| it.name.len()).map(|it| it.until)
}

/// In words, if it is over: `end of life since 2024-06-30 (long-term support, …)`.
pub(crate) fn ended(family: &str, name: &str, today: Option<&str>) -> Option<String> {
    let release = of(family).find(|it| it.name == name)?;
    let source = SOURCES.iter().find(|(it, _)| *it == family).map_or("", |(_, source)| source);
    let is_over = today?.get(..10)? > release.until;
    is_over.then(|| format!("end of life since {} ({source})", release.until))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_date_is_one_and_has_a_source() {
        for it in RELEASES {
            let digits = it.until.bytes().filter(u8::is_ascii_digit).count();
            assert!(digits == 8 && it.until.len() == 10, "{}", it.until);
            assert!(SOURCES.iter().any(|(family, _)| *family == it.family), "{}", it.family);
        }
        assert!(SOURCES.iter().all(|(family, _)| of(family).next().is_some()));
    }

    #[test]
    fn a_point_release_ends_with_its_release() {
        assert_eq!(until("alpine", "3.20.3"), Some("2026-04-01"));
        assert_eq!(until("alpine", "3.2"), None);
        assert_eq!(until("debian", "12"), Some("2028-06-30"));
        assert_eq!(until("mariner", "2.0"), Some("2025-07-31"));
        assert_eq!(until("debian", "120"), None);
        assert_eq!(until("plan9", "4"), None);
    }

    #[test]
    fn the_last_day_is_still_a_day() {
        assert_eq!(ended("debian", "10", Some("2024-06-30")), None);
        assert!(ended("debian", "10", Some("2024-07-01T00:00:00Z")).is_some());
        assert_eq!(ended("debian", "10", None), None);
        assert_eq!(ended("debian", "10", Some("?")), None);
        assert_eq!(ended("debian", "99", Some("2050-01-01")), None);
    }
}
