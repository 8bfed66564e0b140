//! Architectures, modules, channels, products.

use super::{check, check_verdicts};

#[test]
fn architectures() {
    let rows = "amazon amzn:2023 bash CVE-1 <6 arch:aarch64";
    check("pkg:rpm/amzn/bash@5-1?distro=amzn-2023&arch=x86_64", rows, "");
    let expect = "CVE-1 unspecified bash@5-1 [bash] by amazon CVE-1: fix 6";
    check("pkg:rpm/amzn/bash@5-1?distro=amzn-2023&arch=aarch64", rows, expect);
    check("pkg:rpm/amzn/bash@5-1?distro=amzn-2023&arch=noarch", rows, expect);
    check("pkg:rpm/amzn/bash@5-1?distro=amzn-2023", rows, expect);
}

#[test]
fn modules() {
    let rows = "redhat-vex rhel:8 nodejs CVE-1 <18.20.4-1.module+el8 module:nodejs:18
        redhat-vex rhel:8 nodejs CVE-1 <20.16.0-1.module+el8 module:nodejs:20";
    check(
        "pkg:rpm/redhat/nodejs@18.1.0-1.module+el8?distro=rhel-8.9&rpmmod=nodejs:18:8090:abc",
        rows,
        "CVE-1 unspecified nodejs@18.1.0-1.module+el8 [nodejs] by redhat-vex CVE-1: fix 18.20.4-1.module+el8",
    );
    check(
        "pkg:rpm/redhat/nodejs@18.20.4-1.module+el8?distro=rhel-8.9&rpmmod=nodejs:18:8090:abc",
        rows,
        "",
    );
    check("pkg:rpm/redhat/nodejs@10.1-1.el8?distro=rhel-8.9", rows, "");
    check(
        "pkg:rpm/redhat/nodejs@18.20.4-1.module+el8?distro=rhel-8.9",
        rows,
        "gap: 1 package of rhel:8: not matched, for the package was built for a module, \
         and does not say of which stream (nodejs@18.20.4-1.module+el8)",
    );
    // Feeds that do not name modules tell by the version.
    check(
        "pkg:rpm/almalinux/nodejs@10.1-1.el8?distro=almalinux-8.9",
        "osv almalinux:8 nodejs CVE-1 <18.20.4-1.module_el8",
        "",
    );
}

#[test]
fn streams_by_their_versions() {
    let rows = "osv almalinux:8 nodejs CVE-1 binary <1:18.20.4-1.module_el8
        osv almalinux:8 nodejs CVE-1 binary <1:20.16.0-1.module_el8";
    let node =
        |version: &str| format!("pkg:rpm/almalinux/nodejs@{version}?distro=almalinux-8.9&epoch=1");
    check(&node("18.20.4-1.module_el8"), rows, "");
    check(
        &node("18.20.3-1.module_el8"),
        rows,
        "CVE-1 unspecified nodejs@1:18.20.3-1.module_el8 [nodejs] by osv CVE-1: fix 1:18.20.4-1.module_el8",
    );
    // With neither of its stream, who knows.
    check(
        &node("16.1.0-1.module_el8"),
        rows,
        "CVE-1 unspecified nodejs@1:16.1.0-1.module_el8 [nodejs] by osv CVE-1: fix 1:20.16.0-1.module_el8",
    );
}

#[test]
fn each_minor_release_has_its_own_erratum() {
    let rows = "osv almalinux:8 glibc CVE-1 binary <2.28-236.el8_9.13
        osv almalinux:8 glibc CVE-1 binary <2.28-251.el8_10.1
        osv almalinux:8 glibc CVE-1 binary <2.28-251.el8_10.2";
    let glibc = |version: &str| format!("pkg:rpm/almalinux/glibc@{version}?distro=almalinux-8.10");
    let finding = |version: &str, fix: &str| {
        format!("CVE-1 unspecified glibc@{version} [glibc] by osv CVE-1: fix {fix}")
    };
    check(&glibc("2.28-236.el8_9.13"), rows, "");
    check(&glibc("2.28-236.el8_9.20"), rows, "");
    for (version, fix) in [
        ("2.28-236.el8_9.12", "2.28-236.el8_9.13"),
        ("2.28-250.el8_10.1", "2.28-251.el8_10.2"),
        // Mended twice for one minor release: the first time was not enough.
        ("2.28-251.el8_10.1", "2.28-251.el8_10.2"),
        // Built for one that none of them is about, or for none.
        ("2.28-240.el8_8.1", "2.28-251.el8_10.2"),
        ("2.28-240.el8", "2.28-251.el8_10.2"),
    ] {
        check(&glibc(version), rows, &finding(version, fix));
    }
    check_verdicts(&glibc("2.28-236.el8_9.13"), rows, "", "glibc CVE-1: NotInRange");
}

