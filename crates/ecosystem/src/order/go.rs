//! go: modules, and the toolchain with its standard library.

use std::cmp::Ordering;

use super::semver::Parts;
use super::{BadVersion, Order};

/// Semantic versions, with or without the `v`, and those of the toolchain: `go1.22rc1` is `1.22.0-rc.1`,
/// as <https://go.dev/doc/security/vuln/database> writes it. `+incompatible` says nothing; a
/// pseudo-version is a prerelease like any other.
pub(super) struct Go;

const ID: &str = "go";

impl Order for Go {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "as `golang.org/x/mod/semver` decides"
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        Ok(read(left)?.compare(&read(right)?))
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        read(version)?.key(key);
        Ok(())
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "v1.2.3",
            "1.2.3",
            "v1",
            "v1.2",
            "0",
            "1.19.0-0",
            "go1.19",
            "go1.19rc1",
            "go1.19beta1",
            "1.19.0-rc.1",
            "1.19rc1",
            "go1.21.3",
            "go1.21.3 X:boringcrypto",
            "go1.21.3-fips",
            "v0.0.0-20210101000000-abcdef012345",
            "v0.0.0-20220101000000-abcdef012345",
            "v1.2.4-0.20210101000000-abcdef012345",
            "v1.2.4-pre.0.20210101000000-abcdef012345",
            "v2.0.0+incompatible",
            "v2.0.0",
            "v3.0.0-20210101000000-abcdef012345+incompatible",
            "v1.2.4-pre",
            "v1.0.0-rc9.0.20200122160610-2fc03cc11c77",
            "v1.0.0-rc91",
            "v1.0.0-rc9",
            "v1.99999999999999999999.0",
        ]
    }
}

fn read(version: &str) -> Result<Parts<'_>, BadVersion> {
    let text = match version.strip_prefix("go") {
        // Behind these, vendors and experiments name themselves.
        Some(toolchain) => toolchain.split([' ', '-', '+']).next().unwrap_or(""),
        None => version,
    };
    let parts = Parts::read(ID, text).map_err(|bad| BadVersion::new(ID, version, bad.why))?;
    Ok(parts.with_joined_prerelease())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `golang.org/x/mod/semver` compares them.
    #[test]
    fn a_modules_prerelease_is_not_taken_apart() {
        let ladder = [
            "v1.0.0-rc10",
            "v1.0.0-rc9",
            "v1.0.0-rc9.0.20200122160610-2fc03cc11c77",
            "v1.0.0-rc9.0.20200122160610-2fc03cc11c78",
            "v1.0.0-rc91",
            "v1.0.0-rc95",
            "v1.0.0",
        ];
        for pair in ladder.windows(2) {
            assert_eq!(Go.compare(pair[0], pair[1]).ok(), Some(Ordering::Less), "{pair:?}");
        }
    }

    #[test]
    fn a_toolchains_is() {
        for (left, right) in [("go1.19rc1", "1.19.0-rc.1"), ("1.19rc10", "1.19.0-rc.10")] {
            assert_eq!(Go.compare(left, right).ok(), Some(Ordering::Equal), "{left} {right}");
        }
    }
}
