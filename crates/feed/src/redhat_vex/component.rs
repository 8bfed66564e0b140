//! What a product id of Red Hat's names: a package, built or as source, or a container image.

use model::{Names, Purl};

/// A package or an image, with the version that has the fix where one is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Component {
    /// `openssl-libs`; of an image its repository: `openshift4/ose-console-rhel9`.
    pub(super) package: String,
    /// Which packages it means; `None`: the document does not say.
    pub(super) names: Option<Names>,
    /// `1:3.0.7-16.el9_2`; of an image its tag.
    pub(super) version: Option<String>,
    /// As rpm has it; none for source packages and `noarch`.
    pub(super) arch: Option<String>,
    /// `nodejs:18`.
    pub(super) module: Option<String>,
    /// It is a container image.
    pub(super) image: bool,
}

/// What a product id turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Something that images hold, or that is one.
    Component(Component),
    /// Only symbols for debuggers, a module as a whole, a jar: nothing a package can be compared with.
    Nothing,
    /// It makes no sense.
    Bad(String),
}

/// Reads a purl of Red Hat's.
pub(super) fn of_purl(text: &str) -> Named {
    let purl: Purl = match text.parse() {
        Ok(purl) => purl,
        Err(error) => return Named::Bad(error.to_string()),
    };
    match purl.kind() {
        "rpm" => rpm(&purl),
        // `pkg:rpmmod/redhat/ruby:2.6/ruby` is a package in a module,
        // `pkg:rpmmod/redhat/ruby@2.6:8060…` the module itself.
        "rpmmod" => match purl.namespace().and_then(|it| it.strip_prefix("redhat/")) {
            Some(module) => sound(Component {
                module: Some(module.to_owned()),
                ..plain(purl.name(), Some(Names::Either))
            }),
            None => Named::Nothing,
        },
        "oci" | "docker" => image(&purl),
        _ => Named::Nothing,
    }
}

/// The module that a purl of Red Hat's names: `nodejs:18`.
pub(super) fn module_of_purl(text: &str) -> Option<String> {
    let purl: Purl = text.parse().ok()?;
    (purl.kind() == "rpmmod").then_some(())?;
    Some(format!("{}:{}", purl.name(), purl.version()?.split(':').next()?))
}

/// Reads a product id that comes without a purl, as those of older documents do: `kernel`,
/// `curl.src`, `nodejs:18/nodejs`, `curl-0:7.76.1-23.el9_2.4.aarch64`.
pub(super) fn of_id(id: &str) -> Named {
    let (module, id) = match id.split_once('/') {
        Some((module, rest)) if module.contains(':') => (Some(module.to_owned()), rest),
        Some(_) => return Named::Nothing,
        None => (None, id),
    };
    if let Some(component) = nevra(id) {
        return sound(Component { module, ..component });
    }
    let (name, names) = match id.strip_suffix(".src") {
        Some(name) => (name, Some(Names::Source)),
        None => (id, None),
    };
    if name.is_empty() || name.contains([':', ' ', '@']) {
        return Named::Bad("it is no package's name".to_owned());
    }
    sound(Component { module, ..plain(name, names) })
}

fn plain(name: &str, names: Option<Names>) -> Component {
    let package = name.to_owned();
    Component { package, names, version: None, arch: None, module: None, image: false }
}

fn rpm(purl: &Purl) -> Named {
    let module = match purl.qualifier("rpmmod").map(stream) {
        Some(None) => {
            return Named::Bad(format!(
                "its module `{}` has no stream",
                purl.qualifier("rpmmod").unwrap_or_default()
            ));
        }
        Some(module) => module,
        None => None,
    };
    let epoch = purl.qualifier("epoch").filter(|it| *it != "0");
    // Versions of packages have a release; `go-toolset@rhel8` names a stream.
    let version = purl.version().filter(|it| it.contains('-')).map(|version| match epoch {
        Some(epoch) if !version.contains(':') => format!("{epoch}:{version}"),
        _ => version.strip_prefix("0:").unwrap_or(version).to_owned(),
    });
    let (names, arch) = match purl.qualifier("arch") {
        Some("src" | "nosrc") => (Some(Names::Source), None),
        Some("noarch") => (Some(Names::Binary), None),
        Some(arch) => (Some(Names::Binary), Some(arch.to_owned())),
        None if version.is_some() => (Some(Names::Binary), None),
        None => (None, None),
    };
    sound(Component { version, arch, module, ..plain(purl.name(), names) })
}

fn image(purl: &Purl) -> Named {
    let name = match purl.qualifier("repository_url").and_then(|it| it.split_once('/')) {
        Some((_, repository)) => repository.to_owned(),
        None => purl.full_name(),
    };
    let version = purl.qualifier("tag").map(str::to_owned);
    let arch = purl.qualifier("arch").map(str::to_owned);
    sound(Component { version, arch, image: true, ..plain(&name, Some(Names::Either)) })
}

/// Without those that are only for debuggers.
fn sound(component: Component) -> Named {
    let name = &component.package;
    let debug = ["-debuginfo", "-debugsource", "-debuginfo-common"];
    if debug.iter().any(|it| name.ends_with(it)) || name.contains("-debuginfo-common-") {
        return Named::Nothing;
    }
    match component.module.as_deref().map(stream) {
        Some(None) => {
            let module = component.module.unwrap_or_default();
            Named::Bad(format!("its module `{module}` has no stream"))
        }
        Some(module) => Named::Component(Component { module, ..component }),
        None => Named::Component(component),
    }
}