#[test]
fn pro_goes_on_where_the_main_channel_ends() {
    let bash = |version: &str| format!("pkg:deb/ubuntu/bash@{version}?distro=ubuntu-18.04");
    let both = "ubuntu-vex ubuntu:18.04 bash CVE-1 source all outlook:eol
        ubuntu-vex ubuntu:18.04 bash CVE-1 source <4.4-1ubuntu1+esm1 channel:esm-infra";
    let over = "gap: ubuntu 18.04: end of life since 2023-05-31 (standard support \
        (Ubuntu Pro goes on), ubuntu.com/about/release-cycle): what became known later may be missing";
    let finding = "CVE-1 unspecified bash@4.4-1ubuntu1 [bash] by ubuntu-vex CVE-1: \
        fix 4.4-1ubuntu1+esm1 in esm-infra";
    check(&bash("4.4-1ubuntu1"), both, &format!("{finding}\n{over}"));
    check(&bash("4.4-1ubuntu1+esm1"), both, over);
    let by_osv = "osv ubuntu:18.04 bash CVE-1 source <4.4-1ubuntu1+esm1 channel:pro";
    check(
        &bash("4.4-1ubuntu1"),
        by_osv,
        &format!(
            "CVE-1 unspecified bash@4.4-1ubuntu1 [bash] by osv CVE-1: fix 4.4-1ubuntu1+esm1 in pro\n{over}"
        ),
    );
    // Where only Pro speaks, the main channel has the flaw too.
    let only = "ubuntu-vex ubuntu:18.04 bash CVE-1 source <4.4-1ubuntu1+esm1 channel:esm-infra";
    check(&bash("4.4-1ubuntu1"), only, &format!("{finding}\n{over}"));
    // Where the main channel has a fix, it counts.
    let fixed = "ubuntu-vex ubuntu:18.04 bash CVE-1 source <4.4-1ubuntu0.1
        ubuntu-vex ubuntu:18.04 bash CVE-1 source <4.4-1ubuntu1+esm1 channel:esm-infra";
    check(&bash("4.4-1ubuntu1"), fixed, over);
    check(
        &bash("4.4-1ubuntu1+esm1"),
        "ubuntu-vex ubuntu:18.04 bash CVE-1 source <4.4-1ubuntu2",
        &format!(
            "CVE-1 unspecified bash@4.4-1ubuntu1+esm1 [bash] by ubuntu-vex CVE-1: fix 4.4-1ubuntu2\n{over}"
        ),
    );
}

#[test]
fn a_layered_products_own_build() {
    let image = |version: &str| {
        format!(
            "distro rhel 9.4 - - cpe:/a:redhat:openshift:4.16::el9
             pkg:rpm/redhat/podman@{version}?distro=rhel-9.4"
        )
    };
    let rows = "redhat-vex rhel:9 podman CVE-1 not-affected all
        redhat-vex rhel:9 podman CVE-1 <4.9-3.rhaos4.16.el9 product:cpe:/a:redhat:openshift:4.16::el9";
    check(
        &image("4.9-2.rhaos4.16.el9"),
        rows,
        "CVE-1 unspecified podman@4.9-2.rhaos4.16.el9 [podman] by redhat-vex CVE-1: \
         fix 4.9-3.rhaos4.16.el9",
    );
    check(&image("4.9-3.rhaos4.16.el9"), rows, "");
    check(&image("4.6-1.el9_4.2"), rows, "");
}

