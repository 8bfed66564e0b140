//! Amazon: documents in, rows out.

use proptest::prelude::*;

use super::{Amazon, time};
use crate::contract::{Document, Feed};
use crate::shown::{check, show};

const UPDATES: &str = include_str!("../../fixtures/amazon/updateinfo.xml");

#[test]
fn reads_errata() {
    check(&Amazon, "2/core/x86_64", UPDATES, "ALAS-2018-939: no flaw named
         - amzn:2018.03 bash (binary) (..4.2-1.amzn1), amazon critical, on x86_64, by ALAS-2018-939
         CVE-2024-1001: Amazon Linux 2023 - ALAS2023-2024-001: Important priority package update for lamp
         @ http://cve.mitre.org/cgi-bin/cvename.cgi?name=CVE-2024-1001
         - amzn:2023 lamp (binary) (..8.2-3.amzn2023.0.2), amazon high Important, on i686 x86_64, by ALAS2023-2024-001
         - amzn:2023 lamp-doc (binary) (..1:8.2-3.amzn2023.0.2), amazon high Important, by ALAS2023-2024-001
         CVE-2024-1002: Amazon Linux 2023 - ALAS2023-2024-001: Important priority package update for lamp
         - amzn:2023 lamp (binary) (..8.2-3.amzn2023.0.2), amazon high Important, on i686 x86_64, by ALAS2023-2024-001
         - amzn:2023 lamp-doc (binary) (..1:8.2-3.amzn2023.0.2), amazon high Important, by ALAS2023-2024-001
         - amzn:2023 oil (source) (..1.0-1.amzn2023), amazon low, by ALAS2023-2024-002
         CVE-2024-1003: kernel
         - amzn:2 kernel (binary) [5.10..5.10.223-217.amzn2), channel amzn2extra-kernel-5.10, amazon medium, on aarch64, by ALAS2KERNEL-5.10-2024-060
         - amzn:2 kernel-livepatch-5.10.223-217 (binary) (..1.0-1.amzn2), channel amzn2extra-kernel-5.10, amazon medium, on aarch64, by ALAS2KERNEL-5.10-2024-060
         - amzn:2 kernel (binary) (..4.14.355-270.amzn2), amazon medium, on aarch64, by ALAS2-2024-060
         CVE-2024-1005: odd
         ! x: it does not say for which release of Amazon Linux it is: `XSA-1`
         ! x: a package without a name or a version: `ALAS2-2024-061`
         ! x: an erratum without a name: ``
         current 2024-03-02T00:00:00Z");
}

#[test]
fn tells_the_story_of_each_flaw() {
    let parsed = Amazon.parse("x", &Document { path: "u.xml", bytes: UPDATES.as_bytes() });
    let first = &parsed.advisories[1];
    assert_eq!(first.details, "A lamp burns <when lit>.");
    assert_eq!(first.references, ["http://cve.mitre.org/cgi-bin/cvename.cgi?name=CVE-2024-1001"]);
    let second = &parsed.advisories[2];
    assert_eq!(second.published.as_deref(), Some("2024-02-17T20:41:00Z"));
    assert_eq!(second.modified.as_deref(), Some("2024-03-02T00:00:00Z"));
    assert_eq!(parsed.current.as_deref(), Some("2024-03-02T00:00:00Z"));
}

#[test]
fn knows_its_documents() {
    let own = |head: &str| Amazon.recognises("x.xml", head.as_bytes());
    assert_eq!(own(&UPDATES[..400]), Some("2023/core/x86_64".to_owned()));
    assert_eq!(
        own("<updates><update from=\"releng@rockylinux.org\"><id>RLBA-2021:2580</id>"),
        None
    );
    assert_eq!(own("<updates><update from=\"x\"><id>BRSA-1bwujdrkn6nc</id>"), None);
}

#[test]
fn tells_where_reading_stopped() {
    check(
        &Amazon,
        "x",
        "<updates><update type='security'><id>ALAS2-2024-1</id><title>odd</title></update><update>",
        "ALAS2-2024-1: odd
         ! x: an erratum without packages: `ALAS2-2024-1`
         ! x: reading it stopped: it ends inside an element",
    );
}

#[test]
fn reads_times() {
    assert_eq!(time("2024-02-17 20:41").as_deref(), Some("2024-02-17T20:41:00Z"));
    assert_eq!(time("2024-02-17T20:41:05Z").as_deref(), Some("2024-02-17T20:41:05Z"));
    assert_eq!(time("2024-02-17").as_deref(), Some("2024-02-17T00:00:00Z"));
    assert_eq!(time("soon"), None);
}

proptest! {
    #[test]
    fn never_panics(bytes: Vec<u8>, at in 0_usize..4000, byte: u8, text in ".{0,30}") {
        let parse = |bytes: &[u8]| {
            show(&Amazon.parse("x", &Document { path: "x", bytes }));
            Amazon.recognises(&text, bytes);
        };
        parse(&bytes);
        let mut bent = UPDATES.as_bytes().to_vec();
        if let Some(it) = bent.get_mut(at) {
            *it = byte;
        }
        parse(&bent);
        parse(UPDATES.replace("2023", &text).as_bytes());
    }
}
