//! Where packages and advisories can meet: the space of each package.

use std::collections::HashMap;

use almanac::Book;
use ecosystem::order::{self, Order};
use model::{Distro, Purl, Space};

use crate::releases;

/// Where a package stands.
pub(crate) struct Ground {
    /// What to call it in a line: `type generic`, `debian 12`.
    pub(crate) label: String,
    /// Where its advisories are; or why there are none.
    pub(crate) meeting: Result<Meeting, String>,
    /// What the reader must know even so.
    pub(crate) caution: Option<String>,
    /// How the space was found, for a chain.
    pub(crate) how: String,
}

/// A space in which somebody publishes.
pub(crate) struct Meeting {
    pub(crate) space: Space,
    /// How its versions are ordered. `None`: nobody taught us.
    pub(crate) order: Option<&'static dyn Order>,
    /// Who publishes.
    pub(crate) feeds: Vec<String>,
    /// An operating system's: its publisher is the vendor.
    pub(crate) is_system: bool,
    /// The release in full: `9.4` where the space is `rhel:9`.
    pub(crate) release: Option<String>,
}

/// All grounds of an inventory, each found once.
pub(crate) struct Grounds<'q> {
    distro: Option<&'q Distro>,
    book: &'q dyn Book,
    today: Option<&'q str>,
    found: Vec<Ground>,
    /// By type, namespace and `distro` qualifier.
    known: HashMap<(&'q str, &'q str, &'q str), usize>,
}

impl<'q> Grounds<'q> {
    pub(crate) fn new(
        distro: Option<&'q Distro>,
        book: &'q dyn Book,
        today: Option<&'q str>,
    ) -> Self {
        Self { distro, book, today, found: Vec::new(), known: HashMap::new() }
    }

    /// The number of the ground on which that package stands.
    pub(crate) fn of(&mut self, purl: &'q Purl) -> usize {
        let key = if is_system(purl.kind()) {
            let namespace = purl.namespace().unwrap_or_default();
            (purl.kind(), namespace, purl.qualifier("distro").unwrap_or_default())
        } else {
            (purl.kind(), "", "")
        };
        if let Some(number) = self.known.get(&key) {
            return *number;
        }
        let ground = self.find(purl);
        self.found.push(ground);
        let number = self.found.len() - 1;
        self.known.insert(key, number);
        number
    }

    /// Those found, in the order of their numbers.
    pub(crate) fn into_found(self) -> Vec<Ground> {
        self.found
    }

    fn find(&self, purl: &Purl) -> Ground {
        if is_system(purl.kind()) {
            return match System::of(purl, self.distro) {
                Some(system) => self.system(&system),
                None => Ground {
                    label: format!("type {}", purl.kind()),
                    meeting: Err("no distribution is named, so no advisory source".to_owned()),
                    caution: None,
                    how: "neither the package nor the image names a distribution".to_owned(),
                },
            };
        }
        let space = Space::of(purl.kind());
        let how = format!("by its type, {}", purl.kind());
        let label = format!("type {}", purl.kind());
        let meeting = self.meeting(&space, false, None).ok_or_else(|| {
            if order::of(&space).is_some() {
                format!("no advisory source for {space} in the almanac")
            } else {
                "no advisory source".to_owned()
            }
        });
        Ground { label, meeting, caution: None, how }
    }

    fn system(&self, system: &System) -> Ground {
        let label = match &system.release {
            Some(release) => format!("{} {release}", system.family),
            None => system.family.clone(),
        };
        let release_name = system.release.as_deref().map(|it| major_or_full(&system.family, it));
        let ended = release_name
            .as_deref()
            .and_then(|release| releases::ended(&system.family, release, self.today));
        let how = format!("by {}: {label}", system.told_by);
        let own = system
            .spaces()
            .iter()
            .find_map(|space| self.meeting(space, true, system.release.clone()));
        if let Some(meeting) = own {
            let caution = ended.map(|it| format!("{it}: what became known later may be missing"));
            return Ground { label, meeting: Ok(meeting), caution, how };
        }
        if system.family == "centos"
            && let Some(release) = system.release.as_deref()
        {
            let space = Space::release("rhel", major(release));
            if let Some(meeting) = self.meeting(&space, true, system.release.clone()) {
                let is_stream = system.is_stream || matches!(major(release), "9" | "10");
                let caution = if is_stream {
                    Some(format!(
                        "matched with advisories of {space}: z-stream versions differ from CentOS Stream's"
                    ))
                } else {
                    ended.map(|it| format!("{it}: what became known later may be missing"))
                };
                let how = format!("{how}, built from the sources of {space}");
                return Ground { label, meeting: Ok(meeting), caution, how };
            }
        }
        let why = self.no_source(system, &label, release_name.as_deref(), ended);
        Ground { label, meeting: Err(why), caution: None, how }
    }

