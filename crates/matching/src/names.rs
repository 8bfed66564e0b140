//! The names by which advisories may speak of a package, each with the version they would mean.

use std::borrow::Cow;

use model::{Names, Package, filed_name};

use crate::compare::Version;
use crate::spaces::{Meeting, is_system};

/// One name, and which rows under it are about the package.
pub(crate) struct Named<'q> {
    pub(crate) name: Cow<'q, str>,
    pub(crate) version: Version<'q>,
    /// It is the name of what the package was built from.
    pub(crate) is_source: bool,
    /// It is the package's own name.
    pub(crate) is_own: bool,
    takes: [bool; 3],
    /// Number of the list of rows under it.
    pub(crate) rows: usize,
}

impl Named<'_> {
    /// Is a row about packages of that sort about this one? No row is by two names.
    pub(crate) fn takes(&self, names: Names) -> bool {
        let [source, binary, either] = self.takes;
        match names {
            Names::Source => source,
            Names::Binary => binary,
            Names::Either => either,
        }
    }
}

/// All names of a package.
pub(crate) fn of<'q>(package: &'q Package, meeting: &Meeting) -> Vec<Named<'q>> {
    let order = meeting.order;
    let named = |name, version, is_source, is_own, takes| Named {
        name,
        version: Version::new(version, order),
        is_source,
        is_own,
        takes,
        rows: usize::MAX,
    };
    let own = own_version(package);
    if !is_system(package.purl.kind()) {
        let name = match package.purl.namespace() {
            Some(_) => Cow::Owned(package.purl.full_name()),
            None => Cow::Borrowed(package.purl.name()),
        };
        let mut all = Vec::with_capacity(1);
        // Some who list packages write them as they are filed, others as they are called.
        if let Cow::Owned(filed) = filed_name(package.purl.kind(), &name) {
            all.push(named(filed.into(), own.clone(), false, true, [true, true, true]));
        }
        all.push(named(name, own, false, true, [true, true, true]));
        return all;
    }
    let name = Cow::Borrowed(package.purl.name());
    let (source, source_version) = match &package.source {
        Some(source) => (source.name.as_str(), source_version(package, own.as_ref())),
        None => (package.purl.name(), own.clone()),
    };
    if let Some(kernel) = kernel(package, source) {
        return vec![
            named(Cow::Owned(kernel), own.clone(), true, false, [true, false, true]),
            named(Cow::Borrowed(source), source_version, true, false, [true, false, true]),
            named(name, own, false, true, [false, true, true]),
        ];
    }
    if source != package.purl.name() {
        return vec![
            named(Cow::Borrowed(source), source_version, true, false, [true, false, true]),
            named(name, own, false, true, [false, true, true]),
        ];
    }
    if source_version == own {
        return vec![named(name, own, true, true, [true, true, true])];
    }
    // Rebuilt without a change, a package has a version that its source has not; what is said about
    // Debian's means its sources.
    let by_source = package.purl.kind() == "deb";
    vec![
        named(name.clone(), source_version, true, true, [true, false, by_source]),
        named(name, own, false, true, [false, true, !by_source]),
    ]
}

/// The source that a signed kernel was made of: it has one of its own, of which nobody speaks.
/// Debian counts the versions of that source apart, so the kernel's own version is the right one.
fn kernel(package: &Package, source: &str) -> Option<String> {
    if package.purl.kind() != "deb" {
        return None;
    }
    let rest = source.strip_prefix(SIGNED)?;
    Some(if ARCHITECTURES.contains(&rest) { "linux".to_owned() } else { format!("linux{rest}") })
}

const SIGNED: &str = "linux-signed";
const ARCHITECTURES: [&str; 3] = ["-amd64", "-arm64", "-i386"];

/// The sources of kernels that were made of that one and signed.
pub(crate) fn signed(source: &str) -> Vec<String> {
    let Some(rest) = source.strip_prefix("linux") else { return Vec::new() };
    let rests = std::iter::once(rest).chain(ARCHITECTURES.into_iter().filter(|_| rest.is_empty()));
    rests.map(|it| format!("{SIGNED}{it}")).collect()
}

/// The version as the package manager of the space has it.
fn own_version(package: &Package) -> Option<Cow<'_, str>> {
    let purl = &package.purl;
    let version = purl.version()?;
    Some(match purl.kind() {
        "rpm" => with_epoch(version, purl.qualifier("epoch")),
        "golang" if matches!(purl.name(), "stdlib" | "toolchain") => {
            Cow::Borrowed(version.strip_prefix("go").unwrap_or(version))
        }
        _ => Cow::Borrowed(version),
    })
}

/// A source rpm's file name does not tell its epoch: packages built from it share it, as a rule.
fn source_version<'q>(package: &'q Package, own: Option<&Cow<'q, str>>) -> Option<Cow<'q, str>> {
    let stated = package.source.as_ref().and_then(|it| it.version.as_deref());
    match stated {
        Some(version) if package.purl.kind() == "rpm" => {
            let epoch = own.and_then(|it| it.split_once(':')).map(|(epoch, _)| epoch.to_owned());
            Some(with_epoch(version, epoch.as_deref()))
        }
        Some(version) => Some(Cow::Borrowed(version)),
        None => own.cloned(),
    }
}

fn with_epoch<'v>(version: &'v str, epoch: Option<&str>) -> Cow<'v, str> {
    match epoch.filter(|it| !it.is_empty() && *it != "0") {
        Some(epoch) if !version.contains(':') => Cow::Owned(format!("{epoch}:{version}")),
        _ => Cow::Borrowed(version),
    }
}

/// The package in a few characters: `libssl3@3.0.11-1`.
pub(crate) fn brief(package: &Package) -> String {
    // A distribution's name says nothing where all are of it.
    let name = if is_system(package.purl.kind()) {
        package.purl.name().to_owned()
    } else {
        package.purl.full_name()
    };
    match package.purl.version() {
        Some(version) => format!("{name}@{version}"),
        None => name,
    }
}