#[test]
fn topics_of_amazon_begin_where_the_core_ends() {
    let kernel = |version: &str| format!("pkg:rpm/amzn/kernel@{version}?distro=amzn-2");
    let rows = "amazon amzn:2 kernel CVE-1 <4.14.355-270
        amazon amzn:2 kernel CVE-1 >=5.10,<5.10.223-217 channel:amzn2extra-kernel-5.10";
    check(
        &kernel("4.14.350-1"),
        rows,
        "CVE-1 unspecified kernel@4.14.350-1 [kernel] by amazon CVE-1: fix 4.14.355-270",
    );
    check(&kernel("4.14.355-270"), rows, "");
    check(
        &kernel("5.10.100-1"),
        rows,
        "CVE-1 unspecified kernel@5.10.100-1 [kernel] by amazon CVE-1: \
         fix 5.10.223-217 in amzn2extra-kernel-5.10",
    );
    check(&kernel("5.10.223-217"), rows, "");
    // One that does not say where it begins may be about somebody else's package.
    check(
        &kernel("5.10.100-1"),
        "amazon amzn:2 kernel CVE-1 <5.9\namazon amzn:2 kernel CVE-1 <6 channel:amzn2extra-x",
        "",
    );
}

#[test]
fn validated_builds_run_apart() {
    let rows = "oracle ol:8 openssl CVE-1 <1:1.1.1k-12.el8
        oracle ol:8 openssl CVE-1 <10:1.1.1k-14.el8_fips channel:fips";
    let ssl = |version: &str| format!("pkg:rpm/ol/openssl@{version}?distro=ol-8.9&epoch=10");
    check(
        &ssl("1.1.1k-13.el8_fips"),
        rows,
        "CVE-1 unspecified openssl@10:1.1.1k-13.el8_fips [openssl] by oracle CVE-1: \
         fix 10:1.1.1k-14.el8_fips in fips",
    );
    check(&ssl("1.1.1k-14.el8_fips"), rows, "");
    check(
        &ssl("1.1.1k-14.el8_fips"),
        "oracle ol:8 openssl CVE-1 <1:1.1.1k-12.el8",
        "gap: 1 package of ol:8: not matched, for versions of the package's channel \
         cannot be compared with those of the main one (openssl@1.1.1k-14.el8_fips)",
    );
    check(
        "pkg:rpm/ol/openssl@1.1.1k-11.el8?distro=ol-8.9&epoch=1",
        rows,
        "CVE-1 unspecified openssl@1:1.1.1k-11.el8 [openssl] by oracle CVE-1: fix 1:1.1.1k-12.el8",
    );
}

#[test]
fn extended_streams_only_offer_their_fix() {
    let rows = "redhat-vex rhel:9 bash CVE-1 all outlook:open
        redhat-vex rhel:9 bash CVE-1 <5.1-9.el9_4 channel:eus-9.4
        redhat-vex rhel:9 bash CVE-1 <5.1-8.el9_2 channel:eus-9.2";
    check(
        "pkg:rpm/redhat/bash@5.1-6.el9?distro=rhel-9.4",
        rows,
        "CVE-1 unspecified bash@5.1-6.el9 [bash] by redhat-vex CVE-1: fix 5.1-9.el9_4 in eus-9.4",
    );
    check(
        "pkg:rpm/redhat/bash@5.1-6.el9?distro=rhel-9.5",
        rows,
        "CVE-1 unspecified bash@5.1-6.el9 [bash] by redhat-vex CVE-1: no fix, Open",
    );
    check_verdicts(
        "pkg:rpm/redhat/bash@5.1-6.el9?distro=rhel-9.4",
        "redhat-vex rhel:9 bash CVE-1 <5.1-9.el9_4 channel:eus-9.4",
        "",
        "bash CVE-1: Elsewhere",
    );
}

#[test]
fn products() {
    let rows = "redhat-vex rhel:9 bash CVE-1 all product:cpe:/a:redhat:openshift:4";
    let bash = "pkg:rpm/redhat/bash@5.1-6.el9?distro=rhel-9.4";
    check(bash, rows, "");
    let cpes = ["cpe:/a:redhat:openshift:4.13::el9".to_owned()];
    let options = crate::Options { cpes: &cpes, ..crate::Options::default() };
    let expect = "CVE-1 unspecified bash@5.1-6.el9 [bash] by redhat-vex CVE-1: no fix, Open";
    super::check_with(bash, rows, "", options, expect);
}