    fn no_source(
        &self,
        system: &System,
        label: &str,
        release: Option<&str>,
        ended: Option<String>,
    ) -> String {
        let none = format!("no advisory source for {label}");
        if let Some(ended) = ended {
            return format!("{none}, {ended}");
        }
        let others = releases::of(&system.family)
            .filter(|it| Some(it.name) != release)
            .any(|it| !self.book.feeds(&Space::release(it.family, it.name)).is_empty());
        if system.release.is_none() && others {
            format!("{none}, whose release is not known")
        } else if others {
            format!("{none}, which is end of life or unknown: there is one for other releases")
        } else if system.like.is_empty() {
            none
        } else {
            format!("{none}: those of its relative {} do not speak of it", system.like)
        }
    }

    fn meeting(&self, space: &Space, is_system: bool, release: Option<String>) -> Option<Meeting> {
        let feeds: Vec<String> = self.book.feeds(space).into_iter().map(str::to_owned).collect();
        (!feeds.is_empty()).then(|| Meeting {
            space: space.clone(),
            order: order::of(space),
            feeds,
            is_system,
            release,
        })
    }
}

/// Is this a package of an operating system, whose name means nothing without its distribution?
pub(crate) fn is_system(kind: &str) -> bool {
    matches!(kind, "deb" | "apk" | "rpm" | "alpm")
}

/// A distribution, as a package or an image names it.
#[derive(Debug)]
struct System {
    family: String,
    release: Option<String>,
    codename: Option<String>,
    is_stream: bool,
    like: String,
    told_by: &'static str,
}

/// What purls and other tools call a distribution, and its `ID`.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("alma", "almalinux"),
    ("amazon", "amzn"),
    ("amazonlinux", "amzn"),
    ("archlinux", "arch"),
    ("azure", "azurelinux"),
    ("cbl-mariner", "mariner"),
    ("oracle", "ol"),
    ("oraclelinux", "ol"),
    ("redhat", "rhel"),
    ("rockylinux", "rocky"),
    ("suse", "sles"),
];

/// Names of Debian's releases in its own documents, and Ubuntu's.
const CODENAMES: &[(&str, &str, &str)] = &[
    ("squeeze", "debian", "6"),
    ("wheezy", "debian", "7"),
    ("jessie", "debian", "8"),
    ("stretch", "debian", "9"),
    ("buster", "debian", "10"),
    ("bullseye", "debian", "11"),
    ("bookworm", "debian", "12"),
    ("trixie", "debian", "13"),
    ("forky", "debian", "14"),
    ("duke", "debian", "15"),
    ("sid", "debian", "sid"),
    ("trusty", "ubuntu", "14.04"),
    ("xenial", "ubuntu", "16.04"),
    ("bionic", "ubuntu", "18.04"),
    ("focal", "ubuntu", "20.04"),
    ("jammy", "ubuntu", "22.04"),
    ("noble", "ubuntu", "24.04"),
    ("questing", "ubuntu", "25.10"),
];

impl System {
    /// The package's own word comes first, then the image's, if the package can be of its kind; the
    /// namespace alone names at least the family.
    fn of(purl: &Purl, distro: Option<&Distro>) -> Option<Self> {
        let namespace = purl.namespace().map(proper_name);
        let mut system = match (purl.qualifier("distro"), namespace) {
            (Some(qualifier), namespace) => Self::qualified(qualifier, namespace),
            (None, Some(namespace)) => Self::named(namespace, None, "its namespace"),
            (None, None) => {
                let distro = distro.filter(|it| could_use(it, purl.kind()))?;
                Self::named(&distro.id, distro.version.as_deref(), "the image's distribution")
            }
        };
        // What the image says about itself fills in what the package leaves out.
        if let Some(distro) = distro.filter(|it| system.is_of(it)) {
            system.family.clone_from(&distro.id);
            system.release = system.release.take().or_else(|| distro.version.clone());
            system.codename = distro.codename.clone();
            system.is_stream |= distro.name.as_deref().is_some_and(|it| it.contains("Stream"));
            system.like = distro.like.first().cloned().unwrap_or_default();
        }
        if system.release.is_none() {
            system.release = system
                .codename
                .as_deref()
                .and_then(|name| CODENAMES.iter().find(|it| it.0 == name && it.1 == system.family))
                .map(|it| it.2.to_owned());
        }
        Some(system)
    }

