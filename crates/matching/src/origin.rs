//! Packages in a distribution's format that somebody else built: nobody's advisories speak of them.

use model::Package;

/// Words of which one is in the vendor's name of each rpm that the distribution built itself.
const RPM_VENDORS: &[(&str, &[&str])] = &[
    ("almalinux", &["almalinux"]),
    ("amzn", &["amazon"]),
    ("azurelinux", &["microsoft"]),
    ("centos", &["centos", "red hat"]),
    ("fedora", &["fedora"]),
    ("mariner", &["microsoft"]),
    ("ol", &["oracle"]),
    ("opensuse", &["opensuse", "suse"]),
    ("opensuse-leap", &["opensuse", "suse"]),
    ("opensuse-tumbleweed", &["opensuse", "suse"]),
    ("photon", &["vmware", "broadcom"]),
    ("rhel", &["red hat"]),
    ("rocky", &["rocky"]),
    ("sles", &["suse"]),
];

/// Names of vendors who build rpms for others' distributions. Anyone else may be somebody who
/// rebuilt a distribution's package, or just its packager: then its advisories are asked.
const RPM_STRANGERS: &[&str] = &[
    "confluent",
    "docker",
    "elastic",
    "fedora",
    "gitlab",
    "google",
    "grafana",
    "hashicorp",
    "influxdata",
    "intel corporation",
    "mariadb",
    "microsoft",
    "mongodb",
    "mysql",
    "nginx",
    "nodesource",
    "nvidia",
    "oracle",
    "percona",
    "pgdg",
    "postgresql global development group",
    "puppet",
    "remi",
    "rpm fusion",
    "zabbix",
];

/// What versions of others' debs have in them, and who they are.
const DEB_VERSIONS: &[(&str, &str)] = &[
    ("+deb.sury.org", "deb.sury.org"),
    (".pgdg", "apt.postgresql.org"),
    ("nodesource", "NodeSource"),
    ("~ppa", "a personal package archive"),
    ("ppa~", "a personal package archive"),
];

/// Addresses of maintainers who build debs for others' distributions.
const DEB_MAINTAINERS: &[&str] = &[
    "@docker.com",
    "@elastic.co",
    "@f5.com",
    "@gitlab.com",
    "@grafana.com",
    "@hashicorp.com",
    "@influxdata.com",
    "@mongodb.com",
    "@nginx.com",
    "@nodesource.com",
    "@nvidia.com",
    "@percona.com",
    "@puppet.com",
    "@zabbix.com",
];

/// Who built the package, where that is certainly not the distribution `family`.
pub(crate) fn stranger(package: &Package, family: &str) -> Option<String> {
    let author = package.author.as_deref().unwrap_or_default();
    match package.purl.kind() {
        "rpm" => {
            let (_, own) = RPM_VENDORS.iter().find(|(it, _)| *it == family)?;
            let vendor = author.to_ascii_lowercase();
            let is_stranger = !own.iter().any(|it| vendor.contains(it))
                && RPM_STRANGERS.iter().any(|it| vendor.contains(it));
            is_stranger.then(|| author.to_owned())
        }
        "deb" => {
            let version = package.purl.version().unwrap_or_default();
            let by_version =
                DEB_VERSIONS.iter().find(|(mark, _)| version.contains(mark)).map(|(_, who)| *who);
            if let Some(who) = by_version {
                return Some(who.to_owned());
            }
            let address = author.to_ascii_lowercase();
            let maintainer = DEB_MAINTAINERS.iter().find(|it| address.contains(*it))?;
            Some(maintainer.trim_start_matches('@').to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(family: &str, purl: &str, author: &str, expect: Option<&str>) {
        let mut package = Package::new(purl.parse().unwrap());
        package.author = (!author.is_empty()).then(|| author.to_owned());
        assert_eq!(stranger(&package, family).as_deref(), expect);
    }

    #[test]
    fn tells_strangers() {
        check("rhel", "pkg:rpm/redhat/bash@5", "Red Hat, Inc.", None);
        check("rhel", "pkg:rpm/redhat/bash@5", "", None);
        check("rhel", "pkg:rpm/redhat/bash@5", "Ann <ann@example.org>", None);
        check("rhel", "pkg:rpm/redhat/htop@3", "Fedora Project", Some("Fedora Project"));
        check("fedora", "pkg:rpm/fedora/htop@3", "Fedora Project", None);
        check("ol", "pkg:rpm/ol/mysql@8", "Oracle America", None);
        check(
            "rocky",
            "pkg:rpm/rocky/mysql@8",
            "Oracle and/or its affiliates",
            Some("Oracle and/or its affiliates"),
        );
        check("rocky", "pkg:rpm/rocky/bash@5", "Rocky Enterprise Software Foundation", None);
        check("debian", "pkg:deb/debian/nodejs@18.1-1nodesource1", "", Some("NodeSource"));
        check(
            "debian",
            "pkg:deb/debian/docker-ce@5:24",
            "Docker <support@docker.com>",
            Some("docker.com"),
        );
        check("debian", "pkg:deb/debian/bash@5", "Ann <ann@debian.org>", None);
    }
}
