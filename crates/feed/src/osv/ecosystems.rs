//! Ecosystems as OSV names them, and the spaces that they are.

use model::{Names, Purl, Space, filed_name};

/// Where a package of an OSV record lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Home {
    pub(super) space: Space,
    pub(super) names: Names,
    /// Packages of an operating system, whose records are about flaws of what they package.
    pub(super) is_distribution: bool,
    pub(super) channel: Option<String>,
    pub(super) products: Vec<String>,
    /// We know what this ecosystem is.
    pub(super) known: bool,
}

/// How what follows the ecosystem's name tells the release.
#[derive(Clone, Copy)]
enum Suffix {
    /// There is one space; a suffix is the address of a registry.
    One,
    /// It is the release.
    Release,
    /// `v3.20`.
    Alpine,
    /// `3` is `3.0`.
    Azure,
    /// `Pro:FIPS-updates:22.04:LTS`.
    Ubuntu,
    /// The end of a CPE.
    RedHat,
    /// What `os-release` has as its pretty name.
    Suse,
    /// Another ecosystem, whose packages are rebuilt under names of their own.
    Rebuilt,
}

struct Ecosystem {
    name: &'static str,
    family: &'static str,
    names: Names,
    is_distribution: bool,
    suffix: Suffix,
    /// osv.dev publishes a zip of it.
    hosted: bool,
}

const fn language(name: &'static str, family: &'static str, hosted: bool) -> Ecosystem {
    let (names, suffix) = (Names::Either, Suffix::One);
    Ecosystem { name, family, names, is_distribution: false, suffix, hosted }
}

const fn system(
    name: &'static str,
    family: &'static str,
    names: Names,
    suffix: Suffix,
    hosted: bool,
) -> Ecosystem {
    Ecosystem { name, family, names, is_distribution: true, suffix, hosted }
}

use Names::{Binary, Either, Source};
use Suffix::{Alpine, Azure, One, Rebuilt, RedHat, Release, Suse, Ubuntu};

const ECOSYSTEMS: &[Ecosystem] = &[
    // Languages and the like.
    language("Bioconductor", "bioconductor", false),
    language("Bitnami", "bitnami", true),
    language("CRAN", "cran", true),
    language("ConanCenter", "conan", false),
    language("GHC", "ghc", true),
    language("GitHub Actions", "github", true),
    language("Go", "golang", true),
    language("Hackage", "hackage", true),
    language("Hex", "hex", true),
    language("Julia", "julia", true),
    language("Kubernetes", "golang", false),
    language("Linux", "linux", true),
    language("Maven", "maven", true),
    language("NuGet", "nuget", true),
    language("Packagist", "composer", true),
    language("Pub", "pub", true),
    language("PyPI", "pypi", true),
    language("RubyGems", "gem", true),
    language("SwiftURL", "swift", true),
    language("VSCode", "vscode", true),
    language("crates.io", "cargo", true),
    language("npm", "npm", true),
    language("opam", "opam", true),
    // Distributions. Rocky's records name sources, although the schema leaves it open.
    system("AlmaLinux", "almalinux", Binary, Release, true),
    system("Alpaquita", "alpaquita", Source, Release, true),
    system("Alpine", "alpine", Source, Alpine, true),
    system("Android", "android", Either, Release, true),
    system("Azure Linux", "azurelinux", Source, Azure, true),
    system("BellSoft Hardened Containers", "bellsoft-hardened-containers", Source, Release, true),
    system("Chainguard", "chainguard", Either, One, true),
    system("CleanStart", "cleanstart", Either, One, true),
    system("DHI", "docker-hardened-images", Either, One, false),
    system("Debian", "debian", Source, Release, true),
    system("Docker Hardened Images", "docker-hardened-images", Either, One, true),
    system("Echo", "echo", Source, One, true),
    system("Mageia", "mageia", Source, Release, true),
    system("MinimOS", "minimos", Either, One, true),
    system("Photon OS", "photon", Either, Release, false),
    system("Red Hat", "rhel", Either, RedHat, true),
    system("Rocky Linux", "rocky", Source, Release, true),
    system("Root", "root", Either, Rebuilt, true),
    system("SUSE", "sles", Source, Suse, true),
    system("Ubuntu", "ubuntu", Source, Ubuntu, true),
    system("Wolfi", "wolfi", Either, One, true),
    system("openEuler", "openeuler", Source, Release, true),
    system("openSUSE", "opensuse", Source, Suse, true),
];

