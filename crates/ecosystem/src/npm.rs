//! npm: packages of Node.js, unpacked under `node_modules` or asked for by a lock file.

use model::Purl;

use crate::listing::is_version;
use crate::{Cataloger, Claim, Ecosystem, EcosystemId};

mod installed;
mod package_lock;
mod pnpm_lock;
mod yarn_lock;

pub(crate) struct Npm;

impl Ecosystem for Npm {
    fn id(&self) -> EcosystemId {
        "npm"
    }

    fn title(&self) -> &'static str {
        "npm packages"
    }

    fn catalogers(&self) -> &'static [Cataloger] {
        CATALOGERS
    }
}

const CATALOGERS: &[Cataloger] = &[
    Cataloger {
        id: "npm-installed",
        reads: "`package.json` of each package directly under a `node_modules` (npm, yarn, pnpm, \
                global ones, npm itself), or under Debian's `usr/share/nodejs`",
        version: 1,
        claims: &[
            Claim::Path("**/node_modules/*/package.json"),
            Claim::Path("**/node_modules/@*/*/package.json"),
            Claim::Path("usr/share/nodejs/*/package.json"),
            Claim::Path("usr/share/nodejs/@*/*/package.json"),
        ],
        peeks: &[],
        read: installed::read,
    },
    Cataloger {
        id: "npm-package-lock",
        reads: "`package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3, outside \
                installed packages",
        version: 1,
        claims: &[Claim::Path("**/package-lock.json"), Claim::Path("**/npm-shrinkwrap.json")],
        peeks: &[],
        read: package_lock::read,
    },
    Cataloger {
        id: "npm-pnpm-lock",
        reads: "`pnpm-lock.yaml`, versions 5 to 9, outside installed packages",
        version: 1,
        claims: &[Claim::Path("**/pnpm-lock.yaml")],
        peeks: &[],
        read: pnpm_lock::read,
    },
    Cataloger {
        id: "npm-yarn-lock",
        reads: "`yarn.lock` of yarn 1 and of berry, outside installed packages",
        version: 1,
        claims: &[Claim::Path("**/yarn.lock")],
        peeks: &[],
        read: yarn_lock::read,
    },
];

/// The purl of `name` (`left-pad`, `@babel/core`) at `version`, if both are sound.
fn purl(name: &str, version: &str) -> Option<Purl> {
    let sound = |it: &str| {
        !it.is_empty()
            && !it.starts_with('.')
            && it.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_.~!'()*".contains(&it))
    };
    if name.len() > 214 || !is_version(version) {
        return None;
    }
    let purl = match name.strip_prefix('@') {
        Some(scoped) => {
            let (scope, rest) = scoped.split_once('/')?;
            if !sound(scope) || !sound(rest) {
                return None;
            }
            Purl::new("npm", rest).with_namespace(&format!("@{scope}"))
        }
        None if sound(name) => Purl::new("npm", name),
        None => return None,
    };
    Some(purl.with_version(version))
}

/// `name` and the rest of `name@rest`; the name may start with an `@` itself.
fn split_spec(spec: &str) -> Option<(&str, &str)> {
    let at = spec.get(1..)?.find('@')? + 1;
    Some((spec.get(..at)?, spec.get(at + 1..)?))
}

/// Does it come out of a git repository?
fn is_git(address: &str) -> bool {
    ["git+", "git:", "git@", "github:", "gitlab:", "bitbucket:"]
        .iter()
        .any(|it| address.starts_with(it))
}

/// Is it a directory or a file beside the project, and so published nowhere?
fn is_local(address: &str) -> bool {
    ["file:", "link:", "portal:", "workspace:"].iter().any(|it| address.starts_with(it))
}
