//! vex: documents in an image that say which flaws it does not have.
//!
//! They hold no packages, so this is no packaging world, and `vex` is no purl type.

use model::{Found, Gap};

use crate::{Beside, Cataloger, Claim, Ecosystem, EcosystemId, File};

pub(crate) struct Vex;

impl Ecosystem for Vex {
    fn id(&self) -> EcosystemId {
        "vex"
    }

    fn title(&self) -> &'static str {
        "Embedded VEX documents"
    }

    fn catalogers(&self) -> &'static [Cataloger] {
        &[Cataloger {
            id: "vex-embedded",
            reads: "OpenVEX, CSAF VEX and CycloneDX VEX documents (JSON) that lie in the image",
            version: 1,
            claims: &[Claim::Path("**/*.{vex,openvex}.json")],
            peeks: &[],
            read,
        }]
    }
}

fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    let bytes = match file.bytes(LARGEST) {
        Ok(bytes) => bytes,
        Err(e) => return Found::gap(file.path(), e.to_string()),
    };
    let origin = format!("/{}", file.path());
    match statement::read(&origin, &bytes) {
        Ok(read) => Found {
            statements: read.statements,
            gaps: read.gaps.into_iter().map(|it| Gap::new(file.path(), it.to_string())).collect(),
            ..Found::default()
        },
        Err(why) => Found::gap(file.path(), format!("it is no VEX document: {why}")),
    }
}

const LARGEST: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Nothing;

    fn check(text: &str, expect: &str) {
        let file = File::in_memory("app/a.vex.json", 0o644, text.as_bytes());
        let found = read(&file, &Nothing);
        let said = found.statements.iter().map(|it| {
            format!("{} {} from {}\n", it.status.as_str(), it.flaws.join("="), it.origin)
        });
        let gaps = found.gaps.iter().map(|it| format!("gap: {it}\n"));
        assert_eq!(said.chain(gaps).collect::<String>(), expect);
    }

    #[test]
    fn tells_what_it_says_and_what_makes_no_sense() {
        check(
            r#"{"@context":"https://openvex.dev/ns/v0.2.0","author":"a","statements":[
            {"vulnerability":{"name":"CVE-1"},"status":"not_affected"},{"status":"fixed"}]}"#,
            "not_affected CVE-1 from /app/a.vex.json\n\
             gap: app/a.vex.json: /app/a.vex.json, statement 2: it makes no sense: missing field `vulnerability` at line 1 column 18\n",
        );
        check(
            "{}",
            "gap: app/a.vex.json: it is no VEX document: it is none of OpenVEX, CSAF VEX, CycloneDX JSON and an ignore file\n",
        );
    }
}
