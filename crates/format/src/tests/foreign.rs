//! Documents as other tools write them, cut down to what each shows.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use model::{Inventory, Subject};

use crate::read;

const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// `HEX` in a document stands for some digest's digits.
fn check(document: &str, expect: &str) {
    let document = document.replace("HEX", HEX);
    let shown = read(document.as_bytes()).map_or_else(|e| e.to_string(), |it| show(&it));
    assert_eq!(shown.replace(HEX, "HEX").trim_end(), expect.trim());
}

fn show(inventory: &Inventory) -> String {
    let mut text = String::new();
    let _ = match &inventory.subject {
        Subject::Image(image) => {
            let digest = image.digest.as_ref().map_or("no digest", |it| it.as_str());
            writeln!(text, "image {} {digest} {:?}", image.name, image.tags)
        }
        Subject::Directory { path } => writeln!(text, "directory {path}"),
        Subject::Document { name } => writeln!(text, "document {name}"),
    };
    if let Some(distro) = &inventory.distro {
        let word = |it: &Option<String>| it.clone().unwrap_or_else(|| "-".to_owned());
        let _ =
            writeln!(text, "on {} {} {}", distro.id, word(&distro.version), word(&distro.codename));
    }
    for package in &inventory.packages {
        let _ = write!(text, "{}", package.purl);
        if let Some(source) = &package.source {
            let _ =
                write!(text, " from {} {}", source.name, source.version.as_deref().unwrap_or("-"));
        }
        if !package.licenses.is_empty() {
            let _ = write!(text, " under {}", package.licenses.join(" and "));
        }
        if let Some(author) = &package.author {
            let _ = write!(text, " by {author}");
        }
        for place in &package.places {
            let layer = place.layer.map(|it| format!(" in layer {it}")).unwrap_or_default();
            let _ = write!(text, " at {}{layer}", place.path);
        }
        if let Some(owner) = &package.owner {
            let _ = write!(text, " owned by {owner}");
        }
        text.push('\n');
    }
    for gap in &inventory.gaps {
        let _ = writeln!(text, "gap: {gap}");
    }
    text
}

#[test]
fn scout() {
    check(
        r#"{"source":{"type":"image","image":{"name":"debian","digest":"sha256:HEX","tags":["12"],
          "manifest":{"layers":[{"digest":"sha256:HEX","mediaType":"x","size":1}]},"config":{},
          "raw_manifest":"e30=","distro":{"os_name":"redhatlinux","os_version":"9"},
          "platform":{"os":"linux","architecture":"amd64"},"size":5}},
        "artifacts":[
          {"type":"deb","namespace":"debian","name":"libssl3","version":"3.0.1","author":"Jane",
           "purl":"pkg:deb/debian/libssl3@3.0.1?os_name=debian&os_version=12",
           "licenses":["OpenSSL"],"locations":[{"path":"/var/lib/dpkg/status","ordinal":0,
           "digest":"sha256:HEX","diff_id":"sha256:HEX"}],
           "parent":"pkg:deb/debian/openssl@3.0.1?os_name=debian&os_version=12"},
          {"type":"alpine","name":"musl","version":"1.2","purl":"pkg:alpine/musl@1.2","locations":null}
        ],"vulnerabilities":[],"descriptor":{"name":"docker-scout","version":"1","sbom_version":"9"}}"#,
        r#"
image debian sha256:HEX ["12"]
on rhel 9 -
pkg:apk/alpine/musl@1.2
pkg:deb/debian/libssl3@3.0.1?os_name=debian&os_version=12 from openssl - under OpenSSL by Jane at /var/lib/dpkg/status in layer 0"#,
    );
}

#[test]
fn scout_with_wrong_types() {
    check(
        r#"{"source":{"image":{"name":7,"digest":"sha256:1","tags":"x","raw_config":"?"}},
        "artifacts":[1,{"purl":"npm/x"},{"type":"npm","name":"a","version":"1","size":-1,"licenses":[{}]}],
        "gaps":[{"at":"/x","why":"it is so"}]}"#,
        r"
image  no digest []
pkg:npm/a@1
gap: /x: it is so
gap: artifacts: `npm/x` is not a package URL: it does not start with `pkg:`
gap: artifacts: the package has no purl, and none can be made of its type and name
gap: pkg:npm/a@1: `licenses` holds what is not a text
gap: pkg:npm/a@1: `size` is not a whole number
gap: source.image: `digest`: `sha256:1` is not a digest such as sha256:… with 64 hexadecimal digits
gap: source.image: `name` is not a text
gap: source.image: `raw_config` is not text in base64
gap: source.image: `tags` is not a list",
    );
}

