//! Azure Linux: documents in, rows out.

use proptest::prelude::*;

use super::AzureLinux;
use crate::contract::{Document, Feed};
use crate::shown::{check, show};

const OVAL: &str = include_str!("../../fixtures/azurelinux/oval.xml");

#[test]
fn reads_definitions() {
    check(
        &AzureLinux,
        "azurelinux-3.0",
        OVAL,
        "CVE-2025-1001: CVE-2025-1001 affecting package lamp for versions less than 9.8-3
         @ https://nvd.nist.gov/vuln/detail/CVE-2025-1001
         - azurelinux:3.0 lamp (source) (..9.8-3.azl3), azurelinux high
         - azurelinux:3.0 oil (source) (..1.0-1.azl3], open, azurelinux high
         CVE-2025-1002: CVE-2025-1002 affecting package vase for versions less than 2.7-13
         @ https://nvd.nist.gov/vuln/detail/CVE-2025-1002
         - mariner:2.0 vase (source) not affected (..), \"not applicable\"
         CVE-2025-1003: CVE-2025-1003 affecting package wick
         @ https://nvd.nist.gov/vuln/detail/CVE-2025-1003
         - azurelinux:3.0 wick (source) (0.0.0.azl3..1:2.0-1.azl3), azurelinux low
         ! x: it rests on a test that is not there: `oval:com.microsoft.azurelinux:def:5`
         ! x: it asks for two packages at once: `oval:com.microsoft.azurelinux:def:6`
         ! x: it compares versions with `pattern match`: `oval:com.microsoft.azurelinux:def:7`
         ! x: it names no flaw: `oval:com.microsoft.azurelinux:def:8`
         current 2025-02-24T13:05:27Z",
    );
}

#[test]
fn tells_where_reading_stopped() {
    let (start, _) = OVAL.split_once("<definitions>").unwrap();
    check(
        &AzureLinux,
        "azurelinux-3.0",
        start,
        "! x: reading it stopped: it ends inside an element
         current 2025-02-24T13:05:27Z",
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
            show(&AzureLinux.parse("x", &Document { path: "x", bytes }));
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
