//! Is a row about packages like this one? Its architecture, module, channel and product.

use almanac::Row;
use model::{Package, Space};

use crate::compare::Blind;
use crate::spaces::Meeting;

/// What a row may ask of a package beside its name and version.
pub(crate) struct Scope<'q> {
    arch: &'q str,
    /// `nodejs:18` of the label `nodejs:18:8090020240101:rhel9`.
    module: Option<&'q str>,
    /// Its release says that it was built for some module.
    is_modular: bool,
    /// Only they have modules.
    is_rpm: bool,
    flavour: Option<Flavour>,
    family: &'q str,
    release: Option<&'q str>,
}

/// A channel that a package's own version tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// Ubuntu Pro's, whose versions go on where the main ones end.
    Esm,
    /// Validated builds, whose versions run apart.
    Fips,
    /// Oracle's, whose versions run apart.
    Ksplice,
}

/// How far a row is about the package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It is.
    Exact,
    /// Only if no row is exactly about it.
    Fallback,
    /// Only what it says about all versions is.
    Unversioned(Blind),
    /// It is not.
    No(Elsewhere),
}

/// What keeps a row from being about a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Elsewhere {
    Arch,
    Module,
    /// Of a module, but of another stream of it, by its version.
    Stream,
    /// Built for another minor release, by its version.
    Minor,
    Channel,
    Product,
}

impl Elsewhere {
    pub(crate) fn why(self, row: &Row<'_>) -> String {
        match self {
            Self::Arch => format!("it is only about {}", row.arch.join(", ")),
            Self::Module => match row.module {
                Some(module) => format!("it is only about packages of the module {module}"),
                None => "it is only about packages that are of no module".to_owned(),
            },
            Self::Stream => "it is about another stream of the module".to_owned(),
            Self::Minor => "it is about another minor release".to_owned(),
            Self::Channel => match row.channel {
                Some(channel) => format!("it is only about the channel {channel}"),
                None => "it is only about the main channel".to_owned(),
            },
            Self::Product => format!("it is only about {}", row.products.join(", ")),
        }
    }
}

impl<'q> Scope<'q> {
    pub(crate) fn of(package: &'q Package, meeting: &'q Meeting) -> Self {
        let purl = &package.purl;
        let version = purl.version().unwrap_or_default();
        let module = purl.qualifier("rpmmod").and_then(stream);
        let is_rpm = purl.kind() == "rpm";
        let is_modular = is_rpm && (version.contains(".module+") || version.contains(".module_"));
        Self {
            arch: purl.qualifier("arch").unwrap_or_default(),
            module,
            is_modular,
            is_rpm,
            flavour: if meeting.is_system { Flavour::of_version(version) } else { None },
            family: meeting.space.family(),
            release: meeting.release.as_deref(),
        }
    }

    /// How far `row` is about the package, in an image that is these products.
    pub(crate) fn fit(&self, row: &Row<'_>, products: &Products) -> Fit {
        if !row.arch.is_empty() && !self.is_built_for(&row.arch) {
            return Fit::No(Elsewhere::Arch);
        }
        if !row.products.is_empty() && !products.are(&row.products) {
            return Fit::No(Elsewhere::Product);
        }
        match (row.module, self.module) {
            (Some(wanted), Some(module)) if wanted == module => {}
            (Some(_), None) if self.is_modular => return Fit::Unversioned(Blind::NoLabel),
            (Some(_), _) => return Fit::No(Elsewhere::Module),
            (None, _) if !self.is_rpm => {}
            // A feed that does not name modules still has them in its versions.
            (None, _) => {
                let bounds = row.stretches.iter().flat_map(|it| [&it.from, &it.to]).flatten();
                let mut versions = bounds.map(|it| it.version).peekable();
                let is_versioned = versions.peek().is_some();
                let speaks_of_modules =
                    versions.any(|it| it.contains(".module+") || it.contains(".module_"));
                let is_modular = self.is_modular || self.module.is_some();
                if is_versioned && speaks_of_modules != is_modular {
                    return Fit::No(Elsewhere::Module);
                }
                if !is_versioned && is_modular {
                    return Fit::Fallback;
                }
            }
        }
        self.fit_of_channel(row)
    }

    fn fit_of_channel(&self, row: &Row<'_>) -> Fit {
        match (row.channel, self.flavour) {
            (None, None) => Fit::Exact,
            (None, Some(Flavour::Esm)) => Fit::Fallback,
            (None, Some(Flavour::Fips | Flavour::Ksplice)) => Fit::Unversioned(Blind::OtherChannel),
            (Some(channel), flavour) => match Flavour::of_channel(channel) {
                Some(its) if Some(its) == flavour => Fit::Exact,
                // What Ubuntu Pro fixes, the main channel has until it is fixed there too.
                Some(Flavour::Esm) if flavour.is_none() => Fit::Fallback,
                Some(_) => Fit::No(Elsewhere::Channel),
                None if APART.contains(&self.family) => Fit::No(Elsewhere::Channel),
                None => Fit::Fallback,
            },
        }
    }

    /// Are the packages of that channel told by their versions alone?
    pub(crate) fn tells_by_version(&self, channel: &str) -> bool {
        Flavour::of_channel(channel).is_none() && !APART.contains(&self.family)
    }

    /// Could somebody with this package get a fix from that channel?
    pub(crate) fn could_use(&self, channel: &str) -> bool {
        match channel.split_once('-') {
            _ if channel.starts_with("esm") || channel == "pro" => true,
            Some(("eus" | "aus" | "tus" | "e4s", release)) => self.release == Some(release),
            _ => false,
        }
    }