    fn named(family: &str, release: Option<&str>, told_by: &'static str) -> Self {
        Self {
            family: family.to_ascii_lowercase(),
            release: release.filter(|it| !it.is_empty()).map(str::to_owned),
            codename: None,
            is_stream: false,
            like: String::new(),
            told_by,
        }
    }

    /// From `debian-12`, `opensuse-leap-15.5`, `bookworm`, `arch`.
    fn qualified(qualifier: &str, namespace: Option<&str>) -> Self {
        let told_by = "the package's own word";
        let text = qualifier.to_ascii_lowercase();
        if let Some((_, family, release)) = CODENAMES.iter().find(|it| it.0 == text) {
            return Self::named(family, Some(release), told_by);
        }
        let (family, release) = match text.rsplit_once('-') {
            Some((family, release)) if is_release(release) => (family, Some(release)),
            _ if is_release(&text) => (namespace.unwrap_or_default(), Some(&*text)),
            _ => (&*text, None),
        };
        if let Some((start, codename)) = family.split_once('-')
            && let Some((_, family, release)) =
                CODENAMES.iter().find(|it| it.0 == codename && it.1 == start)
        {
            return Self::named(family, Some(release), told_by);
        }
        Self::named(proper_name(family), release, told_by)
    }

    /// Is it the distribution of the image?
    fn is_of(&self, distro: &Distro) -> bool {
        let same_family = self.family == distro.id
            || (self.family == "opensuse" && distro.id.starts_with("opensuse"))
            || (self.family == "sles" && distro.id.starts_with("sle"));
        same_family
            && (self.release.is_none() || distro.version.is_none() || self.release == distro.version)
    }

    /// Names of its space, the likeliest first.
    fn spaces(&self) -> Vec<Space> {
        let family = self.family.as_str();
        let Some(release) = self.release.as_deref() else { return vec![Space::of(family)] };
        match granularity(family) {
            Some(Granularity::Rolling) => vec![Space::of(family)],
            Some(Granularity::Full) => vec![Space::release(family, release)],
            Some(Granularity::Major) => vec![Space::release(family, major(release))],
            Some(Granularity::Minor) => vec![Space::release(family, &minor(release))],
            // Some publish for a service pack, some for all of a release.
            None => {
                let mut spaces = vec![Space::release(family, release)];
                if major(release) != release {
                    spaces.push(Space::release(family, major(release)));
                }
                spaces.push(Space::of(family));
                spaces
            }
        }
    }
}

enum Granularity {
    Rolling,
    Full,
    Major,
    Minor,
}

/// For which releases a distribution publishes. `None`: we do not know.
fn granularity(family: &str) -> Option<Granularity> {
    Some(match family {
        "wolfi" | "chainguard" | "arch" | "minimos" | "echo" | "opensuse-tumbleweed" => {
            Granularity::Rolling
        }
        "ubuntu" | "azurelinux" | "mariner" | "photon" | "fedora" => Granularity::Full,
        "debian" | "rhel" | "almalinux" | "rocky" | "ol" | "centos" | "amzn" => Granularity::Major,
        "alpine" => Granularity::Minor,
        _ => return None,
    })
}

/// The release as its space has it.
fn major_or_full(family: &str, release: &str) -> String {
    match granularity(family) {
        Some(Granularity::Major) => major(release).to_owned(),
        Some(Granularity::Minor) => minor(release),
        _ => release.to_owned(),
    }
}

/// `9` of `9.4`. Amazon's first was called by its dates.
fn major(release: &str) -> &str {
    match release.split('.').next().unwrap_or(release) {
        "2016" | "2017" | "2018" => "1",
        major => major,
    }
}

/// `3.20` of `3.20.3`; a release that is being made is `edge`: `3.21_alpha20240807`, `3.21.0_alpha…`.
fn minor(release: &str) -> String {
    if release.contains("_alpha") || release == "edge" {
        return "edge".to_owned();
    }
    let release = release.strip_prefix('v').unwrap_or(release);
    let mut parts = release.split('.');
    match (parts.next(), parts.next()) {
        (Some(major), Some(minor)) => format!("{major}.{minor}"),
        _ => release.to_owned(),
    }
}

fn is_release(text: &str) -> bool {
    text.starts_with(|it: char| it.is_ascii_digit()) || matches!(text, "edge" | "sid")
}

