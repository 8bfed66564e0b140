//! Where a product of Red Hat's lives: which space, which stream of it, and whether only images that
//! are that product are meant.

use model::Space;

/// What a row says about where it applies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Platform {
    /// The release of Enterprise Linux its packages are built for, where that can be told.
    pub(super) release: Option<String>,
    /// An extended stream, whose versions run apart: `eus-9.4`.
    pub(super) channel: Option<String>,
    /// The minor release, where the product's id names one: `rhel-9.7.z`, `BaseOS-9.2.0.Z.MAIN`.
    pub(super) minor: Option<u32>,
    /// Of a layered product its CPE; of Enterprise Linux itself nothing, because which of its
    /// repositories a package came from does not matter: they make up one system.
    pub(super) product: Option<String>,
}

/// Streams of Enterprise Linux that are maintained beside the main one.
const EXTENDED: &[(&str, &str)] = &[
    ("rhel_eus", "eus"),
    ("enterprise_linux_eus", "eus"),
    ("rhel_aus", "aus"),
    ("enterprise_linux_aus", "aus"),
    ("rhel_e4s", "e4s"),
    ("enterprise_linux_e4s", "e4s"),
    ("rhel_tus", "tus"),
    ("enterprise_linux_tus", "tus"),
    ("rhel_els", "els"),
    ("enterprise_linux_els", "els"),
    ("rhel_eus_long_life", "eus-long-life"),
    ("enterprise_linux_eus_long_life", "eus-long-life"),
    ("rhel_mission_critical", "mission-critical"),
];

impl Platform {
    /// The platform of a product with that CPE, name and id; `None` where the CPE is none.
    pub(super) fn of(cpe: &str, name: &str, id: &str) -> Option<Self> {
        let mut fields = cpe.strip_prefix("cpe:/")?.split(':').skip(1);
        let _vendor = fields.next().filter(|it| !it.is_empty())?;
        let product = fields.next().unwrap_or_default();
        let version = fields.next().unwrap_or_default();
        let minor = minor(id);
        if let Some(release) = major(version) {
            if product == "enterprise_linux" || product.starts_with("rhel_extras") {
                return Some(Self { release: Some(release), channel: None, minor, product: None });
            }
            if let Some((_, word)) = EXTENDED.iter().find(|(it, _)| *it == product) {
                let channel = Some(format!("{word}-{version}"));
                return Some(Self { release: Some(release), channel, minor, product: None });
            }
        }
        let release = fields.find_map(dist_release).or_else(|| named(name)).or_else(|| prefix(id));
        Some(Self { release, channel: None, minor, product: Some(cpe.to_owned()) })
    }

    /// The space its packages live in; `version` of the package tells where nothing else does.
    pub(super) fn space(&self, version: Option<&str>) -> Space {
        let release = self.release.clone().or_else(|| dist_tag(version?).map(|it| it.release));
        release.map_or_else(|| Space::of("redhat"), |it| Space::release("rhel", &it))
    }
}

/// Part of a version that tells for which release it was built: `el9_2`, `el8.6.0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DistTag<'a> {
    /// What stands before it, without the dot: `7.76.1-23`, `2.5.9-111.module`.
    pub(super) before: &'a str,
    /// `9`.
    pub(super) release: String,
    /// `2`.
    pub(super) minor: Option<u32>,
    /// What stands behind it: `.4`.
    pub(super) after: &'a str,
}

/// The tag of a version, if it has one.
pub(super) fn dist_tag(version: &str) -> Option<DistTag<'_>> {
    version.match_indices("el").find_map(|(start, _)| {
        let (before, rest) = version.split_at_checked(start)?;
        let mark = before.chars().next_back().filter(|it| matches!(it, '.' | '+' | '_'))?;
        let rest = rest.strip_prefix("el")?;
        let (release, rest) = rest.split_at_checked(digits(rest))?;
        if !(1..=2).contains(&release.len()) {
            return None;
        }
        // A dot behind `el9` begins the next part of the release, except in a module's `el8.6.0+`.
        let behind = match rest.strip_prefix('_') {
            Some(behind) => Some(behind),
            None => rest.strip_prefix('.').filter(|_| mark != '.'),
        };
        let minor = behind.and_then(|it| it.get(..digits(it))?.parse::<u32>().ok());
        let after = match (minor, behind) {
            (Some(_), Some(behind)) => behind.get(digits(behind)..)?,
            _ => rest,
        };
        let before = before.trim_end_matches(mark);
        Some(DistTag { before, release: release.to_owned(), minor, after })
    })
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// `9` of `9`, `9.4`, `8.10.z`.
fn major(version: &str) -> Option<String> {
    let major = version.get(..digits(version))?;
    let rest = version.get(major.len()..)?;
    let sound = (1..=2).contains(&major.len()) && (rest.is_empty() || rest.starts_with('.'));
    sound.then(|| major.to_owned())
}

