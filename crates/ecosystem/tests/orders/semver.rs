//! What semantic versioning says, and where Dart differs.

use crate::tool;

const FACTS: &str = "
    1.0.0-alpha < 1.0.0-alpha.1
    1.0.0-alpha.1 < 1.0.0-alpha.beta
    1.0.0-alpha.beta < 1.0.0-beta
    1.0.0-beta < 1.0.0-beta.2
    1.0.0-beta.2 < 1.0.0-beta.11
    1.0.0-beta.11 < 1.0.0-rc.1
    1.0.0-rc.1 < 1.0.0
    1.0.0-a.b < 1.0.0-a-b
    1.0.0-0 < 1.0.0-a
    1.0.0-9 < 1.0.0-10
    1.9.0 < 1.10.0
    v1 = 1.0.0
    1.0rc1 < 1
    0.9.99999999999999999999 < 0.10
    1.2.3.4 > 1.2.3
";

#[test]
fn knows_what_semantic_versioning_says() {
    for id in ["semver", "npm", "hex", "swift", "pub", "go"] {
        tool::check(id, FACTS);
    }
    for id in ["semver", "npm", "hex", "swift"] {
        tool::check(id, "1.0.0+1 = 1.0.0");
    }
    tool::check(
        "pub",
        "
        1.0.0+1 > 1.0.0
        1.0.0+9 < 1.0.0+10
        1.0.0+9 < 1.0.0+a
        1.0.0-dev+1 < 1.0.0
        1.0.0-dev+1 < 1.0.0-dev.0
        ",
    );
}

#[test]
fn refuses_what_is_no_version() {
    for version in
        ["", "v", "latest", "1.", ".1", "1..0", "1.0-", "1.0-a..b", "1.0 0", "1.x", "1+", "1.0.a"]
    {
        for id in ["semver", "npm", "hex", "swift", "pub"] {
            assert!(!tool::reads(id, version), "{id}: {version}");
        }
    }
}