/// The ecosystems of which osv.dev publishes a zip.
pub(super) fn hosted() -> impl Iterator<Item = &'static str> {
    ECOSYSTEMS.iter().filter(|it| it.hosted).map(|it| it.name)
}

/// Is that an ecosystem's name, without a release?
pub(super) fn is_known(name: &str) -> bool {
    ECOSYSTEMS.iter().any(|it| it.name == name)
}

/// `Debian` of `Debian:12`.
pub(super) fn base(ecosystem: &str) -> &str {
    ecosystem.split_once(':').map_or(ecosystem, |(base, _)| base)
}

/// Where the packages of that ecosystem live. What nobody taught us is a space of its own.
pub(super) fn home(ecosystem: &str) -> Home {
    let (name, rest) = ecosystem.split_once(':').unwrap_or((ecosystem, ""));
    let Some(it) = ECOSYSTEMS.iter().find(|it| it.name.eq_ignore_ascii_case(name)) else {
        let family = name.trim().to_lowercase().replace(char::is_whitespace, "-");
        return Home { known: false, ..Home::new(space(&family, rest), Either, false) };
    };
    let plain = |space| Home::new(space, it.names, it.is_distribution);
    match it.suffix {
        One => plain(Space::of(it.family)),
        Release => plain(space(it.family, rest)),
        Alpine => plain(space(it.family, rest.strip_prefix('v').unwrap_or(rest))),
        Azure if rest == "2" || rest == "2.0" => plain(Space::release("mariner", "2.0")),
        Azure if rest.is_empty() || rest.contains('.') => plain(space(it.family, rest)),
        Azure => plain(Space::release(it.family, &format!("{rest}.0"))),
        Ubuntu => ubuntu(plain(Space::of(it.family)), rest),
        RedHat => red_hat(plain(Space::of(it.family)), rest),
        Suse => suse(plain(Space::of(it.family)), rest),
        Rebuilt
            if ECOSYSTEMS
                .iter()
                .any(|it| it.name == base(rest) && !matches!(it.suffix, Rebuilt)) =>
        {
            let original = home(rest);
            // The name tells the rebuilt package apart, be it the source's or the binary's.
            Home { names: Either, ..original }
        }
        Rebuilt => Home { known: false, ..plain(space(it.family, rest)) },
    }
}

impl Home {
    fn new(space: Space, names: Names, is_distribution: bool) -> Self {
        Self { space, names, is_distribution, channel: None, products: Vec::new(), known: true }
    }
}

fn space(family: &str, release: &str) -> Space {
    if release.is_empty() { Space::of(family) } else { Space::release(family, release) }
}

fn ubuntu(mut home: Home, rest: &str) -> Home {
    let mut channel = Vec::new();
    let mut is_pro = false;
    for part in rest.split(':') {
        match part {
            "Pro" => is_pro = true,
            "LTS" | "" => {}
            it if it.starts_with(|it: char| it.is_ascii_digit()) => {
                home.space = Space::release("ubuntu", it);
            }
            it => channel.push(it.to_ascii_lowercase()),
        }
    }
    if !channel.is_empty() {
        home.channel = Some(channel.join("-"));
    } else if is_pro {
        home.channel = Some("pro".to_owned());
    }
    home.known = home.space.release_name().is_some();
    home
}

/// `enterprise_linux:9::appstream`, `rhel_eus:9.4::baseos`, `openshift:4.13::el9`.
fn red_hat(mut home: Home, rest: &str) -> Home {
    let mut parts = rest.split(':');
    let product = parts.next().unwrap_or_default();
    let version = parts.next().unwrap_or_default();
    let major = version.split('.').next().unwrap_or_default();
    let is_number = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    // Support that goes on for one minor release has versions of its own.
    let longer = ["eus", "aus", "tus", "e4s", "els", "eus_long_life"]
        .into_iter()
        .find(|it| product.strip_prefix("rhel_") == Some(it));
    if product == "enterprise_linux" && is_number(major) {
        home.space = Space::release("rhel", major);
    } else if let Some(longer) = longer.filter(|_| is_number(major)) {
        home.space = Space::release("rhel", major);
        home.channel = Some(format!("{longer}-{version}"));
    } else {
        let layer = parts.find_map(|it| it.strip_prefix("el").filter(|it| is_number(it)));
        home.known = layer.is_some();
        if let Some(layer) = layer {
            home.space = Space::release("rhel", layer);
        }
        home.products = vec![format!("cpe:/a:redhat:{rest}")];
    }
    home
}

