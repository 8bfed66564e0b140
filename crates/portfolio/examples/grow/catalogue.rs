//! What there is to be installed: distributions, languages, names and versions, all by number.

use model::{Distro, Package, Purl, SourcePackage, Space};

/// A distribution, with packages of so many sources.
pub(crate) struct System {
    pub(crate) kind: &'static str,
    namespace: &'static str,
    id: &'static str,
    version: &'static str,
    pub(crate) space: &'static str,
    pub(crate) feed: &'static str,
}

pub(crate) const SYSTEMS: [System; 8] = [
    system("deb", "debian", "debian", "12", "debian:12", "debian-tracker"),
    system("deb", "debian", "debian", "11", "debian:11", "debian-tracker"),
    system("deb", "ubuntu", "ubuntu", "22.04", "ubuntu:22.04", "ubuntu-vex"),
    system("deb", "ubuntu", "ubuntu", "24.04", "ubuntu:24.04", "ubuntu-vex"),
    system("apk", "alpine", "alpine", "3.19.1", "alpine:3.19", "alpine"),
    system("apk", "alpine", "alpine", "3.20.3", "alpine:3.20", "alpine"),
    system("rpm", "redhat", "rhel", "9.4", "rhel:9", "redhat-vex"),
    system("rpm", "amzn", "amzn", "2023", "amzn:2023", "amazon"),
];

const fn system(
    kind: &'static str,
    namespace: &'static str,
    id: &'static str,
    version: &'static str,
    space: &'static str,
    feed: &'static str,
) -> System {
    System { kind, namespace, id, version, space, feed }
}

/// Sources of each distribution; each is built to one to four packages.
pub(crate) const SOURCES: u64 = 1200;
/// Versions of each package, that anybody still has.
pub(crate) const VERSIONS: u64 = 12;
/// A language's purl type, how many packages it has, and the feed about them.
pub(crate) const LANGUAGES: [(&str, u64); 4] =
    [("npm", 12_000), ("pypi", 6000), ("maven", 6000), ("golang", 4000)];

impl System {
    pub(crate) fn distro(&self) -> Distro {
        Distro {
            id: self.id.to_owned(),
            version: Some(self.version.to_owned()),
            ..Distro::default()
        }
    }

    /// Its `part`th package of a source.
    pub(crate) fn package(&self, source: u64, part: u64, version: u64) -> Package {
        let purl = Purl::new(self.kind, &format!("lib{source}-{part}"))
            .with_namespace(self.namespace)
            .with_version(&self.written(version))
            .with_qualifier("arch", "amd64")
            .with_qualifier("distro", &format!("{}-{}", self.id, self.version));
        let mut package = Package::new(purl);
        package.source = Some(SourcePackage { name: source_name(source), version: None });
        package
    }

    pub(crate) fn written(&self, version: u64) -> String {
        match self.kind {
            "apk" => format!("1.2.{version}-r0"),
            "rpm" => format!("1.2.{version}-1.el9"),
            _ => format!("1.2.{version}-1"),
        }
    }

    pub(crate) fn space(&self) -> Space {
        Space::from(self.space)
    }
}

pub(crate) fn source_name(source: u64) -> String {
    format!("source{source}")
}

/// How many packages a source is built to.
pub(crate) fn parts(source: u64) -> u64 {
    1 + mixed(&[source, 77]) % 4
}

pub(crate) fn language_package(kind: &str, name: u64, version: u64) -> Package {
    let purl = Purl::new(kind, &format!("package-{name}"));
    let purl = match namespace(kind, name) {
        Some(it) => purl.with_namespace(&it),
        None => purl,
    };
    Package::new(purl.with_version(&language_version(kind, version)))
}

pub(crate) fn language_version(kind: &str, version: u64) -> String {
    let version = format!("{}.{}.0", 1 + version / 4, version % 4);
    if kind == "golang" { format!("v{version}") } else { version }
}

/// A package's full name.
pub(crate) fn language_name(kind: &str, name: u64) -> String {
    match namespace(kind, name) {
        Some(it) => format!("{it}/package-{name}"),
        None => format!("package-{name}"),
    }
}

fn namespace(kind: &str, name: u64) -> Option<String> {
    match kind {
        "maven" => Some(format!("org.example{}", name % 900)),
        "golang" => Some(format!("github.com/example{}", name % 900)),
        "npm" if name.is_multiple_of(5) => Some(format!("@example{}", name % 90)),
        _ => None,
    }
}

/// A number that depends on these, and on nothing else.
pub(crate) fn mixed(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |sum, part| {
        let mut it = (sum ^ part).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ (it >> 31)
    })
}

/// Chance that can be repeated.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 = mixed(&[self.0, 1]);
        self.0 % most.max(1)
    }

    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// One of so many, by popularity: the share of the first hundred is about as large as that of the
    /// next thousand.
    #[expect(clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "chance")]
    pub(crate) fn popular(&mut self, many: u64) -> u64 {
        let chance = self.below(1 << 30) as f64 / (1_u64 << 30) as f64;
        let rank = ((many as f64 + 1.0).ln() * chance).exp() - 1.0;
        (rank as u64).min(many - 1)
    }
}