/// `nodejs:18` of `nodejs:18:8090020240228165436:a75119d5`.
fn stream(module: &str) -> Option<String> {
    let mut parts = module.split(':');
    let (name, stream) = (parts.next()?, parts.next()?);
    (!name.is_empty() && !stream.is_empty()).then(|| format!("{name}:{stream}"))
}

/// `NAME-EPOCH:VERSION-RELEASE.ARCH`.
fn nevra(id: &str) -> Option<Component> {
    let (rest, arch) = id.rsplit_once('.')?;
    let (front, release) = rest.rsplit_once('-')?;
    let (name, version) = front.rsplit_once('-')?;
    let (epoch, version) = version.split_once(':')?;
    let epoch = epoch.parse::<u32>().ok()?;
    let sound = [name, version, release, arch].iter().all(|it| !it.is_empty());
    let version = match epoch {
        0 => format!("{version}-{release}"),
        _ => format!("{epoch}:{version}-{release}"),
    };
    let names = if arch == "src" { Names::Source } else { Names::Binary };
    let arch = (!matches!(arch, "src" | "noarch")).then(|| arch.to_owned());
    sound.then(|| Component { version: Some(version), arch, ..plain(name, Some(names)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(named: &Named) -> String {
        match named {
            Named::Nothing => "nothing".to_owned(),
            Named::Bad(why) => format!("bad: {why}"),
            Named::Component(it) => format!(
                "{} {:?} {} {} {}{}",
                it.package,
                it.names,
                it.version.as_deref().unwrap_or("-"),
                it.arch.as_deref().unwrap_or("-"),
                it.module.as_deref().unwrap_or("-"),
                if it.image { " image" } else { "" }
            ),
        }
    }

    #[test]
    fn reads_purls() {
        let check = |purl: &str, expect: &str| assert_eq!(shown(&of_purl(purl)), expect, "{purl}");
        check(
            "pkg:rpm/redhat/openssl-libs@3.0.7-16.el9_2?arch=x86_64&epoch=1",
            "openssl-libs Some(Binary) 1:3.0.7-16.el9_2 x86_64 -",
        );
        check("pkg:rpm/redhat/curl?arch=src", "curl Some(Source) - - -");
        check("pkg:rpm/redhat/libcurl", "libcurl None - - -");
        check("pkg:rpm/redhat/curl@7-1.el9?arch=noarch&epoch=0", "curl Some(Binary) 7-1.el9 - -");
        check(
            "pkg:rpm/redhat/npm@8-1.module%2Bel8?arch=x86_64&rpmmod=nodejs:18:8090020:a75119d5",
            "npm Some(Binary) 8-1.module+el8 x86_64 nodejs:18",
        );
        check(
            "pkg:rpm/redhat/go-toolset@rhel8?arch=src&rpmmod=go-toolset:rhel8",
            "go-toolset Some(Source) - - go-toolset:rhel8",
        );
        check("pkg:rpm/redhat/f@1-1?rpmmod=rhel10", "bad: its module `rhel10` has no stream");
        check("pkg:rpmmod/redhat/ruby:2.6/ruby", "ruby Some(Either) - - ruby:2.6");
        check("pkg:rpmmod/redhat/ruby@2.6:8060:ad", "nothing");
        check("pkg:rpm/redhat/curl-debuginfo@1-1?arch=x86_64", "nothing");
        check("pkg:maven/org.yaml/snakeyaml", "nothing");
        check(
            "pkg:oci/sso76@sha256:c3?arch=ppc64le&repository_url=registry.redhat.io/rh-sso-7/sso76&tag=7.6-22",
            "rh-sso-7/sso76 Some(Either) 7.6-22 ppc64le - image",
        );
        check("curl", "bad: `curl` is not a package URL: it does not start with `pkg:`");
    }

    #[test]
    fn reads_ids() {
        let check = |id: &str, expect: &str| assert_eq!(shown(&of_id(id)), expect, "{id}");
        check("kernel", "kernel None - - -");
        check("curl.src", "curl Some(Source) - - -");
        check("nodejs:18/nodejs", "nodejs None - - nodejs:18");
        check("curl-0:7.76.1-23.el9_2.4.aarch64", "curl Some(Binary) 7.76.1-23.el9_2.4 aarch64 -");
        check("perl-4:5.26.3-422.el8.src", "perl Some(Source) 4:5.26.3-422.el8 - -");
        check("io.quarkus/quarkus-vertx-http", "nothing");
        check("Text-Only JBCS", "bad: it is no package's name");
    }

    #[test]
    fn reads_modules() {
        let module = |text| module_of_purl(text).unwrap_or_default();
        assert_eq!(module("pkg:rpmmod/redhat/httpd@2.4:8100020:489197e6"), "httpd:2.4");
        assert_eq!(module("pkg:rpmmod/redhat/squid@4%3A8040020%3A522a0ee4"), "squid:4");
        assert_eq!(module("pkg:rpm/redhat/squid@4-1"), "");
    }
}
