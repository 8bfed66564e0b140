//! Chainguard: which package versions fixed which flaws, and which flaws a package never had.

use model::Space;

use crate::alpine::secdb;
use crate::contract::{Document, Feed, Parsed, Part};

pub(crate) struct Chainguard;

impl Feed for Chainguard {
    fn id(&self) -> &'static str {
        "chainguard"
    }

    fn title(&self) -> &'static str {
        "Chainguard security database"
    }

    fn about(&self) -> &'static str {
        "https://edu.chainguard.dev/chainguard/chainguard-images/staying-secure/security-advisories; terms of use are Chainguard's"
    }

    fn version(&self) -> u16 {
        1
    }

    fn stale_after_days(&self) -> u32 {
        3
    }

    fn parts(&self) -> Vec<Part> {
        let urls = vec!["https://packages.cgr.dev/chainguard/security.json".to_owned()];
        vec![Part { name: "all".to_owned(), urls }]
    }

    fn recognises(&self, _path: &str, head: &[u8]) -> Option<String> {
        let head = secdb::Head(head);
        let host = head.text("urlprefix")?.strip_prefix("https://")?.split('/').next()?;
        let is_mine = head.is_secdb() && host.ends_with(".cgr.dev");
        is_mine.then(|| "all".to_owned())
    }

    fn parse(&self, _part: &str, document: &Document<'_>) -> Parsed {
        secdb::read(document, |_| Some(Space::of("chainguard")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spelt::{check, survives_junk};

    const SECURITY: &str = include_str!("../fixtures/chainguard/security.json");

    const TOLD: &str = "
part all
CVE-2024-0004
  chainguard Source teapot-fips NotAffected * (fixed in version 0: it never had the flaw)
GHSA-dddd-eeee-ffff
  chainguard Source teapot-fips NotAffected * (fixed in version 0: it never had the flaw)
CVE-2024-0001
  chainguard Source teapot-fips Affected <1.2.3-r1
GHSA-aaaa-bbbb-cccc
  chainguard Source teapot-fips Affected <1.2.3-r1
";

    #[test]
    fn reads_fixes_and_flaws_it_never_had() {
        check(&Chainguard, "security.json", SECURITY, TOLD);
    }

    #[test]
    fn takes_no_document_of_its_kin() {
        let other = include_bytes!("../fixtures/wolfi/security.json");
        assert_eq!(Chainguard.recognises("security.json", other), None);
        let alpine = include_bytes!("../fixtures/alpine/main.json");
        assert_eq!(Chainguard.recognises("main.json", alpine), None);
    }

    #[test]
    fn junk_is_no_reason_to_panic() {
        survives_junk(&Chainguard, SECURITY);
    }
}