/// `Linux Enterprise Module for Basesystem 15 SP5`, `Leap 15.6`, `Linux Micro 6.0`, `Tumbleweed`.
fn suse(mut home: Home, rest: &str) -> Home {
    let family = if rest.contains("Leap Micro") {
        "leap-micro"
    } else if rest.contains("Leap") {
        "opensuse-leap"
    } else if rest.contains("Tumbleweed") {
        home.space = Space::of("opensuse-tumbleweed");
        return home;
    } else if rest.contains("Linux Enterprise Micro") {
        "sle-micro"
    } else if rest.contains("Linux Micro") {
        "sl-micro"
    } else if rest.contains("Linux Enterprise") || rest.contains("Package Hub") {
        "sles"
    } else {
        home.known = false;
        home.space = space(home.space.family(), rest);
        return home;
    };
    let mut words = rest.split([' ', '-']);
    let is_version = |it: &&str| {
        it.starts_with(|it: char| it.is_ascii_digit())
            && it.bytes().all(|it| it.is_ascii_digit() || it == b'.')
    };
    let major = words.find(is_version);
    let minor = words.next().and_then(|it| it.strip_prefix("SP"));
    match (major, minor) {
        (Some(major), Some(minor)) => {
            home.space = Space::release(family, &format!("{major}.{minor}"));
        }
        (Some(major), None) => home.space = Space::release(family, major),
        (None, _) => {
            home.known = false;
            home.space = space(home.space.family(), rest);
        }
    }
    home
}