/// `7` of `rhel-9.7.z`, `AppStream-9.7.0.Z.MAIN`.
fn minor(id: &str) -> Option<u32> {
    let (_, version) = id.split_once('-')?;
    let (release, rest) = version.split_once('.')?;
    major(release)?;
    rest.get(..digits(rest))?.parse().ok()
}

/// `8` of a CPE's edition `el8`.
fn dist_release(edition: &str) -> Option<String> {
    major(edition.strip_prefix("el")?)
}

/// `8` of `Red Hat JBoss EAP 7.4 for RHEL 8`, `… for Red Hat Enterprise Linux 8`.
fn named(name: &str) -> Option<String> {
    ["RHEL", "Enterprise Linux"].iter().find_map(|word| {
        let (_, rest) = name.split_once(word)?;
        let rest = rest.strip_prefix([' ', '-']).unwrap_or(rest);
        let release = rest.get(..digits(rest))?;
        ((1..=2).contains(&release.len())).then(|| release.to_owned())
    })
}

/// `8` of `8Base-RHOSE-4.16`, `7Server-JBEAP-7.4`.
fn prefix(id: &str) -> Option<String> {
    let release = id.get(..digits(id))?;
    let rest = id.get(release.len()..)?;
    let words = ["Base", "Server", "Client", "Workstation", "ComputeNode"];
    let sound = (1..=2).contains(&release.len()) && words.iter().any(|it| rest.starts_with(it));
    sound.then(|| release.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cpe: &str, name: &str, id: &str, expect: &str) {
        let text = Platform::of(cpe, name, id).map_or_else(
            || "none".to_owned(),
            |it| {
                let channel = it.channel.as_deref().unwrap_or("-");
                let product = it.product.as_deref().unwrap_or("-");
                format!("{} {channel} {product}", it.space(None))
            },
        );
        assert_eq!(text, expect, "{cpe}");
    }

    #[test]
    fn knows_the_streams_of_enterprise_linux() {
        check("cpe:/o:redhat:enterprise_linux:9::baseos", "", "BaseOS-9.2.0.Z.MAIN", "rhel:9 - -");
        check("cpe:/a:redhat:enterprise_linux:8::appstream", "", "", "rhel:8 - -");
        check("cpe:/o:redhat:enterprise_linux:10.0", "", "AppStream-10.0.Z", "rhel:10 - -");
        check("cpe:/a:redhat:rhel_eus:9.4::appstream", "", "", "rhel:9 eus-9.4 -");
        check("cpe:/a:redhat:rhel_aus:8.4::appstream", "", "", "rhel:8 aus-8.4 -");
        check("cpe:/a:redhat:rhel_e4s:8.4", "", "", "rhel:8 e4s-8.4 -");
        check("cpe:/o:redhat:rhel_tus:8.4", "", "", "rhel:8 tus-8.4 -");
        check("cpe:/o:redhat:rhel_els:6", "", "", "rhel:6 els-6 -");
        check("cpe:/a:redhat:rhel_extras_rt:7", "", "", "rhel:7 - -");
    }

    #[test]
    fn keeps_layered_products_apart() {
        let cpe = "cpe:/a:redhat:openshift:4.16::el9";
        check(cpe, "", "", "rhel:9 - cpe:/a:redhat:openshift:4.16::el9");
        let cpe = "cpe:/a:redhat:openshift:4";
        check(cpe, "", "", "redhat - cpe:/a:redhat:openshift:4");
        let cpe = "cpe:/a:redhat:quay:3";
        check(cpe, "Quay v3 for RHEL 8", "", "rhel:8 - cpe:/a:redhat:quay:3");
        check(cpe, "Quay v3", "8Base-Quay-3", "rhel:8 - cpe:/a:redhat:quay:3");
        check("cpe:/a:redhat", "", "red_hat_products", "redhat - cpe:/a:redhat");
        check("redhat", "", "", "none");
        check("cpe:/a", "", "", "none");
    }

    #[test]
    fn reads_a_dist_tag() {
        let check = |version: &str, expect: &str| {
            let text = dist_tag(version).map_or_else(String::new, |it| {
                let minor = it.minor.map_or_else(String::new, |it| format!("_{it}"));
                format!("{}{minor} {}", it.release, it.after)
            });
            assert_eq!(text, expect, "{version}");
        };
        check("7.76.1-23.el9_2.4", "9_2 .4");
        check("5.14.0-284.11.1.el9_2", "9_2 ");
        check("3.0.7-24.el9", "9 ");
        check("1.0-2.el9.1", "9 .1");
        check("2.5.9-111.module+el8.9.0+19193+435404ae", "8_9 .0+19193+435404ae");
        check("1.33.0-2.SP1_redhat_00001.1.el7eap", "7 eap");
        check("2.45.1-5.1.hum1", "");
        check("1.0-1.elevate", "");
    }
}