    fn is_built_for(&self, wanted: &[&str]) -> bool {
        let any = |it: &str| matches!(it, "" | "noarch" | "all" | "any");
        any(self.arch)
            || wanted
                .iter()
                .any(|it| any(it) || *it == self.arch || matches!(*it, "src" | "source"))
    }
}

impl Flavour {
    fn of_version(version: &str) -> Option<Self> {
        if version.contains("fips") {
            Some(Self::Fips)
        } else if version.contains("ksplice") {
            Some(Self::Ksplice)
        } else if version.contains("+esm") || version.contains("~esm") {
            Some(Self::Esm)
        } else {
            None
        }
    }

    fn of_channel(channel: &str) -> Option<Self> {
        if channel.contains("fips") {
            Some(Self::Fips)
        } else if channel.contains("ksplice") {
            Some(Self::Ksplice)
        } else if channel.contains("esm") || channel == "pro" {
            Some(Self::Esm)
        } else {
            None
        }
    }
}

/// Families whose other channels (`eus-9.4`, `realtime`, `ubuntu-core`) run apart from what everybody
/// gets. Elsewhere a channel that a package's version does not tell may be the only one it has.
const APART: &[&str] = &["ubuntu", "rhel", "ol"];

/// The name and the stream of a module's label.
fn stream(label: &str) -> Option<&str> {
    let end = label.match_indices(':').nth(1).map_or(label.len(), |(at, _)| at);
    label.get(..end).filter(|it| it.contains(':'))
}

/// The products that an image is.
pub(crate) struct Products {
    cpes: Vec<Cpe>,
}

/// A name of a product, as far as anything is compared.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cpe {
    vendor: String,
    product: String,
    version: String,
    edition: String,
}

impl Products {
    /// Those of the distribution, of its space, and those that the caller knows of.
    pub(crate) fn of(distro: Option<&str>, space: Option<&Space>, more: &[String]) -> Self {
        let mut cpes: Vec<Cpe> = distro
            .into_iter()
            .chain(more.iter().map(String::as_str))
            .filter_map(Cpe::parse)
            .collect();
        if let Some(release) =
            space.filter(|it| it.family() == "rhel").and_then(Space::release_name)
        {
            cpes.push(Cpe {
                vendor: "redhat".to_owned(),
                product: "enterprise_linux".to_owned(),
                version: release.to_owned(),
                edition: String::new(),
            });
        }
        Self { cpes }
    }

    fn are(&self, wanted: &[&str]) -> bool {
        wanted
            .iter()
            .filter_map(|it| Cpe::parse(it))
            .any(|wanted| self.cpes.iter().any(|it| wanted.covers(it)))
    }
}

impl Cpe {
    /// `cpe:/a:redhat:openshift:4.13::el8`, `cpe:2.3:a:redhat:openshift:4.13:*:el8:…`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = match text.strip_prefix("cpe:2.3:") {
            Some(rest) => rest,
            None => text.strip_prefix("cpe:/")?,
        };
        let mut parts = rest.split(':').map(|it| if matches!(it, "*" | "-") { "" } else { it });
        let _part = parts.next()?;
        let vendor = parts.next()?.to_ascii_lowercase();
        let product = parts.next()?.to_ascii_lowercase();
        let version = parts.next().unwrap_or_default().to_owned();
        let _update = parts.next();
        let edition = parts.next().unwrap_or_default().to_owned();
        (!vendor.is_empty() && !product.is_empty()).then_some(Self {
            vendor,
            product,
            version,
            edition,
        })
    }

    /// Is the other the same, or a part of it? `openshift:4` covers `openshift:4.13::el8`. What Red
    /// Hat's own system is divided into (`::baseos`, `::appstream`) is one product to us.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let below = |whole: &str, part: &str| {
            whole.is_empty()
                || part
                    .strip_prefix(whole)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.vendor == other.vendor
            && self.product == other.product
            && below(&self.version, &other.version)
            && (self.product == "enterprise_linux" || below(&self.edition, &other.edition))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_by_prefix() {
        let more = ["cpe:/a:redhat:openshift:4.13::el8".to_owned()];
        let products = Products::of(Some("cpe:/o:redhat:enterprise_linux:9::baseos"), None, &more);
        for (wanted, expect) in [
            ("cpe:/a:redhat:enterprise_linux:9::appstream", true),
            ("cpe:/o:redhat:enterprise_linux:9", true),
            ("cpe:2.3:o:redhat:enterprise_linux:9:*:*:*:*:*:*:*", true),
            ("cpe:/o:redhat:enterprise_linux:8", false),
            ("cpe:/o:redhat:enterprise_linux:9.2", false),
            ("cpe:/a:redhat:openshift:4", true),
            ("cpe:/a:redhat:openshift:4.1", false),
            ("cpe:/a:redhat:openshift:4.13::el9", false),
            ("cpe:/a:redhat:openshift", true),
            ("nonsense", false),
        ] {
            assert_eq!(products.are(&[wanted]), expect, "{wanted}");
        }
        let space = Space::release("rhel", "9");
        let bare = Products::of(None, Some(&space), &[]);
        assert!(bare.are(&["cpe:/a:redhat:enterprise_linux:9::appstream"]));
    }

    #[test]
    fn labels_of_modules() {
        assert_eq!(stream("nodejs:18:8090020240101:rhel9"), Some("nodejs:18"));
        assert_eq!(stream("nodejs:18"), Some("nodejs:18"));
        assert_eq!(stream("nodejs"), None);
    }
}