/// The full name that a purl of such a package has.
pub(super) fn full_name(space: &Space, name: &str) -> String {
    match space.family() {
        "maven" => name.replacen(':', "/", 1),
        "pypi" => Purl::new("pypi", name).full_name(),
        "swift" => {
            let address = name.split_once("://").map_or(name, |(_, rest)| rest);
            let address = address.trim_end_matches('/');
            address.strip_suffix(".git").unwrap_or(address).to_owned()
        }
        // GitHub writes `SurrealDB` for the crate `surrealdb`, and one package of NuGet in two ways.
        kind => filed_name(kind, name).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn check(ecosystem: &str, expect: &str) {
        let home = home(ecosystem);
        let mut shown = format!("{} {:?}", home.space, home.names);
        if let Some(channel) = &home.channel {
            let _ = write!(shown, " channel {channel}");
        }
        for product in &home.products {
            let _ = write!(shown, " on {product}");
        }
        if !home.known {
            shown.push_str(" unknown");
        }
        assert_eq!(shown, expect, "{ecosystem}");
    }

    #[test]
    fn languages_have_one_space() {
        check("PyPI", "pypi Either");
        check("crates.io", "cargo Either");
        check("Go", "golang Either");
        check("Maven:https://maven.google.com", "maven Either");
        check("Packagist:https://packages.drupal.org/8", "composer Either");
        check("VSCode:https://open-vsx.org", "vscode Either");
        check("GitHub Actions", "github Either");
        check("kubernetes", "golang Either");
        check("Bitnami", "bitnami Either");
    }

    #[test]
    fn distributions_have_one_per_release() {
        check("Debian:12", "debian:12 Source");
        check("Debian", "debian Source");
        check("Alpine:v3.20", "alpine:3.20 Source");
        check("Alpine:edge", "alpine:edge Source");
        check("AlmaLinux:9", "almalinux:9 Binary");
        check("Rocky Linux:9", "rocky:9 Source");
        check("Mageia:9", "mageia:9 Source");
        check("openEuler:24.03-LTS-SP1", "openeuler:24.03-LTS-SP1 Source");
        check("Azure Linux:3", "azurelinux:3.0 Source");
        check("Azure Linux:2", "mariner:2.0 Source");
        check("Photon OS:5.0", "photon:5.0 Either");
        check("Wolfi", "wolfi Either");
        check("Alpaquita:stream", "alpaquita:stream Source");
        check("BellSoft Hardened Containers:23", "bellsoft-hardened-containers:23 Source");
    }

    #[test]
    fn ubuntu_has_channels() {
        check("Ubuntu:22.04:LTS", "ubuntu:22.04 Source");
        check("Ubuntu:23.10", "ubuntu:23.10 Source");
        check("Ubuntu:Pro:22.04:LTS", "ubuntu:22.04 Source channel pro");
        check("Ubuntu:Pro:FIPS-updates:22.04:LTS", "ubuntu:22.04 Source channel fips-updates");
        check("Ubuntu:Pro:Realtime:22.04:LTS", "ubuntu:22.04 Source channel realtime");
        check("Ubuntu", "ubuntu Source unknown");
    }

    #[test]
    fn red_hat_has_products() {
        check("Red Hat:enterprise_linux:9::appstream", "rhel:9 Either");
        check("Red Hat:enterprise_linux:10.0", "rhel:10 Either");
        check("Red Hat:rhel_eus:9.4::baseos", "rhel:9 Either channel eus-9.4");
        check("Red Hat:rhel_els:7", "rhel:7 Either channel els-7");
        check("Red Hat:openshift:4.13::el9", "rhel:9 Either on cpe:/a:redhat:openshift:4.13::el9");
        check("Red Hat:hummingbird:1", "rhel Either on cpe:/a:redhat:hummingbird:1 unknown");
    }

    #[test]
    fn suse_has_pretty_names() {
        check("SUSE:Linux Enterprise Server 15 SP5", "sles:15.5 Source");
        check("SUSE:Linux Enterprise Server 15 SP3-LTSS", "sles:15.3 Source");
        check("SUSE:Linux Enterprise Module for Basesystem 15 SP5", "sles:15.5 Source");
        check("SUSE:Linux Enterprise Server for SAP Applications 12", "sles:12 Source");
        check("SUSE:Linux Enterprise Micro 5.3", "sle-micro:5.3 Source");
        check("SUSE:Linux Micro 6.0", "sl-micro:6.0 Source");
        check("SUSE:Manager Server 4.3", "sles:Manager Server 4.3 Source unknown");
        check("openSUSE:Leap 15.6", "opensuse-leap:15.6 Source");
        check("openSUSE:Tumbleweed", "opensuse-tumbleweed Source");
    }

    #[test]
    fn rebuilt_packages_live_where_their_originals_do() {
        check("Root:Ubuntu:22.04", "ubuntu:22.04 Either");
        check("Root:Alpine:3.18", "alpine:3.18 Either");
        check("Root:npm", "npm Either");
        check("Root:Root:npm", "root:Root:npm Either unknown");
        check("Root", "root Either unknown");
    }

    #[test]
    fn what_is_unknown_is_a_space_of_its_own() {
        check("TuxCare:AlmaLinux 9.2", "tuxcare:AlmaLinux 9.2 Either unknown");
        check("Some Thing", "some-thing Either unknown");
        check("", " Either unknown");
    }

    #[test]
    fn names_are_those_of_purls() {
        let check = |family: &str, name: &str, expect: &str| {
            assert_eq!(full_name(&Space::of(family), name), expect);
        };
        check(
            "maven",
            "org.apache.logging.log4j:log4j-core",
            "org.apache.logging.log4j/log4j-core",
        );
        check("pypi", "Zope.Interface", "zope-interface");
        check("npm", "@babel/core", "@babel/core");
        check("composer", "Drupal/Core", "drupal/core");
        check("golang", "github.com/Masterminds/goutils", "github.com/masterminds/goutils");
        check("golang", "stdlib", "stdlib");
        check("swift", "https://github.com/apple/swift-nio.git", "github.com/apple/swift-nio");
        check("github", "Actions/Checkout", "actions/checkout");
        check("nuget", "Microsoft.NetCore.App", "microsoft.netcore.app");
        check("cargo", "SurrealDB", "surrealdb");
    }
}