#[test]
fn syft() {
    check(
        r#"{"artifacts":[
          {"id":"1","name":"libssl3","version":"3.0.1","type":"deb","locations":[{"path":"/var/lib/dpkg/status","layerID":"sha256:HEX"}],
           "licenses":[{"value":"GPL-2","spdxExpression":"GPL-2.0-only"}],"cpes":[{"cpe":"cpe:2.3:a","source":"syft-generated"}],
           "purl":"pkg:deb/debian/libssl3@3.0.1?distro=debian-12",
           "metadata":{"source":"openssl","sourceVersion":"","maintainer":"Jane"}},
          {"id":"2","name":"a","version":"1","type":"python","licenses":["MIT"],"purl":"pkg:pypi/a@1"},
          {"id":"3","name":"github.com/x/y","version":"v1","type":"go-module","purl":""},
          {"id":"4","name":"z","version":"1","type":"what","purl":""}],
        "artifactRelationships":[{"parent":"1","child":"2","type":"ownership-by-file-overlap"},{"parent":"9","child":"1","type":"ownership-by-file-overlap"}],
        "source":{"type":"image","metadata":{"userInput":"debian:12","manifestDigest":"sha256:HEX","tags":[],"os":"linux","architecture":"amd64","layers":[{"digest":"sha256:HEX","size":1}]}},
        "distro":{"id":"debian","versionID":"12","versionCodename":"bookworm","idLike":"a b"},
        "descriptor":{"name":"syft"},"schema":{"version":"16.0.18","url":"u"}}"#,
        r"
image debian:12 sha256:HEX []
on debian 12 bookworm
pkg:deb/debian/libssl3@3.0.1?distro=debian-12 from openssl - under GPL-2.0-only by Jane at /var/lib/dpkg/status in layer 0
pkg:golang/github.com/x/y@v1
pkg:pypi/a@1 under MIT owned by pkg:deb/debian/libssl3@3.0.1?distro=debian-12
gap: z: the package has no purl, and none can be made of its type and name",
    );
}

#[test]
fn cyclonedx_of_trivy() {
    check(
        r#"{"$schema":"http://cyclonedx.org/schema/bom-1.5.schema.json","bomFormat":"CycloneDX","specVersion":"1.5",
        "metadata":{"tools":[{"name":"trivy"}],"component":{"type":"container","name":"debian:12","purl":"pkg:oci/debian@sha256%3AHEX?tag=12"}},
        "components":[
          {"bom-ref":"1","type":"operating-system","name":"debian","version":"12.5"},
          {"bom-ref":"2","type":"application","name":"app/package-lock.json","properties":[{"name":"aquasecurity:trivy:Class","value":"lang-pkgs"}]},
          {"type":"library","name":"libssl3","version":"3.0.1-1","purl":"pkg:deb/debian/libssl3@3.0.1-1",
           "supplier":{"name":"Jane"},"licenses":[{"license":{"name":"OpenSSL"}},{"license":{"id":"MIT"}},{"license":{}}],
           "properties":[{"name":"aquasecurity:trivy:SrcName","value":"openssl"},{"name":"aquasecurity:trivy:SrcVersion","value":"3.0.1"},
            {"name":"aquasecurity:trivy:SrcRelease","value":"1"},{"name":"aquasecurity:trivy:FilePath","value":"a/b"}]}]}"#,
        r#"
image debian:12 sha256:HEX ["12"]
on debian 12.5 -
pkg:deb/debian/libssl3@3.0.1-1 from openssl - under OpenSSL and MIT by Jane at /a/b
gap: pkg:deb/debian/libssl3@3.0.1-1: a licence has neither a name nor an expression"#,
    );
}

#[test]
fn cyclonedx_of_every_shape() {
    check(
        r#"{"bomFormat":"CycloneDX","specVersion":"1.2","components":[
          {"type":"library","group":"g","name":"n","version":"1","bom-ref":"pkg:maven/g/n@1?package-id=7","licenses":[{"expression":"MIT OR ISC"}],"author":"A"},
          {"type":"library","name":"nested","version":"1","purl":"pkg:npm/nested@1","components":[{"type":"library","name":"inner","purl":"pkg:npm/inner@2"}]},
          {"type":"library","name":"typed","version":"3","properties":[{"name":"syft:package:type","value":"python"}]},
          {"type":"library","name":"bare","version":"4"},
          {"type":"library","name":"barer"},
          {"type":"file","name":"/etc/passwd"},
          {"type":"library","name":"twice","purl":"pkg:npm/twice@1","evidence":{"occurrences":[{"location":"/b"}]}},
          {"type":"library","name":"twice","purl":"pkg:npm/twice@1","properties":[{"name":"syft:location:0:path","value":"/a"}]},
          7]}"#,
        r"
