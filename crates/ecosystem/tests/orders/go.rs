//! What Go says of its versions.

use crate::tool;

#[test]
fn knows_what_go_says() {
    tool::check(
        "go",
        "
        v1.2.3 = 1.2.3
        v1 = v1.0.0
        v2.0.0+incompatible = v2.0.0
        v0.0.0-20210101000000-abcdef012345 < v0.0.0-20220101000000-000000000000
        v1.2.4-0.20210101000000-abcdef012345 < v1.2.4
        v1.2.4-0.20210101000000-abcdef012345 > v1.2.3
        v1.2.4-pre.0.20210101000000-abcdef012345 > v1.2.4-pre
        go1.19 = 1.19.0
        go1.19rc1 = 1.19.0-rc.1
        1.19rc2 < go1.19rc10
        go1.19beta1 < go1.19rc1
        go1.19rc1 > 1.19.0-0
        go1.21.3 < go1.21.10
        go1.21.3-fips = go1.21.3
        ",
    );
}

#[test]
fn refuses_what_is_no_version() {
    for version in ["", "(devel)", "devel", "go", "gox1", "v", "devel +a1b2c3", "v1.2.3-", "1..2"] {
        assert!(!tool::reads("go", version), "{version}");
    }
    assert!(tool::reads("go", "go1.21.0 X:boringcrypto"));
}
