use proptest::prelude::*;

use super::{Amazon, time};
use crate::contract::{Document, Feed};
use crate::told::{self, told};

const UPDATES: &str = include_str!("../../fixtures/amazon/updateinfo.xml");

#[test]
fn reads_errata() {
    assert_eq!(
        told(&Amazon, "2/core/x86_64", "u.xml", UPDATES.as_bytes()),
        "ALAS-2018-939 no flaw named []\n\
\x20 amzn:2018.03 bash Binary Affected ..4.2-1.amzn1; rating amazon critical; bulletins ALAS-2018-939; arch x86_64\n\
CVE-2024-1001 Amazon Linux 2023 - ALAS2023-2024-001: Important priority package update for lamp []\n\
\x20 amzn:2023 lamp Binary Affected ..8.2-3.amzn2023.0.2; rating amazon high=Important; bulletins ALAS2023-2024-001; arch i686 x86_64\n\
\x20 amzn:2023 lamp-doc Binary Affected ..1:8.2-3.amzn2023.0.2; rating amazon high=Important; bulletins ALAS2023-2024-001\n\
CVE-2024-1002 Amazon Linux 2023 - ALAS2023-2024-001: Important priority package update for lamp []\n\
\x20 amzn:2023 lamp Binary Affected ..8.2-3.amzn2023.0.2; rating amazon high=Important; bulletins ALAS2023-2024-001; arch i686 x86_64\n\
\x20 amzn:2023 lamp-doc Binary Affected ..1:8.2-3.amzn2023.0.2; rating amazon high=Important; bulletins ALAS2023-2024-001\n\
\x20 amzn:2023 oil Source Affected ..1.0-1.amzn2023; rating amazon low; bulletins ALAS2023-2024-002\n\
CVE-2024-1003 kernel []\n\
\x20 amzn:2 kernel Binary Affected 5.10..5.10.223-217.amzn2; rating amazon medium; bulletins ALAS2KERNEL-5.10-2024-060; arch aarch64; channel amzn2extra-kernel-5.10\n\
\x20 amzn:2 kernel-livepatch-5.10.223-217 Binary Affected ..1.0-1.amzn2; rating amazon medium; bulletins ALAS2KERNEL-5.10-2024-060; arch aarch64; channel amzn2extra-kernel-5.10\n\
\x20 amzn:2 kernel Binary Affected ..4.14.355-270.amzn2; rating amazon medium; bulletins ALAS2-2024-060; arch aarch64\n\
CVE-2024-1005  []\n\
gap: u.xml: it does not say for which release of Amazon Linux it is: `XSA-1`\n\
gap: u.xml: a package without a name or a version: `ALAS2-2024-061`\n\
gap: u.xml: an erratum without a name: ``\n\
"
    );
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
    let broken = "<updates><update type=\"security\"><id>ALAS2-2024-1</id></update><update>";
    assert_eq!(
        told(&Amazon, "x", "u.xml", broken.as_bytes()),
        "ALAS2-2024-1  []\n\
         gap: u.xml: an erratum without packages: `ALAS2-2024-1`\n\
         gap: u.xml: reading it stopped: it ends inside an element\n"
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
            told::text(&Amazon.parse("x", &Document { path: "x", bytes }));
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