document 
pkg:generic/bare@4
pkg:maven/g/n@1 under MIT OR ISC by A
pkg:npm/inner@2
pkg:npm/nested@1
pkg:npm/twice@1 at /a at /b
pkg:pypi/typed@3
gap: a component: it is not an object
gap: bare: the component has no purl, so nothing can be known of it
gap: barer: the component has no purl, so nothing can be known of it",
    );
}

#[test]
fn cyclonedx_versions() {
    check(
        r#"{"bomFormat":"CycloneDX","specVersion":"1.7"}"#,
        "document \ngap: the document: it is CycloneDX 1.7; only what versions 1.2 to 1.6 know was read",
    );
    check(
        r#"{"bomFormat":"CycloneDX","specVersion":"2.0"}"#,
        "reading the CycloneDX document failed: its version is `2.0`; versions 1.2 to 1.6 are understood",
    );
}

#[test]
fn spdx_of_buildkit_and_syft() {
    check(
        r#"{"spdxVersion":"SPDX-2.3","name":"sbom","packages":[
          {"SPDXID":"SPDXRef-root","name":"/core","primaryPackagePurpose":"FILE"},
          {"SPDXID":"SPDXRef-1","name":"libssl3","versionInfo":"3.0.1","originator":"Person: Jane (j@x.org)","licenseConcluded":"NOASSERTION","licenseDeclared":"LicenseRef-1",
           "sourceInfo":"acquired package info from DPKG DB: /var/lib/dpkg/status, /usr/share/doc/libssl3/copyright",
           "externalRefs":[{"referenceCategory":"SECURITY","referenceType":"cpe23Type","referenceLocator":"cpe:2.3:a"},
            {"referenceCategory":"PACKAGE_MANAGER","referenceType":"purl","referenceLocator":"pkg:deb/debian/libssl3@3.0.1?distro=debian-12&upstream=openssl%403.0"}]}],
        "hasExtractedLicensingInfos":[{"licenseId":"LicenseRef-1","extractedText":"NOASSERTION","name":"Artistic"}],
        "relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-root"}]}"#,
        r"
document /core
on debian 12 -
pkg:deb/debian/libssl3@3.0.1?distro=debian-12&upstream=openssl%403.0 from openssl 3.0 under Artistic by Jane <j@x.org> at /var/lib/dpkg/status at /usr/share/doc/libssl3/copyright",
    );
}

#[test]
fn spdx_of_trivy() {
    check(
        r#"{"spdxVersion":"SPDX-2.3","name":"debian:12","packages":[
          {"SPDXID":"SPDXRef-I","name":"debian:12","primaryPackagePurpose":"CONTAINER","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:oci/debian@sha256%3AHEX"}]},
          {"SPDXID":"SPDXRef-O","name":"debian","versionInfo":"12.5","primaryPackagePurpose":"OPERATING-SYSTEM"},
          {"SPDXID":"SPDXRef-A","name":"package-lock.json","primaryPackagePurpose":"APPLICATION"},
          {"SPDXID":"SPDXRef-P","name":"libssl3","versionInfo":"3.0.1","supplier":"Organization: Debian","sourceInfo":"built package from: openssl 3.0.1",
           "externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:deb/debian/libssl3@3.0.1"}]}],
        "relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-I"}]}"#,
        r"
image debian:12 sha256:HEX []
on debian 12.5 -
pkg:deb/debian/libssl3@3.0.1 from openssl - by Debian",
    );
}

#[test]
fn spdx_of_github_bitnami_and_microsoft() {
    check(
        r#"{"sbom":{"spdxVersion":"SPDX-2.3","name":"com.github.a/b","packages":[
          {"SPDXID":"R","name":"com.github.a/b","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:github/a/b@main"}]},
          {"SPDXID":"P","name":"x","versionInfo":"1","licenseConcluded":"MIT","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:npm/x@1"}]}],
        "documentDescribes":["R"]}}"#,
        "document com.github.a/b\npkg:npm/x@1 under MIT",
    );
    check(
        r#"{"spdxVersion":"SPDX-2.3","name":"SPDX document for Apache","packages":[
          {"SPDXID":"SPDXRef-apache","name":"apache","versionInfo":"2.4.1","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:bitnami/apache@2.4.1"}]}],
        "relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-apache"}]}"#,
        "document SPDX document for Apache\npkg:bitnami/apache@2.4.1",
    );
    check(
        r#"{"spdxVersion":"SPDX-2.2","name":"it","packages":[
          {"SPDXID":"SPDXRef-RootPackage","name":"it","versionInfo":"1","externalRefs":[{"referenceCategory":"PACKAGE_MANAGER","referenceType":"purl","referenceLocator":"pkg:swid/x/y/it@1?tag_id=1"}]},
          {"SPDXID":"P","name":"nothing","versionInfo":"NOASSERTION"},
          {"SPDXID":"Q","name":"something","versionInfo":"2"}],
        "documentDescribes":["SPDXRef-RootPackage"]}"#,
        r"