fn proper_name(name: &str) -> &str {
    OTHER_NAMES.iter().find(|(it, _)| *it == name).map_or(name, |(_, id)| id)
}

/// Could a package of that type without a namespace be the distribution's own?
fn could_use(distro: &Distro, kind: &str) -> bool {
    let own = match order::of(&Space::of(&distro.id)).map(Order::id) {
        Some("dpkg") => "deb",
        Some("apk") => "apk",
        Some("rpm") => "rpm",
        Some("pacman") => "alpm",
        // Nobody publishes for it, so nothing can be matched by mistake.
        _ => kind,
    };
    own == kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(purl: &str, distro: Option<Distro>, expect: &str) {
        let purl: Purl = purl.parse().unwrap();
        let spaces = System::of(&purl, distro.as_ref()).map_or_else(String::new, |system| {
            let spaces: Vec<String> = system.spaces().iter().map(Space::to_string).collect();
            spaces.join(" ")
        });
        assert_eq!(spaces, expect);
    }

    fn distro(id: &str, version: &str, codename: &str) -> Option<Distro> {
        let text = |it: &str| (!it.is_empty()).then(|| it.to_owned());
        Some(Distro {
            id: id.to_owned(),
            version: text(version),
            codename: text(codename),
            ..Distro::default()
        })
    }

    #[test]
    fn by_the_packages_own_word() {
        check("pkg:deb/debian/a@1?distro=debian-12", None, "debian:12");
        check("pkg:deb/debian/a@1?distro=debian-12.5", None, "debian:12");
        check("pkg:deb/debian/a@1?distro=bookworm", None, "debian:12");
        check("pkg:deb/debian/a@1?distro=debian-bookworm", None, "debian:12");
        check("pkg:deb/debian/a@1?distro=sid", None, "debian:sid");
        check("pkg:deb/ubuntu/a@1?distro=ubuntu-22.04", None, "ubuntu:22.04");
        check("pkg:deb/ubuntu/a@1?distro=jammy", None, "ubuntu:22.04");
        check("pkg:apk/alpine/a@1?distro=alpine-3.20.3", None, "alpine:3.20");
        check("pkg:apk/alpine/a@1?distro=3.20.3", None, "alpine:3.20");
        check("pkg:apk/alpine/a@1?distro=alpine-3.21.0_alpha20240807", None, "alpine:edge");
        check("pkg:apk/alpine/a@1?distro=alpine-edge", None, "alpine:edge");
        check("pkg:rpm/redhat/a@1?distro=rhel-9.4", None, "rhel:9");
        check("pkg:rpm/redhat/a@1?distro=redhat-9.4", None, "rhel:9");
        check("pkg:rpm/almalinux/a@1?distro=almalinux-9.4", None, "almalinux:9");
        check("pkg:rpm/amzn/a@1?distro=amzn-2018.03", None, "amzn:1");
        check("pkg:rpm/amzn/a@1?distro=amzn-2023", None, "amzn:2023");
        check("pkg:rpm/azurelinux/a@1?distro=azurelinux-3.0", None, "azurelinux:3.0");
        check(
            "pkg:rpm/opensuse/a@1?distro=opensuse-leap-15.5",
            None,
            "opensuse-leap:15.5 opensuse-leap:15 opensuse-leap",
        );
        check("pkg:apk/wolfi/a@1?distro=wolfi-20230201", None, "wolfi");
        check("pkg:alpm/arch/a@1?distro=arch", None, "arch");
    }

    #[test]
    fn by_the_namespace_and_the_image() {
        check("pkg:deb/debian/a@1", None, "debian");
        check("pkg:deb/debian/a@1", distro("debian", "12", ""), "debian:12");
        check("pkg:deb/debian/a@1", distro("ubuntu", "22.04", ""), "debian");
        check("pkg:deb/debian/a@1?distro=debian", distro("debian", "", "trixie"), "debian:13");
        check("pkg:deb/debian/a@1?distro=debian", distro("debian", "", "sid"), "debian:sid");
        check("pkg:deb/debian/a@1?distro=debian-11", distro("debian", "12", ""), "debian:11");
        check("pkg:rpm/redhat/a@1", distro("rhel", "9.4", ""), "rhel:9");
        check("pkg:rpm/opensuse/a@1", distro("opensuse-tumbleweed", "", ""), "opensuse-tumbleweed");
        check("pkg:rpm/a@1", distro("rocky", "9.3", ""), "rocky:9");
        check("pkg:rpm/a@1", None, "");
        check("pkg:apk/wolfi/a@1", None, "wolfi");
    }
}
