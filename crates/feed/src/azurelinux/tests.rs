use proptest::prelude::*;

use super::AzureLinux;
use crate::contract::{Document, Feed};
use crate::told::{self, told};

const OVAL: &str = include_str!("../../fixtures/azurelinux/oval.xml");

#[test]
fn reads_definitions() {
    assert_eq!(
        told(&AzureLinux, "azurelinux-3.0", "a.xml", OVAL.as_bytes()),
        "CVE-2025-1001 CVE-2025-1001 affecting package lamp for versions less than 9.8-3 []\n\
         \x20 azurelinux:3.0 lamp Source Affected ..9.8-3.azl3; rating azurelinux high\n\
         \x20 azurelinux:3.0 oil Source Affected ..=1.0-1.azl3; outlook Open; rating azurelinux high\n\
         CVE-2025-1002 CVE-2025-1002 affecting package vase for versions less than 2.7-13 []\n\
         \x20 mariner:2.0 vase Source NotAffected ..; reason not applicable\n\
         CVE-2025-1003 CVE-2025-1003 affecting package wick []\n\
         \x20 azurelinux:3.0 wick Source Affected 0.0.0.azl3<..1:2.0-1.azl3; rating azurelinux low\n\
         gap: a.xml: it rests on a test that is not there: `oval:com.microsoft.azurelinux:def:5`\n\
         gap: a.xml: it asks for two packages at once: `oval:com.microsoft.azurelinux:def:6`\n\
         gap: a.xml: it compares versions with `pattern match`: `oval:com.microsoft.azurelinux:def:7`\n\
         gap: a.xml: it names no flaw: `oval:com.microsoft.azurelinux:def:8`\n"
    );
}

#[test]
fn tells_where_reading_stopped() {
    let (start, _) = OVAL.split_once("<definitions>").unwrap();
    assert_eq!(
        told(&AzureLinux, "azurelinux-3.0", "a.xml", start.as_bytes()),
        "gap: a.xml: reading it stopped: it ends inside an element\n"
    );
}

#[test]
fn knows_its_documents() {
    let own = |path: &str, text: &str| AzureLinux.recognises(path, text.as_bytes());
    assert_eq!(own("x.xml", OVAL), Some("azurelinux-3.0".to_owned()));
    let mariner = OVAL.replace("azurelinux:", "cbl-mariner:");
    assert_eq!(
        own("a/cbl-mariner-1.0-oval.xml.xz/x", &mariner),
        Some("cbl-mariner-1.0".to_owned())
    );
    assert_eq!(own("x.xml", &mariner), Some("cbl-mariner-2.0".to_owned()));
    assert_eq!(own("azurelinux-3.0-oval.xml", &OVAL.replace("microsoft", "oracle")), None);
}

proptest! {
    #[test]
    fn never_panics(bytes: Vec<u8>, at in 0_usize..9000, byte: u8, text in ".{0,30}") {
        let parse = |bytes: &[u8]| {
            told::text(&AzureLinux.parse("x", &Document { path: "x", bytes }));
            AzureLinux.recognises(&text, bytes);
        };
        parse(&bytes);
        let mut bent = OVAL.as_bytes().to_vec();
        if let Some(it) = bent.get_mut(at) {
            *it = byte;
        }
        parse(&bent);
        parse(OVAL.replace("less than", &text).as_bytes());
        parse(OVAL.replace("azl3", &text).as_bytes());
    }
}