document it
pkg:generic/something@2
gap: nothing: the package has no purl, so nothing can be known of it
gap: something: the package has no purl, so nothing can be known of it",
    );
}

const SPDX: &str = r#"{"spdxVersion":"SPDX-2.3","name":"d","packages":[{"SPDXID":"P","name":"x","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/x@1"}]}]}"#;

fn statement(kind: &str, predicate: &str) -> String {
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/{kind}","predicateType":"https://spdx.dev/Document",
        "subject":[{{"name":"pkg:docker/a/b@12?platform=linux%2Famd64","digest":{{"sha256":"HEX"}}}}],"predicate":{predicate}}}"#
    )
}

#[test]
fn in_toto_statements() {
    let expect = "image a/b:12 sha256:HEX []\npkg:npm/x@1";
    check(&statement("v0.1", SPDX), expect);
    check(&statement("v1", SPDX), expect);
    let text = serde_json::to_string(SPDX).unwrap();
    check(&statement("v1", &text), expect);
    check(&statement("v0.1", &format!(r#"{{"Data":{text},"Timestamp":"now"}}"#)), expect);
    check(&statement("v0.1", &format!(r#"{{"Data":{SPDX}}}"#)), expect);
    check(
        &statement("v1", r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[]}"#),
        "image a/b:12 sha256:HEX []\ngap: the document: it lists no packages",
    );
    check(
        &statement("v1", r#"{"buildDefinition":{}}"#),
        "reading the in-toto statement failed: its predicate `https://spdx.dev/Document` is not a bill of materials; SPDX, CycloneDX, syft and Scout predicates are understood",
    );
    let error = "reading the in-toto statement failed: its predicate `https://spdx.dev/Document` is not a bill of materials; SPDX, CycloneDX, syft and Scout predicates are understood";
    // A statement in a statement is none of these.
    check(&statement("v1", &statement("v1", SPDX)), error);
}

#[test]
fn in_toto_envelopes() {
    let expect = "image a/b:12 sha256:HEX []\npkg:npm/x@1";
    let payload = BASE64_STANDARD.encode(statement("v1", SPDX).replace("HEX", HEX));
    let envelope = |payload: &str| {
        format!(
            r#"{{"payloadType":"application/vnd.in-toto+json","payload":"{payload}","signatures":[]}}"#
        )
    };
    check(&envelope(&payload), expect);
    check(&envelope(payload.trim_end_matches('=')), expect);
    check(&format!(r#"{{"mediaType":"x","dsseEnvelope":{}}}"#, envelope(&payload)), expect);
    // One a line, the first of them about something else.
    let other = BASE64_STANDARD.encode(statement("v1", "{}"));
    check(&format!("{}\n{}\n", envelope(&other), envelope(&payload)), expect);
    check(
        &envelope("!"),
        "reading the in-toto statement failed: its payload is not base64: Invalid symbol 33, offset 0.",
    );
    check(
        &envelope("e30="),
        "reading the in-toto statement failed: it is not of the type `https://in-toto.io/Statement/…`",
    );
}

#[test]
fn a_mark_in_front_does_not_matter() {
    check(&format!("\u{feff}{SPDX}"), "document d\npkg:npm/x@1");
}

#[test]
fn a_distribution_that_has_much_to_say() {
    let document = |name: &str| {
        format!(
            r#"{{"artifacts":[{{"name":"a","version":"1","type":"npm","purl":"pkg:npm/a@1"}}],
            "source":{{"type":"image","metadata":{{"userInput":"a:1"}}}},
            "distro":{{"id":"{name}","versionID":"12"}},"descriptor":{{"name":"syft"}}}}"#
        )
    };
    check(&document("debian"), "image a:1 no digest []\non debian 12 -\npkg:npm/a@1");
    check(
        &document(&"d".repeat(257)),
        "image a:1 no digest []\npkg:npm/a@1\n\
         gap: the distribution: a value in it is longer than 256 bytes",
    );
}
